//! LOAD DATA: which field of the client's file goes to which codec column.
//!
//! A field for a translated column goes into a variable, in hexadecimal digits, and SET makes the
//! column of it: digits mean the same whatever ends, encloses or escapes a field.

use std::sync::Arc;

use super::change;
use super::statement::{CodecColumn, Statement, codecs, refuse_views};
use super::value::{codec_column, is_null, reads_none, uses_key, why_key};
use super::{Edit, Load, LoadField, Plan};
use crate::catalog::{ColumnCodec, KeyType, Table};
use crate::codec::Dtype;
use crate::refusal::Refusal;
use crate::sql::load_data::{self, Listed, LoadData};

const INSERT: &str = "write it with INSERT … VALUES";

pub(super) fn plan(statement: Statement) -> Result<Plan, Refusal> {
    let tables = statement.tables();
    if tables.is_empty() {
        return Ok(Plan::Pass);
    }
    refuse_views(&tables)?;
    let dialect = statement.context.dialect;
    let Some(load) = load_data::parse(statement.text, statement.tokens, dialect) else {
        let reason = "codec-proxy does not understand this LOAD";
        return match tables.iter().flat_map(codecs).next() {
            None => Ok(Plan::Pass),
            Some(column) => Err(column.refuse(reason, INSERT)),
        };
    };
    let Some(table) = statement.table(load.table.schema.as_deref(), &load.table.table) else {
        // The statement reads no table but by subqueries of SET.
        return change::expressions(statement);
    };
    let loading = Loading {
        statement: &statement,
        load: &load,
        table,
    };
    loading.plan()
}

struct Loading<'a> {
    statement: &'a Statement<'a>,
    load: &'a LoadData,
    table: &'a Arc<Table>,
}

impl Loading<'_> {
    fn plan(&self) -> Result<Plan, Refusal> {
        self.check_set()?;
        let places = self.places();
        let coded: Vec<CodecColumn> = places
            .iter()
            .filter_map(|place| codec_column(self.table, (*place)?))
            .collect();
        let Some(first) = coded.first() else {
            return Ok(Plan::Pass);
        };
        if !self.load.local {
            let reason = "the server reads the file itself, past codec-proxy";
            return Err(first.refuse(reason, "use LOAD DATA LOCAL INFILE"));
        }
        self.check_format(first)?;
        let mut fields = Vec::with_capacity(places.len());
        let mut assigned = Vec::new();
        for (number, place) in places.iter().enumerate() {
            let field = self.field(*place)?;
            if let LoadField::Codec { column, hex: true } = field {
                assigned.push(self.assignment(number, column));
            }
            fields.push(field);
        }
        let keyed = coded.iter().find(|c| uses_key(self.table, c.column));
        if let Some(column) = keyed {
            self.check_key(column, &places)?;
        }
        Ok(Plan::Load(Load {
            table: self.table.clone(),
            format: self.load.format.clone(),
            skip: self.load.skip,
            charset: self.load.charset.clone(),
            keyed: keyed.is_some(),
            edits: self.edits(&fields, &assigned),
            fields,
        }))
    }

    /// SET gives codec columns nothing but NULL or DEFAULT, and reads none.
    fn check_set(&self) -> Result<(), Refusal> {
        let read = self.statement.translated(&self.statement.tables());
        for assignment in &self.load.set {
            let place = self.table.column(assignment.column.column.as_bytes());
            let column = place.and_then(|place| codec_column(self.table, place));
            if let Some(column) = column
                && !is_null(self.statement, &assignment.value)
            {
                let reason = "LOAD DATA gives it an expression, which the server alone computes";
                return Err(column.refuse(reason, "name the column in place of the variable"));
            }
            let tokens = assignment.value.tokens.clone();
            let reason = "LOAD DATA would read what is stored";
            reads_none(self.statement, tokens, &read, reason)?;
        }
        Ok(())
    }

    fn check_format(&self, column: &CodecColumn) -> Result<(), Refusal> {
        let format = &self.load.format;
        let bytes = (format.field_end.iter())
            .chain(&format.line_end)
            .chain(&format.enclosed)
            .chain(&format.escaped);
        let is_plain = |b: &u8| b.is_ascii() && !b.is_ascii_alphanumeric();
        let is_told_apart = !format.field_end.is_empty()
            && !format.line_end.is_empty()
            && format.field_end != format.line_end;
        if is_told_apart && bytes.copied().all(|b| is_plain(&b)) && !self.load.starting {
            return Ok(());
        }
        let reason = "codec-proxy does not follow this format of lines and fields";
        let way_out = "end fields and lines with different characters of ASCII that are no \
                       letters and no digits, without STARTING BY";
        Err(column.refuse(reason, way_out))
    }

    /// For each field the column that it goes to; `None` for a variable or an unknown name.
    fn places(&self) -> Vec<Option<usize>> {
        match &self.load.columns {
            Some(columns) => {
                let place = |listed: &Listed| self.table.column(listed.column.as_ref()?.as_bytes());
                columns.iter().map(place).collect()
            }
            None => self.visible().map(Some).collect(),
        }
    }

    fn visible(&self) -> impl Iterator<Item = usize> {
        let columns = &self.table.columns;
        (0..columns.len()).filter(|i| !columns[*i].invisible)
    }

    fn field(&self, place: Option<usize>) -> Result<LoadField, Refusal> {
        let Some(place) = place else {
            return Ok(LoadField::Other);
        };
        let column = &self.table.columns[place];
        if let Some(kind) = column.key {
            return Ok(LoadField::Key {
                column: place,
                kind,
            });
        }
        let Some(codec) = &column.codec else {
            return Ok(LoadField::Other);
        };
        if let (ColumnCodec::Unusable { spec, reason }, Some(column)) =
            (codec, codec_column(self.table, place))
        {
            let reason = format!("its type is {spec} and {reason}");
            return Err(column.refuse(&reason, "leave it out of the statement"));
        }
        Ok(LoadField::Codec {
            column: place,
            hex: self.statement.context.view.translates(codec),
        })
    }

    /// The whole key is in the file.
    fn check_key(&self, codec: &CodecColumn, places: &[Option<usize>]) -> Result<(), Refusal> {
        for (place, column) in self.table.columns.iter().enumerate() {
            let problem = match column.key {
                None => continue,
                Some(KeyType::Other) => "has a type that no object's path is made of",
                Some(_) if !places.contains(&Some(place)) => "is not in the file",
                Some(_) => continue,
            };
            let reason = format!("{}, and {} {problem}", why_key(codec), column.name);
            return Err(codec.refuse(&reason, INSERT));
        }
        Ok(())
    }

    fn assignment(&self, field: usize, column: usize) -> String {
        let variable = variable(field);
        let codec = self.table.columns[column].codec.as_ref();
        let value = match codec {
            Some(ColumnCodec::Chain(chain)) if chain.dtype == Dtype::Bytes => {
                format!("UNHEX({variable})")
            }
            _ => format!("CONVERT(UNHEX({variable}) USING utf8mb4)"),
        };
        format!("{} = {value}", self.quoted(column))
    }

    fn quoted(&self, column: usize) -> String {
        format!("`{}`", self.table.columns[column].name.replace('`', "``"))
    }

    /// The statement with variables in the places of columns, and SET.
    fn edits(&self, fields: &[LoadField], assigned: &[String]) -> Vec<Edit> {
        let mut edits = Vec::new();
        if assigned.is_empty() {
            return edits;
        }
        let is_hex = |field: &LoadField| matches!(field, LoadField::Codec { hex: true, .. });
        let mut list = String::new();
        match &self.load.columns {
            Some(columns) => {
                for (number, listed) in columns.iter().enumerate() {
                    if is_hex(&fields[number]) {
                        edits.push(Edit {
                            span: listed.span.clone(),
                            text: variable(number).into_bytes(),
                        });
                    }
                }
            }
            None => {
                let names = self.visible().zip(fields).enumerate();
                let names = names.map(|(number, (column, field))| match is_hex(field) {
                    true => variable(number),
                    false => self.quoted(column),
                });
                list = format!(" ({})", names.collect::<Vec<_>>().join(", "));
            }
        }
        let assigned = assigned.join(", ");
        let end = self.load.list_end;
        match self.load.set.last() {
            None => edits.push(Edit {
                span: end..end,
                text: format!("{list} SET {assigned}").into_bytes(),
            }),
            Some(last) => {
                if !list.is_empty() {
                    edits.push(Edit {
                        span: end..end,
                        text: list.into_bytes(),
                    });
                }
                let end = last.value.span.end;
                edits.push(Edit {
                    span: end..end,
                    text: format!(", {assigned}").into_bytes(),
                });
            }
        }
        edits
    }
}

fn variable(field: usize) -> String {
    format!("@codec_proxy_{field}")
}
