//! `COM_STMT_SEND_LONG_DATA`: a value in pieces, before the statement that it is for.
//!
//! 1. A piece for a parameter that goes to no codec column, or to one that holds exactly what the
//!    client sends, goes to the server at once, as it arrives; of the latter the first bytes are
//!    kept, for its codec to check. (The server may know the parameter by another number.)
//! 2. Any other is [gathered](super::spool) here, as it arrives; neither a piece nor the value is
//!    held in memory as a whole. All that a session gathers is bounded by
//!    `limits.long_data_bytes`.
//! 3. The execution takes the values. `COM_STMT_RESET` and `COM_STMT_CLOSE` drop them.
//!
//! There is no answer to the command. What goes wrong is told when the statement is executed.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;

use super::spool::{Gathering, Spooled};
use super::{Slot, What};
use crate::codec::HEAD_LEN;
use crate::refusal::Refusal;
use crate::session::relay::Relay;
use crate::session::shared::Shared;
use crate::wire::packet::{self, HEADER, MAX_CHUNK};

/// The command, the statement's id and the parameter's number.
const HEAD: usize = 7;
/// Where the parameter's number is.
const NUMBER: std::ops::Range<usize> = 5..HEAD;
/// Bytes that are passed on at a time.
const PIECE: usize = 256 << 10;

/// What has come for a statement's parameters before its execution, by their number.
#[derive(Debug, Default)]
pub struct LongData {
    values: BTreeMap<usize, Long>,
}

/// What has come for one parameter.
#[derive(Debug)]
enum Long {
    /// It is with the server; of a codec column's the first bytes are known.
    Passed(Vec<u8>),
    /// It is gathered.
    Gathered(Gathering),
    /// It could not be.
    Failed(Refusal),
}

/// What has come for one parameter, all of it.
#[derive(Debug)]
pub enum Come {
    /// It is with the server, and begins with these bytes.
    Passed(Vec<u8>),
    /// The value.
    Gathered(Arc<Spooled>),
}

impl LongData {
    /// The numbers of the parameters, in their order.
    pub fn numbers(&self) -> Vec<usize> {
        self.values.keys().copied().collect()
    }

    /// Whether the server has some of it.
    pub fn is_with_server(&self) -> bool {
        let mut values = self.values.values();
        values.any(|value| matches!(value, Long::Passed(_)))
    }

    /// What it counts for against `limits.long_data_bytes`.
    pub fn charge(&self) -> u64 {
        let charge = |value: &Long| match value {
            Long::Gathered(gathering) => gathering.charge(),
            Long::Passed(_) | Long::Failed(_) => 0,
        };
        self.values.values().map(charge).sum()
    }

    /// The values, now that the statement is executed.
    pub async fn come(self) -> Result<BTreeMap<usize, Come>, Refusal> {
        let mut come = BTreeMap::new();
        for (number, value) in self.values {
            let value = match value {
                Long::Passed(head) => Come::Passed(head),
                Long::Gathered(gathering) => {
                    let spooled = gathering.finish().await;
                    Come::Gathered(Arc::new(spooled.map_err(|e| lost(&e))?))
                }
                Long::Failed(refusal) => return Err(refusal),
            };
            come.insert(number, value);
        }
        Ok(come)
    }
}

/// Receives a command on the statement `id`, which is translated; its packets are next in the
/// client's link.
pub async fn receive(relay: &mut Relay, shared: &Shared, id: u32) -> io::Result<()> {
    let head = relay.client.peek_packet(HEAD + HEAD_LEN).await?;
    let manner = relay.choice.manner();
    if let Some(What::Inline(inline)) = relay.prepared.record(id).map(|record| &record.what) {
        let count = inline.places.len();
        let number = head
            .get(NUMBER)
            .map(|b| usize::from(b[0]) | usize::from(b[1]) << 8);
        return match number.filter(|n| *n < count) {
            Some(number) => gather(relay, shared, id, number).await,
            None => pass(relay).await,
        };
    }
    let Some(translated) = relay.prepared.translated(id) else {
        return pass(relay).await;
    };
    let number = |bytes: &[u8]| usize::from(bytes[0]) | usize::from(bytes[1]) << 8;
    let number = head.get(NUMBER).map(number);
    let plan = translated.plan.clone();
    // A number that is none the server shall refuse.
    let Some((number, at)) = number.and_then(|n| Some((n, plan.server_parameter(n)?))) else {
        return pass(relay).await;
    };
    let is_gathered = match plan.slots[at] {
        Slot::Cell(_, cell) => !plan.columns[cell].is_unchanged(&manner),
        Slot::Hashed(_) => true,
        Slot::Client(_) | Slot::Text(_) => false,
    };
    if is_gathered {
        return gather(relay, shared, id, number).await;
    }
    let values = &mut translated.long.values;
    let value = values.entry(number).or_insert(Long::Passed(Vec::new()));
    if let Long::Passed(known) = value {
        let first = &head[HEAD..];
        let missing = HEAD_LEN.saturating_sub(known.len());
        known.extend_from_slice(&first[..first.len().min(missing)]);
    }
    // A server has no more parameters than this holds.
    let place = HEADER + NUMBER.start..HEADER + NUMBER.end;
    relay.client.carry[place].copy_from_slice(&(at as u16).to_le_bytes());
    pass(relay).await
}

/// Passes the client's next packets on, as they are, up to the end of a payload.
async fn pass(relay: &mut Relay) -> io::Result<()> {
    let Relay { client, server, .. } = relay;
    server.flush_unsent().await?;
    loop {
        client.fill(HEADER).await?;
        let (len, _) = packet::read_header(&client.carry).unwrap_or_default();
        let mut left = HEADER + len;
        while left > 0 {
            let piece = client.piece(left.min(PIECE)).await?;
            left -= piece.len();
            server.stream.write_all(&piece).await?;
        }
        if len < MAX_CHUNK {
            return server.stream.flush().await;
        }
    }
}

/// Gathers the client's next payload, but for its head.
async fn gather(relay: &mut Relay, shared: &Shared, id: u32, number: usize) -> io::Result<()> {
    let others = relay.prepared.long_data();
    let Some(long) = relay.prepared.long(id) else {
        return Ok(());
    };
    let known = long.values.remove(&number);
    let mut value = known.unwrap_or_else(|| Long::Gathered(Gathering::default()));
    let others = match &value {
        Long::Gathered(gathering) => others.saturating_sub(gathering.charge()),
        Long::Passed(_) | Long::Failed(_) => others,
    };
    let room = shared.limits.long_data_bytes.saturating_sub(others);
    let mut skipped = HEAD;
    loop {
        relay.client.fill(HEADER).await?;
        let header = relay.client.piece(HEADER).await?;
        let (len, _) = packet::read_header(&header).unwrap_or_default();
        let mut left = len;
        while left > 0 {
            let piece = relay.client.piece(left.min(PIECE)).await?;
            left -= piece.len();
            let piece = &piece[skipped.min(piece.len())..];
            skipped = 0;
            value = value.and(piece, room).await;
        }
        if len < MAX_CHUNK {
            break;
        }
    }
    if let Some(long) = relay.prepared.long(id) {
        long.values.insert(number, value);
    }
    Ok(())
}

impl Long {
    /// With one more piece; `room` is what it may count for.
    async fn and(self, piece: &[u8], room: u64) -> Self {
        let Self::Gathered(mut gathering) = self else {
            return self;
        };
        match gathering.push(piece).await {
            Ok(()) if gathering.charge() <= room => Self::Gathered(gathering),
            Ok(()) => Self::Failed(Refusal::limit(
                "values sent in pieces are longer than limits.long_data_bytes",
            )),
            Err(error) => Self::Failed(lost(&error)),
        }
    }
}

/// A value that could not be kept.
fn lost(error: &io::Error) -> Refusal {
    tracing::error!(%error, "a value sent in pieces was lost");
    Refusal::store("a value sent in pieces", "the proxy could not keep it")
}
