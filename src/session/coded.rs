//! Values on their way through the chain of a column.
//!
//! Codecs may block and take their time, so each value has a thread of the relay's own pool for
//! that (short ones share it: [`super::batches`]). (Not of the stores' pool: a codec waits for its store, whose file operations run there.)
//!
//! Nobody knows how large a value becomes before it is decoded: a pointer is short, and so are a
//! compressed megabyte of zeros. So a value is first tried within its [share] of
//! `limits.prefetch_bytes`, side by side with others. One that does not fit is left off there and
//! done again alone, with all that `limits.value_bytes` allows. What one statement holds in
//! memory stays within a small multiple of the two limits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::context::ResultCharset;
use super::refuse;
use super::shared::Shared;
use crate::catalog::{ColumnCodec, Table};
use crate::codec::chain;
use crate::codec::{
    Chain, CodecError, Given, Key, Manner, Notation, ObjectPath, Reading, Site, Step, Stored,
    ValueLimits, Writing, json,
};
use crate::config::Limits;
use crate::refusal::Refusal;
use crate::sql::literal::Literal;
use crate::store::Stores;
use crate::view::Shape;

/// A column with a chain.
#[derive(Debug)]
pub struct Coded {
    /// Its table.
    pub table: Arc<Table>,
    /// The chain.
    pub chain: Chain,
    /// `schema.table.column`, for messages.
    pub name: String,
    position: usize,
}

/// What all values of one statement have in common.
#[derive(Clone)]
pub struct Terms {
    /// What the client wants.
    pub manner: Manner,
    /// The stores.
    pub stores: Stores,
    /// Further sections that pointers may name.
    pub also: Arc<[ObjectPath]>,
    /// `limits.value_seconds`
    time: Duration,
    /// For values that are under way side by side.
    shared: ValueLimits,
    /// For a value alone.
    alone: ValueLimits,
}

/// Which bounds hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// A share of what the statement may have.
    Shared,
    /// All of it.
    Alone,
}

impl Coded {
    /// The column at this position; an error if its codec cannot be run.
    pub fn new(table: &Arc<Table>, position: usize) -> Result<Self, Refusal> {
        let name = table.column_path(position);
        match table.columns.get(position).and_then(|c| c.codec.as_ref()) {
            Some(ColumnCodec::Chain(chain)) => Ok(Self {
                table: table.clone(),
                chain: chain.clone(),
                name,
                position,
            }),
            Some(ColumnCodec::Unusable { reason, .. }) => Err(refuse::unusable(&name, reason)),
            None => Err(Refusal::unsupported(
                &name,
                "the column carries no codec",
                "try again",
            )),
        }
    }

    /// Whether it is this column.
    pub fn is_at(&self, table: &Arc<Table>, position: usize) -> bool {
        self.position == position && Arc::ptr_eq(&self.table, table)
    }

    fn site(&self) -> Site<'_> {
        Site {
            schema: &self.table.schema,
            table: &self.table.name,
            column: &self.table.columns[self.position].name,
        }
    }

    /// The codec as the catalog has it.
    pub fn codec(&self) -> Option<&ColumnCodec> {
        self.table.columns[self.position].codec.as_ref()
    }

    /// Whether the column holds exactly what a client sends.
    pub fn is_unchanged(&self, manner: &Manner) -> bool {
        self.is_streamed(manner) && !self.chain.is_external()
    }

    /// Whether values pass through unchanged, to the column or to an object named by its hash:
    /// those never come here.
    pub fn is_streamed(&self, manner: &Manner) -> bool {
        manner.notation == Notation::Bytes && self.chain.is_transparent()
    }

    /// What is stored for what a client has written, as `spell` writes it.
    pub async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        literal: &Literal,
        key: &Key,
        terms: &Terms,
        room: Room,
        spell: impl FnOnce(Stored) -> T + Send + 'static,
    ) -> Result<T, CodecError> {
        let (column, terms) = (self.clone(), terms.clone());
        let (literal, key) = (literal.clone(), key.clone());
        on_a_thread(move || {
            let stores = terms.stores_for_value();
            let to = column.writing(&key, &terms, &stores, room);
            let sent = collected(&literal, to.limits.bytes)?;
            let stored = column.chain.write(sent, &to)?;
            column.chain.dtype.stored(stored).map(spell)
        })
        .await
    }

    /// As [`write`](Self::write) for several values, each within its share. Blocks.
    pub fn write_many(
        &self,
        sent: &[(Literal, Key)],
        terms: &Terms,
    ) -> Vec<Result<Stored, CodecError>> {
        let stores = terms.stores_for_value();
        let collect = |(literal, key)| {
            let to = self.writing(key, terms, &stores, Room::Shared);
            collected(literal, to.limits.bytes).map(|sent| (sent, to))
        };
        let collected = sent.iter().map(|(literal, key)| collect((literal, key)));
        chain::with_the_good(collected.collect(), |sent| {
            let stored = self.chain.write_many(sent).into_iter();
            stored
                .map(|stored| self.chain.dtype.stored(stored?))
                .collect()
        })
    }

    fn writing<'a>(
        &'a self,
        key: &'a Key,
        terms: &Terms,
        stores: &'a Stores,
        room: Room,
    ) -> Writing<'a> {
        Writing {
            site: self.site(),
            key,
            store: self.chain.store.as_deref(),
            step: Step::default(),
            manner: terms.manner,
            backends: stores,
            limits: terms.limits(room),
        }
    }

    /// What a client gets for what is stored.
    pub async fn read(
        self: &Arc<Self>,
        stored: Bytes,
        terms: &Terms,
        room: Room,
        into: Text,
    ) -> Result<Given, CodecError> {
        let (column, terms) = (self.clone(), terms.clone());
        on_a_thread(move || {
            let stores = terms.stores_for_value();
            let from = column.reading(&terms, &stores, room);
            let stored = column.chain.stored(stored, &from.limits)?;
            into.fit_given(column.chain.read(stored, &from)?)
        })
        .await
    }

    /// As [`read`](Self::read) for several values, each within its share. Blocks.
    pub fn read_many(
        &self,
        stored: Vec<(Bytes, Text)>,
        terms: &Terms,
    ) -> Vec<Result<Given, CodecError>> {
        let stores = terms.stores_for_value();
        let from = self.reading(terms, &stores, Room::Shared);
        let (stored, texts): (Vec<_>, Vec<_>) = stored.into_iter().unzip();
        let given = self.chain.read_many(stored, &from).into_iter();
        let given = given.zip(texts);
        given.map(|(given, into)| into.fit_given(given?)).collect()
    }

    fn reading<'a>(&'a self, terms: &'a Terms, stores: &'a Stores, room: Room) -> Reading<'a> {
        Reading {
            site: self.site(),
            step: Step::default(),
            manner: terms.manner,
            backends: stores,
            also: &terms.also,
            limits: terms.limits(room),
        }
    }
}

impl Terms {
    /// Those of a statement.
    pub fn new(shared: &Shared, manner: Manner) -> Self {
        let alone = shared.limits.value();
        let share = share(&shared.limits);
        Self {
            manner,
            stores: shared.stores.for_codecs(),
            also: shared.also_readable.clone(),
            time: shared.limits.value_seconds,
            shared: ValueLimits {
                bytes: alone.bytes.min(share),
                json_bytes: alone.json_bytes.min(share),
                ..alone
            },
            alone,
        }
    }

    /// The stores for one value, whose time begins now.
    pub fn stores_for_value(&self) -> Stores {
        self.stores.until(Instant::now() + self.time)
    }

    /// Whether a value that was too large for its share is to be tried again.
    pub fn has_more_room(&self) -> bool {
        self.alone != self.shared
    }

    fn limits(&self, room: Room) -> ValueLimits {
        match room {
            Room::Shared => self.shared,
            Room::Alone => self.alone,
        }
    }
}

/// What each value may take of those that are under way side by side, in bytes.
pub fn share(limits: &Limits) -> u64 {
    (limits.prefetch_bytes / limits.store_parallel as u64).max(1)
}

/// The text that a column's client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// How the column was announced.
    pub shape: Shape,
    /// `character_set_results`
    pub results: ResultCharset,
}

impl Text {
    fn fit_given(self, given: Given) -> Result<Given, CodecError> {
        match given {
            Given::Bytes(bytes) => self.fit(bytes).map(Given::Bytes),
            object => Ok(object),
        }
    }

    /// The value in the client's character set.
    fn fit(self, value: Bytes) -> Result<Bytes, CodecError> {
        if self.shape == Shape::LongBlob || self.results.take(&value) {
            return Ok(value);
        }
        match std::str::from_utf8(&value) {
            Ok(text) if self.shape == Shape::LongText => {
                Ok(json::to_ascii(text).into_owned().into())
            }
            _ => Err(CodecError::Value(
                "its text cannot be written in character_set_results, which is not utf8mb4"
                    .to_owned(),
            )),
        }
    }
}

/// All of a literal's value; without a copy where it lies in the statement as it is.
fn collected(literal: &Literal, limit: u64) -> Result<Bytes, CodecError> {
    let len = literal.decoded_len();
    let whole = usize::try_from(len).ok().filter(|_| len <= limit);
    let Some(whole) = whole else {
        let text = "the value is longer than limits.value_bytes";
        return Err(CodecError::Limit(text.to_owned()));
    };
    let mut chunks = literal.chunks(whole);
    let first = chunks.next().unwrap_or_default();
    if first.len() == whole {
        return Ok(first);
    }
    let mut all = Vec::with_capacity(whole);
    all.extend_from_slice(&first);
    for chunk in chunks {
        all.extend_from_slice(&chunk);
    }
    Ok(all.into())
}

/// Runs a codec on a thread that may block. One that panics has failed for this value only.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CodecError> + Send + 'static,
) -> Result<T, CodecError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(%error, "a codec broke off");
            Err(CodecError::Corrupt("internal error".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_the_client() {
        let fit = |shape, results, text: &str| {
            let fitted = Text { shape, results }.fit(Bytes::copy_from_slice(text.as_bytes()));
            fitted.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
        };
        let text = "{\"a\": \"é😀\"}";
        let long = |results| fit(Shape::LongText, results, text).unwrap();
        assert_eq!(long(ResultCharset::Utf8), text);
        let ascii = "{\"a\": \"\\u00e9\\ud83d\\ude00\"}";
        assert_eq!(long(ResultCharset::Utf8Mb3), ascii);
        assert_eq!(long(ResultCharset::Ascii), ascii);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(ascii).unwrap(),
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
        assert_eq!(
            fit(Shape::VarChar, ResultCharset::Utf8Mb3, "é").unwrap(),
            "é"
        );
        assert!(fit(Shape::VarChar, ResultCharset::Ascii, "é").is_err());
        assert_eq!(
            fit(Shape::LongBlob, ResultCharset::Ascii, "é").unwrap(),
            "é"
        );
    }

    #[test]
    fn the_shares_make_up_the_whole() {
        let limits = Limits {
            prefetch_bytes: 100,
            store_parallel: 7,
            ..Limits::default()
        };
        assert_eq!(share(&limits), 14);
        let limits = Limits {
            prefetch_bytes: 1,
            ..limits
        };
        assert_eq!(share(&limits), 1);
    }
}
