//! Where the columns of a statement's result come from.

use super::statement::CodecColumn;
use crate::catalog::same_name;
use crate::refusal::Refusal;

/// Where the columns of a result come from.
#[derive(Debug, Clone)]
pub enum Lineage {
    /// From where the server's definitions announce it; for results of statements that are not
    /// known, or whose definitions can be believed.
    Announced,
    /// The statement tells; what the definitions announce is not to be trusted.
    Known(Vec<Slot>),
}

/// One or several columns of a result, in its order.
#[derive(Debug, Clone)]
pub enum Slot {
    /// One column.
    One {
        /// Its name, if the statement tells.
        name: Option<String>,
        /// The codec column that it comes from; `None` if from none that the view translates.
        from: Option<CodecColumn>,
    },
    /// A wildcard over tables whose columns are not known: some columns, among them one of each
    /// of these names, which come from these codec columns. No other comes from one.
    Some(Vec<(String, CodecColumn)>),
}

impl Lineage {
    /// For a result with columns of these names (in UTF-8): where each comes from. `None` if only
    /// the definitions tell.
    ///
    /// # Errors
    /// If it cannot be told which column comes from where.
    pub fn resolve(&self, names: &[&[u8]]) -> Result<Option<Vec<Option<CodecColumn>>>, Refusal> {
        let Self::Known(slots) = self else {
            return Ok(None);
        };
        let is_open = |slot: &Slot| matches!(slot, Slot::Some(_));
        let (head, open, tail) = match (
            slots.iter().position(is_open),
            slots.iter().rposition(is_open),
        ) {
            (Some(first), Some(last)) => {
                (&slots[..first], &slots[first..=last], &slots[last + 1..])
            }
            _ => (&slots[..], &[][..], &[][..]),
        };
        let width = names.len().checked_sub(head.len() + tail.len());
        let Some(width) = width.filter(|width| !open.is_empty() || *width == 0) else {
            return Err(another_result(slots));
        };
        let from = |slot: &Slot| match slot {
            Slot::One { from, .. } => from.clone(),
            Slot::Some(_) => None,
        };
        let mut columns: Vec<Option<CodecColumn>> = head.iter().map(from).collect();
        columns.extend(by_name(open, &names[head.len()..head.len() + width])?);
        columns.extend(tail.iter().map(from));
        Ok(Some(columns))
    }
}

/// The codec columns among columns of these names, each of which must be told by its name.
fn by_name(slots: &[Slot], names: &[&[u8]]) -> Result<Vec<Option<CodecColumn>>, Refusal> {
    let mut columns = vec![None; names.len()];
    let mut place = |name: &str, column: &CodecColumn| {
        let is_it = |at: &usize| std::str::from_utf8(names[*at]).is_ok_and(|n| same_name(n, name));
        let mut places = (0..names.len()).filter(is_it);
        match (places.next(), places.next()) {
            (Some(at), None) => {
                columns[at] = Some(column.clone());
                Ok(())
            }
            _ => Err(ambiguous(column)),
        }
    };
    for slot in slots {
        match slot {
            Slot::One {
                name: Some(name),
                from: Some(column),
            } => place(name, column)?,
            Slot::One {
                name: None,
                from: Some(column),
            } => return Err(ambiguous(column)),
            Slot::One { from: None, .. } => {}
            Slot::Some(found) => {
                for (name, column) in found {
                    place(name, column)?;
                }
            }
        }
    }
    Ok(columns)
}

fn ambiguous(column: &CodecColumn) -> Refusal {
    column.refuse(
        "codec-proxy cannot tell which column of the result it is",
        "name the columns instead of *",
    )
}

fn another_result(slots: &[Slot]) -> Refusal {
    let columns = slots.iter().find_map(|slot| match slot {
        Slot::One { from, .. } => from.as_ref(),
        Slot::Some(columns) => columns.first().map(|(_, column)| column),
    });
    let reason = "the result has other columns than codec-proxy expects";
    match columns {
        Some(column) => column.refuse(reason, "name the columns"),
        None => Refusal::unsupported("this result", reason, "name the columns"),
    }
}

#[cfg(test)]
mod tests;
