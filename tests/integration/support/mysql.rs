//! A real MySQL, where there is one: the tests start none, since no stable Debian has it.
//!
//! `CODEC_PROXY_TESTS_MYSQL_PORT` names the port of a MySQL on this machine whose `root` has no
//! password. Tests that need it say visibly that they are skipped where it is not set.

use std::process::Command;

use super::client::{Client, Login};
use super::server::{CATALOG_PASSWORD, CATALOG_USER};

/// The variable that names the port.
const PORT: &str = "CODEC_PROXY_TESTS_MYSQL_PORT";

/// The port of the MySQL to test with, made ready; `None`, with a visible line, if there is none.
pub fn port() -> Option<u16> {
    let Ok(port) = std::env::var(PORT) else {
        eprintln!("SKIPPED: set {PORT} to the port of a MySQL with root and no password");
        return None;
    };
    let port = port.parse().expect("a port");
    make_catalog_account(port);
    Some(port)
}

/// The account that every lab's configuration names.
fn make_catalog_account(port: u16) {
    let mut root = Client::connect(port, &Login::root()).expect("root logs in");
    root.ok(format!(
        "CREATE USER IF NOT EXISTS '{CATALOG_USER}'@'%' IDENTIFIED BY '{CATALOG_PASSWORD}'"
    ));
    root.ok(format!(
        "GRANT SELECT, SHOW VIEW, PROCESS ON *.* TO '{CATALOG_USER}'@'%'"
    ));
    remember(port, CATALOG_USER, CATALOG_PASSWORD);
}

/// Has the server remember the password of a new account, so that it can be used without TLS.
///
/// A MySQL asks for the password itself once, over TLS; any other server remembers nothing.
pub fn remember(port: u16, user: &str, password: &str) {
    if Client::connect(port, &Login::new(user, password)).is_ok() {
        return;
    }
    let status = Command::new("mariadb")
        .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1"])
        .args(["--ssl", "--skip-ssl-verify-server-cert", "-e", "DO 0"])
        .arg(format!("--port={port}"))
        .arg(format!("--user={user}"))
        .arg(format!("--password={password}"))
        .status();
    assert!(status.expect("mariadb runs").success(), "{user} logs in");
}
