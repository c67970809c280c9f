//! Values on their way out of a store, checked against their hash where they have one.

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use md5::{Digest, Md5};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::Operation;
use super::content::{HASH_INLINE, md5_of};
use super::error::{ErrorKind, Fault, StoreError, blocking};
use super::patience::Patience;
use crate::codec::{ObjectPath, hash};

/// A value that is being read.
///
/// The last chunk is handed out only when the size of all of them is right, and for a value
/// that a pointer names their MD5 too. So whoever sees the end has the whole value, and whoever
/// passes chunks on can still break off.
#[derive(Debug)]
pub struct Reader {
    size: u64,
    handed_out: u64,
    source: Source,
    store: String,
}

#[derive(Debug)]
enum Source {
    /// A value that has been read, and checked, as a whole.
    Whole(Option<Bytes>),
    /// Chunks from a task that reads ahead by a few.
    Chunks {
        chunks: mpsc::Receiver<Result<Bytes, Fault>>,
        _task: AbortOnDropHandle<()>,
    },
}

/// What a store gives for a path: the object, not yet checked.
pub(super) enum Opened {
    /// All of it.
    Whole(Bytes),
    /// Its bytes as they come.
    Chunks {
        size: u64,
        chunks: BoxStream<'static, Result<Bytes, Fault>>,
    },
}

/// What an object is to be.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    /// Where it lies.
    pub path: ObjectPath,
    /// The name that its MD5 is to give; none is compared where there is none.
    pub hash: Option<String>,
}

/// Chunks that are read ahead.
const AHEAD: usize = 4;

impl Reader {
    /// Checks a short value, and sees to the checking of a long one; called on the runtime of
    /// the stores.
    pub(super) async fn checked(
        store: &str,
        expected: Expected,
        opened: Opened,
        patience: Patience,
    ) -> Result<Self, Fault> {
        let (size, source) = match opened {
            Opened::Whole(value) => {
                let size = value.len() as u64;
                (size, Source::Whole(Some(whole(expected, value).await?)))
            }
            Opened::Chunks { size, chunks } => {
                let (sender, receiver) = mpsc::channel(AHEAD);
                let task = tokio::spawn(pump(Check::new(expected, size), chunks, sender, patience));
                let source = Source::Chunks {
                    chunks: receiver,
                    _task: AbortOnDropHandle::new(task),
                };
                (size, source)
            }
        };
        Ok(Self {
            size,
            handed_out: 0,
            source,
            store: store.to_owned(),
        })
    }

    /// Bytes of the value, as the store tells them.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The next chunk; `None` after the last. After an error there is nothing more to get.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let chunk = match &mut self.source {
            Source::Whole(value) => value.take().filter(|value| !value.is_empty()),
            Source::Chunks { chunks, .. } => match chunks.recv().await {
                Some(Ok(chunk)) => Some(chunk),
                Some(Err(fault)) => return Err(fault.at(&self.store, Operation::Get)),
                // The task ends early only if its runtime does.
                None if self.handed_out < self.size => {
                    let fault = Fault::new(ErrorKind::Failed, "the reading task ended early");
                    return Err(fault.at(&self.store, Operation::Get));
                }
                None => None,
            },
        };
        self.handed_out += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }

    /// All the chunks in one piece, without a copy where there is only one.
    pub async fn collect(mut self) -> Result<Bytes, StoreError> {
        let Some(first) = self.next().await? else {
            return Ok(Bytes::new());
        };
        if first.len() as u64 == self.size {
            return Ok(first);
        }
        let mut value = Vec::with_capacity(usize::try_from(self.size).unwrap_or(0));
        value.extend_from_slice(&first);
        while let Some(chunk) = self.next().await? {
            value.extend_from_slice(&chunk);
        }
        Ok(value.into())
    }
}

/// Hands chunks on, checked, until the receiver is gone.
async fn pump(
    mut check: Check,
    mut chunks: BoxStream<'static, Result<Bytes, Fault>>,
    out: mpsc::Sender<Result<Bytes, Fault>>,
    patience: Patience,
) {
    loop {
        // The time is for the store alone: a slow client may take its own.
        let ready = match patience.part(chunks.try_next()).await {
            Ok(Some(chunk)) => Ok(check.push(chunk)),
            Ok(None) => break,
            Err(fault) => Err(fault),
        };
        let failed = ready.is_err();
        if let Some(ready) = ready.transpose()
            && (out.send(ready).await.is_err() || failed)
        {
            return;
        }
    }
    if let Some(last) = check.finish().transpose() {
        // A receiver that is gone needs no last chunk.
        let _ = out.send(last).await;
    }
}

/// Holds one chunk back until the hash of all of them is known.
struct Check {
    md5: Option<Md5>,
    held: Option<Bytes>,
    seen: u64,
    size: u64,
    expected: Expected,
}

impl Check {
    fn new(expected: Expected, size: u64) -> Self {
        Self {
            md5: expected.hash.is_some().then(Md5::new),
            held: None,
            seen: 0,
            size,
            expected,
        }
    }

    /// Takes a chunk in; gives the one before it.
    fn push(&mut self, chunk: Bytes) -> Option<Bytes> {
        if let Some(md5) = &mut self.md5 {
            md5.update(&chunk);
        }
        self.seen += chunk.len() as u64;
        self.held.replace(chunk)
    }

    /// The last chunk, if all of them together are what was expected.
    fn finish(self) -> Result<Option<Bytes>, Fault> {
        if self.seen != self.size {
            let path = self.expected.path.as_str();
            return Err(Fault::size(path, self.size, self.seen));
        }
        if let Some(md5) = self.md5 {
            compare(&self.expected, md5.finalize().into())?;
        }
        Ok(self.held)
    }
}

/// A value that is there as a whole, if it is what was expected.
async fn whole(expected: Expected, value: Bytes) -> Result<Bytes, Fault> {
    if expected.hash.is_none() {
        return Ok(value);
    }
    let short = value.len() as u64 <= HASH_INLINE;
    let check = move || {
        compare(&expected, md5_of(&value))?;
        Ok(value)
    };
    if short {
        check()
    } else {
        blocking(check).await
    }
}

fn compare(expected: &Expected, md5: [u8; 16]) -> Result<(), Fault> {
    let actual = hash::name_of(md5);
    match &expected.hash {
        Some(hash) if *hash != actual => {
            Err(Fault::mismatch(hash, &actual, expected.path.as_str()))
        }
        _ => Ok(()),
    }
}
