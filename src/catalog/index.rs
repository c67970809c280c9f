//! An immutable snapshot of all tables that matter to a `bytes` client.

use std::collections::HashMap;
use std::sync::Arc;

use crate::codec::Chain;

/// All tables with a codec column, and the views that show one. Cheap to look at from every session.
#[derive(Debug, Default)]
pub struct Index {
    /// schema -> table name -> table; keys are bytes as the server stores the names (UTF-8).
    pub tables: HashMap<Box<[u8]>, HashMap<Box<[u8]>, Arc<Table>>>,
}

/// A table (or view) with at least one codec column.
#[derive(Debug)]
pub struct Table {
    /// Database name.
    pub schema: String,
    /// Table name, with DataJoint's tier prefix.
    pub name: String,
    /// Base table or view.
    pub kind: TableKind,
    /// All columns in table order.
    pub columns: Vec<Column>,
}

/// What a [`Table`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// A stored table; the server's result metadata can be trusted for it.
    Base,
    /// A view whose definition names an external codec column: nothing may be read from it yet.
    View,
}

/// One column of a [`Table`].
#[derive(Debug)]
pub struct Column {
    /// Column name as the server stores it.
    pub name: String,
    /// Left out of an INSERT without a column list, and of `SELECT *` (MariaDB `INVISIBLE`).
    pub invisible: bool,
    /// The codec, if the comment carries one that this proxy handles or must refuse.
    pub codec: Option<ColumnCodec>,
}

/// What a column's marker says.
#[derive(Debug)]
pub enum ColumnCodec {
    /// A chain that this proxy runs.
    Chain(Chain),
    /// A marker with `@store` that this proxy cannot run: touching the column is an error.
    Unusable {
        /// The type spec as written.
        spec: String,
        /// Why, for the client.
        reason: String,
    },
}
