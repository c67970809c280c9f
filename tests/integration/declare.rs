//! `[declare]`: what the plain types of an old program become, and what the new one makes of it.

use crate::support::lab::{Lab, PASSWORD};
use crate::support::objects::objects;
use crate::support::python;

/// A step of the 0.14 program through the `bytes` listener.
fn old(lab: &Lab, step: &str) {
    let variables = [
        ("HOST", "127.0.0.1".to_owned()),
        ("PORT", lab.proxy.port("bytes").to_string()),
        ("USER", lab.user.clone()),
        ("PASSWORD", PASSWORD.to_owned()),
        ("SCHEMA", lab.database.clone()),
    ];
    let python = python::environment("dj0");
    python::run(&python, "declaring0.py", step, &variables, lab.folder());
}

/// A program of 2.3.5 at a port.
fn new(lab: &Lab, port: u16, program: &str, step: &str) {
    let stores = serde_json::json!({
        "default": "main",
        "main": {"protocol": "file", "location": lab.store.display().to_string()},
    });
    let variables = [
        ("DJ_HOST", "127.0.0.1".to_owned()),
        ("DJ_PORT", port.to_string()),
        ("DJ_USER", lab.user.clone()),
        ("DJ_PASS", PASSWORD.to_owned()),
        ("DJ_STORES", stores.to_string()),
        ("SCHEMA", lab.database.clone()),
    ];
    let python = python::environment("dj2");
    python::run(&python, program, step, &variables, lab.folder());
}

/// The lab with `[declare]` in its configuration.
fn declaring(name: &str, declare: &str) -> Lab {
    Lab::with_config(name, |config| format!("{config}\n[declare]\n{declare}\n"))
}

#[test]
fn an_old_program_moves_its_blobs_by_one_line_of_configuration() {
    let lab = declaring(
        "declare_store",
        "longblob = '<blob@main>'\nattach = '<attach@main>'",
    );
    old(&lab, "declare");
    let mut direct = lab.direct();
    let comments = direct.ok("SHOW FULL COLUMNS FROM scan").texts("Comment");
    assert_eq!(
        comments[1..],
        [
            ":<blob@main>:raw traces",
            ":<blob@main>:",
            ":<blob>:in the row",
            ":<attach@main>:a file"
        ]
    );
    assert!(!objects(&lab.store).is_empty());
    // What is DataJoint's own stays plain.
    for own in ["~log", "~jobs"] {
        let comments = direct
            .ok(format!("SHOW FULL COLUMNS FROM `{own}`"))
            .texts("Comment");
        assert!(
            comments.iter().all(|c| !c.contains(":<")),
            "{own}: {comments:?}"
        );
    }
    new(
        &lab,
        lab.port,
        "declaring2.py",
        "read <blob@main> <attach@main>",
    );
    old(&lab, "fetch");
}

#[test]
fn an_old_program_marks_its_blobs_where_they_are() {
    let lab = declaring("declare_inline", "longblob = '<blob>'\nattach = '<attach>'");
    old(&lab, "declare");
    assert!(objects(&lab.store).is_empty());
    new(&lab, lab.port, "declaring2.py", "read <blob> <attach>");
    old(&lab, "fetch");
}

/// A table of 2.3.5, described and altered by 0.14; what 2.3.5 says of it afterwards.
#[test]
fn an_old_program_alters_a_new_table() {
    let lab = Lab::new("declare_alter");
    new(&lab, lab.proxy.port("stored"), "dj2.py", "declare_core");
    old(&lab, "alter");
    new(&lab, lab.port, "declaring2.py", "altered");
}

#[test]
fn rules_are_for_some_tables() {
    let lab = declaring(
        "declare_rules",
        "longblob = '<blob@main>'\n[[declare.rules]]\ntable = 'kept_*'\nlongblob = ''\n\
         [[declare.rules]]\nschema = 'nowhere_*'\nlongblob = '<blob@nowhere>'",
    );
    let (mut bytes, mut direct) = (lab.bytes(), lab.direct());
    let mut declared = |client: &mut crate::support::client::Client, table: &str| {
        client.ok(format!(
            "CREATE TABLE `{table}` (id INT PRIMARY KEY, data longblob COMMENT 'raw')"
        ));
        direct
            .ok(format!("SHOW FULL COLUMNS FROM `{table}`"))
            .texts("Comment")[1]
            .clone()
    };
    assert_eq!(declared(&mut bytes, "moved"), ":<blob@main>:raw");
    assert_eq!(declared(&mut bytes, "kept_here"), "raw");
    assert_eq!(declared(&mut bytes, "~own"), "raw");
    // Only clients of the `bytes` view.
    assert_eq!(declared(&mut lab.stored(), "stored"), "raw");
    bytes.ok("SET @codec_view = 'json'");
    assert_eq!(declared(&mut bytes, "json"), "raw");
}
