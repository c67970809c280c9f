//! Runs an entry on both sides and tells what became of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::judge::{Codecs, Judge};
use super::outcome::{Found, Outcome, Slot};
use super::replies::{self, Prepared, Reply};
use super::topic::{Entry, Sent, Topic};
use super::twins::{Snapshot, Twins};
use crate::support::answer::ServerError;
use crate::support::client::Client;
use crate::support::lab::Lab;

/// `ER_UNSUPPORTED_PS`: the statement cannot be prepared.
const UNPREPARED: u16 = 1295;
/// What codec-proxy's own errors begin with.
const OWN: &str = "codec-proxy: ";
/// The numbers that a refusal may have: of a statement, of a setting, of a value, of a store.
const REFUSALS: [u16; 4] = [1235, 1231, 1366, 1296];

/// Runs entries on one server.
pub struct Runner {
    twins: Twins,
    is_mysql: bool,
}

impl Runner {
    pub fn on_mariadb(name: &str, topic: &Topic) -> Self {
        Self {
            twins: Twins::new(Lab::new(&lab_name(name)), topic),
            is_mysql: false,
        }
    }

    /// `None`, with a visible line, where there is no MySQL.
    pub fn on_mysql(name: &str, topic: &Topic) -> Option<Self> {
        let lab = Lab::on_mysql(&lab_name(name))?;
        Some(Self {
            twins: Twins::new(lab, topic),
            is_mysql: true,
        })
    }

    /// What becomes of the entry in either protocol.
    pub fn run(&mut self, entry: &Entry) -> Vec<(Slot, Found)> {
        if entry.on_mariadb && self.is_mysql {
            return Vec::new();
        }
        let slots = [false, true].map(|prepared| Slot {
            mysql: self.is_mysql,
            prepared,
        });
        slots
            .map(|slot| (slot, self.run_in(entry, slot.prepared)))
            .into()
    }

    fn run_in(&mut self, entry: &Entry, prepared: bool) -> Found {
        let found = catch_unwind(AssertUnwindSafe(|| self.outcome(entry, prepared)));
        let found = found.unwrap_or_else(|_| Err("the connection was lost".to_owned()));
        let (ours, theirs) = self.twins.snapshots();
        self.twins.restore(&ours, &theirs);
        found
    }

    fn outcome(&self, entry: &Entry, prepared: bool) -> Found {
        let (mut ours, mut theirs) = (self.twins.proxied(), self.twins.to_twin());
        for before in &entry.before {
            let reply = replies::query(&mut ours, &self.twins.side().text(&before.text));
            if let Some(error) = refusal(&reply) {
                return self.refused(error, (ours, theirs), &self.twins.ours);
            }
            let twins = replies::query(
                &mut theirs,
                &self.twins.side_of_twin().text(before.to_twin()),
            );
            self.same(&reply, &twins, true)
                .map_err(|told| format!("before it, {}: {told}", before.text))?;
        }
        // Without a look at tables that it may have locked.
        let changes = |before: &Sent| {
            let mut words = ["INSERT", "CREATE", "DELETE", "RENAME", "SELECT"].iter();
            words.any(|word| before.text.starts_with(word))
        };
        let held = match entry.before.iter().any(changes) {
            false => None,
            true => Some(self.twins.snapshots()),
        };
        let (held, held_by_twin) = match &held {
            Some((ours, theirs)) => (ours, theirs),
            None => (&self.twins.ours, &self.twins.theirs),
        };
        let infile = self.twins.side().text(&entry.infile);
        ours.infile.clone_from(&infile);
        theirs.infile = infile;
        let (ours_said, theirs_said) = self.send(entry, prepared, &mut ours, &mut theirs);
        if let Some(Reply::Failed(error)) = theirs_said.replies.last()
            && prepared
            && error.code == UNPREPARED
        {
            return match ours_said.replies.last() {
                Some(Reply::Failed(_)) => Ok(Outcome::Unprepared),
                other => Err(format!("{other:?} where the server does not prepare")),
            };
        }
        if let Some(error) = refusal(&ours_said.replies) {
            return self.refused(error, (ours, theirs), held);
        }
        self.right(
            entry,
            &ours_said,
            &theirs_said,
            (ours, theirs),
            (held, held_by_twin),
        )
    }

    fn send(
        &self,
        entry: &Entry,
        prepared: bool,
        ours: &mut Client,
        theirs: &mut Client,
    ) -> (Prepared, Prepared) {
        let (side, twin) = (self.twins.side(), self.twins.side_of_twin());
        let text = |client: &mut Client, sql: &[u8]| Prepared {
            announced: Vec::new(),
            replies: replies::query(client, sql),
            is_prepared: true,
        };
        if !prepared {
            return (
                text(ours, &side.text(&entry.statement.text)),
                text(theirs, &twin.text(entry.statement.to_twin())),
            );
        }
        let (sql, parameters) = side.lifted(&entry.statement.text);
        let ours = replies::execute(ours, &sql, &parameters);
        let (sql, parameters) = twin.lifted(entry.statement.to_twin());
        (ours, replies::execute(theirs, &sql, &parameters))
    }

    /// An answer that is no refusal must be the twin's, and so must be what is stored then.
    fn right(
        &self,
        entry: &Entry,
        ours: &Prepared,
        theirs: &Prepared,
        clients: (Client, Client),
        (held, held_by_twin): (&Snapshot, &Snapshot),
    ) -> Found {
        let ordered = entry
            .statement
            .text
            .to_ascii_uppercase()
            .contains("ORDER BY");
        let names = self.twins.names();
        if let Some(told) = replies::columns_differ(&ours.announced, &theirs.announced, names) {
            return Err(format!("PREPARE: {told}"));
        }
        self.same(&ours.replies, &theirs.replies, ordered)?;
        // Locks and transactions end with the connections.
        drop(clients);
        let judge = self.judge();
        let before = judge
            .compare(held, held_by_twin)
            .map_err(|told| format!("before it, {told}"))?;
        let (now, then) = self.twins.snapshots();
        let after = judge.compare(&now, &then)?;
        self.read_back(held, &now)?;
        if let [.., Reply::Failed(error)] = theirs.replies.as_slice() {
            return Ok(Outcome::Error(error.code));
        }
        Ok(kind(&before, &after, &theirs.replies))
    }

    fn same(&self, ours: &[Reply], theirs: &[Reply], ordered: bool) -> Result<(), String> {
        for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            if let Some(told) = replies::difference(ours, theirs, self.twins.names(), ordered) {
                return Err(match at {
                    0 => told,
                    at => format!("result {at}: {told}"),
                });
            }
        }
        match ours.len() == theirs.len() {
            true => Ok(()),
            false => Err(format!("{} results and not {}", ours.len(), theirs.len())),
        }
    }

    /// What was written is read through the proxy as from the twin.
    fn read_back(&self, before: &Snapshot, now: &Snapshot) -> Result<(), String> {
        let changed = now
            .iter()
            .filter(|(name, table)| !table.is_view && before.get(*name) != Some(table));
        for (name, _) in changed {
            let question = format!("SELECT * FROM `{name}`");
            let ours = replies::query(&mut self.twins.proxied(), question.as_bytes());
            let theirs = replies::query(&mut self.twins.to_twin(), question.as_bytes());
            self.same(&ours, &theirs, false)
                .map_err(|told| format!("read back, {name}: {told}"))?;
        }
        Ok(())
    }

    /// A refusal says what it must, has changed nothing, and leaves a connection that works.
    fn refused(
        &self,
        error: &ServerError,
        (mut ours, theirs): (Client, Client),
        held: &Snapshot,
    ) -> Found {
        if let [Reply::Failed(error), ..] = replies::query(&mut ours, b"SELECT 1").as_slice() {
            return Err(format!("after the refusal: {error}"));
        }
        // Locks and transactions end with the connections.
        drop((ours, theirs));
        let (now, _) = self.twins.snapshots();
        if now != *held {
            return Err(format!("refused, and yet changed: {error}"));
        }
        let told = error.message.strip_prefix(OWN).unwrap_or_default();
        let (path, reason) = told.split_once(": ").unwrap_or(("", told));
        let (reason, _) = reason.split_once("; ").unwrap_or((reason, ""));
        Ok(Outcome::Refused {
            reason: reason.replace(&self.twins.lab.database, "{db}"),
            named: path.starts_with(&format!("{}.", self.twins.lab.database)),
        })
    }

    fn judge(&self) -> Judge<'_> {
        Judge {
            store: &self.twins.lab.store,
            schema: &self.twins.lab.database,
            twin: &self.twins.twin,
            view: self.twins.view,
        }
    }
}

fn lab_name(topic: &str) -> String {
    format!("sh_{topic}")
}

/// The first error that is codec-proxy's own.
fn refusal(replies: &[Reply]) -> Option<&ServerError> {
    replies.iter().find_map(|reply| match reply {
        Reply::Failed(error)
            if error.message.starts_with(OWN) && REFUSALS.contains(&error.code) =>
        {
            Some(error)
        }
        _ => None,
    })
}

/// What a right statement has done.
fn kind(before: &Codecs, after: &Codecs, replies: &[Reply]) -> Outcome {
    let holds = |row: &Vec<u8>| {
        let mut values = before.values.iter().chain(&after.values);
        values.any(|(_, value)| value.len() > 4 && memchr::memmem::find(row, value).is_some())
    };
    let decoded = replies.iter().any(|reply| match reply {
        Reply::Rows { rows, .. } => rows.iter().any(holds),
        _ => false,
    });
    if !after.columns.is_subset(&before.columns) {
        Outcome::Declared
    } else if !after.values.is_subset(&before.values) {
        Outcome::Encoded
    } else if decoded {
        Outcome::Decoded
    } else {
        Outcome::Passed
    }
}
