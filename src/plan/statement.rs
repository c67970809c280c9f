//! One statement with all that is needed to look into it.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::{Context, Plan, lineage};
use crate::catalog::{Index, Table, TableKind, same_name};
use crate::refusal::Refusal;
use crate::sql::insert::Item;
use crate::sql::lexer::{Token, TokenKind, name_text};
use crate::sql::name::{ColumnName, TableName};
use crate::view::View;

/// The way out that is always there.
const STORED: &str = "or use a listener with view = \"stored\"";

/// One statement of a text.
#[derive(Clone, Copy)]
pub(super) struct Statement<'a> {
    pub text: &'a Bytes,
    pub tokens: &'a [Token],
    pub context: &'a Context<'a>,
    pub index: &'a Index,
}

/// A codec column of a table.
#[derive(Debug, Clone)]
pub struct CodecColumn {
    /// The table.
    pub table: Arc<Table>,
    /// The column's position there.
    pub column: usize,
}

impl CodecColumn {
    /// The column's name.
    pub fn name(&self) -> &str {
        &self.table.columns[self.column].name
    }

    /// `schema.table.column`
    pub fn path(&self) -> String {
        self.table.column_path(self.column)
    }

    /// The refusal of a statement that touches this column.
    pub fn refuse(&self, reason: &str, way_out: &str) -> Refusal {
        Refusal::unsupported(&self.path(), reason, &format!("{way_out}, {STORED}"))
    }
}

/// The refusal of a statement that touches a table, where no column can be named.
pub(super) fn refuse_table(table: &Table, reason: &str, way_out: &str) -> Refusal {
    let path = format!("{}.{}", table.schema, table.name);
    Refusal::unsupported(&path, reason, &format!("{way_out}, {STORED}"))
}

impl<'a> Statement<'a> {
    /// The same statement without its first tokens.
    pub fn from(self, at: usize) -> Self {
        self.part(at..self.tokens.len())
    }

    /// A part of the statement as one of its own.
    pub fn part(self, range: Range<usize>) -> Self {
        let tokens = &self.tokens[range];
        Self { tokens, ..self }
    }

    pub fn is_word(&self, at: usize, keyword: &str) -> bool {
        let token = self.tokens.get(at);
        token.is_some_and(|t| t.is_word(self.text, keyword))
    }

    pub fn is_any_word(&self, at: usize, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is_word(at, keyword))
    }

    pub fn is_symbol(&self, at: usize, symbol: u8) -> bool {
        let token = self.tokens.get(at);
        token.is_some_and(|t| t.is_symbol(symbol))
    }

    pub fn is_name(&self, at: usize) -> bool {
        let token = self.tokens.get(at);
        token.is_some_and(|t| matches!(t.kind, TokenKind::Word | TokenKind::QuotedName))
    }

    /// The name at a token, without quotes; `None` if there is none.
    pub fn name(&self, at: usize) -> Option<Cow<'a, [u8]>> {
        let named = self.is_name(at);
        named.then(|| name_text(self.text, &self.tokens[at]))
    }

    /// The place in the text of the parameter of a prepared statement that an expression is, if
    /// it is nothing more.
    pub fn parameter(&self, item: &Item) -> Option<usize> {
        let mut tokens = &self.tokens[item.tokens.clone()];
        while let [open, inner @ .., close] = tokens
            && open.is_symbol(b'(')
            && close.is_symbol(b')')
        {
            tokens = inner;
        }
        match tokens {
            [only] if only.is_symbol(b'?') => Some(only.start),
            _ => None,
        }
    }

    /// The column's name at the end of `a`, `t.a` or `s.t.a`, and its table, if the tokens are no
    /// more than that.
    pub fn column_path(&self, tokens: Range<usize>) -> Option<ColumnName> {
        let text = |at: usize| Some(String::from_utf8_lossy(&self.name(at)?).into_owned());
        let dotted = |at: usize| self.is_symbol(at, b'.');
        let at = tokens.start;
        let (table, column) = match tokens.len() {
            1 => (None, text(at)?),
            3 if dotted(at + 1) => (Some((None, text(at)?)), text(at + 2)?),
            5 if dotted(at + 1) && dotted(at + 3) => {
                (Some((Some(text(at)?), text(at + 2)?)), text(at + 4)?)
            }
            _ => return None,
        };
        Some(ColumnName {
            table: table.map(|(schema, table)| TableName { schema, table }),
            column,
        })
    }

    /// The place of the first such keyword outside of parentheses.
    pub fn find_word(&self, from: usize, keywords: &[&str]) -> Option<usize> {
        let mut depth = 0_usize;
        (from..self.tokens.len()).find(|&at| {
            match self.tokens[at].kind {
                TokenKind::Symbol(b'(') => depth += 1,
                TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            // `t.update` is a name.
            depth == 0
                && self.is_any_word(at, keywords)
                && !(at > 0 && self.is_symbol(at - 1, b'.'))
        })
    }

    /// The codec tables, and views that show one, that the statement may name, each once; first
    /// those that stand where a table's name is likely.
    pub fn tables(&self) -> Vec<Arc<Table>> {
        self.tables_besides(&[])
    }

    /// As [`Self::tables`], for a statement in which some tokens are known to be columns.
    pub fn tables_besides(&self, columns: &[usize]) -> Vec<Arc<Table>> {
        const BEFORE: [&str; 7] = ["FROM", "JOIN", "INTO", "UPDATE", "TABLE", "OPEN", "HANDLER"];
        let mut tables: Vec<(bool, Arc<Table>)> = Vec::new();
        for at in 0..self.tokens.len() {
            let Some(name) = self.name(at).filter(|_| !columns.contains(&at)) else {
                continue;
            };
            if self.is_compared(at) {
                continue;
            }
            let qualifier = match at >= 1 && self.is_symbol(at - 1, b'.') {
                true => at.checked_sub(2).and_then(|at| self.name(at)),
                false => None,
            };
            let start = at - if qualifier.is_some() { 2 } else { 0 };
            let likely = start > 0 && self.is_any_word(start - 1, &BEFORE);
            for table in self.resolve(qualifier.as_deref(), &name) {
                match tables.iter_mut().find(|(_, t)| Arc::ptr_eq(t, table)) {
                    Some((known, _)) => *known |= likely,
                    None => tables.push((likely, table.clone())),
                }
            }
        }
        tables.sort_by_key(|(likely, _)| !likely);
        tables.into_iter().map(|(_, table)| table).collect()
    }

    /// Whether a comparison follows the name at a token: then it is a column. DataJoint calls
    /// tables and their keys alike, and restricts with (`session`=1).
    fn is_compared(&self, at: usize) -> bool {
        let symbols = [b'=', b'<', b'>', b'!'];
        symbols.iter().any(|s| self.is_symbol(at + 1, *s))
            || self.is_any_word(at + 1, &["IS", "BETWEEN"])
    }

    /// The codec tables of that name: in the given schema, else in the current one; in any, if
    /// there is none.
    pub fn resolve(
        &self,
        schema: Option<&[u8]>,
        name: &[u8],
    ) -> impl Iterator<Item = &'a Arc<Table>> {
        let index = self.index;
        let views = self.context.views;
        let current = self.context.schema.map(str::as_bytes);
        let schema = schema.or(current).map(|s| index.fold(s).into_owned());
        let found = index.tables_named(name).iter().filter(move |t| {
            let own = index.fold(t.schema.as_bytes());
            self.sees(t) && schema.as_deref().is_none_or(|schema| *own == *schema)
        });
        found.map(|table| {
            let mut views = views.iter();
            let known = views.find(|(view, _)| Arc::ptr_eq(view, table));
            known.map_or(table, |(_, shown)| shown)
        })
    }

    /// The codec table that a name in a table's place stands for.
    pub fn table(&self, schema: Option<&str>, name: &str) -> Option<&'a Arc<Table>> {
        self.resolve(schema.map(str::as_bytes), name.as_bytes())
            .next()
    }

    /// The codec columns of tables that the client sees translated.
    pub fn translated(&self, tables: &[Arc<Table>]) -> Vec<CodecColumn> {
        let view = self.context.view;
        let is_translated = |c: &CodecColumn| {
            let codec = c.table.columns[c.column].codec.as_ref();
            codec.is_some_and(|codec| view.translates(codec))
        };
        let columns = tables.iter().flat_map(codecs);
        columns.filter(is_translated).collect()
    }

    /// Whether the table concerns the client's view.
    pub fn sees(&self, table: &Table) -> bool {
        table.kind != TableKind::InlineView || self.context.view == View::Json
    }

    /// The first place in `range` where one of `columns` may be meant and more is asked of it
    /// than whether it is NULL.
    pub fn mention<'c>(
        &self,
        range: Range<usize>,
        columns: &'c [CodecColumn],
    ) -> Option<&'c CodecColumn> {
        range.into_iter().find_map(|at| {
            let column = self.column_at(at, columns)?;
            (!self.is_null_test(at)).then_some(column)
        })
    }

    /// The column that the name at a token may mean; a qualifier (`name.`) is none.
    pub fn column_at<'c>(&self, at: usize, columns: &'c [CodecColumn]) -> Option<&'c CodecColumn> {
        let name = self.name(at)?;
        let name = String::from_utf8_lossy(&name);
        let column = columns.iter().find(|c| same_name(c.name(), &name))?;
        (!self.is_symbol(at + 1, b'.')).then_some(column)
    }

    /// Whether the column named at a token stands alone under `IS [NOT] NULL`.
    fn is_null_test(&self, at: usize) -> bool {
        let is = self.is_word(at + 1, "IS");
        let null = self.is_word(at + 2, "NULL")
            || (self.is_word(at + 2, "NOT") && self.is_word(at + 3, "NULL"));
        if !is || !null {
            return false;
        }
        let mut start = at;
        while start >= 2 && self.is_symbol(start - 1, b'.') && self.is_name(start - 2) {
            start -= 2;
        }
        // Left of it something that binds less; `BETWEEN` takes an AND of its own.
        const LOOSE: [&str; 16] = [
            "WHERE",
            "ON",
            "HAVING",
            "AND",
            "OR",
            "NOT",
            "XOR",
            "SELECT",
            "WHEN",
            "THEN",
            "ELSE",
            "BY",
            "RETURNING",
            "DISTINCT",
            "ALL",
            "CASE",
        ];
        let before = start.checked_sub(1);
        let loose = before.is_some_and(|at| {
            self.is_any_word(at, &LOOSE) || self.is_symbol(at, b'(') || self.is_symbol(at, b',')
        });
        let between = (0..start).any(|at| self.is_word(at, "BETWEEN"));
        loose && !(between && before.is_some_and(|at| self.is_word(at, "AND")))
    }

    /// Whether some `*` may stand for a list of columns; `count(*)` and products are none.
    pub fn has_wildcard(&self, range: Range<usize>) -> bool {
        range.into_iter().any(|at| self.is_wildcard(at))
    }

    fn is_wildcard(&self, at: usize) -> bool {
        const BEFORE: [&str; 12] = [
            "SELECT",
            "DISTINCT",
            "ALL",
            "DISTINCTROW",
            "HIGH_PRIORITY",
            "STRAIGHT_JOIN",
            "SQL_SMALL_RESULT",
            "SQL_BIG_RESULT",
            "SQL_BUFFER_RESULT",
            "SQL_NO_CACHE",
            "SQL_CALC_FOUND_ROWS",
            "RETURNING",
        ];
        const AFTER: [&str; 13] = [
            "FROM",
            "INTO",
            "WHERE",
            "GROUP",
            "HAVING",
            "ORDER",
            "LIMIT",
            "UNION",
            "EXCEPT",
            "INTERSECT",
            "FOR",
            "LOCK",
            "PROCEDURE",
        ];
        if !self.is_symbol(at, b'*') {
            return false;
        }
        let before = at.checked_sub(1);
        let opens = before.is_none_or(|at| {
            self.is_symbol(at, b',') || self.is_symbol(at, b'.') || self.is_any_word(at, &BEFORE)
        });
        let after = at + 1;
        let closes = after == self.tokens.len()
            || self.is_symbol(after, b',')
            || self.is_symbol(after, b')')
            || self.is_any_word(after, &AFTER);
        let counted = before.is_some_and(|at| self.is_symbol(at, b'('));
        // EXISTS (SELECT * …) reads no column.
        let exists = at >= 3
            && self.is_word(at - 1, "SELECT")
            && self.is_symbol(at - 2, b'(')
            && self.is_word(at - 3, "EXISTS");
        (opens || closes) && !counted && !exists
    }
}

/// All codec columns of a table.
pub(super) fn codecs(table: &Arc<Table>) -> Vec<CodecColumn> {
    let column = |column| CodecColumn {
        table: table.clone(),
        column,
    };
    table.codecs().map(column).collect()
}

/// Plans a statement that writes, with views that can be written in place of the table that they
/// show.
pub(super) fn through_views(
    statement: Statement,
    plan: impl FnOnce(Statement) -> Result<Plan, Refusal>,
) -> Result<Plan, Refusal> {
    let tables = statement.tables().into_iter();
    let views = tables.filter(|table| table.kind != TableKind::Base);
    let views = views.filter_map(|view| {
        let shown = lineage::shown_table(&statement, &view)?;
        Some((view, shown))
    });
    let views: Vec<(Arc<Table>, Arc<Table>)> = views.collect();
    let context = Context {
        views: &views,
        ..*statement.context
    };
    plan(Statement {
        text: statement.text,
        tokens: statement.tokens,
        context: &context,
        index: statement.index,
    })
}

/// The refusal of a statement that uses a view which shows a translated codec column.
pub(super) fn refuse_views(tables: &[Arc<Table>]) -> Result<(), Refusal> {
    match tables.iter().find(|t| t.kind != TableKind::Base) {
        None => Ok(()),
        Some(view) => Err(refuse_table(
            view,
            "this view may show a codec column, and is more than some columns of one table",
            "use the table itself",
        )),
    }
}
