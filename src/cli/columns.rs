//! `codec-proxy columns`: the codec columns of the database, and whether they can be used.

use std::process::ExitCode;

use serde::Serialize;
use tokio::runtime::Runtime;

use super::print::{Form, NOTHING, table};
use super::{Configuration, placement};
use crate::catalog::{Catalog, ColumnCodec, Index};
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

/// One codec column.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Entry {
    schema: String,
    table: String,
    column: String,
    /// The type as the comment has it.
    spec: String,
    /// The codecs, outermost first; `null` if the type cannot be resolved, as the next two.
    codecs: Option<Vec<&'static str>>,
    /// The chain as people read it.
    #[serde(skip)]
    steps: Option<String>,
    /// The SQL type of the column.
    stored_type: Option<String>,
    /// The real name of the store, else as the type has it; `null` for a column that needs none.
    store: Option<String>,
    /// Whether the codec and its store are there.
    usable: bool,
    /// Why not.
    reason: Option<String>,
}

/// Prints the columns.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let entries = match entries(arguments) {
        Ok(entries) => entries,
        Err(error) => return arguments.form.fail(error),
    };
    if entries.is_empty() && !arguments.form.json {
        eprintln!("no codec columns (or the account may not SELECT from them)");
    } else {
        arguments.form.print(&entries, || lines(&entries));
    }
    if entries.iter().all(|entry| entry.usable) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn entries(arguments: &Arguments) -> Result<Vec<Entry>, Box<dyn std::error::Error>> {
    let config = Config::load(&arguments.configuration.config, std::env::vars_os())?;
    let index = Runtime::new()?.block_on(async {
        let options = config.database.connection_options();
        let catalog = Catalog::connect(options, config.catalog.max_age_seconds).await?;
        Ok::<_, crate::catalog::CatalogError>(catalog.index())
    })?;
    Ok(list(&index, arguments.within.as_deref(), &config.stores))
}

/// The codec columns within a schema or a table, in the order of their names.
fn list(index: &Index, within: Option<&str>, stores: &StoresSettings) -> Vec<Entry> {
    let same = |a: &str, b: &str| index.fold(a.as_bytes()) == index.fold(b.as_bytes());
    let is_within = |schema: &str, table: &str| match within.map(|w| w.split_once('.').ok_or(w)) {
        None => true,
        Some(Err(only)) => same(schema, only),
        Some(Ok((only, one))) => same(schema, only) && same(table, one),
    };
    let tables = index.tables().filter(|t| is_within(&t.schema, &t.name));
    let mut entries: Vec<_> = tables
        .flat_map(|table| {
            table.columns.iter().filter_map(|column| {
                let codec = column.codec.as_ref()?;
                let names = [&table.schema, &table.name, &column.name].map(String::clone);
                Some(Entry::new(names, codec, stores))
            })
        })
        .collect();
    entries.sort();
    entries
}

impl Entry {
    fn new(
        [schema, table, column]: [String; 3],
        codec: &ColumnCodec,
        stores: &StoresSettings,
    ) -> Self {
        let (spec, chain) = match codec {
            ColumnCodec::Chain(chain) => (&chain.spec, Ok(chain)),
            ColumnCodec::Unusable { spec, reason } => (spec, Err(reason.clone())),
        };
        let store = chain.clone().and_then(|chain| placed(chain, stores));
        let chain = chain.ok();
        Self {
            schema,
            table,
            column,
            spec: spec.clone(),
            codecs: chain.map(|chain| chain.codecs.clone()),
            steps: chain.map(placement::steps),
            stored_type: chain.map(|chain| chain.stored_type().into_owned()),
            usable: store.is_ok(),
            reason: store.as_ref().err().cloned(),
            store: match store {
                Ok(store) => store,
                Err(_) => chain.and_then(|chain| chain.store.clone()),
            },
        }
    }

    fn row(&self) -> [String; 6] {
        let or_nothing = |text: &Option<String>| text.as_deref().unwrap_or(NOTHING).to_owned();
        [
            format!("{}.{}.{}", self.schema, self.table, self.column),
            self.spec.clone(),
            or_nothing(&self.steps),
            or_nothing(&self.stored_type),
            match self.store.as_deref() {
                Some("") => NOTHING.to_owned(),
                _ => or_nothing(&self.store),
            },
            self.reason.as_deref().unwrap_or("ok").to_owned(),
        ]
    }
}

fn placed(chain: &Chain, stores: &StoresSettings) -> Result<Option<String>, String> {
    let store = placement::store(chain, stores).map_err(|error| error.to_string())?;
    Ok(store.map(str::to_owned))
}

fn lines(entries: &[Entry]) -> String {
    let rows: Vec<_> = entries.iter().map(Entry::row).collect();
    let heads = ["COLUMN", "TYPE", "CHAIN", "STORED AS", "STORE", "STATE"];
    table(heads, &rows)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::{Column, NameCase, Table, TableKind};
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
        let entries = list(&index(case), within, &stores());
        let name = |e: &Entry| format!("{}.{}.{}", e.schema, e.table, e.column);
        entries.iter().map(name).collect()
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
        let entries = list(&index(NameCase::Sensitive), None, &stores());
        let told = |e: &Entry| (e.store.clone(), e.usable, e.reason.clone());
        let [mask, a, b, graph] = &entries[..] else {
            panic!("{entries:?}")
        };
        let missing = "Storage 'cold' is requested but not configured in stores (configured: main)";
        assert_eq!(
            told(mask),
            (Some("cold".into()), false, Some(missing.into()))
        );
        assert_eq!(told(a), (None, true, None));
        assert_eq!(told(b), (Some("main".into()), true, None));
        assert!(!graph.usable && graph.codecs.is_none(), "{graph:?}");
        assert!(
            lines(&entries).contains("lab.scan.b   <blob@>"),
            "{}",
            lines(&entries)
        );
    }
}
