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
use crate::codec::configured::Tried;
use crate::codec::{self, ChainError, Codec, TypeSpec};
use crate::config::{CodecDefinition, Config, Database, Limits, placement};
use crate::session::tls::Tls;
use crate::store::{Stores, StoresSettings};
use crate::view::Declaring;

/// Tries the configuration in `file`, and prints each finding.
pub(super) fn run(file: &Path) -> ExitCode {
    let mut findings = Findings::new(stdout().lock());
    match (super::load(file), Runtime::new()) {
        (Ok(config), Ok(runtime)) => {
            findings.ok(format_args!("configuration {}", file.display()));
            runtime.block_on(examine(&config, &mut findings));
        }
        (Err(error), _) => findings.fail(format_args!("configuration: {error}")),
        (_, Err(error)) => findings.fail(format_args!("no threads to work with: {error}")),
    }
    match findings.faults {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

async fn examine<W: Write>(config: &Config, findings: &mut Findings<W>) {
    if let Err(error) = codec::registry::check() {
        findings.fail(format_args!("codecs: {error}"));
    }
    packages(config, findings);
    codecs(&config.codecs, &config.limits, findings);
    match Tls::new(config) {
        Ok(_) => findings.ok(format_args!(
            "certificates for clients: {}",
            offered(config)
        )),
        Err(error) => findings.fail(format_args!("certificates: {error}")),
    }
    if database(&config.database, &config.limits, findings).await {
        match Catalog::connect(
            config.database.connection_options(),
            config.catalog.max_age_seconds,
        )
        .await
        {
            Ok(catalog) => columns(&catalog.index(), &config.stores, findings),
            Err(error) => findings.fail(format_args!("catalog: {error}")),
        }
    }
    declared(&config.declare, &config.stores, findings);
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

/// Whether the codecs of the configuration have somewhere to hand their values on to, and give a
/// sample back.
fn codecs<W: Write>(codecs: &[CodecDefinition], limits: &Limits, findings: &mut Findings<W>) {
    for CodecDefinition { codec, origin } in codecs {
        let (name, summary) = (codec.name(), codec.summary());
        if let Err(error) = ends(name) {
            findings.fail(format_args!("codec {name} ({origin}): {error}"));
            continue;
        }
        match codec.try_sample(&limits.value()) {
            Ok(Tried::Same) => findings.ok(format_args!(
                "codec {name}: {summary}; a sample came back as it was"
            )),
            Ok(Tried::Near) => findings.ok(format_args!(
                "codec {name}: {summary}; a sample came back changed, as lossy = true allows"
            )),
            Ok(Tried::None) => findings.ok(format_args!(
                "codec {name}: {summary}; not tried: no sample meets its rules (\"examples\" in \
                 a JSON Schema are tried)"
            )),
            Err(error) => findings.fail(format_args!("codec {name} ({origin}): {error}")),
        }
    }
}

/// Whether the chain that begins with the codec has an end, with a store or without.
fn ends(name: &str) -> Result<(), ChainError> {
    let resolve = |store: Option<&str>| {
        let spec = TypeSpec {
            codec: name.to_owned(),
            store: store.map(str::to_owned),
        };
        match spec.resolve() {
            Ok(_) => Ok(true),
            Err(ChainError::RequiresStore(_) | ChainError::NoStore(_)) => Ok(false),
            Err(error) => Err(error),
        }
    };
    match resolve(None)? | resolve(Some(""))? {
        true => Ok(()),
        false => Err(ChainError::NoDtype(format!(
            "<{name}> has no type that can be declared"
        ))),
    }
}

/// Starts Python, and tells what is installed there.
fn packages<W: Write>(config: &Config, findings: &mut Findings<W>) {
    let Some(python) = &config.python else {
        return;
    };
    let interpreter = python.interpreter.display();
    match codec::late::look() {
        Ok(()) => {
            let registry = codec::registry::current();
            let found = registry.entries().filter_map(|entry| {
                let origin = entry.origin.strip_prefix(crate::python::ORIGIN)?;
                Some(format!("<{}> of {origin}", entry.codec.name()))
            });
            let found = found.collect::<Vec<_>>();
            findings.ok(format_args!(
                "python {interpreter}: {}",
                match found.is_empty() {
                    true => "no packages with codecs".to_owned(),
                    false => found.join(", "),
                }
            ));
        }
        Err(error) => findings.fail(format_args!("python {error}")),
    }
}

fn offered(config: &Config) -> String {
    match (config.tls.enabled, &config.tls.identity) {
        (false, _) => "none, no encryption is offered".to_owned(),
        (true, None) => "self-signed, made at start".to_owned(),
        (true, Some(identity)) => identity.certificate.display().to_string(),
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
                    if let Err(unplaced) = placement::store(chain, stores) {
                        unstored
                            .entry(unplaced.to_string())
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
    for (unplaced, columns) in unstored {
        findings.fail(format_args!(
            "catalog: {unplaced}, for {}",
            FirstFew(&columns)
        ));
    }
}

/// Whether what `[declare]` makes of plain types has a store to go to.
fn declared<W: Write>(declare: &Declaring, stores: &StoresSettings, findings: &mut Findings<W>) {
    for chain in declare.codecs() {
        match placement::store(chain, stores) {
            Ok(_) => findings.ok(format_args!("declare: {}", placement::steps(chain))),
            Err(unplaced) => findings.fail(format_args!("declare: {}: {unplaced}", chain.spec)),
        }
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
    let stores =
        Stores::open(&alone, limits.store(), Handle::current()).map_err(|e| e.to_string())?;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::{Column, NameCase, Table, TableKind};
    use crate::store::StoreSettings;
    use crate::view::{Becomes, Rule};

    fn column(spec: &str) -> Column {
        let parsed = TypeSpec::parse(spec).expect("a type spec");
        Column {
            name: spec.trim_matches(['<', '>']).to_owned(),
            invisible: false,
            marker: Some(spec.to_owned()),
            codec: Some(match parsed.resolve() {
                Ok(chain) => ColumnCodec::Chain(chain),
                Err(error) => ColumnCodec::Unusable {
                    spec: spec.to_owned(),
                    reason: error.to_string(),
                },
            }),
            key: None,
        }
    }

    fn index(specs: &[&str]) -> Index {
        let table = Table {
            schema: "lab".into(),
            name: "session".into(),
            kind: TableKind::Base,
            columns: specs.iter().map(|spec| column(spec)).collect(),
        };
        Index::new(vec![Arc::new(table)], NameCase::Sensitive, true)
    }

    fn settings(default: Option<&str>, location: &Path) -> StoresSettings {
        let main = StoreSettings {
            protocol: Some("file".into()),
            location: Some(location.display().to_string()),
            ..StoreSettings::default()
        };
        StoresSettings {
            default: default.map(str::to_owned),
            stores: [("main".to_owned(), main)].into(),
            ..StoresSettings::default()
        }
    }

    fn lines(findings: Findings<Vec<u8>>) -> (Vec<String>, usize) {
        let text = String::from_utf8(findings.out).expect("UTF-8");
        (text.lines().map(str::to_owned).collect(), findings.faults)
    }

    fn of_columns(specs: &[&str], default: Option<&str>) -> (Vec<String>, usize) {
        let mut findings = Findings::new(Vec::new());
        columns(
            &index(specs),
            &settings(default, Path::new("/")),
            &mut findings,
        );
        lines(findings)
    }

    #[test]
    fn columns_whose_stores_are_there() {
        let specs = ["<blob@main>", "<blob@>", "<hash@main>", "<blob>"];
        let (lines, faults) = of_columns(&specs, Some("main"));
        assert_eq!(lines, ["ok   catalog: 4 codec columns"]);
        assert_eq!(faults, 0);
        let (lines, faults) = of_columns(&[], None);
        assert!(
            lines[0].starts_with("ok   catalog: no codec columns"),
            "{lines:?}"
        );
        assert_eq!(faults, 0);
    }

    #[test]
    fn columns_whose_stores_are_not() {
        let (lines, faults) = of_columns(&["<blob@cold>", "<hash@cold>", "<blob@>"], None);
        assert_eq!(faults, 2);
        assert_eq!(lines[0], "ok   catalog: 3 codec columns");
        let cold = "FAIL catalog: Storage 'cold' is requested but not configured in stores \
                    (configured: main), for lab.session.blob@cold, lab.session.hash@cold";
        assert!(lines.iter().any(|line| line == cold), "{lines:?}");
        let default = "FAIL catalog: stores.default is not configured, for lab.session.blob@";
        assert!(lines.iter().any(|line| line == default), "{lines:?}");
    }

    #[test]
    fn what_plain_types_become_needs_a_store() {
        let codec = |spec| {
            let chain = TypeSpec::parse(spec).and_then(|spec| spec.resolve().ok());
            chain.map(Becomes::Codec)
        };
        let rule = |longblob, attach| Rule {
            schema: "*".into(),
            table: "*".into(),
            longblob,
            attach,
        };
        let declare = Declaring {
            rules: vec![
                rule(codec("<blob>"), codec("<attach@main>")),
                rule(codec("<blob@cold>"), Some(Becomes::Plain)),
            ],
        };
        let mut findings = Findings::new(Vec::new());
        declared(&declare, &settings(None, Path::new("/")), &mut findings);
        let (lines, faults) = lines(findings);
        assert_eq!((faults, lines.len()), (1, 3), "{lines:?}");
        assert!(lines[0].starts_with("ok   declare: <blob>"), "{lines:?}");
        let cold = "FAIL declare: <blob@cold>: Storage 'cold' is requested but not configured";
        assert!(lines[2].starts_with(cold), "{lines:?}");
    }

    #[test]
    fn a_codec_that_is_not_there_is_no_fault_of_the_configuration() {
        let (lines, faults) = of_columns(&["<graph@main>"], None);
        assert_eq!(faults, 0);
        assert!(
            lines[1].contains("refused when touched: lab.session.graph@main"),
            "{lines:?}"
        );
    }

    #[test]
    fn of_many_columns_a_few_are_named() {
        let many: Vec<_> = (0..7).map(|i| i.to_string()).collect();
        assert_eq!(FirstFew(&many).to_string(), "0, 1, 2, 3, 4 and 2 more");
        assert_eq!(FirstFew(&many[..5]).to_string(), "0, 1, 2, 3, 4");
    }

    #[test]
    fn every_part_is_tried_whatever_fails() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut stores = settings(Some("main"), folder.path());
        let gone = stores.stores["main"].clone();
        let gone = StoreSettings {
            location: Some("/nonexistent".into()),
            ..gone
        };
        stores.stores.insert("gone".into(), gone);
        let file = folder.path().join("codec-proxy.toml");
        // Port 1 of this machine: nobody is there.
        let text = "database = { address = '127.0.0.1:1', user = 'x', password = 'hunter2' }
            listen = [{ address = '127.0.0.1:0' }]
            tls = { certificate = 'gone.pem', key = 'gone.key' }";
        std::fs::write(&file, text).expect("written");
        let none: [(&str, &str); 0] = [];
        let config = Config {
            stores,
            ..Config::load(&file, none).expect("it is right")
        };
        let mut findings = Findings::new(Vec::new());
        let runtime = Runtime::new().expect("threads");
        runtime.block_on(examine(&config, &mut findings));
        let (lines, faults) = lines(findings);
        assert_eq!(faults, 3, "{lines:?}");
        for (line, start) in lines.iter().zip([
            "FAIL certificates: ",
            "FAIL database 127.0.0.1:1: ",
            "FAIL store gone: ",
            "ok   store main: stored, read back, deleted",
        ]) {
            assert!(line.starts_with(start), "{lines:?}");
        }
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(!lines.concat().contains("hunter2"), "{lines:?}");
    }
}
