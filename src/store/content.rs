//! Values on their way into a store.

use std::io;

use bytes::Bytes;
use md5::{Digest, Md5};

/// A value that is to be stored, in pieces.
///
/// It may be walked more than once, for its hash and then for itself, and gives the same
/// bytes each time. Chunks are of a useful size, 64 KiB to a few MiB: each costs a step.
pub trait Content: Send + Sync + 'static {
    /// All its bytes.
    fn len(&self) -> u64;

    /// The bytes from the first to the last.
    fn chunks(&self) -> Box<dyn Iterator<Item = Bytes> + Send>;

    /// Its MD5, if that is known already.
    fn md5(&self) -> Option<[u8; 16]> {
        None
    }

    /// An error if some walk has ended early: content that lies elsewhere could not be read. To be
    /// asked before what was walked is taken for the whole.
    fn check(&self) -> io::Result<()> {
        Ok(())
    }

    /// Whether it has fewer bytes than `limit`; may be quicker to say than how many.
    fn is_shorter_than(&self, limit: u64) -> bool {
        self.len() < limit
    }

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Content for Bytes {
    fn len(&self) -> u64 {
        Bytes::len(self) as u64
    }

    fn chunks(&self) -> Box<dyn Iterator<Item = Bytes> + Send> {
        Box::new(std::iter::once(self.clone()))
    }
}

/// Bytes of a slice: small enough to stay in a core's cache between hashing and writing.
const SLICE: usize = 256 * 1024;

/// Up to this many bytes are hashed without leaving the thread: it takes 0.2 ms.
pub(super) const HASH_INLINE: u64 = 128 * 1024;

/// The content in slices, however long its own chunks are.
pub(super) fn slices(content: &dyn Content) -> impl Iterator<Item = Bytes> + Send + use<> {
    content.chunks().flat_map(|mut chunk| {
        std::iter::from_fn(move || {
            (!chunk.is_empty()).then(|| chunk.split_to(chunk.len().min(SLICE)))
        })
    })
}

/// The MD5 of the whole content.
pub(super) fn md5_of(content: &dyn Content) -> [u8; 16] {
    if let Some(md5) = content.md5() {
        return md5;
    }
    let mut md5 = Md5::new();
    for slice in slices(content) {
        md5.update(&slice);
    }
    md5.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_short_and_complete() {
        let bytes = Bytes::from((0..=255u8).cycle().take(SLICE * 2 + 7).collect::<Vec<_>>());
        let slices: Vec<Bytes> = slices(&bytes).collect();
        assert_eq!(slices.len(), 3);
        assert!(slices.iter().all(|slice| slice.len() <= SLICE));
        assert_eq!(slices.concat(), bytes);
        assert_eq!(super::slices(&Bytes::new()).count(), 0);
    }
}
