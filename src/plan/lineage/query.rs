//! Queries, and the columns of their results.

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, NamedWindowExpr, OrderBy, OrderByKind, Query, Select,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier,
    Value as Given, With,
};

use super::columns::{Columns, Output, Part, Value, is_alike, is_by_content, is_hashed};
use super::from::visible;
use super::scope::Scope;
use super::walk::{Walk, name_parts};
use crate::catalog::same_name;

const COMPARES: &str = "compare what is stored and not the values";

/// The query is around what is walked over.
type Outer<'s> = Option<&'s Scope<'s>>;

impl Walk<'_> {
    /// The columns of a query's result.
    pub fn query(&mut self, query: &Query, outer: Outer) -> Columns {
        self.deeper(Columns::unknown(), |walk| {
            let ctes = walk.ctes.len();
            if let Some(with) = &query.with {
                walk.with(with, outer);
            }
            let is_foreign = !query.pipe_operators.is_empty()
                || query.for_clause.is_some()
                || query.settings.is_some()
                || query.format_clause.is_some();
            if is_foreign {
                walk.lost("codec-proxy does not understand this query");
            }
            let columns = match &*query.body {
                SetExpr::Select(select) => walk.select(select, query.order_by.as_ref(), outer),
                body => {
                    let columns = walk.body(body, outer);
                    if let Some(order_by) = &query.order_by {
                        walk.sorted(order_by, &columns, outer);
                    }
                    columns
                }
            };
            walk.ctes.truncate(ctes);
            columns
        })
    }

    /// The order of a result that is no SELECT's own.
    fn sorted(&mut self, order_by: &OrderBy, columns: &Columns, outer: Outer) {
        let scope = Scope {
            results: columns.clone(),
            outer,
            ..Scope::default()
        };
        self.order_by(order_by, &scope);
    }

    fn body(&mut self, body: &SetExpr, outer: Outer) -> Columns {
        match body {
            SetExpr::Select(select) => self.select(select, None, outer),
            SetExpr::Query(query) => self.query(query, outer),
            SetExpr::SetOperation { .. } => {
                self.deeper(Columns::unknown(), |walk| walk.set_operation(body, outer))
            }
            SetExpr::Values(values) => {
                let mut width = 0;
                for row in &values.rows {
                    width = row.content.len();
                    for expr in &row.content {
                        let scope = Scope {
                            outer,
                            ..Scope::default()
                        };
                        self.use_of(expr, &scope);
                    }
                }
                let output = || Part::One(Output::new(None, Value::Plain));
                Columns(std::iter::repeat_with(output).take(width).collect())
            }
            _ => {
                self.lost("codec-proxy does not understand this query");
                Columns::unknown()
            }
        }
    }

    /// UNION, INTERSECT and EXCEPT merge columns by their place. Chains of them lie to the left,
    /// as long as the client likes.
    fn set_operation(&mut self, body: &SetExpr, outer: Outer) -> Columns {
        let mut branches = Vec::new();
        let mut compares = false;
        let mut body = body;
        while let SetExpr::SetOperation {
            left,
            op,
            set_quantifier,
            right,
        } = body
        {
            let all = matches!(set_quantifier, SetQuantifier::All);
            compares |= !(all && matches!(op, SetOperator::Union));
            branches.push(&**right);
            body = left;
        }
        branches.push(body);
        let mut branches = branches.into_iter().rev();
        let first = branches.next();
        let mut columns = first.map_or_else(Columns::unknown, |b| self.body(b, outer));
        for branch in branches {
            let other = self.body(branch, outer);
            columns = self.merged(columns, other);
        }
        if compares {
            let apart = columns
                .codecs()
                .into_iter()
                .find(|(_, c)| !is_by_content(c));
            if let Some((_, column)) = apart {
                let column = column.clone();
                let reason = format!("UNION, INTERSECT or EXCEPT would {COMPARES}");
                self.touch_but(&column, &reason, "use UNION ALL");
            }
        }
        columns
    }

    /// Two results as one.
    pub fn merged(&mut self, first: Columns, other: Columns) -> Columns {
        let of_codec = first.codec().or(other.codec()).cloned();
        let Some(column) = of_codec else {
            return first;
        };
        let closed = first.is_closed() && other.is_closed();
        if !closed || first.0.len() != other.0.len() {
            let reason = "codec-proxy cannot tell which columns are put together";
            self.touch_but(&column, reason, "name the columns instead of *");
            return first;
        }
        let pairs = first.0.into_iter().zip(other.0);
        let merged = pairs.map(|pair| match pair {
            (Part::One(one), Part::One(other)) => {
                let value = self.one_of([one.value, other.value]);
                Part::One(Output::new(one.name, value))
            }
            (part, _) => part,
        });
        Columns(merged.collect())
    }

    /// What a column holds in which some values come from here, others from there.
    pub fn one_of(&mut self, values: impl IntoIterator<Item = Value>) -> Value {
        let mut one = Value::Null;
        for value in values {
            one = match (one, value) {
                (one, Value::Null) => one,
                (Value::Null, value) => value,
                (Value::Plain, Value::Plain) => Value::Plain,
                (Value::Codec(a), Value::Codec(b)) if is_alike(&a, &b) => Value::Codec(a),
                (Value::Codec(column), _) | (_, Value::Codec(column)) => {
                    let reason = "other values come in the same result column";
                    let way_out = "select them in columns of their own";
                    self.touch_but(&column, reason, way_out);
                    Value::Codec(column)
                }
            };
        }
        one
    }

    /// Common tables, each of which the ones after it can name.
    fn with(&mut self, with: &With, outer: Outer) {
        for cte in &with.cte_tables {
            self.explain([&cte.alias.name]);
            let names = self.alias_columns(&cte.alias.columns);
            let name = cte.alias.name.value.clone();
            let known = self.ctes.len();
            if with.recursive
                && let SetExpr::SetOperation { .. } = &*cte.query.body
            {
                // Its own rows come from the branch that does not name it.
                let mut seed = &*cte.query.body;
                while let SetExpr::SetOperation { left, .. } = seed {
                    seed = left;
                }
                if let Some(inner) = &cte.query.with {
                    self.with(inner, outer);
                }
                let columns = self.body(seed, outer);
                let columns = self.as_table(columns, &names);
                self.ctes.truncate(known);
                self.ctes.push((name.clone(), columns));
            }
            let columns = self.query(&cte.query, outer);
            let columns = self.as_table(columns, &names);
            self.ctes.truncate(known);
            self.ctes.push((name, columns));
        }
    }

    /// A result that can be named as a table, with these column names if there are any.
    pub fn as_table(&mut self, columns: Columns, names: &[String]) -> Columns {
        let columns = match names {
            [] => columns,
            names => {
                let column = columns.codec().cloned();
                match (columns.renamed(names), column) {
                    (Some(renamed), _) => renamed,
                    (None, Some(column)) => {
                        let reason = "codec-proxy cannot tell which of the column names it gets";
                        self.touch_but(&column, reason, "name the columns instead of *");
                        Columns::unknown()
                    }
                    (None, None) => Columns::unknown(),
                }
            }
        };
        let mut nameless = None;
        for (name, column) in columns.codecs() {
            match name {
                Some(name) => self.name_codec(name),
                None => nameless = Some(column.clone()),
            }
        }
        if let Some(column) = nameless {
            let reason = "an expression that gives it has no name";
            self.touch_but(&column, reason, "name the expression with AS");
        }
        columns
    }

    /// A SELECT with the ORDER BY over it.
    fn select(&mut self, select: &Select, order_by: Option<&OrderBy>, outer: Outer) -> Columns {
        let from = self.from(&select.from, outer);
        let mut scope = Scope {
            factors: from.factors,
            outer,
            ..Scope::default()
        };
        for condition in from.conditions {
            self.use_of(condition, &scope);
        }
        group_factors(&mut scope, select);
        let select_at = self.token(select.select_token.0.span);
        let columns = self.items(&select.projection, &scope, &from.columns, select_at);
        if let Some(column) = columns.codec().filter(|_| select.into.is_some()) {
            let column = column.clone();
            self.touch(&column, "INTO would write what is stored and not the value");
        }
        for expr in select.selection.iter().chain(&select.prewhere) {
            self.use_of(expr, &scope);
        }
        scope.results = columns.clone();
        self.grouped(&select.group_by, &scope);
        if let Some(having) = &select.having {
            self.use_of(having, &scope);
        }
        for window in &select.named_window {
            self.explain([&window.0]);
            match &window.1 {
                NamedWindowExpr::NamedWindow(name) => self.explain([name]),
                NamedWindowExpr::WindowSpec(spec) => self.window(spec, &scope),
            }
        }
        if let Some(order_by) = order_by {
            self.order_by(order_by, &scope);
        }
        self.distinct(select.distinct.as_ref(), &columns);
        let is_foreign = select.top.is_some()
            || select.exclude.is_some()
            || select.qualify.is_some()
            || select.value_table_mode.is_some()
            || !select.lateral_views.is_empty()
            || !select.connect_by.is_empty();
        if is_foreign {
            self.lost("codec-proxy does not understand this query");
        }
        columns
    }

    fn distinct(&mut self, distinct: Option<&Distinct>, columns: &Columns) {
        if matches!(distinct, None | Some(Distinct::All)) {
            return;
        }
        let apart = columns
            .codecs()
            .into_iter()
            .find(|(_, c)| !is_by_content(c));
        if let Some((_, column)) = apart {
            let column = column.clone();
            self.touch(&column, &format!("DISTINCT would {COMPARES}"));
        }
    }

    /// The columns that the items of a SELECT or of RETURNING give. `star` are those that `*`
    /// stands for; the items follow the token `before`.
    pub fn items(
        &mut self,
        items: &[SelectItem],
        scope: &Scope,
        star: &Columns,
        before: Option<usize>,
    ) -> Columns {
        let mut columns = Vec::new();
        for (number, item) in items.iter().enumerate() {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let edits = self.edits();
                    let value = self.value_of(expr, scope);
                    if self.edits() > edits {
                        self.keep_name(before, number);
                    }
                    let name = self.name_of_expr(expr);
                    columns.push(Part::One(Output::new(name, value)));
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    self.explain([alias]);
                    let value = self.value_of(expr, scope);
                    let name = self.name_of(alias);
                    if let (Value::Codec(_), Some(name)) = (&value, &name) {
                        self.name_codec(name);
                    }
                    columns.push(Part::One(Output::new(name, value)));
                }
                SelectItem::Wildcard(_) => columns.extend(star.0.iter().cloned()),
                SelectItem::QualifiedWildcard(kind, _) => {
                    columns.extend(self.columns_of(kind, scope).0);
                }
                SelectItem::ExprWithAliases { .. } => {
                    self.lost("codec-proxy does not understand this query");
                }
            }
        }
        Columns(columns)
    }

    /// The columns of `table.*`.
    fn columns_of(&mut self, kind: &SelectItemQualifiedWildcardKind, scope: &Scope) -> Columns {
        let SelectItemQualifiedWildcardKind::ObjectName(name) = kind else {
            self.lost("codec-proxy does not understand this query");
            return Columns::unknown();
        };
        self.explain_object(name);
        match scope.meant(&name_parts(name)).as_slice() {
            [factor] => visible(factor.columns.clone()),
            // The server does not know it either.
            [] => Columns::unknown(),
            _ => {
                self.lost("codec-proxy cannot tell which of two tables is meant");
                Columns::unknown()
            }
        }
    }

    /// The name of a result column that is given none.
    fn name_of_expr(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Identifier(name) => Some(name.value.clone()),
            Expr::CompoundIdentifier(names) => names.last().map(|n: &Ident| n.value.clone()),
            Expr::Value(value) => match &value.value {
                Given::SingleQuotedString(text) => self.text_of(text),
                _ => None,
            },
            _ => None,
        }
    }

    fn grouped(&mut self, group_by: &GroupByExpr, scope: &Scope) {
        let GroupByExpr::Expressions(grouped, modifiers) = group_by else {
            return;
        };
        // Rows of ROLLUP are sorted. MySQL wants the selected columns to be the grouped ones.
        let can_be_hashes = modifiers.is_empty()
            && (self.statement.index.is_mariadb() || scope.results.codec().is_none());
        for expr in grouped {
            let place = ordinal(expr);
            let by_place = place.and_then(|place| result_at(&scope.results, place));
            let value = by_place
                .clone()
                .unwrap_or_else(|| self.value_of(expr, scope));
            let Value::Codec(column) = value else {
                continue;
            };
            let view = self.statement.context.view;
            let is_own = by_place.is_none() && can_be_hashes && is_hashed(&column, view);
            if !is_own || !self.compare_by_hash(expr) {
                self.touch(&column, &format!("GROUP BY would {COMPARES}"));
            }
        }
    }

    pub fn order_by(&mut self, order_by: &OrderBy, scope: &Scope) {
        let OrderByKind::Expressions(sorted) = &order_by.kind else {
            return self.lost("codec-proxy does not understand this query");
        };
        for expr in sorted.iter().map(|o| &o.expr) {
            let by_place = ordinal(expr).and_then(|place| result_at(&scope.results, place));
            let value = by_place.unwrap_or_else(|| self.value_of(expr, scope));
            if let Value::Codec(column) = value {
                self.touch(&column, &format!("sorting would {COMPARES}"));
            }
        }
    }
}

/// Notes by which columns of which tables the rows are grouped, for what is said of a group.
fn group_factors(scope: &mut Scope, select: &Select) {
    let GroupByExpr::Expressions(grouped, modifiers) = &select.group_by else {
        return;
    };
    // Rows of ROLLUP stand for many groups.
    let rolls = |e: &Expr| matches!(e, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_));
    if !modifiers.is_empty() || grouped.iter().any(rolls) {
        return;
    }
    for expr in grouped {
        let name: Vec<&str> = match expr {
            // An alias could be meant.
            Expr::Identifier(name) if is_alias(&name.value, select) => continue,
            Expr::Identifier(name) => vec![&name.value],
            Expr::CompoundIdentifier(names) => names.iter().map(|n| n.value.as_str()).collect(),
            _ => continue,
        };
        let found = scope.base(&name).map(std::ptr::from_ref);
        let mut factors = scope.factors.iter_mut();
        if let Some(factor) = factors.find(|f| found == Some(std::ptr::from_ref(&**f)))
            && let Some(column) = name.last()
        {
            factor.grouped.push((*column).to_owned());
        }
    }
}

/// Whether an item of a SELECT has this name without being the column of that name.
fn is_alias(name: &str, select: &Select) -> bool {
    select.projection.iter().any(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } => {
            let own = match expr {
                Expr::Identifier(own) => Some(own),
                Expr::CompoundIdentifier(names) => names.last(),
                _ => None,
            };
            same_name(&alias.value, name) && !own.is_some_and(|own| same_name(&own.value, name))
        }
        _ => false,
    })
}

/// The number that an expression in ORDER BY or GROUP BY is: the place of a result column.
fn ordinal(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Value(value) => match &value.value {
            Given::Number(number, _) => number.to_string().parse().ok(),
            _ => None,
        },
        Expr::Nested(inner) => ordinal(inner),
        _ => None,
    }
}

/// What the result column at this place, from 1, gives; any codec column if that is not known.
fn result_at(results: &Columns, place: usize) -> Option<Value> {
    if !results.is_closed() {
        return results.codec().cloned().map(Value::Codec);
    }
    match results.0.get(place.checked_sub(1)?)? {
        Part::One(output) => Some(output.value.clone()),
        Part::Run(_) => None,
    }
}
