//! What the operator decides: one TOML file, overridden by the environment.
//!
//! The file's text, the environment, DataJoint's `datajoint.json` and secret files first become
//! one tree of values that know where they came from (`tree`); the tree is then read into
//! [`Config`] key by key, so that every error can name the place, the full key path and the
//! nearest key that exists. A [`Config`] is checked in itself; whether the database and the
//! stores answer is for `codec-proxy check` to say.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

mod codecs;
mod database;
mod datajoint;
mod declare;
mod environment;
mod error;
mod file;
pub mod placement;
mod python;
mod read;
mod section;
mod show;
mod stores;
mod tree;

pub use codecs::CodecDefinition;
pub use error::ConfigError;
pub(crate) use show::without_account;
pub use tree::Origin;

use crate::codec::{ObjectPath, ValueLimits};
use crate::python::Settings as PythonSettings;
use crate::store::{Secret, StoreLimits, StoresSettings};
use crate::view::{Declaring, View};
use environment::Environment;

/// The whole configuration of one codec-proxy process.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `[database]`: the server behind the proxy.
    pub database: Database,
    /// `[[listen]]`: at least one port for clients.
    pub listen: Vec<Listen>,
    /// `[stores]`, or the stores of a `datajoint.json`.
    pub stores: StoresSettings,
    /// `[codecs]`: those that are defined here. [`registry::install`] has the process know them.
    ///
    /// [`registry::install`]: crate::codec::registry::install
    pub codecs: Vec<CodecDefinition>,
    /// `[pointers]`.
    pub pointers: Pointers,
    /// `[declare]`: what the plain types of `bytes` clients become.
    pub declare: Declaring,
    /// `[codecs.python]`: an environment with packages of codecs.
    pub python: Option<PythonSettings>,
    /// `[tls]`: what is offered to clients.
    pub tls: Tls,
    /// `[limits]`.
    pub limits: Limits,
    /// `[catalog]`.
    pub catalog: Catalog,
    /// `[admin]`: the console, if there is one.
    pub admin: Option<Admin>,
    /// `[metrics]`: the page and the counters by HTTP, if they are served.
    pub metrics: Option<Metrics>,
    /// `threads`: worker threads; one per core if `None`.
    pub threads: Option<usize>,
}

impl Config {
    /// Reads the TOML file at `path` with the environment over it (all variables of a process,
    /// as [`std::env::vars_os`] gives them; those that are not for codec-proxy do not matter).
    pub fn load<K, V>(
        path: &Path,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError>
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let environment = Environment::collect(environment)?;
        let root = file::read(path)?;
        Self::assemble(
            root,
            path,
            &environment,
            Path::new(datajoint::SYSTEM_SECRETS),
        )
    }

    fn assemble(
        mut root: tree::Table,
        path: &Path,
        environment: &Environment,
        system_secrets: &Path,
    ) -> Result<Self, ConfigError> {
        environment.overlay(&mut root)?;
        let origin = Origin::File(Arc::from(path), 1);
        read::config(root, &origin, |file, named| {
            datajoint::read(
                file,
                named,
                environment.dj_stores.as_deref(),
                system_secrets,
            )
        })
    }
}

/// The database server, and the account that reads the catalog there.
#[derive(Debug, Clone, PartialEq)]
pub struct Database {
    /// Where it listens.
    pub address: Address,
    /// The account that reads the catalog; clients keep their own.
    pub user: String,
    /// That account's password; may be empty.
    pub password: Secret,
    /// Whether connections to the database are encrypted.
    pub tls: DatabaseTls,
    /// PEM file of the certificate authorities that the database's certificate must come from;
    /// it must then name the host of the address as well (`--ssl-mode=VERIFY_IDENTITY` of
    /// MySQL's own clients). Without the file any certificate will do (`REQUIRED`).
    pub tls_ca: Option<PathBuf>,
}

/// Where a database server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Host name or IP address (without brackets), and port.
    Tcp {
        /// Host name or IP address.
        host: String,
        /// TCP port, never 0.
        port: u16,
    },
    /// Path of a unix socket.
    Unix(PathBuf),
}

/// Whether connections to the database are encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DatabaseTls {
    /// Never.
    #[default]
    Off,
    /// When the client's own connection to the proxy is; the catalog's connections are not.
    Follow,
    /// Always; a server without TLS is an error.
    Always,
}

/// One port for clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// `host:port`; port 0 is any free one.
    pub address: String,
    /// What clients of this port see of codec columns.
    pub view: View,
}

/// TLS as offered to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Whether it is offered at all.
    pub enabled: bool,
    /// PEM files of certificate chain and private key; `None`: self-signed, made at start.
    pub identity: Option<Identity>,
}

/// A certificate with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// PEM file with the certificate chain, the server's own first.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// What the pointers in the database are trusted with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointers {
    /// Sections of stores that any codec column may read, besides those of its own schema.
    pub also_readable: Vec<ObjectPath>,
}

/// Bounds on what one process takes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest statement that is looked into, in bytes.
    pub statement_bytes: u64,
    /// Longest row that the server sends, and the longest sum of its values as they are decoded,
    /// in bytes. So also the longest value that is stored.
    pub row_bytes: u64,
    /// Values of one statement that are stored or fetched at the same time; so many store
    /// requests, too, of all its codecs together.
    pub store_parallel: usize,
    /// Decoded bytes that one SELECT may have fetched ahead of its client.
    pub prefetch_bytes: u64,
    /// Longest value that goes through its codecs in memory, in bytes: as it is packed, stored
    /// or sent, and decompressed.
    pub value_bytes: u64,
    /// Containers within containers that a value may have.
    pub value_depth: usize,
    /// Longest text of a value in the `json` view, in bytes.
    pub json_bytes: u64,
    /// Files of a directory that is one value.
    pub directory_files: usize,
    /// Time that a client has to log in.
    pub login_seconds: Duration,
    /// Time that one store request may take.
    pub store_seconds: Duration,
    /// Time that stores may take for all the requests of one value that goes through its codecs.
    pub value_seconds: Duration,
    /// Time that running statements have to end after SIGTERM.
    pub shutdown_seconds: Duration,
    /// Clients at the same time; the next one is refused.
    pub sessions: usize,
    /// Prepared statements of a session that something must be known of: those on codec tables,
    /// and DDL.
    pub prepared_statements: usize,
    /// What a session may have sent ahead for codec parameters by `COM_STMT_SEND_LONG_DATA`, in
    /// bytes.
    pub long_data_bytes: u64,
}

/// How fresh the catalog of codec columns is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// Longest time until a change made elsewhere than through this proxy is seen.
    pub max_age_seconds: Duration,
}

/// The console.
#[derive(Debug, Clone, PartialEq)]
pub struct Admin {
    /// `host:port`; port 0 is any free one.
    pub address: String,
    /// Who may log in.
    pub user: String,
    /// With this password, which is not empty.
    pub password: Secret,
    /// Clients at the same time; the next one is refused.
    pub clients: usize,
}

/// What is served by HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    /// `host:port`; port 0 is any free one.
    pub address: String,
    /// Connections at the same time; the next one is closed.
    pub clients: usize,
}

impl Limits {
    /// What store work is given.
    pub fn store(&self) -> StoreLimits {
        StoreLimits {
            deadline: self.store_seconds,
            parallel: self.store_parallel,
        }
    }

    /// The bounds of one value on its way through its codecs.
    pub fn value(&self) -> ValueLimits {
        ValueLimits {
            bytes: self.value_bytes,
            depth: self.value_depth,
            json_bytes: self.json_bytes,
            files: self.directory_files,
        }
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            enabled: true,
            identity: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let value = ValueLimits::default();
        Self {
            statement_bytes: 1 << 30,
            row_bytes: 1 << 30,
            store_parallel: 32,
            prefetch_bytes: 64 << 20,
            value_bytes: value.bytes,
            value_depth: value.depth,
            json_bytes: value.json_bytes,
            directory_files: value.files,
            login_seconds: Duration::from_secs(10),
            store_seconds: Duration::from_secs(60),
            value_seconds: Duration::from_secs(600),
            shutdown_seconds: Duration::from_secs(30),
            sessions: 10_000,
            prepared_statements: 4096,
            long_data_bytes: 4 << 30,
        }
    }
}

impl Default for Catalog {
    fn default() -> Self {
        Self {
            max_age_seconds: Duration::from_secs(5),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests;
