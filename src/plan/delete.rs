//! DELETE: what its condition compares, and what RETURNING gives (MariaDB).

use std::ops::Range;

use super::change;
use super::lineage::{self, Lines, Target};
use super::statement::{Statement, refuse_views};
use super::{Plan, Read};
use crate::refusal::Refusal;

/// What stands in a DELETE from one table, as tokens.
struct Delete {
    target: Target,
    condition: Option<Range<usize>>,
    /// ORDER BY and LIMIT.
    sorted: Range<usize>,
    returning: Option<Range<usize>>,
}

pub(super) fn plan(statement: Statement) -> Result<Plan, Refusal> {
    let tables = statement.tables();
    if tables.is_empty() {
        return Ok(Plan::Pass);
    }
    let Some(delete) = one_table(&statement) else {
        return change::delete(statement);
    };
    refuse_views(delete.target.table.as_slice())?;
    let translated = statement.translated(&tables);
    change::uses_none(
        &statement,
        delete.sorted.clone(),
        &translated,
        "DELETE would use what is stored",
    )?;
    let targets = std::slice::from_ref(&delete.target);
    let condition = match delete.condition {
        Some(tokens) => lineage::of_condition(statement, tokens, targets)?,
        None => Default::default(),
    };
    let (mut edits, mut hashed) = condition;
    let returned = match delete.returning {
        Some(tokens) => lineage::of_returning(statement, tokens, &delete.target)?,
        None => Lines::default(),
    };
    if edits.is_empty() && hashed.is_empty() && returned.is_plain() {
        return Ok(Plan::Pass);
    }
    let returned = returned.into_read();
    edits.extend(returned.edits);
    hashed.extend(returned.hashed);
    Ok(Plan::Read(Read {
        edits,
        hashed,
        columns: returned.columns,
    }))
}

fn one_table(statement: &Statement) -> Option<Delete> {
    const CLAUSES: [&str; 4] = ["WHERE", "ORDER", "LIMIT", "RETURNING"];
    const NO_ALIAS: [&str; 7] = [
        "WHERE",
        "ORDER",
        "LIMIT",
        "RETURNING",
        "PARTITION",
        "USING",
        "FOR",
    ];
    let end = statement.tokens.len();
    let mut at = 1;
    while statement.is_any_word(at, &["LOW_PRIORITY", "QUICK", "IGNORE"]) {
        at += 1;
    }
    if !statement.is_word(0, "DELETE") || !statement.is_word(at, "FROM") {
        return None;
    }
    let text = |at: usize| {
        let name = statement.name(at)?;
        String::from_utf8(name.into_owned()).ok()
    };
    let (schema, name) = match statement.is_symbol(at + 2, b'.') {
        true => (Some(text(at + 1)?), text(at + 3)?),
        false => (None, text(at + 1)?),
    };
    at += if schema.is_some() { 4 } else { 2 };
    let table = statement.table(schema.as_deref(), &name).cloned();
    at += usize::from(statement.is_word(at, "AS"));
    let alias = (!statement.is_any_word(at, &NO_ALIAS))
        .then(|| text(at))
        .flatten();
    at += usize::from(alias.is_some());
    if at < end && !statement.is_any_word(at, &CLAUSES) {
        return None;
    }
    let clause = |word: &str| statement.find_word(at, &[word]);
    let after = |words: &[&str]| statement.find_word(at, words).unwrap_or(end);
    let condition = clause("WHERE").map(|w| w + 1..after(&CLAUSES[1..]));
    let sorted = after(&CLAUSES[1..])..after(&CLAUSES[3..]);
    let returning = clause("RETURNING").map(|r| r + 1..end);
    let is_alone = alias.is_none();
    let current = statement.context.schema.map(str::to_owned);
    Some(Delete {
        target: Target {
            name: alias.unwrap_or(name),
            schema: schema.or(current).filter(|_| is_alone),
            table,
        },
        condition,
        sorted,
        returning,
    })
}
