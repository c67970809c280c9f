//! The parameters that a client binds to a prepared statement: `COM_STMT_EXECUTE` and MariaDB's
//! `COM_STMT_BULK_EXECUTE`, taken apart and put together again with other values.
//!
//! A command does not say how many parameters its statement has, nor, from the second time on,
//! their types, nor which values came before it in pieces; the caller has kept that ([`Known`]).

mod bulk;

use std::ops::Range;

use bytes::Bytes;

use super::{binary, lenenc};

pub use bulk::{Bulk, BulkValue, Rebuilt};

/// The command, the statement's id, the flags of cursors and the iteration count.
const HEAD: usize = 10;
/// Where the flags are.
const FLAGS: usize = 5;
/// The flag `PARAMETER_COUNT_AVAILABLE`.
const COUNT_AVAILABLE: u8 = 0x08;
/// The longest list of parameters that a server prepares.
const MOST: u64 = u16::MAX as u64;

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// `MYSQL_TYPE_…`
    pub code: u8,
    /// The byte after it, of which the highest bit says that a number is unsigned.
    pub flags: u8,
}

/// What is known of a statement when a command on it is read.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// How many parameters the client sees.
    pub count: usize,
    /// Their types, as they were last bound; empty before the first time.
    pub kinds: &'a [Kind],
    /// `CLIENT_QUERY_ATTRIBUTES` is in use: parameters have names, and there may be more.
    pub named: bool,
    /// The parameters whose values have come before, by `COM_STMT_SEND_LONG_DATA`.
    pub apart: &'a [usize],
}

/// Why a command could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Its types have never been bound.
    #[error("the types of its parameters are not bound")]
    Unbound,
    /// It ends early, or goes on past its end.
    #[error("its parameters are not what the statement takes")]
    Shape,
}

/// A `COM_STMT_EXECUTE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execute {
    /// The parameters of the statement, then MySQL's query attributes.
    pub parameters: Vec<Parameter>,
    named: bool,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its type.
    pub kind: Kind,
    /// Its value.
    pub given: Given,
    /// Its name with the length of it; empty without query attributes.
    name: Range<usize>,
}

/// The value of a parameter; ranges are those of the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// NULL.
    Null,
    /// The value.
    Value {
        /// With its length.
        encoded: Range<usize>,
        /// Without.
        content: Range<usize>,
    },
    /// It has come before.
    Apart,
}

/// What a server is sent for one of its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// What the client gave its parameter with this number.
    Same(usize),
    /// Another value.
    Value(Replaced),
}

/// A value that stands for one of the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// NULL.
    Null,
    /// ASCII text.
    Text(Bytes),
    /// Bytes.
    Bytes(Bytes),
}

impl Kind {
    /// NULL, for a value whose type nobody knows.
    pub const NULL: Self = Self::plain(binary::NULL);

    /// Text.
    pub const TEXT: Self = Self::plain(binary::VAR_STRING);

    /// A type without flags.
    pub const fn plain(code: u8) -> Self {
        Self { code, flags: 0 }
    }

    /// Whether a number is unsigned.
    pub fn is_unsigned(self) -> bool {
        self.flags & 0x80 != 0
    }

    /// Whether it is a string or bytes. (`DECIMAL`, `BIT`, `ENUM` and `SET`, which look alike,
    /// are not.)
    pub fn is_string(self) -> bool {
        matches!(self.code, 0x0F | 0xF5 | 0xF9..=0xFF)
    }

    /// Whether the server takes its content for bytes and not for text in the client's character
    /// set.
    pub fn is_binary(self) -> bool {
        matches!(self.code, 0xF9..=0xFC | 0xFF)
    }

    /// Whether it is `DECIMAL`, whose content is text.
    pub fn is_decimal(self) -> bool {
        matches!(self.code, 0x00 | 0xF6)
    }

    /// The type's name in SQL, as far as it has one.
    pub fn name(self) -> &'static str {
        match self.code {
            0x00 | 0xF6 => "DECIMAL",
            0x01 => "TINYINT",
            0x02 => "SMALLINT",
            0x03 => "INT",
            0x04 => "FLOAT",
            0x05 => "DOUBLE",
            0x06 => "NULL",
            0x07 => "TIMESTAMP",
            0x08 => "BIGINT",
            0x09 => "MEDIUMINT",
            0x0A => "DATE",
            0x0B => "TIME",
            0x0C => "DATETIME",
            0x0D => "YEAR",
            0x10 => "BIT",
            0xF7 => "ENUM",
            0xF8 => "SET",
            code if Self::plain(code).is_string() => "a string",
            _ => "an unknown type",
        }
    }
}

impl Replaced {
    /// The type that it is sent as. A server stores bytes in `json` columns only if they come as
    /// text.
    pub fn kind(&self) -> Kind {
        Kind::plain(match self {
            Self::Null => binary::NULL,
            Self::Text(_) => binary::VAR_STRING,
            Self::Bytes(_) => binary::BLOB,
        })
    }

    /// Bytes that it has, without its length.
    pub fn len(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Text(bytes) | Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the value with its length.
    fn push(&self, out: &mut Segments) {
        if let Self::Text(bytes) | Self::Bytes(bytes) = self {
            lenenc::push_int(&mut out.gathered, bytes.len() as u64);
            out.push(bytes.clone());
        }
    }
}

impl Execute {
    /// Reads a command.
    pub fn parse(payload: &[u8], known: Known) -> Result<Self, Malformed> {
        let mut rest = Rest { payload, at: HEAD };
        if payload.len() < HEAD {
            return Err(Malformed::Shape);
        }
        let flags = payload[FLAGS];
        // As MySQL reads it: only a statement without parameters needs the flag.
        let counted = known.named && (known.count > 0 || flags & COUNT_AVAILABLE != 0);
        let count = match counted {
            true => match rest.int() {
                Some(count @ ..=MOST) => count as usize,
                _ => return Err(Malformed::Shape),
            },
            false => known.count,
        };
        if count < known.count {
            return Err(Malformed::Shape);
        }
        let mut execute = Self {
            parameters: Vec::with_capacity(count),
            named: known.named,
        };
        if count == 0 {
            return Ok(execute);
        }
        let bitmap = rest.take(count.div_ceil(8))?;
        let bound = rest.take(1)?;
        let bound = payload[bound.start] != 0;
        if !bound && known.kinds.len() < count {
            return Err(match known.kinds.is_empty() {
                true => Malformed::Unbound,
                false => Malformed::Shape,
            });
        }
        for n in 0..count {
            let (kind, name) = match bound {
                true => rest.kind(known.named)?,
                false => (known.kinds[n], 0..0),
            };
            let given = Given::Null;
            execute.parameters.push(Parameter { kind, given, name });
        }
        for (n, parameter) in execute.parameters.iter_mut().enumerate() {
            parameter.given = match () {
                () if known.apart.contains(&n) => Given::Apart,
                () if binary::is_null(&payload[bitmap.clone()], n, 0) => Given::Null,
                () if parameter.kind.code == binary::NULL => Given::Null,
                () => rest.value(parameter.kind)?,
            };
        }
        Ok(execute)
    }

    /// The types, to be kept for the next time.
    pub fn kinds(&self) -> Vec<Kind> {
        self.parameters.iter().map(|p| p.kind).collect()
    }

    /// The command in parts, for a statement whose server has other parameters: `sent` are the
    /// server's, `count` is how many the client sees. `payload` is what was read.
    pub fn rebuilt(&self, payload: &Bytes, sent: &[Sent], count: usize) -> Vec<Bytes> {
        let attributes = count.min(self.parameters.len())..self.parameters.len();
        let all: Vec<Sent> = (sent.iter().cloned())
            .chain(attributes.map(Sent::Same))
            .collect();
        let mut out = Segments::default();
        out.gathered.extend_from_slice(&payload[..HEAD]);
        if self.named && (!all.is_empty() || payload[FLAGS] & COUNT_AVAILABLE != 0) {
            lenenc::push_int(&mut out.gathered, all.len() as u64);
        }
        if all.is_empty() {
            return out.finish();
        }
        let mut bitmap = vec![0; all.len().div_ceil(8)];
        for (n, sent) in all.iter().enumerate() {
            let is_null = match sent {
                Sent::Same(of) => self.parameters[*of].given == Given::Null,
                Sent::Value(value) => *value == Replaced::Null,
            };
            bitmap[n / 8] |= u8::from(is_null) << (n % 8);
        }
        out.gathered.extend_from_slice(&bitmap);
        out.gathered.push(1);
        for sent in &all {
            let (kind, name) = match sent {
                Sent::Same(of) => (
                    self.parameters[*of].kind,
                    &payload[self.parameters[*of].name.clone()],
                ),
                Sent::Value(value) => (value.kind(), &[][..]),
            };
            out.gathered.extend_from_slice(&[kind.code, kind.flags]);
            match self.named && name.is_empty() {
                true => out.gathered.push(0),
                false => out.gathered.extend_from_slice(name),
            }
        }
        for sent in &all {
            match sent {
                Sent::Same(of) => {
                    if let Given::Value { encoded, .. } = &self.parameters[*of].given {
                        out.push(payload.slice(encoded.clone()));
                    }
                }
                Sent::Value(value) => value.push(&mut out),
            }
        }
        out.finish()
    }
}

/// What is left of a payload.
struct Rest<'a> {
    payload: &'a [u8],
    at: usize,
}

impl Rest<'_> {
    fn int(&mut self) -> Option<u64> {
        let (int, taken) = lenenc::read_int(self.payload.get(self.at..)?)?;
        self.at += taken;
        Some(int)
    }

    fn take(&mut self, len: usize) -> Result<Range<usize>, Malformed> {
        let range = self.at..self.at + len;
        self.payload.get(range.clone()).ok_or(Malformed::Shape)?;
        self.at = range.end;
        Ok(range)
    }

    /// A type, and the name after it where there are names.
    fn kind(&mut self, named: bool) -> Result<(Kind, Range<usize>), Malformed> {
        let range = self.take(2)?;
        let [code, flags] = [self.payload[range.start], self.payload[range.start + 1]];
        let start = self.at;
        if named {
            let rest = &self.payload[start..];
            let (_, taken) = lenenc::read_str(rest).ok_or(Malformed::Shape)?;
            self.at += taken;
        }
        Ok((Kind { code, flags }, start..self.at))
    }

    fn value(&mut self, kind: Kind) -> Result<Given, Malformed> {
        let rest = self.payload.get(self.at..).ok_or(Malformed::Shape)?;
        let (taken, content) = binary::value(kind.code, rest).ok_or(Malformed::Shape)?;
        let start = self.at;
        self.at += taken;
        Ok(Given::Value {
            encoded: start..self.at,
            content: start + content.start..start + content.end,
        })
    }
}

/// A payload in parts: small ones are gathered, large ones are not copied.
#[derive(Debug, Default)]
struct Segments {
    done: Vec<Bytes>,
    /// Bytes of all in `done`.
    done_len: u64,
    gathered: Vec<u8>,
}

/// Parts of more bytes are not copied.
const LARGE: usize = 4 << 10;

impl Segments {
    fn push(&mut self, bytes: Bytes) {
        if bytes.len() <= LARGE {
            return self.gathered.extend_from_slice(&bytes);
        }
        let gathered = std::mem::take(&mut self.gathered);
        self.done_len += (gathered.len() + bytes.len()) as u64;
        self.done.push(gathered.into());
        self.done.push(bytes);
    }

    fn len(&self) -> u64 {
        self.done_len + self.gathered.len() as u64
    }

    fn finish(mut self) -> Vec<Bytes> {
        self.done.push(self.gathered.into());
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INT: [u8; 2] = [0x03, 0];
    const UNSIGNED: [u8; 2] = [0x08, 0x80];
    const BLOB: [u8; 2] = [0xFC, 0];

    /// Command, id 7, flags, one iteration.
    fn head(flags: u8) -> Vec<u8> {
        vec![0x17, 7, 0, 0, 0, flags, 1, 0, 0, 0]
    }

    fn known(count: usize) -> Known<'static> {
        Known {
            count,
            kinds: &[],
            named: false,
            apart: &[],
        }
    }

    fn contents<'a>(payload: &'a [u8], execute: &Execute) -> Vec<Option<&'a [u8]>> {
        let content = |parameter: &Parameter| match &parameter.given {
            Given::Value { content, .. } => Some(&payload[content.clone()]),
            _ => None,
        };
        execute.parameters.iter().map(content).collect()
    }

    fn text(text: &'static str) -> Sent {
        Sent::Value(Replaced::Text(Bytes::from_static(text.as_bytes())))
    }

    /// id 5, NULL, 'ab', an unsigned number
    fn command() -> Bytes {
        let types = [INT, BLOB, BLOB, UNSIGNED].concat();
        let values = [
            &5i32.to_le_bytes()[..],
            &[2, b'a', b'b'],
            &u64::MAX.to_le_bytes(),
        ];
        [head(0), vec![0b0010, 1], types, values.concat()]
            .concat()
            .into()
    }

    #[test]
    fn parameters_are_read_and_written() {
        let payload = command();
        let execute = Execute::parse(&payload, known(4)).expect("a command");
        let read = contents(&payload, &execute);
        assert_eq!(
            read,
            [Some(&[5, 0, 0, 0][..]), None, Some(b"ab"), Some(&[0xFF; 8])]
        );
        assert!(execute.parameters[3].kind.is_unsigned());
        let same: Vec<_> = (0..4).map(Sent::Same).collect();
        assert_eq!(execute.rebuilt(&payload, &same, 4).concat(), payload);

        // One more before the first, another value for the blob, NULL for the number.
        let sent = [
            text("new"),
            Sent::Same(0),
            Sent::Same(1),
            text("pointer"),
            Sent::Value(Replaced::Null),
        ];
        let expected = [
            &head(0)[..],
            &[0b10100, 1],
            &[0xFD, 0],
            &INT,
            &BLOB,
            &[0xFD, 0, 0x06, 0],
            b"\x03new",
            &[5, 0, 0, 0],
            b"\x07pointer",
        ];
        let rebuilt = execute.rebuilt(&payload, &sent, 4);
        assert_eq!(rebuilt.concat(), expected.concat());
    }

    #[test]
    fn types_are_remembered() {
        let first = command();
        let kinds = Execute::parse(&first, known(4)).expect("a command").kinds();
        let again = Bytes::from([&head(0)[..], &[0b0010, 0], &first[20..]].concat());
        let remembered = Known {
            kinds: &kinds,
            ..known(4)
        };
        let execute = Execute::parse(&again, remembered).expect("a command");
        assert_eq!(contents(&again, &execute)[2], Some(&b"ab"[..]));
        let same: Vec<_> = (0..4).map(Sent::Same).collect();
        let rebuilt = execute.rebuilt(&again, &same, 4).concat();
        assert_eq!(rebuilt, first, "types are always sent");
        assert_eq!(Execute::parse(&again, known(4)), Err(Malformed::Unbound));
        let fewer = Known {
            kinds: &kinds[..2],
            ..known(4)
        };
        assert_eq!(Execute::parse(&again, fewer), Err(Malformed::Shape));
    }

    #[test]
    fn values_that_came_before_are_not_in_the_command() {
        let payload: Bytes = [&head(0)[..], &[0, 1], &INT, &BLOB, &[5, 0, 0, 0]]
            .concat()
            .into();
        let apart = Known {
            apart: &[1],
            ..known(2)
        };
        let execute = Execute::parse(&payload, apart).expect("a command");
        assert_eq!(execute.parameters[1].given, Given::Apart);
        assert_eq!(Execute::parse(&payload, known(2)), Err(Malformed::Shape));
        let sent = [Sent::Same(0), text("p")];
        let rebuilt = execute.rebuilt(&payload, &sent, 2).concat();
        assert_eq!(rebuilt[12..], [3, 0, 0xFD, 0, 5, 0, 0, 0, 1, b'p']);
        let same = [Sent::Same(0), Sent::Same(1)];
        assert_eq!(execute.rebuilt(&payload, &same, 2).concat(), payload);
    }

    #[test]
    fn query_attributes_stay_behind_the_parameters() {
        let named = Known {
            named: true,
            ..known(1)
        };
        let payload: Bytes = [
            &head(COUNT_AVAILABLE)[..],
            &[2, 0, 1],
            &BLOB,
            &[0],
            &BLOB,
            b"\x05trace",
            b"\x02ab\x01t",
        ]
        .concat()
        .into();
        let execute = Execute::parse(&payload, named).expect("a command");
        assert_eq!(
            contents(&payload, &execute),
            [Some(&b"ab"[..]), Some(&b"t"[..])]
        );
        let same = execute.rebuilt(&payload, &[Sent::Same(0)], 1).concat();
        assert_eq!(same, payload);
        let rebuilt = execute.rebuilt(&payload, &[text("x"), text("p")], 1);
        let expected = [
            &head(COUNT_AVAILABLE)[..],
            &[3, 0, 1],
            &[0xFD, 0, 0, 0xFD, 0, 0],
            &BLOB,
            b"\x05trace",
            b"\x01x\x01p\x01t",
        ];
        assert_eq!(rebuilt.concat(), expected.concat());
    }

    #[test]
    fn parameters_are_counted_without_the_flag_too() {
        // So the pure MySQL Connector/Python writes it, and MySQL 9.7.4 refuses it without a count.
        let named = Known {
            named: true,
            ..known(1)
        };
        let payload: Bytes = [&head(0)[..], &[1, 0, 1], &BLOB, &[0], b"\x01x"]
            .concat()
            .into();
        let execute = Execute::parse(&payload, named).expect("a command");
        assert_eq!(contents(&payload, &execute), [Some(&b"x"[..])]);
        let same = execute.rebuilt(&payload, &[Sent::Same(0)], 1).concat();
        assert_eq!(same, payload);
        // Where the server has parameters and the client sees none, or the other way round.
        let none = Known { count: 0, ..named };
        let bare = Bytes::from(head(0));
        let execute = Execute::parse(&bare, none).expect("a command");
        let rebuilt = execute.rebuilt(&bare, &[text("p")], 0).concat();
        let expected = [&head(0)[..], &[1, 0, 1, 0xFD, 0, 0], b"\x01p"].concat();
        assert_eq!(rebuilt, expected);
        let execute = Execute::parse(&payload, named).expect("a command");
        assert_eq!(execute.rebuilt(&payload, &[], 1).concat(), bare);
    }

    #[test]
    fn nothing_but_a_statement() {
        let payload = Bytes::from(head(1));
        let execute = Execute::parse(&payload, known(0)).expect("a command");
        assert_eq!(execute.rebuilt(&payload, &[], 0).concat(), payload);
        let bound = execute.rebuilt(&payload, &[text("p")], 0).concat();
        assert_eq!(bound[10..], [0, 1, 0xFD, 0, 1, b'p']);
        assert_eq!(Execute::parse(&[0x17, 7], known(0)), Err(Malformed::Shape));
        assert_eq!(
            Execute::parse(&payload[..9], known(0)),
            Err(Malformed::Shape)
        );
    }

    #[test]
    fn large_values_are_not_copied() {
        let value = Bytes::from(vec![b'x'; 100_000]);
        let payload = Bytes::from(head(0));
        let execute = Execute::parse(&payload, known(0)).expect("a command");
        let sent = [Sent::Value(Replaced::Bytes(value.clone()))];
        let parts = execute.rebuilt(&payload, &sent, 0);
        assert!(parts.iter().any(|part| part.as_ptr() == value.as_ptr()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            rest: Vec<u8>, flags: u8, count in 0_usize..5, named: bool, apart in 0_usize..8
        ) {
            let payload = Bytes::from([head(flags), rest].concat());
            let known = Known { count, kinds: &[], named, apart: &[apart] };
            if let Ok(execute) = Execute::parse(&payload, known) {
                let same: Vec<_> = (0..count).map(Sent::Same).collect();
                let rebuilt = Bytes::from(execute.rebuilt(&payload, &same, count).concat());
                let again = Execute::parse(&rebuilt, known).expect("what was written");
                prop_assert_eq!(contents(&rebuilt, &again), contents(&payload, &execute));
            }
        }
    }
}
