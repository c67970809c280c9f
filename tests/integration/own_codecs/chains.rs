//! Chains of codecs that are not built in: what is refused, and that nothing was written then.

use super::lab;
use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{escaped, hash_name, objects, sql};

fn json_client(lab: &Lab) -> Client {
    lab.connect(lab.proxy.port("json"), &lab.login())
}

fn insertion(id: u32, column: &str, text: &str) -> Vec<u8> {
    sql(&[
        format!("INSERT INTO t (id, {column}) VALUES ({id}, ").as_bytes(),
        &escaped(text.as_bytes()),
        b")",
    ])
}

#[test]
fn a_chain_of_four_and_one_that_names_another_store() {
    let lab = lab("own_chains");
    let mut client = json_client(&lab);
    client.ok(
        "CREATE TABLE t (id INT PRIMARY KEY, a LONGBLOB COMMENT '<four@main> a', \
         b LONGBLOB COMMENT '<archive@main>', c LONGBLOB COMMENT '<archive>')",
    );
    client.ok("INSERT INTO t VALUES (1, '{\"x\":[1]}', '[1.0]', '[2]'), (2, NULL, NULL, NULL)");
    let rows = client.rows("SELECT a, b, c FROM t ORDER BY id");
    let text = |row: usize, at: usize| rows[row][at].as_deref().map(String::from_utf8_lossy);
    assert_eq!(text(0, 0).as_deref(), Some("{\"x\":[1]}"));
    assert_eq!(text(0, 1).as_deref(), Some("[1.0]"));
    assert_eq!(text(0, 2).as_deref(), Some("[2]"));
    assert!(rows[1].iter().all(Option::is_none));

    let mut direct = lab.direct();
    let pointer = |direct: &mut Client, column: &str| -> serde_json::Value {
        let text = direct.text(format!("SELECT {column} FROM t WHERE id = 1"));
        serde_json::from_str(&text).expect("a pointer")
    };
    for (column, store, folder) in [
        ("a", "main", lab.store.clone()),
        ("b", "cold", lab.folder().join("cold")),
        ("c", "cold", lab.folder().join("cold")),
    ] {
        let pointer = pointer(&mut direct, column);
        assert_eq!(pointer["store"], store, "{column}");
        let path = pointer["path"].as_str().expect("a path");
        let object = std::fs::read(folder.join(path)).expect("an object");
        assert_eq!(pointer["hash"], hash_name(&object), "{column}");
    }
    assert_eq!(objects(&lab.store).len(), 1);
}

#[test]
fn what_a_codec_does_not_take_is_refused_before_anything_is_written() {
    let lab = lab("own_refused");
    let mut client = json_client(&lab);
    client.ok(
        "CREATE TABLE t (id INT PRIMARY KEY, w LONGBLOB COMMENT '<wrong@main>', \
         c LONGBLOB COMMENT '<config>', s LONGBLOB COMMENT '<spikes@main>', \
         z LONGBLOB COMMENT '<zjson@main>', l LONGBLOB COMMENT '<latin>', \
         n LONGBLOB COMMENT '<narrow@main>', b LONGBLOB COMMENT '<b64>')",
    );
    let array = |value: &str| format!(r#"{{"$array":"float64","value":{value}}}"#);
    for (column, text, told) in [
        // The result of a codec that is none for the next one.
        ("w", r#"{"secret": 4242}"#, "<hash> expects bytes, got dict"),
        (
            "c",
            r#"{"version": 0, "settings": {}}"#,
            "/version breaks /properties/version/minimum",
        ),
        (
            "c",
            r#"{"version": 1, "settings": 4242}"#,
            "/settings breaks /properties/settings/type",
        ),
        ("c", "4242", "the value breaks /type of its JSON Schema"),
        ("s", "[4242]", "Expected numpy array of spike times"),
        (
            "s",
            &array("[[4242.0]]"),
            "Spike train must be 1-dimensional",
        ),
        ("s", &array("[4242.0,1.0]"), "Spike times must be sorted"),
        (
            "z",
            r#"{"$tuple": [4242]}"#,
            "JSON would give a tuple back as a list",
        ),
        (
            "z",
            r#"{"$bytes": "NDI0Mg=="}"#,
            "Object of type bytes is not JSON serializable",
        ),
        (
            "l",
            r#""4242Ā""#,
            "the text has characters that its character set lacks",
        ),
        ("l", "4242", "<latin> takes text, got int"),
        ("n", &array("[4242.1]"), "the value would come back rounded"),
        (
            "n",
            &array("[1e300]"),
            "an element of the array (float64) is beyond float32",
        ),
    ] {
        let error = client.error(insertion(1, column, text));
        assert_eq!(error.code, 1366, "{column} {text}: {error}");
        assert!(error.message.contains(told), "{column} {text}: {error}");
        assert!(!error.message.contains("4242"), "{column} {text}: {error}");
        let name = format!("{}.t.{column}", lab.database);
        assert!(error.message.contains(&name), "{column} {text}: {error}");
    }
    // Text that a server without strict mode would cut.
    client.ok("SET sql_mode = ''");
    let long: Vec<u32> = (0..4000).map(|n| n * n).collect();
    let error = client.error(insertion(1, "b", &format!("{long:?}")));
    assert!(
        error.message.contains("longer than varchar(2000)"),
        "{error}"
    );
    assert_eq!(lab.direct().text("SELECT COUNT(*) FROM t"), "0");
    assert!(objects(&lab.store).is_empty());
}

#[test]
fn what_cannot_be_declared_is_refused() {
    let lab = lab("own_declared");
    let mut client = lab.bytes();
    for (spec, told) in [
        ("<one>", "Circular codec reference detected: <one>"),
        ("<one@main>", "Circular codec reference detected: <one>"),
        (
            "<config@main>",
            "<config> does not take @ (in the table only)",
        ),
        ("<narrow>", "<narrow> requires @ (store only)"),
        ("<wrong>", "<hash> requires @ (in-store storage only)"),
        ("<nosuch@main>", "Unknown codec: <nosuch>"),
    ] {
        let error = client.error(format!(
            "CREATE TABLE t (id INT PRIMARY KEY, d LONGBLOB COMMENT '{spec} x')"
        ));
        assert!(error.message.contains(told), "{spec}: {error}");
    }
    // A column that is there already, and cannot be used.
    lab.table("u", "id INT PRIMARY KEY, d JSON COMMENT ':<one@main>:'");
    let error = client.error("SELECT d FROM u");
    assert!(
        error.message.contains("Circular codec reference"),
        "{error}"
    );
}

#[test]
fn what_was_planted_is_told_as_damage() {
    let lab = lab("own_planted");
    let mut client = json_client(&lab);
    client.ok(
        "CREATE TABLE t (id INT PRIMARY KEY, z LONGBLOB COMMENT '<gz>', \
         c LONGBLOB COMMENT '<config>', b LONGBLOB COMMENT '<b64>', s LONGBLOB COMMENT '<spikes>')",
    );
    let mut direct = lab.direct();
    direct.ok("INSERT INTO t VALUES (1, 'not gzip', '{}', 'no base64 ', 'dj0\\0\\xff')");
    direct.ok("UPDATE t SET s = X'646A3000FF' WHERE id = 1");
    for column in ["z", "b", "s"] {
        let error = client.error(format!("SELECT {column} FROM t"));
        assert_eq!(error.code, 1296, "{column}: {error}");
        assert!(error.message.contains("nothing that"), "{column}: {error}");
    }
    // The schema is for what is written.
    assert_eq!(client.text("SELECT c FROM t"), "{}");
    assert_eq!(client.text("SELECT 'goes on'"), "goes on");
}

#[test]
fn what_is_stored_is_neither_compared_nor_measured() {
    let lab = lab("own_compared");
    let mut client = lab.bytes();
    client.ok(
        "CREATE TABLE t (id INT PRIMARY KEY, z LONGBLOB COMMENT '<zjson@main>', \
         i LONGBLOB COMMENT '<zjson>', c LONGBLOB COMMENT '<config>')",
    );
    let value = b"dj0\0\x02\x00\x00\x00\x00\x00\x00\x00\x00";
    client.ok(sql(&[
        b"INSERT INTO t (id, z, i) VALUES (1, ",
        &escaped(value),
        b", ",
        &escaped(value),
        b")",
    ]));
    let read = client.rows("SELECT z, i FROM t");
    assert_eq!(read, [[Some(value.to_vec()), Some(value.to_vec())]]);
    for column in ["z", "i", "c"] {
        for statement in [
            format!("SELECT id FROM t WHERE {column} = 'x'"),
            format!("SELECT LENGTH({column}) FROM t"),
            format!("SELECT MD5({column}) FROM t"),
            format!("SELECT COUNT(*) FROM t GROUP BY {column}"),
            format!("SELECT DISTINCT {column} FROM t"),
            format!("SELECT {column} FROM t UNION SELECT {column} FROM t"),
            format!("SELECT id FROM t ORDER BY {column}"),
            format!("SELECT a.id FROM t a JOIN t b ON a.{column} = b.{column}"),
        ] {
            let error = client.error(&statement);
            assert_eq!(error.code, 1235, "{statement}: {error}");
        }
        assert_eq!(
            client.text(format!("SELECT COUNT({column}) FROM t")),
            ["1", "0"][usize::from(column == "c")]
        );
    }
    // What leaves the value alone works, and a copy within the schema is the server's.
    client.ok("CREATE TABLE copy LIKE t");
    client.ok("INSERT INTO copy SELECT * FROM t");
    assert_eq!(
        client.rows("SELECT x.z FROM (SELECT z FROM copy) x"),
        [[Some(value.to_vec())]]
    );
}
