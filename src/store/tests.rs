//! What every store has to do, run on a directory, on memory, and on the S3 server that
//! `CODEC_PROXY_TEST_S3` names as `endpoint,access_key,secret_key,bucket`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::memory::InMemory;
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::codec::{ObjectPath, Pointer};

/// A kind of store, with a way behind its back.
struct Bench {
    stores: Stores,
    runtime: Runtime,
    raw: Raw,
    schema: String,
}

enum Raw {
    Folder(tempfile::TempDir),
    Objects(Arc<dyn object_store::ObjectStore>),
}

impl Bench {
    fn all() -> Vec<Self> {
        [Some(Self::file()), Some(Self::memory()), Self::s3()]
            .into_iter()
            .flatten()
            .collect()
    }

    fn file() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "default = 'main'\n[main]\nprotocol = 'file'\nlocation = '{}'",
            dir.path().display()
        );
        Self::configured(&text, Raw::Folder(dir))
    }

    fn memory() -> Self {
        let runtime = runtime();
        let client: Arc<dyn object_store::ObjectStore> = Arc::new(InMemory::new());
        Self {
            stores: Stores::on(client.clone(), limits(), runtime.handle().clone()),
            runtime,
            raw: Raw::Objects(client),
            schema: "exp".to_owned(),
        }
    }

    fn s3() -> Option<Self> {
        let Ok(server) = std::env::var("CODEC_PROXY_TEST_S3") else {
            eprintln!("skipped on S3: CODEC_PROXY_TEST_S3 is not set");
            return None;
        };
        let [endpoint, access, secret, bucket] = server.split(',').collect::<Vec<_>>()[..] else {
            panic!("CODEC_PROXY_TEST_S3 is endpoint,access_key,secret_key,bucket");
        };
        let text = format!(
            "default = 'main'\n[main]\nprotocol = 's3'\nendpoint = '{endpoint}'\nsecure = false\n\
             bucket = '{bucket}'\nlocation = 'proj/a'\naccess_key = '{access}'\n\
             secret_key = '{secret}'"
        );
        let settings: StoresSettings = toml::from_str(&text).unwrap();
        let Place::S3(place) = settings.stores["main"].parse("main").unwrap().place else {
            panic!("the protocol is s3");
        };
        let client = s3::client(&place, limits().deadline).unwrap();
        let raw = object_store::prefix::PrefixStore::new(client, "proj/a");
        Some(Self::configured(&text, Raw::Objects(Arc::new(raw))))
    }

    fn configured(text: &str, raw: Raw) -> Self {
        let runtime = runtime();
        let settings = toml::from_str(text).unwrap();
        let stores = Stores::open(&settings, limits(), runtime.handle().clone()).unwrap();
        // A server keeps its objects from run to run.
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        Self {
            stores,
            runtime,
            raw,
            schema: format!("exp{}", now.as_nanos()),
        }
    }

    fn store(&self) -> Store {
        self.stores.resolve("").unwrap()
    }

    fn put(&self, value: &Bytes) -> Result<Pointer, StoreError> {
        on_current_thread(
            self.store()
                .put_hashed(&self.schema, Arc::new(value.clone())),
        )
    }

    fn fetch(&self, pointer: &Pointer) -> Result<Bytes, StoreError> {
        let rule = PathRule {
            schema: &self.schema,
            also: &[],
        };
        on_current_thread(self.store().fetch(pointer, &rule))
    }

    /// Writes an object without asking the store.
    fn plant(&self, path: &ObjectPath, bytes: &Bytes) {
        match &self.raw {
            Raw::Folder(dir) => std::fs::write(dir.path().join(path.as_str()), bytes).unwrap(),
            Raw::Objects(client) => {
                let path = object_store::path::Path::parse(path.as_str()).unwrap();
                let put = object_store::ObjectStoreExt::put(client, &path, bytes.clone().into());
                self.runtime.block_on(put).unwrap();
            }
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn limits() -> StoreLimits {
    StoreLimits {
        deadline: Duration::from_secs(20),
    }
}

/// A session's runtime has one thread, and no part of a store may need more of it.
fn on_current_thread<T>(work: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(work)
}

/// Bytes without a pattern that a mistake in the order of chunks could hide behind.
fn noise(len: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(len).collect::<Vec<_>>().into()
}

#[test]
fn what_is_put_comes_back() {
    for bench in Bench::all() {
        for len in [0, 1, 1000, 131_073, 1 << 20, (1 << 20) + 1, 20 << 20] {
            let value = noise(len);
            let pointer = bench.put(&value).unwrap();
            assert_eq!(pointer.size, Some(len as u64));
            assert_eq!(pointer.store, "main");
            assert_eq!(pointer.schema.as_deref(), Some(bench.schema.as_str()));
            assert_eq!(
                pointer.path.as_str(),
                format!("_hash/{}/{}", bench.schema, pointer.hash)
            );
            assert!(bench.fetch(&pointer).unwrap() == value, "{len} bytes");
            // Once more: it is there already.
            assert_eq!(bench.put(&value).unwrap(), pointer);
        }
    }
}

#[test]
fn content_in_many_chunks_is_one_value() {
    struct Chunks(Bytes, usize);

    impl Content for Chunks {
        fn len(&self) -> u64 {
            self.0.len() as u64
        }

        fn chunks(&self) -> Box<dyn Iterator<Item = Bytes> + Send> {
            let (mut rest, len) = (self.0.clone(), self.1);
            Box::new(std::iter::from_fn(move || {
                (!rest.is_empty()).then(|| rest.split_to(len.min(rest.len())))
            }))
        }
    }

    for bench in Bench::all() {
        for (len, chunk) in [(5000, 7), (3 << 20, 999_983), (17 << 20, 1 << 20)] {
            let value = noise(len);
            let content = Arc::new(Chunks(value.clone(), chunk));
            let put = on_current_thread(bench.store().put_hashed(&bench.schema, content));
            assert!(bench.fetch(&put.unwrap()).unwrap() == value);
        }
    }
}

#[test]
fn a_missing_object_is_named() {
    for bench in Bench::all() {
        let mut pointer = bench.put(&noise(10)).unwrap();
        pointer.path = ObjectPath::parse(&format!("{}x", pointer.path)).unwrap();
        let error = bench.fetch(&pointer).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Missing);
        assert_eq!(
            error.to_string(),
            format!("store 'main', get: Missing external file {}", pointer.path)
        );
    }
}

#[test]
fn a_corrupt_object_is_never_handed_out_to_its_end() {
    for bench in Bench::all() {
        for len in [10, (1 << 20) + 1, 5 << 20] {
            let pointer = bench.put(&noise(len)).unwrap();
            let mut corrupt = noise(len).to_vec();
            corrupt[0] ^= 1;
            bench.plant(&pointer.path, &corrupt.into());

            let rule = PathRule {
                schema: &bench.schema,
                also: &[],
            };
            let (handed_out, error) = on_current_thread(async {
                let mut handed_out = 0;
                let mut reader = match bench.store().open(&pointer, &rule).await {
                    Ok(reader) => reader,
                    Err(error) => return (0, error),
                };
                loop {
                    match reader.next().await {
                        Ok(Some(chunk)) => handed_out += chunk.len(),
                        Ok(None) => panic!("a corrupt value came to its end"),
                        Err(error) => return (handed_out, error),
                    }
                }
            });
            assert!(handed_out < len);
            assert_eq!(error.kind, ErrorKind::Corrupt);
            let text = format!("Hash mismatch: expected {}, got ", pointer.hash);
            assert!(error.cause.starts_with(&text), "{error}");
            assert!(error.cause.ends_with("may be corrupted."), "{error}");
        }
    }
}

#[test]
fn an_object_of_another_size_is_not_taken_for_the_value() {
    for bench in Bench::all() {
        let value = noise(100);
        let pointer = bench.put(&value).unwrap();
        bench.plant(&pointer.path, &value.slice(..50));
        assert_eq!(bench.put(&value).unwrap_err().kind, ErrorKind::Corrupt);
    }
}

#[test]
fn many_writers_of_one_value_all_succeed() {
    for bench in Bench::all() {
        for len in [60_000, 2 << 20] {
            let value = noise(len);
            let pointers = on_current_thread(futures_util::future::join_all((0..32).map(|_| {
                let (store, content) = (bench.store(), Arc::new(value.clone()));
                let schema = bench.schema.clone();
                async move { store.put_hashed(&schema, content).await.unwrap() }
            })));
            assert!(pointers.windows(2).all(|pair| pair[0] == pair[1]));
            assert!(bench.fetch(&pointers[0]).unwrap() == value);
        }
    }
}

#[test]
fn a_pointer_reaches_no_further_than_its_column_may() {
    for bench in Bench::all() {
        let mut pointer = bench.put(&noise(10)).unwrap();
        let other = PathRule {
            schema: "exp",
            also: &[],
        };
        let read = |pointer: &Pointer, rule: &PathRule<'_>| {
            on_current_thread(bench.store().fetch(pointer, rule))
        };
        let fetch = |rule: &PathRule<'_>| read(&pointer, rule);
        if bench.schema != "exp" {
            assert_eq!(fetch(&other).unwrap_err().kind, ErrorKind::OutOfBounds);
        }
        let also = [ObjectPath::parse(&format!("_hash/{}", bench.schema)).unwrap()];
        let widened = PathRule {
            schema: "another",
            also: &also,
        };
        assert_eq!(fetch(&widened).unwrap(), noise(10));

        pointer.path = ObjectPath::parse("_schema/exp/t/x.npy").unwrap();
        assert_eq!(
            bench.fetch(&pointer).unwrap_err().kind,
            ErrorKind::OutOfBounds
        );
        let nowhere = PathRule {
            schema: "..",
            also: &[],
        };
        assert!(read(&pointer, &nowhere).is_err());
    }
}

#[test]
fn a_schema_that_is_no_folder_is_refused() {
    for bench in Bench::all() {
        for schema in ["", "..", "a/../b", "a/b"] {
            let store = bench.store();
            let put = store.put_hashed(schema, Arc::new(noise(1)));
            on_current_thread(put).unwrap_err();
        }
    }
}

#[test]
fn a_probe_leaves_nothing() {
    for bench in Bench::all() {
        on_current_thread(bench.store().probe()).unwrap();
        on_current_thread(bench.store().probe()).unwrap();
        if let Raw::Folder(dir) = &bench.raw {
            let section = dir.path().join("_hash");
            assert_eq!(std::fs::read_dir(section).unwrap().count(), 0);
        }
    }
}

#[test]
fn a_store_is_found_by_its_name() {
    let bench = Bench::file();
    assert_eq!(bench.stores.resolve("main").unwrap().name(), "main");
    assert_eq!(bench.stores.resolve("").unwrap().name(), "main");
    assert_eq!(
        bench.stores.resolve("zzz").unwrap_err().to_string(),
        "Storage 'zzz' is requested but not configured; configured: main"
    );
    let none = Stores::open(
        &StoresSettings::default(),
        limits(),
        bench.runtime.handle().clone(),
    );
    assert_eq!(
        none.unwrap().resolve("").unwrap_err().to_string(),
        "stores.default is not configured"
    );
    let dangling = StoresSettings {
        default: Some("gone".to_owned()),
        ..Default::default()
    };
    assert!(Stores::open(&dangling, limits(), bench.runtime.handle().clone()).is_err());
}

#[test]
fn a_server_that_is_not_there_is_told_without_a_secret() {
    let text = "default = 'main'\n[main]\nprotocol = 's3'\nendpoint = '127.0.0.1:1'\n\
                secure = false\nbucket = 'bucket'\nlocation = ''\naccess_key = 'AKIATOP'\n\
                secret_key = 'TOPSECRET'";
    let runtime = runtime();
    let deadline = Duration::from_secs(1);
    let stores = Stores::open(
        &toml::from_str(text).unwrap(),
        StoreLimits { deadline },
        runtime.handle().clone(),
    )
    .unwrap();
    let store = stores.resolve("main").unwrap();
    let began = std::time::Instant::now();
    let error = on_current_thread(store.put_hashed("exp", Arc::new(noise(10)))).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    let text = format!("{error} {error:?} {stores:?}");
    assert!(text.starts_with("store 'main', put: "), "{text}");
    for secret in ["AKIATOP", "TOPSECRET"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn an_s3_server_that_refuses_is_told_by_its_code() {
    let Some(bench) = Bench::s3() else { return };
    let server = std::env::var("CODEC_PROXY_TEST_S3").unwrap();
    let parts: Vec<&str> = server.split(',').collect();
    let text = format!(
        "default = 'main'\n[main]\nprotocol = 's3'\nendpoint = 'http://{}'\nbucket = '{}'\n\
         location = ''\naccess_key = '{}'\nsecret_key = 'TOPSECRET'",
        parts[0].trim_start_matches("http://"),
        parts[3],
        parts[1],
    );
    let settings = toml::from_str(&text).unwrap();
    let runtime = bench.runtime.handle().clone();
    let stores = Stores::open(&settings, limits(), runtime).unwrap();
    let store = stores.resolve("main").unwrap();
    let denied = on_current_thread(store.put_hashed("exp", Arc::new(noise(10)))).unwrap_err();
    assert_eq!(denied.kind, ErrorKind::Denied, "{denied}");
    assert!(denied.cause.contains("403"), "{denied}");
    assert!(!denied.cause.contains(parts[1]), "{denied}");
}

#[test]
fn a_reader_that_is_dropped_stops_reading() {
    let bench = Bench::file();
    let pointer = bench.put(&noise(20 << 20)).unwrap();
    let rule = PathRule {
        schema: &bench.schema,
        also: &[],
    };
    on_current_thread(async {
        let mut reader = bench.store().open(&pointer, &rule).await.unwrap();
        assert_eq!(reader.size(), 20 << 20);
        assert!(reader.next().await.unwrap().is_some());
        drop(reader);
    });
    // A task that is still running would be waited for by nobody; it must end by itself.
    let metrics = bench.runtime.handle().metrics();
    let ends = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        metrics.num_alive_tasks() == 0
    });
    assert!(ends, "{} tasks stay", metrics.num_alive_tasks());
}
