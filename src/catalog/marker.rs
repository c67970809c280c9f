//! From a column's comment to its codec.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::index::ColumnCodec;
use crate::codec::{ChainError, TypeSpec, comment, late, registry};

/// How long a look at the server waits for codecs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads markers, and warns of each column with an unknown codec once.
///
/// A type without a store whose codec nobody knows may be one of the adapters that programs of
/// DataJoint 0.14 have of their own: its column passes as it is stored. Every other type that
/// cannot be used makes its column unusable.
#[derive(Debug, Default)]
pub(super) struct Markers {
    warned: Mutex<HashSet<String>>,
}

impl Markers {
    /// Has codecs looked for that one of these comments names and nobody knows. For a while: what
    /// is found later has the catalog read anew.
    pub async fn look_for(comments: impl Iterator<Item = &str>) {
        let mut markers = comments.filter(|comment| comment.starts_with(":<"));
        if markers.any(|comment| late::misses(comment.as_bytes())) {
            // An error is logged, and then the codec is unknown.
            let look = tokio::task::spawn_blocking(late::look);
            let _ = tokio::time::timeout(PATIENCE, look).await;
        }
    }

    /// The type of the marker in `comment` as written, and the codec that it names.
    ///
    /// `column` is its `schema.table.column`.
    pub fn read(
        &self,
        comment: &str,
        column: impl FnOnce() -> String,
    ) -> (Option<String>, Option<ColumnCodec>) {
        let Some(marker) = comment::marker(comment) else {
            return (None, None);
        };
        let written = marker.type_text.to_owned();
        if !written.starts_with('<') {
            return (Some(written), None);
        }
        let Some(spec) = TypeSpec::parse(&written) else {
            return (Some(written), None);
        };
        let codec = match spec.resolve() {
            Ok(chain) => Some(ColumnCodec::Chain(chain)),
            Err(error) if spec.store.is_none() && is_nobodys(&error) => {
                self.warn(&column(), &written, &explain(&error));
                None
            }
            Err(error) => Some(ColumnCodec::Unusable {
                spec: written.clone(),
                reason: explain(&error),
            }),
        };
        (Some(written), codec)
    }

    fn warn(&self, column: &str, written: &str, reason: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(format!("{column} {written}")) {
            tracing::warn!(
                column,
                codec = written,
                reason,
                "the column passes as it is stored"
            );
        }
    }
}

/// Whether the codec is not known, and there is no place where it may still be found.
fn is_nobodys(error: &ChainError) -> bool {
    matches!(error, ChainError::Unknown(_)) && registry::current().not_found().is_none()
}

fn explain(error: &ChainError) -> String {
    match error {
        ChainError::Unknown(name) if !is_nobodys(error) => {
            format!("<{name}> could not be looked for among the codecs of Python packages")
        }
        ChainError::Unknown(name) => format!("this proxy has no codec <{name}>"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(comment: &str) -> (Option<String>, Option<ColumnCodec>) {
        Markers::default().read(comment, || "lab.session.traces".into())
    }

    #[test]
    fn known_codecs_give_a_chain() {
        for (comment, external) in [
            (":<blob@main>:raw traces", true),
            (":<blob@>:", true),
            (":<hash@main>:x", true),
            (":<blob>:inline", false),
        ] {
            let (_, codec) = read(comment);
            let codec = codec.unwrap_or_else(|| panic!("{comment} has a codec"));
            assert!(matches!(codec, ColumnCodec::Chain(_)), "{comment}");
            assert_eq!(codec.is_external(), external, "{comment}");
        }
    }

    #[test]
    fn unknown_codecs_pass_inline_and_are_unusable_in_a_store() {
        assert_eq!(read(":<graph>:x"), (Some("<graph>".into()), None));
        let (_, codec) = read(":<graph@main>:x");
        assert!(matches!(codec, Some(ColumnCodec::Unusable { .. })));
    }

    #[test]
    fn a_known_codec_that_cannot_be_without_a_store_is_unusable() {
        let (_, codec) = read(":<npy>:x");
        assert!(matches!(codec, Some(ColumnCodec::Unusable { .. })));
    }

    #[test]
    fn other_comments_carry_no_codec() {
        assert_eq!(read(":int32:n"), (Some("int32".into()), None));
        for comment in ["", "plain", "<blob@main> raw", ":<blob@main> unclosed"] {
            assert_eq!(read(comment).1, None, "{comment}");
        }
    }
}
