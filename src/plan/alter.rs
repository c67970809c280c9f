//! ALTER TABLE and RENAME TABLE: columns keep their codecs, new ones are declared as in CREATE
//! TABLE, and what would leave rows without their values is refused.

use std::sync::Arc;

use super::ddl;
use super::declare::{Declaring, Present};
use super::statement::{CodecColumn, Statement, codecs};
use super::{Ddl, Declare, Plan};
use crate::catalog::{ColumnCodec, Table, TableKind};
use crate::codec::Addressing;
use crate::refusal::Refusal;
use crate::sql::alter_table::{self, Action};
use crate::sql::name::TableName;

/// What an ALTER TABLE changes, as it is at present.
#[derive(Debug, Clone)]
pub struct Altered {
    /// With all of its columns, whether it has codecs or not.
    pub table: Arc<Table>,
    /// Whether it has no rows.
    pub is_empty: bool,
}

/// The table of an ALTER TABLE whose present state should be known to plan it, if `tokens` are one.
pub(super) fn altered(statement: &Statement) -> Option<(String, String)> {
    let dialect = statement.context.dialect;
    let alter = alter_table::parse(statement.text, statement.tokens, dialect)?;
    let changes = |action: &Action| matches!(action, Action::Modify(_) | Action::Change { .. });
    if !alter.actions.iter().any(changes) {
        return None;
    }
    let schema = alter.table.schema.as_deref().or(statement.context.schema);
    Some((schema?.to_owned(), alter.table.table))
}

pub(super) fn plan(statement: Statement, named: Ddl, at: usize) -> Result<Plan, Refusal> {
    let dialect = statement.context.dialect;
    let Some(alter) = alter_table::parse(statement.text, statement.tokens, dialect) else {
        return not_understood(&statement, named, at);
    };
    let own_schema = statement.context.schema;
    let schema = alter.table.schema.as_deref().or(own_schema);
    let altering = Altering {
        statement: &statement,
        table: table(&statement, &alter.table),
        is_empty: (statement.context.altered).is_some_and(|altered| altered.is_empty),
        declaring: Declaring {
            statement: &statement,
            schema,
            table: &alter.table.table,
            temporary: false,
            filled: false,
        },
    };
    let mut declare = Declare {
        edits: Vec::new(),
        ddl: Ddl::default(),
    };
    let mut touched = vec![alter.table.clone()];
    let mut declared = Vec::new();
    for action in &alter.actions {
        altering.action(action, &mut declare, &mut declared)?;
        if let Action::RenameTo(name) = action {
            keeps_schema(&statement, &alter.table, name)?;
            touched.push(name.clone());
        }
    }
    let translated = altering.table.iter().flat_map(|table| {
        let columns = statement.translated(std::slice::from_ref(table));
        columns.into_iter().map(|column| column.name().to_owned())
    });
    let translated: Vec<String> = translated.collect();
    let codecs = declared.iter().chain(&translated);
    altering.declaring.uses_none(codecs.map(String::as_str))?;
    for name in touched {
        let schema = name.schema.or(own_schema.map(str::to_owned));
        declare
            .ddl
            .tables
            .extend(schema.map(|schema| (schema, name.table)));
    }
    match declare.edits.is_empty() {
        true => Ok(Plan::Ddl(declare.ddl)),
        false => Ok(Plan::Declare(declare)),
    }
}

/// The table as it is now, as far as that is known.
fn table(statement: &Statement, name: &TableName) -> Option<Arc<Table>> {
    let schema = name.schema.as_deref();
    let known = || statement.table(schema, &name.table).cloned();
    let table = statement
        .context
        .altered
        .map(|altered| altered.table.clone());
    table.or_else(known).filter(|t| t.kind == TableKind::Base)
}

struct Altering<'a> {
    statement: &'a Statement<'a>,
    table: Option<Arc<Table>>,
    is_empty: bool,
    declaring: Declaring<'a>,
}

impl Altering<'_> {
    /// One action: its edits, and the names of the codec columns that it declares.
    fn action(
        &self,
        action: &Action,
        declare: &mut Declare,
        declared: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        match action {
            Action::Add(columns) => {
                for column in columns {
                    let added = self.declaring.added(column)?;
                    declare.edits.extend(added.edits);
                    declared.extend(added.chain.map(|_| column.name.clone()));
                }
            }
            Action::Modify(column) => {
                let changed = self.declaring.changed(column, self.present(&column.name))?;
                declare.edits.extend(changed.edits);
                declared.extend(changed.chain.map(|_| column.name.clone()));
            }
            Action::Change { old, column } => {
                let changed = self.declaring.changed(column, self.present(old))?;
                declare.edits.extend(changed.edits);
                declared.extend(changed.chain.map(|_| column.name.clone()));
            }
            Action::SetDefault { column, default } => {
                let is_null = default.len() == 1 && self.statement.is_word(default.start, "NULL");
                if let Some(column) = self.codec(column).filter(|_| !is_null) {
                    let reason = "a codec column takes no default but NULL";
                    return Err(column.refuse(reason, "leave the default out"));
                }
            }
            Action::Drop(_)
            | Action::RenameColumn { .. }
            | Action::AlterColumn(_)
            | Action::RenameTo(_)
            | Action::Other => {}
        }
        Ok(())
    }

    fn present(&self, name: &str) -> Present<'_> {
        let column = self.table.as_ref().and_then(|table| {
            let at = table.column(name.as_bytes())?;
            table.columns.get(at)
        });
        Present {
            column,
            is_empty: self.is_empty,
        }
    }

    fn codec(&self, name: &str) -> Option<CodecColumn> {
        let table = self.table.clone()?;
        let column = table.column(name.as_bytes())?;
        let has_codec = table.columns[column].codec.is_some();
        has_codec.then_some(CodecColumn { table, column })
    }
}

/// An ALTER TABLE in an unknown grammar passes if it names no codec column and declares none.
fn not_understood(statement: &Statement, named: Ddl, at: usize) -> Result<Plan, Refusal> {
    let columns: Vec<CodecColumn> = statement.tables().iter().flat_map(codecs).collect();
    let name_end = ddl::path(statement, at).2;
    let reason = "codec-proxy does not understand this ALTER TABLE";
    if let Some(column) = statement.mention(name_end..statement.tokens.len(), &columns) {
        return Err(column.refuse(reason, "write it more plainly"));
    }
    match ddl::declared_comment(statement) {
        None => Ok(Plan::Ddl(named)),
        Some(spec) => {
            let (schema, table) = named.tables.first().cloned().unwrap_or_default();
            Err(Refusal::unsupported(
                &format!("{schema}.{table}"),
                &format!("{reason}, which declares {spec}"),
                "write it more plainly",
            ))
        }
    }
}

/// Refuses a RENAME TABLE by which objects would be out of their columns' reach.
pub(super) fn moves_none(statement: &Statement, from: usize) -> Result<(), Refusal> {
    let name = |at: usize| {
        let (schema, table, next) = ddl::path(statement, at);
        (TableName { schema, table }, next)
    };
    for at in (from..statement.tokens.len()).filter(|at| statement.is_word(*at, "TO")) {
        // Before it stands `a` or `d.a`, perhaps with `WAIT 5` after that.
        let start = (from..at).rev().find(|&at| {
            statement.is_symbol(at - 1, b',') || at == from || statement.is_word(at - 1, "EXISTS")
        });
        let (old, _) = name(start.unwrap_or(from));
        let (new, _) = name(at + 1);
        keeps_schema(statement, &old, &new)?;
    }
    Ok(())
}

/// Refuses to move a table whose objects lie in its schema's own part of a store.
fn keeps_schema(statement: &Statement, old: &TableName, new: &TableName) -> Result<(), Refusal> {
    let own = statement.context.schema;
    let (from, to) = (old.schema.as_deref().or(own), new.schema.as_deref().or(own));
    let fold =
        |schema: Option<&str>| schema.map(|s| statement.index.fold(s.as_bytes()).into_owned());
    let Some(table) = table(statement, old).filter(|_| fold(from) != fold(to)) else {
        return Ok(());
    };
    let bound =
        codecs(&table)
            .into_iter()
            .find(|column| match &table.columns[column.column].codec {
                Some(ColumnCodec::Chain(chain)) => {
                    chain.store.is_some() && chain.addressing() != Addressing::Reference
                }
                Some(ColumnCodec::Unusable { .. }) => true,
                None => false,
            });
    match bound {
        None => Ok(()),
        Some(column) => Err(column.refuse(
            "its objects belong to the table's present schema",
            "create the table in the new schema and copy its rows",
        )),
    }
}
