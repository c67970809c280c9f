//! The command line and the configuration, as an operator meets them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::lab::{Lab, database_port, default_config};
use crate::support::proxy::binary;

fn run(arguments: &[&str], config: Option<&Path>, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary());
    command.args(arguments).envs(environment.iter().copied());
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    command.output().expect("codec-proxy runs")
}

/// Everything that it printed.
fn told(output: &Output) -> String {
    let bytes = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A folder with a store and a configuration file, as [`default_config`] has it but changed.
fn configured(change: impl FnOnce(String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let store = folder.path().join("store");
    fs::create_dir(&store).expect("a folder");
    fs::write(folder.path().join("c.toml"), change(default_config(&store))).expect("a file");
    folder
}

#[test]
fn help_and_version() {
    let version = run(&["--version"], None, &[]);
    assert!(version.status.success());
    assert_eq!(
        told(&version).trim(),
        concat!("codec-proxy ", env!("CARGO_PKG_VERSION"))
    );
    let help = run(&["--help"], None, &[]);
    assert!(help.status.success());
    for word in ["serve", "check", "sandbox"] {
        assert!(told(&help).contains(word), "{word}: {}", told(&help));
    }
    assert!(!run(&["no-such-command"], None, &[]).status.success());
    assert!(
        !run(&["serve", "--config", "/no/such/file"], None, &[])
            .status
            .success()
    );
}

#[test]
fn a_key_that_is_not_known_is_told_with_the_nearest() {
    for (wrong, named, nearest) in [
        ("adress = \"127.0.0.1:1\"", "adress", "address"),
        ("user_name = \"x\"", "user_name", "user"),
    ] {
        let folder =
            configured(|config| config.replace("[database]\n", &format!("[database]\n{wrong}\n")));
        for command in ["serve", "check"] {
            let output = run(&[command], Some(&folder.path().join("c.toml")), &[]);
            assert!(!output.status.success(), "{command}");
            let told = told(&output);
            assert!(
                told.contains(named) && told.contains(nearest),
                "{command}: {told}"
            );
        }
    }
    let folder = configured(|config| {
        config.replace("[stores.main]\n", "[stores.main]\nlocatoin = \"/x\"\n")
    });
    let output = run(&["check"], Some(&folder.path().join("c.toml")), &[]);
    assert!(!output.status.success());
    assert!(
        told(&output).contains("locatoin") && told(&output).contains("location"),
        "{}",
        told(&output)
    );
    let folder = configured(|config| config.replace("view = \"bytes\"", "view = \"bites\""));
    let output = run(&["check"], Some(&folder.path().join("c.toml")), &[]);
    assert!(!output.status.success());
    assert!(
        told(&output).contains("bites") && told(&output).contains("bytes"),
        "{}",
        told(&output)
    );
}

#[test]
fn check_finds_what_is_wrong() {
    let check = |folder: &tempfile::TempDir, environment: &[(&str, &str)]| {
        let output = run(&["check"], Some(&folder.path().join("c.toml")), environment);
        (output.status.success(), told(&output))
    };
    let right = configured(|config| config);
    let (success, told) = check(&right, &[]);
    assert!(success, "{told}");
    assert!(told.contains("main"), "{told}");
    let left: Vec<_> = crate::support::objects::objects(&right.path().join("store"));
    assert!(left.is_empty(), "the probe is gone: {left:?}");

    let (success, told) = check(
        &right,
        &[("CODEC_PROXY__DATABASE__PASSWORD", "not the password")],
    );
    assert!(!success && told.contains("1045"), "{told}");
    assert!(!told.contains("not the password"), "{told}");
    let (success, told) = check(&right, &[("CODEC_PROXY__DATABASE__ADDRESS", "127.0.0.1:1")]);
    assert!(!success && told.contains("127.0.0.1:1"), "{told}");
    // Every fault is told, not only the first.
    let wrong = configured(|config| config.replace("/store\"", "/no/such/folder\""));
    let (success, told) = check(&wrong, &[("CODEC_PROXY__DATABASE__PASSWORD", "x")]);
    assert!(
        !success && told.contains("1045") && told.contains("main"),
        "{told}"
    );
}

/// The configured password in a file of its own, and a column that needs a store there is none of.
#[test]
fn check_reads_secrets_and_columns() {
    let lab = Lab::new("check_columns");
    lab.table(
        "t",
        "id INT, data JSON COMMENT ':<blob@main>:', far JSON COMMENT ':<blob@main>:'",
    );
    let folder = configured(|config| {
        config.replace(
            "password = 'reads \"comments\"'",
            "password_file = \"secret\"",
        )
    });
    fs::write(folder.path().join("secret"), "reads \"comments\"\n").expect("a file");
    let output = run(&["check"], Some(&folder.path().join("c.toml")), &[]);
    assert!(told(&output).contains("codec columns"), "{}", told(&output));
    assert!(
        !told(&output).contains("reads \"comments\""),
        "{}",
        told(&output)
    );
}

/// The log holds neither values nor passwords, whatever happens.
#[test]
fn the_log_holds_no_secrets() {
    let mut lab = Lab::new("log");
    lab.blob_table("t");
    let mut client = lab.bytes();
    client.ok("INSERT INTO t (id, data) VALUES (1, 'mYm\\0 a value that is nobodys business')");
    client.error("INSERT INTO t (id, data) VALUES (2, 'a value that is nobodys business')");
    client.error("SELECT 'a value that is nobodys business' FROM missing_table");
    for object in crate::support::objects::objects(&lab.store) {
        fs::remove_file(object).expect("an object");
    }
    client.error("SELECT data FROM t");
    lab.proxy.terminate();
    assert!(lab.proxy.wait().success());
    let log = lab.proxy.log();
    for secret in [
        "nobodys business",
        crate::support::lab::PASSWORD,
        "reads \\\"comments",
        "pass'word",
    ] {
        assert!(!log.contains(secret), "{secret}:\n{log}");
    }
}

/// A database that cannot be reached at the start: an error that says so, or waiting for it.
#[test]
fn serve_without_a_store_or_a_port() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let folder =
        configured(|config| config.replacen("127.0.0.1:0", &format!("127.0.0.1:{port}"), 1));
    let output = run(&["serve"], Some(&folder.path().join("c.toml")), &[]);
    assert!(!output.status.success());
    assert!(
        told(&output).contains(&port.to_string()),
        "{}",
        told(&output)
    );
    let _ = database_port();
}
