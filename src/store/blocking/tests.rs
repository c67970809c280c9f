//! Many objects at once, in a store whose every request takes its time.

use std::time::{Duration, Instant};

use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::codec::testing::{layout, path};
use crate::store::backend;
use crate::store::remote::RemoteStore;

/// What each request takes.
const PAUSE: Duration = Duration::from_millis(10);

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn slow(runtime: &Runtime, parallel: usize) -> Blocking {
    let pauses = ThrottleConfig {
        wait_get_per_call: PAUSE,
        wait_put_per_call: PAUSE,
        ..ThrottleConfig::default()
    };
    let store = ThrottledStore::new(InMemory::new(), pauses);
    let remote = RemoteStore::new(Arc::new(store), None);
    let backend = backend::Backend::Remote(Arc::new(remote));
    let (deadline, runtime) = (Duration::from_secs(60), runtime.handle().clone());
    Blocking {
        store: Store::new("main", layout(), backend, deadline, runtime),
        turns: Turns::new(parallel),
    }
}

/// Objects of one byte each.
fn objects(count: usize) -> Vec<(ObjectPath, Bytes)> {
    let object = |n: usize| (path(&format!("many/{n:04}")), vec![n as u8].into());
    (0..count).map(object).collect()
}

/// The work, which has that many rounds of requests to make and a machine that does other things.
fn in_rounds<T>(rounds: u32, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    let took = began.elapsed();
    assert!(took >= rounds * PAUSE, "more requests than turns: {took:?}");
    assert!(took < rounds * PAUSE * 8, "one after another: {took:?}");
    done
}

#[test]
fn a_thousand_files_go_32_at_a_time() {
    let runtime = runtime();
    let store = slow(&runtime, 32);
    let (paths, contents): (Vec<_>, Vec<_>) = objects(1000).into_iter().unzip();
    // A put looks first.
    let put = in_rounds(2 * 1000 / 32, || store.put_all(objects(1000)));
    put.unwrap();
    let got = in_rounds(1000 / 32, || store.get_all(&paths, 1000));
    assert_eq!(got.unwrap(), contents);
}

#[test]
fn codecs_of_one_statement_take_turns() {
    let runtime = runtime();
    let store = slow(&runtime, 8);
    store.put_all(objects(100)).unwrap();
    let paths: Vec<_> = objects(100).into_iter().map(|(path, _)| path).collect();
    let read = || store.get_all(&paths, 100).map(drop);
    in_rounds(300 / 8, || {
        std::thread::scope(|scope| {
            let others = [scope.spawn(read), scope.spawn(read)];
            let own = read();
            for other in others {
                other.join().unwrap().unwrap();
            }
            own
        })
    })
    .unwrap();
}

#[test]
fn after_an_error_nothing_is_begun_or_left_running() {
    let runtime = runtime();
    let store = slow(&runtime, 4);
    store.put(&path("many/0010"), Bytes::new()).unwrap();
    let error = store.put_all(objects(1000)).unwrap_err();
    assert!(error.told.contains("exists already"), "{}", error.told);
    let stored = store.list(&path("many"), 1000).unwrap();
    std::thread::sleep(10 * PAUSE);
    assert_eq!(store.list(&path("many"), 1000).unwrap(), stored);
    assert!((11..=20).contains(&stored.len()), "{}", stored.len());
    assert_eq!(stored[10], (path("many/0010"), 0));
}

#[test]
fn bytes_are_counted_for_all_together() {
    let runtime = runtime();
    let store = slow(&runtime, 4);
    store.put_all(objects(10)).unwrap();
    let paths: Vec<_> = objects(10).into_iter().map(|(path, _)| path).collect();
    assert_eq!(store.get_all(&paths, 10).unwrap().len(), 10);
    let error = store.get_all(&paths, 9).unwrap_err();
    let error = error.source.downcast::<StoreError>().unwrap();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert_eq!(store.get_all(&[], 0).unwrap(), Vec::<Bytes>::new());
}

#[test]
fn a_folder_is_there_if_one_object_is() {
    let runtime = runtime();
    let store = slow(&runtime, 4);
    for count in 1..4 {
        let folder = path(&format!("folder{count}"));
        assert!(!store.has_folder(&folder).unwrap());
        for n in 0..count {
            let object = path(&format!("{folder}/{n}"));
            store.put(&object, Bytes::new()).unwrap();
        }
        assert!(store.has_folder(&folder).unwrap());
    }
}
