//! `codec-proxy resolve`: what a type spec comes to.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::print::Form;
use crate::codec::{Addressing, Chain};
use crate::config::placement;
use crate::listing::{NOTHING, addressing_name, parse};

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

    /// The TOML file with the configuration, to look for the store and for codecs
    #[arg(long, value_name = "FILE", env = "CODEC_PROXY_CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    form: Form,
}

/// What a type comes to.
struct Resolved {
    chain: Chain,
    /// As the chain has it (empty: a default store), or the real name if that is known.
    store: Option<String>,
}

/// Prints what the type comes to.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match resolve(arguments) {
        Ok(resolved) => {
            let form = arguments.form;
            form.print(&resolved.json(), || resolved.lines());
            ExitCode::SUCCESS
        }
        Err(error) => arguments.form.fail(error),
    }
}

fn resolve(arguments: &Arguments) -> Result<Resolved, Box<dyn Error>> {
    let spec = parse(&arguments.spec)
        .ok_or_else(|| format!("{:?} is no type; write '<codec@store>'", arguments.spec))?;
    let config = match &arguments.config {
        None => None,
        Some(file) => Some(super::load_all(file)?),
    };
    let chain = spec.resolve()?;
    let store = match &config {
        None => chain.store.clone(),
        Some(config) => placement::store(&chain, &config.stores)?.map(str::to_owned),
    };
    Ok(Resolved { chain, store })
}

impl Resolved {
    fn json(&self) -> serde_json::Value {
        json!({
            "spec": self.chain.spec,
            "codecs": self.chain.names().collect::<Vec<_>>(),
            "dtype": self.chain.dtype.to_string(),
            "stored_type": self.chain.stored_type(),
            "addressing": addressing_name(self.chain.addressing()),
            "store": self.store,
        })
    }

    fn lines(&self) -> String {
        let addressing = self.chain.addressing();
        let store = match self.store.as_deref() {
            None => NOTHING,
            Some("") if addressing == Addressing::Reference => {
                "the one that stores.filepath_default names"
            }
            Some("") => "the one that stores.default names",
            Some(name) => name,
        };
        format!(
            "chain       {}\nstored as   {}\naddressing  {}\nstore       {store}\n",
            placement::steps(&self.chain),
            self.chain.stored_type(),
            addressing_name(addressing).unwrap_or(NOTHING),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_store_is_told_by_what_names_it() {
        let lines = |spec| {
            let chain = parse(spec).unwrap().resolve().unwrap();
            let store = chain.store.clone();
            Resolved { chain, store }.lines()
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
