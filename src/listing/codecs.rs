//! The codecs that columns can have.

use serde::Serialize;

use super::{NOTHING, addressing_name};
use crate::codec::registry;
use crate::codec::{ChainError, Codec, CodecError, TypeSpec};

/// One codec. `null` where the codec has no such thing.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it hands its values to, without a store.
    pub inline: Option<String>,
    /// The same, with a store.
    pub store: Option<String>,
    /// How its objects are named in the end.
    pub addressing: Option<&'static str>,
    /// `built-in`, the module that registers it, or the line of the configuration.
    pub origin: String,
}

impl Entry {
    /// Of a codec that is registered.
    pub fn new(registered: &registry::Entry) -> Self {
        let codec = &*registered.codec;
        Self {
            name: codec.name().to_owned(),
            inline: codec.dtype(false).ok().map(Into::into),
            store: codec.dtype(true).ok().map(Into::into),
            addressing: addressing(codec),
            origin: origin(&registered.origin).to_owned(),
        }
    }

    /// For people: the fields in their order.
    pub fn row(&self, codec: &dyn Codec) -> [String; 5] {
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
    addressing_name(spec.resolve().ok()?.addressing())
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
    use crate::codec::Addressing;

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
