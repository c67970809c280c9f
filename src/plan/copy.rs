//! INSERT … SELECT into codec columns: what the server may hand on as it is, and what becomes of
//! the rest.
//!
//! A column of the same codec and store in the same schema holds the same pointers: the server
//! copies them. A literal is encoded as in VALUES. Of anything else, another codec's column or what
//! is made of columns without a codec, the server is asked for the values that there are; see
//! [`Copied`].

use std::ops::Range;
use std::sync::Arc;

use super::change::uses_none;
use super::statement::{CodecColumn, Statement};
use super::value::{self, codec_column, is_alike, is_null, reads_none, uses_key, why_key};
use super::{Cell, Copied};
use crate::catalog::{Table, TableKind, same_name};
use crate::refusal::Refusal;
use crate::sql::insert::Item;
use crate::sql::literal::Literal;
use crate::sql::name::ColumnName;
use crate::sql::update::{self, Tables};

const VALUES: &str = "read the values and write them with INSERT … VALUES";
const READ: &str = "INSERT … SELECT would use what is stored";

/// What is to be encoded of a query whose columns go to these places of the target; `first` is
/// one of them with a codec.
pub(super) fn plan(
    query: &Statement,
    target: &Arc<Table>,
    places: &[Option<usize>],
    first: &CodecColumn,
    read: &[CodecColumn],
) -> Result<(Vec<Cell>, Vec<Copied>), Refusal> {
    let not_followed = || first.refuse("codec-proxy does not follow this INSERT … SELECT", VALUES);
    let select = Select::of(query).ok_or_else(not_followed)?;
    let items = select.items().ok_or_else(not_followed)?;
    if items.len() != places.len() {
        // What the server would say.
        return Err(Refusal {
            code: 1136,
            sqlstate: "21S01",
            message: "codec-proxy: Column count doesn't match value count at row 1".to_owned(),
        });
    }
    let mut copying = Copying {
        select: &select,
        read,
        cells: Vec::new(),
        copied: Vec::new(),
    };
    for (item, place) in items.iter().zip(places) {
        match place.and_then(|place| codec_column(target, place)) {
            Some(column) => copying.item(item, &column)?,
            None => copying.plain(item)?,
        }
    }
    let rest = select.from..query.tokens.len();
    uses_none(query, rest.clone(), read, READ)?;
    if let Some(column) = read.first()
        && query.has_wildcard(rest)
    {
        return Err(column.refuse(READ, "name the columns"));
    }
    Ok((copying.cells, copying.copied))
}

/// A plain SELECT.
struct Select<'a> {
    query: &'a Statement<'a>,
    /// The tokens of its result's columns.
    list: Range<usize>,
    /// Where FROM stands, or the end.
    from: usize,
    tables: Tables,
}

/// A column of the result.
enum Output {
    /// It is written so.
    Written(Item),
    /// It is part of what a wildcard stands for.
    Column(Arc<Table>, usize),
}

impl<'a> Select<'a> {
    /// `None` for what is more than one SELECT, or gives each row once.
    fn of(query: &'a Statement) -> Option<Self> {
        const MORE: [&str; 6] = ["UNION", "EXCEPT", "INTERSECT", "MINUS", "INTO", "PROCEDURE"];
        const OPTIONS: [&str; 8] = [
            "ALL",
            "HIGH_PRIORITY",
            "STRAIGHT_JOIN",
            "SQL_SMALL_RESULT",
            "SQL_BIG_RESULT",
            "SQL_BUFFER_RESULT",
            "SQL_NO_CACHE",
            "SQL_CACHE",
        ];
        if !query.is_word(0, "SELECT") || query.find_word(1, &MORE).is_some() {
            return None;
        }
        let mut at = 1;
        while query.is_any_word(at, &OPTIONS) {
            at += 1;
        }
        if query.is_any_word(at, &["DISTINCT", "DISTINCTROW", "SQL_CALC_FOUND_ROWS"]) {
            return None;
        }
        let from = query.find_word(at, &["FROM"]);
        let tables = match from {
            Some(from) => update::tables(query.text, &query.tokens[from + 1..])?,
            None => Tables::default(),
        };
        let from = from.unwrap_or(query.tokens.len());
        let end = match from == query.tokens.len() {
            true => query.find_word(at, &["WHERE", "ORDER", "LIMIT"]),
            false => None,
        };
        let list = at..end.unwrap_or(from);
        Some(Self {
            query,
            list,
            from,
            tables,
        })
    }

    /// The columns of the result; `None` if they cannot be told.
    fn items(&self) -> Option<Vec<Output>> {
        let mut outputs = Vec::new();
        let mut depth = 0_usize;
        let mut start = self.list.start;
        for at in self.list.clone().chain([self.list.end]) {
            let is_end = at == self.list.end;
            if !is_end && self.query.is_symbol(at, b'(') {
                depth += 1;
            } else if !is_end && self.query.is_symbol(at, b')') {
                depth = depth.checked_sub(1)?;
            } else if is_end || depth == 0 && self.query.is_symbol(at, b',') {
                self.item(start..at, &mut outputs)?;
                start = at + 1;
            }
        }
        Some(outputs)
    }

    fn item(&self, tokens: Range<usize>, outputs: &mut Vec<Output>) -> Option<()> {
        let last = tokens
            .end
            .checked_sub(1)
            .filter(|last| *last >= tokens.start)?;
        if self.query.is_symbol(last, b'*') && self.query.has_wildcard(tokens.clone()) {
            let table = self.wildcard(tokens)?;
            let visible = (0..table.columns.len()).filter(|i| !table.columns[*i].invisible);
            outputs.extend(visible.map(|place| Output::Column(table.clone(), place)));
            return Some(());
        }
        let tokens = self.without_alias(tokens);
        let (first, last) = (tokens.start, tokens.end.checked_sub(1)?);
        let span = self.query.tokens.get(first)?.start..self.query.tokens.get(last)?.end;
        outputs.push(Output::Written(Item { tokens, span }));
        Some(())
    }

    /// The only table that `*` or `t.*` can stand for, if it is a codec table.
    fn wildcard(&self, tokens: Range<usize>) -> Option<Arc<Table>> {
        let targets = &self.tables.named;
        let target = match tokens.len() {
            1 if targets.len() == 1 && self.tables.all == 1 => &targets[0],
            3 | 5 => {
                // As if a column stood in the place of the star.
                let name = |at: usize| {
                    let name = self.query.name(at)?;
                    Some(String::from_utf8_lossy(&name).into_owned())
                };
                let table = crate::sql::name::TableName {
                    schema: if tokens.len() == 5 {
                        Some(name(tokens.start)?)
                    } else {
                        None
                    },
                    table: name(tokens.end - 3)?,
                };
                let column = ColumnName {
                    table: Some(table),
                    column: String::new(),
                };
                let mut meant = targets.iter().filter(|t| self.is_meant(t, &column));
                meant.next().filter(|_| meant.next().is_none())?
            }
            _ => return None,
        };
        let schema = target.table.schema.as_deref();
        let table = self.query.table(schema, &target.table.table)?;
        (table.kind == TableKind::Base).then(|| table.clone())
    }

    /// `data AS x`, `t.data x`, `'x' data`
    fn without_alias(&self, tokens: Range<usize>) -> Range<usize> {
        let (start, end) = (tokens.start, tokens.end);
        if end >= start + 3 && self.query.is_word(end - 2, "AS") {
            return start..end - 2;
        }
        if end < start + 2 {
            return tokens;
        }
        let before = start..end - 1;
        let written = &self.query.tokens[before.clone()];
        let dialect = self.query.context.dialect;
        let is_whole = self.query.column_path(before.clone()).is_some()
            || Literal::parse(self.query.text, written, dialect).is_some();
        match is_whole && self.query.is_name(end - 1) {
            true => before,
            false => tokens,
        }
    }

    fn is_meant(&self, target: &update::Target, name: &ColumnName) -> bool {
        let fold = |name: &str| self.query.index.fold(name.as_bytes()).into_owned();
        target.is_meant(name, |a, b| fold(a) == fold(b))
    }

    /// The codec column that a name means; an error if that cannot be told.
    fn codec_column(&self, name: &ColumnName) -> Result<Option<CodecColumn>, CodecColumn> {
        let mut meant = self.tables.named.iter().filter(|t| self.is_meant(t, name));
        let found = meant.find_map(|target| {
            let schema = target.table.schema.as_deref();
            let table = self.query.table(schema, &target.table.table)?;
            codec_column(table, table.column(name.column.as_bytes())?)
        });
        let is_sure = name.table.is_some() || self.tables.all == self.tables.named.len();
        match (found, is_sure) {
            (Some(column), false) => Err(column),
            (found, _) => Ok(found),
        }
    }
}

struct Copying<'a> {
    select: &'a Select<'a>,
    read: &'a [CodecColumn],
    cells: Vec<Cell>,
    copied: Vec<Copied>,
}

impl Copying<'_> {
    /// A column of the result that goes to a codec column.
    fn item(&mut self, output: &Output, to: &CodecColumn) -> Result<(), Refusal> {
        let query = self.select.query;
        let item = match output {
            Output::Column(table, place) => {
                return match codec_column(table, *place) {
                    Some(from) if is_alike(query, &from, to) => Ok(()),
                    Some(from) => {
                        let from = from.path();
                        let reason = format!("{from} has another codec, store or schema");
                        Err(to.refuse(&reason, "name the columns instead of *"))
                    }
                    None => {
                        Err(to.refuse("* gives it a column without a codec", "name the columns"))
                    }
                };
            }
            Output::Written(item) => item,
        };
        if is_null(query, item) {
            return Ok(());
        }
        if let Some(path) = query.column_path(item.tokens.clone()) {
            match self.select.codec_column(&path) {
                Ok(Some(from)) if is_alike(query, &from, to) => return Ok(()),
                Ok(Some(from)) if self.is_read(&from) => {
                    value::check_usable(&from)?;
                    return self.values(item, to, Some(from));
                }
                Ok(_) => {}
                Err(_) => {
                    return Err(to.refuse(
                        "it cannot be told what it is given",
                        "name the table of each column",
                    ));
                }
            }
            return self.each(item, to);
        }
        let tokens = &query.tokens[item.tokens.clone()];
        let is_literal = Literal::parse(query.text, tokens, query.context.dialect).is_some();
        match is_literal || query.parameter(item).is_some() {
            true if uses_key(&to.table, to.column) => Err(keyless(to)),
            true => {
                self.cells
                    .extend(value::cell(query, to, item, 0, self.read)?);
                Ok(())
            }
            false => self.each(item, to),
        }
    }

    fn is_read(&self, column: &CodecColumn) -> bool {
        let same =
            |c: &&CodecColumn| c.column == column.column && Arc::ptr_eq(&c.table, &column.table);
        self.read.iter().any(|c| same(&c))
    }

    /// An expression whose values the server is asked for.
    fn each(&mut self, item: &Item, to: &CodecColumn) -> Result<(), Refusal> {
        reads_none(self.select.query, item.tokens.clone(), self.read, READ)?;
        self.values(item, to, None)
    }

    /// The values of an expression, or those of a column of another codec.
    fn values(
        &mut self,
        item: &Item,
        to: &CodecColumn,
        from: Option<CodecColumn>,
    ) -> Result<(), Refusal> {
        let query = self.select.query;
        value::check_usable(to)?;
        if uses_key(&to.table, to.column) {
            return Err(keyless(to));
        }
        value::check_expression(query, item)
            .map_err(|problem| to.refuse(&format!("its value {problem}"), VALUES))?;
        let rest = &query.tokens[self.select.from.min(query.tokens.len())..];
        let rest = match rest {
            [] => Vec::new(),
            [first, ..] => {
                let end = rest[rest.len() - 1].end;
                query.text[first.start..end].to_vec()
            }
        };
        self.copied.push(Copied {
            span: item.span.clone(),
            table: to.table.clone(),
            column: to.column,
            from,
            rows: rest,
        });
        Ok(())
    }

    /// A column of the result that goes to a column without a codec.
    fn plain(&self, output: &Output) -> Result<(), Refusal> {
        match output {
            Output::Written(item) => {
                reads_none(self.select.query, item.tokens.clone(), self.read, READ)
            }
            Output::Column(table, place) => {
                let is_it = |c: &&CodecColumn| {
                    same_name(c.name(), &table.columns[*place].name) && Arc::ptr_eq(&c.table, table)
                };
                match self.read.iter().find(is_it) {
                    Some(column) => Err(column.refuse(READ, "name the columns")),
                    None => Ok(()),
                }
            }
        }
    }
}

fn keyless(column: &CodecColumn) -> Refusal {
    let why = why_key(column);
    let reason = format!("{why}, which INSERT … SELECT leaves to the server");
    column.refuse(&reason, VALUES)
}
