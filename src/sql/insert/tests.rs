//! INSERT and REPLACE statements, walked.

use bytes::Bytes;
use proptest::prelude::*;

use super::super::lexer::{Dialect, lex};
use super::super::literal::Literal;
use super::super::literal::forms::{ALL_FORMS, write};
use super::super::statement::split;
use super::*;

fn parsed(text: &str) -> Option<Insert> {
    parse(
        text.as_bytes(),
        &lex(text.as_bytes(), Dialect::default()).tokens,
    )
}

fn insert(text: &str) -> Insert {
    parsed(text).unwrap_or_else(|| panic!("not parsed: {text}"))
}

/// The rows as they are written.
fn rows(text: &str) -> Vec<Vec<&str>> {
    match insert(text).source {
        Source::Values { rows } => (rows.iter())
            .map(|row| row.iter().map(|item| &text[item.span.clone()]).collect())
            .collect(),
        other => panic!("no rows: {other:?}"),
    }
}

fn set<'a>(text: &'a str, assignments: &[Assignment]) -> Vec<(String, &'a str)> {
    (assignments.iter())
        .map(|a| (a.column.column.clone(), &text[a.value.span.clone()]))
        .collect()
}

#[test]
fn as_datajoint_writes_it() {
    let text = "INSERT INTO `wf2`.`session`(`subject_id`,`sig`) VALUES ('1',X'6d59'),('2',DEFAULT) \
                ON DUPLICATE KEY UPDATE `subject_id`=`wf2`.`session`.`subject_id`";
    let parsed = insert(text);
    assert_eq!(parsed.table.to_string(), "`wf2`.`session`");
    assert_eq!(
        parsed.columns,
        Some(vec!["subject_id".into(), "sig".into()])
    );
    assert_eq!(rows(text), [["'1'", "X'6d59'"], ["'2'", "DEFAULT"]]);
    assert_eq!(
        set(text, &parsed.on_duplicate),
        [("subject_id".into(), "`wf2`.`session`.`subject_id`")]
    );
    assert!(!parsed.replace && !parsed.ignore && !parsed.partitioned);

    let text = "INSERT INTO `wf2`.`~lineage` (table_name, attribute_name)\n        \
                VALUES ('subject', 'id')\n        ON DUPLICATE KEY UPDATE \
                table_name = VALUES(table_name), attribute_name = VALUES(attribute_name)";
    assert_eq!(
        set(text, &insert(text).on_duplicate),
        [
            ("table_name".into(), "VALUES(table_name)"),
            ("attribute_name".into(), "VALUES(attribute_name)")
        ]
    );

    let parsed = insert("REPLACE INTO `wf2`.`#lk`(`k`) VALUES ('a')");
    assert!(parsed.replace);
    assert_eq!(parsed.table.table, "#lk");
    let parsed = insert("INSERT INTO `wf2`.`a`() VALUES ()");
    assert_eq!(parsed.columns, Some(vec![]));
    assert_eq!(parsed.source, Source::Values { rows: vec![vec![]] });
}

#[test]
fn the_head() {
    assert_eq!(insert("insert t values (1)").table.to_string(), "`t`");
    assert!(insert("INSERT LOW_PRIORITY IGNORE INTO a.t VALUE (1)").ignore);
    assert!(insert("INSERT INTO t PARTITION (p0, p1) (a) VALUES (1)").partitioned);
    assert!(insert("replace delayed t () values ()").replace);
    assert_eq!(insert("INSERT INTO t VALUES ()").columns, None);
    assert_eq!(
        insert("INSERT INTO t (t.a, d.t.`b`) VALUES (1, 2)").columns,
        Some(vec!["a".into(), "b".into()])
    );
}

#[test]
fn items_are_cut_at_commas_of_their_own_row() {
    assert_eq!(
        rows("INSERT t VALUES ( f(1, (2)) + 1 ,/* , */ 'a,)(' -- )\n , _binary 'x' ), ((1), \\N)"),
        [
            vec!["f(1, (2)) + 1", "'a,)('", "_binary 'x'"],
            vec!["(1)", "\\N"]
        ]
    );
    assert_eq!(
        rows("INSERT t VALUES ROW(1,'a'), ROW(2,'b')"),
        [["1", "'a'"], ["2", "'b'"]]
    );
    assert_eq!(rows("INSERT t VALUES (), ()"), [[""; 0]; 2]);
}

#[test]
fn other_sources() {
    let text =
        "INSERT INTO t SET a = 1, t.b = concat('x', 'y') AS new ON DUPLICATE KEY UPDATE a = new.a";
    let parsed = insert(text);
    let Source::Set(assignments) = &parsed.source else {
        panic!("{:?}", parsed.source);
    };
    assert_eq!(
        set(text, assignments),
        [("a".into(), "1"), ("b".into(), "concat('x', 'y')")]
    );
    assert_eq!(set(text, &parsed.on_duplicate), [("a".into(), "new.a")]);

    for (head, query, tail) in [
        (
            "INSERT INTO t (a) ",
            "SELECT a FROM u JOIN v ON u.a = v.a",
            " ON DUPLICATE KEY UPDATE a = 1",
        ),
        ("INSERT INTO t ", "(SELECT a FROM u)", ""),
        (
            "INSERT INTO t (a) ",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            " RETURNING a",
        ),
        ("REPLACE t ", "TABLE u", ""),
        ("INSERT t ", "(VALUES (1))", ""),
    ] {
        let text = [head, query, tail].concat();
        let Source::Query(tokens) = insert(&text).source else {
            panic!("{text}");
        };
        let tokens = &lex(text.as_bytes(), Dialect::default()).tokens[tokens];
        assert_eq!(&text[tokens[0].start..tokens[tokens.len() - 1].end], query);
    }
}

#[test]
fn the_tail() {
    let parsed = insert(
        "INSERT t VALUES (1) AS new (a) ON DUPLICATE KEY UPDATE a = new.a, b := (1, 2) RETURNING a, b",
    );
    let alias = parsed.row_alias.unwrap();
    assert_eq!(
        (alias.name.as_str(), alias.columns),
        ("new", Some(vec!["a".into()]))
    );
    assert_eq!(parsed.on_duplicate.len(), 2);
    assert_eq!(parsed.returning.len(), 3);
    assert!(!insert("INSERT t SELECT 1 RETURNING *").returning.is_empty());
    assert!(insert("INSERT t VALUES (1)").returning.is_empty());
}

#[test]
fn what_is_not_understood_to_its_end() {
    for text in [
        "",
        "SELECT 1",
        "INSERT",
        "INSERT INTO t",
        "INSERT t VALUES",
        "INSERT t VALUES (1",
        "INSERT t VALUES (,1)",
        "INSERT t VALUES (1,)",
        "INSERT t VALUES (1) (2)",
        "INSERT t VALUES (1),",
        "INSERT t VALUES (1))",
        "INSERT t VALUES (1); SELECT 1",
        "INSERT t (a,) VALUES (1)",
        "INSERT t (a b) VALUES (1)",
        "INSERT t SET a",
        "INSERT t SET a =",
        "INSERT t SET a = 1,",
        "INSERT t VALUES (1) ON DUPLICATE KEY UPDATE",
        "INSERT t VALUES (1) RETURNING",
        "INSERT t VALUES (1) UNION SELECT 2",
        "INSERT 't' VALUES (1)",
        "INSERT t SELECT 1; SELECT 2",
        "INSERT t VALUES (1;2)",
    ] {
        assert_eq!(parsed(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn every_cell_is_found_again(
        rows in prop::collection::vec(prop::collection::vec((prop::collection::vec(any::<u8>(), 0..30), 0..ALL_FORMS.len()), 0..4), 1..5),
        no_backslash_escapes: bool, ansi_quotes: bool, gap in prop::sample::select(vec!["", " ", "\n", "/*,*/", "-- )\n"]),
    ) {
        let dialect = Dialect { ansi_quotes, no_backslash_escapes, ..Dialect::default() };
        let gap = gap.as_bytes();
        let written: Vec<Vec<u8>> = (rows.iter())
            .map(|row| {
                let cells: Vec<_> = (row.iter())
                    .map(|(value, form)| [gap, &write(ALL_FORMS[*form], value, dialect), gap].concat())
                    .collect();
                [b"(", cells.join(&b","[..]).as_slice(), b")"].concat()
            })
            .collect();
        let text = [b"SELECT 1; INSERT INTO `t` VALUES ", written.join(&b", "[..]).as_slice(), b"; SELECT 2"].concat();
        let text = Bytes::from(text);
        let tokens = lex(&text, dialect).tokens;
        let statements: Vec<_> = split(&text, &tokens).collect();
        prop_assert_eq!(statements.len(), 3);
        let Some(Insert { source: Source::Values { rows: found }, .. }) = parse(&text, statements[1]) else {
            return Err(TestCaseError::fail("not parsed"));
        };
        prop_assert_eq!(found.len(), rows.len());
        for (found, row) in found.iter().zip(&rows) {
            prop_assert_eq!(found.len(), row.len());
            for (item, (value, _)) in found.iter().zip(row) {
                let literal = Literal::parse(&text, &statements[1][item.tokens.clone()], dialect).expect("a literal");
                prop_assert_eq!(literal.head(100), &value[..]);
            }
        }
    }

    #[test]
    fn any_words_are_parsed_or_left_alone(words in prop::collection::vec(prop::sample::select(vec![
        "INSERT", "INTO", "t", ".", "(", ")", ",", "VALUES", "SET", "=", "1", "'a'", "SELECT", "ON", "DUPLICATE", "KEY",
        "UPDATE", "AS", "RETURNING", "PARTITION", "ROW", ";",
    ]), 0..30)) {
        let text = format!("INSERT t {}", words.join(" "));
        let tokens = lex(text.as_bytes(), Dialect::default()).tokens;
        if let Some(insert) = parse(text.as_bytes(), &tokens) {
            prop_assert!(insert.returning.end <= tokens.len());
        }
    }
}
