//! Queries: whether they touch translated codec columns, and whether their results can be read
//! by the metadata alone.

use sqlparser::ast::{
    self, Expr, OrderByKind, Query, Select, SelectItem, SetExpr, TableFactor, Visit,
};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;

use super::statement::{CodecColumn, Statement, refuse_views};
use super::walk::{Factor, Walk, factors, relations};
use super::{Plan, Read};
use crate::catalog::ColumnCodec;
use crate::refusal::Refusal;
use crate::sql::skeleton::skeleton;

const PLAINLY: &str = "select the column plainly from its table";

/// Plans a query whose result goes to the client.
pub(super) fn plan(statement: Statement) -> Result<Plan, Refusal> {
    Ok(match result_columns(statement)?.is_empty() {
        true => Plan::Pass,
        false => Plan::Read(Read::announced()),
    })
}

/// Refuses a query whose result goes elsewhere than to the client, if it reads a codec column.
pub(super) fn reads_none(statement: Statement, what: &str) -> Result<(), Refusal> {
    match result_columns(statement)?.first() {
        None => Ok(()),
        Some(column) => Err(column.refuse(
            &format!("{what} would copy what is stored and not the value"),
            "read the values and write them with INSERT … VALUES",
        )),
    }
}

/// The translated codec columns among the query's result columns; an error if it uses one in any
/// other way, or if its result's metadata could not be believed.
fn result_columns(statement: Statement) -> Result<Vec<CodecColumn>, Refusal> {
    let tables = statement.tables();
    refuse_views(&tables)?;
    let columns = statement.translated(&tables);
    if columns.is_empty() || is_proven_untouched(&statement, &columns) {
        return Ok(Vec::new());
    }
    let Some(mut query) = parse(&statement) else {
        let all = 0..statement.tokens.len();
        let column = statement.mention(all, &columns).unwrap_or(&columns[0]);
        return Err(column.refuse("codec-proxy does not understand this query", PLAINLY));
    };
    // `TABLE t` is no relation to the parser.
    let hidden = (0..statement.tokens.len()).any(|at| statement.is_word(at, "TABLE"));
    let columns = match hidden {
        true => columns,
        false => statement.translated(&relations(&statement, &query)),
    };
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let mut walk = Walk::new(statement, &columns, factors(&statement, &query));
    let read = match top_select(&mut query) {
        Some((select, order_by)) => take_result(&mut walk, select, order_by),
        None => Vec::new(),
    };
    let _ = query.visit(&mut walk);
    walk.finish()?;
    for column in &read {
        if let Some(ColumnCodec::Unusable { spec, reason }) =
            &column.table.columns[column.column].codec
        {
            let reason = format!("its type is {spec} and {reason}");
            return Err(column.refuse(&reason, "leave it out of the query"));
        }
    }
    Ok(read)
}

/// Whether the tokens alone show that no translated codec column is touched: none is named, and
/// nothing could stand for one that is not named.
fn is_proven_untouched(statement: &Statement, columns: &[CodecColumn]) -> bool {
    let all = 0..statement.tokens.len();
    let unnamed = ["NATURAL", "TABLE"];
    statement.mention(all.clone(), columns).is_none()
        && !statement.has_wildcard(all.clone())
        && !all
            .into_iter()
            .any(|at| statement.is_any_word(at, &unnamed))
}

fn parse(statement: &Statement) -> Option<Query> {
    let mut tokens = statement.tokens;
    // The parser does not know this ending, and it changes no column.
    if let [rest @ .., lock, is, share, mode] = tokens {
        let words = [lock, is, share, mode].map(|t| t.bytes(statement.text));
        let ending = [&b"LOCK"[..], b"IN", b"SHARE", b"MODE"];
        if words
            .iter()
            .zip(ending)
            .all(|(w, e)| w.eq_ignore_ascii_case(e))
        {
            tokens = rest;
        }
    }
    let sql = skeleton(statement.text, tokens).sql;
    let mut parsed = Parser::parse_sql(&MySqlDialect {}, &sql).ok()?;
    match (parsed.pop(), parsed.is_empty()) {
        (Some(ast::Statement::Query(query)), true) => Some(*query),
        _ => None,
    }
}

/// The SELECT whose items are the result's columns, with the ORDER BY over it; `None` where
/// there is more to it: a CTE, a UNION.
fn top_select(query: &mut Query) -> Option<(&mut Select, Option<&ast::OrderBy>)> {
    if query.with.is_some() {
        return None;
    }
    let is_bare =
        query.order_by.is_none() && query.limit_clause.is_none() && query.locks.is_empty();
    match &mut *query.body {
        SetExpr::Select(select) => Some((select, query.order_by.as_ref())),
        SetExpr::Query(inner) if is_bare => top_select(inner),
        _ => None,
    }
}

/// Takes the items that are plain codec columns, or wildcards that expand to some, out of the
/// SELECT, so that the walk over the rest finds uses of another kind only.
fn take_result(
    walk: &mut Walk,
    select: &mut Select,
    order_by: Option<&ast::OrderBy>,
) -> Vec<CodecColumn> {
    let mut read: Vec<CodecColumn> = Vec::new();
    let mut places: Vec<Option<CodecColumn>> = Vec::new();
    let mut expands = false;
    let from: Vec<Factor> = select
        .from
        .iter()
        .flat_map(|from| walk.factors_of(from))
        .collect();
    let items = std::mem::take(&mut select.projection);
    for item in items {
        let columns: Vec<CodecColumn> = match &item {
            SelectItem::UnnamedExpr(expr) => walk.plain_column(expr).into_iter().collect(),
            SelectItem::ExprWithAlias { expr, alias } => {
                let column = walk.plain_column(expr);
                if let Some(column) = &column {
                    walk.add_alias(alias, column.clone());
                }
                column.into_iter().collect()
            }
            item => walk.expansion(item, &from).unwrap_or_default(),
        };
        let is_wildcard = matches!(
            item,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
        );
        expands |= is_wildcard && !columns.is_empty();
        places.push(columns.first().cloned());
        match columns.is_empty() {
            true => select.projection.push(item),
            false => walk.explain_item(&item),
        }
        read.extend(columns);
    }
    let Some(first) = read.first().cloned() else {
        return read;
    };
    if !select.from.iter().all(is_base) {
        walk.touch(
            &first,
            "it is selected beside a derived table, and codec-proxy does not follow those yet",
        );
    }
    // Out of a view such a column is announced as the codec column itself.
    let named_alike = select.projection.iter().any(|item| match item {
        SelectItem::ExprWithAlias { alias, .. } => walk.is_codec_name(&alias.value),
        _ => false,
    });
    if named_alike {
        walk.touch(
            &first,
            "another result column is given the name of a codec column",
        );
    }
    if select.into.is_some() {
        walk.touch(&first, "INTO would write what is stored and not the value");
    }
    let by_content = |c: &CodecColumn| match &c.table.columns[c.column].codec {
        Some(ColumnCodec::Chain(chain)) => !chain.is_external() || chain.codecs.contains(&"hash"),
        _ => true,
    };
    if select.distinct.is_some()
        && let Some(column) = read.iter().find(|c| !by_content(c))
    {
        walk.touch(
            &column.clone(),
            "DISTINCT would compare what is stored and not the values",
        );
    }
    let is_sorted = order_by.is_some()
        || select.having.is_some()
        || !matches!(&select.group_by, ast::GroupByExpr::Expressions(g, _) if g.is_empty());
    if is_sorted && walk.has_literal_alias() {
        walk.touch(
            &first,
            "its alias is written as a string, which may be meant by ORDER BY",
        );
    }
    for place in ordinals(select, order_by) {
        let sorted = match expands {
            true => Some(first.clone()),
            false => places.get(place.wrapping_sub(1)).cloned().flatten(),
        };
        if let Some(column) = sorted {
            walk.touch(
                &column,
                "sorting or grouping would compare what is stored and not the values",
            );
        }
    }
    read
}

/// The numbers in ORDER BY and GROUP BY, which mean items by their place.
fn ordinals(select: &Select, order_by: Option<&ast::OrderBy>) -> Vec<usize> {
    let mut exprs: Vec<&Expr> = Vec::new();
    if let Some(OrderByKind::Expressions(sorted)) = order_by.map(|o| &o.kind) {
        exprs.extend(sorted.iter().map(|o| &o.expr));
    }
    if let ast::GroupByExpr::Expressions(grouped, _) = &select.group_by {
        exprs.extend(grouped);
    }
    let number = |expr: &Expr| match expr {
        Expr::Value(value) => match &value.value {
            ast::Value::Number(n, _) => n.to_string().parse().ok(),
            _ => None,
        },
        _ => None,
    };
    exprs.into_iter().filter_map(number).collect()
}

/// Whether a FROM clause holds named tables only.
fn is_base(from: &ast::TableWithJoins) -> bool {
    let factor = |factor: &TableFactor| match factor {
        TableFactor::Table { args: None, .. } => true,
        TableFactor::NestedJoin {
            table_with_joins, ..
        } => is_base(table_with_joins),
        _ => false,
    };
    factor(&from.relation) && from.joins.iter().all(|join| factor(&join.relation))
}
