//! The clients that people use: the `mysql` prompt and PyMySQL.

use std::io::Write;
use std::process::{Command, Stdio};

use super::{PASSWORD, USER, console, lab_with};
use crate::support::client::{Client, Login};
use crate::support::lab::Lab;
use crate::support::python;

/// What the prompt prints for these lines, errors included.
fn prompt(lab: &Lab, options: &[&str], lines: &str) -> String {
    let mut client = Command::new("mysql")
        .args([
            "--no-defaults",
            "--protocol=tcp",
            "--host=127.0.0.1",
            "--force",
        ])
        .arg(format!("--port={}", lab.proxy.console()))
        .arg(format!("--user={USER}"))
        .arg(format!("--password={PASSWORD}"))
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("mysql runs");
    let mut input = client.stdin.take().expect("piped");
    input.write_all(lines.as_bytes()).expect("it reads");
    drop(input);
    let output = client.wait_with_output().expect("it ends");
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn the_prompt_shows_the_process() {
    let lab = lab_with("prompt", "");
    lab.blob_table("scan");
    // As it is when it begins: names to complete, the version.
    let text = prompt(
        &lab,
        &["--table", "--auto-rehash", "--database=codec_proxy"],
        "\\s\nshow codecs;\nSHOW STORES PROBE;\nresolve '<blob@>';\nshow tables;\nhelp contents;\nshow help;\n",
    );
    for expected in [
        "8.0.11-codec-proxy-0.1.0 codec-proxy console",
        "Uptime:",
        "Current user:\t\tadmin@127.0.0.1",
        "| blob     | bytes      | <hash> | hash       | built-in |",
        "| <blob@> | <blob> → <hash> → json",
        "ok: stored, read back, deleted",
        "| sessions ",
        "| KILL id ",
        "KILL id                          ends a session",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert!(!text.contains("ERROR"), "{text}");
    let text = prompt(
        &lab,
        &["--batch"],
        &format!(
            "show columns from {};\nselect user(), 5 as five;\nset names utf8mb4;\n",
            lab.database
        ),
    );
    let expected = format!(
        "Column\tType\tChain\tStored as\tStore\tState\tWarning\n\
         {}.scan.data\t<blob@main>\t<blob> → <hash> → json\tjson\tmain\tok\tNULL\n\
         user()\tfive\nadmin@127.0.0.1\t5\n",
        lab.database
    );
    assert_eq!(text, expected);
    let text = prompt(&lab, &["--batch"], "show status like 'sessions\\_%'\\G");
    assert_eq!(text.matches("Variable_name: sessions").count(), 1, "{text}");
    let text = prompt(
        &lab,
        &[],
        "shwo stores;\nresolve '<graf@>';\nkill 4711;\nselect 1;\n",
    );
    for expected in [
        "ERROR 1064 (42000) at line 1: codec-proxy: this is no command of the console; did you \
         mean SHOW STORES? SHOW HELP lists all",
        "ERROR 1235 (42000) at line 2: codec-proxy: Unknown codec: <graf>",
        "ERROR 1094 (HY000) at line 3: codec-proxy: there is no session 4711",
        "1\n1\n",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn python_reads_it() {
    let lab = lab_with("pymysql", "");
    let program = [
        ("CONSOLE_PORT", lab.proxy.console().to_string()),
        ("CONSOLE_USER", USER.to_owned()),
        ("CONSOLE_PASSWORD", PASSWORD.to_owned()),
    ];
    let environment = python::environment("dj0");
    python::run(&environment, "console.py", "read", &program, lab.folder());
}

#[test]
fn secrets_are_nowhere() {
    let store = "\n[stores.far]\nprotocol = \"s3\"\nendpoint = \"127.0.0.1:1\"\nbucket = \"b\"\n\
                 location = \"\"\naccess_key = \"SECRET-A\"\nsecret_key = \"SECRET-B\"\n\
                 proxy_server = \"http://SECRET-C:SECRET-D@127.0.0.1:2\"\n\
                 [limits]\nstore_seconds = 1\n\
                 [metrics]\naddress = \"127.0.0.1:0\"\n";
    let lab = lab_with("secrets", store);
    let mut client = console(&lab);
    let config = client.query("SHOW CONFIG").expect("rows");
    let of = |key: &str| {
        let at = config.texts("Key").iter().position(|k| k == key);
        config.texts("Value")[at.unwrap_or_else(|| panic!("{key}"))].clone()
    };
    for key in [
        "database.password",
        "admin.password",
        "stores.far.secret_key",
    ] {
        assert_eq!(of(key), "***", "{key}");
    }
    assert_eq!(of("admin.user"), USER);
    assert_eq!(of("limits.store_seconds"), "1");
    let mut all = format!("{:?}{:?}", config.texts("Key"), config.texts("Value"));
    for statement in [
        "SHOW STORES PROBE",
        "SHOW STATUS",
        "SHOW VARIABLES",
        "RELOAD",
    ] {
        let answer = client.query(statement).expect("rows");
        for column in &answer.columns {
            all += &format!("{:?}", answer.texts(&column.name));
        }
    }
    for path in ["/", "/metrics", "/ready"] {
        all += &crate::metrics::get(lab.proxy.web(), path).body;
    }
    all += &lab.proxy.log();
    assert!(all.contains("far"), "{all}");
    for secret in ["SECRET", PASSWORD, crate::support::server::CATALOG_PASSWORD] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}

#[test]
fn only_the_account_gets_in() {
    let lab = lab_with("accounts", "");
    let port = lab.proxy.console();
    for (user, password) in [(USER, "wrong"), (USER, ""), ("root", PASSWORD), ("", "")] {
        let Err(error) = Client::connect(port, &Login::new(user, password)) else {
            panic!("{user} {password}");
        };
        assert_eq!(
            (error.code, error.sqlstate.as_str()),
            (1045, "28000"),
            "{error:?}"
        );
        assert!(
            error.message.starts_with("Access denied for user"),
            "{error:?}"
        );
    }
    for _ in 0..3 {
        let mut client = console(&lab);
        assert_eq!(client.text("SELECT CURRENT_USER()"), "admin@127.0.0.1");
    }
    // There is none without the section.
    let other = Lab::new("no_console");
    assert!(!other.proxy.log().contains("the console listens"));
}
