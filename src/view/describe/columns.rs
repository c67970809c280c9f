//! The rows of `SHOW COLUMNS` and `DESCRIBE`.

use super::{Describe, Field, Presentation};
use crate::codec::comment;
use crate::view::View;

/// Where the fields of a row stand, by the names in the result's column definitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Header {
    field: Option<usize>,
    column_type: Option<usize>,
    collation: Option<usize>,
    default: Option<usize>,
    comment: Option<usize>,
}

impl Header {
    /// Reads the names of the result's columns, in order.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut header = Self::default();
        for (i, name) in names.into_iter().enumerate() {
            let place = match name.to_ascii_lowercase().as_slice() {
                b"field" => &mut header.field,
                b"type" => &mut header.column_type,
                b"collation" => &mut header.collation,
                b"default" => &mut header.default,
                b"comment" => &mut header.comment,
                _ => continue,
            };
            place.get_or_insert(i);
        }
        header
    }

    /// Whether this is the result of a `SHOW COLUMNS` at all.
    pub(super) fn is_columns(&self) -> bool {
        self.field.is_some() && self.column_type.is_some()
    }
}

/// Rewrites one row in place; whether anything changed.
pub(super) fn rewrite(describe: &Describe, header: &Header, row: &mut [Field]) -> bool {
    let before = |at: Option<usize>| row.get(at?)?.as_deref();
    let text = |at| before(at).map(String::from_utf8_lossy);
    let column_type = text(header.column_type).unwrap_or_default();
    let comment = text(header.comment);
    let marker = match &comment {
        Some(comment) => comment::marker(comment).map(|m| m.type_text.to_owned()),
        None => describe.marker_of(&text(header.field).unwrap_or_default()),
    };
    let shown = marker.map_or_else(Presentation::default, |marker| {
        Presentation::new(describe.view, describe.mariadb, &marker, &column_type)
    });
    let comment = shown.marker.and_then(|marker| {
        // The bytes after the marker, which may be in any character set.
        let rest = text_after_marker(before(header.comment)?);
        Some([marker.as_bytes(), rest].concat())
    });
    let default = match describe.view == View::Stored && describe.mariadb {
        true => before(header.default).and_then(|d| mysql_default(d, &column_type)),
        false => None,
    };
    let column_type = shown.column_type.map(|t| Some(t.into()));
    let collation = shown.collation.map(|c| c.map(Into::into));
    let changes = [
        (header.column_type, column_type),
        (header.collation, collation),
        (header.default, default.map(Some)),
        (header.comment, comment.map(Some)),
    ];
    let mut changed = false;
    for (at, value) in changes {
        let field = at.and_then(|at| row.get_mut(at));
        if let (Some(field), Some(value)) = (field, value) {
            changed |= *field != value;
            *field = value;
        }
    }
    changed
}

/// A default of the present time as MySQL says it, of which MariaDB says `current_timestamp()`.
pub(super) fn mysql_default(default: &[u8], column_type: &str) -> Option<Vec<u8>> {
    const NOW: &[u8] = b"current_timestamp(";
    let head = default.get(..NOW.len())?;
    let is_time = ["datetime", "timestamp"].iter().any(|time| {
        let head = column_type.get(..time.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(time))
    });
    if !is_time || !head.eq_ignore_ascii_case(NOW) {
        return None;
    }
    let digits = default[NOW.len()..].strip_suffix(b")")?;
    let digits = std::str::from_utf8(digits).ok()?;
    Some(match digits {
        "" => b"CURRENT_TIMESTAMP".to_vec(),
        digits => format!("CURRENT_TIMESTAMP({digits})").into_bytes(),
    })
}

impl Describe {
    fn marker_of(&self, column: &str) -> Option<String> {
        let table = self.table.as_ref()?;
        let column = table.column(column.as_bytes())?;
        table.columns[column].marker.clone()
    }
}

/// What follows the marker in `comment`, byte for byte.
pub(super) fn text_after_marker(comment: &[u8]) -> &[u8] {
    // Neither colon of the marker is part of a longer character in any charset that a
    // server sends results in, so the second colon ends the marker in the bytes too.
    comment.splitn(3, |&b| b == b':').nth(2).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Subject;
    use super::*;
    use crate::catalog::{Column, Table, TableKind};

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
            subject: Subject::Columns,
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
        let changed = rewrite(&describe(view), &header, &mut row);
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
            ("longtext", ":json:meta", "json", utf8.clone(), "meta"),
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

    /// The default of the second column, after the rewrite of its row.
    fn default_of(view: View, column_type: &str, default: &str) -> String {
        let header = Header::new([&b"Field"[..], b"Type", b"Default"]);
        let fields = ["c", column_type, default];
        let mut row: Vec<Field> = fields.iter().map(|f| Some(f.as_bytes().to_vec())).collect();
        rewrite(&describe(view), &header, &mut row);
        String::from_utf8(row[2].clone().unwrap_or_default()).expect("UTF-8")
    }

    #[test]
    fn the_stored_view_says_the_present_time_as_mysql_does() {
        for (column_type, default, shown) in [
            ("timestamp", "current_timestamp()", "CURRENT_TIMESTAMP"),
            (
                "datetime(3)",
                "current_timestamp(3)",
                "CURRENT_TIMESTAMP(3)",
            ),
            ("varchar(30)", "current_timestamp()", "current_timestamp()"),
            ("datetime", "2020-01-01 00:00:00", "2020-01-01 00:00:00"),
        ] {
            assert_eq!(default_of(View::Stored, column_type, default), shown);
            assert_eq!(default_of(View::Bytes, column_type, default), default);
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
        assert!(rewrite(&describe, &header, &mut traces));
        assert_eq!(traces[1].as_deref(), Some(&b"longblob"[..]));
        let mut other = row("other");
        assert!(!rewrite(&describe, &header, &mut other));
    }

    #[test]
    fn comments_in_other_character_sets_keep_their_bytes() {
        let header = Header::new(FULL.map(str::as_bytes));
        let mut row: Vec<Field> = vec![Some(b"x".to_vec()); 9];
        row[8] = Some(b":int32:gr\xf6\xdfe".to_vec());
        assert!(rewrite(&describe(View::Bytes), &header, &mut row));
        assert_eq!(row[8].as_deref(), Some(&b"gr\xf6\xdfe"[..]));
    }

    #[test]
    fn other_results_are_left_alone() {
        assert!(!Header::new([&b"Table"[..], b"Create Table"]).is_columns());
    }
}
