//! The codec chain of a column: from the type a user declares to the type that is stored.

use super::TypeSpec;
use super::registry::{self, Codec, Inner};

/// A core type that ends a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// `bytes`: `longblob` in the database.
    Bytes,
    /// `json`: the pointer to an object in a store.
    Json,
}

/// A resolved chain, outermost codec first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The type spec as written, for example `<blob@main>`.
    pub spec: String,
    /// Codec names, outermost first, for example `["blob", "hash"]`.
    pub codecs: Vec<&'static str>,
    /// What the database column holds.
    pub dtype: Dtype,
    /// The store: `None` inline, `Some("")` the default store, else its name.
    pub store: Option<String>,
}

/// Why a type spec has no chain; the texts are DataJoint's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The name is not registered.
    #[error(
        "Unknown codec: <{0}>. Ensure the codec is defined (inherit from dj.Codec with name='{0}')."
    )]
    Unknown(String),
    /// The codec lives in a store only.
    #[error("<{0}> requires @ (in-store storage only)")]
    RequiresStore(String),
    /// The chain comes back to a codec that it has passed.
    #[error("Circular codec reference detected: <{0}>")]
    Circular(String),
}

/// How much of a value [`Chain::validate`] must see, in bytes.
pub const HEAD_LEN: usize = 8;

impl TypeSpec {
    /// Follows the chain to the type that is stored.
    ///
    /// The store is inherited inwards unless an inner spec names its own, as `resolve_dtype`
    /// of DataJoint 2.3.5 has it.
    pub fn resolve(&self) -> Result<Chain, ChainError> {
        self.resolve_among(registry::find)
    }

    fn resolve_among(
        &self,
        find: impl Fn(&str) -> Option<&'static dyn Codec>,
    ) -> Result<Chain, ChainError> {
        let mut codecs = Vec::new();
        let mut name = self.codec.clone();
        let mut store = self.store.clone();
        loop {
            let codec = find(&name).ok_or_else(|| ChainError::Unknown(name.clone()))?;
            if codecs.contains(&codec.name()) {
                return Err(ChainError::Circular(name));
            }
            codecs.push(codec.name());
            match codec.dtype(store.is_some())? {
                Inner::Core(dtype) => {
                    return Ok(Chain {
                        spec: self.to_string(),
                        codecs,
                        dtype,
                        store,
                    });
                }
                Inner::Codec(spec) => {
                    let inner = TypeSpec::parse(spec)
                        .ok_or_else(|| ChainError::Unknown(spec.to_owned()))?;
                    name = inner.codec;
                    store = inner.store.or(store);
                }
            }
        }
    }
}

impl Chain {
    /// Whether the value is an object in a store, and the column its pointer.
    pub fn is_external(&self) -> bool {
        self.dtype == Dtype::Json
    }

    /// The SQL type of the column.
    pub fn stored_type(&self) -> &'static str {
        match self.dtype {
            Dtype::Bytes => "longblob",
            Dtype::Json => "json",
        }
    }

    /// Whether a value may be written, by its first [`HEAD_LEN`] bytes (or all, if it has
    /// fewer); the error says what the codec takes. Only the outermost codec is asked.
    pub fn validate(&self, head: &[u8]) -> Result<(), String> {
        match self.codecs.first().and_then(|name| registry::find(name)) {
            Some(codec) => codec.validate(head),
            None => Err(ChainError::Unknown(self.spec.clone()).to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(spec: &str) -> Result<Chain, ChainError> {
        TypeSpec::parse(spec).unwrap().resolve()
    }

    #[test]
    fn the_built_in_chains() {
        for (spec, codecs, stored, store) in [
            ("<blob>", &["blob"][..], "longblob", None),
            ("<blob@main>", &["blob", "hash"], "json", Some("main")),
            ("<blob@>", &["blob", "hash"], "json", Some("")),
            ("<hash@cold>", &["hash"], "json", Some("cold")),
        ] {
            let chain = chain(spec).unwrap();
            assert_eq!(chain.spec, spec);
            assert_eq!(chain.codecs, codecs);
            assert_eq!(chain.stored_type(), stored);
            assert_eq!(chain.is_external(), stored == "json");
            assert_eq!(chain.store.as_deref(), store);
        }
    }

    #[test]
    fn errors_are_worded_as_in_datajoint() {
        assert_eq!(
            chain("<graph@main>").unwrap_err().to_string(),
            "Unknown codec: <graph>. Ensure the codec is defined (inherit from dj.Codec with \
             name='graph')."
        );
        assert_eq!(
            chain("<hash>").unwrap_err().to_string(),
            "<hash> requires @ (in-store storage only)"
        );
    }

    #[test]
    fn only_the_outermost_codec_judges_a_value() {
        assert!(chain("<blob@main>").unwrap().validate(b"hello").is_err());
        assert!(chain("<blob@main>").unwrap().validate(b"dj0\0\xff").is_ok());
        assert!(chain("<hash@main>").unwrap().validate(b"hello").is_ok());
        assert!(chain("<hash@main>").unwrap().validate(b"").is_ok());
    }

    struct Step(&'static str, &'static str);

    impl Codec for Step {
        fn name(&self) -> &'static str {
            self.0
        }

        fn dtype(&self, _is_store: bool) -> Result<Inner, ChainError> {
            Ok(Inner::Codec(self.1))
        }

        fn validate(&self, _head: &[u8]) -> Result<(), String> {
            Ok(())
        }
    }

    fn custom(name: &str) -> Option<&'static dyn Codec> {
        static STEPS: [Step; 4] = [
            Step("one", "<two>"),
            Step("two", "<one>"),
            Step("cold", "<hash@cold>"),
            Step("plain", "<blob>"),
        ];
        let step = STEPS.iter().find(|step| step.0 == name);
        step.map(|step| step as &dyn Codec)
            .or_else(|| registry::find(name))
    }

    #[test]
    fn a_circle_is_found() {
        let spec = TypeSpec::parse("<one@main>").unwrap();
        assert_eq!(
            spec.resolve_among(custom),
            Err(ChainError::Circular("one".to_owned()))
        );
    }

    #[test]
    fn an_inner_spec_may_name_its_own_store() {
        let resolve = |spec| {
            TypeSpec::parse(spec)
                .unwrap()
                .resolve_among(custom)
                .unwrap()
        };
        assert_eq!(resolve("<cold@main>").store.as_deref(), Some("cold"));
        assert_eq!(resolve("<cold>").store.as_deref(), Some("cold"));
        assert_eq!(resolve("<plain@main>").codecs, ["plain", "blob", "hash"]);
        assert_eq!(resolve("<plain@main>").store.as_deref(), Some("main"));
        assert_eq!(resolve("<plain>").dtype, Dtype::Bytes);
    }
}
