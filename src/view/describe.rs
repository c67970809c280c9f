//! What `SHOW COLUMNS` and `DESCRIBE` say of a column, row by row.
//!
//! In the `bytes` view a translated codec column is the `longblob` that the client declared (a
//! `varchar`, where its values are texts), and comments carry only markers that DataJoint 0.14
//! understands: its own `:attach:` stands for `<attach>`. In the `json` view every codec column
//! is `json`. In the `stored` view columns that hold JSON say so, which MariaDB does not
//! (DataJoint 2.3.5 needs it to insert there).

use std::sync::Arc;

use super::{Shape, View};
use crate::catalog::{ColumnCodec, Table};
use crate::codec::{TypeSpec, comment};

/// How the rows of one `SHOW COLUMNS` are rewritten.
#[derive(Debug, Clone)]
pub struct Describe {
    /// What the client sees.
    pub view: View,
    /// The table, if it has codec columns: for results without a `Comment`.
    pub table: Option<Arc<Table>>,
    /// Whether the server reports JSON columns as `longtext`.
    pub mariadb: bool,
}

/// Where the fields of a row stand, by the names in the result's column definitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Header {
    field: Option<usize>,
    column_type: Option<usize>,
    collation: Option<usize>,
    comment: Option<usize>,
}

/// One field of a text protocol row; `None` is NULL.
pub type Field = Option<Vec<u8>>;

/// What the client is to be told of a column.
#[derive(Debug, Default, PartialEq, Eq)]
struct Presentation<'a> {
    column_type: Option<&'static str>,
    /// `Some(None)` is NULL: the type has none.
    collation: Option<Option<&'static str>>,
    /// What goes before the comment.
    marker: &'static str,
    comment: Option<&'a str>,
}

impl Header {
    /// Reads the names of the result's columns, in order.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut header = Self::default();
        for (i, name) in names.into_iter().enumerate() {
            let place = match name.to_ascii_lowercase().as_slice() {
                b"field" => &mut header.field,
                b"type" => &mut header.column_type,
                b"collation" => &mut header.collation,
                b"comment" => &mut header.comment,
                _ => continue,
            };
            place.get_or_insert(i);
        }
        header
    }

    /// Whether this is the result of a `SHOW COLUMNS` at all.
    pub fn is_columns(&self) -> bool {
        self.field.is_some() && self.column_type.is_some()
    }
}

impl Describe {
    /// Rewrites one row in place; whether anything changed.
    pub fn rewrite(&self, header: &Header, row: &mut [Field]) -> bool {
        let text = |at: Option<usize>, row: &[Field]| -> Option<String> {
            let field = row.get(at?)?.as_ref()?;
            Some(String::from_utf8_lossy(field).into_owned())
        };
        let comment = text(header.comment, row);
        let column_type = text(header.column_type, row).unwrap_or_default();
        let marker = match &comment {
            Some(comment) => comment::marker(comment).map(|m| (m.type_text, Some(m.comment))),
            None => {
                let name = text(header.field, row).unwrap_or_default();
                self.marker_of(&name).map(|marker| (marker, None))
            }
        };
        let Some((marker, plain)) = marker else {
            return false;
        };
        let shown = self.present(marker, plain, &column_type);
        let plain = shown.comment.map(|plain| {
            // The bytes after the marker, which may be in any character set.
            let rest = text_after_marker(header.comment.and_then(|at| row.get(at)), plain);
            [shown.marker.as_bytes(), &rest].concat()
        });
        let mut changed = false;
        let mut put = |at: Option<usize>, value: Field| {
            if let Some(field) = at.and_then(|at| row.get_mut(at)) {
                changed |= *field != value;
                *field = value;
            }
        };
        if let Some(column_type) = shown.column_type {
            put(header.column_type, Some(column_type.into()));
        }
        if let Some(collation) = shown.collation {
            put(header.collation, collation.map(Into::into));
        }
        if plain.is_some() {
            put(header.comment, plain);
        }
        changed
    }

    fn marker_of(&self, column: &str) -> Option<&str> {
        let table = self.table.as_ref()?;
        let column = table.column(column.as_bytes())?;
        table.columns[column].marker.as_deref()
    }

    fn present<'a>(
        &self,
        marker: &str,
        plain: Option<&'a str>,
        column_type: &str,
    ) -> Presentation<'a> {
        let spec = match marker.starts_with('<') {
            true => TypeSpec::parse(marker),
            false => None,
        };
        let mut shown = Presentation::default();
        match (self.view, spec) {
            (View::Bytes | View::Json, Some(spec)) => {
                let Ok(chain) = spec.resolve() else {
                    return shown;
                };
                shown.comment = plain;
                let is_attach = chain.codecs.first() == Some(&"attach");
                if is_attach && self.view == View::Bytes {
                    shown.marker = ":attach:";
                }
                let codec = ColumnCodec::Chain(chain);
                if self.view.translates(&codec) {
                    let (column_type, collation) = match self.view.shape(&codec) {
                        Shape::LongBlob => ("longblob", None),
                        Shape::LongText => ("json", None),
                        Shape::VarChar => ("varchar(1024)", Some("utf8mb4_bin")),
                    };
                    shown.column_type = Some(column_type);
                    shown.collation = Some(collation);
                }
            }
            // DataJoint 0.14 knows `:uuid:`, and needs it to tell a UUID from 16 bytes.
            (View::Bytes | View::Json, None) => {
                if !marker.eq_ignore_ascii_case("uuid") && comment::is_core_type(marker) {
                    shown.comment = plain;
                }
            }
            (View::Stored, spec) => {
                let is_json = match &spec {
                    Some(spec) => spec.store.is_some(),
                    None => ["json", "jsonb"]
                        .iter()
                        .any(|j| marker.eq_ignore_ascii_case(j)),
                };
                if is_json && self.mariadb && column_type.eq_ignore_ascii_case("longtext") {
                    shown.column_type = Some("json");
                }
            }
        }
        shown
    }
}

/// What follows the marker in `field`, byte for byte.
fn text_after_marker(field: Option<&Field>, plain: &str) -> Vec<u8> {
    let Some(Some(bytes)) = field else {
        return plain.into();
    };
    // Neither colon of the marker is part of a longer character in any charset that a
    // server sends results in, so the second colon ends the marker in the bytes too.
    let mut parts = bytes.splitn(3, |&b| b == b':');
    parts.nth(2).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, TableKind};

    const FULL: [&str; 9] = [
        "Field",
        "Type",
        "Collation",
        "Null",
        "Key",
        "Default",
        "Extra",
        "Privileges",
        "Comment",
    ];

    fn describe(view: View) -> Describe {
        Describe {
            view,
            table: None,
            mariadb: true,
        }
    }

    /// Type, collation and comment after the rewrite of a `SHOW FULL COLUMNS` row.
    fn shown(view: View, column_type: &str, comment: &str) -> (String, Option<String>, String) {
        let header = Header::new(FULL.map(str::as_bytes));
        assert!(header.is_columns());
        let fields = [
            "c",
            column_type,
            "utf8mb4_bin",
            "YES",
            "",
            "",
            "",
            "select",
            comment,
        ];
        let mut row: Vec<Field> = fields.iter().map(|f| Some(f.as_bytes().to_vec())).collect();
        let before = row.clone();
        let changed = describe(view).rewrite(&header, &mut row);
        assert_eq!(changed, row != before, "{comment}");
        let text = |i: usize| {
            let field = row[i].clone();
            field.map(|f| String::from_utf8(f).expect("tests are in UTF-8"))
        };
        (
            text(1).unwrap_or_default(),
            text(2),
            text(8).unwrap_or_default(),
        )
    }

    #[test]
    fn the_bytes_view_shows_what_a_legacy_client_understands() {
        let utf8 = Some("utf8mb4_bin".to_owned());
        for (stored, comment, column_type, collation, plain) in [
            (
                "longtext",
                ":<blob@main>:raw traces",
                "longblob",
                None,
                "raw traces",
            ),
            ("json", ":<blob@>:", "longblob", None, ""),
            ("longtext", ":<hash@cold>:a: b", "longblob", None, "a: b"),
            (
                "longblob",
                ":<blob>:inline",
                "longblob",
                utf8.clone(),
                "inline",
            ),
            (
                "longblob",
                ":<attach>:file",
                "longblob",
                utf8.clone(),
                ":attach:file",
            ),
            ("longtext", ":<attach@main>:", "longblob", None, ":attach:"),
            ("longtext", ":<object@main>:o", "longblob", None, "o"),
            ("longtext", ":<npy@>:n", "longblob", None, "n"),
            (
                "longtext",
                ":<filepath@raw>:f",
                "varchar(1024)",
                utf8.clone(),
                "f",
            ),
            ("json", ":<filepath@>:", "varchar(1024)", utf8.clone(), ""),
            ("int(11)", ":int32:id", "int(11)", utf8.clone(), "id"),
            (
                "varchar(30)",
                ":varchar(30):",
                "varchar(30)",
                utf8.clone(),
                "",
            ),
            (
                "tinyint(4)",
                ":bool:flag",
                "tinyint(4)",
                utf8.clone(),
                "flag",
            ),
            (
                "enum('a','b')",
                ":enum('a','b'):e",
                "enum('a','b')",
                utf8.clone(),
                "e",
            ),
            ("longtext", ":json:meta", "longtext", utf8.clone(), "meta"),
            (
                "binary(16)",
                ":uuid:tag",
                "binary(16)",
                utf8.clone(),
                ":uuid:tag",
            ),
            (
                "longtext",
                ":<graph@main>:g",
                "longtext",
                utf8.clone(),
                ":<graph@main>:g",
            ),
            (
                "longblob",
                ":attach:file",
                "longblob",
                utf8.clone(),
                ":attach:file",
            ),
            (
                "binary(16)",
                ":blob@ext:b",
                "binary(16)",
                utf8.clone(),
                ":blob@ext:b",
            ),
            ("longblob", "plain", "longblob", utf8.clone(), "plain"),
        ] {
            let expected = (column_type.to_owned(), collation, plain.to_owned());
            assert_eq!(shown(View::Bytes, stored, comment), expected, "{comment}");
        }
    }

    #[test]
    fn the_json_view_shows_json_and_plain_comments() {
        let utf8 = Some("utf8mb4_bin".to_owned());
        for (stored, comment, column_type, collation, plain) in [
            ("longtext", ":<blob@main>:raw", "json", None, "raw"),
            ("longblob", ":<blob>:inline", "json", None, "inline"),
            ("json", ":<hash@>:", "json", None, ""),
            ("longblob", ":<attach>:file", "json", None, "file"),
            ("longtext", ":<filepath@>:f", "json", None, "f"),
            ("int(11)", ":int32:id", "int(11)", utf8.clone(), "id"),
            (
                "binary(16)",
                ":uuid:tag",
                "binary(16)",
                utf8.clone(),
                ":uuid:tag",
            ),
            (
                "longtext",
                ":<graph@main>:g",
                "longtext",
                utf8.clone(),
                ":<graph@main>:g",
            ),
            ("longblob", "plain", "longblob", utf8.clone(), "plain"),
        ] {
            let expected = (column_type.to_owned(), collation, plain.to_owned());
            assert_eq!(shown(View::Json, stored, comment), expected, "{comment}");
        }
    }

    #[test]
    fn the_stored_view_says_json_where_mariadb_says_longtext() {
        for (stored, comment, column_type) in [
            ("longtext", ":<blob@main>:raw", "json"),
            ("longtext", ":<graph@main>:g", "json"),
            ("longtext", ":json:meta", "json"),
            ("longtext", "plain", "longtext"),
            ("longblob", ":<blob>:inline", "longblob"),
            ("longtext", ":varchar(3):", "longtext"),
        ] {
            let (shown_type, collation, shown_comment) = shown(View::Stored, stored, comment);
            assert_eq!(shown_type, column_type, "{comment}");
            assert_eq!(collation.as_deref(), Some("utf8mb4_bin"));
            assert_eq!(shown_comment, comment);
        }
    }

    #[test]
    fn without_full_the_catalog_knows_the_marker() {
        let column = Column {
            name: "Traces".into(),
            invisible: false,
            marker: Some("<blob@main>".into()),
            codec: None,
            key: None,
        };
        let describe = Describe {
            table: Some(Arc::new(Table {
                schema: "lab".into(),
                name: "session".into(),
                kind: TableKind::Base,
                columns: vec![column],
            })),
            ..describe(View::Bytes)
        };
        let header = Header::new([&b"Field"[..], b"Type", b"Null", b"Key"]);
        let row = |name: &str| -> Vec<Field> {
            vec![
                Some(name.into()),
                Some("longtext".into()),
                Some("YES".into()),
                None,
            ]
        };
        let mut traces = row("Traces");
        assert!(describe.rewrite(&header, &mut traces));
        assert_eq!(traces[1].as_deref(), Some(&b"longblob"[..]));
        let mut other = row("other");
        assert!(!describe.rewrite(&header, &mut other));
    }

    #[test]
    fn comments_in_other_character_sets_keep_their_bytes() {
        let header = Header::new(FULL.map(str::as_bytes));
        let mut row: Vec<Field> = vec![Some(b"x".to_vec()); 9];
        row[8] = Some(b":int32:gr\xf6\xdfe".to_vec());
        assert!(describe(View::Bytes).rewrite(&header, &mut row));
        assert_eq!(row[8].as_deref(), Some(&b"gr\xf6\xdfe"[..]));
    }

    #[test]
    fn other_results_are_left_alone() {
        assert!(!Header::new([&b"Table"[..], b"Create Table"]).is_columns());
    }
}
