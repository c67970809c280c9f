//! What the codecs store is what DataJoint 2.3.5 stores with their twins in Python, and DataJoint
//! 0.14 uses them without knowing.

use serde_json::json;

use super::{example, example_lab, lab_at};
use crate::support::lab::{Lab, PASSWORD, database_port};
use crate::support::{mysql, python};

const CONFIGURED: &str = "zjson config spikes gz b64 count real latin narrow rows four archive";
const IN_RUST: &str = "spike_train packed_bits versioned csv";

#[test]
fn codecs_of_the_configuration() {
    compare(&lab_at(database_port(), "twins"), CONFIGURED);
}

#[test]
fn codecs_in_rust() {
    example();
    compare(&example_lab(database_port(), "rust_twins"), IN_RUST);
}

#[test]
fn codecs_on_mysql() {
    if let Some(port) = mysql::port() {
        let all = format!("{CONFIGURED} {IN_RUST}");
        compare(&example_lab(port, "mysql_twins"), &all);
    }
}

fn compare(lab: &Lab, codecs: &str) {
    let folder = |path: &std::path::Path| json!({"protocol": "file", "location": path});
    let stores = json!({
        "default": "main",
        "main": folder(&lab.store),
        "cold": folder(&lab.folder().join("cold")),
    });
    let variables = [
        ("DJ_HOST", "127.0.0.1".to_owned()),
        ("DJ_PORT", lab.port.to_string()),
        ("STORED_PORT", lab.proxy.port("stored").to_string()),
        ("BYTES_PORT", lab.proxy.port("bytes").to_string()),
        ("JSON_PORT", lab.proxy.port("json").to_string()),
        ("DJ_USER", lab.user.clone()),
        ("DJ_PASS", PASSWORD.to_owned()),
        ("DJ_STORES", stores.to_string()),
        ("SCHEMA", lab.database.clone()),
        (
            "WRITES_DIRECTLY",
            u8::from(lab.port != database_port()).to_string(),
        ),
    ];
    let python = python::environment("dj2");
    python::run(&python, "own_codecs.py", codecs, &variables, lab.folder());
}

#[test]
fn the_old_program_uses_them_without_knowing() {
    let lab = example_lab(database_port(), "old_twins");
    let variables = [
        ("HOST", "127.0.0.1".to_owned()),
        ("PORT", lab.proxy.port("bytes").to_string()),
        ("USER", lab.user.clone()),
        ("PASSWORD", PASSWORD.to_owned()),
        ("SCHEMA", lab.database.clone()),
    ];
    let python = python::environment("dj0");
    let run = |step| python::run(&python, "own_codecs_old.py", step, &variables, lab.folder());
    run("write");
    run("read");
    let mut direct = lab.direct();
    let comment = direct.text(
        "SELECT GROUP_CONCAT(column_comment ORDER BY ordinal_position) FROM \
         information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'recording' \
         AND column_comment LIKE ':<%'",
    );
    let types = [":<spike_train@main>:", ":<zjson>:", ":<csv@main>:"];
    assert!(types.iter().all(|t| comment.contains(t)), "{comment}");
}
