//! Where a result column comes from, by the server's word.

use std::sync::Arc;

use crate::catalog::{Index, Table};
use crate::wire::column::Column;

/// The external codec column that a result column is announced to come from: its table and its
/// position there.
pub fn external<'a>(index: &'a Index, column: &Column) -> Option<(&'a Arc<Table>, usize)> {
    let table = index.table(column.schema, column.org_table)?;
    let position = table.column(column.org_name)?;
    let codec = table.columns[position].codec.as_ref()?;
    codec.is_external().then_some((table, position))
}
