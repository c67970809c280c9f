//! ON DUPLICATE KEY UPDATE: what it gives to codec columns.
//!
//! Its values may go to any row, so a codec that names objects by the primary key takes none
//! from there, but those that the row itself has: `VALUES(data)`, or `new.data` of a row alias.

use std::sync::Arc;

use super::Cell;
use super::statement::{CodecColumn, Statement};
use super::value::{self, LITERALLY, codec_column, is_alike, is_null, uses_key, why_key};
use crate::catalog::{Table, same_name};
use crate::refusal::Refusal;
use crate::sql::insert::{Assignment, Insert, Item, Source};
use crate::sql::name::ColumnName;

/// The clause of one INSERT.
pub(super) struct Duplicate<'a> {
    pub statement: &'a Statement<'a>,
    pub insert: &'a Insert,
    /// All translated codec columns that the statement could read.
    pub read: &'a [CodecColumn],
    /// The table that is written, if it has codec columns.
    pub target: Option<&'a Arc<Table>>,
}

impl Duplicate<'_> {
    /// The values that are to be encoded.
    pub fn cells(&self) -> Result<Vec<Cell>, Refusal> {
        let mut cells = Vec::new();
        for assignment in &self.insert.on_duplicate {
            cells.extend(self.cell(assignment)?);
        }
        Ok(cells)
    }

    fn cell(&self, Assignment { column, value }: &Assignment) -> Result<Option<Cell>, Refusal> {
        let Some(assigned) = self.codec_column(&column.column) else {
            let reason = "ON DUPLICATE KEY UPDATE would read what is stored";
            if let Some(aliased) = self.aliased(value) {
                return Err(aliased.refuse(reason, LITERALLY));
            }
            let tokens = value.tokens.clone();
            value::reads_none(self.statement, tokens, self.read, reason)?;
            return Ok(None);
        };
        if is_null(self.statement, value) {
            return Ok(None);
        }
        if let Some(from) = self.stored_column(value) {
            return match is_alike(self.statement, &from, &assigned) {
                true => Ok(None),
                false => Err(assigned.refuse(
                    "ON DUPLICATE KEY UPDATE gives it what another codec has stored",
                    LITERALLY,
                )),
            };
        }
        if uses_key(&assigned.table, assigned.column) {
            let reason = format!(
                "ON DUPLICATE KEY UPDATE gives it a value for any row, and {} of one",
                why_key(&assigned)
            );
            return Err(assigned.refuse(&reason, "write VALUES of itself there"));
        }
        value::cell(self.statement, &assigned, value, 0, self.read)
    }

    /// The column of the row, old or new, that an expression is, if it is nothing more: what it
    /// holds is what is stored.
    fn stored_column(&self, item: &Item) -> Option<CodecColumn> {
        let s = self.statement;
        let (start, end) = (item.tokens.start, item.tokens.end);
        let of_values = s.is_any_word(start, &["VALUES", "VALUE"])
            && s.is_symbol(start + 1, b'(')
            && s.is_symbol(end - 1, b')');
        if of_values {
            let inside = s.column_path(start + 2..end - 1)?;
            return self.codec_column(&inside.column);
        }
        let path = s.column_path(item.tokens.clone())?;
        if let Some(column) = self.of_alias(&path) {
            return Some(column);
        }
        // In INSERT … SELECT another table may be meant.
        let own = match (&self.insert.source, &path.table) {
            (Source::Query(_), None) => false,
            (Source::Query(_), Some(table)) => {
                let fold = |name: &str| s.index.fold(name.as_bytes()).into_owned();
                fold(&table.table) == fold(&self.insert.table.table)
            }
            _ => true,
        };
        own.then(|| self.codec_column(&path.column))?
    }

    /// The column that the row alias gives another name.
    fn of_alias(&self, path: &ColumnName) -> Option<CodecColumn> {
        let alias = self.insert.row_alias.as_ref()?;
        let names = alias.columns.as_ref()?;
        if let Some(table) = &path.table
            && (table.schema.is_some() || !same_name(&table.table, &alias.name))
        {
            return None;
        }
        let at = names
            .iter()
            .position(|name| same_name(name, &path.column))?;
        self.inserted(at)
    }

    /// A codec column whose other name by the row alias is part of an expression.
    fn aliased(&self, item: &Item) -> Option<CodecColumn> {
        let names = self.insert.row_alias.as_ref()?.columns.as_ref()?;
        let mut codecs = (0..names.len()).filter_map(|at| Some((at, self.inserted(at)?)));
        let found = codecs.find(|(at, _)| {
            item.tokens.clone().any(|token| {
                let name = self.statement.name(token);
                name.is_some_and(|n| same_name(&String::from_utf8_lossy(&n), &names[*at]))
            })
        });
        found.map(|(_, column)| column)
    }

    /// The codec column that the value at this place of a row goes to, if the client sees it
    /// translated or writes it through a codec.
    fn inserted(&self, at: usize) -> Option<CodecColumn> {
        let table = self.target?;
        let place = match &self.insert.columns {
            Some(names) => table.column(names.get(at)?.as_bytes())?,
            None => {
                let mut visible = (0..table.columns.len()).filter(|i| !table.columns[*i].invisible);
                visible.nth(at)?
            }
        };
        codec_column(table, place)
    }

    /// The codec column of the target of that name.
    fn codec_column(&self, name: &str) -> Option<CodecColumn> {
        let table = self.target?;
        codec_column(table, table.column(name.as_bytes())?)
    }
}
