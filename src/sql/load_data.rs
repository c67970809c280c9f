//! `LOAD DATA`, taken apart: what is written where, and how the file is cut into fields.
//!
//! The grammar is that of MySQL 9 and MariaDB 10.11 together. A statement is understood to its
//! last token or not at all.

use std::ops::Range;

use bytes::Bytes;

use super::cursor::Cursor;
use super::fields::Format;
use super::insert::{Assignment, assignments};
use super::lexer::{Dialect, Token, TokenKind};
use super::literal::Literal;
use super::name::TableName;

/// A `LOAD DATA … INFILE`. Ranges of tokens are indices into the tokens it was parsed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadData {
    /// The client has the file, not the server.
    pub local: bool,
    pub table: TableName,
    /// The file's character set, if the statement says.
    pub charset: Option<String>,
    pub format: Format,
    /// `LINES STARTING BY` something.
    pub starting: bool,
    /// Lines at the file's beginning that are left out.
    pub skip: u64,
    /// The list of columns and variables; `None` without one.
    pub columns: Option<Vec<Listed>>,
    /// The byte of the text at which such a list ends, or would stand.
    pub list_end: usize,
    /// `SET a = 1, b = 2`
    pub set: Vec<Assignment>,
}

/// What a field of the file goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The column's name; `None` for a variable.
    pub column: Option<String>,
    /// The bytes of the text.
    pub span: Range<usize>,
}

/// Parses the tokens of one statement; `None` if it is not one that this walker understands.
pub fn parse(text: &Bytes, tokens: &[Token], dialect: Dialect) -> Option<LoadData> {
    let mut cursor = Cursor::new(text, tokens);
    if !cursor.words(&["LOAD", "DATA"]) {
        return None;
    }
    cursor.any_word(&["LOW_PRIORITY", "CONCURRENT"]);
    let local = cursor.word("LOCAL");
    if !cursor.word("INFILE") {
        return None;
    }
    let mut reader = Reader {
        text,
        tokens,
        dialect,
        cursor,
    };
    reader.string()?;
    let cursor = &mut reader.cursor;
    cursor.any_word(&["REPLACE", "IGNORE"]);
    if !cursor.words(&["INTO", "TABLE"]) {
        return None;
    }
    let table = cursor.table_name()?;
    if cursor.word("PARTITION") {
        cursor.group()?;
    }
    let charset = match cursor.words(&["CHARACTER", "SET"]) || cursor.word("CHARSET") {
        true => Some(reader.charset()?),
        false => None,
    };
    let mut format = Format {
        escaped: (!dialect.no_backslash_escapes).then_some(b'\\'),
        ..Format::default()
    };
    reader.fields(&mut format)?;
    let starting = reader.lines(&mut format)?;
    let cursor = &mut reader.cursor;
    let mut skip = 0;
    if cursor.word("IGNORE") {
        skip = reader.number()?;
        reader.cursor.any_word(&["LINES", "ROWS"]).then_some(())?;
    }
    let columns = match reader.cursor.is_symbol(b'(') {
        true => Some(reader.columns()?),
        false => None,
    };
    let list_end = tokens.get(reader.cursor.at().checked_sub(1)?)?.end;
    let set = match reader.cursor.word("SET") {
        true => assignments(&mut reader.cursor, &[])?,
        false => Vec::new(),
    };
    reader.cursor.is_at_end().then_some(LoadData {
        local,
        table,
        charset,
        format,
        starting,
        skip,
        columns,
        list_end,
        set,
    })
}

struct Reader<'a> {
    text: &'a Bytes,
    tokens: &'a [Token],
    dialect: Dialect,
    cursor: Cursor<'a>,
}

impl Reader<'_> {
    /// The value of a literal.
    fn string(&mut self) -> Option<Vec<u8>> {
        let start = self.cursor.at();
        let is_literal =
            |t: &Token| matches!(t.kind, TokenKind::Text | TokenKind::Hex | TokenKind::Bits);
        self.cursor.advance_if(is_literal).then_some(())?;
        // Strings in a row are one.
        while self.cursor.advance_if(|t| t.kind == TokenKind::Text) {}
        let tokens = &self.tokens[start..self.cursor.at()];
        let literal = Literal::parse(self.text, tokens, self.dialect)?;
        (literal.decoded_len() <= 4096).then(|| literal.head(4096))
    }

    fn number(&mut self) -> Option<u64> {
        let token = self.cursor.peek()?;
        self.cursor
            .advance_if(|t| t.kind == TokenKind::Number)
            .then_some(())?;
        str::from_utf8(token.bytes(self.text)).ok()?.parse().ok()
    }

    fn charset(&mut self) -> Option<String> {
        match self.cursor.peek()?.kind {
            TokenKind::Text => String::from_utf8(self.string()?).ok(),
            _ => self.cursor.name(),
        }
    }

    fn fields(&mut self, format: &mut Format) -> Option<()> {
        if !self.cursor.any_word(&["FIELDS", "COLUMNS"]) {
            return Some(());
        }
        let one = |value: Vec<u8>| match value[..] {
            [] => Some(None),
            [byte] => Some(Some(byte)),
            _ => None,
        };
        loop {
            if self.cursor.words(&["TERMINATED", "BY"]) {
                format.field_end = self.string()?;
            } else if self.cursor.words(&["OPTIONALLY", "ENCLOSED", "BY"])
                || self.cursor.words(&["ENCLOSED", "BY"])
            {
                format.enclosed = one(self.string()?)?;
            } else if self.cursor.words(&["ESCAPED", "BY"]) {
                format.escaped = one(self.string()?)?;
            } else {
                return Some(());
            }
        }
    }

    /// Whether there is something that lines start by.
    fn lines(&mut self, format: &mut Format) -> Option<bool> {
        let mut starting = false;
        if !self.cursor.word("LINES") {
            return Some(starting);
        }
        loop {
            if self.cursor.words(&["STARTING", "BY"]) {
                starting = !self.string()?.is_empty();
            } else if self.cursor.words(&["TERMINATED", "BY"]) {
                format.line_end = self.string()?;
            } else {
                return Some(starting);
            }
        }
    }

    /// `(a, @b, t.c)`
    fn columns(&mut self) -> Option<Vec<Listed>> {
        let mut columns = Vec::new();
        self.cursor.symbol(b'(');
        if self.cursor.symbol(b')') {
            return Some(columns);
        }
        loop {
            let start = self.cursor.at();
            let is_variable = |t: &Token| t.kind == TokenKind::Variable;
            let column = match self.cursor.advance_if(is_variable) {
                true => None,
                false => Some(self.cursor.column_name()?.column),
            };
            let span = self.cursor.span(&(start..self.cursor.at()));
            columns.push(Listed { column, span });
            if self.cursor.symbol(b')') {
                return Some(columns);
            }
            self.cursor.symbol(b',').then_some(())?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::*;

    fn parsed(text: &str) -> Option<LoadData> {
        let text = Bytes::copy_from_slice(text.as_bytes());
        let tokens = lex(&text, Dialect::default()).tokens;
        parse(&text, &tokens, Dialect::default())
    }

    #[test]
    fn the_usual_form() {
        let text = "LOAD DATA LOCAL INFILE 'x' INTO TABLE t";
        let load = parsed(text).expect("a LOAD DATA");
        assert!(load.local && !load.starting && load.columns.is_none());
        assert_eq!(
            load.format,
            Format {
                escaped: Some(b'\\'),
                ..Format::default()
            }
        );
        assert_eq!(
            (load.table.to_string().as_str(), load.list_end),
            ("`t`", text.len())
        );
    }

    #[test]
    fn every_clause() {
        let text = "load data concurrent local infile 'a' 'b' ignore into table s.t partition (p) \
            character set utf8mb4 columns terminated by ',' optionally enclosed by '\"' \
            escaped by '' lines terminated by '\\r\\n' starting by '' ignore 2 rows \
            (a, @b, s.t.c) set d = f(@b, 1), e = 2";
        let load = parsed(text).expect("a LOAD DATA");
        assert_eq!(load.format.field_end, b",");
        assert_eq!(load.format.line_end, b"\r\n");
        assert_eq!(
            (load.format.enclosed, load.format.escaped),
            (Some(b'"'), None)
        );
        assert_eq!((load.skip, load.charset.as_deref()), (2, Some("utf8mb4")));
        let columns = load.columns.expect("a list");
        let named: Vec<_> = columns
            .iter()
            .map(|c| (c.column.as_deref(), &text[c.span.clone()]))
            .collect();
        assert_eq!(
            named,
            [(Some("a"), "a"), (None, "@b"), (Some("c"), "s.t.c")]
        );
        assert!(text[..load.list_end].ends_with("s.t.c)"));
        assert_eq!(load.set.len(), 2);
    }

    #[test]
    fn what_is_not_understood() {
        for text in [
            "LOAD XML LOCAL INFILE 'x' INTO TABLE t",
            "LOAD DATA LOCAL INFILE 'x' INTO TABLE t FIELDS ENCLOSED BY 'ab'",
            "LOAD DATA LOCAL INFILE ? INTO TABLE t",
            "LOAD DATA LOCAL INFILE 'x' INTO TABLE t IGNORE x LINES",
            "LOAD DATA LOCAL INFILE 'x' INTO TABLE t (a, b) nonsense",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
