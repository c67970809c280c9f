//! `HANDLER t OPEN`, `READ` and `CLOSE`: the rows of a table, without a query.
//!
//! Its result has all columns of the table, by their names. What READ compares is compared
//! with what is stored: in WHERE hash-addressed columns by their hashes; an index over a codec
//! column is refused, which only the server can say ([`Handler::Read`]).

use std::sync::Arc;

use super::statement::{CodecColumn, Statement, codecs, refuse_table};
use super::{Lineage, Plan, Read, Slot, lineage};
use crate::catalog::{Table, TableKind, same_name};
use crate::refusal::Refusal;
use crate::view::View;

/// What to do with a HANDLER statement.
#[derive(Debug, Clone)]
pub enum Handler {
    /// Send it; the name stands for this table from now on.
    Open {
        /// The name.
        name: String,
        /// The table: its schema and name.
        table: (String, String),
        /// Whether it has codec columns.
        has_codecs: bool,
    },
    /// Send it; the name stands for nothing.
    Close {
        /// The name.
        name: String,
    },
    /// Ask the server whether the index has one of these columns. If not, go on as with
    /// [`Plan::Read`].
    Read {
        /// What is read.
        read: Read,
        /// The table.
        table: Arc<Table>,
        /// The index.
        index: String,
    },
}

const CLOSE: &str = "close it and open it again";
const SELECT: &str = "use SELECT";

pub(super) fn plan(statement: Statement) -> Result<Plan, Refusal> {
    let text = |at: usize| Some(String::from_utf8_lossy(&statement.name(at)?).into_owned());
    // What the server does not understand either.
    let Some(first) = text(1) else {
        return Ok(Plan::Pass);
    };
    let (schema, name, at) = match (statement.is_symbol(2, b'.'), text(3)) {
        (true, Some(name)) => (Some(first), name, 4),
        _ => (None, first, 2),
    };
    if statement.is_word(at, "OPEN") {
        let has_codecs = statement.table(schema.as_deref(), &name).is_some();
        let schema = schema.as_deref().or(statement.context.schema);
        let table = (schema.unwrap_or_default().to_owned(), name.clone());
        let alias = at + 1 + usize::from(statement.is_word(at + 1, "AS"));
        return Ok(Plan::Handler(Handler::Open {
            name: text(alias).unwrap_or(name),
            table,
            has_codecs,
        }));
    }
    if statement.is_word(at, "CLOSE") {
        return Ok(Plan::Handler(Handler::Close { name }));
    }
    let opened = statement.context.standing.handler(&name);
    let tables = opened.iter().map(|(schema, table)| {
        let table = statement.table(Some(schema), table);
        table.filter(|table| table.kind == TableKind::Base)
    });
    match tables.collect::<Vec<_>>()[..] {
        [] => unknown(statement, at + 1),
        [None] => Ok(Plan::Pass),
        [Some(table)] => read(statement, &name, table, at + 1),
        ref several => match several.iter().flatten().next() {
            None => Ok(Plan::Pass),
            Some(table) => Err(refuse_table(
                table,
                "HANDLER may read it or another table by this name",
                CLOSE,
            )),
        },
    }
}

/// READ of a codec table; `at` is the token after that word.
fn read(statement: Statement, name: &str, table: &Arc<Table>, at: usize) -> Result<Plan, Refusal> {
    let translated = statement.translated(std::slice::from_ref(table));
    if translated.is_empty() {
        return Ok(Plan::Pass);
    }
    let end = statement.tokens.len();
    let (mut edits, mut hashed) = (Vec::new(), Vec::new());
    if let Some(condition) = statement.find_word(at, &["WHERE"]) {
        let target = lineage::Target {
            name: name.to_owned(),
            schema: None,
            table: Some(table.clone()),
        };
        let limit = statement.find_word(condition, &["LIMIT"]).unwrap_or(end);
        let targets = std::slice::from_ref(&target);
        (edits, hashed) = lineage::of_condition(statement, condition + 1..limit, targets)?;
    }
    let read = Read {
        edits,
        hashed,
        // MySQL announces no schema.
        columns: Lineage::Known(vec![Slot::Some(
            translated
                .into_iter()
                .map(|column| (column.name().to_owned(), column))
                .collect(),
        )]),
    };
    Ok(match index(&statement, at) {
        Some(index) => Plan::Handler(Handler::Read {
            read,
            table: table.clone(),
            index,
        }),
        None => Plan::Read(read),
    })
}

/// READ by a name that was not seen opened: before there were codec columns, or by a statement
/// that the client had prepared.
fn unknown(statement: Statement, at: usize) -> Result<Plan, Refusal> {
    let translates = statement.context.view.translates_any(statement.index);
    let all: Vec<Arc<Table>> = statement.index.tables().cloned().collect();
    let columns: Vec<CodecColumn> = statement.translated(&all);
    let named = statement.mention(at..statement.tokens.len(), &columns);
    match (named, columns.first()) {
        (Some(column), _) => {
            Err(column.refuse("codec-proxy has not seen which table HANDLER reads", CLOSE))
        }
        (None, Some(column)) if index(&statement, at).is_some() => {
            Err(column.refuse("codec-proxy has not seen which index HANDLER reads", CLOSE))
        }
        _ if translates => Ok(Plan::Read(Read::announced())),
        _ => Ok(Plan::Pass),
    }
}

/// The index that READ goes by, if it is another than the primary key.
fn index(statement: &Statement, at: usize) -> Option<String> {
    const WAYS: [&str; 4] = ["FIRST", "NEXT", "PREV", "LAST"];
    let name = String::from_utf8_lossy(&statement.name(at)?).into_owned();
    let is_followed = statement.is_any_word(at + 1, &WAYS)
        || [b'=', b'<', b'>']
            .iter()
            .any(|s| statement.is_symbol(at + 1, *s));
    (is_followed && !name.eq_ignore_ascii_case("PRIMARY")).then_some(name)
}

impl Handler {
    /// What the client is told if the index of a READ has a codec column.
    pub fn refuse_index(table: &Arc<Table>, columns: &[String], view: View) -> Option<Refusal> {
        let named = codecs(table).into_iter().find(|column| {
            let codec = table.columns[column.column].codec.as_ref();
            let same = |name: &String| same_name(name, column.name());
            codec.is_some_and(|codec| view.translates(codec)) && columns.iter().any(same)
        });
        named.map(|column| column.refuse("HANDLER would go by what is stored of it", SELECT))
    }
}
