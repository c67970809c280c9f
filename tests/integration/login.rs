//! Clients log in to the database itself, whatever way it asks for.

use std::process::{Command, Output};

use crate::support::client::{Client, Login};
use crate::support::lab::{Lab, PASSWORD, database_port};
use crate::support::server::Server;

/// Runs the `mariadb` command line.
fn mariadb(port: u16, user: &str, password: &str, options: &[&str], sql: &str) -> Output {
    Command::new("mariadb")
        .args([
            "--no-defaults",
            "--protocol=tcp",
            "--host=127.0.0.1",
            "--batch",
            "--skip-column-names",
        ])
        .arg(format!("--port={port}"))
        .arg(format!("--user={user}"))
        .arg(format!("--password={password}"))
        .args(options)
        .args(["-e", sql])
        .output()
        .expect("mariadb runs")
}

fn stdout(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn stderr(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

/// An account made for one test, gone with the lab's server or at its end.
struct Account<'a> {
    lab: &'a Lab,
    name: String,
}

impl<'a> Account<'a> {
    fn new(lab: &'a Lab, suffix: &str, identified: &str) -> Self {
        let name = format!("{}_{suffix}", lab.database);
        let mut root = Client::connect(database_port(), &Login::root()).expect("root");
        root.ok(format!("CREATE USER '{name}'@'%' {identified}"));
        Self { lab, name }
    }

    /// Direct and through both listeners, without TLS and with it on the way to the proxy.
    fn assert_logs_in(&self, password: &str) {
        for view in ["bytes", "stored"] {
            let port = self.lab.proxy.port(view);
            for options in [&["--skip-ssl"][..], &["--ssl"]] {
                let output = mariadb(port, &self.name, password, options, "SELECT CURRENT_USER()");
                assert_eq!(
                    stdout(&output),
                    format!("{}@%", self.name),
                    "{view} {options:?}"
                );
            }
        }
    }

    /// A wrong password gives what the server says, to the word.
    fn assert_refused(&self, password: &str) {
        let direct = stderr(&mariadb(
            database_port(),
            &self.name,
            password,
            &[],
            "SELECT 1",
        ));
        assert!(
            direct.contains("1045") && direct.contains("Access denied"),
            "{direct}"
        );
        for options in [&["--skip-ssl"][..], &["--ssl"]] {
            let port = self.lab.proxy.port("bytes");
            let proxied = stderr(&mariadb(port, &self.name, password, options, "SELECT 1"));
            assert_eq!(proxied, direct, "{options:?}");
        }
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        if let Ok(mut root) = Client::connect(database_port(), &Login::root()) {
            let _ = root.query(format!("DROP USER '{}'@'%'", self.name));
        }
    }
}

#[test]
fn native_password() {
    let lab = Lab::new("native");
    let account = Account::new(&lab, "n", "IDENTIFIED BY 'sécret'");
    account.assert_logs_in("sécret");
    account.assert_refused("wrong");
    account.assert_refused("");
}

#[test]
fn empty_password() {
    let lab = Lab::new("empty");
    let account = Account::new(&lab, "e", "");
    account.assert_logs_in("");
    account.assert_refused("something");
}

#[test]
fn ed25519() {
    let lab = Lab::new("ed25519");
    let account = Account::new(&lab, "d", "IDENTIFIED VIA ed25519 USING PASSWORD('sécret')");
    account.assert_logs_in("sécret");
    account.assert_refused("wrong");
}

/// MariaDB 10.11 has no caching_sha2_password: a server that has it must be named.
#[test]
fn caching_sha2_password() {
    let Some(lab) = Lab::on_mysql("sha2") else {
        return;
    };
    let direct = lab.port;
    let sql = "CREATE USER IF NOT EXISTS sha2 IDENTIFIED WITH caching_sha2_password BY 'secret'; ALTER USER sha2 IDENTIFIED BY 'secret'";
    stdout(&mariadb(direct, "root", "", &["--ssl"], sql));
    // The first login takes the full path, the second the fast one.
    for _ in 0..2 {
        let output = mariadb(
            lab.proxy.port("bytes"),
            "sha2",
            "secret",
            &["--ssl"],
            "SELECT CURRENT_USER()",
        );
        assert_eq!(stdout(&output), "sha2@%");
    }
    let refused = stderr(&mariadb(
        lab.proxy.port("bytes"),
        "sha2",
        "wrong",
        &["--ssl"],
        "SELECT 1",
    ));
    assert!(refused.contains("1045"), "{refused}");
}

#[test]
fn unknown_user_and_unknown_database() {
    let lab = Lab::new("unknown");
    for login in [
        Login::new("nobody_of_this_name", "x"),
        lab.login().database("no_such_database"),
        Login::new(&lab.user, "wrong").database(&lab.database),
    ] {
        let error = |port: u16| Client::connect(port, &login).err().expect("refused");
        let direct = error(database_port());
        assert!(direct.code > 0);
        assert_eq!(error(lab.proxy.port("bytes")), direct);
    }
}

/// A client that insists on TLS gets it, and its statements and values pass.
#[test]
fn tls_for_clients() {
    let lab = Lab::new("tls");
    lab.blob_table("t");
    let port = lab.proxy.port("bytes");
    let run = |sql: &str| {
        stdout(&mariadb(
            port,
            &lab.user,
            PASSWORD,
            &["--ssl", "--default-character-set=utf8mb4", &lab.database],
            sql,
        ))
    };
    run("INSERT INTO t (id, data) VALUES (1, X'6d596d0001')");
    assert_eq!(
        run("SELECT HEX(note), id FROM t WHERE data IS NOT NULL"),
        "NULL\t1"
    );
    let value = run("SELECT data FROM t");
    assert_eq!(value, "mYm\\0\u{1}");
    assert_eq!(
        run("SHOW STATUS LIKE 'Ssl_cipher'"),
        "Ssl_cipher",
        "the database leg is plain"
    );
    let statuses = run("\\s");
    assert!(
        statuses.contains("Cipher in use") || statuses.contains("SSL:"),
        "{statuses}"
    );
    let big = "x".repeat(3_000_000);
    let length = run(&format!("SELECT LENGTH('{}')", &big[..100_000]));
    assert_eq!(length, "100000");
    assert_eq!(run("SELECT REPEAT('x', 3000000)"), big);
}

/// TLS can be switched off; then a client that insists is told that there is none.
#[test]
fn without_tls() {
    let lab = Lab::with_config("no_tls", |config| config + "\n[tls]\nenabled = false\n");
    let port = lab.proxy.port("bytes");
    let refused = stderr(&mariadb(
        port,
        &lab.user,
        PASSWORD,
        &["--ssl", "--ssl-verify-server-cert"],
        "SELECT 1",
    ));
    assert!(refused.contains("SSL is required"), "{refused}");
    let output = mariadb(port, &lab.user, PASSWORD, &["--skip-ssl"], "SELECT 1");
    assert_eq!(stdout(&output), "1");
}

/// TLS to the database, for a client with TLS and one without.
#[test]
fn tls_to_the_database() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
        .expect("a certificate");
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let certificate = file("server.pem", made.cert.pem());
    let key = file("server.key", made.signing_key.serialize_pem());
    let server = Server::start(&[
        &format!("--ssl-cert={certificate}"),
        &format!("--ssl-key={key}"),
    ]);
    let mut root = Client::connect(server.port, &Login::root()).expect("root");
    root.ok("CREATE USER safe@'%' IDENTIFIED BY 'secret' REQUIRE SSL");
    for (tls, options, ends) in [
        ("always", "--ssl", "safe@%"),
        ("always", "--skip-ssl", "safe@%"),
        ("follow", "--ssl", "safe@%"),
        ("follow", "--skip-ssl", "1045"),
        ("off", "--ssl", "1045"),
    ] {
        let lab = Lab::with_config("tls_database", |config| {
            config.replace(
                &format!("address = \"127.0.0.1:{}\"", database_port()),
                &format!("address = \"127.0.0.1:{}\"\ntls = \"{tls}\"", server.port),
            )
        });
        let port = lab.proxy.port("bytes");
        let output = mariadb(port, "safe", "secret", &[options], "SELECT CURRENT_USER()");
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(told.contains(ends), "{tls} {options}: {told}");
    }
}
