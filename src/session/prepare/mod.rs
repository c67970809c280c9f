//! The prepared statements of a session that something must be known of, by the ids that the
//! server gave them.
//!
//! - A statement that writes or reads codec columns was planned when it was prepared
//!   ([`answer`]). Each execution is translated by that plan ([`execute`], [`bulk`]): the
//!   parameters that go to codec columns are replaced, the rows of its results decoded. Values may
//!   come before, in pieces ([`long`]).
//! - The rows that describe columns are rewritten at each execution
//!   ([`describe`](crate::session::describe)).
//! - DDL changes the catalog not when it is prepared, but when it is executed.
//! - A statement on codec tables means something else in another view: what it was prepared for is
//!   what its client still sends and expects. When the session chooses another view, such
//!   statements are closed on the server, so that executing one is an error.
//!
//! Of any other statement nothing is known; its commands pass as they are. There are at most
//! `limits.prepared_statements` that something is known of.

mod answer;
mod bulk;
mod execute;
pub mod inline;
mod long;
mod spool;
mod values;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

pub use answer::{Preparing, prepare};
pub use execute::{HEAD, Running, run};

use bytes::Bytes;

use self::inline::Inline;
use self::long::LongData;
use super::coded::Coded;
use super::context::SessionContext;
use super::relay::Relay;
use crate::catalog::{Index, Table};
use crate::config::Limits;
use crate::plan::{Ddl, Read, Write};
use crate::refusal::Refusal;
use crate::session::write::evaluate::Expression;
use crate::view::View;
use crate::view::describe::Describe;
use crate::wire::command;
use crate::wire::parameters::Kind;

/// MariaDB's id for "the statement prepared last", which lets a client pipeline both commands.
const LAST: u32 = u32::MAX;

/// The prepared statements of a session that something is to be known of.
#[derive(Debug, Default)]
pub struct Prepared {
    by_id: HashMap<u32, Record>,
    last: Last,
    /// What is known of statements prepared by `PREPARE`.
    named: Named,
}

/// The statement that was prepared last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// None, or one that nothing is known of.
    #[default]
    Unknown,
    /// The proxy has refused it: the server takes another one for the last.
    Refused,
    /// One that is remembered.
    Known(u32),
}

/// The statements that a session has prepared under names.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Named {
    #[default]
    None,
    /// All in the present view.
    Present,
    /// Some in another: which is not known, as the server alone has the names.
    Others,
}

/// What is known of a statement.
#[derive(Debug)]
pub struct Record {
    /// The view that it was prepared in, if that matters.
    view: Option<View>,
    what: What,
}

/// What a statement does.
#[derive(Debug)]
enum What {
    /// It names a codec table; its commands go to the server as they are.
    Passing,
    /// Its execution changes the catalog.
    Ddl(Ddl),
    /// It describes columns.
    Describing(Box<Describing>),
    /// It writes or reads codec columns.
    Translated(Box<Translated>),
    /// It is run as a text.
    Inline(Box<Inline>),
}

/// A statement that describes columns.
#[derive(Debug, Clone)]
struct Describing {
    plan: Describe,
    /// The definitions of its result's columns, as the client has them last.
    definitions: Vec<Bytes>,
}

/// A statement that writes or reads codec columns.
#[derive(Debug)]
struct Translated {
    plan: Arc<Planned>,
    /// The types of its parameters, as the client has bound them last.
    kinds: Vec<Kind>,
    /// What has come before its next execution.
    long: LongData,
    /// The definitions of its result's columns, as the server has sent them last.
    definitions: Vec<Bytes>,
}

/// What has been found out about a statement when it was prepared.
#[derive(Debug)]
struct Planned {
    /// The values that go to codec columns.
    write: Write,
    /// For each cell its column.
    columns: Vec<Arc<Coded>>,
    /// The server's parameters, in their order.
    slots: Vec<Slot>,
    /// How many parameters the client sees.
    count: usize,
    /// What its result is made of.
    read: Read,
    /// What the meaning of its text depends on.
    context: SessionContext,
    /// What the server is asked for at each execution, with the cells that it is for.
    expressions: Vec<(usize, Expression)>,
    /// Whether its response may hold columns to decode.
    has_results: bool,
    /// Bytes of its text that its literals and expressions keep in memory.
    kept: u64,
}

/// What a parameter of the statement that the server has prepared stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// The client's parameter of this number, which goes to no codec column.
    Client(usize),
    /// The client's parameter of this number, which is the cell with that number.
    Cell(usize, usize),
    /// A literal or an expression of the client's text, which is the cell with this number: it is
    /// bound by the proxy at each execution, for its objects must be there then.
    Text(usize),
    /// The client's parameter of this number, of which the server gets the hash.
    Hashed(usize),
}

impl Prepared {
    /// A statement was prepared that nothing is known of.
    pub fn other(&mut self) {
        self.last = Last::Unknown;
    }

    /// A statement was refused that the client wanted to prepare.
    pub fn refused(&mut self) {
        self.last = Last::Refused;
    }

    /// A statement was prepared under a name.
    pub fn name(&mut self) {
        if self.named == Named::None {
            self.named = Named::Present;
        }
    }

    /// Whether a name may stand for a statement that was prepared in another view.
    pub fn names_others(&self) -> bool {
        self.named == Named::Others
    }

    /// Whether commands on statements are to be looked at.
    pub fn any(&self) -> bool {
        !self.by_id.is_empty() || self.last == Last::Refused
    }

    /// Whether a handler takes this command on a statement; `payload` begins with it and holds at
    /// least the statement's id, if that is there.
    pub fn takes(&self, payload: &[u8]) -> bool {
        let (Some(command), Some(id)) = (payload.first(), id(payload)) else {
            return false;
        };
        if *command == command::STMT_CLOSE {
            return false;
        }
        if id == LAST && self.last == Last::Refused {
            return true;
        }
        let executes = matches!(*command, command::STMT_EXECUTE | command::STMT_BULK_EXECUTE);
        match self.resolve(id).and_then(|id| self.by_id.get(&id)) {
            None => false,
            Some(record) => match record.what {
                What::Passing => false,
                What::Ddl(_) | What::Describing(_) => executes,
                What::Translated(_) | What::Inline(_) => true,
            },
        }
    }

    /// Whether the session's state on the server must be known for this command on a statement.
    pub fn asks_for_context(&mut self, payload: &[u8]) -> bool {
        let depends = matches!(
            payload.first(),
            Some(&(command::STMT_EXECUTE | command::STMT_BULK_EXECUTE | command::STMT_FETCH))
        );
        let mut is_known = |id| match self.record(id).map(|record| &record.what) {
            Some(What::Translated(_) | What::Inline(_)) => true,
            Some(What::Passing | What::Ddl(_) | What::Describing(_)) | None => false,
        };
        depends && id(payload).is_some_and(&mut is_known)
    }

    /// Whether this command executes a statement that is run as a text.
    pub fn is_inline(&mut self, payload: &[u8]) -> bool {
        let executes = matches!(
            payload.first(),
            Some(&(command::STMT_EXECUTE | command::STMT_BULK_EXECUTE))
        );
        let record = id(payload).and_then(|id| self.record(id));
        executes && record.is_some_and(|record| matches!(record.what, What::Inline(_)))
    }

    /// The client closes a statement by this command.
    pub fn closed(&mut self, payload: &[u8]) {
        if let Some(id) = id(payload).and_then(|id| self.resolve(id)) {
            self.by_id.remove(&id);
            if self.last == Last::Known(id) {
                self.last = Last::Unknown;
            }
        }
    }

    /// Refuses a statement beyond the limits; `kept` are the bytes of its text that stay in memory.
    fn has_room(&self, kept: u64, limits: &Limits) -> Result<(), Refusal> {
        if self.by_id.len() >= limits.prepared_statements {
            return Err(Refusal::too_many_statements(limits.prepared_statements));
        }
        let kept_by = |record: &Record| match &record.what {
            What::Translated(translated) => translated.plan.kept,
            What::Inline(inline) => inline.text.len() as u64,
            What::Passing | What::Ddl(_) | What::Describing(_) => 0,
        };
        let others: u64 = self.by_id.values().map(kept_by).sum();
        match others + kept > limits.statement_bytes {
            true => Err(Refusal::limit(
                "the values in the texts of all prepared statements are longer than \
                 limits.statement_bytes; bind them, or close some statements",
            )),
            false => Ok(()),
        }
    }

    fn remember(&mut self, id: u32, record: Record) {
        self.by_id.insert(id, record);
        self.last = Last::Known(id);
    }

    fn resolve(&self, id: u32) -> Option<u32> {
        match (id, self.last) {
            (LAST, Last::Known(id)) => Some(id),
            (LAST, _) => None,
            (id, _) => Some(id),
        }
    }

    fn record(&mut self, id: u32) -> Option<&mut Record> {
        let id = self.resolve(id)?;
        self.by_id.get_mut(&id)
    }

    fn translated(&mut self, id: u32) -> Option<&mut Translated> {
        match &mut self.record(id)?.what {
            What::Translated(translated) => Some(translated),
            What::Passing | What::Ddl(_) | What::Describing(_) | What::Inline(_) => None,
        }
    }

    /// What has come for a statement before its next execution.
    fn long(&mut self, id: u32) -> Option<&mut LongData> {
        match &mut self.record(id)?.what {
            What::Translated(translated) => Some(&mut translated.long),
            What::Inline(inline) => Some(&mut inline.long),
            What::Passing | What::Ddl(_) | What::Describing(_) => None,
        }
    }

    /// What is held for values that have come in pieces, in bytes.
    fn long_data(&self) -> u64 {
        let held = |record: &Record| match &record.what {
            What::Translated(translated) => translated.long.charge(),
            What::Inline(inline) => inline.long.charge(),
            What::Passing | What::Ddl(_) | What::Describing(_) => 0,
        };
        self.by_id.values().map(held).sum()
    }

    /// Forgets the statements of other views; gives their ids.
    fn of_others(&mut self, view: View) -> Vec<u32> {
        let is_other = |record: &Record| record.view.is_some_and(|prepared| prepared != view);
        let others = self.by_id.extract_if(|_, record| is_other(record));
        others.map(|(id, _)| id).collect()
    }
}

impl Slot {
    /// The client's parameter that it stands for.
    fn client(&self) -> Option<usize> {
        match self {
            Self::Client(n) | Self::Cell(n, _) | Self::Hashed(n) => Some(*n),
            Self::Text(_) => None,
        }
    }
}

impl Translated {
    fn new(plan: Planned) -> Box<Self> {
        Box::new(Self {
            plan: Arc::new(plan),
            kinds: Vec::new(),
            long: LongData::default(),
            definitions: Vec::new(),
        })
    }
}

impl Planned {
    /// The cells of the text that the proxy binds.
    fn bound(&self) -> impl Iterator<Item = usize> + '_ {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Text(cell) => Some(*cell),
            _ => None,
        })
    }

    /// The server's parameter that the client knows by this number.
    fn server_parameter(&self, number: usize) -> Option<usize> {
        let mut slots = self.slots.iter();
        slots.position(|slot| slot.client() == Some(number))
    }

    /// Whether the tables are still what they were when the statement was planned, and what its
    /// text depends on.
    fn holds(&self, index: &Index, context: &SessionContext) -> Result<(), Refusal> {
        let (before, now) = (&self.context, context);
        let is_read_alike = before.charset == now.charset
            && (self.expressions.is_empty()
                || before.schema == now.schema && before.dialect == now.dialect);
        if !is_read_alike && let Some(cell) = self.bound().next() {
            let column = &self.columns[cell].name;
            let reason = "what its text means has changed since the statement was prepared: the \
                          client's character set, the database or the SQL mode";
            return Err(Refusal::unsupported(column, reason, "prepare it again"));
        }
        let is_same = |table: &Arc<Table>| {
            let now = index.table(table.schema.as_bytes(), table.name.as_bytes());
            now.is_some_and(|now| Arc::ptr_eq(now, table) || now == table)
        };
        match self.columns.iter().find(|column| !is_same(&column.table)) {
            None => Ok(()),
            Some(column) => Err(Refusal::prepare_again(&column.name)),
        }
    }
}

/// The statement's id in a command.
fn id(payload: &[u8]) -> Option<u32> {
    let id = payload.get(1..5)?.try_into().ok()?;
    Some(u32::from_le_bytes(id))
}

/// Ends the statements that were prepared in another view than the present, on codec tables or
/// under a name; `before` is the view until now.
pub async fn close_others(relay: &mut Relay, before: View) -> io::Result<()> {
    if before != relay.choice.view && relay.prepared.named == Named::Present {
        relay.prepared.named = Named::Others;
    }
    for id in relay.prepared.of_others(relay.choice.view) {
        let [a, b, c, d] = id.to_le_bytes();
        let close = [command::STMT_CLOSE, a, b, c, d];
        relay.server.write_packet(0, &close).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(command: u8, id: u32) -> Vec<u8> {
        [&[command][..], &id.to_le_bytes()].concat()
    }

    fn record(view: Option<View>, what: What) -> Record {
        Record { view, what }
    }

    #[test]
    fn handlers_take_what_is_theirs() {
        let mut prepared = Prepared::default();
        assert!(!prepared.any() && !prepared.takes(&command(command::STMT_EXECUTE, 1)));
        prepared.remember(1, record(Some(View::Bytes), What::Passing));
        prepared.remember(2, record(None, What::Ddl(Ddl::default())));
        let takes = |prepared: &Prepared, id| {
            [
                command::STMT_EXECUTE,
                command::STMT_BULK_EXECUTE,
                command::STMT_SEND_LONG_DATA,
                command::STMT_RESET,
                command::STMT_CLOSE,
            ]
            .map(|c| prepared.takes(&command(c, id)))
        };
        assert_eq!(takes(&prepared, 1), [false; 5]);
        assert_eq!(takes(&prepared, 2), [true, true, false, false, false]);
        assert_eq!(takes(&prepared, 3), [false; 5]);
        assert_eq!(takes(&prepared, LAST), takes(&prepared, 2));
        prepared.other();
        assert_eq!(takes(&prepared, LAST), [false; 5]);
        prepared.refused();
        assert_eq!(takes(&prepared, LAST), [true, true, true, true, false]);
        assert!(!prepared.takes(&[command::STMT_EXECUTE, 2, 0]));
    }

    #[test]
    fn statements_are_forgotten() {
        let mut prepared = Prepared::default();
        for id in 1..=3 {
            prepared.remember(id, record(Some(View::Bytes), What::Passing));
        }
        let room = |prepared: &Prepared, prepared_statements, kept| {
            let limits = Limits {
                prepared_statements,
                statement_bytes: 10,
                ..Limits::default()
            };
            prepared.has_room(kept, &limits).map_err(|e| e.code)
        };
        assert_eq!(room(&prepared, 4, 10), Ok(()));
        assert_eq!(room(&prepared, 4, 11), Err(1153));
        assert_eq!(room(&prepared, 3, 0), Err(1461));
        prepared.closed(&command(command::STMT_CLOSE, LAST));
        assert_eq!(room(&prepared, 3, 0), Ok(()));
        prepared.remember(4, record(None, What::Ddl(Ddl::default())));
        prepared.remember(5, record(Some(View::Json), What::Passing));
        let mut others = prepared.of_others(View::Json);
        others.sort_unstable();
        assert_eq!(others, [1, 2]);
        assert_eq!(prepared.by_id.len(), 2);
    }
}
