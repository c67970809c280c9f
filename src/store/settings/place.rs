//! Where the objects of a store are, from the keys of its protocol.

use std::path::PathBuf;

use super::layout::section;
use super::{SettingsError, StoreSettings};
use crate::codec::ObjectPath;
use crate::store::Secret;
use crate::store::azure::AzureConnection;

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
    /// A bucket of Google Cloud Storage.
    Gcs(GcsPlace),
    /// A container of Azure Blob Storage.
    Azure(AzurePlace),
    /// The memory of this process.
    Memory,
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

/// A bucket of Google Cloud Storage.
#[derive(Debug, Clone, PartialEq)]
pub struct GcsPlace {
    /// The bucket.
    pub bucket: String,
    /// What every key begins with, if anything.
    pub location: Option<ObjectPath>,
    /// Who asks.
    pub token: GcsToken,
}

/// Who asks Google.
#[derive(Debug, Clone, PartialEq)]
pub enum GcsToken {
    /// What the environment says: `GOOGLE_APPLICATION_CREDENTIALS`, the login of `gcloud`, the
    /// machine's own account.
    Environment,
    /// Nobody: a public bucket.
    Anonymous,
    /// The JSON of a service account.
    Json(Secret),
    /// A file with such JSON, or with the login of `gcloud`.
    File(PathBuf),
}

/// A container of Azure Blob Storage.
#[derive(Debug, Clone, PartialEq)]
pub struct AzurePlace {
    /// The container.
    pub container: String,
    /// What every name begins with, if anything.
    pub location: Option<ObjectPath>,
    /// The account; `None` takes the environment's.
    pub account: Option<String>,
    /// Its key; `None` takes the environment's credentials.
    pub key: Option<Secret>,
    /// What the connection string says, if there is one; it wins over the account and key.
    pub connection: Option<AzureConnection>,
}

impl StoreSettings {
    pub(super) fn file(&self, name: &str) -> Result<Place, SettingsError> {
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

    pub(super) fn s3(&self, name: &str) -> Result<Place, SettingsError> {
        let endpoint = filled(name, "endpoint", &self.endpoint)?;
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
        let credentials = match (key(self.access_key.as_ref()), key(self.secret_key.as_ref())) {
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
            bucket: filled(name, "bucket", &self.bucket)?,
            location: self.prefix(name)?,
            credentials,
            proxy_server: self.proxy_server.clone(),
        }))
    }

    pub(super) fn gcs(&self, name: &str) -> Result<Place, SettingsError> {
        let token = key(self.token.as_ref());
        // The words are those of gcsfs, through which DataJoint goes.
        let token = match token.as_ref().map(Secret::expose) {
            None | Some("google_default" | "cloud") => GcsToken::Environment,
            Some("anon") => GcsToken::Anonymous,
            Some("cache" | "browser") => {
                return Err(SettingsError::Value {
                    store: name.to_owned(),
                    key: "token",
                    reason: "nobody is here to log in with a browser; takes \"anon\", \
                             \"google_default\", a service account's JSON or its file"
                        .to_owned(),
                });
            }
            Some(json) if json.trim_start().starts_with('{') => GcsToken::Json(Secret::new(json)),
            Some(path) => GcsToken::File(PathBuf::from(path)),
        };
        Ok(Place::Gcs(GcsPlace {
            bucket: filled(name, "bucket", &self.bucket)?,
            location: self.prefix(name)?,
            token,
        }))
    }

    pub(super) fn azure(&self, name: &str) -> Result<Place, SettingsError> {
        let connection = key(self.connection_string.as_ref());
        let connection = connection
            .map(|text| AzureConnection::parse(&text))
            .transpose()
            .map_err(|reason| SettingsError::Value {
                store: name.to_owned(),
                key: "connection_string",
                reason,
            })?;
        Ok(Place::Azure(AzurePlace {
            container: filled(name, "container", &self.container)?,
            location: self.prefix(name)?,
            account: self.account_name.clone().filter(|name| !name.is_empty()),
            key: key(self.account_key.as_ref()),
            connection,
        }))
    }

    /// What all keys begin with.
    fn prefix(&self, name: &str) -> Result<Option<ObjectPath>, SettingsError> {
        let location = self.location.as_deref().unwrap_or_default();
        section(name, "location", location)
    }
}

/// A text that must not be empty.
fn filled(store: &str, key: &'static str, text: &Option<String>) -> Result<String, SettingsError> {
    match text.as_deref() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(SettingsError::Missing {
            store: store.to_owned(),
            keys: key.to_owned(),
        }),
    }
}

/// An empty key counts as none, as in DataJoint.
fn key(secret: Option<&Secret>) -> Option<Secret> {
    secret.filter(|secret| !secret.is_empty()).cloned()
}
