//! ALTER TABLE and `[declare]`.

use bytes::Bytes;

use super::*;
use crate::view::{Becomes, Rule};

/// The table that is altered, with a column of every kind.
fn altered(is_empty: bool) -> Altered {
    let columns = [
        ("id", "int32"),
        ("name", "varchar(20)"),
        ("tag", "uuid"),
        ("plain", ""),
        ("sig", "<blob>"),
        ("traces", "<blob@main>"),
        ("far", "<attach@main>"),
        ("place", "<filepath@main>"),
        ("g", "<graph@main>"),
    ];
    Altered {
        table: table("scan", &columns),
        is_empty,
    }
}

/// What is sent for an ALTER TABLE with these actions; or the refusal, or `as it is`.
fn sent(actions: &str, context: &Context) -> String {
    let text = Bytes::from(format!("ALTER TABLE scan {actions}"));
    match examine(&text, context, &index()) {
        Ok(Plan::Declare(declare)) => {
            let sent = declare.rewritten(&text);
            let sent = String::from_utf8(sent).expect("UTF-8");
            sent.replacen("ALTER TABLE scan ", "", 1)
        }
        Ok(Plan::Ddl(_)) => "as it is".into(),
        other => short(other),
    }
}

#[track_caller]
fn check_all(context: &Context, cases: &[(&str, &str)]) {
    for (actions, expected) in cases {
        assert_eq!(sent(actions, context), *expected, "{actions}");
    }
}

#[test]
fn a_column_keeps_its_codec() {
    let altered = altered(false);
    let context = Context {
        altered: Some(&altered),
        ..context()
    };
    check_all(
        &context,
        &[
            (
                "MODIFY traces longblob",
                "MODIFY traces json COMMENT ':<blob@main>:'",
            ),
            (
                "MODIFY `traces` longblob NOT NULL COMMENT \"raw\" AFTER id",
                "MODIFY `traces` json NOT NULL COMMENT \":<blob@main>:raw\" AFTER id",
            ),
            (
                "CHANGE traces t2 longblob DEFAULT NULL FIRST, ADD n int",
                "CHANGE traces t2 json COMMENT ':<blob@main>:' DEFAULT NULL FIRST, ADD n int",
            ),
            (
                "MODIFY traces json COMMENT '<blob@main> x'",
                "MODIFY traces json COMMENT ':<blob@main>:x'",
            ),
            ("MODIFY traces json COMMENT ':<blob@main>:x'", "as it is"),
            (
                "MODIFY sig longblob COMMENT 'x'",
                "MODIFY sig longblob COMMENT ':<blob>:x'",
            ),
            (
                "MODIFY far longblob COMMENT ':attach:x'",
                "MODIFY far json COMMENT ':<attach@main>:x'",
            ),
            (
                "MODIFY far longblob COMMENT 'x'",
                "MODIFY far json COMMENT ':<attach@main>:x'",
            ),
            (
                "MODIFY place varchar(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT 'x'",
                "MODIFY place json COMMENT ':<filepath@main>:x'",
            ),
            ("MODIFY g json COMMENT ':<graph@main>:y'", "as it is"),
            (
                "MODIFY id int NOT NULL COMMENT 'key'",
                "MODIFY id int NOT NULL COMMENT ':int32:key'",
            ),
            ("MODIFY id bigint COMMENT 'key'", "as it is"),
            (
                "CHANGE name n varchar(40)",
                "CHANGE name n varchar(40) COMMENT ':varchar(40):'",
            ),
            ("MODIFY name int", "as it is"),
            ("MODIFY tag binary(16) COMMENT ':uuid:x'", "as it is"),
            ("MODIFY plain longblob COMMENT 'x'", "as it is"),
            (
                "MODIFY plain longblob COMMENT '<blob> x'",
                "MODIFY plain longblob COMMENT ':<blob>:x'",
            ),
            (
                "MODIFY plain longblob COMMENT '<bytes> x'",
                "MODIFY plain longblob COMMENT ':bytes:x'",
            ),
            (
                "DROP traces, ADD traces longblob COMMENT '<blob> x'",
                "DROP traces, ADD traces longblob COMMENT ':<blob>:x'",
            ),
            ("RENAME COLUMN traces TO t2", "as it is"),
            (
                "ALTER traces SET DEFAULT NULL, ALTER COLUMN traces DROP DEFAULT",
                "as it is",
            ),
            (
                "CONVERT TO CHARACTER SET latin1, ENGINE=InnoDB, COMMENT='<blob@main> x'",
                "as it is",
            ),
            ("DISABLE KEYS", "as it is"),
            (
                "DROP KEY traces, ADD KEY traces (id), RENAME INDEX traces TO x",
                "as it is",
            ),
            ("RENAME TO lab.scan2", "as it is"),
        ],
    );
}

#[test]
fn new_columns_are_declared() {
    check_all(
        &context(),
        &[
            (
                "ADD a longblob COMMENT '<blob@main> x' AFTER id",
                "ADD a json COMMENT ':<blob@main>:x' AFTER id",
            ),
            (
                "ADD COLUMN (a longblob COMMENT '<attach>', b int COMMENT '<int32> n', c longblob)",
                "ADD COLUMN (a longblob COMMENT ':<attach>:', b int COMMENT ':int32:n', c longblob)",
            ),
            ("ADD a longblob COMMENT 'raw'", "as it is"),
        ],
    );
}

#[test]
fn what_would_leave_rows_behind_is_refused() {
    let (full, empty) = (altered(false), altered(true));
    let of = |altered| Context {
        altered: Some(altered),
        ..context()
    };
    for (actions, on_empty) in [
        (
            "MODIFY traces longblob COMMENT '<blob> x'",
            "MODIFY traces longblob COMMENT ':<blob>:x'",
        ),
        (
            "MODIFY traces longblob COMMENT '<hash@main> x'",
            "MODIFY traces json COMMENT ':<hash@main>:x'",
        ),
        (
            "MODIFY traces longblob COMMENT '<blob@> x'",
            "MODIFY traces json COMMENT ':<blob@>:x'",
        ),
        (
            "MODIFY sig longblob COMMENT '<attach> x'",
            "MODIFY sig longblob COMMENT ':<attach>:x'",
        ),
        (
            "MODIFY plain longblob COMMENT '<blob@main> x'",
            "MODIFY plain json COMMENT ':<blob@main>:x'",
        ),
        ("MODIFY traces varchar(20)", "as it is"),
        ("CHANGE traces t int COMMENT 'x'", "as it is"),
    ] {
        let refused = sent(actions, &of(&full));
        assert!(refused.starts_with("no lab.scan."), "{actions}: {refused}");
        assert_eq!(sent(actions, &of(&empty)), on_empty, "{actions}");
    }
    for actions in [
        "MODIFY g json COMMENT 'x'",
        "MODIFY traces longblob DEFAULT 'x'",
        "ALTER traces SET DEFAULT 'x'",
        "ADD n int AS (length(traces))",
        "ADD CHECK (traces <> 'x')",
        "ADD INDEX (traces(10))",
        "PARTITION BY HASH (traces) PARTITIONS 4",
        "ADD a longblob COMMENT '<blob@main>' CHECK (length(a) < 10)",
        "ADD a longblob COMMENT '<blob@nowhere>'",
        "RENAME TO other.scan",
    ] {
        for altered in [&full, &empty] {
            let refused = sent(actions, &of(altered));
            assert!(refused.starts_with("no lab.scan"), "{actions}: {refused}");
        }
    }
}

#[test]
fn what_is_not_known_to_have_codecs_passes() {
    for actions in [
        "MODIFY x longblob COMMENT 'x'",
        "CHANGE a b int",
        "RENAME TO x.y",
    ] {
        let text = format!("ALTER TABLE other {actions}");
        assert!(short(plan(&text)).starts_with("ddl "), "{text}");
    }
    assert!(
        short(plan(
            "ALTER TABLE other MODIFY x longblob COMMENT '<blob@main>'"
        ))
        .starts_with("no ")
    );
    let context = Context {
        view: View::Stored,
        ..context()
    };
    assert_eq!(
        sent("MODIFY traces varchar(20), RENAME TO a.b", &context),
        "as it is"
    );
}

#[test]
fn a_table_stays_in_its_schema() {
    check(&[
        (
            "ALTER TABLE session MODIFY traces longblob)",
            "no lab.session.traces",
        ),
        (
            "RENAME TABLE session TO s2, other TO elsewhere.other",
            "ddl lab.session lab.s2 lab.other elsewhere.other",
        ),
        (
            "RENAME TABLE other TO o2, session TO elsewhere.session",
            "no lab.session.traces",
        ),
        (
            "RENAME TABLE IF EXISTS lab.session WAIT 5 TO elsewhere.session",
            "no lab.session.traces",
        ),
        (
            "RENAME TABLE inline TO elsewhere.inline",
            "ddl lab.inline elsewhere.inline",
        ),
    ]);
}

/// The tables that a statement alters are looked at only where it matters.
#[test]
fn tables_are_looked_at_where_it_matters() {
    let altered =
        |text: &'static str| super::super::altered(&Bytes::from(text), &context(), &index());
    let is = |schema: &str, table: &str| Some((schema.to_owned(), table.to_owned()));
    assert_eq!(altered("ALTER TABLE t MODIFY a int"), is("lab", "t"));
    assert_eq!(
        altered("/* x */ alter table `a`.t change a b int"),
        is("a", "t")
    );
    assert_eq!(altered("ALTER TABLE t ADD a int"), None);
    assert_eq!(altered("CREATE TABLE t (a int)"), None);
    assert_eq!(altered("SELECT 1"), None);
}

fn codec(spec: &str) -> Option<Becomes> {
    let chain = crate::codec::TypeSpec::parse(spec).and_then(|spec| spec.resolve().ok());
    Some(chain.map_or(Becomes::Plain, Becomes::Codec))
}

#[test]
fn plain_types_become_what_the_configuration_says() {
    let rule = |table: &str, longblob, attach| Rule {
        schema: "lab*".into(),
        table: table.into(),
        longblob,
        attach,
    };
    let declare = Declaring {
        rules: vec![
            rule("in*", codec("<blob>"), None),
            rule("*", codec("<blob@main>"), codec("<attach@main>")),
        ],
    };
    let context = Context {
        declare: &declare,
        ..context()
    };
    let sent = |text: &str, context: &Context| {
        let text = Bytes::copy_from_slice(text.as_bytes());
        match examine(&text, context, &index()) {
            Ok(Plan::Declare(declare)) => {
                String::from_utf8(declare.rewritten(&text)).expect("UTF-8")
            }
            Ok(Plan::Ddl(_)) => "as it is".to_owned(),
            other => short(other),
        }
    };
    for (text, expected) in [
        (
            "CREATE TABLE `lab`.`#scan` (id int, a longblob NOT NULL COMMENT \"raw\", b longblob DEFAULT NULL)",
            "CREATE TABLE `lab`.`#scan` (id int, a json NOT NULL COMMENT \":<blob@main>:raw\", \
             b json COMMENT ':<blob@main>:' DEFAULT NULL)",
        ),
        (
            "CREATE TABLE inside (a longblob COMMENT 'raw', b longblob COMMENT ':attach:file')",
            "CREATE TABLE inside (a longblob COMMENT ':<blob>:raw', b json COMMENT ':<attach@main>:file')",
        ),
        (
            "ALTER TABLE `lab`.`scan` ADD `x` longblob DEFAULT NULL COMMENT 'y' AFTER `z`",
            "ALTER TABLE `lab`.`scan` ADD `x` json DEFAULT NULL COMMENT ':<blob@main>:y' AFTER `z`",
        ),
        // A tag wins.
        (
            "CREATE TABLE t (a longblob COMMENT '<blob> raw')",
            "CREATE TABLE t (a longblob COMMENT ':<blob>:raw')",
        ),
        // Other types, markers, tables and schemas, and columns that are there already.
        (
            "CREATE TABLE t (a blob, b mediumblob, c json, d longtext)",
            "as it is",
        ),
        (
            "CREATE TABLE t (a longblob COMMENT ':graph:adapted', b binary(16) COMMENT ':blob@ext:')",
            "as it is",
        ),
        ("CREATE TABLE `lab`.`~jobs` (`key` longblob)", "as it is"),
        ("CREATE TABLE elsewhere.t (a longblob)", "as it is"),
        (
            "ALTER TABLE t MODIFY a longblob, CHANGE b c longblob",
            "as it is",
        ),
        // Where no codec is possible.
        ("CREATE TABLE t (a longblob, KEY (a(10)))", "as it is"),
        ("CREATE TABLE t (a longblob DEFAULT 'x')", "as it is"),
        ("CREATE TABLE t (a longblob AS (x))", "as it is"),
        ("CREATE TEMPORARY TABLE t (a longblob)", "as it is"),
        ("CREATE TABLE t (a longblob) SELECT 1 AS a", "as it is"),
        ("CREATE TABLE t LIKE session", "as it is"),
    ] {
        assert_eq!(sent(text, &context), expected, "{text}");
    }
    let plain = "CREATE TABLE t (a longblob)";
    for view in [View::Json, View::Stored] {
        let context = Context { view, ..context };
        assert_eq!(sent(plain, &context), "as it is", "{view}");
    }
    assert_eq!(short(super::plan(plain)), "ddl lab.t");
}

#[test]
fn a_declared_codec_is_in_no_expression() {
    for text in [
        "CREATE TABLE t (a longblob COMMENT '<blob@main>', n int AS (length(a)))",
        "CREATE TABLE t (a longblob COMMENT '<blob@main>', KEY k (a(10)))",
        "CREATE TABLE t (a longblob COMMENT '<blob@main>', CHECK (a <> ''))",
        "CREATE TABLE t (a longblob COMMENT '<blob@main>') SELECT 'x' AS a",
    ] {
        assert_eq!(short(plan(text)), "no lab.t.a", "{text}");
    }
    let named = "CREATE TABLE t (a longblob COMMENT '<blob@main>', id int, KEY a (id)) COMMENT 'a'";
    assert_eq!(short(plan(named)), "declare");
}
