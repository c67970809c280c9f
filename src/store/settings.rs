//! The settings of the stores, with the keys and the rules of DataJoint's `datajoint.json`.
//!
//! [`StoreSettings`] is what a file or the environment says, key by key; [`StoreSettings::parse`]
//! turns it into a [`StoreSpec`], which can only hold what DataJoint 2.3.5 accepts
//! (`Config.get_store_spec` in its `settings.py`). Between the two, secrets may fill gaps.
//!
//! [`place`] makes of a protocol's keys where the objects are, [`layout`] of the common keys how
//! their paths are made.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::Secret;
use crate::codec::Layout;

mod error;
mod for_datajoint;
mod layout;
mod place;

pub use error::SettingsError;
pub use place::{AzurePlace, GcsPlace, GcsToken, Place, S3Place};

/// All stores: the `stores` section of `datajoint.json` and the `[stores]` table of
/// codec-proxy's own file, where every key but the two defaults is a store's name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StoresSettings {
    /// The store of `<codec@>`.
    pub default: Option<String>,
    /// The store of `<filepath@>`.
    pub filepath_default: Option<String>,
    /// The stores by name.
    pub stores: BTreeMap<String, StoreSettings>,
}

impl<'de> Deserialize<'de> for StoresSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Stores;

        impl<'de> Visitor<'de> for Stores {
            type Value = StoresSettings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of stores by name, with `default` and `filepath_default`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = StoresSettings::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "default" => all.default = map.next_value()?,
                        "filepath_default" => all.filepath_default = map.next_value()?,
                        _ => {
                            let store = map.next_value()?;
                            all.stores.insert(key, store);
                        }
                    }
                }
                Ok(all)
            }
        }

        deserializer.deserialize_map(Stores)
    }
}

/// One store, key by key as it is written; `None` is a key that is not there.
///
/// The keys are those of DataJoint 2.3.5 for all its built-in protocols together.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// `file`, `s3`, `gcs` or `azure`; `memory` for tests.
    pub protocol: Option<String>,
    /// A directory, or the prefix of all keys in a bucket (may be empty there).
    pub location: Option<String>,
    /// Lengths of the folder names cut from the front of a hash.
    pub subfolding: Option<Vec<u32>>,
    /// `{attribute}` placeholders that move to the front of schema-addressed paths.
    pub partition_pattern: Option<String>,
    /// Characters of the random token in schema-addressed names (8).
    pub token_length: Option<u32>,
    /// Section of hash-addressed objects (`_hash`).
    pub hash_prefix: Option<String>,
    /// Section of schema-addressed objects (`_schema`).
    pub schema_prefix: Option<String>,
    /// Section that `<filepath@>` paths must lie in.
    pub filepath_prefix: Option<String>,
    /// Taken and ignored, as DataJoint 2.x does.
    pub stage: Option<String>,
    /// S3: host, `host:port` or a URL.
    pub endpoint: Option<String>,
    /// S3, GCS: the bucket.
    pub bucket: Option<String>,
    /// S3: access key; without it, the credentials of the environment.
    pub access_key: Option<Secret>,
    /// S3: secret key.
    pub secret_key: Option<Secret>,
    /// S3: https (true) or http, where the endpoint has no scheme of its own.
    pub secure: Option<bool>,
    /// S3: an HTTP proxy.
    pub proxy_server: Option<String>,
    /// GCS: `anon`, `google_default`, a service account's JSON or the path of its file; without
    /// it, the credentials of the environment.
    pub token: Option<Secret>,
    /// GCS: the project. Taken without effect: a bucket's name says all.
    pub project: Option<String>,
    /// Azure: the container.
    pub container: Option<String>,
    /// Azure: the account; without it, the environment's.
    pub account_name: Option<String>,
    /// Azure: its key; without it, the credentials of the environment.
    pub account_key: Option<Secret>,
    /// Azure: all of it in one string, as the portal shows it; wins over the other two.
    pub connection_string: Option<Secret>,
}

/// The keys every protocol takes.
const COMMON_KEYS: [&str; 9] = [
    "protocol",
    "location",
    "subfolding",
    "partition_pattern",
    "token_length",
    "hash_prefix",
    "schema_prefix",
    "filepath_prefix",
    "stage",
];

/// The protocols: name, required keys, further keys.
const PROTOCOLS: [(&str, &[&str], &[&str]); 5] = [
    ("file", &["location"], &[]),
    (
        "s3",
        &["endpoint", "bucket", "location"],
        &["access_key", "secret_key", "secure", "proxy_server"],
    ),
    ("gcs", &["bucket", "location"], &["token", "project"]),
    (
        "azure",
        &["container", "location"],
        &["account_name", "account_key", "connection_string"],
    ),
    // Not DataJoint's: for tests. Its objects go with the process.
    ("memory", &[], &[]),
];

/// A store whose settings hold together.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreSpec {
    /// How paths are made.
    pub layout: Layout,
    /// Where the objects are.
    pub place: Place,
}

impl StoreSettings {
    /// Every key a store may have, for messages that name the nearest one.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        Self::default().presence().into_iter().map(|(key, _)| key)
    }

    /// Checks the settings of the store `name` as DataJoint does.
    ///
    /// Beyond DataJoint it refuses prefixes and locations that could leave their section, and
    /// subfolding that would give an empty folder name.
    pub fn parse(&self, name: &str) -> Result<StoreSpec, SettingsError> {
        let protocol = self.protocol.as_deref().unwrap_or_default().to_lowercase();
        let Some((protocol, required, optional)) = PROTOCOLS.iter().find(|p| p.0 == protocol)
        else {
            return Err(SettingsError::UnknownProtocol {
                store: name.to_owned(),
                protocol: self.protocol.clone().unwrap_or_default(),
            });
        };
        let given: Vec<&str> = self
            .presence()
            .into_iter()
            .filter_map(|(key, is)| is.then_some(key))
            .collect();
        let list = |keys: Vec<&str>| keys.join(", ");
        let missing: Vec<&str> = required
            .iter()
            .copied()
            .filter(|key| !given.contains(key))
            .collect();
        if !missing.is_empty() {
            return Err(SettingsError::Missing {
                store: name.to_owned(),
                keys: list(missing),
            });
        }
        let allowed = |key: &&str| {
            COMMON_KEYS.contains(key) || required.contains(key) || optional.contains(key)
        };
        let invalid: Vec<&str> = given.into_iter().filter(|key| !allowed(key)).collect();
        if !invalid.is_empty() {
            return Err(SettingsError::Invalid {
                store: name.to_owned(),
                keys: list(invalid),
            });
        }
        let layout = self.layout(name)?;
        let place = match *protocol {
            "file" => self.file(name)?,
            "s3" => self.s3(name)?,
            "gcs" => self.gcs(name)?,
            "azure" => self.azure(name)?,
            _ => Place::Memory,
        };
        Ok(StoreSpec { layout, place })
    }

    /// Every key, and whether it is set.
    fn presence(&self) -> [(&'static str, bool); 21] {
        [
            ("protocol", self.protocol.is_some()),
            ("location", self.location.is_some()),
            ("subfolding", self.subfolding.is_some()),
            ("partition_pattern", self.partition_pattern.is_some()),
            ("token_length", self.token_length.is_some()),
            ("hash_prefix", self.hash_prefix.is_some()),
            ("schema_prefix", self.schema_prefix.is_some()),
            ("filepath_prefix", self.filepath_prefix.is_some()),
            ("stage", self.stage.is_some()),
            ("endpoint", self.endpoint.is_some()),
            ("bucket", self.bucket.is_some()),
            ("access_key", self.access_key.is_some()),
            ("secret_key", self.secret_key.is_some()),
            ("secure", self.secure.is_some()),
            ("proxy_server", self.proxy_server.is_some()),
            ("token", self.token.is_some()),
            ("project", self.project.is_some()),
            ("container", self.container.is_some()),
            ("account_name", self.account_name.is_some()),
            ("account_key", self.account_key.is_some()),
            ("connection_string", self.connection_string.is_some()),
        ]
    }
}

#[cfg(test)]
mod tests;
