//! MariaDB's bulk execution.

use super::statement::{
    BLOB, Bound, LONG, Statement, VAR_STRING, blob, bytes, int, null, parameters,
};
use crate::support::client::{Client, caps};
use crate::support::lab::Lab;
use crate::support::objects::{assert_same, assert_stored, objects};

const BULK: u64 = 1 << 34;
const UNIT_RESULTS: u64 = 1 << 37;

fn connect(lab: &Lab, bits: u64) -> Client {
    let bits = caps::COMMON | caps::DEPRECATE_EOF | BULK | bits;
    let login = lab.login().capabilities(bits);
    let client = lab.connect(lab.proxy.port("bytes"), &login);
    assert_ne!(client.capabilities & BULK, 0);
    client
}

#[test]
fn many_rows() {
    let lab = Lab::new("prepared_bulk");
    lab.blob_table("t");
    let (mut client, mut direct) = (connect(&lab, 0), lab.direct());
    let insert = "INSERT INTO t (id, data, note) VALUES (?, ?, ?)";
    let insert = Statement::prepare(&mut client, insert);
    let kinds = [LONG, BLOB, VAR_STRING];
    let rows: Vec<Vec<Option<Bound>>> = (0..1000)
        .map(|id| {
            let data = match id % 10 {
                3 => Some(null(BLOB)),
                4 => None,
                _ => Some(bytes(BLOB, &blob(20 + id as usize, id as u64))),
            };
            let note = bytes(VAR_STRING, b"n");
            vec![Some(int(id)), data, Some(note)]
        })
        .collect();
    let answer = insert.bulk(&mut client, &kinds, &rows).expect("inserted");
    assert_eq!(answer.affected, 1000);
    let counts = direct.rows("SELECT COUNT(*), COUNT(data), COUNT(note) FROM t");
    let counts: Vec<_> = counts[0]
        .iter()
        .map(|value| String::from_utf8(value.clone().expect("a count")).expect("digits"))
        .collect();
    assert_eq!(counts, ["1000", "800", "1000"]);
    for id in [0, 255, 256, 999] {
        assert_stored(
            &mut direct,
            &lab.store,
            "t",
            id,
            &blob(20 + id as usize, id as u64),
        );
    }

    // The types of the time before; then by an ordinary execution.
    let value = blob(50, 1);
    let row = vec![Some(int(1001)), Some(bytes(BLOB, &value)), None];
    insert.bulk(&mut client, &[], &[row]).expect("inserted");
    assert_stored(&mut direct, &lab.store, "t", 1001, &value);
    let bound = [int(1002), bytes(BLOB, &value), null(VAR_STRING)];
    insert.ok(&mut client, &bound);
    assert_stored(&mut direct, &lab.store, "t", 1002, &value);

    // One bad row, and nothing is sent.
    let before = objects(&lab.store).len();
    let bad = [
        vec![Some(int(2000)), Some(bytes(BLOB, &blob(60, 2))), None],
        vec![Some(int(2001)), Some(bytes(BLOB, b"nonsense")), None],
    ];
    let error = insert.bulk(&mut client, &kinds, &bad).expect_err("refused");
    assert_eq!(error.code, 1366, "{error}");
    assert_eq!(direct.text("SELECT COUNT(*) FROM t WHERE id >= 2000"), "0");
    assert_eq!(objects(&lab.store).len(), before);
    let numbers = [vec![Some(int(2000)), Some(int(7)), None]];
    let kinds = [LONG, LONG, VAR_STRING];
    let error = insert
        .bulk(&mut client, &kinds, &numbers)
        .expect_err("refused");
    assert_eq!(error.code, 1366, "{error}");
}

/// Literals of the text are in every row; objects named by the key have each their own.
#[test]
fn literals_and_keys() {
    let lab = Lab::new("prepared_bulk_keys");
    lab.table(
        "t",
        "id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:', o JSON COMMENT ':<object@main>:', \
         here LONGBLOB COMMENT ':<blob>:'",
    );
    let (mut client, mut direct) = (connect(&lab, 0), lab.direct());
    let fixed = blob(70, 1);
    let hex = data_encoding::HEXUPPER.encode(&fixed);
    let text = format!("INSERT INTO t (data, o, id, here) VALUES (X'{hex}', 'same', ?, ?)");
    let insert = Statement::prepare(&mut client, &text);
    let rows: Vec<Vec<Option<Bound>>> = (0..300)
        .map(|id| vec![Some(int(id)), Some(bytes(BLOB, &blob(10, id as u64)))])
        .collect();
    let answer = insert
        .bulk(&mut client, &[LONG, BLOB], &rows)
        .expect("inserted");
    assert_eq!(answer.affected, 300);
    for id in [0, 299] {
        assert_stored(&mut direct, &lab.store, "t", id, &fixed);
        let metadata = direct.text(format!("SELECT o FROM t WHERE id = {id}"));
        assert!(metadata.contains(&format!("/t/id={id}/o")), "{metadata}");
    }
    let select = Statement::prepare(&mut client, "SELECT id, data, o, here FROM t WHERE id = ?");
    let row = select.ok(&mut client, &[int(299)]).rows.remove(0);
    assert_same(row[1].as_deref().unwrap_or_default(), &fixed, "data");
    assert_eq!(row[2].as_deref(), Some(&b"same"[..]));
    assert_same(
        row[3].as_deref().unwrap_or_default(),
        &blob(10, 299),
        "here",
    );
    let rows = [vec![None, Some(bytes(BLOB, &blob(10, 1)))]];
    let error = insert
        .bulk(&mut client, &[LONG, BLOB], &rows)
        .expect_err("refused");
    assert_eq!(error.code, 1235, "{error}");
}

/// Ids and counts of each row, where the server tells them.
#[test]
fn results_of_units() {
    let lab = Lab::new("prepared_bulk_units");
    lab.table(
        "t",
        "id INT AUTO_INCREMENT PRIMARY KEY, data JSON COMMENT ':<blob@main>:'",
    );
    let mut client = connect(&lab, UNIT_RESULTS);
    let insert = Statement::prepare(&mut client, "INSERT INTO t (data) VALUES (?)");
    let rows: Vec<Vec<Option<Bound>>> = (0..3)
        .map(|n| vec![Some(bytes(BLOB, &blob(10, n)))])
        .collect();
    insert.bulk(&mut client, &[BLOB], &rows).expect("inserted");
    assert_eq!(lab.direct().text("SELECT COUNT(data) FROM t"), "3");
    let body = parameters(&[bytes(BLOB, &blob(10, 9))], true);
    insert.execute(&mut client, 0, &body).expect("inserted");
    assert_eq!(lab.direct().text("SELECT COUNT(data) FROM t"), "4");
}
