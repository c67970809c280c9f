//! Codecs of Python packages, those of `tests/packages`: the examples of DataJoint's Codec API, and
//! what else such packages may do. DataJoint 2.3.5 has the same packages.

use std::process::Command;

use crate::prepared::statement::{BLOB, Statement, VAR_STRING, bytes, int};
use crate::support::client::Client;
use crate::support::doors::Doors;
use crate::support::lab::Lab;
use crate::support::objects::{assert_stored, escaped, packed, sql};
use crate::support::proxy::binary;

/// To start one worker is work enough for a test.
const PICKLE: &str = "workers = 1\nallow_pickle = true";

/// Steps of `packages.py` in a laboratory that allows pickle.
fn in_a_laboratory(name: &str, steps: &str) {
    Doors::laboratory(name, PICKLE).run("packages.py", steps);
}

/// Graphs, models and plain values, in the row and in a store.
#[test]
fn examples_of_values() {
    let codecs = "graph,weighted_graph,zjson,spike_train,config,versioned,model";
    in_a_laboratory("values", &format!("both_ways:{codecs}"));
}

/// Files that the codec writes itself, and folders that `<object>` writes. Four codecs of three
/// packages, an inner type with a store of its own, and a core type that is neither `bytes` nor
/// `json`.
#[test]
fn examples_of_files_and_chains() {
    in_a_laboratory("files", "both_ways:parquet,zarr,outline,archived,duration");
}

/// What else statements do with such columns; the key of a row that a codec looks at.
#[test]
fn statements() {
    in_a_laboratory("statements", "versions searched questions");
}

/// Values that a codec refuses, types that cannot be, pointers that somebody has planted.
#[test]
fn refusals() {
    in_a_laboratory(
        "refusals",
        "inner_store planted_files bad_values bad_chains",
    );
}

#[test]
fn no_pickle_unless_it_is_allowed() {
    Doors::laboratory("no_pickle", "workers = 1").run("packages.py", "models_are_refused");
}

#[test]
fn on_s3() {
    Doors::laboratory_on_s3("packages_s3", "").run("packages.py", "both_ways:graph,parquet,zarr");
}

#[test]
fn on_mysql() {
    if let Some(doors) = Doors::laboratory_on_mysql("packages", "") {
        doors.run(
            "packages.py",
            "both_ways:graph,config,duration,parquet,zarr",
        );
    }
}

/// Values and keys as parameters: what is stored is what the text protocol stores.
#[test]
fn prepared_statements() {
    let doors = Doors::laboratory("packages_prepared", "workers = 1");
    let (mut client, mut direct) = (doors.lab.bytes(), doors.lab.direct());
    client.ok(
        "CREATE TABLE t (id INT, schema_version INT, g LONGBLOB COMMENT '<graph@main>', \
         v LONGBLOB COMMENT '<versioned>', c LONGBLOB COMMENT '<config>', \
         d LONGBLOB COMMENT '<duration>', p LONGBLOB COMMENT '<parquet@main>', \
         z LONGBLOB COMMENT '<zarr@main>', PRIMARY KEY (id, schema_version))",
    );
    client.ok("SET @codec_view = 'json'");
    let texts = [
        r#"{"@type": "networkx.Graph", "edges": [["a", "b", {"weight": 1.5}]]}"#,
        r#"["some", "values"]"#,
        r#"{"version": 2, "settings": {"gain": 2.5}}"#,
        "1.5",
        r#"{"@type": "pandas.DataFrame", "columns": {"a": [1, 2]}}"#,
        r#"{"@type": "zarr.Array", "data": {"$array": "int16", "value": [1, 2, 3]}}"#,
    ];
    client.ok(format!(
        "INSERT INTO t VALUES (1, 2, '{}')",
        texts.join("', '")
    ));
    let insert = Statement::prepare(&mut client, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    let values = |id, kind| {
        let texts = texts.iter().map(|text| bytes(kind, text.as_bytes()));
        [int(id), int(2)]
            .into_iter()
            .chain(texts)
            .collect::<Vec<_>>()
    };
    insert.ok(&mut client, &values(2, BLOB));
    insert.ok(&mut client, &values(3, VAR_STRING));
    let rows = |client: &mut Client| client.rows("SELECT g, v, c, d FROM t ORDER BY id");
    let stored = rows(&mut direct);
    assert!(
        stored.len() == 3 && stored.iter().all(|row| *row == stored[0]),
        "{stored:?}"
    );
    for (id, row) in (1..).zip(direct.rows("SELECT p, z FROM t ORDER BY id")) {
        for (column, metadata) in ["p", "z"].iter().zip(row) {
            let metadata = String::from_utf8(metadata.expect("a value")).expect("JSON");
            let path = format!("/t/id={id}/schema_version=2/{column}_");
            assert!(metadata.contains(&path), "{metadata} has {path}");
        }
    }
    let told = client.rows("SELECT g, v, c, p FROM t WHERE schema_version = 2");
    let text = "SELECT g, v, c, p FROM t WHERE schema_version = ?";
    let select = Statement::prepare(&mut client, text);
    assert_eq!(select.ok(&mut client, &[int(2)]).rows, told);
    assert!(told.iter().all(|row| *row == told[0]), "{told:?}");
    // A number in the binary protocol is not decoded; in the text protocol it is.
    let error = Statement::try_prepare(&mut client, "SELECT d FROM t").err();
    assert_eq!(error.map(|error| error.code), Some(1235));
    assert_eq!(client.text("SELECT d FROM t WHERE id = 2"), "1.5");
    // Nothing is kept of one that is refused.
    let mut wrong = values(4, BLOB);
    wrong[2] = bytes(BLOB, b"[1]");
    let error = insert.error(&mut client, &wrong);
    assert!(
        error
            .message
            .contains("<graph>: TypeError: expected a networkx Graph"),
        "{error}"
    );
    assert_eq!(direct.text("SELECT COUNT(*) FROM t"), "3");
}

/// As long as nobody can tell what their codec is, nothing is written to or read from its columns.
#[test]
fn an_environment_that_does_not_start() {
    let lab = Lab::with_config("no_python", |config| {
        config + "\n[codecs.python]\ninterpreter = \"/bin/false\"\n"
    });
    lab.table(
        "t",
        "id INT PRIMARY KEY, g LONGBLOB COMMENT ':<graph>:', far JSON COMMENT ':<graph@main>:', \
         data JSON COMMENT ':<blob@main>:'",
    );
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let value = escaped(&packed(1, 40));
    for column in ["g", "far"] {
        let text = format!("INSERT INTO t (id, {column}) VALUES (1, ");
        let error = client.error(sql(&[text.as_bytes(), &value, b")"]));
        assert!(
            error.message.contains("<graph> could not be looked for"),
            "{error}"
        );
    }
    client.ok(sql(&[
        b"INSERT INTO t (id, data) VALUES (1, ",
        &value,
        b")",
    ]));
    assert_stored(&mut direct, &lab.store, "t", 1, &packed(1, 40));
    assert_eq!(direct.text("SELECT COUNT(*) FROM t"), "1");
    let error = client.error("SELECT g FROM t");
    assert!(error.message.contains("<graph>"), "{error}");
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
    let doors = Doors::laboratory("listed", "workers = 1");
    let told = |arguments: &[&str]| {
        let mut command = Command::new(binary());
        command.args(arguments);
        command
            .arg("--config")
            .arg(doors.lab.folder().join("codec-proxy.toml"));
        let output = command.output().expect("codec-proxy runs");
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let [codecs, warnings] = told(&["codecs"]);
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
    assert!(!codecs.contains("unbuilt"), "{codecs}");
    assert!(warnings.contains("library_that_nobody_has"), "{warnings}");
    for (spec, parts) in [
        (
            "<outline@>",
            "<outline> → <numbered> → <zjson> → <blob> → <hash> → json",
        ),
        ("<archived@main>", "store       cold"),
        ("<duration>", "<duration> → int64"),
        ("<chicken>", "Circular codec reference detected: <chicken>"),
        ("<shapeless>", "shapeless"),
        ("<unbuilt>", "Unknown codec: <unbuilt>"),
    ] {
        let resolved = told(&["resolve", spec]).concat();
        assert!(resolved.contains(parts), "{spec}: {resolved}");
    }
    // DataJoint's collector of garbage does not know that these keep objects.
    doors.lab.table(
        "t",
        "id INT PRIMARY KEY, a JSON COMMENT ':<graph@main>:', b JSON COMMENT ':<parquet@main>:', \
         c LONGBLOB COMMENT ':<graph>:', d JSON COMMENT ':<zarr@main>:'",
    );
    let columns = told(&["columns", &doors.lab.database]).concat();
    for (column, is_warned) in [("a", true), ("b", false), ("c", false), ("d", true)] {
        let named = format!("t.{column}");
        let warned =
            (columns.lines()).any(|line| line.contains(&named) && line.contains("garbage"));
        assert_eq!(warned, is_warned, "{column}: {columns}");
    }
}
