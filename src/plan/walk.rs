//! A walk over a parsed query that finds every use of a translated codec column.
//!
//! It is made so that what the parser or the walk does not see is noticed: each time the
//! statement spells a codec column's name must be accounted for, or the query is refused.

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Query, Select,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableFactor, TableWithJoins, Visit,
    Visitor,
};

use super::statement::{CodecColumn, Statement};
use crate::catalog::{Table, same_name};
use crate::refusal::Refusal;

/// A table in a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    /// The alias, else the table's name; `None` for a derived table without a name.
    name: Option<String>,
    schema: Option<String>,
    aliased: bool,
    /// Its place in the catalog, if it is a codec table.
    codec: Option<Arc<Table>>,
    /// Schema and table, if it is a named table without a codec.
    other: Option<(String, String)>,
    /// The names of its result columns, if it is a derived table; `None` stands for any.
    derived: Option<Vec<Option<String>>>,
}

pub(super) struct Walk<'a> {
    statement: Statement<'a>,
    columns: &'a [CodecColumn],
    factors: Vec<Factor>,
    /// Aliases of result columns that are codec columns.
    aliases: Vec<(String, CodecColumn)>,
    /// How often a codec column's name was met where it is understood.
    explained: usize,
    null_test: bool,
    exists: bool,
    touched: Option<Refusal>,
}

impl<'a> Walk<'a> {
    pub fn new(statement: Statement<'a>, columns: &'a [CodecColumn], factors: Vec<Factor>) -> Self {
        Self {
            statement,
            columns,
            factors,
            aliases: Vec::new(),
            explained: 0,
            null_test: false,
            exists: false,
            touched: None,
        }
    }

    /// The refusal, if there is reason for one.
    pub fn finish(mut self) -> Result<(), Refusal> {
        let all = 0..self.statement.tokens.len();
        let spelt: Vec<&CodecColumn> = all.filter_map(|at| self.spelt_at(at)).collect();
        if spelt.len() > self.explained
            && let Some(column) = spelt.last()
        {
            self.touch(
                &(*column).clone(),
                "codec-proxy does not understand where it is used",
            );
        }
        self.touched.map_or(Ok(()), Err)
    }

    /// Notes a use that makes the query refused.
    pub fn touch(&mut self, column: &CodecColumn, reason: &str) {
        let way_out = format!("select {} plainly from its table", column.name());
        self.touched
            .get_or_insert_with(|| column.refuse(reason, &way_out));
    }

    pub fn add_alias(&mut self, alias: &Ident, column: CodecColumn) {
        self.aliases.push((alias.value.clone(), column));
    }

    /// Whether a codec column's alias was a string, of which the skeleton has no more than a
    /// place.
    pub fn has_literal_alias(&self) -> bool {
        self.aliases.iter().any(|(alias, _)| alias.starts_with('~'))
    }

    pub fn is_codec_name(&self, name: &str) -> bool {
        self.columns.iter().any(|c| same_name(c.name(), name))
    }

    /// The codec column that an expression is, if it is nothing more.
    pub fn plain_column(&self, expr: &Expr) -> Option<CodecColumn> {
        self.column(&parts_of(expr)?)
    }

    /// The codec columns that a wildcard expands to; `None` if the item is no wildcard.
    pub fn expansion(&self, item: &SelectItem, from: &[Factor]) -> Option<Vec<CodecColumn>> {
        let of = |factor: &Factor| -> Vec<CodecColumn> {
            let columns = self.columns.iter().filter(|c| {
                let is_own = factor
                    .codec
                    .as_ref()
                    .is_some_and(|t| Arc::ptr_eq(t, &c.table));
                is_own && !c.table.columns[c.column].invisible
            });
            columns.cloned().collect()
        };
        match item {
            SelectItem::Wildcard(_) => Some(from.iter().flat_map(of).collect()),
            SelectItem::QualifiedWildcard(kind, _) => {
                let SelectItemQualifiedWildcardKind::ObjectName(name) = kind else {
                    return Some(self.columns.to_vec());
                };
                let parts = name_parts(name);
                let meant: Vec<&Factor> = from.iter().filter(|f| f.is_named(&parts)).collect();
                Some(match meant.is_empty() {
                    true => self.columns.to_vec(),
                    false => meant.into_iter().flat_map(of).collect(),
                })
            }
            _ => None,
        }
    }

    /// Accounts for the names in an item that is not walked over.
    pub fn explain_item(&mut self, item: &SelectItem) {
        match item {
            SelectItem::UnnamedExpr(expr) => self.explain(&parts_of(expr).unwrap_or_default()),
            SelectItem::ExprWithAlias { expr, alias } => {
                self.explain(&parts_of(expr).unwrap_or_default());
                self.explain(&[alias.value.as_str()]);
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                self.explain(&name_parts(name));
            }
            _ => {}
        }
    }

    pub fn factors_of(&self, from: &TableWithJoins) -> Vec<Factor> {
        factors_of(&self.statement, from)
    }

    fn explain(&mut self, parts: &[&str]) {
        let is_spelt = |part: &&&str| self.columns.iter().any(|c| same_name(c.name(), part));
        self.explained += parts.iter().filter(is_spelt).count();
    }

    fn spelt_at(&self, at: usize) -> Option<&'a CodecColumn> {
        let name = self.statement.name(at)?;
        let name = String::from_utf8_lossy(&name);
        self.columns.iter().find(|c| same_name(c.name(), &name))
    }

    /// The codec column that a name may mean.
    fn column(&self, parts: &[&str]) -> Option<CodecColumn> {
        let (name, qualifier) = parts.split_last()?;
        let mut candidates = self.columns.iter().filter(|c| same_name(c.name(), name));
        let meant: Vec<&Factor> = match qualifier.is_empty() {
            true => Vec::new(),
            false => {
                let named = |f: &&Factor| f.is_named(qualifier);
                self.factors.iter().filter(named).collect()
            }
        };
        if meant.is_empty() {
            return candidates.next().cloned();
        }
        let of_meant = |c: &&CodecColumn| {
            let is_own = |f: &&Factor| f.codec.as_ref().is_some_and(|t| Arc::ptr_eq(t, &c.table));
            meant.iter().any(is_own)
        };
        candidates.find(of_meant).cloned()
    }

    /// `NATURAL JOIN` compares the columns of equal names, without naming them.
    fn natural(&mut self, from: &TableWithJoins) {
        if !is_natural(from) {
            return;
        }
        let factors = self.factors_of(from);
        let columns = self.columns;
        for column in columns {
            let bearers = factors
                .iter()
                .filter(|f| f.bears(column.name(), &self.statement));
            if bearers.count() > 1 {
                self.touch(
                    column,
                    "NATURAL JOIN would compare what is stored and not the values",
                );
            }
        }
    }

    fn joins(&mut self, from: &TableWithJoins) {
        self.natural(from);
        for join in &from.joins {
            if let Some(JoinConstraint::Using(names)) = constraint(&join.join_operator) {
                for name in names {
                    let parts = name_parts(name);
                    self.explain(&parts);
                    if let Some(column) = self.column(&parts) {
                        self.touch(
                            &column,
                            "USING would compare what is stored and not the values",
                        );
                    }
                }
            }
        }
    }
}

impl Visitor for Walk<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let columns = cte.alias.columns.iter().map(|c| c.name.value.as_str());
            let names: Vec<&str> = columns.chain([cte.alias.name.value.as_str()]).collect();
            self.explain(&names);
        }
        if matches!(*query.body, SetExpr::Table(_)) {
            let column = self.columns[0].clone();
            self.touch(&column, "TABLE reads all columns");
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let exists = std::mem::take(&mut self.exists);
        let from: Vec<Factor> = select
            .from
            .iter()
            .flat_map(|f| self.factors_of(f))
            .collect();
        for item in &select.projection {
            if let Some(columns) = self.expansion(item, &from) {
                self.explain_item(item);
                if let Some(column) = columns.first().filter(|_| !exists) {
                    self.touch(column, "a wildcard inside of the query expands to it");
                }
            }
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.explain(&[alias.value.as_str()]);
            }
        }
        for from in &select.from {
            self.joins(from);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        let alias = match factor {
            TableFactor::Table { alias, .. } | TableFactor::Derived { alias, .. } => alias,
            TableFactor::NestedJoin {
                alias,
                table_with_joins,
            } => {
                self.joins(table_with_joins);
                alias
            }
            _ => return ControlFlow::Continue(()),
        };
        if let Some(alias) = alias {
            let columns = alias.columns.iter().map(|c| c.name.value.as_str());
            let names: Vec<&str> = columns.chain([alias.name.value.as_str()]).collect();
            self.explain(&names);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.explain(&name_parts(relation));
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
                self.null_test = parts_of(inner).is_some();
            }
            Expr::Nested(_) => {}
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                let null_test = std::mem::take(&mut self.null_test);
                let parts = parts_of(expr).unwrap_or_default();
                self.explain(&parts);
                let alias = match parts.as_slice() {
                    [name] => self
                        .aliases
                        .iter()
                        .find(|(alias, _)| same_name(alias, name)),
                    _ => None,
                };
                let column = alias.map(|(_, c)| c.clone());
                if let Some(column) = column.or_else(|| self.column(&parts))
                    && !null_test
                {
                    self.touch(
                        &column,
                        "the query uses its value, and the database has only what is stored of it",
                    );
                }
            }
            Expr::Function(function) => self.explain(&name_parts(&function.name)),
            Expr::Exists { .. } => self.exists = true,
            _ => self.null_test = false,
        }
        ControlFlow::Continue(())
    }
}

impl Factor {
    fn is_named(&self, parts: &[&str]) -> bool {
        let same = |own: &Option<String>, name: &str| {
            own.as_deref().is_some_and(|own| same_name(own, name))
        };
        match parts {
            [name] => same(&self.name, name),
            [schema, name] => !self.aliased && same(&self.name, name) && same(&self.schema, schema),
            _ => false,
        }
    }

    /// Whether it has, or may have, a column of that name.
    fn bears(&self, column: &str, statement: &Statement) -> bool {
        let own = self
            .codec
            .as_ref()
            .is_some_and(|t| t.column(column.as_bytes()).is_some());
        let namesake = self.other.as_ref().is_some_and(|(schema, table)| {
            let (schema, table) = (schema.as_bytes(), table.as_bytes());
            statement.index.has_namesake(schema, table, column)
        });
        let derived = self.derived.as_ref().is_some_and(|names| {
            let is = |name: &Option<String>| name.as_ref().is_none_or(|n| same_name(n, column));
            names.iter().any(is)
        });
        own || namesake || derived
    }
}

/// The codec tables that a query names as tables: a column may be called like one of them.
pub(super) fn relations(statement: &Statement, query: &Query) -> Vec<Arc<Table>> {
    struct Collect<'a>(&'a Statement<'a>, Vec<Arc<Table>>);
    impl Visitor for Collect<'_> {
        type Break = ();
        fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
            if let Some((table, schema)) = name_parts(relation).split_last()
                && let Some(table) = self.0.table(schema.last().copied(), table)
                && !self.1.iter().any(|t| Arc::ptr_eq(t, table))
            {
                self.1.push(table.clone());
            }
            ControlFlow::Continue(())
        }
    }
    let mut collect = Collect(statement, Vec::new());
    let _ = query.visit(&mut collect);
    collect.1
}

/// All tables in all FROM clauses of a query.
pub(super) fn factors(statement: &Statement, query: &Query) -> Vec<Factor> {
    struct Collect<'a>(&'a Statement<'a>, Vec<Factor>);
    impl Visitor for Collect<'_> {
        type Break = ();
        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
            let of = select.from.iter().flat_map(|from| factors_of(self.0, from));
            self.1.extend(of);
            ControlFlow::Continue(())
        }
    }
    let mut collect = Collect(statement, Vec::new());
    let _ = query.visit(&mut collect);
    collect.1
}

fn factors_of(statement: &Statement, from: &TableWithJoins) -> Vec<Factor> {
    let joined = from.joins.iter().map(|join| &join.relation);
    let mut found = Vec::new();
    for factor in std::iter::once(&from.relation).chain(joined) {
        match factor {
            TableFactor::Table { name, alias, .. } => {
                let parts = name_parts(name);
                let Some((table, schema)) = parts.split_last() else {
                    continue;
                };
                let schema = schema.last().copied();
                let codec = statement.table(schema, table).cloned();
                let schema = schema.or(statement.context.schema).map(str::to_owned);
                let other = match (&codec, &schema) {
                    (None, Some(schema)) => Some((schema.clone(), (*table).to_owned())),
                    _ => None,
                };
                found.push(Factor {
                    name: Some(alias.as_ref().map_or(*table, |a| &a.name.value).to_owned()),
                    aliased: alias.is_some(),
                    schema,
                    codec,
                    other,
                    derived: None,
                });
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => found.extend(factors_of(statement, table_with_joins)),
            TableFactor::Derived {
                subquery, alias, ..
            } => found.push(Factor::derived(
                alias.as_ref().map(|a| a.name.value.clone()),
                result_names(subquery),
            )),
            _ => found.push(Factor::derived(None, vec![None])),
        }
    }
    found
}

impl Factor {
    fn derived(name: Option<String>, columns: Vec<Option<String>>) -> Self {
        Self {
            name,
            schema: None,
            aliased: true,
            codec: None,
            other: None,
            derived: Some(columns),
        }
    }
}

/// The names of a query's result columns; `None` where one is not known.
fn result_names(query: &Query) -> Vec<Option<String>> {
    fn of(body: &SetExpr) -> Vec<Option<String>> {
        match body {
            SetExpr::Select(select) => select.projection.iter().map(item_name).collect(),
            SetExpr::Query(query) => of(&query.body),
            SetExpr::SetOperation { left, .. } => of(left),
            _ => vec![None],
        }
    }
    of(&query.body)
}

fn item_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        // An expression's own name is its text, which is no column's name.
        SelectItem::UnnamedExpr(expr) => {
            let parts = parts_of(expr).unwrap_or_default();
            Some(parts.last().copied().unwrap_or_default().to_owned())
        }
        _ => None,
    }
}

/// The parts of a name that an expression is, in parentheses or without; `None` for any other.
pub(super) fn parts_of(expr: &Expr) -> Option<Vec<&str>> {
    match expr {
        Expr::Identifier(name) => Some(vec![&name.value]),
        Expr::CompoundIdentifier(names) => Some(names.iter().map(|n| n.value.as_str()).collect()),
        Expr::Nested(inner) => parts_of(inner),
        _ => None,
    }
}

pub(super) fn name_parts(name: &ObjectName) -> Vec<&str> {
    let parts = name.0.iter();
    parts
        .filter_map(|part| match part {
            ObjectNamePart::Identifier(name) => Some(name.value.as_str()),
            ObjectNamePart::Function(_) => None,
        })
        .collect()
}

fn is_natural(from: &TableWithJoins) -> bool {
    let nested = |factor: &TableFactor| match factor {
        TableFactor::NestedJoin {
            table_with_joins, ..
        } => is_natural(table_with_joins),
        _ => false,
    };
    let natural = |op: &JoinOperator| matches!(constraint(op), Some(JoinConstraint::Natural));
    nested(&from.relation)
        || (from.joins.iter()).any(|join| natural(&join.join_operator) || nested(&join.relation))
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
