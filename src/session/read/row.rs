//! One row on its way to the client: its values as they are fetched and decoded.
//!
//! A value comes by one of two ways. Where its codecs are transparent in the client's notation,
//! the object that the pointer names is what the client gets: a small one is fetched ahead, one
//! of more than a quarter of `limits.prefetch_bytes` is opened at its turn and passed through.
//! Every other is decoded by its chain ([`crate::session::coded`]): ahead of its turn if it fits its
//! share, else alone, at its turn. If the chain ends in an object whose content is the value
//! (`<object@>`), that is treated as the object of a pointer is.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};
use tokio_util::task::AbortOnDropHandle;

use crate::codec::{CodecError, Dtype, Given, Manner, ObjectRef, Pointer};
use crate::refusal::Refusal;
use crate::session::batches::{self, Batches, Work};
use crate::session::coded::{self, Coded, Room, Terms, Text};
use crate::session::connection::link::Outgoing;
use crate::session::refuse;
use crate::session::shared::Shared;
use crate::store::{PathRule, Reader};
use crate::wire::lenenc;

/// A row on its way to the client.
pub struct Row {
    /// As the server has sent it.
    pub payload: Bytes,
    /// In the order of the row.
    pub parts: Vec<Part>,
    /// Bytes that this row may hold in memory.
    pub ahead: u64,
}

/// A stretch of a row.
pub enum Part {
    /// Bytes of the row as the server sent them.
    Raw(Range<usize>),
    /// What is shown in place of what is stored.
    Value(Arc<Coded>, Value),
}

/// A column of the result that is translated.
#[derive(Debug)]
pub struct Shown {
    /// Where it comes from.
    pub column: Arc<Coded>,
    /// How its values are shown.
    pub text: Text,
}

/// A value that is being got.
pub enum Value {
    /// It is under way.
    Fetching(AbortOnDropHandle<Result<Ready, Refusal>>),
    /// It is decoded together with others.
    Decoding(oneshot::Receiver<Outcome>, Box<Decoding>),
    /// It is here, or can be had at its turn.
    Fetched(Result<Ready, Refusal>),
}

/// A part of a row that can be sent.
pub enum Ready {
    /// Bytes of the row.
    Bytes(Bytes),
    /// A value.
    Value(Bytes),
    /// A value that comes in pieces.
    Reader(Reader),
    /// A value that is got at its turn, since it is too large to wait.
    Later(Later),
}

type Later = Pin<Box<dyn Future<Output = Result<Ready, Refusal>> + Send>>;

/// What a statement gets its values with.
pub struct Means {
    terms: Terms,
    batches: Batches<Box<Decoding>>,
    /// Lets as many fetch and decode at once as `limits.store_parallel` says.
    gate: Arc<Semaphore>,
    /// Objects of more bytes are not fetched ahead.
    large: u64,
    /// Values of more bytes are not decoded ahead.
    share: u64,
}

impl Means {
    /// Those of one result.
    pub fn new(shared: &Shared, manner: Manner) -> Self {
        let terms = Terms::new(shared, manner);
        Self {
            batches: Batches::new(terms.clone(), shared.limits.store_parallel),
            terms,
            gate: Arc::new(Semaphore::new(shared.limits.store_parallel)),
            large: shared.limits.prefetch_bytes / 4,
            share: coded::share(&shared.limits),
        }
    }

    /// Begins to get a value; gives with it how many bytes it may take up meanwhile.
    pub fn begin(&self, shown: &Shown, stored: Bytes) -> Result<(Value, u64), Refusal> {
        let is_text = shown.column.chain.dtype != Dtype::Bytes;
        if is_text && !shown.text.results.keeps(&stored) {
            return Err(Refusal::unsupported(
                &shown.column.name,
                "what is stored may have been changed for character_set_results",
                "SET NAMES utf8mb4",
            ));
        }
        if shown.column.is_streamed(&self.terms.manner) {
            self.fetch(&shown.column, &stored)
        } else {
            Ok(self.decode(shown, stored))
        }
    }

    /// A value by itself, all of it; one of more than `limit` bytes is an error.
    pub async fn whole(&self, shown: &Shown, stored: Bytes, limit: u64) -> Result<Bytes, Refusal> {
        let column = &shown.column;
        let (mut value, _) = self.begin(shown, stored)?;
        value.arrive(column).await;
        let (len, value) = match value.ready(column).await? {
            Ready::Bytes(bytes) | Ready::Value(bytes) => (bytes.len() as u64, Ok(bytes)),
            Ready::Reader(reader) => (reader.size(), Err(reader)),
            Ready::Later(_) => return Err(refuse::internal(&column.name)),
        };
        if len > limit {
            return Err(Refusal::limit(&format!(
                "{}: the value is longer than limits.value_bytes",
                column.name
            )));
        }
        match value {
            Ok(bytes) => Ok(bytes),
            Err(reader) => {
                let value = reader.collect().await;
                value.map_err(|e| refuse::store(&column.name, &e))
            }
        }
    }

    /// The object that a pointer names.
    fn fetch(&self, column: &Arc<Coded>, stored: &[u8]) -> Result<(Value, u64), Refusal> {
        let pointer =
            Pointer::parse(stored).map_err(|e| Refusal::store(&column.name, &e.to_string()))?;
        let store = self.terms.stores.resolve(&pointer.store);
        let store = store.map_err(|e| refuse::store(&column.name, &e))?;
        let size = pointer.size.unwrap_or(u64::MAX);
        let (column, also) = (column.clone(), self.terms.also.clone());
        let open = async move {
            let rule = PathRule {
                schema: &column.table.schema,
                also: &also,
            };
            let opened = store.open(&pointer, &rule).await;
            opened
                .map_err(|e| refuse::store(&column.name, &e))
                .map(|reader| (column, reader))
        };
        if size > self.large {
            let later = async move { Ok(Ready::Reader(open.await?.1)) };
            return Ok((Value::later(Box::pin(later)), 0));
        }
        let (gate, large) = (self.gate.clone(), self.large);
        let fetch = async move {
            // The semaphore is never closed.
            let _permit = gate.acquire().await;
            let (column, reader) = open.await?;
            if reader.size() > large {
                let reason = "the object is larger than its pointer says";
                return Err(Refusal::store(&column.name, reason));
            }
            let value = reader.collect().await;
            value
                .map(Ready::Value)
                .map_err(|e| refuse::store(&column.name, &e))
        };
        Ok((Value::Fetching(spawn(fetch)), size))
    }

    /// What the chain makes of what is stored.
    fn decode(&self, shown: &Shown, stored: Bytes) -> (Value, u64) {
        let decoding = Decoding {
            column: shown.column.clone(),
            text: shown.text,
            terms: self.terms.clone(),
            share: self.share,
            stored,
        };
        if decoding.stored.len() as u64 > self.share {
            return (Value::later(decoding.alone()), 0);
        }
        if decoding.stored.len() <= batches::SHORT && !shown.column.chain.is_external() {
            let decoding = Box::new(decoding);
            let outcome = self.batches.put(decoding.clone());
            return (Value::Decoding(outcome, decoding), self.share);
        }
        let gate = self.gate.clone();
        let decode = async move {
            // The semaphore is never closed.
            let _permit = gate.acquire().await;
            decoding.shared().await
        };
        (Value::Fetching(spawn(decode)), self.share)
    }
}

/// A value that is decoded by its chain.
#[derive(Clone)]
pub struct Decoding {
    column: Arc<Coded>,
    text: Text,
    terms: Terms,
    share: u64,
    stored: Bytes,
}

type Outcome = Result<Given, CodecError>;

impl Work for Box<Decoding> {
    type Terms = Terms;
    type Outcome = Outcome;

    fn is_like(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.column, &other.column)
    }

    fn all(works: Vec<Self>, terms: &Terms) -> Vec<Outcome> {
        let Some(column) = works.first().map(|work| work.column.clone()) else {
            return Vec::new();
        };
        let stored = works.into_iter().map(|work| (work.stored, work.text));
        column.read_many(stored.collect(), terms)
    }
}

impl Decoding {
    /// Within its share; what does not fit is left for its turn.
    async fn shared(self) -> Result<Ready, Refusal> {
        let column = self.column.clone();
        let stored = self.stored.clone();
        let read = column.read(stored, &self.terms, Room::Shared, self.text);
        match read.await {
            Ok(Given::Bytes(value)) => Ok(Ready::Value(value)),
            Ok(Given::Object(object)) => {
                // What the metadata says of the size is a hint, no more.
                if object.size.is_none_or(|size| size <= self.share) {
                    let reader = self.open(&object).await?;
                    if reader.size() <= self.share {
                        let value = reader.collect().await;
                        return value
                            .map(Ready::Value)
                            .map_err(|e| refuse::store(&column.name, &e));
                    }
                }
                let later = async move { Ok(Ready::Reader(self.open(&object).await?)) };
                Ok(Ready::Later(Box::pin(later)))
            }
            Err(error) if refuse::is_limit(&error) && self.terms.has_more_room() => {
                Ok(Ready::Later(self.alone()))
            }
            Err(error) => Err(refuse::read(&column.name, error)),
        }
    }

    /// What has become of it among others. What did not fit, or is an object, has its turn.
    fn settle(self, outcome: Outcome) -> Value {
        match outcome {
            Ok(Given::Bytes(value)) => Value::Fetched(Ok(Ready::Value(value))),
            Ok(Given::Object(_)) => Value::later(self.alone()),
            Err(error) if refuse::is_limit(&error) && self.terms.has_more_room() => {
                Value::later(self.alone())
            }
            Err(error) => Value::Fetched(Err(refuse::read(&self.column.name, error))),
        }
    }

    /// With all the room that one value may have.
    fn alone(self) -> Later {
        Box::pin(async move {
            let stored = self.stored.clone();
            let read = self
                .column
                .read(stored, &self.terms, Room::Alone, self.text);
            match read.await {
                Ok(Given::Bytes(value)) => Ok(Ready::Value(value)),
                Ok(Given::Object(object)) => Ok(Ready::Reader(self.open(&object).await?)),
                Err(error) => Err(refuse::read(&self.column.name, error)),
            }
        })
    }

    /// The object whose content is the value; its path has been checked by the codec.
    async fn open(&self, object: &ObjectRef) -> Result<Reader, Refusal> {
        let failed = |e| refuse::store(&self.column.name, &e);
        let store = self.terms.stores.resolve(&object.store).map_err(failed)?;
        store.open_object(&object.path).await.map_err(failed)
    }
}

fn spawn(
    work: impl Future<Output = Result<Ready, Refusal>> + Send + 'static,
) -> AbortOnDropHandle<Result<Ready, Refusal>> {
    AbortOnDropHandle::new(tokio::spawn(work))
}

impl Value {
    /// Waits for it, if it is under way. Cancel safe: what has arrived stays.
    async fn arrive(&mut self, column: &Coded) {
        if let Self::Decoding(outcome, decoding) = self {
            let outcome = outcome.await;
            let decoding = decoding.clone();
            *self = match outcome {
                Ok(outcome) => decoding.settle(outcome),
                Err(_) => Self::Fetching(spawn(decoding.shared())),
            };
        }
        if let Self::Fetching(handle) = self {
            let fetched = handle.await;
            *self = Self::Fetched(fetched.unwrap_or_else(|error| {
                tracing::error!(%error, "a value's task broke off");
                Err(refuse::internal(&column.name))
            }));
        }
    }

    fn later(later: Later) -> Self {
        Self::Fetched(Ok(Ready::Later(later)))
    }

    /// The value, at its turn.
    pub async fn ready(self, column: &Coded) -> Result<Ready, Refusal> {
        let mut ready = match self {
            Self::Fetched(ready) => ready?,
            Self::Fetching(_) | Self::Decoding(..) => {
                return Err(refuse::internal(&column.name));
            }
        };
        while let Ready::Later(later) = ready {
            ready = later.await?;
        }
        Ok(ready)
    }
}

/// Waits for the fetches of the first row. Cancel safe: what has arrived stays.
pub async fn first_ready(window: &mut VecDeque<Row>) {
    let Some(row) = window.front_mut() else {
        return;
    };
    for part in &mut row.parts {
        if let Part::Value(column, value) = part {
            value.arrive(column).await;
        }
    }
}

impl Ready {
    /// Bytes that it takes in the row.
    pub fn len(&self) -> u64 {
        let len = self.value_len();
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Value(_) | Self::Reader(_) => lenenc::int_len(len) as u64 + len,
            Self::Later(_) => 0,
        }
    }

    /// Bytes of the value, without what tells its length.
    pub fn value_len(&self) -> u64 {
        match self {
            Self::Value(bytes) => bytes.len() as u64,
            Self::Reader(reader) => reader.size(),
            Self::Bytes(_) | Self::Later(_) => 0,
        }
    }

    /// Sends it as part of a row.
    pub async fn send(self, out: &mut Outgoing<'_>) -> io::Result<()> {
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
            // [`Value::ready`] gives no such.
            Self::Later(_) => Err(io::Error::other("a value was not waited for")),
        }
    }
}
