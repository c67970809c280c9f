//! Triggers and stored routines that may write to codec tables: they run inside of the server, out
//! of the proxy's sight, so people should know of them.

use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::{CatalogError, MarkedColumn, scan};

/// What the account sees of stored programs that may write to the tables of marked columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Programs {
    /// One sentence each.
    pub writing: Vec<String>,
    /// What the account may not see, one sentence each.
    pub unseen: Vec<String>,
}

/// A trigger or routine with its text; `None` if the account may not see that.
type Found = (String, String, Option<String>);

impl Programs {
    pub(super) async fn read(
        conn: &mut Conn,
        columns: &[MarkedColumn],
    ) -> Result<Self, CatalogError> {
        let mut programs = Self::default();
        let mut tables: Vec<(&str, &str)> = Vec::new();
        for column in columns {
            tables.push((&column.schema, &column.table));
        }
        tables.dedup();
        if tables.is_empty() {
            return Ok(programs);
        }
        let system = scan::SYSTEM;
        let triggers: Vec<(String, String, String, Option<String>)> = conn
            .query(format!(
                "SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, TRIGGER_NAME, ACTION_STATEMENT \
                 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA NOT IN {system}"
            ))
            .await?;
        for (schema, table, name, text) in triggers {
            let of_table = |(s, t): &(&str, &str)| *s == schema && *t == table;
            let sets_new = text.as_deref().is_some_and(|text| has_word(text, "NEW"));
            if sets_new && tables.iter().any(of_table) {
                let sentence = format!("trigger {schema}.{name} may write to {schema}.{table}");
                programs.writing.push(sentence);
            }
            programs.note(&tables, "trigger", (schema, name, text));
        }
        let routines: Vec<Found> = conn
            .query(format!(
                "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_DEFINITION \
                 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA NOT IN {system}"
            ))
            .await?;
        for routine in routines {
            programs.note(&tables, "routine", routine);
        }
        let may_see: Option<u8> = conn
            .query_first(
                // An account that may read the grants sees those of others, too.
                "SELECT 1 FROM (SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES \
                 UNION ALL SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES) p \
                 WHERE PRIVILEGE_TYPE = 'TRIGGER' \
                 AND GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') LIMIT 1",
            )
            .await?;
        if may_see.is_none() {
            let sentence = "triggers: the account has no TRIGGER privilege".to_owned();
            programs.unseen.push(sentence);
        }
        Ok(programs)
    }

    fn note(&mut self, tables: &[(&str, &str)], kind: &str, (schema, name, text): Found) {
        let Some(text) = text else {
            self.unseen
                .push(format!("the text of {kind} {schema}.{name}"));
            return;
        };
        let verbs = ["INSERT", "REPLACE", "UPDATE", "LOAD"];
        if !verbs.iter().any(|verb| has_word(&text, verb)) {
            return;
        }
        for (of, table) in tables {
            let here = *of == schema || has_word(&text, of);
            if here && has_word(&text, table) {
                let sentence = format!("{kind} {schema}.{name} may write to {of}.{table}");
                if !self.writing.contains(&sentence) {
                    self.writing.push(sentence);
                }
            }
        }
    }
}

/// Whether a text has a word in it, in whatever case; a name with `#` or `~` counts as one.
fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '~');
    text.match_indices(&word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_may_write_are_named() {
        let tables = [("lab", "scan"), ("lab", "#mask")];
        let note = |schema: &str, text: Option<&str>| {
            let mut programs = Programs::default();
            let found = (schema.to_owned(), "p".to_owned(), text.map(str::to_owned));
            programs.note(&tables, "routine", found);
            (programs.writing, programs.unseen.len())
        };
        let scan = vec!["routine lab.p may write to lab.scan".to_owned()];
        assert_eq!(
            note("lab", Some("insert INTO `scan` values (1)")),
            (scan, 0)
        );
        let mask = vec!["routine x.p may write to lab.#mask".to_owned()];
        assert_eq!(note("x", Some("UPDATE lab.`#mask` SET a = 1")), (mask, 0));
        assert_eq!(note("x", Some("UPDATE scan SET a = 1")), (vec![], 0));
        assert_eq!(note("lab", Some("SELECT * FROM scan")), (vec![], 0));
        assert_eq!(
            note("lab", Some("INSERT INTO scanner VALUES (1)")),
            (vec![], 0)
        );
        assert_eq!(note("lab", None), (vec![], 1));
    }
}
