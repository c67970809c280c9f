//! What can go wrong with a server; a directory and memory have no such thing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use codec_proxy::store::{ErrorKind, StoreError};

use super::Check;
use super::bench::{Bench, Flaw, RULE, SCHEMA, Server, at, noise, wait, within};
use crate::support::seaweed::SECRET;

pub const CHECKS: &[Check] = &[
    ("wrong credentials", wrong_credentials),
    ("a bucket that is missing", a_bucket_that_is_missing),
    (
        "a server that is gone in the middle of a put",
        gone_in_a_put,
    ),
    (
        "a server that is gone in the middle of a get",
        gone_in_a_get,
    ),
    ("a connection that breaks", a_connection_that_breaks),
    ("a server that hangs", a_server_that_hangs),
    ("a slow server", a_slow_server),
];

/// What a client may see of an error: the store and what was tried, and no secret.
fn told(error: &StoreError) -> String {
    let told = error.for_client();
    assert!(told.starts_with("store 'main', "), "{told}");
    let text = format!("{told} {error} {error:?}");
    for secret in [
        "TOPSECRET",
        "VE9QU0VDUkVU",
        SECRET,
        "PRIVATE KEY",
        "Bearer",
        "Signature=",
    ] {
        assert!(!text.contains(secret), "{text}");
    }
    for path in ["proj/a", "_hash", "_schema"] {
        assert!(!told.contains(path), "{told}");
    }
    told
}

fn wrong_credentials(bench: &Bench) {
    if bench.server.address().is_none() {
        return;
    }
    let path = at("_schema/exp/t/denied.dat");
    bench.put(path.as_str(), &noise(5)).unwrap();
    let store = bench.flawed(Flaw::Credentials);
    let errors = [
        wait(store.put_hashed(SCHEMA, Arc::new(noise(10)))).unwrap_err(),
        wait(store.put(&at("_schema/exp/t/new.dat"), noise(10))).unwrap_err(),
        wait(store.put(&at("_schema/exp/t/large.dat"), noise(17 << 20))).unwrap_err(),
        wait(store.open_object(&path)).unwrap_err(),
        wait(store.size(&path)).unwrap_err(),
        wait(store.list(&at("_schema"), 10)).unwrap_err(),
        wait(store.delete(&path)).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind, ErrorKind::Denied, "{error}");
        assert!(told(&error).contains("the server answered 40"), "{error}");
    }
    assert_eq!(bench.size("_schema/exp/t/new.dat"), None);
    assert_eq!(bench.get(path.as_str()).unwrap(), noise(5));
}

fn a_bucket_that_is_missing(bench: &Bench) {
    let store = match &bench.server {
        Server::Memory => return,
        Server::File(_) => {
            let bench = Bench::new(Server::file());
            let store = bench.store();
            drop(bench.server);
            let error = bench.stores.resolve("").unwrap();
            let error = wait(error.put(&at("a/b"), noise(1))).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Failed, "{error}");
            let error = wait(store.put_hashed(SCHEMA, Arc::new(noise(10)))).unwrap_err();
            told(&error);
            return;
        }
        _ => bench.flawed(Flaw::Bucket),
    };
    for error in [
        wait(store.put_hashed(SCHEMA, Arc::new(noise(10)))).unwrap_err(),
        wait(store.put(&at("_schema/exp/t/x.dat"), noise(10))).unwrap_err(),
        wait(store.put(&at("_schema/exp/t/x.dat"), noise(17 << 20))).unwrap_err(),
        wait(store.list(&at("_schema"), 10)).unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::Failed, "{error}");
        let told = told(&error).to_lowercase();
        let named = ["nosuchbucket", "containernotfound", "bucket does not exist"];
        assert!(named.iter().any(|name| told.contains(name)), "{error}");
    }
}

/// The deadline of these, in seconds, and by when an error has to be there.
const DEADLINE: f32 = 1.5;
const IN_TIME: f32 = 4.0;

fn gone_in_a_put(bench: &Bench) {
    for (n, len) in [(0, 10 << 20), (1, 40 << 20)] {
        let Some(relay) = bench.relay() else { return };
        let store = bench.through(&relay, DEADLINE).resolve("").unwrap();
        let path = at(&format!("_schema/exp/t/cut_{n}.dat"));
        // The client must be at it already: what breaks is the body, not the connection.
        wait(store.size(&path)).unwrap();
        relay.die_after(6 << 20);
        // Giving up the upload takes its time too, for a large one.
        let error = within(2.0 * IN_TIME + 5.0, || wait(store.put(&path, noise(len)))).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
        told(&error);
        assert_eq!(bench.size(path.as_str()), None);
        bench.put(path.as_str(), &noise(len)).unwrap();
    }
}

fn gone_in_a_get(bench: &Bench) {
    let Some(relay) = bench.relay() else { return };
    let pointer = bench.put_hashed(&noise(20 << 20)).unwrap();
    let store = bench.through(&relay, DEADLINE).resolve("").unwrap();
    wait(async {
        let mut reader = store.open(&pointer, &RULE).await.unwrap();
        relay.die_after(3 << 20);
        let gone = Instant::now();
        let error = loop {
            match reader.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("all of it came"),
                Err(error) => break error,
            }
        };
        assert!(gone.elapsed() < Duration::from_secs_f32(IN_TIME));
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
        told(&error);
    });
    let error = within(IN_TIME, || wait(store.fetch(&pointer, &RULE))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    told(&error);
}

/// One that breaks once is tried again, and nobody notices.
fn a_connection_that_breaks(bench: &Bench) {
    let Some(relay) = bench.relay() else { return };
    let store = bench.through(&relay, 20.0).resolve("").unwrap();
    let value = noise((20 << 20) + 3);
    relay.cut_after(3 << 20);
    let pointer = wait(store.put_hashed(SCHEMA, Arc::new(value.clone()))).unwrap();
    assert!(bench.fetch(&pointer).unwrap() == value);
    relay.cut_after(3 << 20);
    assert!(wait(store.fetch(&pointer, &RULE)).unwrap() == value);
    // Cut within the request, and then within the answer: who creates must not take the object
    // of a first try for another's.
    let value = noise(5 << 20);
    for (n, bytes) in [(0, 1 << 20), (1, (5 << 20) + 500)] {
        let path = at(&format!("_schema/exp/t/broken_{n}.dat"));
        wait(store.size(&path)).unwrap();
        relay.cut_after(bytes);
        wait(store.put(&path, value.clone())).unwrap();
        assert!(bench.get(path.as_str()).unwrap() == value);
    }
}

/// A server that takes connections and says nothing: the deadline ends it, and where the
/// statement's own time is over before, that does.
fn a_server_that_hangs(bench: &Bench) {
    let Some(relay) = bench.relay() else { return };
    let pointer = bench.put_hashed(&noise(1000)).unwrap();
    let stores = bench.through(&relay, DEADLINE);
    relay.hang();
    let store = stores.resolve("").unwrap();
    let path = at("_schema/exp/t/hangs.dat");
    let hung = |work: &dyn Fn() -> StoreError, limit: f32| {
        let error = within(limit, work);
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
        told(&error)
    };
    hung(&|| wait(store.put(&path, noise(10))).unwrap_err(), IN_TIME);
    hung(&|| wait(store.fetch(&pointer, &RULE)).unwrap_err(), IN_TIME);
    let stores = stores.until(Instant::now() + Duration::from_millis(400));
    let store = stores.resolve("main").unwrap();
    let fetch = || wait(store.fetch(&pointer, &RULE)).unwrap_err();
    let text = hung(&fetch, DEADLINE - 0.5);
    assert!(text.contains("no answer within 0."), "{text}");
    // The rest of the statement's work waits no more at all.
    hung(&|| wait(store.size(&path)).unwrap_err(), 0.5);
    assert_eq!(bench.size(path.as_str()), None);
}

/// A large value may take longer than the deadline, and than the statement, while it moves.
fn a_slow_server(bench: &Bench) {
    let Some(relay) = bench.relay() else { return };
    let value = noise((20 << 20) + 1);
    let pointer = bench.put_hashed(&value).unwrap();
    let stores = bench.through(&relay, 1.0);
    let stores = stores.until(Instant::now() + Duration::from_secs(1));
    let store = stores.resolve("").unwrap();
    relay.slow_down(10 << 20);
    let began = Instant::now();
    assert!(wait(store.fetch(&pointer, &RULE)).unwrap() == value);
    assert!(
        began.elapsed() > Duration::from_millis(1500),
        "it was not slow"
    );
}
