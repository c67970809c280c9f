//! SELECT of codec columns in the `bytes` view.

use crate::support::answer::{BINARY_CHARSET, BINARY_FLAG, BLOB_FLAG, TYPE_BLOB};
use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{assert_same, escaped, packed, sql};

/// The value of row `id` in the tables of [`filled`].
fn value(id: u64) -> Vec<u8> {
    packed(id, 100 + (id as usize * 37) % 900)
}

/// A lab with `t` (rows 1 to 5; row 4 is NULL, row 5 equals row 1) and its like `u` (rows 2, 3).
fn filled(name: &str) -> Lab {
    let lab = Lab::new(name);
    lab.blob_table("t");
    lab.table(
        "u",
        "id INT PRIMARY KEY, other JSON COMMENT ':<blob@main>:', plain LONGBLOB",
    );
    let mut client = lab.bytes();
    let literal = |id: u64| escaped(&value(id));
    client.ok(sql(&[
        b"INSERT INTO t VALUES (1, 'a', ",
        &literal(1),
        b"), (2, 'b', ",
        &literal(2),
        b"), (3, 'c', ",
        &literal(3),
        b"), (4, 'd', NULL), (5, 'e', ",
        &literal(1),
        b")",
    ]));
    client.ok(sql(&[
        b"INSERT INTO u VALUES (2, ",
        &literal(12),
        b", 'plain'), (3, ",
        &literal(13),
        b", NULL)",
    ]));
    lab
}

/// One result cell: a packed value by its number, text, or NULL.
#[derive(Clone, Copy, Debug)]
enum Is {
    Packed(u64),
    Text(&'static str),
    Null,
}
use Is::{Null, Packed, Text};

fn assert_rows(client: &mut Client, sql: &str, expected: &[&[Is]]) {
    let rows = client.rows(sql);
    assert_eq!(rows.len(), expected.len(), "{sql}");
    for (row, expected) in rows.iter().zip(expected) {
        assert_eq!(row.len(), expected.len(), "{sql}");
        for (found, expected) in row.iter().zip(*expected) {
            match (found.as_deref(), expected) {
                (Some(found), Packed(id)) => assert_same(found, &value(*id), sql),
                (Some(found), Text(text)) => assert_eq!(found, text.as_bytes(), "{sql}"),
                (None, Null) => {}
                (found, expected) => panic!("{sql}: {found:?} and not {expected:?}"),
            }
        }
    }
}

#[test]
fn shapes_of_select() {
    let lab = filled("shapes");
    let mut client = lab.bytes();
    let schema = lab.database.clone();
    let all: &[&[Is]] = &[
        &[Text("1"), Packed(1)],
        &[Text("2"), Packed(2)],
        &[Text("3"), Packed(3)],
        &[Text("4"), Null],
        &[Text("5"), Packed(1)],
    ];
    for sql in [
        "SELECT id, data FROM t ORDER BY id".to_owned(),
        "select ID, DATA from t order by id".to_owned(),
        format!("SELECT `id`,`data` FROM `{schema}`.`t` ORDER BY `id`"),
        format!("SELECT {schema}.t.id, {schema}.t.data FROM {schema}.t ORDER BY 1"),
        "SELECT x.id, x.data AS renamed FROM t AS x ORDER BY x.id;".to_owned(),
        "SELECT /* data */ id, -- a note\n data FROM t FORCE INDEX (PRIMARY) ORDER BY id"
            .to_owned(),
        "SELECT id, data FROM t ORDER BY id LIMIT 10 OFFSET 0".to_owned(),
        "SELECT id, data FROM t WHERE note BETWEEN 'a' AND 'z' ORDER BY id FOR UPDATE".to_owned(),
        "SELECT id, data FROM t ORDER BY id LOCK IN SHARE MODE".to_owned(),
        "SELECT SQL_NO_CACHE DISTINCT id, data FROM t ORDER BY id".to_owned(),
        "SELECT id, data FROM t GROUP BY id ORDER BY id".to_owned(),
        "SELECT STRAIGHT_JOIN t.id, data FROM t LEFT JOIN u ON u.id = t.id ORDER BY t.id"
            .to_owned(),
    ] {
        assert_rows(&mut client, &sql, all);
    }
    for (sql, expected) in [
        (
            "SELECT data FROM t WHERE id = 2",
            &[&[Packed(2)][..]] as &[&[Is]],
        ),
        (
            "SELECT * FROM t WHERE id = 3",
            &[&[Text("3"), Text("c"), Packed(3)]],
        ),
        (
            "SELECT t.*, note AS n FROM t WHERE id = 3",
            &[&[Text("3"), Text("c"), Packed(3), Text("c")]],
        ),
        (
            "SELECT data, id, data FROM t WHERE id = 1",
            &[&[Packed(1), Text("1"), Packed(1)]],
        ),
        ("SELECT data FROM t WHERE id = 4", &[&[Null]]),
        ("SELECT data FROM t WHERE id = 99", &[]),
        ("SELECT data FROM t WHERE data IS NULL", &[&[Null]]),
        (
            "SELECT id, data FROM t WHERE data IS NOT NULL ORDER BY id DESC LIMIT 1",
            &[&[Text("5"), Packed(1)]],
        ),
        (
            "SELECT id, data FROM t ORDER BY note DESC LIMIT 2 OFFSET 1",
            &[&[Text("4"), Null], &[Text("3"), Packed(3)]],
        ),
        (
            "SELECT DISTINCT data FROM t WHERE id IN (1, 5)",
            &[&[Packed(1)]],
        ),
        (
            "SELECT t.data, u.other FROM t JOIN u USING (id) ORDER BY id",
            &[&[Packed(2), Packed(12)], &[Packed(3), Packed(13)]],
        ),
        (
            "SELECT * FROM t NATURAL JOIN u WHERE id = 2",
            &[&[Text("2"), Text("b"), Packed(2), Packed(12), Text("plain")]],
        ),
        (
            "SELECT a.data, b.data FROM t a, t b WHERE a.id = 1 AND b.id = 2",
            &[&[Packed(1), Packed(2)]],
        ),
        (
            "SELECT t.id, u.other FROM t LEFT JOIN u ON t.id = u.id WHERE t.id < 3 ORDER BY t.id",
            &[&[Text("1"), Null], &[Text("2"), Packed(12)]],
        ),
        (
            "SELECT u.other, plain FROM u ORDER BY id",
            &[&[Packed(12), Text("plain")], &[Packed(13), Null]],
        ),
        (
            "SELECT id, data FROM t WHERE id IN (SELECT id FROM u WHERE plain IS NULL)",
            &[&[Text("3"), Packed(3)]],
        ),
        (
            "SELECT id FROM t WHERE id NOT IN (SELECT id FROM u) ORDER BY id",
            &[&[Text("1")], &[Text("4")], &[Text("5")]],
        ),
        (
            "SELECT note, UPPER(note), 1 + 1, data FROM t WHERE id = 1",
            &[&[Text("a"), Text("A"), Text("2"), Packed(1)]],
        ),
        (
            "SELECT id, COUNT(*) AS n, data FROM t GROUP BY id HAVING id = 2",
            &[&[Text("2"), Text("1"), Packed(2)]],
        ),
        ("SELECT COUNT(*) FROM t", &[&[Text("5")]]),
        (
            "SELECT COUNT(DISTINCT id), MAX(id), MIN(note) FROM t",
            &[&[Text("5"), Text("5"), Text("a")]],
        ),
        (
            "SELECT EXISTS(SELECT 1 FROM t WHERE id = 1)",
            &[&[Text("1")]],
        ),
        ("SELECT 1 FROM t LIMIT 1", &[&[Text("1")]]),
        (
            "SELECT id FROM t WHERE id = 1 UNION SELECT id FROM u WHERE id = 2",
            &[&[Text("1")], &[Text("2")]],
        ),
        (
            "SELECT n FROM (SELECT id AS n FROM t) AS d WHERE n = 2",
            &[&[Text("2")]],
        ),
        (
            "WITH c AS (SELECT id, note FROM t) SELECT note FROM c WHERE id = 2",
            &[&[Text("b")]],
        ),
    ] {
        assert_rows(&mut client, sql, expected);
    }
}

/// What DataJoint 0.14 and 2.3.5 send to fetch, as their server logs show it.
#[test]
fn shapes_of_datajoint() {
    let lab = filled("dj_shapes");
    let mut client = lab.bytes();
    let d = lab.database.clone();
    let t = format!("`{d}`.`t`");
    let u = format!("`{d}`.`u`");
    for (sql, expected) in [
        (
            format!("SELECT `id`,`note`,`data` FROM {t} WHERE ( (`id`=2))"),
            &[&[Text("2"), Text("b"), Packed(2)][..]] as &[&[Is]],
        ),
        (
            format!(
                "SELECT `id`,`data` FROM {t} WHERE ( (id>1))AND( (`note`=\"c\")) ORDER BY `id` DESC LIMIT 2 OFFSET 0"
            ),
            &[&[Text("3"), Packed(3)]],
        ),
        (
            format!(
                "SELECT `id`,`note` as `renamed`,`data`,year(now())>2000 as `yr` FROM {t} WHERE ( (`id`=1))"
            ),
            &[&[Text("1"), Text("a"), Packed(1), Text("1")]],
        ),
        (
            format!("SELECT `id`,`data` as `trace` FROM {t} WHERE ( (`id`=1))"),
            &[&[Text("1"), Packed(1)]],
        ),
        (
            format!(
                "SELECT `id`,`note`,`data`,`other`,`plain` FROM {t} NATURAL JOIN {u} WHERE ( (`id`=2))"
            ),
            &[&[Text("2"), Text("b"), Packed(2), Packed(12), Text("plain")]],
        ),
        (
            format!(
                "SELECT `id`,`data`,`other` FROM {t} JOIN {u} USING (`id`) ORDER BY `id` LIMIT 1"
            ),
            &[&[Text("2"), Packed(2), Packed(12)]],
        ),
        (
            format!(
                "SELECT `id`,`data` FROM {t} WHERE ((`id`) in (SELECT `id` FROM {u})) ORDER BY `id`"
            ),
            &[&[Text("2"), Packed(2)], &[Text("3"), Packed(3)]],
        ),
        (
            format!(
                "SELECT `id`,`data` FROM {t} WHERE ((`id`) not in (SELECT `id` FROM {u})) ORDER BY `id` LIMIT 1"
            ),
            &[&[Text("1"), Packed(1)]],
        ),
        (
            format!(
                "SELECT `id`,count(`plain`) as `n` FROM {t} LEFT JOIN {u} USING (`id`) WHERE ( (`id`=2)) GROUP BY `id`"
            ),
            &[&[Text("2"), Text("1")]],
        ),
        (
            format!(
                "SELECT count(*) FROM (SELECT DISTINCT `id` FROM {t} WHERE ( (`id`=1))) AS distinct_count"
            ),
            &[&[Text("1")]],
        ),
        (
            format!("SELECT count(DISTINCT `id`) FROM {t}"),
            &[&[Text("5")]],
        ),
        (
            format!("SELECT EXISTS(SELECT 1 FROM {t} WHERE ( (`id`=1)))"),
            &[&[Text("1")]],
        ),
        (
            format!("SELECT DISTINCT `note` FROM {t} WHERE ( (`id`=1))"),
            &[&[Text("a")]],
        ),
    ] {
        assert_rows(&mut client, &sql, expected);
    }
}

/// The announced column is what a genuine LONGBLOB is announced as.
#[test]
fn metadata_is_that_of_a_longblob() {
    let lab = Lab::new("metadata");
    lab.table(
        "t",
        "id INT, data JSON COMMENT ':<blob@main>:x', plain LONGBLOB",
    );
    lab.bytes().ok(sql(&[
        b"INSERT INTO t VALUES (1,",
        &escaped(&packed(1, 9)),
        b", 'p')",
    ]));
    for login in [
        lab.login(),
        lab.login()
            .capabilities(crate::support::client::caps::COMMON),
    ] {
        let mut client = lab.connect(lab.proxy.port("bytes"), &login);
        for sql in [
            "SELECT id, data, plain FROM t",
            "SELECT id, data, plain FROM t WHERE id = 77",
            "SELECT * FROM t LIMIT 1",
        ] {
            let answer = client.ok(sql);
            let (data, plain) = (answer.column("data").clone(), answer.column("plain"));
            assert_eq!(data.kind, TYPE_BLOB, "{sql}");
            assert_eq!(data.charset, BINARY_CHARSET, "{sql}");
            assert_eq!(
                data.flags & (BINARY_FLAG | BLOB_FLAG),
                BINARY_FLAG | BLOB_FLAG,
                "{sql}"
            );
            let mut like_plain = plain.clone();
            like_plain.name.clone_from(&data.name);
            like_plain.org_name.clone_from(&data.org_name);
            assert_eq!(data, like_plain, "{sql}");
        }
        let answer = client.ok("SELECT x.data AS renamed FROM t x");
        let column = answer.column("renamed");
        let names = [
            &column.schema,
            &column.table,
            &column.org_table,
            &column.org_name,
        ];
        assert_eq!(names, [&lab.database, "x", "t", "data"]);
    }
}

#[test]
fn two_thousand_rows_in_order() {
    let lab = Lab::new("rows");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let mut text = b"INSERT INTO t VALUES ".to_vec();
    for id in 1..=2000u64 {
        let comma: &[u8] = if id > 1 { b"," } else { b"" };
        // Every seventh value is missing, some are long, many occur twice.
        let literal = match id {
            id if id % 7 == 0 => b"NULL".to_vec(),
            id => escaped(&value(id % 1500)),
        };
        text = sql(&[
            &text,
            comma,
            format!("({id},'n{id}',").as_bytes(),
            &literal,
            b")",
        ]);
    }
    client.ok(text);
    for (order, direction) in [("id", 1i64), ("id DESC", -1)] {
        let rows = client.rows(format!("SELECT id, data, note FROM t ORDER BY {order}"));
        assert_eq!(rows.len(), 2000);
        for (at, row) in (0..).zip(&rows) {
            let id = if direction > 0 { at + 1 } else { 2000 - at };
            assert_eq!(row[0], Some(id.to_string().into_bytes()));
            let expected = (id % 7 != 0).then(|| value(id as u64 % 1500));
            assert!(row[1] == expected, "row {id}");
            assert_eq!(row[2], Some(format!("n{id}").into_bytes()));
        }
    }
}

/// A client that reads slowly, or stops reading, does not stop others.
#[test]
fn a_client_that_does_not_read() {
    let lab = Lab::new("slow_reader");
    lab.blob_table("t");
    let mut client = lab.bytes();
    for id in 1..=30 {
        let literal = escaped(&packed(id, 1 << 20));
        client.ok(sql(&[
            format!("INSERT INTO t (id, data) VALUES ({id},").as_bytes(),
            &literal,
            b")",
        ]));
    }
    let mut slow = lab.bytes();
    slow.send(
        crate::support::client::com::QUERY,
        b"SELECT id, data FROM t ORDER BY id",
    );
    for id in [1u64, 30] {
        let read = client.value(format!("SELECT data FROM t WHERE id = {id}"));
        assert_same(
            &read.unwrap_or_default(),
            &packed(id, 1 << 20),
            "another client",
        );
    }
    let frames = slow.answer(crate::support::client::Expect::Results);
    assert_eq!(frames.len(), 1 + 2 + 30 + 1);
}

/// An error of the server in the middle of rows reaches the client as the server gave it.
#[test]
fn an_error_after_rows() {
    let lab = filled("late_error");
    let mut client = lab.bytes();
    let error =
        client.error("SELECT data, IF(id < 3, id, (SELECT 1 UNION SELECT 2)) FROM t ORDER BY id");
    assert!([1242, 1235].contains(&error.code), "{error}");
    assert_rows(
        &mut client,
        "SELECT data FROM t WHERE id = 1",
        &[&[Packed(1)]],
    );
}

/// Pipelined statements on codec columns are answered in order.
#[test]
fn pipelined_selects() {
    use crate::support::client::{Expect, com, packets};
    let lab = filled("pipelined");
    let mut client = lab.bytes();
    let mut bytes = Vec::new();
    let insert = sql(&[
        b"INSERT INTO t (id, data) VALUES (9, ",
        &escaped(&value(9)),
        b")",
    ]);
    for statement in [
        &b"SELECT data FROM t WHERE id = 1"[..],
        &insert,
        b"SELECT 1",
        b"SELECT data FROM t WHERE id = 9",
    ] {
        bytes.extend(packets(0, &sql(&[&[com::QUERY], statement])));
    }
    client.send_raw(&bytes);
    let mut ends_with = |expected: &[u8]| {
        let frames = client.answer(Expect::Results);
        let found = frames.iter().any(|frame| frame.body.ends_with(expected));
        assert!(found, "{} packets", frames.len());
    };
    ends_with(&value(1));
    ends_with(b"");
    ends_with(b"1");
    ends_with(&value(9));
}
