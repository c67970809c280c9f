//! The README's table "What works on a codec column", made from the topics.

use std::fs;
use std::path::Path;

use super::topic::{Entry, Topic};
use super::writes;

/// The table stands between these lines.
const BEGIN: &str = "<!-- Made from tests/shapes by `make shapes`. -->";
const END: &str = "<!-- End of the shapes. -->";

/// Compares the README with the topics, or writes it.
pub fn check(topics: impl Iterator<Item = Topic>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).expect("a README");
    let (before, rest) = readme.split_once(BEGIN).expect("the place of the table");
    let (_, after) = rest.split_once(END).expect("the end of the table");
    let topics: Vec<Topic> = topics.collect();
    let made = format!("{before}{BEGIN}\n{}{END}{after}", table(&topics));
    if writes() {
        fs::write(&path, made).expect("writable");
    } else {
        assert!(made == readme, "README.md is not what tests/shapes say: make shapes");
    }
}

fn table(topics: &[Topic]) -> String {
    let count: usize = topics.iter().map(|topic| topic.entries.len()).sum();
    let mut text = format!("\n{count} shapes.\n\n| shapes | |\n|---|---|\n");
    for topic in topics {
        for group in groups(&topic.entries) {
            text.push_str(&format!("| {} | {} |\n", group[0].group, summary(group)));
        }
    }
    text.push('\n');
    text
}

fn groups(entries: &[Entry]) -> impl Iterator<Item = &[Entry]> {
    entries.chunk_by(|a, b| a.group == b.group)
}

fn summary(entries: &[Entry]) -> String {
    let _ = entries;
    String::new()
}
