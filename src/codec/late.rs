//! Codecs that are looked for once one is asked for that nobody knows: those of packages that
//! are installed in another place. DataJoint, too, looks into packages on the first miss.
//!
//! To look takes its time and blocks, so [`Registry::find`](super::Registry::find) never does;
//! whoever may wait calls [`look`] when something [is missing](misses), and asks again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::TypeSpec;
use super::registry::{self, Entry};

/// How long a failure holds before somebody looks again.
const PAUSE: Duration = Duration::from_secs(10);

/// How much of a statement is searched for the names of codecs, in bytes.
const SEARCHED: usize = 256 * 1024;

/// Longest type spec that is looked for in a statement, in bytes.
const LONGEST: usize = 256;

/// A place where there may be more codecs.
pub trait Source: Send + Sync {
    /// All of them; blocks. The error is for the log.
    fn find(&self) -> Result<Vec<Entry>, String>;
}

/// A [`Source`] and what it has found.
pub struct Late {
    source: Box<dyn Source>,
    found: OnceLock<BTreeMap<String, Entry>>,
    /// Held by who looks; when it last failed, and how.
    failed: Mutex<Option<(Instant, String)>>,
}

impl Late {
    /// Nothing is looked for yet.
    pub fn new(source: impl Source + 'static) -> Self {
        Self {
            source: Box::new(source),
            found: OnceLock::new(),
            failed: Mutex::default(),
        }
    }

    /// What has been found; `None` while nobody has looked.
    pub fn found(&self) -> Option<&BTreeMap<String, Entry>> {
        self.found.get()
    }

    /// Looks, unless that has been done or has just failed; blocks. The error says why.
    pub fn look(&self) -> Result<(), String> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if self.found.get().is_some() {
            return Ok(());
        }
        if let Some((_, error)) = failed.as_ref().filter(|(at, _)| at.elapsed() < PAUSE) {
            return Err(error.clone());
        }
        match self.source.find() {
            Ok(entries) => {
                let named = entries.into_iter().map(|e| (e.codec.name().to_owned(), e));
                // Nobody else sets it while this thread holds the lock.
                let _ = self.found.set(named.collect());
                changed();
                Ok(())
            }
            Err(error) => {
                tracing::error!(error, "codecs could not be looked for");
                *failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Late")
            .field("found", &self.found.get())
            .finish_non_exhaustive()
    }
}

/// Looks for codecs that the process does not know yet; blocks.
pub fn look() -> Result<(), String> {
    registry::current()
        .not_found()
        .map_or(Ok(()), |late| late.look())
}

/// Whether a text names a codec that is not known and may be found.
pub fn misses(text: &[u8]) -> bool {
    let registry = registry::current();
    if registry.not_found().is_none() {
        return false;
    }
    let text = &text[..text.len().min(SEARCHED)];
    memchr::memchr_iter(b'<', text).any(|start| {
        let rest = &text[start..text.len().min(start + LONGEST)];
        let spec = memchr::memchr(b'>', rest)
            .and_then(|end| std::str::from_utf8(&rest[..=end]).ok())
            .and_then(TypeSpec::parse);
        spec.is_some_and(|spec| registry.find(&spec.codec).is_none())
    })
}

/// Counts how often the codecs of the process have changed.
pub fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

pub(super) fn changed() {
    GENERATION.fetch_add(1, Ordering::AcqRel);
}

static GENERATION: AtomicU64 = AtomicU64::new(0);

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing(Mutex<usize>);

    impl Source for Failing {
        fn find(&self) -> Result<Vec<Entry>, String> {
            let mut times = self.0.lock().unwrap();
            *times += 1;
            Err(format!("{times} times"))
        }
    }

    #[test]
    fn a_failure_holds_for_a_while() {
        let late = Late::new(Failing(Mutex::new(0)));
        assert_eq!(late.look().unwrap_err(), "1 times");
        assert_eq!(late.look().unwrap_err(), "1 times");
        assert!(late.found().is_none());
    }

    struct Nothing;

    impl Source for Nothing {
        fn find(&self) -> Result<Vec<Entry>, String> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn once_looked_for_nothing_more_is_missing() {
        let late = std::sync::Arc::new(Late::new(Nothing));
        let registry = registry::Registry::default().and_late(Some(late.clone()));
        assert!(registry.not_found().is_some());
        late.look().unwrap();
        assert!(registry.not_found().is_none());
        assert!(registry.find("graph").is_none());
    }
}
