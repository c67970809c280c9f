//! The built-in chains, the errors of DataJoint, and chains of codecs made up here.

use super::*;
use crate::codec::testing;

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

#[test]
fn many_values_are_read_as_each_alone() {
    let place = testing::Place::new();
    let from = place.reading();
    let columns: Vec<Bytes> = [
        &b"dj0\0\x0a\x01\0\x05"[..],
        b"no blob",
        b"",
        b"mYm\0\xff",
        b"ZL123\0\xff\0\0\0\0\0\0\0xyz",
    ]
    .map(Bytes::from_static)
    .to_vec();
    for spec in ["<blob>", "<plain>"] {
        let spec = TypeSpec::parse(spec).unwrap();
        let chain = spec.resolve_in(&custom()).unwrap();
        let alone = columns.iter().map(|column| {
            let stored = chain.stored(column.clone(), &from.limits)?;
            chain.read(stored, &from)
        });
        let alone: Vec<_> = alone.map(|given| format!("{given:?}")).collect();
        let together = chain.read_many(columns.clone(), &from).into_iter();
        let together: Vec<_> = together.map(|given| format!("{given:?}")).collect();
        assert_eq!(together, alone);
        assert!(
            alone.iter().any(|given| given.starts_with("Ok")),
            "{alone:?}"
        );
        assert!(
            alone.iter().any(|given| given.starts_with("Err")),
            "{alone:?}"
        );
    }
    assert!(
        chain("<blob>")
            .unwrap()
            .read_many(Vec::new(), &from)
            .is_empty()
    );
}

#[test]
fn many_values_are_written_as_each_alone() {
    let place = testing::Place::new();
    let to = place.writing();
    let sent: Vec<Bytes> = [&b"dj0\0\x0a\x01\0\x05"[..], b"no blob", b"mYm\0A", b""]
        .map(Bytes::from_static)
        .to_vec();
    for spec in ["<blob>", "<plain>", "<hash@>", "<attach>"] {
        let chain = TypeSpec::parse(spec)
            .unwrap()
            .resolve_in(&custom())
            .unwrap();
        let to = Writing {
            store: chain.store.as_deref(),
            ..to
        };
        let alone = sent.iter().map(|sent| chain.write(sent.clone(), &to));
        let alone: Vec<_> = alone.map(|stored| format!("{stored:?}")).collect();
        let together = chain.write_many(sent.iter().map(|sent| (sent.clone(), to)).collect());
        let together: Vec<_> = together
            .iter()
            .map(|stored| format!("{stored:?}"))
            .collect();
        assert_eq!(together, alone, "{spec}");
        assert!(
            alone.iter().any(|stored| stored.starts_with("Ok")),
            "{alone:?}"
        );
        let is_err = |stored: &String| stored.starts_with("Err");
        assert_eq!(alone.iter().any(is_err), spec != "<hash@>", "{alone:?}");
    }
}

#[test]
fn a_codec_that_loses_values_is_noticed() {
    let values = vec![
        Ok(1),
        Err(CodecError::Corrupt("bad".to_owned())),
        Ok(2),
        Ok(3),
    ];
    let outcomes = with_the_good(values, |good: Vec<i32>| {
        assert_eq!(good, [1, 2, 3]);
        good.into_iter().take(2).map(|n| Ok(n * 10)).collect()
    });
    let shown: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().ok())
        .collect();
    assert_eq!(shown, [Some(&10), None, Some(&20), None]);
}
