//! `SHOW COLUMNS`: the codec columns of the database, and whether they can be used.

use crate::admin::House;
use crate::admin::table::{Column, Table, text};
use crate::catalog::{CatalogError, Listing};
use crate::listing::columns::list;

const COLUMNS: &[Column] = &[
    text("Column"),
    text("Type"),
    text("Chain"),
    text("Stored as"),
    text("Store"),
    text("State"),
    text("Warning"),
];

/// The columns of everything, a schema or a table, as the account of the configuration sees
/// them now.
pub(in crate::admin) async fn columns(
    house: &House,
    schema: Option<&str>,
    table: Option<&str>,
) -> Result<Table, CatalogError> {
    let config = house.config.load_full();
    let listing = Listing::read(config.database.connection_options()).await?;
    let mut rows = Table::new(COLUMNS);
    for entry in list(&listing, schema, table, &config.stores) {
        let mut row: Vec<_> = entry.row().map(Some).into();
        row.push(entry.warning());
        rows.rows.push(row);
    }
    Ok(rows)
}
