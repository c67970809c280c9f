//! DDL in the prepared-statement protocol: what is prepared changes nothing, what is executed
//! must be seen in the catalog before the client has its answer. So the session remembers which
//! of its prepared statements are DDL, by the ids that the server gave them.
//!
//! A statement on codec tables means something else in another view: what it was prepared for is
//! what its client still sends and expects. When the session chooses another view, such
//! statements are closed on the server, so that executing one is an error.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use super::declare;
use super::relay::{Relay, Statement};
use crate::catalog::Catalog;
use crate::plan::Ddl;
use crate::view::View;
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

/// The prepared statements of a session that something is to be known of.
#[derive(Debug, Default)]
pub struct Prepared {
    by_id: HashMap<u32, Ddl>,
    last: Option<Ddl>,
    /// Statements that name codec tables, with the view that they were prepared in.
    views: HashMap<u32, View>,
    /// What is known of statements prepared by `PREPARE`.
    named: Named,
}

/// The statements that a session has prepared under names.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Named {
    #[default]
    None,
    /// All in the present view.
    Present,
    /// Some in another: which is not known, as the server alone has the names.
    Others,
}

/// Why a statement is remembered.
#[derive(Debug)]
pub enum Reason {
    /// Its execution changes the catalog.
    Ddl(Ddl),
    /// It names a codec table.
    Codec,
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

    /// A statement was prepared under a name.
    pub fn name(&mut self) {
        if self.named == Named::None {
            self.named = Named::Present;
        }
    }

    /// Whether a name may stand for a statement that was prepared in another view.
    pub fn names_others(&self) -> bool {
        self.named == Named::Others
    }

    /// Whether statements on codec tables are remembered: then it matters which are closed.
    pub fn any_of_views(&self) -> bool {
        !self.views.is_empty()
    }

    /// The client closes a statement by this command.
    pub fn closed(&mut self, payload: &[u8]) {
        if let Some(id) = id(payload) {
            self.views.remove(&id);
        }
    }

    /// Forgets the statements of other views; gives their ids.
    fn of_others(&mut self, view: View) -> Vec<u32> {
        let others = self.views.extract_if(|_, prepared| *prepared != view);
        others.map(|(id, _)| id).collect()
    }

    /// What the execution of this command changes, if it is that of DDL.
    pub fn executed(&self, payload: &[u8]) -> Option<&Ddl> {
        match id(payload)? {
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

/// The statement's id in a command.
fn id(payload: &[u8]) -> Option<u32> {
    let id = payload.get(1..5)?.try_into().ok()?;
    Some(u32::from_le_bytes(id))
}

/// Ends the statements that were prepared in another view than the present, on codec tables or
/// under a name; `before` is the view until now.
pub async fn close_others(relay: &mut Relay, before: View) -> io::Result<()> {
    if before != relay.choice.view && relay.prepared.named == Named::Present {
        relay.prepared.named = Named::Others;
    }
    for id in relay.prepared.of_others(relay.choice.view) {
        let [a, b, c, d] = id.to_le_bytes();
        let close = [command::STMT_CLOSE, a, b, c, d];
        relay.server.write_packet(0, &close).await?;
    }
    Ok(())
}

/// Relays the preparation of a statement that is to be remembered.
pub async fn prepare(relay: &mut Relay, statement: Statement, reason: Reason) -> io::Result<()> {
    let view = relay.choice.view;
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
    match (id, reason) {
        (Some(id), Reason::Ddl(ddl)) => relay.prepared.remember(id, ddl),
        (Some(id), Reason::Codec) => {
            relay.prepared.other();
            relay.prepared.views.insert(id, view);
        }
        (None, _) => relay.prepared.other(),
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
