//! How long a store may take.
//!
//! Two clocks run. A small value (and whatever else is one short exchange: a size, a list, a
//! deletion) must be through before the *end*, retries and all: the store's deadline from the
//! moment that the work begins, or the end of the statement's own time where that is sooner. A
//! large value need only move: each of its *parts* has the deadline to itself.

use std::time::{Duration, Instant};

use super::error::Fault;

/// The two clocks of one piece of work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    part: Duration,
    began: Instant,
    end: Instant,
}

impl Patience {
    /// Starts now; `until` is the end of the statement's time, if it has one.
    pub(super) fn new(deadline: Duration, until: Option<Instant>) -> Self {
        let began = Instant::now();
        // A deadline that no clock can hold is none; an hour from now is asked again.
        let own = began
            .checked_add(deadline)
            .unwrap_or_else(|| began + Duration::from_secs(3600));
        Self {
            part: deadline,
            began,
            end: until.map_or(own, |until| until.min(own)),
        }
    }

    /// For work that is done as a whole or not at all.
    pub(super) async fn whole<T, E: Into<Fault>>(
        self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Fault> {
        match tokio::time::timeout_at(self.end.into(), work).await {
            Ok(done) => done.map_err(Into::into),
            Err(_) => Err(Fault::deadline(
                self.end.saturating_duration_since(self.began),
            )),
        }
    }

    /// Whether there is time for a pause of that length and another try after it.
    pub(super) fn allows(self, pause: Duration) -> bool {
        self.end.saturating_duration_since(Instant::now()) > 2 * pause
    }

    /// For one part of a large value.
    pub(super) async fn part<T, E: Into<Fault>>(
        self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Fault> {
        match tokio::time::timeout(self.part, work).await {
            Ok(done) => done.map_err(Into::into),
            Err(_) => Err(Fault::deadline(self.part)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn never() -> Result<(), Fault> {
        std::future::pending().await
    }

    #[tokio::test]
    async fn the_statement_ends_what_the_store_would_still_wait_for() {
        let soon = Instant::now() + Duration::from_millis(50);
        let patience = Patience::new(Duration::from_secs(60), Some(soon));
        let began = Instant::now();
        patience.whole(never()).await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(5));

        let later = Instant::now() + Duration::from_secs(60);
        let patience = Patience::new(Duration::from_millis(50), Some(later));
        let fault = patience.whole(never()).await.unwrap_err();
        assert_eq!(fault.cause, "no answer within 0.05 s");
    }

    #[tokio::test]
    async fn a_part_has_its_own_time() {
        let patience = Patience::new(Duration::from_millis(400), Some(Instant::now()));
        let work = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok::<_, Fault>(())
        };
        patience.part(work).await.unwrap();
        assert!(patience.part(never()).await.is_err());
        assert!(patience.whole(never()).await.is_err());
    }
}
