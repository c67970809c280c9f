//! The settings of the stores, with the keys and the rules of DataJoint's `datajoint.json`.
//!
//! [`StoreSettings`] is what a file or the environment says, key by key; [`StoreSettings::parse`]
//! turns it into a [`StoreSpec`], which can only hold what DataJoint 2.3.5 accepts
//! (`Config.get_store_spec` in its `settings.py`). Between the two, secrets may fill gaps.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::Secret;
use crate::codec::{Layout, ObjectPath};

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
    /// `file`, `s3`, `gcs` or `azure`.
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
    /// GCS: credentials.
    pub token: Option<Secret>,
    /// GCS: the project.
    pub project: Option<String>,
    /// Azure: the container.
    pub container: Option<String>,
    /// Azure: the account.
    pub account_name: Option<String>,
    /// Azure: its key.
    pub account_key: Option<Secret>,
    /// Azure: all of it in one string.
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
const PROTOCOLS: [(&str, &[&str], &[&str]); 4] = [
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
];

/// A store whose settings hold together.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreSpec {
    /// How paths are made.
    pub layout: Layout,
    /// Where the objects are.
    pub place: Place,
}

/// Where the objects of a store are.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// A directory that exists.
    File {
        /// The directory.
        location: PathBuf,
    },
    /// A bucket of an S3 server.
    S3(S3Place),
}

/// A bucket of an S3 server.
#[derive(Debug, Clone, PartialEq)]
pub struct S3Place {
    /// `http://host:port` or `https://host`.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// What every key begins with, if anything.
    pub location: Option<ObjectPath>,
    /// Access key and secret key; `None` takes the environment's credentials.
    pub credentials: Option<(Secret, Secret)>,
    /// URL of an HTTP proxy.
    pub proxy_server: Option<String>,
}

/// Why the settings of a store are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// No protocol of this name.
    #[error("Unknown protocol \"{protocol}\" in stores.{store}. Built-in: file, s3, gcs, azure.")]
    UnknownProtocol {
        /// The store.
        store: String,
        /// As written, empty where it is missing.
        protocol: String,
    },
    /// A protocol of DataJoint that codec-proxy cannot speak yet.
    #[error("stores.{store}: protocol \"{protocol}\" is not supported yet; use file or s3")]
    Unsupported {
        /// The store.
        store: String,
        /// The protocol.
        protocol: String,
    },
    /// Keys that the protocol needs.
    #[error("stores.{store} is missing: {keys}")]
    Missing {
        /// The store.
        store: String,
        /// The keys, with commas.
        keys: String,
    },
    /// Keys that the protocol does not have.
    #[error("Invalid key(s) in stores.{store}: {keys}")]
    Invalid {
        /// The store.
        store: String,
        /// The keys, with commas.
        keys: String,
    },
    /// One key without the other.
    #[error(
        "stores.{store}: Incomplete S3 credentials: set both access_key and secret_key, or \
         neither to use ambient AWS credentials."
    )]
    HalfCredentials {
        /// The store.
        store: String,
    },
    /// Two sections of which one holds the other.
    #[error(
        "stores.{store}: {first} and {second} overlap. Storage section prefixes must be \
         mutually exclusive."
    )]
    Overlap {
        /// The store.
        store: String,
        /// `hash_prefix="…"`.
        first: String,
        /// `schema_prefix="…"`.
        second: String,
    },
    /// A default that is no store.
    #[error("stores.{key} is \"{store}\", but no store of this name is configured")]
    Default {
        /// `default` or `filepath_default`.
        key: &'static str,
        /// What it names.
        store: String,
    },
    /// A value that makes no sense for its key.
    #[error("stores.{store}.{key}: {reason}")]
    Value {
        /// The store.
        store: String,
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
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
            other => {
                return Err(SettingsError::Unsupported {
                    store: name.to_owned(),
                    protocol: other.to_owned(),
                });
            }
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

    fn layout(&self, name: &str) -> Result<Layout, SettingsError> {
        let section = |key, text: &Option<String>, default: &str| {
            section(name, key, text.as_deref().unwrap_or(default))
        };
        let layout = Layout {
            hash_prefix: section("hash_prefix", &self.hash_prefix, "_hash")?,
            schema_prefix: section("schema_prefix", &self.schema_prefix, "_schema")?,
            filepath_prefix: section("filepath_prefix", &self.filepath_prefix, "")?,
            subfolding: self.folds(name)?,
            partition_pattern: self.partition_pattern.clone(),
            token_length: self.token_length.unwrap_or(8).clamp(4, 16) as usize,
        };
        let sections = [
            ("hash_prefix", &layout.hash_prefix),
            ("schema_prefix", &layout.schema_prefix),
            ("filepath_prefix", &layout.filepath_prefix),
        ];
        for (i, (first, a)) in sections.iter().enumerate() {
            for (second, b) in &sections[i + 1..] {
                let (Some(a), Some(b)) = (a, b) else { continue };
                if a.lies_in(b) || b.lies_in(a) {
                    return Err(SettingsError::Overlap {
                        store: name.to_owned(),
                        first: format!("{first}=\"{a}\""),
                        second: format!("{second}=\"{b}\""),
                    });
                }
            }
        }
        Ok(layout)
    }

    /// DataJoint cuts the folders off the hash one after another; a cut past its end would
    /// give a folder without a name.
    fn folds(&self, name: &str) -> Result<Vec<usize>, SettingsError> {
        let folds: Vec<usize> = self
            .subfolding
            .iter()
            .flatten()
            .map(|&n| n as usize)
            .collect();
        let before_last: usize = folds
            .iter()
            .rev()
            .skip(1)
            .fold(0, |sum, n| sum.saturating_add(*n));
        if folds.contains(&0) || before_last >= crate::codec::hash::NAME_LEN {
            return Err(SettingsError::Value {
                store: name.to_owned(),
                key: "subfolding",
                reason: "lengths must be positive and fit into the 26 characters of a hash".into(),
            });
        }
        Ok(folds)
    }

    fn file(&self, name: &str) -> Result<Place, SettingsError> {
        let location = PathBuf::from(self.location.as_deref().unwrap_or_default());
        if !location.is_dir() {
            return Err(SettingsError::Value {
                store: name.to_owned(),
                key: "location",
                reason: format!("Inaccessible local directory {}", location.display()),
            });
        }
        Ok(Place::File { location })
    }

    fn s3(&self, name: &str) -> Result<Place, SettingsError> {
        let filled = |key: &'static str, text: &Option<String>| match text.as_deref() {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(SettingsError::Missing {
                store: name.to_owned(),
                keys: key.to_owned(),
            }),
        };
        let endpoint = filled("endpoint", &self.endpoint)?;
        let endpoint = match endpoint.split_once("://") {
            Some(("http" | "https", _)) => endpoint,
            Some(_) => {
                return Err(SettingsError::Value {
                    store: name.to_owned(),
                    key: "endpoint",
                    reason: "takes http:// or https://".into(),
                });
            }
            None if self.secure.unwrap_or(true) => format!("https://{endpoint}"),
            None => format!("http://{endpoint}"),
        };
        // An empty key counts as none, as in DataJoint.
        let key = |secret: &Option<Secret>| secret.clone().filter(|s| !s.is_empty());
        let credentials = match (key(&self.access_key), key(&self.secret_key)) {
            (Some(access), Some(secret)) => Some((access, secret)),
            (None, None) => None,
            _ => {
                return Err(SettingsError::HalfCredentials {
                    store: name.to_owned(),
                });
            }
        };
        Ok(Place::S3(S3Place {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            bucket: filled("bucket", &self.bucket)?,
            location: section(
                name,
                "location",
                self.location.as_deref().unwrap_or_default(),
            )?,
            credentials,
            proxy_server: self.proxy_server.clone(),
        }))
    }
}

/// A prefix as DataJoint reads it: slashes at the ends do not count, nothing is the root.
fn section(
    store: &str,
    key: &'static str,
    text: &str,
) -> Result<Option<ObjectPath>, SettingsError> {
    match text.trim_matches('/') {
        "" => Ok(None),
        inner => ObjectPath::parse(inner)
            .map(Some)
            .map_err(|error| SettingsError::Value {
                store: store.to_owned(),
                key,
                reason: error.to_string(),
            }),
    }
}

#[cfg(test)]
mod tests;
