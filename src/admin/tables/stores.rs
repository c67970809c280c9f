//! `SHOW STORES`: the object stores, and whether they work if that is asked for.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::admin::House;
use crate::admin::table::{Column, Table, text};
use crate::listing::NOTHING;
use crate::store::StoreSettings;

/// Longest time that a store is given to answer a probe.
const PATIENCE: Duration = Duration::from_secs(10);

const STORES: &[Column] = &[
    text("Name"),
    text("Protocol"),
    text("Location"),
    text("Default for"),
];

const PROBED: &[Column] = &[
    text("Name"),
    text("Protocol"),
    text("Location"),
    text("Default for"),
    text("State"),
    text("Time"),
];

/// How a store has answered.
#[derive(Debug, Clone)]
pub(in crate::admin) struct Probed {
    /// The store's name.
    pub name: String,
    /// Why it does not work, in words that a client may read.
    pub outcome: Result<(), String>,
    /// How long it took.
    pub time: Duration,
}

/// The stores; with `probe`, each is tried now.
pub(in crate::admin) async fn stores(house: &House, with_probe: bool) -> Table {
    let config = house.config.load_full();
    let probed = match with_probe {
        true => probe(house, PATIENCE).await,
        false => Vec::new(),
    };
    let mut table = Table::new(if with_probe { PROBED } else { STORES });
    for (name, settings) in &config.stores.stores {
        let is = |default: &Option<String>| default.as_deref() == Some(name);
        let mut defaults = Vec::new();
        defaults.extend(is(&config.stores.default).then_some("<…@>"));
        defaults.extend(is(&config.stores.filepath_default).then_some("<filepath@>"));
        let mut row = vec![
            Some(name.clone()),
            settings.protocol.clone(),
            Some(place(settings)),
            Some(match defaults[..] {
                [] => NOTHING.to_owned(),
                _ => defaults.join(" "),
            }),
        ];
        if with_probe {
            let probed = probed.iter().find(|probed| probed.name == *name);
            let state = probed.map(|probed| match &probed.outcome {
                Ok(()) => "ok: stored, read back, deleted".to_owned(),
                Err(reason) => reason.clone(),
            });
            row.push(state);
            row.push(probed.map(|probed| format!("{:.1} ms", probed.time.as_secs_f64() * 1e3)));
        }
        table.rows.push(row);
    }
    table
}

/// Tries all stores side by side: each stores, reads and deletes a small object.
pub(in crate::admin) async fn probe(house: &House, patience: Duration) -> Vec<Probed> {
    let stores = house.shared().stores.clone();
    let probes = stores.names().map(|name| {
        let store = stores.resolve(name);
        async move {
            let since = Instant::now();
            let probe = async { store?.probe().await };
            let outcome = match tokio::time::timeout(patience, probe).await {
                Ok(outcome) => outcome.map_err(|error| error.for_client()),
                Err(_) => Err(format!("no answer within {} s", patience.as_secs())),
            };
            Probed {
                name: name.to_owned(),
                outcome,
                time: since.elapsed(),
            }
        }
    });
    join_all(probes).await
}

/// Where its objects are, in one line.
fn place(settings: &StoreSettings) -> String {
    let parts = [
        &settings.endpoint,
        &settings.account_name,
        &settings.bucket,
        &settings.container,
        &settings.location,
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .map(|part| crate::config::without_account(part))
        .collect();
    parts.join(" ")
}
