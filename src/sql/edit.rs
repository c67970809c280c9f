//! Replacements in a statement's text: all else stays to the byte.

use std::ops::Range;

use super::lexer::Dialect;

/// A replacement in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that are replaced.
    pub span: Range<usize>,
    /// What stands there instead.
    pub text: Vec<u8>,
}

/// The text with all replacements made; they are in its order and do not overlap.
pub fn apply(text: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 64);
    let mut at = 0;
    for edit in edits {
        out.extend_from_slice(&text[at..edit.span.start]);
        out.extend_from_slice(&edit.text);
        at = edit.span.end;
    }
    out.extend_from_slice(&text[at..]);
    out
}

/// Bytes as a string between the given quotes.
pub fn quoted(bytes: &[u8], quote: u8, dialect: Dialect) -> Vec<u8> {
    let mut out = vec![quote];
    let special = |b| b == quote || (b == b'\\' && !dialect.no_backslash_escapes);
    let mut rest = bytes;
    while !rest.is_empty() {
        let plain = dialect.letters.before(rest, usize::MAX, special);
        out.extend_from_slice(&rest[..plain]);
        if let Some(&b) = rest.get(plain) {
            out.extend_from_slice(&[b, b]);
        }
        rest = rest.get(plain + 1..).unwrap_or_default();
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_replaced_stays() {
        let edit = |span, text: &str| Edit {
            span,
            text: text.into(),
        };
        let edits = [edit(0..1, "AB"), edit(2..2, "+"), edit(3..4, "")];
        assert_eq!(apply(b"abcd", &edits), b"ABb+c");
        assert_eq!(apply(b"abcd", &[]), b"abcd");
    }

    #[test]
    fn quotes_and_backslashes_are_doubled() {
        let plain = Dialect {
            no_backslash_escapes: true,
            ..Dialect::default()
        };
        assert_eq!(
            quoted(b"a'b\\\"", b'\'', Dialect::default()),
            b"'a''b\\\\\"'"
        );
        assert_eq!(quoted(b"a'b\\\"", b'"', plain), b"\"a'b\\\"\"\"");
    }
}
