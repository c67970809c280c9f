//! What stands open in a session under a name: the tables of `HANDLER`, and the texts that are
//! prepared by `PREPARE`. A later statement says the name alone.
//!
//! The server alone knows whether such a statement has succeeded. What is noted here is what a
//! name stands for if it stands for anything: a name that is opened or prepared again is noted
//! again, and where several tables may be meant, all are kept. Tables are kept by their names: what
//! they are is asked of the catalog each time.

use std::collections::HashMap;

use super::Edit;
use crate::catalog::fold_case;
use crate::config::Limits;
use crate::refusal::Refusal;
use crate::sql::lexer::Dialect;

/// The names of one session.
#[derive(Debug, Default)]
pub struct Standing {
    /// For each name the tables (schema, name) that it may stand for.
    handlers: HashMap<String, Vec<(String, String)>>,
    texts: HashMap<String, Text>,
}

/// A text that is prepared under a name, and reads codec columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// As the client wrote it.
    pub text: bytes::Bytes,
    /// The database that was the current one then.
    pub schema: Option<String>,
    /// How its literals are read.
    pub dialect: Dialect,
    /// Its character set.
    pub charset: String,
    /// What the server was given in place of parts of it.
    pub edits: Vec<Edit>,
}

impl Standing {
    /// `HANDLER … OPEN`.
    pub fn open(
        &mut self,
        name: &str,
        table: (String, String),
        limits: &Limits,
    ) -> Result<(), Refusal> {
        if self.handlers.len() >= limits.prepared_statements {
            return Err(Refusal::too_many_statements(limits.prepared_statements));
        }
        let tables = self.handlers.entry(fold(name)).or_default();
        if !tables.contains(&table) {
            tables.push(table);
        }
        Ok(())
    }

    /// `HANDLER … CLOSE`.
    pub fn close(&mut self, name: &str) {
        self.handlers.remove(&fold(name));
    }

    /// The tables (schema, name) that a name may stand for.
    pub(super) fn handler(&self, name: &str) -> &[(String, String)] {
        let tables = self.handlers.get(&fold(name));
        tables.map(Vec::as_slice).unwrap_or_default()
    }

    /// `PREPARE`: of a text that reads codec columns, or of any other.
    pub fn prepare(
        &mut self,
        name: &str,
        text: Option<Text>,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let name = fold(name);
        self.texts.remove(&name);
        let Some(text) = text else {
            return Ok(());
        };
        if self.texts.len() >= limits.prepared_statements {
            return Err(Refusal::too_many_statements(limits.prepared_statements));
        }
        let others: u64 = self.texts.values().map(|t| t.text.len() as u64).sum();
        if others + text.text.len() as u64 > limits.statement_bytes {
            return Err(Refusal::limit(
                "the texts of all prepared statements on codec tables are longer than \
                 limits.statement_bytes",
            ));
        }
        self.texts.insert(name, text);
        Ok(())
    }

    pub(super) fn text(&self, name: &str) -> Option<&Text> {
        self.texts.get(&fold(name))
    }
}

fn fold(name: &str) -> String {
    fold_case(name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_noted_and_forgotten() {
        let limits = Limits {
            prepared_statements: 2,
            statement_bytes: 10,
            ..Limits::default()
        };
        let mut standing = Standing::default();
        let table = || ("lab".to_owned(), "t".to_owned());
        standing.open("h", table(), &limits).unwrap();
        standing.open("H", table(), &limits).unwrap();
        assert_eq!(standing.handler("h"), [table()]);
        standing.open("i", table(), &limits).unwrap();
        assert!(standing.open("j", table(), &limits).is_err());
        standing.close("H");
        assert!(standing.handler("h").is_empty());

        let text = |text: &'static str| Text {
            text: bytes::Bytes::from_static(text.as_bytes()),
            schema: None,
            dialect: Dialect::default(),
            charset: "utf8mb4".into(),
            edits: Vec::new(),
        };
        standing
            .prepare("a", Some(text("SELECT")), &limits)
            .unwrap();
        let longer = standing.prepare("b", Some(text("SELECT")), &limits);
        assert_eq!(longer.unwrap_err().code, 1153);
        standing.prepare("b", Some(text("TABL")), &limits).unwrap();
        let more = standing.prepare("c", Some(text("")), &limits);
        assert_eq!(more.unwrap_err().code, 1461);
        assert_eq!(standing.text("A"), Some(&text("SELECT")));
        standing.prepare("A", None, &limits).unwrap();
        assert_eq!(standing.text("a"), None);
    }
}
