//! Expressions where a codec wants a value: the server says what they are, once.

use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{assert_stored, escaped, hex, objects, packed, sql};

/// One lab on MariaDB, and one on MySQL where there is one.
pub fn labs(name: &str) -> Vec<Lab> {
    let labs = [Some(Lab::new(name)), Lab::on_mysql(name)];
    labs.into_iter().flatten().collect()
}

/// What a refused statement leaves as it was.
pub fn state(lab: &Lab, direct: &mut Client) -> (String, usize) {
    let rows = direct.text(
        "SELECT CONCAT(COUNT(*), COALESCE(SHA2(GROUP_CONCAT(data ORDER BY id), 256), '-')) FROM t",
    );
    (rows, objects(&lab.store).len())
}

#[test]
fn expressions_are_evaluated_and_encoded() {
    for lab in labs("expressions") {
        lab.blob_table("t");
        lab.table("plain", "id INT PRIMARY KEY, raw LONGBLOB");
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        let value = packed(7, 400);
        let in_hex = data_encoding::HEXLOWER.encode(&value);
        let in_base64 = data_encoding::BASE64.encode(&value);
        client.ok(sql(&[b"INSERT INTO plain VALUES (1, ", &hex(&value), b")"]));
        client.ok(sql(&[b"SET @value = ", &hex(&value)]));
        let (head, tail) = value.split_at(100);
        let concat = sql(&[b"CONCAT(", &hex(head), b", ", &escaped(tail), b")"]);
        let cast = sql(&[b"CAST(", &hex(&value), b" AS BINARY)"]);
        let forms: [&[u8]; 8] = [
            format!("UNHEX('{in_hex}')").as_bytes(),
            format!("FROM_BASE64('{in_base64}')").as_bytes(),
            b"@value",
            b"(SELECT raw FROM plain WHERE id = 1)",
            &concat,
            &cast,
            b"IF(1 > 2, NULL, @value)",
            b"UNCOMPRESS(COMPRESS(@value)) -- packed\n",
        ]
        .map(|form| Box::leak(form.to_vec().into_boxed_slice()) as &[u8]);
        for (id, form) in (1..).zip(forms) {
            let row = format!("INSERT INTO t (id, note, data) VALUES ({id}, 'n', ");
            let answer = client.ok(sql(&[row.as_bytes(), form, b")"]));
            assert_eq!(answer.affected, 1);
            assert_stored(&mut direct, &lab.store, "t", id, &value);
        }
        assert_eq!(objects(&lab.store).len(), 1, "the same value is one object");
        let answer = client.ok(sql(&[
            b"INSERT INTO t (id, data) VALUES (20, @value), (21, @nothing), (22, ",
            &escaped(&value),
            b"), (23, NULLIF(1, 1))",
        ]));
        assert_eq!(answer.affected, 4);
        let nulls = "SELECT GROUP_CONCAT(id) FROM t WHERE data IS NULL";
        assert_eq!(direct.text(nulls), "21,23");
        assert_stored(&mut direct, &lab.store, "t", 20, &value);
        client.ok("INSERT INTO t SET data = @value, id = 30 + 1, note = CONCAT('a', id)");
        assert_stored(&mut direct, &lab.store, "t", 31, &value);
        client.ok("REPLACE INTO t SET id = 31, data = (@value)");
        assert_stored(&mut direct, &lab.store, "t", 31, &value);
        assert_eq!(
            client.value("SELECT data FROM t WHERE id = 31"),
            Some(value)
        );
    }
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    for lab in labs("expressions_refused") {
        lab.blob_table("t");
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        client.ok(sql(&[
            b"INSERT INTO t VALUES (1, 'n', ",
            &escaped(&packed(1, 50)),
            b")",
        ]));
        client.ok(sql(&[b"SET @value = ", &hex(&packed(2, 50))]));
        let before = state(&lab, &mut direct);
        for (statement, codes) in [
            ("INSERT INTO t (id, data) VALUES (2, note)", [1235, 1235]),
            (
                "INSERT INTO t (id, data) VALUES (2, CONCAT(@value, id))",
                [1235, 1235],
            ),
            ("INSERT INTO t (id, data) VALUES (2, t.note)", [1235, 1235]),
            (
                "INSERT INTO t (id, data) VALUES (2, DEFAULT(note))",
                [1235, 1235],
            ),
            (
                "INSERT INTO t (id, data) VALUES (2, (SELECT data FROM t))",
                [1235, 1235],
            ),
            (
                "INSERT INTO t (id, data) VALUES (2, (SELECT note FROM t AS x WHERE x.id = t.id))",
                [1235, 1054],
            ),
            (
                "INSERT INTO t (id, data) VALUES (@a := 2, @value)",
                [1235, 1235],
            ),
            (
                "INSERT INTO t (id, data) VALUES (ROW_COUNT(), @value)",
                [1235, 1235],
            ),
            (
                "INSERT INTO t (id, data) VALUES (2, CAST('12x' AS SIGNED))",
                [1235, 1235],
            ),
            // Those are values that the codec does not take.
            ("INSERT INTO t (id, data) VALUES (2, 5)", [1366, 1366]),
            ("INSERT INTO t (id, data) VALUES (2, NOW())", [1366, 1366]),
            // And those mistakes that the server finds.
            (
                "INSERT INTO t (id, data) VALUES (2, nonsense(1))",
                [1305, 1370],
            ),
            (
                "INSERT INTO t (id, data) VALUES (2, @value @value)",
                [1064, 1064],
            ),
            ("INSERT INTO t (id, data) VALUES (1, @value)", [1062, 1062]),
            ("UPDATE t SET data = CONCAT(note, @value)", [1235, 1235]),
            ("UPDATE t SET data = UNHEX(note) WHERE id = 1", [1235, 1235]),
        ] {
            let error = client.error(statement);
            assert!(codes.contains(&error.code), "{statement}: {error}");
            let (rows, _) = state(&lab, &mut direct);
            assert_eq!(rows, before.0, "{statement}");
        }
    }
}

#[test]
fn json_text_comes_from_expressions_too() {
    for lab in labs("expressions_json") {
        lab.blob_table("t");
        let mut client = lab.bytes();
        client.ok("SET @codec_view = 'json'");
        client.ok("INSERT INTO t (id, data) VALUES (1, CONCAT('[1, ', '\"é\"]')), (2, 5), (3, JSON_ARRAY(1, 2))");
        let read = |client: &mut Client, id: u8| {
            client.text(format!("SELECT data FROM t WHERE id = {id}"))
        };
        assert_eq!(read(&mut client, 1), "[1,\"é\"]");
        assert_eq!(read(&mut client, 2), "5");
        assert_eq!(read(&mut client, 3), "[1,2]");
        client.ok("SET NAMES latin1");
        client.ok(sql(&[
            b"UPDATE t SET data = CONCAT('\"\xe9', '\"') WHERE id = 2",
        ]));
        client.ok("SET NAMES utf8mb4");
        assert_eq!(read(&mut client, 2), "\"é\"");
        let error = client.error("INSERT INTO t (id, data) VALUES (4, CONCAT('[', ''))");
        assert_eq!(error.code, 1366, "{error}");
        let error = client.error("INSERT INTO t (id, data) VALUES (4, CONCAT(X'22ff22', ''))");
        assert!([1235, 1366].contains(&error.code), "{error}");
        assert_eq!(lab.direct().text("SELECT COUNT(*) FROM t"), "3");
    }
}

/// A function that is not the same twice is asked for once, and what it gave is what is stored.
#[test]
fn what_is_evaluated_is_what_is_stored() {
    for lab in labs("expressions_once") {
        lab.table(
            "t",
            "id INT AUTO_INCREMENT PRIMARY KEY, data JSON COMMENT ':<hash@main>:'",
        );
        let mut client = lab.bytes();
        client.ok("INSERT INTO t (data) VALUES (RANDOM_BYTES(20)), (UUID())");
        let inserted = client.text("SELECT LAST_INSERT_ID()");
        assert_eq!(inserted, "1");
        let rows = client.rows("SELECT data FROM t ORDER BY id");
        assert_eq!(rows[0][0].as_ref().map(Vec::len), Some(20));
        assert_eq!(rows[1][0].as_ref().map(Vec::len), Some(36));
        // The client's own LAST_INSERT_ID() is not disturbed by the question.
        client.ok("INSERT INTO t (data) VALUES (CONCAT('id ', LAST_INSERT_ID()))");
        assert_eq!(client.text("SELECT data FROM t WHERE id = 3"), "id 1");
        client.ok("SET SQL_SELECT_LIMIT = 1");
        client.ok("INSERT INTO t (data) VALUES (CONCAT('a', 'b'))");
        assert_eq!(client.text("SELECT data FROM t WHERE id = 4"), "ab");
    }
}

/// Parts of the key by which objects are named: what the server makes of them is what is stored,
/// in the path and in the row.
#[test]
fn keys_of_expressions() {
    for lab in labs("expressions_keys") {
        lab.table(
            "t",
            "id INT, day DATE, uuid BINARY(16) COMMENT ':uuid:', name VARCHAR(20), \
             data JSON COMMENT ':<npy@main>:', PRIMARY KEY (id, day, uuid, name)",
        );
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        client.ok("SET @codec_view = 'json'");
        let array = r#"{"$array":"int16","shape":[2],"value":[1,2]}"#;
        client.ok(format!(
            "INSERT INTO t VALUES (1 + 1, DATE_ADD('2020-01-30', INTERVAL 2 DAY), \
             UNHEX(REPLACE(UUID(), '-', '')), CONCAT('a', 'é'), '{array}')"
        ));
        let read = client.text("SELECT data FROM t");
        assert!(read.contains(array), "{read}");
        let row =
            direct.text("SELECT CONCAT_WS('/', CONCAT('id=', id), CONCAT('day=', day)) FROM t");
        let path = direct.text("SELECT JSON_UNQUOTE(JSON_EXTRACT(data, '$.path')) FROM t");
        assert_eq!(row, "id=2/day=2020-02-01");
        assert!(path.contains(&row), "{path}");
        let uuid = direct.text("SELECT LOWER(HEX(uuid)) FROM t");
        assert!(path.replace('-', "").contains(&uuid), "{path}: {uuid}");
        assert_eq!(direct.text("SELECT name FROM t"), "aé");
        for part in ["NULL + 1", "note", "'x' + 0", "1 / 2"] {
            let error = client.error(format!(
                "INSERT INTO t VALUES ({part}, '2020-01-01', 'x', 'a', '{array}')"
            ));
            assert!([1235, 1054].contains(&error.code), "{part}: {error}");
        }
        assert_eq!(direct.text("SELECT COUNT(*) FROM t"), "1");
    }
}
