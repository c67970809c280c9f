//! Codecs that are not built in: those of the configuration, and those of the program in
//! `examples/`, which is built and run here.

mod chains;
mod command_line;
mod protocols;
mod twins;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::lab::{Lab, database_port};
use crate::support::proxy::binary;

/// The codecs of the configuration that the tests use; `tests/clients/own_codecs.py` has their twins.
fn definitions() -> String {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/config.schema.json");
    format!(
        r#"
[codecs.zjson]
chain = ["json", "zlib"]
dtype = "<blob>"

[codecs.config]
dtype = "json"
schema = "{schema}"

[codecs.spikes]
chain = [{{ step = "diff", to = "float32", from = "float64" }}]
dtype = "<blob>"
lossy = true
validate = [
    {{ type = "ndarray", message = "Expected numpy array of spike times" }},
    {{ ndim = 1, message = "Spike train must be 1-dimensional" }},
    {{ sorted = true, message = "Spike times must be sorted" }},
]

[codecs.gz]
chain = ["json", "gzip"]
dtype = "bytes"
store_dtype = "<hash>"

[codecs.b64]
chain = ["json", "zlib", "base64"]
dtype = "varchar(2000)"

[codecs.count]
dtype = "int32"
validate = {{ type = "int" }}

[codecs.real]
dtype = "float64"

[codecs.latin]
chain = [{{ step = "text", charset = "latin-1" }}]
dtype = "bytes"

[codecs.narrow]
chain = [{{ step = "cast", to = "float32", from = "float64" }}]
store_dtype = "<npy>"

[codecs.rows]
chain = [{{ step = "reshape", to = [-1, 3], from = [-1] }}]
dtype = "<blob>"

[codecs.four]
chain = ["json"]
dtype = "<zjson>"

[codecs.archive]
chain = ["json", "zlib"]
dtype = "<hash@cold>"

[codecs.wrong]
dtype = "<hash>"

[codecs.one]
dtype = "<other>"

[codecs.other]
dtype = "<one>"
"#,
        schema = schema.display()
    )
}

/// A configuration with the codecs, a second store and a listener with the json view.
fn with_codecs(config: &str, folder: &Path) -> String {
    let cold = folder.join("cold");
    std::fs::create_dir_all(&cold).expect("a folder");
    format!(
        "{config}\n[stores.cold]\nprotocol = \"file\"\nlocation = \"{}\"\n\
         [[listen]]\naddress = \"127.0.0.1:0\"\nview = \"json\"\n{}",
        cold.display(),
        definitions()
    )
}

/// A lab whose proxy knows the codecs of the configuration.
fn lab(name: &str) -> Lab {
    lab_at(database_port(), name)
}

fn lab_at(port: u16, name: &str) -> Lab {
    Lab::of_binary(&binary(), port, name, |config, folder| {
        with_codecs(&config, folder)
    })
}

/// A lab whose proxy is the program in `examples/`, and knows those of the configuration as well.
fn example_lab(port: u16, name: &str) -> Lab {
    let program = example();
    Lab::of_binary(&program.to_string_lossy(), port, name, |config, folder| {
        with_codecs(&config, folder)
    })
}

/// The program in `examples/`, built as it is now.
fn example() -> PathBuf {
    let debug = Path::new(env!("CARGO_BIN_EXE_codec-proxy")).parent();
    let debug = debug.expect("a folder");
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo tells a test of its package would have it build the dependencies anew.
    let told = std::env::vars_os().map(|(name, _)| name);
    let told = told.filter(|name| name.to_string_lossy().starts_with("CARGO_"));
    for name in told.filter(|name| name != "CARGO_HOME") {
        cargo.env_remove(name);
    }
    let output = cargo
        .args(["build", "--locked", "--quiet", "--example", "lab_codecs"])
        .arg("--target-dir")
        .arg(debug.parent().expect("the target folder"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    debug.join("examples/lab_codecs")
}
