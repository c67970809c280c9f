//! Where the columns of a statement's result come from.
//!
//! The server's definitions lose the origin of a column in many queries, and in some tell the
//! wrong one, so the parsed query is walked over ([`walk`]), from its tables ([`from`]) through
//! derived tables, common tables, views ([`view`]) and set operations ([`query`]) to its result.
//! Expressions ([`expr`]) hand on what is stored in a codec column or use its value. The
//! server does not have that, so the query is refused, unless a hash, a size or the test for NULL
//! will do ([`condition`]).

mod columns;
mod condition;
mod expr;
mod from;
mod parsed;
mod query;
mod scope;
mod view;
mod walk;

pub(super) use view::shown_table;

use std::ops::Range;
use std::sync::Arc;

use self::columns::{Columns, Part, Run, is_same};
use self::scope::{Factor, Scope};
use self::walk::{Done, Walk};
use super::Read;
use super::statement::{CodecColumn, Statement, refuse_table};
use crate::catalog::{Table, TableKind, same_name};
use crate::refusal::Refusal;

const PLAINLY: &str = "select the column plainly from its table";

/// Where the columns of a result come from.
#[derive(Debug, Clone)]
pub enum Lineage {
    /// From where the server's definitions announce it; for results of statements that are not
    /// known, or whose definitions can be believed.
    Announced,
    /// The statement tells; what the definitions announce is not to be trusted.
    Known(Vec<Slot>),
}

/// One or several columns of a result, in its order.
#[derive(Debug, Clone)]
pub enum Slot {
    /// One column.
    One {
        /// Its name, if the statement tells.
        name: Option<String>,
        /// The codec column that it comes from; `None` if from none that the view translates.
        from: Option<CodecColumn>,
    },
    /// A wildcard over tables whose columns are not known: some columns, among them one of each
    /// of these names, which come from these codec columns. No other comes from one.
    Some(Vec<(String, CodecColumn)>),
}

/// One column of a result, as the server defines it.
#[derive(Debug, Clone)]
pub struct Defined<'a> {
    /// Its name, in UTF-8.
    pub name: &'a [u8],
    /// The codec column that it is said to come from.
    pub announced: Option<CodecColumn>,
}

impl Lineage {
    /// For a result with these columns: which codec column each comes from.
    ///
    /// # Errors
    /// If it cannot be told which column comes from where.
    pub fn resolve(&self, defined: &[Defined]) -> Result<Vec<Option<CodecColumn>>, Refusal> {
        let Self::Known(slots) = self else {
            return Ok(defined.iter().map(|d| d.announced.clone()).collect());
        };
        let is_open = |slot: &Slot| matches!(slot, Slot::Some(_));
        let (head, open, tail) = match (
            slots.iter().position(is_open),
            slots.iter().rposition(is_open),
        ) {
            (Some(first), Some(last)) => {
                (&slots[..first], &slots[first..=last], &slots[last + 1..])
            }
            _ => (&slots[..], &[][..], &[][..]),
        };
        let width = defined.len().checked_sub(head.len() + tail.len());
        let Some(width) = width.filter(|width| !open.is_empty() || *width == 0) else {
            return Err(another_result(slots));
        };
        let (first, rest) = defined.split_at(head.len());
        let (middle, last) = rest.split_at(width);
        let mut columns = Vec::with_capacity(defined.len());
        for (slots, defined) in [(head, first), (tail, last)] {
            if slots.iter().zip(defined).any(|(slot, d)| !slot.may_be(d)) {
                return Err(another_result(slots));
            }
        }
        columns.extend(head.iter().map(Slot::from));
        columns.extend(by_name(open, middle)?);
        columns.extend(tail.iter().map(Slot::from));
        Ok(columns)
    }
}

impl Slot {
    fn from(&self) -> Option<CodecColumn> {
        match self {
            Self::One { from, .. } => from.clone(),
            Self::Some(_) => None,
        }
    }

    /// Whether its name is as the server says, as far as both can be compared.
    fn may_be(&self, defined: &Defined) -> bool {
        match (self, str::from_utf8(defined.name)) {
            (
                Self::One {
                    name: Some(name), ..
                },
                Ok(told),
            ) if name.is_ascii() && told.is_ascii() => same_name(name.trim(), told.trim()),
            _ => true,
        }
    }
}

/// The codec columns among these, each of which must be told by its name, or else by what the
/// server says of it.
fn by_name(slots: &[Slot], defined: &[Defined]) -> Result<Vec<Option<CodecColumn>>, Refusal> {
    let mut columns: Vec<Option<CodecColumn>> = vec![None; defined.len()];
    let mut place = |name: Option<&str>, column: &CodecColumn| {
        let named = |at: &usize| {
            let told = str::from_utf8(defined[*at].name);
            name.is_none_or(|name| told.is_ok_and(|told| same_name(told, name)))
        };
        let announced = |at: &&usize| {
            let announced = defined[**at].announced.as_ref();
            announced.is_some_and(|a| is_same(a, column))
        };
        let all: Vec<usize> = (0..defined.len()).filter(named).collect();
        let at = match all[..] {
            [only] if name.is_some() => Some(only),
            _ => match all.iter().filter(announced).collect::<Vec<_>>()[..] {
                [only] => Some(*only),
                _ => None,
            },
        };
        match at.map(|at| columns[at].replace(column.clone())) {
            Some(None) => Ok(()),
            _ => Err(ambiguous(column)),
        }
    };
    for slot in slots {
        match slot {
            Slot::One {
                name,
                from: Some(column),
            } => place(name.as_deref(), column)?,
            Slot::One { from: None, .. } => {}
            Slot::Some(found) => {
                for (name, column) in found {
                    place(Some(name), column)?;
                }
            }
        }
    }
    Ok(columns)
}

fn ambiguous(column: &CodecColumn) -> Refusal {
    column.refuse(
        "codec-proxy cannot tell which column of the result it is",
        "name the columns instead of *",
    )
}

fn another_result(slots: &[Slot]) -> Refusal {
    let columns = slots.iter().find_map(|slot| match slot {
        Slot::One { from, .. } => from.as_ref(),
        Slot::Some(columns) => columns.first().map(|(_, column)| column),
    });
    let reason = "the result has other columns than codec-proxy expects";
    match columns {
        Some(column) => column.refuse(reason, "name the columns"),
        None => Refusal::unsupported("this result", reason, "name the columns"),
    }
}

/// What a query reads of codec columns.
#[derive(Default)]
pub(super) struct Lines {
    columns: Columns,
    done: Done,
}

impl Lines {
    /// A codec column of the result.
    pub fn column(&self) -> Option<&CodecColumn> {
        self.columns.codec()
    }

    /// Whether the query can go to the server as it is, and nothing of its result is decoded.
    pub fn is_plain(&self) -> bool {
        self.column().is_none() && self.done.edits.is_empty()
    }

    pub fn into_read(self) -> Read {
        Read {
            edits: self.done.edits,
            hashed: self.done.hashed,
            columns: Lineage::Known(self.columns.into_slots()),
        }
    }
}

/// Follows the codec columns of a query.
pub(super) fn of_query(statement: Statement) -> Result<Lines, Refusal> {
    let tables = statement.tables();
    let columns = statement.translated(&tables);
    let has_views = has_views(&tables);
    let all = 0..statement.tokens.len();
    if !has_views && is_proven_untouched(&statement, all, &columns) {
        return Ok(Lines::default());
    }
    on_a_deep_stack(&statement, || of_parsed(statement, &tables, &columns))?
}

fn of_parsed(
    statement: Statement,
    tables: &[Arc<Table>],
    columns: &[CodecColumn],
) -> Result<Lines, Refusal> {
    let all = 0..statement.tokens.len();
    let Some(query) = parsed::query(&statement) else {
        let reason = "codec-proxy does not understand this query";
        return Err(
            match (
                statement.mention(all, columns).or(columns.first()),
                tables.first(),
            ) {
                (Some(column), _) => column.refuse(reason, PLAINLY),
                (None, Some(table)) => refuse_table(table, reason, PLAINLY),
                (None, None) => Refusal::unsupported("this query", reason, PLAINLY),
            },
        );
    };
    let mut walk = Walk::new(statement, query.places, columns);
    let result = walk.query(&query.read, None);
    done(walk, result, all, columns)
}

/// Runs the parser, and what walks over and at last drops what it has read: that may be a chain
/// (`a OR b OR …`) of which each link lies in the next.
fn on_a_deep_stack<T>(statement: &Statement, work: impl FnOnce() -> T) -> Result<T, Refusal> {
    /// More than a chain takes of the stack for each of its tokens, in bytes.
    const PER_TOKEN: usize = 256;
    /// So the stack has 256 MiB at most.
    const TOKENS: usize = 1 << 20;
    /// As many do no harm on the stack of any thread.
    const FEW: usize = 1 << 10;
    match statement.tokens.len() {
        0..=FEW => Ok(work()),
        many @ ..=TOKENS => Ok(stacker::grow(PER_TOKEN * many + (1 << 20), work)),
        _ => Err(Refusal::limit(
            "the query has more than 1048576 words and symbols besides its values",
        )),
    }
}

/// Follows the codec columns of a table through what RETURNING gives; `tokens` are those after
/// that word.
pub(super) fn of_returning(
    statement: Statement,
    tokens: Range<usize>,
    target: &Target,
) -> Result<Lines, Refusal> {
    let tables = statement.tables();
    let columns = statement.translated(&tables);
    if !has_views(&tables) && is_proven_untouched(&statement, tokens.clone(), &columns) {
        return Ok(Lines::default());
    }
    on_a_deep_stack(&statement, || {
        let Some(items) = parsed::items(&statement, tokens.clone()) else {
            return Err(not_understood(&statement, &columns, "RETURNING"));
        };
        let mut walk = Walk::new(statement, items.places, &columns);
        let (scope, star) = from::alone(target.factor(&walk));
        let before = tokens.start.checked_sub(1);
        let result = walk.items(&items.read, &scope, &star, before);
        done(walk, result, tokens.clone(), &columns)
    })?
}

/// Follows the codec columns of some tables through an expression that is used, as WHERE uses
/// its own; gives what is to be edited and the `?` to be hashed, by their place in the text.
pub(super) fn of_condition(
    statement: Statement,
    tokens: Range<usize>,
    targets: &[Target],
) -> Result<(Vec<super::Edit>, Vec<usize>), Refusal> {
    let mut tables = statement.tables();
    // Those that the statement names otherwise.
    for table in targets.iter().filter_map(|target| target.table.as_ref()) {
        if !tables.iter().any(|known| Arc::ptr_eq(known, table)) {
            tables.push(table.clone());
        }
    }
    let columns = statement.translated(&tables);
    if !has_views(&tables) && is_proven_untouched(&statement, tokens.clone(), &columns) {
        return Ok(Default::default());
    }
    on_a_deep_stack(&statement, || {
        let Some(condition) = parsed::expression(&statement, tokens.clone()) else {
            return Err(not_understood(&statement, &columns, "the condition"));
        };
        let mut walk = Walk::new(statement, condition.places, &columns);
        let scope = Scope {
            factors: targets.iter().map(|t| t.factor(&walk)).collect(),
            ..Scope::default()
        };
        walk.use_of(&condition.read, &scope);
        let done = walk.finish(tokens.clone(), &columns)?;
        Ok((done.edits, done.hashed))
    })?
}

/// A table that is written, as its columns can be named.
pub(super) struct Target {
    /// The alias, else the table's name.
    pub name: String,
    /// The schema, if there is no alias.
    pub schema: Option<String>,
    /// The table, if it is a codec table.
    pub table: Option<Arc<Table>>,
}

impl Target {
    fn factor(&self, walk: &Walk) -> Factor {
        let columns = match &self.table {
            Some(table) => walk.columns_of_table(table),
            None => Columns(vec![Part::Run(Run {
                tables: vec![(self.schema.clone().unwrap_or_default(), self.name.clone())],
                any: self.schema.is_none(),
                ..Run::default()
            })]),
        };
        Factor {
            name: Some(self.name.clone()),
            schema: self.schema.clone(),
            columns,
            table: self.table.clone(),
            grouped: Vec::new(),
        }
    }
}

fn done(
    mut walk: Walk,
    result: Columns,
    tokens: Range<usize>,
    columns: &[CodecColumn],
) -> Result<Lines, Refusal> {
    for (_, column) in result.codecs() {
        walk.check_usable(column);
    }
    let done = walk.finish(tokens, columns)?;
    Ok(Lines {
        columns: result,
        done,
    })
}

fn not_understood(statement: &Statement, columns: &[CodecColumn], what: &str) -> Refusal {
    let all = 0..statement.tokens.len();
    let reason = format!("codec-proxy does not understand {what}");
    match statement.mention(all, columns).or(columns.first()) {
        Some(column) => column.refuse(&reason, "write it in a simpler way"),
        None => Refusal::unsupported("this statement", &reason, "write it in a simpler way"),
    }
}

/// Whether the tokens alone show that no translated codec column is touched: none is named, and
/// nothing could stand for one that is not named.
fn is_proven_untouched(
    statement: &Statement,
    mut tokens: Range<usize>,
    columns: &[CodecColumn],
) -> bool {
    columns.is_empty()
        || statement.mention(tokens.clone(), columns).is_none()
            && !statement.has_wildcard(tokens.clone())
            && !tokens.any(|at| statement.is_any_word(at, &["NATURAL", "TABLE"]))
}

fn has_views(tables: &[Arc<Table>]) -> bool {
    tables.iter().any(|t| t.kind != TableKind::Base)
}

#[cfg(test)]
mod tests;
