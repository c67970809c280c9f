//! What all sessions of a process share.
//!
//! A snapshot: a reload puts another in its place ([`Live`]), and each session takes the newest
//! when a statement begins.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::codec::ObjectPath;
use crate::config::{Address, Limits};
use crate::session::connection::tls::Tls;
use crate::session::roster::Roster;
use crate::store::Stores;
use crate::view::Declaring;

/// The newest snapshot of what sessions share.
pub type Live = Arc<ArcSwap<Shared>>;

/// One for the whole process, at a time.
#[derive(Clone)]
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
    /// Who is connected.
    pub roster: Arc<Roster>,
    /// Cancelled when sessions are to end as soon as no statement runs.
    pub ending: CancellationToken,
}
