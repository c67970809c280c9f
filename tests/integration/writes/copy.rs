//! INSERT … SELECT into codec columns.

use super::expressions::{labs, state};
use crate::support::objects::{assert_stored, escaped, hex, objects, packed, sql};

#[test]
fn pointers_are_copied_within_a_schema() {
    for lab in labs("copy_pointers") {
        let database = lab.database.clone();
        lab.blob_table("t");
        lab.blob_table("u");
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        for id in 1..=3 {
            let row = format!("INSERT INTO u VALUES ({id}, 'n{id}', ");
            client.ok(sql(&[row.as_bytes(), &escaped(&packed(id, 50)), b")"]));
        }
        let answer = client.ok(format!(
            "INSERT INTO `{database}`.`t`(`id`,`note`,`data`) SELECT `id`,`note`,`data` FROM \
             `{database}`.`u` WHERE (id < 3) ON DUPLICATE KEY UPDATE `id`=`{database}`.`t`.`id`"
        ));
        assert_eq!(answer.affected, 2);
        assert!(
            answer
                .info
                .ends_with("Records: 2  Duplicates: 0  Warnings: 0"),
            "{}",
            answer.info
        );
        client.ok("INSERT INTO t SELECT u.id + 10, u.note, u.data FROM u");
        client.ok("REPLACE INTO t SELECT * FROM u WHERE data IS NOT NULL");
        client.ok("INSERT INTO t (data, id) SELECT 'mYm\\0A', 20");
        for id in 1..=3 {
            assert_stored(&mut direct, &lab.store, "t", id, &packed(id as u64, 50));
            assert_stored(
                &mut direct,
                &lab.store,
                "t",
                id + 10,
                &packed(id as u64, 50),
            );
        }
        assert_stored(&mut direct, &lab.store, "t", 20, b"mYm\0A");
        assert_eq!(
            client.value("SELECT data FROM t WHERE id = 12"),
            Some(packed(2, 50))
        );
        assert_eq!(objects(&lab.store).len(), 4);
    }
}

#[test]
fn plain_values_are_encoded() {
    for lab in labs("copy_plain") {
        lab.blob_table("t");
        lab.table("plain", "id INT PRIMARY KEY, f DECIMAL(5,1), raw LONGBLOB");
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        for id in 1..=40 {
            let row = format!("INSERT INTO plain VALUES ({id}, {id}.1, ");
            client.ok(sql(&[row.as_bytes(), &hex(&packed(id % 5, 80)), b")"]));
        }
        client.ok("INSERT INTO plain VALUES (41, 0, NULL)");
        let answer = client.ok("INSERT INTO t (id, note, data) SELECT id, f, raw FROM plain");
        assert_eq!(answer.affected, 41);
        for id in 1..=40 {
            assert_stored(&mut direct, &lab.store, "t", id, &packed(id as u64 % 5, 80));
        }
        assert_eq!(
            direct.text("SELECT COUNT(*) FROM t WHERE data IS NULL"),
            "1"
        );
        assert_eq!(
            direct.text("SELECT note FROM t WHERE id = 7"),
            direct.text("SELECT f FROM plain WHERE id = 7")
        );
        assert_eq!(objects(&lab.store).len(), 5, "each value is stored once");
        client.ok(
            "INSERT INTO t (id, data) SELECT p.id + 100, CONCAT(p.raw, '') FROM plain p \
             WHERE p.raw IS NOT NULL ORDER BY p.id LIMIT 2",
        );
        assert_stored(&mut direct, &lab.store, "t", 101, &packed(1, 80));
        let answer =
            client.ok("INSERT IGNORE INTO t (id, data) SELECT id, raw FROM plain WHERE id = 1");
        assert_eq!(answer.affected, 0);
        client.ok("INSERT INTO t (id, data) SELECT id, raw FROM plain WHERE id > 99");
        client.ok("SET @codec_view = 'json'");
        client.ok("INSERT INTO t (id, data) SELECT id + 200, CONCAT('[', id, ']') FROM plain WHERE id < 3");
        assert_eq!(client.text("SELECT data FROM t WHERE id = 202"), "[2]");
    }
}

#[test]
fn what_is_not_copied_is_refused() {
    for lab in labs("copy_refused") {
        lab.blob_table("t");
        lab.table(
            "u",
            "id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:', h JSON COMMENT ':<hash@main>:', \
             o JSON COMMENT ':<object@main>:', raw LONGBLOB",
        );
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        client.ok(sql(&[
            b"INSERT INTO u (id, data, raw) VALUES (1, ",
            &escaped(&packed(1, 40)),
            b", 'not packed'), (2, NULL, 'mYm\\0A')",
        ]));
        let before = state(&lab, &mut direct);
        for (statement, code) in [
            ("INSERT INTO t (id, data) SELECT id, h FROM u", 1235),
            ("INSERT INTO u (id, h) SELECT id + 9, data FROM u", 1235),
            ("INSERT INTO u (id, o) SELECT id + 9, raw FROM u", 1235),
            ("INSERT INTO t (id, note) SELECT id, data FROM u", 1235),
            ("INSERT INTO t (id, data) SELECT id, raw FROM u", 1366),
            ("INSERT INTO t (id, data) SELECT id, raw FROM missing", 1146),
            ("INSERT INTO t (id, data) SELECT id, missing FROM u", 1054),
            (
                "INSERT INTO t (id, data) SELECT id, CONCAT(raw, RAND()) FROM u WHERE id = 2",
                1242,
            ),
            (
                "INSERT INTO t (id, data) SELECT id, DATA FROM u UNION SELECT 1, raw FROM u",
                1235,
            ),
        ] {
            let error = client.error(statement);
            assert_eq!(error.code, code, "{statement}: {error}");
            assert_eq!(state(&lab, &mut direct).0, before.0, "{statement}");
        }
    }
}
