//! Statements and what becomes of them.

use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::catalog::{Column, ColumnCodec, Index, NameCase, TableKind};
use crate::codec::TypeSpec;
use crate::refusal::Refusal;

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

fn index() -> Index {
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
    ];
    Index::new(tables, NameCase::Sensitive, true)
}

fn stores(name: &str) -> Result<String, String> {
    match name {
        "" | "main" => Ok("main".into()),
        _ => Err(format!("store {name} is not configured; configured: main")),
    }
}

fn context() -> Context<'static> {
    Context {
        schema: Some("lab"),
        dialect: Dialect::default(),
        charset: "utf8mb4",
        view: View::Bytes,
        stores: &stores,
    }
}

fn plan_in(text: &[u8], context: &Context) -> Result<Plan, Refusal> {
    let index = index();
    match glance(text, &index, context.view) {
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
        Ok(Plan::Read) => "read".into(),
        Ok(Plan::Write(write)) => {
            let columns: Vec<String> = write.cells.iter().map(|c| c.column.to_string()).collect();
            format!("write {}", columns.join(" "))
        }
        Ok(Plan::Declare(_)) => "declare".into(),
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
fn queries_that_touch_no_external_column_pass() {
    let texts = [
        "SELECT 1",
        "SELECT connection_id()",
        "SELECT * FROM information_schema.tables WHERE table_schema = 'lab' AND table_name = 'session'",
        "SELECT `subject_id`,`session` FROM `lab`.`session`",
        "SELECT `subject_id`,`session`,`t`,`sig` FROM `lab`.`session` ORDER BY `subject_id`, `session` LIMIT 13",
        "SELECT `subject_id`,`session` FROM `lab`.`session` ORDER BY `session` DESC LIMIT 2 OFFSET 1",
        "SELECT count(DISTINCT `subject_id`,`session`) FROM `lab`.`session`",
        "SELECT count(DISTINCT `subject_id`,`session`) FROM `lab`.`session` WHERE ((`subject_id`,`session`) not in (SELECT `subject_id`,`session` FROM `lab`.`__proc`))",
        "SELECT count(*) FROM (SELECT DISTINCT `subject_id`,`session` FROM `lab`.`session`) AS distinct_count",
        "SELECT EXISTS(SELECT 1 FROM `lab`.`session`)",
        "SELECT EXISTS(SELECT * FROM `lab`.`session` WHERE id=1)",
        "SELECT count(*) FROM session",
        "SELECT COUNT( * ) FROM session WHERE subject_id * 2 > 3",
        "SELECT `subject_id`,`name` FROM `lab`.`subject` WHERE ((`subject_id`) in (SELECT `subject_id` FROM `lab`.`session`))",
        "SELECT `subject_id`,count(*) as `n`,max(t) as `m` FROM `lab`.`subject` NATURAL JOIN `lab`.`session` GROUP BY `subject_id`",
        "SELECT `subject_id`,count(*) as `n` FROM `lab`.`subject` LEFT JOIN `lab`.`session` USING (`subject_id`) GROUP BY `subject_id`",
        "SELECT * FROM ((SELECT `subject_id` FROM `lab`.`session` WHERE ( (subject_id=1))) UNION (SELECT `subject_id` FROM `lab`.`session` WHERE ( (subject_id=2)))) as `_u0`",
        "SELECT `subject_id`,`s2`,`s3` FROM (SELECT `subject_id`,`session` as `s2` FROM `lab`.`session`) as `$1` NATURAL JOIN (SELECT `subject_id`,`session` as `s3` FROM `lab`.`session`) as `$2`",
        "SELECT `subject_id`,`nn` FROM (SELECT `subject_id`,concat(session,\"x\") as `nn` FROM `lab`.`session`) as `$0` WHERE ( (nn=\"a\"))",
        "SELECT subject_id FROM session WHERE traces IS NULL",
        "SELECT subject_id FROM session s WHERE s.traces IS NOT NULL AND lab.session.raw IS NULL",
        "SELECT traces IS NULL AS missing FROM session",
        "SELECT sum(traces IS NOT NULL) FROM session",
        "SELECT IF((traces) IS NULL, 0, 1) FROM session",
        "SELECT other.traces FROM session JOIN other USING (subject_id)",
        "SELECT o.traces FROM session AS s JOIN other AS o ON s.subject_id = o.subject_id",
        "SELECT other.* FROM session JOIN other USING (subject_id)",
        "SELECT traces FROM other",
        "SELECT t.traces FROM (SELECT session AS traces FROM session LIMIT 5) t JOIN session s",
        "SELECT traces FROM elsewhere.session",
        "SELECT 'traces' FROM session",
        "SELECT * FROM inline",
        "SELECT sig, length(sig) FROM inline WHERE sig = X'00'",
        "SELECT id FROM traces WHERE id = 1",
        "SELECT t.id FROM lab.traces t, lab.traces u WHERE t.id = u.id",
        "SELECT id FROM graphs",
        "(SELECT subject_id FROM session)",
        "SELECT subject_id FROM session FOR UPDATE",
        "SELECT 1 AS one, '`session`.`traces`'",
        "SELECT subject_id INTO @x FROM session LIMIT 1",
        "WITH c AS (SELECT subject_id FROM session) SELECT * FROM c",
        "SELECT /* traces */ subject_id FROM session -- traces",
    ];
    let shapes: Vec<(&str, &str)> = texts.iter().map(|t| (*t, "pass")).collect();
    check(&shapes);
}

#[test]
fn plain_columns_of_base_tables_are_read() {
    let texts = [
        "SELECT `subject_id`,`session`,`t`,`sig`,`traces` FROM `lab`.`session`",
        "SELECT `subject_id`,`traces` FROM `lab`.`session` WHERE ( (`subject_id`=1)AND(`session`=1))",
        "SELECT `subject_id`,`traces` FROM `lab`.`session` ORDER BY `subject_id`, `session` LIMIT 1",
        "SELECT `subject_id`,`session` as `sess`,`traces`,year(t) as `yr` FROM `lab`.`session`",
        "SELECT `subject_id`,`session`,`name`,`traces` FROM `lab`.`subject` NATURAL JOIN `lab`.`session`",
        "SELECT `subject_id`,`name`,`traces` FROM `lab`.`subject` JOIN `lab`.`session` USING (`subject_id`)",
        "SELECT `traces` FROM `lab`.`session` WHERE ((`subject_id`) in (SELECT `subject_id` FROM `lab`.`__proc`))",
        "SELECT `traces` FROM `lab`.`session` WHERE ((`subject_id`,`session`) not in (SELECT `subject_id`,`n` FROM `lab`.`__proc` WHERE traces IS NULL))",
        "SELECT * FROM session",
        "SELECT session.* FROM session",
        "SELECT s.*, o.note FROM lab.session AS s LEFT JOIN other o ON o.id = s.subject_id",
        "SELECT *, 1 FROM session WHERE traces IS NOT NULL",
        "SELECT DISTINCT traces FROM session",
        "SELECT traces AS 'x' FROM session",
        "SELECT traces AS x, raw y FROM session ORDER BY subject_id DESC LIMIT 10, 20",
        "SELECT (traces) FROM session",
        "SELECT TRACES FROM session",
        "SELECT lab.session.traces FROM lab.session",
        "SELECT s.traces, p.traces AS other FROM session s JOIN __proc p ON s.subject_id = p.subject_id",
        "SELECT traces FROM session FOR UPDATE",
        "SELECT traces FROM session LOCK IN SHARE MODE",
        "SELECT SQL_NO_CACHE traces FROM session",
        "SELECT traces, (SELECT count(*) FROM other) FROM session",
        "SELECT traces FROM session WHERE EXISTS (SELECT * FROM __proc WHERE __proc.subject_id = session.subject_id)",
        "SELECT traces FROM traces",
        "SELECT `traces`.`traces` FROM `lab`.`traces`",
        "(SELECT traces FROM session)",
        "SELECT traces FROM session GROUP BY subject_id",
        "SELECT subject_id, traces FROM session ORDER BY 1",
        "SELECT traces FROM session WHERE note = 'FROM x; UNION' AND n = X'00ff'",
        "select\ttraces\nfrom\r\nsession",
        "SET STATEMENT max_statement_time=5 FOR SELECT traces FROM session",
        "SELECT traces FROM session;",
    ];
    let shapes: Vec<(&str, &str)> = texts.iter().map(|t| (*t, "read")).collect();
    check(&shapes);
}

#[test]
fn other_uses_in_queries_are_refused() {
    let texts = [
        "SELECT length(traces) FROM session",
        "SELECT md5(s.traces) FROM session s",
        "SELECT max(traces) FROM session",
        "SELECT count(traces) FROM session",
        "SELECT ifnull(traces, '') FROM session",
        "SELECT CASE WHEN n THEN traces END FROM session",
        "SELECT concat(traces, '') FROM session",
        "SELECT traces->'$.hash' FROM session",
        "SELECT CAST(traces AS CHAR) FROM session",
        "SELECT subject_id FROM session WHERE traces = 'x'",
        "SELECT subject_id FROM session WHERE traces LIKE '%x%'",
        "SELECT subject_id FROM session WHERE subject_id = traces IS NULL",
        "SELECT subject_id FROM session WHERE n BETWEEN 1 AND traces IS NULL",
        "SELECT subject_id FROM session ORDER BY traces",
        "SELECT traces FROM session ORDER BY traces",
        "SELECT traces FROM session ORDER BY 1",
        "SELECT * FROM session ORDER BY 5",
        "SELECT traces AS x FROM session ORDER BY x",
        "SELECT subject_id FROM session GROUP BY traces",
        "SELECT traces AS x FROM session HAVING x > 1",
        "SELECT traces INTO @x FROM session",
        "SELECT traces FROM session INTO @x",
        "SELECT traces FROM session INTO OUTFILE '/tmp/x'",
        "SELECT @x := traces FROM session",
        "SELECT traces FROM session UNION SELECT traces FROM session",
        "SELECT subject_id FROM session UNION ALL SELECT traces FROM session",
        "SELECT * FROM session UNION SELECT * FROM session",
        "SELECT traces FROM (SELECT traces FROM session) t",
        "SELECT d FROM (SELECT traces AS d FROM session) t",
        "SELECT * FROM (SELECT * FROM session) t",
        "SELECT s.traces FROM session s JOIN (SELECT 1 AS one) t",
        "WITH c AS (SELECT traces FROM session) SELECT * FROM c",
        "WITH c AS (SELECT * FROM session) SELECT subject_id FROM c",
        "SELECT (SELECT traces FROM session LIMIT 1)",
        "SELECT subject_id FROM other WHERE x IN (SELECT traces FROM session)",
        "SELECT subject_id FROM other WHERE x IN (SELECT * FROM session)",
        "SELECT s.subject_id FROM session s JOIN other o ON s.traces = o.traces",
        "SELECT s.subject_id FROM session s JOIN __proc p USING (traces)",
        "SELECT subject_id FROM session NATURAL JOIN __proc",
        "SELECT row_number() OVER (ORDER BY traces) FROM session",
        "SELECT subject_id FROM session WINDOW w AS (PARTITION BY traces)",
        "SELECT traces COLLATE utf8mb4_bin FROM session",
        "SELECT subject_id FROM session WHERE MATCH (traces) AGAINST ('x')",
        "TABLE session",
        "SELECT subject_id FROM other WHERE (1,2) IN (TABLE session)",
        "HANDLER session OPEN",
        "HANDLER session READ FIRST",
        "SELECT traces FROM session PROCEDURE ANALYSE()",
        "SELECT traces traces traces FROM session",
        "SELECT subject_id, NOT traces FROM session",
        "SELECT group_concat(traces) FROM session",
        "DO (SELECT traces FROM session)",
        "SET @x = (SELECT traces FROM session)",
        "SET STATEMENT max_statement_time=5 FOR SELECT md5(traces) FROM session",
        "PREPARE s FROM 'SELECT traces FROM session'",
        "EXECUTE IMMEDIATE 'SELECT traces FROM session'",
        "EXECUTE IMMEDIATE 'SELECT tr\\aces FROM se\\ssion'",
        "CALL p((SELECT traces FROM session))",
        "BEGIN NOT ATOMIC SELECT traces FROM session; END",
        "IF 1 THEN SELECT 1 FROM session; END IF",
        "SELECT traces AS 'x' FROM session ORDER BY x",
        "SELECT subject_id /*!99999 , traces */ FROM session",
        "SELECT subject_id, traces IS NULL /*!50000 */ FROM session",
        "SELECT j.x FROM session, JSON_TABLE(traces, '$' COLUMNS (x int PATH '$.size')) j",
        "INSERT INTO other TABLE session",
    ];
    for text in texts {
        let found = short(plan(text));
        assert!(found.starts_with("no lab."), "{text}: {found}");
    }
    check(&[
        ("SELECT max(traces) FROM session", "no lab.session.traces"),
        ("SELECT md5(raw) FROM session", "no lab.session.raw"),
        (
            "SELECT p.traces + 1 FROM session s, __proc p",
            "no lab.__proc.traces",
        ),
        ("SELECT g FROM graphs", "no lab.graphs.g"),
        ("SELECT * FROM graphs", "no lab.graphs.g"),
        ("SELECT id FROM v_traces", "no lab.v_traces"),
        (
            "SELECT a.id FROM other a, lab.v_traces b",
            "no lab.v_traces",
        ),
    ]);
}

#[test]
fn literals_for_codec_columns_become_cells() {
    check(&[
        (
            "INSERT INTO `lab`.`session`(`subject_id`,`session`,`sig`,`traces`) VALUES ('1','0',X'6d59','mYm\\0abc'),('1','1',DEFAULT,NULL)",
            "write 3 4",
        ),
        (
            "INSERT INTO lab.session(subject_id, traces) VALUES (1, _binary'x') ON DUPLICATE KEY UPDATE `subject_id`=`subject_id`",
            "write 4",
        ),
        (
            "INSERT INTO session VALUES (1, 2, now(), 'a', 'b', 'c'), (2, 2, now(), NULL, 0x6d59, 'c')",
            "write 3 4 5 4 5",
        ),
        (
            "REPLACE INTO `lab`.`session`(`subject_id`,`traces`) VALUES ('3',\"rep\")",
            "write 4",
        ),
        ("INSERT IGNORE session (raw) VALUE ('a' 'b')", "write 5"),
        (
            "INSERT INTO session (RAW, n) VALUES (('x'), 1 + 2)",
            "write 5",
        ),
        ("INSERT INTO session () VALUES ()", "pass"),
        ("INSERT INTO session VALUES ()", "pass"),
        ("INSERT INTO session (subject_id) VALUES (1),(2)", "pass"),
        (
            "INSERT INTO session (subject_id, traces) VALUES (1, NULL), (2, DEFAULT)",
            "pass",
        ),
        ("INSERT INTO inline VALUES (1, 'x')", "write 1"),
        (
            "INSERT INTO session (subject_id, traces) VALUES (1, 'x') ON DUPLICATE KEY UPDATE traces = VALUES(traces)",
            "write 4",
        ),
        (
            "INSERT INTO session (subject_id, traces) VALUES (1, 'x') ON DUPLICATE KEY UPDATE traces = 'y', n = n + 1",
            "write 4 4",
        ),
        (
            "INSERT INTO session (subject_id) VALUES (1) ON DUPLICATE KEY UPDATE traces = NULL, raw = DEFAULT",
            "pass",
        ),
        (
            "INSERT INTO session (subject_id) VALUES (1) ON DUPLICATE KEY UPDATE traces = lab.session.traces",
            "pass",
        ),
        (
            "INSERT INTO session (subject_id, traces) VALUES (1, 'x') RETURNING subject_id",
            "write 4",
        ),
        ("INSERT INTO other (traces) VALUES ('x')", "pass"),
        (
            "INSERT INTO elsewhere.session (traces) VALUES ('x')",
            "pass",
        ),
        (
            "INSERT INTO `lab`.`~log`(`event`) VALUES ('DELETE FROM `lab`.`session` WHERE traces')",
            "pass",
        ),
        (
            "INSERT INTO sub_copy (`subject_id`,`name`) SELECT `subject_id`,`n` FROM `lab`.`session`",
            "pass",
        ),
        (
            "INSERT INTO session (`subject_id`,`n`) SELECT `subject_id`,`n` FROM `lab`.`__proc` ON DUPLICATE KEY UPDATE n = VALUES(n)",
            "pass",
        ),
        (
            "INSERT INTO session SET subject_id = 1, traces = NULL",
            "pass",
        ),
        ("ANALYZE INSERT INTO other VALUES (1)", "pass"),
        ("INSERT INTO traces VALUES (1, 'x')", "write 1"),
        (
            "/*! INSERT */ INTO session (traces) VALUES ('x')",
            "write 4",
        ),
    ]);
}

#[test]
fn other_writes_are_refused() {
    let texts = [
        "INSERT INTO session (subject_id, traces) VALUES (1, 5)",
        "INSERT INTO session (subject_id, traces) VALUES (1, UNHEX('6d59'))",
        "INSERT INTO session (subject_id, traces) VALUES (1, @x)",
        "INSERT INTO session (subject_id, traces) VALUES (1, ?)",
        "INSERT INTO session (subject_id, traces) VALUES (1, N'x')",
        "INSERT INTO session (subject_id, sig) VALUES (1, concat('a','b'))",
        "INSERT INTO session (subject_id, n) VALUES (1, traces)",
        "INSERT INTO session (subject_id, traces) VALUES (1, (SELECT traces FROM session))",
        "INSERT INTO other VALUES (1, (SELECT traces FROM session))",
        "INSERT INTO other VALUES (1, (SELECT * FROM session))",
        "INSERT INTO session SET subject_id = 1, traces = 'x'",
        "INSERT INTO session (traces) SELECT x FROM other",
        "INSERT INTO session SELECT * FROM other",
        "INSERT INTO other SELECT * FROM session",
        "INSERT INTO other (x) SELECT traces FROM session",
        "INSERT INTO session (subject_id) VALUES (1) ON DUPLICATE KEY UPDATE traces = concat(traces, 'x')",
        "INSERT INTO session (subject_id) VALUES (1) ON DUPLICATE KEY UPDATE traces = VALUES(raw)",
        "INSERT INTO session (subject_id) VALUES (1) ON DUPLICATE KEY UPDATE n = length(traces)",
        "INSERT INTO session (subject_id, traces) VALUES (1, 'x') AS new ON DUPLICATE KEY UPDATE traces = new.traces",
        "INSERT INTO session (subject_id, traces) VALUES (1, 'x') RETURNING traces",
        "INSERT INTO session (subject_id) VALUES (1) RETURNING *",
        "INSERT INTO graphs VALUES (1, 'x', 'y')",
        "INSERT INTO v_traces VALUES (1)",
        "UPDATE session SET traces = 'x' WHERE subject_id = 1",
        "UPDATE `lab`.`session` SET `sig`='dj0' WHERE (`subject_id`=1)",
        "UPDATE session s SET n = 1, s.traces = X'00'",
        "UPDATE session SET n = length(traces)",
        "UPDATE session SET n = 1 WHERE traces = 'x'",
        "UPDATE session JOIN __proc USING (traces) SET session.n = 1",
        "UPDATE session SET traces = NULL + 1",
        "UPDATE session SET n = 1 ORDER BY traces LIMIT 1",
        "UPDATE v_traces SET n = 1",
        "DELETE FROM session WHERE traces = 'x'",
        "DELETE FROM session WHERE TRIM('x' FROM raw) = 'y'",
        "WITH c AS (SELECT 1) UPDATE session SET sig = 'x'",
        "WITH c AS (SELECT 1) DELETE FROM session WHERE traces > 'x'",
        "DELETE FROM session WHERE subject_id = 1 RETURNING traces",
        "DELETE FROM session WHERE subject_id = 1 RETURNING *",
        "DELETE FROM other WHERE x IN (SELECT * FROM session)",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE session",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE inline (id, sig)",
        "BEGIN NOT ATOMIC INSERT INTO inline VALUES (1, 'x'); END",
        "PREPARE s FROM 'INSERT INTO session (traces) VALUES (?)'",
        "ANALYZE UPDATE session SET traces = 'x'",
        "ANALYZE INSERT INTO session (traces) VALUES ('x')",
        "CREATE TABLE copy AS SELECT * FROM session",
        "CREATE TABLE copy (id int) SELECT traces FROM session",
        "CREATE TABLE copy SELECT traces AS x FROM session",
        "CREATE TEMPORARY TABLE session (id int)",
        "CREATE TRIGGER tr BEFORE INSERT ON session FOR EACH ROW SET NEW.traces = NULL",
        "CREATE PROCEDURE p() SELECT * FROM session",
        "CREATE FUNCTION f() RETURNS int RETURN (SELECT length(traces) FROM session)",
        "ALTER TABLE session MODIFY traces longblob",
        "ALTER TABLE session CHANGE traces x json",
        "ALTER TABLE lab.session RENAME COLUMN traces TO x",
        "ALTER TABLE session ADD x longblob COMMENT '<blob@main> new'",
        "ALTER TABLE other ADD x longblob COMMENT \"<blob> new\"",
        "SELECT 1; INSERT INTO session (traces) VALUES ('x')",
        "SELECT traces FROM session; SELECT 2",
        "USE lab; SELECT traces FROM session",
    ];
    for text in texts {
        let found = short(plan(text));
        assert!(found.starts_with("no lab."), "{text}: {found}");
    }
    let count = plan("INSERT INTO session (subject_id, traces) VALUES (1, 'x'), (2)").unwrap_err();
    assert_eq!((count.code, count.sqlstate), (1136, "21S01"));
    assert!(count.message.ends_with("at row 2"), "{}", count.message);
    let count = plan("INSERT INTO session VALUES ('x')").unwrap_err();
    assert_eq!(count.code, 1136);
}

#[test]
fn harmless_changes_pass() {
    let texts = [
        "UPDATE session SET n = 1 WHERE subject_id = 2",
        "UPDATE session SET traces = NULL, n = 1 WHERE raw IS NULL",
        "UPDATE `lab`.`session` SET `traces`=DEFAULT WHERE  (`subject_id`=1)AND(`session`=0)",
        "UPDATE other SET traces = 'x'",
        "UPDATE inline SET id = 2 WHERE sig = 'x'",
        "DELETE FROM `lab`.`session` WHERE ( (session=1))",
        "DELETE FROM session WHERE traces IS NULL",
        "DELETE FROM traces WHERE id = 1",
        "DELETE s.* FROM session s JOIN other o ON s.subject_id = o.id",
        "DELETE FROM other WHERE EXISTS (SELECT * FROM session WHERE session.subject_id = other.id)",
        "TRUNCATE TABLE session",
        "LOCK TABLES session WRITE",
        "OPTIMIZE TABLE session",
        "ANALYZE TABLE session",
        "EXPLAIN SELECT traces FROM session WHERE traces = 'x'",
        "SHOW CREATE TABLE session",
        "SHOW TABLE STATUS FROM `lab` WHERE name=\"session\"",
        "SHOW KEYS FROM `lab`.`session`",
        "GRANT SELECT (traces) ON lab.session TO x",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        "BEGIN",
        "SET @x = (SELECT subject_id FROM session LIMIT 1)",
        "DEALLOCATE PREPARE s",
        "SELECT 1; SELECT subject_id FROM session",
        "DROP TRIGGER tr",
    ];
    let shapes: Vec<(&str, &str)> = texts.iter().map(|t| (*t, "pass")).collect();
    check(&shapes);
    // What runs elsewhere is judged by its result.
    check(&[
        ("CALL p(1)", "read"),
        ("EXECUTE s USING @x", "read"),
        ("PREPARE s FROM 'SELECT subject_id FROM session'", "read"),
        ("CALL p(1); SELECT 1", "read"),
    ]);
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
        ("DROP USER x", "pass"),
        ("SELECT 1; DROP TABLE session", "ddl lab.session"),
        (
            "CREATE TABLE a (i int); USE z; CREATE TABLE b (i int)",
            "ddl lab.a z.b",
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
fn cells_know_their_literals() {
    let text = b"INSERT INTO session (subject_id, traces) VALUES (1, 'mYm\\0\x01\xff''x'  )";
    let Ok(Plan::Write(write)) = plan_in(text, &context()) else {
        panic!("not a write");
    };
    let cell = &write.cells[0];
    assert_eq!(&text[cell.span.clone()], b"'mYm\\0\x01\xff''x'");
    assert_eq!(cell.literal.head(99), b"mYm\0\x01\xff'x");
    assert_eq!(write.table.column_path(cell.column), "lab.session.traces");
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
        (
            "USE lab; SELECT traces FROM session",
            "no lab.session.traces",
        ),
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
        ..context()
    };
    // 0xBF 0x5C is one letter there, so the string ends before the comma.
    let text = b"SELECT '\xbf\\', traces FROM session -- '";
    assert_eq!(short(plan_in(text, &gbk)), "no lab.session.traces");
    assert_eq!(short(plan_in(b"SELECT traces FROM session", &gbk)), "read");
    let text = b"INSERT INTO session (traces) VALUES ('\xbf\\')";
    assert_eq!(short(plan_in(text, &gbk)), "no lab.session.traces");
    let sneaky = "SET sql_mode = 'ANSI_QUOTES'; SELECT \"traces\" FROM session";
    assert!(short(plan(sneaky)).starts_with("no lab.session"));
}

#[test]
fn prepared_statements_pass_or_are_refused() {
    let index = index();
    for (text, passes) in [
        ("SELECT subject_id FROM session WHERE subject_id = ?", true),
        ("INSERT INTO session (subject_id) VALUES (?)", true),
        ("INSERT INTO other VALUES (?, ?)", true),
        ("DROP TABLE session", true),
        ("SHOW COLUMNS FROM session", true),
        ("CALL p(?)", true),
        ("SELECT traces FROM session", false),
        ("INSERT INTO session (traces) VALUES (?)", false),
        ("INSERT INTO session (traces) VALUES ('x')", false),
        ("UPDATE session SET traces = ?", false),
    ] {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let answer = examine_prepared(&bytes, &context(), &index);
        assert_eq!(answer.is_ok(), passes, "{text}: {answer:?}");
    }
    let read = Bytes::from_static(b"SELECT traces FROM session");
    let refusal = examine_prepared(&read, &context(), &index).expect_err("reads");
    assert!(
        refusal.message.contains("use the text protocol"),
        "{}",
        refusal.message
    );
    assert!(refusal.message.contains("lab.session.traces"));
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
            glance(text.as_bytes(), &index, View::Bytes),
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
            glance(text.as_bytes(), &index, View::Bytes),
            Glance::Examine,
            "{text}"
        );
    }
}

#[test]
fn natural_join_must_not_compare_pointers() {
    let index = index().with_namesake("lab", "wide", "traces");
    let found = |text: &str| {
        short(examine(
            &Bytes::copy_from_slice(text.as_bytes()),
            &context(),
            &index,
        ))
    };
    for (text, expected) in [
        ("SELECT n FROM session NATURAL JOIN subject", "pass"),
        ("SELECT traces FROM session NATURAL JOIN subject", "read"),
        (
            "SELECT n FROM session NATURAL JOIN wide",
            "no lab.session.traces",
        ),
        (
            "SELECT session.n FROM session NATURAL JOIN (SELECT subject_id, note AS traces FROM wide) w",
            "no lab.session.traces",
        ),
        (
            "SELECT n FROM session NATURAL JOIN (SELECT subject_id FROM wide) w",
            "pass",
        ),
        (
            "SELECT n FROM session NATURAL JOIN subject WHERE (n) IN (SELECT n FROM session)",
            "pass",
        ),
        (
            "SELECT n FROM session s NATURAL LEFT JOIN session t",
            "no lab.session.traces",
        ),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}
