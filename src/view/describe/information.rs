//! `information_schema.COLUMNS`, as the view has it: a query on that table in place of the table.
//!
//! The server itself translates, so what a client selects, compares, groups and joins is alike:
//! where a type, a comment or a length of text is shown otherwise, the query has an expression
//! over the row's comment. The codecs' markers are those of the catalog; of a core type's a
//! pattern tells. Lengths and character sets are those of a plain column of the shown type
//! (MySQL's manual, "The INFORMATION_SCHEMA COLUMNS Table"; of `json` there are none).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::Presentation;
use crate::catalog::Index;
use crate::view::View;

/// The name of the schema.
pub const SCHEMA: &str = "information_schema";
/// The name of the table.
pub const TABLE: &str = "columns";

/// The marker with both its colons, as bytes; an empty text if there is none.
const MARKER: &str = "CAST(LEFT(COLUMN_COMMENT, LOCATE(_utf8mb4':', COLUMN_COMMENT, 2)) AS BINARY)";
/// What follows the marker.
const REST: &str = "SUBSTRING(COLUMN_COMMENT, LOCATE(_utf8mb4':', COLUMN_COMMENT, 2) + 1)";
/// The core types as [`comment::is_core_type`](crate::codec::comment::is_core_type) knows them,
/// without `uuid`, whose marker DataJoint 0.14 reads.
const CORE: &str = "LOWER(COLUMN_COMMENT) REGEXP _utf8mb4'^:(float32|float64|int64|int32|int16|int8|\
    bool|json|jsonb|bytes|date|datetime|(datetime|char|varchar) *[(][0-9]+[)]|\
    decimal *[(][0-9]+ *, *[0-9]+ *[)]|enum *[(][^:]+[)]):'";
/// The core type that is JSON.
const CORE_JSON: &str = "LOWER(COLUMN_COMMENT) REGEXP _utf8mb4'^:jsonb?:'";
/// How MariaDB holds JSON.
const AS_TEXT: &str = "DATA_TYPE = _utf8mb4'longtext'";
/// MariaDB's default of the present time, which MySQL writes otherwise.
const NOW: &str = "DATA_TYPE IN (_utf8mb4'datetime', _utf8mb4'timestamp') \
    AND COLUMN_DEFAULT REGEXP _utf8mb4'^current_timestamp[(][0-9]*[)]$'";

/// How the table is shown to a client.
#[derive(Debug)]
pub struct Information {
    view: View,
    mariadb: bool,
    /// The markers of codecs whose type is shown otherwise, by that type.
    types: BTreeMap<&'static str, Markers>,
    /// Those that a comment is shown without, by what stands there instead.
    comments: BTreeMap<&'static str, Markers>,
    /// All columns of the table, in its order.
    columns: Vec<String>,
}

/// Markers with their colons.
type Markers = BTreeSet<String>;

impl Information {
    /// `None` if the view has nothing otherwise than the server.
    pub fn new(view: View, index: &Index) -> Option<Self> {
        let mariadb = index.is_mariadb();
        if index.is_empty() || view == View::Stored && !mariadb {
            return None;
        }
        let mut shown = Self {
            view,
            mariadb,
            types: BTreeMap::new(),
            comments: BTreeMap::new(),
            columns: index.described().to_vec(),
        };
        let columns = index.tables().flat_map(|table| &table.columns);
        let marked = columns.filter(|column| column.codec.is_some());
        let markers: BTreeSet<&str> = marked.filter_map(|c| c.marker.as_deref()).collect();
        for marker in markers {
            let presentation = Presentation::new(view, mariadb, marker, "longtext");
            let whole = format!(":{marker}:");
            if let Some(column_type) = presentation.column_type {
                let of_type = shown.types.entry(column_type).or_default();
                of_type.insert(whole.clone());
            }
            if let Some(instead) = presentation.marker {
                shown.comments.entry(instead).or_default().insert(whole);
            }
        }
        Some(shown)
    }

    /// All columns of the table.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether a column of the table, named in upper case, is shown otherwise than it is.
    pub fn changes(&self, column: &str) -> bool {
        self.expression(column).is_some()
    }

    /// The query that stands for the table, with the given columns of it: each in upper case, and
    /// as it is called in the result.
    pub fn query<'a>(&self, columns: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        let mut query = String::from("(SELECT ");
        let mut separator = "";
        for (column, name) in columns {
            let expression = self.expression(column);
            let expression = expression.as_deref().unwrap_or(column);
            // Writing to a String cannot fail.
            let _ = write!(query, "{separator}{expression} AS `{name}`");
            separator = ", ";
        }
        if separator.is_empty() {
            query.push('1');
        }
        query.push_str(" FROM information_schema.COLUMNS)");
        query
    }

    /// What stands for a column; `None` if the column itself.
    fn expression(&self, column: &str) -> Option<String> {
        match (column, self.view) {
            ("DATA_TYPE", _) => self.data_type(column, |shown| {
                shown.split('(').next().unwrap_or_default().to_owned()
            }),
            ("COLUMN_TYPE", _) => self.data_type(column, str::to_owned),
            ("COLUMN_DEFAULT", View::Stored) => Some(format!(
                "CASE WHEN {NOW} THEN IF(COLUMN_DEFAULT = _utf8mb4'current_timestamp()', \
                 _utf8mb4'CURRENT_TIMESTAMP', CONCAT(_utf8mb4'CURRENT_TIMESTAMP', \
                 SUBSTRING(COLUMN_DEFAULT, 18))) ELSE COLUMN_DEFAULT END"
            )),
            (_, View::Stored) => None,
            ("COLUMN_COMMENT", _) => Some(self.comment()),
            ("CHARACTER_MAXIMUM_LENGTH", _) => self.length(column, |chars| chars),
            ("CHARACTER_OCTET_LENGTH", _) => self.length(column, |chars| 4 * chars),
            ("CHARACTER_SET_NAME", _) => self.text(column, "utf8mb4"),
            ("COLLATION_NAME", _) => self.text(column, "utf8mb4_bin"),
            _ => None,
        }
    }

    fn data_type(&self, column: &str, written: impl Fn(&str) -> String) -> Option<String> {
        let stored = self.view == View::Stored;
        let mut cases = self.by_type(|shown| format!("_utf8mb4'{}'", written(shown)));
        if stored {
            // Only where MariaDB calls it a text.
            for (condition, _) in &mut cases {
                *condition = format!("{AS_TEXT} AND {condition}");
            }
        }
        if self.mariadb {
            cases.push((
                format!("{AS_TEXT} AND {CORE_JSON}"),
                "_utf8mb4'json'".to_owned(),
            ));
        }
        case(cases, column).map(|case| self.never_null(case))
    }

    fn comment(&self) -> String {
        let cases = self.comments.iter().map(|(instead, markers)| {
            let shown = match instead.is_empty() {
                true => REST.to_owned(),
                false => format!("CONCAT(_utf8mb4'{instead}', {REST})"),
            };
            (is_one_of(markers), shown)
        });
        let mut cases: Vec<_> = cases.collect();
        cases.push((CORE.to_owned(), REST.to_owned()));
        let comment = case(cases, "COLUMN_COMMENT").unwrap_or_default();
        self.never_null(comment)
    }

    fn length(&self, column: &str, of_text: impl Fn(u64) -> u64) -> Option<String> {
        let cases = self.by_type(|shown| match (shown, characters(shown)) {
            ("longblob", _) => u32::MAX.to_string(),
            (_, Some(characters)) => of_text(characters).to_string(),
            _ => "NULL".to_owned(),
        });
        // With a number from the text MariaDB makes a decimal of it.
        case(cases, column).map(|case| match self.mariadb {
            true => format!("CAST({case} AS UNSIGNED)"),
            false => case,
        })
    }

    fn text(&self, column: &str, of_text: &str) -> Option<String> {
        let cases = self.by_type(|shown| match characters(shown) {
            Some(_) => format!("_utf8mb4'{of_text}'"),
            None => "NULL".to_owned(),
        });
        case(cases, column)
    }

    /// A text that MariaDB announces as NOT NULL.
    fn never_null(&self, expression: String) -> String {
        match self.mariadb {
            true => format!("IFNULL({expression}, _utf8mb4'')"),
            false => expression,
        }
    }

    /// The conditions of the shown types, with what is shown.
    fn by_type(&self, shown: impl Fn(&'static str) -> String) -> Vec<(String, String)> {
        let types = self.types.iter();
        types
            .map(|(column_type, markers)| (is_one_of(markers), shown(column_type)))
            .collect()
    }
}

/// The length of a shown type that is a text.
fn characters(column_type: &str) -> Option<u64> {
    let (_, rest) = column_type.split_once('(')?;
    rest.strip_suffix(')')?.parse().ok()
}

fn case(cases: Vec<(String, String)>, otherwise: &str) -> Option<String> {
    if cases.is_empty() {
        return None;
    }
    let cases = cases
        .iter()
        .map(|(condition, shown)| format!(" WHEN {condition} THEN {shown}"));
    Some(format!(
        "CASE{} ELSE {otherwise} END",
        cases.collect::<String>()
    ))
}

/// In hexadecimal, so that neither the SQL mode nor the character set of the client matters.
fn is_one_of(markers: &Markers) -> String {
    let hex = |marker: &String| {
        let digits = marker.bytes().map(|b| format!("{b:02x}"));
        format!("X'{}'", digits.collect::<String>())
    };
    let list: Vec<String> = markers.iter().map(hex).collect();
    format!("{MARKER} IN ({})", list.join(", "))
}
