//! The README's table "What works on a codec column", made from the topics.

use std::fs;
use std::path::Path;

use super::outcome::{Outcome, SLOTS, Slot};
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
        assert!(
            made == readme,
            "README.md is not what tests/shapes say: make shapes"
        );
    }
}

fn table(topics: &[Topic]) -> String {
    let count = topics
        .iter()
        .flat_map(|topic| &topic.entries)
        .filter(|entry| entry.is_run)
        .count();
    let mut text = format!(
        "<details><summary>{count} shapes, one by one</summary>

| shapes | what becomes of them |
|---|---|
"
    );
    for topic in topics {
        for group in topic.entries.chunk_by(|a, b| a.group == b.group) {
            text.push_str(&format!("| {} | {} |\n", group[0].group, summary(group)));
        }
    }
    text.push_str("\n</details>\n");
    text
}

/// A cell of the table: what becomes of most, and which are refused.
fn summary(entries: &[Entry]) -> String {
    let [text, prepared, mysql, mysql_prepared] = SLOTS.map(|slot| outcomes(entries, slot));
    let mut parts: Vec<String> = right(&text)
        .into_iter()
        .chain(refused(&text, &[], ""))
        .collect();
    parts.extend(refused(&prepared, &text, "prepared: "));
    parts.extend(refused(&mysql, &text, "MySQL: "));
    let known: Vec<_> = [prepared, mysql].concat();
    parts.extend(refused(&mysql_prepared, &known, "MySQL, prepared: "));
    parts.join("; ")
}

type Named<'a> = (&'a str, &'a Outcome);

fn outcomes(entries: &[Entry], slot: Slot) -> Vec<Named<'_>> {
    let outcome = |entry: &'_ Entry| entry.expected.of(slot).is_some();
    let told = entries
        .iter()
        .filter(|entry| entry.is_run && outcome(entry));
    told.filter_map(|entry| Some((entry.name.as_str(), entry.expected.of(slot)?)))
        .collect()
}

/// What becomes of those that are not refused; of what passes only if nothing else is done.
fn right(outcomes: &[Named]) -> Option<String> {
    let words = [
        Outcome::Declared,
        Outcome::Encoded,
        Outcome::Decoded,
        Outcome::Passed,
    ];
    let there = |word: &&Outcome| outcomes.iter().any(|(_, outcome)| outcome == word);
    let there: Vec<_> = words.iter().filter(there).map(Outcome::word).collect();
    match there.as_slice() {
        [] => None,
        ["passed"] => Some("passed".to_owned()),
        [words @ .., "passed"] => Some(words.join(", ")),
        words => Some(words.join(", ")),
    }
}

/// The refusals that are not among those known, by their reasons.
fn refused(outcomes: &[Named], known: &[Named], place: &str) -> Vec<String> {
    let is_known = |named: &&Named| {
        !known
            .iter()
            .any(|(name, outcome)| *name == named.0 && matches!(outcome, Outcome::Refused { .. }))
    };
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, outcome) in outcomes.iter().filter(is_known) {
        let Outcome::Refused { reason, .. } = outcome else {
            continue;
        };
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, names)) => names.push(name),
            None => reasons.push((reason, vec![name])),
        }
    }
    let told = reasons.into_iter().map(|(reason, names)| {
        let names = match names.len() == outcomes.len() {
            true => String::new(),
            false => format!(" {} –", names.join(", ")),
        };
        format!("{place}refused:{names} {reason}").replace('|', "\\|")
    });
    told.collect()
}
