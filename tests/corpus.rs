//! The fuzz targets over the inputs that are kept: `fuzz/corpus` and `fuzz/regressions`.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

/// A name in `fuzz/Cargo.toml`, and what runs there.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 8] = [
    ("blob", targets::blob),
    ("npy", targets::npy),
    ("json", targets::json),
    ("pointer", targets::pointer),
    ("types", targets::types),
    ("frames", targets::frames),
    ("parameters", targets::parameters),
    ("steps", targets::steps),
];

/// The bytes of the corpus that a checkout should not exceed.
const CORPUS_LIMIT: usize = 200 << 10;

#[test]
fn kept_inputs_are_handled() {
    let mut wrong = Vec::new();
    let mut size = 0;
    for (name, target) in TARGETS {
        let mut count = 0;
        for folder in ["corpus", "regressions"] {
            for (path, input) in inputs(&format!("fuzz/{folder}/{name}")) {
                if catch_unwind(|| target(&input)).is_err() {
                    wrong.push(path);
                }
                count += 1;
                size += input.len();
            }
        }
        assert!(count > 5, "{count} inputs for {name}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(size < CORPUS_LIMIT, "{size} bytes of inputs");
}

/// Every folder of inputs belongs to a target.
#[test]
fn no_input_is_forgotten() {
    for folder in ["corpus", "regressions"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz")
            .join(folder);
        for entry in fs::read_dir(root).into_iter().flatten() {
            let name = entry.expect("readable").file_name();
            let known = TARGETS.iter().any(|(target, _)| name == *target);
            assert!(known, "{folder}/{name:?}");
        }
    }
}

fn inputs(folder: &str) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(root).into_iter().flatten();
    let mut found: Vec<_> = entries
        .map(|entry| entry.expect("readable").path())
        .map(|path| {
            (
                path.display().to_string(),
                fs::read(path).expect("readable"),
            )
        })
        .collect();
    found.sort();
    found
}
