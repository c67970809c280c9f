//! A statement that gives values to codec columns.
//!
//! 1. The server is asked for values, and parts of primary keys, that are
//!    [expressions](super::evaluate). It refuses one, or it is made of other columns: the client
//!    gets an error; nothing was stored or sent.
//! 2. The values are [encoded](super::encode), their objects stored. A value that a codec does
//!    not take, a limit or a store that fails: refused; nothing was sent, and objects that were
//!    put stay as orphans.
//! 3. The statement is sent with each value replaced by what is stored for it, and with each
//!    expression of a key replaced by its result; all other text is as the client wrote it. The
//!    proxy dies before: orphans. The server refuses: orphans, and the client gets the server's
//!    own error.

use std::io;
use std::ops::Range;

use bytes::{Buf, Bytes};

use super::context::SessionContext;
use super::encode::{Encoder, Sent, Stored};
use super::evaluate::{self, Expression, Form};
use super::link::Outgoing;
use super::refuse::Failure;
use super::relay::{Relay, Statement};
use super::shared::Shared;
use crate::catalog::{ColumnCodec, KeyType};
use crate::codec::{Key, Notation};
use crate::config::Limits;
use crate::plan::key::Written;
use crate::plan::{Cell, KeyPart, KeySource, RowKey, Source, Write, key};
use crate::refusal::Refusal;
use crate::sql::lexer::Dialect;
use crate::sql::literal::{self, Literal};
use crate::wire::command;
use crate::wire::packet;

/// Stores the values and sends the statement; its response is left to the relay.
pub async fn run(
    relay: &mut Relay,
    shared: &Shared,
    context: &SessionContext,
    statement: Statement,
    write: Write,
) -> io::Result<Result<(), Failure>> {
    let values = match evaluated(relay, shared, &statement, &write).await? {
        Ok(values) => values,
        Err(failure) => return Ok(Err(failure)),
    };
    let edits = match encoded(relay, shared, context, &write, &values).await {
        Ok(edits) => edits,
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    let segments = splice(&statement.payload, edits);
    drop((write, values));
    send(relay, statement, segments).await.map(Ok)
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
type Edit = (Range<usize>, Bytes);

/// The values of a statement's expressions.
#[derive(Default)]
struct Values {
    /// For each cell: `Some(None)` is NULL.
    cells: Vec<Option<Option<Literal>>>,
    /// The keys, all of them known now.
    keys: Vec<Key>,
    /// The results that stand in the places of parts of keys.
    edits: Vec<(Range<usize>, Stored)>,
}

/// Step 1.
async fn evaluated(
    relay: &mut Relay,
    shared: &Shared,
    statement: &Statement,
    write: &Write,
) -> io::Result<Result<Values, Failure>> {
    let text = |span: &Range<usize>| statement.payload.slice(1 + span.start..1 + span.end);
    let is_json = relay.choice.manner().notation == Notation::Json;
    let mut expressions = Vec::new();
    for cell in &write.cells {
        if let Source::Expression = cell.source {
            let codec = cell.table.columns[cell.column].codec.as_ref();
            let is_text = is_json || codec.is_some_and(ColumnCodec::is_text);
            expressions.push(Expression {
                text: text(&cell.span),
                form: if is_text { Form::Text } else { Form::Bytes },
                column: cell.table.column_path(cell.column),
            });
        }
    }
    let of_cells = expressions.len();
    let path = |part: &KeyPart| match write.cells.first() {
        Some(cell) => format!("{}.{}.{}", cell.table.schema, cell.table.name, part.name),
        None => part.name.clone(),
    };
    for part in write.keys.iter().flat_map(|key| &key.parts) {
        if let KeySource::Expression(span) = &part.source {
            expressions.push(Expression {
                text: text(span),
                form: match part.kind {
                    KeyType::Bytes | KeyType::Uuid => Form::Bytes,
                    _ => Form::Text,
                },
                column: path(part),
            });
        }
    }
    let mut found = match expressions.is_empty() {
        true => Vec::new(),
        false => match evaluate::ask(relay, &expressions, shared.limits.row_bytes).await? {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        },
    };
    let mut of_keys = found.split_off(of_cells.min(found.len())).into_iter();
    let mut of_cells = found.into_iter();
    let cells = write.cells.iter().map(|cell| match cell.source {
        Source::Expression => of_cells.next(),
        Source::Literal(_) | Source::Parameter(_) => None,
    });
    let mut values = Values {
        cells: cells.collect(),
        ..Values::default()
    };
    for key in &write.keys {
        match known(key, &mut of_keys, &mut values.edits) {
            Ok(key) => values.keys.push(key),
            Err((part, problem)) => {
                let reason = format!("objects are named by the primary key, and it {problem}");
                let way_out = "give it as a literal";
                return Ok(Err(
                    Refusal::unsupported(&path(part), &reason, way_out).into()
                ));
            }
        }
    }
    Ok(Ok(values))
}

/// A key with the results of its expressions, which are noted as edits, too.
fn known<'a>(
    key: &'a RowKey,
    found: &mut impl Iterator<Item = Option<Literal>>,
    edits: &mut Vec<(Range<usize>, Stored)>,
) -> Result<Key, (&'a KeyPart, &'static str)> {
    let mut columns = Vec::with_capacity(key.parts.len());
    for part in &key.parts {
        let value = match &part.source {
            KeySource::Known(value) => Ok(value.clone()),
            KeySource::Parameter(_) => Err("is not in the statement"),
            KeySource::Expression(span) => match found.next().flatten() {
                None => Err("is left to the server"),
                Some(literal) => {
                    let bytes = literal.head(KEY);
                    let is_bytes = matches!(part.kind, KeyType::Bytes | KeyType::Uuid);
                    let stored = match String::from_utf8(bytes.clone()) {
                        Ok(text) if !is_bytes => Stored::Text(text),
                        _ => Stored::Bytes(bytes.clone().into()),
                    };
                    edits.push((span.clone(), stored));
                    let written = Written::Quoted {
                        bytes,
                        is_string: !is_bytes,
                        is_utf8: !is_bytes,
                    };
                    key::of(part.kind, &written)
                }
            },
        };
        let value = value.map_err(|problem| (part, problem))?;
        columns.push((part.name.clone(), value));
    }
    Ok(Key { columns })
}

/// Longer than any key, in bytes.
const KEY: usize = 4096;

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
    for (cell, value) in write.cells.iter().zip(&values.cells) {
        let (literal, written) = match (&cell.source, value) {
            (Source::Literal(literal), _) => (literal, cell.span.len() as u64),
            (_, Some(Some(literal))) => (literal, literal.decoded_len()),
            (_, Some(None)) => {
                edits.push((cell.span.clone(), spell(Stored::Null)));
                continue;
            }
            (_, None) => {
                let column = cell.table.column_path(cell.column);
                let reason = "its value is not in the statement";
                return Err(Refusal::unsupported(&column, reason, "write the value"));
            }
        };
        sent.push(Sent {
            table: &cell.table,
            column: cell.column,
            literal,
            apart: None,
            written,
            key: values.keys.get(cell.row),
        });
        cells.push(cell);
    }
    let encoder = Encoder::new(shared, relay.choice.manner(), &context.charset, sent.len());
    let texts = encoder.encode(&sent, spell).await?;
    for ((cell, sent), text) in cells.into_iter().zip(sent).zip(texts) {
        // What a codec takes as it is stays as the client wrote it; an expression is not run again.
        let text = text.or_else(|| match cell.source {
            Source::Literal(_) => None,
            _ => {
                let value: Vec<u8> = sent.literal.chunks(1 << 20).flatten().collect();
                Some(spell(Stored::Bytes(value.into())))
            }
        });
        edits.extend(text.map(|text| (cell.span.clone(), text)));
    }
    let of_keys = values.edits.iter();
    edits.extend(of_keys.map(|(span, stored)| (span.clone(), spell(stored.clone()))));
    edits.sort_by_key(|(span, _)| span.start);
    check_total(&edits, &shared.limits)?;
    Ok(edits)
}

fn check_total(edits: &[Edit], limits: &Limits) -> Result<(), Refusal> {
    let total: u64 = edits.iter().map(|(_, text)| text.len() as u64).sum();
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

/// The command with its values replaced; `payload` begins with the command byte, spans count from
/// the text behind it.
fn splice(payload: &Bytes, edits: Vec<Edit>) -> Vec<Bytes> {
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
