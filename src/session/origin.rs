//! Where a result column comes from, by the server's word, and what the client is told of it.

use std::sync::Arc;

use crate::catalog::{Index, Table};
use crate::view::{Shape, View};
use crate::wire::column::Column;

/// The codec column that a result column is announced to come from, if the view translates it.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Its table.
    pub table: &'a Arc<Table>,
    /// Its position there.
    pub position: usize,
    /// How the client is told of it.
    pub shape: Shape,
}

/// Finds the codec column that a result column comes from.
pub fn translated<'a>(index: &'a Index, column: &Column, view: View) -> Option<Origin<'a>> {
    let table = index.table(column.schema, column.org_table)?;
    let position = table.column(column.org_name)?;
    let codec = table.columns[position].codec.as_ref()?;
    view.translates(codec).then(|| Origin {
        table,
        position,
        shape: view.shape(codec),
    })
}

/// The column's definition as the client gets it.
pub fn announced(column: &Column, shape: Shape) -> Vec<u8> {
    match shape {
        Shape::LongBlob => column.as_longblob(),
        Shape::LongText => column.as_longtext(),
        Shape::VarChar => column.as_varchar(),
    }
}
