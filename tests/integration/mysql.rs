//! What a real MySQL does otherwise than MariaDB: its type JSON keeps no text, only a value, and
//! writes that in the client's character set; EXPLAIN writes what a row holds.
//!
//! The programs of other tests run on it as well, here with every codec in one test.

use std::fs;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::doors::Doors;
use crate::support::lab::Lab;
use crate::support::objects::{escaped, packed, sql};

const COLUMNS: &str = "id INT PRIMARY KEY, here LONGBLOB COMMENT ':<blob>:in the row', \
    data JSON COMMENT ':<blob@main>:', file JSON COMMENT ':<filepath@main>:', \
    thing JSON COMMENT ':<object@main>:', plain JSON";

fn lab(name: &str) -> Option<Lab> {
    let lab = Lab::on_mysql(name)?;
    lab.table("t", COLUMNS);
    fs::create_dir_all(lab.store.join("raw")).expect("a new folder");
    for name in ["é ✓.bin", "?.bin", "? ?.bin", "plain.bin"] {
        fs::write(lab.store.join("raw").join(name), name).expect("a new file");
    }
    Some(lab)
}

/// Every built-in codec, written directly by DataJoint 2.3.5.
#[test]
fn both_ways() {
    if let Some(doors) = Doors::on_mysql("both_ways") {
        let steps = "blob attach hashed obj npy filepath default_store keys other_writers";
        doors.run("both_ways.py", steps);
    }
}

#[test]
fn all_that_the_old_program_takes() {
    if let Some(doors) = Doors::on_mysql("every_old") {
        doors.run("both_ways.py", "declare_old");
        doors.run_old("dj0.py", "every_codec");
        doors.run("both_ways.py", "read_old");
    }
}

#[test]
fn columns_in_every_view() {
    let Some(lab) = lab("mysql_columns") else {
        return;
    };
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    client.ok("INSERT INTO t (id, here, data) VALUES (1, 'mYm\\0x', 'mYm\\0x')");
    let stored = ["int", "longblob", "json", "json", "json", "json"];
    let translated = |kind, file| ["int", kind, kind, file, kind, "json"];
    for (view, types) in [
        ("bytes", translated("longblob", "varchar(1024)")),
        ("json", translated("json", "json")),
        ("stored", stored),
    ] {
        client.ok(format!("SET @codec_view = '{view}'"));
        for question in [
            "SHOW FULL COLUMNS FROM t",
            "DESCRIBE t",
            "SHOW COLUMNS FROM t",
        ] {
            assert_eq!(
                client.ok(question).texts("Type"),
                types,
                "{view} {question}"
            );
        }
        let comments = client.ok("SHOW FULL COLUMNS FROM t").texts("Comment");
        let marked = comments[1] == ":<blob>:in the row";
        assert_eq!(marked, view == "stored", "{view}: {comments:?}");
    }
    assert_eq!(direct.ok("DESC t").texts("Type"), stored);
    // A result is announced as a column of that type would be.
    client.ok("SET @codec_view = 'bytes'");
    let answer = client.ok("SELECT here, data, file, plain FROM t WHERE id = 0");
    let kinds: Vec<_> = answer.columns.iter().map(|c| (c.kind, c.charset)).collect();
    assert_eq!(kinds, [(252, 63), (252, 63), (253, 45), (245, 63)]);
    assert_eq!(answer.columns[0].flags, answer.columns[1].flags);
    client.ok("SET @codec_view = 'json'");
    let answer = client.ok("SELECT here, data, file, plain FROM t WHERE id = 0");
    let kinds: Vec<_> = answer.columns.iter().map(|c| (c.kind, c.charset)).collect();
    assert_eq!(kinds, [(252, 45), (252, 45), (252, 45), (245, 63)]);
}

/// The server would write `raw/é ✓.bin` as `raw/? ?.bin`, which may be another file.
#[test]
fn metadata_is_read_as_it_is_stored_or_not_at_all() {
    let Some(lab) = lab("mysql_charset") else {
        return;
    };
    let (mut client, mut json) = (lab.bytes(), json_client(&lab));
    for (id, name) in [(1, "é ✓.bin"), (2, "?.bin"), (3, "plain.bin")] {
        client.ok(format!(
            "INSERT INTO t (id, file) VALUES ({id}, 'raw/{name}')"
        ));
    }
    client.ok(sql(&[b"UPDATE t SET plain = '\"\xc3\xa9\"' WHERE id = 3"]));
    for charset in ["latin1", "gbk", "utf16", "swe7", "ascii", "utf8mb3"] {
        let turned = ["utf16", "swe7"].contains(&charset);
        for client in [&mut client, &mut json] {
            client.ok("SET NAMES utf8mb4");
            client.ok(format!("SET character_set_results = {charset}"));
            for id in 1..=3 {
                let answer = client.query(format!("SELECT file FROM t WHERE id = {id}"));
                let whole = match id {
                    1 => charset == "utf8mb3",
                    2 => false,
                    _ => !turned,
                };
                match answer {
                    Ok(answer) => {
                        assert!(whole, "{charset} {id}");
                        let told =
                            String::from_utf8_lossy(answer.rows[0][0].as_deref().expect("a value"))
                                .into_owned();
                        let ending = ["é ✓.bin", "\\u00e9 \\u2713.bin", "plain.bin"];
                        assert!(ending.iter().any(|e| told.contains(e)), "{charset}: {told}");
                    }
                    Err(error) => {
                        assert!(!whole, "{charset} {id}: {error}");
                        assert_eq!(error.code, 1235, "{error}");
                        assert!(error.message.contains("SET NAMES utf8mb4"), "{error}");
                    }
                }
            }
        }
    }
    for charset in ["utf8mb4", "binary", "NULL"] {
        client.ok(format!("SET character_set_results = {charset}"));
        assert_eq!(
            client.text("SELECT file FROM t WHERE id = 1"),
            "raw/é ✓.bin"
        );
        assert_eq!(client.text("SELECT file FROM t WHERE id = 2"), "raw/?.bin");
    }
}

fn json_client(lab: &Lab) -> Client {
    let mut client = lab.bytes();
    client.ok("SET @codec_view = 'json'");
    client
}

/// Keys in MySQL's order, numbers as it writes them, and what it does not take.
#[test]
fn metadata_in_the_spelling_of_the_server() {
    let Some(lab) = lab("mysql_spelling") else {
        return;
    };
    let (mut client, mut direct) = (json_client(&lab), lab.direct());
    client.ok(r#"INSERT INTO t (id, thing, data) VALUES (1, '{"ext":".dat","base64":"aGVsbG8="}', '[1.0]')"#);
    let metadata = direct.text("SELECT thing FROM t");
    let keys: Value = serde_json::from_str(&metadata).expect("JSON");
    assert!(
        keys.as_object()
            .is_some_and(|keys| keys.contains_key("path"))
    );
    assert!(metadata.starts_with("{\"ext\""), "{metadata}");
    // Sizes that are floats by another writer's hand.
    let mut stored = lab.stored();
    stored.ok(
        "UPDATE t SET thing = JSON_SET(thing, '$.size', 5.0, '$.more', 1e2), \
         data = JSON_SET(data, '$.size', 1.0, '$.more', CAST(1 AS DECIMAL(5,2)))",
    );
    let shown: Value = serde_json::from_str(&client.text("SELECT thing FROM t")).expect("JSON");
    assert_eq!(
        (&shown["base64"], &shown["ext"]),
        (&json!("aGVsbG8="), &json!(".dat"))
    );
    assert_eq!(client.text("SELECT data FROM t"), "[1.0]");
    client.ok("SET @codec_view = 'bytes'");
    assert_eq!(client.text("SELECT thing FROM t"), "hello");
    // What Python's json.dumps writes for NaN is no JSON to MySQL, whose own error says so.
    let error = stored.error("UPDATE t SET thing = '{\"path\": NaN}'");
    assert_eq!(error.code, 3140, "{error}");
}

/// EXPLAIN of a row that is found by its key, and the note that it leaves.
#[test]
fn explain_tells_no_pointer() {
    let Some(lab) = lab("mysql_explain") else {
        return;
    };
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    client.ok(sql(&[
        b"INSERT INTO t (id, data) VALUES (1, ",
        &escaped(&packed(1, 100)),
        b")",
    ]));
    for format in ["JSON", "TRADITIONAL", "TREE"] {
        let explain = format!("EXPLAIN FORMAT={format} SELECT * FROM t WHERE id = 1");
        for view in ["bytes", "json"] {
            client.ok(format!("SET @codec_view = '{view}'"));
            for statement in [explain.as_str(), "SHOW WARNINGS"] {
                let told = client.query(statement).err().is_none_or(|e| e.code == 1235);
                assert!(told, "{statement}");
                let shown = client
                    .last_frames()
                    .iter()
                    .any(|frame| frame.body.windows(6).any(|w| w == b"_hash/"));
                assert!(!shown, "{view} {format} {statement}");
            }
        }
    }
    // It is the server's doing: directly, it is told.
    let explained = direct.text("EXPLAIN FORMAT=JSON SELECT * FROM t WHERE id = 1");
    assert!(explained.contains("_hash/"), "{explained}");
}

/// A pointer to another schema's object, however it came there.
#[test]
fn planted_pointers_are_not_followed() {
    let (Some(mine), Some(theirs)) = (lab("mysql_mine"), lab("mysql_theirs")) else {
        return;
    };
    let mut writer = theirs.bytes();
    writer.ok("INSERT INTO t (id, data, thing) VALUES (1, 'mYm\\0SECRET', 'SECRET')");
    let (mut direct, mut stored) = (theirs.direct(), mine.stored());
    for (id, column) in [(1, "data"), (2, "thing")] {
        let pointer = direct.text(format!("SELECT {column} FROM t"));
        stored.ok(format!(
            "INSERT INTO t (id, {column}) VALUES ({id}, '{pointer}')"
        ));
        // The object is in this lab's store as well: only its path is wrong.
        let path: Value = serde_json::from_str(&pointer).expect("JSON");
        let path = path["path"].as_str().expect("a path");
        let copy = mine.store.join(path);
        fs::create_dir_all(copy.parent().expect("a folder")).expect("a new folder");
        fs::copy(theirs.store.join(path), copy).expect("a copy");
        for mut client in [mine.bytes(), json_client(&mine)] {
            let error = client.error(format!("SELECT {column} FROM t WHERE id = {id}"));
            assert_eq!(error.code, 1296, "{error}");
            assert!(!error.message.contains(path), "{error}");
        }
    }
}
