//! FROM clauses: the tables whose columns can be named, and what `*` stands for.

use std::sync::Arc;

use sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableAliasColumnDef,
    TableFactor, TableWithJoins,
};

use super::columns::{Columns, Output, Part, Run, Value};
use super::scope::{Factor, Scope};
use super::view;
use super::walk::{Walk, name_parts};
use crate::catalog::{Table, TableKind, same_name};
use crate::plan::statement::CodecColumn;

/// What a FROM clause gives.
#[derive(Default)]
pub(super) struct From<'q> {
    pub factors: Vec<Factor>,
    /// The columns of `*`.
    pub columns: Columns,
    /// What follows ON.
    pub conditions: Vec<&'q Expr>,
}

impl Walk<'_> {
    pub fn from<'q>(&mut self, from: &'q [TableWithJoins], outer: Option<&Scope>) -> From<'q> {
        let mut all = From::default();
        for joined in from {
            let columns = self.joined(joined, outer, &mut all);
            all.columns.0.extend(columns.0);
        }
        all
    }

    /// One item of the clause; gives its columns for `*`.
    fn joined<'q>(
        &mut self,
        from: &'q TableWithJoins,
        outer: Option<&Scope>,
        all: &mut From<'q>,
    ) -> Columns {
        let mut columns = self.factor(&from.relation, outer, all);
        for join in &from.joins {
            let other = self.factor(&join.relation, outer, all);
            let Some(constraint) = constraint(&join.join_operator) else {
                self.lost("codec-proxy does not understand this join");
                return Columns::unknown();
            };
            let merges = match constraint {
                JoinConstraint::On(condition) => {
                    all.conditions.push(condition);
                    false
                }
                JoinConstraint::Using(names) => {
                    for name in names {
                        self.explain_object(name);
                        if let [name] = name_parts(name)[..] {
                            self.compared(name, "USING", &columns, &other);
                        }
                    }
                    true
                }
                JoinConstraint::Natural => {
                    self.natural(&columns, &other);
                    true
                }
                JoinConstraint::None => false,
            };
            columns.0.extend(other.0);
            if merges {
                // Columns of equal names are one, and come first.
                columns = Columns(vec![Part::Run(columns.into_run())]);
            }
        }
        columns
    }

    /// USING compares columns.
    fn compared(&mut self, name: &str, how: &str, left: &Columns, right: &Columns) {
        let values = left.named(name).into_iter().chain(right.named(name));
        let column = values.into_iter().find_map(|value| match value {
            Value::Codec(column) => Some(column),
            _ => None,
        });
        if let Some(column) = column {
            let reason = format!("{how} would compare what is stored and not the values");
            self.touch(&column, &reason);
        }
    }

    /// NATURAL JOIN compares the columns of equal names, without naming them.
    fn natural(&mut self, left: &Columns, right: &Columns) {
        let index = self.statement.index;
        let compared = |these: &Columns, those: &Columns| -> Option<CodecColumn> {
            let is_shared = |name: &Option<&str>| name.is_none_or(|n| those.bears(n, index));
            let mut codecs = these.codecs().into_iter();
            codecs
                .find(|(name, _)| is_shared(name))
                .map(|(_, c)| c.clone())
        };
        if let Some(column) = compared(left, right).or_else(|| compared(right, left)) {
            let reason = "NATURAL JOIN would compare what is stored and not the values";
            self.touch(&column, reason);
        }
    }

    fn factor<'q>(
        &mut self,
        factor: &'q TableFactor,
        outer: Option<&Scope>,
        all: &mut From<'q>,
    ) -> Columns {
        let mut base = None;
        let (name, schema, columns) = match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => {
                self.explain_object(name);
                self.alias(alias.as_ref());
                let columns = self.table(name);
                base = self.base_table(name);
                let parts = name_parts(name);
                let current = || self.statement.context.schema.map(str::to_owned);
                match (alias, parts.as_slice()) {
                    (Some(alias), _) => (self.name_of(&alias.name), None, columns),
                    (None, [schema, table]) => (
                        Some((*table).to_owned()),
                        Some((*schema).to_owned()),
                        columns,
                    ),
                    (None, _) => (parts.last().map(|t| (*t).to_owned()), current(), columns),
                }
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                ..
            } => {
                let names = self.alias(alias.as_ref());
                let columns = match lateral {
                    false => self.query(subquery, outer),
                    true => {
                        let scope = Scope {
                            factors: all.factors.clone(),
                            outer,
                            ..Scope::default()
                        };
                        self.query(subquery, Some(&scope))
                    }
                };
                let columns = self.as_table(columns, &names);
                let name = alias.as_ref().and_then(|a| self.name_of(&a.name));
                (name, None, columns)
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => {
                return self.deeper(Columns::unknown(), |walk| {
                    walk.joined(table_with_joins, outer, all)
                });
            }
            TableFactor::JsonTable {
                json_expr, alias, ..
            } => {
                self.alias(alias.as_ref());
                let scope = Scope {
                    factors: all.factors.clone(),
                    outer,
                    ..Scope::default()
                };
                self.use_of(json_expr, &scope);
                let name = alias.as_ref().and_then(|a| self.name_of(&a.name));
                (name, None, Columns::unknown())
            }
            _ => {
                self.lost("codec-proxy does not understand its FROM clause");
                (None, None, Columns::unknown())
            }
        };
        all.factors.push(Factor {
            name,
            schema,
            columns: columns.clone(),
            table: base,
            grouped: Vec::new(),
        });
        visible(columns)
    }

    /// Accounts for an alias; gives the names that it has for columns.
    fn alias(&mut self, alias: Option<&TableAlias>) -> Vec<String> {
        let Some(alias) = alias else {
            return Vec::new();
        };
        self.explain([&alias.name]);
        self.alias_columns(&alias.columns)
    }

    pub fn alias_columns(&mut self, columns: &[TableAliasColumnDef]) -> Vec<String> {
        let names: Vec<&Ident> = columns.iter().map(|c| &c.name).collect();
        self.explain(names.iter().copied());
        names.iter().map(|n| n.value.clone()).collect()
    }

    /// The columns of a table by its name: a common table, a view, a codec table or any other.
    fn table(&mut self, name: &ObjectName) -> Columns {
        let parts = name_parts(name);
        let (schema, table) = match parts[..] {
            [table] => (None, table),
            [schema, table] => (Some(schema), table),
            _ => {
                self.lost("codec-proxy does not understand the name of a table");
                return Columns::unknown();
            }
        };
        if schema.is_none()
            && let Some((common, columns)) = self
                .ctes
                .iter()
                .rev()
                .find(|(name, _)| same_name(name, table))
        {
            let (is_it, columns) = (common == table, columns.clone());
            if !is_it {
                self.lost("codec-proxy cannot tell whether a name is that of a common table");
            }
            return columns;
        }
        match self.statement.table(schema, table) {
            Some(found) if found.kind == TableKind::Base => self.columns_of_table(&found.clone()),
            Some(found) => view::columns(self, &found.clone()),
            None => {
                let schema = schema.or(self.statement.context.schema).unwrap_or_default();
                Columns(vec![Part::Run(Run {
                    tables: vec![(schema.to_owned(), table.to_owned())],
                    ..Run::default()
                })])
            }
        }
    }

    /// The base table with codec columns of that name, unless it is that of a common table.
    fn base_table(&self, name: &ObjectName) -> Option<Arc<Table>> {
        let (schema, table) = match name_parts(name)[..] {
            [table] if !self.ctes.iter().any(|(name, _)| same_name(name, table)) => (None, table),
            [schema, table] => (Some(schema), table),
            _ => return None,
        };
        let found = self.statement.table(schema, table)?;
        (found.kind == TableKind::Base).then(|| found.clone())
    }

    /// All columns of a codec table; the ones that `*` leaves out, too.
    pub fn columns_of_table(&self, table: &Arc<Table>) -> Columns {
        let view = self.statement.context.view;
        let output = |(position, column): (usize, &crate::catalog::Column)| {
            let translated = column.codec.as_ref().is_some_and(|c| view.translates(c));
            let value = match translated {
                true => Value::Codec(CodecColumn {
                    table: table.clone(),
                    column: position,
                }),
                false => Value::Plain,
            };
            Part::One(Output {
                name: Some(column.name.clone()),
                value,
                hidden: column.invisible,
            })
        };
        Columns(table.columns.iter().enumerate().map(output).collect())
    }
}

/// The columns that a wildcard stands for.
pub(super) fn visible(columns: Columns) -> Columns {
    let is_visible = |part: &Part| !matches!(part, Part::One(Output { hidden: true, .. }));
    Columns(columns.0.into_iter().filter(is_visible).collect())
}

/// A table's columns as those of a scope with nothing else, and what `*` is there.
pub(super) fn alone(factor: Factor) -> (Scope<'static>, Columns) {
    let star = visible(factor.columns.clone());
    let scope = Scope {
        factors: vec![factor],
        ..Scope::default()
    };
    (scope, star)
}

fn constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Join(c)
        | JoinOperator::Inner(c)
        | JoinOperator::Left(c)
        | JoinOperator::LeftOuter(c)
        | JoinOperator::Right(c)
        | JoinOperator::RightOuter(c)
        | JoinOperator::FullOuter(c)
        | JoinOperator::CrossJoin(c)
        | JoinOperator::StraightJoin(c) => Some(c),
        _ => None,
    }
}
