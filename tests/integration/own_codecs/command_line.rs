//! What an operator is told of codecs that are not built in.

use std::process::{Command, Output};

use serde_json::Value;

use super::{example_lab, lab};
use crate::support::lab::{Lab, database_port};
use crate::support::proxy::binary;

fn run(program: &str, arguments: &[&str], lab: &Lab) -> Output {
    let output = Command::new(program)
        .args(arguments)
        .arg("--config")
        .arg(lab.folder().join("codec-proxy.toml"))
        .output();
    output.expect("codec-proxy runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn codecs_resolve_and_columns_know_them() {
    let lab = lab("own_told");
    let listed = run(&binary(), &["codecs"], &lab);
    let listed = text(&listed.stdout);
    let line = |name: &str| {
        let found = listed.lines().find(|line| line.starts_with(name));
        found
            .unwrap_or_else(|| panic!("{name}: {listed}"))
            .split_whitespace()
            .collect::<Vec<_>>()
    };
    let zjson = line("zjson ");
    assert_eq!(
        zjson[1..5],
        ["<blob>", "<blob>", "hash", "configuration"],
        "{listed}"
    );
    assert!(zjson[5].contains("codec-proxy.toml:"), "{listed}");
    assert_eq!(line("config ")[1..4], ["json", "—", "—"], "{listed}");
    assert_eq!(
        line("narrow ")[1..5],
        ["requires", "@", "<npy>", "schema"],
        "{listed}"
    );

    let resolved = run(&binary(), &["resolve", "four@"], &lab);
    let resolved = text(&resolved.stdout);
    assert!(
        resolved.contains("<four> → <zjson> → <blob> → <hash> → json"),
        "{resolved}"
    );
    assert!(resolved.contains("store       main"), "{resolved}");
    let circle = run(&binary(), &["resolve", "<one>"], &lab);
    assert_eq!(circle.status.code(), Some(1));
    assert!(text(&circle.stderr).contains("Circular codec reference detected: <one>"));

    lab.table(
        "t",
        "id INT PRIMARY KEY, z JSON COMMENT ':<zjson@main>:', i LONGBLOB COMMENT ':<zjson>:', \
         b JSON COMMENT ':<blob@main>:', n JSON COMMENT ':<narrow@main>:', \
         c JSON COMMENT ':<config>:'",
    );
    let within = format!("{}.t", lab.database);
    let columns = run(&binary(), &["columns", &within], &lab);
    assert!(columns.status.success(), "{columns:?}");
    let warnings = text(&columns.stderr);
    let of_gc = |column: &str| warnings.contains(&format!("{within}.{column}: DataJoint's own"));
    let told = ["z", "i", "b", "n", "c"].map(of_gc);
    assert_eq!(told, [true, false, false, true, false], "{warnings}");
    let json = run(&binary(), &["columns", &within, "--json"], &lab);
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json[0]["column"], "z");
    assert!(
        json[0]["warning"].is_string() && json[1]["warning"].is_null(),
        "{json}"
    );
}

#[test]
fn check_tries_each_definition() {
    let lab = lab("own_checked");
    let output = run(&binary(), &["check"], &lab);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = text(&output.stdout);
    for line in [
        "ok   codec zjson: json → text → zlib → <blob>; a sample came back as it was",
        "ok   codec config: json; a sample came back as it was",
        "ok   codec narrow: cast → <npy>; a sample came back as it was",
        "ok   codec spikes: diff → <blob>; a sample came back",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let failed: Vec<_> = told
        .lines()
        .filter(|line| line.starts_with("FAIL"))
        .collect();
    assert_eq!(failed.len(), 2, "{told}");
    for (line, name) in failed.iter().zip(["one", "other"]) {
        assert!(
            line.contains(&format!("codec {name} (configuration ")),
            "{line}"
        );
        assert!(line.contains("Circular codec reference detected"), "{line}");
    }
}

#[test]
fn a_program_with_codecs_lists_them() {
    let lab = example_lab(database_port(), "own_program");
    let program = super::example();
    let listed = run(&program.to_string_lossy(), &["codecs", "--json"], &lab);
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let entry = |name: &str| {
        let entries = listed.as_array().expect("a list");
        let found = entries.iter().find(|entry| entry["name"] == name);
        found.unwrap_or_else(|| panic!("{name}: {listed}")).clone()
    };
    assert_eq!(entry("csv")["origin"], "lab_codecs::csv");
    assert_eq!(entry("csv")["addressing"], "schema");
    assert_eq!(entry("packed_bits")["store"], "<hash>");
    assert_eq!(entry("blob")["origin"], "built-in");
    let origin = entry("zjson")["origin"].clone();
    assert!(
        origin
            .as_str()
            .is_some_and(|o| o.starts_with("configuration ")),
        "{origin}"
    );
}
