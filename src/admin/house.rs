//! What the console and the page know of the process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::runtime::Handle;

use super::pulse::Pulse;
use super::web::Readiness;
use crate::config::Config;
use crate::session::{Live, Shared};

/// One for the process.
pub struct House {
    pub(super) live: Live,
    pub(super) config: ArcSwap<Config>,
    /// Where the configuration was read from.
    pub(super) file: PathBuf,
    /// Where stores work.
    pub(super) background: Handle,
    /// One reload at a time.
    pub(super) reloading: tokio::sync::Mutex<()>,
    pub(super) pulse: Pulse,
    pub(super) readiness: Readiness,
    began: Instant,
}

impl House {
    /// `config` is what the process was started with, from `file`.
    pub fn new(live: Live, config: Config, file: &Path, background: Handle) -> Self {
        Self {
            live,
            config: ArcSwap::from_pointee(config),
            file: file.to_owned(),
            background,
            reloading: tokio::sync::Mutex::default(),
            pulse: Pulse::default(),
            readiness: Readiness::default(),
            began: Instant::now(),
        }
    }

    /// What sessions have in common, as it is now.
    pub(super) fn shared(&self) -> Arc<Shared> {
        self.live.load_full()
    }

    /// How long the process has been serving.
    pub(super) fn uptime(&self) -> Duration {
        self.began.elapsed()
    }
}
