//! What the proxy knows of the tables follows what becomes of them.

use std::time::{Duration, Instant};

use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{assert_stored, escaped, objects, packed, sql};

fn insert(client: &mut Client, table: &str, id: i64, value: &[u8]) {
    let head = format!("INSERT INTO `{table}` (id, data) VALUES ({id}, ");
    client.ok(sql(&[head.as_bytes(), &escaped(value), b")"]));
}

/// Each DDL statement in one session is known to the next statement of another.
#[test]
fn ddl_through_the_proxy_is_known_at_once() {
    let lab = Lab::new("ddl");
    let (mut one, mut two, mut direct) = (lab.bytes(), lab.bytes(), lab.direct());
    let value = packed(1, 100);
    one.ok("CREATE TABLE a (id INT PRIMARY KEY, data LONGBLOB COMMENT '<blob@main> x')");
    insert(&mut two, "a", 1, &value);
    assert_stored(&mut direct, &lab.store, "a", 1, &value);

    one.ok("RENAME TABLE a TO b");
    insert(&mut two, "b", 2, &value);
    assert_stored(&mut direct, &lab.store, "b", 2, &value);

    one.ok("ALTER TABLE b RENAME TO c");
    insert(&mut two, "c", 3, &value);
    assert_stored(&mut direct, &lab.store, "c", 3, &value);

    one.ok("CREATE TABLE d LIKE c");
    insert(&mut two, "d", 1, &value);
    assert_stored(&mut direct, &lab.store, "d", 1, &value);

    one.ok("DROP TABLE c, d");
    one.ok("CREATE TABLE c (id INT PRIMARY KEY, data LONGBLOB)");
    insert(&mut two, "c", 1, b"plain now");
    assert_eq!(
        direct.value("SELECT data FROM c"),
        Some(b"plain now".to_vec())
    );

    // The marker comes by ALTER in the `stored` view, as 2.x or a migration does it.
    one.ok("CREATE TABLE e (id INT PRIMARY KEY)");
    lab.stored()
        .ok("ALTER TABLE e ADD COLUMN data JSON COMMENT ':<blob@main>:'");
    insert(&mut two, "e", 1, &value);
    assert_stored(&mut direct, &lab.store, "e", 1, &value);
    lab.stored()
        .ok("ALTER TABLE e DROP COLUMN data, ADD COLUMN data LONGBLOB");
    insert(&mut two, "e", 2, b"plain again");
    assert_eq!(
        direct.value("SELECT data FROM e WHERE id = 2"),
        Some(b"plain again".to_vec())
    );
    assert_eq!(objects(&lab.store).len(), 1);
}

#[test]
fn a_database_made_anew() {
    let lab = Lab::new("schema");
    let (mut one, mut two) = (lab.bytes(), lab.bytes());
    let database = lab.database.clone();
    lab.blob_table("t");
    insert(&mut two, "t", 1, &packed(1, 10));
    one.ok(format!("DROP DATABASE `{database}`"));
    one.ok(format!("CREATE DATABASE `{database}`"));
    one.ok(format!("USE `{database}`"));
    one.ok("CREATE TABLE t (id INT PRIMARY KEY, data LONGBLOB)");
    two.ok(format!("USE `{database}`"));
    insert(&mut two, "t", 1, b"plain");
    assert_eq!(
        lab.direct().value("SELECT data FROM t"),
        Some(b"plain".to_vec())
    );
}

/// DDL among several statements, or by a prepared statement, counts as well.
#[test]
fn ddl_in_other_clothes_is_known_at_once() {
    let lab = Lab::new("ddl_clothes");
    let (mut one, mut two, mut direct) = (lab.stored(), lab.bytes(), lab.direct());
    let value = packed(1, 100);
    let columns = "(id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:')";
    one.ok(format!("SELECT 1; CREATE TABLE a {columns}; SELECT 2"));
    insert(&mut two, "a", 1, &value);
    assert_stored(&mut direct, &lab.store, "a", 1, &value);
    one.ok(format!("/*!50000 CREATE */ TABLE b {columns}"));
    insert(&mut two, "b", 1, &value);
    assert_stored(&mut direct, &lab.store, "b", 1, &value);
    let id = one
        .prepare(format!("CREATE TABLE c {columns}"))
        .expect("prepared");
    let body = crate::support::recorder::execute_body(id, 0, b"");
    one.command(
        crate::support::client::com::STMT_EXECUTE,
        &body,
        crate::support::client::Expect::Results,
    );
    insert(&mut two, "c", 1, &value);
    assert_stored(&mut direct, &lab.store, "c", 1, &value);
}

/// A change that does not come through the proxy is known within 5 s.
#[test]
fn ddl_elsewhere_is_known_within_seconds() {
    let lab = Lab::new("ddl_elsewhere");
    let (mut bytes, mut direct) = (lab.bytes(), lab.direct());
    // Until then the server takes no bytes as JSON, and the proxy no text as packed bytes.
    let insert_when_known = |bytes: &mut Client, value: &[u8]| {
        let statement = sql(&[b"INSERT INTO t VALUES (1, ", &escaped(value), b")"]);
        let started = Instant::now();
        while let Err(error) = bytes.query(&statement) {
            assert!(started.elapsed() < Duration::from_millis(5500), "{error}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    direct.ok("CREATE TABLE t (id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:x')");
    let value = packed(5, 50);
    insert_when_known(&mut bytes, &value);
    assert_stored(&mut direct, &lab.store, "t", 1, &value);
    let seen = bytes.ok("SHOW FULL COLUMNS FROM t");
    assert_eq!(seen.texts("Type")[1], "longblob");
    direct.ok("DROP TABLE t");
    direct.ok("CREATE TABLE t (id INT PRIMARY KEY, data LONGTEXT)");
    insert_when_known(&mut bytes, b"text");
    assert_eq!(direct.text("SELECT data FROM t"), "text");
    let seen = bytes.ok("SHOW FULL COLUMNS FROM t");
    assert_eq!(seen.texts("Type")[1], "longtext");
}

/// Tables that were there before the proxy.
#[test]
fn tables_from_before() {
    let mut lab = Lab::new("before");
    lab.direct()
        .ok("CREATE TABLE t (id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:x')");
    lab.proxy.terminate();
    assert!(lab.proxy.wait().success());
    lab.proxy.restart();
    let value = packed(5, 50);
    insert(&mut lab.bytes(), "t", 1, &value);
    assert_stored(&mut lab.direct(), &lab.store, "t", 1, &value);
}

#[test]
fn an_unknown_codec() {
    let lab = Lab::new("unknown_codec");
    lab.table(
        "t",
        "id INT PRIMARY KEY, data LONGBLOB COMMENT ':<mystery>:x', \
         far JSON COMMENT ':<mystery@main>:y'",
    );
    let mut client = lab.bytes();
    insert(&mut client, "t", 1, b"any bytes");
    assert_eq!(
        client.value("SELECT data FROM t"),
        Some(b"any bytes".to_vec())
    );
    assert_eq!(
        lab.direct().value("SELECT data FROM t"),
        Some(b"any bytes".to_vec())
    );
    for statement in [
        "SELECT far FROM t",
        "INSERT INTO t (id, far) VALUES (2, 'mYm\\0')",
    ] {
        let error = client.error(statement);
        assert!(error.message.starts_with("codec-proxy: "), "{error}");
        assert!(
            error.message.contains("far") && error.message.contains("mystery"),
            "{error}"
        );
    }
    assert_eq!(client.text("SELECT COUNT(*) FROM t"), "1");
    assert!(lab.proxy.wait_for_log("mystery"), "{}", lab.proxy.log());
    let warnings = lab
        .proxy
        .log()
        .lines()
        .filter(|line| line.contains("WARN") && line.contains("mystery"))
        .count();
    assert_eq!(warnings, 1, "{}", lab.proxy.log());
}
