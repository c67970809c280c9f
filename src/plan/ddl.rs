//! CREATE, ALTER, DROP and RENAME: what they may change in the catalog, and what they may not do
//! to a codec column.

use std::sync::Arc;

use super::alter;
use super::declare;
use super::select;
use super::statement::{CodecColumn, Statement, refuse_table};
use super::{Ddl, Plan};
use crate::codec::comment;
use crate::refusal::Refusal;
use crate::sql::literal::Literal;

pub(super) fn plan(statement: Statement) -> Result<Plan, Refusal> {
    match Object::of(&statement) {
        Some((Object::Schema, at)) => Ok(schema(statement, at)),
        Some((Object::Table, at)) if statement.is_word(0, "CREATE") => {
            declare::plan(statement, tables(&statement, at))
        }
        Some((Object::Table, at)) if statement.is_word(0, "ALTER") => {
            alter::plan(statement, tables(&statement, at), at)
        }
        Some((Object::Table, at)) if statement.is_word(0, "RENAME") => {
            alter::moves_none(&statement, at)?;
            Ok(Plan::Ddl(tables(&statement, at)))
        }
        Some((Object::Table | Object::View, at)) => Ok(Plan::Ddl(tables(&statement, at))),
        Some((Object::Program, _)) => program(statement),
        None if creates_index(&statement) => index(statement),
        None => Ok(Plan::Pass),
    }
}

fn creates_index(statement: &Statement) -> bool {
    const OPTIONS: [&str; 7] = [
        "OR", "REPLACE", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "ONLINE",
    ];
    let at = (1..statement.tokens.len()).find(|at| !statement.is_any_word(*at, &OPTIONS));
    statement.is_word(0, "CREATE") && at.is_some_and(|at| statement.is_word(at, "INDEX"))
}

/// `CREATE INDEX … ON t (…)`: of a codec column it would hold what is stored, and a unique one
/// would compare that.
fn index(statement: Statement) -> Result<Plan, Refusal> {
    let Some(on) = statement.find_word(2, &["ON"]) else {
        return Ok(Plan::Pass);
    };
    let (schema, name, from) = path(&statement, on + 1);
    let table = statement.table(schema.as_deref(), &name).cloned();
    let columns = statement.translated(&Vec::from_iter(table));
    match statement.mention(from..statement.tokens.len(), &columns) {
        Some(column) => Err(column.refuse(
            "a key would use what is stored and not the value",
            "leave the column out",
        )),
        None => Ok(Plan::Pass),
    }
}

/// In the `stored` view a DDL statement goes to the server as it is.
pub(super) fn stored(statement: Statement) -> Plan {
    match Object::of(&statement) {
        Some((Object::Schema, at)) => schema(statement, at),
        Some((Object::Table | Object::View, at)) => Plan::Ddl(tables(&statement, at)),
        _ => Plan::Pass,
    }
}

/// What a DDL statement works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Object {
    Table,
    View,
    Schema,
    /// A trigger, routine or event.
    Program,
}

impl Object {
    /// What the statement works on, and the place of the name after it.
    fn of(statement: &Statement) -> Option<(Self, usize)> {
        // Before it only options stand: OR REPLACE, TEMPORARY, DEFINER = …, SQL SECURITY ….
        (1..statement.tokens.len().min(32)).find_map(|at| {
            let object = match () {
                _ if statement.is_any_word(at, &["TABLE", "TABLES", "SEQUENCE"]) => Self::Table,
                _ if statement.is_word(at, "VIEW") => Self::View,
                _ if statement.is_any_word(at, &["DATABASE", "SCHEMA"]) => Self::Schema,
                _ if statement.is_any_word(
                    at,
                    &["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "PACKAGE"],
                ) =>
                {
                    Self::Program
                }
                // Anything else may have names in it that read like the words above.
                _ if statement.is_any_word(
                    at,
                    &[
                        "INDEX",
                        "USER",
                        "ROLE",
                        "SERVER",
                        "TABLESPACE",
                        "LOGFILE",
                        "RESOURCE",
                    ],
                ) =>
                {
                    return Some(None);
                }
                _ => return None,
            };
            Some(Some((object, at + 1)))
        })?
    }
}

fn schema(statement: Statement, mut at: usize) -> Plan {
    while statement.is_any_word(at, &["IF", "NOT", "EXISTS"]) {
        at += 1;
    }
    let drops = statement.is_word(0, "DROP");
    let name = statement.name(at).filter(|_| drops);
    let name = name.map(|n| String::from_utf8_lossy(&n).into_owned());
    Plan::Ddl(Ddl {
        tables: Vec::new(),
        schemas: name.into_iter().collect(),
    })
}

/// All tables that a statement may make, change or drop: every name in it that stands where a
/// table's could. Too many names cost a look at a table each; too few would cost correctness.
fn tables(statement: &Statement, from: usize) -> Ddl {
    let of_one = statement.is_word(0, "CREATE") || statement.is_word(from - 1, "VIEW");
    let end = match of_one && !statement.is_word(0, "DROP") {
        // Only the new table's own name.
        true => statement.find_word(from, &["AS", "SELECT", "LIKE", "COMMENT"]),
        false => None,
    };
    let end = end.unwrap_or(statement.tokens.len());
    let mut tables: Vec<(String, String)> = Vec::new();
    let mut at = from;
    let mut expected = true;
    while at < end {
        let filler = ["IF", "NOT", "EXISTS", "ONLINE", "IGNORE", "TO", "AS"];
        if statement.is_any_word(at, &filler) && expected {
            at += 1;
            continue;
        }
        if statement.is_symbol(at, b'(') {
            break;
        }
        if expected && statement.is_name(at) {
            let (schema, table, next) = path(statement, at);
            if let Some(schema) = schema {
                tables.push((schema, table));
            }
            at = next;
            expected = false;
            continue;
        }
        // `RENAME TABLE a TO b, c TO d`, `ALTER TABLE a RENAME [TO|AS] b`, `DROP TABLE a, b`.
        let list = statement.is_any_word(0, &["DROP", "RENAME"]) && statement.is_symbol(at, b',');
        expected = list || statement.is_any_word(at, &["TO", "RENAME", "AS"]);
        at += 1;
    }
    tables.dedup();
    Ddl {
        tables,
        schemas: Vec::new(),
    }
}

/// A table's name with its schema (the current one if it names none), and the place after it.
pub(super) fn path(statement: &Statement, at: usize) -> (Option<String>, String, usize) {
    let text = |at: usize| {
        let name = statement.name(at).unwrap_or_default();
        String::from_utf8_lossy(&name).into_owned()
    };
    match statement.is_symbol(at + 1, b'.') && statement.is_name(at + 2) {
        true => (Some(text(at)), text(at + 2), at + 3),
        false => {
            let schema = statement.context.schema.map(str::to_owned);
            (schema, text(at), at + 1)
        }
    }
}

/// The type in the first comment that declares a codec, as a client without markers writes it.
pub(super) fn declared_comment(statement: &Statement) -> Option<String> {
    (0..statement.tokens.len()).find_map(|at| {
        if !statement.is_word(at, "COMMENT") {
            return None;
        }
        let at = at + 1 + usize::from(statement.is_symbol(at + 1, b'='));
        let tokens = statement.tokens.get(at..at + 1)?;
        let literal = Literal::parse(statement.text, tokens, statement.context.dialect)?;
        let text = String::from_utf8_lossy(&literal.head(256)).into_owned();
        let (spec, _) = comment::declared(&text)?;
        let matters = spec.store.is_some() || spec.resolve().is_ok();
        matters.then(|| spec.to_string())
    })
}

/// Triggers, routines and events run out of the proxy's sight: they must not touch a
/// translated codec column.
fn program(statement: Statement) -> Result<Plan, Refusal> {
    if statement.is_any_word(0, &["DROP"]) {
        return Ok(Plan::Pass);
    }
    let tables = statement.tables();
    let columns = statement.translated(&tables);
    let all = 0..statement.tokens.len();
    let reason = "a stored program would see what is stored and not the value";
    let way_out = "keep codec columns out of stored programs";
    let named = statement.mention(all.clone(), &columns);
    let expanded = columns.first().filter(|_| statement.has_wildcard(all));
    let filled = columns.iter().find(|c| fills_unnamed(&statement, c));
    match named.or(expanded).or(filled) {
        Some(column) => Err(column.refuse(reason, way_out)),
        None => Ok(Plan::Pass),
    }
}

/// Whether some INSERT or REPLACE without a list of columns writes to the column.
fn fills_unnamed(statement: &Statement, column: &CodecColumn) -> bool {
    const BEFORE: [&str; 7] = [
        "INSERT",
        "REPLACE",
        "INTO",
        "IGNORE",
        "LOW_PRIORITY",
        "HIGH_PRIORITY",
        "DELAYED",
    ];
    (1..statement.tokens.len()).any(|at| {
        let Some(name) = statement.name(at) else {
            return false;
        };
        let is_qualified = at > 2 && statement.is_symbol(at - 1, b'.');
        let first = if is_qualified { at - 2 } else { at };
        let schema = is_qualified.then(|| statement.name(first)).flatten();
        let mut tables = statement.resolve(schema.as_deref(), &name);
        let lists = statement.is_symbol(at + 1, b'(')
            && !statement.is_any_word(at + 2, &["SELECT", "WITH", "VALUES", "TABLE"]);
        statement.is_any_word(first - 1, &BEFORE)
            && tables.any(|table| Arc::ptr_eq(table, &column.table))
            && !lists
            && !statement.is_word(at + 1, "SET")
    })
}

/// Refuses a temporary table that would hide a codec table.
pub(super) fn hides(
    statement: &Statement,
    schema: Option<&str>,
    name: &str,
) -> Result<(), Refusal> {
    match statement.table(schema, name) {
        None => Ok(()),
        Some(table) => Err(refuse_table(
            table,
            "a temporary table would hide this table with codec columns",
            "give it another name",
        )),
    }
}

/// Refuses a query that copies codec columns into a new table.
pub(super) fn copies_none(statement: Statement) -> Result<(), Refusal> {
    match statement.find_word(0, &["SELECT", "WITH", "VALUES", "TABLE"]) {
        Some(at) => select::reads_none(statement.from(at), "CREATE TABLE … SELECT"),
        None => Ok(()),
    }
}
