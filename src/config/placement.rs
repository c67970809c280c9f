//! Which store the objects of a chain are in, by the configuration.

use crate::codec::{Addressing, Chain};
use crate::store::{SettingsError, StoresSettings};

/// Why a chain has no store; the first three texts are DataJoint's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unplaced {
    /// A bare `@`, and no store for that.
    #[error("stores.default is not configured")]
    NoDefault,
    /// A bare `<filepath@>`, and no store for that.
    #[error(
        "stores.filepath_default is not configured. Set stores.filepath_default or specify \
         store explicitly with <filepath@store>"
    )]
    NoFilepathDefault,
    /// No store of that name.
    #[error("Storage '{name}' is requested but not configured in stores ({})", listed(.configured))]
    NotConfigured {
        /// The name.
        name: String,
        /// The names that there are.
        configured: Vec<String>,
    },
    /// A store that the proxy cannot use.
    #[error(transparent)]
    Unusable(#[from] SettingsError),
}

/// The real name of the store; `None` for a chain that needs none.
pub fn store<'a>(
    chain: &'a Chain,
    stores: &'a StoresSettings,
) -> Result<Option<&'a str>, Unplaced> {
    let name = match chain.store.as_deref() {
        None => return Ok(None),
        Some("") => {
            let (default, unplaced) = match chain.addressing() {
                Addressing::Reference => (&stores.filepath_default, Unplaced::NoFilepathDefault),
                _ => (&stores.default, Unplaced::NoDefault),
            };
            default.as_deref().ok_or(unplaced)?
        }
        Some(name) => name,
    };
    let Some(settings) = stores.stores.get(name) else {
        return Err(Unplaced::NotConfigured {
            name: name.to_owned(),
            configured: stores.stores.keys().cloned().collect(),
        });
    };
    settings.parse(name)?;
    Ok(Some(name))
}

/// `<blob> → <hash> → json`
pub fn steps(chain: &Chain) -> String {
    let codecs = chain.names().map(|name| format!("<{name}>"));
    let steps: Vec<_> = codecs.chain([chain.dtype.to_string()]).collect();
    steps.join(" → ")
}

fn listed(stores: &[String]) -> String {
    match stores {
        [] => "none are".to_owned(),
        stores => format!("configured: {}", stores.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::TypeSpec;
    use crate::store::StoreSettings;

    fn chain(spec: &str) -> Chain {
        TypeSpec::parse(spec).unwrap().resolve().unwrap()
    }

    fn stores(default: Option<&str>) -> StoresSettings {
        let folder = |location: Option<&str>| StoreSettings {
            protocol: Some("file".to_owned()),
            location: location.map(str::to_owned),
            ..StoreSettings::default()
        };
        StoresSettings {
            default: default.map(str::to_owned),
            stores: [
                ("main".to_owned(), folder(Some("/srv"))),
                ("nowhere".to_owned(), folder(None)),
            ]
            .into(),
            ..StoresSettings::default()
        }
    }

    fn placed(spec: &str, stores: &StoresSettings) -> Result<Option<String>, String> {
        let chain = chain(spec);
        let store = store(&chain, stores).map_err(|error| error.to_string())?;
        Ok(store.map(str::to_owned))
    }

    #[test]
    fn the_default_has_a_real_name() {
        let stores = stores(Some("main"));
        assert_eq!(placed("<blob>", &stores), Ok(None));
        assert_eq!(placed("<blob@>", &stores), Ok(Some("main".to_owned())));
        assert_eq!(placed("<hash@main>", &stores), Ok(Some("main".to_owned())));
        let files = StoresSettings {
            filepath_default: Some("main".to_owned()),
            ..self::stores(None)
        };
        assert_eq!(placed("<filepath@>", &files), Ok(Some("main".to_owned())));
        assert!(placed("<filepath@>", &stores).is_err());
        assert!(placed("<blob@>", &files).is_err());
    }

    #[test]
    fn what_is_missing_is_told_as_datajoint_tells_it() {
        let stores = stores(None);
        let error = |spec: &str, stores: &StoresSettings| placed(spec, stores).unwrap_err();
        assert_eq!(
            error("<blob@>", &stores),
            "stores.default is not configured"
        );
        assert_eq!(
            error("<blob@cold>", &stores),
            "Storage 'cold' is requested but not configured in stores (configured: main, nowhere)"
        );
        assert_eq!(
            error("<blob@cold>", &StoresSettings::default()),
            "Storage 'cold' is requested but not configured in stores (none are)"
        );
        assert_eq!(
            error("<blob@nowhere>", &stores),
            "stores.nowhere is missing: location"
        );
    }

    #[test]
    fn a_chain_reads_from_the_left() {
        assert_eq!(steps(&chain("<blob@cold>")), "<blob> → <hash> → json");
        assert_eq!(steps(&chain("<blob>")), "<blob> → bytes");
        assert_eq!(chain("<blob@>").addressing(), Addressing::Hash);
        assert_eq!(chain("<blob>").addressing(), Addressing::Inner);
    }
}
