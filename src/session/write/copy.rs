//! INSERT … SELECT of expressions, or of columns of another codec, into codec columns.
//!
//! 1. The server is asked for the values of the expression in all rows of the query, each with its
//!    SHA-256. What is stored in a codec column is [decoded](crate::session::read::row). Values are
//!    [encoded](super::encode) as they come, each once; their objects are durable then. A value that a codec does not take, a limit or a store that fails: the rest of
//!    the answer is passed over, and the statement is refused; nothing was written.
//! 2. In the statement `CASE SHA2(expression, 256) WHEN … THEN … END` stands in the place of the
//!    expression, so the server itself gives each row what is stored for its value; all other
//!    columns never leave it. A value that was not there in step 1 (somebody has changed a row
//!    since, or the expression is not the same twice) makes the statement fail as a whole, with
//!    the server's error 1242.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::Edit;
use super::encode::{Encoder, Sent};
use crate::catalog::ColumnCodec;
use crate::codec::{Dtype, Notation, Stored};
use crate::plan::{CodecColumn, Copied};
use crate::refusal::Refusal;
use crate::session::coded::{Coded, Text};
use crate::session::context::ResultCharset;
use crate::session::read;
use crate::session::read::row::{Means, Shown};
use crate::session::refuse::Failure;
use crate::session::relay::Relay;
use crate::session::shared::Shared;
use crate::sql::literal::Literal;
use crate::view::Shape;
use crate::wire::command;
use crate::wire::reply;
use crate::wire::response::Seen;
use crate::wire::row;

/// Different values that one statement may have.
const VALUES: usize = 1000;

/// What stands in the place of an expression. `text` is the expression as the client wrote it;
/// `spell` writes what is stored, or the value itself, as SQL.
pub async fn edit(
    relay: &mut Relay,
    shared: &Shared,
    copied: &Copied,
    text: &[u8],
    spell: impl Fn(Stored) -> Bytes + Clone + Send + 'static,
) -> io::Result<Result<Edit, Failure>> {
    let manner = relay.choice.manner();
    let codec = copied.table.columns[copied.column].codec.as_ref();
    let is_text = manner.notation == Notation::Json || codec.is_some_and(ColumnCodec::is_text);
    let source = match copied
        .from
        .as_ref()
        .map(|from| Source::new(relay, shared, from))
    {
        None => None,
        Some(Ok(source)) => Some(source),
        Some(Err(refusal)) => return Ok(Err(refusal.into())),
    };
    let is_read_as_text = match &source {
        Some(source) => source.shown.column.chain.dtype != Dtype::Bytes,
        None => is_text,
    };
    let mut values = Values {
        shared,
        copied,
        source,
        manner,
        charset: if is_text { "utf8mb4" } else { "binary" },
        spell,
        known: HashSet::new(),
        batch: Vec::new(),
        waiting: 0,
        cases: Vec::new(),
    };
    let question = question(relay.query_head(), copied, text, is_read_as_text);
    relay.server.write_packet(0, &question).await?;
    relay.responses.sent(command::expect(command::QUERY));
    let mut refused = None;
    let mut failed = None;
    while !relay.responses.idle() {
        let in_rows = relay.responses.in_rows();
        let packet = relay
            .server
            .read_packet(shared.limits.row_bytes)
            .await?
            .payload;
        let seen = relay.responses.whole_packet(&packet);
        let is_progress = reply::is_progress(&packet);
        if packet.first() == Some(&reply::ERR) && !is_progress && seen == Seen::End {
            failed = Some(packet);
        } else if in_rows
            && relay.responses.in_rows()
            && !is_progress
            && let Err(refusal) = values.row(&packet).await
        {
            let limit = shared.limits.row_bytes;
            read::drain(&mut relay.server, &mut relay.responses, limit).await?;
            refused = Some(refusal);
        }
    }
    relay.server.resume();
    if let Some(packet) = failed {
        return Ok(Err(Failure::Server(packet)));
    }
    let done = match refused {
        Some(refusal) => Err(refusal),
        None => values.encode().await,
    };
    Ok(match done {
        Ok(()) => Ok((copied.span.clone(), replacement(text, &values.cases))),
        Err(refusal) => Err(refusal.into()),
    })
}

fn question(head: &[u8], copied: &Copied, text: &[u8], is_text: bool) -> Vec<u8> {
    let (before, after): (&[u8], &[u8]) = match is_text {
        true => (b"CAST(CONVERT((", b"\n) USING utf8mb4) AS BINARY)"),
        false => (b"CAST(CONCAT((", b"\n)) AS BINARY)"),
    };
    let pieces: [&[u8]; 8] = [
        head,
        b"SELECT SHA2((",
        text,
        b"\n), 256), ",
        before,
        text,
        after,
        b" ",
    ];
    [pieces.concat(), copied.rows.clone()].concat()
}

/// A codec column whose values are decoded.
struct Source {
    means: Means,
    shown: Shown,
}

impl Source {
    fn new(relay: &Relay, shared: &Shared, from: &CodecColumn) -> Result<Self, Refusal> {
        let column = Arc::new(Coded::new(&from.table, from.column)?);
        let shape = column.codec().map(|codec| relay.choice.view.shape(codec));
        Ok(Self {
            means: Means::new(shared, relay.choice.manner()),
            shown: Shown {
                column,
                text: Text {
                    shape: shape.unwrap_or(Shape::LongBlob),
                    // What the server is asked for is not converted.
                    results: ResultCharset::Utf8,
                },
            },
        })
    }
}

/// The values of an expression, from all rows.
struct Values<'a, S> {
    shared: &'a Shared,
    copied: &'a Copied,
    source: Option<Source>,
    manner: crate::codec::Manner,
    charset: &'static str,
    spell: S,
    /// Hashes of values that were met.
    known: HashSet<Bytes>,
    batch: Vec<(Bytes, Literal)>,
    /// Bytes of the batch.
    waiting: u64,
    /// Hashes, and what is stored for their values.
    cases: Vec<(Bytes, Bytes)>,
}

impl<S: Fn(Stored) -> Bytes + Clone + Send + 'static> Values<'_, S> {
    async fn row(&mut self, answer: &Bytes) -> Result<(), Refusal> {
        let path = || self.copied.table.column_path(self.copied.column);
        let mut cells = row::cells(answer)
            .map_while(|cell| cell)
            .map(|cell| cell.value);
        let (hash, value) = match (cells.next(), cells.next()) {
            // NULL stays NULL.
            (Some(None), _) => return Ok(()),
            (Some(Some(hash)), Some(Some(value))) => (hash, value),
            _ => {
                let reason = "the server does not say what its value is";
                return Err(Refusal::unsupported(
                    &path(),
                    reason,
                    "write it with VALUES",
                ));
            }
        };
        let (hash, value) = (answer.slice(hash), answer.slice(value));
        if !hash.iter().all(u8::is_ascii_hexdigit) || self.known.len() >= VALUES {
            let reason = format!("the query has more than {VALUES} different values");
            let way_out = "copy fewer rows at once";
            return Err(Refusal::unsupported(&path(), &reason, way_out));
        }
        if !self.known.insert(Bytes::copy_from_slice(&hash)) {
            return Ok(());
        }
        let value = match &self.source {
            None => value,
            Some(Source { means, shown }) => {
                let limit = self.shared.limits.value_bytes;
                means.whole(shown, value, limit).await?
            }
        };
        self.waiting += value.len() as u64;
        let literal = Literal::plain(value, Some(self.charset));
        self.batch.push((Bytes::copy_from_slice(&hash), literal));
        let limits = &self.shared.limits;
        let many = self.batch.len() >= 4 * limits.store_parallel;
        match many || self.waiting >= limits.prefetch_bytes {
            true => self.encode().await,
            false => Ok(()),
        }
    }

    async fn encode(&mut self) -> Result<(), Refusal> {
        let batch = std::mem::take(&mut self.batch);
        self.waiting = 0;
        let sent = |(_, literal): &'_ (Bytes, Literal)| literal.decoded_len();
        let lens: Vec<u64> = batch.iter().map(sent).collect();
        let values: Vec<Sent> = batch
            .iter()
            .zip(lens)
            .map(|((_, literal), written)| Sent {
                table: &self.copied.table,
                column: self.copied.column,
                literal,
                apart: None,
                written,
                key: None,
            })
            .collect();
        let encoder = Encoder::new(self.shared, self.manner, self.charset, values.len());
        let texts = encoder.encode(&values, self.spell.clone()).await?;
        for ((hash, literal), text) in batch.iter().zip(texts) {
            let as_sent = || {
                let value: Vec<u8> = literal.chunks(1 << 20).flatten().collect();
                (self.spell)(Stored::Bytes(value.into()))
            };
            self.cases
                .push((hash.clone(), text.unwrap_or_else(as_sent)));
        }
        let total: u64 = self
            .cases
            .iter()
            .map(|(_, text)| text.len() as u64 + 80)
            .sum();
        match total > self.shared.limits.statement_bytes {
            false => Ok(()),
            true => Err(Refusal::limit(
                "the statement with its values encoded is longer than limits.statement_bytes",
            )),
        }
    }
}

/// What gives each row what is stored for its value.
fn replacement(text: &[u8], cases: &[(Bytes, Bytes)]) -> Bytes {
    let mut out = b"IF((".to_vec();
    out.extend_from_slice(text);
    out.extend_from_slice(b"\n) IS NULL, NULL, CASE SHA2((");
    out.extend_from_slice(text);
    out.extend_from_slice(b"\n), 256)");
    for (hash, stored) in cases {
        out.extend_from_slice(b" WHEN '");
        out.extend_from_slice(hash);
        out.extend_from_slice(b"' THEN ");
        out.extend_from_slice(stored);
    }
    if cases.is_empty() {
        out.extend_from_slice(b" WHEN '' THEN ''");
    }
    // An error, if it is ever asked for.
    out.extend_from_slice(b" ELSE (SELECT 1 UNION SELECT 2) END)");
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_gives_each_row_its_own() {
        let cases = [(Bytes::from_static(b"ab"), Bytes::from_static(b"'x'"))];
        let text = replacement(b"raw", &cases);
        assert_eq!(
            String::from_utf8_lossy(&text),
            "IF((raw\n) IS NULL, NULL, CASE SHA2((raw\n), 256) WHEN 'ab' THEN 'x' \
             ELSE (SELECT 1 UNION SELECT 2) END)"
        );
    }
}
