//! Views: what their columns give, by their definitions.

use std::sync::Arc;

use bytes::Bytes;

use super::columns::Columns;
use super::parsed;
use super::walk::Walk;
use crate::catalog::Table;
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
