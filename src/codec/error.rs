//! What can go wrong in a codec.

use super::{ChainError, PathError};

/// Why a value was not encoded or decoded. The texts may go to clients: none holds a value, an
/// object's path or a secret.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The value has the wrong type (Python's `TypeError`).
    #[error("{0}")]
    Type(String),
    /// The value has the right type and does not fit all the same (Python's `ValueError`).
    #[error("{0}")]
    Value(String),
    /// Stored bytes or metadata that nobody can have meant.
    #[error("{0}")]
    Corrupt(String),
    /// The value would take more than a limit allows; the text names the limit.
    #[error("{0}")]
    Limit(String),
    /// The chain itself.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A path that could leave its store.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A store.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Why a store did not do what a codec asked of it.
#[derive(Debug, thiserror::Error)]
#[error("{told}")]
pub struct BackendError {
    /// What the client may see: store, operation and cause.
    pub told: String,
    /// What is logged.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}
