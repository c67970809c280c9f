//! SELECT in the binary protocol: rows, cursors, definitions that the client has already.

use super::statement::{
    BLOB, Bound, DATE, Statement, VAR_STRING, blob, bytes, int, null, parameters, results,
};
use crate::support::client::{Client, Expect, caps, com};
use crate::support::lab::Lab;
use crate::support::objects::{assert_same, escaped, sql};
use crate::support::recorder::execute_body;

/// Rows with values of several lengths and a NULL, among columns of other types.
fn filled(lab: &Lab) -> Vec<Option<Vec<u8>>> {
    lab.table(
        "t",
        "id INT PRIMARY KEY, day DATE, data JSON COMMENT ':<blob@main>:', ratio DOUBLE, \
         here LONGBLOB COMMENT ':<blob>:', note VARCHAR(20)",
    );
    let values: Vec<Option<Vec<u8>>> = vec![
        Some(blob(10, 1)),
        None,
        Some(blob(300, 2)),
        Some(blob(70_000, 3)),
        Some(blob(3_000_000, 4)),
    ];
    let mut client = lab.bytes();
    let insert = Statement::prepare(&mut client, "INSERT INTO t VALUES (?, ?, ?, 0.5, ?, ?)");
    for (id, value) in (0..).zip(&values) {
        let value = match value {
            Some(value) => bytes(BLOB, value),
            None => null(BLOB),
        };
        let day = match id {
            2 => null(DATE),
            _ => Bound(DATE, Some(vec![4, 0xe4, 7, 2, 29])),
        };
        let note = bytes(VAR_STRING, b"note");
        insert.ok(&mut client, &[int(id), day, value.clone(), value, note]);
    }
    values
}

fn check(rows: &[Vec<Option<Vec<u8>>>], values: &[Option<Vec<u8>>], first: i32) {
    assert_eq!(rows.len(), values.len());
    for (n, (row, value)) in rows.iter().zip(values).enumerate() {
        let id = first + n as i32;
        assert_eq!(row[0].as_deref(), Some(&id.to_le_bytes()[..]));
        assert_eq!(row[1].is_none(), id == 2, "day of {id}");
        for column in [2, 4] {
            match (&row[column], value) {
                (Some(read), Some(value)) => assert_same(read, value, &format!("row {id}")),
                (read, value) => assert_eq!(read, value, "row {id}"),
            }
        }
        assert_eq!(row[3].as_deref(), Some(&0.5f64.to_le_bytes()[..]));
        assert_eq!(row[5].as_deref(), Some(&b"note"[..]));
    }
}

#[test]
fn rows() {
    let lab = Lab::new("prepared_rows");
    all_rows(&lab);
}

#[test]
fn rows_of_mysql() {
    if let Some(lab) = Lab::on_mysql("prepared_rows") {
        all_rows(&lab);
    }
}

fn all_rows(lab: &Lab) {
    let values = filled(lab);
    for bits in [caps::COMMON, caps::COMMON | caps::DEPRECATE_EOF] {
        let login = lab.login().capabilities(bits);
        let mut client = lab.connect(lab.proxy.port("bytes"), &login);
        let select = "SELECT * FROM t WHERE id >= ? ORDER BY id";
        let select = Statement::prepare(&mut client, select);
        for first in [0, 2] {
            let answer = select.ok(&mut client, &[int(first)]);
            check(&answer.rows, &values[first as usize..], first);
        }
        let answer = select.again(&mut client, &[int(1)]).expect("executed");
        check(&answer.rows, &values[1..], 1);
        assert!(select.ok(&mut client, &[int(100)]).rows.is_empty());
        cursor(&mut client, &select, &values);
    }
}

/// Rows that come when fetched, with another statement between.
fn cursor(client: &mut Client, select: &Statement, values: &[Option<Vec<u8>>]) {
    for _ in 0..2 {
        let bound = parameters(&[int(0)], true);
        let opened = select.execute(client, 1, &bound).expect("a cursor");
        assert!(opened.rows.is_empty());
        let mut rows = select.fetch(client, 2);
        assert_eq!(rows.len(), 2);
        assert_eq!(client.text("SELECT 'between'"), "between");
        rows.extend(select.fetch(client, 100));
        check(&rows, values, 0);
    }
    select.reset(client);
}

/// What the client remembers of a statement's columns, MariaDB leaves out of the answer.
#[test]
fn definitions_that_are_left_out() {
    let lab = Lab::new("prepared_cached");
    let values = filled(&lab);
    for extended in [0, caps::MARIADB] {
        let bits = caps::COMMON | caps::DEPRECATE_EOF | caps::CACHE_METADATA | extended;
        let login = lab.login().capabilities(bits);
        let mut client = lab.connect(lab.proxy.port("bytes"), &login);
        assert_ne!(client.capabilities & caps::CACHE_METADATA, 0);
        let select = "SELECT * FROM t WHERE id >= ? ORDER BY id";
        let select = match extended {
            0 => Statement::prepare(&mut client, select),
            // The test's own parser knows no extended metadata.
            _ => Statement {
                columns: select_columns(&lab),
                parameters: Vec::new(),
                id: client.prepare(select).expect("prepared"),
            },
        };
        for first in [0, 3] {
            let rest = parameters(&[int(first)], true);
            let body = execute_body(select.id, 0, &rest);
            let frames = client.command(com::STMT_EXECUTE, &body, Expect::Results);
            assert_eq!(frames[0].body, [6, 0], "the definitions are left out");
            let answer = select.answer(&client, &frames).expect("a result");
            check(&answer.rows, &values[first as usize..], first);
        }
    }
}

fn select_columns(lab: &Lab) -> Vec<crate::support::answer::Column> {
    Statement::prepare(&mut lab.bytes(), "SELECT * FROM t").columns
}

/// In the json view, and in the stored one.
#[test]
fn every_view() {
    let lab = Lab::new("prepared_views_read");
    lab.table(
        "t",
        "id INT PRIMARY KEY, here LONGBLOB COMMENT ':<blob>:', data JSON COMMENT ':<blob@main>:'",
    );
    let mut client = lab.bytes();
    client.ok("SET @codec_view = 'json'");
    let insert = Statement::prepare(&mut client, "INSERT INTO t VALUES (?, ?, ?)");
    let text = "[1, \"é\"]".as_bytes();
    let bound = [int(1), bytes(VAR_STRING, text), bytes(BLOB, text)];
    insert.ok(&mut client, &bound);
    let error = insert.error(&mut client, &[int(2), bytes(BLOB, b"no JSON"), null(BLOB)]);
    assert_eq!(error.code, 1366, "{error}");
    let select = Statement::prepare(&mut client, "SELECT here, data FROM t WHERE id = ?");
    let answer = select.ok(&mut client, &[int(1)]);
    for value in &answer.rows[0] {
        let value = String::from_utf8_lossy(value.as_deref().unwrap_or_default()).into_owned();
        assert_eq!(value, "[1,\"é\"]");
    }
    client.ok("SET @codec_view = 'bytes'");
    let error = select.error(&mut client, &[int(1)]);
    assert_eq!(error.code, 1243, "prepared in another view: {error}");
    let select = Statement::prepare(&mut client, "SELECT here, data FROM t WHERE id = ?");
    let answer = select.ok(&mut client, &[int(1)]);
    let packed = client.rows("SELECT here, data FROM t").remove(0);
    assert_eq!(answer.rows[0], packed);
    assert!(
        packed[0]
            .as_deref()
            .unwrap_or_default()
            .starts_with(b"dj0\0")
    );

    let mut stored = lab.stored();
    let select = Statement::prepare(&mut stored, "SELECT here, data FROM t WHERE id = ?");
    let answer = select.ok(&mut stored, &[int(1)]);
    let direct = lab.direct().rows("SELECT here, data FROM t").remove(0);
    assert_eq!(answer.rows[0], direct);
}

/// `CALL` of a procedure with several results.
#[test]
fn several_results() {
    let lab = Lab::new("prepared_call");
    let values = filled(&lab);
    lab.direct()
        .ok("CREATE PROCEDURE several(IN first INT) BEGIN \
         SELECT id, day, data, ratio, here, note FROM t WHERE id >= first ORDER BY id; \
         SELECT 'between' AS text; \
         SELECT id, day, data, ratio, here, note FROM t WHERE id >= first ORDER BY id; END");
    let mut client = lab.bytes();
    let call = Statement::prepare(&mut client, "CALL several(?)");
    for first in [0, 2] {
        let body = execute_body(call.id, 0, &parameters(&[int(first)], true));
        let frames = client.command(com::STMT_EXECUTE, &body, Expect::Results);
        let answers = results(&client, &frames, &[]).expect("results");
        assert_eq!(answers.len(), 4, "three results and an OK");
        check(&answers[0].rows, &values[first as usize..], first);
        assert_eq!(answers[1].rows[0][0].as_deref(), Some(&b"between"[..]));
        check(&answers[2].rows, &values[first as usize..], first);
    }
}

/// A value that cannot be had ends the result, not the session.
#[test]
fn a_missing_object() {
    let lab = Lab::new("prepared_missing");
    lab.blob_table("t");
    let mut client = lab.bytes();
    for id in 1..=2 {
        let value = escaped(&blob(100, id));
        let text = format!("INSERT INTO t (id, data) VALUES ({id}, ");
        client.ok(sql(&[text.as_bytes(), &value, b")"]));
    }
    let select = Statement::prepare(&mut client, "SELECT id, data FROM t ORDER BY id");
    assert_eq!(select.ok(&mut client, &[]).rows.len(), 2);
    for object in crate::support::objects::objects(&lab.store) {
        std::fs::remove_file(object).expect("removed");
    }
    let error = select.error(&mut client, &[]);
    assert_eq!(error.code, 1296, "{error}");
    let opened = select.execute(&mut client, 1, b"").expect("a cursor");
    assert!(opened.rows.is_empty());
    let body = [select.id.to_le_bytes(), 5u32.to_le_bytes()].concat();
    let frames = client.command(com::STMT_FETCH, &body, Expect::Rows);
    assert_eq!(frames.last().expect("an error").body[0], 0xff);
    assert_eq!(client.text("SELECT 'alive'"), "alive");
}

/// Conditions on a value that is bound: compared by its hash.
#[test]
fn conditions() {
    let lab = Lab::new("prepared_conditions");
    conditioned(&lab);
}

#[test]
fn conditions_on_mysql() {
    if let Some(lab) = Lab::on_mysql("prepared_conditions") {
        conditioned(&lab);
    }
}

fn conditioned(lab: &Lab) {
    lab.blob_table("t");
    let mut client = lab.bytes();
    let insert = Statement::prepare(&mut client, "INSERT INTO t (id, data) VALUES (?, ?)");
    let value = |id: i32| blob(400 << (4 * id), id as u64);
    for id in 1..=3 {
        insert.ok(&mut client, &[int(id), bytes(BLOB, &value(id))]);
    }
    let select = "SELECT id, data FROM t WHERE data IN (?, ?) AND id < ? ORDER BY id";
    let select = Statement::prepare(&mut client, select);
    let bound = [
        bytes(BLOB, &value(1)),
        bytes(VAR_STRING, &value(3)),
        int(100),
    ];
    for _ in 0..2 {
        let rows = select.ok(&mut client, &bound).rows;
        assert_eq!(rows.len(), 2);
        for (row, id) in rows.iter().zip([1, 3]) {
            assert_eq!(row[0].as_deref(), Some(&i32::to_le_bytes(id)[..]));
            assert_same(row[1].as_deref().unwrap_or_default(), &value(id), "data");
        }
    }
    for piece in value(2).chunks(1000) {
        select.long_data(&mut client, 0, piece);
    }
    let bound = [super::statement::apart(BLOB), null(BLOB), int(100)];
    let rows = select.ok(&mut client, &bound).rows;
    assert_eq!(rows.len(), 1);
    assert_same(rows[0][1].as_deref().unwrap_or_default(), &value(2), "data");
    let none = [int(7), bytes(BLOB, b"something else"), int(100)];
    assert!(select.ok(&mut client, &none).rows.is_empty());
    let delete = Statement::prepare(&mut client, "DELETE FROM t WHERE data = ? OR id = ?");
    let bound = [bytes(BLOB, &value(2)), int(3)];
    assert_eq!(delete.ok(&mut client, &bound).affected, 2);
    assert_eq!(client.text("SELECT COUNT(*) FROM t"), "1");
}

/// What MariaDB's DELETE returns; its columns are told when it is executed.
#[test]
fn deleted_rows() {
    let lab = Lab::new("prepared_returning");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let insert = Statement::prepare(&mut client, "INSERT INTO t (id, data) VALUES (?, ?)");
    let value = blob(400, 3);
    for id in 1..=2 {
        insert.ok(&mut client, &[int(id), bytes(BLOB, &value)]);
    }
    let delete = "DELETE FROM t WHERE id = ? RETURNING id, data";
    let delete = Statement::prepare(&mut client, delete);
    for id in 1..=2 {
        let rows = delete.ok(&mut client, &[int(id)]).rows;
        assert_eq!(rows.len(), 1);
        assert_same(rows[0][1].as_deref().unwrap_or_default(), &value, "data");
    }
    assert_eq!(client.text("SELECT COUNT(*) FROM t"), "0");
}
