//! What may break, breaks without lying: no row without its object, no wrong bytes.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{assert_stored, escaped, object_of, objects, packed, sql};

/// A statement with three new rows, from `id` on.
fn three_rows(id: u64) -> Vec<u8> {
    let mut text = b"INSERT INTO t (id, data) VALUES ".to_vec();
    for row in id..id + 3 {
        let comma: &[u8] = if row > id { b"," } else { b"" };
        text = sql(&[
            &text,
            comma,
            format!("({row},").as_bytes(),
            &escaped(&packed(row, 20_000)),
            b")",
        ]);
    }
    text
}

/// Every row's object is in the store, whole. Returns the number of rows.
fn assert_rows_have_objects(lab: &Lab, store: &Path) -> usize {
    let rows = lab.direct().rows("SELECT id, data FROM t ORDER BY id");
    for row in &rows {
        let text =
            |at: usize| String::from_utf8(row[at].clone().unwrap_or_default()).expect("UTF-8");
        let object = object_of(&text(1), store, &lab.database);
        let id = text(0).parse().expect("a number");
        assert!(object == packed(id, 20_000), "row {id}");
    }
    rows.len()
}

/// Inserts from four connections at once until `stop` or an error; returns what failed.
fn insert_until(lab: &Lab, next: &AtomicU64, stop: &AtomicBool) -> Vec<String> {
    let mut failures = Vec::new();
    std::thread::scope(|scope| {
        let insert = || {
            let mut client = Client::connect(lab.proxy.port("bytes"), &lab.login()).ok()?;
            while !stop.load(Ordering::SeqCst) {
                if let Err(error) = client.query(three_rows(next.fetch_add(3, Ordering::SeqCst))) {
                    return Some(error.to_string());
                }
            }
            None
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(insert)).collect();
        failures.extend(
            threads
                .into_iter()
                .filter_map(|t| t.join().expect("no panic")),
        );
    });
    failures
}

/// kill -9 at times that fall anywhere between reading the statement, writing the objects and
/// sending the row.
#[test]
fn a_killed_proxy_leaves_no_row_without_its_object() {
    let mut lab = Lab::new("kill_nine");
    lab.blob_table("t");
    let next = AtomicU64::new(1);
    let mut rows = 0;
    for round in 0..6u64 {
        let stop = AtomicBool::new(false);
        let pid = lab.proxy.pid();
        std::thread::scope(|scope| {
            let inserting = scope.spawn(|| insert_until(&lab, &next, &stop));
            std::thread::sleep(Duration::from_millis(150 + round * 37));
            crate::support::proxy::signal("KILL", pid);
            let failures = inserting.join().expect("no panic");
            assert_eq!(failures.len(), 4, "every client notices: {failures:?}");
        });
        lab.proxy.kill();
        lab.proxy.restart();
        rows = assert_rows_have_objects(&lab, &lab.store);
    }
    assert!(rows > 30, "{rows} rows: the clients did insert");
    // What was cut off in the middle does not hinder the same value later.
    let mut client = lab.bytes();
    client.ok("DELETE FROM t");
    for id in (1..next.load(Ordering::SeqCst)).step_by(3) {
        client.ok(three_rows(id));
    }
    assert_rows_have_objects(&lab, &lab.store);
}

/// The store goes away in the middle of inserts: an error, and no row without its object.
#[test]
fn a_store_that_goes_away() {
    let lab = Lab::new("store_gone");
    lab.blob_table("t");
    let moved = lab.folder().join("moved");
    let (next, stop) = (AtomicU64::new(1), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let inserting = scope.spawn(|| insert_until(&lab, &next, &stop));
        std::thread::sleep(Duration::from_millis(400));
        fs::rename(&lab.store, &moved).expect("renamed");
        // A file in its place: no folder can be made there, not even by root.
        fs::write(&lab.store, b"").expect("a file");
        let failures = inserting.join().expect("no panic");
        assert_eq!(failures.len(), 4);
        for failure in failures {
            assert!(
                failure.starts_with("1296 ") && failure.contains("codec-proxy: "),
                "{failure}"
            );
            assert!(failure.contains(".t.data"), "{failure}");
        }
    });
    assert!(assert_rows_have_objects(&lab, &moved) > 0);
    let mut client = lab.bytes();
    let error = client.error("SELECT data FROM t");
    assert_eq!(error.code, 1296, "{error}");
    assert!(
        !client.rows("SELECT id FROM t").is_empty(),
        "the session goes on"
    );
    // It comes back, and so does everything else, without a restart.
    fs::remove_file(&lab.store).expect("the file");
    fs::rename(&moved, &lab.store).expect("renamed");
    client.ok(three_rows(next.load(Ordering::SeqCst)));
    let rows = client.rows("SELECT data FROM t").len();
    assert_eq!(rows, assert_rows_have_objects(&lab, &lab.store));
}

/// A damaged object is an error, never data; other rows can be read.
#[test]
fn damaged_objects() {
    let lab = Lab::new("damaged");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let sizes = [100usize, 100, 100, 100, 3 << 20];
    for (id, size) in (1u64..).zip(sizes) {
        let head = format!("INSERT INTO t (id, data) VALUES ({id}, ");
        client.ok(sql(&[head.as_bytes(), &escaped(&packed(id, size)), b")"]));
    }
    let object = |id: u64, size: usize| {
        let name = crate::support::objects::hash_name(&packed(id, size));
        lab.store.join("_hash").join(&lab.database).join(name)
    };
    let change = |id: u64, size: usize, how: fn(&mut Vec<u8>)| {
        let mut bytes = fs::read(object(id, size)).expect("an object");
        how(&mut bytes);
        fs::write(object(id, size), bytes).expect("an object");
    };
    change(2, 100, |bytes| bytes[60] ^= 1);
    change(3, 100, |bytes| bytes.truncate(50));
    fs::remove_file(object(4, 100)).expect("an object");
    change(5, 3 << 20, |bytes| {
        *bytes.last_mut().expect("not empty") ^= 1
    });
    for id in 2..=5 {
        let error = client.error(format!("SELECT data FROM t WHERE id = {id}"));
        assert_eq!(error.code, 1296, "row {id}: {error}");
        let column = format!("{}.t.data", lab.database);
        assert!(error.message.contains(&column), "row {id}: {error}");
        let told = client
            .last_frames()
            .iter()
            .any(|frame| frame.body.len() > 1000);
        assert!(!told, "row {id}: no part of the value is sent");
    }
    assert_eq!(
        client.value("SELECT data FROM t WHERE id = 1"),
        Some(packed(1, 100))
    );
    let error = client.error("SELECT id, data FROM t ORDER BY id");
    assert_eq!(error.code, 1296, "{error}");
    assert_eq!(client.text("SELECT COUNT(*) FROM t"), "5");
}

/// What lies in a codec column and is no pointer is an error, never data.
#[test]
fn damaged_pointers() {
    let lab = Lab::new("pointers");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    fs::write(lab.folder().join("outside"), b"mYm\0 outside of the store").expect("a file");
    let outside = crate::support::objects::hash_name(b"mYm\0 outside of the store");
    let pointers = [
        "{}".to_owned(),
        "[]".to_owned(),
        "5".to_owned(),
        "null".to_owned(),
        r#""text""#.to_owned(),
        r#"{"hash": 5, "path": "x", "store": "main"}"#.to_owned(),
        r#"{"hash": "aaaaaaaaaaaaaaaaaaaaaaaaaa", "store": "main"}"#.to_owned(),
        format!(
            r#"{{"hash": "{outside}", "path": "../outside", "schema": "x", "store": "main", "size": 26}}"#
        ),
        format!(
            r#"{{"hash": "{outside}", "path": "/etc/hostname", "schema": "x", "store": "main", "size": 26}}"#
        ),
    ];
    for (id, pointer) in (1..).zip(&pointers) {
        direct.ok(format!(
            "INSERT INTO t (id, data) VALUES ({id}, '{pointer}')"
        ));
        let error = client.error(format!("SELECT data FROM t WHERE id = {id}"));
        assert!(
            error.message.starts_with("codec-proxy: "),
            "{pointer}: {error}"
        );
        assert!(!error.message.contains(&outside), "{error}");
    }
    assert_eq!(
        client.text("SELECT COUNT(*) FROM t"),
        pointers.len().to_string()
    );
}

/// MySQL stores JSON with its keys in another order, and older rows may lack some.
#[test]
fn pointers_of_other_writers() {
    let lab = Lab::new("other_writers");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let value = packed(6, 60);
    client.ok(sql(&[
        b"INSERT INTO t (id, data) VALUES (1, ",
        &escaped(&value),
        b")",
    ]));
    assert_stored(&mut direct, &lab.store, "t", 1, &value);
    let object = objects(&lab.store)[0].clone();
    let path = object
        .strip_prefix(&lab.store)
        .expect("below")
        .display()
        .to_string();
    let hash = crate::support::objects::hash_name(&value);
    for (id, pointer) in (2..).zip([
        format!(
            r#"{{"hash":"{hash}","path":"{path}","size":85,"store":"main","schema":"{}"}}"#,
            lab.database
        ),
        format!(r#"{{ "store": null, "path": "{path}", "hash": "{hash}" }}"#),
        format!(r#"{{"store": "", "path": "{path}", "hash": "{hash}", "more": {{"a": [1]}}}}"#),
        format!(
            r#"{{"store": "main", "path": "{}", "hash": "{hash}"}}"#,
            path.replace('/', "\\\\/")
        ),
    ]) {
        direct.ok(format!(
            "INSERT INTO t (id, data) VALUES ({id}, '{pointer}')"
        ));
        let read = client.value(format!("SELECT data FROM t WHERE id = {id}"));
        assert_eq!(read.as_ref(), Some(&value), "{pointer}");
    }
}

/// A pointer is the client's to write in the `stored` view, so it opens nothing but the section
/// of the schema it lies in: a client could else read the objects of schemas that are closed to it.
#[test]
fn pointers_into_other_schemas() {
    let lab = Lab::new("other_schemas");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let value = packed(6, 60);
    let hash = crate::support::objects::hash_name(&value);
    let schema = &lab.database;
    for (id, path) in (1..).zip([
        format!("_hash/another_schema/{hash}"),
        format!("_hash/{schema}/../another_schema/{hash}"),
        format!("_hash/{schema}_more/{hash}"),
        format!("_schema/{schema}/{hash}"),
    ]) {
        let object = lab.store.join(&path);
        fs::create_dir_all(lab.store.join(format!("_hash/{schema}"))).expect("a folder");
        fs::create_dir_all(object.parent().expect("a folder")).expect("a folder");
        fs::write(&object, &value).expect("an object");
        direct.ok(format!(
            r#"INSERT INTO t (id, data) VALUES ({id}, '{{"hash": "{hash}", "path": "{path}", "schema": "x", "store": "main", "size": 89}}')"#
        ));
        let error = client.error(format!("SELECT data FROM t WHERE id = {id}"));
        assert!(
            error.message.starts_with("codec-proxy: "),
            "{path}: {error}"
        );
        assert!(error.message.contains(".t.data"), "{path}: {error}");
    }
}

/// A statement over `limits.statement_bytes` is refused; shorter ones are not.
#[test]
fn a_statement_over_the_limit() {
    let lab = Lab::with_config("limit", |config| {
        config + "\n[limits]\nstatement_bytes = 1_000_000\n"
    });
    lab.blob_table("t");
    let insert = |id: u64, length: usize| {
        let head = format!("INSERT INTO t VALUES ({id}, 'n', ");
        sql(&[head.as_bytes(), &escaped(&packed(id, length)), b")"])
    };
    lab.bytes().ok(insert(1, 800_000));
    let error = lab.bytes().error(insert(2, 2_000_000));
    assert_eq!(error.code, 1153, "{error}");
    assert!(error.message.contains("statement_bytes"), "{error}");
    let error = lab.bytes().error(insert(3, 20_000_000));
    assert!([0, 1153].contains(&error.code), "{error}");
    lab.bytes().ok(insert(4, 10));
    assert_eq!(
        lab.direct()
            .text("SELECT GROUP_CONCAT(id ORDER BY id) FROM t"),
        "1,4"
    );
}
