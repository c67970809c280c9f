//! Every built-in codec in both directions against DataJoint 2.3.5 and 0.14, on a folder and on S3.

use serde_json::json;

use crate::support::doors::Doors;

/// One step of `both_ways.py` on a store that is a folder.
fn in_a_folder(step: &str) {
    Doors::file(step, &json!({})).run("both_ways.py", step);
}

#[test]
fn blob() {
    in_a_folder("blob");
}

#[test]
fn attach() {
    in_a_folder("attach");
}

#[test]
fn hash() {
    in_a_folder("hashed");
}

#[test]
fn object() {
    in_a_folder("obj");
}

/// What else may lie in a store, and what a pointer may not name.
#[test]
fn other_writers() {
    in_a_folder("other_writers");
}

#[test]
fn npy() {
    in_a_folder("npy");
}

#[test]
fn filepath() {
    in_a_folder("filepath");
}

#[test]
fn filepath_in_its_section() {
    let settings = json!({"filepath_prefix": "raw"});
    Doors::file("prefix", &settings).run("both_ways.py", "filepath_in_its_section");
}

/// `<blob@>`: what the proxy writes names the store, so that DataJoint finds it.
#[test]
fn default_store() {
    in_a_folder("default_store");
}

/// Values of primary keys in the paths of objects.
#[test]
fn keys() {
    in_a_folder("keys");
}

/// The same with everything that settings can change about paths.
#[test]
fn keys_in_another_layout() {
    let settings = json!({
        "partition_pattern": "{day}/{subject_id}/{nobody}",
        "token_length": 12,
        "subfolding": [2, 3],
        "schema_prefix": "by/place",
        "hash_prefix": "by_hash",
    });
    Doors::file("layout", &settings).run("both_ways.py", "keys blob");
}

#[test]
fn all_of_them_on_s3() {
    Doors::s3("both_s3").run(
        "both_ways.py",
        "blob attach hashed obj npy filepath default_store keys other_writers",
    );
}

/// A table of 2.3.5 with columns of other codecs than `<blob>` is one of 0.14, too.
#[test]
fn all_that_the_old_program_takes() {
    let doors = Doors::file("every_old", &json!({}));
    doors.run("both_ways.py", "declare_old");
    doors.run_old("dj0.py", "every_codec");
    doors.run("both_ways.py", "read_old");
}
