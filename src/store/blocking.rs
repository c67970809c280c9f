//! The stores as the codecs see them: calls that block.
//!
//! A codec runs on a thread that may block, and its calls wait there for the stores' own
//! runtime. **On a thread that drives asynchronous work they panic**, as
//! [`Handle::block_on`](tokio::runtime::Handle::block_on) does.
//!
//! All codecs of one statement share a [`Turns`]: however many of them store or read large
//! directories, no more than [`StoreLimits::parallel`](super::StoreLimits::parallel) of their
//! requests are under way.

use std::cell::{Cell, OnceCell};
use std::future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::Semaphore;

use super::error::Fault;
use super::{ErrorKind, Operation, Store, StoreError, Stores};
use crate::codec::{Backend, BackendError, Backends, Layout, ObjectPath, Pointer};

impl Backends for Stores {
    fn backend(&self, store: &str) -> Result<Arc<dyn Backend>, BackendError> {
        Ok(Arc::new(Blocking {
            store: self.resolve(store)?,
            turns: self.turns().clone(),
        }))
    }

    fn filepath_default(&self) -> Option<String> {
        self.filepath_default().map(str::to_owned)
    }
}

/// How many requests of one statement's codecs may be under way. Clones count together.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    free: Arc<Semaphore>,
    parallel: usize,
}

impl Turns {
    pub(super) fn new(parallel: usize) -> Self {
        let parallel = parallel.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(parallel)),
            parallel,
        }
    }

    /// As many turns, to be taken by others.
    pub(super) fn for_others(&self) -> Self {
        Self::new(self.parallel)
    }

    /// Does the work at its turn.
    async fn one<T>(&self, work: impl Future<Output = T>) -> T {
        // An error would say that the semaphore is closed, which nobody does.
        let _turn = self.free.acquire().await;
        work.await
    }

    /// Does all of the work, side by side, and gives the results in order. After an error,
    /// which is the result, nothing more is begun; what has been begun is waited for.
    async fn all<T, E, F>(&self, work: impl Iterator<Item = F>) -> Result<Vec<T>, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let failed = OnceCell::new();
        let goes_on = || failed.get().is_none();
        let work = work.take_while(|_| goes_on()).map(|work| {
            self.one(async {
                // The turn may come after another's failure.
                let done = if goes_on() { work.await } else { return None };
                done.map_err(|error| drop(failed.set(error))).ok()
            })
        });
        let done = stream::iter(work).buffered(self.parallel);
        let done = done.filter_map(future::ready).collect().await;
        failed.into_inner().map_or(Ok(done), Err)
    }
}

/// A store whose calls block.
struct Blocking {
    store: Store,
    turns: Turns,
}

impl Blocking {
    fn wait<T>(
        &self,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, BackendError> {
        let runtime = self.store.runtime();
        Ok(runtime.block_on(self.turns.one(request))?)
    }

    /// Reads an object of at most `left` bytes, and takes them off.
    async fn read(&self, path: &ObjectPath, left: &Cell<u64>) -> Result<Bytes, StoreError> {
        let reader = self.store.open_object(path).await?;
        let Some(rest) = left.get().checked_sub(reader.size()) else {
            let cause = format!("the object has more than {} bytes", left.get());
            let fault = Fault::new(ErrorKind::TooLarge, cause);
            return Err(fault.at(self.store.name(), Operation::Get));
        };
        left.set(rest);
        reader.collect().await
    }
}

impl Backend for Blocking {
    fn name(&self) -> &str {
        self.store.name()
    }

    fn layout(&self) -> &Layout {
        self.store.layout()
    }

    fn put(&self, path: &ObjectPath, content: Bytes) -> Result<(), BackendError> {
        self.wait(self.store.put(path, content))
    }

    fn put_hashed(&self, schema: &str, content: Bytes) -> Result<Pointer, BackendError> {
        self.wait(self.store.put_hashed(schema, Arc::new(content)))
    }

    fn get(&self, path: &ObjectPath, max: u64) -> Result<Bytes, BackendError> {
        self.wait(self.read(path, &Cell::new(max)))
    }

    fn put_all(&self, objects: Vec<(ObjectPath, Bytes)>) -> Result<(), BackendError> {
        let puts = objects
            .into_iter()
            .map(async |(path, content)| self.store.put(&path, content).await);
        self.store.runtime().block_on(self.turns.all(puts))?;
        Ok(())
    }

    fn get_all(&self, paths: &[ObjectPath], max: u64) -> Result<Vec<Bytes>, BackendError> {
        let left = Cell::new(max);
        let reads = paths.iter().map(|path| self.read(path, &left));
        Ok(self.store.runtime().block_on(self.turns.all(reads))?)
    }

    fn size(&self, path: &ObjectPath) -> Result<Option<u64>, BackendError> {
        self.wait(self.store.size(path))
    }

    fn persist(&self, path: &ObjectPath) -> Result<bool, BackendError> {
        self.wait(self.store.persist(path))
    }

    fn list(
        &self,
        folder: &ObjectPath,
        max: usize,
    ) -> Result<Vec<(ObjectPath, u64)>, BackendError> {
        self.wait(self.store.list(folder, max))
    }

    fn has_folder(&self, folder: &ObjectPath) -> Result<bool, BackendError> {
        self.wait(async {
            match self.store.list(folder, 1).await {
                Err(error) if error.kind == ErrorKind::TooMany => Ok(true),
                listed => Ok(!listed?.is_empty()),
            }
        })
    }
}

impl From<StoreError> for BackendError {
    fn from(error: StoreError) -> Self {
        Self {
            told: error.for_client(),
            source: Box::new(error),
        }
    }
}

#[cfg(test)]
mod tests;
