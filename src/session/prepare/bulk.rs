//! MariaDB's bulk execution: many rows of parameters in one command.
//!
//! The rows go through their codecs in batches, so that no more than the values of one batch are
//! under way; the command that is sent is gathered meanwhile, up to `limits.statement_bytes`.

use bytes::Bytes;

use super::Slot;
use super::execute::{check_total, malformed};
use super::values::{Bound, Translating, kind_of};
use crate::refusal::Refusal;
use crate::wire::parameters::{Bulk, BulkValue, Given, Kind};

/// Rows in a batch.
const BATCH: usize = 256;

/// The command with the parameters of codec columns replaced; and the types that the client has
/// bound.
pub async fn translate(
    translating: &Translating<'_>,
    kinds: &[Kind],
) -> Result<(Vec<Bytes>, Vec<Kind>), Refusal> {
    let (plan, limit) = (translating.plan, translating.shared.limits.statement_bytes);
    if let Some((cell, _)) = plan.expressions.first() {
        return Err(Refusal::unsupported(
            &plan.columns[*cell].name,
            "its value is an expression, which may be another in each row of a bulk execution",
            "bind the value",
        ));
    }
    let mut bulk = Bulk::parse(translating.payload, plan.count, kinds).map_err(malformed)?;
    let kinds = bulk.kinds.clone();
    let kind = |slot: &Slot| match slot {
        Slot::Cell(n, cell) if plan.columns[*cell].is_unchanged(&translating.manner) => kinds[*n],
        Slot::Cell(_, cell) | Slot::Text(cell) => kind_of(&plan.columns[*cell]),
        Slot::Hashed(_) => Kind::TEXT,
        Slot::Client(n) => kinds[*n],
    };
    let server: Vec<Kind> = plan.slots.iter().map(kind).collect();
    let mut out = bulk.rebuilt(&server);
    loop {
        let mut rows: Vec<Vec<BulkValue>> = Vec::with_capacity(BATCH);
        while rows.len() < BATCH
            && let Some(row) = bulk.row().map_err(malformed)?
        {
            rows.push(row);
        }
        if rows.is_empty() {
            return Ok((out.finish(), kinds));
        }
        let bound = rows.iter().map(|row| {
            let bound = row.iter().zip(&kinds).map(|(value, kind)| match value {
                BulkValue::Given(Given::Value { content, .. }) => Bound::Value(*kind, content),
                BulkValue::Given(_) => Bound::Null,
                BulkValue::Left(_) => Bound::Left,
            });
            bound.collect()
        });
        let bound: Vec<Vec<Bound>> = bound.collect();
        let replaced = translating.rows(&bound).await?;
        drop(bound);
        for (row, replaced) in rows.iter().zip(replaced) {
            for (slot, replaced) in plan.slots.iter().zip(replaced) {
                match (replaced, slot.client()) {
                    (Some(value), _) => out.replaced(&value),
                    (None, Some(n)) => out.same(&row[n]),
                    (None, None) => out.same(&BulkValue::Given(Given::Null)),
                }
            }
        }
        check_total(out.len(), limit)?;
    }
}
