//! What is not transformed is refused: a clear error, and nothing is written.

use crate::support::answer::ServerError;
use crate::support::client::{Client, shorten};
use crate::support::lab::Lab;
use crate::support::objects::{assert_stored, escaped, objects, packed, sql};

/// A statement that cannot be transformed.
const UNSUPPORTED: u16 = 1235;
/// A value that the codec does not take.
const WRONG_VALUE: u16 = 1366;
/// A store that fails.
const STORE: u16 = 1296;

/// `t` with two rows, `u` with a plain and a codec column, `plain` without.
fn filled(name: &str) -> Lab {
    let lab = Lab::new(name);
    lab.blob_table("t");
    lab.table(
        "u",
        "id INT PRIMARY KEY, other JSON COMMENT ':<blob@main>:'",
    );
    lab.table("plain", "id INT PRIMARY KEY, text LONGTEXT, raw LONGBLOB");
    let mut client = lab.bytes();
    for id in 1..=2 {
        let literal = escaped(&packed(id, 50));
        client.ok(sql(&[
            format!("INSERT INTO t VALUES ({id}, 'n', ").as_bytes(),
            &literal,
            b")",
        ]));
    }
    client.ok("INSERT INTO plain VALUES (1, 'x', 'mYm')");
    lab
}

/// Everything that a refused statement might have changed.
fn state(lab: &Lab, direct: &mut Client) -> Vec<Vec<Option<Vec<u8>>>> {
    let mut state = direct.rows("CHECKSUM TABLE t, u, plain");
    state.extend(direct.rows("SHOW TABLES"));
    state.push(vec![Some(
        objects(&lab.store).len().to_string().into_bytes(),
    )]);
    state
}

#[track_caller]
fn assert_refusal(error: &ServerError, code: u16, names: &str, statement: &[u8]) {
    let statement = shorten(statement);
    assert_eq!(error.code, code, "{statement}: {error}");
    assert!(
        error.message.starts_with("codec-proxy: "),
        "{statement}: {error}"
    );
    assert!(
        error.message.contains(names),
        "{names} is not named: {statement}: {error}"
    );
}

#[test]
fn statements_that_write_a_codec_column() {
    let lab = filled("refused_writes");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let before = state(&lab, &mut direct);
    let packed_literal = escaped(&packed(7, 20));
    let mut accepted = Vec::new();
    for pieces in [
        [
            &b"UPDATE t SET note = 'm', data = CONCAT("[..],
            &packed_literal,
            b", note)",
        ],
        [b"UPDATE t SET note = data", b"", b""],
        [b"UPDATE t SET `DATA` = note", b"", b""],
        [
            b"UPDATE plain SET text = (SELECT data FROM t WHERE id = 1)",
            b"",
            b"",
        ],
        [
            b"UPDATE plain, t SET plain.text = t.data WHERE t.id = 1",
            b"",
            b"",
        ],
        [
            b"INSERT INTO plain (id, text) SELECT id + 10, data FROM t",
            b"",
            b"",
        ],
        [b"INSERT INTO plain SELECT * FROM t", b"", b""],
        [b"INSERT INTO t SELECT * FROM plain", b"", b""],
        [
            b"INSERT INTO t SELECT * FROM t UNION SELECT * FROM plain",
            b"",
            b"",
        ],
        [
            b"REPLACE INTO plain (id, text) SELECT id, data FROM t",
            b"",
            b"",
        ],
        [
            b"INSERT INTO t (id, data) VALUES (5, 'mYm\\0' || 'x')",
            b"",
            b"",
        ],
        [b"INSERT INTO t (id, data) VALUES (5, note)", b"", b""],
        [
            b"INSERT INTO t (id, data) VALUES (5, (SELECT data FROM t LIMIT 1))",
            b"",
            b"",
        ],
        [
            b"INSERT INTO t (id, data) VALUES (5, NULL), (6, ",
            &packed_literal,
            b"), (ROW_COUNT(), @v)",
        ],
        [
            b"INSERT INTO t (id, note, data) VALUES (5, data, ",
            &packed_literal,
            b")",
        ],
        [b"LOAD DATA INFILE 'x' INTO TABLE t", b"", b""],
        [
            b"LOAD DATA LOCAL INFILE 'x' REPLACE INTO TABLE t (id, @d) SET data = @d",
            b"",
            b"",
        ],
        [b"CREATE TABLE copied AS SELECT * FROM t", b"", b""],
        [
            b"CREATE TABLE copied SELECT id, data AS text FROM t",
            b"",
            b"",
        ],
        [
            b"CREATE TEMPORARY TABLE copied (id INT, text LONGTEXT) SELECT id, data AS text FROM t",
            b"",
            b"",
        ],
        [b"PREPARE p FROM 'UPDATE t SET data = ?'", b"", b""],
        [b"PREPARE p FROM 'SELECT HEX(data) FROM t'", b"", b""],
        [b"EXECUTE IMMEDIATE 'UPDATE t SET data = note'", b"", b""],
        [b"BEGIN NOT ATOMIC UPDATE t SET data = note; END", b"", b""],
        [
            b"INSERT INTO plain VALUES (9, 'x', 'y'); BEGIN NOT ATOMIC UPDATE t SET data = note; END",
            b"",
            b"",
        ],
        [b"/*!50000 UPDATE */ t SET data = note", b"", b""],
        [b"/*M! UPDATE t SET data = note */", b"", b""],
        [b"SET @x = 1; UPDATE t SET data = note", b"", b""],
    ] {
        let statement = sql(&pieces);
        match client.query(&statement) {
            Err(error) => assert_refusal(&error, UNSUPPORTED, "", &statement),
            Ok(_) => accepted.push(shorten(&statement)),
        }
        assert_eq!(state(&lab, &mut direct), before, "{}", shorten(&statement));
    }
    assert!(accepted.is_empty(), "accepted:\n{}", accepted.join("\n"));
    assert_stored(&mut direct, &lab.store, "t", 1, &packed(1, 50));
}

/// Forms that a later issue brings: right, or refused; never something in between.
#[test]
fn insert_set_is_right_or_refused() {
    let lab = filled("insert_set");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let value = packed(8, 30);
    let before = state(&lab, &mut direct);
    let statement = sql(&[b"INSERT INTO t SET id = 5, data = ", &escaped(&value)]);
    match client.query(&statement) {
        Ok(_) => assert_stored(&mut direct, &lab.store, "t", 5, &value),
        Err(error) => {
            assert_refusal(&error, UNSUPPORTED, "data", &statement);
            assert_eq!(state(&lab, &mut direct), before);
        }
    }
}

/// NULL needs no codec: setting it is right or refused.
#[test]
fn update_to_null_is_right_or_refused() {
    let lab = filled("update_null");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    for (id, null) in [(1, "NULL"), (2, "DEFAULT")] {
        let before = state(&lab, &mut direct);
        let statement = format!("UPDATE t SET data = {null} WHERE id = {id}");
        match client.query(&statement) {
            Ok(answer) => {
                assert_eq!(answer.affected, 1);
                let now = direct.value(format!("SELECT data FROM t WHERE id = {id}"));
                assert_eq!(now, None);
            }
            Err(error) => {
                assert_refusal(&error, UNSUPPORTED, "data", statement.as_bytes());
                assert_eq!(state(&lab, &mut direct), before);
            }
        }
    }
}

#[test]
fn the_refused_column_is_named() {
    let lab = filled("named");
    let mut client = lab.bytes();
    let column = format!("{}.t.data", lab.database);
    for statement in [
        "UPDATE t SET data = note",
        "INSERT INTO t (id, data) VALUES (5, UNHEX(note))",
        "SELECT SHA1(data) FROM t",
    ] {
        assert_refusal(
            &client.error(statement),
            UNSUPPORTED,
            &column,
            statement.as_bytes(),
        );
    }
}

#[test]
fn values_without_a_header() {
    let lab = filled("headers");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let before = state(&lab, &mut direct);
    let column = format!("{}.t.data", lab.database);
    let secret = b"a secret text".to_vec();
    for value in [
        &b""[..],
        b"mYm",
        b"mym\0A",
        b"MYM\0A",
        b"dj0",
        b"dj1\0",
        b"ZL123",
        b"ZL124\0",
        &secret,
        br#"{"hash": "x", "path": "y", "store": "main"}"#,
    ] {
        let statement = sql(&[
            b"INSERT INTO t (id, data) VALUES (5, ",
            &escaped(value),
            b")",
        ]);
        let error = client.error(&statement);
        assert_refusal(&error, WRONG_VALUE, &column, &statement);
        assert!(!error.message.contains("secret"), "{error}");
        assert_eq!(state(&lab, &mut direct), before);
    }
    for literal in ["5", "1.5", "TRUE", "CURRENT_TIMESTAMP"] {
        let statement = format!("INSERT INTO t (id, data) VALUES (5, {literal})");
        let error = client.error(&statement);
        assert!(
            [UNSUPPORTED, WRONG_VALUE].contains(&error.code),
            "{statement}: {error}"
        );
        assert_eq!(state(&lab, &mut direct), before);
    }
    // One bad row among good ones: none of them is written.
    let statement = sql(&[
        b"INSERT INTO t (id, data) VALUES (5, ",
        &escaped(&packed(55, 9)),
        b"), (6, 'bad'), (7, ",
        &escaped(&packed(77, 9)),
        b")",
    ]);
    assert_refusal(&client.error(&statement), WRONG_VALUE, &column, &statement);
    assert_eq!(direct.text("SELECT COUNT(*) FROM t"), "2");
}

#[test]
fn a_column_in_an_unknown_store() {
    let lab = Lab::new("unknown_store");
    lab.table(
        "t",
        "id INT PRIMARY KEY, data JSON COMMENT ':<blob@elsewhere>:'",
    );
    let mut client = lab.bytes();
    let column = format!("{}.t.data", lab.database);
    let statement = sql(&[b"INSERT INTO t VALUES (1, ", &escaped(&packed(1, 9)), b")"]);
    let error = client.error(&statement);
    assert_refusal(&error, STORE, &column, &statement);
    assert!(error.message.contains("elsewhere"), "{error}");
    assert_eq!(lab.direct().text("SELECT COUNT(*) FROM t"), "0");
    assert_eq!(objects(&lab.store).len(), 0);
    // What needs no store goes on.
    client.ok("INSERT INTO t VALUES (2, NULL)");
    assert_eq!(client.rows("SELECT id, data FROM t").len(), 1);
    let pointer = r#"{"hash": "aaaaaaaaaaaaaaaaaaaaaaaaaa", "path": "_hash/x/aaaaaaaaaaaaaaaaaaaaaaaaaa", "schema": "x", "store": "elsewhere", "size": 1}"#;
    lab.direct()
        .ok(format!("INSERT INTO t VALUES (3, '{pointer}')"));
    let error = client.error("SELECT data FROM t WHERE id = 3");
    assert_refusal(&error, STORE, &column, b"SELECT");
}

#[test]
fn prepared_statements_on_codec_columns() {
    let lab = filled("refused_prepared");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let before = state(&lab, &mut direct);
    for statement in [
        "SELECT HEX(data) FROM t WHERE id = ?",
        "INSERT INTO t (id, data) VALUES (?, CONCAT(?, data))",
        "INSERT INTO t (id, data) SELECT id, HEX(data) FROM t WHERE id = ?",
        "UPDATE plain SET text = (SELECT data FROM t WHERE id = ?)",
    ] {
        match client.prepare(statement) {
            Err(error) => assert_refusal(&error, UNSUPPORTED, "", statement.as_bytes()),
            Ok(_) => panic!("prepared: {statement}"),
        }
    }
    for statement in [
        "SELECT id, note FROM t WHERE id = ?",
        "INSERT INTO t (id, note) VALUES (?, ?)",
        "UPDATE t SET note = ? WHERE id = ?",
        "DELETE FROM t WHERE id = ?",
        "SELECT raw FROM plain",
        "INSERT INTO t (id, data) VALUES (?, CONCAT(?, 'x'))",
        "INSERT INTO t (id, data) SELECT id, raw FROM plain WHERE id = ?",
    ] {
        if let Err(error) = client.prepare(statement) {
            panic!("{statement}: {error}");
        }
    }
    assert_eq!(state(&lab, &mut direct), before);
}

/// What names a codec table and touches no codec column passes.
#[test]
fn statements_that_touch_no_codec_column() {
    let lab = filled("passes");
    let mut client = lab.bytes();
    for statement in [
        "UPDATE t SET note = 'changed' WHERE id = 1",
        "UPDATE t JOIN plain USING (id) SET t.note = plain.text",
        "INSERT INTO t (id, note) VALUES (7, 'n'), (8, 'm')",
        "INSERT INTO t (id, note) SELECT id + 20, text FROM plain",
        "INSERT INTO plain (id, text) SELECT id + 20, note FROM t",
        "DELETE FROM t WHERE id = 7",
        "DELETE t FROM t JOIN plain USING (id) WHERE plain.id = 99",
        "SELECT id FROM t WHERE note = 'data'",
        "SELECT COUNT(*), MAX(note) FROM t",
        "SELECT note FROM t UNION ALL SELECT text FROM plain",
        "SELECT n FROM (SELECT note AS n FROM t) d",
        "CREATE TABLE notes AS SELECT id, note FROM t",
        "ALTER TABLE t ADD COLUMN more INT",
        "CREATE INDEX by_note ON t (note)",
        "ANALYZE TABLE t",
        "OPTIMIZE TABLE t",
        "CHECK TABLE t",
        "LOCK TABLES t WRITE, plain READ",
        "UNLOCK TABLES",
        "SHOW CREATE TABLE plain",
        "SHOW INDEX FROM t",
        "SHOW TABLE STATUS LIKE 't'",
        "TRUNCATE TABLE u",
        "DROP TABLE u",
    ] {
        if let Err(error) = client.query(statement) {
            panic!("{statement}: {error}");
        }
    }
}
