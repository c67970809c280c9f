//! `SHOW COLUMNS`, `DESCRIBE` and `SHOW CREATE TABLE`: the server's answer, with codec columns
//! shown as the view has them ([`crate::view::describe`]). Row by row; nothing is collected.

use std::io;

use bytes::Bytes;

use super::relay::{Relay, Statement};
use crate::session::connection::link::Outgoing;
use crate::view::describe::{Describe, Field, Header, Heading};
use crate::wire::binary::{self, Layout};
use crate::wire::column::Column;
use crate::wire::lenenc;
use crate::wire::response::Seen;
use crate::wire::row::{self, Cell};

/// A row holds names, a type and a comment.
const PACKET: u64 = 16 << 20;

/// Sends the statement and relays its response, rewritten.
pub async fn run(relay: &mut Relay, statement: Statement, plan: &Describe) -> io::Result<()> {
    relay.forward(&statement);
    relay.server.flush_unsent().await?;
    respond(relay, plan, statement.seq, None).await
}

/// Relays the response to a command that has been sent, rewritten; `seq` is that of the client's
/// last packet. `binary`: in the binary protocol, with the definitions that its client remembers,
/// which become those of the result.
pub async fn respond(
    relay: &mut Relay,
    plan: &Describe,
    seq: u8,
    mut binary: Option<&mut Vec<Bytes>>,
) -> io::Result<()> {
    let mut out = Outgoing::new(&mut relay.client, seq.wrapping_add(1));
    let (server, responses) = (&mut relay.server, &mut relay.responses);
    let extended = responses.shape().extended_metadata;
    let mut definitions: Vec<Bytes> = Vec::new();
    let mut rows: Option<Rows> = None;
    loop {
        let (at_column, in_rows) = (responses.at_column(), responses.in_rows());
        let packet = server.read_packet(PACKET).await?;
        let seen = responses.whole_packet(&packet.payload);
        if at_column {
            definitions.push(packet.payload.clone());
        }
        let row = if in_rows && responses.in_rows() {
            let rows = rows.get_or_insert_with(|| {
                if let Some(remembered) = binary.as_deref_mut() {
                    match definitions.is_empty() {
                        true => definitions.clone_from(remembered),
                        false => remembered.clone_from(&definitions),
                    }
                }
                Rows::new(plan, &definitions, extended, binary.is_some())
            });
            rows.rewritten(&packet.payload, plan)
        } else {
            None
        };
        match row {
            Some(row) => out.packet(&row).await?,
            None => out.packet(&packet.payload).await?,
        }
        if seen == Seen::End {
            break;
        }
    }
    out.flush().await?;
    relay.server.resume();
    Ok(())
}

/// The rows of a result.
struct Rows {
    header: Header,
    /// The types of the columns, in the binary protocol.
    kinds: Option<Vec<u8>>,
}

impl Rows {
    fn new(plan: &Describe, definitions: &[Bytes], extended: bool, is_binary: bool) -> Self {
        let columns = definitions.iter().map(|d| Column::parse(d, extended));
        let columns: Vec<Option<Column>> = columns.collect();
        let headings = columns.iter().map(|column| Heading {
            name: column.map_or_else(Vec::new, |c| c.name.to_vec()),
        });
        let kinds = columns.iter().map(|c| c.map_or(binary::BLOB, |c| c.kind()));
        Self {
            header: plan.header(&headings.collect::<Vec<_>>()),
            kinds: is_binary.then(|| kinds.collect()),
        }
    }

    /// The row as the view has it; `None` if it stays as it is.
    fn rewritten(&self, payload: &[u8], plan: &Describe) -> Option<Vec<u8>> {
        let cells: Option<Vec<Cell>> = match &self.kinds {
            None => row::cells(payload).collect(),
            // All are texts, or the row is none that is known.
            Some(kinds) if kinds.iter().all(|k| binary::layout(*k) == Layout::Str) => {
                binary::cells(payload, kinds).collect()
            }
            Some(_) => None,
        };
        let mut fields: Vec<Field> = cells?
            .into_iter()
            .map(|cell| cell.value.map(|value| payload[value].to_vec()))
            .collect();
        if !plan.rewrite(&self.header, &mut fields) {
            return None;
        }
        Some(match self.kinds {
            None => text_row(&fields),
            Some(_) => binary::texts(&fields),
        })
    }
}

fn text_row(fields: &[Field]) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields {
        match field {
            Some(value) => lenenc::push_str(&mut out, value),
            None => out.push(row::NULL),
        }
    }
    out
}
