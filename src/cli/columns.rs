//! `codec-proxy columns`: the codec columns of the database, and whether they can be used.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use super::Configuration;
use super::print::{Form, table};
use crate::catalog::Listing;
use crate::listing::columns::{Entry, list};
use crate::store::StoresSettings;

/// What is told by `--help`, after the options.
pub(super) const HELP: &str = "\
One line for each column whose comment carries a codec, as the account of the configuration sees
them. STATE is \"ok\", or why the column cannot be used. Exits with 1 if there is such a column,
or if the database cannot be asked. Told as warnings: columns whose objects DataJoint's own garbage
collector would take for orphans, since a codec of yours chains to them; triggers and stored routines that may write to the tables of these
columns inside the server, past codec-proxy, are told as warnings.

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
    let (listing, stores) = match read(&arguments.configuration.config) {
        Ok(read) => read,
        Err(error) => return form.fail(error),
    };
    let within = arguments.within.as_deref();
    let (schema, table) = match within.and_then(|names| names.split_once('.')) {
        Some((schema, table)) => (Some(schema), Some(table)),
        None => (within, None),
    };
    let entries = list(&listing, schema, table, &stores);
    if entries.is_empty() && !form.json {
        eprintln!("no codec columns (or the account may not SELECT from them)");
    } else {
        let json: Vec<_> = entries.iter().map(Entry::json).collect();
        form.print(&json, || lines(&entries));
    }
    for warning in entries.iter().filter_map(Entry::warning) {
        eprintln!("warning: {warning}");
    }
    for sentence in &listing.programs.writing {
        eprintln!("warning: {sentence}, which codec-proxy does not see");
    }
    for sentence in &listing.programs.unseen {
        eprintln!("note: not seen: {sentence}");
    }
    if entries.iter().all(|entry| entry.store.is_ok()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What the database has, and the stores that there are.
fn read(file: &Path) -> Result<(Listing, StoresSettings), Box<dyn Error>> {
    let config = super::load_all(file)?;
    let options = config.database.connection_options();
    let listing = Runtime::new()?.block_on(Listing::read(options))?;
    Ok((listing, config.stores))
}

fn lines(entries: &[Entry<'_>]) -> String {
    let rows: Vec<_> = entries.iter().map(Entry::row).collect();
    let heads = ["COLUMN", "TYPE", "CHAIN", "STORED AS", "STORE", "STATE"];
    table(heads, &rows)
}
