//! The command line and the configuration, as an operator meets them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

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
    for word in ["serve", "check", "codecs", "resolve", "columns", "sandbox"] {
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

/// What a listing with `--json` printed. (The log may warn of columns of other tests.)
fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", told(output)))
}

/// The cells of a listing: no cell holds two spaces.
fn cells(output: &Output) -> Vec<Vec<String>> {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    let cells = |line: &str| {
        let cells = line.split("  ").filter(|cell| !cell.is_empty());
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    text.lines().map(cells).collect()
}

/// The codecs of the Codec API's table, with what they become inline and in a store.
#[test]
fn codecs_lists_what_there_is() {
    let known = [
        ("attach", "bytes", "<hash>", "hash"),
        ("blob", "bytes", "<hash>", "hash"),
        ("filepath", "requires @", "json", "reference"),
        ("hash", "requires @", "json", "hash"),
        ("npy", "requires @", "json", "schema"),
        ("object", "requires @", "json", "schema"),
    ];
    let people = run(&["codecs"], None, &[]);
    assert!(people.status.success());
    let people = cells(&people);
    assert_eq!(
        people[0],
        ["NAME", "INLINE", "STORE", "ADDRESSING", "ORIGIN"]
    );
    let tools = json_of(&run(&["codecs", "--json"], None, &[]));
    let tools = tools.as_array().expect("an array");
    assert_eq!(tools.len(), people.len() - 1);
    for (name, inline, store, addressing) in known {
        let row = [name, inline, store, addressing, "built-in"];
        assert!(people.iter().any(|line| *line == row), "{name}: {people:?}");
        let inline = (inline != "requires @").then_some(inline);
        let entry = json!({
            "name": name, "inline": inline, "store": store,
            "addressing": addressing, "origin": "built-in",
        });
        assert!(tools.contains(&entry), "{name}: {tools:?}");
    }
    let names: Vec<_> = people[1..].iter().map(|line| &line[0]).collect();
    assert!(names.is_sorted(), "{names:?}");
}

#[test]
fn resolve_tells_what_a_type_comes_to() {
    let chain = "<blob> → <hash> → json";
    for spec in ["<blob@cold>", "blob@cold"] {
        let output = run(&["resolve", spec], None, &[]);
        assert!(output.status.success(), "{}", told(&output));
        assert_eq!(
            cells(&output),
            [
                ["chain", chain],
                ["stored as", "json"],
                ["addressing", "hash"],
                ["store", "cold"]
            ]
        );
    }
    assert_eq!(
        json_of(&run(&["resolve", "<blob>", "--json"], None, &[])),
        json!({
            "spec": "<blob>", "codecs": ["blob"], "dtype": "bytes",
            "stored_type": "longblob", "addressing": null, "store": null,
        })
    );
}

/// With a configuration, the store has its real name or is found missing.
#[test]
fn resolve_looks_for_the_store() {
    let folder = configured(|config| config);
    let file = folder.path().join("c.toml");
    let resolve = |spec: &str| json_of(&run(&["resolve", spec, "--json"], Some(&file), &[]));
    assert_eq!(resolve("<blob@>")["store"], "main");
    assert_eq!(resolve("<blob@main>")["store"], "main");
    assert_eq!(resolve("<blob>")["store"], Value::Null);
    let no_default = resolve("<filepath@>")["error"].to_string();
    assert!(
        no_default.contains("stores.filepath_default is not configured"),
        "{no_default}"
    );
    let raw = [("CODEC_PROXY__STORES__FILEPATH_DEFAULT", "main")];
    let output = run(&["resolve", "filepath@", "--json"], Some(&file), &raw);
    assert_eq!(json_of(&output)["store"], "main");
    let missing = "Storage 'cold' is requested but not configured in stores (configured: main)";
    assert_eq!(resolve("<blob@cold>"), json!({ "error": missing }));
    let output = run(&["resolve", "<blob@cold>"], Some(&file), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(told(&output).contains(missing), "{}", told(&output));

    let none = configured(|config| config.replace("default = \"main\"", ""));
    let output = run(
        &["resolve", "blob@"],
        Some(&none.path().join("c.toml")),
        &[],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told(&output).contains("stores.default is not configured"),
        "{}",
        told(&output)
    );
    let output = run(&["resolve", "blob"], Some(Path::new("/no/such/file")), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("/no/such/file"), "{}", told(&output));
}

/// The errors of the Codec API, on stderr or as JSON.
#[test]
fn resolve_refuses_what_is_no_type() {
    for (spec, error) in [
        (
            "<graph@main>",
            "Unknown codec: <graph>. Ensure the codec is defined (inherit from dj.Codec with \
             name='graph').",
        ),
        ("hash", "<hash> requires @"),
        ("object", "<object> requires @"),
        ("npy", "<npy> requires @"),
        ("filepath", "<filepath> requires @"),
        ("<blob", "is no type"),
        ("", "is no type"),
    ] {
        let output = run(&["resolve", spec], None, &[]);
        assert_eq!(output.status.code(), Some(1), "{spec}");
        assert!(output.stdout.is_empty(), "{spec}: {}", told(&output));
        assert!(told(&output).contains(error), "{spec}: {}", told(&output));
        let output = run(&["resolve", spec, "--json"], None, &[]);
        assert_eq!(output.status.code(), Some(1), "{spec}");
        assert!(output.stderr.is_empty(), "{spec}: {}", told(&output));
        let json = json_of(&output);
        let text = json["error"].as_str().expect("a text");
        assert!(text.contains(error), "{spec}: {text}");
    }
}

#[test]
fn columns_warns_of_programs_that_write() {
    let lab = Lab::new("columns_programs");
    let database = lab.database.as_str();
    lab.blob_table("t");
    let mut direct = lab.direct();
    direct.ok("CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.note = 'x'");
    direct.ok("CREATE PROCEDURE writes() UPDATE t SET data = NULL");
    direct.ok("CREATE PROCEDURE looks() SELECT id FROM t");
    let folder = configured(|config| config);
    let file = folder.path().join("c.toml");
    let seen = |user: &str, password: &str| {
        let text = std::fs::read_to_string(&file).expect("the file");
        let line = |key: &str, value: &str| format!("{key} = {}", serde_json::json!(value));
        let text = text.lines().map(|old| match old.split(" = ").next() {
            Some("user") => line("user", user),
            Some("password") => line("password", password),
            _ => old.to_owned(),
        });
        let other = folder.path().join("other.toml");
        std::fs::write(&other, text.collect::<Vec<_>>().join("\n")).expect("a new file");
        told(&run(&["columns", database], Some(&other), &[]))
    };
    let all = seen(&lab.user, crate::support::lab::PASSWORD);
    for program in ["trigger", "routine"] {
        let name = if program == "trigger" { "tr" } else { "writes" };
        let sentence = format!("warning: {program} {database}.{name} may write to {database}.t");
        assert!(all.contains(&sentence), "{all}");
    }
    assert!(!all.contains(".looks"), "{all}");
    let output = run(&["columns", database], Some(&file), &[]);
    assert!(
        told(&output).contains("no TRIGGER privilege"),
        "{}",
        told(&output)
    );
}

#[test]
fn columns_lists_what_the_database_has() {
    let lab = Lab::new("columns");
    let database = lab.database.as_str();
    lab.table("b", "id INT, data JSON COMMENT ':<blob@>:x', note TEXT");
    lab.table("#a", "id INT, data LONGBLOB COMMENT ':<blob>:x'");
    let folder = configured(|config| config);
    let file = folder.path().join("c.toml");

    let output = run(&["columns", database], Some(&file), &[]);
    assert!(output.status.success(), "{}", told(&output));
    let (a, b) = (format!("{database}.#a.data"), format!("{database}.b.data"));
    let lines = cells(&output);
    assert_eq!(
        lines,
        [
            ["COLUMN", "TYPE", "CHAIN", "STORED AS", "STORE", "STATE"],
            [&a, "<blob>", "<blob> → bytes", "longblob", "—", "ok"],
            [
                &b,
                "<blob@>",
                "<blob> → <hash> → json",
                "json",
                "main",
                "ok"
            ],
        ]
    );

    // One column that cannot be used is enough.
    lab.table(
        "c",
        "id INT, data JSON COMMENT ':<blob@cold>:x', g JSON COMMENT ':<graph@main>:x', \
         n LONGBLOB COMMENT ':<graph>:x'",
    );
    let output = run(&["columns", database], Some(&file), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert_eq!(cells(&output).len(), 6, "{}", told(&output));
    let one = format!("{database}.b");
    assert!(run(&["columns", &one], Some(&file), &[]).status.success());

    let output = run(
        &["columns", &format!("{database}.c"), "--json"],
        Some(&file),
        &[],
    );
    assert_eq!(output.status.code(), Some(1));
    let columns = json_of(&output);
    let missing = "Storage 'cold' is requested but not configured in stores (configured: main)";
    assert_eq!(
        columns[0],
        json!({
            "schema": database, "table": "c", "column": "data",
            "spec": "<blob@cold>", "codecs": ["blob", "hash"], "stored_type": "json",
            "store": "cold", "usable": false, "reason": missing, "warning": null,
        })
    );
    for (n, name) in [(1, "g"), (2, "n")] {
        assert_eq!(
            (&columns[n]["column"], &columns[n]["usable"]),
            (&json!(name), &json!(false))
        );
        let reason = columns[n]["reason"].as_str().expect("a reason");
        assert!(reason.starts_with("Unknown codec: <graph>. "), "{reason}");
    }
}

/// Nothing to list is no fault; a database that cannot be asked is one.
#[test]
fn columns_of_nothing_and_of_nobody() {
    let folder = configured(|config| config);
    let file = folder.path().join("c.toml");
    let output = run(&["columns", "no_such_schema"], Some(&file), &[]);
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(
        told(&output).contains("no codec columns"),
        "{}",
        told(&output)
    );
    let output = run(&["columns", "no_such_schema", "--json"], Some(&file), &[]);
    assert!(output.status.success());
    assert_eq!(json_of(&output), json!([]));

    let wrong = [("CODEC_PROXY__DATABASE__PASSWORD", "not the password")];
    let output = run(&["columns"], Some(&file), &wrong);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told(&output).contains("1045") && !told(&output).contains("not the password"),
        "{}",
        told(&output)
    );
    let output = run(&["columns", "--json"], Some(&file), &wrong);
    assert_eq!(output.status.code(), Some(1));
    let error = json_of(&output)["error"].to_string();
    assert!(error.contains("1045"), "{error}");
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
