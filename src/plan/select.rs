//! Queries: whether they touch translated codec columns, and where the columns of their results
//! come from.

use super::Plan;
use super::lineage;
use super::statement::Statement;
use crate::refusal::Refusal;

/// Plans a query whose result goes to the client.
pub(super) fn plan(statement: Statement) -> Result<Plan, Refusal> {
    let lines = lineage::of_query(statement)?;
    Ok(match lines.is_plain() {
        true => Plan::Pass,
        false => Plan::Read(lines.into_read()),
    })
}

/// Refuses a query whose result goes elsewhere than to the client, if it reads a codec column.
pub(super) fn reads_none(statement: Statement, what: &str) -> Result<(), Refusal> {
    let lines = lineage::of_query(statement)?;
    match lines.column() {
        Some(column) => Err(column.refuse(
            &format!("{what} would copy what is stored and not the value"),
            "read the values and write them with INSERT … VALUES",
        )),
        None if lines.is_plain() => Ok(()),
        None => Err(Refusal::unsupported(
            "this statement",
            &format!("{what} compares values of a codec column, which are elsewhere"),
            "compare them in a query of their own",
        )),
    }
}
