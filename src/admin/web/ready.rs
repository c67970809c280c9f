//! `/ready`: whether the database and the stores answer.
//!
//! They are asked at most every few seconds, whoever and how many ask here, and have so long to
//! answer. Each store stores, reads and deletes a small object, as `codec-proxy check` does.

use std::sync::Mutex as StdMutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::admin::{House, tables};

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(5);
/// How long the database and a store may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last answer.
#[derive(Debug, Default)]
pub struct Readiness {
    /// Held by the one who asks.
    asking: tokio::sync::Mutex<()>,
    last: StdMutex<Option<(Instant, Told)>>,
}

/// Whether all is well, and a line for each part.
type Told = (bool, String);

/// Asks, unless somebody has done so just now.
pub(super) async fn ready(house: &House) -> Told {
    if let Some(told) = house.readiness.fresh() {
        return told;
    }
    let _one_at_a_time = house.readiness.asking.lock().await;
    if let Some(told) = house.readiness.fresh() {
        return told;
    }
    let told = ask(house).await;
    house.readiness.keep(told.clone());
    told
}

/// Asks for those who want to know later, unless somebody is asking or has done so just now.
pub(super) async fn refresh(house: &House) {
    if house.readiness.fresh().is_some() {
        return;
    }
    if let Ok(_one_at_a_time) = house.readiness.asking.try_lock() {
        let told = ask(house).await;
        house.readiness.keep(told);
    }
}

/// What was told last, however old; `None` if nobody has asked.
pub(super) fn last(house: &House) -> Option<(Duration, Told)> {
    let last = house.readiness.last();
    last.map(|(at, told)| (at.elapsed(), told))
}

impl Readiness {
    fn fresh(&self) -> Option<Told> {
        let (at, told) = self.last()?;
        (at.elapsed() < HOLDS).then_some(told)
    }

    fn last(&self) -> Option<(Instant, Told)> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }

    fn keep(&self, told: Told) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Instant::now(), told));
    }
}

async fn ask(house: &House) -> Told {
    let catalog = house.shared().catalog.clone();
    let database = async {
        match timeout(PATIENCE, catalog.ping()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                // It may name hosts and accounts, which is for the log.
                tracing::warn!(%error, "the database is not ready");
                Err("does not answer; the log says more".to_owned())
            }
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    };
    let (database, stores) = tokio::join!(database, tables::probe(house, PATIENCE));
    let mut is_ready = true;
    let mut text = String::new();
    let parts = stores
        .into_iter()
        .map(|store| (format!("store {}", store.name), store.outcome));
    for (part, outcome) in std::iter::once(("database".to_owned(), database)).chain(parts) {
        is_ready &= outcome.is_ok();
        let told = outcome.err().unwrap_or_else(|| "ok".to_owned());
        text += &format!("{part}: {told}\n");
    }
    (is_ready, text)
}
