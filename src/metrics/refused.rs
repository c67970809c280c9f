//! The newest refusals, for a person who looks for what goes wrong.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// How many are kept.
const KEPT: usize = 50;
/// Characters of a message that are kept.
const LENGTH: usize = 500;

/// An error of codec-proxy's own that a client was sent. Its text names column and reason, and
/// holds no value ([`crate::refusal`]).
#[derive(Debug, Clone)]
pub struct Refused {
    /// When.
    pub at: SystemTime,
    /// The session's number in `SHOW SESSIONS`.
    pub session: u64,
    /// MySQL error number.
    pub code: u16,
    /// The text that the client got.
    pub message: String,
}

/// The newest of them; older ones are forgotten.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<VecDeque<Refused>>);

impl Refusals {
    /// Takes note of one.
    pub fn push(&self, session: u64, code: u16, message: &str) {
        let refused = Refused {
            at: SystemTime::now(),
            session,
            code,
            message: message.chars().take(LENGTH).collect(),
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.truncate(KEPT - 1);
        all.push_front(refused);
    }

    /// The newest first.
    pub fn newest(&self) -> Vec<Refused> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_of_the_newest_are_kept() {
        let refusals = Refusals::default();
        for n in 0..2 * KEPT as u64 {
            refusals.push(n, 1235, &"é".repeat(2 * LENGTH));
        }
        let newest = refusals.newest();
        assert_eq!(newest.len(), KEPT);
        assert_eq!(newest[0].session, 2 * KEPT as u64 - 1);
        assert_eq!(newest[KEPT - 1].session, KEPT as u64);
        assert_eq!(newest[0].message.chars().count(), LENGTH);
    }
}
