//! Whole chains, against a store in memory.

use bytes::Bytes;
use md5::{Digest, Md5};

use super::super::testing::{Place, path};
use super::super::value::Packed;
use super::super::{
    Chain, CodecError, Given, Notation, TypeSpec, Value, ValueLimits, blob, hash, metadata,
};

const PLACES: [(&str, &str); 8] = [
    ("own hash", "_hash/lab/{}"),
    ("own schema", "_schema/lab/scan/id=7/data_x"),
    ("own old schema", "lab/scan/id=7/data_x"),
    ("other hash", "_hash/other/{}"),
    ("other schema", "_schema/other/scan/id=7/data_x"),
    ("other partition", "_schema/id=7/other/scan/data_x"),
    ("section", "_schema"),
    ("file", "raw/x"),
];

fn chain(spec: &str) -> Chain {
    TypeSpec::parse(spec).unwrap().resolve().unwrap()
}

fn packed() -> Bytes {
    let data = super::super::value::Data::Plain(vec![1, 2, 3].into());
    let (element, order) = (
        super::super::value::Element::UInt8,
        super::super::value::Order::First,
    );
    let array = super::super::value::Array::new(element, vec![3], order, data).unwrap();
    let packed = blob::pack(&Value::Array(array), &ValueLimits::default());
    packed.unwrap().into_bytes()
}

#[test]
fn no_chain_reads_what_is_not_its_columns() {
    let content = packed();
    let name = hash::name_of(Md5::digest(&content).into());
    let place = Place::new();
    for (_, text) in PLACES {
        place.store().plant(&text.replace("{}", &name), &content);
        place.store().plant("_schema/x/y", &content);
    }
    for (spec, readable) in [
        ("<hash@main>", &["own hash"][..]),
        ("<blob@main>", &["own hash"]),
        ("<attach@main>", &["own hash"]),
        ("<object@main>", &["own schema", "own old schema"]),
        ("<npy@main>", &["own schema", "own old schema"]),
        // Files of others may lie anywhere; DataJoint has written to the root before 2.3.1.
        ("<filepath@main>", &["own old schema", "file"]),
    ] {
        for (kind, text) in PLACES {
            for is_dir in [false, true] {
                let stored = metadata::dict([
                    ("hash", Value::Str(name.clone())),
                    ("path", Value::Str(text.replace("{}", &name))),
                    ("store", "main".into()),
                    ("is_dir", Value::Bool(is_dir)),
                ]);
                let found = chain(spec).decode(stored, &place.reading());
                let expected = readable.contains(&kind);
                assert_eq!(found.is_ok(), expected, "{spec}: {kind}: {found:?}");
                if let Err(error) = found {
                    let error = error.to_string();
                    assert!(
                        !error.contains(&name) && !error.contains("data_x"),
                        "{error}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_the_configuration_opens_is_read_by_every_chain() {
    let content = packed();
    let name = hash::name_of(Md5::digest(&content).into());
    let mut place = Place::new();
    place.also = vec![path("_hash/old_lab")];
    let text = format!("_hash/old_lab/{name}");
    place.store().plant(&text, &content);
    for spec in ["<hash@main>", "<object@main>", "<filepath@main>"] {
        let stored = metadata::dict([
            ("hash", Value::Str(name.clone())),
            ("path", Value::Str(text.clone())),
            ("store", "main".into()),
        ]);
        assert!(
            chain(spec).decode(stored, &place.reading()).is_ok(),
            "{spec}"
        );
    }
}

#[test]
fn bytes_come_back_from_every_chain() {
    let framed = Bytes::from_static(b"a.txt\0hello");
    for (spec, sent) in [
        ("<blob>", packed()),
        ("<blob@>", packed()),
        ("<attach>", framed.clone()),
        ("<attach@>", framed.clone()),
        ("<hash@>", framed),
        ("<npy@>", packed()),
    ] {
        let place = Place::new();
        let stored = chain(spec).write(sent.clone(), &place.writing()).unwrap();
        let given = chain(spec).read(stored, &place.reading()).unwrap();
        assert_eq!(given, Given::Bytes(sent), "{spec}");
    }
}

#[test]
fn json_comes_back_from_every_chain() {
    let mut place = Place::new();
    place.manner.notation = Notation::Json;
    place.store().plant("raw/x", b"hello");
    place.filepath_default = Some("main".to_owned());
    for (spec, sent, key) in [
        ("<blob@>", r#"{"a":[1,2.5,null]}"#, "a"),
        (
            "<attach>",
            r#"{"name":"a.txt","size":5,"base64":"aGVsbG8="}"#,
            "base64",
        ),
        (
            "<attach@>",
            r#"{"name":"a.txt","base64":"aGVsbG8="}"#,
            "base64",
        ),
        ("<hash@>", r#"{"$bytes":"aGVsbG8="}"#, "$bytes"),
        ("<object@>", r#"{"base64":"aGVsbG8="}"#, "base64"),
        (
            "<object@>",
            r#"{"files":[{"path":"a/b","size":5,"base64":"aGVsbG8="}]}"#,
            "files",
        ),
        (
            "<npy@>",
            r#"{"value":{"$array":"uint8","shape":[3],"value":[1,2,3]}}"#,
            "value",
        ),
        (
            "<npy@>",
            r#"{"$array":"uint8","shape":[3],"value":[1,2,3]}"#,
            "",
        ),
        ("<filepath@>", r#"{"path":"raw/x"}"#, "path"),
        ("<filepath@>", r#""raw/x""#, ""),
    ] {
        let write = |sent: &str| {
            let sent = Bytes::copy_from_slice(sent.as_bytes());
            chain(spec).write(sent, &place.writing())
        };
        let read = |stored: Value| {
            let given = chain(spec).read(stored, &place.reading());
            match given.unwrap() {
                Given::Bytes(text) => serde_json::from_slice::<serde_json::Value>(&text).unwrap(),
                Given::Object(_) => panic!("{spec} streams in the json notation"),
            }
        };
        let first = read(write(sent).unwrap_or_else(|error| panic!("{spec}: {error}")));
        let wanted: serde_json::Value = serde_json::from_str(sent).unwrap();
        if !key.is_empty() {
            assert_eq!(first[key], wanted[key], "{spec}");
        }
        let second = read(write(&first.to_string()).unwrap());
        for part in ["a", "name", "size", "base64", "files", "value", "$bytes"] {
            assert_eq!(first.get(part), second.get(part), "{spec}: {part}");
        }
    }
}

#[test]
fn a_value_is_packed_as_by_datajoint() {
    let mut place = Place::new();
    place.manner.notation = Notation::Json;
    let stored = chain("<blob>").write("[1]".into(), &place.writing());
    let Value::Bytes(bytes) = stored.unwrap() else {
        panic!("no bytes");
    };
    // blob.pack([1])
    let expected = b"dj0\0\x02\x01\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x0a\x01\0\x01";
    assert_eq!(&bytes[..], expected);
    assert!(Packed::new(bytes).is_some());
}

#[test]
fn a_store_that_is_not_configured_is_named() {
    let place = Place::new();
    for spec in [
        "<hash@main>",
        "<object@main>",
        "<npy@main>",
        "<filepath@main>",
    ] {
        let stored = metadata::dict([
            ("hash", "x".into()),
            ("path", "raw/x".into()),
            ("store", "gone".into()),
        ]);
        let error = chain(spec).decode(stored, &place.reading()).unwrap_err();
        assert!(matches!(error, CodecError::Backend(_)));
        assert!(error.to_string().contains("'gone'"), "{error}");
    }
}
