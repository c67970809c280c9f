//! `SHOW COLUMNS`: the codec columns of the database, and whether they can be used.

use super::NOTHING;
use crate::admin::House;
use crate::admin::table::{Column, Table, text};
use crate::catalog::{CatalogError, Listing, MarkedColumn};
use crate::config::placement;
use crate::store::StoresSettings;

const COLUMNS: &[Column] = &[
    text("Column"),
    text("Type"),
    text("Chain"),
    text("Stored as"),
    text("Store"),
    text("State"),
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
    let is = |name: &str, wanted: Option<&str>| {
        wanted.is_none_or(|wanted| listing.case.same(name, wanted))
    };
    let mut rows = Table::new(COLUMNS);
    for at in &listing.columns {
        if is(&at.schema, schema) && is(&at.table, table) {
            rows.row(row(at, &config.stores));
        }
    }
    Ok(rows)
}

fn row(at: &MarkedColumn, stores: &StoresSettings) -> [String; 6] {
    let name = format!("{}.{}.{}", at.schema, at.table, at.column);
    let spec = at.spec.to_string();
    let nothing = || NOTHING.to_owned();
    let chain = match at.spec.resolve() {
        Ok(chain) => chain,
        Err(error) => {
            let reason = error.to_string();
            return [name, spec, nothing(), nothing(), nothing(), reason];
        }
    };
    let (store, state) = match placement::store(&chain, stores) {
        Ok(store) => {
            let state = match chain.is_unknown_to_gc() {
                true => "ok; DataJoint's own garbage collector takes its objects for orphans",
                false => "ok",
            };
            (store.map(str::to_owned), state.to_owned())
        }
        Err(error) => (chain.store.clone(), error.to_string()),
    };
    [
        name,
        spec,
        placement::steps(&chain),
        chain.stored_type().into_owned(),
        store
            .filter(|name| !name.is_empty())
            .unwrap_or_else(nothing),
        state,
    ]
}
