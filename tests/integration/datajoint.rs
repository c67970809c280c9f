//! The main job: both generations of DataJoint on one schema.

use std::path::PathBuf;

use crate::support::lab::{Lab, PASSWORD};
use crate::support::objects::{object_of, objects};
use crate::support::python;

/// Both clients of one lab.
struct Programs<'a> {
    lab: &'a Lab,
    dj0: PathBuf,
    dj2: PathBuf,
    /// The store that `[declare]` sends values to; empty if they stay in the row.
    declare_store: &'a str,
}

impl<'a> Programs<'a> {
    fn new(lab: &'a Lab) -> Self {
        Self::with_old("dj0", lab)
    }

    /// `old` is the environment of the older of the two.
    fn with_old(old: &str, lab: &'a Lab) -> Self {
        Self {
            lab,
            dj0: python::environment(old),
            dj2: python::environment("dj2"),
            declare_store: "",
        }
    }

    /// A step of the 0.14 program through the `bytes` listener.
    fn old(&self, step: &str, tls: &str) {
        self.old_of("dj0.py", step, tls);
    }

    fn old_of(&self, program: &str, step: &str, tls: &str) {
        let variables = [
            ("HOST", "127.0.0.1".to_owned()),
            ("PORT", self.lab.proxy.port("bytes").to_string()),
            ("USER", self.lab.user.clone()),
            ("PASSWORD", PASSWORD.to_owned()),
            ("SCHEMA", self.lab.database.clone()),
            ("TLS", tls.to_owned()),
        ];
        python::run(&self.dj0, program, step, &variables, self.lab.folder());
    }

    /// A step of a 2.3.5 program at a port.
    fn new_at(&self, port: u16, program: &str, step: &str) {
        let stores = serde_json::json!({
            "default": "main",
            "main": {"protocol": "file", "location": self.lab.store.display().to_string()},
        });
        let variables = [
            ("DJ_HOST", "127.0.0.1".to_owned()),
            ("DJ_PORT", port.to_string()),
            ("DJ_USER", self.lab.user.clone()),
            ("DJ_PASS", PASSWORD.to_owned()),
            ("DJ_STORES", stores.to_string()),
            ("SCHEMA", self.lab.database.clone()),
            ("STORE", self.declare_store.to_owned()),
        ];
        python::run(&self.dj2, program, step, &variables, self.lab.folder());
    }

    fn new_direct(&self, step: &str) {
        self.new_at(self.lab.port, "dj2.py", step);
    }

    fn new_stored(&self, step: &str) {
        self.new_at(self.lab.proxy.port("stored"), "dj2.py", step);
    }
}

/// 0.14 declares and fills a table through the proxy; 2.3.5 reads it directly, adds to it
/// through the `stored` listener, and 0.14 fetches that.
#[test]
fn a_table_of_the_old_program() {
    old_program(&Lab::new("datajoint_old"), "longtext");
}

/// The same on a real MySQL.
#[test]
fn a_table_of_the_old_program_on_mysql() {
    if let Some(lab) = Lab::on_mysql("datajoint_old") {
        old_program(&lab, "json");
    }
}

fn old_program(lab: &Lab, json_type: &str) {
    let programs = Programs::new(lab);
    programs.old("declare", "");
    let mut direct = lab.direct();
    let columns = direct.ok("SHOW FULL COLUMNS FROM recording");
    assert_eq!(
        columns.texts("Type")[2..],
        [json_type, json_type, "longblob", "longblob"]
    );
    assert_eq!(
        columns.texts("Comment")[2..],
        [
            ":<blob@main>:raw traces",
            ":<blob@>:more of it",
            ":<blob>:in the row",
            "no codec: <blob@main>"
        ]
    );
    for row in direct.rows("SELECT traces FROM recording") {
        let pointer = String::from_utf8(row[0].clone().unwrap_or_default()).expect("UTF-8");
        object_of(&pointer, &lab.store, &lab.database);
    }
    let before = objects(&lab.store);
    programs.new_direct("read");
    programs.old("change", "no");
    programs.old("fetch", "yes");
    programs.new_stored("insert");
    programs.old("fetch_of_new", "");
    assert!(objects(&lab.store).len() > before.len());
}

/// 2.3.5 declares a table with core types and codecs directly; 0.14 opens it and adds to it.
#[test]
fn a_table_of_the_new_program() {
    new_program(&Lab::new("datajoint_new"), |programs, step| {
        programs.new_stored(step)
    });
}

/// The same on a real MySQL, where the new program needs no proxy.
#[test]
fn a_table_of_the_new_program_on_mysql() {
    if let Some(lab) = Lab::on_mysql("datajoint_new") {
        new_program(&lab, |programs, step| {
            programs.new_direct(step);
            // Longer than the catalog may be old.
            std::thread::sleep(std::time::Duration::from_secs(6));
        });
    }
}

fn new_program(lab: &Lab, declare: impl FnOnce(&Programs, &str)) {
    let programs = Programs::new(lab);
    declare(&programs, "declare_core");
    programs.old("open_core", "");
    programs.new_direct("read_core");
}

/// A program that nobody may touch: one line of configuration marks its blobs.
#[test]
fn an_untouched_program() {
    let declare = "[declare]\nlongblob = \"<blob>\"\nattach = \"<attach>\"\n";
    untouched("untouched", declare, "");
}

/// … or moves them to the store.
#[test]
fn an_untouched_program_offloads() {
    let declare = "[declare]\nlongblob = \"<blob@main>\"\nattach = \"<attach@main>\"\n";
    untouched("untouched_store", declare, "main");
}

fn untouched(name: &str, declare: &str, store: &str) {
    let lab = Lab::with_config(name, |config| format!("{config}\n{declare}"));
    let programs = Programs {
        declare_store: store,
        ..Programs::new(&lab)
    };
    programs.old("untouched", "");
    programs.new_direct("read_untouched");
    assert_eq!(objects(&lab.store).is_empty(), store.is_empty());
}

/// Tables of both generations, with keys into each other's, part tables, lookups, jobs, adapted
/// types and legacy external columns: each opens, reads, fills and deletes what the other made.
#[test]
fn one_schema_of_both() {
    let lab = Lab::new("one_schema");
    both_programs(&Programs::new(&lab), lab.proxy.port("stored"));
}

/// The same with DataJoint 0.13.
#[test]
fn one_schema_with_an_even_older_program() {
    let lab = Lab::new("one_schema_013");
    both_programs(&Programs::with_old("dj013", &lab), lab.proxy.port("stored"));
}

/// The same on a real MySQL, where the new program needs no proxy.
#[test]
fn one_schema_of_both_on_mysql() {
    if let Some(lab) = Lab::on_mysql("one_schema") {
        both_programs(&Programs::new(&lab), lab.port);
    }
}

fn both_programs(programs: &Programs, new_port: u16) {
    let lab = programs.lab;
    let old = |step| programs.old_of("one_schema_old.py", step, "");
    let new = |step| programs.new_at(new_port, "one_schema_new.py", step);
    new("declare");
    if new_port == lab.port {
        // Longer than the catalog may be old.
        std::thread::sleep(std::time::Duration::from_secs(6));
    }
    new("features");
    old("open");
    old("fetch");
    old("change");
    old("own");
    programs.new_at(lab.port, "one_schema_new.py", "read_old");
    new("write_old");
    old("after");
    new("delete");
    old("drop");
}
