//! DDL in the prepared-statement protocol: what is prepared changes nothing, what is executed
//! must be seen in the catalog before the client has its answer. So the session remembers which
//! of its prepared statements are DDL, by the ids that the server gave them.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use super::declare;
use super::relay::{Relay, Statement};
use crate::catalog::Catalog;
use crate::plan::Ddl;
use crate::wire::command;
use crate::wire::reply;
use crate::wire::response::Seen;

/// The answer to a prepare holds definitions only.
const PACKET: u64 = 16 << 20;
/// `COM_STMT_EXECUTE` of a statement without parameters is no longer than this, in bytes.
pub const EXECUTE: usize = 32;
/// MariaDB's id for "the statement prepared last", which lets a client pipeline both commands.
const LAST: u32 = u32::MAX;
/// Statements that are remembered. A client that prepares more has closed the old ones, or will
/// have its DDL noticed by the catalog's own look, seconds later.
const REMEMBERED: usize = 256;

/// The prepared DDL of a session.
#[derive(Debug, Default)]
pub struct Prepared {
    by_id: HashMap<u32, Ddl>,
    last: Option<Ddl>,
}

impl Prepared {
    /// A statement was prepared that is no DDL.
    pub fn other(&mut self) {
        self.last = None;
    }

    /// Whether any DDL is remembered: then executions are looked at.
    pub fn any(&self) -> bool {
        !self.by_id.is_empty()
    }

    /// What the execution of this command changes, if it is that of DDL.
    pub fn executed(&self, payload: &[u8]) -> Option<&Ddl> {
        let id = payload.get(1..5)?;
        match u32::from_le_bytes([id[0], id[1], id[2], id[3]]) {
            LAST => self.last.as_ref(),
            id => self.by_id.get(&id),
        }
    }

    fn remember(&mut self, id: u32, ddl: Ddl) {
        if self.by_id.len() >= REMEMBERED {
            self.by_id.clear();
        }
        self.by_id.insert(id, ddl.clone());
        self.last = Some(ddl);
    }
}

/// Relays the preparation of DDL.
pub async fn prepare(relay: &mut Relay, statement: Statement, ddl: Ddl) -> io::Result<()> {
    let (mut out, server, responses) = relay.ask(&statement).await?;
    let mut id = None;
    loop {
        let first = responses.at_first();
        let packet = server.read_packet(PACKET).await?;
        let seen = responses.whole_packet(&packet.payload);
        if let (true, [reply::OK, a, b, c, d, ..]) = (first, &packet.payload[..]) {
            id = Some(u32::from_le_bytes([*a, *b, *c, *d]));
        }
        out.packet(&packet.payload).await?;
        if seen == Seen::End {
            break;
        }
    }
    out.flush().await?;
    relay.server.resume();
    match id {
        Some(id) => relay.prepared.remember(id, ddl),
        None => relay.prepared.other(),
    }
    Ok(())
}

/// Relays an execution; the catalog is read anew if it is that of DDL.
pub async fn execute(
    relay: &mut Relay,
    catalog: &Arc<Catalog>,
    seq: u8,
    payload: &[u8],
) -> io::Result<()> {
    let ddl = relay
        .prepared
        .executed(payload)
        .cloned()
        .unwrap_or_default();
    relay.server.write_packet(0, payload).await?;
    relay.responses.sent(command::expect(command::STMT_EXECUTE));
    declare::respond(relay, catalog, seq, &ddl).await
}
