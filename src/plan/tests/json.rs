//! The `json` view: inline codec columns are translated, too.

use bytes::Bytes;

use super::super::*;
use super::{context, index, plan_in, short, stores};
use crate::refusal::Refusal;

fn json() -> Context<'static> {
    Context {
        view: View::Json,
        stores: &stores,
        ..context()
    }
}

fn plan(text: &str) -> Result<Plan, Refusal> {
    plan_in(text.as_bytes(), &json())
}

#[track_caller]
fn check(shapes: &[(&str, &str)]) {
    for (text, expected) in shapes {
        let plan = plan(text);
        let message = plan.as_ref().err().map(|r| r.message.clone());
        assert_eq!(short(plan), *expected, "{text}: {message:?}");
    }
}

#[test]
fn inline_columns_are_read_by_their_metadata() {
    check(&[
        ("SELECT sig FROM inline", "read"),
        ("SELECT * FROM inline", "read"),
        (
            "SELECT DISTINCT id, sig AS s FROM inline WHERE sig IS NOT NULL",
            "read",
        ),
        (
            "SELECT sig, traces FROM session ORDER BY subject_id",
            "read",
        ),
        ("SELECT sig FROM (SELECT sig FROM inline) x", "read"),
        (
            "SELECT sig FROM inline UNION SELECT sig FROM inline",
            "read",
        ),
        ("SELECT id FROM inline", "pass"),
        ("SELECT count(*) FROM inline", "pass"),
        ("CALL p()", "read"),
        ("DELETE FROM inline WHERE id = 1", "pass"),
        ("UPDATE inline SET sig = NULL WHERE id = 1", "pass"),
    ]);
}

#[test]
fn inline_columns_are_used_in_no_other_way() {
    for text in [
        "SELECT length(sig) FROM inline",
        "SELECT id FROM inline WHERE sig = 'x'",
        "SELECT sig FROM inline ORDER BY sig",
        "SELECT sig FROM inline ORDER BY 1",
        "SELECT sig INTO @x FROM inline",
        "SELECT id FROM inline JOIN session USING (sig)",
        "INSERT INTO other SELECT sig FROM inline",
        "INSERT INTO other VALUES ((SELECT sig FROM inline))",
        "UPDATE other SET a = (SELECT sig FROM inline)",
        "DELETE FROM inline WHERE sig = 'x'",
        "SET @x = (SELECT sig FROM inline)",
        "DO (SELECT max(sig) FROM inline)",
        "CREATE TABLE copy AS SELECT * FROM inline",
        "CREATE TRIGGER tr BEFORE INSERT ON inline FOR EACH ROW SET NEW.sig = 'x'",
        "EXECUTE IMMEDIATE 'INSERT INTO inline VALUES (1, 2)'",
        "SELECT 1; SELECT max(sig), sig FROM inline GROUP BY hex(sig)",
    ] {
        let found = short(plan(text));
        assert!(found.starts_with("no lab.inline"), "{text}: {found}");
    }
}

#[test]
fn literals_for_inline_columns_become_cells() {
    check(&[
        (
            "INSERT INTO inline VALUES (1, '[1, 2]'), (2, NULL)",
            "write 1",
        ),
        ("REPLACE inline (sig) VALUES ('null')", "write 1"),
        (
            "INSERT INTO session (sig, traces) VALUES ('1', '2') \
             ON DUPLICATE KEY UPDATE sig = VALUES(sig), traces = 'x'",
            "write 3 4 4",
        ),
    ]);
}

#[test]
fn prepared_statements_on_inline_columns() {
    for (text, expected) in [
        ("SELECT id FROM inline WHERE id = ?", "pass"),
        ("SELECT sig FROM inline WHERE id = ?", "read"),
        ("INSERT INTO inline VALUES (?, ?)", "write 1"),
    ] {
        let plan = examine_prepared(&Bytes::from_static(text.as_bytes()), &json(), &index());
        assert_eq!(short(plan), expected, "{text}");
    }
}

#[test]
fn natural_join_must_not_compare_inline_columns() {
    let text = "SELECT id FROM inline NATURAL JOIN wide";
    let index = index().with_namesake("lab", "wide", "sig");
    for (view, expected) in [(View::Json, "no lab.inline.sig"), (View::Bytes, "pass")] {
        let context = Context { view, ..context() };
        let plan = examine(&Bytes::from_static(text.as_bytes()), &context, &index);
        assert_eq!(short(plan), expected, "{view}");
    }
}

#[test]
fn views_on_inline_columns_are_refused_here_only() {
    let text = "SELECT * FROM v_inline";
    assert_eq!(short(plan(text)), "no lab.v_inline");
    assert_eq!(short(super::plan(text)), "pass");
    assert_eq!(short(plan("SELECT * FROM v_traces")), "no lab.v_traces");
}

#[test]
fn codecs_are_declared_as_in_the_bytes_view() {
    check(&[
        (
            "CREATE TABLE t (x longblob COMMENT '<blob@main> x')",
            "declare",
        ),
        ("CREATE TABLE t (x json COMMENT '<blob>')", "declare"),
        ("SHOW FULL COLUMNS FROM inline", "describe"),
    ]);
}
