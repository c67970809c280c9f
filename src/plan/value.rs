//! One value that a statement gives to a codec column.

use std::ops::Range;
use std::sync::Arc;

use super::statement::{CodecColumn, Statement};
use super::{Cell, KeySource, Source, key};
use crate::catalog::{ColumnCodec, KeyType, Table};
use crate::codec::Chain;
use crate::refusal::Refusal;
use crate::sql::insert::Item;
use crate::sql::literal::Literal;

/// The way out where a value cannot be taken.
pub(super) const LITERALLY: &str = "write the value as a literal";

/// The codec column at this position; `None` if it carries no codec.
pub(super) fn codec_column(table: &Arc<Table>, column: usize) -> Option<CodecColumn> {
    table.columns[column].codec.as_ref()?;
    Some(CodecColumn {
        table: table.clone(),
        column,
    })
}

/// Whether values of a column are encoded with the primary key of their row.
pub(super) fn uses_key(table: &Table, column: usize) -> bool {
    let codec = table.columns[column].codec.as_ref();
    codec.is_some_and(ColumnCodec::uses_key)
}

/// Whether they are with the whole of it and not otherwise.
pub(super) fn needs_key(table: &Table, column: usize) -> bool {
    let codec = table.columns[column].codec.as_ref();
    codec.is_some_and(ColumnCodec::needs_key)
}

/// Why they are, for messages.
pub(super) fn why_key(column: &CodecColumn) -> &'static str {
    let codec = column.table.columns[column.column].codec.as_ref();
    codec.map_or("", ColumnCodec::why_key)
}

/// `NULL` or `DEFAULT`, which mean the same to every codec.
pub(super) fn is_null(statement: &Statement, item: &Item) -> bool {
    let at = item.tokens.start;
    item.tokens.len() == 1 && statement.is_any_word(at, &["NULL", "DEFAULT", "\\N"])
}

/// The cell of a value for a codec column; none for NULL and DEFAULT. `read` are the translated
/// columns that the statement could read.
pub(super) fn cell(
    statement: &Statement,
    column: &CodecColumn,
    item: &Item,
    row: usize,
    read: &[CodecColumn],
) -> Result<Option<Cell>, Refusal> {
    if is_null(statement, item) {
        return Ok(None);
    }
    check_usable(column)?;
    let tokens = &statement.tokens[item.tokens.clone()];
    let dialect = statement.context.dialect;
    let source = if let Some(place) = statement.parameter(item) {
        Source::Parameter(place)
    } else if let Some(literal) = Literal::parse(statement.text, tokens, dialect) {
        Source::Literal(literal)
    } else {
        check_expression(statement, item)
            .map_err(|problem| column.refuse(&format!("its value {problem}"), LITERALLY))?;
        reads_none(
            statement,
            item.tokens.clone(),
            read,
            "its value is made of what is stored",
        )?;
        Source::Expression
    };
    Ok(Some(Cell {
        span: item.span.clone(),
        table: column.table.clone(),
        column: column.column,
        source,
        row,
    }))
}

/// Refuses a column whose codec cannot be run.
pub(super) fn check_usable(column: &CodecColumn) -> Result<(), Refusal> {
    match &column.table.columns[column.column].codec {
        Some(ColumnCodec::Unusable { spec, reason }) => {
            let reason = format!("its type is {spec} and {reason}");
            Err(column.refuse(&reason, "leave it out of the statement"))
        }
        _ => Ok(()),
    }
}

/// Where the value of a key column comes from; the error says what is wrong with it.
pub(super) fn key_source(
    statement: &Statement,
    item: &Item,
    kind: KeyType,
    read: &[CodecColumn],
) -> Result<KeySource, &'static str> {
    match key::source(statement, item, kind) {
        Err(key::NO_LITERAL) if !is_null(statement, item) => {
            check_expression(statement, item)?;
            let tokens = item.tokens.clone();
            match reads_none(statement, tokens, read, "") {
                Ok(()) => Ok(KeySource::Expression(item.span.clone())),
                Err(_) => Err("is made of what is stored"),
            }
        }
        source => source,
    }
}

/// Whether the server can be asked for an expression before the statement runs: it means the
/// same there, and the question changes nothing that the statement sees. That it needs no column
/// of the row is for the server to say, which knows none in the question.
pub(super) fn check_expression(statement: &Statement, item: &Item) -> Result<(), &'static str> {
    let mut tokens = item.tokens.clone();
    if tokens.clone().any(|at| statement.is_symbol(at, b'?')) {
        return Err("is an expression with a parameter");
    }
    // These mean a column of the row.
    let of_row = ["DEFAULT", "VALUES", "VALUE"];
    if tokens.any(|at| statement.is_any_word(at, &of_row) && statement.is_symbol(at + 1, b'(')) {
        return Err("is made of other values of the row");
    }
    let mut all = 0..statement.tokens.len();
    if all.clone().any(|at| statement.is_symbol(at, b':')) {
        return Err("is an expression in a statement that sets a variable");
    }
    let counts = ["FOUND_ROWS", "ROW_COUNT"];
    if all.any(|at| statement.is_any_word(at, &counts) && statement.is_symbol(at + 1, b'(')) {
        return Err("is an expression in a statement that asks for ROW_COUNT or FOUND_ROWS");
    }
    Ok(())
}

/// Refuses an expression that reads one of these columns.
pub(super) fn reads_none(
    statement: &Statement,
    tokens: Range<usize>,
    read: &[CodecColumn],
    reason: &str,
) -> Result<(), Refusal> {
    if let Some(column) = statement.mention(tokens.clone(), read) {
        return Err(column.refuse(reason, LITERALLY));
    }
    // A subquery could read one without naming it.
    let mut all = tokens.clone();
    let hidden = all.any(|at| statement.is_any_word(at, &["NATURAL", "TABLE"]));
    match read.first() {
        Some(column) if statement.has_wildcard(tokens) || hidden => {
            Err(column.refuse(reason, LITERALLY))
        }
        _ => Ok(()),
    }
}

/// Whether what is stored in one column may stand in the other as it is: the same codecs come to
/// the same type in the same store, and objects lie where the other column's schema may read them.
pub(super) fn is_alike(statement: &Statement, from: &CodecColumn, to: &CodecColumn) -> bool {
    let chain = |c: &CodecColumn| match &c.table.columns[c.column].codec {
        Some(ColumnCodec::Chain(chain)) => Some(chain.clone()),
        _ => None,
    };
    let (Some(a), Some(b)) = (chain(from), chain(to)) else {
        return false;
    };
    let same_store = || {
        let real = |chain: &Chain| (statement.context.stores)(chain).ok();
        a.store == b.store || (real(&a).is_some() && real(&a) == real(&b))
    };
    let fold = |c: &CodecColumn| statement.index.fold(c.table.schema.as_bytes()).into_owned();
    let same_schema = fold(from) == fold(to);
    a.codecs == b.codecs
        && a.dtype == b.dtype
        && (a.store.is_none() && b.store.is_none() || same_store() && same_schema)
}
