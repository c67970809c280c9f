//! `codec-proxy codecs`: the registered codecs.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::print::{Form, NOTHING, table};
use crate::codec::registry;
use crate::codec::{Addressing, ChainError, Codec, CodecError, TypeSpec};

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

/// One codec. `null` where the codec has no such thing.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    inline: Option<String>,
    store: Option<String>,
    addressing: Option<&'static str>,
    /// `built-in`, the module that registers it, or the line of the configuration.
    origin: String,
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

impl Entry {
    fn new(registered: &registry::Entry) -> Self {
        let codec = &*registered.codec;
        Self {
            name: codec.name().to_owned(),
            inline: codec.dtype(false).ok().map(Into::into),
            store: codec.dtype(true).ok().map(Into::into),
            addressing: addressing(codec),
            origin: origin(&registered.origin).to_owned(),
        }
    }

    fn row(&self, codec: &dyn Codec) -> [String; 5] {
        let dtype = |is_store| match codec.dtype(is_store) {
            Ok(dtype) => dtype.into_owned(),
            Err(CodecError::Chain(ChainError::RequiresStore(_))) => "requires @".to_owned(),
            Err(_) => NOTHING.to_owned(),
        };
        [
            self.name.clone(),
            dtype(false),
            dtype(true),
            self.addressing.unwrap_or(NOTHING).to_owned(),
            self.origin.clone(),
        ]
    }
}

/// How the chain that begins with the codec names its objects.
fn addressing(codec: &dyn Codec) -> Option<&'static str> {
    let spec = TypeSpec {
        codec: codec.name().to_owned(),
        store: Some(String::new()),
    };
    name(spec.resolve().ok()?.addressing())
}

/// `None` for a chain that makes no objects.
pub(super) fn name(addressing: Addressing) -> Option<&'static str> {
    match addressing {
        Addressing::Inner => None,
        Addressing::Hash => Some("hash"),
        Addressing::Schema => Some("schema"),
        Addressing::Reference => Some("reference"),
    }
}

fn origin(module: &str) -> &str {
    if module.starts_with(concat!(env!("CARGO_CRATE_NAME"), "::codec::builtin")) {
        "built-in"
    } else {
        module
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_codecs_are_told_from_others() {
        assert_eq!(origin("codec_proxy::codec::builtin::blob"), "built-in");
        assert_eq!(
            origin("lab_codecs::builtin::zarr"),
            "lab_codecs::builtin::zarr"
        );
    }

    #[test]
    fn what_a_codec_has_not_is_null_for_tools_and_told_to_people() {
        let registry = registry::current();
        let hash = registry
            .entries()
            .find(|entry| entry.codec.name() == "hash")
            .expect("it is built in");
        let entry = Entry::new(hash);
        assert_eq!(
            (entry.inline.as_deref(), entry.store.as_deref()),
            (None, Some("json"))
        );
        assert_eq!(
            entry.row(&*hash.codec),
            ["hash", "requires @", "json", "hash", "built-in"]
        );
    }

    #[test]
    fn the_addressing_is_that_of_the_end_of_the_chain() {
        let registry = registry::current();
        let blob = registry.find("blob").expect("it is built in");
        assert_eq!(blob.addressing(), Addressing::Inner);
        assert_eq!(addressing(&**blob), Some("hash"));
    }
}
