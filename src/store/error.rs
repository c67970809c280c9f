//! What goes wrong with a store, in words that a client may read.
//!
//! Nothing here holds a credential: causes are reduced to a status, a server's error code or
//! an operating system's message, and URLs lose user names and queries.

mod words;

use std::error::Error;
use std::fmt;

use object_store::Error as ObjectError;
use tokio::task::JoinError;

use words::{answer, error_code, innermost, names_no_bucket, status, without_secrets};

/// Why a value could not be stored or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    /// What sort of failure it is.
    pub kind: ErrorKind,
    /// The store's name.
    pub store: String,
    /// What was tried.
    pub operation: Operation,
    /// The reason, safe for the client.
    pub cause: String,
}

/// The sorts of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// No store of this name in the configuration.
    NotConfigured,
    /// The pointer points to where this column may not look.
    OutOfBounds,
    /// No such object.
    Missing,
    /// An object of that path is there, and was not to be replaced.
    Exists,
    /// An object that is not what its name or pointer says.
    Corrupt,
    /// An object with more bytes than were asked for.
    TooLarge,
    /// A folder with more objects than were asked for.
    TooMany,
    /// The store refuses the credentials, or they may not do this.
    Denied,
    /// The store cannot be reached or does not answer in time.
    Unavailable,
    /// Anything else: no space, no bucket, a server's internal error.
    Failed,
}

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Find the store.
    Resolve,
    /// Store a value.
    Put,
    /// Read a value.
    Get,
    /// Look for objects.
    List,
    /// Remove an object.
    Delete,
}

impl ErrorKind {
    /// In a word, for the counters.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::OutOfBounds => "out_of_bounds",
            Self::Missing => "missing",
            Self::Exists => "exists",
            Self::Corrupt => "corrupt",
            Self::TooLarge => "too_large",
            Self::TooMany => "too_many",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }
}

impl Operation {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Put => "put",
            Self::Get => "get",
            Self::List => "list",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ErrorKind::NotConfigured => f.write_str(&self.cause),
            _ => write!(
                f,
                "store '{}', {}: {}",
                self.store, self.operation, self.cause
            ),
        }
    }
}

impl Error for StoreError {}

impl StoreError {
    /// What a client may be told. The whole of it, with the object's path, is for the log: a
    /// client of the `bytes` view sees no part of a pointer.
    pub fn for_client(&self) -> String {
        let cause = match self.kind {
            ErrorKind::NotConfigured => return self.cause.clone(),
            ErrorKind::Missing => "Missing external file; the log of codec-proxy names it",
            ErrorKind::Exists => {
                "an object of that path exists already; the log of codec-proxy names it"
            }
            ErrorKind::Corrupt => {
                "Hash mismatch: the object is not what was stored; the log of codec-proxy names it"
            }
            ErrorKind::OutOfBounds => {
                "the pointer leads outside of the column's own section of the store"
            }
            ErrorKind::TooLarge
            | ErrorKind::TooMany
            | ErrorKind::Denied
            | ErrorKind::Unavailable
            | ErrorKind::Failed => &self.cause,
        };
        format!("store '{}', {}: {cause}", self.store, self.operation)
    }
}

/// A failure before it is known to which store and operation it belongs.
#[derive(Debug)]
pub(super) struct Fault {
    pub kind: ErrorKind,
    pub cause: String,
}

impl Fault {
    pub(super) fn new(kind: ErrorKind, cause: impl Into<String>) -> Self {
        Self {
            kind,
            cause: cause.into(),
        }
    }

    pub(super) fn missing(path: &str) -> Self {
        Self::new(ErrorKind::Missing, format!("Missing external file {path}"))
    }

    pub(super) fn exists(path: &str) -> Self {
        let cause = format!("the object {path} exists already");
        Self::new(ErrorKind::Exists, cause)
    }

    pub(super) fn mismatch(expected: &str, actual: &str, path: &str) -> Self {
        let cause = format!(
            "Hash mismatch: expected {expected}, got {actual}. Data at {path} may be corrupted."
        );
        Self::new(ErrorKind::Corrupt, cause)
    }

    pub(super) fn size(path: &str, expected: u64, actual: u64) -> Self {
        let cause = format!(
            "Size mismatch: expected {expected} bytes, got {actual}. Data at {path} may be \
             corrupted."
        );
        Self::new(ErrorKind::Corrupt, cause)
    }

    pub(super) fn too_many(max: usize) -> Self {
        let cause = format!("the folder holds more than {max} objects");
        Self::new(ErrorKind::TooMany, cause)
    }

    pub(super) fn beyond() -> Self {
        Self::new(
            ErrorKind::Failed,
            "the range begins after the end of the object",
        )
    }

    pub(super) fn odd_name() -> Self {
        let cause = "the folder holds an object whose name is none that codec-proxy can use";
        Self::new(ErrorKind::Failed, cause)
    }

    pub(super) fn deadline(deadline: std::time::Duration) -> Self {
        let cause = format!("no answer within {} s", deadline.as_secs_f32());
        Self::new(ErrorKind::Unavailable, cause)
    }

    pub(super) fn at(self, store: &str, operation: Operation) -> StoreError {
        StoreError {
            kind: self.kind,
            store: store.to_owned(),
            operation,
            cause: self.cause,
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied => ErrorKind::Denied,
            _ => ErrorKind::Failed,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<ObjectError> for Fault {
    fn from(error: ObjectError) -> Self {
        let text = innermost(&error);
        match &error {
            // The object's own path is added by those who know that it is the object.
            ObjectError::NotFound { .. } if !names_no_bucket(&text) => {
                Self::new(ErrorKind::Missing, "no such object or bucket")
            }
            ObjectError::AlreadyExists { .. } => {
                Self::new(ErrorKind::Exists, "the object exists already")
            }
            ObjectError::PermissionDenied { .. } | ObjectError::Unauthenticated { .. } => {
                Self::new(ErrorKind::Denied, answer(&text))
            }
            // Lists tell a refusal in words only.
            _ if status(&text).is_some_and(|s| s.starts_with("401") || s.starts_with("403")) => {
                Self::new(ErrorKind::Denied, answer(&text))
            }
            _ if status(&text).is_some() => Self::new(ErrorKind::Failed, answer(&text)),
            _ if error_code(&text).is_some() => Self::new(ErrorKind::Failed, answer(&text)),
            ObjectError::Generic { .. } => {
                Self::new(ErrorKind::Unavailable, without_secrets(&text))
            }
            _ => Self::new(ErrorKind::Failed, without_secrets(&text)),
        }
    }
}

/// Runs what blocks or computes on a thread that may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    joined(tokio::task::spawn_blocking(work).await)
}

/// What came of a task; one that panicked or was shut down has failed.
pub(super) fn joined<T>(task: Result<Result<T, Fault>, JoinError>) -> Result<T, Fault> {
    match task {
        Ok(done) => done,
        Err(error) if error.is_panic() => {
            Err(Fault::new(ErrorKind::Failed, "the store task panicked"))
        }
        Err(_) => Err(Fault::new(
            ErrorKind::Failed,
            "the store task was shut down",
        )),
    }
}

#[cfg(test)]
mod tests;
