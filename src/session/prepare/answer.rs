//! `COM_STMT_PREPARE` of a statement that something must be known of.
//!
//! 1. The statement has been planned. A value for a codec column that stands in the text is
//!    stored when the statement is executed, not before: such a literal (or expression, which the
//!    server is asked for then) becomes one more parameter, which the client does not see. (A literal that is stored as it is written stays
//!    where it is.)
//! 2. The statement goes to the server.
//! 3. Its answer is collected. The client is told of its own parameters only; those that go to
//!    codec columns, and the columns of the result, are announced as the view has them.
//! 4. What is known of the statement is kept under its id.
//!
//! An answer that does not fit the plan: the statement is closed again, and refused.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::inline::Inline;
use super::long::LongData;
use super::{Describing, Planned, Record, Slot, Translated, What};
use crate::catalog::Index;
use crate::codec::{HEAD_LEN, Notation};
use crate::config::Limits;
use crate::plan::{self, Edit, Plan, Read, Source, Write};
use crate::refusal::Refusal;
use crate::session::coded::Coded;
use crate::session::connection::link::Outgoing;
use crate::session::context::SessionContext;
use crate::session::read::columns::Meaning;
use crate::session::read::origin;
use crate::session::refuse;
use crate::session::relay::{Relay, Statement};
use crate::session::write::values;
use crate::wire::column::Column;
use crate::wire::command;
use crate::wire::reply;
use crate::wire::response::{Seen, Shape};

/// The answer to a prepare holds definitions only.
const PACKET: u64 = 16 << 20;
/// Where the server says how many columns there are.
const COLUMNS: Range<usize> = 5..7;
/// Where it says how many parameters.
const PARAMETERS: Range<usize> = 7..9;

/// What is needed to prepare a statement.
pub struct Preparing<'a> {
    /// The catalog.
    pub index: &'a Index,
    /// The session's state on the server.
    pub context: &'a SessionContext,
    /// The places of the statement's parameters in its text.
    pub parameters: Vec<usize>,
    /// Bounds.
    pub limits: &'a Limits,
}

/// Prepares a statement that is to be remembered.
pub async fn prepare(
    relay: &mut Relay,
    preparing: Preparing<'_>,
    statement: Statement,
    plan: Plan,
) -> io::Result<Result<(), Refusal>> {
    let (text, what) = match preparing.known(relay, &statement, plan) {
        Ok(known) => known,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let seq = statement.seq;
    let statement = match text {
        None => statement,
        Some(text) => Statement {
            payload: [&statement.payload[..1], &text].concat().into(),
            packet: None,
            ..statement
        },
    };
    relay.forward(&statement);
    drop(statement);
    relay.server.flush_unsent().await?;
    let packets = collect(relay).await?;
    let Some(id) = prepared_id(&packets) else {
        relay.prepared.other();
        return tell(relay, seq, &packets).await.map(Ok);
    };
    let told = match &what {
        What::Translated(translated) => {
            let answer = Answer {
                translated,
                meaning: preparing.meaning(relay, &translated.plan.read.columns),
                shape: relay.responses.shape(),
            };
            answer.told(packets)
        }
        What::Describing(_) => {
            let definitions = result_columns(&packets, relay.responses.shape());
            Ok((packets, definitions))
        }
        What::Passing | What::Ddl(_) | What::Inline(_) => Ok((packets, Vec::new())),
    };
    let (packets, definitions) = match told {
        Ok(told) => told,
        Err(refusal) => {
            let [a, b, c, d] = id.to_le_bytes();
            let close = [command::STMT_CLOSE, a, b, c, d];
            relay.server.write_packet(0, &close).await?;
            return Ok(Err(refusal));
        }
    };
    let view = match &what {
        What::Ddl(_) => None,
        What::Passing | What::Describing(_) | What::Translated(_) | What::Inline(_) => {
            Some(relay.choice.view)
        }
    };
    let mut record = Record { view, what };
    match &mut record.what {
        What::Translated(translated) => translated.definitions = definitions,
        What::Describing(describing) => describing.definitions = definitions,
        What::Passing | What::Ddl(_) | What::Inline(_) => {}
    }
    relay.prepared.remember(id, record);
    tell(relay, seq, &packets).await.map(Ok)
}

impl Preparing<'_> {
    /// What is known of a statement by its plan; with the text that is prepared in its place, if
    /// that is another.
    fn known(
        &self,
        relay: &Relay,
        statement: &Statement,
        plan: Plan,
    ) -> Result<(Option<Vec<u8>>, What), Refusal> {
        let text = &statement.payload[1..];
        let keeps = match &plan {
            Plan::Write(write) => {
                (write.cells.iter()).any(|cell| !matches!(cell.source, Source::Parameter(_)))
            }
            Plan::Inline => true,
            _ => false,
        };
        let kept = if keeps { text.len() as u64 } else { 0 };
        relay.prepared.has_room(kept, self.limits)?;
        let edited = |edits: &[Edit]| (!edits.is_empty()).then(|| plan::rewritten(text, edits));
        match plan {
            Plan::Ddl(ddl) => Ok((None, What::Ddl(ddl))),
            Plan::Declare(declare) => Ok((edited(&declare.edits), What::Ddl(declare.ddl))),
            Plan::Read(read) => {
                let planned = self.reading(read);
                let text = edited(&planned.read.edits);
                Ok((text, What::Translated(Translated::new(planned))))
            }
            Plan::Write(write) => {
                let planned = Planned {
                    kept,
                    ..self.writing(relay, &statement.payload.slice(1..), write)?
                };
                let bound = planned.bound();
                let bound = bound.map(|cell| Edit {
                    span: planned.write.cells[cell].span.clone(),
                    text: b"?".to_vec(),
                });
                let mut edits: Vec<Edit> = bound.chain(planned.write.edits.clone()).collect();
                edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
                let text = edited(&edits);
                Ok((text, What::Translated(Translated::new(planned))))
            }
            Plan::Describe(plan) => {
                let definitions = Vec::new();
                let describing = Describing { plan, definitions };
                Ok((None, What::Describing(Box::new(describing))))
            }
            Plan::Inline => {
                let inline = Inline {
                    text: Bytes::copy_from_slice(text),
                    places: self.parameters.clone(),
                    kinds: Vec::new(),
                    long: LongData::default(),
                    context: self.context.clone(),
                };
                Ok((None, What::Inline(Box::new(inline))))
            }
            Plan::Pass
            | Plan::Prepare(_)
            | Plan::Handler(_)
            | Plan::Several
            | Plan::Choose(_)
            | Plan::Ask(_)
            | Plan::Load(_) => Ok((None, What::Passing)),
        }
    }

    fn reading(&self, read: Read) -> Planned {
        let slot = |n: usize| match read.hashed.contains(&n) {
            true => Slot::Hashed(n),
            false => Slot::Client(n),
        };
        Planned {
            write: Write::default(),
            columns: Vec::new(),
            slots: (0..self.parameters.len()).map(slot).collect(),
            count: self.parameters.len(),
            read,
            context: self.context.clone(),
            expressions: Vec::new(),
            has_results: true,
            kept: 0,
        }
    }

    fn writing(&self, relay: &Relay, text: &Bytes, write: Write) -> Result<Planned, Refusal> {
        let manner = relay.choice.manner();
        let mut expressions = Vec::new();
        // All that a plan has, so that nothing of it is forgotten here.
        let Write {
            cells,
            keys,
            // Run as a text, or refused, by `examine_prepared`.
            lookup: _,
            copied: _,
            // Put into the text.
            edits: _,
            hashed,
            returned,
        } = &write;
        let returned = returned.clone();
        let mut columns = Vec::with_capacity(cells.len());
        // Places in the text, and what stands there for the server.
        let mut slots: Vec<(usize, Slot)> = (self.parameters.iter().enumerate())
            .map(|(n, place)| match hashed.contains(&n) {
                true => (*place, Slot::Hashed(n)),
                false => (*place, Slot::Client(n)),
            })
            .collect();
        for (number, cell) in cells.iter().enumerate() {
            let column = Arc::new(Coded::new(&cell.table, cell.column)?);
            let key = keys.get(cell.row).map_or(&[][..], |key| &key.parts);
            if column.chain.needs_key() && key.is_empty() {
                return Err(Refusal::unsupported(
                    &column.name,
                    "its objects are named by the primary key, which is not in the statement",
                    "name the whole key, or send the statement as text",
                ));
            }
            match &cell.source {
                Source::Parameter(n) => match slots.get_mut(*n) {
                    Some((_, slot)) => *slot = Slot::Cell(*n, number),
                    None => return Err(unexpected(&column.name)),
                },
                Source::Literal(literal) if column.is_unchanged(&manner) => {
                    let checked = column.chain.validate_head(&literal.head(HEAD_LEN));
                    checked.map_err(|e| refuse::written(&column.name, Notation::Bytes, e))?;
                }
                Source::Literal(_) => slots.push((cell.span.start, Slot::Text(number))),
                Source::Expression => {
                    if self.parameters.iter().any(|at| cell.span.contains(at)) {
                        return Err(Refusal::unsupported(
                            &column.name,
                            "its value is made of parameters",
                            "bind the value itself",
                        ));
                    }
                    let text = text.slice(cell.span.clone());
                    expressions.push((number, values::expression(cell, text, &manner)));
                    slots.push((cell.span.start, Slot::Text(number)));
                }
            }
            columns.push(column);
        }
        slots.sort_by_key(|(place, slot)| (*place, matches!(slot, Slot::Text(_))));
        Ok(Planned {
            write,
            columns,
            slots: slots.into_iter().map(|(_, slot)| slot).collect(),
            count: self.parameters.len(),
            has_results: returned.is_some(),
            read: returned.unwrap_or_else(Read::announced),
            context: self.context.clone(),
            expressions,
            kept: 0,
        })
    }

    fn meaning<'a>(&'a self, relay: &Relay, lineage: &'a plan::Lineage) -> Meaning<'a> {
        Meaning {
            lineage,
            index: self.index,
            view: relay.choice.view,
            charset: self.context.results,
        }
    }
}

/// All packets of the server's answer.
async fn collect(relay: &mut Relay) -> io::Result<Vec<Bytes>> {
    let mut packets = Vec::new();
    loop {
        let packet = relay.server.read_packet(PACKET).await?;
        let seen = relay.responses.whole_packet(&packet.payload);
        packets.push(packet.payload);
        if seen == Seen::End {
            relay.server.resume();
            return Ok(packets);
        }
    }
}

/// Sends an answer to the client.
async fn tell(relay: &mut Relay, seq: u8, packets: &[Bytes]) -> io::Result<()> {
    let mut out = Outgoing::new(&mut relay.client, seq.wrapping_add(1));
    for packet in packets {
        out.packet(packet).await?;
    }
    out.flush().await.map(drop)
}

/// The statement's id, if the server has prepared it.
fn prepared_id(packets: &[Bytes]) -> Option<u32> {
    match packets.first()?.as_ref() {
        [reply::OK, a, b, c, d, ..] => Some(u32::from_le_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

/// The definitions of the result's columns in an answer, if they are there.
fn result_columns(packets: &[Bytes], shape: Shape) -> Vec<Bytes> {
    let count = |at: Range<usize>| {
        let count = packets[0].get(at).and_then(|b| <[u8; 2]>::try_from(b).ok());
        count.map_or(0, |count| usize::from(u16::from_le_bytes(count)))
    };
    let (columns, parameters) = (count(COLUMNS), count(PARAMETERS));
    let end = usize::from(parameters > 0 && !shape.deprecate_eof);
    let first = 1 + parameters + end;
    let definitions = packets.get(first..first + columns);
    definitions.map_or_else(Vec::new, <[Bytes]>::to_vec)
}

/// The server's answer about a statement that is translated.
struct Answer<'a> {
    translated: &'a Translated,
    meaning: Meaning<'a>,
    shape: Shape,
}

impl Answer<'_> {
    /// What the client is told in place of these packets; and the definitions of the result's
    /// columns, as the server has them.
    fn told(&self, packets: Vec<Bytes>) -> Result<(Vec<Bytes>, Vec<Bytes>), Refusal> {
        let plan = &self.translated.plan;
        let count = |at: Range<usize>| {
            let count = packets[0].get(at).and_then(|b| <[u8; 2]>::try_from(b).ok());
            count.map(|count| usize::from(u16::from_le_bytes(count)))
        };
        let (Some(columns), Some(parameters)) = (count(COLUMNS), count(PARAMETERS)) else {
            return Err(unexpected("this statement"));
        };
        if parameters != plan.slots.len() {
            return Err(unexpected("this statement"));
        }
        let mut first = packets[0].to_vec();
        // No more than there are for the server.
        first[PARAMETERS].copy_from_slice(&(plan.count as u16).to_le_bytes());
        let mut told = vec![first.into()];
        let end = |count: usize| usize::from(count > 0 && !self.shape.deprecate_eof);
        let before = 1 + parameters + end(parameters);
        let after = before + columns + end(columns);
        if packets.len() != after {
            // Definitions that were left out (MySQL's optional metadata); for a client without
            // parameters the EOF packet after theirs is one too many.
            let dropped = if plan.count == 0 { end(parameters) } else { 0 };
            told.extend_from_slice(packets.get(1 + dropped..).unwrap_or_default());
            return Ok((told, Vec::new()));
        }
        for (slot, packet) in plan.slots.iter().zip(&packets[1..]) {
            match slot {
                Slot::Client(_) | Slot::Hashed(_) => told.push(packet.clone()),
                Slot::Cell(_, cell) => told.push(self.parameter(*cell, packet)),
                Slot::Text(_) => {}
            }
        }
        if plan.count > 0 {
            told.extend_from_slice(&packets[1 + parameters..before]);
        }
        // MariaDB tells the columns of RETURNING only when the statement is executed.
        if columns == 0 {
            return Ok((told, Vec::new()));
        }
        let definitions = packets[before..before + columns].to_vec();
        let (shown, announced) = self
            .meaning
            .columns(&definitions, self.shape.extended_metadata)?;
        shown.check_binary()?;
        for (packet, announced) in definitions.iter().zip(announced) {
            told.push(announced.map_or_else(|| packet.clone(), Bytes::from));
        }
        told.extend_from_slice(&packets[before + columns..]);
        Ok((told, definitions))
    }

    /// A parameter that goes to a codec column, as the view shows the column.
    fn parameter(&self, cell: usize, packet: &Bytes) -> Bytes {
        let coded = &self.translated.plan.columns[cell];
        let definition = Column::parse(packet, self.shape.extended_metadata);
        match (definition, coded.codec()) {
            (Some(definition), Some(codec)) => {
                origin::announced(&definition, self.meaning.view.shape(codec)).into()
            }
            _ => packet.clone(),
        }
    }
}

/// An answer that does not fit what was found out about the statement.
fn unexpected(column: &str) -> Refusal {
    Refusal::unsupported(
        column,
        "the server counts other parameters in the statement than codec-proxy",
        "send it as text",
    )
}
