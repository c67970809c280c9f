//! `codec-proxy resolve`: what a type spec comes to.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::print::{Form, NOTHING};
use super::{codecs, placement};
use crate::codec::{Addressing, Chain, TypeSpec};
use crate::config::Config;
use crate::store::StoresSettings;

/// What is told by `--help`, after the options.
pub(super) const HELP: &str = "\
Examples:
  $ codec-proxy resolve '<blob@cold>'
  chain       <blob> → <hash> → json
  stored as   json
  addressing  hash
  store       cold

The quotes keep the shell from its redirections; the brackets may be left out: blob@cold.
With a configuration the store must be one of it, and <blob@> is told with the real name of its
store. Without one, the default store is \"\" in JSON. Exits with 1 if the type cannot be used.

  $ codec-proxy resolve '<blob@>' --config codec-proxy.toml
  $ codec-proxy resolve npy@cold --json | jq -r .stored_type";

/// What the user may decide.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The type, as in a column's comment: '<blob@main>', or without the brackets
    #[arg(value_name = "TYPE")]
    spec: String,

    /// The TOML file with the configuration, to look for the store
    #[arg(long, value_name = "FILE", env = "CODEC_PROXY_CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    form: Form,
}

/// What there is to tell of a chain.
#[derive(Debug, Serialize)]
struct Resolved<'a> {
    /// The type as it is written in comments.
    spec: &'a str,
    /// The codecs, outermost first.
    codecs: &'a [&'static str],
    /// The core type that the chain ends in.
    dtype: &'a str,
    /// The SQL type of the column.
    stored_type: String,
    /// How the objects are named; `null` where there are none.
    addressing: Option<&'static str>,
    /// `null` inline; empty for a default store of which the name is not known.
    store: Option<String>,
}

/// Prints what the type comes to.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match resolve(arguments) {
        Ok((chain, stores)) => match Resolved::new(&chain, stores.as_ref()) {
            Ok(resolved) => {
                arguments.form.print(&resolved, || resolved.lines(&chain));
                ExitCode::SUCCESS
            }
            Err(unplaced) => arguments.form.fail(unplaced),
        },
        Err(error) => arguments.form.fail(error),
    }
}

fn resolve(arguments: &Arguments) -> Result<(Chain, Option<StoresSettings>), String> {
    let spec = parse(&arguments.spec)
        .ok_or_else(|| format!("{:?} is no type; write '<codec@store>'", arguments.spec))?;
    let chain = spec.resolve().map_err(|error| error.to_string())?;
    let stores = match &arguments.config {
        None => None,
        Some(file) => {
            let config = Config::load(file, std::env::vars_os());
            Some(config.map_err(|error| error.to_string())?.stores)
        }
    };
    Ok((chain, stores))
}

/// A spec with or without its brackets.
fn parse(text: &str) -> Option<TypeSpec> {
    let text = text.trim();
    if text.contains(['<', '>']) {
        TypeSpec::parse(text)
    } else {
        TypeSpec::parse(&format!("<{text}>"))
    }
}

impl<'a> Resolved<'a> {
    fn new(chain: &'a Chain, stores: Option<&StoresSettings>) -> Result<Self, placement::Unplaced> {
        let store = match stores {
            None => chain.store.clone(),
            Some(stores) => placement::store(chain, stores)?.map(str::to_owned),
        };
        Ok(Self {
            spec: &chain.spec,
            codecs: &chain.codecs,
            dtype: placement::dtype(chain),
            stored_type: chain.stored_type().into_owned(),
            addressing: codecs::name(placement::addressing(chain)),
            store,
        })
    }

    fn lines(&self, chain: &Chain) -> String {
        let store = match self.store.as_deref() {
            None => NOTHING,
            Some("") => match placement::addressing(chain) {
                Addressing::Reference => "the one that stores.filepath_default names",
                _ => "the one that stores.default names",
            },
            Some(name) => name,
        };
        format!(
            "chain       {}\nstored as   {}\naddressing  {}\nstore       {store}\n",
            placement::steps(chain),
            self.stored_type,
            self.addressing.unwrap_or(NOTHING),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_may_be_left_out_but_not_by_half() {
        let spec = |text| parse(text).map(|spec| spec.to_string());
        for text in ["<blob@main>", "blob@main", " blob@main "] {
            assert_eq!(spec(text).as_deref(), Some("<blob@main>"), "{text:?}");
        }
        assert_eq!(spec("blob@").as_deref(), Some("<blob@>"));
        for text in ["", " ", "<>", "<blob", "blob>", "<blob> raw"] {
            assert_eq!(spec(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_default_store_is_told_by_what_names_it() {
        let lines = |spec| {
            let chain = parse(spec).unwrap().resolve().unwrap();
            Resolved::new(&chain, None).unwrap().lines(&chain)
        };
        assert_eq!(
            lines("blob@"),
            "chain       <blob> → <hash> → json\nstored as   json\naddressing  hash\n\
             store       the one that stores.default names\n"
        );
        assert_eq!(
            lines("blob"),
            "chain       <blob> → bytes\nstored as   longblob\naddressing  —\nstore       —\n"
        );
    }
}
