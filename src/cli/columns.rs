//! `codec-proxy columns`: the codec columns of the database, and whether they can be used.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use tokio::runtime::Runtime;

use super::print::{Form, NOTHING, table};
use super::{Configuration, placement};
use crate::catalog::{Catalog, CatalogError, ColumnCodec, Index, Table};
use crate::codec::Chain;
use crate::config::Config;
use crate::store::StoresSettings;

/// What is told by `--help`, after the options.
pub(super) const HELP: &str = "\
One line for each column whose comment carries a codec, as the account of the configuration sees
them. STATE is \"ok\", or why the column cannot be used. Exits with 1 if there is such a column,
or if the database cannot be asked.

Examples:
  $ codec-proxy columns --config codec-proxy.toml
  $ codec-proxy columns lab --config codec-proxy.toml          one schema
  $ codec-proxy columns lab._scan --config codec-proxy.toml    one table
  $ CODEC_PROXY_CONFIG=codec-proxy.toml codec-proxy columns --json | jq '.[] | select(.usable | not)'";

/// What the user may decide.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only the columns of this schema, or of this table
    #[arg(value_name = "SCHEMA[.TABLE]")]
    within: Option<String>,

    #[command(flatten)]
    configuration: Configuration,

    #[command(flatten)]
    form: Form,
}

/// Prints the columns.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let form = arguments.form;
    let (index, stores) = match read(&arguments.configuration.config) {
        Ok(read) => read,
        Err(error) => return form.fail(error),
    };
    let entries = list(&index, arguments.within.as_deref(), &stores);
    if entries.is_empty() && !form.json {
        eprintln!("no codec columns (or the account may not SELECT from them)");
    } else {
        let json: Vec<_> = entries.iter().map(Entry::json).collect();
        form.print(&json, || lines(&entries));
    }
    if entries.iter().all(|entry| entry.store.is_ok()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What the database has, and the stores that there are.
fn read(file: &Path) -> Result<(Arc<Index>, StoresSettings), Box<dyn Error>> {
    let config = Config::load(file, std::env::vars_os())?;
    let index = Runtime::new()?.block_on(async {
        let options = config.database.connection_options();
        let catalog = Catalog::connect(options, config.catalog.max_age_seconds).await?;
        Ok::<_, CatalogError>(catalog.index())
    })?;
    Ok((index, config.stores))
}

/// One codec column.
struct Entry<'a> {
    table: &'a Table,
    column: &'a str,
    codec: &'a ColumnCodec,
    /// The real name of its store if it needs one, or why the column cannot be used.
    store: Result<Option<&'a str>, String>,
}

/// The codec columns within a schema or a table, in the order of their names.
fn list<'a>(index: &'a Index, within: Option<&str>, stores: &'a StoresSettings) -> Vec<Entry<'a>> {
    let same = |a: &str, b: &str| index.fold(a.as_bytes()) == index.fold(b.as_bytes());
    let is_within = |table: &Table| match within.map(|names| (names, names.split_once('.'))) {
        None => true,
        Some((schema, None)) => same(&table.schema, schema),
        Some((_, Some((schema, name)))) => same(&table.schema, schema) && same(&table.name, name),
    };
    let mut entries = Vec::new();
    for table in index.tables().filter(|table| is_within(table)) {
        for column in &table.columns {
            if let Some(codec) = &column.codec {
                entries.push(Entry {
                    table,
                    column: &column.name,
                    codec,
                    store: match codec {
                        ColumnCodec::Chain(chain) => {
                            placement::store(chain, stores).map_err(|error| error.to_string())
                        }
                        ColumnCodec::Unusable { reason, .. } => Err(reason.clone()),
                    },
                });
            }
        }
    }
    entries.sort_by_key(|entry| (&entry.table.schema, &entry.table.name, entry.column));
    entries
}

impl Entry<'_> {
    fn json(&self) -> serde_json::Value {
        let chain = self.chain();
        json!({
            "schema": self.table.schema,
            "table": self.table.name,
            "column": self.column,
            "spec": self.spec(),
            "codecs": chain.map(|chain| &chain.codecs),
            "stored_type": chain.map(Chain::stored_type),
            "store": self.store(),
            "usable": self.store.is_ok(),
            "reason": self.store.as_ref().err(),
        })
    }

    fn row(&self) -> [String; 6] {
        let chain = self.chain();
        let store = self.store().filter(|name| !name.is_empty());
        let told = [
            chain.map(placement::steps),
            chain.map(|chain| chain.stored_type().into_owned()),
            store.map(str::to_owned),
        ];
        let [steps, stored_type, store] = told.map(|told| told.unwrap_or(NOTHING.to_owned()));
        let state = self.store.as_ref().err();
        [
            format!("{}.{}.{}", self.table.schema, self.table.name, self.column),
            self.spec().to_owned(),
            steps,
            stored_type,
            store,
            state.map_or("ok", String::as_str).to_owned(),
        ]
    }

    /// `None` for a type that cannot be resolved.
    fn chain(&self) -> Option<&Chain> {
        match self.codec {
            ColumnCodec::Chain(chain) => Some(chain),
            ColumnCodec::Unusable { .. } => None,
        }
    }

    fn spec(&self) -> &str {
        match self.codec {
            ColumnCodec::Chain(chain) => &chain.spec,
            ColumnCodec::Unusable { spec, .. } => spec,
        }
    }

    /// The real name of the store, or the one that is missing (empty: a default store).
    fn store(&self) -> Option<&str> {
        match &self.store {
            Ok(store) => *store,
            Err(_) => self.chain()?.store.as_deref(),
        }
    }
}

fn lines(entries: &[Entry<'_>]) -> String {
    let rows: Vec<_> = entries.iter().map(Entry::row).collect();
    let heads = ["COLUMN", "TYPE", "CHAIN", "STORED AS", "STORE", "STATE"];
    table(heads, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, NameCase, TableKind};
    use crate::codec::TypeSpec;
    use crate::store::StoreSettings;

    fn column((name, spec): (&str, &str)) -> Column {
        let codec = match TypeSpec::parse(spec).map(|spec| spec.resolve()) {
            None => None,
            Some(Ok(chain)) => Some(ColumnCodec::Chain(chain)),
            Some(Err(error)) => Some(ColumnCodec::Unusable {
                spec: spec.to_owned(),
                reason: error.to_string(),
            }),
        };
        Column {
            name: name.to_owned(),
            invisible: false,
            marker: Some(spec.to_owned()),
            codec,
            key: None,
        }
    }

    fn index(case: NameCase) -> Index {
        let table = |schema: &str, name: &str, columns: &[(&str, &str)]| {
            Arc::new(Table {
                schema: schema.to_owned(),
                name: name.to_owned(),
                kind: TableKind::Base,
                columns: columns.iter().copied().map(column).collect(),
            })
        };
        let scan = [("b", "<blob@>"), ("id", "int32"), ("a", "<blob>")];
        let tables = vec![
            table("lab", "scan", &scan),
            table("lab", "#mask", &[("m", "<blob@cold>")]),
            table("lab2", "scan", &[("g", "<graph@main>")]),
        ];
        Index::new(tables, case, true)
    }

    fn stores() -> StoresSettings {
        let main = StoreSettings {
            protocol: Some("file".to_owned()),
            location: Some("/srv".to_owned()),
            ..StoreSettings::default()
        };
        StoresSettings {
            default: Some("main".to_owned()),
            stores: [("main".to_owned(), main)].into(),
            ..StoresSettings::default()
        }
    }

    fn names(case: NameCase, within: Option<&str>) -> Vec<String> {
        let (index, stores) = (index(case), stores());
        let entries = list(&index, within, &stores);
        entries.iter().map(|entry| entry.row()[0].clone()).collect()
    }

    #[test]
    fn columns_come_in_order_and_from_where_they_are_asked() {
        let all = ["lab.#mask.m", "lab.scan.a", "lab.scan.b", "lab2.scan.g"];
        let strict = NameCase::Sensitive;
        assert_eq!(names(strict, None), all);
        assert_eq!(names(strict, Some("lab")), all[..3]);
        assert_eq!(names(strict, Some("lab.scan")), all[1..3]);
        assert!(names(strict, Some("Lab.scan")).is_empty());
        assert!(names(strict, Some("lab.sca")).is_empty());
        assert_eq!(names(NameCase::Insensitive, Some("LAB.Scan")), all[1..3]);
    }

    #[test]
    fn each_is_told_with_its_store_or_its_fault() {
        let (index, stores) = (index(NameCase::Sensitive), stores());
        let entries = list(&index, None, &stores);
        let told: Vec<_> = entries
            .iter()
            .map(|e| (e.store(), e.store.is_ok()))
            .collect();
        let is = [
            (Some("cold"), false),
            (None, true),
            (Some("main"), true),
            (None, false),
        ];
        assert_eq!(told, is);
        assert_eq!(
            entries[0].json()["reason"],
            "Storage 'cold' is requested but not configured in stores (configured: main)"
        );
        assert_eq!(entries[1].json()["reason"], serde_json::Value::Null);
        let graph = entries[3].row();
        assert_eq!(graph[1..5], ["<graph@main>", NOTHING, NOTHING, NOTHING]);
        assert!(graph[5].contains("<graph>"), "{graph:?}");
    }
}
