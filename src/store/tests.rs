//! What does not differ from store to store; what every store has to do is checked by the
//! conformance suite in `tests/integration/stores.rs`, with their servers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

use super::*;

fn open(text: &str, deadline: Duration) -> (Stores, Runtime) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let settings = toml::from_str(text).unwrap();
    let limits = StoreLimits {
        deadline,
        ..StoreLimits::default()
    };
    let stores = Stores::open(&settings, limits, runtime.handle().clone()).unwrap();
    (stores, runtime)
}

const MEMORY: &str = "default = 'main'\nfilepath_default = 'other'\n\
                      [main]\nprotocol = 'memory'\n[other]\nprotocol = 'memory'";

/// A session's runtime has one thread, and no part of a store may need more of it.
fn on_current_thread<T>(work: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(work)
}

#[test]
fn a_store_is_found_by_its_name() {
    let (stores, runtime) = open(MEMORY, Duration::from_secs(20));
    assert_eq!(stores.resolve("main").unwrap().name(), "main");
    assert_eq!(stores.resolve("").unwrap().name(), "main");
    assert_eq!(stores.filepath_default(), Some("other"));
    assert_eq!(
        stores.resolve("zzz").unwrap_err().to_string(),
        "Storage 'zzz' is requested but not configured; configured: main, other"
    );
    let open = |settings: &StoresSettings| {
        Stores::open(settings, StoreLimits::default(), runtime.handle().clone())
    };
    assert_eq!(
        open(&StoresSettings::default())
            .unwrap()
            .resolve("")
            .unwrap_err()
            .to_string(),
        "stores.default is not configured"
    );
    let dangling = StoresSettings {
        default: Some("gone".to_owned()),
        ..Default::default()
    };
    assert!(open(&dangling).is_err());
}

#[test]
fn a_server_that_is_not_there_is_told_without_a_secret() {
    let gone = [
        "protocol = 's3'\nendpoint = '127.0.0.1:1'\nsecure = false\nbucket = 'bucket'\n\
         location = ''\naccess_key = 'AKIATOP'\nsecret_key = 'TOPSECRET'",
        "protocol = 'azure'\ncontainer = 'lab'\nlocation = ''\nconnection_string = \
         'BlobEndpoint=http://127.0.0.1:1/lab;AccountName=lab;AccountKey=VE9QU0VDUkVU'",
        "protocol = 'azure'\ncontainer = 'lab'\nlocation = ''\nconnection_string = \
         'BlobEndpoint=http://127.0.0.1:1/lab;AccountName=lab;SharedAccessSignature=sig=TOPSECRET'",
    ];
    for settings in gone {
        let text = format!("default = 'main'\n[main]\n{settings}");
        let (stores, _runtime) = open(&text, Duration::from_secs(1));
        let store = stores.resolve("main").unwrap();
        let began = std::time::Instant::now();
        let value = Arc::new(Bytes::from_static(b"value"));
        let error = on_current_thread(store.put_hashed("exp", value)).unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
        let text = format!("{error} {error:?} {stores:?}");
        assert!(text.starts_with("store 'main', put: "), "{text}");
        for secret in ["AKIATOP", "TOPSECRET", "VE9QU0VDUkVU"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn a_reader_that_is_dropped_stops_reading() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        "default = 'main'\n[main]\nprotocol = 'file'\nlocation = '{}'",
        dir.path().display()
    );
    let (stores, runtime) = open(&text, Duration::from_secs(20));
    let store = stores.resolve("").unwrap();
    on_current_thread(async {
        let path = crate::codec::ObjectPath::parse("a").unwrap();
        store.put(&path, vec![7; 20 << 20].into()).await.unwrap();
        let mut reader = store.open_object(&path).await.unwrap();
        assert_eq!(reader.size(), 20 << 20);
        assert!(reader.next().await.unwrap().is_some());
        drop(reader);
    });
    // A task that is still running would be waited for by nobody; it must end by itself.
    let metrics = runtime.handle().metrics();
    let ends = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        metrics.num_alive_tasks() == 0
    });
    assert!(ends, "{} tasks stay", metrics.num_alive_tasks());
}

#[test]
fn a_statement_has_its_time_once() {
    // Takes connections, by way of the kernel, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!(
        "default = 'main'\n[main]\nprotocol = 's3'\nendpoint = 'http://{}'\nbucket = 'lab'\n\
         location = ''\naccess_key = 'a'\nsecret_key = 'b'",
        silent.local_addr().unwrap()
    );
    let (stores, _runtime) = open(&text, Duration::from_millis(300));
    let ask = |stores: &Stores| {
        let store = stores.resolve("").unwrap();
        let path = crate::codec::ObjectPath::parse("a").unwrap();
        let began = std::time::Instant::now();
        let error = on_current_thread(store.size(&path)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
        began.elapsed()
    };
    let statement = stores.for_statement(1);
    assert!(ask(&statement) >= Duration::from_millis(200));
    assert!(
        ask(&statement) < Duration::from_millis(200),
        "no time is left"
    );
    // Others have theirs.
    assert!(ask(&stores) >= Duration::from_millis(200));
    assert!(ask(&stores.for_statement(usize::MAX)) >= Duration::from_millis(200));
}
