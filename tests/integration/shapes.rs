//! The corpus of statement shapes: `tests/shapes/*.txt`, a file per topic.
//!
//! Each statement is run through the proxy, in the text protocol and, where the server can
//! prepare it, as a prepared statement; on MariaDB, and on MySQL where there is one. Beside it
//! the same statement goes directly to a *plain twin*: a database with the same tables, whose
//! codec columns are plain `longblob`s (`longtext` for the `json` view). So the outcome is either
//! right, which is to say equal to the twin's in every respect, or a refusal that has changed
//! nothing. Anything else fails, whatever the file expects; and the expectation is exact, so
//! that the files, and the README's table that is made from them, tell what is so today.
//!
//! `CODEC_PROXY_TESTS_SHAPES=write` has the files (with a MySQL at hand) and the README say what
//! was found; what is neither right nor refused is never written.

mod judge;
mod outcome;
mod readme;
mod replies;
mod run;
mod topic;
mod twins;
mod values;

use std::fs;
use std::path::PathBuf;

use self::outcome::{Found, Slot};
use self::run::Runner;
use self::topic::Topic;
use crate::support::mysql;

/// A test for each topic, and the list of them.
macro_rules! topics {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name));
        })*

        const TOPICS: &[&str] = &[$(stringify!($name)),*];
    };
}

topics! {
    literals inserts expressions insert_select updates selects derived conditions functions dynamic ddl information names lies datajoint json stored
}

/// Whether the files and the README are to be written, not checked.
fn writes() -> bool {
    std::env::var("CODEC_PROXY_TESTS_SHAPES").is_ok_and(|mode| mode == "write")
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/shapes")
}

fn check(name: &str) {
    let mut topic = Topic::read(name);
    let mut found: Vec<Vec<(Slot, Found)>> = vec![Vec::new(); topic.entries.len()];
    let mut runners = vec![Runner::on_mariadb(name, &topic)];
    runners.extend(Runner::on_mysql(name, &topic));
    for runner in &mut runners {
        let entries = topic.entries.iter().zip(&mut found);
        for (entry, found) in entries.filter(|(entry, _)| entry.is_run) {
            found.extend(runner.run(entry));
        }
    }
    // Quietly, and not among what a failure prints.
    drop(runners);
    let mut wrong = Vec::new();
    for (entry, found) in topic.entries.iter().zip(&found) {
        for (slot, found) in found {
            if let Some(complaint) = entry.expected.complaint(*slot, found) {
                let place = format!("tests/shapes/{name}.txt:{}", entry.line);
                wrong.push(format!("{place} {} [{slot}]: {complaint}", entry.name));
            }
        }
    }
    if writes() && mysql::port().is_some() {
        for (entry, found) in topic.entries.iter_mut().zip(&found) {
            entry.expected.learn(found);
        }
        topic.write(name);
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Every file has a test, and together they are the corpus that is promised.
#[test]
fn no_topic_is_forgotten() {
    let mut count = 0;
    for entry in fs::read_dir(folder()).expect("a folder") {
        let path = entry.expect("readable").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if name != twins::SETUP {
            assert!(TOPICS.contains(&name.as_str()), "{name} has no test");
            count += Topic::read(&name)
                .entries
                .iter()
                .filter(|entry| entry.is_run)
                .count();
        }
    }
    assert!(count >= 400, "{count} shapes");
}

/// The README's table is made from the files.
#[test]
fn the_readme_tells_the_same() {
    readme::check(TOPICS.iter().map(|name| Topic::read(name)));
}
