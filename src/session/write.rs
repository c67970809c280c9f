//! An INSERT or REPLACE whose values go through codecs.
//!
//! 1. Each value's header is checked by its chain. A value the codec does not take: refused,
//!    nothing was sent or stored.
//! 2. Values of columns with a store are put there, in parallel up to `limits.store_parallel`.
//!    Each is durable when its put returns. A store fails: refused; objects that were put stay
//!    as orphans, no row names them.
//! 3. The statement is sent with each such literal replaced by its pointer, all other text as
//!    the client wrote it. The proxy dies before: orphans. The server refuses: orphans, and the
//!    client gets the server's own error.

use std::io;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::link::Outgoing;
use super::read;
use super::relay::{Relay, Statement};
use super::shared::Shared;
use crate::catalog::{ColumnCodec, Table};
use crate::codec::Chain;
use crate::plan::{Cell, Write};
use crate::refusal::Refusal;
use crate::sql::lexer::Dialect;
use crate::sql::literal::{self, Literal};
use crate::store::{Content, StoreError};
use crate::wire::command;
use crate::wire::packet;

/// Bytes of a literal that are decoded at a time.
const CHUNK: usize = 256 << 10;

/// Stores the values and sends the statement; its response is left to the relay.
pub async fn run(
    relay: &mut Relay,
    shared: &Shared,
    statement: Statement,
    write: Write,
    dialect: Dialect,
) -> io::Result<Result<(), Refusal>> {
    let pointers = match store_values(shared, &write).await {
        Ok(pointers) => pointers,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let segments = splice(&statement.payload, &write.cells, &pointers, dialect);
    drop(write);
    send(relay, statement, segments).await.map(Ok)
}

/// Sends a command in place of the client's, in as many packets as it takes.
pub async fn send(relay: &mut Relay, statement: Statement, segments: Vec<Bytes>) -> io::Result<()> {
    let total = segments.iter().map(|s| s.len() as u64).sum();
    let mut out = Outgoing::new(&mut relay.server, 0);
    out.begin(total);
    for segment in segments {
        out.part(&segment).await?;
    }
    out.flush().await?;
    let sent = packet::chunks(total) as u8;
    relay.seq_shift = statement.seq.wrapping_add(1).wrapping_sub(sent);
    relay.responses.sent(command::expect(statement.command));
    Ok(())
}

/// Checks all values, then puts those that go to a store; gives the pointer of each cell, `None`
/// for one that stays as it is.
async fn store_values(shared: &Shared, write: &Write) -> Result<Vec<Option<String>>, Refusal> {
    let mut puts = Vec::with_capacity(write.cells.len());
    for cell in &write.cells {
        let chain = chain(&write.table, cell.column)?;
        let column = write.table.column_path(cell.column);
        chain
            .validate_head(&cell.literal.head(crate::codec::HEAD_LEN))
            .map_err(|reason| {
                Refusal::value(
                    &column,
                    &reason.to_string(),
                    "send what a DataJoint client packs, or use a column without a codec",
                )
            })?;
        puts.push((
            chain
                .is_external()
                .then(|| chain.store.clone().unwrap_or_default()),
            column,
            cell,
        ));
    }
    let rounds = puts.len().div_ceil(shared.limits.store_parallel);
    let stores = &shared.stores.for_statement(rounds);
    stream::iter(puts)
        .map(|(store, column, cell)| async move {
            let Some(store) = store else { return Ok(None) };
            let failed = |e: StoreError| Refusal::store(&column, &read::told(&e));
            let store = stores.resolve(&store).map_err(failed)?;
            let content = Arc::new(LiteralContent::new(cell));
            let pointer = store
                .put_hashed(&write.table.schema, content)
                .await
                .map_err(failed)?;
            Ok(Some(pointer.to_json()))
        })
        .buffered(shared.limits.store_parallel)
        .try_collect()
        .await
}

fn chain(table: &Table, column: usize) -> Result<&Chain, Refusal> {
    match table.columns.get(column).and_then(|c| c.codec.as_ref()) {
        Some(ColumnCodec::Chain(chain)) => Ok(chain),
        Some(ColumnCodec::Unusable { reason, .. }) => Err(Refusal::unsupported(
            &table.column_path(column),
            reason,
            "leave the column out, or set the codec up",
        )),
        None => Err(Refusal::unsupported(
            &table.column_path(column),
            "the column carries no codec",
            "try again",
        )),
    }
}

/// The command with its stored literals replaced; `payload` begins with the command byte, the
/// cells' spans count from the text behind it.
fn splice(
    payload: &Bytes,
    cells: &[Cell],
    pointers: &[Option<String>],
    dialect: Dialect,
) -> Vec<Bytes> {
    let mut segments = Vec::with_capacity(2 * cells.len() + 1);
    let mut done = 0;
    for (cell, pointer) in cells.iter().zip(pointers) {
        let Some(pointer) = pointer else { continue };
        let mut text = Vec::with_capacity(pointer.len() + 16);
        literal::quote_ascii(&mut text, pointer, dialect);
        segments.push(payload.slice(done..1 + cell.span.start));
        segments.push(text.into());
        done = 1 + cell.span.end;
    }
    segments.push(payload.slice(done..));
    segments
}

/// A literal as the store reads it: decoded piece by piece from the statement's text.
struct LiteralContent {
    literal: Literal,
    /// Bytes that the literal takes in the text.
    written: u64,
    /// Known once the literal has been walked; to count it alone is a walk, too.
    len: Arc<OnceLock<u64>>,
}

impl LiteralContent {
    fn new(cell: &Cell) -> Self {
        Self {
            literal: cell.literal.clone(),
            written: cell.span.len() as u64,
            len: Arc::default(),
        }
    }
}

impl Content for LiteralContent {
    fn len(&self) -> u64 {
        *self.len.get_or_init(|| self.literal.decoded_len())
    }

    fn is_shorter_than(&self, limit: u64) -> bool {
        // No notation takes more than eight characters for a byte, those of bits.
        self.written / 16 < limit && self.len() < limit
    }

    fn chunks(&self) -> Box<dyn Iterator<Item = Bytes> + Send> {
        let (mut chunks, len) = (self.literal.chunks(CHUNK), self.len.clone());
        let mut seen = 0;
        Box::new(std::iter::from_fn(move || {
            let chunk = chunks.next();
            match &chunk {
                Some(chunk) => seen += chunk.len() as u64,
                None => drop(len.set(seen)),
            }
            chunk
        }))
    }
}
