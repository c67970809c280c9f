//! A LOAD DATA LOCAL INFILE whose file has values for codec columns.
//!
//! 1. The statement is sent as the client wrote it, with an empty file: so the server says first
//!    whether it takes it at all. If it does not, the client gets its error; nothing was written.
//! 2. The client is asked for its file, as the server asked. Lines are cut into fields as they
//!    come, and values [encoded](super::encode), some at a time; their objects are durable then.
//!    A value that a codec does not take, a limit or a store that fails: the rest of the file is
//!    read and thrown away, and the client gets the refusal. No row was written; objects stay as
//!    orphans.
//! 3. The statement is sent with its [edits](crate::plan::Load), and with the file as it has
//!    become: fields for codec columns replaced by what is stored, all else to the byte. The
//!    client gets the server's answer to that. The proxy dies before its end: the server rolls
//!    back what it has of the file, as it does when a client dies.
//!
//! What has become of the file is held in memory, up to `limits.statement_bytes`: values are not,
//! unless they are stored in the row. So is one line.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use data_encoding::HEXUPPER;

use super::encode::{Encoder, Sent};
use crate::catalog::ColumnCodec;
use crate::codec::{Key, Stored};
use crate::plan::key::{self, Written};
use crate::plan::{self, Load, LoadField};
use crate::refusal::Refusal;
use crate::session::connection::link::Outgoing;
use crate::session::question;
use crate::session::refuse::Failure;
use crate::session::relay::{Relay, Statement};
use crate::session::shared::Shared;
use crate::session::write;
use crate::sql::fields::{Line, Lines};
use crate::sql::literal::Literal;
use crate::wire::reply;
use crate::wire::row;

/// Payload of one packet of the file, in bytes.
const PIECE: usize = 1 << 20;

/// Runs the statement and answers the client, unless it fails.
pub async fn run(
    relay: &mut Relay,
    shared: &Shared,
    statement: Statement,
    load: &Load,
) -> io::Result<Result<(), Failure>> {
    let limit = shared.limits.statement_bytes;
    let charset = match charset(relay, load).await? {
        Ok(charset) => charset,
        Err(failure) => return Ok(Err(failure)),
    };
    let text = vec![statement.payload.clone()];
    let (asked, answer) = send(relay, &statement, text, &[]).await?;
    if answer.first() == Some(&reply::ERR) {
        return Ok(Err(Failure::Server(answer)));
    }
    let Some(asked) = asked else {
        let path = load.table.column_path(0);
        let reason = "the server does not ask for the file";
        return Ok(Err(Refusal::unsupported(&path, reason, "try again").into()));
    };
    relay
        .client
        .write_packet(statement.seq.wrapping_add(1), &asked)
        .await?;
    let mut file = File {
        shared,
        load,
        charset: &charset,
        strict: charset.starts_with("utf8")
            && load.format.enclosed.is_some()
            && !shared.catalog.index().is_mariadb(),
        manner: relay.choice.manner(),
        lines: Lines::new(load.format.clone(), load.fields.len(), load.skip),
        batch: Vec::new(),
        waiting: 0,
        content: Vec::new(),
        total: 0,
    };
    let mut refused = None;
    let seq = loop {
        let packet = relay.client.read_packet(limit).await?;
        let is_last = packet.payload.is_empty();
        if refused.is_none() {
            refused = file.piece(&packet.payload, is_last).await.err();
        }
        if is_last {
            break packet.seq.wrapping_add(1);
        }
    };
    let answer = match refused {
        Some(refusal) => {
            tracing::info!(error = %refusal, "statement refused");
            reply::err(&refusal).into()
        }
        None => {
            let mut text = statement.payload[..1].to_vec();
            text.extend(plan::rewritten(&statement.payload[1..], &load.edits));
            let text = vec![text.into()];
            send(relay, &statement, text, &file.content).await?.1
        }
    };
    relay.client.write_packet(seq, &answer).await?;
    Ok(Ok(()))
}

/// Sends the statement, and the file if the server asks for it; gives how it asked, and the
/// packet that ends its answer.
async fn send(
    relay: &mut Relay,
    statement: &Statement,
    text: Vec<Bytes>,
    content: &[Bytes],
) -> io::Result<(Option<Bytes>, Bytes)> {
    let copy = Statement {
        command: statement.command,
        payload: statement.payload.clone(),
        seq: statement.seq,
        packet: None,
        attributes: statement.attributes.clone(),
    };
    write::send(relay, copy, text).await?;
    relay.seq_shift = 0;
    let mut asked = None;
    let mut answer = Bytes::new();
    while !relay.responses.idle() {
        let packet = relay.server.read_packet(PIECE as u64).await?;
        relay.responses.whole_packet(&packet.payload);
        if packet.payload.first() == Some(&reply::LOCAL_INFILE) && asked.is_none() {
            asked = Some(packet.payload);
            let mut out = Outgoing::new(&mut relay.server, packet.seq.wrapping_add(1));
            for piece in content.iter().flat_map(|bytes| bytes.chunks(PIECE)) {
                out.packet(piece).await?;
            }
            out.packet(&[]).await?;
            out.flush().await?;
        } else {
            answer = packet.payload;
        }
    }
    relay.server.resume();
    Ok((asked, answer))
}

/// The file's character set, which must be one whose longer characters hide no ASCII.
async fn charset(relay: &mut Relay, load: &Load) -> io::Result<Result<String, Failure>> {
    let mut charset = load.charset.clone();
    if charset.is_none() {
        let question = b"SELECT CAST(@@character_set_database AS BINARY) LIMIT 1";
        let asked = question::ask(relay, question, PIECE as u64, |answer| {
            let value = row::cells(&answer).next().flatten().and_then(|c| c.value);
            charset = value.map(|value| String::from_utf8_lossy(&answer[value]).into_owned());
        });
        if let Err(packet) = asked.await? {
            return Ok(Err(Failure::Server(packet)));
        }
    }
    let charset = charset.unwrap_or_default().to_ascii_lowercase();
    const HIDING: [&str; 13] = [
        "gbk", "gb18030", "gb2312", "big5", "sjis", "cp932", "ujis", "eucjpms", "euckr", "ucs2",
        "utf16", "utf16le", "utf32",
    ];
    Ok(
        match HIDING.contains(&charset.as_str()) || charset.is_empty() {
            false => Ok(charset),
            true => {
                let path = format!("{}.{}", load.table.schema, load.table.name);
                let reason = format!("codec-proxy does not read files in {charset}");
                Err(Refusal::unsupported(&path, &reason, "write CHARACTER SET utf8mb4").into())
            }
        },
    )
}

/// The client's file on its way to what the server is sent.
struct File<'a> {
    shared: &'a Shared,
    load: &'a Load,
    charset: &'a str,
    /// MySQL takes no enclosed fields that are not what the character set allows.
    strict: bool,
    manner: crate::codec::Manner,
    lines: Lines,
    /// Lines whose values are still to be encoded.
    batch: Vec<Row>,
    /// Bytes of these values.
    waiting: u64,
    content: Vec<Bytes>,
    /// Bytes of the content.
    total: u64,
}

/// One line with its values.
struct Row {
    raw: Bytes,
    values: Vec<Value>,
    key: Option<Key>,
}

/// A value for a codec column.
struct Value {
    span: Range<usize>,
    column: usize,
    hex: bool,
    literal: Literal,
    len: u64,
}

impl File<'_> {
    /// Takes the next piece, or the end.
    async fn piece(&mut self, piece: &[u8], is_last: bool) -> Result<(), Refusal> {
        self.lines.push(piece);
        if is_last {
            self.lines.end();
        }
        let limits = &self.shared.limits;
        while let Some(line) = self.lines.next_line() {
            let row = self.row(line)?;
            self.waiting += row.values.iter().map(|value| value.len).sum::<u64>();
            self.batch.push(row);
            let many = self.batch.len() >= 4 * limits.store_parallel;
            if many || self.waiting >= limits.prefetch_bytes {
                self.encode().await?;
            }
        }
        if self.lines.waiting() as u64 > limits.statement_bytes {
            return Err(Refusal::limit(
                "a line of the file is longer than limits.statement_bytes",
            ));
        }
        match is_last {
            true => self.encode().await,
            false => Ok(()),
        }
    }

    fn row(&self, line: Line) -> Result<Row, Refusal> {
        let key = match self.load.keyed {
            true => self.key(&line),
            false => Ok(Key::default()),
        };
        let mut values = Vec::new();
        for (field, to) in line.fields.into_iter().zip(&self.load.fields) {
            if let (LoadField::Codec { column, hex }, Some(value)) = (*to, field.value) {
                if self.strict && str::from_utf8(&value).is_err() {
                    let path = self.load.table.column_path(column);
                    let reason = format!("its value in the file is no text in {}", self.charset);
                    let way_out = "write CHARACTER SET binary";
                    return Err(Refusal::unsupported(&path, &reason, way_out));
                }
                values.push(Value {
                    span: field.span,
                    column,
                    hex,
                    len: value.len() as u64,
                    literal: Literal::plain(value.into(), None),
                });
            }
        }
        let codec = |value: &Value| self.load.table.columns[value.column].codec.as_ref();
        let uses_key = |value: &Value| codec(value).is_some_and(ColumnCodec::uses_key);
        let key = match (values.iter().find(|value| uses_key(value)), key) {
            (None, _) => None,
            (Some(_), Ok(key)) => Some(key),
            (Some(value), Err((column, problem))) => {
                let path = self.load.table.column_path(value.column);
                let name = &self.load.table.columns[column].name;
                let why = codec(value).map_or("", ColumnCodec::why_key);
                let reason = format!("{why}, and {name} {problem}");
                let way_out = "give it in the file as an INSERT would";
                return Err(Refusal::unsupported(&path, &reason, way_out));
            }
        };
        Ok(Row {
            raw: line.raw,
            values,
            key,
        })
    }

    /// The primary key of a line's row; the error has the column and what is wrong with it.
    fn key(&self, line: &Line) -> Result<Key, (usize, &'static str)> {
        let mut parts = Vec::new();
        for (number, to) in self.load.fields.iter().enumerate() {
            let LoadField::Key { column, kind } = *to else {
                continue;
            };
            let value = line.fields.get(number).and_then(|f| f.value.as_ref());
            let value = value.ok_or((column, "is NULL or missing"))?;
            let written = Written::Quoted {
                bytes: value.clone(),
                is_string: true,
                is_utf8: self.charset.starts_with("utf8") || self.charset == "binary",
            };
            let value = key::of(kind, &written).map_err(|problem| (column, problem))?;
            parts.push((column, value));
        }
        parts.sort_by_key(|(column, _)| *column);
        let named = |(column, value)| {
            let column: usize = column;
            (self.load.table.columns[column].name.clone(), value)
        };
        Ok(Key {
            columns: parts.into_iter().map(named).collect(),
        })
    }

    /// Encodes the values of the batch, and writes its lines.
    async fn encode(&mut self) -> Result<(), Refusal> {
        let rows = std::mem::take(&mut self.batch);
        self.waiting = 0;
        let mut sent = Vec::new();
        for row in &rows {
            for value in &row.values {
                sent.push(Sent {
                    table: &self.load.table,
                    column: value.column,
                    literal: &value.literal,
                    apart: None,
                    written: value.len,
                    key: row.key.as_ref(),
                });
            }
        }
        let encoder = Encoder::new(self.shared, self.manner, self.charset, sent.len());
        let escaped = self.load.format.escaped;
        let texts = encoder
            .encode(&sent, move |stored| spelled(stored, escaped))
            .await?;
        let mut texts = texts.into_iter();
        let mut out = Vec::new();
        for row in &rows {
            let mut done = 0;
            for value in &row.values {
                let Some(text) = texts.next().flatten().filter(|_| value.hex) else {
                    continue;
                };
                let Some(text) = text else {
                    let path = self.load.table.column_path(value.column);
                    let reason = "its value comes to NULL, which the file's format cannot say";
                    return Err(Refusal::unsupported(&path, reason, "use ESCAPED BY"));
                };
                out.extend_from_slice(&row.raw[done..value.span.start]);
                out.extend_from_slice(&text);
                done = value.span.end;
            }
            out.extend_from_slice(&row.raw[done..]);
        }
        self.total += out.len() as u64;
        self.content.push(out.into());
        match self.total > self.shared.limits.statement_bytes {
            false => Ok(()),
            true => Err(Refusal::limit(
                "the file with its values encoded is longer than limits.statement_bytes",
            )),
        }
    }
}

/// What is stored, in digits; `None` for NULL where there is no way to write it.
fn spelled(stored: Stored, escaped: Option<u8>) -> Option<Vec<u8>> {
    let digits = |bytes: &[u8]| Some(HEXUPPER.encode(bytes).into_bytes());
    match stored {
        Stored::Null => escaped.map(|escape| vec![escape, b'N']),
        Stored::Bytes(bytes) => digits(&bytes),
        Stored::Text(text) | Stored::Number(text) => digits(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_written_in_digits() {
        let text =
            |stored, escaped| spelled(stored, escaped).map(|t| String::from_utf8(t).unwrap());
        assert_eq!(text(Stored::Text("{,\t".into()), None).unwrap(), "7B2C09");
        assert_eq!(text(Stored::Number("-1".into()), None).unwrap(), "2D31");
        assert_eq!(text(Stored::Null, Some(b'\\')).unwrap(), "\\N");
        assert_eq!(text(Stored::Null, None), None);
    }
}
