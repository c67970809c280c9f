//! Workers, and the calls that wait for one.
//!
//! Whoever calls blocks until there are answers. Each worker has a thread here, which, once calls
//! wait,
//!
//! 1. starts its worker if there is none; calls go on to the others meanwhile. *Fails:* if there
//!    is no other worker, all calls that wait fail; after a pause it is tried again;
//! 2. takes calls: its share of them, so that many small ones go in one frame; a call that must not
//!    be repeated, or that has ended a worker before, goes alone;
//! 3. sends the frame and hands each answer on as it comes.
//!    *The worker ends, hangs or answers nonsense:* it is killed. The call that it was at is
//!    repeated once, alone, if it may be (it stores nothing itself) and was not too slow; else
//!    it fails. The others without an answer wait again: those behind it have not begun, those
//!    before it may be repeated (else they had been alone).
//!
//! A call that takes long holds up the calls of its frame: after [`STALL`] those go back to the
//! queue for other workers, and who answers first counts. A codec with long calls gets no more
//! workers than all but one, so that it does not hold up the others for ever.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value as Json;

use super::Settings;
use super::call::{Answer, Asked};
use super::channel::Broken;
use super::job::{Failure, Job};
use super::process::{End, Folder, Listing, StartError, Worker};
use super::queue::Queue;
use crate::metrics::metrics;

/// When a call counts as long.
const STALL: Duration = Duration::from_secs(1);

/// How long a start that failed is not tried again, nor is its error forgotten.
const PAUSE: Duration = Duration::from_secs(1);

/// A start that somebody ends from outside is tried so often.
const STARTS: usize = 5;

/// A worker needs its memory for a value several times: as bytes and as an object.
const COPIES: u64 = 4;

/// A pool of workers; dropping it ends them.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    /// As workers are told them.
    stores: Option<Json>,
    queue: Mutex<Queue>,
    arrived: Condvar,
    folder: Mutex<Option<Arc<Folder>>>,
}

impl Pool {
    /// A pool without workers yet. Those with `stores` are told them, keys and all.
    pub fn new(settings: Settings, stores: Option<Json>) -> Self {
        Self {
            shared: Arc::new(Shared {
                settings,
                stores,
                queue: Mutex::default(),
                arrived: Condvar::new(),
                folder: Mutex::default(),
            }),
        }
    }

    /// What the environment has; starts a worker to see.
    pub fn listing(&self) -> Result<Listing, StartError> {
        let (worker, listing) = self.shared.start()?;
        lock(&self.shared.queue).spare.push(worker);
        Ok(listing)
    }

    /// Runs calls of one codec; blocks until each has an outcome, in order. A value is all of its
    /// bodies in order.
    pub fn run(
        &self,
        calls: Vec<(Asked, [Bytes; 2])>,
        repeatable: bool,
    ) -> Vec<Result<Answer, Failure>> {
        let settings = &self.shared.settings;
        let since = Instant::now();
        let job = |(asked, bodies): (Asked, _)| match asked.length > settings.memory_bytes / COPIES
        {
            true => Err(Failure::TooLarge),
            false => Ok(Arc::new(Job::new(asked, bodies, repeatable))),
        };
        let jobs: Vec<_> = calls.into_iter().map(job).collect();
        self.queue(jobs.iter().flatten());
        // They may wait for others, for a start, and once more after another's end.
        let until = since + settings.start + 3 * settings.deadline;
        // The last is answered last, most often: whoever waits for it is woken once.
        let waited = jobs.into_iter().rev().map(|job| {
            let job = job?;
            let answer = job.wait(until.saturating_duration_since(Instant::now()));
            let outcome = answer.as_ref().map_or_else(Failure::name, |_| "answered");
            metrics().called_python(&job.asked.codec, outcome, since);
            answer
        });
        let mut answers: Vec<_> = waited.collect();
        answers.reverse();
        answers
    }

    fn queue<'a>(&self, jobs: impl Iterator<Item = &'a Arc<Job>>) {
        let mut queue = lock(&self.shared.queue);
        queue.waiting.extend(jobs.cloned());
        if queue.waiting.len() > queue.idle && queue.threads < self.shared.settings.workers {
            let shared = self.shared.clone();
            let started = thread::Builder::new()
                .name("python".to_owned())
                .spawn(move || shared.serve());
            match started {
                Ok(_) => queue.threads += 1,
                Err(error) if queue.threads == 0 => {
                    for job in queue.waiting.drain(..) {
                        job.answer(Err(Failure::NotStarted(error.to_string())));
                    }
                }
                Err(_) => {}
            }
        }
        let many = queue.waiting.len() > 1;
        drop(queue);
        match many {
            true => self.shared.arrived.notify_all(),
            false => self.shared.arrived.notify_one(),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut queue = lock(&self.shared.queue);
        queue.ending = true;
        for job in queue.waiting.drain(..) {
            job.answer(Err(Failure::Ending));
        }
        queue.spare.clear();
        drop(queue);
        self.shared.arrived.notify_all();
    }
}

impl Shared {
    /// The thread of one worker.
    fn serve(&self) {
        let mut place = Place {
            shared: self,
            worker: None,
        };
        while self.is_asked() {
            if place.worker.as_ref().is_some_and(|w| !w.is_alive()) {
                place.clear();
            }
            if place.worker.is_none() {
                // A call wakes one thread; this one is not ready yet.
                self.arrived.notify_one();
                match self.worker() {
                    Ok(worker) => place.put(worker),
                    Err(error) => {
                        self.fail(&error);
                        thread::sleep(PAUSE);
                        continue;
                    }
                }
            }
            let jobs = lock(&self.queue).share(self.settings.workers);
            if !jobs.is_empty() {
                self.run(&mut place, &jobs);
            }
        }
    }

    /// Blocks until calls wait; `false` when the pool ends.
    fn is_asked(&self) -> bool {
        let mut queue = lock(&self.queue);
        loop {
            if queue.ending {
                return false;
            }
            if queue.next(self.settings.workers).is_some() {
                return true;
            }
            queue.idle += 1;
            queue = wait(&self.arrived, queue);
            queue.idle -= 1;
        }
    }

    /// Step 1's failure.
    fn fail(&self, error: &str) {
        let mut queue = lock(&self.queue);
        if queue.ready == 0 {
            for job in queue.waiting.drain(..) {
                job.answer(Err(Failure::NotStarted(error.to_owned())));
            }
        }
    }

    /// Step 3.
    fn run(&self, place: &mut Place<'_>, jobs: &[Arc<Job>]) {
        let Some(worker) = &mut place.worker else {
            return self.give_back(jobs);
        };
        let calls: Vec<_> = jobs.iter().map(|job| &job.asked).collect();
        let bodies: Vec<_> = jobs.iter().flat_map(|job| &job.bodies).collect();
        let sent = worker.send(&calls, &bodies);
        if let Err(Broken::Ended) = sent
            && let [first, ..] = jobs
            && !first.tried.swap(true, Ordering::Relaxed)
        {
            // A worker begins with a frame that it has the whole of: nothing has been done.
            place.clear();
            return self.give_back(jobs);
        }
        let mut given_back = false;
        for (at, job) in jobs.iter().enumerate() {
            let left = &jobs[at..];
            let received = match &sent {
                Ok(()) => {
                    let mut long = Long::new(self, job);
                    let deadline = self.settings.deadline;
                    worker.receive(deadline, job.asked.most, |progress| {
                        if long.has_become() && !std::mem::replace(&mut given_back, true) {
                            self.give_back_all_but(progress.call().saturating_sub(at), left);
                        }
                    })
                }
                Err(Broken::Late) => Err(Broken::Late),
                Err(_) => Err(Broken::Ended),
            };
            let answer = match received {
                Ok(answer) => answer,
                Err(broken) => {
                    let failure = self.failure(worker, broken);
                    let call = worker.progress().call().clamp(at, jobs.len() - 1);
                    place.clear();
                    match given_back {
                        true => self.give_back(&jobs[at..call]),
                        false => self.give_back_all_but(call - at, left),
                    }
                    self.end(&jobs[call], failure);
                    return;
                }
            };
            let is_last = answer.header.last;
            job.answer(Ok(answer));
            if is_last {
                place.clear();
                if !given_back {
                    self.give_back(&left[1..]);
                }
                return;
            }
        }
    }

    /// What becomes of the call that a worker did not finish.
    fn end(&self, job: &Arc<Job>, failure: Failure) {
        tracing::warn!(codec = job.asked.codec, %failure, "a Python worker is replaced");
        let is_late = matches!(failure, Failure::Late(_));
        if job.repeatable && !is_late && !job.tried.swap(true, Ordering::Relaxed) {
            self.give_back(std::slice::from_ref(job));
        } else {
            job.answer(Err(failure));
        }
    }

    fn failure(&self, worker: &Worker, broken: Broken) -> Failure {
        match broken {
            Broken::Late => Failure::Late(self.settings.deadline),
            Broken::Ended => Failure::Ended(worker.end()),
            Broken::Nonsense(what) => {
                tracing::warn!(what, "a Python worker answers nonsense");
                Failure::Nonsense
            }
        }
    }

    /// Has calls that have not been done wait again, before all others.
    fn give_back(&self, jobs: &[Arc<Job>]) {
        let mut queue = lock(&self.queue);
        if queue.ending {
            jobs.iter().for_each(|job| job.answer(Err(Failure::Ending)));
            return;
        }
        for job in jobs.iter().rev() {
            queue.waiting.push_front(job.clone());
        }
        drop(queue);
        self.arrived.notify_all();
    }

    fn give_back_all_but(&self, at: usize, jobs: &[Arc<Job>]) {
        let at = at.min(jobs.len() - 1);
        self.give_back(&jobs[at + 1..]);
        self.give_back(&jobs[..at]);
    }

    /// A worker that is ready.
    fn worker(&self) -> Result<Worker, String> {
        let mut queue = lock(&self.queue);
        while let Some(spare) = queue.spare.pop() {
            if spare.is_alive() {
                return Ok(spare);
            }
        }
        if let Some((_, error)) = queue.failed.as_ref().filter(|(at, _)| at.elapsed() < PAUSE) {
            return Err(error.clone());
        }
        drop(queue);
        let mut started = self.start();
        for _ in 1..STARTS {
            if let Err(StartError::Ended(End::Signal(_))) = &started {
                started = self.start();
            }
        }
        started.map(|(worker, _)| worker).map_err(|error| {
            tracing::error!(%error, "a Python worker does not start");
            let error = error.to_string();
            lock(&self.queue).failed = Some((Instant::now(), error.clone()));
            error
        })
    }

    fn start(&self) -> Result<(Worker, Listing), StartError> {
        let folder = {
            let mut folder = lock(&self.folder);
            match &*folder {
                Some(folder) => folder.clone(),
                None => folder.insert(Folder::new()?).clone(),
            }
        };
        Worker::start(&self.settings, &folder, self.stores.as_ref())
    }
}

/// Where the worker of a thread is.
struct Place<'a> {
    shared: &'a Shared,
    worker: Option<Worker>,
}

impl Place<'_> {
    fn put(&mut self, worker: Worker) {
        self.worker = Some(worker);
        lock(&self.shared.queue).ready += 1;
        metrics().python_workers.inc();
        metrics().python_starts.inc();
    }

    fn clear(&mut self) {
        if self.worker.take().is_some() {
            lock(&self.shared.queue).ready -= 1;
            metrics().python_workers.dec();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Watches whether a call takes long, and lets the pool know until it is done.
struct Long<'a> {
    shared: &'a Shared,
    codec: &'a str,
    since: Instant,
    is_told: bool,
}

impl<'a> Long<'a> {
    fn new(shared: &'a Shared, job: &'a Job) -> Self {
        Self {
            shared,
            codec: &job.asked.codec,
            since: Instant::now(),
            is_told: false,
        }
    }

    fn has_become(&mut self) -> bool {
        if !self.is_told && self.since.elapsed() >= STALL {
            self.is_told = true;
            let mut queue = lock(&self.shared.queue);
            *queue.stalled.entry(self.codec.to_owned()).or_default() += 1;
        }
        self.is_told
    }
}

impl Drop for Long<'_> {
    fn drop(&mut self) {
        if !self.is_told {
            return;
        }
        let mut queue = lock(&self.shared.queue);
        if let Some(stalled) = queue.stalled.get_mut(self.codec) {
            *stalled -= 1;
            if *stalled == 0 {
                queue.stalled.remove(self.codec);
            }
        }
        drop(queue);
        self.shared.arrived.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition
        .wait(guard)
        .unwrap_or_else(PoisonError::into_inner)
}
