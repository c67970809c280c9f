//! `codec-proxy codecs`: the registered codecs.

use std::path::PathBuf;
use std::process::ExitCode;

use super::print::{Form, table};
use crate::codec::registry;
use crate::listing::codecs::Entry;

/// What is told by `--help`, after the options.
pub(super) const HELP: &str = "\
INLINE is what the codec hands its values to in a type like <blob>, STORE in one like
<blob@main>: a core type, or another codec. \"requires @\" means that it lives in stores only.
ADDRESSING is how the objects in the store are named in the end: by the hash of their content,
by their place in the database (schema), or by whoever manages them (reference).
ORIGIN is \"built-in\", the Rust module, the line of the configuration that defines it, or the
Python package.

Examples:
  $ codec-proxy codecs
  $ codec-proxy codecs --config codec-proxy.toml
  $ codec-proxy codecs --json | jq -r '.[].name'
  $ codec-proxy resolve '<blob@main>'      what one type comes to";

/// What the user may decide.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The TOML file with the configuration, for the codecs that it defines
    #[arg(long, value_name = "FILE", env = "CODEC_PROXY_CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    form: Form,
}

/// Prints all codecs, by name.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    if let Some(file) = &arguments.config
        && let Err(error) = super::load_all(file)
    {
        return arguments.form.fail(error);
    }
    let registry = registry::current();
    let entries: Vec<_> = registry.entries().map(Entry::new).collect();
    arguments.form.print(&entries, || {
        let codecs = registry.entries().map(|entry| &*entry.codec);
        let rows = entries.iter().zip(codecs).map(|(e, c)| e.row(c));
        table(
            ["NAME", "INLINE", "STORE", "ADDRESSING", "ORIGIN"],
            &rows.collect::<Vec<_>>(),
        )
    });
    ExitCode::SUCCESS
}
