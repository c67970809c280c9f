//! The calls that wait for a worker, and which of them it is given.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::job::Job;
use super::process::Worker;

/// The most calls of a frame, and the most bytes; a longer value is alone.
const CALLS: usize = 256;
const BYTES: u64 = 4 << 20;

/// What the threads of a pool share.
#[derive(Default)]
pub(super) struct Queue {
    pub waiting: VecDeque<Arc<Job>>,
    /// Threads, and those of them that have nothing to do.
    pub threads: usize,
    pub idle: usize,
    /// Workers that are ready or at work.
    pub ready: usize,
    /// Workers that were started to see what there is.
    pub spare: Vec<Worker>,
    /// When a start last failed, and why.
    pub failed: Option<(Instant, String)>,
    /// For each codec, how many workers have long calls of it.
    pub stalled: HashMap<String, usize>,
    pub ending: bool,
}

impl Queue {
    /// The first call that may run now.
    pub fn next(&mut self, workers: usize) -> Option<usize> {
        self.waiting.retain(|job| !job.is_answered());
        self.waiting
            .iter()
            .position(|job| self.may_run(job, workers))
    }

    /// The calls for the next frame of one of so many workers; none if there is nothing to do.
    pub fn share(&mut self, workers: usize) -> Vec<Arc<Job>> {
        let Some(first) = self.next(workers) else {
            return Vec::new();
        };
        let most = self.waiting.len().div_ceil(self.threads.max(1)).min(CALLS);
        let mut jobs: Vec<_> = self.waiting.remove(first).into_iter().collect();
        let mut bytes: u64 = jobs.iter().map(|job| job.asked.length).sum();
        if jobs.iter().any(|job| job.is_alone()) {
            return jobs;
        }
        let mut at = first;
        while let Some(job) = self.waiting.get(at).filter(|_| jobs.len() < most) {
            bytes += job.asked.length;
            if bytes > BYTES {
                break;
            }
            if job.is_alone() || !self.may_run(job, workers) {
                at += 1;
                continue;
            }
            jobs.extend(self.waiting.remove(at));
        }
        jobs
    }

    fn may_run(&self, job: &Job, workers: usize) -> bool {
        let stalled = self.stalled.get(&job.asked.codec).copied();
        workers == 1 || stalled.unwrap_or_default() < workers - 1
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::codec::{Site, ValueLimits};
    use crate::python::call::{Asked, What};

    fn job(codec: &str, length: u64, repeatable: bool) -> Arc<Job> {
        let site = Site {
            schema: "lab",
            table: "scan",
            column: "data",
        };
        let asked = Asked::new(codec, What::Encode, &site, &ValueLimits::default());
        let asked = Asked { length, ..asked };
        Arc::new(Job::new(asked, [Bytes::new(), Bytes::new()], repeatable))
    }

    fn queue(threads: usize, jobs: impl IntoIterator<Item = Arc<Job>>) -> Queue {
        Queue {
            waiting: jobs.into_iter().collect(),
            threads,
            ..Queue::default()
        }
    }

    #[test]
    fn workers_share_what_waits() {
        let mut queue = queue(2, (0..10).map(|_| job("graph", 100, true)));
        assert_eq!(queue.share(2).len(), 5);
        assert_eq!(queue.share(2).len(), 3);
        let large = (0..10).map(|_| job("graph", BYTES / 2, true));
        let mut queue = self::queue(1, large);
        assert_eq!(queue.share(1).len(), 2);
    }

    #[test]
    fn what_must_not_be_repeated_or_has_ended_a_worker_goes_alone() {
        let jobs = [
            job("graph", 1, true),
            job("parquet", 1, false),
            job("graph", 1, true),
        ];
        let mut queue = queue(1, jobs);
        assert_eq!(queue.share(1).len(), 2);
        assert_eq!(queue.share(1).len(), 1);
        let jobs = [job("graph", 1, true), job("graph", 1, true)];
        jobs[0].tried.store(true, Ordering::Relaxed);
        let mut queue = self::queue(1, jobs);
        assert_eq!(queue.share(1).len(), 1);
        assert_eq!(queue.share(1).len(), 1);
    }

    #[test]
    fn long_calls_leave_a_worker_to_others() {
        let jobs = [job("slow", 1, true), job("graph", 1, true)];
        let mut queue = queue(2, jobs);
        queue.stalled.insert("slow".to_owned(), 1);
        let taken = queue.share(2);
        assert_eq!(taken[0].asked.codec, "graph");
        assert!(queue.share(2).is_empty());
        // With a third worker there is room.
        assert_eq!(queue.share(3)[0].asked.codec, "slow");
    }

    #[test]
    fn the_first_answer_counts_and_nobody_waits_for_ever() {
        let waiting = job("graph", 1, true);
        let late = waiting.wait(std::time::Duration::from_millis(1));
        assert!(matches!(late, Err(crate::python::job::Failure::Busy(_))));
        assert!(waiting.is_answered());
        let mut queue = queue(1, [waiting]);
        assert!(queue.share(1).is_empty());
        let answered = job("graph", 1, true);
        answered.answer(Err(crate::python::job::Failure::Nonsense));
        answered.answer(Err(crate::python::job::Failure::Ending));
        assert!(matches!(
            answered.wait(std::time::Duration::from_secs(1)),
            Err(crate::python::job::Failure::Nonsense)
        ));
    }
}
