//! An UPDATE of a column whose values are encoded with the primary key, where the statement does not
//! say which rows it changes.
//!
//! 1. In autocommit mode the session leaves it, so that all that follows is one transaction.
//!    (`START TRANSACTION` would release the client's `LOCK TABLES`.)
//! 2. The rows are locked and their keys read: `SELECT key FROM … WHERE … FOR UPDATE`.
//! 3. Each value is [encoded](super::encode) once for each row; the objects are durable then.
//! 4. The statement is sent, bound to these rows, with `CASE WHEN key = … THEN … END` for each
//!    such value.
//! 5. If the session was in autocommit mode: COMMIT, and back to it. Then the client gets the
//!    answer of step 4.
//!
//! A failure in 2 or 3: refused; nothing is written, and objects that were put stay as orphans. In
//! 4: the server's own error. In either case, and in autocommit mode: ROLLBACK, and back to it. If
//! COMMIT fails, the client gets that error. The proxy dies: the server rolls back.
//!
//! In autocommit mode ROW_COUNT() and SHOW WARNINGS afterwards know nothing of the statement; the
//! counts in the answer are right.

use std::io;

use bytes::Bytes;

use super::Edit;
use super::encode::{Encoder, Sent};
use super::values::Values;
use crate::catalog::{ColumnCodec, KeyType};
use crate::codec::{Key, Stored};
use crate::plan::key::{self, Written};
use crate::plan::{Lookup, Write};
use crate::refusal::Refusal;
use crate::session::context::SessionContext;
use crate::session::question;
use crate::session::refuse::Failure;
use crate::session::relay::{Relay, Statement};
use crate::session::shared::Shared;
use crate::session::write;
use crate::wire::reply;
use crate::wire::row;

/// Rows that one statement may change.
const ROWS: usize = 1000;
/// Keys of one row are shorter, in bytes.
const ROW: u64 = 1 << 20;

/// Runs the statement and answers the client, unless it fails.
pub async fn run(
    relay: &mut Relay,
    shared: &Shared,
    context: &SessionContext,
    statement: Statement,
    write: &Write,
    values: &Values,
    lookup: &Lookup,
) -> io::Result<Result<(), Failure>> {
    let status = relay.responses.status();
    let alone = status & reply::AUTOCOMMIT != 0 && status & reply::IN_TRANSACTION == 0;
    if alone && let Err(packet) = question::run(relay, "SET autocommit = 0").await? {
        return Ok(Err(Failure::Server(packet)));
    }
    let seq = statement.seq;
    let answer = match changed(relay, shared, context, statement, write, values, lookup).await? {
        Ok(answer) => answer,
        Err(failure) => {
            if alone {
                // There is nothing to be rolled back but locks.
                let _ = end(relay, "ROLLBACK AND NO CHAIN NO RELEASE").await?;
            }
            return Ok(Err(failure));
        }
    };
    let answer = match alone {
        true => {
            if let Err(packet) = end(relay, "COMMIT AND NO CHAIN NO RELEASE").await? {
                return Ok(Err(Failure::Server(packet)));
            }
            let ended = |status| status & !reply::IN_TRANSACTION | reply::AUTOCOMMIT;
            reply::with_ok_status(&answer, ended)
        }
        false => answer.to_vec(),
    };
    relay
        .client
        .write_packet(seq.wrapping_add(1), &answer)
        .await?;
    Ok(Ok(()))
}

/// Ends the transaction and returns to autocommit mode; the error is that of the former.
async fn end(relay: &mut Relay, how: &str) -> io::Result<Result<(), Bytes>> {
    let ended = question::run(relay, how).await?;
    match question::run(relay, "SET autocommit = 1").await? {
        Ok(_) => Ok(ended.map(drop)),
        // The session would not be the client's any more.
        Err(_) => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

/// Steps 2 to 4; gives the server's OK packet.
async fn changed(
    relay: &mut Relay,
    shared: &Shared,
    context: &SessionContext,
    statement: Statement,
    write: &Write,
    values: &Values,
    lookup: &Lookup,
) -> io::Result<Result<Bytes, Failure>> {
    let rows = match rows(relay, lookup).await? {
        Ok(rows) => rows,
        Err(failure) => return Ok(Err(failure)),
    };
    let edits = match encoded(relay, shared, context, write, values, lookup, &rows).await {
        Ok(edits) => edits,
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    let segments = write::splice(&statement.payload, edits);
    write::send(relay, statement, segments).await?;
    relay.seq_shift = 0;
    let mut answer = Bytes::new();
    while !relay.responses.idle() {
        answer = relay
            .server
            .read_packet(shared.limits.row_bytes)
            .await?
            .payload;
        relay.responses.whole_packet(&answer);
    }
    relay.server.resume();
    Ok(match answer.first() {
        Some(&reply::ERR) => Err(Failure::Server(answer)),
        _ => Ok(answer),
    })
}

/// A row that is changed.
struct Row {
    key: Key,
    /// Its key, as a condition: `` `t`.`a` = 1 AND `t`.`b` = 'x' ``.
    condition: Vec<u8>,
}

async fn rows(relay: &mut Relay, lookup: &Lookup) -> io::Result<Result<Vec<Row>, Failure>> {
    let mut question = b"SELECT ".to_vec();
    for (n, (column, _, kind)) in lookup.key.iter().enumerate() {
        if n > 0 {
            question.extend_from_slice(b", ");
        }
        let written = match is_bytes(*kind) {
            true => format!("CAST({column} AS BINARY)"),
            false => format!("CAST(CONVERT({column} USING utf8mb4) AS BINARY)"),
        };
        question.extend_from_slice(written.as_bytes());
    }
    question.extend_from_slice(&lookup.rows);
    if lookup.unlimited {
        question.extend_from_slice(format!(" LIMIT {}", ROWS + 1).as_bytes());
    }
    question.extend_from_slice(b" FOR UPDATE");
    let path = lookup.table.column_path(lookup.column);
    let mut found: Vec<Bytes> = Vec::new();
    let keep = |row| {
        if found.len() <= ROWS {
            found.push(row);
        }
    };
    if let Err(packet) = question::ask(relay, &question, ROW, keep).await? {
        return Ok(Err(Failure::Server(packet)));
    }
    if found.len() > ROWS {
        let reason = format!(
            "the statement changes more than {ROWS} rows, and each has an object of its own"
        );
        return Ok(Err(Refusal::unsupported(
            &path,
            &reason,
            "change fewer at once",
        )
        .into()));
    }
    let read = found.iter().map(|answer| read(answer, lookup));
    Ok(read.collect::<Result<_, _>>().map_err(|problem| {
        let codec = lookup.table.columns[lookup.column].codec.as_ref();
        let why = codec.map_or("", ColumnCodec::why_key);
        let reason = format!("{why}, and {problem}");
        Refusal::unsupported(&path, &reason, "use a listener with view = \"stored\"").into()
    }))
}

fn is_bytes(kind: KeyType) -> bool {
    matches!(kind, KeyType::Bytes | KeyType::Uuid)
}

fn read(answer: &Bytes, lookup: &Lookup) -> Result<Row, String> {
    let mut cells = row::cells(answer);
    let mut columns = Vec::with_capacity(lookup.key.len());
    let mut condition = Vec::new();
    for (quoted, name, kind) in &lookup.key {
        let value = cells.next().flatten().and_then(|cell| cell.value);
        let value = value.ok_or_else(|| format!("{name} is NULL"))?;
        let bytes = answer[value].to_vec();
        if !condition.is_empty() {
            condition.extend_from_slice(b" AND ");
        }
        condition.extend_from_slice(quoted.as_bytes());
        condition.extend_from_slice(b" = ");
        let text = String::from_utf8_lossy(&bytes);
        match kind {
            KeyType::Int | KeyType::Decimal => condition.extend_from_slice(&bytes),
            kind if is_bytes(*kind) => {
                let hex = data_encoding::HEXLOWER.encode(&bytes);
                condition.extend_from_slice(format!("X'{hex}'").as_bytes());
            }
            // Digits, so that no sql_mode matters.
            _ => {
                let hex = data_encoding::HEXLOWER.encode(text.as_bytes());
                condition.extend_from_slice(format!("_utf8mb4 X'{hex}'").as_bytes());
            }
        }
        let written = Written::Quoted {
            is_string: !is_bytes(*kind),
            is_utf8: !is_bytes(*kind),
            bytes,
        };
        let value = key::of(*kind, &written).map_err(|problem| format!("{name} {problem}"))?;
        columns.push((name.clone(), value));
    }
    Ok(Row {
        key: Key { columns },
        condition,
    })
}

/// What stands in the place of each value, and what binds the statement to the rows.
async fn encoded(
    relay: &Relay,
    shared: &Shared,
    context: &SessionContext,
    write: &Write,
    values: &Values,
    lookup: &Lookup,
    rows: &[Row],
) -> Result<Vec<Edit>, Refusal> {
    let (dialect, plain) = (context.dialect, write::is_plain(&context.charset));
    let spell = move |stored| write::spelled(stored, dialect, plain);
    let mut edits: Vec<Edit> = Vec::new();
    let mut sent = Vec::new();
    let mut cells = Vec::new();
    for (at, cell) in write.cells.iter().enumerate() {
        let codec = cell.table.columns[cell.column].codec.as_ref();
        let uses_key = codec.is_some_and(ColumnCodec::uses_key);
        let Some(value) = values.sent(cell, at)? else {
            edits.push((cell.span.clone(), spell(Stored::Null)));
            continue;
        };
        match uses_key {
            true => {
                let keys = rows.iter().map(|row| Some(&row.key));
                sent.extend(keys.map(|key| Sent {
                    key,
                    apart: None,
                    ..value
                }));
                cells.push((cell, rows.len(), true));
            }
            false => {
                sent.push(value);
                cells.push((cell, 1, false));
            }
        }
    }
    let encoder = Encoder::new(shared, relay.choice.manner(), &context.charset, sent.len());
    let texts = encoder.encode(&sent, spell).await?;
    let mut texts = texts.into_iter().zip(&sent);
    for (cell, count, keyed) in cells {
        let mut of_cell = texts.by_ref().take(count);
        let text = match keyed {
            true => {
                let of_rows = of_cell.map(|(text, _)| text.unwrap_or_default());
                Some(by_row(rows, of_rows.collect()))
            }
            false => of_cell
                .next()
                .and_then(|(text, sent)| text.or_else(|| write::as_sent(cell, sent).map(spell))),
        };
        edits.extend(text.map(|text| (cell.span.clone(), text)));
    }
    let of_keys = values.edits.iter();
    edits.extend(of_keys.map(|(span, stored)| (span.clone(), spell(stored.clone()))));
    edits.extend(write::compared(write));
    let bound = bound(rows);
    match &lookup.condition {
        Some(condition) => {
            edits.push((condition.start..condition.start, Bytes::from_static(b"(")));
            let text = [&b") AND ("[..], &bound, b")"].concat();
            edits.push((lookup.end..lookup.end, text.into()));
        }
        None => {
            let text = [&b" WHERE ("[..], &bound, b")"].concat();
            edits.push((lookup.end..lookup.end, text.into()));
        }
    }
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    write::check_total(&edits, &shared.limits)?;
    Ok(edits)
}

/// The condition that a row is one of these.
fn bound(rows: &[Row]) -> Vec<u8> {
    if rows.is_empty() {
        return b"FALSE".to_vec();
    }
    let conditions: Vec<Vec<u8>> = rows
        .iter()
        .map(|row| [b"(", &row.condition[..], b")"].concat())
        .collect();
    conditions.join(&b" OR "[..])
}

/// The value that each row gets.
fn by_row(rows: &[Row], texts: Vec<Bytes>) -> Bytes {
    match texts.as_slice() {
        [] => Bytes::from_static(b"NULL"),
        [only] => only.clone(),
        _ => {
            let mut out = b"CASE".to_vec();
            for (row, text) in rows.iter().zip(&texts) {
                out.extend_from_slice(b" WHEN ");
                out.extend_from_slice(&row.condition);
                out.extend_from_slice(b" THEN ");
                out.extend_from_slice(text);
            }
            out.extend_from_slice(b" END");
            out.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::{Table, TableKind};
    use crate::codec::Value;
    use crate::wire::lenenc;

    fn lookup(kinds: &[KeyType]) -> Lookup {
        let name = |n: usize| ["a", "b", "c"][n];
        let column = |(n, kind): (usize, &KeyType)| {
            (format!("`t`.`{}`", name(n)), name(n).to_owned(), *kind)
        };
        let table = Table {
            schema: "s".into(),
            name: "t".into(),
            kind: TableKind::Base,
            columns: Vec::new(),
        };
        Lookup {
            table: Arc::new(table),
            column: 0,
            key: kinds.iter().enumerate().map(column).collect(),
            rows: Vec::new(),
            unlimited: true,
            condition: None,
            end: 0,
        }
    }

    fn answer(values: &[&[u8]]) -> Bytes {
        let mut out = Vec::new();
        for value in values {
            lenenc::push_str(&mut out, value);
        }
        out.into()
    }

    #[test]
    fn rows_are_found_again_by_their_keys() {
        let lookup = lookup(&[KeyType::Int, KeyType::Text, KeyType::Bytes]);
        let row = read(&answer(&[b"-7", b"a'", b"\0"]), &lookup).expect("a row");
        let condition = String::from_utf8_lossy(&row.condition).into_owned();
        assert_eq!(
            condition,
            "`t`.`a` = -7 AND `t`.`b` = _utf8mb4 X'6127' AND `t`.`c` = X'00'"
        );
        assert_eq!(row.key.columns[0], ("a".to_owned(), Value::Int(-7)));
        let two = [
            row,
            read(&answer(&[b"8", b"", b""]), &lookup).expect("a row"),
        ];
        let text = bound(&two);
        assert!(text.starts_with(b"(`t`.`a` = -7 AND"), "{text:?}");
        let texts = vec![Bytes::from_static(b"'x'"), Bytes::from_static(b"'y'")];
        let case = by_row(&two, texts);
        assert!(case.starts_with(b"CASE WHEN `t`.`a` = -7") && case.ends_with(b"THEN 'y' END"));
        assert_eq!(bound(&[]), b"FALSE");
        assert!(read(&answer(&[b"x", b"", b""]), &lookup).is_err());
    }
}
