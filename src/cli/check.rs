//! `codec-proxy check`: everything a configuration names is tried once, and told of.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tokio::runtime::{Handle, Runtime};
use tokio::time::timeout;

use crate::catalog::{Catalog, ColumnCodec, Index};
use crate::config::{Config, Database, Limits};
use crate::store::{StoreLimits, Stores, StoresSettings};

/// Tries the configuration in `file`, and prints each finding.
pub(super) fn run(file: &Path) -> ExitCode {
    let mut findings = Findings::new(stdout().lock());
    match (Config::load(file, std::env::vars_os()), Runtime::new()) {
        (Ok(config), Ok(runtime)) => {
            findings.ok(format_args!("configuration {}", file.display()));
            runtime.block_on(examine(&config, &mut findings));
        }
        (Err(error), _) => findings.fail(format_args!("configuration {error}")),
        (_, Err(error)) => findings.fail(format_args!("no threads to work with: {error}")),
    }
    match findings.faults {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

async fn examine<W: Write>(config: &Config, findings: &mut Findings<W>) {
    if database(&config.database, &config.limits, findings).await {
        match Catalog::connect(&config.database, &config.catalog).await {
            Ok(catalog) => columns(&catalog.index(), &config.stores, findings),
            Err(error) => findings.fail(format_args!("catalog: {error}")),
        }
    }
    if config.stores.stores.is_empty() {
        findings.ok(format_args!("stores: none are configured"));
    }
    for name in config.stores.stores.keys() {
        match store(name, &config.stores, &config.limits).await {
            Ok(()) => findings.ok(format_args!("store {name}: stored, read back, deleted")),
            Err(reason) => findings.fail(format_args!("store {name}: {reason}")),
        }
    }
}

/// Whether the configured account gets in.
async fn database<W: Write>(
    database: &Database,
    limits: &Limits,
    findings: &mut Findings<W>,
) -> bool {
    let address = &database.address;
    let greeting = async {
        let mut conn = Conn::new(database.connection_options()).await?;
        let row: Option<(String, String)> = conn.query_first("SELECT VERSION(), USER()").await?;
        conn.disconnect().await?;
        Ok::<_, mysql_async::Error>(row.unwrap_or_default())
    };
    match timeout(limits.login_seconds, greeting).await {
        Ok(Ok((version, user))) => {
            findings.ok(format_args!("database {address}: {version}, as {user}"));
            return true;
        }
        Ok(Err(error)) => findings.fail(format_args!("database {address}: {error}")),
        Err(_) => findings.fail(format_args!(
            "database {address}: no answer within {:?}",
            limits.login_seconds
        )),
    }
    false
}

/// What the account sees of codec columns, and whether their stores are there.
fn columns<W: Write>(index: &Index, stores: &StoresSettings, findings: &mut Findings<W>) {
    let mut codecs = 0;
    // What is wrong, with the columns it is wrong for.
    let mut unusable: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut unstored: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for table in index.tables() {
        for (i, column) in table.columns.iter().enumerate() {
            match &column.codec {
                None => continue,
                Some(ColumnCodec::Unusable { reason, .. }) => {
                    unusable
                        .entry(reason.clone())
                        .or_default()
                        .push(table.column_path(i));
                }
                Some(ColumnCodec::Chain(chain)) => {
                    if let Some(missing) = chain.store.as_deref().and_then(|s| missing(s, stores)) {
                        unstored
                            .entry(missing)
                            .or_default()
                            .push(table.column_path(i));
                    }
                }
            }
            codecs += 1;
        }
    }
    match codecs {
        0 => findings.ok(format_args!(
            "catalog: no codec columns yet (or the account may not SELECT from them)"
        )),
        n => findings.ok(format_args!("catalog: {n} codec columns")),
    }
    for (reason, columns) in unusable {
        let columns = FirstFew(&columns);
        findings.ok(format_args!(
            "catalog: {reason}; refused when touched: {columns}"
        ));
    }
    for (missing, columns) in unstored {
        findings.fail(format_args!(
            "catalog: {missing}, for {}",
            FirstFew(&columns)
        ));
    }
}

/// What is not configured about a store by this name (empty: the default one).
fn missing(name: &str, stores: &StoresSettings) -> Option<String> {
    match (name, &stores.default) {
        ("", Some(_)) => None,
        ("", None) => Some("stores.default is not configured".to_owned()),
        (name, _) if stores.stores.contains_key(name) => None,
        (name, _) => Some(format!("store {name:?} is not configured")),
    }
}

/// Tries one store, whatever is wrong with the others.
async fn store(name: &str, all: &StoresSettings, limits: &Limits) -> Result<(), String> {
    let alone = StoresSettings {
        stores: all
            .stores
            .get_key_value(name)
            .map(|(n, s)| (n.clone(), s.clone()))
            .into_iter()
            .collect(),
        ..StoresSettings::default()
    };
    let limits = StoreLimits {
        deadline: limits.store_seconds,
    };
    let stores = Stores::open(&alone, limits, Handle::current()).map_err(|e| e.to_string())?;
    let store = stores.resolve(name).map_err(|e| e.to_string())?;
    store.probe().await.map_err(|e| e.to_string())
}

/// The findings, printed as they come.
struct Findings<W> {
    out: W,
    faults: usize,
}

impl<W: Write> Findings<W> {
    fn new(out: W) -> Self {
        Self { out, faults: 0 }
    }

    fn ok(&mut self, finding: fmt::Arguments<'_>) {
        self.line("ok  ", finding);
    }

    fn fail(&mut self, finding: fmt::Arguments<'_>) {
        self.faults += 1;
        self.line("FAIL", finding);
    }

    /// Nobody may be reading any more; the exit code still tells.
    fn line(&mut self, mark: &str, finding: fmt::Arguments<'_>) {
        let _ = writeln!(self.out, "{mark} {finding}");
    }
}

/// The first few of many columns.
struct FirstFew<'a>(&'a [String]);

impl fmt::Display for FirstFew<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(5)];
        f.write_str(&shown.join(", "))?;
        match self.0.len() - shown.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
