//! The configured stores by name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::backend::Backend;
use super::blocking::Turns;
use super::client::Unusable;
use super::error::{ErrorKind, Fault};
use super::file::FileStore;
use super::remote::RemoteStore;
use super::settings::{Place, SettingsError};
use super::{Operation, Store, StoreError, StoresSettings, azure, gcs, memory, s3};

/// All the configured stores. Clones are the same stores.
#[derive(Debug, Clone)]
pub struct Stores {
    inner: Arc<Inner>,
    until: Option<Instant>,
    turns: Turns,
}

#[derive(Debug)]
struct Inner {
    default: Option<String>,
    filepath_default: Option<String>,
    deadline: Duration,
    stores: BTreeMap<String, Store>,
}

/// What store work is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// How long a store may take for a small value, retries included. A large value may take
    /// longer, as long as each of its parts keeps to this.
    pub deadline: Duration,
    /// How many requests of one statement's codecs are under way side by side.
    pub parallel: usize,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            parallel: 32,
        }
    }
}

impl Stores {
    /// Opens the stores; servers are not contacted yet.
    ///
    /// Store work runs on `runtime`, which must have more than one thread.
    pub fn open(
        settings: &StoresSettings,
        limits: StoreLimits,
        runtime: Handle,
    ) -> Result<Self, SettingsError> {
        Self::open_again(settings, limits, runtime, |_| None)
    }

    /// As [`Stores::open`]; `kept` gives those that are open already, and stay.
    pub fn open_again(
        settings: &StoresSettings,
        limits: StoreLimits,
        runtime: Handle,
        kept: impl Fn(&str) -> Option<Store>,
    ) -> Result<Self, SettingsError> {
        let mut stores = BTreeMap::new();
        for (name, settings) in &settings.stores {
            if let Some(store) = kept(name) {
                stores.insert(name.clone(), store);
                continue;
            }
            let spec = settings.parse(name)?;
            let backend = backend(name, spec.place, limits)?;
            if let Backend::File(files) = &backend {
                let (files, layout) = (files.clone(), spec.layout.clone());
                // Nobody waits for it.
                drop(runtime.spawn_blocking(move || files.sweep(&layout)));
            }
            let store = Store::new(name, spec.layout, backend, limits.deadline, runtime.clone());
            stores.insert(name.clone(), store);
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
        Ok(Self {
            inner: Arc::new(Inner {
                default: settings.default.clone(),
                filepath_default: settings.filepath_default.clone(),
                deadline: limits.deadline,
                stores,
            }),
            until: None,
            turns: Turns::new(limits.parallel),
        })
    }

    /// The same stores for one statement that begins now and works on its values in so many
    /// rounds, as many at a time as the limits allow: it has the deadline for each of them.
    pub fn for_statement(&self, rounds: usize) -> Self {
        let rounds = u32::try_from(rounds.max(1)).unwrap_or(u32::MAX);
        let time = self.inner.deadline.saturating_mul(rounds);
        Self {
            inner: self.inner.clone(),
            // What no clock can hold is no end.
            until: Instant::now().checked_add(time),
            turns: self.turns.clone(),
        }
    }

    /// The same stores for the work of one statement, which is to be through at `until`.
    ///
    /// That bounds all work on small values together; a large one that is under way by then
    /// may go on for as long as it moves.
    pub fn until(&self, until: Instant) -> Self {
        Self {
            inner: self.inner.clone(),
            until: Some(until),
            turns: self.turns.clone(),
        }
    }

    /// The same stores for the codecs of one statement: they take turns with each other, and
    /// with nobody else, once [`StoreLimits::parallel`] requests are under way.
    pub fn for_codecs(&self) -> Self {
        Self {
            turns: self.turns.for_others(),
            ..self.clone()
        }
    }

    /// The name of the store for a bare `<filepath@>`, if one is configured.
    pub fn filepath_default(&self) -> Option<&str> {
        self.inner.filepath_default.as_deref()
    }

    /// Whom its codecs take turns with.
    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// The store of this name; the default store for the empty name.
    pub fn resolve(&self, name: &str) -> Result<Store, StoreError> {
        let fail = |cause: String| {
            Err(Fault::new(ErrorKind::NotConfigured, cause).at(name, Operation::Resolve))
        };
        let resolved = match (name, &self.inner.default) {
            ("", Some(default)) => default,
            ("", None) => return fail("stores.default is not configured".to_owned()),
            (name, _) => name,
        };
        match self.inner.stores.get(resolved) {
            Some(store) => Ok(store.until(self.until)),
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

/// What keeps the objects that are at `place`.
fn backend(store: &str, place: Place, limits: StoreLimits) -> Result<Backend, SettingsError> {
    let deadline = limits.deadline;
    let (client, prefix) = match place {
        Place::File { location } => {
            return Ok(Backend::File(Arc::new(FileStore::new(location))));
        }
        Place::S3(place) => (s3::client(&place, deadline), place.location),
        Place::Gcs(place) => (gcs::client(&place, deadline), place.location),
        Place::Azure(place) => (azure::client(&place, deadline), place.location),
        Place::Memory => (Ok(memory::client(store)), None),
    };
    let client = client.map_err(|Unusable { key, reason }| SettingsError::Value {
        store: store.to_owned(),
        key,
        reason,
    })?;
    Ok(Backend::Remote(Arc::new(RemoteStore::new(client, prefix))))
}
