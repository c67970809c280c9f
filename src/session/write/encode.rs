//! Values that clients send, on their way to what is stored for them.
//!
//! 1. Values that pass through unchanged (packed bytes to `<blob@>`) have their header checked
//!    by their chain. One that the codec does not take, or that is longer than
//!    `limits.row_bytes`, so that it could not be read again: refused, nothing was stored.
//! 2. All values go through their codecs, in parallel up to `limits.store_parallel`. Those of
//!    step 1 are read piece by piece from where they are while they are stored; of any other a
//!    whole is made, encoded by its [chain](crate::session::coded), and its objects are stored on the
//!    way. An object is durable when its put returns. A value that a codec does not take, a
//!    limit or a store that fails: refused; objects that were put stay as orphans, no row names
//!    them.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::{Mutex, oneshot};

use crate::catalog::Table;
use crate::codec::{CodecError, Key, Manner, Notation, Stored};
use crate::metrics::{Phase, metrics};
use crate::refusal::Refusal;
use crate::session::batches::{self, Batches, Work};
use crate::session::coded::{self, Coded, Room, Terms};
use crate::session::refuse;
use crate::session::shared::Shared;
use crate::sql::literal::Literal;
use crate::store::{Content, Stores};

/// Bytes of a value that are decoded at a time.
const CHUNK: usize = 256 << 10;

/// A value that a client has sent for a codec column.
pub struct Sent<'a> {
    /// The table that is written.
    pub table: &'a Arc<Table>,
    /// The column's position in the table.
    pub column: usize,
    /// The value; of one that is `apart` its first bytes.
    pub literal: &'a Literal,
    /// The value, where it passes through its codecs unchanged and lies elsewhere.
    pub apart: Option<Arc<dyn Content>>,
    /// How many bytes the client has written for it: at least an eighth of them are the value's.
    pub written: u64,
    /// The primary key of its row, where its codec needs one.
    pub key: Option<&'a Key>,
}

/// What the values of one statement have in common.
pub struct Encoder<'a> {
    shared: &'a Shared,
    /// `character_set_client`
    charset: &'a str,
    terms: Terms,
    /// For values that pass through; with an end to the time of all of them.
    stores: Stores,
    /// For short values.
    batches: Batches<Encoding>,
    /// Held by the value that has all the room of the statement.
    alone: Mutex<()>,
}

/// A short value, on its way to a column of the row with this key.
struct Encoding {
    column: Arc<Coded>,
    literal: Literal,
    key: Key,
}

impl<'a> Encoder<'a> {
    /// For a statement with so many values, from a client that writes in `charset`.
    pub fn new(shared: &'a Shared, manner: Manner, charset: &'a str, values: usize) -> Self {
        let rounds = values.div_ceil(shared.limits.store_parallel);
        let terms = Terms::new(shared, manner);
        Self {
            shared,
            charset,
            batches: Batches::new(terms.clone(), shared.limits.store_parallel),
            terms,
            stores: shared.stores.for_statement(rounds),
            alone: Mutex::new(()),
        }
    }

    /// What is stored for each value, as `spell` writes it; `None` for one that is stored as it
    /// was sent.
    pub async fn encode<T: Send + 'static>(
        &self,
        values: &[Sent<'_>],
        spell: impl Fn(Stored) -> T + Clone + Send + 'static,
    ) -> Result<Vec<Option<T>>, Refusal> {
        let mut known: Vec<Arc<Coded>> = Vec::new();
        let mut columns = Vec::with_capacity(values.len());
        for value in values {
            let same = known.iter().find(|c| c.is_at(value.table, value.column));
            let column = match same {
                Some(column) => column.clone(),
                None => {
                    let column = Arc::new(Coded::new(value.table, value.column)?);
                    known.push(column.clone());
                    column
                }
            };
            if column.is_streamed(&self.terms.manner) {
                let head = value.literal.head(crate::codec::HEAD_LEN);
                let checked = column.chain.validate_head(&head);
                checked.map_err(|error| self.refusal(&column, error))?;
                self.check_length(&column, value)?;
            } else {
                self.check_text(&column, value.literal)?;
            }
            columns.push(column);
        }
        let since = Instant::now();
        let stored = stream::iter(columns.into_iter().zip(values))
            .map(|(column, value)| self.stored(column, value, spell.clone()))
            .buffered(self.shared.limits.store_parallel)
            .try_collect()
            .await;
        metrics().spent(Phase::Encode, since.elapsed());
        stored
    }

    /// What is stored can be read again.
    fn check_length(&self, column: &Coded, value: &Sent<'_>) -> Result<(), Refusal> {
        let limit = self.shared.limits.row_bytes;
        let is_longer = match &value.apart {
            Some(content) => content.len() > limit,
            // No notation is shorter than the value; to count that is a walk over it.
            None => value.written > limit && value.literal.decoded_len() > limit,
        };
        match is_longer {
            false => Ok(()),
            true => Err(Refusal::limit(&format!(
                "{}: the value is longer than limits.row_bytes",
                column.name
            ))),
        }
    }

    /// A text is understood as UTF-8, so it must be written in that.
    fn check_text(&self, column: &Coded, literal: &Literal) -> Result<(), Refusal> {
        let is_text = self.terms.manner.notation == Notation::Json || column.chain.is_text();
        let charset = literal.charset().unwrap_or(self.charset);
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

    async fn stored<T: Send + 'static>(
        &self,
        column: Arc<Coded>,
        value: &Sent<'_>,
        spell: impl Fn(Stored) -> T + Clone + Send + 'static,
    ) -> Result<Option<T>, Refusal> {
        if !column.is_streamed(&self.terms.manner) {
            return self.encoded(&column, value, spell).await.map(Some);
        }
        if !column.chain.is_external() {
            return Ok(None);
        }
        let failed = |e| refuse::store(&column.name, &e);
        let store = column.chain.store.as_deref().unwrap_or_default();
        let store = self.stores.resolve(store).map_err(failed)?;
        let content = match &value.apart {
            Some(content) => content.clone(),
            None => Arc::new(LiteralContent::new(value)),
        };
        let pointer = store.put_hashed(&value.table.schema, content).await;
        let pointer = pointer.map_err(failed)?.to_json();
        Ok(Some(spell(Stored::Text(pointer))))
    }

    /// A value through its chain: within its share, or alone.
    async fn encoded<T: Send + 'static>(
        &self,
        column: &Arc<Coded>,
        value: &Sent<'_>,
        spell: impl Fn(Stored) -> T + Clone + Send + 'static,
    ) -> Result<T, Refusal> {
        static NO_KEY: Key = Key {
            columns: Vec::new(),
        };
        let key = value.key.unwrap_or(&NO_KEY);
        let write = |room| column.write(value.literal, key, &self.terms, room, spell.clone());
        let short = value.written <= coded::share(&self.shared.limits);
        let mut tried = None;
        if short {
            let shared = match self.with_others(column, value, key) {
                Some(outcome) => outcome.await.ok(),
                None => None,
            };
            let shared = match shared {
                Some(stored) => stored.map(&spell),
                None => write(Room::Shared).await,
            };
            let too_large = matches!(&shared, Err(error) if refuse::is_limit(error));
            tried = (!too_large || !self.terms.has_more_room()).then_some(shared);
        }
        let stored = match tried {
            Some(done) => done,
            None => {
                let _alone = self.alone.lock().await;
                write(Room::Alone).await
            }
        };
        stored.map_err(|error| self.refusal(column, error))
    }

    /// What becomes of a short value among others; `None` for others, and for one that is put into
    /// a store, which takes its time.
    fn with_others(
        &self,
        column: &Arc<Coded>,
        value: &Sent<'_>,
        key: &Key,
    ) -> Option<oneshot::Receiver<Result<Stored, CodecError>>> {
        let is_short = value.written <= batches::SHORT as u64;
        (is_short && !column.chain.is_external()).then(|| {
            self.batches.put(Encoding {
                column: column.clone(),
                literal: value.literal.clone(),
                key: key.clone(),
            })
        })
    }

    fn refusal(&self, column: &Coded, error: CodecError) -> Refusal {
        refuse::written(&column.name, self.terms.manner.notation, error)
    }
}

impl Work for Encoding {
    type Terms = Terms;
    type Outcome = Result<Stored, CodecError>;

    fn is_like(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.column, &other.column)
    }

    fn all(works: Vec<Self>, terms: &Terms) -> Vec<Self::Outcome> {
        let Some(column) = works.first().map(|work| work.column.clone()) else {
            return Vec::new();
        };
        let sent = works.into_iter().map(|work| (work.literal, work.key));
        column.write_many(&sent.collect::<Vec<_>>(), terms)
    }
}

/// A value as the store reads it: decoded piece by piece from where it lies.
struct LiteralContent {
    literal: Literal,
    written: u64,
    /// Known once the literal has been walked; to count it alone is a walk, too.
    len: Arc<OnceLock<u64>>,
}

impl LiteralContent {
    fn new(value: &Sent<'_>) -> Self {
        Self {
            literal: value.literal.clone(),
            written: value.written,
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
