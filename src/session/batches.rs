//! Short values of a statement or a result that go through their codecs together.
//!
//! To hand one value to a thread and to get it back takes longer than most codecs need for it; and
//! Python codecs are told of several values in one message. So short values wait here:
//!
//! 1. A value is put at the end of the queue. If there are not as many threads at work as the
//!    machine has cores, one more begins.
//! 2. A thread takes values of one column that wait, has each codec treat all of them, and hands
//!    them out; then the next, until none wait.
//!    *A codec panics:* none of them is handed out, and each is tried by itself.
//! 3. As long as a value takes longer than [`SLOW`], so that its codec may well wait for something,
//!    values are taken one by one, side by side up to `limits.store_parallel`.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::coded::{Coded, Terms};

/// A value of at most so many bytes is short.
pub const SHORT: usize = 16 << 10;

/// The most values that are taken at once.
const MOST: usize = 16;

/// What a value may take without being alone.
const SLOW: Duration = Duration::from_millis(1);

/// What is to be done with a value of a column.
pub trait Work: Send + Sized + 'static {
    /// What comes of it.
    type Outcome: Send;

    /// The column.
    fn column(&self) -> &Arc<Coded>;

    /// Does it for several values of this column, each within its share; one outcome for each, in
    /// order. Blocks.
    fn all(works: Vec<Self>, column: &Coded, terms: &Terms) -> Vec<Self::Outcome>;
}

/// The values of one statement or result.
pub struct Batches<W: Work>(Arc<Shared<W>>);

struct Shared<W: Work> {
    terms: Terms,
    /// The most values that are under way at the same time.
    parallel: usize,
    cores: usize,
    queue: Mutex<Queue<W>>,
}

struct Queue<W: Work> {
    waiting: VecDeque<Waiting<W>>,
    threads: usize,
    is_slow: bool,
}

struct Waiting<W: Work> {
    work: W,
    outcome: oneshot::Sender<W::Outcome>,
}

impl<W: Work> Batches<W> {
    /// None yet; at most `parallel` will be under way at the same time.
    pub fn new(terms: Terms, parallel: usize) -> Self {
        Self(Arc::new(Shared {
            terms,
            parallel,
            cores: thread::available_parallelism().map_or(1, usize::from),
            queue: Mutex::new(Queue {
                waiting: VecDeque::new(),
                threads: 0,
                is_slow: false,
            }),
        }))
    }

    /// Step 1. Where the outcome never comes, the value is to be tried by itself.
    pub fn put(&self, work: W) -> oneshot::Receiver<W::Outcome> {
        let (outcome, receiver) = oneshot::channel();
        let mut queue = self.0.queue();
        queue.waiting.push_back(Waiting { work, outcome });
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

impl<W: Work> Shared<W> {
    /// Steps 2 and 3.
    fn work(&self) {
        let mut is_slow = None;
        loop {
            let mut queue = self.queue();
            queue.is_slow = is_slow.unwrap_or(queue.is_slow);
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
            if catch_unwind(AssertUnwindSafe(|| self.run(batch))).is_err() {
                tracing::error!("a codec broke off");
            }
            is_slow = Some(since.elapsed() > SLOW * count);
        }
    }

    fn run(&self, batch: Vec<Waiting<W>>) {
        let (works, outcomes): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|w| (w.work, w.outcome)).unzip();
        let Some(column) = works.first().map(|work| work.column().clone()) else {
            return;
        };
        for (to, outcome) in outcomes
            .into_iter()
            .zip(W::all(works, &column, &self.terms))
        {
            // Nobody may wait for it any more.
            let _ = to.send(outcome);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<W>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Work> Queue<W> {
    /// So many values of the column that is first in the queue.
    fn take(&mut self, most: usize) -> Vec<Waiting<W>> {
        self.waiting.retain(|value| !value.outcome.is_closed());
        let Some(first) = self.waiting.pop_front() else {
            return Vec::new();
        };
        let mut batch = vec![first];
        let mut others = VecDeque::new();
        let column = batch[0].work.column().clone();
        let is_like = |value: &Waiting<W>| Arc::ptr_eq(value.work.column(), &column);
        for value in self.waiting.drain(..) {
            match batch.len() < most && is_like(&value) {
                true => batch.push(value),
                false => others.push_back(value),
            }
        }
        self.waiting = others;
        batch
    }
}
