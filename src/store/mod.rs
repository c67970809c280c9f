//! The object stores: how values get in and out of them.
//!
//! [`Stores`] are the configured stores by name; a [`Store`] puts [`Content`] under the name
//! of its hash and hands a [`Pointer`](crate::codec::Pointer) back, or reads through a
//! [`Reader`] what a pointer names. Whatever blocks or computes runs on the runtime whose
//! handle [`Stores::open`] is given; callers may live on any other.

mod azure;
mod backends;
mod client;
mod content;
mod error;
mod file;
mod gcs;
mod memory;
mod naming;
mod objects;
mod patience;
mod reader;
mod remote;
mod s3;
mod secret;
mod settings;

mod stores;

pub use azure::AzureConnection;
pub use content::Content;
pub use error::{ErrorKind, Operation, StoreError};
pub use objects::{PathRule, Store};
pub use reader::Reader;
pub use secret::Secret;
pub use settings::{
    AzurePlace, GcsPlace, GcsToken, Place, S3Place, SettingsError, StoreSettings, StoreSpec,
    StoresSettings,
};
pub use stores::{StoreLimits, Stores};

#[cfg(test)]
mod tests;
