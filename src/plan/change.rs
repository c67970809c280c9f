//! DELETE and the rest of the statements that are not queries, INSERT, UPDATE or DDL.

use super::Plan;
use super::statement::{CodecColumn, Statement, codecs, refuse_views};
use crate::refusal::Refusal;

const READ_PLAINLY: &str = "read the value with a plain SELECT";

/// The places of the assigned columns' names in `SET a = 1, t.b = 2`.
pub(super) fn assigned(statement: &Statement, from: usize, end: usize) -> Vec<usize> {
    let mut places = Vec::new();
    let mut begins = true;
    let mut depth = 0_usize;
    for at in from..end {
        if statement.is_symbol(at, b'(') {
            depth += 1;
        } else if statement.is_symbol(at, b')') {
            depth = depth.saturating_sub(1);
        }
        let is_set = statement.is_symbol(at + 1, b'=') || statement.is_symbol(at + 1, b':');
        if begins && statement.is_name(at) && is_set {
            places.push(at);
            begins = false;
        }
        begins |= depth == 0 && statement.is_symbol(at, b',');
    }
    places
}

/// DELETE passes if it uses translated codec columns under `IS NULL` only.
pub(super) fn delete(statement: Statement) -> Result<Plan, Refusal> {
    let translated = unused(&statement, "DELETE would use what is stored")?;
    // Before that `t.*` is but another way to write `t`.
    let rest = statement.find_word(0, &["WHERE", "ORDER", "LIMIT", "RETURNING"]);
    let rest = rest.unwrap_or(statement.tokens.len())..statement.tokens.len();
    match translated.first() {
        Some(column) if statement.has_wildcard(rest) => Err(column.refuse(
            "DELETE would use or return what is stored",
            "name the columns",
        )),
        _ => Ok(Plan::Pass),
    }
}

/// A statement that may hold a query or an expression: SET, DO, CALL, ….
pub(super) fn expressions(statement: Statement) -> Result<Plan, Refusal> {
    let translated = unused(&statement, "the statement would use what is stored")?;
    match translated.first() {
        Some(column) if statement.has_wildcard(0..statement.tokens.len()) => {
            Err(column.refuse("the statement would use what is stored", READ_PLAINLY))
        }
        _ => Ok(Plan::Pass),
    }
}

/// The translated codec columns of the tables that a statement names, none of which it uses.
fn unused(statement: &Statement, reason: &str) -> Result<Vec<CodecColumn>, Refusal> {
    let tables = statement.tables();
    refuse_views(&tables)?;
    let translated = statement.translated(&tables);
    uses_none(statement, 0..statement.tokens.len(), &translated, reason)?;
    Ok(translated)
}

/// A statement that writes or reads whole tables, or whose ways are not known here: nothing
/// with a codec column may be in it.
pub(super) fn whole(statement: Statement, what: &str) -> Result<Plan, Refusal> {
    let tables = statement.tables();
    refuse_views(&tables)?;
    match tables.iter().flat_map(codecs).next() {
        None => Ok(Plan::Pass),
        Some(column) => {
            let reason = format!("codec-proxy does not translate {what} yet");
            Err(column.refuse(&reason, "use INSERT … VALUES and SELECT"))
        }
    }
}

pub(super) fn uses_none(
    statement: &Statement,
    tokens: std::ops::Range<usize>,
    translated: &[CodecColumn],
    reason: &str,
) -> Result<(), Refusal> {
    if translated.is_empty() {
        return Ok(());
    }
    let named = tokens.clone().find_map(|at| {
        // A table that is called like the column.
        let of_table = at > 0
            && statement
                .name(at)
                .is_some_and(|name| statement.resolve(None, &name).next().is_some())
            && statement.is_any_word(
                at - 1,
                &["FROM", "UPDATE", "INTO", "JOIN", "TABLE", "USING"],
            );
        let column = statement.mention(at..at + 1, translated)?;
        (!of_table).then_some(column)
    });
    let natural = tokens
        .clone()
        .any(|at| statement.is_any_word(at, &["NATURAL"]));
    match named.or(translated.first().filter(|_| natural)) {
        None => Ok(()),
        Some(column) => Err(column.refuse(reason, READ_PLAINLY)),
    }
}
