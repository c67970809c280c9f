//! The two kinds of places that keep objects, behind one face.
//!
//! A file system that hangs keeps its thread, but not the statement: what waits for it is given
//! up in time. A large value's put is not: there is no telling whether it moves.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::Content;
use super::error::{Fault, blocking};
use super::file::FileStore;
use super::naming::{Named, Naming};
use super::patience::Patience;
use super::reader::Opened;
use super::remote::RemoteStore;
use crate::codec::ObjectPath;

/// What keeps the objects.
#[derive(Clone)]
pub(super) enum Backend {
    /// A directory.
    File(Arc<FileStore>),
    /// Anything that `object_store` speaks to.
    Remote(Arc<RemoteStore>),
}

/// Up to this many bytes an object is read as a whole; above, in chunks.
const WHOLE: u64 = 1024 * 1024;

impl Backend {
    /// Stores content under its hash, unless it is there.
    pub(super) async fn put_hashed(
        self,
        naming: Naming,
        content: Arc<dyn Content>,
        patience: Patience,
    ) -> Result<Named, Fault> {
        match self {
            Self::File(files) => {
                let long = !content.is_shorter_than(WHOLE);
                let put = blocking(move || files.put_hashed(&naming, &*content));
                if long {
                    put.await
                } else {
                    patience.whole(put).await
                }
            }
            Self::Remote(remote) => remote.put_hashed(&naming, content, patience).await,
        }
    }

    /// Stores an object, unless there is one, which is an error.
    pub(super) async fn put(
        self,
        path: ObjectPath,
        content: Bytes,
        patience: Patience,
    ) -> Result<(), Fault> {
        match self {
            Self::File(files) => {
                let long = content.len() as u64 >= WHOLE;
                let put = blocking(move || files.put(&path, &content));
                if long {
                    put.await
                } else {
                    patience.whole(put).await
                }
            }
            Self::Remote(remote) => remote.put(&path, content, patience).await,
        }
    }

    /// Begins to read an object.
    pub(super) async fn open(
        &self,
        path: &ObjectPath,
        patience: Patience,
    ) -> Result<Opened, Fault> {
        match self {
            Self::File(files) => {
                let (files, path) = (files.clone(), path.clone());
                patience
                    .whole(blocking(move || files.open(&path, WHOLE)))
                    .await
            }
            Self::Remote(remote) => remote.open(path, WHOLE, patience).await,
        }
    }

    /// A part of an object.
    pub(super) async fn range(
        self,
        path: ObjectPath,
        range: Range<u64>,
        patience: Patience,
    ) -> Result<Bytes, Fault> {
        match self {
            Self::File(files) => {
                patience
                    .whole(blocking(move || files.range(&path, range)))
                    .await
            }
            Self::Remote(remote) => remote.range(&path, range, patience).await,
        }
    }

    /// The size of an object, if there is one.
    pub(super) async fn size(
        self,
        path: ObjectPath,
        patience: Patience,
    ) -> Result<Option<u64>, Fault> {
        match self {
            Self::File(files) => patience.whole(blocking(move || files.size(&path))).await,
            Self::Remote(remote) => remote.size(&path, patience).await,
        }
    }

    /// Makes an object durable that others have written; `false` if there is none.
    pub(super) async fn persist(self, path: ObjectPath, patience: Patience) -> Result<bool, Fault> {
        match self {
            Self::File(files) => patience.whole(blocking(move || files.persist(&path))).await,
            // What is there is durable.
            Self::Remote(remote) => Ok(remote.size(&path, patience).await?.is_some()),
        }
    }

    /// The objects below a folder, sorted.
    pub(super) async fn list(
        self,
        folder: ObjectPath,
        max: usize,
        patience: Patience,
    ) -> Result<Vec<(ObjectPath, u64)>, Fault> {
        match self {
            Self::File(files) => {
                patience
                    .whole(blocking(move || files.list(&folder, max)))
                    .await
            }
            Self::Remote(remote) => remote.list(&folder, max, patience).await,
        }
    }

    /// Removes an object.
    pub(super) async fn delete(self, path: ObjectPath, patience: Patience) -> Result<(), Fault> {
        match self {
            Self::File(files) => patience.whole(blocking(move || files.delete(&path))).await,
            Self::Remote(remote) => remote.delete(&path, patience).await,
        }
    }
}
