//! A call that somebody waits for, and what comes of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::call::{Answer, Asked};
use super::process::End;

/// A call that somebody waits for.
pub(super) struct Job {
    pub asked: Asked,
    pub bodies: [Bytes; 2],
    /// Whether it may be done twice.
    pub repeatable: bool,
    /// Whether a worker has ended at it.
    pub tried: AtomicBool,
    answer: Mutex<Option<Result<Answer, Failure>>>,
    /// Set with the answer, which is taken out by who waits.
    answered: AtomicBool,
    arrived: Condvar,
}

/// Why a call has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Failure {
    #[error("took more than {} seconds (codecs.python.deadline_seconds)", .0.as_secs_f64())]
    Late(Duration),
    #[error("no Python worker was free within {} seconds (codecs.python.workers)", .0.as_secs())]
    Busy(Duration),
    #[error("its Python process ended ({0})")]
    Ended(End),
    #[error("its Python process did not answer as it should")]
    Nonsense,
    #[error("the Python of its environment {0}")]
    NotStarted(String),
    #[error("the value takes more than a quarter of codecs.python.memory_bytes")]
    TooLarge,
    #[error("codec-proxy is about to end")]
    Ending,
}

impl Failure {
    /// In a word, for the counters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Late(_) => "late",
            Self::Busy(_) => "busy",
            Self::Ended(_) => "ended",
            Self::Nonsense => "nonsense",
            Self::NotStarted(_) => "not_started",
            Self::TooLarge => "too_large",
            Self::Ending => "ending",
        }
    }
}

impl Job {
    /// With a value that is all of `bodies` in order.
    pub fn new(asked: Asked, bodies: [Bytes; 2], repeatable: bool) -> Self {
        Self {
            asked,
            bodies,
            repeatable,
            tried: AtomicBool::new(false),
            answer: Mutex::default(),
            answered: AtomicBool::new(false),
            arrived: Condvar::new(),
        }
    }

    /// Whether it must not share a frame.
    pub fn is_alone(&self) -> bool {
        !self.repeatable || self.tried.load(Ordering::Relaxed)
    }

    /// Whether there is no need to do it.
    pub fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }

    /// The first answer counts.
    pub fn answer(&self, answer: Result<Answer, Failure>) {
        let mut place = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.answered.swap(true, Ordering::AcqRel) {
            *place = Some(answer);
            self.arrived.notify_all();
        }
    }

    /// Blocks until there is an answer, or the time is over.
    pub fn wait(&self, time: Duration) -> Result<Answer, Failure> {
        let place = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .arrived
            .wait_timeout_while(place, time, |answer| answer.is_none());
        let (mut place, _) = waited.unwrap_or_else(PoisonError::into_inner);
        // Whoever answers now is too late.
        self.answered.store(true, Ordering::Release);
        place.take().unwrap_or(Err(Failure::Busy(time)))
    }
}
