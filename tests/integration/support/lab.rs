//! One test's own corner: a database of its own name, a store folder, a proxy with both views.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::client::{Client, Login};
use super::keeper::{self, Claim};
use super::mysql;
use super::proxy::{Proxy, binary};
use super::server::{CATALOG_PASSWORD, CATALOG_USER};

/// The password of every account that a lab makes; with characters that SQL quotes. (PyMySQL
/// writes passwords in latin1, so it is ASCII.)
pub const PASSWORD: &str = "pass'word\"$";

/// A database, an account that owns it, a store folder and a proxy.
pub struct Lab {
    pub proxy: Proxy,
    pub database: String,
    /// Has all rights on the lab's database, and PROCESS.
    pub user: String,
    pub store: PathBuf,
    /// Port of the database, which is the one that all tests share or a MySQL.
    pub port: u16,
    folder: tempfile::TempDir,
}

/// The port of the MariaDB that all tests share.
pub fn database_port() -> u16 {
    static CLAIM: OnceLock<Claim> = OnceLock::new();
    CLAIM.get_or_init(keeper::claim).port
}

impl Lab {
    pub fn new(name: &str) -> Self {
        Self::with_config(name, |config| config)
    }

    /// A lab whose configuration file is changed on the way.
    pub fn with_config(name: &str, change: impl FnOnce(String) -> String) -> Self {
        Self::at(database_port(), name, change)
    }

    /// A lab on a real MySQL; `None`, with a visible line, where the environment names none.
    pub fn on_mysql(name: &str) -> Option<Self> {
        mysql::port().map(|port| Self::at(port, name, |config| config))
    }

    /// A lab on the database at a port of this machine.
    pub fn at(port: u16, name: &str, change: impl FnOnce(String) -> String) -> Self {
        Self::of_binary(&binary(), port, name, |config, _| change(config))
    }

    /// A lab whose proxy is another program than the one just built; the configuration may name
    /// what is in the lab's folder.
    pub fn of_binary(
        program: &str,
        port: u16,
        name: &str,
        change: impl FnOnce(String, &Path) -> String,
    ) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("codec-proxy-lab-")
            .tempdir()
            .expect("a temporary directory");
        let store = folder.path().join("store");
        fs::create_dir(&store).expect("a new directory");
        let database = make_database(port, name);
        let config = folder.path().join("codec-proxy.toml");
        let text = change(config_of(port, &store), folder.path());
        fs::write(&config, &text).expect("a new file");
        let proxy = Proxy::of_binary(program, &config, text.matches("[[listen]]").count());
        Self {
            proxy,
            user: database.clone(),
            database,
            store,
            port,
            folder,
        }
    }

    /// A folder that goes with the lab.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn login(&self) -> Login {
        Login::new(&self.user, PASSWORD).database(&self.database)
    }

    /// A client of the database itself.
    pub fn direct(&self) -> Client {
        self.connect(self.port, &self.login())
    }

    /// A client of the listener with the `bytes` view.
    pub fn bytes(&self) -> Client {
        self.connect(self.proxy.port("bytes"), &self.login())
    }

    /// A client of the listener with the `stored` view.
    pub fn stored(&self) -> Client {
        self.connect(self.proxy.port("stored"), &self.login())
    }

    pub fn connect(&self, port: u16, login: &Login) -> Client {
        Client::connect(port, login).unwrap_or_else(|error| panic!("{}: {error}", login.user))
    }

    /// Makes a table with the columns given, as they are to be stored, markers included.
    ///
    /// Through the proxy, which so knows of it at once.
    pub fn table(&self, name: &str, columns: &str) {
        self.stored()
            .ok(format!("CREATE TABLE `{name}` ({columns})"));
    }

    /// The usual table: `id` and the nullable codec column `data` of `<blob@main>`.
    pub fn blob_table(&self, name: &str) {
        self.table(
            name,
            "id INT PRIMARY KEY, note VARCHAR(200), data JSON COMMENT ':<blob@main>:raw traces'",
        );
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let Ok(mut root) = Client::connect(self.port, &Login::root()) else {
            return;
        };
        let _ = root.query(format!("DROP DATABASE IF EXISTS `{}`", self.database));
        let _ = root.query(format!("DROP USER IF EXISTS '{}'@'%'", self.user));
    }
}

/// A new database with an account of the same name that owns it.
fn make_database(port: u16, name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let database = format!("t{}_{count}_{name}", std::process::id());
    let mut root = Client::connect(port, &Login::root()).expect("root logs in");
    let password = PASSWORD.replace('\'', "''");
    root.ok(format!(
        "CREATE DATABASE `{database}` CHARACTER SET utf8mb4"
    ));
    root.ok(format!(
        "CREATE USER '{database}'@'%' IDENTIFIED BY '{password}'"
    ));
    root.ok(format!("GRANT ALL ON `{database}`.* TO '{database}'@'%'"));
    root.ok(format!("GRANT PROCESS, RELOAD ON *.* TO '{database}'@'%'"));
    mysql::remember(port, &database, PASSWORD);
    database
}

/// The configuration of a lab: both views, one folder as the default store.
pub fn default_config(store: &Path) -> String {
    config_of(database_port(), store)
}

fn config_of(port: u16, store: &Path) -> String {
    format!(
        r#"
[database]
address = "127.0.0.1:{port}"
user = "{CATALOG_USER}"
password = '{CATALOG_PASSWORD}'

[[listen]]
address = "127.0.0.1:0"
view = "bytes"

[[listen]]
address = "127.0.0.1:0"
view = "stored"

[stores]
default = "main"

[stores.main]
protocol = "file"
location = "{store}"
"#,
        store = store.display(),
    )
}
