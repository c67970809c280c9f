//! A place in a list of tokens, from which the walkers read what they expect.

use std::ops::Range;

use super::lexer::{Token, TokenKind, name_text};
use super::name::{ColumnName, TableName};

/// Walks over the tokens of one statement. A reading method moves on only if it finds what it
/// names; positions are indices into the tokens.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a [u8], tokens: &'a [Token]) -> Self {
        let at = 0;
        Cursor { text, tokens, at }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn is_at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// Moves over the next token if `wanted` holds for it.
    pub fn advance_if(&mut self, wanted: impl Fn(&Token) -> bool) -> bool {
        self.step(self.peek().is_some_and(wanted), 1)
    }

    pub fn is_symbol(&self, symbol: u8) -> bool {
        self.peek().is_some_and(|token| token.is_symbol(symbol))
    }

    pub fn is_word(&self, keyword: &str) -> bool {
        self.are_words(&[keyword])
    }

    /// Whether the next token is one of these words.
    pub fn is_any_word(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is_word(keyword))
    }

    pub fn are_words(&self, keywords: &[&str]) -> bool {
        (keywords.iter().enumerate()).all(|(ahead, keyword)| {
            (self.tokens.get(self.at + ahead)).is_some_and(|t| t.is_word(self.text, keyword))
        })
    }

    pub fn symbol(&mut self, symbol: u8) -> bool {
        self.step(self.is_symbol(symbol), 1)
    }

    pub fn word(&mut self, keyword: &str) -> bool {
        self.step(self.is_word(keyword), 1)
    }

    pub fn any_word(&mut self, keywords: &[&str]) -> bool {
        self.step(self.is_any_word(keywords), 1)
    }

    pub fn words(&mut self, keywords: &[&str]) -> bool {
        self.step(self.are_words(keywords), keywords.len())
    }

    fn step(&mut self, found: bool, width: usize) -> bool {
        if found {
            self.at += width;
        }
        found
    }

    /// Whether an element of a list ends here: a `,`, a `)`, or the last token is behind.
    pub fn is_end_of_element(&self) -> bool {
        self.is_at_end() || self.is_symbol(b',') || self.is_symbol(b')')
    }

    /// A name in UTF-8. Keywords are not told from names: the caller knows where names stand.
    pub fn name(&mut self) -> Option<String> {
        let token = self.peek()?;
        if !matches!(token.kind, TokenKind::Word | TokenKind::QuotedName) {
            return None;
        }
        let name = String::from_utf8(name_text(self.text, token).into_owned()).ok()?;
        self.at += 1;
        Some(name)
    }

    /// `table` or `schema.table`.
    pub fn table_name(&mut self) -> Option<TableName> {
        let mut table = self.name()?;
        let mut schema = None;
        if self.symbol(b'.') {
            schema = Some(std::mem::replace(&mut table, self.name()?));
        }
        Some(TableName { schema, table })
    }

    /// `column`, `table.column` or `schema.table.column`.
    pub fn column_name(&mut self) -> Option<ColumnName> {
        let TableName { schema, table } = self.table_name()?;
        if self.symbol(b'.') {
            let column = self.name()?;
            let table = Some(TableName { schema, table });
            return Some(ColumnName { table, column });
        }
        let table_of = |table| TableName {
            schema: None,
            table,
        };
        Some(ColumnName {
            table: schema.map(table_of),
            column: table,
        })
    }

    /// Moves over tokens, groups in parentheses as a whole, until one outside of parentheses at
    /// which `stop` holds, a closing one that was not opened here, or the end.
    pub fn skip_until(&mut self, stop: impl Fn(&Self) -> bool) -> Range<usize> {
        let from = self.at;
        let mut depth = 0usize;
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Symbol(b')') if depth == 0 => break,
                _ if depth == 0 && stop(self) => break,
                TokenKind::Symbol(b'(') => depth += 1,
                TokenKind::Symbol(b')') => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        from..self.at
    }

    /// Moves over a group in parentheses and returns its inside; `None` if there is none here.
    pub fn group(&mut self) -> Option<Range<usize>> {
        let mut ahead = self.clone();
        if !ahead.symbol(b'(') {
            return None;
        }
        let inside = ahead.skip_until(|_| false);
        if !ahead.symbol(b')') {
            return None;
        }
        self.at = ahead.at;
        Some(inside)
    }

    /// The bytes that a range of tokens covers.
    pub fn span(&self, tokens: &Range<usize>) -> Range<usize> {
        match &self.tokens[tokens.clone()] {
            [] => 0..0,
            [first, .., last] => first.start..last.end,
            [only] => only.start..only.end,
        }
    }
}
