//! A private MariaDB server: its own folder, socket and loopback port. A server that the machine
//! runs already is neither used nor noticed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::guard::Guard;
use super::{CATALOG, CLIENT, SandboxError, io_error};

/// Another process may take the free port that was found before the server does.
const TRIES: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; dropping it stops it.
pub(super) struct Mariadb {
    address: SocketAddr,
    _guard: Guard,
}

impl Mariadb {
    /// Starts a server in `folder`, with the data that are there or with none, and with the two
    /// accounts of the sandbox.
    pub(super) fn start(folder: &Path, mut guard: Guard) -> Result<Self, SandboxError> {
        let account = Account::for_server(folder)?;
        let server = program("mariadbd")?;
        if !folder.join("data").join("mysql").exists() {
            install(folder, &account, &mut guard)?;
        }
        write_accounts(folder, &account)?;

        let mut tries_left = TRIES;
        loop {
            let address = free_address().map_err(|source| io_error(folder, source))?;
            tries_left -= 1;
            match run(&server, folder, &account, address, &mut guard) {
                Ok(()) => {
                    return Ok(Self {
                        address,
                        _guard: guard,
                    });
                }
                Err(SandboxError::Mariadb(log))
                    if tries_left > 0 && log.contains("Bind on TCP/IP port") => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Fills the data folder with the system's own tables.
fn install(folder: &Path, account: &Account, guard: &mut Guard) -> Result<(), SandboxError> {
    let log = folder.join("install.log");
    let out = File::create(&log).map_err(|source| io_error(&log, source))?;
    let err = out.try_clone().map_err(|source| io_error(&log, source))?;
    let mut command = Command::new(program("mariadb-install-db")?);
    command
        .args([
            "--no-defaults",
            "--auth-root-authentication-method=socket",
            "--skip-test-db",
        ])
        .args(["--skip-name-resolve", "--innodb-log-file-size=48M"])
        // Ten times faster: a folder that was empty a moment ago has nothing to lose in a crash.
        .arg("--debug-no-sync")
        .arg(path_option("--datadir=", &folder.join("data")))
        .arg(path_option("--tmpdir=", folder))
        .args(account.user_option())
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err);
    let child = guard.spawn(&mut command)?;
    let status = child.wait().map_err(|source| io_error(&log, source))?;
    if status.success() {
        Ok(())
    } else {
        Err(SandboxError::Mariadb(last_lines(&log)))
    }
}

/// Writes what the server does before it takes clients: no account without a name (those shadow
/// `user@'%'` for local clients), one for the proxy and one for its clients.
fn write_accounts(folder: &Path, account: &Account) -> Result<(), SandboxError> {
    let file = accounts_file(folder);
    let (client, client_password) = CLIENT;
    let (catalog, catalog_password) = CATALOG;
    // One statement a line: that is how the server reads it.
    let text = format!(
        "DELETE FROM mysql.global_priv WHERE User = '';\n\
         FLUSH PRIVILEGES;\n\
         CREATE USER IF NOT EXISTS '{catalog}'@'%' IDENTIFIED BY '{catalog_password}';\n\
         GRANT SELECT, SHOW VIEW ON *.* TO '{catalog}'@'%';\n\
         CREATE USER IF NOT EXISTS '{client}'@'%' IDENTIFIED BY '{client_password}';\n\
         GRANT ALL ON *.* TO '{client}'@'%';\n"
    );
    fs::write(&file, text).map_err(|source| io_error(&file, source))?;
    account.hand_over(&file)
}

/// Starts the server and waits until it takes clients.
fn run(
    server: &Path,
    folder: &Path,
    account: &Account,
    address: SocketAddr,
    guard: &mut Guard,
) -> Result<(), SandboxError> {
    let log = folder.join("server.log");
    let mut command = Command::new(server);
    command
        .arg("--no-defaults")
        .args(account.user_option())
        .arg(path_option("--datadir=", &folder.join("data")))
        // A server removes what others left in its temporary folder, in /tmp also what they use.
        .arg(path_option("--tmpdir=", folder))
        .arg(path_option("--socket=", &folder.join("server.sock")))
        .arg(path_option("--pid-file=", &folder.join("server.pid")))
        .arg(path_option("--log-error=", &log))
        .arg(path_option("--init-file=", &accounts_file(folder)))
        .arg(format!("--bind-address={}", address.ip()))
        .arg(format!("--port={}", address.port()))
        .args([
            "--skip-name-resolve",
            "--performance-schema=OFF",
            "--max-allowed-packet=1G",
        ])
        .args([
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=48M",
        ])
        .arg("--innodb-flush-log-at-trx-commit=2")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = guard.spawn(&mut command)?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if child
            .try_wait()
            .map_err(|source| io_error(server, source))?
            .is_some()
        {
            break;
        }
        if greets(address) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(25));
    }
    Err(SandboxError::Mariadb(last_lines(&log)))
}

/// Does a server speak there? It is a MySQL server's part to speak first, and it does so only
/// when it is ready for clients.
fn greets(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else {
        return false;
    };
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .is_ok()
        && stream.read_exact(&mut [0]).is_ok()
}

/// A loopback address with a port that is free now.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Finds one of MariaDB's programs, also where only root's PATH leads.
fn program(name: &'static str) -> Result<PathBuf, SandboxError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/usr/local/mysql/bin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or(SandboxError::NotInstalled(name))
}

/// The user that the server runs as: MariaDB declines to run as root.
enum Account {
    Own,
    Other { name: String, uid: u32, gid: u32 },
}

impl Account {
    /// Decides it, and hands `folder` over to that user.
    fn for_server(folder: &Path) -> Result<Self, SandboxError> {
        let owner = fs::metadata(folder)
            .map_err(|source| io_error(folder, source))?
            .uid();
        let this_process = fs::metadata("/proc/self").map_or(owner, |process| process.uid());
        if this_process != 0 {
            return Ok(Self::Own);
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let account = ["mysql", "nobody"]
            .iter()
            .find_map(|name| Self::from_passwd(&passwd, name))
            .unwrap_or(Self::Own);
        account.hand_over(folder)?;
        Ok(account)
    }

    /// Reads the line `name:password:uid:gid:…`.
    fn from_passwd(passwd: &str, wanted: &str) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next().filter(|name| *name == wanted)?.to_owned();
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(Self::Other { name, uid, gid })
        })
    }

    fn hand_over(&self, path: &Path) -> Result<(), SandboxError> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid, .. } => {
                chown(path, Some(*uid), Some(*gid)).map_err(|source| io_error(path, source))
            }
        }
    }

    fn user_option(&self) -> Option<String> {
        match self {
            Self::Own => None,
            Self::Other { name, .. } => Some(format!("--user={name}")),
        }
    }
}

fn accounts_file(folder: &Path) -> PathBuf {
    folder.join("accounts.sql")
}

fn path_option(option: &str, path: &Path) -> std::ffi::OsString {
    let mut text = std::ffi::OsString::from(option);
    text.push(path);
    text
}

/// The end of a log, where a server that gave up says why.
fn last_lines(log: &Path) -> String {
    let text =
        fs::read_to_string(log).unwrap_or_else(|error| format!("{}: {error}", log.display()));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn finds_the_server_account_among_similar_names() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nmysqld:x:7:7::/:\nmysql:x:102:105:MySQL:/nonexistent:/bin/false\n";
        let Some(Account::Other { name, uid, gid }) = Account::from_passwd(passwd, "mysql") else {
            panic!("not found");
        };
        assert_eq!((name.as_str(), uid, gid), ("mysql", 102, 105));
        assert!(Account::from_passwd(passwd, "nobody").is_none());
    }
}
