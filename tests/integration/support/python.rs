//! Runs the programs of `tests/clients` with the Python environments that `tests/setup` makes.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter of an environment by its name in `tests/setup`, made if it is missing; `lab` has
/// the packages of `tests/packages`.
pub fn environment(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = if name == "lab" {
        "packages.sh"
    } else {
        "python.sh"
    };
    let output = Command::new(root.join("tests/setup").join(script))
        .arg(name)
        .output();
    let output = output.expect("the scripts of tests/setup run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tools =
        std::env::var_os("CODEC_PROXY_TOOLS").map_or(root.join("target/tools"), PathBuf::from);
    tools.join(name).join("bin/python")
}

/// Runs a program with arguments (split at spaces), and fails with what it printed when it fails.
pub fn run(
    python: &Path,
    program: &str,
    arguments: &str,
    variables: &[(&str, String)],
    folder: &Path,
) {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let output = Command::new(python)
        .arg(programs.join(program))
        .args(arguments.split(' '))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir(folder)
        .output()
        .expect("Python runs");
    assert!(
        output.status.success(),
        "{program} {arguments}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
