//! An INSERT or REPLACE whose values go through codecs.
//!
//! 1. Values that pass through unchanged (packed bytes to `<blob@>`) have their header checked
//!    by their chain. One that the codec does not take: refused, nothing was sent or stored.
//! 2. All values go through their codecs, in parallel up to `limits.store_parallel`. Those of
//!    step 1 are read piece by piece from the statement's text while they are stored; of any
//!    other a whole is made, encoded by its [chain](super::coded), and its objects are stored on
//!    the way. An object is durable when its put returns. A value that a codec does not take, a
//!    limit or a store that fails: refused; objects that were put stay as orphans, no row names
//!    them.
//! 3. The statement is sent with each such literal replaced by what is stored for it, all other
//!    text as the client wrote it. The proxy dies before: orphans. The server refuses: orphans,
//!    and the client gets the server's own error.

use std::io;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Mutex;

use super::coded::{self, Coded, Room, Terms};
use super::context::SessionContext;
use super::link::Outgoing;
use super::refuse;
use super::relay::{Relay, Statement};
use super::shared::Shared;
use crate::codec::{CodecError, Dtype, Key, Notation, Value, metadata};
use crate::plan::{Cell, Write};
use crate::refusal::Refusal;
use crate::sql::lexer::Dialect;
use crate::sql::literal::{self, Literal};
use crate::store::{Content, Stores};
use crate::wire::command;
use crate::wire::packet;

/// Bytes of a literal that are decoded at a time.
const CHUNK: usize = 256 << 10;

/// Stores the values and sends the statement; its response is left to the relay.
pub async fn run(
    relay: &mut Relay,
    shared: &Shared,
    context: &SessionContext,
    statement: Statement,
    write: Write,
) -> io::Result<Result<(), Refusal>> {
    let rounds = write.cells.len().div_ceil(shared.limits.store_parallel);
    let encoding = Encoding {
        shared,
        context,
        terms: Terms::new(shared, relay.choice.manner()),
        stores: shared.stores.for_statement(rounds),
        write: &write,
        alone: Mutex::new(()),
    };
    let texts = match encoding.run().await {
        Ok(texts) => texts,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let segments = splice(&statement.payload, &write.cells, texts);
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

/// The values of one statement on their way to what is stored.
struct Encoding<'a> {
    shared: &'a Shared,
    context: &'a SessionContext,
    terms: Terms,
    /// For values that pass through; with an end to the time of all of them.
    stores: Stores,
    write: &'a Write,
    /// Held by the value that has all the room of the statement.
    alone: Mutex<()>,
}

impl Encoding<'_> {
    /// What stands in the place of each cell; `None` for one that stays as it is.
    async fn run(&self) -> Result<Vec<Option<Bytes>>, Refusal> {
        let mut columns: Vec<Option<Arc<Coded>>> = vec![None; self.write.table.columns.len()];
        let mut cells = Vec::with_capacity(self.write.cells.len());
        for cell in &self.write.cells {
            let column = match columns.get(cell.column).cloned().flatten() {
                Some(column) => column,
                None => Arc::new(Coded::new(&self.write.table, cell.column)?),
            };
            if column.is_streamed(&self.terms.manner) {
                let head = cell.literal.head(crate::codec::HEAD_LEN);
                let checked = column.chain.validate_head(&head);
                checked.map_err(|error| self.refusal(&column, error))?;
            } else {
                self.check_text(&column, &cell.literal)?;
            }
            columns[cell.column] = Some(column.clone());
            cells.push((column, cell));
        }
        let texts: Vec<_> = stream::iter(cells)
            .map(|(column, cell)| self.text(column, cell))
            .buffered(self.shared.limits.store_parallel)
            .try_collect()
            .await?;
        let total: u64 = texts.iter().flatten().map(|text| text.len() as u64).sum();
        if total > self.shared.limits.statement_bytes {
            return Err(Refusal::limit(
                "the statement with its values encoded is longer than limits.statement_bytes",
            ));
        }
        Ok(texts)
    }

    /// A text is understood as UTF-8, so it must be written in that.
    fn check_text(&self, column: &Coded, literal: &Literal) -> Result<(), Refusal> {
        let is_text = self.terms.manner.notation == Notation::Json || column.chain.is_text();
        let charset = literal.charset().unwrap_or(&self.context.charset);
        let is_utf8 = charset.starts_with("utf8") || matches!(charset, "binary" | "ascii" | "");
        let is_ascii = || literal.chunks(CHUNK).all(|chunk| chunk.is_ascii());
        if !is_text || is_utf8 || is_ascii() {
            return Ok(());
        }
        let reason = format!("its text is in {charset}, and codec-proxy reads UTF-8");
        Err(Refusal::unsupported(
            &column.name,
            &reason,
            "SET NAMES utf8mb4",
        ))
    }

    /// What stands in the place of one cell.
    async fn text(&self, column: Arc<Coded>, cell: &Cell) -> Result<Option<Bytes>, Refusal> {
        if !column.is_streamed(&self.terms.manner) {
            return self.encoded(&column, cell).await.map(Some);
        }
        if !column.chain.is_external() {
            return Ok(None);
        }
        let failed = |e| refuse::store(&column.name, &e);
        let store = column.chain.store.as_deref().unwrap_or_default();
        let store = self.stores.resolve(store).map_err(failed)?;
        let content = Arc::new(LiteralContent::new(cell));
        let pointer = store.put_hashed(&self.write.table.schema, content).await;
        let pointer = pointer.map_err(failed)?.to_json();
        let mut text = Vec::with_capacity(pointer.len() + 16);
        literal::quote_ascii(&mut text, &pointer, self.context.dialect);
        Ok(Some(text.into()))
    }

    /// A value through its chain: within its share, or alone.
    async fn encoded(&self, column: &Arc<Coded>, cell: &Cell) -> Result<Bytes, Refusal> {
        static NO_KEY: Key = Key {
            columns: Vec::new(),
        };
        let key = self.write.keys.get(cell.row).unwrap_or(&NO_KEY);
        let (dialect, plain) = (self.context.dialect, is_plain(&self.context.charset));
        let spell = move |value, dtype: &Dtype| spelled(value, dtype, dialect, plain);
        let write = |room| column.write(&cell.literal, key, &self.terms, room, spell);
        let short = (cell.span.len() as u64) <= coded::share(&self.shared.limits);
        let mut tried = None;
        if short {
            let shared = write(Room::Shared).await;
            let too_large = matches!(&shared, Err(error) if refuse::is_limit(error));
            tried = (!too_large || !self.terms.has_more_room()).then_some(shared);
        }
        let text = match tried {
            Some(done) => done,
            None => {
                let _alone = self.alone.lock().await;
                write(Room::Alone).await
            }
        };
        text.map_err(|error| self.refusal(column, error))
    }

    fn refusal(&self, column: &Coded, error: CodecError) -> Refusal {
        refuse::written(&column.name, self.terms.manner.notation, error)
    }
}

/// Whether no byte of a longer character looks like ASCII in this character set of a client.
fn is_plain(charset: &str) -> bool {
    charset.starts_with("utf8") || matches!(charset, "latin1" | "ascii" | "binary")
}

/// The value of a column as a literal, or as good as one.
fn spelled(
    value: Value,
    dtype: &Dtype,
    dialect: Dialect,
    plain: bool,
) -> Result<Bytes, CodecError> {
    let mut text = Vec::new();
    match (dtype, value) {
        (_, Value::None) => text.extend_from_slice(b"NULL"),
        (Dtype::Json, value) => {
            literal::quote_ascii(&mut text, &metadata::dumps(&value)?, dialect);
        }
        (Dtype::Bytes, Value::Bytes(bytes)) => {
            literal::quote_bytes(&mut text, &bytes, dialect, plain);
        }
        (Dtype::Other(_), Value::Str(value)) => literal::quote_ascii(&mut text, &value, dialect),
        (Dtype::Other(_), Value::Int(number)) => {
            text.extend_from_slice(number.to_string().as_bytes());
        }
        (_, other) => {
            let found = other.type_name();
            let reason = format!("its codecs come to {found}, which the column cannot hold");
            return Err(CodecError::Type(reason));
        }
    }
    Ok(text.into())
}

/// The command with its literals replaced; `payload` begins with the command byte, the cells'
/// spans count from the text behind it.
fn splice(payload: &Bytes, cells: &[Cell], texts: Vec<Option<Bytes>>) -> Vec<Bytes> {
    let mut segments = Vec::with_capacity(2 * cells.len() + 1);
    let mut done = 0;
    for (cell, text) in cells.iter().zip(texts) {
        let Some(text) = text else { continue };
        segments.push(payload.slice(done..1 + cell.span.start));
        segments.push(text);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spelled_for_their_column() {
        let spelled = |value, dtype, plain| {
            let text = spelled(value, &dtype, Dialect::default(), plain);
            text.map(|text| String::from_utf8_lossy(&text).into_owned())
        };
        let bytes = || Value::Bytes(Bytes::from_static(b"a'\\"));
        assert_eq!(
            spelled(bytes(), Dtype::Bytes, true).unwrap(),
            "_binary'a''\\\\'"
        );
        assert_eq!(spelled(bytes(), Dtype::Bytes, false).unwrap(), "X'61275c'");
        assert_eq!(spelled(Value::None, Dtype::Json, true).unwrap(), "NULL");
        let dict = Value::Dict(vec![("path".into(), "a'b".into())]);
        assert_eq!(
            spelled(dict, Dtype::Json, true).unwrap(),
            "_utf8mb4'{\"path\": \"a''b\"}'"
        );
        let number = Dtype::Other("int".to_owned());
        assert_eq!(spelled(Value::Int(-7), number.clone(), true).unwrap(), "-7");
        assert!(spelled(bytes(), number, true).is_err());
        assert!(spelled(Value::Int(7), Dtype::Bytes, true).is_err());
    }

    #[test]
    fn quotes_are_sure_where_bytes_cannot_look_like_them() {
        for (charset, plain) in [
            ("utf8mb4", true),
            ("utf8mb3", true),
            ("latin1", true),
            ("gbk", false),
            ("sjis", false),
            ("cp932", false),
            ("big5", false),
            ("", false),
        ] {
            assert_eq!(is_plain(charset), plain, "{charset}");
        }
    }
}
