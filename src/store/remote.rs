//! Stores behind `object_store`: servers, and memory.

mod parts;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload};

use super::Content;
use super::content::{HASH_INLINE, md5_of};
use super::error::{ErrorKind, Fault, blocking};
use super::naming::{Named, Naming};
use super::patience::Patience;
use super::reader::Opened;
use crate::codec::ObjectPath;

/// From this many bytes on a value goes up in parts.
const MULTIPART: u64 = 16 * 1024 * 1024;

/// Before the second try of a request; later ones wait twice as long each.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// A bucket, or the part of one below a prefix.
pub(super) struct RemoteStore {
    store: Arc<dyn ObjectStore>,
    prefix: Option<ObjectPath>,
}

impl RemoteStore {
    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: Option<ObjectPath>) -> Self {
        Self { store, prefix }
    }

    /// Stores `content` under its hash, unless it is there.
    pub(super) async fn put_hashed(
        &self,
        naming: &Naming,
        content: Arc<dyn Content>,
        patience: Patience,
    ) -> Result<Named, Fault> {
        let size = content.len();
        let named = naming.name(hash_of(&content).await?)?;
        let path = &named.path;
        match self.size(path, patience).await? {
            Some(there) if there == size => return Ok(named),
            Some(there) => return Err(Fault::size(path.as_str(), size, there)),
            None => {}
        }
        let key = self.key(path)?;
        let uploaded = if size < MULTIPART {
            let payload: PutPayload = content.chunks().collect();
            content.check()?;
            let put = self.store.put(&key, payload);
            patience.whole(put).await.map(drop)
        } else {
            self.put_parts(&key, content.as_ref(), patience).await
        };
        uploaded.map_err(no_bucket)?;
        Ok(named)
    }

    /// Stores an object of that path, unless there is one, which is an error.
    pub(super) async fn put(
        &self,
        path: &ObjectPath,
        content: Bytes,
        patience: Patience,
    ) -> Result<(), Fault> {
        if self.size(path, patience).await?.is_some() {
            return Err(Fault::exists(path.as_str()));
        }
        let key = self.key(path)?;
        let uploaded = if (content.len() as u64) < MULTIPART {
            self.create(&key, content, patience).await
        } else {
            self.put_parts(&key, &content, patience).await
        };
        uploaded
            .map_err(no_bucket)
            .map_err(|fault| match fault.kind {
                ErrorKind::Exists => Fault::exists(path.as_str()),
                _ => fault,
            })
    }

    /// Creates an object, which was not there a moment ago, by one request.
    ///
    /// When the connection breaks nobody knows whether the object was made. The request is made
    /// again, by the client or here; an object that is found then and has the same bytes is the
    /// one of the first try.
    async fn create(&self, key: &Path, content: Bytes, patience: Patience) -> Result<(), Fault> {
        let mut pause = FIRST_PAUSE;
        loop {
            let payload = PutPayload::from(content.clone());
            let put = self.store.put_opts(key, payload, PutMode::Create.into());
            match patience.whole(put).await {
                Err(fault) if fault.kind == ErrorKind::Unavailable && patience.allows(pause) => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(fault) if fault.kind == ErrorKind::Exists => {
                    let there = async { self.store.get(key).await?.bytes().await };
                    let ours = patience.whole(there).await? == content;
                    return if ours { Ok(()) } else { Err(fault) };
                }
                done => return done.map(drop),
            }
        }
    }

    /// Begins to read; objects up to `whole` bytes are read to the end.
    pub(super) async fn open(
        &self,
        path: &ObjectPath,
        whole: u64,
        patience: Patience,
    ) -> Result<Opened, Fault> {
        let key = self.key(path)?;
        let get = patience.whole(self.store.get(&key)).await;
        let object = get.map_err(|fault| lost(fault, path))?;
        let size = object.meta.size;
        if size <= whole {
            let value = patience.whole(object.bytes()).await?;
            if value.len() as u64 != size {
                return Err(Fault::size(path.as_str(), size, value.len() as u64));
            }
            return Ok(Opened::Whole(value));
        }
        let chunks = object.into_stream().map_err(Fault::from).boxed();
        Ok(Opened::Chunks { size, chunks })
    }

    /// A part of an object.
    pub(super) async fn range(
        &self,
        path: &ObjectPath,
        range: Range<u64>,
        patience: Patience,
    ) -> Result<Bytes, Fault> {
        // Servers have no ranges that are empty, nor such as begin at the end.
        let size = self.size(path, patience).await?;
        let size = size.ok_or_else(|| Fault::missing(path.as_str()))?;
        if range.start > size {
            return Err(Fault::beyond());
        }
        let range = range.start..range.end.min(size);
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let key = self.key(path)?;
        let get = patience.whole(self.store.get_range(&key, range)).await;
        get.map_err(|fault| lost(fault, path))
    }

    /// The size of an object, if there is one.
    pub(super) async fn size(
        &self,
        path: &ObjectPath,
        patience: Patience,
    ) -> Result<Option<u64>, Fault> {
        let key = self.key(path)?;
        match patience.whole(self.store.head(&key)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(fault) if fault.kind == ErrorKind::Missing => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// The objects below `folder`, sorted. A long list need only move.
    pub(super) async fn list(
        &self,
        folder: &ObjectPath,
        max: usize,
        patience: Patience,
    ) -> Result<Vec<(ObjectPath, u64)>, Fault> {
        let key = self.key(folder)?;
        let mut found = self.store.list(Some(&key));
        let mut objects = Vec::new();
        while let Some(meta) = patience.part(found.try_next()).await? {
            let key = meta.location.as_ref();
            let path = match &self.prefix {
                // What the server finds begins with what it was asked for.
                Some(prefix) => key.get(prefix.as_str().len() + 1..).unwrap_or(key),
                None => key,
            };
            let path = ObjectPath::parse(path).map_err(|_| Fault::odd_name())?;
            // Some tools mark a folder by an empty object of its name.
            if path == *folder {
                continue;
            }
            if objects.len() == max {
                return Err(Fault::too_many(max));
            }
            objects.push((path, meta.size));
        }
        objects.sort_unstable();
        Ok(objects)
    }

    /// Removes an object.
    pub(super) async fn delete(&self, path: &ObjectPath, patience: Patience) -> Result<(), Fault> {
        let key = self.key(path)?;
        patience.whole(self.store.delete(&key)).await
    }

    /// The object's key. Paths and keys are the same text; only the type differs.
    fn key(&self, path: &ObjectPath) -> Result<Path, Fault> {
        let text = match &self.prefix {
            Some(prefix) => format!("{prefix}/{path}"),
            None => path.to_string(),
        };
        Path::parse(text).map_err(|error| Fault::new(ErrorKind::Failed, error.to_string()))
    }
}

/// Hashes where it does no harm: here for a short value, else in a thread that may block.
async fn hash_of(content: &Arc<dyn Content>) -> Result<[u8; 16], Fault> {
    if content.len() <= HASH_INLINE || content.md5().is_some() {
        return Ok(md5_of(content.as_ref()));
    }
    let content = content.clone();
    blocking(move || Ok(md5_of(&*content))).await
}

/// What is missing is named.
fn lost(fault: Fault, path: &ObjectPath) -> Fault {
    match fault.kind {
        ErrorKind::Missing => Fault::missing(path.as_str()),
        _ => fault,
    }
}

/// There is no object that a put could miss: what is missing is the bucket.
fn no_bucket(fault: Fault) -> Fault {
    match fault.kind {
        ErrorKind::Missing => Fault::new(ErrorKind::Failed, "the bucket does not exist"),
        _ => fault,
    }
}
