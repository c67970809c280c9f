//! What a codec is, and which there are.

use super::{ChainError, Dtype, blob, hash};

/// One step of a chain, as in the Codec API of DataJoint.
pub(super) trait Codec: Sync {
    /// The name in type specs.
    fn name(&self) -> &'static str;

    /// What the codec hands its result to, with (`is_store`) or without a store.
    fn dtype(&self, is_store: bool) -> Result<Inner, ChainError>;

    /// Whether a value that begins with `head` is one that the codec takes; the error says
    /// what it takes instead. `head` has [`HEAD_LEN`](super::HEAD_LEN) bytes, or the whole value.
    fn validate(&self, head: &[u8]) -> Result<(), String>;
}

/// The dtype of a codec: the next step of its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inner {
    /// A core type; the chain ends.
    Core(Dtype),
    /// Another codec's type spec, such as `<hash>`.
    Codec(&'static str),
}

/// The codec of this name.
pub(super) fn find(name: &str) -> Option<&'static dyn Codec> {
    BUILT_IN.into_iter().find(|codec| codec.name() == name)
}

static BUILT_IN: [&dyn Codec; 2] = [&blob::Blob, &hash::Hash];
