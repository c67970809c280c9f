//! A statement that gives values to codec columns.
//!
//! 1. The server is asked for values, and parts of primary keys, that are
//!    [expressions](self::evaluate). It refuses one, or it is made of other columns: the client
//!    gets an error; nothing was stored or sent.
//!    The values of an INSERT … SELECT are asked for, too, and encoded on the way ([`self::copy`]).
//! 2. The values are [encoded](self::encode), their objects stored. A value that a codec does
//!    not take, a limit or a store that fails: refused; nothing was sent, and objects that were
//!    put stay as orphans.
//! 3. The statement is sent with each value replaced by what is stored for it, and with each
//!    expression of a key replaced by its result; all other text is as the client wrote it. The
//!    proxy dies before: orphans. The server refuses: orphans, and the client gets the server's
//!    own error. What RETURNING gives is decoded as [`crate::session::read`] says.

pub mod copy;
pub mod encode;
pub mod evaluate;
pub mod infile;
pub mod update;
pub mod values;

use std::io;
use std::ops::Range;

use bytes::{Buf, Bytes};

use self::encode::{Encoder, Sent};
use self::values::Values;
use crate::catalog::Index;
use crate::codec::Stored;
use crate::config::Limits;
use crate::plan::{Cell, Source, Write};
use crate::refusal::Refusal;
use crate::session::connection::link::Outgoing;
use crate::session::context::SessionContext;
use crate::session::read;
use crate::session::read::columns::Meaning;
use crate::session::refuse::Failure;
use crate::session::relay::{Relay, Statement};
use crate::session::shared::Shared;
use crate::sql::lexer::Dialect;
use crate::sql::literal;
use crate::wire::command;
use crate::wire::packet;

/// Stores the values and sends the statement; its response is left to the relay, unless some of
/// it is decoded.
pub async fn run(
    relay: &mut Relay,
    shared: &Shared,
    context: &SessionContext,
    index: &Index,
    statement: Statement,
    write: Write,
) -> io::Result<Result<(), Failure>> {
    let values = match values::evaluated(relay, shared, &statement, &write).await? {
        Ok(values) => values,
        Err(failure) => return Ok(Err(failure)),
    };
    if let Some(lookup) = &write.lookup {
        return update::run(relay, shared, context, statement, &write, &values, lookup).await;
    }
    let copied = match copied(relay, shared, context, &statement, &write).await? {
        Ok(copied) => copied,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut edits = match encoded(relay, shared, context, &write, &values).await {
        Ok(edits) => edits,
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    if !copied.is_empty() || !write.edits.is_empty() {
        edits.extend(copied);
        edits.extend(compared(&write));
        edits.sort_by_key(|(span, _)| span.start);
        if let Err(refusal) = check_total(&edits, &shared.limits) {
            return Ok(Err(refusal.into()));
        }
    }
    let segments = splice(&statement.payload, edits);
    let (seq, returned) = (statement.seq, write.returned);
    drop((write.cells, values));
    send(relay, statement, segments).await?;
    if let Some(returned) = returned {
        relay.seq_shift = 0;
        let meaning = Meaning {
            lineage: &returned.columns,
            index,
            view: relay.choice.view,
            charset: context.results,
        };
        read::respond(relay, shared, meaning, seq, None).await?;
    }
    Ok(Ok(()))
}

/// The edits that a plan has besides its values.
pub fn compared(write: &Write) -> impl Iterator<Item = Edit> {
    let edits = write.edits.iter();
    edits.map(|edit| (edit.span.clone(), edit.text.clone().into()))
}

/// Sends a command in place of the client's, in as many packets as it takes.
pub async fn send(relay: &mut Relay, statement: Statement, segments: Vec<Bytes>) -> io::Result<()> {
    let mut segments = segments;
    if let (false, Some(first)) = (statement.attributes.is_empty(), segments.first_mut()) {
        let head = [&first[..1], &statement.attributes].concat();
        first.advance(1);
        segments.insert(0, head.into());
    }
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

/// What stands in the place of some bytes of the text.
pub type Edit = (Range<usize>, Bytes);

/// What stands in the place of each expression of an INSERT … SELECT.
async fn copied(
    relay: &mut Relay,
    shared: &Shared,
    context: &SessionContext,
    statement: &Statement,
    write: &Write,
) -> io::Result<Result<Vec<Edit>, Failure>> {
    let (dialect, plain) = (context.dialect, is_plain(&context.charset));
    let mut edits = Vec::with_capacity(write.copied.len());
    for copied in &write.copied {
        let text = statement
            .payload
            .slice(1 + copied.span.start..1 + copied.span.end);
        let spell = move |stored| spelled(stored, dialect, plain);
        match copy::edit(relay, shared, copied, &text, spell).await? {
            Ok(edit) => edits.push(edit),
            Err(failure) => return Ok(Err(failure)),
        }
    }
    Ok(Ok(edits))
}

/// Step 2: what stands in the place of values and parts of keys, in the order of the text.
async fn encoded(
    relay: &Relay,
    shared: &Shared,
    context: &SessionContext,
    write: &Write,
    values: &Values,
) -> Result<Vec<Edit>, Refusal> {
    let (dialect, plain) = (context.dialect, is_plain(&context.charset));
    let spell = move |stored| spelled(stored, dialect, plain);
    let mut edits = Vec::new();
    let mut sent: Vec<Sent> = Vec::with_capacity(write.cells.len());
    let mut cells: Vec<&Cell> = Vec::with_capacity(write.cells.len());
    for (at, cell) in write.cells.iter().enumerate() {
        match values.sent(cell, at)? {
            Some(value) => {
                sent.push(value);
                cells.push(cell);
            }
            None => edits.push((cell.span.clone(), spell(Stored::Null))),
        }
    }
    let encoder = Encoder::new(shared, relay.choice.manner(), &context.charset, sent.len());
    let texts = encoder.encode(&sent, spell).await?;
    for ((cell, sent), text) in cells.into_iter().zip(sent).zip(texts) {
        let text = text.or_else(|| as_sent(cell, &sent).map(spell));
        edits.extend(text.map(|text| (cell.span.clone(), text)));
    }
    let of_keys = values.edits.iter();
    edits.extend(of_keys.map(|(span, stored)| (span.clone(), spell(stored.clone()))));
    edits.sort_by_key(|(span, _)| span.start);
    check_total(&edits, &shared.limits)?;
    Ok(edits)
}

/// What a codec takes as it is stays as the client wrote it; but an expression is not run again.
pub fn as_sent(cell: &Cell, sent: &Sent) -> Option<Stored> {
    match cell.source {
        Source::Literal(_) => None,
        Source::Parameter(_) | Source::Expression => {
            let value: Vec<u8> = sent.literal.chunks(1 << 20).flatten().collect();
            Some(Stored::Bytes(value.into()))
        }
    }
}

/// Refuses what would make the statement too long.
pub fn check_total(edits: &[Edit], limits: &Limits) -> Result<(), Refusal> {
    let total: u64 = edits.iter().map(|(_, text)| text.len() as u64).sum();
    match total > limits.statement_bytes {
        true => Err(Refusal::limit(
            "the statement with its values encoded is longer than limits.statement_bytes",
        )),
        false => Ok(()),
    }
}

/// Whether no byte of a longer character looks like ASCII in this character set of a client.
pub fn is_plain(charset: &str) -> bool {
    charset.starts_with("utf8") || matches!(charset, "latin1" | "ascii" | "binary")
}

/// What a column holds as a literal, or as good as one.
pub fn spelled(stored: Stored, dialect: Dialect, plain: bool) -> Bytes {
    let mut text = Vec::new();
    match stored {
        Stored::Null => text.extend_from_slice(b"NULL"),
        Stored::Text(value) => literal::quote_ascii(&mut text, &value, dialect),
        Stored::Bytes(value) => literal::quote_bytes(&mut text, &value, dialect, plain),
        Stored::Number(digits) => text.extend_from_slice(digits.as_bytes()),
    }
    text.into()
}

/// The command with its values replaced; `payload` begins with the command byte, spans count from
/// the text behind it.
pub fn splice(payload: &Bytes, edits: Vec<Edit>) -> Vec<Bytes> {
    let mut segments = Vec::with_capacity(2 * edits.len() + 1);
    let mut done = 0;
    for (span, text) in edits {
        segments.push(payload.slice(done..1 + span.start));
        segments.push(text);
        done = 1 + span.end;
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
