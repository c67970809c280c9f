//! Queries.

use bytes::Bytes;

use super::super::examine;
use super::{check, context, index, plan, short};

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
        "SET STATEMENT max_statement_time=5 FOR SELECT md5(traces) FROM session",
        "SELECT v.n AS traces, TRACES AS id FROM keys_only v, session AS t ORDER BY 1",
    ];
    let shapes: Vec<(&str, &str)> = texts.iter().map(|t| (*t, "read")).collect();
    check(&shapes);
}

#[test]
fn other_uses_in_queries_are_refused() {
    let texts = [
        "SELECT max(traces) FROM session",
        "SELECT ifnull(traces, '') FROM session",
        "SELECT concat(traces, '') FROM session",
        "SELECT traces->'$.hash' FROM session",
        "SELECT CAST(traces AS CHAR) FROM session",
        "SELECT subject_id FROM session WHERE traces LIKE '%x%'",
        "SELECT subject_id FROM session WHERE subject_id = traces IS NULL",
        "SELECT subject_id FROM session WHERE n BETWEEN 1 AND traces IS NULL",
        "SELECT subject_id FROM session ORDER BY traces",
        "SELECT traces FROM session ORDER BY traces",
        "SELECT traces FROM session ORDER BY 1",
        "SELECT * FROM session ORDER BY 5",
        "SELECT traces AS x FROM session ORDER BY x",
        "SELECT traces AS x FROM session HAVING x > 1",
        "SELECT traces INTO @x FROM session",
        "SELECT traces FROM session INTO @x",
        "SELECT traces FROM session INTO OUTFILE '/tmp/x'",
        "SELECT @x := traces FROM session",
        "SELECT subject_id FROM session UNION ALL SELECT traces FROM session",
        "SELECT subject_id FROM other WHERE x IN (SELECT traces FROM session)",
        "SELECT subject_id FROM other WHERE x IN (SELECT * FROM session)",
        "SELECT s.subject_id FROM session s JOIN __proc p USING (traces)",
        "SELECT subject_id FROM session NATURAL JOIN __proc",
        "SELECT row_number() OVER (ORDER BY traces) FROM session",
        "SELECT subject_id FROM session WINDOW w AS (PARTITION BY traces)",
        "SELECT traces COLLATE utf8mb4_bin FROM session",
        "SELECT subject_id FROM session WHERE MATCH (traces) AGAINST ('x')",
        "SELECT subject_id FROM other WHERE (1,2) IN (TABLE session)",
        "SELECT traces FROM session PROCEDURE ANALYSE()",
        "SELECT traces traces traces FROM session",
        "SELECT subject_id, NOT traces FROM session",
        "SELECT group_concat(traces) FROM session",
        "DO (SELECT traces FROM session)",
        "SET @x = (SELECT traces FROM session)",
        "PREPARE s FROM 'SELECT hex(traces) FROM session'",
        "EXECUTE IMMEDIATE 'UPDATE session SET traces = 1'",
        "EXECUTE IMMEDIATE 'SELECT hex(tr\\aces) FROM se\\ssion'",
        "CALL p((SELECT traces FROM session))",
        "BEGIN NOT ATOMIC SELECT traces FROM session; END",
        "IF 1 THEN SELECT 1 FROM session; END IF",
        "SELECT traces AS 'x' FROM session ORDER BY x",
        "SELECT subject_id /*!99999 , traces */ FROM session",
        "SELECT subject_id, traces IS NULL /*!50000 */ FROM session",
        "SELECT j.x FROM session, JSON_TABLE(traces, '$' COLUMNS (x int PATH '$.size')) j",
        "INSERT INTO other TABLE session",
    ];
    let found = texts.map(|text| (text, short(plan(text))));
    let wrong = found
        .iter()
        .filter(|(_, found)| !found.starts_with("no lab."));
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "not refused: {wrong:#?}");
    check(&[
        ("SELECT max(traces) FROM session", "no lab.session.traces"),
        ("SELECT sha1(raw) FROM session", "no lab.session.raw"),
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

#[test]
fn texts_that_only_the_server_knows_are_asked_for() {
    check(&[
        ("EXECUTE IMMEDIATE @q", "ask"),
        ("PREPARE s FROM @q", "ask"),
        (
            "SET STATEMENT max_statement_time=5 FOR EXECUTE IMMEDIATE (@q)",
            "ask",
        ),
        ("EXECUTE IMMEDIATE CONCAT('SELECT ', @x) USING @y", "ask"),
        ("EXECUTE s", "read"),
        ("EXECUTE IMMEDIATE @q := 'SELECT 1'", "no this statement"),
        ("EXECUTE IMMEDIATE f()", "no this statement"),
        (
            "EXECUTE IMMEDIATE IF(RAND() < 1, 'a', 'b')",
            "no this statement",
        ),
        ("SELECT 1; EXECUTE IMMEDIATE @q", "several"),
        (
            "SET @q = 'SELECT 1'; PREPARE s FROM @q; EXECUTE s",
            "several",
        ),
        (
            "SET @q = 'SELECT hex(traces) FROM session'; EXECUTE IMMEDIATE @q",
            "several",
        ),
        (
            "EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE @q'",
            "no this statement",
        ),
    ]);
    let context = context();
    let asked = |text: &'static str| {
        let text = Bytes::from_static(text.as_bytes());
        let plan = crate::plan::examine_dynamic(&text, &context, &index());
        short(plan.map(|(plan, _)| plan))
    };
    assert_eq!(asked("SELECT 1"), "pass");
    assert_eq!(asked("DROP TABLE session"), "ddl lab.session");
    assert_eq!(asked("SELECT traces FROM session"), "read");
    assert_eq!(
        asked("INSERT INTO session (traces) VALUES ('mYm')"),
        "no lab.session.traces"
    );
    assert_eq!(
        asked("SELECT hex(traces) FROM session"),
        "no lab.session.traces"
    );
    assert_eq!(asked("SET @codec_view = 'json'"), "no this statement");
    let text = Bytes::from_static(b"EXECUTE IMMEDIATE @q");
    assert!(crate::plan::examine_prepared(&text, &context, &index()).is_err());
}
