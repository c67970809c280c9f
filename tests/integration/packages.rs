//! Codecs of Python packages, those of `tests/packages`: the examples of DataJoint's Codec API, and
//! what else such packages may do. DataJoint 2.3.5 has the same packages.

use std::process::Command;

use crate::support::doors::Doors;
use crate::support::proxy::binary;

const PICKLE: &str = "allow_pickle = true";

/// Steps of `packages.py` in a laboratory that allows pickle.
fn in_a_laboratory(name: &str, steps: &str) {
    Doors::laboratory(name, PICKLE).run("packages.py", steps);
}

#[test]
fn graphs() {
    in_a_laboratory("graphs", "both_ways graph weighted_graph");
}

#[test]
fn plain_values() {
    in_a_laboratory("plain", "both_ways zjson spike_train config versioned");
}

#[test]
fn models() {
    in_a_laboratory("models", "both_ways model");
}

/// Files that the codec writes itself, and folders that `<object>` writes.
#[test]
fn frames_and_arrays() {
    in_a_laboratory("frames", "both_ways parquet zarr");
}

/// Four codecs of three packages, an inner type with a store of its own, and a core type that is
/// neither `bytes` nor `json`.
#[test]
fn chains() {
    in_a_laboratory("chains", "both_ways outline archived duration");
}

#[test]
fn the_key_of_a_row_decides() {
    in_a_laboratory("versions", "versions");
}

#[test]
fn a_codec_over_a_number() {
    in_a_laboratory("span", "searched");
}

#[test]
fn the_store_of_an_inner_type() {
    in_a_laboratory("inner", "inner_store");
}

#[test]
fn values_that_a_codec_refuses() {
    in_a_laboratory("bad", "bad_values");
}

#[test]
fn types_that_cannot_be() {
    in_a_laboratory("bad_chains", "bad_chains");
}

#[test]
fn no_pickle_unless_it_is_allowed() {
    Doors::laboratory("no_pickle", "").run("packages.py", "models_are_refused");
}

#[test]
fn pointers_that_somebody_has_planted() {
    in_a_laboratory("planted", "planted_files");
}

#[test]
fn on_s3() {
    Doors::laboratory_on_s3("packages_s3", PICKLE)
        .run("packages.py", "both_ways graph parquet zarr");
}

#[test]
fn on_mysql() {
    if let Some(doors) = Doors::laboratory_on_mysql("packages", PICKLE) {
        doors.run(
            "packages.py",
            "both_ways graph config duration parquet zarr",
        );
    }
}

/// DataJoint 0.14, which has none of the packages.
#[test]
fn the_old_program() {
    let doors = Doors::laboratory("old_packages", PICKLE);
    doors.run("packages.py", "declare_for_old");
    doors.run_old("packages_old.py", "copy");
    doors.run_old("packages_old.py", "declared");
    doors.run("packages.py", "read_old");
    doors.run_old("packages_old.py", "fetch_new");
}

/// `list_codecs` and `resolve_dtype` of DataJoint, on the command line.
#[test]
fn what_the_command_line_tells() {
    let doors = Doors::laboratory("listed", "");
    let told = |arguments: &[&str]| {
        let mut command = Command::new(binary());
        command.args(arguments);
        command
            .arg("--config")
            .arg(doors.lab.folder().join("codec-proxy.toml"));
        let output = command.output().expect("codec-proxy runs");
        let bytes = [output.stdout.as_slice(), &output.stderr].concat();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let codecs = told(&["codecs"]);
    let line = |name: &str| {
        let mut lines = codecs.lines();
        let found = lines.find(|line| line.split_whitespace().next() == Some(name));
        found.unwrap_or_else(|| panic!("{name} is not listed:\n{codecs}"))
    };
    for (name, origin) in [
        ("graph", "lab-graphs 1.0.0 (lab_graphs:GraphCodec)"),
        (
            "versioned",
            "lab-values 2.1.0 (lab_values.versioned:VersionedCodec)",
        ),
        ("zarr", "lab-files 0.3.0 (lab_files.zarrays:ZarrCodec)"),
        ("blob", "built-in"),
    ] {
        assert!(line(name).contains(origin), "{}", line(name));
    }
    assert!(
        line("parquet").contains("requires @"),
        "{}",
        line("parquet")
    );
    assert!(!codecs.contains("unbuilt "), "{codecs}");
    for (spec, parts) in [
        (
            "<outline@>",
            "<outline> → <numbered> → <zjson> → <blob> → <hash> → json",
        ),
        ("<archived>", "<archived> → <hash@cold> → json"),
        ("<model>", "<model> → <blob> → bytes"),
        ("<model@cold>", "<model> → <hash> → json"),
        ("<chicken>", "Circular codec reference detected: <chicken>"),
        ("<parquet>", "<parquet> requires @ (store only)"),
        ("<undecided>", "undecided"),
        ("<shapeless>", "shapeless"),
        ("<unbuilt>", "Unknown codec: <unbuilt>"),
    ] {
        let resolved = told(&["resolve", spec]);
        assert!(resolved.contains(parts), "{spec}: {resolved}");
    }
}
