//! What clients are told when a codec or a store fails, in one place; the rest is logged.

use bytes::Bytes;

use crate::codec::{CodecError, Notation};
use crate::refusal::Refusal;
use crate::store::{ErrorKind, StoreError};

/// Why a statement that a handler took was not sent.
#[derive(Debug)]
pub enum Failure {
    /// The proxy refuses it.
    Refusal(Refusal),
    /// The server did, when it was asked about it: its ERR packet.
    Server(Bytes),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

/// A value that was not encoded.
pub fn written(column: &str, notation: Notation, error: CodecError) -> Refusal {
    match error {
        CodecError::Type(_) | CodecError::Value(_) | CodecError::Path(_) => {
            let way_out = match notation {
                Notation::Bytes => "send what the codec takes, or use a column without one",
                Notation::Json => "send the JSON text that the json view shows for such a value",
            };
            Refusal::value(column, &error.to_string(), way_out)
        }
        other => failed(column, other),
    }
}

/// A value that was not decoded.
pub fn read(column: &str, error: CodecError) -> Refusal {
    match error {
        CodecError::Type(_) | CodecError::Value(_) => Refusal::unsupported(
            column,
            &error.to_string(),
            "leave the column out, or read it in another view",
        ),
        other => failed(column, other),
    }
}

/// A store that failed.
pub fn store(column: &str, error: &StoreError) -> Refusal {
    tracing::warn!(%error, "a store failed");
    Refusal::store(column, &error.for_client())
}

/// A fault of the proxy itself: a task that ended without a result.
pub fn internal(column: &str) -> Refusal {
    Refusal::store(column, "internal error")
}

/// A column whose codec this proxy cannot run.
pub fn unusable(column: &str, reason: &str) -> Refusal {
    Refusal::unsupported(column, reason, "leave the column out, or set the codec up")
}

/// Whether the value was only too large for its bounds.
pub fn is_limit(error: &CodecError) -> bool {
    match error {
        CodecError::Limit(_) => true,
        CodecError::Backend(error) => error
            .source
            .downcast_ref::<StoreError>()
            .is_some_and(|error| error.kind == ErrorKind::TooLarge),
        _ => false,
    }
}

fn failed(column: &str, error: CodecError) -> Refusal {
    if is_limit(&error) {
        return Refusal::limit(&format!("{column}: {error}"));
    }
    match error {
        CodecError::Chain(error) => unusable(column, &error.to_string()),
        CodecError::Backend(error) => {
            tracing::warn!(error = %error.source, "a codec or its store failed");
            Refusal::store(column, &error.told)
        }
        // What is stored there nobody can have meant; the texts name no value and no path.
        other => Refusal::store(column, &other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{BackendError, ChainError};

    #[test]
    fn each_error_has_its_number() {
        let backend = || BackendError {
            told: "store 'main': get: not found".to_owned(),
            source: "the path".into(),
        };
        for (error, when_written, when_read) in [
            (CodecError::Type("x".into()), 1366, 1235),
            (CodecError::Value("x".into()), 1366, 1235),
            (CodecError::Corrupt("x".into()), 1296, 1296),
            (CodecError::Limit("x".into()), 1153, 1153),
            (ChainError::Unknown("x".into()).into(), 1235, 1235),
            (crate::codec::PathError::TooLong.into(), 1366, 1296),
            (backend().into(), 1296, 1296),
        ] {
            let again = match &error {
                CodecError::Type(t) => CodecError::Type(t.clone()),
                CodecError::Value(t) => CodecError::Value(t.clone()),
                CodecError::Corrupt(t) => CodecError::Corrupt(t.clone()),
                CodecError::Limit(t) => CodecError::Limit(t.clone()),
                CodecError::Chain(e) => e.clone().into(),
                CodecError::Path(e) => e.clone().into(),
                CodecError::Backend(_) => backend().into(),
            };
            let refusal = written("s.t.c", Notation::Json, error);
            assert_eq!(refusal.code, when_written, "{refusal}");
            assert!(refusal.message.contains("s.t.c"), "{refusal}");
            let refusal = read("s.t.c", again);
            assert_eq!(refusal.code, when_read, "{refusal}");
            assert!(refusal.message.contains("s.t.c"), "{refusal}");
            assert!(!refusal.message.contains("the path"), "{refusal}");
        }
    }
}
