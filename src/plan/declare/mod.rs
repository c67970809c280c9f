//! CREATE TABLE: columns that a client declares with `<codec@store>` in their comment, or whose
//! plain type the configuration makes a codec's, become what DataJoint 2.x declares for that
//! type.

mod column;

pub(super) use column::{Declaring, Present};

use super::ddl;
use super::statement::{CodecColumn, Statement};
use super::{Ddl, Declare, Plan};
use crate::refusal::Refusal;
use crate::sql::create_table;

pub(super) fn plan(statement: Statement, ddl: Ddl) -> Result<Plan, Refusal> {
    let dialect = statement.context.dialect;
    let Some(create) = create_table::parse(statement.text, statement.tokens, dialect) else {
        return not_understood(&statement, ddl);
    };
    let schema = create.table.schema.as_deref().or(statement.context.schema);
    if create.temporary {
        ddl::hides(&statement, schema, &create.table.table)?;
        if let Some(column) = like_codecs(&statement, create.like) {
            let reason = "a temporary table cannot hold it";
            return Err(column.refuse(reason, "make a table that is not temporary"));
        }
    }
    if create.select && !statement.tables().is_empty() {
        // The query's first token is a word outside of the columns' parentheses, or in its own.
        ddl_query(&statement)?;
    }
    let declaring = Declaring {
        statement: &statement,
        schema,
        table: &create.table.table,
        temporary: create.temporary,
        // A query would fill the columns behind the codec's back.
        filled: create.select,
    };
    let mut edits = Vec::new();
    let mut codecs = Vec::new();
    for column in &create.columns {
        let declared = declaring.added(column)?;
        edits.extend(declared.edits);
        codecs.extend(declared.chain.map(|_| column.name.as_str()));
    }
    declaring.uses_none(codecs)?;
    match edits.is_empty() {
        true => Ok(Plan::Ddl(ddl)),
        false => Ok(Plan::Declare(Declare { edits, ddl })),
    }
}

/// A codec column that `LIKE` would give to a new table.
fn like_codecs(statement: &Statement, like: bool) -> Option<CodecColumn> {
    let tables = like.then(|| statement.tables()).unwrap_or_default();
    statement.translated(&tables).into_iter().next()
}

/// A CREATE TABLE in an unknown grammar passes if it declares no codec and copies none.
fn not_understood(statement: &Statement, ddl: Ddl) -> Result<Plan, Refusal> {
    let (schema, table) = ddl.tables.first().cloned().unwrap_or_default();
    let reason = "codec-proxy does not understand this CREATE TABLE";
    match ddl::declared_comment(statement) {
        Some(spec) => Err(Refusal::unsupported(
            &format!("{schema}.{table}"),
            &format!("{reason}, which declares {spec}"),
            "write it more plainly",
        )),
        None => {
            ddl_query(statement)?;
            Ok(Plan::Ddl(ddl))
        }
    }
}

fn ddl_query(statement: &Statement) -> Result<(), Refusal> {
    let query = (0..statement.tokens.len())
        .find(|&at| statement.is_any_word(at, &["SELECT", "WITH", "VALUES"]));
    match query {
        Some(at) => ddl::copies_none(statement.from(at)),
        None => Ok(()),
    }
}
