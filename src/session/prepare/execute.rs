//! A command on a prepared statement that something is known of.
//!
//! An execution of one that is translated:
//!
//! 1. The command is read, up to `limits.statement_bytes`, and the parameters are cut out of it. A
//!    command that cannot be understood, or a table that is not what it was when the statement was
//!    prepared: refused, nothing was sent or stored.
//!    So is one whose expressions the server does not evaluate; it is [asked](evaluate) for them.
//! 2. The values for codec columns are [encoded](super::values), their objects stored. A value
//!    that a codec does not take, a limit or a store that fails: refused; objects that were put
//!    stay as orphans. What the server has of the parameters already, in pieces, it drops.
//! 3. The command is sent with these parameters replaced. Failures from here on as in
//!    [`write`](crate::session::write).
//! 4. Of a statement with results the rows are [decoded](crate::session::read). A cursor's come
//!    with `COM_STMT_FETCH`, and their columns are those of the execution.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;

use super::long::{self, Come, LongData};
use super::values::{Bound, Translating};
use super::{Describing, LAST, Last, Planned, What, bulk, id};
use crate::catalog::Index;
use crate::plan::Ddl;
use crate::refusal::Refusal;
use crate::session::connection::link::{Outgoing, Packet};
use crate::session::context::SessionContext;
use crate::session::declare;
use crate::session::describe;
use crate::session::read;
use crate::session::read::columns::Meaning;
use crate::session::refuse::Failure;
use crate::session::relay::Relay;
use crate::session::shared::Shared;
use crate::session::write::evaluate::{self, Expression};
use crate::sql::literal::Literal;
use crate::wire::command;
use crate::wire::packet::{self, HEADER};
use crate::wire::parameters::{self, Execute, Given, Kind, Known, Malformed};
use crate::wire::reply;
use crate::wire::response::Seen;

/// The command and the statement's id.
pub const HEAD: usize = 5;
/// Where an execution has its flags.
const FLAGS: usize = 5;
/// The answer to `COM_STMT_RESET`.
const ANSWER: u64 = 16 << 20;

/// What is needed to run a command.
#[derive(Clone, Copy)]
pub struct Running<'a> {
    pub shared: &'a Shared,
    pub index: &'a Index,
    pub context: &'a SessionContext,
}

/// Runs the command whose packets are next in the client's link; no response is under way.
pub async fn run(relay: &mut Relay, running: Running<'_>) -> io::Result<()> {
    let head = relay.client.peek_packet(HEAD).await?;
    let (Some(&command), Some(id)) = (head.first(), id(&head)) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let limit = running.shared.limits.statement_bytes;
    if id == LAST && relay.prepared.last == Last::Refused {
        let packet = relay.client.read_packet(limit).await?;
        return match command {
            command::STMT_SEND_LONG_DATA => Ok(()),
            _ => refuse(relay, packet.seq, &Refusal::unknown_statement()).await,
        };
    }
    let id = relay.prepared.resolve(id).unwrap_or(id);
    // The server's own last statement need not be the one that the client means.
    relay.client.carry[HEADER + 1..HEADER + HEAD].copy_from_slice(&id.to_le_bytes());
    let what = relay.prepared.by_id.get(&id).map(|record| &record.what);
    let ddl = match what {
        Some(What::Ddl(ddl)) => Some(ddl.clone()),
        _ => None,
    };
    let describing = match what {
        Some(What::Describing(describing)) => Some((**describing).clone()),
        _ => None,
    };
    if let (command::STMT_SEND_LONG_DATA, Some(What::Translated(_) | What::Inline(_))) =
        (command, what)
    {
        return long::receive(relay, running.shared, id).await;
    }
    let packet = relay.client.read_packet(limit).await?;
    if let Some(ddl) = ddl {
        return self::ddl(relay, running, command, packet, &ddl).await;
    }
    if let Some(describing) = describing {
        return describe(relay, running, (id, command), packet, describing).await;
    }
    match command {
        command::STMT_EXECUTE | command::STMT_BULK_EXECUTE => {
            let seq = packet.seq;
            match execute(relay, running, id, command, packet).await? {
                Ok(()) => Ok(()),
                Err(Failure::Refusal(refusal)) => refuse(relay, seq, &refusal).await,
                Err(Failure::Server(packet)) => answer(relay, seq, &packet).await,
            }
        }
        command::STMT_FETCH if relay.prepared.translated(id).is_some() => {
            fetch(relay, running, id, packet).await
        }
        _ => {
            if let Some(long) = relay.prepared.long(id) {
                *long = LongData::default();
            }
            relay.server.write_packet(0, &packet.payload).await?;
            relay.responses.sent(command::expect(command));
            Ok(())
        }
    }
}

/// Relays an execution of DDL; the catalog is read anew.
async fn ddl(
    relay: &mut Relay,
    running: Running<'_>,
    command: u8,
    packet: Packet,
    ddl: &Ddl,
) -> io::Result<()> {
    relay.server.write_packet(0, &packet.payload).await?;
    relay.responses.sent(command::expect(command));
    declare::respond(relay, &running.shared.catalog, packet.seq, ddl).await
}

/// Relays an execution of a statement that describes columns.
async fn describe(
    relay: &mut Relay,
    running: Running<'_>,
    (id, command): (u32, u8),
    packet: Packet,
    mut describing: Describing,
) -> io::Result<()> {
    let mut payload = packet.payload.to_vec();
    if command == command::STMT_EXECUTE
        && let Some(flags) = payload.get_mut(FLAGS)
    {
        // Without a cursor: its rows would come by other commands.
        *flags = 0;
    }
    if let Some(table) = &mut describing.plan.table {
        let (schema, name) = (table.schema.as_bytes(), table.name.as_bytes());
        *table = running.index.table(schema, name).unwrap_or(table).clone();
    }
    relay.server.write_packet(0, &payload).await?;
    relay.responses.sent(command::expect(command));
    let definitions = &mut describing.definitions;
    describe::respond(relay, &describing.plan, packet.seq, Some(definitions)).await?;
    if let Some(record) = relay.prepared.by_id.get_mut(&id) {
        record.what = What::Describing(Box::new(describing));
    }
    Ok(())
}

async fn execute(
    relay: &mut Relay,
    running: Running<'_>,
    id: u32,
    command: u8,
    packet: Packet,
) -> io::Result<Result<(), Failure>> {
    let manner = relay.choice.manner();
    let Some(translated) = relay.prepared.translated(id) else {
        return Ok(Err(Refusal::unknown_statement().into()));
    };
    let plan = translated.plan.clone();
    let long = std::mem::take(&mut translated.long);
    let kinds = translated.kinds.clone();
    let is_with_server = long.is_with_server();
    let translated = match plan.holds(running.index, running.context) {
        Err(refusal) => Err(refusal.into()),
        Ok(()) => match evaluated(relay, running, &plan).await? {
            Err(failure) => Err(failure),
            Ok(found) => {
                let translating = Translating {
                    shared: running.shared,
                    manner,
                    charset: &running.context.charset,
                    plan: &plan,
                    payload: &packet.payload,
                    found: &found,
                };
                let known = Known {
                    count: plan.count,
                    kinds: &kinds,
                    named: relay.responses.shape().query_attributes,
                    apart: &[],
                };
                let parts = match command {
                    command::STMT_BULK_EXECUTE => bulk::translate(&translating, &kinds).await,
                    _ => translate(&translating, known, long).await,
                };
                parts.map_err(Failure::from)
            }
        },
    };
    let (parts, kinds) = match translated {
        Ok(translated) => translated,
        Err(failure) => {
            if is_with_server {
                reset(relay, id).await?;
            }
            return Ok(Err(failure));
        }
    };
    let Packet { seq, payload } = packet;
    drop(payload);
    if let Some(translated) = relay.prepared.translated(id) {
        translated.kinds = kinds;
    }
    let total = send(relay, command, parts).await?;
    if !plan.has_results {
        relay.seq_shift = seq
            .wrapping_add(1)
            .wrapping_sub(packet::chunks(total) as u8);
        return Ok(Ok(()));
    }
    respond(relay, running, id, &plan, seq).await.map(Ok)
}

/// The values of a statement's expressions, in their order; `None` for NULL.
async fn evaluated(
    relay: &mut Relay,
    running: Running<'_>,
    plan: &Planned,
) -> io::Result<Result<Vec<Option<Literal>>, Failure>> {
    if plan.expressions.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let expressions = plan.expressions.iter().map(|(_, e)| e.clone());
    let expressions: Vec<Expression> = expressions.collect();
    evaluate::ask(relay, &expressions, running.shared.limits.row_bytes).await
}

/// The command with the parameters of codec columns replaced; and the types that the client has
/// bound.
async fn translate(
    translating: &Translating<'_>,
    known: Known<'_>,
    long: LongData,
) -> Result<(Vec<Bytes>, Vec<Kind>), Refusal> {
    let (plan, payload) = (translating.plan, translating.payload);
    let apart = long.numbers();
    let known = Known {
        apart: &apart,
        ..known
    };
    let execute = Execute::parse(payload, known).map_err(malformed)?;
    let come: BTreeMap<usize, Come> = long.come().await?;
    let bound: Vec<Bound> = (execute.parameters.iter().enumerate())
        .map(|(n, parameter)| match (&parameter.given, come.get(&n)) {
            (Given::Value { content, .. }, _) => Bound::Value(parameter.kind, content),
            (Given::Apart, Some(come)) => Bound::Apart(parameter.kind, come),
            (Given::Null | Given::Apart, _) => Bound::Null,
        })
        .collect();
    let mut replaced = translating.rows(&[bound]).await?.pop().unwrap_or_default();
    let sent: Vec<parameters::Sent> = (plan.slots.iter().zip(&mut replaced))
        .map(|(slot, replaced)| match (replaced.take(), slot.client()) {
            (Some(value), _) => parameters::Sent::Value(value),
            (None, Some(n)) => parameters::Sent::Same(n),
            (None, None) => parameters::Sent::Value(parameters::Replaced::Null),
        })
        .collect();
    let parts = execute.rebuilt(payload, &sent, plan.count);
    let total: u64 = parts.iter().map(|part| part.len() as u64).sum();
    check_total(total, translating.shared.limits.statement_bytes)?;
    Ok((parts, execute.kinds()))
}

/// An error if a command has become longer than `limits.statement_bytes`.
pub fn check_total(total: u64, limit: u64) -> Result<(), Refusal> {
    match total > limit {
        true => Err(Refusal::limit(
            "the command with its values encoded is longer than limits.statement_bytes",
        )),
        false => Ok(()),
    }
}

/// Tells a client that its command cannot be read.
pub fn malformed(error: Malformed) -> Refusal {
    Refusal::arguments(&format!(
        "this prepared statement cannot be executed: {error}"
    ))
}

/// Sends a command; gives how many bytes it has.
async fn send(relay: &mut Relay, command: u8, parts: Vec<Bytes>) -> io::Result<u64> {
    let total = parts.iter().map(|part| part.len() as u64).sum();
    let mut out = Outgoing::new(&mut relay.server, 0);
    out.begin(total);
    for part in parts {
        out.part(&part).await?;
    }
    out.flush().await?;
    relay.responses.sent(command::expect(command));
    Ok(total)
}

/// Rows of a cursor.
async fn fetch(relay: &mut Relay, running: Running<'_>, id: u32, packet: Packet) -> io::Result<()> {
    let Some(translated) = relay.prepared.translated(id) else {
        return refuse(relay, packet.seq, &Refusal::unknown_statement()).await;
    };
    let plan = translated.plan.clone();
    relay.server.write_packet(0, &packet.payload).await?;
    relay.responses.sent(command::expect(command::STMT_FETCH));
    respond(relay, running, id, &plan, packet.seq).await
}

/// Relays a response, decoded.
async fn respond(
    relay: &mut Relay,
    running: Running<'_>,
    id: u32,
    plan: &Planned,
    seq: u8,
) -> io::Result<()> {
    let meaning = Meaning {
        lineage: &plan.read.columns,
        index: running.index,
        view: relay.choice.view,
        charset: running.context.results,
    };
    let translated = relay.prepared.translated(id);
    let mut definitions = translated.map_or_else(Vec::new, |t| std::mem::take(&mut t.definitions));
    read::respond(relay, running.shared, meaning, seq, Some(&mut definitions)).await?;
    if let Some(translated) = relay.prepared.translated(id) {
        translated.definitions = definitions;
    }
    Ok(())
}

/// Has the server drop what it has of a statement's parameters.
async fn reset(relay: &mut Relay, id: u32) -> io::Result<()> {
    let [a, b, c, d] = id.to_le_bytes();
    let reset = [command::STMT_RESET, a, b, c, d];
    relay.server.write_packet(0, &reset).await?;
    relay.responses.sent(command::expect(command::STMT_RESET));
    loop {
        let packet = relay.server.read_packet(ANSWER).await?;
        if relay.responses.whole_packet(&packet.payload) == Seen::End {
            relay.server.resume();
            return Ok(());
        }
    }
}

async fn refuse(relay: &mut Relay, seq: u8, refusal: &Refusal) -> io::Result<()> {
    tracing::info!(error = %refusal, "statement refused");
    relay.tell_refused(refusal);
    answer(relay, seq, &reply::err(refusal)).await
}

/// Answers a command of the client in place of the server.
async fn answer(relay: &mut Relay, seq: u8, packet: &[u8]) -> io::Result<()> {
    let written = relay.client.write_packet(seq.wrapping_add(1), packet);
    written.await.map(drop)
}
