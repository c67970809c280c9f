//! Statements that show the columns of a table.

use super::cursor::Cursor;
use super::lexer::{Token, TokenKind};
use super::name::TableName;

/// What a statement shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Show {
    /// `SHOW COLUMNS`, `SHOW FIELDS`, `DESCRIBE`, `DESC`, or `EXPLAIN` of a table.
    Columns {
        table: TableName,
        /// `FULL`: with collation, privileges and comment.
        full: bool,
        /// Only some of the columns: `LIKE`, `WHERE`, or a column after the table.
        filtered: bool,
    },
    /// `SHOW CREATE TABLE`
    Create(TableName),
    /// Any other `SHOW`.
    Other,
}

/// Parses the tokens of one statement; `None` if it shows nothing of these.
pub fn parse(text: &[u8], tokens: &[Token]) -> Option<Show> {
    let mut cursor = Cursor::new(text, tokens);
    if cursor.word("SHOW") {
        if cursor.words(&["CREATE", "TABLE"]) {
            let table = cursor.table_name().filter(|_| cursor.is_at_end());
            return Some(table.map_or(Show::Other, Show::Create));
        }
        return Some(columns(&mut cursor).unwrap_or(Show::Other));
    }
    if cursor.any_word(&["DESCRIBE", "DESC", "EXPLAIN"]) {
        return describe(&mut cursor);
    }
    None
}

/// What follows `SHOW`: `[EXTENDED] [FULL] COLUMNS FROM t [FROM d] [LIKE … | WHERE …]`.
fn columns(cursor: &mut Cursor) -> Option<Show> {
    const FROM: [&str; 2] = ["FROM", "IN"];
    cursor.word("EXTENDED");
    let full = cursor.word("FULL");
    if !cursor.any_word(&["COLUMNS", "FIELDS"]) || !cursor.any_word(&FROM) {
        return None;
    }
    let mut table = cursor.table_name()?;
    if cursor.any_word(&FROM) {
        // The server lets it prevail over `d.t`.
        table.schema = Some(cursor.name()?);
    }
    let filtered = cursor.any_word(&["LIKE", "WHERE"]);
    (filtered || cursor.is_at_end()).then_some(Show::Columns {
        table,
        full,
        filtered,
    })
}

/// What follows `DESCRIBE`: `t`, `t column` or `t 'pattern'`. Statements to be explained begin
/// with reserved words, which no table is called.
fn describe(cursor: &mut Cursor) -> Option<Show> {
    let statements = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "TABLE", "WITH", "VALUES", "FOR",
        "ANALYZE",
    ];
    if cursor.is_any_word(&statements) {
        return None;
    }
    let table = cursor.table_name()?;
    let pattern = |token: &Token| {
        matches!(
            token.kind,
            TokenKind::Word | TokenKind::QuotedName | TokenKind::Text
        )
    };
    let filtered = cursor.advance_if(pattern);
    cursor.is_at_end().then_some(Show::Columns {
        table,
        full: false,
        filtered,
    })
}

#[cfg(test)]
mod tests {
    use super::super::lexer::{Dialect, lex};
    use super::*;

    fn shown(text: &str) -> Option<Show> {
        parse(
            text.as_bytes(),
            &lex(text.as_bytes(), Dialect::default()).tokens,
        )
    }

    fn columns_of(text: &str) -> (String, bool, bool) {
        match shown(text) {
            Some(Show::Columns {
                table,
                full,
                filtered,
            }) => (table.to_string(), full, filtered),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn the_columns_of_a_table() {
        for (text, table, full, filtered) in [
            (
                "SHOW FULL COLUMNS FROM `~log` IN `wf14`",
                "`wf14`.`~log`",
                true,
                false,
            ),
            ("show columns in t", "`t`", false, false),
            ("SHOW EXTENDED FULL FIELDS FROM d.t", "`d`.`t`", true, false),
            (
                "SHOW FIELDS FROM x.t FROM d LIKE 'a%'",
                "`d`.`t`",
                false,
                true,
            ),
            ("SHOW COLUMNS FROM t WHERE Field = 'a'", "`t`", false, true),
            ("DESCRIBE d.t", "`d`.`t`", false, false),
            ("desc `t` 'a%'", "`t`", false, true),
            ("EXPLAIN t col", "`t`", false, true),
            ("DESC format", "`format`", false, false),
        ] {
            assert_eq!(columns_of(text), (table.into(), full, filtered), "{text}");
        }
    }

    #[test]
    fn the_statement_of_a_table() {
        for (text, table) in [
            ("SHOW CREATE TABLE t", "`t`"),
            ("show create table `d`.`t`", "`d`.`t`"),
        ] {
            match shown(text) {
                Some(Show::Create(name)) => assert_eq!(name.to_string(), table),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn other_statements() {
        for text in [
            "SHOW TABLES",
            "SHOW COLUMNS",
            "SHOW COLUMNS FROM t d",
            "SHOW CREATE VIEW t",
            "SHOW CREATE TABLE",
            "SHOW CREATE TABLE t x",
        ] {
            assert_eq!(shown(text), Some(Show::Other), "{text}");
        }
        for text in [
            "",
            "SELECT 1",
            "EXPLAIN SELECT 1",
            "DESC",
            "EXPLAIN FORMAT=JSON SELECT 1",
            "EXPLAIN EXTENDED SELECT 1",
            "EXPLAIN (SELECT 1)",
            "EXPLAIN FOR CONNECTION 5",
            "DESCRIBE TABLE t",
            "DESC t 5",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
