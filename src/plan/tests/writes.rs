//! Statements that write.

use bytes::Bytes;

use super::super::{Plan, Source};
use super::{check, context, plan, plan_in, short};

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
        (
            "INSERT INTO session SET subject_id = 1, traces = 'x', raw = concat('a', @b)",
            "write 4 5",
        ),
        (
            "INSERT INTO session (subject_id, traces, raw) VALUES (1, UNHEX('6d59'), (5)), (2, (SELECT x FROM other), @y)",
            "write 4 5 4 5",
        ),
        (
            "INSERT INTO session (subject_id, traces) VALUES ROW(1, 'x'), ROW(2, 'y') AS new ON DUPLICATE KEY UPDATE traces = new.traces",
            "write 4 4",
        ),
        (
            "INSERT INTO session (subject_id, traces) VALUES (1, 'x') AS new(a, b) ON DUPLICATE KEY UPDATE traces = b, subject_id = a",
            "write 4",
        ),
        (
            "INSERT INTO session PARTITION (p0) (subject_id, traces) VALUES (1, 'x') ON DUPLICATE KEY UPDATE traces = UNHEX('00')",
            "write 4 4",
        ),
        (
            "UPDATE session SET traces = 'x' WHERE subject_id = 1",
            "write 4",
        ),
        (
            "UPDATE `lab`.`session` SET `sig`='dj0', `raw`=UNHEX('00') WHERE (`subject_id`=1)",
            "write 3 5",
        ),
        (
            "UPDATE session s SET n = 1, s.traces = X'00' ORDER BY n LIMIT 2",
            "write 4",
        ),
        ("UPDATE session SET traces = NULL + 1", "write 4"),
        (
            "WITH c AS (SELECT 1) UPDATE session SET sig = 'x'",
            "write 3",
        ),
        (
            "UPDATE session s JOIN __proc p ON s.subject_id = p.subject_id SET s.traces = 'a', p.traces = 'b', s.n = p.n WHERE s.raw IS NULL",
            "write 4 1",
        ),
        (
            "UPDATE session s, __proc p SET s.traces = p.traces, p.n = 2, s.sig = s.sig",
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
fn conditions_and_returned_columns_are_followed() {
    let write = |text: &str| match plan(text) {
        Ok(Plan::Write(write)) => write,
        other => panic!("{text}: {}", short(other)),
    };
    let compared = write("UPDATE session s SET n = 1 WHERE s.traces = 'x' AND n > 2");
    assert!(compared.cells.is_empty() && compared.edits.len() >= 2);
    let both = write("UPDATE session SET raw = 'y' WHERE traces IN ('x', 'z')");
    assert_eq!((both.cells.len(), both.returned.is_some()), (1, false));
    let returned =
        write("INSERT INTO session (subject_id, traces) VALUES (1, 'x') RETURNING traces");
    assert_eq!(
        (returned.cells.len(), returned.returned.is_some()),
        (1, true)
    );
    let all = write("INSERT INTO session (subject_id) VALUES (1) RETURNING *");
    assert!(all.cells.is_empty() && all.returned.is_some());
    let text = Bytes::from_static(b"UPDATE session SET n = ? WHERE traces = ?");
    match super::super::examine_prepared(&text, &context(), &super::index()) {
        Ok(Plan::Write(write)) => assert_eq!(write.hashed, [1]),
        other => panic!("{}", short(other)),
    }
}

#[test]
fn queries_hand_on_what_is_stored_or_are_asked_for_their_values() {
    check(&[
        ("INSERT INTO session SELECT * FROM session", "pass"),
        (
            "INSERT INTO `lab`.`session` (`subject_id`,`traces`) SELECT `subject_id`,`traces` FROM `lab`.`__proc` ON DUPLICATE KEY UPDATE `subject_id`=`lab`.`session`.`subject_id`",
            "pass",
        ),
        (
            "REPLACE INTO session (traces, subject_id) SELECT p.traces AS x, p.subject_id y FROM __proc p JOIN other USING (n) WHERE p.traces IS NOT NULL LIMIT 3",
            "pass",
        ),
        ("INSERT INTO traces SELECT id, NULL FROM other", "pass"),
        ("INSERT INTO traces (id) SELECT id FROM session", "pass"),
        ("INSERT INTO traces SELECT 5, 'x' data", "write 1"),
    ]);
    let counts = plan("INSERT INTO session (n, traces) SELECT traces FROM session").unwrap_err();
    assert_eq!(counts.code, 1136);
    let text = "INSERT INTO session (n, traces, raw) SELECT n, x AS y, concat(x, ?, 'a') FROM other WHERE id > 2 ORDER BY n";
    assert!(short(plan(text)).starts_with("no lab.session.raw"));
    let text = text.replace(", ?", "");
    let Ok(Plan::Write(write)) = plan(&text) else {
        panic!("not a write");
    };
    let copied: Vec<_> = write
        .copied
        .iter()
        .map(|c| (&text[c.span.clone()], c.column))
        .collect();
    assert_eq!(copied, [("x", 4), ("concat(x, 'a')", 5)]);
    let rows = String::from_utf8_lossy(&write.copied[0].rows);
    assert_eq!(rows, "FROM other WHERE id > 2 ORDER BY n");
}

#[test]
fn files_of_the_client_are_rewritten() {
    let rewritten_to = |text: &str| match plan(text) {
        Ok(Plan::Load(load)) => {
            let text = super::super::rewritten(text.as_bytes(), &load.edits);
            String::from_utf8_lossy(&text).into_owned()
        }
        other => short(other),
    };
    let load = "LOAD DATA LOCAL INFILE 'x' INTO TABLE";
    for (tail, expected) in [
        (
            "session (subject_id, traces, @x, raw) SET n = @x",
            "session (subject_id, @codec_proxy_1, @x, @codec_proxy_3) SET n = @x, \
             `traces` = CONVERT(UNHEX(@codec_proxy_1) USING utf8mb4), \
             `raw` = CONVERT(UNHEX(@codec_proxy_3) USING utf8mb4)",
        ),
        (
            "traces IGNORE 1 LINES",
            "traces IGNORE 1 LINES (`id`, @codec_proxy_1) SET \
             `traces` = CONVERT(UNHEX(@codec_proxy_1) USING utf8mb4)",
        ),
        ("inline (id, sig)", "inline (id, sig)"),
    ] {
        assert_eq!(
            rewritten_to(&format!("{load} {tail}")),
            format!("{load} {expected}")
        );
    }
    check(&[
        (
            "LOAD DATA INFILE 'x' INTO TABLE session (subject_id, n)",
            "pass",
        ),
        (
            "LOAD DATA LOCAL INFILE 'x' INTO TABLE session (@a) SET traces = NULL",
            "pass",
        ),
        ("LOAD DATA LOCAL INFILE 'session' INTO TABLE other", "pass"),
    ]);
}

#[test]
fn other_writes_are_refused() {
    let texts = [
        "INSERT INTO session (subject_id, traces) VALUES (1, ?)",
        "INSERT INTO session (subject_id, traces) VALUES (1, concat(?, 'x'))",
        "INSERT INTO session (subject_id, traces) VALUES (1, concat(raw, 'x'))",
        "INSERT INTO session (subject_id, traces) VALUES (1, DEFAULT(n))",
        "INSERT INTO session (subject_id, traces) VALUES (@a := 1, @a)",
        "INSERT INTO session (subject_id, traces) VALUES (ROW_COUNT(), hex(1))",
        "INSERT INTO session (subject_id, n) VALUES (1, traces)",
        "INSERT INTO session (subject_id, traces) VALUES (1, (SELECT traces FROM session))",
        "INSERT INTO other VALUES (1, (SELECT traces FROM session))",
        "INSERT INTO other VALUES (1, (SELECT * FROM session))",
        "INSERT INTO session SELECT * FROM other",
        "INSERT INTO session (n) SELECT raw FROM session",
        "INSERT INTO session (traces) SELECT concat(raw, 'x') FROM session",
        "INSERT INTO session (traces, n) SELECT traces, length(traces) FROM session",
        "INSERT INTO session (traces) SELECT traces FROM session WHERE traces > 'x'",
        "INSERT INTO session (traces) SELECT DISTINCT traces FROM session",
        "INSERT INTO session (traces) SELECT traces FROM session UNION SELECT x FROM other",
        "INSERT INTO session (traces) (SELECT traces FROM session)",
        "INSERT INTO session (traces) SELECT traces FROM session, (SELECT 1) q",
        "INSERT INTO session (traces) SELECT traces FROM session NATURAL JOIN other",
        "INSERT INTO session (n) SELECT traces FROM session",
        "INSERT INTO session (subject_id, traces) SELECT id, traces FROM traces ON DUPLICATE KEY UPDATE traces = x.traces",
        "INSERT INTO graphs (id, g) SELECT id, x FROM other",
        "INSERT INTO other SELECT * FROM session",
        "INSERT INTO other (x) SELECT traces FROM session",
        "INSERT INTO session (subject_id) VALUES (1) ON DUPLICATE KEY UPDATE traces = concat(traces, 'x')",
        "INSERT INTO session (subject_id) VALUES (1) ON DUPLICATE KEY UPDATE traces = VALUES(raw)",
        "INSERT INTO session (subject_id) VALUES (1) ON DUPLICATE KEY UPDATE n = length(traces)",
        "INSERT INTO graphs VALUES (1, 'x', 'y')",
        "INSERT INTO v_traces VALUES (1)",
        "INSERT INTO session VALUES (1, 2, 3, 'a', 'b', 'c') AS n(a, b, c, d, e, f) ON DUPLICATE KEY UPDATE n = e",
        "INSERT INTO session VALUES (1, 2, 3, 'a', 'b', 'c') AS n(a, b, c, d, e, f) ON DUPLICATE KEY UPDATE raw = n.e",
        "INSERT INTO session (raw) VALUES ('a') ON DUPLICATE KEY UPDATE traces = raw",
        "UPDATE session SET traces = raw",
        "UPDATE session SET sig = 'x', n = traces",
        "UPDATE session SET traces = 'x', n = length(traces)",
        "UPDATE session SET traces = (SELECT raw FROM session)",
        "UPDATE session, other SET session.traces = 'x', other.y = session.traces",
        "UPDATE session SET n = length(traces)",
        "UPDATE session JOIN __proc USING (traces) SET session.n = 1",
        "UPDATE session SET n = 1 ORDER BY traces LIMIT 1",
        "UPDATE v_traces SET n = 1",
        "DELETE FROM session WHERE TRIM('x' FROM raw) = 'y'",
        "WITH c AS (SELECT 1) DELETE FROM session WHERE traces > 'x'",
        "DELETE FROM other WHERE x IN (SELECT * FROM session)",
        "LOAD DATA INFILE 'x' INTO TABLE session",
        "LOAD XML LOCAL INFILE 'x' INTO TABLE session",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE session LINES STARTING BY '>'",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE session FIELDS TERMINATED BY ''",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE session FIELDS TERMINATED BY 'A'",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE session (subject_id, @t) SET traces = UNHEX(@t)",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE session (subject_id) SET n = length(traces)",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE graphs",
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
        "CREATE PROCEDURE p() INSERT INTO session VALUES (1, 'x', 'y', 'z', 2)",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO REPLACE lab.session (SELECT 1, 2, 3, 4, 5)",
        "CREATE FUNCTION f() RETURNS int RETURN (SELECT length(traces) FROM session)",
        "SELECT 1; SELECT max(hex(traces)) FROM session",
        "SELECT hex(traces) FROM session; SELECT 2",
        "USE lab; SELECT hex(traces) FROM session",
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
        "SHOW CREATE VIEW session",
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
        ("SHOW CREATE TABLE session", "describe"),
        (
            "SHOW COLUMNS FROM session WHERE Field = 'traces'",
            "describe",
        ),
        (
            "SHOW COLUMNS FROM session WHERE `Type` = 'longblob'",
            "no lab.session",
        ),
        (
            "SHOW FULL COLUMNS FROM session WHERE comment LIKE '%x'",
            "no lab.session",
        ),
        ("SHOW COLUMNS FROM other WHERE Type = 'int'", "describe"),
        ("CALL p(1)", "read"),
        ("EXECUTE s USING @x", "read"),
        ("PREPARE s FROM 'SELECT subject_id FROM session'", "prepare"),
        ("CALL p(1); SELECT 1", "several"),
    ]);
}

#[test]
fn cells_know_their_literals() {
    let text = b"INSERT INTO session (subject_id, traces) VALUES (1, 'mYm\\0\x01\xff''x'  )";
    let Ok(Plan::Write(write)) = plan_in(text, &context()) else {
        panic!("not a write");
    };
    let cell = &write.cells[0];
    assert_eq!(&text[cell.span.clone()], b"'mYm\\0\x01\xff''x'");
    let Source::Literal(literal) = &cell.source else {
        panic!("not a literal");
    };
    assert_eq!(literal.head(99), b"mYm\0\x01\xff'x");
    assert_eq!(cell.table.column_path(cell.column), "lab.session.traces");
}
