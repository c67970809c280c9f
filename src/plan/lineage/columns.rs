//! The columns that a table or a query has, as far as they are known.

use super::Slot;
use crate::catalog::{ColumnCodec, Index, same_name};
use crate::codec::{Addressing, Chain};
use crate::plan::statement::CodecColumn;
use crate::view::View;

/// What a column or an expression gives.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Nothing that is stored in a translated codec column.
    Plain,
    /// NULL, in as many words.
    Null,
    /// What is stored in this column, unchanged.
    Codec(CodecColumn),
}

/// One column.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// Its name, if the statement tells.
    pub name: Option<String>,
    pub value: Value,
    /// `*` leaves it out.
    pub hidden: bool,
}

impl Output {
    pub fn new(name: Option<String>, value: Value) -> Self {
        let hidden = false;
        Self {
            name,
            value,
            hidden,
        }
    }
}

/// Some columns, in no known order.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    /// One of each of these names comes from a codec column.
    pub codecs: Vec<(String, CodecColumn)>,
    /// Names of plain ones.
    pub plain: Vec<String>,
    /// Further ones are those of these tables (schema, table), all plain.
    pub tables: Vec<(String, String)>,
    /// There may be further plain ones of any name.
    pub any: bool,
}

/// What a list of columns is made of.
#[derive(Debug, Clone)]
pub(super) enum Part {
    One(Output),
    Run(Run),
}

/// The columns of a table or a query, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns(pub Vec<Part>);

impl Columns {
    /// One run of whatever columns.
    pub fn unknown() -> Self {
        Self(vec![Part::Run(Run {
            any: true,
            ..Run::default()
        })])
    }

    /// Each column that comes from a codec column, with its name.
    pub fn codecs(&self) -> Vec<(Option<&str>, &CodecColumn)> {
        let mut found = Vec::new();
        for part in &self.0 {
            match part {
                Part::One(Output { name, value, .. }) => {
                    if let Value::Codec(column) = value {
                        found.push((name.as_deref(), column));
                    }
                }
                Part::Run(run) => found.extend(run.codecs.iter().map(|(n, c)| (Some(&**n), c))),
            }
        }
        found
    }

    /// The first that comes from a codec column.
    pub fn codec(&self) -> Option<&CodecColumn> {
        self.codecs().first().map(|(_, column)| *column)
    }

    /// Whether all columns are known, in their order.
    pub fn is_closed(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::One(_)))
    }

    /// What the columns of that name give.
    pub fn named(&self, name: &str) -> Vec<Value> {
        let mut found = Vec::new();
        for part in &self.0 {
            match part {
                Part::One(output) => {
                    if output.name.as_deref().is_some_and(|n| same_name(n, name)) {
                        found.push(output.value.clone());
                    }
                }
                Part::Run(run) => {
                    let codec = run.codecs.iter().filter(|(n, _)| same_name(n, name));
                    found.extend(codec.map(|(_, c)| Value::Codec(c.clone())));
                    let plain = run.plain.iter().filter(|n| same_name(n, name));
                    found.extend(plain.map(|_| Value::Plain));
                }
            }
        }
        found
    }

    /// Whether there are columns of unknown names.
    pub fn is_open(&self) -> bool {
        self.runs().any(|run| run.any || !run.tables.is_empty())
    }

    /// Whether one of the columns of unknown names is known to have this one.
    pub fn has_namesake(&self, name: &str, index: &Index) -> bool {
        self.runs()
            .flat_map(|run| &run.tables)
            .any(|(schema, table)| index.has_namesake(schema.as_bytes(), table.as_bytes(), name))
    }

    /// Whether it has, or may have, a column of that name, as far as the catalog knows.
    pub fn bears(&self, name: &str, index: &Index) -> bool {
        !self.named(name).is_empty()
            || self.has_namesake(name, index)
            || self.runs().any(|run| run.any)
    }

    fn runs(&self) -> impl Iterator<Item = &Run> {
        self.0.iter().filter_map(|part| match part {
            Part::Run(run) => Some(run),
            Part::One(_) => None,
        })
    }

    /// The same columns in no known order.
    pub fn into_run(self) -> Run {
        let mut all = Run::default();
        for part in self.0 {
            match part {
                Part::One(Output {
                    name: Some(name),
                    value: Value::Codec(column),
                    ..
                }) => all.codecs.push((name, column)),
                Part::One(output) => all.plain.extend(output.name),
                Part::Run(run) => {
                    all.codecs.extend(run.codecs);
                    all.plain.extend(run.plain);
                    all.tables.extend(run.tables);
                    all.any |= run.any;
                }
            }
        }
        all
    }

    /// The same columns under other names; `None` if there are not as many.
    pub fn renamed(self, names: &[String]) -> Option<Self> {
        if !self.is_closed() {
            // Whichever it is, it cannot be told.
            return self.codec().is_none().then(Self::unknown);
        }
        if self.0.len() != names.len() {
            return None;
        }
        let renamed = |(part, name): (Part, &String)| match part {
            Part::One(output) => Part::One(Output {
                name: Some(name.clone()),
                ..output
            }),
            run => run,
        };
        Some(Self(self.0.into_iter().zip(names).map(renamed).collect()))
    }

    /// As the columns of a result.
    pub fn into_slots(self) -> Vec<Slot> {
        let slot = |part| match part {
            Part::One(Output { name, value, .. }) => Slot::One {
                name,
                from: match value {
                    Value::Codec(column) => Some(column),
                    _ => None,
                },
            },
            Part::Run(run) => Slot::Some(run.codecs),
        };
        self.0.into_iter().map(slot).collect()
    }
}

/// Whether it is the same column of the same table.
pub(super) fn is_same(a: &CodecColumn, b: &CodecColumn) -> bool {
    a.table.schema == b.table.schema && a.table.name == b.table.name && a.column == b.column
}

/// Whether what is stored in one column means the same as if it stood in the other.
pub(super) fn is_alike(a: &CodecColumn, b: &CodecColumn) -> bool {
    is_same(a, b)
        || match (chain(a), chain(b)) {
            (Some(left), Some(right)) => {
                a.table.schema == b.table.schema
                    && (&left.codecs, &left.dtype, &left.store)
                        == (&right.codecs, &right.dtype, &right.store)
            }
            _ => false,
        }
}

/// Whether equal values are stored as equal texts: they themselves, or the pointer by their hash.
/// Of what a codec has made of a value, nobody knows.
pub(super) fn is_by_content(column: &CodecColumn) -> bool {
    chain(column).is_some_and(|c| {
        c.is_transparent() && (!c.is_external() || c.addressing() == Addressing::Hash)
    })
}

/// Whether the hash of just the bytes that a client of this view sends and gets is stored.
pub(super) fn is_hashed(column: &CodecColumn, view: View) -> bool {
    let hashed =
        |c: &Chain| c.is_external() && c.is_transparent() && c.addressing() == Addressing::Hash;
    view == View::Bytes && chain(column).is_some_and(hashed)
}

fn chain(column: &CodecColumn) -> Option<&Chain> {
    match &column.table.columns.get(column.column)?.codec {
        Some(ColumnCodec::Chain(chain)) => Some(chain),
        _ => None,
    }
}
