//! Where result columns come from, by the statement or the server's word, and what the client is
//! told of them.

use std::sync::Arc;

use crate::catalog::{Index, Table};
use crate::plan::{CodecColumn, Defined, Lineage};
use crate::refusal::Refusal;
use crate::view::{Shape, View};
use crate::wire::column::Column;

/// The codec column that a result column comes from, if the view translates it.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Its table.
    pub table: Arc<Table>,
    /// Its position there.
    pub position: usize,
    /// How the client is told of it.
    pub shape: Shape,
}

/// Finds the codec column that a result column is announced to come from.
pub fn translated(index: &Index, column: &Column, view: View) -> Option<Origin> {
    let found = codec_column(index, column)?;
    origin(&found.table, found.column, view)
}

fn codec_column(index: &Index, column: &Column) -> Option<CodecColumn> {
    let table = index.table(column.schema, column.org_table)?;
    let position = table.column(column.org_name)?;
    table.columns[position]
        .codec
        .is_some()
        .then(|| CodecColumn {
            table: table.clone(),
            column: position,
        })
}

/// Finds the codec columns that the columns of a result come from. `definitions` are all of the
/// result's, in its order; of one that could not be read there is `None`.
///
/// # Errors
/// If it cannot be told which column comes from where.
pub fn resolve(
    lineage: &Lineage,
    index: &Index,
    definitions: &[Option<Column>],
    view: View,
) -> Result<Vec<Option<Origin>>, Refusal> {
    let mut defined = Vec::with_capacity(definitions.len());
    for column in definitions {
        defined.push(Defined {
            name: column.map_or(&b""[..], |c| c.name),
            announced: column.and_then(|c| codec_column(index, &c)),
        });
    }
    let columns = lineage.resolve(&defined)?.into_iter();
    let origin = |c: CodecColumn| origin(&c.table, c.column, view);
    Ok(columns.map(|c| c.and_then(origin)).collect())
}

fn origin(table: &Arc<Table>, position: usize, view: View) -> Option<Origin> {
    let codec = table.columns.get(position)?.codec.as_ref()?;
    view.translates(codec).then(|| Origin {
        table: table.clone(),
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
