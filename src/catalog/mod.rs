//! Which columns carry a codec: read from the column comments, cached, kept fresh.

mod index;

pub use index::{Column, ColumnCodec, Index, Table, TableKind};
