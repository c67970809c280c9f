//! `COM_STMT_BULK_EXECUTE`: many rows of parameters, each value with an indicator before it.

use std::ops::Range;

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

/// A `COM_STMT_BULK_EXECUTE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulk {
    /// The types of the parameters.
    pub kinds: Vec<Kind>,
    /// Row after row, as many in each as there are parameters.
    pub values: Vec<BulkValue>,
}

/// One value of a row; ranges are those of the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkValue {
    /// A value or NULL; never [`Given::Apart`].
    Given(Given),
    /// `DEFAULT` (2) or `IGNORE` (3), which keeps what an UPDATE finds.
    Left(u8),
}

impl Bulk {
    /// Reads a command on a statement of `count` parameters, at least one, whose types were last
    /// bound as `known` (empty: never).
    pub fn parse(payload: &[u8], count: usize, known: &[Kind]) -> Result<Self, Malformed> {
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
        if kinds.len() != count {
            return Err(Malformed::Shape);
        }
        let mut values = Vec::new();
        while rest.at < payload.len() {
            for kind in &kinds {
                let indicator = rest.take(1)?.start;
                values.push(match payload[indicator] {
                    VALUE if kind.code == binary::NULL => BulkValue::Given(Given::Null),
                    VALUE => BulkValue::Given(rest.value(*kind)?),
                    NULL => BulkValue::Given(Given::Null),
                    left @ (DEFAULT | IGNORE) => BulkValue::Left(left),
                    _ => return Err(Malformed::Shape),
                });
            }
        }
        Ok(Self { kinds, values })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.values.len() / self.kinds.len().max(1)
    }

    /// The values of a row.
    pub fn row(&self, n: usize) -> &[BulkValue] {
        let Range { start, end } = n * self.kinds.len()..(n + 1) * self.kinds.len();
        &self.values[start..end]
    }

    /// The command in parts. `columns` are the server's parameters: the client's of that number,
    /// or `None`, for one that has a value in `replaced` in every row. Also one of the client's
    /// may have: what is in `replaced`, row after row, holds.
    ///
    /// All values of a column have one type, so that of its first value that is not NULL holds.
    pub fn rebuilt(
        &self,
        payload: &Bytes,
        columns: &[Option<usize>],
        replaced: &[Option<Replaced>],
    ) -> Vec<Bytes> {
        let mut out = Segments::default();
        out.gathered.extend_from_slice(&payload[..HEAD]);
        out.gathered[FLAGS] |= SEND_TYPES;
        for (n, of) in columns.iter().enumerate() {
            let values = replaced.iter().skip(n).step_by(columns.len().max(1));
            let other = values
                .flatten()
                .map(Replaced::kind)
                .find(|kind| *kind != Kind::NULL);
            let kind = other.or(of.map(|of| self.kinds[of])).unwrap_or(Kind::NULL);
            out.gathered.extend_from_slice(&[kind.code, kind.flags]);
        }
        for n in 0..self.rows() {
            for (column, of) in columns.iter().enumerate() {
                let other = replaced.get(n * columns.len() + column).cloned().flatten();
                match (other, of) {
                    (Some(Replaced::Null), _) | (None, None) => out.gathered.push(NULL),
                    (Some(value), _) => {
                        out.gathered.push(VALUE);
                        value.push(&mut out);
                    }
                    (None, Some(of)) => match &self.row(n)[*of] {
                        BulkValue::Given(Given::Value { encoded, .. }) => {
                            out.gathered.push(VALUE);
                            out.push(payload.slice(encoded.clone()));
                        }
                        BulkValue::Given(_) => out.gathered.push(NULL),
                        BulkValue::Left(indicator) => out.gathered.push(*indicator),
                    },
                }
            }
        }
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INT: [u8; 2] = [0x03, 0];
    const BLOB: [u8; 2] = [0xFC, 0];

    fn command() -> Vec<u8> {
        [
            &[0xFA, 7, 0, 0, 0, 0x80, 0][..],
            &INT,
            &BLOB,
            &[0, 1, 0, 0, 0, 0, 2, b'a', b'b'],
            &[0, 2, 0, 0, 0, 1],
            &[2, 3],
        ]
        .concat()
    }

    #[test]
    fn rows_are_read_and_written() {
        let payload = Bytes::from(command());
        let bulk = Bulk::parse(&payload, 2, &[]).expect("a command");
        assert_eq!(bulk.rows(), 3);
        let BulkValue::Given(Given::Value { content, .. }) = &bulk.row(0)[1] else {
            panic!("a value");
        };
        assert_eq!(&payload[content.clone()], b"ab");
        assert_eq!(bulk.row(1)[1], BulkValue::Given(Given::Null));
        assert_eq!(bulk.row(2), [BulkValue::Left(2), BulkValue::Left(3)]);
        let same = bulk.rebuilt(&payload, &[Some(0), Some(1)], &[]).concat();
        assert_eq!(same, payload);

        let text = |text: &'static str| Some(Replaced::Text(Bytes::from_static(text.as_bytes())));
        let replaced = [
            [text("x"), None, text("p")],
            [text("y"), None, None],
            [text("z"), None, None],
        ];
        let columns = [None, Some(0), Some(1)];
        let rebuilt = bulk.rebuilt(&payload, &columns, replaced.as_flattened());
        let expected = [
            &[0xFA, 7, 0, 0, 0, 0x80, 0][..],
            &[0xFD, 0],
            &INT,
            &[0xFD, 0],
            &[0, 1, b'x', 0, 1, 0, 0, 0, 0, 1, b'p'],
            &[0, 1, b'y', 0, 2, 0, 0, 0, 1],
            &[0, 1, b'z', 2, 3],
        ];
        assert_eq!(rebuilt.concat(), expected.concat());
    }

    #[test]
    fn types_are_remembered() {
        let first = command();
        let kinds = Bulk::parse(&first, 2, &[]).expect("a command").kinds;
        let again = [&[0xFA, 7, 0, 0, 0, 0, 0][..], &first[11..]].concat();
        let bulk = Bulk::parse(&again, 2, &kinds).expect("a command");
        assert_eq!(bulk.rows(), 3);
        let rebuilt = bulk.rebuilt(&again.clone().into(), &[Some(0), Some(1)], &[]);
        assert_eq!(rebuilt.concat(), first, "types are always sent");
        assert_eq!(Bulk::parse(&again, 2, &[]), Err(Malformed::Unbound));
        assert_eq!(Bulk::parse(&again, 2, &kinds[..1]), Err(Malformed::Shape));
        assert_eq!(Bulk::parse(&first, 0, &[]), Err(Malformed::Shape));
        let unknown = [&first[..11], &[9, 9]].concat();
        assert_eq!(Bulk::parse(&unknown, 2, &[]), Err(Malformed::Shape));
        let cut = &first[..first.len() - 1];
        assert_eq!(Bulk::parse(cut, 2, &[]), Err(Malformed::Shape));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload: Vec<u8>, count in 0_usize..5) {
            let payload = Bytes::from(payload);
            if let Ok(bulk) = Bulk::parse(&payload, count, &[]) {
                let columns: Vec<_> = (0..count).map(Some).collect();
                let rebuilt = Bytes::from(bulk.rebuilt(&payload, &columns, &[]).concat());
                let again = Bulk::parse(&rebuilt, count, &[]).expect("what was written");
                prop_assert_eq!(again.rows(), bulk.rows());
            }
        }
    }
}
