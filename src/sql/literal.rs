//! One value as a client writes it in a statement, and the bytes it stands for.
//!
//! A [`Literal`] refers to the statement it lies in and is decoded piece by piece, so a value
//! of any size costs no copy of itself. The forms are those of the MySQL manual's "Literal
//! Values" chapter: quoted strings with or without backslash escapes, adjacent strings,
//! character set introducers, hexadecimal and bit values.

use std::ops::Range;

use bytes::Bytes;

use super::letters::Letters;
use super::lexer::{self, Dialect, Token, TokenKind};

mod chunks;
#[cfg(test)]
pub(crate) mod forms;

pub use chunks::Chunks;

/// A string, hexadecimal or bit literal of a statement.
#[derive(Debug, Clone)]
pub struct Literal {
    text: Bytes,
    parts: Vec<Part>,
    charset: Option<&'static str>,
}

/// What lies between one pair of quotes, or after `0x`.
#[derive(Debug, Clone)]
struct Part {
    body: Range<usize>,
    form: Form,
}

/// How the body of a part is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Bytes as they are, but for a doubled `quote` and what follows an `escape`
    /// (`escape == quote`: there is no escape byte). A longer character is never one of the two, but
    /// what follows an escape is a byte, also where it begins a character.
    Text {
        quote: u8,
        escape: u8,
        letters: Letters,
    },
    /// Bytes as they are.
    Plain,
    /// Digits; each byte is written with as many as `per_byte`, the first with what is left over.
    Digits { per_byte: usize },
}

impl Literal {
    /// Reads the tokens of one expression; `None` if it is anything but exactly one literal.
    ///
    /// Accepted are strings (also several in a row, which are one), `X'…'`, `0x…`, `B'…'` and
    /// `0b…`, after a character set introducer (or `N`, which is one of UTF-8) or without, in
    /// parentheses or without. Not accepted is what the server would refuse or would not store as
    /// it is written: `X'1'`, what it converts to another character set, numbers, introducers of
    /// UTF-16 and UTF-32, and parts with a comment between them.
    pub fn parse(text: &Bytes, tokens: &[Token], dialect: Dialect) -> Option<Literal> {
        let gaps = tokens.windows(2).map(|pair| pair[0].end..pair[1].start);
        if gaps.clone().any(|gap| text[gap].contains(&b'*')) {
            return None;
        }
        let mut tokens = tokens;
        while let [open, inner @ .., close] = tokens
            && open.is_symbol(b'(')
            && close.is_symbol(b')')
        {
            tokens = inner;
        }
        let mut introduced = None;
        if let [introducer, rest @ ..] = tokens
            && let Some(charset) = introduced_charset(text, introducer)
        {
            if WIDE_CHARSETS.contains(&charset) {
                return None;
            }
            introduced = Some(charset);
            tokens = rest;
        }
        if let [national, rest @ ..] = tokens
            && let [first, ..] = rest
            && national.is_word(text, "N")
            && first.start == national.end
            && first.kind == TokenKind::Text
            && text[first.start] == b'\''
            && introduced.is_none()
        {
            introduced = Some("utf8mb3");
            tokens = rest;
        }
        let [first, more @ ..] = tokens else {
            return None;
        };
        if first.kind != TokenKind::Text && !more.is_empty() {
            return None;
        }
        let parts = (tokens.iter())
            .map(|token| Part::parse(text, token, dialect))
            .collect::<Option<Vec<_>>>()?;
        let strings = (parts.iter()).all(|part| matches!(part.form, Form::Text { .. }));
        let converted = strings && introduced.is_none() && dialect.converts;
        if converted && !(parts.iter()).all(|part| text[part.body.clone()].is_ascii()) {
            return None;
        }
        (strings || parts.len() == 1).then(|| Literal {
            text: text.clone(),
            parts,
            charset: introduced.or((!strings).then_some("binary")),
        })
    }

    /// A value that is no literal of a statement: its bytes as they are, in this character set
    /// (`None`: that of the client).
    pub fn plain(value: Bytes, charset: Option<&'static str>) -> Literal {
        let body = 0..value.len();
        Literal {
            text: value,
            parts: vec![Part {
                body,
                form: Form::Plain,
            }],
            charset,
        }
    }

    /// The character set of its bytes, as far as the literal says: that of its introducer;
    /// `binary` for digits. `None`: that of the client.
    pub fn charset(&self) -> Option<&'static str> {
        self.charset
    }

    /// How many bytes the value has. Strings are scanned for it, at memory speed.
    pub fn decoded_len(&self) -> u64 {
        let part_len = |part: &Part| {
            let body = &self.text[part.body.clone()];
            match part.form {
                Form::Text {
                    quote,
                    escape,
                    letters,
                } => chunks::text_len(body, quote, escape, letters),
                Form::Digits { per_byte } => body.len().div_ceil(per_byte),
                Form::Plain => body.len(),
            }
        };
        self.parts.iter().map(|part| part_len(part) as u64).sum()
    }

    /// The first `n` bytes of the value, or all of it if it is shorter.
    pub fn head(&self, n: usize) -> Vec<u8> {
        let mut head = Vec::new();
        for chunk in self.chunks(n) {
            let room = n - head.len();
            head.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if head.len() == n {
                break;
            }
        }
        head
    }

    /// The value in order, in pieces of 1 to `chunk` bytes, and a few more where that would cut
    /// a character of [`Letters`] in two. Long runs without an escape are
    /// slices of the statement, not copies.
    pub fn chunks(&self, chunk: usize) -> Chunks {
        Chunks::new(self.clone(), chunk)
    }
}

impl Part {
    fn parse(text: &[u8], token: &Token, dialect: Dialect) -> Option<Part> {
        let written = token.bytes(text);
        // Only a token that ends with the text can have lost its closing quote.
        if token.end == text.len() && lexer::lex(written, dialect).unterminated {
            return None;
        }
        let inner = |prefix: usize, suffix: usize| token.start + prefix..token.end - suffix;
        let digits = |body: Range<usize>, per_byte, is_digit: fn(&u8) -> bool| {
            let valid = (text[body.clone()].chunks(1024))
                .all(|piece| piece.iter().fold(true, |all, b| all & is_digit(b)));
            let form = Form::Digits { per_byte };
            valid.then_some(Part { body, form })
        };
        let is_bit = |b: &u8| matches!(b, b'0' | b'1');
        let quoted = written.get(1) == Some(&b'\'');
        match token.kind {
            TokenKind::Text => {
                let quote = written[0];
                let escape = match dialect.no_backslash_escapes {
                    true => quote,
                    false => b'\\',
                };
                Some(Part {
                    body: inner(1, 1),
                    form: Form::Text {
                        quote,
                        escape,
                        letters: dialect.letters,
                    },
                })
            }
            TokenKind::Hex if quoted => {
                let part = digits(inner(2, 1), 2, u8::is_ascii_hexdigit)?;
                (part.body.len() % 2 == 0).then_some(part)
            }
            TokenKind::Hex => digits(inner(2, 0), 2, u8::is_ascii_hexdigit),
            TokenKind::Bits if quoted => digits(inner(2, 1), 8, is_bit),
            TokenKind::Bits => digits(inner(2, 0), 8, is_bit),
            _ => None,
        }
    }
}

/// Writes `value` as `_utf8mb4'…'`, in ASCII only, so that it means the same in every
/// character set of the connection. What is not ASCII makes it `_utf8mb4 X'…'`.
pub fn quote_ascii(out: &mut Vec<u8>, value: &str, dialect: Dialect) {
    if !value.is_ascii() {
        out.extend_from_slice(b"_utf8mb4 X'");
        out.extend_from_slice(data_encoding::HEXLOWER.encode(value.as_bytes()).as_bytes());
        out.push(b'\'');
        return;
    }
    out.extend_from_slice(b"_utf8mb4'");
    for byte in value.bytes() {
        if byte == b'\'' || (byte == b'\\' && !dialect.no_backslash_escapes) {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'\'');
}

/// Writes bytes as `_binary'…'`, which takes little more room than they do, or, unless `plain`,
/// as `X'…'`, which takes twice as much.
///
/// `plain` says that in the client's character set no byte of a longer character looks like
/// ASCII, so that the server finds the same quotes.
pub fn quote_bytes(out: &mut Vec<u8>, value: &[u8], dialect: Dialect, plain: bool) {
    if !plain {
        out.reserve(2 * value.len() + 3);
        out.extend_from_slice(b"X'");
        for piece in value.chunks(64 << 10) {
            out.extend_from_slice(data_encoding::HEXLOWER.encode(piece).as_bytes());
        }
        out.push(b'\'');
        return;
    }
    out.reserve(value.len() + value.len() / 64 + 9);
    out.extend_from_slice(b"_binary'");
    let mut rest = value;
    loop {
        let special = match dialect.no_backslash_escapes {
            true => memchr::memchr(b'\'', rest),
            false => memchr::memchr2(b'\'', b'\\', rest),
        };
        let Some(at) = special else { break };
        out.extend_from_slice(&rest[..=at]);
        out.push(rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'\'');
}

/// The character set that a word such as `_binary` names, if it is an introducer. Any other
/// word with an underscore is a name like any other.
pub fn introduced_charset(text: &[u8], token: &Token) -> Option<&'static str> {
    let word = match token.kind {
        TokenKind::Word => token.bytes(text).strip_prefix(b"_")?,
        _ => return None,
    };
    (CHARSETS.iter().chain(WIDE_CHARSETS))
        .find(|charset| word.eq_ignore_ascii_case(charset.as_bytes()))
        .copied()
}

/// The character sets of MySQL and MariaDB (`SHOW CHARACTER SET`) whose strings hold the bytes
/// that are written.
const CHARSETS: &[&str] = &[
    "binary", "utf8mb4", "utf8mb3", "utf8", "latin1", "ascii", "armscii8", "big5", "cp1250",
    "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "cp932", "dec8", "eucjpms", "euckr",
    "gb18030", "gb2312", "gbk", "geostd8", "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u",
    "latin2", "latin5", "latin7", "macce", "macroman", "sjis", "swe7", "tis620", "ujis",
];

/// Those in which the server pads a value that is not a whole number of characters.
const WIDE_CHARSETS: &[&str] = &["ucs2", "utf16", "utf16le", "utf32"];

#[cfg(test)]
mod tests;
