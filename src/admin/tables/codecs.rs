//! `SHOW CODECS` and `RESOLVE`.

use super::NOTHING;
use crate::admin::House;
use crate::admin::table::{Column, Table, text};
use crate::codec::{Addressing, ChainError, Codec, CodecError, TypeSpec, registry};
use crate::config::placement;

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
        let codec = &*entry.codec;
        let spec = TypeSpec {
            codec: codec.name().to_owned(),
            store: Some(String::new()),
        };
        let addressing = spec.resolve().ok().map(|chain| chain.addressing());
        let origin = match entry.origin.starts_with("codec_proxy::codec::builtin") {
            true => "built-in",
            false => &entry.origin,
        };
        table.row([
            codec.name().to_owned(),
            dtype(codec, false),
            dtype(codec, true),
            addressing.and_then(named).unwrap_or(NOTHING).to_owned(),
            origin.to_owned(),
        ]);
    }
    table
}

/// What a type comes to; the error says why it cannot be used.
pub(in crate::admin) fn resolve(house: &House, written: &str) -> Result<Table, String> {
    let written = written.trim();
    let bracketed = match written.contains(['<', '>']) {
        true => written.to_owned(),
        false => format!("<{written}>"),
    };
    let spec = TypeSpec::parse(&bracketed)
        .ok_or_else(|| format!("{written:?} is no type; write '<codec@store>'"))?;
    let chain = spec.resolve().map_err(|error| error.to_string())?;
    let config = house.config.load();
    let store = placement::store(&chain, &config.stores).map_err(|error| error.to_string())?;
    let mut table = Table::new(RESOLVED);
    table.row([
        spec.to_string(),
        placement::steps(&chain),
        chain.stored_type().into_owned(),
        named(chain.addressing()).unwrap_or(NOTHING).to_owned(),
        store.unwrap_or(NOTHING).to_owned(),
    ]);
    Ok(table)
}

fn dtype(codec: &dyn Codec, is_store: bool) -> String {
    match codec.dtype(is_store) {
        Ok(dtype) => dtype.into_owned(),
        Err(CodecError::Chain(ChainError::RequiresStore(_))) => "requires @".to_owned(),
        Err(_) => NOTHING.to_owned(),
    }
}

/// `None` for a chain that makes no objects.
fn named(addressing: Addressing) -> Option<&'static str> {
    match addressing {
        Addressing::Inner => None,
        Addressing::Hash => Some("hash"),
        Addressing::Schema => Some("schema"),
        Addressing::Reference => Some("reference"),
    }
}
