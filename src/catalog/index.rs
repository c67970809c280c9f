//! An immutable snapshot of all tables that matter where codec columns are translated.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::key::KeyType;
use super::matcher::Matcher;
use crate::codec::Chain;

/// All tables with a codec column, and the views that show one. Cheap to look at from every session.
#[derive(Debug, Default)]
pub struct Index {
    /// schema -> table name -> table; keys are [folded](Self::fold) names.
    tables: HashMap<Folded, HashMap<Folded, Arc<Table>>>,
    /// Table name -> the tables of that name, in whatever schema; keys are folded names.
    by_name: HashMap<Folded, Vec<Arc<Table>>>,
    /// Tables without a codec that have a column named like some codec column
    /// (folded schema, folded table) -> folded column names. For `NATURAL JOIN`.
    namesakes: HashMap<(Folded, Folded), HashSet<String>>,
    /// (folded schema, folded view) -> the query that a view is.
    definitions: HashMap<(Folded, Folded), Arc<str>>,
    matcher: Matcher,
    described: Arc<[String]>,
    case: NameCase,
    mariadb: bool,
    external: bool,
    non_ascii: bool,
}

/// A schema or table name as [`Index::fold`] makes it.
type Folded = Box<[u8]>;

/// How the server compares schema and table names (`lower_case_table_names`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NameCase {
    /// 0: as the bytes are.
    #[default]
    Sensitive,
    /// 1 and 2: without regard to case.
    Insensitive,
}

/// A table (or view) with at least one codec column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Database name.
    pub schema: String,
    /// Table name, with DataJoint's tier prefix.
    pub name: String,
    /// Base table or view.
    pub kind: TableKind,
    /// All columns in table order; empty for a view.
    pub columns: Vec<Column>,
}

/// What a [`Table`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// A stored table; the server's result metadata can be trusted for it.
    Base,
    /// A view whose definition names a codec column that is not plain: nothing may be read from
    /// it yet.
    View,
    /// A view whose definition names plain codec columns only: nothing may be read from it where
    /// those are translated.
    InlineView,
}

/// One column of a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Column name as the server stores it.
    pub name: String,
    /// Left out of an INSERT without a column list, and of `SELECT *` (MariaDB `INVISIBLE`).
    pub invisible: bool,
    /// The type of the comment's marker as written, `<blob@main>` or `int32`; `None` without a marker.
    pub marker: Option<String>,
    /// The codec, if the comment carries one that this proxy handles or must refuse.
    pub codec: Option<ColumnCodec>,
    /// For a column of the primary key the kind of its values.
    pub key: Option<KeyType>,
}

/// What a column's marker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnCodec {
    /// A chain that this proxy runs.
    Chain(Chain),
    /// A marker with `@store` that this proxy cannot run: touching the column is an error.
    Unusable {
        /// The type spec as written.
        spec: String,
        /// Why, for the client.
        reason: String,
    },
}

/// What an [`Index`] is made of.
pub(super) struct Parts {
    pub tables: Vec<Arc<Table>>,
    /// (schema, table, column)
    pub namesakes: Vec<(String, String, String)>,
    /// (schema, view, definition)
    pub definitions: Vec<(String, String, Arc<str>)>,
    pub case: NameCase,
    pub mariadb: bool,
    pub described: Arc<[String]>,
}

impl Index {
    /// An index of the given tables, for a server that compares names as `case` says.
    pub fn new(tables: Vec<Arc<Table>>, case: NameCase, mariadb: bool) -> Self {
        Self::from_parts(Parts {
            tables,
            namesakes: Vec::new(),
            definitions: Vec::new(),
            case,
            mariadb,
            described: Arc::default(),
        })
    }

    pub(super) fn from_parts(parts: Parts) -> Self {
        let mut index = Self {
            matcher: Matcher::new(parts.tables.iter().map(|t| t.name.as_str()), parts.case),
            case: parts.case,
            mariadb: parts.mariadb,
            described: parts.described,
            ..Self::default()
        };
        for table in parts.tables {
            index.external |= table.kind == TableKind::View || table.external().next().is_some();
            index.non_ascii |= !table.schema.is_ascii()
                || !table.name.is_ascii()
                || table.codecs().any(|i| !table.columns[i].name.is_ascii());
            let schema = index.fold(table.schema.as_bytes()).into();
            let name: Folded = index.fold(table.name.as_bytes()).into();
            let of_schema = index.tables.entry(schema).or_default();
            of_schema.insert(name.clone(), table.clone());
            index.by_name.entry(name).or_default().push(table);
        }
        for (schema, view, definition) in parts.definitions {
            let key = (
                index.fold(schema.as_bytes()).into(),
                index.fold(view.as_bytes()).into(),
            );
            index.definitions.insert(key, definition);
        }
        for (schema, table, column) in parts.namesakes {
            let key = (
                index.fold(schema.as_bytes()).into(),
                index.fold(table.as_bytes()).into(),
            );
            let columns = index.namesakes.entry(key).or_default();
            columns.insert(fold_case(&column).into_owned());
        }
        index
    }

    /// This index with a column of a table without a codec that is named like a codec column.
    #[cfg(test)]
    pub(crate) fn with_namesake(mut self, schema: &str, table: &str, column: &str) -> Self {
        let key = (schema.as_bytes().into(), table.as_bytes().into());
        let columns = self.namesakes.entry(key).or_default();
        columns.insert(column.to_owned());
        self
    }

    /// This index with the query that a view is.
    #[cfg(test)]
    pub(crate) fn with_definition(mut self, schema: &str, view: &str, definition: &str) -> Self {
        let key = (schema.as_bytes().into(), view.as_bytes().into());
        self.definitions.insert(key, definition.into());
        self
    }

    /// This index for a server with these columns of `information_schema.COLUMNS`.
    #[cfg(test)]
    pub(crate) fn with_described(mut self, columns: &[&str]) -> Self {
        self.described = columns.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// The table of that name; both as the server sends them in a column definition, or as they
    /// stand in a statement (without quotes), in UTF-8.
    pub fn table(&self, schema: &[u8], table: &[u8]) -> Option<&Arc<Table>> {
        let of_schema = self.tables.get(&*self.fold(schema))?;
        of_schema.get(&*self.fold(table))
    }

    /// The tables of that name in whatever schema.
    pub fn tables_named(&self, table: &[u8]) -> &[Arc<Table>] {
        self.by_name.get(&*self.fold(table)).map_or(&[], |t| t)
    }

    /// All tables, in no order.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables
            .values()
            .flat_map(|of_schema| of_schema.values())
    }

    /// Whether `text` may name one of the tables: never false when it does, seldom true when it
    /// does not. In any client character set that keeps ASCII, with any quoting.
    pub fn mentions(&self, text: &[u8]) -> bool {
        self.matcher.finds(text)
    }

    /// Whether a table without a codec has a column of that name, which some codec column
    /// bears too; known from the last full scan.
    pub fn has_namesake(&self, schema: &[u8], table: &[u8], column: &str) -> bool {
        if self.namesakes.is_empty() {
            return false;
        }
        let key = (self.fold(schema).into(), self.fold(table).into());
        self.namesakes
            .get(&key)
            .is_some_and(|columns| columns.contains(&*fold_case(column)))
    }

    /// The query that a view is, as the server keeps it: in UTF-8, names in backticks, tables with
    /// their schema. `None` if it is no view of this index, or its definition cannot be read.
    pub fn view_definition(&self, view: &Table) -> Option<&str> {
        let schema = self.fold(view.schema.as_bytes()).into();
        let name = self.fold(view.name.as_bytes()).into();
        self.definitions.get(&(schema, name)).map(|d| &**d)
    }

    /// Whether there is no codec table at all.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Whether any codec column holds something else than a client of the `bytes` view sends and
    /// gets: only then a result can hold a pointer.
    pub fn has_external(&self) -> bool {
        self.external
    }

    /// Whether some codec table, its schema or a codec column has a name that is not ASCII, and
    /// so is spelt differently in different character sets.
    pub fn has_non_ascii_names(&self) -> bool {
        self.non_ascii
    }

    /// The columns of the server's `information_schema.COLUMNS`, in upper case and in their order.
    pub fn described(&self) -> &[String] {
        &self.described
    }

    /// Whether the server is a MariaDB.
    pub fn is_mariadb(&self) -> bool {
        self.mariadb
    }

    /// A schema or table name in the form in which equal names are equal bytes.
    pub fn fold<'a>(&self, name: &'a [u8]) -> Cow<'a, [u8]> {
        match (self.case, str::from_utf8(name)) {
            (NameCase::Insensitive, Ok(text)) => match fold_case(text) {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
            _ => Cow::Borrowed(name),
        }
    }
}

impl NameCase {
    /// Whether two schema or table names are the same to the server.
    pub fn same(self, a: &str, b: &str) -> bool {
        match self {
            Self::Sensitive => a == b,
            Self::Insensitive => fold_case(a) == fold_case(b),
        }
    }
}

impl Table {
    /// `schema.table.column`, as messages name a column.
    pub fn column_path(&self, column: usize) -> String {
        let name = self.columns.get(column).map_or("?", |c| &c.name);
        format!("{}.{}.{name}", self.schema, self.name)
    }

    /// The position of the column of that name, in whatever case.
    pub fn column(&self, name: &[u8]) -> Option<usize> {
        let name = str::from_utf8(name).ok()?;
        self.columns.iter().position(|c| same_name(&c.name, name))
    }

    /// The positions of the codec columns that hold something else than a client of the `bytes`
    /// view sends and gets.
    pub fn external(&self) -> impl Iterator<Item = usize> + '_ {
        let is_plain = |i: &usize| {
            let codec = self.columns[*i].codec.as_ref();
            codec.is_some_and(ColumnCodec::is_plain)
        };
        self.codecs().filter(move |i| !is_plain(i))
    }

    /// The positions of all codec columns.
    pub fn codecs(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.columns.len()).filter(|&i| self.columns[i].codec.is_some())
    }
}

impl ColumnCodec {
    /// Whether the column holds just what a client of the `bytes` view sends and gets.
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Chain(chain) => !chain.is_external() && chain.is_transparent(),
            Self::Unusable { .. } => false,
        }
    }

    /// Whether a value can only be encoded with the whole primary key of its row.
    pub fn needs_key(&self) -> bool {
        matches!(self, Self::Chain(chain) if chain.needs_key())
    }

    /// Whether a value is encoded with what is known of the primary key of its row.
    pub fn uses_key(&self) -> bool {
        matches!(self, Self::Chain(chain) if chain.uses_key())
    }

    /// Why a value of the codec is encoded with the key, for messages.
    pub fn why_key(&self) -> &'static str {
        match self.needs_key() {
            true => "its objects are named by the primary key",
            false => "its codec looks at the primary key",
        }
    }

    /// Whether, in the bytes notation, a client sends and gets text and not binary.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Chain(chain) if chain.is_text())
    }

    /// Whether the column holds pointers and not the values themselves.
    pub fn is_external(&self) -> bool {
        match self {
            Self::Chain(chain) => chain.is_external(),
            Self::Unusable { .. } => true,
        }
    }
}

/// Whether two column names (or aliases) are the same to the server, which never regards case there.
pub fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!(a.is_ascii() && b.is_ascii()) && fold_case(a) == fold_case(b))
}

/// Lower case as the server's `utf8mb3_general_ci` has it: one character for one character.
pub fn fold_case(name: &str) -> Cow<'_, str> {
    let is_lower = |c: char| !c.is_ascii_uppercase() && c.is_ascii();
    if name.chars().all(is_lower) {
        return Cow::Borrowed(name);
    }
    // Rust gives two characters for U+0130; the server gives a plain `i`.
    let lower = |c: char| c.to_lowercase().next().unwrap_or(c);
    Cow::Owned(name.chars().map(lower).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_as_the_server_folds_them() {
        assert_eq!(fold_case("abc_1"), "abc_1");
        assert_eq!(fold_case("ABC"), "abc");
        assert_eq!(fold_case("É\u{212a}\u{130}"), "éki");
        assert!(same_name("Traces", "tRACES"));
        assert!(same_name("Été", "éTÉ"));
        assert!(!same_name("e", "é"));
    }

    #[test]
    fn table_names_follow_lower_case_table_names() {
        let table = |name: &str| {
            Arc::new(Table {
                schema: "Lab".into(),
                name: name.into(),
                kind: TableKind::Base,
                columns: vec![],
            })
        };
        let strict = Index::new(vec![table("Session")], NameCase::Sensitive, true);
        assert!(strict.table(b"Lab", b"Session").is_some());
        assert!(strict.table(b"lab", b"session").is_none());
        assert!(strict.mentions(b"SELECT * FROM `Lab`.`Session`"));
        assert!(!strict.mentions(b"SELECT * FROM `Lab`.`session`"));
        let loose = Index::new(vec![table("Session")], NameCase::Insensitive, true);
        assert!(loose.table(b"lab", b"SESSION").is_some());
        assert!(loose.mentions(b"SELECT * FROM `Lab`.`sesSION`"));
        assert_eq!(loose.tables_named(b"sessioN").len(), 1);
    }
}
