//! Short values of a statement or a result that go through their codecs together.
//!
//! To hand one value to a thread and to get it back takes longer than most codecs need for it; and
//! Python codecs are told of several values in one message. So short values wait here:
//!
//! 1. A value is put at the end of the queue. If there are not as many threads at work as the
//!    machine has cores, one more begins.
//! 2. A thread takes values of one column that wait, has each codec treat all of them, and hands
//!    them out; then the next, until none wait. The first time it takes one, then twice as many
//!    each time.
//!    *A codec panics:* none of them is handed out, and each is tried by itself.
//! 3. As long as a value takes longer than [`SLOW`], so that its codec may well wait for something,
//!    values are taken one by one, side by side by as many threads as `limits.store_parallel`.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// A value of at most so many bytes is short.
pub const SHORT: usize = 16 << 10;

/// The most values that are taken at once.
const MOST: usize = 16;

/// What a value may take without being alone.
const SLOW: Duration = Duration::from_millis(1);

/// What is to be done with a value of a column.
pub trait Work: Send + Sized + 'static {
    /// What all of them have in common.
    type Terms: Send + Sync;
    /// What comes of it.
    type Outcome: Send;

    /// Whether it is for the same column as another.
    fn is_like(&self, other: &Self) -> bool;

    /// Does it for several values of one column, each within its share; one outcome for each, in
    /// order. Blocks.
    fn all(works: Vec<Self>, terms: &Self::Terms) -> Vec<Self::Outcome>;
}

/// The values of one statement or result.
pub struct Batches<W: Work>(Arc<Shared<W>>);

struct Shared<W: Work> {
    terms: W::Terms,
    /// The most values that are under way at the same time.
    parallel: usize,
    cores: usize,
    queue: Mutex<Queue<W>>,
}

struct Queue<W: Work> {
    waiting: VecDeque<Waiting<W>>,
    threads: usize,
    is_slow: bool,
    /// How many are taken next time.
    at_once: usize,
}

struct Waiting<W: Work> {
    work: W,
    outcome: oneshot::Sender<W::Outcome>,
}

impl<W: Work> Batches<W> {
    /// None yet; at most `parallel` will be under way at the same time.
    pub fn new(terms: W::Terms, parallel: usize) -> Self {
        Self(Arc::new(Shared {
            terms,
            parallel,
            cores: thread::available_parallelism().map_or(1, usize::from),
            queue: Mutex::new(Queue {
                waiting: VecDeque::new(),
                threads: 0,
                is_slow: false,
                at_once: 1,
            }),
        }))
    }

    /// Step 1. Where the outcome never comes, the value is to be tried by itself.
    pub fn put(&self, work: W) -> oneshot::Receiver<W::Outcome> {
        let (outcome, receiver) = oneshot::channel();
        let mut queue = self.0.queue();
        queue.waiting.push_back(Waiting { work, outcome });
        self.0.recruit(queue);
        receiver
    }
}

impl<W: Work> Shared<W> {
    /// Lets one more thread begin, if that is of use.
    fn recruit(self: &Arc<Self>, mut queue: MutexGuard<'_, Queue<W>>) {
        let most = match queue.is_slow {
            true => self.parallel,
            false => self.cores.min(self.parallel),
        };
        if queue.threads < most && !queue.waiting.is_empty() {
            queue.threads += 1;
            drop(queue);
            let shared = self.clone();
            tokio::task::spawn_blocking(move || shared.work());
        }
    }

    /// Steps 2 and 3.
    fn work(self: &Arc<Self>) {
        let most = (self.parallel / self.cores).clamp(1, MOST);
        let mut is_slow = None;
        loop {
            let mut queue = self.queue();
            if let Some(is_slow) = is_slow {
                queue.is_slow = is_slow;
                queue.at_once = if is_slow {
                    1
                } else {
                    most.min(2 * queue.at_once)
                };
            }
            let at_once = queue.at_once;
            let batch = queue.take(at_once);
            if batch.is_empty() {
                queue.threads -= 1;
                return;
            }
            self.recruit(queue);
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
        for (to, outcome) in outcomes.into_iter().zip(W::all(works, &self.terms)) {
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
        for value in self.waiting.drain(..) {
            match batch.len() < most && value.work.is_like(&batch[0].work) {
                true => batch.push(value),
                false => others.push_back(value),
            }
        }
        self.waiting = others;
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A column and a value; a negative one makes the codec panic, one over 1000 takes so many µs.
    #[derive(Debug, Clone, PartialEq)]
    struct Number(char, i64);

    /// The batches that were run.
    type Log = Mutex<Vec<Vec<Number>>>;

    impl Work for Number {
        type Terms = Arc<Log>;
        type Outcome = i64;

        fn is_like(&self, other: &Self) -> bool {
            self.0 == other.0
        }

        fn all(works: Vec<Self>, terms: &Self::Terms) -> Vec<i64> {
            terms.lock().unwrap().push(works.clone());
            assert!(works.iter().all(|work| work.1 >= 0), "a codec panics");
            let slow = works.iter().map(|work| work.1).filter(|n| *n > 1000);
            thread::sleep(Duration::from_micros(slow.sum::<i64>() as u64));
            works.iter().map(|work| work.1 * 2).collect()
        }
    }

    /// The outcomes of all of them, and the batches in which they were run.
    async fn run(works: Vec<Number>, parallel: usize) -> (Vec<Option<i64>>, Vec<Vec<Number>>) {
        let log = Arc::new(Log::default());
        let batches = Batches::new(log.clone(), parallel);
        let waiting: Vec<_> = works.into_iter().map(|work| batches.put(work)).collect();
        let mut outcomes = Vec::new();
        for outcome in waiting {
            outcomes.push(outcome.await.ok());
        }
        let log = std::mem::take(&mut *log.lock().unwrap());
        (outcomes, log)
    }

    #[tokio::test]
    async fn every_value_gets_its_outcome_in_batches_of_one_column() {
        let works: Vec<_> = (0..200)
            .map(|n| Number(['a', 'b'][n as usize % 2], n))
            .collect();
        let (outcomes, log) = run(works.clone(), 32).await;
        let expected: Vec<_> = (0..200).map(|n| Some(n * 2)).collect();
        assert_eq!(outcomes, expected);
        assert!(
            log.iter()
                .all(|batch| batch.iter().all(|work| work.is_like(&batch[0])))
        );
        assert!(log.iter().all(|batch| batch.len() <= MOST), "{log:?}");
        assert!(log.len() < works.len(), "all were alone");
        let (outcomes, log) = run(works, 1).await;
        assert_eq!(outcomes, expected);
        assert!(log.iter().all(|batch| batch.len() == 1), "{log:?}");
    }

    #[tokio::test]
    async fn a_codec_that_panics_takes_only_its_batch_along() {
        let works = (0..100).map(|n| Number('a', if n == 50 { -1 } else { n }));
        let (outcomes, log) = run(works.collect(), 32).await;
        assert_eq!(outcomes.len(), 100);
        let lost = log.iter().find(|batch| batch.contains(&Number('a', -1)));
        let lost = lost.expect("it was run").len();
        assert_eq!(
            outcomes.iter().filter(|outcome| outcome.is_none()).count(),
            lost
        );
        assert_eq!(outcomes[50], None);
    }

    #[tokio::test]
    async fn slow_values_are_side_by_side() {
        let works: Vec<_> = (0..64).map(|_| Number('a', 20_000)).collect();
        let log = Arc::new(Log::default());
        let batches = Batches::new(log.clone(), 32);
        let waiting: Vec<_> = works.into_iter().map(|work| batches.put(work)).collect();
        let mut most = 0;
        for outcome in waiting {
            most = most.max(batches.0.queue().threads);
            assert_eq!(outcome.await, Ok(40_000));
        }
        assert!(most > 8 && most <= 32, "{most} threads");
        let log = log.lock().unwrap();
        assert!(log.iter().all(|batch| batch.len() == 1), "{log:?}");
    }

    #[tokio::test]
    async fn nobody_works_for_those_who_have_left() {
        let log = Arc::new(Log::default());
        let batches = Batches::new(log.clone(), 1);
        let first = batches.put(Number('a', 20_000));
        drop(
            (0..10)
                .map(|n| batches.put(Number('a', n)))
                .collect::<Vec<_>>(),
        );
        let last = batches.put(Number('a', 7));
        assert_eq!((first.await, last.await), (Ok(40_000), Ok(14)));
        assert_eq!(log.lock().unwrap().len(), 2);
    }
}
