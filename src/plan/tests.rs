//! Statements and what becomes of them.

mod alter;
mod information;
mod json;
mod keys;
mod lineage;
mod queries;
mod settings;
mod standing;
mod writes;

use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::catalog::{Column, ColumnCodec, Index, NameCase, TableKind};
use crate::codec::TypeSpec;
use crate::refusal::Refusal;
use crate::sql::letters::Letters;

/// A column with its marker, `""` for none.
fn column(name: &str, marker: &str) -> Column {
    let spec = TypeSpec::parse(marker).filter(|_| marker.starts_with('<'));
    let codec = spec.map(|spec| match spec.resolve() {
        Ok(chain) => ColumnCodec::Chain(chain),
        Err(error) => ColumnCodec::Unusable {
            spec: marker.into(),
            reason: error.to_string(),
        },
    });
    Column {
        name: name.into(),
        invisible: false,
        marker: (!marker.is_empty()).then(|| marker.into()),
        codec,
        key: None,
    }
}

fn table(name: &str, columns: &[(&str, &str)]) -> Arc<Table> {
    Arc::new(Table {
        schema: "lab".into(),
        name: name.into(),
        kind: match columns.is_empty() {
            true => TableKind::View,
            false => TableKind::Base,
        },
        columns: columns.iter().map(|(n, m)| column(n, m)).collect(),
    })
}

pub(super) fn index() -> Index {
    let tables = vec![
        table(
            "session",
            &[
                ("subject_id", ""),
                ("session", ""),
                ("t", ""),
                ("sig", "<blob>"),
                ("traces", "<blob@main>"),
                ("raw", "<hash@main>"),
            ],
        ),
        table(
            "__proc",
            &[("subject_id", ""), ("traces", "<blob@main>"), ("n", "")],
        ),
        table("graphs", &[("id", ""), ("g", "<graph@main>"), ("note", "")]),
        table("inline", &[("id", ""), ("sig", "<blob>")]),
        table("traces", &[("id", ""), ("traces", "<blob@main>")]),
        table("v_traces", &[]),
        Arc::new(Table {
            schema: "lab".into(),
            name: "v_inline".into(),
            kind: TableKind::InlineView,
            columns: Vec::new(),
        }),
    ];
    Index::new(tables, NameCase::Sensitive, true)
}

fn stores(chain: &Chain) -> Result<String, String> {
    match chain.store.as_deref().unwrap_or_default() {
        "" | "main" => Ok("main".into()),
        name => Err(format!("store {name} is not configured; configured: main")),
    }
}

static PLAIN: Declaring = Declaring { rules: Vec::new() };

pub(super) fn context() -> Context<'static> {
    Context {
        schema: Some("lab"),
        dialect: Dialect::default(),
        charset: "utf8mb4",
        view: View::Bytes,
        declare: &PLAIN,
        altered: None,
        views: &[],
        standing: Box::leak(Box::default()),
        stores: &stores,
    }
}

fn plan_in(text: &[u8], context: &Context) -> Result<Plan, Refusal> {
    let index = index();
    match glance(text, &index, context.view, true) {
        Glance::Pass => Ok(Plan::Pass),
        Glance::Examine => examine(&Bytes::copy_from_slice(text), context, &index),
    }
}

fn plan(text: &str) -> Result<Plan, Refusal> {
    plan_in(text.as_bytes(), &context())
}

/// A plan in short: `pass`, `read`, `write 4 5` (columns), `describe`, `ddl a.b`, `declare`,
/// or `no lab.session.traces` (the column that a refusal names).
fn short(plan: Result<Plan, Refusal>) -> String {
    match plan {
        Ok(Plan::Pass) => "pass".into(),
        Ok(Plan::Read(_)) => "read".into(),
        Ok(Plan::Write(write)) => {
            let columns: Vec<String> = write.cells.iter().map(|c| c.column.to_string()).collect();
            format!("write {}", columns.join(" "))
        }
        Ok(Plan::Load(load)) => format!("load {} edits", load.edits.len()),
        Ok(Plan::Choose(settings)) => format!("choose {settings:?}"),
        Ok(Plan::Declare(_)) => "declare".into(),
        Ok(Plan::Ask(_)) => "ask".into(),
        Ok(Plan::Several) => "several".into(),
        Ok(Plan::Prepare(_)) => "prepare".into(),
        Ok(Plan::Handler(_)) => "handler".into(),
        Ok(Plan::Inline) => "inline".into(),
        Ok(Plan::Describe(_)) => "describe".into(),
        Ok(Plan::Ddl(ddl)) => {
            let tables = ddl.tables.iter().map(|(s, t)| format!(" {s}.{t}"));
            let schemas = ddl.schemas.iter().map(|s| format!(" {s}"));
            format!("ddl{}", tables.chain(schemas).collect::<String>())
        }
        Err(refusal) => {
            let text = refusal.message.strip_prefix("codec-proxy: ").unwrap_or("?");
            format!("no {}", text.split(':').next().unwrap_or_default())
        }
    }
}

#[track_caller]
fn check(shapes: &[(&str, &str)]) {
    let wrong: Vec<String> = shapes
        .iter()
        .filter_map(|(text, expected)| {
            let plan = plan(text);
            let message = plan.as_ref().err().map(|r| r.message.clone());
            let found = short(plan);
            (found != *expected)
                .then(|| format!("{text}\n   expected {expected}, found {found} {message:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ddl_refreshes_what_it_names() {
    check(&[
        ("CREATE TABLE t (id int)", "ddl lab.t"),
        (
            "CREATE TABLE IF NOT EXISTS `other`.`~log` (\n`id` int COMMENT \"event <x>\"\n) ENGINE=InnoDB, COMMENT \"log\"",
            "ddl other.~log",
        ),
        ("CREATE OR REPLACE TABLE a.b LIKE session", "ddl a.b"),
        (
            "CREATE TABLE copy AS SELECT subject_id FROM session",
            "ddl lab.copy",
        ),
        ("DROP TABLE IF EXISTS session, a.b", "ddl lab.session a.b"),
        (
            "RENAME TABLE session TO s2, a.b TO c.d",
            "ddl lab.session lab.s2 a.b c.d",
        ),
        (
            "ALTER TABLE session ADD `extra` longblob DEFAULT NULL COMMENT \"ex\" AFTER `traces`",
            "ddl lab.session",
        ),
        ("ALTER TABLE session DROP COLUMN traces", "ddl lab.session"),
        (
            "ALTER TABLE session DROP traces, DROP COLUMN IF EXISTS raw",
            "ddl lab.session",
        ),
        (
            "ALTER TABLE session RENAME TO lab.s2",
            "ddl lab.session lab.s2",
        ),
        ("ALTER TABLE traces ADD x int", "ddl lab.traces"),
        (
            "ALTER TABLE other ADD x int COMMENT '<5 mV>'",
            "ddl lab.other",
        ),
        ("CREATE VIEW v AS SELECT * FROM session", "ddl lab.v"),
        (
            "CREATE OR REPLACE ALGORITHM=MERGE VIEW a.v AS SELECT traces FROM lab.session",
            "ddl a.v",
        ),
        ("DROP VIEW v, a.w", "ddl lab.v a.w"),
        ("DROP DATABASE IF EXISTS `lab`", "ddl lab"),
        ("CREATE DATABASE x", "ddl"),
        ("CREATE INDEX i ON session (subject_id)", "pass"),
        (
            "CREATE UNIQUE INDEX traces ON session (subject_id, traces(10))",
            "no lab.session.traces",
        ),
        ("CREATE INDEX i ON traces (id)", "pass"),
        ("CREATE INDEX traces ON other (traces(10))", "pass"),
        ("CREATE INDEX traces ON session (sig(10))", "pass"),
        ("DROP USER x", "pass"),
        ("SELECT 1; DROP TABLE session", "several"),
        (
            "CREATE TABLE a (i int); USE z; CREATE TABLE b (i int)",
            "several",
        ),
        (
            "CREATE TABLE t (d longblob COMMENT ':<blob@main>:stored form')",
            "ddl lab.t",
        ),
        ("EXECUTE IMMEDIATE 'DROP TABLE session'", "ddl lab.session"),
    ]);
}

#[test]
fn declared_codecs_become_what_datajoint_2_declares() {
    let text = "CREATE TABLE IF NOT EXISTS `lab`.`new` (\n`id` int NOT NULL COMMENT \"id\",\n\
        `traces` longblob NOT NULL COMMENT \"<blob@main> raw \\\"quoted\\\" traces\",\n\
        `h` json DEFAULT NULL COMMENT '<hash@>',\n\
        `i` mediumblob COMMENT '<blob>it''s inline',\n\
        `u` longblob COMMENT '<graph> unknown',\n\
        PRIMARY KEY (`id`)\n) ENGINE=InnoDB, COMMENT \"<blob@main> of the table\"";
    let Ok(Plan::Declare(declare)) = plan(text) else {
        panic!("{}", short(plan(text)));
    };
    let expected = text
        .replace("`traces` longblob", "`traces` json")
        .replace(
            "<blob@main> raw \\\"quoted\\\" traces",
            ":<blob@main>:raw \"\"quoted\"\" traces",
        )
        .replace("'<hash@>'", "':<hash@>:'")
        .replace("mediumblob", "longblob")
        .replace("'<blob>it''s inline'", "':<blob>:it''s inline'");
    let found = declare.rewritten(text.as_bytes());
    assert_eq!(String::from_utf8_lossy(&found), expected);
    assert_eq!(declare.ddl.tables, [("lab".to_owned(), "new".to_owned())]);
}

#[test]
fn every_built_in_codec_is_declared_as_it_is_stored() {
    for (declared, stored) in [
        (
            "longblob COMMENT '<attach> a'",
            "longblob COMMENT ':<attach>:a'",
        ),
        (
            "blob COMMENT '<attach@main>'",
            "json COMMENT ':<attach@main>:'",
        ),
        (
            "longblob COMMENT '<object@> o'",
            "json COMMENT ':<object@>:o'",
        ),
        (
            "longblob COMMENT '<npy@main>'",
            "json COMMENT ':<npy@main>:'",
        ),
        (
            "longblob COMMENT '<filepath@>'",
            "json COMMENT ':<filepath@>:'",
        ),
        (
            "varchar(1024) COMMENT '<filepath@main> f'",
            "json COMMENT ':<filepath@main>:f'",
        ),
    ] {
        let text = format!("CREATE TABLE t (id int, x {declared})");
        for view in [View::Bytes, View::Json] {
            let context = Context { view, ..context() };
            let Ok(Plan::Declare(declare)) = plan_in(text.as_bytes(), &context) else {
                panic!("{}", short(plan(&text)));
            };
            let found = declare.rewritten(text.as_bytes());
            let found = String::from_utf8_lossy(&found);
            assert_eq!(found, format!("CREATE TABLE t (id int, x {stored})"));
        }
    }
    // DataJoint 0.14 has an `attach` of its own.
    let legacy = "CREATE TABLE t (x longblob COMMENT ':attach:file')";
    assert_eq!(short(plan(legacy)), "ddl lab.t");
}

#[test]
fn impossible_declarations_are_refused() {
    for (text, reason) in [
        (
            "CREATE TABLE t (x longblob COMMENT '<blob@nowhere> x')",
            "configured: main",
        ),
        (
            "CREATE TABLE t (x longblob COMMENT '<graph@main> x')",
            "Unknown codec",
        ),
        (
            "CREATE TABLE t (x longblob COMMENT '<hash> x')",
            "requires @",
        ),
        (
            "CREATE TABLE t (x longblob COMMENT '<filepath@raw> x')",
            "configured: main",
        ),
        (
            "CREATE TABLE t (x longblob COMMENT '<object>')",
            "<object> requires @",
        ),
        (
            "CREATE TABLE t (x varchar(1024) COMMENT '<blob@main>')",
            "no blob",
        ),
        (
            "CREATE TABLE t (x int COMMENT '<filepath@main>')",
            "no text",
        ),
        ("CREATE TABLE t (x int COMMENT '<blob@main> x')", "no blob"),
        (
            "CREATE TABLE t (x longblob DEFAULT 'a' COMMENT '<blob@main> x')",
            "no default",
        ),
        (
            "CREATE TEMPORARY TABLE t (x longblob COMMENT '<blob@main> x')",
            "temporary",
        ),
    ] {
        let refusal = plan(text).expect_err(text);
        assert!(
            refusal.message.contains(reason),
            "{text}: {}",
            refusal.message
        );
        assert!(refusal.message.contains("lab.t.x"), "{}", refusal.message);
    }
}

#[test]
fn columns_are_described() {
    check(&[
        ("SHOW FULL COLUMNS FROM `session` IN `lab`", "describe"),
        ("SHOW COLUMNS FROM other", "describe"),
        ("DESCRIBE session", "describe"),
        ("desc lab.session", "describe"),
        ("EXPLAIN session", "describe"),
        ("SHOW FULL COLUMNS FROM other; SELECT 1", "pass"),
    ]);
    let Ok(Plan::Describe(describe)) = plan("SHOW COLUMNS FROM session") else {
        panic!("not described");
    };
    assert_eq!(
        describe.table.map(|t| t.name.clone()).as_deref(),
        Some("session")
    );
}

#[test]
fn the_stored_view_passes_all_but_the_catalog() {
    let stored = Context {
        view: View::Stored,
        ..context()
    };
    for (text, expected) in [
        ("SELECT max(traces) FROM session", "pass"),
        ("INSERT INTO session (traces) VALUES ('{}')", "pass"),
        ("UPDATE session SET traces = 'x'", "pass"),
        ("SELECT * FROM v_traces", "pass"),
        ("SHOW FULL COLUMNS FROM session", "describe"),
        (
            "CREATE TABLE t (x longblob COMMENT '<blob@main> x')",
            "ddl lab.t",
        ),
        (
            "ALTER TABLE session MODIFY traces longblob",
            "ddl lab.session",
        ),
        (
            "CREATE TRIGGER tr BEFORE INSERT ON session FOR EACH ROW SET NEW.traces = NULL",
            "pass",
        ),
        ("SELECT 1; DROP TABLE session", "ddl lab.session"),
        ("SELECT traces FROM session; SELECT 2", "pass"),
    ] {
        assert_eq!(short(plan_in(text.as_bytes(), &stored)), expected, "{text}");
    }
}

#[test]
fn the_current_database_resolves_names() {
    let elsewhere = Context {
        schema: Some("elsewhere"),
        ..context()
    };
    for (text, expected) in [
        ("SELECT traces FROM session", "pass"),
        ("SELECT traces FROM lab.session", "read"),
        ("USE lab; SELECT traces FROM session", "several"),
        ("CREATE TABLE t (i int)", "ddl elsewhere.t"),
    ] {
        assert_eq!(
            short(plan_in(text.as_bytes(), &elsewhere)),
            expected,
            "{text}"
        );
    }
    // Without one, any table of that name may be meant.
    let nowhere = Context {
        schema: None,
        ..context()
    };
    assert_eq!(
        short(plan_in(b"SELECT max(traces) FROM session", &nowhere)),
        "no lab.session.traces"
    );
}

#[test]
fn sql_mode_and_character_sets_count() {
    let ansi = Context {
        dialect: Dialect {
            ansi_quotes: true,
            ..Dialect::default()
        },
        ..context()
    };
    let text = b"SELECT \"traces\" FROM \"session\"";
    assert_eq!(short(plan_in(text, &ansi)), "read");
    assert_eq!(
        short(plan_in(b"SELECT max(\"traces\") FROM \"session\"", &ansi)),
        "no lab.session.traces"
    );
    assert_eq!(short(plan("SELECT \"traces\" FROM session")), "pass");
    let gbk = Context {
        charset: "gbk",
        dialect: Dialect {
            letters: Letters::Gbk,
            ..Dialect::default()
        },
        ..context()
    };
    // 0xBF 0x5C is one letter there, so the string ends before the comma.
    let text = b"SELECT '\xbf\\', traces FROM session -- '";
    assert_eq!(short(plan_in(text, &gbk)), "read");
    assert_eq!(short(plan_in(b"SELECT traces FROM session", &gbk)), "read");
    let text = b"INSERT INTO session (traces) VALUES ('\xbf\\')";
    assert_eq!(short(plan_in(text, &gbk)), "write 4");
    let sneaky = "SET sql_mode = 'ANSI_QUOTES'; SELECT \"traces\" FROM session";
    assert_eq!(short(plan(sneaky)), "several");
}

#[test]
fn prepared_statements_are_planned() {
    let index = index();
    for (text, expected) in [
        (
            "SELECT subject_id FROM session WHERE subject_id = ?",
            "pass",
        ),
        ("INSERT INTO session (subject_id) VALUES (?)", "pass"),
        ("INSERT INTO other VALUES (?, ?)", "pass"),
        ("DROP TABLE session", "ddl lab.session"),
        ("SHOW COLUMNS FROM session", "describe"),
        ("SHOW COLUMNS FROM other", "describe"),
        ("CALL p(?)", "read"),
        ("SELECT traces FROM session", "read"),
        ("INSERT INTO session (traces) VALUES (?)", "write 4"),
        ("INSERT INTO session (traces) VALUES ('x')", "write 4"),
        ("SET @codec_view = 'json'", "no @codec_…"),
        ("EXECUTE IMMEDIATE @q", "no this statement"),
        (
            "SELECT HEX(traces) FROM session WHERE id = ?",
            "no lab.session.traces",
        ),
    ] {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let plan = examine_prepared(&bytes, &context(), &index);
        assert_eq!(short(plan), expected, "{text}");
    }
    let text = b"INSERT INTO t VALUES (?, '?', \"?\", `?`, /* ? */ ?) -- ?";
    assert_eq!(parameters(text, &context()), [22, 48]);
}

#[test]
fn statements_that_name_nothing_pass_at_a_glance() {
    let index = index();
    for text in [
        "SELECT 1",
        "INSERT INTO other VALUES ('a;b;c')",
        "SET NAMES utf8mb4",
        "COMMIT",
    ] {
        assert_eq!(
            glance(text.as_bytes(), &index, View::Bytes, true),
            Glance::Pass,
            "{text}"
        );
    }
    for text in [
        "SELECT 1 FROM `session`",
        "/**/create table x(i int)",
        "SHOW COLUMNS FROM x",
    ] {
        assert_eq!(
            glance(text.as_bytes(), &index, View::Bytes, true),
            Glance::Examine,
            "{text}"
        );
    }
}
