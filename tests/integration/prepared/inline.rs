//! Prepared statements that are run as texts: values made of parameters, and rows that must be
//! looked at before.

use super::statement::Bound;
use super::statement::{
    BLOB, DATE, DOUBLE, LONG, STRING, Statement, VAR_STRING, apart, blob, bytes, int, null,
};
use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{assert_same, assert_stored, objects};

const COLUMNS: &str = "id INT COMMENT ':int32:' PRIMARY KEY, note VARCHAR(20), day DATE, x DOUBLE, \
    data JSON COMMENT ':<blob@main>:', file JSON COMMENT ':<object@main>:'";

#[test]
fn run_as_texts() {
    let lab = Lab::new("inline");
    each(&lab);
}

#[test]
fn run_as_texts_on_mysql() {
    if let Some(lab) = Lab::on_mysql("inline") {
        each(&lab);
    }
}

fn each(lab: &Lab) {
    lab.table("t", COLUMNS);
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    values_made_of_parameters(lab, &mut client, &mut direct);
    types(&mut client);
    rows_that_are_looked_up(&mut client, &mut direct);
    copies(lab, &mut client, &mut direct);
    refusals(lab, &mut client, &mut direct);
}

fn hex(value: &[u8]) -> Vec<u8> {
    data_encoding::HEXUPPER.encode(value).into_bytes()
}

fn values_made_of_parameters(lab: &Lab, client: &mut Client, direct: &mut Client) {
    let insert = Statement::prepare(
        client,
        "INSERT INTO t (id, note, data) VALUES (? + 0, ?, UNHEX(?))",
    );
    assert_eq!(insert.parameters.len(), 3);
    let mut row = |id: i32, value: &[u8]| {
        let row = [
            int(id),
            bytes(VAR_STRING, b"it's \\"),
            bytes(STRING, &hex(value)),
        ];
        let answer = insert.run(client, &row).expect("inserted");
        assert_eq!(answer.affected, 1);
    };
    row(1, &blob(100, 1));
    row(2, &blob(200, 2));
    let again = [
        int(3),
        bytes(VAR_STRING, b"c"),
        bytes(STRING, &hex(&blob(300, 3))),
    ];
    insert.again(client, &again).expect("inserted");
    for id in 1..=3_u64 {
        let value = blob(100 * id as usize, id);
        assert_stored(direct, &lab.store, "t", id as i64, &value);
    }
    assert_eq!(direct.text("SELECT note FROM t WHERE id = 1"), "it's \\");

    // In pieces, and NULL.
    let value = blob(70_000, 4);
    for piece in hex(&value).chunks(9_999) {
        insert.long_data(client, 2, piece);
    }
    insert.ok(client, &[int(4), null(VAR_STRING), apart(VAR_STRING)]);
    assert_stored(direct, &lab.store, "t", 4, &value);
    insert.long_data(client, 2, b"00");
    insert.reset(client);
    insert.ok(client, &[int(5), bytes(VAR_STRING, b"e"), null(STRING)]);
    assert_eq!(
        direct.text("SELECT COUNT(*) FROM t WHERE data IS NULL"),
        "1"
    );

    let update = Statement::prepare(client, "UPDATE t SET data = CONCAT(?, ?) WHERE data = ?");
    let (value, before) = (blob(50, 5), blob(100, 1));
    let (head, tail) = value.split_at(20);
    let parts = [bytes(BLOB, head), bytes(BLOB, tail), bytes(BLOB, &before)];
    assert_eq!(update.ok(client, &parts).affected, 1);
    assert_stored(direct, &lab.store, "t", 1, &value);
    assert_eq!(update.ok(client, &parts).affected, 0);
    update.close(client);
    let error = update.error(client, &parts);
    assert_eq!(error.code, 1243, "{error}");
}

/// What is bound means the same as in the binary protocol.
fn types(client: &mut Client) {
    let update = Statement::prepare(
        client,
        "UPDATE t SET data = CONCAT(?, ''), day = ?, x = ? WHERE id = ?",
    );
    let value = blob(60, 6);
    let double = Bound(DOUBLE, Some(0.1_f64.to_le_bytes().to_vec()));
    let day = Bound(DATE, Some(vec![4, 0xE8, 7, 2, 29]));
    let bound = [
        bytes(BLOB, &value),
        day,
        double,
        Bound(LONG, Some((-7_i32).to_le_bytes().to_vec())),
    ];
    client.ok("INSERT INTO t (id) VALUES (-7)");
    update.ok(client, &bound);
    let row = client
        .rows("SELECT data, day, x FROM t WHERE id = -7")
        .remove(0);
    assert_same(row[0].as_ref().expect("not NULL"), &value, "the value");
    assert_eq!(row[1].as_deref(), Some(&b"2024-02-29"[..]));
    assert_eq!(row[2].as_deref(), Some(&b"0.1"[..]));
    client.ok("DELETE FROM t WHERE id = -7");

    client.ok("SET NAMES gbk");
    let update = Statement::prepare(
        client,
        "UPDATE t SET note = ?, data = CONCAT(?, '') WHERE id = ?",
    );
    // U+8A31, whose second byte is a backslash.
    let text = [0xD5, 0x5C, b'\''];
    let bound = [bytes(VAR_STRING, &text), bytes(BLOB, &value), int(2)];
    update.ok(client, &bound);
    assert_eq!(
        client.value("SELECT note FROM t WHERE id = 2"),
        Some(text.to_vec())
    );
    client.ok("SET NAMES utf8mb4");
    assert_eq!(update.error(client, &bound).code, 1235);
}

/// An object for each row, named by its key.
fn rows_that_are_looked_up(client: &mut Client, direct: &mut Client) {
    client.ok("UPDATE t SET note = 'both' WHERE id IN (1, 3)");
    let update = Statement::prepare(client, "UPDATE t SET file = ? WHERE note LIKE ?");
    let bound = [bytes(BLOB, b"the file"), bytes(VAR_STRING, b"bo%")];
    assert_eq!(update.ok(client, &bound).affected, 2);
    let files = client.rows("SELECT file FROM t WHERE file IS NOT NULL ORDER BY id");
    assert_eq!(files, vec![vec![Some(b"the file".to_vec())]; 2]);
    let paths = direct.text("SELECT COUNT(DISTINCT JSON_EXTRACT(file, '$.path')) FROM t");
    assert_eq!(paths, "2");
    client.ok("BEGIN");
    update.ok(client, &bound);
    client.ok("ROLLBACK");
    assert_eq!(direct.text("SELECT @@autocommit"), "1");
}

fn copies(lab: &Lab, client: &mut Client, direct: &mut Client) {
    let copy = Statement::prepare(
        client,
        "INSERT INTO t (id, data) SELECT id + ?, ? FROM t WHERE id < ?",
    );
    let value = blob(80, 8);
    let answer = copy.ok(client, &[int(100), bytes(BLOB, &value), int(3)]);
    assert_eq!(answer.affected, 2);
    for id in [101, 102] {
        assert_stored(direct, &lab.store, "t", id, &value);
    }
}

fn refusals(lab: &Lab, client: &mut Client, direct: &mut Client) {
    let before = (
        objects(&lab.store).len(),
        direct.text("SELECT GROUP_CONCAT(id) FROM t"),
    );
    let insert = Statement::prepare(client, "INSERT INTO t (id, data) VALUES (?, UNHEX(?))");
    let error = insert.error(client, &[int(50), bytes(VAR_STRING, b"00")]);
    assert_eq!(error.code, 1366, "{error}");
    let error = insert.error(client, &[int(1), bytes(VAR_STRING, &hex(&blob(50, 5)))]);
    assert_eq!(error.code, 1062, "{error}");
    client.ok("USE information_schema");
    let error = insert.error(client, &[int(50), bytes(VAR_STRING, &hex(&blob(9, 9)))]);
    assert!(error.message.contains("prepare it again"), "{error}");
    client.ok(format!("USE `{}`", lab.database));
    if memchr::memmem::find(&client.greeting.version, b"MariaDB").is_some() {
        let row = |id| vec![Some(int(id)), Some(bytes(VAR_STRING, &hex(&blob(9, 9))))];
        let bulk = insert.bulk(client, &[LONG, VAR_STRING], &[row(50), row(51)]);
        assert_eq!(bulk.expect_err("refused").code, 1235);
    }
    let after = (
        objects(&lab.store).len(),
        direct.text("SELECT GROUP_CONCAT(id) FROM t"),
    );
    assert_eq!(before, after);
}
