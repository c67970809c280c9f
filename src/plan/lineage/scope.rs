//! What the names in a part of a query mean.

use std::sync::Arc;

use super::columns::{Columns, Value, is_same};
use crate::catalog::{Column, Index, Table, same_name};
use crate::plan::statement::CodecColumn;

/// A table of a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    /// The alias, else the table's name; `None` for a derived table without one.
    pub name: Option<String>,
    /// The schema, by which it can be named too if it has no alias.
    pub schema: Option<String>,
    pub columns: Columns,
    /// The table, if it is a base table with codec columns.
    pub table: Option<Arc<Table>>,
    /// The names of its columns that the rows are grouped by, if nothing else puts more of them
    /// together.
    pub grouped: Vec<String>,
}

/// The tables whose columns can be named at some place.
#[derive(Debug, Default)]
pub(super) struct Scope<'s> {
    pub factors: Vec<Factor>,
    /// The columns of the result, where they can be named.
    pub results: Columns,
    /// What is around it.
    pub outer: Option<&'s Scope<'s>>,
}

/// What a name means.
#[derive(Debug)]
pub(super) enum Found {
    Value(Value),
    /// This codec column, or something else.
    Ambiguous(CodecColumn),
    /// There is no table of that name.
    NoTable,
}

impl Factor {
    fn is_named(&self, parts: &[&str]) -> bool {
        let same = |own: &Option<String>, name: &str| {
            own.as_deref().is_some_and(|own| same_name(own, name))
        };
        match parts {
            [name] => same(&self.name, name),
            [schema, name] => same(&self.name, name) && same(&self.schema, schema),
            _ => false,
        }
    }
}

impl<'s> Scope<'s> {
    /// The base table of this scope itself, with codec columns, that a name is of.
    pub fn base(&self, name: &[&str]) -> Option<&Factor> {
        let (column, qualifier) = name.split_last()?;
        let mut bearing = self.factors.iter().filter(|factor| {
            (qualifier.is_empty() || factor.is_named(qualifier))
                && !factor.columns.named(column).is_empty()
        });
        match (bearing.next(), bearing.next()) {
            (Some(only), None) if only.table.is_some() => Some(only),
            _ => None,
        }
    }

    /// Whether the column has one value in each group of rows: they are grouped by it, or by all of
    /// the primary key of its table.
    pub fn has_one_value(&self, name: &[&str]) -> bool {
        let Some((factor, column)) = self.base(name).zip(name.last()) else {
            return false;
        };
        let is_grouped = |name: &str| factor.grouped.iter().any(|g| same_name(g, name));
        // The catalog does not say of a hidden column (`_…`) whether it is one of the key.
        let columns = factor.table.iter().flat_map(|table| &table.columns);
        let of_key = |c: &&Column| c.key.is_some() || c.name.starts_with('_');
        let mut key = columns.filter(of_key).peekable();
        is_grouped(column) || key.peek().is_some() && key.all(|part| is_grouped(&part.name))
    }

    /// What a name means here.
    pub fn find(&self, name: &[&str], index: &Index) -> Found {
        match name.split_last() {
            None => Found::Value(Value::Plain),
            Some((column, [])) => self.find_column(column, index),
            Some((column, qualifier)) => match self.meant(qualifier) {
                meant if meant.is_empty() => Found::NoTable,
                meant => {
                    let found = meant.iter().flat_map(|f| f.columns.named(column));
                    one_of(found.collect())
                }
            },
        }
    }

    /// The tables of that name in the nearest scope that has any.
    pub fn meant(&self, qualifier: &[&str]) -> Vec<&Factor> {
        let mut scope = Some(self);
        while let Some(here) = scope {
            let named = here.factors.iter().filter(|f| f.is_named(qualifier));
            let named: Vec<&Factor> = named.collect();
            if !named.is_empty() {
                return named;
            }
            scope = here.outer;
        }
        Vec::new()
    }

    fn find_column(&self, name: &str, index: &Index) -> Found {
        let mut scope = Some(self);
        let mut may_be_nearer = false;
        while let Some(here) = scope {
            let of_tables = here.factors.iter().flat_map(|f| f.columns.named(name));
            let found: Vec<Value> = here
                .results
                .named(name)
                .into_iter()
                .chain(of_tables)
                .collect();
            if !found.is_empty() {
                return match one_of(found) {
                    Found::Value(Value::Codec(column)) if may_be_nearer => Found::Ambiguous(column),
                    found => found,
                };
            }
            let factors = || here.factors.iter();
            if factors().any(|f| f.columns.has_namesake(name, index)) {
                return Found::Value(Value::Plain);
            }
            may_be_nearer |= factors().any(|f| f.columns.is_open());
            scope = here.outer;
        }
        Found::Value(Value::Plain)
    }
}

/// What several columns of one name are together.
fn one_of(found: Vec<Value>) -> Found {
    let codec = found.iter().find_map(|value| match value {
        Value::Codec(column) => Some(column.clone()),
        _ => None,
    });
    let Some(column) = codec else {
        return Found::Value(Value::Plain);
    };
    let all = found
        .iter()
        .all(|value| matches!(value, Value::Codec(c) if is_same(c, &column)));
    match all {
        true => Found::Value(Value::Codec(column)),
        false => Found::Ambiguous(column),
    }
}
