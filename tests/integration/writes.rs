//! INSERT and REPLACE into codec columns: rows, forms, defaults, duplicates.

mod copy;
mod expressions;
mod infile;
mod update;

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{assert_stored, escaped, hex, objects, packed, sql};

/// `INSERT … VALUES (1, …), (2, …)` for the values given.
fn many_rows(values: &[Vec<u8>]) -> Vec<u8> {
    let mut text = b"INSERT INTO t (id, data) VALUES ".to_vec();
    for (row, value) in values.iter().enumerate() {
        if row > 0 {
            text.push(b',');
        }
        text.extend_from_slice(format!("('{}',", row + 1).as_bytes());
        text.extend_from_slice(&escaped(value));
        text.push(b')');
    }
    text
}

#[test]
fn many_rows_in_one_statement() {
    let lab = Lab::new("many_rows");
    lab.blob_table("t");
    let values: Vec<_> = (1..=500)
        .map(|row| packed(row, 2000 + row as usize))
        .collect();
    let answer = lab.bytes().ok(many_rows(&values));
    assert_eq!(answer.affected, 500);
    let info = "Records: 500  Duplicates: 0  Warnings: 0";
    assert!(answer.info.ends_with(info), "{}", answer.info);
    let mut direct = lab.direct();
    for (row, value) in values.iter().enumerate() {
        assert_stored(&mut direct, &lab.store, "t", row as i64 + 1, value);
    }
    assert_eq!(objects(&lab.store).len(), 500);
}

#[test]
fn forms_of_insert() {
    let lab = Lab::new("forms");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let value = packed(9, 100);
    let literal = escaped(&value);
    let schema = lab.database.as_bytes();
    let forms: [&[&[u8]]; 14] = [
        &[b"INSERT INTO t VALUES (ID, 'n', ", &literal, b")"],
        &[b"insert t (data, id) values (", &literal, b", ID)"],
        &[
            b"INSERT INTO `",
            schema,
            b"`.`t`(`id`,`data`) VALUES ('ID',",
            &literal,
            b")",
        ],
        &[
            b"INSERT INTO ",
            schema,
            b" . t (`data`,\n`note`,\t`id`)\nVALUES(",
            &literal,
            b",DEFAULT,ID)",
        ],
        &[b"REPLACE INTO t VALUES (ID, NULL, ", &literal, b")"],
        &[b"REPLACE t (id, data) VALUE (ID, ", &literal, b");"],
        &[
            b"INSERT IGNORE INTO t (id, data) VALUES (ID, ",
            &literal,
            b")",
        ],
        &[
            b"INSERT LOW_PRIORITY INTO t (id, data) VALUES (ID, ",
            &literal,
            b") ;  ",
        ],
        &[
            b"INSERT HIGH_PRIORITY IGNORE t (id, DATA) VALUES (ID, ",
            &literal,
            b")",
        ],
        &[
            b"/* a note */ INSERT /* 'x' */ INTO t (id, data) -- (\nVALUES (ID, # ,\n",
            &literal,
            b")",
        ],
        &[
            b"INSERT INTO t (id, data) VALUES (ID, ",
            &literal,
            b") ON DUPLICATE KEY UPDATE `id`=`id`",
        ],
        &[
            b"INSERT INTO t (id, data) VALUES (ID, ",
            &literal,
            b") ON DUPLICATE KEY UPDATE `id`=`",
            schema,
            b"`.`t`.`id`",
        ],
        &[
            b"INSERT INTO t (id, note, data) VALUES (ID, CONCAT('a', (1 + 2) * 3), ",
            &literal,
            b")",
        ],
        &[
            b"INSERT INTO t (t.id, t.data) VALUES (ID + 0, ",
            &literal,
            b")",
        ],
    ];
    for (id, pieces) in (1..).zip(forms) {
        let statement = replace_id(&sql(pieces), id);
        client.ok(statement);
        assert_stored(&mut direct, &lab.store, "t", id, &value);
    }
    assert_eq!(direct.text("SELECT note FROM t WHERE id = 13"), "a9");
    assert_eq!(objects(&lab.store).len(), 1, "the same value is one object");
}

/// Puts a number in the place of the word ID (never inside the value: it has no such bytes).
fn replace_id(statement: &[u8], id: i64) -> Vec<u8> {
    let at: Vec<_> = (0..statement.len() - 1)
        .filter(|at| &statement[*at..at + 2] == b"ID")
        .collect();
    assert_eq!(at.len(), 1, "one place for the id");
    let id = id.to_string();
    [&statement[..at[0]], id.as_bytes(), &statement[at[0] + 2..]].concat()
}

#[test]
fn defaults_and_nulls() {
    let lab = Lab::new("defaults");
    lab.table(
        "t",
        "id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(9) DEFAULT 'none', \
         data JSON DEFAULT NULL COMMENT ':<blob@main>:may be missing'",
    );
    let mut client = lab.bytes();
    let value = packed(1, 10);
    client.ok("INSERT INTO t VALUES ()");
    client.ok("INSERT INTO t () VALUES ()");
    client.ok("INSERT INTO t (data) VALUES (NULL), (DEFAULT), ( null )");
    client.ok("INSERT INTO t (note) VALUES ('x')");
    let answer = client.ok(sql(&[
        b"INSERT INTO t (data) VALUES (DEFAULT),(",
        &escaped(&value),
        b"),(NULL)",
    ]));
    assert_eq!((answer.affected, answer.insert_id), (3, 7));
    let rows = client.rows("SELECT id, data FROM t ORDER BY id");
    assert_eq!(rows.len(), 9);
    for row in &rows {
        let id = String::from_utf8_lossy(row[0].as_deref().unwrap_or_default()).into_owned();
        assert_eq!(
            row[1].as_deref(),
            (id == "8").then_some(&value[..]),
            "row {id}"
        );
    }
    assert_stored(&mut lab.direct(), &lab.store, "t", 8, &value);
    assert_eq!(objects(&lab.store).len(), 1);
}

#[test]
fn a_not_null_column_refuses_null_as_the_server_does() {
    let lab = Lab::new("not_null");
    lab.table(
        "t",
        "id INT PRIMARY KEY, data JSON NOT NULL COMMENT ':<blob@main>:'",
    );
    let mut client = lab.bytes();
    assert_eq!(client.error("INSERT INTO t VALUES (1, NULL)").code, 1048);
    client.ok("SET sql_mode = 'STRICT_ALL_TABLES'");
    assert_eq!(client.error("INSERT INTO t (id) VALUES (1)").code, 1364);
    assert_eq!(lab.direct().text("SELECT COUNT(*) FROM t"), "0");
}

#[test]
fn duplicates() {
    let lab = Lab::new("duplicates");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let (first, second) = (packed(1, 60), packed(2, 60));
    let with = |head: &str, value: &[u8], tail: &str| {
        sql(&[head.as_bytes(), &escaped(value), tail.as_bytes()])
    };
    client.ok(with("INSERT INTO t VALUES (1, 'first', ", &first, ")"));

    let error = client.error(with("INSERT INTO t VALUES (1, 'second', ", &second, ")"));
    assert_eq!((error.code, error.sqlstate.as_str()), (1062, "23000"));
    assert!(
        !error.message.contains("codec-proxy"),
        "the server's own words: {error}"
    );
    assert_stored(&mut direct, &lab.store, "t", 1, &first);

    let answer = client.ok(with(
        "INSERT IGNORE INTO t VALUES (1, 'second', ",
        &second,
        ")",
    ));
    assert_eq!((answer.affected, answer.warnings), (0, 1));
    assert_stored(&mut direct, &lab.store, "t", 1, &first);

    client.ok(with(
        "INSERT INTO t VALUES (1, 'second', ",
        &second,
        ") ON DUPLICATE KEY UPDATE note = 'updated', id = id",
    ));
    assert_stored(&mut direct, &lab.store, "t", 1, &first);
    assert_eq!(direct.text("SELECT note FROM t"), "updated");

    let answer = client.ok(with("REPLACE INTO t VALUES (1, 'replaced', ", &second, ")"));
    assert_eq!(answer.affected, 2);
    assert_stored(&mut direct, &lab.store, "t", 1, &second);
    assert_eq!(client.value("SELECT data FROM t"), Some(second));
}

#[test]
fn on_duplicate_key_update_of_the_value_itself() {
    let lab = Lab::new("odku");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let (first, second) = (packed(1, 60), packed(2, 60));
    client.ok(sql(&[
        b"INSERT INTO t (id, data) VALUES (1, ",
        &escaped(&first),
        b")",
    ]));
    for update in [
        &b"data = VALUES(data)"[..],
        &sql(&[b"data = ", &escaped(&second)]),
    ] {
        let statement = sql(&[
            b"INSERT INTO t (id, data) VALUES (1, ",
            &escaped(&second),
            b") ON DUPLICATE KEY UPDATE ",
            update,
        ]);
        client.ok(statement);
        assert_stored(&mut direct, &lab.store, "t", 1, &second);
        client.ok(sql(&[
            b"REPLACE INTO t (id, data) VALUES (1, ",
            &escaped(&first),
            b")",
        ]));
    }
}

#[test]
fn mistakes_are_told_by_the_server() {
    let lab = Lab::new("mistakes");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let literal = escaped(&packed(1, 10));
    for (code, pieces) in [
        (
            1136,
            [
                b"INSERT INTO t (id, data) VALUES (1, ",
                literal.as_slice(),
                b", 3)",
            ],
        ),
        (1136, [b"INSERT INTO t VALUES (1, ", &literal, b")"]),
        (
            1054,
            [
                b"INSERT INTO t (id, nothing, data) VALUES (1, 2, ",
                &literal,
                b")",
            ],
        ),
        (
            1110,
            [
                b"INSERT INTO t (id, data, data) VALUES (1, NULL, ",
                &literal,
                b")",
            ],
        ),
        (
            1064,
            [b"INSERT INTO t (id, data) VALUES (1, ", &literal, b"))"],
        ),
        (
            1064,
            [b"INSERT INTO t (id, data) VALUES (1, ", &literal, b""],
        ),
        (
            1062,
            [
                b"INSERT INTO t (id, data) VALUES (1, NULL), (1, ",
                &literal,
                b")",
            ],
        ),
        (
            1146,
            [
                b"INSERT INTO missing (id, data) VALUES (1, ",
                &literal,
                b")",
            ],
        ),
    ] {
        let error = client.error(sql(&pieces));
        assert!(
            [code, 1235].contains(&error.code),
            "expected {code}: {error}"
        );
    }
    assert_eq!(lab.direct().text("SELECT COUNT(*) FROM t"), "0");
}

#[test]
fn every_codec_of_the_first_chain() {
    let lab = Lab::new("codecs");
    lab.table(
        "t",
        "id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:', \
         inline_one LONGBLOB COMMENT ':<blob>:', by_default JSON COMMENT ':<blob@>:', \
         anything JSON COMMENT ':<hash@main>:', plain LONGBLOB",
    );
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let value = packed(1, 5000);
    let anything = b"no header at all \x00\xff".to_vec();
    let literal = escaped(&value);
    client.ok(sql(&[
        b"INSERT INTO t VALUES (1,",
        &literal,
        b",",
        &literal,
        b",",
        &literal,
        b",",
        &escaped(&anything),
        b",",
        &escaped(&anything),
        b")",
    ]));
    client.ok("INSERT INTO t (id, anything) VALUES (2, '')");
    assert_stored(&mut direct, &lab.store, "t", 1, &value);
    assert_eq!(
        direct.value("SELECT inline_one FROM t WHERE id = 1"),
        Some(value.clone())
    );
    let same = direct.text("SELECT by_default = data FROM t WHERE id = 1");
    assert_eq!(same, "1", "the default store is written by its name");
    let rows = client.rows("SELECT * FROM t WHERE id = 1");
    let expected = [&value, &value, &value, &anything, &anything];
    for (found, expected) in rows[0][1..].iter().zip(expected) {
        assert_eq!(found.as_ref(), Some(expected));
    }
    assert_eq!(
        client.value("SELECT anything FROM t WHERE id = 2"),
        Some(Vec::new())
    );
    assert_eq!(objects(&lab.store).len(), 3);
}

/// All headers that a `<blob>` may have; nothing but the header is looked at.
#[test]
fn headers_of_packed_values() {
    let lab = Lab::new("headers");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let values = [&b"mYm\0A"[..], b"dj0\0\xff", b"ZL123\0\0\0\0\0\0\0\0\0"];
    for (id, value) in (1..).zip(values) {
        client.ok(sql(&[
            format!("INSERT INTO t (id, data) VALUES ({id}, ").as_bytes(),
            &hex(value),
            b")",
        ]));
        assert_stored(&mut lab.direct(), &lab.store, "t", id, value);
    }
}

#[test]
fn an_existing_object_is_not_written_again() {
    let lab = Lab::new("existing");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let insert = |id: u8| {
        sql(&[
            b"INSERT INTO t (id, data) VALUES (",
            &[b'0' + id],
            b",",
            &escaped(&packed(1, 99)),
            b")",
        ])
    };
    client.ok(insert(1));
    let seen = |lab: &Lab| {
        let object = &objects(&lab.store)[0];
        let meta = fs::metadata(object).expect("an object");
        (meta.ino(), meta.mtime(), meta.mtime_nsec())
    };
    let before = seen(&lab);
    client.ok(insert(2));
    lab.bytes().ok(insert(3));
    assert_eq!(seen(&lab), before);
    assert_eq!(
        objects(&lab.store).len(),
        1,
        "and no temporary file is left"
    );
}

#[test]
fn transactions_are_the_servers() {
    let lab = Lab::new("transactions");
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let insert = |id: &str| {
        sql(&[
            b"INSERT INTO t (id, data) VALUES (",
            id.as_bytes(),
            b",",
            &escaped(&packed(1, 9)),
            b")",
        ])
    };
    client.ok("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    client.ok(insert("1"));
    assert_eq!(client.rows("SELECT data FROM t").len(), 1);
    assert_eq!(direct.rows("SELECT data FROM t").len(), 0);
    client.ok("ROLLBACK");
    client.ok("SET autocommit = 0");
    client.ok(insert("2"));
    client.ok("COMMIT");
    client.ok("DELETE FROM t WHERE id = 2");
    client.ok("ROLLBACK");
    assert_eq!(direct.text("SELECT GROUP_CONCAT(id) FROM t"), "2");
}

/// What looks like a codec statement and is none passes to the byte.
#[test]
fn other_tables_are_left_alone() {
    let lab = Lab::new("other_tables");
    lab.blob_table("t");
    lab.table(
        "plain",
        "id INT PRIMARY KEY, data LONGBLOB COMMENT 'blob@main', t TEXT",
    );
    let mut client = lab.bytes();
    let check = |client: &mut Client, id: u8, value: &[u8]| {
        let id = [b'0' + id];
        client.ok(sql(&[
            b"INSERT INTO plain VALUES (",
            &id,
            b",",
            &escaped(value),
            b", 'INTO t VALUES')",
        ]));
        let read = client.value(sql(&[b"SELECT data FROM plain WHERE id = ", &id]));
        assert_eq!(read.as_deref(), Some(value));
    };
    check(&mut client, 1, b"no header");
    check(
        &mut client,
        2,
        br#"{"hash": "x", "path": "y", "store": "main"}"#,
    );
    check(&mut client, 3, &packed(1, 100));
    client.ok("UPDATE plain SET data = CONCAT(data, 'more')");
    assert_eq!(objects(&lab.store).len(), 0);
}

/// A column that is called like a codec table (with DataJoint nearly every key is).
#[test]
fn a_column_named_as_a_codec_table() {
    let lab = Lab::new("namesakes");
    let database = lab.database.clone();
    lab.blob_table("session");
    lab.table(
        "trial",
        "session INT, trial INT, data LONGBLOB, PRIMARY KEY (session, trial)",
    );
    let mut client = lab.bytes();
    client.ok("INSERT INTO trial (session, trial, data) VALUES (1, 2, 'plain')");
    let select = format!("SELECT `data` FROM `{database}`.`trial` WHERE ( (`session`=1))");
    assert_eq!(client.text(&select), "plain");
    assert_eq!(
        client.text("SELECT CONCAT(data, session) FROM trial"),
        "plain1"
    );
    client.ok("INSERT INTO trial SELECT session + 1, trial, data FROM trial");
    client.ok("INSERT INTO trial SET session = 3, trial = 1, data = 'set'");
    client.ok("DELETE FROM trial WHERE session = 2 AND data = 'plain'");
    assert_eq!(client.text("SELECT COUNT(data) FROM trial"), "2");
    client.ok(format!(
        "UPDATE `{database}`.`trial` SET `data`='changed' WHERE  (`session`=1)AND(`trial`=2)"
    ));
    assert_eq!(client.text(&select), "changed");
}

/// The `stored` view runs no codec: pointers pass as they are.
#[test]
fn the_stored_view_writes_what_it_is_given() {
    let lab = Lab::new("stored_writes");
    lab.blob_table("t");
    let value = packed(3, 300);
    lab.bytes().ok(sql(&[
        b"INSERT INTO t (id, data) VALUES (1, ",
        &escaped(&value),
        b")",
    ]));
    let pointer = lab.direct().text("SELECT data FROM t");
    let mut stored = lab.stored();
    assert_eq!(stored.text("SELECT data FROM t"), pointer);
    stored.ok(format!("INSERT INTO t (id, data) VALUES (2, '{pointer}')"));
    stored.ok(format!("UPDATE t SET data = '{pointer}' WHERE id = 1"));
    assert_eq!(
        lab.bytes().value("SELECT data FROM t WHERE id = 2"),
        Some(value)
    );
    assert_eq!(objects(&lab.store).len(), 1);
}
