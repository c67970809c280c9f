//! A query as the parser reads it, and the way back from its names to the tokens.

use std::collections::HashMap;
use std::ops::Range;

use sqlparser::ast::{self, Expr, Ident, Query, SelectItem, SetExpr};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Span};

use crate::plan::statement::Statement;
use crate::sql::lexer::Token;
use crate::sql::skeleton::{Skeleton, skeleton};

/// What the parser has read, and where.
pub(super) struct Parsed<T> {
    pub read: T,
    pub places: Places,
}

/// Where in a statement its parts stand.
#[derive(Default)]
pub(super) struct Places {
    /// Place in the skeleton (line, column) -> token.
    tokens: HashMap<(u64, u64), usize>,
    /// The tokens of each literal, without its introducer.
    literals: Vec<Range<usize>>,
}

/// Reads a statement that is a query.
pub(super) fn query(statement: &Statement) -> Option<Parsed<Query>> {
    let mut tokens = statement.tokens;
    // The parser does not know this ending, and it changes no column.
    if let [rest @ .., lock, is, share, mode] = tokens {
        let words = [lock, is, share, mode].map(|t| t.bytes(statement.text));
        let ending = [&b"LOCK"[..], b"IN", b"SHARE", b"MODE"];
        let same = |(word, end): (&&[u8], &[u8])| word.eq_ignore_ascii_case(end);
        if words.iter().zip(ending).all(same) {
            tokens = rest;
        }
    }
    parse(skeleton(statement.text, tokens), "", 0)
}

/// Reads tokens of a statement that are the items of a SELECT or of RETURNING.
pub(super) fn items(
    statement: &Statement,
    tokens: Range<usize>,
) -> Option<Parsed<Vec<SelectItem>>> {
    let Parsed { read, places } = part(statement, tokens, "SELECT ")?;
    let ast::Select { projection, .. } = match *read.body {
        SetExpr::Select(select) if is_items_only(&read.with, &select) => *select,
        _ => return None,
    };
    let is_bare = read.order_by.is_none() && read.limit_clause.is_none() && read.locks.is_empty();
    is_bare.then_some(Parsed {
        read: projection,
        places,
    })
}

/// Reads tokens of a statement that are one expression.
pub(super) fn expression(statement: &Statement, tokens: Range<usize>) -> Option<Parsed<Expr>> {
    let Parsed { mut read, places } = items(statement, tokens)?;
    match (read.pop(), read.is_empty()) {
        (Some(SelectItem::UnnamedExpr(expr)), true) => Some(Parsed { read: expr, places }),
        _ => None,
    }
}

fn is_items_only(with: &Option<ast::With>, select: &ast::Select) -> bool {
    with.is_none()
        && select.distinct.is_none()
        && select.into.is_none()
        && select.from.is_empty()
        && select.selection.is_none()
        && select.having.is_none()
}

fn part(statement: &Statement, tokens: Range<usize>, before: &str) -> Option<Parsed<Query>> {
    let of: &[Token] = &statement.tokens[tokens.clone()];
    parse(skeleton(statement.text, of), before, tokens.start)
}

/// Reads `before` and a skeleton, whose first token is the statement's token `first`.
fn parse(skeleton: Skeleton, before: &str, first: usize) -> Option<Parsed<Query>> {
    let sql = format!("{before}{}", skeleton.sql);
    let mut parsed = Parser::parse_sql(&MySqlDialect {}, &sql).ok()?;
    let read = match (parsed.pop(), parsed.is_empty()) {
        (Some(ast::Statement::Query(query)), true) => *query,
        _ => return None,
    };
    let mut tokens = HashMap::with_capacity(skeleton.places.len());
    let mut places = skeleton.places.iter().peekable();
    let (mut line, mut column) = (1, 1);
    for (at, letter) in sql.char_indices() {
        while let Some((_, token)) = places.next_if(|(place, _)| place + before.len() <= at) {
            tokens.insert((line, column), first + token);
        }
        match letter {
            '\n' => (line, column) = (line + 1, 1),
            _ => column += 1,
        }
    }
    let literals = skeleton.literals.into_iter();
    let literals = literals.map(|l| l.start + first..l.end + first).collect();
    let places = Places { tokens, literals };
    Some(Parsed { read, places })
}

impl Places {
    /// The token that something begins with.
    pub fn token(&self, span: Span) -> Option<usize> {
        let Location { line, column } = span.start;
        self.tokens.get(&(line, column)).copied()
    }

    /// The token of each part of a name.
    pub fn tokens<'n>(&self, names: impl IntoIterator<Item = &'n Ident>) -> Option<Vec<usize>> {
        names.into_iter().map(|n| self.token(n.span)).collect()
    }

    /// The tokens of the literal that stands as this placeholder in the skeleton, without its
    /// introducer.
    pub fn literal(&self, placeholder: &str) -> Option<Range<usize>> {
        let number: usize = placeholder.strip_prefix('~')?.parse().ok()?;
        self.literals.get(number.checked_sub(1)?).cloned()
    }
}
