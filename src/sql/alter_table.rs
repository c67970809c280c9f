//! `ALTER TABLE`, taken apart into what it does to columns.

use std::ops::Range;

use bytes::Bytes;

use super::create_table::{ColumnDef, column_def, is_table_element};
use super::cursor::Cursor;
use super::lexer::{Dialect, Token};
use super::name::TableName;

/// An `ALTER TABLE` statement.
#[derive(Debug, Clone)]
pub struct AlterTable {
    pub table: TableName,
    /// In their order.
    pub actions: Vec<Action>,
}

/// One of the changes that a statement makes.
#[derive(Debug, Clone)]
pub enum Action {
    /// `ADD [COLUMN] definition` or `ADD [COLUMN] (definition, …)`; with all other elements of
    /// the list left out.
    Add(Vec<ColumnDef>),
    /// `MODIFY [COLUMN] definition`
    Modify(ColumnDef),
    /// `CHANGE [COLUMN] old definition`
    Change { old: String, column: ColumnDef },
    /// `DROP [COLUMN] name`
    Drop(String),
    /// `RENAME COLUMN from TO to`
    RenameColumn { from: String, to: String },
    /// `ALTER [COLUMN] name SET DEFAULT …`: the tokens of what is the default.
    SetDefault {
        column: String,
        default: Range<usize>,
    },
    /// `ALTER [COLUMN] name …`, any other
    AlterColumn(String),
    /// `RENAME [TO|AS] table`
    RenameTo(TableName),
    /// Anything else: indexes, constraints, partitions, options.
    Other,
}

/// Parses the tokens of one statement; `None` if it is not one that this walker understands.
pub fn parse(text: &Bytes, tokens: &[Token], dialect: Dialect) -> Option<AlterTable> {
    let mut cursor = Cursor::new(text, tokens);
    if !cursor.word("ALTER") {
        return None;
    }
    cursor.word("ONLINE");
    cursor.word("IGNORE");
    if !cursor.word("TABLE") {
        return None;
    }
    cursor.words(&["IF", "EXISTS"]);
    let table = cursor.table_name()?;
    if cursor.word("WAIT") {
        cursor.advance_if(|_| true);
    }
    cursor.word("NOWAIT");
    let mut actions = Vec::new();
    while !cursor.is_at_end() {
        actions.push(action(&mut cursor, text, tokens, dialect)?);
        cursor.skip_until(|at| at.is_symbol(b','));
        if !cursor.symbol(b',') {
            break;
        }
    }
    let alter = AlterTable { table, actions };
    cursor.is_at_end().then_some(alter)
}

/// One action, or the beginning of one of which the rest does not matter.
fn action(cursor: &mut Cursor, text: &Bytes, tokens: &[Token], dialect: Dialect) -> Option<Action> {
    const INDEXES: [&str; 7] = [
        "INDEX",
        "KEY",
        "CONSTRAINT",
        "CHECK",
        "PRIMARY",
        "FOREIGN",
        "PARTITION",
    ];
    Some(match () {
        () if cursor.word("ADD") => add(cursor, text, tokens, dialect)?,
        () if cursor.word("MODIFY") => {
            cursor.word("COLUMN");
            cursor.words(&["IF", "EXISTS"]);
            Action::Modify(column_def(cursor, text, tokens, dialect)?)
        }
        () if cursor.word("CHANGE") => {
            cursor.word("COLUMN");
            cursor.words(&["IF", "EXISTS"]);
            let old = cursor.name()?;
            let column = column_def(cursor, text, tokens, dialect)?;
            Action::Change { old, column }
        }
        () if cursor.word("DROP") => {
            let is_column = cursor.word("COLUMN");
            let others = cursor.is_any_word(&INDEXES)
                || cursor.are_words(&["SYSTEM", "VERSIONING"])
                || cursor.are_words(&["PERIOD", "FOR"]);
            if others && !is_column {
                return Some(Action::Other);
            }
            cursor.words(&["IF", "EXISTS"]);
            Action::Drop(cursor.name()?)
        }
        () if cursor.word("RENAME") => {
            if cursor.word("COLUMN") {
                let from = cursor.name()?;
                if !cursor.word("TO") {
                    return None;
                }
                let to = cursor.name()?;
                return Some(Action::RenameColumn { from, to });
            }
            if cursor.is_any_word(&["INDEX", "KEY"]) {
                return Some(Action::Other);
            }
            cursor.any_word(&["TO", "AS"]);
            cursor.symbol(b'=');
            Action::RenameTo(cursor.table_name()?)
        }
        () if cursor.word("ALTER") => {
            let is_column = cursor.word("COLUMN");
            if cursor.is_any_word(&INDEXES) && !is_column {
                return Some(Action::Other);
            }
            cursor.words(&["IF", "EXISTS"]);
            let column = cursor.name()?;
            match cursor.words(&["SET", "DEFAULT"]) {
                true => Action::SetDefault {
                    column,
                    default: cursor.skip_until(|at| at.is_symbol(b',')),
                },
                false => Action::AlterColumn(column),
            }
        }
        () => Action::Other,
    })
}

fn add(cursor: &mut Cursor, text: &Bytes, tokens: &[Token], dialect: Dialect) -> Option<Action> {
    let is_column = cursor.word("COLUMN");
    let others = is_table_element(cursor)
        || cursor.is_word("PARTITION")
        || cursor.are_words(&["SYSTEM", "VERSIONING"]);
    if others && !is_column {
        return Some(Action::Other);
    }
    cursor.words(&["IF", "NOT", "EXISTS"]);
    if !cursor.symbol(b'(') {
        let column = column_def(cursor, text, tokens, dialect)?;
        return Some(Action::Add(vec![column]));
    }
    let mut columns = Vec::new();
    loop {
        match is_table_element(cursor) {
            true => _ = cursor.skip_until(|at| at.is_symbol(b',')),
            false => columns.push(column_def(cursor, text, tokens, dialect)?),
        }
        if cursor.symbol(b')') {
            return Some(Action::Add(columns));
        }
        if !cursor.symbol(b',') {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::*;

    /// The actions in short.
    fn actions(text: &str) -> Option<Vec<String>> {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let dialect = Dialect::default();
        let alter = parse(&bytes, &lex(&bytes, dialect).tokens, dialect)?;
        let def = |c: &ColumnDef| {
            let comment = c.comment.as_ref().map_or("", |c| &text[c.span.clone()]);
            format!("{} {} {comment}", c.name, &text[c.type_span.clone()])
        };
        let short = |action: &Action| match action {
            Action::Add(columns) => {
                let columns: Vec<_> = columns
                    .iter()
                    .map(|c| def(c).trim_end().to_owned())
                    .collect();
                format!("add {}", columns.join(" + "))
            }
            Action::Modify(column) => format!("modify {}", def(column)).trim_end().to_owned(),
            Action::Change { old, column } => format!("change {old} {}", def(column))
                .trim_end()
                .to_owned(),
            Action::Drop(column) => format!("drop {column}"),
            Action::RenameColumn { from, to } => format!("rename {from} {to}"),
            Action::SetDefault { column, default } => format!("default {column} {}", default.len()),
            Action::AlterColumn(column) => format!("alter {column}"),
            Action::RenameTo(table) => format!("to {table}"),
            Action::Other => "other".into(),
        };
        Some(alter.actions.iter().map(short).collect())
    }

    #[test]
    fn what_is_done_to_columns() {
        for (actions_text, expected) in [
            (
                "ADD a longblob COMMENT 'x' AFTER b",
                &["add a longblob 'x'"][..],
            ),
            ("ADD COLUMN IF NOT EXISTS a int FIRST", &["add a int"]),
            (
                "ADD (a int, KEY (a), b varchar(3) COMMENT 'y')",
                &["add a int + b varchar(3) 'y'"],
            ),
            ("ADD COLUMN (a int), ADD b int", &["add a int", "add b int"]),
            (
                "\tMODIFY `a` longblob NOT NULL COMMENT \"x, y\"",
                &["modify a longblob \"x, y\""],
            ),
            ("MODIFY COLUMN IF EXISTS a int", &["modify a int"]),
            (
                "CHANGE a `b` decimal(3,1) unsigned, CHANGE COLUMN c c int",
                &["change a b decimal(3,1) unsigned", "change c c int"],
            ),
            (
                "DROP a, DROP COLUMN b RESTRICT, DROP COLUMN IF EXISTS c",
                &["drop a", "drop b", "drop c"],
            ),
            ("DROP COLUMN `key`, DROP KEY k", &["drop key", "other"]),
            (
                "DROP PRIMARY KEY, DROP FOREIGN KEY f, DROP INDEX IF EXISTS i, DROP CHECK c",
                &["other"; 4],
            ),
            ("RENAME COLUMN a TO b", &["rename a b"]),
            ("RENAME INDEX a TO b, RENAME KEY c TO d", &["other"; 2]),
            ("RENAME TO u", &["to `u`"]),
            ("RENAME AS d.u", &["to `d`.`u`"]),
            ("RENAME u", &["to `u`"]),
            (
                "ALTER a SET DEFAULT NULL, ALTER COLUMN b DROP DEFAULT",
                &["default a 1", "alter b"],
            ),
            (
                "ALTER COLUMN a SET DEFAULT (1, 2), ALTER INDEX i INVISIBLE",
                &["default a 5", "other"],
            ),
            ("ENGINE=InnoDB, COMMENT='<blob@main> x'", &["other"; 2]),
            (
                "CONVERT TO CHARACTER SET latin1, ALGORITHM=COPY, LOCK=NONE",
                &["other"; 3],
            ),
            ("DISABLE KEYS", &["other"]),
            (
                "ADD INDEX (a, b), ADD CONSTRAINT c CHECK (a > 1), ADD PARTITION (PARTITION p VALUES LESS THAN (3))",
                &["other"; 3],
            ),
            ("DROP PARTITION p, q", &["other"; 2]),
            ("", &[]),
        ] {
            for start in [
                "ALTER TABLE t ",
                "alter online ignore table if exists `d`.t wait 5 ",
            ] {
                let text = format!("{start}{actions_text}");
                let expected: Vec<String> = expected.iter().map(|e| (*e).to_owned()).collect();
                assert_eq!(actions(&text), Some(expected), "{text}");
            }
        }
    }

    #[test]
    fn what_is_not_understood() {
        for text in [
            "ALTER VIEW v AS SELECT 1",
            "ALTER TABLE",
            "ALTER TABLE t MODIFY",
            "ALTER TABLE t CHANGE a",
            "ALTER TABLE t RENAME COLUMN a b",
            "ALTER TABLE t ADD (a int",
            "ALTER TABLE t ADD a int)",
        ] {
            assert_eq!(actions(text), None, "{text}");
        }
    }
}
