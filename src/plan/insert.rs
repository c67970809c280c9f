//! INSERT and REPLACE: which literal goes to which codec column.

use std::sync::Arc;

use super::select;
use super::statement::{CodecColumn, Statement, codecs, refuse_table, refuse_views};
use super::{Cell, KeyPart, Plan, RowKey, Source, Write, key};
use crate::catalog::{ColumnCodec, Table};
use crate::refusal::Refusal;
use crate::sql::insert::{self, Assignment, Insert, Item};
use crate::sql::literal::Literal;
use crate::sql::name::ColumnName;

const LITERALLY: &str = "write the value as a literal in INSERT … VALUES";

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
        let (mut cells, keys) = self.source()?;
        for assignment in &self.insert.on_duplicate {
            cells.extend(self.on_duplicate(assignment)?);
        }
        let returning = self.insert.returning.clone();
        if let Some(column) = self.target_translated().first()
            && self.statement.has_wildcard(returning.clone())
        {
            return Err(column.refuse(
                "RETURNING * would return what is stored",
                "name the columns",
            ));
        }
        self.reads_none(returning, "RETURNING would return what is stored")?;
        match cells.is_empty() {
            false => Ok(Plan::Write(Write { cells, keys })),
            true => Ok(Plan::Pass),
        }
    }

    fn source(&self) -> Result<(Vec<Cell>, Vec<RowKey>), Refusal> {
        match &self.insert.source {
            insert::Source::Values { rows } => self.rows(rows),
            insert::Source::Set(assignments) => {
                for assignment in assignments {
                    if let Some(column) = self.assigned(&assignment.column)
                        && !self.is_null(&assignment.value)
                    {
                        let reason = "codec-proxy does not translate INSERT … SET yet";
                        return Err(column.refuse(reason, LITERALLY));
                    }
                    self.reads_none(
                        assignment.value.tokens.clone(),
                        "SET would read what is stored",
                    )?;
                }
                Ok(Default::default())
            }
            insert::Source::Query(tokens) => {
                if let Some(column) = self.filled() {
                    let reason = "codec-proxy does not translate INSERT … SELECT yet";
                    return Err(column.refuse(reason, LITERALLY));
                }
                select::reads_none(self.statement.part(tokens.clone()), "INSERT … SELECT")?;
                Ok(Default::default())
            }
        }
    }

    fn rows(&self, rows: &[Vec<Item>]) -> Result<(Vec<Cell>, Vec<RowKey>), Refusal> {
        let target = self.target.as_ref();
        let target = target.map(|table| (table, self.places(table)));
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
            for (item, place) in row.iter().zip(places) {
                match place.and_then(|place| codec_column(table, place)) {
                    Some(column) => cells.extend(self.value(&column, item, number)?),
                    None => self.row_reads_none(std::slice::from_ref(item))?,
                }
            }
            let needing = cells[first..]
                .iter()
                .find(|cell| needs_key(table, cell.column));
            if let Some(cell) = needing {
                keys.resize(rows.len(), RowKey::default());
                keys[number] = self.key(table, cell.column, places, row)?;
            }
        }
        Ok((cells, keys))
    }

    fn row_reads_none(&self, items: &[Item]) -> Result<(), Refusal> {
        let reads_none =
            |item: &Item| self.reads_none(item.tokens.clone(), "VALUES would read what is stored");
        items.iter().try_for_each(reads_none)
    }

    /// The primary key of a row, for a codec column that names its objects by it.
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
            let source = match item.and_then(|at| row.get(at)) {
                Some(item) => key::source(&self.statement, item, kind),
                None => Err("is not in the statement"),
            };
            let source = source.map_err(|problem| {
                let codec = CodecColumn {
                    table: table.clone(),
                    column: codec,
                };
                let name = &column.name;
                let reason =
                    format!("its objects are named by the primary key, and {name} {problem}");
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

    /// The cell of a value for a codec column; none for NULL and DEFAULT.
    fn value(
        &self,
        column: &CodecColumn,
        item: &Item,
        row: usize,
    ) -> Result<Option<Cell>, Refusal> {
        if self.is_null(item) {
            return Ok(None);
        }
        if let Some(ColumnCodec::Unusable { spec, reason }) =
            &column.table.columns[column.column].codec
        {
            let reason = format!("its type is {spec} and {reason}");
            return Err(column.refuse(&reason, "leave it out of the statement"));
        }
        let tokens = &self.statement.tokens[item.tokens.clone()];
        let dialect = self.statement.context.dialect;
        let literal = || Literal::parse(self.statement.text, tokens, dialect);
        let source = match self.statement.parameter(item) {
            Some(place) => Some(Source::Parameter(place)),
            None => literal().map(Source::Literal),
        };
        match source {
            Some(source) => Ok(Some(Cell {
                span: item.span.clone(),
                table: column.table.clone(),
                column: column.column,
                source,
                row,
            })),
            None => {
                let reason = "its value is not a string or hexadecimal literal";
                Err(column.refuse(reason, LITERALLY))
            }
        }
    }

    /// `NULL` or `DEFAULT`, which mean the same to every codec.
    fn is_null(&self, item: &Item) -> bool {
        let at = item.tokens.start;
        item.tokens.len() == 1 && self.statement.is_any_word(at, &["NULL", "DEFAULT", "\\N"])
    }

    fn on_duplicate(&self, assignment: &Assignment) -> Result<Option<Cell>, Refusal> {
        let Assignment { column, value } = assignment;
        let Some(assigned) = self.assigned(column) else {
            self.reads_none(
                value.tokens.clone(),
                "ON DUPLICATE KEY UPDATE would read what is stored",
            )?;
            return Ok(None);
        };
        let same = match self.is_values(value) {
            Some(name) => self.is_column(&name, &assigned),
            None => self.is_itself(value, &assigned),
        };
        match same {
            true => Ok(None),
            false if !self.is_null(value) && needs_key(&assigned.table, assigned.column) => {
                Err(assigned.refuse(
                    "ON DUPLICATE KEY UPDATE gives it a value for any row, and its objects are \
                     named by the primary key of one",
                    "write VALUES of itself there",
                ))
            }
            false => self.value(&assigned, value, 0).map_err(|_| {
                assigned.refuse(
                    "ON DUPLICATE KEY UPDATE gives it something else than a literal, NULL, \
                     DEFAULT, itself or VALUES of itself",
                    LITERALLY,
                )
            }),
        }
    }

    /// The name in `VALUES(name)` or MariaDB's `VALUE(name)`.
    fn is_values(&self, item: &Item) -> Option<String> {
        let at = item.tokens.start;
        let s = &self.statement;
        let is = s.is_any_word(at, &["VALUES", "VALUE"]) && s.is_symbol(at + 1, b'(');
        let end = item.tokens.end.checked_sub(1)?;
        if !is || !s.is_symbol(end, b')') {
            return None;
        }
        let name = last_of_path(s, at + 2, end)?;
        s.name(name)
            .map(|n| String::from_utf8_lossy(&n).into_owned())
    }

    fn is_itself(&self, item: &Item, column: &CodecColumn) -> bool {
        let s = &self.statement;
        let at = last_of_path(s, item.tokens.start, item.tokens.end);
        let name = at.and_then(|at| s.name(at));
        name.is_some_and(|n| self.is_column(&String::from_utf8_lossy(&n), column))
            // A qualifier could be the new row's alias, or another table's.
            && self.insert.row_alias.is_none()
    }

    fn is_column(&self, name: &str, column: &CodecColumn) -> bool {
        column.table.column(name.as_bytes()) == Some(column.column)
    }

    /// The codec column of the target that an assignment writes.
    fn assigned(&self, name: &ColumnName) -> Option<CodecColumn> {
        let table = self.target.as_ref()?;
        codec_column(table, table.column(name.column.as_bytes())?)
    }

    fn target_translated(&self) -> Vec<CodecColumn> {
        self.statement.translated(self.target.as_slice())
    }

    /// Refuses an expression that reads a translated codec column.
    fn reads_none(&self, tokens: std::ops::Range<usize>, reason: &str) -> Result<(), Refusal> {
        let s = &self.statement;
        if let Some(column) = s.mention(tokens.clone(), &self.read) {
            return Err(column.refuse(reason, LITERALLY));
        }
        // A subquery could read one without naming it.
        let hidden = tokens
            .clone()
            .any(|at| s.is_any_word(at, &["NATURAL", "TABLE"]));
        match self.read.first() {
            Some(column) if s.has_wildcard(tokens) || hidden => {
                Err(column.refuse(reason, LITERALLY))
            }
            _ => Ok(()),
        }
    }
}

fn codec_column(table: &Arc<Table>, column: usize) -> Option<CodecColumn> {
    table.columns[column].codec.as_ref()?;
    Some(CodecColumn {
        table: table.clone(),
        column,
    })
}

/// Whether values of a column can only be written with the primary key of their row.
fn needs_key(table: &Table, column: usize) -> bool {
    let codec = table.columns[column].codec.as_ref();
    matches!(codec, Some(ColumnCodec::Chain(chain)) if chain.needs_key())
}

/// The last token of `a`, `t.a` or `s.t.a`, if the tokens are no more than that.
fn last_of_path(statement: &Statement, mut at: usize, end: usize) -> Option<usize> {
    while at + 2 < end && statement.is_name(at) && statement.is_symbol(at + 1, b'.') {
        at += 2;
    }
    (at + 1 == end && statement.is_name(at)).then_some(at)
}
