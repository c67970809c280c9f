//! Queries on `information_schema.columns`.

use bytes::Bytes;

use super::super::{examine, glance, information};
use super::{Context, Glance, View, context, index, plan, short};
use crate::catalog::Index;

fn described() -> Index {
    index().with_described(&[
        "TABLE_SCHEMA",
        "TABLE_NAME",
        "COLUMN_NAME",
        "COLUMN_DEFAULT",
        "DATA_TYPE",
        "COLUMN_TYPE",
        "COLUMN_COMMENT",
    ])
}

/// How a query in the table's place ends.
const END: &str = "FROM information_schema.COLUMNS)";

/// What is sent in place of a statement, with `{…}` for the query in the table's place.
fn sent_in(text: &str, context: &Context) -> Option<String> {
    let (text, index) = (Bytes::copy_from_slice(text.as_bytes()), described());
    assert_eq!(glance(&text, &index, context.view, false), Glance::Examine);
    let sent = information(&text, context, &index).expect("not too long")?;
    let mut sent = String::from_utf8(sent.to_vec()).expect("UTF-8");
    while let Some(end) = sent.find(END) {
        let start = sent[..end].rfind("(SELECT ").expect("the query");
        sent.replace_range(start..end + END.len(), "{…}");
    }
    Some(sent)
}

fn sent(text: &str) -> Option<String> {
    sent_in(text, &context())
}

/// The columns of the query in the table's place.
fn columns(text: &str) -> Vec<String> {
    let sent = information(
        &Bytes::copy_from_slice(text.as_bytes()),
        &context(),
        &described(),
    );
    let sent = sent.expect("not too long").expect("a query");
    let sent = String::from_utf8(sent.to_vec()).expect("UTF-8");
    let query = &sent[..sent.find(END).expect("the query")];
    let names = query.split(" AS `").skip(1);
    let names = names.map(|rest| rest.split('`').next().unwrap_or_default().to_owned());
    names.collect()
}

#[test]
fn the_mark_is_found_in_any_case() {
    use super::super::mentions_information as mentioned;
    for text in ["columns", "FROM `COLUMNS`", "x.Columns where", "xcolumnsx"] {
        assert!(mentioned(text.as_bytes()), "{text}");
    }
    for text in ["", "m", "column", "FROM them", "colum ns", "umns"] {
        assert!(!mentioned(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_query_stands_in_the_tables_place() {
    for (text, expected) in [
        (
            "SELECT data_type FROM information_schema.columns WHERE table_name = 'session'",
            "SELECT data_type FROM {…} AS `columns` WHERE table_name = 'session'",
        ),
        (
            "select `DATA_TYPE` from `INFORMATION_SCHEMA` . `COLUMNS` limit 3",
            "select `DATA_TYPE` from {…} AS `COLUMNS` limit 3",
        ),
        (
            "SELECT c.data_type FROM information_schema.columns AS c, information_schema.columns d",
            "SELECT c.data_type FROM {…} AS c, {…} d",
        ),
        (
            "SELECT data_type FROM a JOIN information_schema.columns ON x = y JOIN b",
            "SELECT data_type FROM a JOIN {…} AS `columns` ON x = y JOIN b",
        ),
        (
            "SELECT data_type FROM a JOIN b ON x IN (1, 2), information_schema.columns",
            "SELECT data_type FROM a JOIN b ON x IN (1, 2), {…} AS `columns`",
        ),
        (
            "SELECT information_schema.columns.data_type FROM information_schema.columns",
            "SELECT columns.data_type FROM {…} AS `columns`",
        ),
        (
            "SELECT information_schema.c.data_type, information_schema.t.x FROM information_schema.columns c, information_schema.tables t",
            "SELECT c.data_type, information_schema.t.x FROM {…} c, information_schema.tables t",
        ),
        (
            "SELECT (SELECT COUNT(*) FROM (information_schema.columns) WHERE data_type = 'x')",
            "SELECT (SELECT COUNT(*) FROM ({…} AS `columns`) WHERE data_type = 'x')",
        ),
        (
            "UPDATE information_schema.columns c, t SET x = c.data_type",
            "UPDATE {…} c, t SET x = c.data_type",
        ),
        (
            "INSERT INTO t SELECT column_type FROM information_schema.columns",
            "INSERT INTO t SELECT column_type FROM {…} AS `columns`",
        ),
        (
            "CREATE TABLE made AS SELECT column_type FROM information_schema.columns",
            "CREATE TABLE made AS SELECT column_type FROM {…} AS `columns`",
        ),
        (
            "TABLE information_schema.columns LIMIT 1",
            "SELECT * FROM {…} AS `columns` LIMIT 1",
        ),
        (
            "SET @x = (SELECT data_type FROM information_schema.columns LIMIT 1)",
            "SET @x = (SELECT data_type FROM {…} AS `columns` LIMIT 1)",
        ),
    ] {
        assert_eq!(sent(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn in_the_schema_itself_the_table_needs_no_schema() {
    let within = Context {
        schema: Some("Information_Schema"),
        ..context()
    };
    let sent = |text| sent_in(text, &within);
    for (text, expected) in [
        (
            "SELECT data_type FROM columns, tables",
            "SELECT data_type FROM {…} AS `columns`, tables",
        ),
        (
            "SELECT data_type FROM tables, COLUMNS AS c",
            "SELECT data_type FROM tables, {…} AS c",
        ),
    ] {
        assert_eq!(sent(text).as_deref(), Some(expected), "{text}");
    }
    for text in [
        "SELECT data_type, columns FROM t",
        "SELECT data_type FROM lab.columns",
        "WITH columns AS (SELECT data_type FROM t) SELECT data_type FROM columns",
    ] {
        assert_eq!(sent(text), None, "{text}");
    }
    assert_eq!(self::sent("SELECT data_type FROM columns"), None);
}

#[test]
fn what_shows_nothing_otherwise_stays() {
    for text in [
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'session'",
        "SELECT COUNT(*) FROM information_schema.columns",
        "SELECT data_type FROM information_schema.columns WHERE table_schema = 'elsewhere'",
        "SELECT * FROM information_schema.columns c WHERE c.table_name = 't' AND c.TABLE_SCHEMA = 'elsewhere' ORDER BY 1",
        "SELECT data_type FROM information_schema.columns_priv",
        "CREATE VIEW v AS SELECT data_type FROM information_schema.columns",
        "CREATE PROCEDURE p() SELECT data_type FROM information_schema.columns",
        "CREATE TABLE columns LIKE information_schema.columns",
        "EXPLAIN SELECT data_type FROM information_schema.columns",
        "SHOW COLUMNS FROM information_schema.columns LIKE 'data_type'",
        "INSERT INTO columns VALUES ('data_type')",
    ] {
        assert_eq!(sent(text), None, "{text}");
    }
}

/// A condition that only seems to hold to one schema.
#[test]
fn any_other_condition_may_meet_a_codec_table() {
    for condition in [
        "table_schema = 'lab'",
        "table_schema = 'LAB '",
        "table_schema = 'elsewhere' OR 1",
        "(table_schema = 'elsewhere')",
        "NOT table_schema = 'elsewhere'",
        "table_schema = CONCAT('elsewhere')",
        "table_schema = 'else' 'where' OR 1",
        "1 BETWEEN 0 AND table_schema = 'elsewhere'",
        "CASE WHEN 1 AND table_schema = 'elsewhere' AND 1 THEN 0 ELSE 1 END",
        "table_schema IN ('elsewhere', 'lab')",
        "table_name = 'elsewhere'",
        "table_schema = ?",
        "table_schema = DATABASE()",
        "EXISTS (SELECT 1 WHERE 1 AND table_schema = 'elsewhere')",
    ] {
        let text = format!("SELECT data_type FROM information_schema.columns WHERE {condition}");
        assert!(sent(&text).is_some(), "{condition}");
    }
    for text in [
        "SELECT data_type FROM information_schema.columns c JOIN t WHERE c.table_schema = 'elsewhere'",
        "SELECT data_type FROM information_schema.columns WHERE table_schema = 'elsewhere' UNION SELECT data_type FROM information_schema.columns",
    ] {
        assert!(sent(text).is_some(), "{text}");
    }
    let elsewhere = Context {
        schema: Some("elsewhere"),
        ..context()
    };
    let text = "SELECT data_type FROM information_schema.columns WHERE table_schema = DATABASE()";
    assert_eq!(sent_in(text, &elsewhere), None);
}

/// MariaDB calls a column of a result as it is selected.
#[test]
fn columns_are_called_as_they_are_selected() {
    let all = [
        "TABLE_SCHEMA",
        "TABLE_NAME",
        "COLUMN_NAME",
        "COLUMN_DEFAULT",
        "DATA_TYPE",
        "COLUMN_TYPE",
        "COLUMN_COMMENT",
    ];
    let from = "FROM information_schema.columns";
    assert_eq!(
        columns(&format!("SELECT Data_Type {from} WHERE table_name = 'x'")),
        ["TABLE_NAME", "Data_Type"]
    );
    assert_eq!(
        columns(&format!("SELECT * {from} WHERE data_type = 'x'")),
        all
    );
    assert_eq!(
        columns(&format!("SELECT data_type, c.* {from} c"))[4],
        "data_type"
    );
    assert_eq!(columns(&format!("SELECT 1 {from} NATURAL JOIN t")), all);
}

#[test]
fn the_stored_view_is_mended_on_mariadb() {
    let stored = Context {
        view: View::Stored,
        ..context()
    };
    for (text, is_changed) in [
        ("SELECT data_type FROM information_schema.columns", true),
        (
            "SELECT column_default FROM information_schema.columns",
            true,
        ),
        (
            "SELECT column_comment FROM information_schema.columns",
            false,
        ),
    ] {
        assert_eq!(sent_in(text, &stored).is_some(), is_changed, "{text}");
    }
}

#[test]
fn texts_that_other_statements_run_are_refused() {
    for (text, expected) in [
        (
            "EXECUTE IMMEDIATE 'SELECT data_type FROM information_schema.columns'",
            "no information_schema.columns",
        ),
        (
            "PREPARE s FROM 'SELECT column_name FROM information_schema.columns'",
            "prepare",
        ),
        (
            "USE information_schema; SELECT data_type FROM columns",
            "several",
        ),
        (
            "SELECT 1; SELECT column_name FROM information_schema.columns",
            "pass",
        ),
    ] {
        let plan = examine(
            &Bytes::copy_from_slice(text.as_bytes()),
            &context(),
            &described(),
        );
        assert_eq!(short(plan), expected, "{text}");
    }
    assert_eq!(short(plan("SELECT data_type FROM columns")), "pass");
}

#[test]
fn a_statement_does_not_become_much_longer() {
    let one = "SELECT * FROM information_schema.columns UNION ALL ";
    let of = |count: usize| {
        let text = Bytes::from(one.repeat(count) + "SELECT 1");
        information(&text, &context(), &described()).map(|sent| sent.map_or(0, |sent| sent.len()))
    };
    assert!(of(100).is_ok_and(|len| len > 100 * one.len()));
    assert_eq!(of(100_000).map_err(|refusal| refusal.code), Err(1153));
}
