//! Rows whose objects are named by the primary key.

use std::sync::Arc;

use bytes::Bytes;

use super::super::*;
use super::{column, context, short};
use crate::catalog::{Index, KeyType, NameCase, TableKind};
use crate::codec::Value;
use crate::codec::value::Date;
use crate::refusal::Refusal;

/// `n` is counted up in `counted` only.
fn index() -> Index {
    let table = |name: &str, number: KeyType| {
        let mut columns = vec![
            column("subject", ""),
            column("n", "int32"),
            column("img", "<object@main>"),
            column("day", "date"),
            column("arr", "<npy@>"),
            column("traces", "<blob@main>"),
            column("note", ""),
        ];
        columns[0].key = Some(KeyType::Text);
        columns[1].key = Some(number);
        columns[3].key = Some(KeyType::Date);
        columns[6].invisible = true;
        Arc::new(Table {
            schema: "lab".into(),
            name: name.into(),
            kind: TableKind::Base,
            columns,
        })
    };
    let tables = vec![
        table("scan", KeyType::Int),
        table("counted", KeyType::AutoIncrement),
    ];
    Index::new(tables, NameCase::Sensitive, true)
}

fn plan(text: &str) -> Result<Plan, Refusal> {
    let text = Bytes::copy_from_slice(text.as_bytes());
    examine(&text, &context(), &index())
}

fn write(text: &str) -> Write {
    match plan(text) {
        Ok(Plan::Write(write)) => write,
        other => panic!("{text}: {}", short(other)),
    }
}

fn keys(write: &Write) -> Vec<Key> {
    let known = |key: &RowKey| key.known().expect("literals only");
    write.keys.iter().map(known).collect()
}

fn key(subject: &str, n: i64, day: u8) -> Key {
    let day = Date::new(2020, 1, day).expect("a day of January");
    let columns = [
        ("subject", Value::from(subject)),
        ("n", Value::Int(n)),
        ("day", Value::Date(day)),
    ];
    Key {
        columns: columns.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

#[test]
fn rows_have_their_keys_in_table_order() {
    let write = write(
        "INSERT INTO scan (day, img, n, subject, traces) VALUES \
         ('2020-01-02', 'x', 7, 'a', 'mYm'), ('2020-01-03', NULL, f(), 'b', 'mYm'), \
         ('2020-01-04', X'00', '9', 'c', DEFAULT)",
    );
    let cells: Vec<_> = write.cells.iter().map(|c| (c.row, c.column)).collect();
    assert_eq!(cells, [(0, 2), (0, 5), (1, 5), (2, 2)]);
    // The second row writes no object that is named by it.
    assert_eq!(
        keys(&write),
        [key("a", 7, 2), Key::default(), key("c", 9, 4)]
    );
}

#[test]
fn without_a_column_list_the_visible_columns_count() {
    let write = write("REPLACE scan VALUES ('a', -1, NULL, '2020-01-05', 'npy', NULL)");
    assert_eq!(keys(&write), [key("a", -1, 5)]);
    assert_eq!(write.cells[0].column, 4);
}

#[test]
fn no_key_is_asked_for_where_no_codec_needs_it() {
    for text in [
        "INSERT INTO scan (traces) VALUES ('mYm')",
        "INSERT INTO scan (subject, n, traces, img) VALUES (uuid(), NULL, 'mYm', NULL)",
        "INSERT INTO counted (traces, arr) VALUES ('mYm', DEFAULT)",
    ] {
        assert!(write(text).keys.is_empty(), "{text}");
    }
    let nothing = "INSERT INTO scan (subject) VALUES (uuid())";
    assert_eq!(short(plan(nothing)), "pass");
}

#[test]
fn a_key_that_is_not_known_is_refused() {
    for (text, column, problem) in [
        (
            "INSERT INTO scan (subject, n, img) VALUES ('a', 1, 'x')",
            "img",
            "day is not in the statement",
        ),
        (
            "INSERT INTO scan (subject, n, day, arr) VALUES ('a', 1, NULL, 'x')",
            "arr",
            "day is left to the server",
        ),
        (
            "INSERT INTO scan (subject, n, day, arr) VALUES ('a', DEFAULT, '2020-01-01', 'x')",
            "arr",
            "n is left to the server",
        ),
        (
            "INSERT INTO scan (subject, n, day, img) VALUES ('a', 1 + ?, '2020-01-01', 'x')",
            "img",
            "n is an expression with a parameter",
        ),
        (
            "INSERT INTO scan (subject, n, day, img) VALUES ('a', 'one', '2020-01-01', 'x')",
            "img",
            "n is not written as a whole number",
        ),
        (
            "INSERT INTO counted (subject, n, day, img) VALUES ('a', 0, '2020-01-01', 'x')",
            "img",
            "n is left to the server, which counts it up",
        ),
        (
            "INSERT INTO scan (subject, n, day, img) VALUES ('a', 1, '2020-01-01', 'x'), \
             ('a', 2, 'monday', 'x')",
            "img",
            "day is no date",
        ),
    ] {
        let refusal = plan(text).expect_err(text);
        assert_eq!(refusal.code, 1235, "{text}");
        let message = refusal.message;
        assert!(message.contains(problem), "{text}: {message}");
        assert!(
            message.contains(&format!(".{column}:")),
            "{text}: {message}"
        );
        assert!(
            message.contains("as a literal in INSERT … VALUES"),
            "{message}"
        );
    }
}

#[test]
fn on_duplicate_key_update_takes_the_value_of_the_row() {
    let row = "INSERT INTO scan (subject, n, day, img) VALUES ('a', 1, '2020-01-01', 'x') \
               ON DUPLICATE KEY UPDATE";
    for update in ["img = VALUES(img)", "img = NULL", "img = img", "n = 2"] {
        let write = write(&format!("{row} {update}"));
        assert_eq!(keys(&write), [key("a", 1, 1)], "{update}");
        assert_eq!(write.cells.len(), 1, "{update}");
    }
    let literal = plan(&format!("{row} img = 'y'"));
    assert_eq!(short(literal), "no lab.scan.img");
    let other = write(&format!("{row} traces = 'mYm'"));
    assert_eq!((other.cells[1].column, other.cells[1].row), (5, 0));
}

#[test]
fn values_and_keys_may_be_parameters_of_prepared_statements() {
    let text = "INSERT INTO scan (subject, n, day, img, traces) VALUES \
                ('a?', ?, '2020-01-01', ?, 'mYm'), (?, 2, ?, NULL, ?)";
    assert_eq!(short(plan(text)), "no lab.scan.img");
    let text = Bytes::copy_from_slice(text.as_bytes());
    let Ok(Plan::Write(write)) = examine_with_parameters(&text, &context(), &index()) else {
        panic!("not a write");
    };
    let numbers = write.cells.iter().map(|cell| match cell.source {
        Source::Parameter(number) => Some(number),
        _ => None,
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [Some(1), None, Some(4)]);
    let numbers = write.keys.iter().map(|key| {
        let parts = key.parts.iter().map(|part| match part.source {
            KeySource::Parameter(number) => Some(number),
            _ => None,
        });
        parts.collect::<Vec<_>>()
    });
    assert_eq!(
        numbers.collect::<Vec<_>>(),
        [vec![None, Some(0), None], vec![]]
    );
}

#[test]
fn an_update_of_one_row_has_its_key() {
    for condition in [
        "subject = 'a' AND n = 1 AND day = '2020-01-01'",
        "(`subject`=\"a\")AND(`n`=1)AND(`day`=\"2020-01-01\")",
        "((scan.n = '1') AND lab.scan.subject = ('a')) AND note > 2 AND (day = '2020-01-01')",
    ] {
        let write = write(&format!(
            "UPDATE scan SET img = 'x' WHERE {condition} LIMIT 1"
        ));
        assert_eq!(keys(&write), [key("a", 1, 1)], "{condition}");
    }
    let write = write("INSERT INTO scan SET day = '2020-01-01', img = 'x', n = 1, subject = 'a'");
    assert_eq!(keys(&write), [key("a", 1, 1)]);
}

#[test]
fn rows_of_other_updates_are_looked_up() {
    let looked_up = |tail: &str| {
        let write = write(&format!("UPDATE scan SET img = 'x'{tail}"));
        assert!(write.keys.is_empty(), "{tail}");
        let lookup = write.lookup.unwrap_or_else(|| panic!("{tail}: no lookup"));
        let names: Vec<_> = lookup.key.iter().map(|(_, name, _)| name.clone()).collect();
        assert_eq!(names, ["subject", "n", "day"]);
        assert_eq!(lookup.key[1].0, "`scan`.`n`");
        (
            String::from_utf8_lossy(&lookup.rows).into_owned(),
            lookup.unlimited,
        )
    };
    assert_eq!(looked_up(""), (" FROM scan\n".to_owned(), true));
    assert_eq!(
        looked_up(" WHERE n > 2 ORDER BY n LIMIT 3"),
        (
            " FROM scan WHERE n > 2\nORDER BY n LIMIT 3".to_owned(),
            false
        )
    );
    for condition in [
        "subject = 'a' AND n = 1",
        "subject = 'a' AND n = 1 AND day = '2020-01-01' OR n = 2",
        "NOT (subject = 'a' AND n = 1 AND day = '2020-01-01')",
        "subject = 'a' AND n >= 1 AND day = '2020-01-01'",
        "subject = 'a' AND n = 1 + 1 = 2 AND day = '2020-01-01'",
        "subject = 'a' AND (n = 1 OR n = 2) AND day = '2020-01-01'",
        "subject = 'a' AND n <=> 1 AND day = '2020-01-01'",
        "subject = 'a' AND n = 1 AND day = 'today'",
    ] {
        let expected = format!(" FROM scan WHERE {condition}\n");
        assert_eq!(looked_up(&format!(" WHERE {condition}")), (expected, true));
    }
    let write = write("UPDATE lab.scan AS `s``t` SET img = NULL, arr = 'x'");
    assert_eq!(write.lookup.expect("a lookup").key[0].0, "`s``t`.`subject`");
}

#[test]
fn the_server_is_asked_for_expressions_in_keys() {
    let text = "INSERT INTO scan (subject, n, day, img) VALUES ('a', 1 + 1, curdate(), 'x')";
    let write = write(text);
    let written: Vec<&str> = write.keys[0]
        .parts
        .iter()
        .filter_map(|part| match &part.source {
            KeySource::Expression(span) => Some(&text[span.clone()]),
            _ => None,
        })
        .collect();
    assert_eq!(written, ["1 + 1", "curdate()"]);
}

#[test]
fn other_ways_to_write_stay_refused() {
    for text in [
        "INSERT INTO scan (subject, n, day, img) SELECT 'a', 1, '2020-01-01', 'x'",
        "UPDATE scan SET img = 'x', n = 2 WHERE subject = 'a' AND n = 1 AND day = '2020-01-01'",
        "UPDATE scan SET img = 'x', n = 2",
        "WITH c AS (SELECT 1) UPDATE scan SET img = 'x'",
        "UPDATE scan SET img = 'x' WHERE @a := 1",
        "UPDATE scan JOIN other SET img = 'x' WHERE subject = 'a' AND n = 1 AND day = '2020-01-01'",
    ] {
        assert_eq!(short(plan(text)), "no lab.scan.img", "{text}");
    }
}
