//! Two databases that hold the same: one with codecs, behind a proxy, and its plain twin.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;

use super::folder;
use super::replies::{self, Reply};
use super::topic::{Topic, View};
use super::values::Side;
use crate::support::answer::{Answer, BINARY_CHARSET, Column};
use crate::support::client::{Client, Login};
use crate::support::lab::Lab;
use crate::support::objects::{escaped, hex};

/// The file with the tables that every topic has, without its ending.
pub const SETUP: &str = "setup";

pub struct Twins {
    pub lab: Lab,
    /// The twin's name is as long as the lab's, so that one can stand for the other in a packet.
    pub twin: String,
    pub view: View,
    /// What both hold before each entry.
    pub ours: Snapshot,
    pub theirs: Snapshot,
    direct: RefCell<Client>,
    direct_to_twin: RefCell<Client>,
}

/// Every table and view of a database, by name.
pub type Snapshot = BTreeMap<String, Table>;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// Its `CREATE` statement.
    pub create: String,
    pub is_view: bool,
    /// Of a view there are none.
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

/// The values of a row as text, or NULL.
pub type Row = Vec<Option<Vec<u8>>>;

impl Twins {
    /// Fills both databases; the statements of the topic come after those of every topic.
    pub fn new(lab: Lab, topic: &Topic) -> Self {
        let twin = format!("w{}", &lab.database[1..]);
        let mut root = Client::connect(lab.port, &Login::root()).expect("root logs in");
        root.ok(format!("CREATE DATABASE `{twin}` CHARACTER SET utf8mb4"));
        root.ok(format!("GRANT ALL ON `{twin}`.* TO '{}'@'%'", lab.user));
        let to_twin = lab.login().database(&twin);
        let mut twins = Self {
            direct: RefCell::new(lab.direct()),
            direct_to_twin: RefCell::new(lab.connect(lab.port, &to_twin)),
            lab,
            twin,
            view: topic.view,
            ours: Snapshot::new(),
            theirs: Snapshot::new(),
        };
        twins.set_up(topic);
        (twins.ours, twins.theirs) = twins.snapshots();
        twins
    }

    /// What both hold now, asked directly.
    pub fn snapshots(&self) -> (Snapshot, Snapshot) {
        (
            snapshot(&mut self.direct.borrow_mut()),
            snapshot(&mut self.direct_to_twin.borrow_mut()),
        )
    }

    fn set_up(&self, topic: &Topic) {
        let common = folder().join(SETUP).with_extension("txt");
        let common = fs::read_to_string(common).expect("the tables of every topic");
        let statements = common.lines().filter(|line| !line.is_empty());
        let (mut stored, mut client, mut twin) =
            (self.lab.stored(), self.proxied(), self.to_twin());
        for statement in statements.chain(topic.setup.iter().map(String::as_str)) {
            let ours = Side {
                declares_stored: true,
                ..self.side()
            };
            let is_ddl = statement.starts_with("CREATE");
            let client = if is_ddl { &mut stored } else { &mut client };
            client.ok(ours.text(statement));
            twin.ok(self.side_of_twin().text(statement));
        }
    }

    pub fn side(&self) -> Side<'_> {
        Side {
            view: self.view,
            database: &self.lab.database,
            schema: &self.lab.database,
            is_twin: false,
            declares_stored: false,
        }
    }

    pub fn side_of_twin(&self) -> Side<'_> {
        Side {
            database: &self.twin,
            schema: &self.twin,
            is_twin: true,
            ..self.side()
        }
    }

    /// A client of the proxy, in the view.
    pub fn proxied(&self) -> Client {
        match self.view {
            View::Bytes => self.lab.bytes(),
            View::Stored => self.lab.stored(),
            View::Json => {
                let mut client = self.lab.bytes();
                client.ok("SET @codec_view = 'json'");
                client
            }
        }
    }

    /// A client of the twin.
    pub fn to_twin(&self) -> Client {
        let login = self.lab.login().database(&self.twin);
        self.lab.connect(self.lab.port, &login)
    }

    /// The names to compare answers with.
    pub fn names(&self) -> (&str, &str) {
        (&self.lab.database, &self.twin)
    }

    /// Puts back what a statement has changed in either.
    pub fn restore(&self, ours: &Snapshot, theirs: &Snapshot) {
        // New tables through the proxy, which so knows of them at once.
        let changed = |table: &Table, then: Option<&Table>| {
            then.is_none_or(|then| then.create != table.create)
        };
        if *ours != self.ours {
            let mut direct = self.direct.borrow_mut();
            let is_ddl = ours.len() != self.ours.len()
                || ours
                    .iter()
                    .any(|(name, table)| changed(table, self.ours.get(name)));
            match is_ddl {
                true => restore(Some(&mut self.lab.stored()), &mut direct, ours, &self.ours),
                false => restore(None, &mut direct, ours, &self.ours),
            }
        }
        restore(
            None,
            &mut self.direct_to_twin.borrow_mut(),
            theirs,
            &self.theirs,
        );
    }
}

impl Drop for Twins {
    fn drop(&mut self) {
        if let Ok(mut root) = Client::connect(self.lab.port, &Login::root()) {
            let _ = root.query(format!("DROP DATABASE IF EXISTS `{}`", self.twin));
        }
    }
}

fn snapshot(direct: &mut Client) -> Snapshot {
    let tables = direct.rows("SHOW FULL TABLES");
    let text = |value: &Option<Vec<u8>>| {
        String::from_utf8_lossy(value.as_deref().unwrap_or_default()).into_owned()
    };
    let tables: Vec<(String, bool)> = tables
        .iter()
        .map(|row| (text(&row[0]), text(&row[1]) == "VIEW"))
        .collect();
    let question: String = tables
        .iter()
        .map(|(name, is_view)| match is_view {
            true => format!("SHOW CREATE TABLE `{name}`;"),
            false => format!("SHOW CREATE TABLE `{name}`; SELECT * FROM `{name}`;"),
        })
        .collect();
    if question.is_empty() {
        return Snapshot::new();
    }
    let mut answers = replies::query(direct, question.trim_end_matches(';').as_bytes()).into_iter();
    let mut next = || match answers.next() {
        Some(Reply::Rows { columns, rows, .. }) => {
            let width = columns.len();
            let rows = rows.iter().map(|row| Answer::text_row(row, width));
            (columns, rows.collect::<Vec<Row>>())
        }
        other => panic!("{other:?}"),
    };
    let table = |(name, is_view): (String, bool)| {
        let create = text(&next().1[0][1]);
        let (columns, rows) = match is_view {
            true => (Vec::new(), Vec::new()),
            false => next(),
        };
        let table = Table {
            create,
            is_view,
            columns,
            rows,
        };
        (name, table)
    };
    tables.into_iter().map(table).collect()
}

fn restore(mut ddl: Option<&mut Client>, direct: &mut Client, now: &Snapshot, then: &Snapshot) {
    if now == then {
        return;
    }
    const UNCHECKED: &str = "SET SESSION foreign_key_checks = 0";
    direct.ok(UNCHECKED);
    if let Some(ddl) = ddl.as_deref_mut() {
        ddl.ok(UNCHECKED);
    }
    let mut change = |direct: &mut Client, sql: &str| {
        ddl.as_deref_mut().unwrap_or(direct).ok(sql);
    };
    for (name, table) in now {
        if then
            .get(name)
            .is_none_or(|then| then.create != table.create)
        {
            let kind = if table.is_view { "VIEW" } else { "TABLE" };
            change(direct, &format!("DROP {kind} `{name}`"));
        }
    }
    // Views stand on tables.
    for is_view in [false, true] {
        for (name, table) in then.iter().filter(|(_, table)| table.is_view == is_view) {
            if now.get(name).is_none_or(|now| now.create != table.create) {
                change(direct, &table.create);
                fill(direct, name, table);
            } else if now[name].rows != table.rows {
                direct.ok(format!("DELETE FROM `{name}`"));
                fill(direct, name, table);
            }
        }
    }
}

fn fill(direct: &mut Client, name: &str, table: &Table) {
    if table.rows.is_empty() {
        return;
    }
    let mut text = format!("INSERT INTO `{name}` VALUES ").into_bytes();
    for (at, row) in table.rows.iter().enumerate() {
        text.extend_from_slice(if at == 0 { b"(" } else { b",(" });
        for (at, (value, column)) in row.iter().zip(&table.columns).enumerate() {
            if at > 0 {
                text.push(b',');
            }
            // VARCHAR, CHAR and BLOB, of bytes.
            let is_binary = column.charset == BINARY_CHARSET && (252..=254).contains(&column.kind);
            text.extend(match value {
                None => b"NULL".to_vec(),
                Some(value) if is_binary => hex(value),
                Some(value) => escaped(value),
            });
        }
        text.push(b')');
    }
    direct.ok(text);
}
