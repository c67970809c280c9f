//! Expressions: which of them hand on what is stored in a codec column, and which use it.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Query, Value as Given, Visit, Visitor, WindowSpec, WindowType,
};

use super::columns::{Columns, Part, Value};
use super::scope::Scope;
use super::walk::{Walk, name_parts};

impl Walk<'_> {
    /// What an expression gives whose value is used.
    pub fn use_of(&mut self, expr: &Expr, scope: &Scope) {
        // Chains of AND and OR lie to the left, as long as the client likes.
        let mut expr = expr;
        while let Expr::BinaryOp { left, op, right } = expr {
            if is_equality(op) {
                break;
            }
            self.use_of_one(right, scope);
            expr = left;
        }
        self.use_of_one(expr, scope);
    }

    fn use_of_one(&mut self, expr: &Expr, scope: &Scope) {
        let value = self.value_of(expr, scope);
        self.used(&value);
    }

    /// What an expression gives.
    pub fn value_of(&mut self, expr: &Expr, scope: &Scope) -> Value {
        self.deeper(Value::Plain, |walk| walk.value(expr, scope))
    }

    fn value(&mut self, expr: &Expr, scope: &Scope) -> Value {
        match expr {
            Expr::Identifier(name) => self.column(std::slice::from_ref(name), scope),
            Expr::CompoundIdentifier(names) => self.column(names, scope),
            Expr::Nested(inner) => self.value_of(inner, scope),
            Expr::Value(value) => match value.value {
                Given::Null => Value::Null,
                _ => Value::Plain,
            },
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
                self.value_of(inner, scope);
                Value::Plain
            }
            Expr::Subquery(query) => {
                let columns = self.query(query, Some(scope));
                self.only_column(columns)
            }
            Expr::Exists { subquery, .. } => {
                self.query(subquery, Some(scope));
                Value::Plain
            }
            Expr::InSubquery { expr, subquery, .. } => {
                self.use_of(expr, scope);
                let columns = self.query(subquery, Some(scope));
                self.use_columns(&columns);
                Value::Plain
            }
            Expr::InList { expr, list, .. } => {
                self.compare(std::iter::once(&**expr).chain(list), scope);
                Value::Plain
            }
            Expr::BinaryOp { left, op, right } if is_equality(op) => {
                self.compare([&**left, &**right], scope);
                Value::Plain
            }
            Expr::BinaryOp { .. } => {
                self.use_of(expr, scope);
                Value::Plain
            }
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => {
                for expr in operand.iter().map(|o| &**o) {
                    self.use_of(expr, scope);
                }
                for when in conditions {
                    self.use_of(&when.condition, scope);
                }
                let results = conditions.iter().map(|when| &when.result);
                let results = results.chain(else_result.as_deref());
                self.any_of(results, scope)
            }
            Expr::Function(function) => self.function(function, expr, scope),
            _ => {
                self.opaque(expr, scope);
                Value::Plain
            }
        }
    }

    /// What one of several expressions gives, whichever.
    fn any_of<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>, scope: &Scope) -> Value {
        let values: Vec<Value> = exprs.into_iter().map(|e| self.value_of(e, scope)).collect();
        self.one_of(values)
    }

    fn only_column(&mut self, columns: Columns) -> Value {
        match <[Part; 1]>::try_from(columns.0) {
            Ok([Part::One(output)]) => output.value,
            Ok([run]) => {
                self.use_columns(&Columns(vec![run]));
                Value::Plain
            }
            Err(parts) => {
                self.use_columns(&Columns(parts));
                Value::Plain
            }
        }
    }

    fn use_columns(&mut self, columns: &Columns) {
        if let Some(column) = columns.codec() {
            self.used(&Value::Codec(column.clone()));
        }
    }

    fn function(&mut self, function: &Function, expr: &Expr, scope: &Scope) -> Value {
        self.explain_object(&function.name);
        let Some((args, distinct)) = arguments(function) else {
            self.opaque(expr, scope);
            return Value::Plain;
        };
        match &function.over {
            None => {}
            Some(WindowType::WindowSpec(spec)) => self.window(spec, scope),
            Some(WindowType::NamedWindow(name)) => self.explain([name]),
        }
        let [name] = name_parts(&function.name)[..] else {
            args.iter().for_each(|arg| self.use_of(arg, scope));
            return Value::Plain;
        };
        let windowed = function.over.is_some();
        match (name.to_ascii_uppercase().as_str(), args.as_slice()) {
            ("IFNULL" | "NVL" | "COALESCE", args) if !args.is_empty() => {
                self.any_of(args.iter().copied(), scope)
            }
            ("IF", [condition, yes, no]) => {
                self.use_of(condition, scope);
                self.any_of([*yes, *no], scope)
            }
            ("NVL2", [tested, yes, no]) => {
                self.value_of(tested, scope);
                self.any_of([*yes, *no], scope)
            }
            ("ISNULL", [tested]) => {
                self.value_of(tested, scope);
                Value::Plain
            }
            ("ANY_VALUE", [value]) => self.value_of(value, scope),
            ("FIRST_VALUE" | "LAST_VALUE", [value]) if windowed => self.value_of(value, scope),
            ("NTH_VALUE", [value, place]) if windowed => {
                self.use_of(place, scope);
                self.value_of(value, scope)
            }
            ("LAG" | "LEAD", [value, rest @ ..]) if windowed => {
                let mut values = vec![*value];
                if let [distance, other @ ..] = rest {
                    self.use_of(distance, scope);
                    values.extend(other);
                }
                self.any_of(values, scope)
            }
            ("COUNT", args) => {
                for arg in args {
                    let value = self.value_of(arg, scope);
                    if distinct && !self.is_by_hash(&value, arg) {
                        self.used(&value);
                    }
                }
                Value::Plain
            }
            ("LENGTH" | "OCTET_LENGTH", [arg]) => {
                let value = self.value_of(arg, scope);
                if !self.length_by_pointer(&value, function, arg) {
                    self.used(&value);
                }
                Value::Plain
            }
            ("MD5", [arg]) => {
                let value = self.value_of(arg, scope);
                if !self.md5_by_pointer(&value, function, arg) {
                    self.used(&value);
                }
                Value::Plain
            }
            ("MIN" | "MAX", [arg]) => {
                let value = self.value_of(arg, scope);
                // Of one value it is that value; any more are not in their own order.
                if let Value::Codec(column) = &value
                    && (windowed || !is_alone_in_group(arg, scope))
                {
                    let reason = "its order is that of what is stored and not of the values";
                    let way_out = "group by all of the primary key, so that there is one value";
                    self.touch_but(column, reason, way_out);
                }
                value
            }
            (_, args) => {
                args.iter().for_each(|arg| self.use_of(arg, scope));
                Value::Plain
            }
        }
    }

    pub fn window(&mut self, spec: &WindowSpec, scope: &Scope) {
        if let Some(name) = &spec.window_name {
            self.explain([name]);
        }
        let sorted = spec.order_by.iter().map(|o| &o.expr);
        for expr in spec.partition_by.iter().chain(sorted) {
            self.use_of(expr, scope);
        }
    }

    /// An expression that uses whatever is in it.
    fn opaque(&mut self, expr: &Expr, scope: &Scope) {
        let mut inside = Inside {
            walk: self,
            scope,
            around: expr,
            entered: None,
            queries: 0,
        };
        let _ = expr.visit(&mut inside);
    }
}

/// The expressions and queries right inside of another expression.
struct Inside<'w, 'a, 's, 'e> {
    walk: &'w mut Walk<'a>,
    scope: &'s Scope<'s>,
    around: &'e Expr,
    /// The expression that the walk has been through.
    entered: Option<*const Expr>,
    queries: usize,
}

impl Visitor for Inside<'_, '_, '_, '_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let is_inside = self.entered.is_none() && self.queries == 0;
        if is_inside && !std::ptr::eq(expr, self.around) {
            self.walk.use_of(expr, self.scope);
            self.entered = Some(expr);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if self
            .entered
            .is_some_and(|entered| std::ptr::eq(entered, expr))
        {
            self.entered = None;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if self.entered.is_none() && self.queries == 0 {
            let columns = self.walk.query(query, Some(self.scope));
            self.walk.use_columns(&columns);
        }
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }
}

/// Whether an expression is the name of a column that has one value in each group of rows.
fn is_alone_in_group(expr: &Expr, scope: &Scope) -> bool {
    match expr {
        Expr::Identifier(name) => scope.has_one_value(&[&name.value]),
        Expr::CompoundIdentifier(names) => {
            let names: Vec<&str> = names.iter().map(|n| n.value.as_str()).collect();
            scope.has_one_value(&names)
        }
        Expr::Nested(inner) => is_alone_in_group(inner, scope),
        _ => false,
    }
}

/// The arguments of a function, and whether they follow DISTINCT; `None` if there is more to it.
fn arguments(function: &Function) -> Option<(Vec<&Expr>, bool)> {
    let is_more = !matches!(function.parameters, FunctionArguments::None)
        || !function.within_group.is_empty()
        || function.filter.is_some();
    let FunctionArguments::List(list) = &function.args else {
        return (matches!(function.args, FunctionArguments::None) && !is_more)
            .then(|| (Vec::new(), false));
    };
    if is_more || !list.clauses.is_empty() {
        return None;
    }
    let plain = |arg: &FunctionArg| {
        matches!(
            arg,
            FunctionArg::Unnamed(FunctionArgExpr::Expr(_) | FunctionArgExpr::Wildcard)
        )
    };
    if !list.args.iter().all(plain) {
        return None;
    }
    let exprs = list.args.iter().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    let distinct = matches!(list.duplicate_treatment, Some(DuplicateTreatment::Distinct));
    Some((exprs.collect(), distinct))
}

/// Whether an operator tells equal values from others, no more.
fn is_equality(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Eq | BinaryOperator::NotEq | BinaryOperator::Spaceship
    )
}
