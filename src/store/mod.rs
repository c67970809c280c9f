//! The object stores: how values get in and out of them.
//!
//! [`Stores`] are the configured stores by name; a [`Store`] puts [`Content`] under the name
//! of its hash and hands a [`Pointer`](crate::codec::Pointer) back, or reads through a
//! [`Reader`] what a pointer names; it also puts, reads, lists and deletes objects under paths
//! of their own. Codecs reach the same through [`codec::Backends`](crate::codec::Backends).
//! Whatever blocks or computes runs on the runtime whose handle [`Stores::open`] is given;
//! callers may live on any other.
//!
//! A store is a directory (`file`), S3 (`s3`), Google Cloud Storage (`gcs`), Azure Blob Storage
//! (`azure`) or, for tests, the memory of the process (`memory`): one module for each.
//!
//! # How long it may take
//!
//! 1. Every request that fails for a passing reason (the connection, a busy server) is made
//!    again after a pause that grows from 50 ms to 2 s.
//!    *Fails for good:* a refusal, a missing bucket or a wrong key ends the work at once.
//! 2. A small value is through within [`StoreLimits::deadline`], all its requests and retries
//!    together. So are a range, a size and a deletion.
//!    *Else:* the work fails with [`ErrorKind::Unavailable`] and the last failure's words.
//! 3. A large value (from 16 MiB up, 1 MiB down) need only move: each part that is sent and each
//!    chunk that is received has the deadline to itself. So has each page of a list.
//! 4. A statement with many values has an end too: [`Stores::for_statement`], or
//!    [`Stores::until`] for one of the caller's own. Small values are through by then, whatever
//!    each of them could still take; large ones that move may go on.
//!    *Else:* as 2.

mod azure;
mod backend;
mod blocking;
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
