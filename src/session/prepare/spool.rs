//! A value that comes in pieces, until it is known where it goes.
//!
//! Its MD5 is computed while the pieces come, since that names its object. A short value waits in
//! memory; one of more than [`IN_MEMORY`] bytes in a temporary file without a name, which is gone
//! with the value, whatever becomes of the process.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use md5::{Digest, Md5};

use crate::codec::HEAD_LEN;
use crate::store::Content;

/// A longer value does not wait in memory, in bytes.
const IN_MEMORY: usize = 1 << 20;
/// Pieces of so many bytes together are worth a thread.
const BATCH: usize = 256 << 10;
/// Bytes that are read back at a time.
const CHUNK: usize = 256 << 10;
/// What a value counts for at least against the limit of a session, in bytes: for what it takes
/// besides its own, and a file of its own.
const LEAST: [u64; 2] = [4 << 10, IN_MEMORY as u64];

/// A value that is still coming.
#[derive(Debug, Default)]
pub struct Gathering {
    len: u64,
    /// The last pieces, not yet hashed.
    recent: Vec<u8>,
    head: Vec<u8>,
    state: Option<Box<State>>,
}

/// What the pieces so far have come to.
#[derive(Debug, Default)]
struct State {
    md5: Md5,
    file: Option<File>,
    bytes: Vec<u8>,
}

/// A value that has come.
#[derive(Debug)]
pub struct Spooled {
    len: u64,
    md5: [u8; 16],
    head: Vec<u8>,
    place: Place,
    /// What went wrong when it was read back.
    failed: Arc<OnceLock<io::Error>>,
}

#[derive(Debug)]
enum Place {
    Memory(Bytes),
    File(Arc<File>),
}

impl Gathering {
    /// What it counts for against the limit of a session, in bytes.
    pub fn charge(&self) -> u64 {
        self.len.max(LEAST[usize::from(self.len > LEAST[1])])
    }

    /// The next piece.
    pub async fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        self.len += piece.len() as u64;
        let missing = HEAD_LEN.saturating_sub(self.head.len());
        self.head
            .extend_from_slice(&piece[..piece.len().min(missing)]);
        self.recent.extend_from_slice(piece);
        match self.recent.len() >= BATCH {
            true => self.settle().await,
            false => Ok(()),
        }
    }

    /// The value, now that no more pieces come.
    pub async fn finish(mut self) -> io::Result<Spooled> {
        self.settle().await?;
        let state = self.state.take().unwrap_or_default();
        Ok(Spooled {
            len: self.len,
            md5: state.md5.finalize().into(),
            head: self.head,
            place: match state.file {
                Some(file) => Place::File(Arc::new(file)),
                None => Place::Memory(state.bytes.into()),
            },
            failed: Arc::default(),
        })
    }

    /// Hashes what has come last, and puts it where it waits. A short value stays on this thread.
    async fn settle(&mut self) -> io::Result<()> {
        let recent = std::mem::take(&mut self.recent);
        let mut state = self.state.take().unwrap_or_default();
        let fits = state.file.is_none() && state.bytes.len() + recent.len() <= IN_MEMORY;
        if recent.len() < BATCH && fits {
            state.md5.update(&recent);
            state.bytes.extend_from_slice(&recent);
            self.state = Some(state);
            return Ok(());
        }
        let work = move || -> io::Result<Box<State>> {
            state.take(&recent)?;
            Ok(state)
        };
        let done = tokio::task::spawn_blocking(work).await;
        self.state = Some(done.map_err(io::Error::other)??);
        Ok(())
    }
}

impl State {
    fn take(&mut self, recent: &[u8]) -> io::Result<()> {
        self.md5.update(recent);
        if self.file.is_none() && self.bytes.len() + recent.len() > IN_MEMORY {
            let mut file = tempfile::tempfile()?;
            file.write_all(&std::mem::take(&mut self.bytes))?;
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(recent),
            None => {
                self.bytes.extend_from_slice(recent);
                Ok(())
            }
        }
    }
}

impl Spooled {
    /// Its first bytes, up to [`HEAD_LEN`].
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// All of it, in memory; `None` if it has more than `limit` bytes.
    pub async fn collect(self: &Arc<Self>, limit: u64) -> io::Result<Option<Bytes>> {
        if self.len > limit {
            return Ok(None);
        }
        if let Place::Memory(bytes) = &self.place {
            return Ok(Some(bytes.clone()));
        }
        let spooled = self.clone();
        let work = move || {
            let mut all = Vec::with_capacity(spooled.len as usize);
            for chunk in spooled.chunks() {
                all.extend_from_slice(&chunk);
            }
            spooled.check().map(|()| Bytes::from(all))
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(io::Error::other)?.map(Some)
    }
}

impl Content for Spooled {
    fn len(&self) -> u64 {
        self.len
    }

    fn md5(&self) -> Option<[u8; 16]> {
        Some(self.md5)
    }

    fn chunks(&self) -> Box<dyn Iterator<Item = Bytes> + Send> {
        let file = match &self.place {
            Place::Memory(bytes) => return bytes.chunks(),
            Place::File(file) => file.clone(),
        };
        let (len, failed) = (self.len, self.failed.clone());
        let mut at = 0;
        Box::new(std::iter::from_fn(move || {
            let left = len - at;
            let mut chunk = vec![0; left.min(CHUNK as u64) as usize];
            if chunk.is_empty() {
                return None;
            }
            if let Err(error) = file.read_exact_at(&mut chunk, at) {
                drop(failed.set(error));
                return None;
            }
            at += chunk.len() as u64;
            Some(chunk.into())
        }))
    }

    fn check(&self) -> io::Result<()> {
        match self.failed.get() {
            None => Ok(()),
            Some(error) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn spooled(len: usize, piece: usize) -> (Vec<u8>, Arc<Spooled>) {
        let value: Vec<u8> = (0..len).map(|n| (n * 7 % 251) as u8).collect();
        let mut gathering = Gathering::default();
        for piece in value.chunks(piece) {
            gathering.push(piece).await.unwrap();
        }
        (value, Arc::new(gathering.finish().await.unwrap()))
    }

    #[tokio::test]
    async fn values_come_back_whole() {
        for (len, piece) in [
            (0, 1),
            (1, 1),
            (5000, 7),
            (IN_MEMORY, 1 << 16),
            (IN_MEMORY + 1, 1 << 16),
            (3 * IN_MEMORY, 100_000),
            (3 * IN_MEMORY, 2 * IN_MEMORY),
        ] {
            let (value, spooled) = spooled(len, piece).await;
            assert_eq!(spooled.len(), len as u64);
            assert_eq!(spooled.head(), &value[..len.min(HEAD_LEN)]);
            assert_eq!(spooled.md5(), Some(Md5::digest(&value).into()));
            let chunks: Vec<Bytes> = spooled.chunks().collect();
            assert!(chunks.concat() == value, "{len} in pieces of {piece}");
            let all = spooled.collect(len as u64).await.unwrap();
            assert!(all.is_some_and(|all| all == value));
            assert!(spooled.check().is_ok());
            let is_file = matches!(spooled.place, Place::File(_));
            assert_eq!(is_file, len > IN_MEMORY, "{len} in pieces of {piece}");
            if len > 0 {
                assert_eq!(spooled.collect(len as u64 - 1).await.unwrap(), None);
            }
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_back_is_told() {
        let (_, spooled) = spooled(3 * IN_MEMORY, 1 << 16).await;
        let Place::File(file) = &spooled.place else {
            panic!("a file");
        };
        file.set_len(IN_MEMORY as u64).unwrap();
        assert!(spooled.chunks().count() < 12);
        assert!(spooled.check().is_err());
        assert!(spooled.collect(u64::MAX).await.is_err());
    }

    #[tokio::test]
    async fn every_value_counts_for_something() {
        let mut gathering = Gathering::default();
        assert_eq!(gathering.charge(), LEAST[0]);
        gathering.push(&vec![0; IN_MEMORY + 1]).await.unwrap();
        assert_eq!(gathering.charge(), IN_MEMORY as u64 + 1);
    }
}
