//! What has happened in each of the last seconds, for the page.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::House;
use crate::session::roster::Counted;

/// Seconds that are kept.
const KEPT: usize = 60;

/// The last seconds, the newest last.
#[derive(Debug, Default)]
pub(super) struct Pulse(Mutex<VecDeque<Counted>>);

impl Pulse {
    fn push(&self, second: Counted) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(second);
    }

    /// What was counted in each of the last seconds.
    pub fn seconds(&self) -> Vec<Counted> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().copied().collect()
    }
}

/// Takes the pulse once a second.
pub(super) async fn beat(house: Arc<House>) {
    let mut every = tokio::time::interval(Duration::from_secs(1));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last = house.shared().roster.counted();
    loop {
        every.tick().await;
        let now = house.shared().roster.counted();
        house.pulse.push(Counted {
            commands: now.commands.saturating_sub(last.commands),
            received: now.received.saturating_sub(last.received),
            sent: now.sent.saturating_sub(last.sent),
        });
        last = now;
    }
}
