//! What the catalog knows, and how news from several sources become one index.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::index::{Index, NameCase, Parts, Table, TableKind, fold_case};
use crate::sql::lexer::{Dialect, TokenKind, lex, name_text};

/// A table or view by its two names, as the server stores them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name {
    pub schema: String,
    pub table: String,
}

impl Name {
    pub fn new(schema: &str, table: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            table: table.to_owned(),
        }
    }
}

/// What never changes while the server runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub case: NameCase,
    pub mariadb: bool,
    /// The columns of its `information_schema.COLUMNS`.
    pub described: Arc<[String]>,
}

/// What a full scan found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub tables: HashMap<Name, Table>,
    pub views: Vec<ViewText>,
    /// (schema, table, column)
    pub namesakes: Vec<(String, String, String)>,
}

/// What a look at one name found.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// A table with a codec column.
    Table(Table),
    View(ViewText),
    /// Nothing that matters.
    Nothing,
}

/// The names in a view's definition.
#[derive(Debug, Clone)]
pub(super) struct ViewText {
    pub name: Name,
    /// Folded; `None` if the account may not read the definition.
    names: Option<HashSet<String>>,
    definition: Option<Arc<str>>,
}

impl ViewText {
    pub fn new(name: Name, definition: Option<&str>) -> Self {
        // The server stores definitions with backticks around every name, whatever the mode
        // they were made under; an unreadable definition comes as an empty text.
        let definition = definition.filter(|d| !d.is_empty());
        let names = definition.map(|definition| {
            let text = definition.as_bytes();
            let tokens = lex(text, Dialect::default()).tokens;
            let names = tokens
                .iter()
                .filter(|t| matches!(t.kind, TokenKind::QuotedName | TokenKind::Word));
            let folded = |t| fold_case(&String::from_utf8_lossy(&name_text(text, t))).into_owned();
            names.map(folded).collect()
        });
        Self {
            name,
            names,
            definition: definition.map(Arc::from),
        }
    }

    fn names(&self, name: &str) -> bool {
        let names = self.names.as_ref();
        names.is_none_or(|names| names.contains(&*fold_case(name)))
    }
}

/// Everything that the index is made of, in the form in which news arrive.
///
/// A full scan takes a while; what single looks find meanwhile is newer than what the scan may
/// have read, so it is written into a journal and put on top of the scan when that ends. Should
/// the scan have been right and the look outdated (a change made elsewhere between the two),
/// the change token has moved again and the next scan is under way.
#[derive(Debug, Default)]
pub(super) struct Known {
    facts: Facts,
    tables: HashMap<Name, Arc<Table>>,
    views: HashMap<Name, ViewText>,
    namesakes: Vec<(String, String, String)>,
    journal: Option<Vec<(Name, Found)>>,
}

impl Known {
    pub fn new(facts: Facts) -> Self {
        Self {
            facts,
            ..Self::default()
        }
    }

    /// A full scan begins.
    pub fn begin_scan(&mut self) {
        self.journal = Some(Vec::new());
    }

    /// The scan that began last has ended.
    pub fn end_scan(&mut self, scan: Scan) {
        self.tables = scan
            .tables
            .into_iter()
            .map(|(n, t)| (n, Arc::new(t)))
            .collect();
        self.views = scan
            .views
            .into_iter()
            .map(|v| (v.name.clone(), v))
            .collect();
        self.namesakes = scan.namesakes;
        for (name, found) in self.journal.take().into_iter().flatten() {
            self.place(name, found);
        }
    }

    /// What a look at one name found; looks come here in the order in which they were made.
    pub fn take(&mut self, name: Name, found: Found) {
        if let Some(journal) = &mut self.journal {
            journal.push((name.clone(), found.clone()));
        }
        self.place(name, found);
    }

    /// The names known in a schema.
    pub fn names_in(&self, schema: &str) -> Vec<Name> {
        let names = self.tables.keys().chain(self.views.keys());
        names
            .filter(|n| self.facts.case.same(&n.schema, schema))
            .cloned()
            .collect()
    }

    /// The names of all codec columns.
    pub fn codec_columns(&self) -> HashSet<String> {
        let columns = self.tables.values();
        columns
            .flat_map(|t| t.codecs().map(|i| t.columns[i].name.clone()))
            .collect()
    }

    pub fn index(&self) -> Index {
        let opaque = self.opaque_views();
        let definition = |name: &Name| {
            let definition = self.views.get(name)?.definition.clone()?;
            Some((name.schema.clone(), name.table.clone(), definition))
        };
        let definitions = opaque.keys().filter_map(definition).collect();
        let views = opaque.into_iter().map(|(name, kind)| {
            Arc::new(Table {
                schema: name.schema,
                name: name.table,
                kind,
                columns: Vec::new(),
            })
        });
        Index::from_parts(Parts {
            tables: self.tables.values().cloned().chain(views).collect(),
            namesakes: self.namesakes.clone(),
            definitions,
            case: self.facts.case,
            mariadb: self.facts.mariadb,
            described: self.facts.described.clone(),
        })
    }

    fn place(&mut self, name: Name, found: Found) {
        let case = self.facts.case;
        let is_name =
            |n: &Name| case.same(&n.schema, &name.schema) && case.same(&n.table, &name.table);
        self.tables.retain(|n, _| !is_name(n));
        self.views.retain(|n, _| !is_name(n));
        self.namesakes
            .retain(|(s, t, _)| !(case.same(s, &name.schema) && case.same(t, &name.table)));
        match found {
            Found::Table(table) => {
                let name = Name::new(&table.schema, &table.name);
                self.tables.insert(name, Arc::new(table));
            }
            Found::View(view) => {
                self.views.insert(view.name.clone(), view);
            }
            Found::Nothing => {}
        }
    }

    /// The views that may show a codec column: their definition names one and its table, or
    /// names such a view, or cannot be read.
    fn opaque_views(&self) -> HashMap<Name, TableKind> {
        let mut external = HashSet::new();
        let mut all = HashSet::new();
        for view in self.views.values() {
            let Some(kind) = self.shown_by(view) else {
                continue;
            };
            all.insert(view.name.clone());
            if kind == TableKind::View {
                external.insert(view.name.clone());
            }
        }
        let of_kind = |views, kind| {
            let views: HashSet<Name> = self.and_those_upon(views);
            views.into_iter().map(move |name| (name, kind))
        };
        let mut opaque: HashMap<Name, TableKind> = of_kind(all, TableKind::InlineView).collect();
        opaque.extend(of_kind(external, TableKind::View));
        opaque
    }

    /// What a view is by the tables that its definition names; `None` if it shows no codec column.
    fn shown_by(&self, view: &ViewText) -> Option<TableKind> {
        let mut kind = None;
        for table in self.tables.values().filter(|t| view.names(&t.name)) {
            let named = |i: usize| view.names(&table.columns[i].name);
            if table.external().any(named) {
                return Some(TableKind::View);
            }
            if table.codecs().any(named) {
                kind = Some(TableKind::InlineView);
            }
        }
        kind
    }

    /// The given views, and all whose definition names one of them, or another such view.
    fn and_those_upon(&self, mut views: HashSet<Name>) -> HashSet<Name> {
        while !views.is_empty() {
            let names_one = |v: &ViewText| views.iter().any(|o| v.names(&o.table));
            let rest = self.views.values().filter(|v| !views.contains(&v.name));
            let more: Vec<Name> = rest
                .filter(|v| names_one(v))
                .map(|v| v.name.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            views.extend(more);
        }
        views
    }
}

#[cfg(test)]
mod tests;
