//! INSERT and REPLACE with parameters.

use super::statement::{
    BLOB, Bound, DECIMAL, DOUBLE, GEOMETRY, JSON, LONG, LONG_BLOB, MEDIUM_BLOB, NULL, STRING,
    Statement, TINY_BLOB, VAR_STRING, VARCHAR, blob, bytes, int, null,
};
use crate::support::answer::{BINARY_CHARSET, TYPE_BLOB};
use crate::support::client::{Client, Expect, caps, com};
use crate::support::lab::Lab;
use crate::support::objects::{assert_same, assert_stored, escaped, objects, sql};
use crate::support::recorder::execute_body;

const INSERT: &str = "INSERT INTO t (id, note, data) VALUES (?, ?, ?)";

fn row(id: i32, value: &[u8]) -> [Bound; 3] {
    [int(id), bytes(VAR_STRING, b"n"), bytes(BLOB, value)]
}

#[test]
fn values_of_every_type_that_drivers_send() {
    let lab = Lab::new("prepared_types");
    types(&lab);
}

#[test]
fn values_of_every_type_on_mysql() {
    if let Some(lab) = Lab::on_mysql("prepared_types") {
        types(&lab);
    }
}

fn types(lab: &Lab) {
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let insert = Statement::prepare(&mut client, INSERT);
    assert_eq!(insert.parameters.len(), 3);
    let kinds = [
        TINY_BLOB,
        MEDIUM_BLOB,
        LONG_BLOB,
        BLOB,
        VARCHAR,
        VAR_STRING,
        STRING,
        JSON,
        GEOMETRY,
    ];
    for (id, kind) in (0..).zip(kinds) {
        let value = blob(100 + id as usize, id as u64);
        let bound = [int(id), bytes(VAR_STRING, b"n"), bytes(kind, &value)];
        assert_eq!(insert.ok(&mut client, &bound).affected, 1, "{kind:#x}");
        assert_stored(&mut direct, &lab.store, "t", i64::from(id), &value);
    }
    let before = objects(&lab.store).len();
    for (id, value) in [(20, null(BLOB)), (21, Bound(NULL, None))] {
        insert.ok(&mut client, &[int(id), null(VAR_STRING), value]);
        let stored = direct.value(format!("SELECT data FROM t WHERE id = {id}"));
        assert_eq!(stored, None);
    }
    for value in [
        int(5),
        Bound(DOUBLE, Some(vec![0; 8])),
        bytes(DECIMAL, b"1.5"),
    ] {
        let error = insert.error(&mut client, &[int(30), null(VAR_STRING), value]);
        assert_eq!(error.code, 1366, "{error}");
        assert!(error.message.contains(".t.data: "), "{error}");
    }
    let error = insert.error(&mut client, &row(31, b"not packed"));
    assert_eq!(error.code, 1366, "{error}");
    assert_eq!(objects(&lab.store).len(), before, "nothing is stored");
    assert_eq!(direct.text("SELECT COUNT(*) FROM t WHERE id >= 30"), "0");
    // It goes on as if nothing had been.
    let value = blob(50, 7);
    insert.ok(&mut client, &row(32, &value));
    assert_stored(&mut direct, &lab.store, "t", 32, &value);
}

#[test]
fn types_stay_bound() {
    let lab = Lab::new("prepared_again");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let insert = Statement::prepare(&mut client, INSERT);
    let error = insert
        .again(&mut client, &row(0, b""))
        .expect_err("unbound");
    assert_eq!(error.code, 1210, "{error}");
    let values = [blob(100, 1), blob(70_000, 2), blob(20, 3)];
    insert.ok(&mut client, &row(0, &values[0]));
    for (id, value) in (1..).zip(&values[1..]) {
        let answer = insert
            .again(&mut client, &row(id, value))
            .expect("executed");
        assert_eq!(answer.affected, 1);
    }
    for (id, value) in (0..).zip(&values) {
        assert_stored(&mut direct, &lab.store, "t", id, value);
    }
    // An error of the server's is the server's.
    let error = insert.error(&mut client, &row(0, &values[2]));
    assert_eq!(error.code, 1062, "{error}");
    insert.close(&mut client);
    let error = insert.error(&mut client, &row(9, &values[2]));
    assert_eq!(error.code, 1243, "{error}");
}

/// Parameters and literals, of codec columns and others, in any order.
#[test]
fn literals_among_parameters() {
    let lab = Lab::new("prepared_literals");
    literals(&lab);
}

#[test]
fn literals_among_parameters_on_mysql() {
    if let Some(lab) = Lab::on_mysql("prepared_literals") {
        literals(&lab);
    }
}

fn literals(lab: &Lab) {
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let (fixed, given) = (blob(300, 1), blob(80, 2));
    let hex = data_encoding::HEXUPPER.encode(&fixed);
    let text = format!(
        "REPLACE INTO t (data, id, note) VALUES (X'{hex}', ?, 'a?b'), (?, 2, ?), (X'{hex}', ?, ?), \
         (NULL, 4, ?), (DEFAULT, 5, '')"
    );
    let statement = Statement::prepare(&mut client, &text);
    assert_eq!(statement.parameters.len(), 6);
    let bound = [
        int(1),
        bytes(BLOB, &given),
        bytes(VAR_STRING, b"two"),
        int(3),
        bytes(VAR_STRING, b"three"),
        bytes(VAR_STRING, b"four"),
    ];
    for _ in 0..2 {
        let answer = statement.ok(&mut client, &bound);
        assert!(answer.affected >= 5);
        for (id, value) in [(1, &fixed), (2, &given), (3, &fixed)] {
            assert_stored(&mut direct, &lab.store, "t", id, value);
        }
        let notes = direct.rows("SELECT note FROM t ORDER BY id");
        let notes: Vec<_> = notes
            .into_iter()
            .map(|mut row| String::from_utf8(row.remove(0).expect("a note")).expect("text"))
            .collect();
        assert_eq!(notes, ["a?b", "two", "three", "four", ""]);
    }
    // Without a parameter of the client's.
    let statement = Statement::prepare(
        &mut client,
        &format!("INSERT INTO t (id, data) VALUES (10, X'{hex}')"),
    );
    assert!(statement.parameters.is_empty());
    statement.ok(&mut client, &[]);
    assert_stored(&mut direct, &lab.store, "t", 10, &fixed);
    // What the text holds is stored when it is executed.
    let objects_before = objects(&lab.store).len();
    let other = data_encoding::HEXUPPER.encode(&blob(90, 9));
    let text = format!("INSERT INTO t (id, data) VALUES (?, X'{other}')");
    let statement = Statement::prepare(&mut client, &text);
    assert_eq!(objects(&lab.store).len(), objects_before);
    statement.ok(&mut client, &[int(11)]);
    assert_eq!(objects(&lab.store).len(), objects_before + 1);
    let error = Statement::try_prepare(&mut client, "INSERT INTO t (id, data) VALUES (?, 'bad')");
    match error {
        Err(error) => assert_eq!(error.code, 1366, "{error}"),
        // Found out when its value is looked at.
        Ok(statement) => {
            let error = statement.error(&mut client, &[int(12)]);
            assert_eq!(error.code, 1366, "{error}");
        }
    }
}

#[test]
fn duplicates() {
    let lab = Lab::new("prepared_duplicates");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let text = "INSERT INTO t (id, data) VALUES (?, ?) ON DUPLICATE KEY UPDATE note = ?, data = ?";
    let statement = Statement::prepare(&mut client, text);
    let (first, second) = (blob(40, 1), blob(40, 2));
    let bound = [
        int(1),
        bytes(BLOB, &first),
        bytes(VAR_STRING, b"again"),
        bytes(BLOB, &second),
    ];
    statement.ok(&mut client, &bound);
    assert_stored(&mut direct, &lab.store, "t", 1, &first);
    statement.ok(&mut client, &bound);
    assert_stored(&mut direct, &lab.store, "t", 1, &second);
    assert_eq!(direct.text("SELECT note FROM t"), "again");
    let text = "INSERT INTO t (id, data) VALUES (?, ?) ON DUPLICATE KEY UPDATE data = VALUES(data)";
    let statement = Statement::prepare(&mut client, text);
    statement.ok(&mut client, &[int(1), bytes(BLOB, &first)]);
    assert_stored(&mut direct, &lab.store, "t", 1, &first);
}

/// Definitions at prepare time agree with the view.
#[test]
fn definitions_agree_with_the_view() {
    let lab = Lab::new("prepared_definitions");
    lab.blob_table("t");
    for deprecate_eof in [false, true] {
        let bits = match deprecate_eof {
            true => caps::COMMON | caps::DEPRECATE_EOF,
            false => caps::COMMON,
        };
        let login = lab.login().capabilities(bits);
        let mut client = lab.connect(lab.proxy.port("bytes"), &login);
        let value = data_encoding::HEXUPPER.encode(&blob(9, 1));
        let text = format!("REPLACE INTO t VALUES (?, ?, X'{value}'), (1, '', ?)");
        let statement = Statement::prepare(&mut client, &text);
        assert_eq!(statement.parameters.len(), 3);
        let data = &statement.parameters[2];
        assert_eq!((data.kind, data.charset), (TYPE_BLOB, BINARY_CHARSET));
        let bound = [int(2), bytes(VAR_STRING, b""), bytes(BLOB, &blob(9, 2))];
        statement.ok(&mut client, &bound);
        let select = Statement::prepare(&mut client, "SELECT data, id FROM t WHERE id = ?");
        let data = &select.columns[0];
        assert_eq!((data.kind, data.charset), (TYPE_BLOB, BINARY_CHARSET));
        let answer = select.ok(&mut client, &[int(2)]);
        assert_eq!(&answer.columns[0], data);
        client.ok("SET @codec_view = 'json'");
        let select = Statement::prepare(&mut client, "SELECT data, id FROM t WHERE id = ?");
        let data = &select.columns[0];
        assert_eq!((data.kind, data.charset), (TYPE_BLOB, 45));
        let answer = select.ok(&mut client, &[int(2)]);
        assert_eq!(&answer.columns[0], data);
        client.ok("SET @codec_view = 'bytes'");
    }
}

/// PREPARE and EXECUTE in one write, as MariaDB's connectors send them.
#[test]
fn pipelined() {
    let lab = Lab::new("prepared_pipelined");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let mut pipeline = |sql: &str, bound: &[Bound]| {
        let last = Statement {
            id: u32::MAX,
            parameters: Vec::new(),
            columns: Vec::new(),
        };
        client.send(com::STMT_PREPARE, sql.as_bytes());
        let rest = super::statement::parameters(bound, true);
        client.send(com::STMT_EXECUTE, &execute_body(u32::MAX, 0, &rest));
        client.answer(Expect::Prepare);
        let frames = client.answer(Expect::Results);
        last.answer(&client, &frames)
    };
    let value = blob(500, 3);
    pipeline(INSERT, &row(1, &value)).expect("inserted");
    assert_stored(&mut direct, &lab.store, "t", 1, &value);
    let answer = pipeline("SELECT data FROM t WHERE id = ?", &[int(1)]).expect("selected");
    assert_same(
        answer.rows[0][0].as_deref().unwrap_or_default(),
        &value,
        "data",
    );
    pipeline("DELETE FROM t WHERE id = ?", &[int(7)]).expect("deleted");
    // What the proxy refuses is not the statement before.
    let error = pipeline("DELETE FROM t WHERE CONCAT(data) = ?", &[int(1)]).expect_err("refused");
    assert_eq!(error.code, 1243, "{error}");
    assert_eq!(direct.text("SELECT COUNT(*) FROM t"), "1");
    let error = pipeline("SELECT FROM WHERE", &[int(1)]).expect_err("refused");
    assert_eq!(error.code, 1243, "{error}");
}

/// A table that is another by now.
#[test]
fn tables_change() {
    let lab = Lab::new("prepared_changes");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let insert = Statement::prepare(&mut client, INSERT);
    insert.ok(&mut client, &row(1, &blob(9, 1)));
    lab.stored()
        .ok("ALTER TABLE t MODIFY data JSON COMMENT ':<hash@main>:'");
    let error = insert.error(&mut client, &row(2, &blob(9, 1)));
    assert_eq!(error.code, 1615, "{error}");
    let insert = Statement::prepare(&mut client, INSERT);
    insert.ok(&mut client, &row(2, b"anything"));
    assert_stored(&mut direct, &lab.store, "t", 2, b"anything");
}

#[test]
fn no_more_than_the_limit() {
    let lab = Lab::with_config("prepared_limit", |config| {
        format!("{config}\n[limits]\nprepared_statements = 3\n")
    });
    lab.blob_table("t");
    let mut client = lab.bytes();
    let mut all: Vec<Statement> = (0..3)
        .map(|_| Statement::prepare(&mut client, INSERT))
        .collect();
    let error = Statement::try_prepare(&mut client, INSERT)
        .err()
        .expect("refused");
    assert_eq!(error.code, 1461, "{error}");
    assert!(
        error.message.contains("limits.prepared_statements"),
        "{error}"
    );
    for n in 0..10 {
        Statement::prepare(&mut client, &format!("SELECT {n}"));
    }
    all.pop().expect("one of three").close(&mut client);
    let insert = Statement::prepare(&mut client, INSERT);
    insert.ok(&mut client, &row(1, &blob(9, 1)));
    client.command(com::RESET_CONNECTION, b"", Expect::Single);
    for _ in 0..3 {
        Statement::prepare(&mut client, INSERT);
    }
}

/// In a transaction, and in a character set of one byte.
#[test]
fn transactions_and_character_sets() {
    let lab = Lab::new("prepared_transactions");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let insert = Statement::prepare(&mut client, INSERT);
    client.ok("BEGIN");
    insert.ok(&mut client, &row(1, &blob(9, 1)));
    client.ok("ROLLBACK");
    assert_eq!(direct.text("SELECT COUNT(*) FROM t"), "0");
    client.ok("SET NAMES latin1");
    let value = blob(300, 4);
    for (id, kind) in [(2, BLOB), (3, VAR_STRING)] {
        insert.ok(
            &mut client,
            &[int(id), bytes(VAR_STRING, b"\xe9"), bytes(kind, &value)],
        );
        assert_stored(&mut direct, &lab.store, "t", i64::from(id), &value);
    }
    assert_eq!(direct.text("SELECT HEX(note) FROM t WHERE id = 2"), "C3A9");
    let hex = data_encoding::HEXUPPER.encode(&value);
    let text = format!("INSERT INTO t (id, data) VALUES (?, X'{hex}')");
    let statement = Statement::prepare(&mut client, &text);
    client.ok("SET NAMES utf8mb4");
    let error = statement.error(&mut client, &[int(4)]);
    assert_eq!(error.code, 1235, "{error}");
}

/// Statements that touch no codec column, on a table that has one.
#[test]
fn others_pass() {
    let lab = Lab::new("prepared_pass");
    lab.blob_table("t");
    let mut client: Client = lab.bytes();
    client.ok(sql(&[
        b"INSERT INTO t VALUES (1, 'x', ",
        &escaped(&blob(9, 1)),
        b")",
    ]));
    let update = Statement::prepare(&mut client, "UPDATE t SET note = ? WHERE id = ?");
    update.ok(&mut client, &[bytes(VAR_STRING, b"changed"), int(1)]);
    let select = Statement::prepare(&mut client, "SELECT note FROM t WHERE id = ?");
    let answer = select.ok(&mut client, &[int(1)]);
    assert_eq!(answer.rows[0][0].as_deref(), Some(&b"changed"[..]));
    let long = Statement::prepare(&mut client, "INSERT INTO t (id, note) VALUES (?, ?)");
    for piece in [&b"in "[..], b"pieces"] {
        long.long_data(&mut client, 1, piece);
    }
    let apart = super::statement::apart(BLOB);
    long.ok(&mut client, &[int(2), apart]);
    assert_eq!(client.text("SELECT note FROM t WHERE id = 2"), "in pieces");
    let delete = Statement::prepare(&mut client, "DELETE FROM t WHERE id >= ?");
    assert_eq!(
        delete
            .ok(&mut client, &[Bound(LONG, Some(vec![0; 4]))])
            .affected,
        2
    );
}

/// UPDATE of a codec column, with parameters among literals.
#[test]
fn updates() {
    let lab = Lab::new("prepared_updates");
    update(&lab);
}

#[test]
fn updates_on_mysql() {
    if let Some(lab) = Lab::on_mysql("prepared_updates") {
        update(&lab);
    }
}

fn update(lab: &Lab) {
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let insert = Statement::prepare(&mut client, INSERT);
    for id in 1..=3 {
        insert.ok(&mut client, &row(id, &blob(30, id as u64)));
    }
    let (given, fixed) = (blob(200, 8), blob(40, 9));
    let update = Statement::prepare(
        &mut client,
        "UPDATE t SET note = ?, data = ? WHERE id = ? AND note <> '?'",
    );
    let bound = [bytes(VAR_STRING, b"new"), bytes(BLOB, &given), int(2)];
    assert_eq!(update.ok(&mut client, &bound).affected, 1);
    assert_stored(&mut direct, &lab.store, "t", 2, &given);
    let bound = [bytes(VAR_STRING, b"none"), null(BLOB), int(1)];
    update.ok(&mut client, &bound);
    assert_eq!(direct.value("SELECT data FROM t WHERE id = 1"), None);
    let hex = data_encoding::HEXUPPER.encode(&fixed);
    let text = format!("UPDATE t SET note = ?, data = X'{hex}', id = id WHERE id = ?");
    let update = Statement::prepare(&mut client, &text);
    update.ok(&mut client, &[bytes(VAR_STRING, b"newer"), int(3)]);
    assert_stored(&mut direct, &lab.store, "t", 3, &fixed);
    assert_eq!(direct.text("SELECT note FROM t WHERE id = 3"), "newer");
    assert_stored(&mut direct, &lab.store, "t", 2, &given);
}

/// The literals of statements that stay prepared are bounded, too.
#[test]
fn texts_that_are_kept_are_bounded() {
    let lab = Lab::with_config("prepared_texts", |config| {
        format!("{config}\n[limits]\nstatement_bytes = 100_000\n")
    });
    lab.blob_table("t");
    let mut client = lab.bytes();
    let hex = data_encoding::HEXUPPER.encode(&blob(20_000, 1));
    let text = format!("INSERT INTO t (id, data) VALUES (?, X'{hex}')");
    let first = Statement::prepare(&mut client, &text);
    Statement::prepare(&mut client, &text);
    let error = Statement::try_prepare(&mut client, &text)
        .err()
        .expect("refused");
    assert_eq!(error.code, 1153, "{error}");
    Statement::prepare(&mut client, INSERT);
    first.close(&mut client);
    let again = Statement::prepare(&mut client, &text);
    again.ok(&mut client, &[int(1)]);
}

/// Values that the server makes, in the session of the client, at each execution.
#[test]
fn expressions() {
    let lab = Lab::new("prepared_expressions");
    lab.table(
        "t",
        "id INT PRIMARY KEY, note VARCHAR(200), data JSON COMMENT ':<blob@main>:', \
         here LONGBLOB COMMENT ':<blob>:'",
    );
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let (first, second) = (blob(60, 1), blob(70, 2));
    let hex = |value: &[u8]| data_encoding::HEXUPPER.encode(value);
    let text = format!(
        "REPLACE INTO t (id, data, note, here) VALUES (?, UNHEX('{}'), ?, @v), (?, @v, '', NULL)",
        hex(&first)
    );
    let replace = Statement::prepare(&mut client, &text);
    assert_eq!(replace.parameters.len(), 3);
    let bound = [int(1), bytes(VAR_STRING, b"x"), int(2)];
    replace.ok(&mut client, &bound);
    assert_stored(&mut direct, &lab.store, "t", 1, &first);
    let nulls =
        "SELECT here IS NULL AND (SELECT data IS NULL FROM t WHERE id = 2) FROM t WHERE id = 1";
    assert_eq!(direct.text(nulls), "1");
    client.ok(format!("SET @v = X'{}'", hex(&second)));
    replace.ok(&mut client, &bound);
    assert_stored(&mut direct, &lab.store, "t", 1, &first);
    assert_stored(&mut direct, &lab.store, "t", 2, &second);
    assert_eq!(
        direct.value("SELECT here FROM t WHERE id = 1"),
        Some(second)
    );
    let before = objects(&lab.store).len();
    client.ok("SET @v = 'nonsense'");
    let error = replace.error(&mut client, &bound);
    assert_eq!(error.code, 1366, "{error}");
    let text = "INSERT INTO t (id, data) VALUES (?, (SELECT 'x' FROM missing))";
    match Statement::try_prepare(&mut client, text) {
        Ok(insert) => assert_eq!(insert.error(&mut client, &[int(9)]).code, 1146),
        Err(error) => assert!(matches!(error.code, 1146 | 1235), "{error}"),
    }
    assert_eq!(objects(&lab.store).len(), before);
    client.ok("SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')");
    let error = replace.error(&mut client, &bound);
    assert_eq!(error.code, 1235, "{error}");
}
