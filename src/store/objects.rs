//! One store, and what can be done with the objects in it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use super::backend::Backend;
use super::error::{ErrorKind, Fault, joined};
use super::naming::Naming;
use super::patience::Patience;
use super::reader::Expected;
use super::{Content, Operation, Reader, StoreError};
use crate::codec::section::{self, Section};
use crate::codec::{Layout, ObjectPath, Pointer};
use crate::metrics::metrics;

/// Where the pointers of a column may point.
#[derive(Debug, Clone, Copy)]
pub struct PathRule<'a> {
    /// The database of the column: its hash-addressed objects may be read.
    pub schema: &'a str,
    /// Further sections that the configuration allows.
    pub also: &'a [ObjectPath],
}

/// One store. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    until: Option<Instant>,
}

struct Inner {
    name: String,
    layout: Layout,
    backend: Backend,
    deadline: Duration,
    runtime: Handle,
}

impl Store {
    pub(super) fn new(
        name: &str,
        layout: Layout,
        backend: Backend,
        deadline: Duration,
        runtime: Handle,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                name: name.to_owned(),
                layout,
                backend,
                deadline,
                runtime,
            }),
            until: None,
        }
    }

    /// The same store, whose work on small values ends at `until` at the latest; `None` leaves
    /// only the store's own deadline.
    pub(super) fn until(&self, until: Option<Instant>) -> Self {
        Self {
            inner: self.inner.clone(),
            until,
        }
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// How its paths are made.
    pub fn layout(&self) -> &Layout {
        &self.inner.layout
    }

    /// Where its work runs.
    pub(super) fn runtime(&self) -> &Handle {
        &self.inner.runtime
    }

    /// Stores a value of `schema` under its hash, durably, unless it is there already.
    ///
    /// Once begun, a put goes on to its end even if its caller no longer waits for it.
    pub async fn put_hashed(
        &self,
        schema: &str,
        content: Arc<dyn Content>,
    ) -> Result<Pointer, StoreError> {
        let naming =
            Naming::new(self.layout(), schema).map_err(|f| f.at(self.name(), Operation::Put))?;
        let (backend, patience) = self.begin();
        let stored = content.clone();
        let put = async move { backend.put_hashed(naming, stored, patience).await };
        let named = self.finish(Operation::Put, put).await?;
        Ok(Pointer {
            hash: named.hash,
            path: named.path,
            schema: Some(schema.to_owned()),
            store: self.name().to_owned(),
            // Only now: a long content may know its length only once it has been walked.
            size: Some(content.len()),
        })
    }

    /// Stores an object, durably. One of that path that is there already is an error
    /// ([`ErrorKind::Exists`]) and stays as it is.
    ///
    /// On a server, an object of 16 MiB or more goes up in parts, which not every server makes
    /// conditional: that there is no such object is then known for the moment before the
    /// upload only. Of two that write the same bytes at the same time both succeed. Goes on to its end as [`Store::put_hashed`] does.
    pub async fn put(&self, path: &ObjectPath, content: Bytes) -> Result<(), StoreError> {
        let ((backend, patience), path) = (self.begin(), path.clone());
        let put = async move { backend.put(path, content, patience).await };
        self.finish(Operation::Put, put).await
    }

    /// Reads a whole value.
    pub async fn fetch(
        &self,
        pointer: &Pointer,
        allowed: &PathRule<'_>,
    ) -> Result<Bytes, StoreError> {
        self.open(pointer, allowed).await?.collect().await
    }

    /// Begins to read a value: a short one is there and checked when this returns, a long one
    /// comes in chunks.
    pub async fn open(
        &self,
        pointer: &Pointer,
        allowed: &PathRule<'_>,
    ) -> Result<Reader, StoreError> {
        self.check_path(&pointer.path, allowed)
            .map_err(|fault| fault.at(self.name(), Operation::Get))?;
        let expected = Expected {
            path: pointer.path.clone(),
            hash: Some(pointer.hash.clone()),
        };
        self.ask(Operation::Get, open(self.clone(), expected)).await
    }

    /// Begins to read an object that has no hash. Whether the column may is for the caller to
    /// have asked: [`section::allows`].
    pub async fn open_object(&self, path: &ObjectPath) -> Result<Reader, StoreError> {
        let expected = Expected {
            path: path.clone(),
            hash: None,
        };
        self.ask(Operation::Get, open(self.clone(), expected)).await
    }

    /// A part of an object, in bytes from its beginning; shorter where the object ends before
    /// the range does. One that begins after the object's end is an error.
    pub async fn range(&self, path: &ObjectPath, range: Range<u64>) -> Result<Bytes, StoreError> {
        let ((backend, patience), path) = (self.begin(), path.clone());
        let read = async move { backend.range(path, range, patience).await };
        self.ask(Operation::Get, read).await
    }

    /// The size of an object in bytes; `None` if there is none of that path.
    pub async fn size(&self, path: &ObjectPath) -> Result<Option<u64>, StoreError> {
        let ((backend, patience), path) = (self.begin(), path.clone());
        let size = async move { backend.size(path, patience).await };
        self.ask(Operation::Get, size).await
    }

    /// Makes an object durable that others have written; `false` if there is none of that path.
    pub async fn persist(&self, path: &ObjectPath) -> Result<bool, StoreError> {
        let ((backend, patience), path) = (self.begin(), path.clone());
        let persist = async move { backend.persist(path, patience).await };
        self.ask(Operation::Put, persist).await
    }

    /// The objects below `folder` with their sizes in bytes, in the order of their paths'
    /// bytes; none where there is no such folder. More than `max` of them are an error, and so
    /// is one whose name is no [`ObjectPath`].
    pub async fn list(
        &self,
        folder: &ObjectPath,
        max: usize,
    ) -> Result<Vec<(ObjectPath, u64)>, StoreError> {
        let ((backend, patience), folder) = (self.begin(), folder.clone());
        let list = async move { backend.list(folder, max, patience).await };
        self.ask(Operation::List, list).await
    }

    /// Removes an object. One that is not there is an error in some stores only.
    pub async fn delete(&self, path: &ObjectPath) -> Result<(), StoreError> {
        let ((backend, patience), path) = (self.begin(), path.clone());
        let delete = async move { backend.delete(path, patience).await };
        self.finish(Operation::Delete, delete).await
    }

    /// Puts, reads and deletes an object of its own, to see whether the store works.
    pub async fn probe(&self) -> Result<(), StoreError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let content = Bytes::from(format!(
            "codec-proxy probe {} {} {}",
            std::process::id(),
            now.as_nanos(),
            COUNT.fetch_add(1, Ordering::Relaxed),
        ));
        let schema = ".codec-proxy-probe";
        let pointer = self.put_hashed(schema, Arc::new(content)).await?;
        let rule = PathRule { schema, also: &[] };
        let read = self.fetch(&pointer, &rule).await.map(drop);
        let deleted = self.delete(&pointer.path).await;
        read.and(deleted)
    }

    /// Whether the column may read what the pointer names.
    fn check_path(&self, path: &ObjectPath, allowed: &PathRule<'_>) -> Result<(), Fault> {
        let PathRule { schema, also } = *allowed;
        if section::allows(Section::Hash, self.layout(), schema, also, path) {
            return Ok(());
        }
        Err(Fault::new(
            ErrorKind::OutOfBounds,
            format!("the pointer's path {path} lies outside of what schema '{schema}' may read"),
        ))
    }

    /// What a piece of work takes along to the stores' runtime; its time begins.
    fn begin(&self) -> (Backend, Patience) {
        (self.inner.backend.clone(), self.patience())
    }

    fn patience(&self) -> Patience {
        Patience::new(self.inner.deadline, self.until)
    }

    /// Runs work that is to come to its end even if nobody waits for it any more.
    async fn finish<T: Send + 'static>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let since = Instant::now();
        let done = self.inner.runtime.spawn(work).await;
        self.counted(operation, since, joined(done))
    }

    /// Runs work that ends with its caller.
    async fn ask<T: Send + 'static>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let since = Instant::now();
        let done = AbortOnDropHandle::new(self.inner.runtime.spawn(work)).await;
        self.counted(operation, since, joined(done))
    }

    fn counted<T>(
        &self,
        operation: Operation,
        since: Instant,
        done: Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let outcome = done
            .as_ref()
            .map_or_else(|fault| fault.kind.name(), |_| "ok");
        metrics().asked_store(self.name(), operation.name(), outcome, since);
        done.map_err(|fault| fault.at(self.name(), operation))
    }
}

/// The name alone: the client of a server would show its access key.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.name()).finish()
    }
}

async fn open(store: Store, expected: Expected) -> Result<Reader, Fault> {
    let (path, patience) = (expected.path.clone(), store.patience());
    let opened = store.inner.backend.open(&path, patience).await?;
    Reader::checked(store.name(), expected, opened, patience).await
}
