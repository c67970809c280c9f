//! Where the columns of results come from, and what becomes of comparisons.

use bytes::Bytes;

use super::super::{Lineage, Plan, Slot, examine, examine_with_parameters, rewritten};
use super::{context, index};
use crate::catalog::Index;

fn with_views() -> Index {
    index()
        .with_definition(
            "lab",
            "v_traces",
            "select `lab`.`session`.`subject_id` AS `id`,`lab`.`session`.`traces` AS `d` from `lab`.`session`",
        )
        .with_namesake("lab", "wide", "traces")
}

/// The columns of a result in short: `-` for a plain one, `session.traces`, `*[session.traces]`;
/// after `=>` the statement if it is edited.
fn lines(text: &str) -> String {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let read = match examine(&bytes, &context(), &with_views()) {
        Ok(Plan::Read(read)) => read,
        Ok(Plan::Pass) => return "pass".into(),
        Ok(other) => return format!("{other:?}"),
        Err(refusal) => return format!("no {refusal}"),
    };
    let path = |c: &super::super::CodecColumn| format!("{}.{}", c.table.name, c.name());
    let Lineage::Known(slots) = &read.columns else {
        return "announced".into();
    };
    let slots = slots.iter().map(|slot| match slot {
        Slot::One { from, .. } => from.as_ref().map_or("-".into(), path),
        Slot::Some(columns) => {
            let columns: Vec<String> = columns.iter().map(|(_, c)| path(c)).collect();
            format!("*[{}]", columns.join(" "))
        }
    });
    let slots = slots.collect::<Vec<String>>().join(" ");
    match read.edits.is_empty() {
        true => slots,
        false => {
            let sent = rewritten(text.as_bytes(), &read.edits);
            format!("{slots} => {}", String::from_utf8_lossy(&sent))
        }
    }
}

#[track_caller]
fn check(shapes: &[(&str, &str)]) {
    let found: Vec<(&str, String)> = shapes.iter().map(|(t, _)| (*t, lines(t))).collect();
    let expected = shapes.iter().map(|(t, e)| (*t, (*e).to_owned()));
    let wrong: Vec<_> = found
        .iter()
        .zip(expected)
        .filter(|(f, e)| *f != e)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn columns_are_followed() {
    check(&[
        ("SELECT traces FROM session", "session.traces"),
        (
            "SELECT subject_id, traces x, raw FROM session s",
            "- session.traces session.raw",
        ),
        (
            "SELECT * FROM session",
            "- - - - session.traces session.raw",
        ),
        (
            "SELECT s.*, 1 FROM session s JOIN other o ON o.id = s.subject_id",
            "- - - - session.traces session.raw -",
        ),
        (
            "SELECT * FROM session s JOIN other o ON o.id = s.subject_id",
            "- - - - session.traces session.raw *[]",
        ),
        (
            "SELECT * FROM subject NATURAL JOIN session",
            "*[session.traces session.raw]",
        ),
        (
            "SELECT o.*, s.traces FROM subject o JOIN session s USING (subject_id)",
            "*[] session.traces",
        ),
        ("TABLE session", "- - - - session.traces session.raw"),
        (
            "TABLE session ORDER BY subject_id LIMIT 1",
            "- - - - session.traces session.raw",
        ),
        // Derived tables.
        (
            "SELECT traces FROM (SELECT traces FROM session) t",
            "session.traces",
        ),
        (
            "SELECT d FROM (SELECT traces AS d FROM session LIMIT 5) t",
            "session.traces",
        ),
        (
            "SELECT q FROM (SELECT traces, subject_id FROM session) AS t (q, r)",
            "session.traces",
        ),
        (
            "SELECT * FROM (SELECT * FROM session) t",
            "- - - - session.traces session.raw",
        ),
        (
            "SELECT t.traces, traces.id FROM (SELECT note AS traces FROM session LIMIT 5) t JOIN traces",
            "pass",
        ),
        (
            "SELECT traces FROM (SELECT sig AS traces FROM session LIMIT 5) t",
            "pass",
        ),
        (
            "SELECT raw FROM (SELECT traces AS raw FROM session LIMIT 5) t",
            "session.traces",
        ),
        (
            "SELECT `subject_id`,`s2`,`traces` FROM (SELECT `subject_id`,`session` as `s2`,`traces` FROM `lab`.`session`) as `$1` NATURAL JOIN (SELECT `subject_id`,`session` as `s3` FROM `lab`.`session`) as `$2`",
            "- - session.traces",
        ),
        (
            "SELECT `subject_id`,`nn`,`traces` FROM (SELECT `subject_id`,concat(session,\"x\") as `nn`,`traces` FROM `lab`.`session`) as `$0` WHERE ( (nn=\"a\"))",
            "- - session.traces",
        ),
        (
            "SELECT x.d FROM other o, LATERAL (SELECT traces AS d FROM session s WHERE s.subject_id = o.id) x",
            "session.traces",
        ),
        // Common tables.
        (
            "WITH c AS (SELECT traces FROM session) SELECT * FROM c",
            "session.traces",
        ),
        (
            "WITH c (a, b) AS (SELECT subject_id, traces FROM session), d AS (SELECT b FROM c) SELECT b, 1 FROM d",
            "session.traces -",
        ),
        (
            "WITH c AS (SELECT * FROM session) SELECT subject_id FROM c",
            "pass",
        ),
        (
            "WITH session AS (SELECT 'x' AS traces FROM other) SELECT traces FROM session",
            "pass",
        ),
        (
            "WITH RECURSIVE c AS (SELECT 1 AS n, traces FROM session UNION ALL SELECT n + 1, traces FROM c WHERE n < 3) SELECT n, traces FROM c",
            "- session.traces",
        ),
        (
            "WITH RECURSIVE c (n, d) AS (SELECT 1, traces FROM session UNION ALL SELECT n + 1, d FROM c WHERE n < 3) SELECT * FROM c",
            "- session.traces",
        ),
        // Set operations.
        (
            "SELECT traces FROM session UNION SELECT traces FROM session",
            "session.traces",
        ),
        (
            "SELECT * FROM session UNION ALL SELECT * FROM session",
            "- - - - session.traces session.raw",
        ),
        (
            "SELECT * FROM ((SELECT `subject_id`,`traces` FROM `lab`.`session` WHERE ( (subject_id=1))) UNION (SELECT `subject_id`,`traces` FROM `lab`.`session` WHERE ( (subject_id=2)))) as `_u0`",
            "- session.traces",
        ),
        (
            "SELECT traces FROM session UNION ALL SELECT traces FROM __proc ORDER BY 1 + 1",
            "session.traces",
        ),
        (
            "SELECT traces FROM session UNION ALL SELECT NULL",
            "session.traces",
        ),
        (
            "SELECT subject_id, traces FROM session INTERSECT SELECT subject_id, traces FROM __proc",
            "- session.traces",
        ),
        (
            "(SELECT traces FROM session LIMIT 1) UNION ALL (SELECT traces FROM session ORDER BY subject_id LIMIT 2)",
            "session.traces",
        ),
        // Expressions.
        (
            "SELECT IFNULL(traces, traces), COALESCE(NULL, s.traces) FROM session s",
            "session.traces session.traces",
        ),
        (
            "SELECT CASE WHEN subject_id THEN traces END FROM session",
            "session.traces",
        ),
        (
            "SELECT IF(subject_id, traces, NULL) d FROM session",
            "session.traces",
        ),
        (
            "SELECT (SELECT traces FROM session LIMIT 1) AS d, 1",
            "session.traces -",
        ),
        (
            "SELECT o.id, (SELECT s.traces FROM session s WHERE s.subject_id = o.id) FROM other o",
            "- session.traces",
        ),
        (
            "SELECT ANY_VALUE(traces), subject_id FROM session GROUP BY subject_id",
            "session.traces -",
        ),
        (
            "SELECT FIRST_VALUE(traces) OVER (PARTITION BY subject_id ORDER BY session), LAG(traces, 1) OVER w, LEAD(traces) OVER w FROM session WINDOW w AS (ORDER BY session)",
            "session.traces session.traces session.traces",
        ),
        ("SELECT COUNT(traces), MAX(subject_id) FROM session", "pass"),
        (
            "SELECT subject_id, traces, COUNT(*) FROM session GROUP BY subject_id",
            "- session.traces -",
        ),
        (
            "SELECT IFNULL(traces, raw) IS NULL FROM session",
            "no codec-proxy: lab.session.traces: other values come in the same result column; select them in columns of their own, or use a listener with view = \"stored\"",
        ),
        (
            "SELECT subject_id FROM session WHERE NOT (traces IS NULL) AND IFNULL(traces, NULL) IS NOT NULL",
            "pass",
        ),
        // Views.
        ("SELECT * FROM v_traces", "- session.traces"),
        (
            "SELECT v.d, v.id FROM v_traces v WHERE d IS NOT NULL",
            "session.traces -",
        ),
        ("SELECT id FROM v_traces", "pass"),
        (
            "SELECT x.e FROM (SELECT d AS e FROM v_traces) x",
            "session.traces",
        ),
    ]);
}

#[test]
fn comparisons_use_the_hash() {
    const X: &str = "JSON_UNQUOTE(JSON_EXTRACT(traces,'$.hash'))";
    const HASH: &str = "'txkoiyjgrsadj5oikzhbkxdhuy'";
    let replaced = |text: &str| {
        let sent = text.replace("{x}", "traces").replace("{h}", "'x'");
        let with = text.replace("{x}", X).replace("{h}", HASH);
        (sent, with)
    };
    for text in [
        "SELECT subject_id FROM session WHERE {x} = {h}",
        "SELECT subject_id FROM session WHERE subject_id > 1 AND ({h} <=> {x} OR {x} != {h})",
        "SELECT subject_id FROM session WHERE {x} IN ({h}, {h}, NULL)",
        "SELECT subject_id FROM session WHERE NOT {x} NOT IN ({h})",
        "SELECT COUNT(DISTINCT {x}) AS n FROM session",
        "SELECT COUNT(*) FROM session GROUP BY {x}",
        "SELECT subject_id FROM (SELECT * FROM session) t WHERE ({x}) = {h}",
        "SELECT n FROM other WHERE EXISTS (SELECT 1 FROM session WHERE {x} = {h})",
    ] {
        let (sent, with) = replaced(text);
        let found = lines(&sent);
        let found = found
            .split_once(" => ")
            .map_or(found.as_str(), |(_, text)| text);
        assert_eq!(found, with);
    }
    check(&[
        (
            "SELECT s.traces = X'78' FROM session s",
            "- => SELECT JSON_UNQUOTE(JSON_EXTRACT(s.traces,'$.hash')) = 'txkoiyjgrsadj5oikzhbkxdhuy' AS `s.traces = X'78'` FROM session s",
        ),
        (
            "SELECT subject_id, LENGTH( traces ) FROM session",
            "- - => SELECT subject_id, CAST(JSON_EXTRACT(traces,'$.size') AS SIGNED) AS `LENGTH( traces )` FROM session",
        ),
        (
            "SELECT octet_length(`s`.`raw`) n FROM session `s`",
            "- => SELECT CAST(JSON_EXTRACT(`s`.`raw`,'$.size') AS SIGNED) n FROM session `s`",
        ),
        (
            "SELECT 1 FROM session a JOIN session b ON a.traces = b.raw",
            "- => SELECT 1 FROM session a JOIN session b ON JSON_UNQUOTE(JSON_EXTRACT(a.traces,'$.hash')) = JSON_UNQUOTE(JSON_EXTRACT(b.raw,'$.hash'))",
        ),
        (
            "SELECT 1 FROM session WHERE traces = _binary'x'",
            "- => SELECT 1 FROM session WHERE JSON_UNQUOTE(JSON_EXTRACT(traces,'$.hash')) = 'txkoiyjgrsadj5oikzhbkxdhuy'",
        ),
    ]);
    let text = Bytes::from_static(b"SELECT ? FROM session WHERE subject_id = ? AND traces = ?");
    let Ok(Plan::Read(read)) = examine_with_parameters(&text, &context(), &index()) else {
        panic!("no query");
    };
    assert_eq!(read.hashed, [2]);
}

#[test]
fn other_ways_are_refused() {
    for text in [
        "SELECT traces FROM session UNION ALL SELECT raw FROM session",
        "SELECT traces FROM session UNION ALL SELECT note FROM other",
        "SELECT traces FROM session UNION ALL SELECT 'x'",
        "SELECT traces FROM session UNION ALL SELECT * FROM other",
        "WITH RECURSIVE c AS (SELECT 'x' AS d UNION ALL SELECT s.traces FROM session s JOIN c ON s.subject_id = c.d) SELECT * FROM c",
        "SELECT IFNULL(traces, '') FROM session",
        "SELECT IF(traces, 1, 2) FROM session",
        "SELECT NULLIF(traces, 'x') FROM session",
        "SELECT COUNT(*) FROM session GROUP BY traces WITH ROLLUP",
        "SELECT CASE traces WHEN 'x' THEN 1 END FROM session",
        "SELECT FIRST_VALUE(subject_id) OVER (ORDER BY traces) FROM session",
        "SELECT MIN(traces) FROM session",
        "SELECT d FROM (SELECT traces AS d FROM session) t ORDER BY d",
        "SELECT LENGTH(d) + 1 FROM (SELECT IFNULL(traces, NULL) d FROM session) t WHERE CONCAT(d) = 'x'",
        "SELECT * FROM (SELECT IFNULL(traces, NULL) FROM session) t",
        "SELECT 1 FROM (SELECT traces AS d FROM session) t NATURAL JOIN (SELECT traces AS d FROM session) u",
        "SELECT 1 FROM (SELECT traces AS d FROM session) t JOIN (SELECT 'x' AS d) u USING (d)",
        "SELECT subject_id FROM session WHERE traces = 5",
        "SELECT subject_id FROM session WHERE traces = note",
        "SELECT subject_id FROM session WHERE traces = CONCAT('x', 'y')",
        "SELECT subject_id FROM session WHERE traces > 'x'",
        "SELECT subject_id FROM session WHERE (traces, 1) = ('x', 1)",
        "SELECT subject_id FROM session WHERE traces IN ('x', n)",
        "SELECT subject_id FROM session WHERE 1 = traces = 'x'",
        "SELECT subject_id FROM session WHERE traces = 'x' COLLATE utf8mb4_bin",
        "SELECT (SELECT traces FROM other LIMIT 1) FROM session",
        "SELECT a.traces FROM (SELECT 1 AS one) b, session s",
        "SELECT MD5(d) FROM v_traces ORDER BY d",
        "DELETE FROM session WHERE traces LIKE 'x'",
        "DELETE FROM session ORDER BY traces LIMIT 1",
        "DELETE FROM session RETURNING CONCAT(traces)",
        "DELETE session FROM session JOIN other ON other.id = session.traces",
        "SELECT subject_id FROM session HAVING traces = 'x' OR MIN(traces) = 'x'",
    ] {
        let found = lines(text);
        assert!(found.starts_with("no codec-proxy: lab."), "{text}: {found}");
    }
    // Nothing is known of the definition.
    let text = Bytes::from_static(b"SELECT d FROM v_traces");
    assert!(examine(&text, &context(), &index()).is_err());
    // A plain table has a column of that name.
    assert_eq!(
        lines("SELECT (SELECT traces FROM wide LIMIT 1) FROM session"),
        "pass"
    );
}

#[test]
fn nothing_is_nested_too_deep() {
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    let nest = thread.spawn(nest).expect("a thread");
    nest.join().expect("no overflow");
}

fn nest() {
    let nested = |n: usize| {
        format!(
            "SELECT traces FROM session WHERE {}1{}",
            "(".repeat(n),
            ")".repeat(n)
        )
    };
    assert_eq!(lines(&nested(10)), "session.traces");
    assert!(lines(&nested(10_000)).starts_with("no "));
    for chain in [
        " OR subject_id = 1",
        " IS NULL",
        " = 1",
        " COLLATE x",
        " IN (1)",
    ] {
        let text = format!("SELECT traces FROM session WHERE 1{}", chain.repeat(20_000));
        let found = lines(&text);
        assert!(
            found == "session.traces" || found.starts_with("no "),
            "{chain}: {found}"
        );
    }
    let unions = "SELECT traces FROM session".to_owned()
        + &" UNION ALL SELECT traces FROM session".repeat(2_000);
    assert_eq!(lines(&unions), "session.traces");
}

#[test]
fn views_of_one_table_are_written_in_its_place() {
    let view = |definition: &str| index().with_definition("lab", "v_traces", definition);
    let found = |definition: &str, text: &str| {
        let text = Bytes::copy_from_slice(text.as_bytes());
        match examine(&text, &context(), &view(definition)) {
            Ok(Plan::Pass) => "pass".to_owned(),
            Ok(Plan::Write(write)) => {
                let cell = |c: &super::super::Cell| format!("{}@{}", c.table.name, c.column);
                write.cells.iter().map(cell).collect::<Vec<_>>().join(" ")
            }
            Ok(other) => format!("{other:?}"),
            Err(refusal) => refusal.message,
        }
    };
    let some =
        "select `s`.`traces` AS `traces`,`s`.`t` AS `t` from `lab`.`session` `s` where `s`.`t` > 1";
    for (text, expected) in [
        ("INSERT INTO v_traces VALUES ('mYm', 2)", "session@0"),
        (
            "INSERT INTO v_traces (t, traces) VALUES (2, 'mYm')",
            "session@0",
        ),
        (
            "UPDATE v_traces v SET v.traces = 'mYm' WHERE v.t = 1",
            "session@0",
        ),
        ("UPDATE v_traces SET t = 2", "pass"),
        ("DELETE FROM lab.v_traces WHERE t = 2", "pass"),
    ] {
        assert_eq!(found(some, text), expected, "{text}");
    }
    for other in [
        "select `lab`.`session`.`traces` AS `other` from `lab`.`session`",
        "select distinct `lab`.`session`.`traces` AS `traces` from `lab`.`session`",
        "select `lab`.`session`.`traces` AS `traces` from `lab`.`session` limit 3",
        "select `lab`.`session`.`traces` AS `traces` from `lab`.`session` group by `lab`.`session`.`t`",
        "select `lab`.`session`.`traces` AS `traces` from (`lab`.`session` join `lab`.`other`)",
        "select `lab`.`session`.`traces` AS `traces`,1 AS `t` from `lab`.`session`",
        "select `lab`.`session`.`traces` AS `traces` from `lab`.`session` where `lab`.`session`.`traces` = 'x'",
        "select `lab`.`session`.`traces` AS `traces` from `lab`.`session` union all select 1",
    ] {
        let told = found(other, "INSERT INTO v_traces (traces) VALUES ('mYm')");
        assert!(told.contains("this view may show"), "{other}: {told}");
    }
}

#[test]
fn the_least_of_one_value_is_that_value() {
    use crate::catalog::{Column, ColumnCodec, KeyType, NameCase, Table, TableKind};
    use crate::codec::TypeSpec;

    let table = |name: &str, columns: &[&str]| {
        let column = |name: &&str| Column {
            name: (*name).into(),
            invisible: false,
            marker: None,
            codec: (*name == "data").then(|| {
                let spec = TypeSpec::parse("<blob@main>").expect("a type");
                ColumnCodec::Chain(spec.resolve().expect("a chain"))
            }),
            key: matches!(*name, "a" | "b").then_some(KeyType::Int),
        };
        std::sync::Arc::new(Table {
            schema: "lab".into(),
            name: name.into(),
            kind: TableKind::Base,
            columns: columns.iter().map(column).collect(),
        })
    };
    let tables = vec![
        table("scan", &["a", "b", "note", "data"]),
        table("hidden", &["a", "_c", "data"]),
        table("keyless", &["note", "data"]),
    ];
    let index = Index::new(tables, NameCase::Sensitive, true);
    let is_read = |text: &str| {
        let text = Bytes::copy_from_slice(text.as_bytes());
        matches!(examine(&text, &context(), &index), Ok(Plan::Read(_)))
    };
    for (text, expected) in [
        ("SELECT MIN(data) FROM scan GROUP BY a, b", true),
        (
            "SELECT MAX((data)) FROM scan GROUP BY b, note, scan.a",
            true,
        ),
        ("SELECT MAX(data) FROM scan GROUP BY data", true),
        (
            "SELECT MAX(x.data) FROM scan x JOIN other GROUP BY x.a, x.b",
            true,
        ),
        ("SELECT a AS a, MIN(data) FROM scan GROUP BY a, b", true),
        ("SELECT MIN(data) FROM scan", false),
        ("SELECT MIN(data) FROM scan GROUP BY a", false),
        ("SELECT MIN(data) FROM scan GROUP BY a, b + 1", false),
        (
            "SELECT MIN(data) FROM scan GROUP BY a, b WITH ROLLUP",
            false,
        ),
        ("SELECT note AS a, MIN(data) FROM scan GROUP BY a, b", false),
        (
            "SELECT MIN(y.data) FROM scan x JOIN scan y GROUP BY x.a, x.b",
            false,
        ),
        (
            "SELECT MIN(data) FROM (SELECT * FROM scan) s GROUP BY a, b",
            false,
        ),
        (
            "WITH scan AS (SELECT 1 AS a, 2 AS b, data FROM keyless) SELECT MIN(data) FROM scan GROUP BY a, b",
            false,
        ),
        (
            "SELECT (SELECT MIN(s.data) FROM other GROUP BY s.a, s.b) FROM scan s",
            false,
        ),
        (
            "SELECT MIN(data) OVER (PARTITION BY a) FROM scan GROUP BY a, b",
            false,
        ),
        ("SELECT MIN(data) FROM keyless GROUP BY note", false),
        ("SELECT MIN(data) FROM hidden GROUP BY a", false),
        ("SELECT MIN(data) FROM hidden GROUP BY a, _c", true),
    ] {
        assert_eq!(is_read(text), expected, "{text}");
    }
}
