//! UPDATE of codec columns.

use super::expressions::{labs, state};
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
