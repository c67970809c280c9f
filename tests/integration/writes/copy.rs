//! INSERT … SELECT into codec columns.

use super::expressions::{labs, state};
use crate::support::client::{Client, Login};
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

/// Between codecs, and between schemas, whose objects are their own.
#[test]
fn other_codecs_are_decoded_and_encoded() {
    for lab in labs("copy_codecs") {
        lab.blob_table("t");
        lab.table(
            "u",
            "id INT PRIMARY KEY, h JSON COMMENT ':<hash@main>:', n JSON COMMENT ':<npy@main>:', \
             here LONGBLOB COMMENT ':<blob>:'",
        );
        let other = format!("{}_b", lab.database);
        let mut root = Client::connect(lab.port, &Login::root()).expect("root logs in");
        root.ok(format!("CREATE DATABASE `{other}`"));
        root.ok(format!("GRANT ALL ON `{other}`.* TO '{}'@'%'", lab.user));
        lab.stored().ok(format!(
            "CREATE TABLE `{other}`.t (id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:')"
        ));
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        for id in 1..=5 {
            let row = format!("INSERT INTO t (id, data) VALUES ({id}, ");
            client.ok(sql(&[row.as_bytes(), &escaped(&packed(id % 3, 64)), b")"]));
        }
        client.ok("INSERT INTO t (id, data) VALUES (6, NULL)");
        client.ok(sql(&[
            b"INSERT INTO u (id, h, n) VALUES (100, 'no packed value', ",
            &escaped(&packed(9, 64)),
            b")",
        ]));

        client.ok("INSERT INTO u (id, h, here) SELECT id, data, data FROM t");
        for id in 1..=5 {
            let value = packed(id % 3, 64);
            let row = client.rows(format!("SELECT h, here FROM u WHERE id = {id}"));
            assert_eq!(row, [[Some(value.clone()), Some(value)]]);
        }
        assert_eq!(direct.text("SELECT COUNT(*) FROM u WHERE h IS NULL"), "1");
        client.ok("INSERT INTO t (id, data) SELECT u.id, u.n FROM u WHERE u.id = 100");
        let expected = client.value("SELECT n FROM u WHERE id = 100");
        assert_eq!(client.value("SELECT data FROM t WHERE id = 100"), expected);

        client.ok(format!(
            "INSERT INTO `{other}`.t SELECT id, data FROM t WHERE id < 7"
        ));
        let sections = direct.text(format!(
            "SELECT COUNT(*) FROM `{other}`.t WHERE data LIKE '%_hash/{other}/%'"
        ));
        assert_eq!(sections, "5");
        assert_eq!(
            client.value(format!("SELECT data FROM `{other}`.t WHERE id = 4")),
            Some(packed(1, 64))
        );

        // In the json view, what goes through the model.
        client.ok("SET @codec_view = 'json'");
        client.ok("INSERT INTO u (id, here) SELECT id + 200, data FROM t WHERE id = 2");
        client.ok("SET @codec_view = 'bytes'");
        assert_eq!(
            client.value("SELECT here FROM u WHERE id = 202"),
            Some(packed(2, 64))
        );

        let before = state(&lab, &mut direct);
        let error = client.error("REPLACE INTO t (id, data) SELECT id, h FROM u");
        assert_eq!(error.code, 1366, "{error}");
        assert_eq!(state(&lab, &mut direct).0, before.0);
        root.ok(format!("DROP DATABASE `{other}`"));
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
            ("INSERT INTO u (id, o) SELECT id + 9, data FROM u", 1235),
            ("INSERT INTO u (data) SELECT * FROM u", 1136),
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
