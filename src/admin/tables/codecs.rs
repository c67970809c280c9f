//! `SHOW CODECS` and `RESOLVE`.

use crate::admin::House;
use crate::admin::table::{Column, Table, text};
use crate::codec::registry;
use crate::config::placement;
use crate::listing::codecs::Entry;
use crate::listing::{NOTHING, addressing_name, parse};

const CODECS: &[Column] = &[
    text("Name"),
    text("Inline"),
    text("Store"),
    text("Addressing"),
    text("Origin"),
];

const RESOLVED: &[Column] = &[
    text("Type"),
    text("Chain"),
    text("Stored as"),
    text("Addressing"),
    text("Store"),
];

/// The codecs, by name.
pub(in crate::admin) fn codecs() -> Table {
    let mut table = Table::new(CODECS);
    for entry in registry::current().entries() {
        table.row(Entry::new(entry).row(&*entry.codec));
    }
    table
}

/// What a type comes to; the error says why it cannot be used.
pub(in crate::admin) fn resolve(house: &House, written: &str) -> Result<Table, String> {
    let spec =
        parse(written).ok_or_else(|| format!("{written:?} is no type; write '<codec@store>'"))?;
    let chain = spec.resolve().map_err(|error| error.to_string())?;
    let config = house.config.load();
    let store = placement::store(&chain, &config.stores).map_err(|error| error.to_string())?;
    let mut table = Table::new(RESOLVED);
    table.row([
        spec.to_string(),
        placement::steps(&chain),
        chain.stored_type().into_owned(),
        addressing_name(chain.addressing())
            .unwrap_or(NOTHING)
            .to_owned(),
        store.unwrap_or(NOTHING).to_owned(),
    ]);
    Ok(table)
}
