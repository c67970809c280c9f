//! `[codecs.python]`: which environment, and what its workers may take.

use std::path::PathBuf;
use std::time::Duration;

/// An environment and its workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The Python of the environment; it has `datajoint` from 2.0 up.
    pub interpreter: PathBuf,
    /// Processes that work side by side, in each of the two pools.
    pub workers: usize,
    /// How long one call of a codec may take.
    pub deadline: Duration,
    /// How long a worker may take to import `datajoint` and the packages.
    pub start: Duration,
    /// What a worker may have of memory, in bytes.
    pub memory_bytes: u64,
    /// Whether pickled objects are taken, given and loaded: whoever may write to a column of
    /// such a codec may then run anything in its workers.
    pub allow_pickle: bool,
}

impl Settings {
    /// For an interpreter, with all else as it is by default.
    pub fn new(interpreter: PathBuf) -> Self {
        Self {
            interpreter,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            deadline: Duration::from_secs(30),
            start: Duration::from_secs(60),
            memory_bytes: 2 << 30,
            allow_pickle: false,
        }
    }
}
