//! A complete codec-proxy on one machine, to try it with: a private MariaDB, a folder as the
//! store, and the proxy between them. Nothing of it is left when it ends, however it ends.

mod guard;
mod mariadb;

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, ConfigError};
use crate::server::{self, ServeError};
use guard::Guard;
use mariadb::Mariadb;

/// The account of the sandbox's clients.
const CLIENT: (&str, &str) = ("lab", "lab");
/// The account that the proxy reads the catalog with.
const CATALOG: (&str, &str) = ("proxy", "proxy");
/// A unix socket's path may be 107 bytes long; `database/server.sock` must still fit.
const LONGEST_HOME: usize = 80;

/// What the user may decide about a sandbox.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Port of the `bytes` listener; 0 is any free one.
    pub port: u16,
    /// Port of the `stored` listener; 0 is any free one.
    pub stored_port: u16,
    /// Folder that keeps the database and the store; a temporary one if `None`.
    pub data: Option<PathBuf>,
    /// File that [`Place::to_json`] is written to once clients can connect.
    pub ready_file: Option<PathBuf>,
}

/// Where everything in a running sandbox is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The `bytes` listener: columns as an old program knows them.
    pub bytes: SocketAddr,
    /// The `stored` listener: columns as they are stored.
    pub stored: SocketAddr,
    /// The database itself.
    pub database: SocketAddr,
    /// The folder of the store `main`.
    pub store: PathBuf,
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A file or folder of the sandbox, or a process, could not be made.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// MariaDB is not installed.
    #[error("{0} was not found: install MariaDB's server (Debian: apt-get install mariadb-server)")]
    NotInstalled(&'static str),
    /// MariaDB's own programs failed.
    #[error("the private MariaDB did not start; it said:\n{0}")]
    Mariadb(String),
    /// The configuration made for the proxy was refused: an error in this module.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The proxy did not start.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Starts everything, tells where it is, and stays until SIGINT or SIGTERM.
///
/// # Errors
/// If a part does not start. Whatever had been started is gone by then.
pub fn run(options: &Options) -> Result<(), SandboxError> {
    // Dropped last to first: the database stops before its folder goes.
    let home = Home::new(options.data.as_deref())?;
    let guard = Guard::new(home.removed_at_end())?;
    let database = Mariadb::start(&home.folder("database")?, guard)?;
    let store = home.folder("store")?;

    let file = home.path().join("codec-proxy.toml");
    fs::write(&file, configuration(options, database.address(), &store))
        .map_err(|source| io_error(&file, source))?;
    // The environment is that of another codec-proxy, if of any.
    let config = Config::load(&file, std::iter::empty::<(String, String)>())?;
    let ready = |addresses: &[SocketAddr]| {
        if let &[bytes, stored] = addresses {
            let place = Place {
                bytes,
                stored,
                database: database.address(),
                store,
            };
            announce(&place, options);
        }
    };
    server::serve_until(config, &file, ready, CancellationToken::new())?;
    Ok(())
}

/// The configuration of the sandbox's proxy.
fn configuration(options: &Options, database: SocketAddr, store: &Path) -> String {
    let (user, password) = CATALOG;
    let Options {
        port, stored_port, ..
    } = options;
    format!(
        r#"# Written by `codec-proxy sandbox`.
[database]
address = "{database}"
user = "{user}"
password = "{password}"

[[listen]]
address = "127.0.0.1:{port}"
view = "bytes"

[[listen]]
address = "127.0.0.1:{stored_port}"
view = "stored"

[stores]
default = "main"

[stores.main]
protocol = "file"
location = {location}
"#,
        location = toml::Value::from(store.to_string_lossy().into_owned()),
    )
}

impl Place {
    /// The facts for a program: addresses, account, and the stores as `DJ_STORES` or a
    /// `datajoint.json` has them.
    pub fn to_json(&self) -> serde_json::Value {
        let endpoint =
            |address: SocketAddr| json!({"host": address.ip().to_string(), "port": address.port()});
        json!({
            "user": CLIENT.0,
            "password": CLIENT.1,
            "bytes": endpoint(self.bytes),
            "stored": endpoint(self.stored),
            "database": endpoint(self.database),
            "stores": {"default": "main", "main": {"protocol": "file", "location": self.store}},
        })
    }
}

/// For a person: the line to connect with, and where to look.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, password) = CLIENT;
        let line = |address: SocketAddr| {
            format!(
                "mariadb --protocol=tcp -h{} -P{} -u{user} -p{password}",
                address.ip(),
                address.port()
            )
        };
        writeln!(f, "Connect with    {}", line(self.bytes))?;
        writeln!(
            f,
            "                (DataJoint 0.14, MATLAB: host {}, user {user}, password {password})",
            self.bytes
        )?;
        writeln!(f, "DataJoint 2     {}", line(self.stored))?;
        writeln!(
            f,
            "                (columns as stored; its store \"main\" is the folder below)"
        )?;
        writeln!(f, "No proxy        {}", line(self.database))?;
        write!(f, "Store folder    {}", self.store.display())
    }
}

/// The folder that the sandbox lives in.
enum Home {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Home {
    fn new(data: Option<&Path>) -> Result<Self, SandboxError> {
        let Some(path) = data else {
            let short =
                std::env::temp_dir().as_os_str().len() < LONGEST_HOME - "/codec-proxy-xxxxxx".len();
            let parent = if short {
                std::env::temp_dir()
            } else {
                PathBuf::from("/tmp")
            };
            let home = tempfile::Builder::new()
                .prefix("codec-proxy-")
                .tempdir_in(&parent)
                .map_err(|source| io_error(&parent, source))?;
            // The database may run as another user, who has to get through to its own folder.
            fs::set_permissions(home.path(), fs::Permissions::from_mode(0o711))
                .map_err(|source| io_error(home.path(), source))?;
            return Ok(Self::Temporary(home));
        };
        fs::create_dir_all(path).map_err(|source| io_error(path, source))?;
        let path = path
            .canonicalize()
            .map_err(|source| io_error(path, source))?;
        Ok(Self::Kept(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }

    /// What is to be removed even if this process cannot do it any more.
    fn removed_at_end(&self) -> Option<&Path> {
        match self {
            Self::Temporary(folder) => Some(folder.path()),
            Self::Kept(_) => None,
        }
    }

    fn folder(&self, name: &str) -> Result<PathBuf, SandboxError> {
        let path = self.path().join(name);
        fs::create_dir_all(&path).map_err(|source| io_error(&path, source))?;
        Ok(path)
    }
}

/// Tells the user, and whoever reads the ready file.
fn announce(place: &Place, options: &Options) {
    let end = if options.data.is_some() {
        "everything stops; the data stay"
    } else {
        "everything is removed"
    };
    let mut out = io::stdout().lock();
    // A reader that went away is no reason to end.
    let _ = writeln!(out, "{place}\nOn Ctrl-C {end}.").and_then(|()| out.flush());
    if let Some(file) = &options.ready_file
        && let Err(error) = write_whole(file, &place.to_json().to_string())
    {
        tracing::error!(file = %file.display(), %error, "the ready file cannot be written");
    }
}

/// Writes a file that no reader ever sees half of.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    draft.write_all(text.as_bytes())?;
    draft.persist(file).map(drop).map_err(|error| error.error)
}

fn io_error(path: &Path, source: io::Error) -> SandboxError {
    SandboxError::Io {
        what: path.display().to_string(),
        source,
    }
}
