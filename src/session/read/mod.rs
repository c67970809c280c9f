//! A SELECT whose result holds codec columns: what is stored in, values out.
//!
//! 1. The statement goes to the server, with the edits of its plan.
//! 2. The definitions of a result are collected. Where each column comes from is known by the
//!    plan, or by them ([`origin`]); those that the view translates are announced as it shows
//!    them, everything else keeps its bytes.
//! 3. Rows are read ahead of the client, as far as `limits.prefetch_bytes` and a number of rows
//!    allow, and their values are fetched and decoded in parallel, up to `limits.store_parallel`
//!    ([`self::row`]).
//! 4. Rows go to the client in order. A value that is too large to be held next to others is not
//!    fetched ahead: it is passed through piece by piece, or decoded alone, at its turn.
//!
//! A column that cannot be told from others has an ERR packet in place of the result. Metadata that
//! cannot be read, a missing object, a wrong MD5, a limit or a store that fails ends the result
//! with one in place of the row. If that is found only when part of a
//! large value is with the client, its last piece is withheld and the connection ends.

pub mod columns;
pub mod guard;
pub mod origin;
pub mod row;

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;

use self::columns::{Columns, Meaning};
use self::row::{Means, Part, Ready, Row, first_ready};
use crate::catalog::Index;
use crate::metrics::{Phase, metrics};
use crate::plan::{self, Read};
use crate::refusal::Refusal;
use crate::session::connection::link::{Link, Outgoing};
use crate::session::context::ResultCharset;
use crate::session::relay::{Relay, Statement};
use crate::session::shared::Shared;
use crate::wire::binary;
use crate::wire::lenenc;
use crate::wire::reply;
use crate::wire::response::{Responses, Seen};

/// Rows that may be under way, besides the limit in bytes.
const ROWS: usize = 256;

/// Sends the statement and relays its response, decoded.
pub async fn run(
    relay: &mut Relay,
    shared: &Shared,
    index: &Index,
    charset: ResultCharset,
    mut statement: Statement,
    read: &Read,
) -> io::Result<()> {
    if !read.edits.is_empty() {
        let mut payload = vec![statement.command];
        payload.extend(plan::rewritten(&statement.payload[1..], &read.edits));
        statement.payload = payload.into();
        statement.packet = None;
    }
    let meaning = Meaning {
        lineage: &read.columns,
        index,
        view: relay.choice.view,
        charset,
    };
    relay.forward(&statement);
    relay.server.flush_unsent().await?;
    respond(relay, shared, meaning, statement.seq, None).await
}

/// Relays the response to a command that has been sent, decoded; `seq` is that of the client's
/// last packet. `binary`: in the binary protocol, with the definitions that its client remembers,
/// which become those of the last result.
pub async fn respond(
    relay: &mut Relay,
    shared: &Shared,
    meaning: Meaning<'_>,
    seq: u8,
    binary: Option<&mut Vec<Bytes>>,
) -> io::Result<()> {
    let means = Means::new(shared, relay.choice.manner());
    let mut results = Results {
        server: &mut relay.server,
        responses: &mut relay.responses,
        out: Outgoing::new(&mut relay.client, seq.wrapping_add(1)),
        shared,
        session: relay.entry.id,
        waited: Duration::ZERO,
        meaning,
        means,
        definitions: Vec::new(),
        columns: Columns::default(),
        binary,
    };
    results.relay().await?;
    results.out.flush().await?;
    if !results.waited.is_zero() {
        metrics().spent(Phase::Decode, results.waited);
    }
    relay.server.resume();
    Ok(())
}

/// The way of a result through the proxy.
struct Results<'a> {
    server: &'a mut Link,
    responses: &'a mut Responses,
    out: Outgoing<'a>,
    shared: &'a Shared,
    /// Its number.
    session: u64,
    /// How long rows have waited for their values.
    waited: Duration,
    meaning: Meaning<'a>,
    means: Means,
    /// What the client is not told before all definitions of a result are here: their number, and
    /// they.
    definitions: Vec<Bytes>,
    /// Those of the current result.
    columns: Columns,
    /// In the binary protocol: the definitions of the last result.
    binary: Option<&'a mut Vec<Bytes>>,
}

impl Results<'_> {
    async fn relay(&mut self) -> io::Result<()> {
        if self.responses.in_rows()
            && let Err(refusal) = self.fetched()
        {
            return self.fail(&refusal).await;
        }
        loop {
            if self.responses.in_rows() {
                match self.rows().await? {
                    Ok(Seen::End) => return Ok(()),
                    Ok(_) => self.columns = Columns::default(),
                    Err(refusal) => return self.fail(&refusal).await,
                }
                continue;
            }
            let is_definition = self.responses.at_column();
            let is_first = self.responses.at_first();
            let packet = self
                .server
                .read_packet(self.shared.limits.row_bytes)
                .await?;
            let seen = self.responses.whole_packet(&packet.payload);
            let more = self.responses.at_column();
            if is_first
                && !more
                && seen == Seen::More
                && reply::is_count(&packet.payload)
                && let Err(refusal) = self.recall(&packet.payload)
            {
                return self.fail(&refusal).await;
            }
            if !is_definition && !more {
                self.out.packet(&packet.payload).await?;
            } else {
                self.definitions.push(packet.payload);
                if !more && let Err(refusal) = self.announce().await? {
                    return self.fail(&refusal).await;
                }
            }
            if seen == Seen::End {
                return Ok(());
            }
        }
    }

    /// Takes note of a result's columns, and tells the client of them.
    async fn announce(&mut self) -> io::Result<Result<(), Refusal>> {
        let packets = std::mem::take(&mut self.definitions);
        let (count, definitions) = packets.split_at(1.min(packets.len()));
        let announced = match self.define(definitions) {
            Ok(announced) => announced,
            Err(refusal) => return Ok(Err(refusal)),
        };
        for packet in count {
            self.out.packet(packet).await?;
        }
        for (packet, announced) in definitions.iter().zip(&announced) {
            let packet = announced.as_deref().unwrap_or(packet);
            self.out.packet(packet).await?;
        }
        if let Some(remembered) = &mut self.binary {
            remembered.clear();
            remembered.extend_from_slice(definitions);
        }
        Ok(Ok(()))
    }

    /// Takes note of a result's columns; gives what the client is told in place of each.
    fn define(&mut self, definitions: &[Bytes]) -> Result<Vec<Option<Vec<u8>>>, Refusal> {
        let extended = self.responses.shape().extended_metadata;
        let (columns, announced) = self.meaning.columns(definitions, extended)?;
        if self.binary.is_some() {
            columns.check_binary()?;
        }
        self.columns = columns;
        Ok(announced)
    }

    /// Rows that come without definitions: those of a cursor.
    fn fetched(&mut self) -> Result<(), Refusal> {
        let remembered = self.binary.as_deref().cloned().unwrap_or_default();
        self.define(&remembered).map(drop)
    }

    /// A result of which the client has the definitions already.
    fn recall(&mut self, count: &[u8]) -> Result<(), Refusal> {
        let remembered = self.binary.as_deref().cloned().unwrap_or_default();
        let count = lenenc::read_int(count).map(|(count, _)| count);
        match count == Some(remembered.len() as u64) {
            true => self.define(&remembered).map(drop),
            false if self.binary.is_none() => Err(Refusal::unsupported(
                "this result",
                "the session has the definitions of its columns left out",
                "SET resultset_metadata = FULL",
            )),
            false => Err(guard::refusal("this result")),
        }
    }

    /// Rows up to the packet that ends them; `Err` when one cannot be decoded.
    async fn rows(&mut self) -> io::Result<Result<Seen, Refusal>> {
        let mut window: VecDeque<Row> = VecDeque::new();
        let mut ahead = 0;
        let mut last = None;
        while last.is_none() || !window.is_empty() {
            let room =
                last.is_none() && window.len() < ROWS && ahead < self.shared.limits.prefetch_bytes;
            if window.is_empty() && self.server.carry.is_empty() {
                self.out.flush().await?;
            }
            let since = (!window.is_empty()).then(Instant::now);
            tokio::select! {
                biased;
                packet = self.server.read_packet(self.shared.limits.row_bytes), if room => {
                    let payload = packet?.payload;
                    let seen = self.responses.whole_packet(&payload);
                    if !self.responses.in_rows() {
                        last = Some((seen, payload));
                    } else if reply::is_progress(&payload) {
                        self.out.packet(&payload).await?;
                    } else {
                        match self.row(payload) {
                            Ok(row) => {
                                ahead += row.ahead;
                                window.push_back(row);
                            }
                            Err(refusal) => return self.after(window, refusal).await,
                        }
                    }
                }
                () = first_ready(&mut window), if !window.is_empty() => {
                    self.waited += since.map_or(Duration::ZERO, |since| since.elapsed());
                    if let Some(row) = window.pop_front() {
                        ahead -= row.ahead;
                        if let Err(refusal) = self.emit(row).await? {
                            return Ok(Err(refusal));
                        }
                    }
                }
            }
        }
        let Some((seen, payload)) = last else {
            return Ok(Ok(Seen::End));
        };
        self.out.packet(&payload).await?;
        Ok(Ok(seen))
    }

    /// A row that cannot be decoded: the rows before it are still sent.
    async fn after(
        &mut self,
        window: VecDeque<Row>,
        refusal: Refusal,
    ) -> io::Result<Result<Seen, Refusal>> {
        let mut window = window;
        while !window.is_empty() {
            first_ready(&mut window).await;
            if let Some(row) = window.pop_front()
                && let Err(earlier) = self.emit(row).await?
            {
                return Ok(Err(earlier));
            }
        }
        Ok(Err(refusal))
    }

    /// Begins to fetch and decode a row's values.
    fn row(&self, payload: Bytes) -> Result<Row, Refusal> {
        let mut row = Row {
            parts: Vec::new(),
            ahead: payload.len() as u64,
            payload,
        };
        let mut from = 0;
        let cells: Box<dyn Iterator<Item = _> + '_> = match self.binary {
            None => Box::new(crate::wire::row::cells(&row.payload)),
            Some(_) => Box::new(binary::cells(&row.payload, &self.columns.kinds)),
        };
        for (n, cell) in cells.enumerate() {
            let Some(cell) = cell else {
                return Err(guard::refusal("this result"));
            };
            let Some(Some(shown)) = self.columns.shown.get(n) else {
                continue;
            };
            let Some(value) = cell.value else { continue };
            let (value, ahead) = self.means.begin(shown, row.payload.slice(value))?;
            row.parts.push(Part::Raw(from..cell.encoded.start));
            row.parts.push(Part::Value(shown.column.clone(), value));
            row.ahead += ahead;
            from = cell.encoded.end;
        }
        row.parts.push(Part::Raw(from..row.payload.len()));
        let pointer = |part: &Part| matches!(part, Part::Raw(range) if guard::shows_pointer(&row.payload[range.clone()]));
        match self.columns.suspicious && row.parts.iter().any(pointer) {
            true => Err(guard::refusal("this result")),
            false => Ok(row),
        }
    }

    /// Sends a row whose fetches are done.
    async fn emit(&mut self, row: Row) -> io::Result<Result<(), Refusal>> {
        let mut parts = Vec::with_capacity(row.parts.len());
        let (mut total, mut values) = (0, 0);
        for part in row.parts {
            let ready = match part {
                Part::Raw(range) => Ok(Ready::Bytes(row.payload.slice(range))),
                Part::Value(column, value) => {
                    let since = Instant::now();
                    let ready = value.ready(&column).await;
                    self.waited += since.elapsed();
                    ready
                }
            };
            let ready = match ready {
                Ok(ready) => ready,
                Err(refusal) => return Ok(Err(refusal)),
            };
            total += ready.len();
            // What is around the values is the server's row, which has been read by this limit:
            // a value of just this length, the longest that is stored, can be read again.
            values += ready.value_len();
            if values > self.shared.limits.row_bytes {
                return Ok(Err(Refusal::limit(
                    "the decoded values of a row are longer than limits.row_bytes",
                )));
            }
            parts.push(ready);
        }
        self.out.begin(total);
        for part in parts {
            part.send(&mut self.out).await?;
        }
        Ok(Ok(()))
    }

    /// Ends the response with an error; the rest of the server's is passed over.
    async fn fail(&mut self, refusal: &Refusal) -> io::Result<()> {
        tracing::warn!(error = %refusal, "a result ended with an error");
        metrics().refused(self.session, refusal.code, &refusal.message);
        self.out.packet(&reply::err(refusal)).await?;
        self.out.flush().await?;
        drain(self.server, self.responses, self.shared.limits.row_bytes).await
    }
}

/// Reads the rest of a response and throws it away.
pub async fn drain(server: &mut Link, responses: &mut Responses, limit: u64) -> io::Result<()> {
    while !responses.idle() {
        let packet = server.read_packet(limit).await?;
        responses.whole_packet(&packet.payload);
    }
    Ok(())
}
