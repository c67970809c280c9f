//! `text`: text as bytes in a character set.

use bytes::Bytes;

use super::stored_bytes;
use crate::codec::configured::step::{Kind, Step, Terms};
use crate::codec::{CodecError, Value};

/// The step.
#[derive(Debug)]
pub struct Text {
    /// Which bytes stand for a character.
    pub charset: Charset,
}

/// A character set, as Python means its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// `utf-8`
    Utf8,
    /// `ascii`
    Ascii,
    /// `latin-1`: the characters up to U+00FF, a byte each.
    Latin1,
    /// `utf-16-le`: without a mark of the order at the beginning.
    Utf16Le,
    /// `utf-16-be`
    Utf16Be,
}

impl Charset {
    /// All names, the usual ones first.
    pub const NAMES: [(&str, Self); 10] = [
        ("utf-8", Self::Utf8),
        ("latin-1", Self::Latin1),
        ("ascii", Self::Ascii),
        ("utf-16-le", Self::Utf16Le),
        ("utf-16-be", Self::Utf16Be),
        ("utf8", Self::Utf8),
        ("latin1", Self::Latin1),
        ("iso-8859-1", Self::Latin1),
        ("utf-16le", Self::Utf16Le),
        ("utf-16be", Self::Utf16Be),
    ];

    /// The character set of a name, in whatever case.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace('_', "-");
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, charset)| *charset)
    }

    /// The bytes; `None` if it has not all of the characters.
    fn encode(self, text: &str) -> Option<Bytes> {
        match self {
            Self::Utf8 => Some(Bytes::copy_from_slice(text.as_bytes())),
            Self::Ascii => text
                .is_ascii()
                .then(|| Bytes::copy_from_slice(text.as_bytes())),
            Self::Latin1 => text.chars().map(|c| u8::try_from(c).ok()).collect(),
            Self::Utf16Le => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Utf16Be => Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        }
    }

    /// The text; `None` if the bytes are none.
    fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => Some(str::from_utf8(bytes).ok()?.to_owned()),
            Self::Ascii if !bytes.is_ascii() => None,
            Self::Ascii | Self::Latin1 => Some(bytes.iter().copied().map(char::from).collect()),
            Self::Utf16Le => units(bytes, u16::from_le_bytes),
            Self::Utf16Be => units(bytes, u16::from_be_bytes),
        }
    }
}

fn units(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return None;
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<_, _>>()
        .ok()
}

impl Step for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn takes(&self) -> Kind {
        Kind::Text
    }

    fn gives(&self) -> Kind {
        Kind::Bytes
    }

    fn encode(&self, value: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let Value::Str(text) = value else {
            return Err(terms.expected(Kind::Text, &value));
        };
        terms.check_room(text.len().saturating_mul(2))?;
        match self.charset.encode(&text) {
            Some(bytes) => Ok(Value::Bytes(bytes)),
            None => Err(terms.refuse("the text has characters that its character set lacks")),
        }
    }

    fn decode(&self, stored: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let bytes = stored_bytes(self, stored, terms)?;
        match self.charset.decode(&bytes) {
            Some(text) => Ok(Value::Str(text)),
            None => Err(terms.corrupt(self)),
        }
    }
}
