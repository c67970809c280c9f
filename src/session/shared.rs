//! What all sessions of a process share.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::codec::ObjectPath;
use crate::config::{Address, Limits};
use crate::session::connection::tls::Tls;
use crate::store::Stores;
use crate::view::Declaring;

/// One for the whole process.
pub struct Shared {
    /// Where the database is.
    pub database: Address,
    /// Bounds.
    pub limits: Limits,
    /// Sections of the stores that every column may read (`pointers.also_readable`).
    pub also_readable: Arc<[ObjectPath]>,
    /// What the plain types of `bytes` clients become.
    pub declare: Declaring,
    /// Which columns carry a codec.
    pub catalog: Arc<Catalog>,
    /// The object stores.
    pub stores: Stores,
    /// Encryption on both legs.
    pub tls: Tls,
    /// Cancelled when sessions are to end as soon as no statement runs.
    pub ending: CancellationToken,
}
