//! Statements that name what an earlier one has opened or prepared, and those that are run as
//! texts.

use bytes::Bytes;

use super::*;
use crate::config::Limits;
use crate::plan::{Handler, Standing, examine_prepared};

/// The plans of statements that come one after the other in a session.
fn session(texts: &[&str]) -> Vec<String> {
    let mut standing = Standing::default();
    let limits = Limits::default();
    let mut found = Vec::new();
    for text in texts {
        let context = Context {
            standing: &standing,
            ..context()
        };
        let plan = plan_in(text.as_bytes(), &context);
        match plan.clone() {
            Ok(Plan::Prepare(prepare)) => {
                standing
                    .prepare(&prepare.name, prepare.text, &limits)
                    .expect("there is room");
            }
            Ok(Plan::Handler(Handler::Open { name, table, .. })) => {
                standing.open(&name, table, &limits).expect("there is room");
            }
            Ok(Plan::Handler(Handler::Close { name })) => standing.close(&name),
            _ => {}
        }
        found.push(match plan {
            Ok(Plan::Handler(Handler::Read { index, .. })) => format!("by {index}"),
            Ok(Plan::Read(read))
                if matches!(read.columns, Lineage::Known(_)) && !text.starts_with("HANDLER") =>
            {
                "known".into()
            }
            plan => short(plan),
        });
    }
    found
}

#[test]
fn a_handler_is_read_by_its_name() {
    let found = session(&[
        "HANDLER session OPEN",
        "HANDLER session READ FIRST",
        "HANDLER session READ first LIMIT 5",
        "HANDLER session READ `PRIMARY` = (1, 2)",
        "HANDLER session READ by_t <= (1)",
        "HANDLER session READ next PREV",
        "HANDLER session READ FIRST WHERE traces IS NULL",
        "HANDLER session READ FIRST WHERE HEX(traces) = 'a'",
        "HANDLER lab.__proc OPEN AS h",
        "HANDLER H READ NEXT WHERE h.traces = 'mYm' LIMIT 1",
        "HANDLER other OPEN AS o",
        "HANDLER o READ FIRST WHERE traces = 'a'",
        "HANDLER session OPEN AS o",
        "HANDLER o READ FIRST",
        "HANDLER o CLOSE",
        "HANDLER o READ FIRST WHERE n = 1",
        "HANDLER o READ FIRST WHERE traces = 'a'",
        "HANDLER inline OPEN",
        "HANDLER inline READ by_sig = ('a') WHERE sig = 'a'",
    ]);
    let expected = [
        "handler",
        "read",
        "read",
        "read",
        "by by_t",
        "by next",
        "read",
        "no lab.session.traces",
        "handler",
        "read",
        "handler",
        "pass",
        "handler",
        "no lab.session",
        "handler",
        "read",
        "no lab.__proc.traces",
        "handler",
        "pass",
    ];
    let expected: Vec<String> = expected.map(str::to_owned).into();
    let mut found = found;
    // Which of the columns of that name is told does not matter.
    if found[16].ends_with(".traces") {
        found[16] = expected[16].clone();
    }
    assert_eq!(found, expected);
}

#[test]
fn an_index_over_a_translated_column_is_refused() {
    let index = index();
    let table = index.table(b"lab", b"session").expect("a table");
    let refused = |columns: &[&str], view| {
        let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
        Handler::refuse_index(table, &columns, view).is_some()
    };
    assert!(refused(&["t", "TRACES"], View::Bytes));
    assert!(!refused(&["t"], View::Bytes) && !refused(&["sig"], View::Bytes));
    assert!(refused(&["sig"], View::Json) && !refused(&["traces"], View::Stored));
}

#[test]
fn a_text_is_planned_when_its_name_is_executed() {
    let found = session(&[
        "EXECUTE p",
        "PREPARE p FROM 'SELECT traces FROM session'",
        "EXECUTE P",
        "EXECUTE p USING @a, 'b'",
        "EXECUTE p USING (SELECT traces FROM session)",
        "PREPARE p FROM 'SELECT t FROM session'",
        "EXECUTE p",
        "PREPARE p FROM 'SELECT t FROM session WHERE traces = ''a'''",
        "EXECUTE p",
        "PREPARE q FROM 'SELECT t FROM session WHERE traces = ?'",
        "PREPARE q FROM 'UPDATE session SET traces = ?'",
        "PREPARE p FROM 'DROP TABLE session'",
        "EXECUTE p",
        "EXECUTE IMMEDIATE 'SELECT traces FROM session WHERE t = ?' USING 1",
        "EXECUTE IMMEDIATE 'SELECT hex(traces) FROM session'",
    ]);
    let expected = [
        "read",
        "prepare",
        "known",
        "known",
        "no lab.session.traces",
        "prepare",
        "read",
        "prepare",
        "known",
        "no lab.session.traces",
        "no lab.session.traces",
        "prepare",
        "read",
        "known",
        "no lab.session.traces",
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_edited_text_stands_in_its_statement_as_a_literal() {
    let text = "PREPARE p FROM 'SELECT t, ''\\\\\\\\'' FROM session WHERE traces = ''a''' -- end";
    let Ok(Plan::Prepare(prepare)) = plan(text) else {
        panic!("{:?}", plan(text));
    };
    let sent = rewritten(text.as_bytes(), &prepare.edits);
    let sent = String::from_utf8(sent).expect("UTF-8");
    let expected = "PREPARE p FROM 'SELECT t, ''\\\\\\\\'' FROM session WHERE \
                    JSON_UNQUOTE(JSON_EXTRACT(traces,''$.hash'')) = \
                    ''btaxlooa6g3kqmodthrgs5zgme''' -- end";
    assert_eq!(sent, expected);
}

#[test]
fn what_is_made_of_parameters_is_run_as_a_text() {
    let prepared = |text: &'static str| {
        let text = Bytes::from_static(text.as_bytes());
        short(examine_prepared(&text, &context(), &index()))
    };
    for (text, expected) in [
        ("INSERT INTO session (traces) VALUES (?)", "write 4"),
        ("INSERT INTO session (traces) VALUES (UNHEX(?))", "inline"),
        (
            "INSERT INTO session (traces) VALUES (?) ON DUPLICATE KEY UPDATE traces = CONCAT(?, ?)",
            "inline",
        ),
        ("UPDATE session SET traces = UNHEX(?) WHERE t = ?", "inline"),
        (
            "UPDATE session SET traces = ? WHERE traces = ? AND t = ?",
            "write 4",
        ),
        ("UPDATE session SET t = ? WHERE traces = ?", "write "),
        (
            "INSERT INTO session (t, traces) SELECT ?, ? FROM other",
            "write 4",
        ),
        (
            "INSERT INTO session (t, traces) SELECT ?, CONCAT(?, n) FROM other",
            "inline",
        ),
        (
            "UPDATE session SET traces = CONCAT(?, ?) WHERE traces = ?",
            "inline",
        ),
        (
            "INSERT INTO session (traces) VALUES (?) RETURNING traces",
            "write 4",
        ),
        (
            "INSERT INTO session (traces) VALUES (UNHEX(?)) RETURNING traces",
            "no lab.session.traces",
        ),
        (
            "UPDATE session SET traces = CONCAT(traces, ?)",
            "no lab.session.traces",
        ),
        (
            "SELECT t FROM session WHERE traces = UNHEX(?)",
            "no lab.session.traces",
        ),
    ] {
        assert_eq!(prepared(text), expected, "{text}");
    }
}
