//! A statement that gives values to codec columns.
//!
//! 1. The values are [encoded](super::encode), their objects stored. A value that a codec does
//!    not take, a limit or a store that fails: refused; nothing was sent, and objects that were
//!    put stay as orphans.
//! 2. The statement is sent with each value replaced by what is stored for it, all other text
//!    as the client wrote it. The proxy dies before: orphans. The server refuses: orphans, and
//!    the client gets the server's own error.

use std::io;

use bytes::Bytes;

use super::context::SessionContext;
use super::encode::{Encoder, Sent, Stored};
use super::link::Outgoing;
use super::relay::{Relay, Statement};
use super::shared::Shared;
use crate::codec::Key;
use crate::config::Limits;
use crate::plan::{Cell, RowKey, Source, Write};
use crate::refusal::Refusal;
use crate::sql::lexer::Dialect;
use crate::sql::literal;
use crate::wire::command;
use crate::wire::packet;

/// Stores the values and sends the statement; its response is left to the relay.
pub async fn run(
    relay: &mut Relay,
    shared: &Shared,
    context: &SessionContext,
    statement: Statement,
    write: Write,
) -> io::Result<Result<(), Refusal>> {
    let manner = relay.choice.manner();
    let texts = match encode(shared, context, manner, &write).await {
        Ok(texts) => texts,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let segments = splice(&statement.payload, &write.cells, texts);
    drop(write);
    send(relay, statement, segments).await.map(Ok)
}

/// Sends a command in place of the client's, in as many packets as it takes.
pub async fn send(relay: &mut Relay, statement: Statement, segments: Vec<Bytes>) -> io::Result<()> {
    let total = segments.iter().map(|s| s.len() as u64).sum();
    let mut out = Outgoing::new(&mut relay.server, 0);
    out.begin(total);
    for segment in segments {
        out.part(&segment).await?;
    }
    out.flush().await?;
    let sent = packet::chunks(total) as u8;
    relay.seq_shift = statement.seq.wrapping_add(1).wrapping_sub(sent);
    relay.responses.sent(command::expect(statement.command));
    Ok(())
}

/// What stands in the place of each cell; `None` for one that stays as it is.
async fn encode(
    shared: &Shared,
    context: &SessionContext,
    manner: crate::codec::Manner,
    write: &Write,
) -> Result<Vec<Option<Bytes>>, Refusal> {
    let keys: Vec<Option<Key>> = write.keys.iter().map(RowKey::known).collect();
    let mut values = Vec::with_capacity(write.cells.len());
    for cell in &write.cells {
        let Source::Literal(literal) = &cell.source else {
            let column = cell.table.column_path(cell.column);
            let reason = "its value is not in the statement";
            return Err(Refusal::unsupported(&column, reason, "write the value"));
        };
        values.push(Sent {
            table: &cell.table,
            column: cell.column,
            literal,
            written: cell.span.len() as u64,
            key: keys.get(cell.row).and_then(Option::as_ref),
        });
    }
    let encoder = Encoder::new(shared, manner, &context.charset, values.len());
    let (dialect, plain) = (context.dialect, is_plain(&context.charset));
    let spell = move |stored| spelled(stored, dialect, plain);
    let texts = encoder.encode(&values, spell).await?;
    check_total(&texts, &shared.limits)?;
    Ok(texts)
}

fn check_total(texts: &[Option<Bytes>], limits: &Limits) -> Result<(), Refusal> {
    let total: u64 = texts.iter().flatten().map(|text| text.len() as u64).sum();
    match total > limits.statement_bytes {
        true => Err(Refusal::limit(
            "the statement with its values encoded is longer than limits.statement_bytes",
        )),
        false => Ok(()),
    }
}

/// Whether no byte of a longer character looks like ASCII in this character set of a client.
fn is_plain(charset: &str) -> bool {
    charset.starts_with("utf8") || matches!(charset, "latin1" | "ascii" | "binary")
}

/// What a column holds as a literal, or as good as one.
fn spelled(stored: Stored, dialect: Dialect, plain: bool) -> Bytes {
    let mut text = Vec::new();
    match stored {
        Stored::Null => text.extend_from_slice(b"NULL"),
        Stored::Text(value) => literal::quote_ascii(&mut text, &value, dialect),
        Stored::Bytes(value) => literal::quote_bytes(&mut text, &value, dialect, plain),
        Stored::Number(digits) => text.extend_from_slice(digits.as_bytes()),
    }
    text.into()
}

/// The command with its values replaced; `payload` begins with the command byte, the cells'
/// spans count from the text behind it.
fn splice(payload: &Bytes, cells: &[Cell], texts: Vec<Option<Bytes>>) -> Vec<Bytes> {
    let mut segments = Vec::with_capacity(2 * cells.len() + 1);
    let mut done = 0;
    for (cell, text) in cells.iter().zip(texts) {
        let Some(text) = text else { continue };
        segments.push(payload.slice(done..1 + cell.span.start));
        segments.push(text);
        done = 1 + cell.span.end;
    }
    segments.push(payload.slice(done..));
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_spelled() {
        let spelled = |stored, plain| {
            let text = spelled(stored, Dialect::default(), plain);
            String::from_utf8_lossy(&text).into_owned()
        };
        let bytes = || Stored::Bytes(Bytes::from_static(b"a'\\"));
        assert_eq!(spelled(bytes(), true), "_binary'a''\\\\'");
        assert_eq!(spelled(bytes(), false), "X'61275c'");
        assert_eq!(spelled(Stored::Null, true), "NULL");
        let json = Stored::Text("{\"path\": \"a'b\"}".to_owned());
        assert_eq!(spelled(json, true), "_utf8mb4'{\"path\": \"a''b\"}'");
        assert_eq!(spelled(Stored::Number("-7".into()), true), "-7");
    }

    #[test]
    fn quotes_are_sure_where_bytes_cannot_look_like_them() {
        for (charset, plain) in [
            ("utf8mb4", true),
            ("utf8mb3", true),
            ("latin1", true),
            ("gbk", false),
            ("sjis", false),
            ("cp932", false),
            ("big5", false),
            ("", false),
        ] {
            assert_eq!(is_plain(charset), plain, "{charset}");
        }
    }
}
