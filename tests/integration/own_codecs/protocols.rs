//! Prepared statements, LOAD DATA and the other ways to write, on codecs that are not built in.

use super::{example_lab, lab};
use crate::prepared::statement::{BLOB, Statement, VAR_STRING, bytes, int, null};
use crate::support::client::{Client, Login, caps};
use crate::support::lab::database_port;
use crate::support::objects::{escaped, objects, sql};

/// The packed list `[]`.
const EMPTY: &[u8] = b"dj0\0\x02\x00\x00\x00\x00\x00\x00\x00\x00";

#[test]
fn prepared_statements() {
    let lab = lab("own_prepared");
    let mut client = lab.bytes();
    client.ok(
        "CREATE TABLE t (id INT PRIMARY KEY, z LONGBLOB COMMENT '<zjson@main>', \
         g LONGBLOB COMMENT '<gz>', b LONGBLOB COMMENT '<b64>')",
    );
    let insert = Statement::prepare(&mut client, "INSERT INTO t VALUES (?, ?, ?, ?)");
    let value = || bytes(BLOB, EMPTY);
    insert.ok(&mut client, &[int(1), value(), value(), value()]);
    insert.ok(&mut client, &[int(2), null(BLOB), null(BLOB), null(BLOB)]);
    let error = insert.error(&mut client, &[int(3), bytes(BLOB, b"x"), value(), value()]);
    assert!(
        error
            .message
            .contains("<zjson> takes packed DataJoint bytes"),
        "{error}"
    );
    let select = Statement::prepare(&mut client, "SELECT z, g, b FROM t WHERE id = ?");
    let rows = |client: &mut _, id| select.ok(client, &[int(id)]).rows;
    assert_eq!(rows(&mut client, 1), [vec![Some(EMPTY.to_vec()); 3]]);
    assert_eq!(rows(&mut client, 2), [vec![None; 3]]);

    let mut client = lab.connect(lab.proxy.port("json"), &lab.login());
    let update = Statement::prepare(&mut client, "UPDATE t SET z = ?, b = ? WHERE id = ?");
    let text = || bytes(VAR_STRING, "{\"ä\":1}".as_bytes());
    update.ok(&mut client, &[text(), text(), int(2)]);
    let select = Statement::prepare(&mut client, "SELECT z, b FROM t WHERE id = 2");
    let read = Some("{\"ä\":1}".as_bytes().to_vec());
    assert_eq!(select.ok(&mut client, &[]).rows, [[read.clone(), read]]);
    assert_eq!(lab.direct().text("SELECT COUNT(*) FROM t"), "2");
}

#[test]
fn values_of_every_size_and_shape_of_statement() {
    let lab = lab("own_written");
    let login = Login {
        capabilities: lab.login().capabilities | caps::LOCAL_FILES,
        ..lab.login()
    };
    let mut client = lab.connect(lab.proxy.port("json"), &login);
    client.ok(
        "CREATE TABLE t (id INT PRIMARY KEY, z LONGBLOB COMMENT '<zjson@main>', \
         c LONGBLOB COMMENT '<config>')",
    );
    // Beyond what a pointer may have.
    let settings = format!(
        "{{\"version\":1,\"settings\":{{\"a\":\"{}\"}}}}",
        "x".repeat(200_000)
    );
    client.ok(format!(
        "INSERT INTO t VALUES (1, '{settings}', '{settings}')"
    ));
    let read = client.rows("SELECT z, c FROM t");
    let whole = Some(settings.clone().into_bytes());
    assert_eq!(read, [[whole.clone(), whole]]);
    client.ok("INSERT INTO t SET id = 2, z = CONCAT('[', 1 + 1, ']')");
    client.ok("INSERT INTO t (id, z) VALUES (2, '[3]') ON DUPLICATE KEY UPDATE z = VALUES(z)");
    client.infile = b"4\t[4]\t\\N\n5\t[5]\t{\"version\":1,\"settings\":{}}\n".to_vec();
    client.ok("LOAD DATA LOCAL INFILE 'x' INTO TABLE t");
    client.ok("REPLACE INTO t SELECT 6, '[6]', NULL");
    let texts: Vec<_> = client.rows("SELECT z FROM t WHERE id > 1 ORDER BY id");
    let texts: Vec<_> = texts.iter().flatten().flatten().collect();
    assert_eq!(texts, [&b"[3]"[..], b"[4]", b"[5]", b"[6]"]);
    assert_eq!(objects(&lab.store).len(), 6);
}

/// Columns of every kind that a chain can end in.
#[test]
fn declared_shown_and_altered() {
    let lab = lab("own_shown");
    let mut client = lab.bytes();
    client.ok(
        "CREATE TABLE t (id INT PRIMARY KEY, z LONGBLOB COMMENT '<zjson@main> it''s', \
         c LONGBLOB COMMENT '<config>', b LONGBLOB NOT NULL COMMENT '<b64> text', \
         n LONGBLOB COMMENT '<count>', a LONGBLOB COMMENT '<archive>')",
    );
    let shown = |client: &mut Client, view: &str| -> Vec<String> {
        client.ok(format!("SET @codec_view = '{view}'"));
        let rows = client.rows("SHOW FULL COLUMNS FROM t");
        let text = |cell: &Option<Vec<u8>>| {
            String::from_utf8_lossy(cell.as_deref().unwrap_or_default()).into_owned()
        };
        rows[1..]
            .iter()
            .map(|row| format!("{} {}", text(&row[1]), text(&row[8])))
            .collect()
    };
    assert_eq!(
        shown(&mut client, "bytes"),
        [
            "longblob it's",
            "longblob ",
            "longblob text",
            "longblob ",
            "longblob "
        ]
    );
    assert_eq!(
        shown(&mut client, "stored"),
        [
            "json :<zjson@main>:it's",
            "json :<config>:",
            "varchar(2000) :<b64>:text",
            "int(11) :<count>:",
            "json :<archive>:"
        ]
    );
    client.ok("SET @codec_view = 'bytes'");
    let create = |client: &mut Client, table: &str| {
        let rows = client.rows(format!("SHOW CREATE TABLE {table}"));
        String::from_utf8_lossy(rows[0][1].as_deref().expect("text")).into_owned()
    };
    let told = create(&mut client, "t");
    client.ok(told.replace("`t`", "`again`"));
    assert_eq!(create(&mut client, "again").replace("`again`", "`t`"), told);
    client.ok("ALTER TABLE t ADD d LONGBLOB COMMENT '<gz@>', RENAME COLUMN b TO text");
    client.ok("ALTER TABLE t MODIFY text LONGBLOB COMMENT '<b64> nullable'");
    client.ok(sql(&[
        b"INSERT INTO t (id, text, d) VALUES (1, ",
        &escaped(EMPTY),
        b", ",
        &escaped(EMPTY),
        b")",
    ]));
    let both = vec![Some(EMPTY.to_vec()); 2];
    assert_eq!(client.rows("SELECT text, d FROM t"), [both]);
    let error = client.error("ALTER TABLE t MODIFY text LONGBLOB COMMENT '<zjson>'");
    assert_eq!(error.code, 1235, "{error}");
}

#[test]
fn a_codec_that_looks_at_the_key_is_given_it() {
    let lab = example_lab(database_port(), "own_key");
    let mut client = lab.connect(lab.proxy.port("json"), &lab.login());
    client.ok(
        "CREATE TABLE t (id INT, schema_version INT, d LONGBLOB COMMENT '<versioned>', \
         PRIMARY KEY (id, schema_version))",
    );
    client.ok("INSERT INTO t VALUES (1, 1, '[1]'), (1, 2, '[2]')");
    client.ok("UPDATE t SET d = '[3]' WHERE id = 1");
    let mut direct = lab.direct();
    // The newer form has two keys more.
    let form = |direct: &mut Client, version: u32| {
        let stored = direct.value(format!("SELECT d FROM t WHERE schema_version = {version}"));
        let stored = stored.expect("a value");
        let text = String::from_utf8_lossy(&stored).into_owned();
        text.contains("optimized")
    };
    assert!(!form(&mut direct, 1) && form(&mut direct, 2));
    let rows = client.rows("SELECT d FROM t ORDER BY schema_version");
    assert_eq!(rows, [[Some(b"[3]".to_vec())], [Some(b"[3]".to_vec())]]);
    let error = client.error("INSERT INTO t (id, d) VALUES (2, '[1]')");
    assert_eq!(error.code, 1235, "{error}");
}
