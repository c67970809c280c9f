//! Writes a value in any form a client may choose; for tests.

use super::super::lexer::Dialect;

/// A way to write a value in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LiteralForm {
    /// `'…'` with the escapes that client libraries use.
    Single,
    /// `"…"`, likewise.
    Double,
    /// `'…'` with every byte but `%` and `_` behind a backslash where it has an escape.
    Overescaped,
    /// `_binary'…'`.
    Binary,
    /// `'…' '…'`, cut in the middle.
    Adjacent,
    /// `X'…'`.
    HexQuoted,
    /// `0x…`; cannot write an empty value.
    HexNumber,
    /// `b'…'`.
    BitsQuoted,
    /// `( '…' )`.
    Parentheses,
}

pub(crate) const ALL_FORMS: [LiteralForm; 9] = [
    LiteralForm::Single,
    LiteralForm::Double,
    LiteralForm::Overescaped,
    LiteralForm::Binary,
    LiteralForm::Adjacent,
    LiteralForm::HexQuoted,
    LiteralForm::HexNumber,
    LiteralForm::BitsQuoted,
    LiteralForm::Parentheses,
];

/// `value` written in `form`, or as near to it as `dialect` allows.
pub(crate) fn write(form: LiteralForm, value: &[u8], dialect: Dialect) -> Vec<u8> {
    let single = |value: &[u8]| quoted(b'\'', value, dialect, false);
    match form {
        LiteralForm::Single => single(value),
        LiteralForm::Double if dialect.ansi_quotes => single(value),
        LiteralForm::Double => quoted(b'"', value, dialect, false),
        LiteralForm::Overescaped => quoted(b'\'', value, dialect, true),
        LiteralForm::Binary => [b"_binary", single(value).as_slice()].concat(),
        LiteralForm::Adjacent => {
            let (left, right) = value.split_at(value.len() / 2);
            [single(left), single(right)].join(&b"\n"[..])
        }
        LiteralForm::HexNumber if !value.is_empty() => format!("0x{}", hex(value)).into_bytes(),
        LiteralForm::HexQuoted | LiteralForm::HexNumber => {
            format!("X'{}'", hex(value)).into_bytes()
        }
        LiteralForm::BitsQuoted => {
            let bits: String = value.iter().map(|byte| format!("{byte:08b}")).collect();
            format!("b'{bits}'").into_bytes()
        }
        LiteralForm::Parentheses => [b"( ", single(value).as_slice(), b" )"].concat(),
    }
}

fn hex(value: &[u8]) -> String {
    value.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn quoted(quote: u8, value: &[u8], dialect: Dialect, eager: bool) -> Vec<u8> {
    let mut out = vec![quote];
    for &byte in value {
        if dialect.no_backslash_escapes {
            out.extend(std::iter::repeat_n(byte, 1 + usize::from(byte == quote)));
            continue;
        }
        match byte {
            0 => out.extend_from_slice(b"\\0"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0x1a => out.extend_from_slice(b"\\Z"),
            b'\\' | b'\'' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\t' if eager => out.extend_from_slice(b"\\t"),
            0x08 if eager => out.extend_from_slice(b"\\b"),
            // These letters mean something behind a backslash, or keep it.
            b'0' | b'n' | b'r' | b'Z' | b't' | b'b' | b'%' | b'_' => out.push(byte),
            _ if eager => out.extend_from_slice(&[b'\\', byte]),
            _ => out.push(byte),
        }
    }
    out.push(quote);
    out
}
