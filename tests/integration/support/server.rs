//! A private MariaDB: own data directory, own socket, a free loopback port.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::client::{Client, Login};

/// The account that the configuration of codec-proxy names: it reads the catalog.
pub const CATALOG_USER: &str = "catalog";
/// Its password.
pub const CATALOG_PASSWORD: &str = "reads \"comments\"";

/// A running MariaDB that is killed, and its files removed, when this is dropped.
pub struct Server {
    /// TCP port on 127.0.0.1; `root` has an empty password.
    pub port: u16,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server with further `mariadbd` options and waits until it answers.
    pub fn start(options: &[&str]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("codec-proxy-tests-")
            .tempdir()
            .expect("a temporary directory");
        let data = folder.path().join("data");
        run(Command::new("cp").arg("-a").arg(template()).arg(&data));
        let port = free_port();
        let process = spawn(folder.path(), &data, port, options);
        let server = Self {
            port,
            process,
            _folder: folder,
        };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Err(fault) = Client::connect(self.port, &Login::root()) {
            if Instant::now() > deadline {
                let log = fs::read_to_string(self._folder.path().join("error.log"));
                panic!(
                    "MariaDB did not start: {fault}\n{}",
                    log.unwrap_or_default()
                );
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The data directory goes as well, so nothing is worth a slow shutdown.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that nothing listens on at this moment.
///
/// It is below those that Linux gives to outgoing connections, one of which could take it before
/// the server does, and not one that a test has just been given.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let spread = std::process::id().wrapping_mul(7919).wrapping_add(count);
        let port = 12_000 + (spread % 20_000) as u16;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn spawn(folder: &Path, data: &Path, port: u16, options: &[&str]) -> Child {
    let option = |name: &str, path: &Path| format!("--{name}={}", path.display());
    // PDEATHSIG: the server must not survive a test process that is killed.
    let mut command = Command::new("setpriv");
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env("PATH", path + ":/usr/sbin") // not on every user's
        .args(["--pdeathsig", "KILL", "mariadbd", "--no-defaults"])
        .args(as_root())
        .arg(option("datadir", data))
        // In a folder that they share, servers remove each other's temporary tables.
        .arg(option("tmpdir", folder))
        .arg(option("socket", &folder.join("m.sock")))
        .arg(option("pid-file", &folder.join("m.pid")))
        .arg(option("log-error", &folder.join("error.log")))
        .arg(format!("--port={port}"))
        .args([
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=48M",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--max-allowed-packet=1G",
            "--max-connections=1000",
            "--performance-schema=OFF",
            "--plugin-load-add=auth_ed25519",
        ])
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("mariadbd starts")
}

/// MariaDB refuses to run as root unless told so; a folder below /root is closed to others.
fn as_root() -> Option<&'static str> {
    let uid = fs::metadata("/proc/self").expect("/proc is mounted").uid();
    (uid == 0).then_some("--user=root")
}

/// The data directory that every server starts from a copy of; made once per target directory,
/// and anew for other accounts.
fn template() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    accounts().hash(&mut hasher);
    let name = format!("mariadb-template-{:x}", hasher.finish());
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if made.exists() {
        return made;
    }
    let making = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("target is writable");
    let data = making.path().join("data");
    let init = making.path().join("init.sql");
    fs::write(&init, accounts()).expect("target is writable");
    run(Command::new("mariadb-install-db")
        .arg("--no-defaults")
        .args(as_root())
        .arg(format!("--datadir={}", data.display()))
        .arg(format!("--tmpdir={}", making.path().display()))
        .arg(format!("--extra-file={}", init.display()))
        .args([
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        ]));
    // Another process may have been faster: its template is as good.
    let _ = fs::rename(&data, &made);
    made
}

/// The anonymous accounts go: they shadow `user@'%'` on localhost.
fn accounts() -> String {
    format!(
        "DELETE FROM mysql.global_priv WHERE User='';\n\
         FLUSH PRIVILEGES;\n\
         CREATE USER '{CATALOG_USER}'@'%' IDENTIFIED BY '{CATALOG_PASSWORD}';\n\
         GRANT SELECT, SHOW VIEW ON *.* TO '{CATALOG_USER}'@'%';\n"
    )
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|fault| panic!("{command:?}: {fault}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
