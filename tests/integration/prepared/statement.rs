//! A statement of the binary protocol, byte for byte.

use crate::support::answer::{Answer, Column, ServerError, Take};
use crate::support::client::{Client, Expect, Frame, caps, com};
use crate::support::objects::packed;
use crate::support::recorder::execute_body;

pub const TINY: u16 = 0x01;
pub const LONG: u16 = 0x03;
pub const LONGLONG_UNSIGNED: u16 = 0x8008;
pub const DOUBLE: u16 = 0x05;
pub const NULL: u16 = 0x06;
pub const DATE: u16 = 0x0a;
pub const DATETIME: u16 = 0x0c;
pub const VARCHAR: u16 = 0x0f;
pub const JSON: u16 = 0xf5;
pub const DECIMAL: u16 = 0xf6;
pub const TINY_BLOB: u16 = 0xf9;
pub const MEDIUM_BLOB: u16 = 0xfa;
pub const LONG_BLOB: u16 = 0xfb;
pub const BLOB: u16 = 0xfc;
pub const VAR_STRING: u16 = 0xfd;
pub const STRING: u16 = 0xfe;
pub const GEOMETRY: u16 = 0xff;
pub const BULK_EXECUTE: u8 = 0xfa;

/// A packed value of so many bytes.
pub fn blob(len: usize, seed: u64) -> Vec<u8> {
    packed(seed, len)
}

/// A value that is bound: its type and its bytes with their length, `None` for NULL.
#[derive(Clone)]
pub struct Bound(pub u16, pub Option<Vec<u8>>);

pub fn int(value: i32) -> Bound {
    Bound(LONG, Some(value.to_le_bytes().to_vec()))
}

pub fn null(kind: u16) -> Bound {
    Bound(kind, None)
}

/// A string or blob.
pub fn bytes(kind: u16, value: &[u8]) -> Bound {
    let mut out = Vec::new();
    match value.len() {
        short @ 0..=250 => out.push(short as u8),
        long @ 251..=0xffff => {
            out.push(0xfc);
            out.extend_from_slice(&(long as u16).to_le_bytes());
        }
        long => {
            out.push(0xfe);
            out.extend_from_slice(&(long as u64).to_le_bytes());
        }
    }
    out.extend_from_slice(value);
    Bound(kind, Some(out))
}

/// A value that has come before, in pieces.
pub fn apart(kind: u16) -> Bound {
    Bound(kind, Some(Vec::new()))
}

/// A statement that the server has prepared.
pub struct Statement {
    pub id: u32,
    pub parameters: Vec<Column>,
    pub columns: Vec<Column>,
}

impl Statement {
    pub fn prepare(client: &mut Client, sql: &str) -> Self {
        Self::try_prepare(client, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub fn try_prepare(client: &mut Client, sql: &str) -> Result<Self, ServerError> {
        let frames = client.command(com::STMT_PREPARE, sql.as_bytes(), Expect::Prepare);
        let mut packets = payloads(&frames).into_iter();
        let first = packets.next().expect("an answer");
        if first[0] == 0xff {
            return Err(ServerError::parse(&first));
        }
        let mut take = Take(&first[1..]);
        let (id, columns, parameters) = (take.u32(), take.u16(), take.u16());
        let mut definitions = |count: u16| -> Vec<Column> {
            let all = (0..count).map(|_| Column::parse(&packets.next().expect("a definition")));
            let all = all.collect();
            if count > 0 && client.capabilities & caps::DEPRECATE_EOF == 0 {
                packets.next().expect("an EOF packet");
            }
            all
        };
        let parameters = definitions(parameters);
        let columns = definitions(columns);
        assert!(packets.next().is_none(), "the answer ends");
        Ok(Self {
            id,
            parameters,
            columns,
        })
    }

    /// Executes with types bound.
    pub fn run(&self, client: &mut Client, values: &[Bound]) -> Result<Answer, ServerError> {
        self.execute(client, 0, &parameters(values, true))
    }

    pub fn ok(&self, client: &mut Client, values: &[Bound]) -> Answer {
        self.run(client, values)
            .unwrap_or_else(|error| panic!("executed: {error}"))
    }

    pub fn error(&self, client: &mut Client, values: &[Bound]) -> ServerError {
        match self.run(client, values) {
            Err(error) => error,
            Ok(answer) => panic!("executed: {answer:?}"),
        }
    }

    /// Executes with the types of the time before.
    pub fn again(&self, client: &mut Client, values: &[Bound]) -> Result<Answer, ServerError> {
        self.execute(client, 0, &parameters(values, false))
    }

    pub fn execute(
        &self,
        client: &mut Client,
        flags: u8,
        rest: &[u8],
    ) -> Result<Answer, ServerError> {
        let body = execute_body(self.id, flags, rest);
        let frames = client.command(com::STMT_EXECUTE, &body, Expect::Results);
        self.answer(client, &frames)
    }

    /// The rows of a cursor.
    pub fn fetch(&self, client: &mut Client, count: u32) -> Vec<Vec<Option<Vec<u8>>>> {
        let body = [self.id.to_le_bytes(), count.to_le_bytes()].concat();
        let frames = client.command(com::STMT_FETCH, &body, Expect::Rows);
        let packets = payloads(&frames);
        let (last, rows) = packets.split_last().expect("an answer");
        assert_eq!(last[0], 0xfe, "{}", String::from_utf8_lossy(last));
        rows.iter()
            .map(|row| binary_row(row, &self.columns))
            .collect()
    }

    pub fn long_data(&self, client: &mut Client, parameter: u16, piece: &[u8]) {
        let body = [&self.id.to_le_bytes()[..], &parameter.to_le_bytes(), piece].concat();
        client.send(com::STMT_SEND_LONG_DATA, &body);
    }

    pub fn reset(&self, client: &mut Client) {
        let frames = client.command(com::STMT_RESET, &self.id.to_le_bytes(), Expect::Single);
        assert_eq!(frames[0].body[0], 0, "reset");
    }

    pub fn close(&self, client: &mut Client) {
        client.send(com::STMT_CLOSE, &self.id.to_le_bytes());
    }

    /// Bulk execution; `None` in a row is DEFAULT.
    pub fn bulk(
        &self,
        client: &mut Client,
        kinds: &[u16],
        rows: &[Vec<Option<Bound>>],
    ) -> Result<Answer, ServerError> {
        let body = bulk_body(self.id, kinds, rows);
        let frames = client.command(BULK_EXECUTE, &body, Expect::Results);
        self.answer(client, &frames)
    }

    /// The last result of an answer, in the binary protocol.
    pub fn answer(&self, client: &Client, frames: &[Frame]) -> Result<Answer, ServerError> {
        let mut results = results(client, frames, &self.columns)?;
        Ok(results.pop().expect("a result"))
    }
}

pub fn bulk_body(id: u32, kinds: &[u16], rows: &[Vec<Option<Bound>>]) -> Vec<u8> {
    let mut body = id.to_le_bytes().to_vec();
    body.extend_from_slice(&if kinds.is_empty() { 0u16 } else { 128 }.to_le_bytes());
    for kind in kinds {
        body.extend_from_slice(&kind.to_le_bytes());
    }
    for value in rows.iter().flatten() {
        match value {
            None => body.push(2),
            Some(Bound(_, None)) => body.push(1),
            Some(Bound(_, Some(value))) => {
                body.push(0);
                body.extend_from_slice(value);
            }
        }
    }
    body
}

/// What follows the head of an execution.
pub fn parameters(values: &[Bound], with_types: bool) -> Vec<u8> {
    if values.is_empty() {
        return Vec::new();
    }
    let mut out = vec![0; values.len().div_ceil(8)];
    for (n, value) in values.iter().enumerate() {
        out[n / 8] |= u8::from(value.1.is_none()) << (n % 8);
    }
    out.push(u8::from(with_types));
    if with_types {
        for value in values {
            out.extend_from_slice(&value.0.to_le_bytes());
        }
    }
    for value in values {
        out.extend_from_slice(value.1.as_deref().unwrap_or_default());
    }
    out
}

/// All results of an answer. `known` are the columns of a result that comes without definitions.
pub fn results(
    client: &Client,
    frames: &[Frame],
    known: &[Column],
) -> Result<Vec<Answer>, ServerError> {
    let eof = client.capabilities & caps::DEPRECATE_EOF == 0;
    let mut results = Vec::new();
    let mut packets = payloads(frames).into_iter();
    while let Some(first) = packets.next() {
        if first[0] == 0xff {
            return Err(ServerError::parse(&first));
        }
        if first[0] == 0 {
            results.push(Answer::ok(&first));
            continue;
        }
        let mut take = Take(&first);
        let count = take.lenenc();
        let cached = client.capabilities & caps::CACHE_METADATA != 0 && take.u8() == 0;
        let columns = match cached {
            true => known.to_vec(),
            false => (0..count)
                .map(|_| Column::parse(&packets.next().expect("a definition")))
                .collect(),
        };
        let mut answer = Answer {
            columns,
            ..Answer::default()
        };
        if eof {
            let end = packets.next().expect("an EOF packet");
            answer.end(&end, false);
            if answer.status & 0x40 != 0 {
                results.push(answer);
                continue;
            }
        }
        loop {
            let packet = packets.next().expect("a row or an end");
            match packet[0] {
                0xff => return Err(ServerError::parse(&packet)),
                0xfe if packet.len() < 0xff_ffff => {
                    answer.end(&packet, !eof);
                    break;
                }
                _ => answer.rows.push(binary_row(&packet, &answer.columns)),
            }
        }
        results.push(answer);
    }
    Ok(results)
}

/// Payloads of packets that are put together.
fn payloads(frames: &[Frame]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut whole = Vec::new();
    for frame in frames {
        whole.extend_from_slice(&frame.body);
        if frame.body.len() < 0xff_ffff {
            payloads.push(std::mem::take(&mut whole));
        }
    }
    payloads
}

fn binary_row(row: &[u8], columns: &[Column]) -> Vec<Option<Vec<u8>>> {
    assert_eq!(row[0], 0, "a row of the binary protocol");
    let bitmap = &row[1..1 + (columns.len() + 9) / 8];
    let mut take = Take(&row[1 + bitmap.len()..]);
    let values = columns.iter().enumerate().map(|(n, column)| {
        if bitmap[(n + 2) / 8] & 1 << ((n + 2) % 8) != 0 {
            return None;
        }
        let len = match column.kind {
            0x01 => 1,
            0x02 | 0x0d => 2,
            0x03 | 0x04 | 0x09 => 4,
            0x05 | 0x08 => 8,
            0x07 | 0x0a | 0x0b | 0x0c => usize::from(take.u8()),
            _ => return Some(take.lenenc_bytes().to_vec()),
        };
        Some(take.bytes(len).to_vec())
    });
    let values = values.collect();
    assert!(take.0.is_empty(), "the row ends");
    values
}
