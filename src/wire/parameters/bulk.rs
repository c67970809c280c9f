//! `COM_STMT_BULK_EXECUTE`: many rows of parameters, each value with an indicator before it.

use bytes::Bytes;

use super::{Given, Kind, Malformed, Replaced, Rest, Segments};
use crate::wire::binary;

/// The command, the statement's id and the flags.
const HEAD: usize = 7;
/// Where the flags are.
const FLAGS: usize = 5;
/// `STMT_BULK_FLAG_CLIENT_SEND_TYPES`
const SEND_TYPES: u8 = 0x80;
/// `STMT_INDICATOR_NONE`: a value follows.
const VALUE: u8 = 0;
/// `STMT_INDICATOR_NULL`
const NULL: u8 = 1;
/// `STMT_INDICATOR_DEFAULT`
const DEFAULT: u8 = 2;
/// `STMT_INDICATOR_IGNORE`
const IGNORE: u8 = 3;

/// A `COM_STMT_BULK_EXECUTE`, whose rows are read one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulk {
    /// The types of the parameters.
    pub kinds: Vec<Kind>,
    payload: Bytes,
    /// Where the next row begins.
    at: usize,
}

/// One value of a row; ranges are those of the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkValue {
    /// A value or NULL; never [`Given::Apart`].
    Given(Given),
    /// `DEFAULT` (2) or `IGNORE` (3), which keeps what an UPDATE finds.
    Left(u8),
}

/// A command that is put together again.
#[derive(Debug)]
pub struct Rebuilt {
    payload: Bytes,
    out: Segments,
}

impl Bulk {
    /// Reads the head of a command on a statement of `count` parameters, at least one, whose types
    /// were last bound as `known` (empty: never).
    pub fn parse(payload: &Bytes, count: usize, known: &[Kind]) -> Result<Self, Malformed> {
        let flags = *payload.get(FLAGS).ok_or(Malformed::Shape)?;
        if count == 0 || payload.len() < HEAD {
            return Err(Malformed::Shape);
        }
        let mut rest = Rest { payload, at: HEAD };
        let kinds = match flags & SEND_TYPES != 0 {
            true => (0..count)
                .map(|_| rest.kind(false).map(|(kind, _)| kind))
                .collect::<Result<Vec<_>, _>>()?,
            false if known.is_empty() => return Err(Malformed::Unbound),
            false => known.to_vec(),
        };
        match kinds.len() == count {
            false => Err(Malformed::Shape),
            true => Ok(Self {
                kinds,
                at: rest.at,
                payload: payload.clone(),
            }),
        }
    }

    /// The next row, as many values as there are parameters; `None` at the end.
    pub fn row(&mut self) -> Result<Option<Vec<BulkValue>>, Malformed> {
        if self.at >= self.payload.len() {
            return Ok(None);
        }
        let mut rest = Rest {
            payload: &self.payload,
            at: self.at,
        };
        let mut row = Vec::with_capacity(self.kinds.len());
        for kind in &self.kinds {
            let indicator = rest.take(1)?.start;
            row.push(match self.payload[indicator] {
                VALUE if kind.code == binary::NULL => BulkValue::Given(Given::Null),
                VALUE => BulkValue::Given(rest.value(*kind)?),
                NULL => BulkValue::Given(Given::Null),
                left @ (DEFAULT | IGNORE) => BulkValue::Left(left),
                _ => return Err(Malformed::Shape),
            });
        }
        self.at = rest.at;
        Ok(Some(row))
    }

    /// Begins a command for a statement whose server has parameters of these types.
    pub fn rebuilt(&self, kinds: &[Kind]) -> Rebuilt {
        let mut out = Segments::default();
        out.gathered.extend_from_slice(&self.payload[..HEAD]);
        out.gathered[FLAGS] |= SEND_TYPES;
        for kind in kinds {
            out.gathered.extend_from_slice(&[kind.code, kind.flags]);
        }
        let payload = self.payload.clone();
        Rebuilt { payload, out }
    }
}

impl Rebuilt {
    /// The next value: what the client has given.
    pub fn same(&mut self, value: &BulkValue) {
        match value {
            BulkValue::Given(Given::Value { encoded, .. }) => {
                self.out.gathered.push(VALUE);
                self.out.push(self.payload.slice(encoded.clone()));
            }
            BulkValue::Given(_) => self.out.gathered.push(NULL),
            BulkValue::Left(indicator) => self.out.gathered.push(*indicator),
        }
    }

    /// The next value: another one, of the type that was said.
    pub fn replaced(&mut self, value: &Replaced) {
        match value {
            Replaced::Null => self.out.gathered.push(NULL),
            value => {
                self.out.gathered.push(VALUE);
                value.push(&mut self.out);
            }
        }
    }

    /// Bytes of the command so far.
    pub fn len(&self) -> u64 {
        self.out.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The command in parts.
    pub fn finish(self) -> Vec<Bytes> {
        self.out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INT: Kind = Kind::plain(0x03);
    const BLOB: Kind = Kind::plain(0xFC);

    fn command() -> Bytes {
        [
            &[0xFA, 7, 0, 0, 0, 0x80, 0][..],
            &[0x03, 0, 0xFC, 0],
            &[0, 1, 0, 0, 0, 0, 2, b'a', b'b'],
            &[0, 2, 0, 0, 0, 1],
            &[2, 3],
        ]
        .concat()
        .into()
    }

    fn rows(mut bulk: Bulk) -> Result<Vec<Vec<BulkValue>>, Malformed> {
        std::iter::from_fn(|| bulk.row().transpose()).collect()
    }

    fn same(bulk: Bulk) -> Vec<u8> {
        let mut out = bulk.rebuilt(&bulk.kinds);
        for value in rows(bulk).expect("rows").iter().flatten() {
            out.same(value);
        }
        let len = out.len();
        let whole = out.finish().concat();
        assert_eq!(whole.len() as u64, len);
        whole
    }

    #[test]
    fn rows_are_read_and_written() {
        let payload = command();
        let bulk = Bulk::parse(&payload, 2, &[]).expect("a command");
        assert_eq!(bulk.kinds, [INT, BLOB]);
        let rows = rows(bulk.clone()).expect("rows");
        assert_eq!(rows.len(), 3);
        let BulkValue::Given(Given::Value { content, .. }) = &rows[0][1] else {
            panic!("a value");
        };
        assert_eq!(&payload[content.clone()], b"ab");
        assert_eq!(rows[1][1], BulkValue::Given(Given::Null));
        assert_eq!(rows[2], [BulkValue::Left(2), BulkValue::Left(3)]);
        assert_eq!(same(bulk.clone()), payload);

        let text = |text: &'static str| Replaced::Text(Bytes::from_static(text.as_bytes()));
        let mut out = bulk.rebuilt(&[Kind::plain(0xFD), INT]);
        out.replaced(&text("pointer"));
        out.same(&rows[0][0]);
        out.replaced(&Replaced::Null);
        out.same(&rows[2][0]);
        let expected = [
            &[0xFA, 7, 0, 0, 0, 0x80, 0, 0xFD, 0, 0x03, 0][..],
            b"\0\x07pointer",
            &[0, 1, 0, 0, 0, 1, 2],
        ];
        assert_eq!(out.finish().concat(), expected.concat());
    }

    #[test]
    fn types_are_remembered() {
        let first = command();
        let kinds = [INT, BLOB];
        let again: Bytes = [&[0xFA, 7, 0, 0, 0, 0, 0][..], &first[11..]]
            .concat()
            .into();
        let bulk = Bulk::parse(&again, 2, &kinds).expect("a command");
        assert_eq!(same(bulk), first, "types are always sent");
        assert_eq!(Bulk::parse(&again, 2, &[]), Err(Malformed::Unbound));
        assert_eq!(Bulk::parse(&again, 2, &kinds[..1]), Err(Malformed::Shape));
        assert_eq!(Bulk::parse(&first, 0, &[]), Err(Malformed::Shape));
    }

    #[test]
    fn what_is_no_row_is_told() {
        let first = command();
        let unknown: Bytes = [&first[..11], &[9, 9]].concat().into();
        let cut = first.slice(..first.len() - 1);
        for payload in [unknown, cut] {
            let bulk = Bulk::parse(&payload, 2, &[]).expect("a head");
            assert_eq!(rows(bulk), Err(Malformed::Shape));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload: Vec<u8>, count in 0_usize..5) {
            let payload = Bytes::from(payload);
            if let Ok(bulk) = Bulk::parse(&payload, count, &[])
                && let Ok(read) = rows(bulk.clone())
            {
                let written = Bytes::from(same(bulk));
                let again = Bulk::parse(&written, count, &[]).expect("what was written");
                prop_assert_eq!(rows(again).expect("rows").len(), read.len());
            }
        }
    }
}
