//! A store on S3, with a real server, which is killed in the middle.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{assert_same, escaped, hash_name, objects, packed, sql};
use crate::support::seaweed::{ACCESS, BUCKET, SECRET, Seaweed};

/// A lab whose default store is on S3, and requests to which are given up after a few seconds.
fn lab_on(server: &Seaweed, name: &str) -> Lab {
    let lab = Lab::with_config(name, |config| {
        let (before, _) = config.split_once("[stores.main]").expect("a store");
        format!(
            "{before}[stores.main]\nprotocol = \"s3\"\nendpoint = \"{}\"\nbucket = \"{BUCKET}\"\n\
             location = \"proj/a\"\nsecure = false\naccess_key = \"{ACCESS}\"\n\
             secret_key = \"{SECRET}\"\n\n[limits]\nstore_seconds = 3\n",
            server.endpoint()
        )
    });
    lab.blob_table("t");
    lab
}

fn key(lab: &Lab, value: &[u8]) -> String {
    format!("proj/a/_hash/{}/{}", lab.database, hash_name(value))
}

fn insert(client: &mut Client, id: u64, value: &[u8]) {
    let head = format!("INSERT INTO t (id, data) VALUES ({id}, ");
    client.ok(sql(&[head.as_bytes(), &escaped(value), b")"]));
}

#[test]
fn values_in_s3_and_a_killed_server() {
    let mut server = Seaweed::start();
    let lab = lab_on(&server, "s3");
    there_and_back(&lab, &server);
    killed(&lab, &mut server);
}

fn there_and_back(lab: &Lab, server: &Seaweed) {
    let mut client = lab.bytes();
    for (id, length) in [(1, 10), (2, 70_000), (3, 12 << 20)] {
        let value = packed(id, length);
        insert(&mut client, id, &value);
        let object = server
            .object(&key(lab, &value))
            .expect("an object by that key");
        assert_same(&object, &value, "the object");
        let read = client.value(format!("SELECT data FROM t WHERE id = {id}"));
        assert_same(&read.unwrap_or_default(), &value, "read back");
    }
    insert(&mut client, 4, &packed(1, 10));
    assert_eq!(
        lab.direct().text("SELECT COUNT(DISTINCT data) FROM t"),
        "3",
        "equal values have equal pointers"
    );
    assert!(objects(&lab.store).is_empty());
    client.ok("DELETE FROM t");
}

/// Clients insert while the server is killed: an error in time, no row without its object.
fn killed(lab: &Lab, server: &mut Seaweed) {
    let (next, stop) = (AtomicU64::new(100), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let insert = || {
            let mut client = lab.bytes();
            while !stop.load(Ordering::SeqCst) {
                let id = next.fetch_add(1, Ordering::SeqCst);
                let head = format!("INSERT INTO t (id, data) VALUES ({id}, ");
                let statement = sql(&[head.as_bytes(), &escaped(&packed(id, 30_000)), b")"]);
                if let Err(error) = client.query(statement) {
                    return Some((error, Instant::now()));
                }
            }
            None
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(insert)).collect();
        std::thread::sleep(Duration::from_millis(1500));
        server.kill();
        let killed = Instant::now();
        for thread in threads {
            let (error, at) = thread.join().expect("no panic").expect("an error");
            assert_eq!(error.code, 1296, "{error}");
            assert!(error.message.contains(".t.data"), "{error}");
            assert!(!error.message.contains(SECRET), "{error}");
            let waited = at.duration_since(killed);
            assert!(waited < Duration::from_secs(8), "{waited:?}");
        }
    });
    let mut client = lab.bytes();
    assert_eq!(client.error("SELECT data FROM t LIMIT 1").code, 1296);
    server.restart();
    let rows = client.rows("SELECT id, data FROM t ORDER BY id");
    assert!(!rows.is_empty());
    for row in rows {
        let id = String::from_utf8(row[0].clone().unwrap_or_default()).expect("UTF-8");
        let value = packed(id.parse().expect("a number"), 30_000);
        assert_same(row[1].as_deref().unwrap_or_default(), &value, "a row");
        assert!(server.object(&key(lab, &value)).is_some());
    }
    insert(&mut client, 99, &packed(99, 1000));
}

/// Wrong keys are an error that says so, without the keys.
#[test]
fn wrong_keys() {
    let server = Seaweed::start();
    let lab = lab_on(&server, "s3_keys");
    insert(&mut lab.bytes(), 1, &packed(1, 10));
    let wrong = Lab::with_config("s3_wrong", |config| {
        let (before, _) = config.split_once("[stores.main]").expect("a store");
        format!(
            "{before}[stores.main]\nprotocol = \"s3\"\nendpoint = \"http://{}\"\n\
             bucket = \"{BUCKET}\"\nlocation = \"\"\naccess_key = \"{ACCESS}\"\n\
             secret_key = \"another secret\"\n",
            server.endpoint()
        )
    });
    wrong.blob_table("t");
    let mut client = wrong.bytes();
    let error = client.error("INSERT INTO t (id, data) VALUES (1, 'mYm\\0')");
    assert_eq!(error.code, 1296, "{error}");
    assert!(!error.message.contains("another secret"), "{error}");
    assert_eq!(wrong.direct().text("SELECT COUNT(*) FROM t"), "0");
    assert!(!wrong.proxy.log().contains("another secret"));
}
