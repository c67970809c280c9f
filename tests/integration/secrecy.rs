//! A pointer's text never reaches a client of the `bytes` view, whatever it asks.
//!
//! Each shape may be answered with the value or refused; what it must not give is any part of
//! the pointer, in any packet, plain or in another notation.

use crate::support::client::{Client, Expect, Frame, com, shorten};
use crate::support::lab::Lab;
use crate::support::objects::{escaped, packed, sql};
use crate::support::recorder::execute_body;

/// What must not be seen: the pointer's words in the notations that SQL can turn them into.
fn traces_of(pointer: &str) -> Vec<Vec<u8>> {
    let hash = pointer.split('"').nth(3).expect("a hash");
    let middle = &hash[6..20];
    let hexadecimal = data_encoding::HEXLOWER.encode(middle.as_bytes());
    vec![
        middle.as_bytes().to_vec(),
        middle.to_uppercase().into_bytes(),
        middle.chars().rev().collect::<String>().into_bytes(),
        hexadecimal.to_uppercase().into_bytes(),
        hexadecimal.into_bytes(),
        b"\"hash\"".to_vec(),
        b"_hash/".to_vec(),
        // `{"hash": "` in base64.
        b"eyJoYXNoIjog".to_vec(),
    ]
}

struct Watch {
    traces: Vec<Vec<u8>>,
    leaks: Vec<String>,
}

impl Watch {
    fn check(&mut self, what: &[u8], frames: &[Frame]) {
        let leak = frames.iter().any(|frame| {
            self.traces
                .iter()
                .any(|trace| memchr::memmem::find(&frame.body, trace).is_some())
        });
        if leak {
            self.leaks.push(shorten(what));
        }
    }

    fn query(&mut self, client: &mut Client, sql: impl AsRef<[u8]>) {
        let frames = client.command(com::QUERY, sql.as_ref(), Expect::Results);
        assert!(
            !frames.is_empty(),
            "{} ended the connection",
            shorten(sql.as_ref())
        );
        self.check(sql.as_ref(), &frames);
    }
}

fn watched(name: &str) -> (Lab, Watch) {
    let lab = Lab::new(name);
    lab.blob_table("t");
    lab.table("plain", "id INT PRIMARY KEY, text LONGTEXT, raw LONGBLOB");
    lab.bytes().ok(sql(&[
        b"INSERT INTO t VALUES (1, 'n', ",
        &escaped(&packed(1, 50)),
        b")",
    ]));
    let mut direct = lab.stored();
    direct.ok("INSERT INTO plain VALUES (1, 'x', 'y')");
    direct.ok("CREATE VIEW v AS SELECT id, data FROM t");
    direct.ok("CREATE VIEW renaming AS SELECT id, data AS text FROM t");
    direct.ok("CREATE ALGORITHM = TEMPTABLE VIEW temptable AS SELECT id, data AS text FROM t");
    direct.ok("CREATE PROCEDURE tells() SELECT id, data FROM t");
    direct.ok("CREATE PROCEDURE tells_max() SELECT MAX(data) FROM t");
    direct.ok("CREATE PROCEDURE tells_out(OUT o LONGTEXT) SELECT data INTO o FROM t LIMIT 1");
    direct.ok(
        "CREATE FUNCTION f() RETURNS LONGTEXT READS SQL DATA RETURN (SELECT data FROM t LIMIT 1)",
    );
    let pointer = direct.text("SELECT data FROM t");
    let traces = traces_of(&pointer);
    (
        lab,
        Watch {
            traces,
            leaks: Vec::new(),
        },
    )
}

#[test]
fn selects_tell_no_pointer() {
    let (lab, mut watch) = watched("secrecy");
    let mut client = lab.bytes();
    let database = lab.database.clone();
    for sql in [
        "SELECT data FROM t",
        "SELECT * FROM t",
        "SELECT DISTINCT data FROM t",
        "TABLE t",
        "SELECT data AS note FROM t",
        "SELECT ALL data FROM t",
        "SELECT t.* FROM t, plain",
        "SELECT data FROM t UNION SELECT 'x'",
        "SELECT 'x' UNION ALL SELECT data FROM t",
        "(SELECT data FROM t) UNION (SELECT text FROM plain)",
        "SELECT text FROM plain UNION SELECT data FROM t",
        "SELECT data FROM t EXCEPT SELECT 'x'",
        "SELECT data FROM t INTERSECT SELECT data FROM t",
        "SELECT * FROM (SELECT * FROM t) d",
        "SELECT data FROM (SELECT data FROM t LIMIT 5) d",
        "SELECT note FROM (SELECT data AS note FROM t) d",
        "SELECT note FROM (SELECT data AS note FROM t LIMIT 5) d",
        "SELECT q FROM (SELECT data q FROM t GROUP BY id) d",
        "SELECT id, `$1`.x FROM (SELECT id, data x FROM t) as `$1`",
        "WITH c AS (SELECT data FROM t) SELECT * FROM c",
        "WITH c(x) AS (SELECT data FROM t LIMIT 1) SELECT x FROM c",
        "WITH RECURSIVE c AS (SELECT 1 AS n, data AS x FROM t UNION ALL SELECT n + 1, x FROM c WHERE n < 3) SELECT x FROM c",
        "SELECT (SELECT data FROM t LIMIT 1)",
        "SELECT (SELECT data FROM t LIMIT 1) AS x FROM plain",
        "SELECT MAX(data) FROM t",
        "SELECT MIN(data) FROM t",
        "SELECT ANY_VALUE(data) FROM t",
        "SELECT GROUP_CONCAT(data) FROM t",
        "SELECT JSON_ARRAYAGG(data) FROM t",
        "SELECT JSON_OBJECTAGG(id, data) FROM t",
        "SELECT IFNULL(data, 1) FROM t",
        "SELECT COALESCE(data) FROM t",
        "SELECT NULLIF(data, 1) FROM t",
        "SELECT IF(1, data, 2) FROM t",
        "SELECT CASE WHEN id THEN data END FROM t",
        "SELECT GREATEST(data, '') FROM t",
        "SELECT CONCAT(data) FROM t",
        "SELECT CONCAT_WS(',', id, data) FROM t",
        "SELECT LEFT(data, 60) FROM t",
        "SELECT SUBSTRING(data, 1, 60) FROM t",
        "SELECT MID(data FROM 1 FOR 60) FROM t",
        "SELECT UPPER(data) FROM t",
        "SELECT REVERSE(data) FROM t",
        "SELECT HEX(data) FROM t",
        "SELECT TO_BASE64(data) FROM t",
        "SELECT QUOTE(data) FROM t",
        "SELECT CAST(data AS CHAR) FROM t",
        "SELECT CAST(data AS BINARY) FROM t",
        "SELECT CONVERT(data USING utf8mb4) FROM t",
        "SELECT CONVERT(data, CHAR) FROM t",
        "SELECT BINARY data FROM t",
        "SELECT data COLLATE utf8mb4_bin FROM t",
        "SELECT (data) FROM t",
        "SELECT ((data)) x FROM t",
        "SELECT data || '' FROM t",
        "SELECT JSON_EXTRACT(data, '$.hash') FROM t",
        "SELECT JSON_VALUE(data, '$.hash') FROM t",
        "SELECT JSON_KEYS(data) FROM t",
        "SELECT JSON_UNQUOTE(JSON_EXTRACT(data, '$.path')) FROM t",
        "SELECT JSON_DETAILED(data) FROM t",
        "SELECT JSON_QUERY(data, '$') FROM t",
        "SELECT REGEXP_SUBSTR(data, '[a-z2-7]{26}') FROM t",
        "SELECT REPLACE(data, 'x', 'y') FROM t",
        "SELECT TRIM(data) FROM t",
        "SELECT EXTRACTVALUE('<a/>', CONCAT('~', data)) FROM t",
        "SELECT UPDATEXML(1, CONCAT('~', data), 1) FROM t",
        "SELECT UPDATEXML(1, CONCAT('~', (SELECT data FROM t LIMIT 1)), 1)",
        "SELECT note FROM t WHERE EXTRACTVALUE('<a/>', CONCAT('~', data))",
        "SELECT id FROM t ORDER BY EXTRACTVALUE('<a/>', CONCAT('~', data))",
        "SELECT * FROM plain WHERE UPDATEXML(1, CONCAT('~', (SELECT data FROM t LIMIT 1)), 1)",
        "DO UPDATEXML(1, CONCAT('~', (SELECT data FROM t LIMIT 1)), 1)",
        "SELECT FIRST_VALUE(data) OVER (ORDER BY id) FROM t",
        "SELECT LAG(data, 0) OVER (ORDER BY id) FROM t",
        "SELECT MAX(data) OVER () FROM t",
        "SELECT j.* FROM t, JSON_TABLE(t.data, '$' COLUMNS (h TEXT PATH '$.hash')) j",
        "SELECT * FROM v",
        "SELECT data FROM v",
        "SELECT text FROM renaming",
        "SELECT * FROM temptable",
        "SELECT text FROM temptable",
        "CALL tells()",
        "SELECT @x := data FROM t",
        "SELECT @x",
        "SELECT data INTO @y FROM t",
        "SELECT @y",
        "SELECT data FROM t INTO @y2",
        "SELECT @y2",
        "SET @z = (SELECT data FROM t LIMIT 1)",
        "SELECT @z",
        "SELECT id, data INTO @i, @w FROM t LIMIT 1",
        "SELECT @i, @w",
        "HANDLER t OPEN",
        "HANDLER t READ FIRST",
        "HANDLER t CLOSE",
        "HANDLER t OPEN AS h",
        "HANDLER h READ FIRST",
        "HANDLER h CLOSE",
        "PREPARE p FROM 'SELECT data FROM t'",
        "EXECUTE p",
        "EXECUTE IMMEDIATE 'SELECT data FROM t'",
        "SELECT 1; SELECT data FROM t",
        "SELECT CONCAT(data) FROM t; SELECT 1",
        "SELECT 1; SELECT 2; SELECT HEX(data) FROM t",
        "BEGIN NOT ATOMIC SELECT data FROM t; END",
        "BEGIN NOT ATOMIC SELECT CONCAT(data) FROM t; END",
        "BEGIN NOT ATOMIC DECLARE x LONGTEXT; SELECT data INTO x FROM t LIMIT 1; SELECT x; END",
        "FOR r IN (SELECT data FROM t) DO SELECT r.data; END FOR",
        "SELECT data FROM t FOR UPDATE",
        "SELECT data FROM t LOCK IN SHARE MODE",
        "SELECT data FROM t PROCEDURE ANALYSE()",
        "EXPLAIN EXTENDED SELECT data FROM t WHERE id = 1",
        "SHOW WARNINGS",
        "EXPLAIN EXTENDED SELECT id FROM t WHERE id = 1 AND data <> 'x'",
        "SHOW WARNINGS",
        "EXPLAIN FORMAT=JSON SELECT * FROM t WHERE id = 1",
        "ANALYZE FORMAT=JSON SELECT data FROM t WHERE id = 1",
        "SHOW WARNINGS",
        "DELETE FROM t WHERE id = 99 OR 0 RETURNING data",
        "INSERT INTO plain VALUES (50, 'x', 'y') RETURNING (SELECT data FROM t LIMIT 1)",
        "REPLACE INTO plain VALUES (50, 'x', 'y') RETURNING (SELECT data FROM t LIMIT 1)",
        "INSERT INTO t (id, note) VALUES (60, 'n') ON DUPLICATE KEY UPDATE note = data",
        "SELECT note FROM t",
        "INSERT INTO t (id, note) VALUES (1, 'n') ON DUPLICATE KEY UPDATE note = LEFT(data, 60)",
        "SELECT note FROM t WHERE id = 1",
        "UPDATE t SET note = LEFT(data, 60) WHERE id = 1",
        "SELECT note FROM t WHERE id = 1",
        "INSERT INTO plain (id, text) SELECT id + 100, data FROM t",
        "SELECT text FROM plain WHERE id > 100",
        "CREATE TABLE copy1 AS SELECT * FROM t",
        "SELECT * FROM copy1",
        "CREATE TABLE copy2 AS SELECT id, data AS text FROM t",
        "SELECT text FROM copy2",
        "CREATE TABLE copy3 (data LONGTEXT) SELECT data FROM t",
        "SELECT data FROM copy3",
        "CREATE TEMPORARY TABLE copy4 AS SELECT id, data x FROM t",
        "SELECT x FROM copy4",
        "CREATE VIEW late AS SELECT id, data AS x FROM t",
        "SELECT x FROM late",
        "CREATE TABLE more LIKE t",
        "SELECT data FROM more",
        "SELECT x.data FROM t x JOIN (SELECT id FROM t) y USING (id)",
        "SELECT x.data, y.z FROM t x JOIN (SELECT id, data z FROM t) y USING (id)",
        "SELECT data FROM t PARTITION (p0)",
        "SELECT /*! data FROM t */",
        "SELECT /*!50000 CONCAT(data) */ FROM t",
        "SELECT /*M! MAX(data) */ FROM t",
        "SELECT CONCAT(`data`) FROM `t`",
        "SELECT CONCAT(DATA) FROM T",
        "SELECT concat(t . data) from t",
        "SELECT EXPORT_SET(1, data, '') FROM t",
        "SELECT ELT(1, data) FROM t",
        "SELECT INSERT(data, 1, 1, '') FROM t",
        "SELECT LPAD(data, 90, ' ') FROM t",
        "SELECT FORMAT_BYTES(data) FROM t",
        "VALUES ((SELECT data FROM t LIMIT 1))",
        "SELECT * FROM (VALUES ((SELECT data FROM t LIMIT 1))) d",
        "SELECT SLEEP(0), data FROM t",
        "SELECT data, CONCAT(data) FROM t",
        "SELECT id, data FROM t WHERE CONCAT(data) LIKE '%hash%'",
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = @y",
        "SELECT COLUMN_CREATE('x', data) FROM t",
        "SELECT COMPRESS(data), UNCOMPRESS(COMPRESS(data)) FROM t",
        "SELECT NAME_CONST('x', 1), data FROM t",
        "SELECT VALUE(data) FROM t",
        "SELECT DEFAULT(data) FROM t",
    ] {
        watch.query(&mut client, sql);
    }
    watch.query(
        &mut client,
        format!("SELECT `{database}`.`t`.`data` FROM `{database}`.`t`"),
    );
    watch.query(
        &mut client,
        format!("SELECT CONCAT(x.data) FROM {database}.t AS x"),
    );
    watch.query(&mut client, "SHOW CREATE TABLE t");
    watch.query(&mut client, "RENAME TABLE t TO renamed_t");
    watch.query(&mut client, "SELECT * FROM renamed_t");
    watch.query(&mut client, "SELECT CONCAT(data) FROM renamed_t");
    // The same from a session without a database, and from another one.
    client.ok("USE information_schema");
    watch.query(&mut client, format!("SELECT * FROM {database}.renamed_t"));
    watch.query(
        &mut client,
        format!("SELECT HEX(data) FROM {database}.renamed_t"),
    );
    watch.query(&mut client, format!("SELECT `data` FROM `{database}`.`v`"));
    assert_told_nothing(&watch);
}

/// What the server runs by itself: no table is named in what the client sends.
#[test]
fn routines_and_dynamic_statements_tell_no_pointer() {
    let (lab, mut watch) = watched("secrecy_within");
    let mut client = lab.bytes();
    for sql in [
        "CALL tells()",
        "CALL tells_max()",
        "CALL tells_out(@o)",
        "SELECT @o",
        "SELECT f()",
        "SELECT f() FROM plain",
        "SET @f = f()",
        "SELECT @f",
        "SET @s = 'SELECT CONCAT(data) FROM t'",
        "PREPARE q FROM @s",
        "EXECUTE q",
        "EXECUTE IMMEDIATE @s",
        "EXECUTE IMMEDIATE CONCAT('SELECT MAX(da', 'ta) FROM t')",
        "EXECUTE IMMEDIATE 'SELECT CONCAT(data) FROM t'",
    ] {
        watch.query(&mut client, sql);
        // A second time by itself: what an earlier one left in a variable is not its fault.
        if let Ok(id) = client.prepare(sql) {
            let body = execute_body(id, 0, b"");
            let frames = client.command(com::STMT_EXECUTE, &body, Expect::Results);
            watch.check(format!("prepared: {sql}").as_bytes(), &frames);
        }
    }
    assert_told_nothing(&watch);
}

#[track_caller]
fn assert_told_nothing(watch: &Watch) {
    let leaks = watch.leaks.join("\n");
    assert!(leaks.is_empty(), "the pointer was told by:\n{leaks}");
}

#[test]
fn the_binary_protocol_tells_no_pointer() {
    let (lab, mut watch) = watched("secrecy_binary");
    let mut client = lab.bytes();
    for sql in [
        "SELECT data FROM t",
        "SELECT * FROM t",
        "SELECT CONCAT(data) FROM t",
        "SELECT * FROM v",
        "SELECT text FROM renaming",
        "CALL tells()",
        "SELECT n FROM (SELECT data n FROM t) d",
        "SELECT MAX(data) FROM t",
        "EXECUTE IMMEDIATE 'SELECT data FROM t'",
        "SELECT @x := data FROM t",
        "SET @y = (SELECT data FROM t LIMIT 1)",
        "SELECT @x, @y",
    ] {
        for cursor in [0, 1] {
            let Ok(id) = client.prepare(sql) else {
                continue;
            };
            let frames = client.command(
                com::STMT_EXECUTE,
                &execute_body(id, cursor, b""),
                Expect::Results,
            );
            watch.check(sql.as_bytes(), &frames);
            if cursor == 1 {
                let body = [id.to_le_bytes(), 10u32.to_le_bytes()].concat();
                let frames = client.command(com::STMT_FETCH, &body, Expect::Rows);
                watch.check(sql.as_bytes(), &frames);
            }
        }
    }
    assert_told_nothing(&watch);
}

/// The error of a value that cannot be read says which column, not where the object lies.
#[test]
fn errors_tell_no_pointer() {
    let (lab, mut watch) = watched("secrecy_errors");
    let mut client = lab.bytes();
    let object = crate::support::objects::objects(&lab.store).remove(0);
    let mut check = |client: &mut Client, what: &str| {
        let error = client.error("SELECT data FROM t");
        assert!(error.message.contains(".t.data"), "{error}");
        watch.check(format!("{what}: {error}").as_bytes(), client.last_frames());
    };
    std::fs::write(&object, b"mYm\0 something else").expect("an object");
    check(&mut client, "a damaged object");
    std::fs::remove_file(&object).expect("an object");
    check(&mut client, "a missing object");
    let outside = "UPDATE t SET data = REPLACE(data, '_hash/', '_hash/elsewhere/')";
    lab.stored().ok(outside);
    check(&mut client, "an object elsewhere");
    assert_told_nothing(&watch);
}
