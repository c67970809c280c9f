//! The text of a topic: how the files in `tests/shapes` are written.
//!
//! ```text
//! ! What the topic is about.
//! view json                     the view, if it is not "bytes"
//! + CREATE TABLE …              tables that only this topic has
//! ## A group: a line of the README's table
//! - name of an entry            -- if it is not to be run
//! @ mariadb                     there alone: MySQL has no such thing
//! ~ a statement before it       in the text protocol
//! ~= what the twin gets in place of that
//! < a line of the file that LOAD DATA LOCAL reads
//! the statement, on one line or several
//! = what the twin gets in its place
//! -> encoded                    the expectation, see `outcome.rs`
//! -> prepared: refused: …
//! ```
//!
//! What stands in braces is filled in by `values.rs`.

use std::fmt::Write as _;
use std::fs;

use super::folder;
use super::outcome::Expected;

/// A file of entries.
pub struct Topic {
    /// What it is about, in one line.
    pub title: String,
    pub view: View,
    /// Statements that make its own tables.
    pub setup: Vec<String>,
    pub entries: Vec<Entry>,
}

/// What the client sees of codec columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum View {
    Bytes,
    Json,
    Stored,
}

/// One shape of statement.
pub struct Entry {
    pub line: usize,
    pub is_run: bool,
    pub group: String,
    pub name: String,
    /// On MariaDB alone.
    pub on_mariadb: bool,
    pub before: Vec<Sent>,
    pub statement: Sent,
    /// What LOAD DATA LOCAL INFILE is answered with.
    pub infile: String,
    pub expected: Expected,
}

/// A statement, and what the twin gets in its place if it is not the same.
#[derive(Default)]
pub struct Sent {
    pub text: String,
    pub twin: Option<String>,
}

impl Sent {
    pub fn to_twin(&self) -> &str {
        self.twin.as_deref().unwrap_or(&self.text)
    }
}

impl Topic {
    pub fn read(name: &str) -> Self {
        let path = folder().join(name).with_extension("txt");
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        Self::parse(name, &text)
    }

    fn parse(name: &str, text: &str) -> Self {
        let mut topic = Self {
            title: String::new(),
            view: View::Bytes,
            setup: Vec::new(),
            entries: Vec::new(),
        };
        let mut group = String::new();
        for (number, line) in (1..).zip(text.lines()) {
            let place = format!("{name}.txt:{number}");
            let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
            let rest = rest.to_owned();
            match (mark, topic.entries.last_mut()) {
                ("", _) if rest.is_empty() => {}
                ("!", _) => topic.title = rest,
                ("view", None) => topic.view = View::parse(&rest),
                ("+", None) => topic.setup.push(rest),
                ("##", _) => group = rest,
                ("-" | "--", _) => topic.entries.push(Entry {
                    line: number,
                    is_run: mark == "-",
                    group: group.clone(),
                    name: rest,
                    on_mariadb: false,
                    before: Vec::new(),
                    statement: Sent::default(),
                    infile: String::new(),
                    expected: Expected::default(),
                }),
                (_, None) => panic!("{place}: before the first entry"),
                ("@", Some(entry)) => entry.on_mariadb = rest == "mariadb",
                ("~", Some(entry)) => entry.before.push(Sent {
                    text: rest,
                    twin: None,
                }),
                ("~=", Some(entry)) => entry.before.last_mut().expect(&place).twin = Some(rest),
                ("<", Some(entry)) => {
                    entry.infile.push_str(&rest);
                    entry.infile.push('\n');
                }
                ("=", Some(entry)) => entry.statement.twin = Some(rest),
                ("->", Some(entry)) => entry.expected.add(&rest).expect(&place),
                (_, Some(entry)) => {
                    let statement = &mut entry.statement.text;
                    let end = if statement.is_empty() { "" } else { "\n" };
                    let _ = write!(statement, "{end}{line}");
                }
            }
        }
        topic
    }

    /// Writes the file again.
    pub fn write(&self, name: &str) {
        let mut text = format!("! {}\n", self.title);
        if self.view != View::Bytes {
            let _ = writeln!(text, "view {}", self.view.name());
        }
        for line in &self.setup {
            let _ = writeln!(text, "+ {line}");
        }
        let mut group = "";
        for entry in &self.entries {
            if entry.group != group {
                group = &entry.group;
                let _ = writeln!(text, "\n## {group}");
            }
            entry.write(&mut text);
        }
        fs::write(folder().join(name).with_extension("txt"), text).expect("writable");
    }
}

impl Entry {
    fn write(&self, text: &mut String) {
        let mark = if self.is_run { "-" } else { "--" };
        let _ = writeln!(text, "{mark} {}", self.name);
        if self.on_mariadb {
            text.push_str("@ mariadb\n");
        }
        for before in &self.before {
            let _ = writeln!(text, "~ {}", before.text);
            if let Some(twin) = &before.twin {
                let _ = writeln!(text, "~= {twin}");
            }
        }
        for line in self.infile.lines() {
            let _ = writeln!(text, "< {line}");
        }
        let _ = writeln!(text, "{}", self.statement.text);
        if let Some(twin) = &self.statement.twin {
            let _ = writeln!(text, "= {twin}");
        }
        for line in self.expected.lines() {
            let _ = writeln!(text, "-> {line}");
        }
    }
}

impl View {
    fn parse(name: &str) -> Self {
        match name {
            "json" => Self::Json,
            "stored" => Self::Stored,
            "bytes" => Self::Bytes,
            other => panic!("no view is called {other}"),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Json => "json",
            Self::Stored => "stored",
        }
    }
}
