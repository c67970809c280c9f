//! A SELECT whose result holds codec columns: pointers out, values in.
//!
//! 1. The statement goes to the server as it is. Column definitions of external codec columns
//!    are announced as `longblob`; everything else keeps its bytes.
//! 2. Rows are read ahead of the client, as far as `limits.prefetch_bytes` and a number of rows
//!    allow, and their values are fetched in parallel, up to `limits.store_parallel`.
//! 3. Rows go to the client in order. A value of more than a quarter of `limits.prefetch_bytes`
//!    is not fetched ahead but passed through piece by piece.
//!
//! A pointer that cannot be read, a missing object, a wrong MD5 or a store that fails ends the
//! result with an ERR packet in place of the row. If that is found only when part of a large
//! value is with the client, its last piece is withheld and the connection ends.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

use super::guard;
use super::link::{Link, Outgoing};
use super::origin;
use super::relay::{Relay, Statement};
use super::shared::Shared;
use crate::catalog::{ColumnCodec, Index};
use crate::codec::Pointer;
use crate::refusal::Refusal;
use crate::store::{PathRule, Reader, StoreError};
use crate::wire::column::Column;
use crate::wire::lenenc;
use crate::wire::reply;
use crate::wire::response::{Responses, Seen};
use crate::wire::row;

/// Rows that may be under way, besides the limit in bytes.
const ROWS: usize = 256;

/// Sends the statement and relays its response, decoded.
pub async fn run(
    relay: &mut Relay,
    shared: &Shared,
    index: &Index,
    statement: Statement,
) -> io::Result<()> {
    let (out, server, responses) = relay.ask(&statement).await?;
    let mut results = Results {
        server,
        responses,
        out,
        shared,
        index,
        columns: Vec::new(),
        suspicious: false,
    };
    results.relay().await?;
    results.out.flush().await?;
    relay.server.resume();
    Ok(())
}

/// The way of a result through the proxy.
struct Results<'a> {
    server: &'a mut Link,
    responses: &'a mut Responses,
    out: Outgoing<'a>,
    shared: &'a Shared,
    index: &'a Index,
    /// What is to be done with each column of the current result.
    columns: Vec<Option<Arc<Origin>>>,
    /// A column that is not decoded can hold a pointer all the same.
    suspicious: bool,
}

/// The column that a result column comes from.
#[derive(Debug)]
struct Origin {
    schema: String,
    /// `schema.table.column`, for messages.
    name: String,
}

impl Results<'_> {
    async fn relay(&mut self) -> io::Result<()> {
        loop {
            if self.responses.in_rows() {
                match self.rows().await? {
                    Ok(Seen::End) => return Ok(()),
                    Ok(_) => {
                        self.columns.clear();
                        self.suspicious = false;
                    }
                    Err(refusal) => return self.fail(&refusal).await,
                }
                continue;
            }
            let at_column = self.responses.at_column();
            let packet = self
                .server
                .read_packet(self.shared.limits.row_bytes)
                .await?;
            let seen = self.responses.whole_packet(&packet.payload);
            match if at_column {
                self.definition(&packet.payload)
            } else {
                Ok(None)
            } {
                Ok(Some(longblob)) => self.out.packet(&longblob).await?,
                Ok(None) => self.out.packet(&packet.payload).await?,
                Err(refusal) => return self.fail(&refusal).await,
            }
            if seen == Seen::End {
                return Ok(());
            }
        }
    }

    /// Takes note of a column; gives its definition as the client is to see it if that differs.
    fn definition(&mut self, payload: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        let column = Column::parse(payload, self.responses.shape().extended_metadata);
        let origin = column.and_then(|c| origin::external(self.index, &c).map(|found| (c, found)));
        let Some((column, (table, position))) = origin else {
            self.suspicious |= column.is_some_and(|c| c.can_hold_pointer());
            self.columns.push(None);
            return Ok(None);
        };
        let name = table.column_path(position);
        if let Some(ColumnCodec::Unusable { reason, .. }) = &table.columns[position].codec {
            return Err(Refusal::unsupported(
                &name,
                reason,
                "leave the column out, or set the codec up",
            ));
        }
        self.columns.push(Some(Arc::new(Origin {
            schema: table.schema.clone(),
            name,
        })));
        Ok(Some(column.as_longblob()))
    }

    /// Rows up to the packet that ends them; `Err` when one cannot be decoded.
    async fn rows(&mut self) -> io::Result<Result<Seen, Refusal>> {
        let gate = Arc::new(Semaphore::new(self.shared.limits.store_parallel));
        let mut window: VecDeque<Row> = VecDeque::new();
        let mut ahead = 0;
        let mut last = None;
        while last.is_none() || !window.is_empty() {
            let room =
                last.is_none() && window.len() < ROWS && ahead < self.shared.limits.prefetch_bytes;
            if window.is_empty() && self.server.carry.is_empty() {
                self.out.flush().await?;
            }
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
                        match self.row(payload, &gate) {
                            Ok(row) => {
                                ahead += row.ahead;
                                window.push_back(row);
                            }
                            Err(refusal) => return self.after(window, refusal).await,
                        }
                    }
                }
                () = first_ready(&mut window), if !window.is_empty() => {
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

    /// Begins to fetch a row's values.
    fn row(&self, payload: Bytes, gate: &Arc<Semaphore>) -> Result<Row, Refusal> {
        let mut row = Row {
            parts: Vec::new(),
            ahead: payload.len() as u64,
            payload,
        };
        let mut from = 0;
        for (n, cell) in row::cells(&row.payload).enumerate() {
            let (Some(Some(origin)), Some(cell)) = (self.columns.get(n), cell) else {
                continue;
            };
            let Some(value) = cell.value else { continue };
            let pointer = Pointer::parse(&row.payload[value])
                .map_err(|e| Refusal::store(&origin.name, &e.to_string()))?;
            let store = self
                .shared
                .stores
                .resolve(&pointer.store)
                .map_err(|e| Refusal::store(&origin.name, &told(&e)))?;
            row.parts.push(Part::Raw(from..cell.encoded.start));
            from = cell.encoded.end;
            let (gate, schema) = (gate.clone(), origin.schema.clone());
            let large = self.shared.limits.prefetch_bytes / 4;
            let size = pointer.size.unwrap_or(u64::MAX);
            let value = if size > large {
                Value::Large(Box::pin(async move {
                    let rule = PathRule {
                        schema: &schema,
                        also: &[],
                    };
                    store.open(&pointer, &rule).await.map_err(|e| told(&e))
                }))
            } else {
                row.ahead += size;
                Value::Fetching(AbortOnDropHandle::new(tokio::spawn(async move {
                    // The semaphore is never closed.
                    let _permit = gate.acquire().await;
                    let rule = PathRule {
                        schema: &schema,
                        also: &[],
                    };
                    let reader = store.open(&pointer, &rule).await.map_err(|e| told(&e))?;
                    if reader.size() > large {
                        return Err("the object is larger than its pointer says".to_owned());
                    }
                    reader.collect().await.map_err(|e| told(&e))
                })))
            };
            row.parts.push(Part::Value(origin.clone(), value));
        }
        row.parts.push(Part::Raw(from..row.payload.len()));
        let shown = |part: &Part| matches!(part, Part::Raw(range) if guard::shows_pointer(&row.payload[range.clone()]));
        match self.suspicious && row.parts.iter().any(shown) {
            true => Err(guard::refusal("this result")),
            false => Ok(row),
        }
    }

    /// Sends a row whose fetches are done.
    async fn emit(&mut self, row: Row) -> io::Result<Result<(), Refusal>> {
        let mut parts = Vec::with_capacity(row.parts.len());
        for part in row.parts {
            let (origin, opened) = match part {
                Part::Raw(range) => {
                    parts.push(Ready::Bytes(row.payload.slice(range)));
                    continue;
                }
                Part::Value(origin, Value::Fetched(value)) => (origin, value.map(Ready::Value)),
                Part::Value(origin, Value::Large(open)) => (origin, open.await.map(Ready::Reader)),
                Part::Value(origin, Value::Fetching(_)) => {
                    return Ok(Err(Refusal::store(&origin.name, "internal error")));
                }
            };
            match opened {
                Ok(ready) => parts.push(ready),
                Err(error) => return Ok(Err(Refusal::store(&origin.name, &error))),
            }
        }
        let total = parts.iter().map(Ready::len).sum();
        if total > self.shared.limits.row_bytes {
            return Ok(Err(Refusal::limit(
                "a decoded row is longer than limits.row_bytes",
            )));
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
        self.out.packet(&reply::err(refusal)).await?;
        self.out.flush().await?;
        drain(self.server, self.responses, self.shared.limits.row_bytes).await
    }
}

/// Logs a store's failure; gives what the client is told of it.
pub fn told(error: &StoreError) -> String {
    tracing::warn!(%error, "a store failed");
    error.for_client()
}

/// Reads the rest of a response and throws it away.
pub async fn drain(server: &mut Link, responses: &mut Responses, limit: u64) -> io::Result<()> {
    while !responses.idle() {
        let packet = server.read_packet(limit).await?;
        responses.whole_packet(&packet.payload);
    }
    Ok(())
}

/// A row on its way to the client.
struct Row {
    payload: Bytes,
    parts: Vec<Part>,
    /// Bytes that this row may hold in memory.
    ahead: u64,
}

enum Part {
    /// Bytes of the row as the server sent them.
    Raw(Range<usize>),
    Value(Arc<Origin>, Value),
}

enum Value {
    Fetching(AbortOnDropHandle<Result<Bytes, String>>),
    Fetched(Result<Bytes, String>),
    Large(Pin<Box<dyn Future<Output = Result<Reader, String>>>>),
}

/// Waits for the fetches of the first row. Cancel safe: what has arrived stays.
async fn first_ready(window: &mut VecDeque<Row>) {
    let Some(row) = window.front_mut() else {
        return;
    };
    for part in &mut row.parts {
        if let Part::Value(_, value) = part
            && let Value::Fetching(handle) = value
        {
            let fetched = handle.await.unwrap_or_else(|e| Err(e.to_string()));
            *value = Value::Fetched(fetched);
        }
    }
}

/// A part of a row that can be sent.
enum Ready {
    Bytes(Bytes),
    Value(Bytes),
    Reader(Reader),
}

impl Ready {
    fn len(&self) -> u64 {
        let value = |len: u64| lenenc::int_len(len) as u64 + len;
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Value(bytes) => value(bytes.len() as u64),
            Self::Reader(reader) => value(reader.size()),
        }
    }

    async fn send(self, out: &mut Outgoing<'_>) -> io::Result<()> {
        let mut prefix = Vec::with_capacity(9);
        match self {
            Self::Bytes(bytes) => out.part(&bytes).await,
            Self::Value(bytes) => {
                lenenc::push_int(&mut prefix, bytes.len() as u64);
                out.part(&prefix).await?;
                out.part(&bytes).await
            }
            Self::Reader(mut reader) => {
                lenenc::push_int(&mut prefix, reader.size());
                out.part(&prefix).await?;
                while let Some(piece) = reader.next().await.map_err(io::Error::other)? {
                    out.part(&piece).await?;
                }
                Ok(())
            }
        }
    }
}
