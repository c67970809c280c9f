//! `SHOW CREATE TABLE`: the statement by which a client of the view would declare the table.
//!
//! A codec column has the type that the view shows and the tag that declares it,
//! `longblob … COMMENT '<blob@main> raw traces'`, a column of a core type the tag of that,
//! `int(11) … COMMENT '<int32> the key'`. Sent through the proxy it declares the same table;
//! sent to a server without one, a table of plain columns that DataJoint 0.14 opens. A column whose
//! marker no tag can say stays as it is stored, which declares it as well.

use bytes::Bytes;

use super::{Presentation, sql_type};
use crate::catalog::ColumnCodec;
use crate::codec::{TypeSpec, comment};
use crate::sql::create_table::{self, ColumnDef};
use crate::sql::edit::{self, Edit};
use crate::sql::lexer::{Dialect, Token, lex};
use crate::view::View;

/// The statement as the view has it; `None` if it stays as it is.
pub(super) fn rewritten(text: &[u8], dialect: Dialect, view: View) -> Option<Vec<u8>> {
    let text = Bytes::copy_from_slice(text);
    let tokens = lex(&text, dialect).tokens;
    let create = create_table::parse(&text, &tokens, dialect)?;
    let shown = Shown {
        text: &text,
        tokens: &tokens,
        dialect,
        view,
    };
    let columns = create.columns.iter();
    let edits: Vec<Edit> = columns.flat_map(|column| shown.column(column)).collect();
    (!edits.is_empty()).then(|| edit::apply(&text, &edits))
}

struct Shown<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
    dialect: Dialect,
    view: View,
}

impl Shown<'_> {
    fn column(&self, column: &ColumnDef) -> Vec<Edit> {
        self.tagged(column).unwrap_or_default()
    }

    /// The edits of a column whose marker becomes a tag.
    fn tagged(&self, column: &ColumnDef) -> Option<Vec<Edit>> {
        let comment = column.comment.as_ref()?;
        let bytes: Vec<u8> = comment.literal.chunks(1 << 16).flatten().collect();
        let text = String::from_utf8_lossy(&bytes);
        let marker = comment::marker(&text)?.type_text;
        let shown = Presentation::new(self.view, false, marker, "");
        // What is not shown otherwise, and DataJoint 0.14's own markers, stay.
        shown.marker?;
        let tag = comment::tag(&text)?;
        let mut edits = Vec::new();
        if let Some(chain) = TypeSpec::parse(marker).and_then(|spec| spec.resolve().ok()) {
            let codec = ColumnCodec::Chain(chain);
            if self.view.translates(&codec) {
                edits.push(Edit {
                    span: column.text_type_span.clone(),
                    text: sql_type(self.view.shape(&codec)).into(),
                });
            }
        }
        let rest = bytes.splitn(3, |b| *b == b':').nth(2).unwrap_or_default();
        let tagged = match rest.is_empty() {
            true => tag.into_bytes(),
            false => [tag.as_bytes(), b" ", rest].concat(),
        };
        let quote = *self.text.get(comment.span.start)?;
        edits.push(Edit {
            span: comment.span.clone(),
            text: edit::quoted(&tagged, quote, self.dialect),
        });
        if edits.len() > 1 {
            edits.extend(self.json_check(column));
        }
        Some(edits)
    }

    /// `CHECK (json_valid(c))`, by which MariaDB tells JSON, with the blank before it.
    fn json_check(&self, column: &ColumnDef) -> Option<Edit> {
        let place = |byte| self.tokens.partition_point(|t| t.start < byte);
        let (start, end) = (place(column.type_span.end), place(column.span.end));
        let at = (start..end).find(|&at| {
            self.are_words(at, &["CHECK"])
                && self.tokens.get(at + 1).is_some_and(|t| t.is_symbol(b'('))
                && self.are_words(at + 2, &["json_valid"])
                && self.tokens.get(at + 6).is_some_and(|t| t.is_symbol(b')'))
        })?;
        Some(Edit {
            span: self.tokens[at - 1].end..self.tokens[at + 6].end,
            text: Vec::new(),
        })
    }

    fn are_words(&self, at: usize, words: &[&str]) -> bool {
        let is = |(n, word): (usize, &&str)| {
            let token = self.tokens.get(at + n);
            token.is_some_and(|t| t.is_word(self.text, word))
        };
        words.iter().enumerate().all(is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(view: View, columns: &str) -> String {
        let text = format!(
            "CREATE TABLE `t` (\n  `id` int(11) NOT NULL,\n  {columns},\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB"
        );
        let rewritten = rewritten(text.as_bytes(), Dialect::default(), view);
        let rewritten = rewritten.map_or(text, |r| String::from_utf8(r).expect("UTF-8"));
        let (_, rest) = rewritten.split_once("NOT NULL,\n  ").expect("the key");
        let (columns, _) = rest.split_once(",\n  PRIMARY").expect("the end");
        columns.to_owned()
    }

    const MARIADB_JSON: &str = "longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

    #[test]
    fn the_bytes_view_declares_with_tags() {
        for (stored, seen) in [
            (
                format!(
                    "`c` {MARIADB_JSON} DEFAULT NULL COMMENT ':<blob@main>:raw' CHECK (json_valid(`c`))"
                ),
                "`c` longblob DEFAULT NULL COMMENT '<blob@main> raw'",
            ),
            (
                format!(
                    "`c` {MARIADB_JSON} NOT NULL COMMENT ':<attach@>:' CHECK (json_valid(`c`))"
                ),
                "`c` longblob NOT NULL COMMENT '<attach@>'",
            ),
            (
                "`c` json DEFAULT NULL COMMENT ':<filepath@raw>:it''s \\\\ there'".to_owned(),
                "`c` varchar(1024) DEFAULT NULL COMMENT '<filepath@raw> it''s \\\\ there'",
            ),
            (
                "`c` longblob DEFAULT NULL COMMENT ':<blob>:inline'".to_owned(),
                "`c` longblob DEFAULT NULL COMMENT '<blob> inline'",
            ),
            (
                "`c` int(11) DEFAULT 3 COMMENT ':int32:a: b'".to_owned(),
                "`c` int(11) DEFAULT 3 COMMENT '<int32> a: b'",
            ),
            (
                "`c` enum('a','b') COMMENT ':enum(''a'',''b''):'".to_owned(),
                "`c` enum('a','b') COMMENT '<enum(''a'',''b'')>'",
            ),
            (
                format!(
                    "`c` {MARIADB_JSON} DEFAULT NULL COMMENT ':json:doc' CHECK (json_valid(`c`))"
                ),
                &format!(
                    "`c` {MARIADB_JSON} DEFAULT NULL COMMENT '<json> doc' CHECK (json_valid(`c`))"
                ),
            ),
            (
                format!("`c` {MARIADB_JSON} COMMENT ':<hash@>:' CHECK (json_valid(`c`) and 1)"),
                "`c` longblob COMMENT '<hash@>' CHECK (json_valid(`c`) and 1)",
            ),
        ] {
            assert_eq!(shown(View::Bytes, &stored), seen, "{stored}");
        }
    }

    #[test]
    fn what_no_tag_can_say_stays_as_it_is_stored() {
        for stored in [
            "`c` binary(16) COMMENT ':uuid:tag'",
            "`c` longblob COMMENT ':attach:file'",
            "`c` binary(16) COMMENT ':blob@ext:b'",
            "`c` json COMMENT ':<graph@main>:g'",
            "`c` json COMMENT ':<blob@main>: with a blank before it'",
            "`c` json COMMENT ':< blob@main >:as nobody writes it'",
            "`c` enum('a>b','c') COMMENT ':enum(''a>b'',''c''):'",
            "`c` longblob COMMENT 'plain'",
            "`c` longblob",
        ] {
            assert_eq!(shown(View::Bytes, stored), stored);
        }
    }

    #[test]
    fn the_json_view_declares_json() {
        for (stored, seen) in [
            (
                format!(
                    "`c` {MARIADB_JSON} DEFAULT NULL COMMENT ':<npy@>:n' CHECK (json_valid(`c`))"
                ),
                "`c` json DEFAULT NULL COMMENT '<npy@> n'",
            ),
            (
                "`c` longblob NOT NULL COMMENT ':<blob>:'".to_owned(),
                "`c` json NOT NULL COMMENT '<blob>'",
            ),
        ] {
            assert_eq!(shown(View::Json, &stored), seen, "{stored}");
        }
    }

    #[test]
    fn names_in_double_quotes_and_other_character_sets() {
        let ansi = Dialect {
            ansi_quotes: true,
            no_backslash_escapes: true,
            ..Dialect::default()
        };
        let text = b"CREATE TABLE \"t\" (\n  \"c\" json COMMENT ':<blob@>:gr\xf6\xdfe \\'\n)";
        assert_eq!(
            rewritten(text, ansi, View::Bytes).as_deref(),
            Some(
                &b"CREATE TABLE \"t\" (\n  \"c\" longblob COMMENT '<blob@> gr\xf6\xdfe \\'\n)"[..]
            )
        );
        assert_eq!(
            rewritten(b"CREATE VIEW `v` AS select 1", ansi, View::Bytes),
            None
        );
    }
}
