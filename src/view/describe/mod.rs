//! What a client is told of columns: `SHOW COLUMNS` and `DESCRIBE` row by row, `SHOW CREATE
//! TABLE` as a text, `information_schema.COLUMNS` by a query in place of the table
//! ([`information`]).
//!
//! In the `bytes` view a translated codec column is the `longblob` that the client declared (a
//! `varchar`, where its values are texts), and comments carry only markers that DataJoint 0.14
//! understands: its own `:attach:` stands for `<attach>`. In the `json` view every codec column
//! is `json`. In the `stored` view columns that hold JSON say so, which MariaDB does not
//! (DataJoint 2.3.5 needs it to insert there).

mod columns;
mod create;
pub mod information;

use std::sync::Arc;

use super::{Shape, View};
use crate::catalog::{ColumnCodec, Table};
use crate::codec::{TypeSpec, comment};
use crate::sql::lexer::Dialect;

/// How the rows of one such result are rewritten.
#[derive(Debug, Clone)]
pub struct Describe {
    /// What the client sees.
    pub view: View,
    /// What the rows are.
    pub subject: Subject,
    /// The table, if it has codec columns: for results without a `Comment`.
    pub table: Option<Arc<Table>>,
    /// Whether the server reports JSON columns as `longtext`.
    pub mariadb: bool,
}

/// What the rows of a result say.
#[derive(Debug, Clone)]
pub enum Subject {
    /// `SHOW COLUMNS`: a column each.
    Columns,
    /// `SHOW CREATE TABLE`: the statement, as a session with this SQL mode writes it.
    Create(Dialect),
}

/// Where what is rewritten stands in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The fields of `SHOW COLUMNS`.
    Columns(columns::Header),
    /// The text of a `CREATE TABLE`.
    Create(usize),
    /// The result is something else.
    Other,
}

/// A result column, by its definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heading {
    /// What it is called in the result.
    pub name: Vec<u8>,
}

/// One field of a text protocol row; `None` is NULL.
pub type Field = Option<Vec<u8>>;

impl Describe {
    /// Finds what is rewritten, by the result's column definitions.
    pub fn header(&self, headings: &[Heading]) -> Header {
        match self.subject {
            Subject::Columns => {
                let header = columns::Header::new(headings.iter().map(|h| h.name.as_slice()));
                match header.is_columns() {
                    true => Header::Columns(header),
                    false => Header::Other,
                }
            }
            Subject::Create(_) => {
                let is_text = |h: &Heading| h.name.eq_ignore_ascii_case(b"Create Table");
                let at = headings.iter().position(is_text);
                at.map_or(Header::Other, Header::Create)
            }
        }
    }

    /// Rewrites one row in place; whether anything changed.
    pub fn rewrite(&self, header: &Header, row: &mut [Field]) -> bool {
        match (header, &self.subject) {
            (Header::Columns(header), _) => columns::rewrite(self, header, row),
            (Header::Create(at), Subject::Create(dialect)) => {
                let Some(Some(text)) = row.get_mut(*at) else {
                    return false;
                };
                let rewritten = create::rewritten(text, *dialect, self.view);
                let changed = rewritten.is_some();
                text.clone_from(&rewritten.unwrap_or_else(|| text.clone()));
                changed
            }
            _ => false,
        }
    }
}

/// What the client is to be told of a column, where that is not what the server says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Presentation {
    column_type: Option<&'static str>,
    /// `Some(None)` is NULL: the type has none.
    collation: Option<Option<&'static str>>,
    /// What stands before the comment instead of its marker.
    marker: Option<&'static str>,
}

impl Presentation {
    /// Of a column with that marker, of which the server says that type.
    fn new(view: View, mariadb: bool, marker: &str, column_type: &str) -> Self {
        let spec = match marker.starts_with('<') {
            true => TypeSpec::parse(marker),
            false => None,
        };
        let mut shown = Self::default();
        match (view, spec) {
            (View::Bytes | View::Json, Some(spec)) => {
                let Ok(chain) = spec.resolve() else {
                    return shown;
                };
                let is_attach = chain.outermost_name() == Some("attach");
                shown.marker = Some(match is_attach && view == View::Bytes {
                    true => ":attach:",
                    false => "",
                });
                let codec = ColumnCodec::Chain(chain);
                if view.translates(&codec) {
                    let shape = view.shape(&codec);
                    shown.column_type = Some(sql_type(shape));
                    shown.collation = Some(match shape {
                        Shape::LongBlob | Shape::LongText => None,
                        Shape::VarChar => Some("utf8mb4_bin"),
                    });
                }
            }
            // DataJoint 0.14 knows `:uuid:`, and needs it to tell a UUID from 16 bytes.
            (View::Bytes | View::Json, None) => {
                if !marker.eq_ignore_ascii_case("uuid") && comment::is_core_type(marker) {
                    shown.marker = Some("");
                }
                shown.column_type = mended_json(mariadb, is_json(marker), column_type);
            }
            (View::Stored, spec) => {
                let is_json = match spec {
                    None => is_json(marker),
                    Some(spec) => match spec.resolve() {
                        Ok(chain) => chain.is_external(),
                        Err(_) => spec.store.is_some(),
                    },
                };
                shown.column_type = mended_json(mariadb, is_json, column_type);
            }
        }
        shown
    }
}

/// Whether a marker is that of the core type `json`.
fn is_json(marker: &str) -> bool {
    ["json", "jsonb"]
        .iter()
        .any(|json| marker.eq_ignore_ascii_case(json))
}

/// `json`, of which MariaDB says `longtext`: both generations treat a column by that word.
fn mended_json(mariadb: bool, is_json: bool, column_type: &str) -> Option<&'static str> {
    (mariadb && is_json && column_type.eq_ignore_ascii_case("longtext")).then_some("json")
}

/// The type by which a client would declare such a column.
fn sql_type(shape: Shape) -> &'static str {
    match shape {
        Shape::LongBlob => "longblob",
        Shape::LongText => "json",
        Shape::VarChar => "varchar(1024)",
    }
}
