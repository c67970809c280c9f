//! Views: what their columns give, by their definitions.

use std::sync::Arc;

use bytes::Bytes;
use sqlparser::ast::{Expr, GroupByExpr, SelectItem, SetExpr, TableFactor};

use super::columns::Columns;
use super::parsed;
use super::walk::{Walk, name_parts};
use crate::catalog::{Column, Table, TableKind, same_name};
use crate::plan::Context;
use crate::plan::statement::{Statement, refuse_table};
use crate::refusal::Refusal;
use crate::sql::lexer::{Dialect, lex};

/// How many views may lie in each other.
const DEPTH: usize = 8;

/// The columns of a view.
pub(super) fn columns(walk: &mut Walk, view: &Arc<Table>) -> Columns {
    match of_definition(walk, view) {
        Ok(columns) => walk.as_table(columns, &[]),
        Err(refusal) => {
            walk.refuse(refusal);
            Columns::unknown()
        }
    }
}

/// The table that a view shows some columns of, with these columns alone, in the view's order; `None`
/// if that is not all there is to the view, or it cannot be told.
///
/// All of the primary key must be there, and each column under its own name: objects are named by
/// them. (MySQL's definitions do not tell the names that a list of the view's columns gives.) Which
/// rows are shown does not matter; that is for the server to keep.
pub(in crate::plan) fn shown_table(statement: &Statement, view: &Arc<Table>) -> Option<Arc<Table>> {
    if !statement.index.is_mariadb() {
        return None;
    }
    let walk = Walk::new(*statement, Default::default(), &[]);
    of_definition(&walk, view).ok()?;
    let text = Bytes::copy_from_slice(statement.index.view_definition(view)?.as_bytes());
    let dialect = Dialect::default();
    let tokens = lex(&text, dialect).tokens;
    let context = Context {
        schema: Some(&view.schema),
        dialect,
        charset: "utf8mb4",
        ..*statement.context
    };
    let inner = Statement {
        text: &text,
        tokens: &tokens,
        context: &context,
        index: statement.index,
    };
    let query = parsed::query(&inner)?.read;
    let is_more = query.with.is_some()
        || query.order_by.is_some()
        || query.limit_clause.is_some()
        || query.fetch.is_some()
        || !query.locks.is_empty();
    let SetExpr::Select(select) = *query.body else {
        return None;
    };
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty());
    if is_more || is_grouped || select.distinct.is_some() || select.having.is_some() {
        return None;
    }
    let [from] = select.from.as_slice() else {
        return None;
    };
    let TableFactor::Table {
        name, args: None, ..
    } = &from.relation
    else {
        return None;
    };
    let (schema, name) = match name_parts(name)[..] {
        [table] => (None, table),
        [schema, table] => (Some(schema), table),
        _ => return None,
    };
    let table = inner.table(schema, name)?;
    if table.kind != TableKind::Base || !from.joins.is_empty() {
        return None;
    }
    let column = |item: &SelectItem| {
        let (expr, alias) = match item {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias)),
            _ => return None,
        };
        let name = match expr {
            Expr::Identifier(name) => name,
            Expr::CompoundIdentifier(names) => names.last()?,
            _ => return None,
        };
        let is_renamed = alias.is_some_and(|alias| !same_name(&alias.value, &name.value));
        let position = table.column(name.value.as_bytes())?;
        (!is_renamed).then(|| Column {
            invisible: false,
            ..table.columns[position].clone()
        })
    };
    let columns: Vec<Column> = select
        .projection
        .iter()
        .map(column)
        .collect::<Option<_>>()?;
    let shows = |part: &Column| columns.iter().any(|column| column.name == part.name);
    let mut key = table.columns.iter().filter(|column| column.key.is_some());
    key.all(shows).then(|| {
        Arc::new(Table {
            schema: table.schema.clone(),
            name: table.name.clone(),
            kind: TableKind::Base,
            columns,
        })
    })
}

fn of_definition(walk: &Walk, view: &Arc<Table>) -> Result<Columns, Refusal> {
    let refuse = |reason: &str| {
        let reason = format!("this view may show a codec column, and {reason}");
        refuse_table(view, &reason, "select from the table itself")
    };
    if walk.views >= DEPTH {
        return Err(refuse("it lies in too many others"));
    }
    let index = walk.statement.index;
    let Some(definition) = index.view_definition(view) else {
        return Err(refuse("codec-proxy's account cannot read its definition"));
    };
    let text = Bytes::copy_from_slice(definition.as_bytes());
    // The server keeps definitions in UTF-8, whatever the mode they were made under.
    let dialect = Dialect::default();
    let tokens = lex(&text, dialect).tokens;
    let context = Context {
        schema: Some(&view.schema),
        dialect,
        charset: "utf8mb4",
        ..*walk.statement.context
    };
    let statement = Statement {
        text: &text,
        tokens: &tokens,
        context: &context,
        index,
    };
    let codecs = statement.translated(&statement.tables());
    let Some(query) = parsed::query(&statement) else {
        return Err(refuse("codec-proxy does not understand its definition"));
    };
    let mut inner = Walk::new(statement, query.places, &codecs);
    inner.views = walk.views + 1;
    let columns = inner.query(&query.read, None);
    let columns = inner.as_table(columns, &[]);
    match inner.finish(0..tokens.len(), &codecs) {
        Ok(done) if done.edits.is_empty() => Ok(columns),
        Ok(_) => Err(refuse(
            "its definition compares values, which are elsewhere",
        )),
        Err(inner) => {
            tracing::debug!(view = %view.name, reason = %inner, "a view cannot be followed");
            Err(refuse(
                "its definition uses the value, or hides where it goes",
            ))
        }
    }
}
