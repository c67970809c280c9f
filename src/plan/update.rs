//! UPDATE: which value goes to which codec column.

use std::ops::Range;

use super::change::{assigned, uses_none};
use super::statement::{CodecColumn, Statement, codecs, refuse_views};
use super::value::{self, codec_column, is_alike, is_null, uses_key, why_key};
use super::{Cell, Edit, KeyPart, Lookup, Plan, RowKey, Write, lineage};
use crate::catalog::{KeyType, same_name};
use crate::refusal::Refusal;
use crate::sql::insert::{Assignment, Item};
use crate::sql::name::TableName;
use crate::sql::update::{self, Update};

const INSERT: &str = "write it with INSERT … VALUES or REPLACE";
const USED: &str = "UPDATE would use what is stored";

/// An UPDATE passes if it gives codec columns nothing but NULL, DEFAULT or what is stored in
/// such a column already; other values are encoded. In WHERE, hash-addressed columns are compared
/// by their hashes.
pub(super) fn plan(statement: Statement) -> Result<Plan, Refusal> {
    let set = statement.find_word(1, &["SET"]).unwrap_or(0);
    let end = statement.find_word(set, &["WHERE", "ORDER", "LIMIT", "RETURNING"]);
    let end = end.unwrap_or(statement.tokens.len());
    let places = assigned(&statement, set + 1, end);
    let tables = statement.tables_besides(&places);
    refuse_views(&tables)?;
    let columns: Vec<CodecColumn> = tables.iter().flat_map(codecs).collect();
    let read = statement.translated(&tables);
    let mut edits = Vec::new();
    let mut hashed = Vec::new();
    let written = places
        .iter()
        .find_map(|at| statement.column_at(*at, &columns));
    let mut setting = Setting {
        statement: &statement,
        read: &read,
        cells: Vec::new(),
        done: Vec::new(),
        keyed: None,
    };
    let mut keys = Vec::new();
    let mut lookup = None;
    match (written, update::parse(statement.text, statement.tokens)) {
        (Some(column), None) => {
            return Err(column.refuse("codec-proxy does not understand this UPDATE", INSERT));
        }
        (None, None) => {}
        (_, Some(update)) => {
            for assignment in &update.assignments {
                setting.assignment(&update, assignment)?;
            }
            if let Some(tokens) = &update.condition
                && update.all == update.tables.len()
            {
                let compared = compared(statement, &update, tokens.clone())?;
                setting.done.push(tokens.clone());
                (edits, hashed) = compared;
            }
            if let Some(column) = setting.keyed.take() {
                match setting.key(&update, &column) {
                    Ok(key) => keys.push(key),
                    Err(refusal) => {
                        let found = setting.lookup(&update, &column, &edits);
                        lookup = Some(found.ok_or(refusal)?);
                    }
                }
            }
        }
    }
    let Setting { cells, done, .. } = setting;
    uses_nothing_else(&statement, &read, done)?;
    Ok(
        match cells.is_empty() && edits.is_empty() && hashed.is_empty() {
            true => Plan::Pass,
            false => Plan::Write(Write {
                cells,
                keys,
                lookup,
                edits,
                hashed,
                ..Write::default()
            }),
        },
    )
}

/// What is to be edited in WHERE, so that values are compared by their hashes, and the `?` there.
fn compared(
    statement: Statement,
    update: &Update,
    tokens: Range<usize>,
) -> Result<(Vec<Edit>, Vec<usize>), Refusal> {
    let target = |target: &update::Target| {
        let schema = target.table.schema.as_deref();
        let current = statement.context.schema;
        let is_alone = target.alias.is_none();
        lineage::Target {
            name: target.alias.clone().unwrap_or(target.table.table.clone()),
            schema: schema.or(current).filter(|_| is_alone).map(str::to_owned),
            table: statement.table(schema, &target.table.table).cloned(),
        }
    };
    let targets: Vec<_> = update.tables.iter().map(target).collect();
    lineage::of_condition(statement, tokens, &targets)
}

/// Refuses another use of a translated column than in these ranges of tokens.
fn uses_nothing_else(
    statement: &Statement,
    read: &[CodecColumn],
    done: Vec<Range<usize>>,
) -> Result<(), Refusal> {
    let all = 0..statement.tokens.len();
    let mut from = 0;
    let end = std::iter::once(all.end..all.end);
    for done in done.into_iter().chain(end) {
        uses_none(statement, from..done.start, read, USED)?;
        if let Some(column) = read.first()
            && statement.has_wildcard(from..done.start)
        {
            return Err(column.refuse(USED, "name the columns"));
        }
        from = done.end;
    }
    Ok(())
}

/// The assignments of one UPDATE to codec columns.
struct Setting<'a> {
    statement: &'a Statement<'a>,
    /// All translated codec columns that the statement could read.
    read: &'a [CodecColumn],
    cells: Vec<Cell>,
    /// The tokens of assignments to codec columns, names included.
    done: Vec<Range<usize>>,
    /// A column whose value needs the primary key of its row.
    keyed: Option<CodecColumn>,
}

impl Setting<'_> {
    fn assignment(
        &mut self,
        update: &Update,
        Assignment { column, value }: &Assignment,
    ) -> Result<(), Refusal> {
        let Some(assigned) = self.codec_column(update, column) else {
            return Ok(());
        };
        // `a.b.c =` has two tokens for each name and one for the sign.
        let names = column
            .table
            .as_ref()
            .map_or(1, |table| 2 + usize::from(table.schema.is_some()));
        let start = value.tokens.start.saturating_sub(2 * names);
        self.done.push(start..value.tokens.end);
        if is_null(self.statement, value) {
            return Ok(());
        }
        if let Some(path) = self.statement.column_path(value.tokens.clone())
            && let Some(from) = self.codec_column(update, &path)
        {
            return match is_alike(self.statement, &from, &assigned) {
                true => Ok(()),
                false => {
                    Err(assigned.refuse("UPDATE gives it what another codec has stored", INSERT))
                }
            };
        }
        let cell = value::cell(self.statement, &assigned, value, 0, self.read)?;
        if cell.is_some() && uses_key(&assigned.table, assigned.column) {
            if !update.single {
                let why = why_key(&assigned);
                let reason = format!("{why}, and the statement is on several tables");
                return Err(assigned.refuse(&reason, "update the table alone"));
            }
            self.keyed = Some(assigned);
        }
        self.cells.extend(cell);
        Ok(())
    }

    /// The codec column that a name means.
    fn codec_column(
        &self,
        update: &Update,
        name: &crate::sql::name::ColumnName,
    ) -> Option<CodecColumn> {
        let statement = self.statement;
        let fold = |name: &str| statement.index.fold(name.as_bytes()).into_owned();
        let meant = update
            .tables
            .iter()
            .filter(|target| target.is_meant(name, |a, b| fold(a) == fold(b)));
        let mut columns = meant.filter_map(|target| {
            let schema = target.table.schema.as_deref();
            let table = statement.table(schema, &target.table.table)?;
            codec_column(table, table.column(name.column.as_bytes())?)
        });
        columns.next()
    }

    /// The primary key of the only row that can be meant: WHERE gives each of its columns.
    fn key(&self, update: &Update, column: &CodecColumn) -> Result<RowKey, Refusal> {
        let table = &column.table;
        let kinds = table.columns.iter().filter_map(|c| Some((c, c.key?)));
        let refuse = |reason: &str| {
            let reason = format!("{}, and {reason}", why_key(column));
            column.refuse(
                &reason,
                "give each column of the key in WHERE, as in (id = 1)",
            )
        };
        let mut given = Vec::new();
        if let Some(condition) = &update.condition {
            comparisons(self.statement, condition.clone(), &mut given, 0);
        }
        let mut key = RowKey::default();
        for (part, kind) in kinds {
            let name = &part.name;
            let is_part = |column: &str| same_name(column, name);
            if update.assignments.iter().any(|a| is_part(&a.column.column)) {
                return Err(refuse(&format!("the statement changes {name}")));
            }
            let item = given.iter().find(|(column, _)| is_part(column));
            let source = match item {
                Some((_, item)) => value::key_source(self.statement, item, kind, self.read),
                None => Err("is not given in WHERE"),
            };
            key.parts.push(KeyPart {
                name: name.clone(),
                kind,
                source: source.map_err(|problem| refuse(&format!("{name} {problem}")))?,
            });
        }
        Ok(key)
    }

    /// How the rows are found where WHERE does not name one; `None` if they cannot be.
    fn lookup(&self, update: &Update, column: &CodecColumn, edits: &[Edit]) -> Option<Lookup> {
        let statement = self.statement;
        let is_changed = |name: &str| {
            let mut assigned = update.assignments.iter();
            assigned.any(|a| same_name(&a.column.column, name))
        };
        let target = update.tables.first()?;
        let qualifier = target.alias.as_ref().unwrap_or(&target.table.table);
        let mut key = Vec::new();
        for part in &column.table.columns {
            let Some(kind) = part.key else { continue };
            // A float is not found again by the digits that it is shown with.
            if matches!(kind, KeyType::Float | KeyType::Other) || is_changed(&part.name) {
                return None;
            }
            let kind = match kind {
                KeyType::AutoIncrement => KeyType::Int,
                kind => kind,
            };
            let quoted = TableName {
                schema: Some(qualifier.clone()),
                table: part.name.clone(),
            };
            key.push((quoted.to_string(), part.name.clone(), kind));
        }
        let all = 0..statement.tokens.len();
        let item = Item {
            tokens: all.clone(),
            span: 0..0,
        };
        let is_asked_for = value::check_expression(statement, &item).is_ok();
        let begins = statement.is_word(0, "UPDATE");
        if key.is_empty() || !is_asked_for || !begins {
            return None;
        }
        let span = |tokens: &Range<usize>| match &statement.tokens[tokens.clone()] {
            [] => 0..0,
            [first, ..] => first.start..statement.tokens[tokens.end - 1].end,
        };
        let mut rows = b" FROM ".to_vec();
        rows.extend_from_slice(&statement.text[span(&update.references)]);
        let condition = update.condition.as_ref().map(span);
        if let Some(condition) = &condition {
            rows.extend_from_slice(b" WHERE ");
            let shifted = edits.iter().map(|edit| Edit {
                span: edit.span.start - condition.start..edit.span.end - condition.start,
                text: edit.text.clone(),
            });
            let shifted: Vec<Edit> = shifted.collect();
            let text = &statement.text[condition.clone()];
            rows.extend_from_slice(&super::rewritten(text, &shifted));
        }
        rows.push(b'\n');
        rows.extend_from_slice(&statement.text[span(&update.order_and_limit)]);
        let mut tail = update.order_and_limit.clone();
        Some(Lookup {
            table: column.table.clone(),
            column: column.column,
            key,
            rows,
            unlimited: !tail.any(|at| statement.is_word(at, "LIMIT")),
            end: match &condition {
                Some(condition) => condition.end,
                None => update.assignments.last()?.value.span.end,
            },
            condition,
        })
    }
}

/// Conditions that are followed, one in another.
const DEPTH: usize = 32;

/// The comparisons `column = value` that hold for every row of which the condition holds.
fn comparisons(
    statement: &Statement,
    tokens: Range<usize>,
    found: &mut Vec<(String, Item)>,
    depth: usize,
) {
    if depth > DEPTH {
        return;
    }
    let mut from = tokens.start;
    let mut terms = Vec::new();
    let mut open = 0_usize;
    for at in tokens.clone() {
        if statement.is_symbol(at, b'(') {
            open += 1;
        } else if statement.is_symbol(at, b')') {
            open = open.saturating_sub(1);
        } else if open > 0 {
            continue;
        } else if statement.is_any_word(at, &["OR", "XOR", "BETWEEN", "NOT", "CASE"])
            || statement.is_symbol(at, b'|')
            || statement.is_symbol(at, b'!')
        {
            return;
        } else if statement.is_word(at, "AND") {
            terms.push(from..at);
            from = at + 1;
        }
    }
    terms.push(from..tokens.end);
    for term in terms {
        let Some(last) = term.end.checked_sub(1).filter(|last| *last > term.start) else {
            continue;
        };
        let is_group = statement.is_symbol(term.start, b'(') && closes(statement, &term);
        if is_group {
            comparisons(statement, term.start + 1..last, found, depth + 1);
            continue;
        }
        let Some(sign) = term.clone().find(|at| statement.is_symbol(*at, b'=')) else {
            continue;
        };
        let before = sign.checked_sub(1);
        let is_other = before.is_some_and(|at| {
            [b'<', b'>', b'!']
                .iter()
                .any(|s| statement.is_symbol(at, *s))
        });
        let value = sign + 1..term.end;
        let is_whole = !value.is_empty()
            && !statement.is_symbol(sign + 1, b'>')
            && !value.clone().any(|at| statement.is_symbol(at, b'='));
        if let Some(path) = statement.column_path(term.start..sign)
            && is_whole
            && !is_other
        {
            let tokens = &statement.tokens[value.clone()];
            let span = tokens[0].start..tokens[tokens.len() - 1].end;
            let item = Item {
                tokens: value,
                span,
            };
            found.push((path.column, item));
        }
    }
}

/// Whether the parenthesis that opens a term is closed by its last token.
fn closes(statement: &Statement, term: &Range<usize>) -> bool {
    let mut open = 0_usize;
    for at in term.clone() {
        if statement.is_symbol(at, b'(') {
            open += 1;
        } else if statement.is_symbol(at, b')') {
            open = open.saturating_sub(1);
            if open == 0 {
                return at + 1 == term.end;
            }
        }
    }
    false
}
