//! The values and primary keys that a statement gives: those in its text, and those that the
//! server is asked for.

use std::io;
use std::ops::Range;

use bytes::Bytes;

use super::encode::Sent;
use super::evaluate::{self, Expression, Form};
use crate::catalog::{ColumnCodec, KeyType};
use crate::codec::{Key, Manner, Notation, Stored};
use crate::plan::key::Written;
use crate::plan::{Cell, KeyPart, KeySource, RowKey, Source, Write, key};
use crate::refusal::Refusal;
use crate::session::refuse::Failure;
use crate::session::relay::{Relay, Statement};
use crate::session::shared::Shared;
use crate::sql::literal::Literal;

/// The values of a statement's expressions.
#[derive(Default)]
pub struct Values {
    /// For each cell: `Some(None)` is NULL.
    pub cells: Vec<Option<Option<Literal>>>,
    /// The keys, all of them known now.
    pub keys: Vec<Key>,
    /// The results that stand in the places of parts of keys.
    pub edits: Vec<(Range<usize>, Stored)>,
}

/// Asks the server for what is not in the text.
pub async fn evaluated(
    relay: &mut Relay,
    shared: &Shared,
    statement: &Statement,
    write: &Write,
) -> io::Result<Result<Values, Failure>> {
    let text = |span: &Range<usize>| statement.payload.slice(1 + span.start..1 + span.end);
    let manner = relay.choice.manner();
    let mut expressions = Vec::new();
    for cell in &write.cells {
        if let Source::Expression = cell.source {
            expressions.push(expression(cell, text(&cell.span), &manner));
        }
    }
    let of_cells = expressions.len();
    let path = |part: &KeyPart| match write.cells.first() {
        Some(cell) => format!("{}.{}.{}", cell.table.schema, cell.table.name, part.name),
        None => part.name.clone(),
    };
    for part in write.keys.iter().flat_map(|key| &key.parts) {
        if let KeySource::Expression(span) = &part.source {
            expressions.push(Expression {
                text: text(span),
                form: match part.kind {
                    KeyType::Bytes | KeyType::Uuid => Form::Bytes,
                    _ => Form::Text,
                },
                column: path(part),
            });
        }
    }
    let mut found = match expressions.is_empty() {
        true => Vec::new(),
        false => match evaluate::ask(relay, &expressions, shared.limits.row_bytes).await? {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        },
    };
    let mut of_keys = found.split_off(of_cells.min(found.len())).into_iter();
    let mut of_cells = found.into_iter();
    let cells = write.cells.iter().map(|cell| match cell.source {
        Source::Expression => of_cells.next(),
        Source::Literal(_) | Source::Parameter(_) => None,
    });
    let mut values = Values {
        cells: cells.collect(),
        ..Values::default()
    };
    for key in &write.keys {
        match known(key, &mut of_keys, &mut values.edits) {
            Ok(key) => values.keys.push(key),
            Err((part, problem)) => {
                let reason = format!("a value is encoded with the primary key, and it {problem}");
                let way_out = "give it as a literal";
                return Ok(Err(
                    Refusal::unsupported(&path(part), &reason, way_out).into()
                ));
            }
        }
    }
    Ok(Ok(values))
}

/// What the server is asked for, to have the value of a cell that is this expression.
pub fn expression(cell: &Cell, text: Bytes, manner: &Manner) -> Expression {
    let codec = cell.table.columns[cell.column].codec.as_ref();
    let is_text = manner.notation == Notation::Json || codec.is_some_and(ColumnCodec::is_text);
    Expression {
        text,
        form: if is_text { Form::Text } else { Form::Bytes },
        column: cell.table.column_path(cell.column),
    }
}

/// A key with the results of its expressions, which are noted as edits, too.
fn known<'a>(
    key: &'a RowKey,
    found: &mut impl Iterator<Item = Option<Literal>>,
    edits: &mut Vec<(Range<usize>, Stored)>,
) -> Result<Key, (&'a KeyPart, &'static str)> {
    let mut columns = Vec::with_capacity(key.parts.len());
    for part in &key.parts {
        let value = match &part.source {
            KeySource::Known(value) => Ok(value.clone()),
            KeySource::Parameter(_) => Err("is not in the statement"),
            KeySource::Expression(span) => match found.next().flatten() {
                None => Err("is left to the server"),
                Some(literal) => {
                    let bytes = literal.head(KEY);
                    let is_bytes = matches!(part.kind, KeyType::Bytes | KeyType::Uuid);
                    let stored = match String::from_utf8(bytes.clone()) {
                        Ok(text) if !is_bytes => Stored::Text(text),
                        _ => Stored::Bytes(bytes.clone().into()),
                    };
                    edits.push((span.clone(), stored));
                    let written = Written::Quoted {
                        bytes,
                        is_string: !is_bytes,
                        is_utf8: !is_bytes,
                    };
                    key::of(part.kind, &written)
                }
            },
        };
        let value = value.map_err(|problem| (part, problem))?;
        columns.push((part.name.clone(), value));
    }
    Ok(Key { columns })
}

/// Longer than any key, in bytes.
const KEY: usize = 4096;

impl Values {
    /// The value of a cell, by its place in the statement, on its way to an encoder; `None` for
    /// NULL.
    pub fn sent<'a>(&'a self, cell: &'a Cell, at: usize) -> Result<Option<Sent<'a>>, Refusal> {
        let (literal, written) = match (&cell.source, self.cells.get(at)) {
            (Source::Literal(literal), _) => (literal, cell.span.len() as u64),
            (_, Some(Some(Some(literal)))) => (literal, literal.decoded_len()),
            (_, Some(Some(None))) => return Ok(None),
            _ => {
                let column = cell.table.column_path(cell.column);
                let reason = "its value is not in the statement";
                return Err(Refusal::unsupported(&column, reason, "write the value"));
            }
        };
        Ok(Some(Sent {
            table: &cell.table,
            column: cell.column,
            literal,
            apart: None,
            written,
            key: self.keys.get(cell.row),
        }))
    }
}
