//! DDL: sent to the server, and seen in the catalog before the client has its answer, so that
//! the next statement of any session of this proxy knows the table as it now is.
//!
//! 1. The statement goes to the server; a declaration in its rewritten form.
//! 2. Its response is relayed, but for the last packet.
//! 3. The catalog reads the named tables anew. If it cannot, that is logged and its regular
//!    look at the server, seconds later, makes up for it.
//! 4. The last packet is relayed.

use std::io;
use std::sync::Arc;

use super::relay::{Relay, Statement};
use super::write;
use crate::catalog::Catalog;
use crate::plan::{Ddl, Declare};
use crate::session::connection::link::Outgoing;
use crate::wire::response::Seen;

/// A response to DDL is an OK or an ERR packet; of `ANALYZE` and relatives a few rows.
const PACKET: u64 = 64 << 20;

/// Runs a `CREATE TABLE` in its rewritten form.
pub async fn declare(
    relay: &mut Relay,
    catalog: &Arc<Catalog>,
    statement: Statement,
    plan: &Declare,
) -> io::Result<()> {
    let seq = statement.seq;
    let rewritten = plan.rewritten(&statement.payload[1..]);
    let segments = vec![statement.payload.slice(..1), rewritten.into()];
    write::send(relay, statement, segments).await?;
    respond(relay, catalog, seq, &plan.ddl).await
}

/// Runs DDL as the client wrote it.
pub async fn ddl(
    relay: &mut Relay,
    catalog: &Arc<Catalog>,
    statement: Statement,
    touched: &Ddl,
) -> io::Result<()> {
    relay.forward(&statement);
    relay.server.flush_unsent().await?;
    respond(relay, catalog, statement.seq, touched).await
}

/// Relays a response, with the catalog read anew before its last packet.
pub async fn respond(
    relay: &mut Relay,
    catalog: &Arc<Catalog>,
    seq: u8,
    touched: &Ddl,
) -> io::Result<()> {
    let Relay {
        client,
        server,
        responses,
        ..
    } = relay;
    let mut out = Outgoing::new(client, seq.wrapping_add(1));
    loop {
        let packet = server.read_packet(PACKET).await?;
        if responses.whole_packet(&packet.payload) == Seen::End {
            refresh(catalog, touched).await;
            out.packet(&packet.payload).await?;
            break;
        }
        out.packet(&packet.payload).await?;
    }
    out.flush().await?;
    relay.seq_shift = 0;
    relay.server.resume();
    Ok(())
}

async fn refresh(catalog: &Arc<Catalog>, touched: &Ddl) {
    let mut done = catalog.refresh_tables(&touched.tables).await;
    for schema in &touched.schemas {
        done = done.and(catalog.refresh_schema(schema).await);
    }
    if let Err(error) = done {
        tracing::warn!(%error, "the catalog could not be read after DDL");
    }
}
