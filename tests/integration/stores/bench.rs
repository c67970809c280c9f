//! A store of one kind with its server, and what the checks ask of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use codec_proxy::codec::{ObjectPath, Pointer};
use codec_proxy::store::{
    Content, PathRule, Store, StoreError, StoreLimits, Stores, StoresSettings,
};
use tokio::runtime::{Builder, Runtime};

use super::relay::Relay;
use super::servers::{ACCOUNT, ACCOUNT_KEY, Azurite, GcsFake, make_container};
use crate::support::seaweed::{ACCESS, BUCKET, SECRET, Seaweed};

/// The database whose values are stored.
pub const SCHEMA: &str = "exp";

/// A kind of store.
pub enum Server {
    File(tempfile::TempDir),
    Memory,
    S3(Seaweed),
    Gcs(GcsFake),
    Azure(Azurite),
}

/// What is wrong with the settings.
#[derive(Clone, Copy, PartialEq)]
pub enum Flaw {
    None,
    Credentials,
    Bucket,
}

/// A store with its server.
pub struct Bench {
    pub server: Server,
    pub stores: Stores,
    pub runtime: Runtime,
}

impl Server {
    pub fn file() -> Self {
        Self::File(tempfile::tempdir().expect("a temporary directory"))
    }

    pub fn azure() -> Self {
        let server = Azurite::start();
        make_container(&server, BUCKET);
        Self::Azure(server)
    }

    /// Its `host:port`, if it is one.
    pub fn address(&self) -> Option<String> {
        match self {
            Self::File(_) | Self::Memory => None,
            Self::S3(server) => Some(server.endpoint()),
            Self::Gcs(server) => Some(server.address()),
            Self::Azure(server) => Some(server.address()),
        }
    }

    /// The settings of a store there, by way of `address`.
    fn settings(&self, address: &str, flaw: Flaw) -> String {
        let wrong = flaw == Flaw::Credentials;
        let bucket = if flaw == Flaw::Bucket {
            "nobucket"
        } else {
            BUCKET
        };
        match self {
            Self::File(folder) => format!(
                "protocol = 'file'\nlocation = '{}'",
                folder.path().display()
            ),
            Self::Memory => "protocol = 'memory'".to_owned(),
            Self::S3(_) => format!(
                "protocol = 's3'\nendpoint = 'http://{address}'\nbucket = '{bucket}'\n\
                 location = 'proj/a'\naccess_key = '{ACCESS}'\nsecret_key = '{}'",
                if wrong { "TOPSECRET" } else { SECRET }
            ),
            Self::Gcs(server) => {
                let mut account = server.account.clone();
                account["gcs_base_url"] = format!("http://{address}").into();
                if wrong {
                    account["private_key"] = GcsFake::another_key().into();
                }
                format!(
                    "protocol = 'gcs'\nbucket = '{bucket}'\nlocation = 'proj/a'\ntoken = '''{account}'''"
                )
            }
            Self::Azure(_) => format!(
                "protocol = 'azure'\ncontainer = '{bucket}'\nlocation = 'proj/a'\n\
                 connection_string = 'AccountName={ACCOUNT};AccountKey={};\
                 BlobEndpoint=http://{address}/{ACCOUNT}'",
                if wrong { "VE9QU0VDUkVU" } else { ACCOUNT_KEY }
            ),
        }
    }
}

impl Bench {
    pub fn new(server: Server) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let address = server.address().unwrap_or_default();
        let stores = open(&server, &address, Flaw::None, 20.0, &runtime);
        Self {
            server,
            stores,
            runtime,
        }
    }

    pub fn store(&self) -> Store {
        self.stores.resolve("").expect("the default store")
    }

    /// A relay to the server, if the store is on one.
    pub fn relay(&self) -> Option<Relay> {
        Some(Relay::new(&self.server.address()?))
    }

    /// The stores through a relay, with a deadline in seconds.
    pub fn through(&self, relay: &Relay, deadline: f32) -> Stores {
        let address = relay.address();
        open(&self.server, &address, Flaw::None, deadline, &self.runtime)
    }

    /// The store with something wrong in its settings.
    pub fn flawed(&self, flaw: Flaw) -> Store {
        let address = self.server.address().unwrap_or_default();
        open(&self.server, &address, flaw, 20.0, &self.runtime)
            .resolve("")
            .expect("the default store")
    }

    pub fn put_hashed(&self, value: &Bytes) -> Result<Pointer, StoreError> {
        wait(self.store().put_hashed(SCHEMA, Arc::new(value.clone())))
    }

    pub fn fetch(&self, pointer: &Pointer) -> Result<Bytes, StoreError> {
        wait(self.store().fetch(pointer, &RULE))
    }

    pub fn put(&self, path: &str, value: &Bytes) -> Result<(), StoreError> {
        wait(self.store().put(&at(path), value.clone()))
    }

    pub fn get(&self, path: &str) -> Result<Bytes, StoreError> {
        wait(async { self.store().open_object(&at(path)).await?.collect().await })
    }

    pub fn size(&self, path: &str) -> Option<u64> {
        wait(self.store().size(&at(path))).expect("an answer")
    }

    /// Paths and sizes.
    pub fn list(&self, folder: &str) -> Vec<(String, u64)> {
        let listed = wait(self.store().list(&at(folder), 100_000)).expect("a list");
        let text = |(path, size): (ObjectPath, u64)| (path.to_string(), size);
        listed.into_iter().map(text).collect()
    }

    /// Puts another object in the place of one.
    pub fn replace(&self, path: &ObjectPath, bytes: &Bytes) {
        wait(self.store().delete(path)).expect("deleted");
        wait(self.store().put(path, bytes.clone())).expect("put");
    }
}

fn open(server: &Server, address: &str, flaw: Flaw, deadline: f32, runtime: &Runtime) -> Stores {
    let text = format!(
        "default = 'main'\n[main]\n{}",
        server.settings(address, flaw)
    );
    let settings: StoresSettings = toml::from_str(&text).expect("settings");
    let limits = StoreLimits {
        deadline: Duration::from_secs_f32(deadline),
        ..StoreLimits::default()
    };
    Stores::open(&settings, limits, runtime.handle().clone()).expect("stores")
}

/// What a column of [`SCHEMA`] may read.
pub const RULE: PathRule<'static> = PathRule {
    schema: SCHEMA,
    also: &[],
};

pub fn at(path: &str) -> ObjectPath {
    ObjectPath::parse(path).expect("a path")
}

/// A session's runtime has one thread, and no part of a store may need more of it.
pub fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(work)
}

/// Runs `work`, which must be over within so many seconds.
pub fn within<T>(seconds: f32, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    let took = began.elapsed();
    assert!(took < Duration::from_secs_f32(seconds), "it took {took:?}");
    done
}

/// Bytes without a pattern that a mistake in the order of chunks could hide behind.
pub fn noise(len: usize) -> Bytes {
    let mut noise = Vec::with_capacity(len + 8);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ len as u64;
    while noise.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(len);
    noise.into()
}

/// Content that is made chunk by chunk and never there as a whole.
pub struct Chunks {
    pub len: u64,
    pub chunk: Bytes,
}

impl Content for Chunks {
    fn len(&self) -> u64 {
        self.len
    }

    fn chunks(&self) -> Box<dyn Iterator<Item = Bytes> + Send> {
        let (mut left, chunk) = (self.len, self.chunk.clone());
        Box::new(std::iter::from_fn(move || {
            let n = left.min(chunk.len() as u64);
            left -= n;
            (n > 0).then(|| chunk.slice(..n as usize))
        }))
    }
}

/// Whether the long run was asked for.
pub fn long() -> bool {
    std::env::var_os("CODEC_PROXY_TESTS_LONG").is_some_and(|value| value != "0")
}
