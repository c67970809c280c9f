//! `CREATE TABLE`, taken apart far enough to find each column's type and comment.

use std::ops::Range;

use bytes::Bytes;

use super::cursor::Cursor;
use super::lexer::{Dialect, Token, TokenKind};
use super::literal::Literal;
use super::name::TableName;

/// A `CREATE TABLE` statement. Spans are bytes of its text.
#[derive(Debug, Clone)]
pub struct CreateTable {
    pub table: TableName,
    pub or_replace: bool,
    pub temporary: bool,
    pub if_not_exists: bool,
    pub columns: Vec<ColumnDef>,
    /// `LIKE other`: the columns are those of another table.
    pub like: bool,
    /// A query follows, whose columns are added to those that are written.
    pub select: bool,
}

/// The definition of one column.
#[derive(Debug, Clone)]
pub struct ColumnDef {
    pub name: String,
    /// From the name to the last attribute.
    pub span: Range<usize>,
    /// The type with its length and sign: `longblob`, `enum('a','b')`, `decimal(9,2) unsigned`.
    pub type_span: Range<usize>,
    /// The type with the character set and collation right after it.
    pub text_type_span: Range<usize>,
    pub comment: Option<Comment>,
}

/// What follows `COMMENT` in a column definition.
#[derive(Debug, Clone)]
pub struct Comment {
    /// The literal as it is written, with its quotes.
    pub span: Range<usize>,
    pub literal: Literal,
}

/// Parses the tokens of one statement; `None` if it is not one that this walker understands.
/// Options, partitions and the query after the columns are not looked into.
pub fn parse(text: &Bytes, tokens: &[Token], dialect: Dialect) -> Option<CreateTable> {
    let mut cursor = Cursor::new(text, tokens);
    if !cursor.word("CREATE") {
        return None;
    }
    let or_replace = cursor.words(&["OR", "REPLACE"]);
    let temporary = cursor.word("TEMPORARY");
    if !cursor.word("TABLE") {
        return None;
    }
    let if_not_exists = cursor.words(&["IF", "NOT", "EXISTS"]);
    let mut create = CreateTable {
        table: cursor.table_name()?,
        or_replace,
        temporary,
        if_not_exists,
        columns: Vec::new(),
        like: cursor.word("LIKE"),
        select: false,
    };
    if create.like {
        cursor.table_name()?;
    } else if cursor.is_symbol(b'(') && !begins_query(&cursor) {
        definitions(&mut cursor, &mut create, text, tokens, dialect)?;
    }
    cursor.skip_until(begins_query);
    create.select = begins_query(&cursor);
    cursor.skip_until(|_| false);
    cursor.is_at_end().then_some(create)
}

/// Whether a query begins here. `WITH SYSTEM VERSIONING` and `WITH PARSER` are options.
fn begins_query(cursor: &Cursor) -> bool {
    let mut ahead = cursor.clone();
    while ahead.symbol(b'(') {}
    ahead.is_any_word(&["SELECT", "AS", "VALUES", "TABLE"])
        || (ahead.word("WITH") && !ahead.is_any_word(&["SYSTEM", "PARSER"]))
}

/// `(name type …, PRIMARY KEY (…), …)`, or `(LIKE other)`.
fn definitions(
    cursor: &mut Cursor,
    create: &mut CreateTable,
    text: &Bytes,
    tokens: &[Token],
    dialect: Dialect,
) -> Option<()> {
    cursor.symbol(b'(');
    if cursor.word("LIKE") {
        create.like = true;
        cursor.table_name()?;
        return cursor.symbol(b')').then_some(());
    }
    loop {
        if is_table_element(cursor) {
            cursor.skip_until(|at| at.is_symbol(b','));
        } else {
            (create.columns).push(column_def(cursor, text, tokens, dialect)?);
        }
        if cursor.symbol(b')') {
            return Some(());
        }
        if !cursor.symbol(b',') {
            return None;
        }
    }
}

/// Whether an index, a key or a constraint stands here, not a column. The last three begin
/// with words that are not reserved, so that a column may bear them as its name.
pub(super) fn is_table_element(cursor: &Cursor) -> bool {
    cursor.is_any_word(&[
        "PRIMARY",
        "KEY",
        "INDEX",
        "UNIQUE",
        "FULLTEXT",
        "SPATIAL",
        "FOREIGN",
        "CONSTRAINT",
        "CHECK",
    ]) || cursor.are_words(&["PERIOD", "FOR"])
        || cursor.are_words(&["VECTOR", "INDEX"])
        || cursor.are_words(&["VECTOR", "KEY"])
}

/// `name type attribute…`, up to the `,` or `)` after it.
pub(super) fn column_def(
    cursor: &mut Cursor,
    text: &Bytes,
    tokens: &[Token],
    dialect: Dialect,
) -> Option<ColumnDef> {
    let start = cursor.at();
    let name = cursor.name()?;
    let from = cursor.at();
    cursor.name()?;
    cursor.any_word(&["PRECISION", "VARYING", "VARCHAR", "VARBINARY"]);
    cursor.group();
    while cursor.any_word(&["UNSIGNED", "SIGNED", "ZEROFILL"]) {}
    let type_tokens = from..cursor.at();
    while cursor.words(&["CHARACTER", "SET"]) || cursor.any_word(&["CHARSET", "COLLATE"]) {
        cursor.advance_if(|token| token.kind != TokenKind::Symbol(b','));
    }
    let text_type_tokens = from..cursor.at();
    let mut comment = None;
    while !cursor.is_end_of_element() {
        if cursor.word("COMMENT") {
            let at = cursor.at();
            let literal = Literal::parse(text, tokens.get(at..=at)?, dialect)?;
            let span = cursor.span(&(at..at + 1));
            comment = Some(Comment { span, literal });
        }
        cursor.skip_until(|at| at.is_symbol(b',') || at.is_word("COMMENT"));
    }
    Some(ColumnDef {
        name,
        span: cursor.span(&(start..cursor.at())),
        type_span: cursor.span(&type_tokens),
        text_type_span: cursor.span(&text_type_tokens),
        comment,
    })
}

#[cfg(test)]
mod tests;
