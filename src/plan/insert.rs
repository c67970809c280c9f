//! INSERT and REPLACE: which literal goes to which codec column.

use std::ops::Range;
use std::sync::Arc;

use super::copy;
use super::duplicate::Duplicate;
use super::select;
use super::statement::{CodecColumn, Statement, codecs, refuse_table, refuse_views};
use super::value::{self, LITERALLY, codec_column, needs_key, uses_key, why_key};
use super::{Cell, Copied, KeyPart, Plan, Read, RowKey, Write, lineage};
use crate::catalog::Table;
use crate::refusal::Refusal;
use crate::sql::insert::{self, Insert, Item, Source};

pub(super) fn plan(statement: Statement) -> Result<Plan, Refusal> {
    let tables = statement.tables();
    if tables.is_empty() {
        return Ok(Plan::Pass);
    }
    refuse_views(&tables)?;
    let Some(insert) = insert::parse(statement.text, statement.tokens) else {
        let reason = "codec-proxy does not understand this INSERT";
        return Err(match tables.iter().flat_map(codecs).next() {
            Some(column) => column.refuse(reason, LITERALLY),
            None => refuse_table(&tables[0], reason, LITERALLY),
        });
    };
    let target = statement.table(insert.table.schema.as_deref(), &insert.table.table);
    let filling = Filling {
        statement,
        insert: &insert,
        read: statement.translated(&tables),
        target: target.cloned(),
    };
    filling.plan()
}

/// One INSERT with what it may touch.
struct Filling<'a> {
    statement: Statement<'a>,
    insert: &'a Insert,
    /// All translated codec columns that the statement could read.
    read: Vec<CodecColumn>,
    /// The table that is written, if it has codec columns.
    target: Option<Arc<Table>>,
}

impl Filling<'_> {
    fn plan(&self) -> Result<Plan, Refusal> {
        let mut copied = Vec::new();
        let (mut cells, keys) = match &self.insert.source {
            Source::Query(tokens) => {
                let cells;
                (cells, copied) = self.query(tokens.clone())?;
                (cells, Vec::new())
            }
            _ => self.source()?,
        };
        let duplicate = Duplicate {
            statement: &self.statement,
            insert: self.insert,
            read: &self.read,
            target: self.target.as_ref(),
        };
        cells.extend(duplicate.cells()?);
        let mut returned = self.returned()?;
        let edits = returned
            .as_mut()
            .map(|read| std::mem::take(&mut read.edits));
        let edits = edits.unwrap_or_default();
        match cells.is_empty() && copied.is_empty() && returned.is_none() {
            false => Ok(Plan::Write(Write {
                cells,
                keys,
                copied,
                hashed: returned
                    .as_ref()
                    .map_or_else(Vec::new, |read| read.hashed.clone()),
                edits,
                returned,
                ..Write::default()
            })),
            true => Ok(Plan::Pass),
        }
    }

    fn source(&self) -> Result<(Vec<Cell>, Vec<RowKey>), Refusal> {
        match &self.insert.source {
            Source::Values { rows } => {
                let places = self.target.as_ref().map(|table| self.places(table));
                self.rows(rows, places.as_deref())
            }
            Source::Set(assignments) => {
                let place = |table: &Table, name: &str| table.column(name.as_bytes());
                let places = self.target.as_ref().map(|table| {
                    let names = assignments.iter().map(|a| &a.column.column);
                    names.map(|name| place(table, name)).collect::<Vec<_>>()
                });
                let row = assignments.iter().map(|a| a.value.clone()).collect();
                self.rows(&[row], places.as_deref())
            }
            Source::Query(_) => Ok(Default::default()),
        }
    }

    /// What RETURNING gives, unless the server's answer can be passed on.
    fn returned(&self) -> Result<Option<Read>, Refusal> {
        let tokens = self.insert.returning.clone();
        if tokens.is_empty() {
            return Ok(None);
        }
        let Some(table) = &self.target else {
            self.reads_none(tokens, "RETURNING would return what is stored")?;
            return Ok(None);
        };
        let name = &self.insert.table;
        let current = self.statement.context.schema.map(str::to_owned);
        let target = lineage::Target {
            name: name.table.clone(),
            schema: name.schema.clone().or(current),
            table: Some(table.clone()),
        };
        let lines = lineage::of_returning(self.statement, tokens, &target)?;
        Ok((!lines.is_plain()).then(|| lines.into_read()))
    }

    /// INSERT … SELECT.
    fn query(&self, tokens: Range<usize>) -> Result<(Vec<Cell>, Vec<Copied>), Refusal> {
        let query = self.statement.part(tokens);
        let (Some(table), Some(first)) = (&self.target, self.filled()) else {
            select::reads_none(query, "INSERT … SELECT")?;
            return Ok(Default::default());
        };
        let places = self.places(table);
        copy::plan(&query, table, &places, &first, &self.read)
    }

    /// The cells and keys of rows whose items go to the columns at these places of the target.
    fn rows(
        &self,
        rows: &[Vec<Item>],
        places: Option<&[Option<usize>]>,
    ) -> Result<(Vec<Cell>, Vec<RowKey>), Refusal> {
        let target = self.target.as_ref().zip(places);
        let mut cells = Vec::new();
        let mut keys = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let Some((table, places)) = &target else {
                self.row_reads_none(row)?;
                continue;
            };
            if !row.is_empty() && row.len() != places.len() {
                // What the server would say; only it must not get to count raw values.
                return Err(Refusal {
                    code: 1136,
                    sqlstate: "21S01",
                    message: format!(
                        "codec-proxy: Column count doesn't match value count at row {}",
                        number + 1
                    ),
                });
            }
            let first = cells.len();
            for (item, place) in row.iter().zip(*places) {
                match place.and_then(|place| codec_column(table, place)) {
                    Some(column) => cells.extend(value::cell(
                        &self.statement,
                        &column,
                        item,
                        number,
                        &self.read,
                    )?),
                    None => self.row_reads_none(std::slice::from_ref(item))?,
                }
            }
            let mut using = cells[first..].iter().map(|cell| cell.column);
            let using = using
                .clone()
                .find(|c| needs_key(table, *c))
                .or_else(|| using.find(|c| uses_key(table, *c)));
            if let Some(column) = using {
                keys.resize(rows.len(), RowKey::default());
                keys[number] = self.key(table, column, places, row)?;
            }
        }
        Ok((cells, keys))
    }

    fn row_reads_none(&self, items: &[Item]) -> Result<(), Refusal> {
        let reads_none =
            |item: &Item| self.reads_none(item.tokens.clone(), "VALUES would read what is stored");
        items.iter().try_for_each(reads_none)
    }

    /// The primary key of a row, for a codec column that names its objects by it; for one that
    /// only looks at it, as far as the row has it.
    fn key(
        &self,
        table: &Arc<Table>,
        codec: usize,
        places: &[Option<usize>],
        row: &[Item],
    ) -> Result<RowKey, Refusal> {
        let mut key = RowKey::default();
        for (place, column) in table.columns.iter().enumerate() {
            let Some(kind) = column.key else {
                continue;
            };
            let item = places.iter().position(|p| *p == Some(place));
            let item = item.and_then(|at| row.get(at));
            let is_left = item.is_none_or(|item| value::is_null(&self.statement, item));
            if is_left && !needs_key(table, codec) {
                continue;
            }
            let source = match item {
                Some(item) => value::key_source(&self.statement, item, kind, &self.read),
                None => Err("is not in the statement"),
            };
            let source = source.map_err(|problem| {
                let codec = CodecColumn {
                    table: table.clone(),
                    column: codec,
                };
                let name = &column.name;
                let reason = format!("{}, and {name} {problem}", why_key(&codec));
                codec.refuse(
                    &reason,
                    &format!("give {name} as a literal in INSERT … VALUES"),
                )
            })?;
            key.parts.push(KeyPart {
                name: column.name.clone(),
                kind,
                source,
            });
        }
        Ok(key)
    }

    /// For each item of a row the column that it goes to; `None` for a name that is none.
    fn places(&self, table: &Table) -> Vec<Option<usize>> {
        match &self.insert.columns {
            Some(names) => {
                let place = |name: &String| table.column(name.as_bytes());
                names.iter().map(place).collect()
            }
            None => {
                let visible = |i: &usize| !table.columns[*i].invisible;
                let all = (0..table.columns.len()).filter(visible);
                all.map(Some).collect()
            }
        }
    }

    /// The first codec column that the rows of the statement go to.
    fn filled(&self) -> Option<CodecColumn> {
        let table = self.target.as_ref()?;
        let places = self.places(table).into_iter().flatten();
        places.filter_map(|place| codec_column(table, place)).next()
    }

    /// Refuses an expression that reads a translated codec column.
    fn reads_none(&self, tokens: Range<usize>, reason: &str) -> Result<(), Refusal> {
        value::reads_none(&self.statement, tokens, &self.read, reason)
    }
}
