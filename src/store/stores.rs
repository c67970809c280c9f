//! The configured stores, and what can be done with one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use super::error::{ErrorKind, Fault, blocking, joined};
use super::file::FileStore;
use super::naming::{self, Named, Naming};
use super::remote::RemoteStore;
use super::settings::{Place, SettingsError};
use super::{Content, Operation, Reader, StoreError, StoresSettings, s3};
use crate::codec::{Layout, ObjectPath, Pointer};

/// All the configured stores. Clones are the same stores.
#[derive(Debug, Clone)]
pub struct Stores {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    default: Option<String>,
    stores: BTreeMap<String, Arc<Store>>,
    /// Stores of protocols that are known but not spoken yet, and what to say of each: a
    /// `datajoint.json` may well have one that no column here uses.
    left_out: BTreeMap<String, String>,
}

/// What store work is given.
#[derive(Debug, Clone, Copy)]
pub struct StoreLimits {
    /// How long a store may leave a request unanswered, retries included. A large value may
    /// take longer, as long as each of its parts keeps to this.
    pub deadline: Duration,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
        }
    }
}

/// Where the pointers of a column may point.
#[derive(Debug, Clone, Copy)]
pub struct PathRule<'a> {
    /// The database of the column: its hash-addressed objects may be read.
    pub schema: &'a str,
    /// Further sections that the configuration allows.
    pub also: &'a [ObjectPath],
}

/// One store.
#[derive(Clone)]
pub struct Store {
    name: String,
    layout: Layout,
    backend: Backend,
    deadline: Duration,
    runtime: Handle,
}

#[derive(Clone)]
enum Backend {
    File(Arc<FileStore>),
    Remote(Arc<RemoteStore>),
}

/// Up to this many bytes an object is read as a whole; above, in chunks.
const WHOLE: u64 = 1024 * 1024;

impl Stores {
    /// Opens the stores; S3 servers are not contacted yet.
    ///
    /// Store work runs on `runtime`, which must have more than one thread.
    pub fn open(
        settings: &StoresSettings,
        limits: StoreLimits,
        runtime: Handle,
    ) -> Result<Self, SettingsError> {
        let (mut stores, mut left_out) = (BTreeMap::new(), BTreeMap::new());
        for (name, settings) in &settings.stores {
            let spec = match settings.parse(name) {
                Err(error @ SettingsError::Unsupported { .. }) => {
                    tracing::warn!(%error, "a store is left out");
                    left_out.insert(name.clone(), error.to_string());
                    continue;
                }
                parsed => parsed?,
            };
            let backend = match spec.place {
                Place::File { location } => Backend::File(Arc::new(FileStore::new(location))),
                Place::S3(place) => {
                    let client = s3::shared(&place, limits.deadline).map_err(|error| {
                        SettingsError::Value {
                            store: name.clone(),
                            key: "endpoint",
                            reason: Fault::from(error).cause,
                        }
                    })?;
                    let remote = RemoteStore::new(client, place.location, limits.deadline);
                    Backend::Remote(Arc::new(remote))
                }
            };
            let store = Store {
                name: name.clone(),
                layout: spec.layout,
                backend,
                deadline: limits.deadline,
                runtime: runtime.clone(),
            };
            stores.insert(name.clone(), Arc::new(store));
        }
        let defaults = [
            ("default", &settings.default),
            ("filepath_default", &settings.filepath_default),
        ];
        for (key, store) in defaults {
            if let Some(store) = store
                .as_ref()
                .filter(|name| !settings.stores.contains_key(*name))
            {
                let store = store.clone();
                return Err(SettingsError::Default { key, store });
            }
        }
        let default = settings.default.clone();
        Ok(Self {
            inner: Arc::new(Inner {
                default,
                stores,
                left_out,
            }),
        })
    }

    /// A single store `main` on any object store, for the tests of this room.
    #[cfg(test)]
    pub(super) fn on(
        client: Arc<dyn object_store::ObjectStore>,
        limits: StoreLimits,
        runtime: Handle,
    ) -> Self {
        let settings = super::StoreSettings {
            protocol: Some("file".to_owned()),
            location: Some("/".to_owned()),
            ..Default::default()
        };
        let store = Store {
            name: "main".to_owned(),
            layout: settings.parse("main").unwrap().layout,
            backend: Backend::Remote(Arc::new(RemoteStore::new(client, None, limits.deadline))),
            deadline: limits.deadline,
            runtime,
        };
        Self {
            inner: Arc::new(Inner {
                default: Some("main".to_owned()),
                stores: BTreeMap::from([("main".to_owned(), Arc::new(store))]),
                left_out: BTreeMap::new(),
            }),
        }
    }

    /// The store of this name; the default store for the empty name.
    pub fn resolve(&self, name: &str) -> Result<Arc<Store>, StoreError> {
        let fail = |cause: String| {
            Err(Fault::new(ErrorKind::NotConfigured, cause).at(name, Operation::Resolve))
        };
        let resolved = match (name, &self.inner.default) {
            ("", Some(default)) => default,
            ("", None) => return fail("stores.default is not configured".to_owned()),
            (name, _) => name,
        };
        if let Some(reason) = self.inner.left_out.get(resolved) {
            return fail(reason.clone());
        }
        match self.inner.stores.get(resolved) {
            Some(store) => Ok(store.clone()),
            None => fail(format!(
                "Storage '{resolved}' is requested but not configured; configured: {}",
                self.names().collect::<Vec<_>>().join(", ")
            )),
        }
    }

    /// The names of the stores, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inner.stores.keys().map(String::as_str)
    }
}

impl Store {
    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its paths are made.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Stores a value of `schema` under its hash, durably, unless it is there already.
    ///
    /// Once begun, a put goes on to its end even if its caller no longer waits for it.
    pub async fn put_hashed(
        &self,
        schema: &str,
        content: Arc<dyn Content>,
    ) -> Result<Pointer, StoreError> {
        let fail = |fault: Fault| fault.at(&self.name, Operation::Put);
        let naming = Naming::new(&self.layout, schema).map_err(fail)?;
        let put = put_hashed(self.clone(), naming, content.clone());
        let named = joined(self.runtime.spawn(put).await).map_err(fail)?;
        Ok(Pointer {
            hash: named.hash,
            path: named.path,
            schema: Some(schema.to_owned()),
            store: self.name.clone(),
            size: Some(content.len()),
        })
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
        let fail = |fault: Fault| fault.at(&self.name, Operation::Get);
        self.check_path(pointer, allowed).map_err(fail)?;
        let open = open(self.clone(), pointer.clone());
        let opened = AbortOnDropHandle::new(self.runtime.spawn(open)).await;
        joined(opened).map_err(fail)
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
        let deleted = self
            .runtime
            .spawn(delete(self.backend.clone(), pointer.path));
        let deleted =
            joined(deleted.await).map_err(|fault| fault.at(&self.name, Operation::Delete));
        read.and(deleted)
    }

    /// Whether the column may read what the pointer names.
    fn check_path(&self, pointer: &Pointer, allowed: &PathRule<'_>) -> Result<(), Fault> {
        let section = naming::section(&self.layout, allowed.schema)?;
        let mut sections = std::iter::once(&section).chain(allowed.also);
        if sections.any(|section| pointer.path.lies_in(section)) {
            return Ok(());
        }
        Err(Fault::new(
            ErrorKind::OutOfBounds,
            format!(
                "the pointer's path {} lies outside of {section}",
                pointer.path
            ),
        ))
    }
}

/// The name alone: the client of a server would show its access key.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.name).finish()
    }
}

async fn put_hashed(
    store: Store,
    naming: Naming,
    content: Arc<dyn Content>,
) -> Result<Named, Fault> {
    match store.backend {
        Backend::File(files) => {
            let long = !content.is_shorter_than(WHOLE);
            let put = blocking(move || files.put_hashed(&naming, &*content));
            if long {
                put.await
            } else {
                in_time(store.deadline, put).await
            }
        }
        Backend::Remote(remote) => remote.put_hashed(&naming, content).await,
    }
}

async fn open(store: Store, pointer: Pointer) -> Result<Reader, Fault> {
    let opened = match store.backend {
        Backend::File(files) => {
            let path = pointer.path.clone();
            in_time(store.deadline, blocking(move || files.open(&path, WHOLE))).await?
        }
        Backend::Remote(remote) => remote.open(&pointer.path, WHOLE).await?,
    };
    Reader::checked(&store.name, pointer, opened, store.deadline).await
}

/// A file system that hangs keeps its thread, but not the statement.
async fn in_time<T>(
    deadline: Duration,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(deadline, work).await {
        Ok(done) => done,
        Err(_) => Err(Fault::deadline(deadline)),
    }
}

async fn delete(backend: Backend, path: ObjectPath) -> Result<(), Fault> {
    match backend {
        Backend::File(files) => blocking(move || files.delete(&path)).await,
        Backend::Remote(remote) => remote.delete(&path).await,
    }
}
