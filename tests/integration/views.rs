//! Sessions that choose their view, and the `json` view itself.

use crate::support::answer::{Answer, Column, TYPE_BLOB};
use crate::support::client::{Client, Expect, com};
use crate::support::lab::{Lab, PASSWORD};
use crate::support::objects::{
    assert_same, assert_stored, escaped, hash_name, objects, packed, sql,
};

/// A packed list of two integers and what the json view shows for it.
const LIST: &[u8] =
    b"dj0\0\x02\x02\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x0a\x01\0\x01\x04\0\0\0\0\0\0\0\x0a\x01\0\x02";
const LIST_JSON: &str = "[1,2]";
/// Collations as column definitions have them.
const BINARY: u16 = 63;
const UTF8MB4: u16 = 45;

/// A lab with `t`: an inline and an external column, row 1 is a list in both.
fn lab(name: &str) -> Lab {
    let lab = Lab::new(name);
    fill(&lab);
    lab
}

fn fill(lab: &Lab) {
    lab.table(
        "t",
        "id INT PRIMARY KEY, here LONGBLOB COMMENT ':<blob>:', data JSON COMMENT ':<blob@main>:'",
    );
    let mut client = lab.bytes();
    let list = escaped(LIST);
    client.ok(sql(&[
        b"INSERT INTO t VALUES (1, ",
        &list,
        b", ",
        &list,
        b")",
    ]));
}

fn both(client: &mut Client) -> (Answer, Vec<u8>, Vec<u8>) {
    let mut answer = client.ok("SELECT here, data FROM t WHERE id = 1");
    let mut row = answer.rows.remove(0);
    let data = row.pop().flatten().expect("a value");
    let here = row.pop().flatten().expect("a value");
    (answer, here, data)
}

fn assert_bytes_view(client: &mut Client) {
    let (answer, here, data) = both(client);
    assert_same(&here, LIST, "here");
    assert_same(&data, LIST, "data");
    for name in ["here", "data"] {
        let column = answer.column(name);
        assert_eq!((column.kind, column.charset), (TYPE_BLOB, BINARY), "{name}");
    }
}

fn assert_json_view(client: &mut Client) {
    let (answer, here, data) = both(client);
    assert_eq!(String::from_utf8_lossy(&here), LIST_JSON);
    assert_eq!(String::from_utf8_lossy(&data), LIST_JSON);
    for name in ["here", "data"] {
        let column = answer.column(name);
        assert_eq!(
            (column.kind, column.charset),
            (TYPE_BLOB, UTF8MB4),
            "{name}"
        );
    }
}

fn assert_stored_view(client: &mut Client) {
    let (_, here, data) = both(client);
    assert_same(&here, LIST, "here");
    let data = String::from_utf8(data).expect("a pointer");
    assert!(data.contains(&hash_name(LIST)), "{data}");
}

#[test]
fn a_session_chooses_its_view_in_all_directions() {
    let lab = lab("choose");
    type Check = fn(&mut Client);
    let views: [(&str, Check); 3] = [
        ("bytes", assert_bytes_view),
        ("stored", assert_stored_view),
        ("json", assert_json_view),
    ];
    for (mut client, listener) in [(lab.bytes(), 0), (lab.stored(), 1)] {
        views[listener].1(&mut client);
        for (from, _) in views {
            for (to, check) in views {
                client.ok(format!("SET @codec_view = '{from}'"));
                client.ok(format!("set @CODEC_VIEW='{to}'"));
                check(&mut client);
                assert_eq!(client.text("SELECT @codec_view"), to);
            }
        }
        client.ok("SET @codec_view = NULL");
        views[listener].1(&mut client);
    }
}

#[test]
fn an_unknown_view_is_an_error_and_changes_nothing() {
    let lab = lab("unknown_view");
    let mut client = lab.bytes();
    client.ok("SET @codec_view = 'json'");
    for statement in [
        "SET @codec_view = 'xml'",
        "SET @codec_view = CONCAT('by', 'tes')",
    ] {
        let error = client.error(statement);
        assert!(error.message.starts_with("codec-proxy: "), "{error}");
        assert_eq!(client.text("SELECT @codec_view"), "json");
        assert_json_view(&mut client);
    }
    // The server does not take it: nor does the session.
    client.error("SET @codec_view = 'bytes', @@no_such_variable = 1");
    assert_json_view(&mut client);
}

#[test]
fn a_reset_brings_the_listeners_view_back() {
    let lab = lab("reset");
    let mut client = lab.bytes();
    client.ok("SET @codec_view = 'json'");
    let frames = client.command(com::RESET_CONNECTION, b"", Expect::Single);
    assert_eq!(frames[0].body.first(), Some(&0), "an OK packet");
    assert_eq!(frames[0].sequence, 1);
    assert_bytes_view(&mut client);

    let mut client = lab.stored();
    client.ok("SET @codec_view = 'json'");
    let frames = client.command(com::CHANGE_USER, &change_user(&lab), Expect::Single);
    let switched = frames.last().expect("an answer");
    let salt = &switched.body[b"\xfemysql_native_password\0".len()..];
    let proof = crate::support::client::proof(&salt[..20], PASSWORD);
    client.send_raw(&crate::support::client::packets(
        switched.sequence + 1,
        &proof,
    ));
    let frames = client.answer(Expect::Single);
    assert_eq!(frames[0].body.first(), Some(&0), "an OK packet");
    assert_stored_view(&mut client);
}

/// `COM_CHANGE_USER` to the lab's own account, without a proof: the server asks for one.
fn change_user(lab: &Lab) -> Vec<u8> {
    format!(
        "{}\0\0{}\0\x2d\0mysql_native_password\0",
        lab.user, lab.database
    )
    .into_bytes()
}

#[test]
fn long_statements_are_treated_as_the_session_has_chosen() {
    let lab = lab("long");
    let value = packed(1, 700_000);
    let mut client = lab.stored();
    client.ok("SET @codec_view = 'bytes'");
    client.ok(sql(&[
        b"INSERT INTO t (id, data) VALUES (2, ",
        &escaped(&value),
        b")",
    ]));
    let mut direct = lab.direct();
    assert_stored(&mut direct, &lab.store, "t", 2, &value);
    let got = client.value("SELECT data FROM t WHERE id = 2");
    assert_same(&got.expect("a value"), &value, "data");

    client.ok("SET @codec_view = 'json'");
    let text = format!("[{}1]", "1,".repeat(200_000));
    client.ok(format!(
        "INSERT INTO t (id, here, data) VALUES (3, '{text}', '{text}')"
    ));
    for column in ["here", "data"] {
        let got = client.value(format!("SELECT {column} FROM t WHERE id = 3"));
        assert_same(&got.expect("a value"), text.as_bytes(), column);
    }
    let here = direct
        .value("SELECT here FROM t WHERE id = 3")
        .expect("a value");
    assert!(here.starts_with(b"ZL123\0"), "{:?}", &here[..10]);

    // And the other way: what a `bytes` listener's client stores as it is.
    let mut client = lab.bytes();
    client.ok("SET @codec_view = 'stored'");
    let pointer = direct.text("SELECT data FROM t WHERE id = 2");
    let padded = format!("{pointer}{}", " ".repeat(300_000));
    client.ok(format!("INSERT INTO t (id, data) VALUES (4, '{padded}')"));
    assert_eq!(direct.text("SELECT data FROM t WHERE id = 4"), padded);
}

#[test]
fn statements_behind_a_choice_in_the_same_packet_follow_it() {
    let lab = lab("pipelined");
    let mut client = lab.bytes();
    let mut bytes = Vec::new();
    for statement in [
        "SET @codec_view = 'json'",
        "SELECT data FROM t",
        "SET @codec_view = 'bytes'",
        "SELECT data FROM t",
    ] {
        let payload = [&[com::QUERY], statement.as_bytes()].concat();
        bytes.extend(crate::support::client::packets(0, &payload));
    }
    client.send_raw(&bytes);
    let answers: Vec<_> = (0..4).map(|_| client.answer(Expect::Results)).collect();
    let holds = |at: usize, needle: &[u8]| {
        let bodies = answers[at].iter();
        let found = bodies.filter(|f| f.body.windows(needle.len()).any(|w| w == needle));
        found.count() > 0
    };
    assert!(holds(1, LIST_JSON.as_bytes()) && !holds(1, LIST));
    assert!(holds(3, LIST));
}

#[test]
fn columns_are_listed_and_described_as_the_session_sees_them() {
    let lab = lab("listed");
    for mut client in [lab.bytes(), lab.stored()] {
        for (view, expected) in [
            ("json", [(TYPE_BLOB, UTF8MB4), (TYPE_BLOB, UTF8MB4)]),
            ("bytes", [(TYPE_BLOB, BINARY), (TYPE_BLOB, BINARY)]),
        ] {
            client.ok(format!("SET @codec_view = '{view}'"));
            let frames = client.command(com::FIELD_LIST, b"t\0", Expect::Fields);
            let shown = frames[1..3].iter().map(|f| Column::parse(&f.body));
            let shown: Vec<_> = shown.map(|c| (c.kind, c.charset)).collect();
            assert_eq!(shown, expected, "{view}");
        }
        for (view, types) in [
            ("json", ["int(11)", "json", "json"]),
            ("bytes", ["int(11)", "longblob", "longblob"]),
            ("stored", ["int(11)", "longblob", "json"]),
        ] {
            client.ok(format!("SET @codec_view = '{view}'"));
            let answer = client.ok("SHOW FULL COLUMNS FROM t");
            assert_eq!(answer.texts("Type"), types, "{view}");
        }
    }
}

#[test]
fn what_is_stored_does_not_reach_a_json_client_by_another_way() {
    let lab = lab("guard");
    let mut client = lab.stored();
    let prepared = ["here", "data"].map(|column| {
        let id = client.prepare(format!("SELECT {column} FROM t"));
        id.expect("the stored view prepares anything")
    });
    client.ok("SET @codec_view = 'json'");
    for id in prepared {
        let mut body = id.to_le_bytes().to_vec();
        body.extend_from_slice(&[0, 1, 0, 0, 0]);
        let frames = client.command(com::STMT_EXECUTE, &body, Expect::Results);
        let last = &frames.last().expect("an answer").body;
        assert_eq!(last.first(), Some(&0xff), "an ERR packet");
        let leaked = frames.iter().any(|f| {
            f.body.windows(LIST.len()).any(|w| w == LIST)
                || f.body.windows(5).any(|w| w == b"_hash")
        });
        assert!(!leaked);
    }
    assert_json_view(&mut client);
}

#[test]
fn character_sets_of_the_json_view() {
    let lab = lab("charsets");
    let mut client = lab.bytes();
    client.ok("SET @codec_view = 'json'");
    let text = "{\"née\":\"日本 😀\"}";
    client.ok(format!(
        "INSERT INTO t (id, here, data) VALUES (2, '{text}', '{text}')"
    ));
    for (charset, plain) in [
        ("utf8mb4", true),
        ("latin1", false),
        ("utf8mb3", false),
        ("gbk", false),
    ] {
        client.ok(format!("SET NAMES {charset}"));
        for column in ["here", "data"] {
            let shown = client.text(format!("SELECT {column} FROM t WHERE id = 2"));
            assert_eq!(shown.is_ascii(), !plain, "{charset}: {shown}");
            let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
            assert_eq!(
                shown,
                serde_json::from_str::<serde_json::Value>(text).expect("JSON")
            );
        }
    }
    client.ok("SET NAMES utf8mb4, character_set_results = NULL");
    assert_eq!(client.text("SELECT data FROM t WHERE id = 2"), text);

    // What is written is understood as UTF-8, or not at all.
    client.ok("SET NAMES latin1");
    let before = objects(&lab.store).len();
    let error = client.error(b"INSERT INTO t (id, data) VALUES (3, '\"n\xe9e\"')");
    assert_eq!(error.code, 1235, "{error}");
    assert!(error.message.contains("SET NAMES utf8mb4"), "{error}");
    // These bytes are UTF-8 by chance, and mean "Ã©" here.
    let error = client.error(b"INSERT INTO t (id, data) VALUES (3, '\"\xc3\xa9\"')");
    assert_eq!(error.code, 1235, "{error}");
    assert_eq!(objects(&lab.store).len(), before);
    client.ok("INSERT INTO t (id, data) VALUES (4, '\"plain\"')");
    client.ok(b"INSERT INTO t (id, data) VALUES (5, _utf8mb4'\"\xc3\xa9\"')");
    client.ok(b"INSERT INTO t (id, data) VALUES (6, _binary'\"\xc3\xa9\"')");
    client.ok("INSERT INTO t (id, data) VALUES (7, X'22c3a922')");
    client.ok("SET NAMES utf8mb4");
    for (id, expected) in [(4, "\"plain\""), (5, "\"é\""), (6, "\"é\""), (7, "\"é\"")] {
        let shown = client.text(format!("SELECT data FROM t WHERE id = {id}"));
        assert_eq!(shown, expected);
    }
}

/// The server tells names of columns in `character_set_results`, too.
#[test]
fn columns_that_the_character_set_hides() {
    let lab = lab("hidden");
    lab.table(
        "u",
        "id INT PRIMARY KEY, `données` JSON COMMENT ':<filepath@main>:'",
    );
    let mut stored = lab.stored();
    stored.ok("INSERT INTO u VALUES (1, '{\"path\": \"raw/SECRET\", \"store\": \"main\"}')");
    let mut client = lab.bytes();
    for (charset, table) in [
        ("latin1", "u"),
        ("ascii", "u"),
        ("utf16", "u"),
        ("utf16", "t"),
    ] {
        client.ok("SET NAMES utf8mb4");
        client.ok(format!("SET character_set_results = {charset}"));
        let error = client.error(format!("SELECT * FROM {table}"));
        assert_eq!(error.code, 1235, "{charset}: {error}");
        assert!(
            error.message.contains("SET NAMES utf8mb4"),
            "{charset}: {error}"
        );
    }
    client.ok("SET NAMES latin1");
    assert_eq!(client.text("SELECT id FROM u"), "1");
    client.ok("SELECT * FROM t");
    client.ok("SET NAMES utf8mb3");
    assert_eq!(client.text("SELECT `données` FROM u"), "raw/SECRET");
}

#[test]
fn bytes_are_stored_whatever_the_sql_mode_and_character_set() {
    let lab = lab("spelled");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    client.ok("SET @codec_view = 'json'");
    // A packed value with quotes, backslashes and bytes beyond ASCII in it.
    let json = r#"{"$bytes":"JyInXFwnv1xcv1wnAAoaIiL/"}"#;
    let mut id = 10;
    for mode in ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"] {
        for charset in ["utf8mb4", "latin1", "gbk", "sjis", "big5"] {
            id += 1;
            client.ok(format!("SET NAMES {charset}"));
            client.ok(format!("SET sql_mode = '{mode}'"));
            client.ok(format!(
                "INSERT INTO t (id, here, data) VALUES ({id}, '{json}', '{json}')"
            ));
            let what = format!("{mode} {charset}");
            let stored = direct.value(format!("SELECT here FROM t WHERE id = {id}"));
            assert!(
                stored
                    .expect("a value")
                    .ends_with(b"'\"'\\\\'\xbf\\\\\xbf\\'\0\n\x1a\"\"\xff"),
                "{what}"
            );
            let shown = client.text(format!("SELECT here FROM t WHERE id = {id}"));
            assert_eq!(shown, json, "{what}");
            let shown = client.text(format!("SELECT data FROM t WHERE id = {id}"));
            assert_eq!(shown, json, "{what}");
        }
    }
}

#[test]
fn large_arrays_are_cut_when_the_client_asks() {
    let lab = lab("cut");
    let mut client = lab.bytes();
    let array = packed(7, 1000);
    client.ok(sql(&[
        b"INSERT INTO t (id, data) VALUES (2, ",
        &escaped(&array),
        b")",
    ]));
    client.ok("SET @codec_view = 'json', @codec_json_limit = 3");
    let cut = client.text("SELECT data FROM t WHERE id = 2");
    let shown: serde_json::Value = serde_json::from_str(&cut).expect("JSON");
    assert_eq!(shown["$array"], "uint8");
    assert_eq!(shown["value"].as_array().map(Vec::len), Some(3), "{cut}");
    let error = client.error(format!("INSERT INTO t (id, data) VALUES (3, '{cut}')"));
    assert_eq!(error.code, 1366, "{error}");
    client.ok("SET @codec_json_limit = 0");
    let whole = client.text("SELECT data FROM t WHERE id = 2");
    client.ok(format!("INSERT INTO t (id, data) VALUES (3, '{whole}')"));
    let mut direct = lab.direct();
    assert_eq!(
        direct.text("SELECT data FROM t WHERE id = 2"),
        direct.text("SELECT data FROM t WHERE id = 3"),
        "the same object"
    );
}

#[test]
fn values_keep_to_their_limits() {
    let lab = Lab::with_config("limits", |config| {
        format!("{config}\n[limits]\njson_bytes = 5000\nvalue_bytes = 20000\nvalue_depth = 5\n")
    });
    fill(&lab);
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let large = packed(1, 4000);
    client.ok(sql(&[
        b"INSERT INTO t (id, data) VALUES (2, ",
        &escaped(&large),
        b")",
    ]));
    client.ok("SET @codec_view = 'json'");
    let error = client.error("SELECT id, data FROM t ORDER BY id");
    assert_eq!(error.code, 1153, "{error}");
    assert!(error.message.contains("limits.json_bytes"), "{error}");
    assert!(error.message.contains("t.data"), "{error}");
    assert_json_view(&mut client);

    let before = objects(&lab.store).len();
    for (text, limit) in [
        (format!("\"{}\"", "x".repeat(5000)), "limits.json_bytes"),
        ("[".repeat(6) + &"]".repeat(6), "limits.value_depth"),
        (format!("\"{}\"", "x".repeat(20_000)), "limits."),
    ] {
        for column in ["here", "data"] {
            let error = client.error(format!("INSERT INTO t (id, {column}) VALUES (3, '{text}')"));
            assert_eq!(error.code, 1153, "{error}");
            assert!(error.message.contains(limit), "{error}");
        }
    }
    assert_eq!(objects(&lab.store).len(), before);
    assert_eq!(direct.text("SELECT COUNT(*) FROM t"), "2");

    // A bomb: 1 MB of zeros in some hundred bytes, put there by another client.
    let list = client.text("SELECT HEX(1)");
    assert_eq!(list, "1");
    let bomb = bomb(1_000_000);
    assert!(bomb.len() < 5000);
    direct.ok(sql(&[
        b"INSERT INTO t (id, here) VALUES (4, ",
        &escaped(&bomb),
        b")",
    ]));
    let error = client.error("SELECT here FROM t WHERE id = 4");
    assert_eq!(error.code, 1153, "{error}");
}

/// A compressed `bytes` value of so many zeros.
fn bomb(len: usize) -> Vec<u8> {
    use std::io::Write;
    let mut plain = b"dj0\0\x05".to_vec();
    plain.extend_from_slice(&(len as u64).to_le_bytes());
    plain.resize(plain.len() + len, 0);
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(&plain).expect("it is memory");
    let mut out = b"ZL123\0".to_vec();
    out.extend_from_slice(&(plain.len() as u64).to_le_bytes());
    out.extend(encoder.finish().expect("it is memory"));
    out
}

#[test]
fn many_large_values_side_by_side() {
    // Shares of 64 KiB: each of these values is decoded alone.
    let lab = Lab::with_config("alone", |config| {
        format!("{config}\n[limits]\nprefetch_bytes = 262144\nstore_parallel = 4\n")
    });
    fill(&lab);
    let mut client = lab.bytes();
    let value = |id: u64| packed(id, if id.is_multiple_of(3) { 100_000 } else { 1000 });
    for id in 2..40 {
        let literal = escaped(&value(id));
        client.ok(sql(&[
            format!("INSERT INTO t (id, here, data) VALUES ({id}, ").as_bytes(),
            &literal,
            b", ",
            &literal,
            b")",
        ]));
    }
    client.ok("SET @codec_view = 'json'");
    let rows = client.rows("SELECT id, here, data FROM t WHERE id > 1 ORDER BY id");
    assert_eq!(rows.len(), 38);
    let mut insert = String::from("INSERT INTO t (id, here, data) VALUES ");
    for (id, row) in (2..).zip(&rows) {
        let text = |at: usize| String::from_utf8_lossy(row[at].as_deref().expect("a value"));
        assert_eq!(text(0), id.to_string());
        assert_same(text(1).as_bytes(), text(2).as_bytes(), "both columns");
        let comma = if id == 2 { "" } else { "," };
        insert += &format!("{comma}({}, '{}', '{}')", id + 100, text(1), text(2));
    }
    // And back, in one statement: the same objects.
    let before = objects(&lab.store).len();
    client.ok(insert);
    assert_eq!(objects(&lab.store).len(), before);
    let mut direct = lab.direct();
    let same = "SELECT COUNT(*) FROM t a JOIN t b ON b.id = a.id + 100 \
                WHERE a.here = b.here AND a.data = b.data";
    assert_eq!(direct.text(same), "38");
}

#[test]
fn a_listener_with_the_json_view() {
    let lab = Lab::with_config("json_listener", |config| {
        config.replace("view = \"bytes\"", "view = \"json\"")
    });
    lab.table(
        "t",
        "id INT PRIMARY KEY, here LONGBLOB COMMENT ':<blob>:', data JSON COMMENT ':<blob@main>:'",
    );
    let mut client = lab.connect(lab.proxy.port("json"), &lab.login());
    client.ok("INSERT INTO t VALUES (1, '[1,2]', '[1, 2]')");
    assert_json_view(&mut client);
    client.ok("SET @codec_view = 'bytes'");
    assert_bytes_view(&mut client);
    client.command(com::RESET_CONNECTION, b"", Expect::Single);
    assert_json_view(&mut client);
    // Changing a value in place of another one.
    client.ok(
        "INSERT INTO t VALUES (1, '[3]', '[4]') ON DUPLICATE KEY UPDATE here = '[5]', data = '[6]'",
    );
    assert_eq!(client.text("SELECT here FROM t"), "[5]");
    assert_eq!(client.text("SELECT data FROM t"), "[6]");
    client.ok("REPLACE INTO t VALUES (1, NULL, '\"seven\"')");
    assert_eq!(client.value("SELECT here FROM t"), None);
    assert_eq!(client.text("SELECT data FROM t"), "\"seven\"");
}

#[test]
fn what_cannot_be_read_ends_the_result_without_showing_it() {
    let lab = Lab::with_config("unreadable", |config| {
        format!("{config}\n[limits]\nrow_bytes = 100000\n")
    });
    fill(&lab);
    let (mut client, mut stored) = (lab.bytes(), lab.stored());
    client.ok("SET @codec_view = 'json'");
    let elsewhere = r#"{"hash": "SECRET", "path": "SECRET/x", "store": "SECRET"}"#;
    let long = format!(r#"{{"hash": "{}"}}"#, "SECRET".repeat(11_000));
    for (id, here, data) in [
        (2, "SECRET", "null"),
        (3, "dj0\\0SECRET", "\"SECRET\""),
        (4, "ZL123\\0SECRETSECRET", elsewhere),
        (
            5,
            "mYm\\0SECRET",
            r#"{"hash": "SECRET", "path": "../SECRET"}"#,
        ),
        (6, "", long.as_str()),
    ] {
        stored.ok(format!("INSERT INTO t VALUES ({id}, '{here}', '{data}')"));
        for column in ["here", "data"] {
            // The rows before it come all the same.
            let select = format!("SELECT {column} FROM t WHERE id IN (1, {id}) ORDER BY id");
            let error = client.error(&select);
            assert!([1296, 1235].contains(&error.code), "{id}: {error}");
            assert!(error.message.contains(&format!("t.{column}")), "{error}");
            let shown = error.message.replace("Storage 'SECRET'", "Storage");
            assert!(!shown.contains("SECRET"), "{error}");
            let frames = client.last_frames();
            let first = frames.iter().any(|f| f.body == b"\x05[1,2]");
            assert!(first, "the row before it");
        }
    }
    // A row may be too long although each of its values is not.
    let text = format!("\"{}\"", "x".repeat(60_000));
    client.ok(format!("INSERT INTO t VALUES (9, '{text}', '{text}')"));
    assert_eq!(client.text("SELECT here FROM t WHERE id = 9"), text);
    let error = client.error("SELECT here, data FROM t WHERE id = 9");
    assert_eq!(error.code, 1153, "{error}");
    assert!(error.message.contains("limits.row_bytes"), "{error}");
    assert_json_view(&mut client);
}

/// A view's columns have the comments of those that they show, and its metadata may name no table.
#[test]
fn views_of_the_database_are_followed_or_refused_from_the_first_moment() {
    let lab = lab("database_views");
    let mut client = lab.bytes();
    client.ok("SET @codec_view = 'json'");
    for (view, shows, takes) in [
        ("VIEW v AS SELECT id, here FROM t", true, true),
        ("VIEW v AS SELECT CONCAT(here) h, data FROM t", false, false),
        (
            "ALGORITHM = TEMPTABLE VIEW v AS SELECT id, here FROM t",
            true,
            false,
        ),
        ("VIEW v AS SELECT MAX(here) here FROM t", false, false),
    ] {
        client.ok(format!("CREATE OR REPLACE {view}"));
        let refused = |client: &mut Client, statement: &str| {
            let error = client.error(statement);
            let ours = error.message.starts_with("codec-proxy: ");
            assert!(ours, "{view}: {error}");
        };
        match shows {
            true => {
                let rows = client.rows("SELECT * FROM v");
                assert_eq!(rows, client.rows("SELECT id, here FROM t"), "{view}");
            }
            false => refused(&mut client, "SELECT * FROM v"),
        }
        let insert = "INSERT INTO v (id, here) VALUES (77, '[1]')";
        match takes {
            true => {
                client.ok(insert);
                let read = client.text("SELECT here FROM t WHERE id = 77");
                assert_eq!(read, "[1]", "{view}");
                client.ok("DELETE FROM t WHERE id = 77");
            }
            // By us, or by the server where it takes no rows for any of the view's columns.
            false => drop(client.error(insert)),
        }
    }
    assert_json_view(&mut client);
}

/// What runs is not in the statement: the server is asked.
#[test]
fn dynamic_statements_neither_write_nor_tell_what_is_stored() {
    let lab = lab("dynamic");
    let mut client = lab.bytes();
    client.ok("SET @codec_view = 'json'");
    client.ok("CREATE TABLE plain (id INT, x TEXT)");
    for text in [
        "INSERT INTO t (id, here) VALUES (9, '[1]')",
        "SELECT HEX(here) FROM t",
        "UPDATE t SET data = '[1]'",
    ] {
        client.ok(format!("SET @q = \"{text}\""));
        let half = text.len() / 2;
        let (head, tail) = text.split_at(half);
        for statement in [
            "EXECUTE IMMEDIATE @q".to_owned(),
            "PREPARE s FROM @q".to_owned(),
            format!("EXECUTE IMMEDIATE CONCAT(\"{head}\", \"{tail}\")"),
        ] {
            let error = client.error(&statement);
            assert!(error.message.starts_with("codec-proxy: "), "{error}");
        }
        assert!(client.prepare("EXECUTE IMMEDIATE @q").is_err());
    }
    assert_eq!(lab.direct().text("SELECT COUNT(*) FROM t"), "1");

    // Everything else works as before, in whatever character set.
    client.ok("SET NAMES latin1");
    client.ok("SET @q = 'INSERT INTO plain VALUES (?, ?)', @id = 1, @x = 'a'");
    client.ok("EXECUTE IMMEDIATE @q USING @id, @x");
    client.ok("PREPARE s FROM @q");
    client.ok("EXECUTE s USING @id, @x");
    assert_eq!(client.text("SELECT COUNT(*) FROM plain"), "2");
    client.ok("SET @q = 'CREATE TABLE late (id INT PRIMARY KEY, x LONGBLOB COMMENT '':<blob>:'')'");
    client.ok("EXECUTE IMMEDIATE @q");
    client.ok("INSERT INTO late VALUES (1, '[1]')");
    assert_eq!(client.text("SELECT x FROM late"), "[1]");
    client.error("EXECUTE IMMEDIATE @no_such_text");
    client.error("EXECUTE IMMEDIATE CONCAT('nonsense')");
    assert_json_view(&mut client);
}

/// What a client binds is meant for the view in which it prepared the statement.
#[test]
fn statements_on_codec_tables_end_with_the_view_they_were_prepared_in() {
    let lab = lab("prepared_views");
    let mut client = lab.stored();
    let execute = |client: &mut Client, id: u32| {
        let mut body = id.to_le_bytes().to_vec();
        body.extend_from_slice(&[0, 1, 0, 0, 0]);
        let frames = client.command(com::STMT_EXECUTE, &body, Expect::Results);
        frames.last().expect("an answer").body.first() != Some(&0xff)
    };
    let prepare = |client: &mut Client, sql: &str| client.prepare(sql).expect("prepared");
    let insert = prepare(&mut client, "REPLACE INTO t (id, here) VALUES (5, '[1]')");
    let other = prepare(&mut client, "SELECT 1");
    assert!(execute(&mut client, insert) && execute(&mut client, other));
    client.ok("DELETE FROM t WHERE id = 5");
    client.ok("SET @codec_view = 'stored', @codec_json_limit = 5");
    assert!(execute(&mut client, insert), "no other view");
    client.ok("DELETE FROM t WHERE id = 5");
    client.ok("SET @codec_view = 'json'");
    assert!(!execute(&mut client, insert), "another view");
    assert!(execute(&mut client, other), "no codec table");
    let ids = prepare(&mut client, "SELECT id FROM t");
    assert!(execute(&mut client, ids), "prepared in this view");

    client.ok("SET @codec_view = 'stored'");
    client.ok("SET @x = '[1]'");
    client.ok("PREPARE s FROM 'REPLACE INTO t (id, here) VALUES (5, ?)'");
    client.ok("SET @codec_view = 'json'");
    let error = client.error("EXECUTE s USING @x");
    assert!(error.message.starts_with("codec-proxy: "), "{error}");
    client.command(com::RESET_CONNECTION, b"", Expect::Single);
    client.ok("SET @codec_view = 'json'");
    client.ok("PREPARE s FROM 'SELECT 1'");
    client.ok("EXECUTE s");
    assert_eq!(lab.direct().text("SELECT COUNT(*) FROM t"), "1");
    assert_json_view(&mut client);
}
