//! `SHOW COLUMNS`, `DESCRIBE` and `SHOW CREATE TABLE`: the server's answer, with codec columns
//! shown as the view has them ([`crate::view::describe`]). Row by row; nothing is collected.

use std::io;

use super::relay::{Relay, Statement};
use crate::view::describe::{Describe, Header, Heading};
use crate::wire::column::Column;
use crate::wire::lenenc;
use crate::wire::response::Seen;
use crate::wire::row;

/// A row holds names, a type and a comment.
const PACKET: u64 = 16 << 20;

/// Sends the statement and relays its response, rewritten.
pub async fn run(relay: &mut Relay, statement: Statement, plan: &Describe) -> io::Result<()> {
    let (mut out, server, responses) = relay.ask(&statement).await?;
    let mut headings: Vec<Heading> = Vec::new();
    let mut header: Option<Header> = None;
    loop {
        let (at_column, in_rows) = (responses.at_column(), responses.in_rows());
        let packet = server.read_packet(PACKET).await?;
        let seen = responses.whole_packet(&packet.payload);
        let column = if at_column {
            Column::parse(&packet.payload, responses.shape().extended_metadata)
        } else {
            None
        };
        headings.extend(column.map(|c| Heading {
            name: c.name.to_vec(),
        }));
        let row = if in_rows && responses.in_rows() {
            let header = header.get_or_insert_with(|| plan.header(&headings));
            rewritten(&packet.payload, plan, header)
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

/// The row as the view has it; `None` if it stays as it is.
fn rewritten(payload: &[u8], plan: &Describe, header: &Header) -> Option<Vec<u8>> {
    let cells: Vec<_> = row::cells(payload).collect::<Option<_>>()?;
    let mut fields: Vec<_> = cells
        .into_iter()
        .map(|cell| cell.value.map(|value| payload[value].to_vec()))
        .collect();
    if !plan.rewrite(header, &mut fields) {
        return None;
    }
    let mut out = Vec::with_capacity(payload.len());
    for field in &fields {
        match field {
            Some(value) => lenenc::push_str(&mut out, value),
            None => out.push(row::NULL),
        }
    }
    Some(out)
}
