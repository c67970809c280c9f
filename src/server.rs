//! Listeners, threads, shutdown.

use crate::config::Config;

/// Why the server could not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {}

/// Serves until SIGTERM.
pub fn serve(_config: Config) -> Result<(), ServeError> {
    Ok(())
}
