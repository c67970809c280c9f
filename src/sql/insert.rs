//! `INSERT` and `REPLACE`, taken apart far enough to find the value of each cell.
//!
//! The grammar is that of MySQL 9 and MariaDB 10.11 together. A statement is understood to its
//! last token or not at all.

use std::ops::Range;

use super::cursor::Cursor;
use super::lexer::Token;
use super::name::{ColumnName, TableName};

/// An `INSERT` or `REPLACE`. Ranges of tokens are indices into the tokens it was parsed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    pub replace: bool,
    pub ignore: bool,
    pub table: TableName,
    pub partitioned: bool,
    /// The column list; `None` if the statement has none, so all columns in their order.
    pub columns: Option<Vec<String>>,
    pub source: Source,
    pub row_alias: Option<RowAlias>,
    pub on_duplicate: Vec<Assignment>,
    /// The tokens of the list after `RETURNING` (MariaDB); empty without one.
    pub returning: Range<usize>,
}

/// Where the rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `VALUES (…), (…)`. A row may be empty: every column gets its default.
    Values { rows: Vec<Vec<Item>> },
    /// `SET a = …, b = …`.
    Set(Vec<Assignment>),
    /// A query (`SELECT`, `WITH`, `TABLE`, or in parentheses): its tokens.
    Query(Range<usize>),
}

/// One expression, without the white space and comments around it; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its tokens.
    pub tokens: Range<usize>,
    /// The bytes they cover in the text.
    pub span: Range<usize>,
}

/// `column = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub column: ColumnName,
    pub value: Item,
}

/// `AS new (a, b)` after the rows (MySQL 8): the names by which `ON DUPLICATE KEY UPDATE`
/// refers to the new row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowAlias {
    pub name: String,
    pub columns: Option<Vec<String>>,
}

/// Parses the tokens of one statement; `None` if it is not one that this walker understands.
pub fn parse(text: &[u8], tokens: &[Token]) -> Option<Insert> {
    let mut cursor = Cursor::new(text, tokens);
    let replace = cursor.word("REPLACE");
    if !replace && !cursor.word("INSERT") {
        return None;
    }
    cursor.any_word(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY"]);
    let ignore = cursor.word("IGNORE");
    cursor.word("INTO");
    let table = cursor.table_name()?;
    let partitioned = cursor.word("PARTITION");
    if partitioned {
        cursor.group()?;
    }
    let columns = match begins_query(&cursor) {
        false if cursor.is_symbol(b'(') => Some(column_list(&mut cursor)?),
        _ => None,
    };
    let source = source(&mut cursor)?;
    let row_alias = match cursor.word("AS") {
        true => Some(row_alias(&mut cursor)?),
        false => None,
    };
    let on_duplicate = match cursor.words(&ON_DUPLICATE) {
        true => assignments(&mut cursor, &["RETURNING"])?,
        false => Vec::new(),
    };
    let returning = match cursor.word("RETURNING") {
        true => Some(cursor.skip_until(|_| false)).filter(|list| !list.is_empty())?,
        false => cursor.at()..cursor.at(),
    };
    cursor.is_at_end().then_some(Insert {
        replace,
        ignore,
        table,
        partitioned,
        columns,
        source,
        row_alias,
        on_duplicate,
        returning,
    })
}

const ON_DUPLICATE: [&str; 4] = ["ON", "DUPLICATE", "KEY", "UPDATE"];

/// Whether a query begins here, be it in parentheses. Its keywords are reserved, so none of
/// them is the first name of a column list.
fn begins_query(cursor: &Cursor) -> bool {
    let mut ahead = cursor.clone();
    let mut nested = false;
    while ahead.symbol(b'(') {
        nested = true;
    }
    ahead.is_any_word(&["SELECT", "WITH", "TABLE"]) || (nested && ahead.is_word("VALUES"))
}

/// `(a, t.b)`, possibly empty; a qualified column loses its table, which can only be this one.
fn column_list(cursor: &mut Cursor) -> Option<Vec<String>> {
    let mut columns = Vec::new();
    if !cursor.symbol(b'(') {
        return None;
    }
    if cursor.symbol(b')') {
        return Some(columns);
    }
    loop {
        columns.push(cursor.column_name()?.column);
        if cursor.symbol(b')') {
            return Some(columns);
        }
        if !cursor.symbol(b',') {
            return None;
        }
    }
}

fn source(cursor: &mut Cursor) -> Option<Source> {
    if begins_query(cursor) {
        let end = |at: &Cursor| {
            at.are_words(&ON_DUPLICATE) || at.is_word("RETURNING") || at.is_symbol(b';')
        };
        return Some(Source::Query(cursor.skip_until(end)));
    }
    if cursor.word("SET") {
        return Some(Source::Set(assignments(
            cursor,
            &["AS", "ON", "RETURNING"],
        )?));
    }
    if !cursor.any_word(&["VALUES", "VALUE"]) {
        return None;
    }
    let mut rows = Vec::new();
    loop {
        cursor.word("ROW");
        rows.push(row(cursor)?);
        if !cursor.symbol(b',') {
            return Some(Source::Values { rows });
        }
    }
}

/// `(1, 'a', DEFAULT)`.
fn row(cursor: &mut Cursor) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    if !cursor.symbol(b'(') {
        return None;
    }
    if cursor.symbol(b')') {
        return Some(items);
    }
    loop {
        items.push(item(cursor, &[])?);
        if cursor.symbol(b')') {
            return Some(items);
        }
        if !cursor.symbol(b',') {
            return None;
        }
    }
}

/// `a = 1, t.b = 2`, up to one of the words in `end`.
pub(super) fn assignments(cursor: &mut Cursor, end: &[&str]) -> Option<Vec<Assignment>> {
    let mut assignments = Vec::new();
    loop {
        let column = cursor.column_name()?;
        // The server takes `:=` for `=` here.
        if !cursor.symbol(b'=') && !cursor.symbol(b':') {
            return None;
        }
        let value = item(cursor, end)?;
        assignments.push(Assignment { column, value });
        if !cursor.symbol(b',') {
            return Some(assignments);
        }
    }
}

/// An expression up to the next `,` or `;`, one of the words in `end`, or the end of the group.
fn item(cursor: &mut Cursor, end: &[&str]) -> Option<Item> {
    let tokens = cursor.skip_until(|at| {
        at.is_symbol(b',') || at.is_symbol(b';') || (!end.is_empty() && at.is_any_word(end))
    });
    let span = cursor.span(&tokens);
    (!tokens.is_empty()).then_some(Item { tokens, span })
}

fn row_alias(cursor: &mut Cursor) -> Option<RowAlias> {
    let name = cursor.name()?;
    let columns = match cursor.is_symbol(b'(') {
        true => Some(column_list(cursor)?),
        false => None,
    };
    Some(RowAlias { name, columns })
}

#[cfg(test)]
mod tests;
