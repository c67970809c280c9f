//! UPDATE of codec columns.

use super::expressions::{labs, state};
use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{assert_stored, escaped, objects, packed, sql};

fn set(head: &str, value: &[u8], tail: &str) -> Vec<u8> {
    sql(&[head.as_bytes(), &escaped(value), tail.as_bytes()])
}

#[test]
fn literals_are_encoded() {
    for lab in labs("update") {
        lab.blob_table("t");
        lab.table("plain", "id INT PRIMARY KEY, raw LONGBLOB");
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        let database = lab.database.clone();
        client.ok("INSERT INTO t (id, note) VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')");
        client.ok("INSERT INTO plain VALUES (1, 'x'), (3, 'y')");
        let value = |n: u64| packed(n, 90);
        let answer = client.ok(set("UPDATE t SET data = ", &value(1), " WHERE id = 1"));
        assert_eq!(answer.affected, 1);
        assert_eq!(
            answer.info.trim_start_matches('('),
            "Rows matched: 1  Changed: 1  Warnings: 0"
        );
        assert_stored(&mut direct, &lab.store, "t", 1, &value(1));
        let answer = client.ok(set("UPDATE t SET note = 'm', `DATA` = ", &value(2), ""));
        assert_eq!(answer.affected, 4);
        for id in 1..=4 {
            assert_stored(&mut direct, &lab.store, "t", id, &value(2));
        }
        let again = client.ok(set("UPDATE t SET note = 'm', `DATA` = ", &value(2), ""));
        assert!(
            again.info.ends_with("Changed: 0  Warnings: 0"),
            "{}",
            again.info
        );
        client.ok(set(
            "UPDATE t AS x SET x.data = ",
            &value(3),
            " ORDER BY x.id DESC LIMIT 1",
        ));
        assert_stored(&mut direct, &lab.store, "t", 4, &value(3));
        assert_stored(&mut direct, &lab.store, "t", 3, &value(2));
        client.ok(set(
            "UPDATE t JOIN plain USING (id) SET t.data = ",
            &value(4),
            ", plain.raw = 'z'",
        ));
        assert_stored(&mut direct, &lab.store, "t", 3, &value(4));
        assert_stored(&mut direct, &lab.store, "t", 2, &value(2));
        assert_eq!(direct.text("SELECT GROUP_CONCAT(raw) FROM plain"), "z,z");
        client.ok(set(
            &format!("UPDATE `{database}`.`t` SET `data`="),
            &value(5),
            ",`note`=DEFAULT WHERE  (`id`=2)",
        ));
        assert_stored(&mut direct, &lab.store, "t", 2, &value(5));
        client.ok(set(
            "UPDATE t SET data = CONCAT(",
            &value(6),
            ", '') WHERE id = 2 AND data IS NOT NULL",
        ));
        assert_stored(&mut direct, &lab.store, "t", 2, &value(6));
        let before = direct.text("SELECT data FROM t WHERE id = 2");
        client.ok("UPDATE t SET data = data WHERE id = 2");
        client.ok("UPDATE t SET t.data = NULL WHERE id = 1");
        client.ok("UPDATE t SET data = DEFAULT WHERE id = 3");
        assert_eq!(direct.text("SELECT data FROM t WHERE id = 2"), before);
        assert_eq!(
            direct.text("SELECT GROUP_CONCAT(id) FROM t WHERE data IS NULL"),
            "1,3"
        );
        assert_eq!(
            client.value("SELECT data FROM t WHERE id = 2"),
            Some(value(6))
        );
    }
}

#[test]
fn pointers_are_copied_where_they_mean_the_same() {
    for lab in labs("update_copy") {
        lab.table(
            "t",
            "id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:', b JSON COMMENT ':<blob@>:', \
             h JSON COMMENT ':<hash@main>:', i LONGBLOB COMMENT ':<blob>:'",
        );
        lab.table("u", "id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:'");
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        let (first, second) = (packed(1, 70), packed(2, 70));
        client.ok(set("INSERT INTO t (id, data) VALUES (1, ", &first, ")"));
        client.ok(set("INSERT INTO u (id, data) VALUES (1, ", &second, ")"));
        client.ok("UPDATE t SET b = data");
        assert_eq!(client.value("SELECT b FROM t"), Some(first.clone()));
        client.ok("UPDATE t JOIN u USING (id) SET t.data = u.data");
        assert_stored(&mut direct, &lab.store, "t", 1, &second);
        let before = state(&lab, &mut direct);
        for statement in [
            "UPDATE t SET h = data",
            "UPDATE t SET i = data",
            "UPDATE t SET data = i",
        ] {
            let error = client.error(statement);
            assert_eq!(error.code, 1235, "{statement}: {error}");
        }
        assert_eq!(state(&lab, &mut direct), before);
    }
}

#[test]
fn a_value_that_is_not_taken_changes_nothing() {
    for lab in labs("update_refused") {
        lab.blob_table("t");
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        client.ok(set(
            "INSERT INTO t (id, data) VALUES (1, ",
            &packed(1, 50),
            ")",
        ));
        let before = state(&lab, &mut direct);
        for (statement, code) in [
            ("UPDATE t SET data = 'not packed'", 1366),
            ("UPDATE t SET data = 5", 1366),
            ("UPDATE t SET note = data", 1235),
            ("UPDATE t SET data = note", 1235),
            ("UPDATE t SET data = NULL, note = HEX(data)", 1235),
            (
                "UPDATE t SET note = 'x' WHERE LENGTH(CONCAT(data, '')) > 2",
                1235,
            ),
        ] {
            let error = client.error(statement);
            assert_eq!(error.code, code, "{statement}: {error}");
            assert_eq!(state(&lab, &mut direct), before, "{statement}");
        }
        let error = client.error(set("UPDATE t SET missing = 1, data = ", &packed(2, 9), ""));
        assert_eq!(error.code, 1054, "{error}");
        assert_eq!(state(&lab, &mut direct).0, before.0);
    }
}

/// Objects that are named by the primary key: the row that WHERE names.
#[test]
fn the_key_is_in_the_condition() {
    for lab in labs("update_keyed") {
        lab.table(
            "t",
            "id INT, name VARCHAR(20), note VARCHAR(9), data JSON COMMENT ':<npy@main>:', \
             PRIMARY KEY (id, name)",
        );
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        client.ok("SET @codec_view = 'json'");
        let array = |n: u8| format!(r#"{{"$array":"int16","shape":[2],"value":[1,{n}]}}"#);
        client.ok("INSERT INTO t (id, name) VALUES (1, 'a'), (1, 'b'), (2, 'a')");
        client.ok(format!(
            "UPDATE t SET data = '{}' WHERE  (`id`=1)AND(`name`=\"b\")",
            array(7)
        ));
        let path = direct.text(
            "SELECT JSON_UNQUOTE(JSON_EXTRACT(data, '$.path')) FROM t WHERE id = 1 AND name = 'b'",
        );
        assert!(path.contains("/t/id=1/name=b/data_"), "{path}");
        let read = client.text("SELECT data FROM t WHERE id = 1 AND name = 'b'");
        assert!(read.contains(&array(7)), "{read}");
        assert_eq!(direct.text("SELECT COUNT(data) FROM t"), "1");
        client.ok("SET @id = 2");
        client.ok(format!(
            "UPDATE t SET data = '{}' WHERE id = @id AND name = CONCAT('a', '')",
            array(8)
        ));
        let read = client.text("SELECT data FROM t WHERE id = 2");
        assert!(read.contains(&array(8)), "{read}");
        client.ok("UPDATE t SET data = NULL");
        assert!(objects(&lab.store).len() >= 2, "objects stay");
    }
}

/// Where WHERE does not name one row, the rows are looked up, and each has an object of its own.
#[test]
fn each_row_has_its_own_object() {
    for lab in labs("update_rows") {
        lab.table(
            "t",
            "id INT AUTO_INCREMENT, name VARCHAR(20), at DATETIME(3), note VARCHAR(9), \
             data JSON COMMENT ':<object@main>:', b JSON COMMENT ':<blob@main>:', \
             PRIMARY KEY (id, name, at)",
        );
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        client.ok(
            "INSERT INTO t (name, at) VALUES ('a', '2020-01-02 03:04:05.678'), \
             ('b/c', '2020-01-02'), ('é', '2020-01-02'), ('d', '2021-01-01')",
        );
        let paths = |direct: &mut Client| {
            let rows = direct.rows(
                "SELECT JSON_UNQUOTE(JSON_EXTRACT(data, '$.path')) FROM t WHERE data IS NOT NULL \
                 ORDER BY id",
            );
            let text = |row: &Vec<Option<Vec<u8>>>| {
                String::from_utf8_lossy(row[0].as_deref().unwrap_or_default()).into_owned()
            };
            rows.iter().map(text).collect::<Vec<_>>()
        };
        let blob = packed(5, 60);
        let answer = client.ok(set(
            "UPDATE t SET data = 'one', note = 'n', b = ",
            &blob,
            " WHERE id < 4 -- not the last\n",
        ));
        assert_eq!(answer.affected, 3);
        assert_eq!(
            answer.status & 3,
            2,
            "in autocommit mode, in no transaction"
        );
        let found = paths(&mut direct);
        assert_eq!(found.len(), 3);
        for (path, key) in found.iter().zip([
            "/t/id=1/name=a/at=2020-01-02T03-04-05/data_",
            "/t/id=2/name=b%2Fc/at=2020-01-02T00-00-00/data_",
            "/t/id=3/name=é/at=2020-01-02T00-00-00/data_",
        ]) {
            assert!(path.contains(key), "{path}");
        }
        let counts = "SELECT CONCAT_WS(',', COUNT(note), COUNT(b)) FROM t";
        assert_eq!(direct.text(counts), "3,3");
        assert_eq!(client.text("SELECT @@autocommit"), "1");
        assert_eq!(client.text("SELECT data FROM t WHERE id = 2"), "one");
        assert_eq!(client.value("SELECT b FROM t WHERE id = 3"), Some(blob));

        let none = client.ok("UPDATE t SET data = 'none' WHERE note = 'nobody'");
        assert_eq!((none.affected, none.status & 3), (0, 2));
        client.ok("UPDATE t AS x SET x.data = 'last', note = 'm' ORDER BY x.id DESC LIMIT 1");
        assert_eq!(client.text("SELECT data FROM t WHERE note = 'm'"), "last");
        assert_eq!(client.text("SELECT id FROM t WHERE note = 'm'"), "4");

        client.ok("START TRANSACTION");
        let answer = client.ok("UPDATE t SET data = CONCAT('t', 'wo')");
        assert_eq!(
            (answer.affected, answer.status & 3),
            (4, 3),
            "still in the transaction"
        );
        assert_eq!(client.text("SELECT data FROM t WHERE id = 1"), "two");
        client.ok("ROLLBACK");
        assert_eq!(client.text("SELECT data FROM t WHERE id = 1"), "one");
        client.ok("LOCK TABLES t WRITE");
        client.ok("UPDATE t SET data = 'locked' WHERE name > ''");
        client.ok("UNLOCK TABLES");
        assert_eq!(paths(&mut direct).len(), 4);
        assert_eq!(client.text("SELECT data FROM t WHERE id = 4"), "locked");

        // The server's own errors, and nothing is left open.
        let before = paths(&mut direct);
        let error = client.error("UPDATE t SET data = 'x', note = 'much too long' WHERE id > 0");
        assert_eq!(error.code, 1406, "{error}");
        let error = client.error("UPDATE t SET data = 'x' WHERE missing = 1");
        assert_eq!(error.code, 1054, "{error}");
        assert_eq!(client.text("SELECT @@autocommit"), "1");
        assert_eq!(paths(&mut direct), before);
    }
}

#[test]
fn conditions_compare_values() {
    for lab in labs("update_where") {
        lab.blob_table("t");
        lab.table(
            "o",
            "id INT PRIMARY KEY, note VARCHAR(9), data JSON COMMENT ':<object@main>:', \
             h JSON COMMENT ':<hash@main>:'",
        );
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        for id in 1..=3 {
            client.ok(set(
                &format!("INSERT INTO t (id, data) VALUES ({id}, "),
                &packed(id, 50),
                ")",
            ));
            client.ok(format!("INSERT INTO o (id, h) VALUES ({id}, 'value {id}')"));
        }
        let answer = client.ok(set(
            "UPDATE t SET note = 'two' WHERE data = ",
            &packed(2, 50),
            "",
        ));
        assert_eq!(answer.affected, 1);
        assert_eq!(direct.text("SELECT id FROM t WHERE note = 'two'"), "2");
        let statement = sql(&[
            b"UPDATE t SET data = ",
            &escaped(&packed(9, 50)),
            b" WHERE data IN (",
            &escaped(&packed(1, 50)),
            b", ",
            &escaped(&packed(3, 50)),
            b") AND id > 1",
        ]);
        assert_eq!(client.ok(statement).affected, 1);
        assert_stored(&mut direct, &lab.store, "t", 3, &packed(9, 50));
        assert_stored(&mut direct, &lab.store, "t", 1, &packed(1, 50));
        // With rows that are looked up, the condition is asked twice.
        let answer = client.ok("UPDATE o SET data = 'x' WHERE h = 'value 2' OR id = 3");
        assert_eq!(answer.affected, 2);
        assert_eq!(
            direct.text("SELECT GROUP_CONCAT(id) FROM o WHERE data IS NOT NULL"),
            "2,3"
        );
        let error = client.error("UPDATE t SET note = 'x' WHERE data > 'x'");
        assert_eq!(error.code, 1235, "{error}");
    }
}

/// MariaDB's RETURNING: the values that were sent come back.
#[test]
fn insert_returning() {
    let lab = Lab::new("returning");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let value = packed(4, 60);
    let rows = client.rows(set(
        "INSERT INTO t (id, data) VALUES (1, ",
        &value,
        ") RETURNING id, data AS d",
    ));
    assert_eq!(rows, [[Some(b"1".to_vec()), Some(value.clone())]]);
    assert_stored(&mut direct, &lab.store, "t", 1, &value);
    let rows = client.rows(set(
        "REPLACE INTO t VALUES (1, 'n', ",
        &packed(5, 60),
        "), (2, 'm', NULL) RETURNING *",
    ));
    assert_eq!(rows[0][2], Some(packed(5, 60)));
    assert_eq!(rows[1][2], None);
    let rows = client.rows("INSERT INTO t (id, data) SELECT id + 10, data FROM t RETURNING data");
    assert_eq!(rows[0][0], Some(packed(5, 60)));
    let error = client.error(set(
        "INSERT INTO t (id, data) VALUES (1, ",
        &value,
        ") RETURNING data",
    ));
    assert_eq!(error.code, 1062, "{error}");
    assert_eq!(client.text("SELECT COUNT(*) FROM t"), "4");
}
