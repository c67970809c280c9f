//! Queries on `information_schema.columns`: in place of the table stands a query on it, by which
//! the server shows codec columns as the view has them ([`crate::view::describe::information`]).
//!
//! It is one edit for each place of the table, before anything else is planned. Whatever the
//! statement does with the columns (conditions, joins, groups, parameters) then works on what is
//! shown. Left as it is:
//!
//! - a statement that reads no column which is shown otherwise;
//! - one whose condition names a schema without codec tables;
//! - what stays on the server and runs for others (views, stored programs), and `EXPLAIN`.

use std::collections::HashSet;

use bytes::Bytes;
use memchr::memchr2_iter;

use super::statement::Statement;
use super::{Context, Edit, rewritten};
use crate::catalog::{Index, same_name};
use crate::refusal::Refusal;
use crate::sql::lexer::{TokenKind, lex};
use crate::sql::literal::Literal;
use crate::sql::statement::{keyword, split};
use crate::view::describe::information::{Information, SCHEMA, TABLE};

/// The queries in the places of the table are no longer than this, all of them, in bytes.
const LONGEST: usize = 16 << 20;

/// Whether a text may name the table: never false when it does.
pub fn mentioned(text: &[u8]) -> bool {
    memchr2_iter(b'm', b'M', text).any(|at| is_name_around(text, at))
}

/// Letters of the table's name that few other words have beside each other, in either case.
pub(super) const RARE: [&str; 4] = ["mn", "mN", "Mn", "MN"];

/// Whether the table's name stands around these letters.
pub(super) fn is_name_around(text: &[u8], at: usize) -> bool {
    const BEFORE: usize = "colu".len();
    let start = at.checked_sub(BEFORE);
    let word = start.and_then(|start| text.get(start..start + TABLE.len()));
    word.is_some_and(|word| word.eq_ignore_ascii_case(TABLE.as_bytes()))
}

/// The text that is sent in place of a statement on the table; `None` if the statement stays as it
/// is, or is one of several.
///
/// # Errors
/// If it names the table so often that the text would be much longer.
pub fn information(
    text: &Bytes,
    context: &Context,
    index: &Index,
) -> Result<Option<Bytes>, Refusal> {
    if !mentioned(text) {
        return Ok(None);
    }
    let tokens = lex(text, context.dialect).tokens;
    let mut statements = split(text, &tokens);
    let (Some(tokens), None) = (statements.next(), statements.next()) else {
        return Ok(None);
    };
    let edits = edits(&Statement {
        text,
        tokens,
        context,
        index,
    })?;
    Ok((!edits.is_empty()).then(|| rewritten(text, &edits).into()))
}

/// Whether a statement reads the table, so that what it tells depends on the view.
pub fn reads_information(text: &Bytes, context: &Context, index: &Index) -> bool {
    if index.is_empty() || !mentioned(text) {
        return false;
    }
    let tokens = lex(text, context.dialect).tokens;
    let statement = Statement {
        text,
        tokens: &tokens,
        context,
        index,
    };
    !places(&statement).is_empty()
}

/// Whether the server would tell of codec columns what the view shows otherwise.
pub(super) fn is_shown_otherwise(statement: &Statement) -> bool {
    mentioned(statement.text) && !edits(statement).is_ok_and(|edits| edits.is_empty())
}

fn edits(statement: &Statement) -> Result<Vec<Edit>, Refusal> {
    const READS: [&str; 13] = [
        "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "REPLACE", "UPDATE", "DELETE", "SET", "DO",
        "CALL", "CREATE", "LOAD",
    ];
    let first = keyword(statement.text, statement.tokens);
    if !READS.contains(&first.as_str()) || first == "CREATE" && !creates_table(statement) {
        return Ok(Vec::new());
    }
    let places = places(statement);
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let context = statement.context;
    let Some(information) = Information::new(context.view, statement.index) else {
        return Ok(Vec::new());
    };
    let columns = columns(statement, &information);
    if !columns.iter().any(|(name, _)| information.changes(name))
        || reads_plain_schema(statement, &places)
    {
        return Ok(Vec::new());
    }
    let columns = columns.iter().map(|(a, b)| (a.as_str(), b.as_str()));
    let query = information.query(columns);
    if query.len().saturating_mul(places.len()) > LONGEST {
        return Err(Refusal::limit(
            "the statement names information_schema.columns too often",
        ));
    }
    let mut edits: Vec<Edit> = places
        .iter()
        .flat_map(|p| p.edits(statement, &query))
        .collect();
    edits.extend(unqualified(statement, &places));
    edits.sort_by_key(|edit| edit.span.start);
    Ok(edits)
}

/// `CREATE TABLE`, `CREATE TEMPORARY TABLE`, `CREATE OR REPLACE TABLE`; all else that is created
/// keeps its own text.
fn creates_table(statement: &Statement) -> bool {
    let options = ["OR", "REPLACE", "TEMPORARY"];
    let at = (1..statement.tokens.len()).find(|at| !statement.is_any_word(*at, &options));
    at.is_some_and(|at| statement.is_word(at, "TABLE"))
}

/// A place where the statement reads the table.
#[derive(Debug)]
struct Place {
    /// The first of its tokens.
    start: usize,
    /// The place after its name.
    end: usize,
    /// The token that is its alias.
    alias: Option<usize>,
}

impl Place {
    /// The name by which the statement's columns are qualified.
    fn name(&self, statement: &Statement) -> Vec<u8> {
        let at = self.alias.unwrap_or(self.end - 1);
        statement.name(at).unwrap_or_default().into_owned()
    }

    fn edits(&self, statement: &Statement, query: &str) -> Vec<Edit> {
        let (first, last) = (
            &statement.tokens[self.start],
            &statement.tokens[self.end - 1],
        );
        let mut text = query.as_bytes().to_vec();
        if self.alias.is_none() {
            text.extend_from_slice(b" AS `");
            text.extend(self.name(statement));
            text.push(b'`');
        }
        let mut edits = vec![Edit {
            span: first.start..last.end,
            text,
        }];
        // `TABLE t` is a query of its own.
        if let Some(before) = self.start.checked_sub(1)
            && statement.is_word(before, "TABLE")
        {
            let token = &statement.tokens[before];
            edits.push(Edit {
                span: token.start..token.end,
                text: b"SELECT * FROM".to_vec(),
            });
        }
        edits
    }
}

/// All places of the table.
fn places(statement: &Statement) -> Vec<Place> {
    let is = |at: usize, name: &str| {
        let found = statement.name(at);
        found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    };
    let current = statement.context.schema;
    let is_current = current.is_some_and(|schema| schema.eq_ignore_ascii_case(SCHEMA));
    let is_common = is_common(statement);
    let mut places = Vec::new();
    for (at, clause) in clauses(statement).into_iter().enumerate() {
        if !is(at, TABLE) || statement.is_symbol(at + 1, b'.') {
            continue;
        }
        let is_qualified = at > 0 && statement.is_symbol(at - 1, b'.');
        let start = match is_qualified {
            true if at > 1 && is(at - 2, SCHEMA) => at - 2,
            false if is_current && !is_common => at,
            _ => continue,
        };
        let is_query = start
            .checked_sub(1)
            .is_some_and(|at| opens_query(statement, at));
        if clause == Clause::From || is_query {
            places.push(Place {
                start,
                end: at + 1,
                alias: alias(statement, at + 1),
            });
        }
    }
    places
}

/// Whether a common table of the statement has the table's name.
fn is_common(statement: &Statement) -> bool {
    (1..statement.tokens.len()).any(|at| {
        let name = statement.name(at).unwrap_or_default();
        name.eq_ignore_ascii_case(TABLE.as_bytes())
            && statement.is_word(at + 1, "AS")
            && statement.is_symbol(at + 2, b'(')
    })
}

/// Whether a token is the `TABLE` of a query `TABLE t`.
fn opens_query(statement: &Statement, at: usize) -> bool {
    let declares = statement.is_word(0, "CREATE") && statement.find_word(1, &["TABLE"]) == Some(at);
    statement.is_word(at, "TABLE") && !declares
}

/// Which part of a statement a token stands in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Clause {
    /// What is selected.
    Select,
    /// Where a table's name stands.
    From,
    /// The condition of a join: after a comma there is a table again.
    On,
    #[default]
    Other,
}

/// The clause of each token.
fn clauses(statement: &Statement) -> Vec<Clause> {
    const OTHERS: [&str; 17] = [
        "WHERE",
        "GROUP",
        "HAVING",
        "ORDER",
        "LIMIT",
        "WINDOW",
        "SET",
        "VALUES",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "INTO",
        "FOR",
        "PROCEDURE",
        "RETURNING",
        "LIKE",
        "FETCH",
    ];
    let mut outer = Vec::new();
    let mut now = Clause::Other;
    let clause = |at: usize| {
        let here = now;
        match statement.tokens[at].kind {
            TokenKind::Symbol(b'(') => {
                outer.push(now);
                if now == Clause::On {
                    now = Clause::Other;
                }
            }
            TokenKind::Symbol(b')') => now = outer.pop().unwrap_or_default(),
            TokenKind::Symbol(b',') if now == Clause::On => now = Clause::From,
            TokenKind::Word => {
                if statement.is_word(at, "SELECT") {
                    now = Clause::Select;
                } else if statement.is_any_word(at, &["FROM", "JOIN", "STRAIGHT_JOIN", "UPDATE"]) {
                    now = Clause::From;
                } else if statement.is_any_word(at, &["ON", "USING"]) {
                    now = Clause::On;
                } else if statement.is_any_word(at, &OTHERS) {
                    now = Clause::Other;
                }
            }
            _ => {}
        }
        here
    };
    (0..statement.tokens.len()).map(clause).collect()
}

/// The alias that a table has, whose name ends before this place.
fn alias(statement: &Statement, at: usize) -> Option<usize> {
    // What may follow a table's name; of these no alias can be made without quotes.
    const AFTER: [&str; 34] = [
        "WHERE",
        "JOIN",
        "LEFT",
        "RIGHT",
        "INNER",
        "CROSS",
        "STRAIGHT_JOIN",
        "NATURAL",
        "FULL",
        "ON",
        "USING",
        "GROUP",
        "ORDER",
        "HAVING",
        "LIMIT",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "MINUS",
        "FOR",
        "LOCK",
        "INTO",
        "PROCEDURE",
        "WINDOW",
        "FETCH",
        "USE",
        "FORCE",
        "IGNORE",
        "RETURNING",
        "SET",
        "VALUES",
        "OFFSET",
        "PARTITION",
        "SELECT",
    ];
    match statement.is_word(at, "AS") {
        true => Some(at + 1).filter(|at| statement.is_name(*at)),
        false => {
            let named = statement.is_name(at) && !statement.is_any_word(at, &AFTER);
            named.then_some(at)
        }
    }
}

/// The columns of the table that the statement may read, with the name that each has in results:
/// MySQL tells them in upper case, MariaDB as they are selected.
fn columns(statement: &Statement, information: &Information) -> Vec<(String, String)> {
    let all = 0..statement.tokens.len();
    let has_all = statement.has_wildcard(all.clone())
        || all
            .clone()
            .any(|at| statement.is_word(at, "NATURAL") || opens_query(statement, at));
    let clauses = clauses(statement);
    let columns = information.columns().iter().filter_map(|column| {
        let is_named = |at: &usize| {
            let name = statement.name(*at).unwrap_or_default();
            name.eq_ignore_ascii_case(column.as_bytes())
        };
        if !has_all && !all.clone().any(|at| is_named(&at)) {
            return None;
        }
        let mut selected = all.clone().filter(|at| clauses[*at] == Clause::Select);
        let written = match selected.find(is_named) {
            Some(at) if statement.index.is_mariadb() => statement.name(at)?,
            _ => column.as_bytes().into(),
        };
        let written = String::from_utf8_lossy(&written).into_owned();
        Some((column.clone(), written))
    });
    columns.collect()
}

/// Takes the schema off columns that are qualified by it: what they belong to has none any more.
fn unqualified(statement: &Statement, places: &[Place]) -> Vec<Edit> {
    let names: HashSet<Vec<u8>> = places.iter().map(|p| p.name(statement)).collect();
    let dotted = |at: usize| statement.is_symbol(at, b'.');
    let at = (0..statement.tokens.len()).filter(|&at| {
        let is_schema = |name: &[u8]| name.eq_ignore_ascii_case(SCHEMA.as_bytes());
        statement.name(at).is_some_and(|name| is_schema(&name))
            && dotted(at + 1)
            && (statement.name(at + 2)).is_some_and(|name| names.contains(&*name))
            && dotted(at + 3)
    });
    at.map(|at| Edit {
        span: statement.tokens[at].start..statement.tokens[at + 2].start,
        text: Vec::new(),
    })
    .collect()
}

/// Whether the statement is a query on the table alone, of a schema that has no codec table.
fn reads_plain_schema(statement: &Statement, places: &[Place]) -> bool {
    let [place] = places else { return false };
    let after = place.alias.map_or(place.end, |alias| alias + 1);
    let selects = (0..statement.tokens.len()).filter(|at| statement.is_word(*at, "SELECT"));
    let alone = statement.is_word(0, "SELECT")
        && selects.count() == 1
        && statement.find_word(1, &["FROM"]) == place.start.checked_sub(1)
        && statement.is_word(after, "WHERE");
    if !alone || statement.index.has_non_ascii_names() {
        return false;
    }
    let end = statement.find_word(
        after,
        &[
            "GROUP",
            "HAVING",
            "ORDER",
            "LIMIT",
            "WINDOW",
            "FOR",
            "LOCK",
            "INTO",
            "PROCEDURE",
        ],
    );
    let condition = statement.part(after + 1..end.unwrap_or(statement.tokens.len()));
    // Whatever else than AND may hold a comparison together with others.
    let binds = ["OR", "XOR", "BETWEEN", "CASE"];
    let all = 0..condition.tokens.len();
    if all
        .clone()
        .any(|at| condition.is_any_word(at, &binds) || condition.is_symbol(at, b'|'))
    {
        return false;
    }
    let mut from = 0;
    loop {
        let next = condition.find_word(from, &["AND"]);
        let part = condition.part(from..next.unwrap_or(condition.tokens.len()));
        if names_plain_schema(&part) {
            return true;
        }
        match next {
            Some(at) => from = at + 1,
            None => return false,
        }
    }
}

/// Whether a condition is `table_schema = '…'` (or `= DATABASE()`), of a schema that has no codec
/// table.
fn names_plain_schema(condition: &Statement) -> bool {
    let Some(equals) = (0..condition.tokens.len()).find(|at| condition.is_symbol(*at, b'=')) else {
        return false;
    };
    let column = condition.column_path(0..equals);
    let is_schema = column.is_some_and(|c| same_name(&c.column, "table_schema"));
    let value = condition.from(equals + 1);
    let schema = match value.tokens {
        [text] if text.kind == TokenKind::Text => {
            let dialect = value.context.dialect;
            Literal::parse(value.text, value.tokens, dialect)
                .map(|text| text.chunks(1 << 10).flatten().collect::<Vec<u8>>())
        }
        [_, open, close]
            if value.is_any_word(0, &["DATABASE", "SCHEMA"])
                && open.is_symbol(b'(')
                && close.is_symbol(b')') =>
        {
            value
                .context
                .schema
                .map(|schema| schema.as_bytes().to_vec())
        }
        _ => None,
    };
    let Some(schema) = schema.filter(|schema| is_schema && schema.is_ascii()) else {
        return false;
    };
    // As `utf8mb3_general_ci` compares: without case and trailing blanks.
    let schema = schema.trim_ascii_end();
    let mut tables = condition.index.tables();
    !tables.any(|table| table.schema.as_bytes().eq_ignore_ascii_case(schema))
}
