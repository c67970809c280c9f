//! CREATE TABLE statements, walked.

use super::super::lexer::lex;
use super::*;

fn parsed(text: &str) -> Option<CreateTable> {
    let dialect = Dialect::default();
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    parse(&bytes, &lex(&bytes, dialect).tokens, dialect)
}

fn create(text: &str) -> CreateTable {
    parsed(text).unwrap_or_else(|| panic!("not parsed: {text}"))
}

/// Name, type and comment of each column.
fn columns(text: &str) -> Vec<(String, &str, Option<String>)> {
    (create(text).columns.into_iter())
        .map(|column| {
            let comment = column.comment.map(|comment| {
                assert!(text[comment.span].starts_with(['\'', '"']));
                String::from_utf8(comment.literal.head(1000)).unwrap()
            });
            (column.name, &text[column.type_span], comment)
        })
        .collect()
}

fn column<'a>(name: &str, of_type: &'a str, comment: &str) -> (String, &'a str, Option<String>) {
    (name.into(), of_type, Some(comment.into()))
}

#[test]
fn as_datajoint_writes_it() {
    let text = "CREATE TABLE IF NOT EXISTS `wf2`.`session` (\n\
        `subject_id` int NOT NULL COMMENT \"id\",\n\
        `t` datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP COMMENT \":datetime(3):\",\n\
        `sig` longblob DEFAULT NULL COMMENT \"<blob@main> raw \\\"traces\\\"\",\n\
        `big` json DEFAULT NULL COMMENT \":<blob@main>:\",\n\
        `n` int unsigned auto_increment NOT NULL,\n\
        PRIMARY KEY (`subject_id`, `session`),\n\
        FOREIGN KEY (`subject_id`) REFERENCES `wf2`.`subject` (`subject_id`) ON UPDATE CASCADE\n\
        ) ENGINE=InnoDB, COMMENT \"the table's\"";
    let parsed = create(text);
    assert_eq!(parsed.table.to_string(), "`wf2`.`session`");
    assert!(parsed.if_not_exists && !parsed.temporary && !parsed.or_replace);
    assert!(!parsed.like && !parsed.select);
    assert_eq!(
        columns(text),
        [
            column("subject_id", "int", "id"),
            column("t", "datetime(3)", ":datetime(3):"),
            column("sig", "longblob", "<blob@main> raw \"traces\""),
            column("big", "json", ":<blob@main>:"),
            ("n".into(), "int unsigned", None),
        ]
    );
    assert_eq!(
        &text[parsed.columns[3].span.clone()],
        "`big` json DEFAULT NULL COMMENT \":<blob@main>:\""
    );
}

#[test]
fn types_and_attributes() {
    let text = "CREATE TABLE t (a enum('x,y', 'COMMENT'), b decimal(9, 2) unsigned zerofill, \
        c double precision default 1.5 comment 'c', `comment` text comment 'd', \
        e int generated always as (concat('comment', 'x')) stored comment 'e' not null, \
        f varchar(9) character set latin1 default 'COMMENT' check (f <> 'comment') comment 'f', g long)";
    assert_eq!(
        columns(text),
        [
            ("a".into(), "enum('x,y', 'COMMENT')", None),
            ("b".into(), "decimal(9, 2) unsigned zerofill", None),
            column("c", "double precision", "c"),
            column("comment", "text", "d"),
            column("e", "int", "e"),
            column("f", "varchar(9)", "f"),
            ("g".into(), "long", None),
        ]
    );
}

#[test]
fn keys_and_constraints_are_no_columns() {
    let text = "CREATE TABLE t (a int, primary key (a), key k (a) comment 'k', unique (a), index (a), \
        fulltext key (a), spatial index (a), foreign key (a) references u (a), \
        constraint c check (a > 0), check (a < 9), period for p (a, b), vector index (v), vector blob, period int)";
    let names: Vec<_> = columns(text).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["a", "vector", "period"]);
}

#[test]
fn the_head() {
    assert!(create("CREATE TEMPORARY TABLE t (a int)").temporary);
    assert!(create("create or replace table t (a int)").or_replace);
    assert!(create("CREATE TABLE t LIKE d.u").like);
    assert!(create("CREATE TABLE t (LIKE u)").like);
}

#[test]
fn a_query_is_told_from_options() {
    for text in [
        "CREATE TABLE t SELECT 1",
        "CREATE TABLE t (SELECT 1)",
        "CREATE TABLE t AS SELECT 1",
        "CREATE TABLE t (a int) ENGINE=InnoDB REPLACE SELECT 1",
        "CREATE TABLE t (a int) (SELECT 1)",
        "CREATE TABLE t (a int) WITH x AS (SELECT 1) SELECT * FROM x",
        "CREATE TABLE t TABLE u",
        "CREATE TABLE t VALUES ROW(1)",
    ] {
        assert!(create(text).select, "{text}");
    }
    for text in [
        "CREATE TABLE t (a int) WITH SYSTEM VERSIONING",
        "CREATE TABLE t (a int default (select 1)) COMMENT 'SELECT'",
        "CREATE TABLE t (a int) UNION=(u) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (1))",
    ] {
        assert!(!create(text).select, "{text}");
    }
}

#[test]
fn what_is_not_understood() {
    for text in [
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE",
        "CREATE TABLE t (",
        "CREATE TABLE t (a int",
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a int,)",
        "CREATE TABLE t (a int))",
        "CREATE TABLE t (a int COMMENT)",
        "CREATE TABLE t (a int COMMENT 1)",
        "CREATE TABLE t ()",
        "CREATE TABLE t LIKE",
    ] {
        assert!(parsed(text).is_none(), "{text}");
    }
}
