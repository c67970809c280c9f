//! What becomes of a statement that a client sends.
//!
//! [`glance()`] looks at every statement and lets almost all pass in some tens of nanoseconds;
//! [`examine()`] decides about the rest. Never silently wrong: a statement that touches a codec
//! column in a way that is not understood is refused before anything is sent.

mod alter;
mod change;
mod charset;
mod copy;
mod ddl;
mod declare;
mod delete;
mod duplicate;
mod dynamic;
mod examine;
mod glance;
mod handler;
mod information;
mod insert;
pub mod key;
mod lineage;
mod load;
mod select;
mod settings;
mod standing;
mod statement;
mod update;
mod value;
mod words;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

pub use alter::Altered;
pub use examine::{
    altered, examine, examine_dynamic, examine_prepared, examine_with_parameters, parameters,
    refuse_named,
};
pub use glance::glance;
pub use handler::Handler;
pub use information::{information, mentioned as mentions_information, reads_information};
pub use standing::{Standing, Text};

pub use crate::sql::edit::{Edit, apply as rewritten};
pub use lineage::{Defined, Lineage, Slot};
pub use statement::CodecColumn;

use crate::catalog::{KeyType, Table};
use crate::codec::{Chain, Key, Value};
use crate::sql::fields::Format;
use crate::sql::lexer::{Dialect, Token};
use crate::sql::literal::Literal;
use crate::view::describe::Describe;
use crate::view::{Declaring, Setting, View};

/// What must be known of a session to plan its statements.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The current database.
    pub schema: Option<&'a str>,
    /// From the session's `sql_mode`.
    pub dialect: Dialect,
    /// `character_set_client`, for example `utf8mb4`.
    pub charset: &'a str,
    /// What the client sees of codec columns.
    pub view: View,
    /// What the plain types of a `bytes` client become.
    pub declare: &'a Declaring,
    /// The table of an ALTER TABLE, if it has been looked at ([`altered`]).
    pub altered: Option<&'a Altered>,
    /// Views that stand for the table that they show, as tables with the view's columns.
    pub views: &'a [(Arc<Table>, Arc<Table>)],
    /// What stands open in the session under a name.
    pub standing: &'a Standing,
    /// The real name of the store that a chain goes to, or why there is none.
    pub stores: &'a dyn Fn(&Chain) -> Result<String, String>,
}

/// The quick answer to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance {
    /// Send it as it is and relay the answer.
    Pass,
    /// It may touch a codec table: [`examine()`] it.
    Examine,
}

/// What to do with a statement.
#[derive(Debug, Clone)]
pub enum Plan {
    /// Send it as it is and relay the answer.
    Pass,
    /// Replace the cells by what the codecs make of them, then send it.
    Write(Write),
    /// Send it with [`Read::edits`]; result columns that come from a translated codec column are
    /// decoded.
    Read(Read),
    /// Ask the client for its file, encode the fields, then send the statement with
    /// [`Load::edits`] and what has become of the file.
    Load(Load),
    /// Send [`Declare::rewritten`], then refresh the catalog as after [`Plan::Ddl`].
    Declare(Declare),
    /// Send it as it is; each row of the result describes a column and is rewritten.
    Describe(Describe),
    /// Send it as it is; refresh the catalog before the answer is relayed.
    Ddl(Ddl),
    /// A `SET @codec_… = …`: send it as it is; if the server accepts it, the session's
    /// [`Choice`](crate::view::Choice) takes these over, in their order.
    Choose(Vec<Setting>),
    /// A `PREPARE` or `EXECUTE IMMEDIATE` of a text that only the server knows: ask it, and let
    /// [`examine_dynamic`] decide.
    Ask(Ask),
    /// A `PREPARE`: note what the name stands for, and send it with its edits.
    Prepare(Prepare),
    /// A `HANDLER` on a table that may have codec columns.
    Handler(Handler),
    /// To be prepared as it is, but never executed so: at each execution what is bound is written
    /// into the text, which is planned and run like any other. It writes, and has no result.
    Inline,
    /// Several statements of which some do not just pass: run them one by one, each by a plan of
    /// its own. None of them is refused, as far as that can be told beforehand.
    Several,
}

/// A text that the server is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The bytes of the statement that are an expression of it.
    pub expression: Range<usize>,
    /// The name that PREPARE gives it; `None` for EXECUTE IMMEDIATE.
    pub name: Option<String>,
}

/// What becomes of a PREPARE whose text is known.
#[derive(Debug, Clone, Default)]
pub struct Prepare {
    /// The name.
    pub name: String,
    /// What it stands for from now on, if that reads codec columns.
    pub text: Option<Text>,
    /// What is replaced in the statement.
    pub edits: Vec<Edit>,
    /// What the text changes in the catalog.
    pub ddl: Option<Ddl>,
    /// What the text describes.
    pub describe: Option<Describe>,
}

/// A statement whose result may hold codec columns.
#[derive(Debug, Clone)]
pub struct Read {
    /// What is replaced in the text, in its order; all else stays to the byte.
    pub edits: Vec<Edit>,
    /// The `?` (from 0) of a statement to be prepared whose values, once edited, the server is to
    /// get as [`hash::name_of`](crate::codec::hash::name_of) them, not as the client sends them.
    pub hashed: Vec<usize>,
    /// Where the result's columns come from.
    pub columns: Lineage,
}

/// A statement that gives values to codec columns.
#[derive(Debug, Clone, Default)]
pub struct Write {
    /// In the order of the text.
    pub cells: Vec<Cell>,
    /// For each row of VALUES its primary key, where a codec of the row needs it; empty if none
    /// of the statement does.
    pub keys: Vec<RowKey>,
    /// For an UPDATE whose rows must be looked up, since their primary keys are not in the
    /// statement and a codec needs them.
    pub lookup: Option<Lookup>,
    /// Values of an INSERT … SELECT, which may differ from row to row.
    pub copied: Vec<Copied>,
    /// What else is replaced in the text, in its order: comparisons of codec columns.
    pub edits: Vec<Edit>,
    /// The `?` of a statement to be prepared that are compared so, as in [`Read::hashed`].
    pub hashed: Vec<usize>,
    /// What RETURNING gives, if some of it is to be decoded; its edits and `?` are among those
    /// above.
    pub returned: Option<Read>,
}

/// An expression of an INSERT … SELECT that goes to a codec column: what is stored for it depends
/// on its value in each row.
#[derive(Debug, Clone)]
pub struct Copied {
    /// The bytes of the text that the expression covers.
    pub span: Range<usize>,
    /// The table that is written.
    pub table: Arc<Table>,
    /// The column's position in the table.
    pub column: usize,
    /// The codec column that the expression is, if it is one: its values are decoded first.
    pub from: Option<CodecColumn>,
    /// What follows the expression in a SELECT of its values: `FROM …`, or nothing.
    pub rows: Vec<u8>,
}

/// How the rows are found that an UPDATE changes.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// The table that is written.
    pub table: Arc<Table>,
    /// The position of the column whose codec needs the keys.
    pub column: usize,
    /// The columns of the primary key, as SQL writes them, with their names and kinds.
    pub key: Vec<(String, String, KeyType)>,
    /// What follows the columns in a SELECT of the rows: `FROM … WHERE … ORDER BY … LIMIT …`.
    pub rows: Vec<u8>,
    /// Whether it has no LIMIT.
    pub unlimited: bool,
    /// The bytes of the text after WHERE; `None` without one.
    pub condition: Option<Range<usize>>,
    /// Where WHERE would stand in the text.
    pub end: usize,
}

/// One value that goes to a codec column.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The bytes of the text that the value covers, and that what is stored replaces.
    pub span: Range<usize>,
    /// The table that is written.
    pub table: Arc<Table>,
    /// The column's position in the table.
    pub column: usize,
    /// Where the value comes from.
    pub source: Source,
    /// The row of VALUES, from 0; see [`Write::keys`]. In ON DUPLICATE KEY UPDATE, whose values
    /// may go to any row, it is 0 and the codec is one that needs no key.
    pub row: usize,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// It stands in the text.
    Literal(Literal),
    /// It is the parameter of a prepared statement with this number, from 0.
    Parameter(usize),
    /// It is what the server makes of the expression that [`Cell::span`] covers. The server is
    /// asked for it before.
    Expression,
}

/// The primary key of a row, as far as the statement has it.
#[derive(Debug, Clone, Default)]
pub struct RowKey {
    /// In the order of the table's columns.
    pub parts: Vec<KeyPart>,
}

/// One column of a [`RowKey`].
#[derive(Debug, Clone)]
pub struct KeyPart {
    /// The column's name.
    pub name: String,
    /// The kind of its values.
    pub kind: KeyType,
    /// Where the value comes from.
    pub source: KeySource,
}

/// Where the value of a key column comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// It stands in the text.
    Known(Value),
    /// It is the parameter of a prepared statement with this number, from 0; what a client binds
    /// there becomes a value by [`key::of`].
    Parameter(usize),
    /// It is what the server makes of this expression (bytes of the text); the server is asked
    /// for it before.
    Expression(Range<usize>),
}

/// A LOAD DATA LOCAL whose file has values for codec columns.
#[derive(Debug, Clone)]
pub struct Load {
    /// The table that is written.
    pub table: Arc<Table>,
    /// How the file is cut into lines and fields.
    pub format: Format,
    /// How many lines at its beginning have no fields.
    pub skip: u64,
    /// The file's character set, if the statement says.
    pub charset: Option<String>,
    /// What each field goes to.
    pub fields: Vec<LoadField>,
    /// Whether a codec needs the primary key, all of which is in the file then.
    pub keyed: bool,
    /// What is replaced in the text, in its order.
    pub edits: Vec<Edit>,
}

/// What a field of a file goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadField {
    /// To something without a codec.
    Other,
    /// To a column of the primary key.
    Key {
        /// Its position in the table.
        column: usize,
        /// The kind of its values.
        kind: KeyType,
    },
    /// To a codec column.
    Codec {
        /// Its position in the table.
        column: usize,
        /// Whether what is stored is sent in hexadecimal digits; else the field is sent as it is.
        hex: bool,
    },
}

impl Plan {
    /// What it is, in a word for people.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Write(_) => "write",
            Self::Read(_) => "read",
            Self::Load(_) => "load",
            Self::Declare(_) => "declare",
            Self::Describe(_) => "describe",
            Self::Ddl(_) => "ddl",
            Self::Choose(_) => "choose",
            Self::Ask(_) => "ask",
            Self::Several => "several",
            Self::Prepare(_) => "prepare",
            Self::Handler(_) => "handler",
            Self::Inline => "inline",
        }
    }
}

impl Write {
    /// Whether some value is a parameter of a prepared statement.
    pub fn takes_parameters(&self) -> bool {
        let of_cell = |cell: &Cell| matches!(cell.source, Source::Parameter(_));
        let of_key = |part: &KeyPart| matches!(part.source, KeySource::Parameter(_));
        let mut parts = self.keys.iter().flat_map(|key| &key.parts);
        self.cells.iter().any(of_cell) || parts.any(of_key) || !self.hashed.is_empty()
    }

    /// Puts the numbers of parameters in place of their places in the text.
    fn number_parameters(&mut self, tokens: &[Token]) {
        let parameters = tokens.iter().filter(|token| token.is_symbol(b'?'));
        let places: Vec<usize> = parameters.map(|token| token.start).collect();
        let number = |place: &mut usize| *place = places.partition_point(|p| p < place);
        for cell in &mut self.cells {
            if let Source::Parameter(place) = &mut cell.source {
                number(place);
            }
        }
        for part in self.keys.iter_mut().flat_map(|key| &mut key.parts) {
            if let KeySource::Parameter(place) = &mut part.source {
                number(place);
            }
        }
        self.hashed.iter_mut().for_each(number);
    }
}

impl RowKey {
    /// The key, if all of it stands in the text.
    pub fn known(&self) -> Option<Key> {
        let part = |part: &KeyPart| match &part.source {
            KeySource::Known(value) => Some((part.name.clone(), value.clone())),
            KeySource::Parameter(_) | KeySource::Expression(_) => None,
        };
        let columns = self.parts.iter().map(part).collect::<Option<_>>()?;
        Some(Key { columns })
    }
}

/// A CREATE or ALTER TABLE whose codec columns are to be declared as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declare {
    /// What is replaced in the text, in its order; all else stays to the byte.
    pub edits: Vec<Edit>,
    /// What to refresh afterwards.
    pub ddl: Ddl,
}

/// What a statement may have changed in the catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ddl {
    /// Schema and table names.
    pub tables: Vec<(String, String)>,
    /// Whole schemas.
    pub schemas: Vec<String>,
}

impl Read {
    /// A statement that goes to the server as it is; the definitions of its result tell.
    pub fn announced() -> Self {
        Self {
            edits: Vec::new(),
            hashed: Vec::new(),
            columns: Lineage::Announced,
        }
    }

    /// Puts the numbers of parameters in place of their places in the text.
    fn number_parameters(&mut self, tokens: &[Token]) {
        for place in &mut self.hashed {
            *place = parameters_before(tokens, *place);
        }
    }
}

impl Declare {
    /// The statement as it is to be sent.
    pub fn rewritten(&self, text: &[u8]) -> Vec<u8> {
        rewritten(text, &self.edits)
    }
}

/// How many parameters of a prepared statement stand before this byte of its text.
fn parameters_before(tokens: &[Token], place: usize) -> usize {
    let before = tokens.iter().take_while(|token| token.start < place);
    before.filter(|token| token.is_symbol(b'?')).count()
}
