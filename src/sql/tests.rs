//! The walkers together: on what DataJoint sends, and on anything at all.

use bytes::Bytes;
use proptest::prelude::*;

use super::lexer::{Dialect, Lexed, lex};
use super::{create_table, insert, literal::Literal, load_data, show, skeleton, statement, update};

/// Statements as DataJoint 0.14 and 2.3 send them, each with its first keyword.
const SENT: &[(&str, &[u8])] = &[
    ("SET", b"SET sql_mode='NO_ZERO_DATE,STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY'"),
    ("SELECT", b"SELECT @@version"),
    ("SELECT", b"SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'wf14'"),
    ("SHOW", b"SHOW TABLES in `wf14` LIKE \"~log\""),
    ("SHOW", b"SHOW TABLE STATUS FROM `wf14` WHERE name=\"subject\""),
    ("SHOW", b"SHOW FULL COLUMNS FROM `#lk` IN `wf14`"),
    ("INSERT", b"INSERT INTO `wf14`.`~log`(`version`,`user`,`event`) VALUES ('0.14.10py','dj@localhost','Declared \
                 `wf14`.`subject`') ON DUPLICATE KEY UPDATE `id`=`id`"),
    ("INSERT", b"INSERT INTO `wf14`.`s`(`id`,`name`,`tag`,`x`) VALUES ('1','O\\'Neil \\\\ \\\"q\\\" \\0 %s',\
                 '\\0\x80\xff\\Z\\n',DEFAULT)"),
    ("INSERT", b"INSERT INTO `wf2`.`s`(`id`,`tag`,`meta`) VALUES ('1',X'0005','{\\\"a\\\": [1, \\\"x\\'y\\\"]}'),\
                 ('2',X'',DEFAULT)"),
    ("REPLACE", b"REPLACE INTO `wf2`.`subject`(`subject_id`,`name`) VALUES ('3','rep')"),
    ("INSERT", b"INSERT INTO `wf2`.`c` (`a`,`b`) SELECT `a`,`b` FROM `wf2`.`s` WHERE (`a`=1)"),
    ("UPDATE", b"UPDATE `wf2`.`s` SET `x`=X'00',`y`=DEFAULT WHERE  (`id`=1)AND(`s`=0)"),
    ("DELETE", b"DELETE FROM `wf2`.`~lineage`\n        WHERE table_name = 'subject'"),
    ("CREATE", b"CREATE TABLE IF NOT EXISTS `wf2`.`#lk` (\n`k` varchar(8) NOT NULL COMMENT \":varchar(8):\",\n\
                 PRIMARY KEY (`k`)\n) ENGINE=InnoDB, COMMENT \"lookup\""),
    ("ALTER", b"ALTER TABLE `d`.`t`\n\tADD `extra` longblob DEFAULT NULL COMMENT \":<blob>:ex\" AFTER `name`"),
    ("START", b"START TRANSACTION WITH CONSISTENT SNAPSHOT"),
];

#[test]
fn what_datajoint_sends_is_taken_apart() {
    let dialect = Dialect::default();
    for (keyword, text) in SENT {
        let shown = String::from_utf8_lossy(text);
        let text = Bytes::from_static(text);
        let Lexed {
            tokens,
            unterminated,
            conditional,
        } = lex(&text, dialect);
        assert!(!unterminated && !conditional, "{shown}");
        let statements: Vec<_> = statement::split(&text, &tokens).collect();
        assert_eq!(statements, [&tokens[..]], "{shown}");
        assert_eq!(statement::keyword(&text, &tokens), *keyword);
        match *keyword {
            "INSERT" | "REPLACE" => assert_cells(&text, insert::parse(&text, &tokens), &shown),
            "CREATE" => assert!(create_table::parse(&text, &tokens, dialect).is_some()),
            "SHOW" => assert!(show::parse(&text, &tokens).is_some()),
            _ => {}
        }
    }
}

/// Every cell is a literal or `DEFAULT`, and each row has as many as there are columns.
fn assert_cells(text: &Bytes, insert: Option<insert::Insert>, shown: &str) {
    let insert = insert.unwrap_or_else(|| panic!("not parsed: {shown}"));
    let insert::Source::Values { rows } = insert.source else {
        return;
    };
    let tokens = lex(text, Dialect::default()).tokens;
    for row in rows {
        assert_eq!(
            insert.columns.as_ref().map(Vec::len),
            Some(row.len()),
            "{shown}"
        );
        for item in row {
            let literal = Literal::parse(text, &tokens[item.tokens], Dialect::default());
            assert!(
                literal.is_some() || &text[item.span] == b"DEFAULT",
                "{shown}"
            );
        }
    }
}

/// Words and bytes that lead deep into the walkers, and any others.
fn soups() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "CREATE TABLE t (",
        "INSERT INTO t",
        "VALUES (",
        "SHOW COLUMNS FROM",
        "DESC",
        "SET",
        "SELECT",
        "COMMENT",
        "LIKE",
        "PRIMARY KEY",
        "ON DUPLICATE KEY UPDATE",
        "RETURNING",
        "AS",
        "WITH",
        "int",
        "a",
        "`b`",
        ".",
        "(",
        ")",
        ",",
        "=",
        ";",
        "'x'",
        "'",
        "\"",
        "`",
        "X'0'",
        "0x1",
        "b'1'",
        "_binary",
        "N",
        "/*!",
        "*/",
        "/*",
        "--",
        "\\",
        "@",
        ":=",
        "1",
    ]);
    let piece = prop_oneof![
        8 => word.prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..25).prop_map(|pieces| pieces.join(&b' '))
}

proptest! {
    #[test]
    fn no_walker_fails_on_any_text(text in soups(), ansi_quotes: bool, no_backslash_escapes: bool) {
        let dialect = Dialect { ansi_quotes, no_backslash_escapes, ..Dialect::default() };
        let text = Bytes::from(text);
        let tokens = lex(&text, dialect).tokens;
        let mut seen = 0;
        for statement in statement::split(&text, &tokens) {
            seen += statement.len();
            statement::keyword(&text, statement);
            statement::is_ddl(&text, statement);
            insert::parse(&text, statement);
            update::parse(&text, statement);
            load_data::parse(&text, statement, dialect);
            show::parse(&text, statement);
            Literal::parse(&text, statement, dialect);
            if let Some(create) = create_table::parse(&text, statement, dialect) {
                for column in create.columns {
                    prop_assert!(column.span.start < column.type_span.start && column.type_span.end <= column.span.end);
                }
            }
            let skeleton = skeleton::skeleton(&text, statement);
            for n in 1..=skeleton.literals.len() {
                let placeholder = format!("'~{n}'");
                prop_assert!(skeleton.sql.contains(&placeholder));
            }
        }
        let semicolons = tokens.iter().filter(|token| token.is_symbol(b';')).count();
        prop_assert!(seen <= tokens.len() && seen + semicolons >= tokens.len());
    }
}
