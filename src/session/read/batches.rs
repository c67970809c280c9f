//! Short values of a result that are decoded together.
//!
//! To hand one value to a thread and to get it back takes longer than most codecs need for it; and
//! Python codecs are told of several values in one message. So short values wait here:
//!
//! 1. A value is put at the end of the queue. If there are not as many threads at work as the
//!    machine has cores, one more begins.
//! 2. A thread takes values of one column that wait, has each codec decode all of them, and hands
//!    them out; then the next, until none wait.
//!    *A codec panics:* none of them is handed out, and each is decoded by itself.
//! 3. A codec that takes longer than [`SLOW`] for a value, which may well wait for something, gets
//!    its values one by one from then on, side by side up to `limits.store_parallel`.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::row::Shown;
use crate::codec::{CodecError, Given};
use crate::session::coded::{Coded, Terms, Text};

/// The longest stored value that is decoded with others, in bytes.
pub const SHORT: usize = 16 << 10;

/// The most values that are decoded at once.
const MOST: usize = 16;

/// What a value may take without being alone.
const SLOW: Duration = Duration::from_millis(1);

/// What a value becomes.
pub type Outcome = Result<Given, CodecError>;

/// The values of one result.
pub struct Batches(Arc<Shared>);

struct Shared {
    terms: Terms,
    /// The most values that are under way at the same time.
    parallel: usize,
    cores: usize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    threads: usize,
    is_slow: bool,
}

struct Waiting {
    column: Arc<Coded>,
    text: Text,
    stored: Bytes,
    outcome: oneshot::Sender<Outcome>,
}

impl Batches {
    /// None yet; at most `parallel` will be under way at the same time.
    pub fn new(terms: Terms, parallel: usize) -> Self {
        Self(Arc::new(Shared {
            terms,
            parallel,
            cores: thread::available_parallelism().map_or(1, usize::from),
            queue: Mutex::default(),
        }))
    }

    /// Step 1. Where the outcome never comes, the value is to be decoded by itself.
    pub fn put(&self, shown: &Shown, stored: Bytes) -> oneshot::Receiver<Outcome> {
        let (outcome, receiver) = oneshot::channel();
        let mut queue = self.0.queue();
        queue.waiting.push_back(Waiting {
            column: shown.column.clone(),
            text: shown.text,
            stored,
            outcome,
        });
        let most = match queue.is_slow {
            true => self.0.parallel,
            false => self.0.cores.min(self.0.parallel),
        };
        if queue.threads < most {
            queue.threads += 1;
            drop(queue);
            let shared = self.0.clone();
            tokio::task::spawn_blocking(move || shared.work());
        }
        receiver
    }
}

impl Shared {
    /// Steps 2 and 3.
    fn work(&self) {
        loop {
            let mut queue = self.queue();
            let most = match queue.is_slow {
                true => 1,
                false => (self.parallel / self.cores).clamp(1, MOST),
            };
            let batch = queue.take(most);
            if batch.is_empty() {
                queue.threads -= 1;
                return;
            }
            drop(queue);
            let (since, count) = (Instant::now(), batch.len() as u32);
            if catch_unwind(AssertUnwindSafe(|| self.decode(batch))).is_err() {
                tracing::error!("a codec broke off");
            }
            if since.elapsed() > SLOW * count {
                self.queue().is_slow = true;
            }
        }
    }

    fn decode(&self, batch: Vec<Waiting>) {
        let Some(first) = batch.first() else {
            return;
        };
        let stored = batch.iter().map(|value| value.stored.clone()).collect();
        let outcomes = first.column.read_many(stored, &self.terms, first.text);
        for (value, outcome) in batch.into_iter().zip(outcomes) {
            // Nobody may wait for it any more.
            let _ = value.outcome.send(outcome);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// So many values of the column that is first in the queue.
    fn take(&mut self, most: usize) -> Vec<Waiting> {
        self.waiting.retain(|value| !value.outcome.is_closed());
        let Some(first) = self.waiting.pop_front() else {
            return Vec::new();
        };
        let mut batch = vec![first];
        let mut others = VecDeque::new();
        for value in self.waiting.drain(..) {
            match batch.len() < most && Arc::ptr_eq(&value.column, &batch[0].column) {
                true => batch.push(value),
                false => others.push_back(value),
            }
        }
        self.waiting = others;
        batch
    }
}
