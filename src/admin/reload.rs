//! `RELOAD`: the configuration is read anew, and what can change while clients are connected
//! does. Sessions stay; a statement that is under way ends with what it began with.
//!
//! 1. The file and the environment are read, the codecs of the configuration made. A fault
//!    anywhere: nothing has changed, and the error says what and where.
//! 2. Certificates are read, stores opened; a store whose settings are as before stays as it is.
//!    A fault: as above.
//! 3. All of it takes the place of what was there, at once. Sessions take it with their next
//!    statement, new clients with their login.
//! 4. The catalog is read anew, since other codecs may make other columns usable. If the
//!    database does not answer, that is told; the catalog goes on trying.
//!
//! Addresses, threads and the database need a restart: what the file says of them is told, and
//! does not hold.

use std::sync::Arc;

use super::House;
use crate::codec::registry::{self, Entry, RegistryError};
use crate::config::{Config, ConfigError};
use crate::metrics::metrics;
use crate::python;
use crate::session::Shared;
use crate::session::tls::{Tls, TlsError};
use crate::store::{SettingsError, Stores, StoresSettings};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReloadError {
    /// The file, or the environment.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The codecs of the configuration.
    #[error(transparent)]
    Codecs(#[from] RegistryError),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The stores.
    #[error(transparent)]
    Store(#[from] SettingsError),
}

/// What has become of a section: its name and what to tell of it.
pub(super) type Outcome = (&'static str, String);

/// Reads everything anew.
pub(super) async fn reload(house: &House) -> Result<Vec<Outcome>, ReloadError> {
    let _one_at_a_time = house.reloading.lock().await;
    let reloaded = replace(house);
    let outcome = if reloaded.is_ok() { "ok" } else { "error" };
    metrics().reloads.with_label_values(&[outcome]).inc();
    let mut told = match reloaded {
        Ok(told) => told,
        Err(error) => {
            tracing::error!(%error, "nothing was reloaded");
            return Err(error);
        }
    };
    if let Err(error) = house.shared().catalog.rescan().await {
        told.push(("catalog", format!("not read anew: {error}")));
    }
    tracing::info!("reloaded");
    Ok(told)
}

fn replace(house: &House) -> Result<Vec<Outcome>, ReloadError> {
    let (old, shared) = (house.config.load_full(), house.shared());
    let read = Config::load(&house.file, std::env::vars_os())?;
    let (config, mut told) = held(&old, read);
    let same_identity = config.tls == old.tls && config.tls.identity.is_none();
    let tls = match same_identity {
        // It would be another certificate of one's own making.
        true => shared.tls.clone(),
        false => Tls::new(&config)?,
    };
    let stores = stores(&old, &config, &shared, house)?;
    tell(&old, &config, &mut told);
    registry::install(config.codecs.iter().map(Entry::from))?;
    if config.python.is_some() || old.python.is_some() {
        // Also where nothing has changed here: packages may have been installed since.
        python::install(config.python.as_ref(), &config.stores);
        told.push(("codecs.python", "packages are looked for anew".to_owned()));
    }
    house.live.store(Arc::new(Shared {
        tls,
        stores,
        declare: config.declare.clone(),
        limits: config.limits.clone(),
        also_readable: config.pointers.also_readable.as_slice().into(),
        ..Shared::clone(&shared)
    }));
    house.config.store(Arc::new(config));
    Ok(told)
}

/// What holds of a configuration that was read: all but what needs a restart, which is told.
fn held(old: &Config, read: Config) -> (Config, Vec<Outcome>) {
    let mut told = Vec::new();
    let mut restart = |name, is_same: bool| {
        if !is_same {
            let text = "changed in the file; holds after a restart";
            told.push((name, text.to_owned()));
        }
    };
    restart("threads", old.threads == read.threads);
    restart("database", old.database == read.database);
    restart("listen", old.listen == read.listen);
    restart("catalog", old.catalog == read.catalog);
    restart("admin", old.admin == read.admin);
    restart("metrics", old.metrics == read.metrics);
    let config = Config {
        threads: old.threads,
        database: old.database.clone(),
        listen: old.listen.clone(),
        catalog: old.catalog.clone(),
        admin: old.admin.clone(),
        metrics: old.metrics.clone(),
        ..read
    };
    (config, told)
}

fn stores(
    old: &Config,
    new: &Config,
    shared: &Shared,
    house: &House,
) -> Result<Stores, SettingsError> {
    let limits = new.limits.store();
    let same_limits = old.limits.store() == limits;
    Stores::open_again(&new.stores, limits, house.background.clone(), |name| {
        let same = same_limits && old.stores.stores.get(name) == new.stores.stores.get(name);
        same.then(|| shared.stores.resolve(name).ok()).flatten()
    })
}

/// Adds what has changed.
fn tell(old: &Config, new: &Config, told: &mut Vec<Outcome>) {
    if let Some(text) = of_stores(&old.stores, &new.stores) {
        told.push(("stores", text));
    }
    let changed = |is_same: bool| (!is_same).then(|| "changed".to_owned());
    let tls = match &new.tls.identity {
        Some(identity) => Some(format!("read from {}", identity.certificate.display())),
        None => changed(old.tls == new.tls),
    };
    told.extend(tls.map(|text| ("tls", text)));
    for (name, is_same) in [
        ("codecs", old.codecs == new.codecs),
        ("declare", old.declare == new.declare),
        ("pointers", old.pointers == new.pointers),
        ("limits", old.limits == new.limits),
    ] {
        told.extend(changed(is_same).map(|text| (name, text)));
    }
}

/// `added cold; changed main`
fn of_stores(old: &StoresSettings, new: &StoresSettings) -> Option<String> {
    let names = |all: &StoresSettings, other: &StoresSettings, only_missing: bool| {
        let names = all.stores.iter().filter(|(name, settings)| {
            match (other.stores.get(*name), only_missing) {
                (None, missing) => missing,
                (Some(same), false) => same != *settings,
                (Some(_), true) => false,
            }
        });
        names
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut parts = Vec::new();
    for (what, names) in [
        ("added", names(new, old, true)),
        ("changed", names(new, old, false)),
        ("removed", names(old, new, true)),
    ] {
        if !names.is_empty() {
            parts.push(format!("{what} {names}"));
        }
    }
    let defaults = |all: &StoresSettings| (all.default.clone(), all.filepath_default.clone());
    if defaults(old) != defaults(new) {
        parts.push("other defaults".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let none: [(&str, &str); 0] = [];
        Config::load(file.path(), none).unwrap()
    }

    const OLD: &str = "database = { address = 'db', user = 'u' }
        listen = [{ address = '127.0.0.1:1' }]
        [stores]
        default = 'main'
        main = { protocol = 'file', location = '/a' }
        gone = { protocol = 'file', location = '/b' }";

    #[test]
    fn what_needs_a_restart_is_told_and_does_not_hold() {
        let old = config(OLD);
        let new = config(
            "threads = 3
            database = { address = 'other', user = 'u' }
            listen = [{ address = '127.0.0.1:2' }]
            limits = { sessions = 7 }",
        );
        let (held, told) = held(&old, new);
        let names: Vec<_> = told.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["threads", "database", "listen"]);
        assert_eq!(held.threads, None);
        assert_eq!(held.database, old.database);
        assert_eq!(held.listen, old.listen);
        assert_eq!(held.limits.sessions, 7);
    }

    #[test]
    fn what_has_changed_is_told() {
        let old = config(OLD);
        let new = config(
            "database = { address = 'db', user = 'u' }
            listen = [{ address = '127.0.0.1:1' }]
            limits = { sessions = 7 }
            [stores]
            default = 'cold'
            main = { protocol = 'file', location = '/c' }
            cold = { protocol = 'file', location = '/d' }",
        );
        let mut told = Vec::new();
        tell(&old, &new, &mut told);
        let text = "added cold; changed main; removed gone; other defaults".to_owned();
        assert_eq!(told, [("stores", text), ("limits", "changed".to_owned())]);
        let mut told = Vec::new();
        tell(&old, &old, &mut told);
        assert!(told.is_empty());
    }
}
