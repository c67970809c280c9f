//! Why settings are refused.

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
