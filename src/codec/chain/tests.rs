//! The built-in chains, the errors of DataJoint, and chains of codecs made up here.

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
        ("<attach>", &["attach"], "longblob", None),
        ("<attach@>", &["attach", "hash"], "json", Some("")),
        ("<object@main>", &["object"], "json", Some("main")),
        ("<npy@main>", &["npy"], "json", Some("main")),
        ("<filepath@>", &["filepath"], "json", Some("")),
    ] {
        let chain = chain(spec).unwrap();
        assert_eq!(chain.spec, spec);
        assert!(chain.names().eq(codecs.iter().copied()));
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
    for (spec, text) in [
        ("<hash>", "<hash> requires @ (in-store storage only)"),
        ("<object>", "<object> requires @ (store only)"),
        ("<npy>", "<npy> requires @ (store only)"),
        (
            "<filepath>",
            "<filepath> requires @ symbol. Use <filepath@> for default store or \
             <filepath@store> to specify store.",
        ),
    ] {
        assert_eq!(chain(spec).unwrap_err().to_string(), text);
    }
}

#[test]
fn what_a_session_asks_of_a_chain() {
    for (spec, is_transparent, needs_key, is_text) in [
        ("<blob>", true, false, false),
        ("<blob@>", true, false, false),
        ("<attach>", true, false, false),
        ("<attach@>", true, false, false),
        ("<hash@>", true, false, false),
        ("<object@>", false, true, false),
        ("<npy@>", false, true, false),
        ("<filepath@>", false, false, true),
    ] {
        let chain = chain(spec).unwrap();
        let found = (chain.is_transparent(), chain.needs_key(), chain.is_text());
        assert_eq!(found, (is_transparent, needs_key, is_text), "{spec}");
    }
}

#[test]
fn only_the_outermost_codec_judges_a_value() {
    assert!(
        chain("<blob@main>")
            .unwrap()
            .validate_head(b"hello")
            .is_err()
    );
    assert!(
        chain("<blob@main>")
            .unwrap()
            .validate_head(b"dj0\0\xff")
            .is_ok()
    );
    assert!(
        chain("<hash@main>")
            .unwrap()
            .validate_head(b"hello")
            .is_ok()
    );
    assert!(chain("<hash@main>").unwrap().validate_head(b"").is_ok());
}

struct Step(&'static str, &'static str);

impl Codec for Step {
    fn name(&self) -> &str {
        self.0
    }

    fn dtype(&self, _is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        Ok(self.1.into())
    }

    fn encode(&self, value: Value, _to: &Writing<'_>) -> Result<Value, CodecError> {
        Ok(value)
    }

    fn decode(&self, stored: Value, _from: &Reading<'_>) -> Result<Value, CodecError> {
        Ok(stored)
    }
}

fn custom() -> Registry {
    let step = |name, dtype| registry::Entry {
        codec: Handle::Shared(std::sync::Arc::new(Step(name, dtype))),
        origin: "here".to_owned(),
    };
    Registry::with([
        step("one", "<two>"),
        step("two", "<one>"),
        step("cold", "<hash@cold>"),
        step("plain", "<blob>"),
    ])
    .unwrap()
}

#[test]
fn a_circle_is_found() {
    let spec = TypeSpec::parse("<one@main>").unwrap();
    let error = spec.resolve_in(&custom()).unwrap_err();
    assert_eq!(error, ChainError::Circular("one".to_owned()));
    assert_eq!(
        error.to_string(),
        "Circular codec reference detected: <one>"
    );
}

#[test]
fn an_inner_spec_may_name_its_own_store() {
    let resolve = |spec| {
        TypeSpec::parse(spec)
            .unwrap()
            .resolve_in(&custom())
            .unwrap()
    };
    assert_eq!(resolve("<cold@main>").store.as_deref(), Some("cold"));
    assert_eq!(resolve("<cold>").store.as_deref(), Some("cold"));
    assert!(
        resolve("<plain@main>")
            .names()
            .eq(["plain", "blob", "hash"])
    );
    assert_eq!(resolve("<plain@main>").store.as_deref(), Some("main"));
    assert_eq!(resolve("<plain>").dtype, Dtype::Bytes);
}
