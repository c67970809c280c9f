//! Files and directories through the codec, against a store in memory.

use super::*;
use crate::codec::testing::{Place, dict, path};

fn tar(files: &[(&str, &str)]) -> Bytes {
    let mut directory = Directory::default();
    for (name, content) in files {
        let content = Bytes::copy_from_slice(content.as_bytes());
        directory.insert(path(name), content, &unlimited()).unwrap();
    }
    directory.to_tar(&unlimited()).unwrap()
}

fn write(place: &Place, sent: impl Into<Bytes>) -> Result<Value, CodecError> {
    let value = Object.take(sent.into(), &place.manner, &place.limits)?;
    Object.validate(&value)?;
    Object.encode(value, &place.writing())
}

fn read(place: &Place, stored: Value) -> Result<Given, CodecError> {
    let value = Object.decode(stored, &place.reading())?;
    Object.give(value, &place.manner, &place.reading())
}

fn directories() -> Place {
    let mut place = Place::new();
    place.manner.object = ObjectForm::Directory;
    place
}

/// The metadata without its time, which must be one, and with the token replaced.
fn text(stored: &Value) -> String {
    let text = metadata::dumps(stored).unwrap();
    let (rest, time) = text.split_once(r#", "timestamp": ""#).unwrap();
    assert!(
        time.starts_with("20") && time.ends_with(r#"+00:00"}"#),
        "{time}"
    );
    let (start, rest) = rest.split_once("data_").unwrap();
    format!("{start}data_T{}", &rest[8..])
}

#[test]
fn a_file() {
    let place = Place::new();
    let stored = write(&place, "hello").unwrap();
    assert_eq!(
        text(&stored),
        concat!(
            r#"{"path": "_schema/lab/scan/id=7/data_T", "store": "main", "size": 5, "ext": null, "#,
            r#""is_dir": false, "item_count": null"#
        )
    );
    let Given::Object(object) = read(&place, stored.clone()).unwrap() else {
        panic!("a file is streamed");
    };
    assert_eq!(place.store().paths(), std::slice::from_ref(&object.path));
    assert_eq!((object.size, object.is_dir), (Some(5), false));
    let reference = Reference {
        store: "main".to_owned(),
        path: object.path.to_string(),
    };
    assert_eq!(Object.referenced_paths(&stored), [reference]);
}

#[test]
fn a_file_with_an_extension() {
    let place = Place::new();
    for (ext, in_path) in [(".dat", ".dat"), ("dat", ".dat"), ("", "")] {
        let value = from_json(
            dict(&[
                ("path", "_schema/other/x".into()),
                ("ext", ext.into()),
                ("base64", "aGVsbG8=".into()),
            ]),
            &place.limits,
        );
        let stored = Object.encode(value.unwrap(), &place.writing()).unwrap();
        let expected = format!(
            concat!(
                r#"{{"path": "_schema/lab/scan/id=7/data_T{}", "store": "main", "size": 5, "#,
                r#""ext": "{}", "is_dir": false, "item_count": null"#
            ),
            in_path, ext
        );
        assert_eq!(text(&stored), expected);
    }
}

#[test]
fn a_directory_is_written_before_its_manifest() {
    let place = directories();
    let archive = tar(&[("b/c.txt", "see"), ("a.txt", "hello")]);
    let stored = write(&place, archive.clone()).unwrap();
    assert_eq!(
        text(&stored),
        concat!(
            r#"{"path": "_schema/lab/scan/id=7/data_T", "store": "main", "size": 8, "ext": null, "#,
            r#""is_dir": true, "item_count": 2"#
        )
    );
    let folder = metadata::path(&stored).unwrap();
    let below = |name: &str| path(&format!("{folder}{name}"));
    assert_eq!(
        place.store().paths(),
        [below("/a.txt"), below("/b/c.txt"), below(".manifest.json")]
    );
    let manifest = place.store().get(&below(".manifest.json"), 1000).unwrap();
    let manifest = metadata::loads(&manifest).unwrap();
    assert_eq!(manifest.field("total_size"), Some(&Value::Int(8)));

    let references = Object.referenced_paths(&stored);
    let paths: Vec<_> = references.iter().map(|reference| &reference.path).collect();
    assert_eq!(paths, [folder.as_str(), below(".manifest.json").as_str()]);
    assert_eq!(read(&place, stored).unwrap(), Given::Bytes(archive));
}

#[test]
fn a_directory_without_files_is_not_one_that_is_gone() {
    let place = directories();
    let stored = write(&place, tar(&[])).unwrap();
    assert_eq!(
        read(&place, stored).unwrap(),
        Given::Bytes(vec![0; 1024].into())
    );
    let gone = dict(&[
        ("path", "_schema/lab/scan/id=7/data_gone".into()),
        ("store", "main".into()),
        ("is_dir", Value::Bool(true)),
    ]);
    let error = read(&place, gone).unwrap_err();
    assert_eq!(error.to_string(), "Missing directory in store 'main'");
}

#[test]
fn nothing_is_written_of_a_bad_directory() {
    let place = directories();
    let long = "x".repeat(1000);
    assert!(write(&place, tar(&[("a", ""), (&long, "")])).is_err());
    assert!(write(&place, "no archive").is_err());
    assert!(place.store().paths().is_empty());
}

#[test]
fn json_is_written_as_it_is_read() {
    let mut place = Place::new();
    let file = write(&place, "hello").unwrap();
    place.manner.object = ObjectForm::Directory;
    let directory = write(&place, tar(&[("b/c.txt", "see")])).unwrap();
    for (stored, size, is_dir) in [(file, 5, false), (directory, 3, true)] {
        let object = ObjectRef::checked(stored, Section::Schema, &place.reading()).unwrap();
        let json = to_json(object, &place.reading()).unwrap();
        assert_eq!(json.field("size"), Some(&Value::Int(size)));
        assert_eq!(json.field("is_dir"), Some(&Value::Bool(is_dir)));
        assert_eq!(json.field("base64").is_some(), !is_dir);
        let again = from_json(json.clone(), &place.limits).unwrap();
        let stored = Object.encode(again, &place.writing()).unwrap();
        assert_ne!(stored.field("path"), json.field("path"));
        let object = ObjectRef::checked(stored, Section::Schema, &place.reading()).unwrap();
        let json_again = to_json(object, &place.reading()).unwrap();
        for key in ["size", "is_dir", "base64", "files"] {
            assert_eq!(json_again.field(key), json.field(key), "{key}");
        }
    }
}

#[test]
fn json_that_is_no_object_is_refused() {
    let limits = ValueLimits::default();
    for text in [
        r#"{"path": "_schema/lab/scan/id=7/data_x", "store": "main", "size": 5}"#,
        r#"{"base64": "aGVsbG8=", "files": []}"#,
        r#"{"base64": "?"}"#,
        r#"{"base64": "aGVsbG8=", "ext": 1}"#,
        r#"{"files": [{"path": "/x", "base64": ""}]}"#,
        r#""/tmp/file""#,
        "null",
    ] {
        let value = metadata::loads(text.as_bytes()).unwrap();
        assert!(from_json(value, &limits).is_err(), "{text}");
    }
    let error = Object.validate(&"/tmp/file".into()).unwrap_err();
    assert_eq!(error.to_string(), "<object> expects bytes or path, got str");
}

#[test]
fn an_extension_is_no_path() {
    let place = Place::new();
    for ext in ["/../../../other/x", "a/b", "a\\b", "\n"] {
        let value = Value::Tuple(vec![ext.into(), Value::Bytes("hello".into())]);
        assert!(Object.encode(value, &place.writing()).is_err(), "{ext:?}");
    }
    assert!(place.store().paths().is_empty());
}

#[test]
fn limits_hold() {
    let mut place = directories();
    let stored = write(&place, tar(&[("a", "hello"), ("b", "world")])).unwrap();
    place.limits.files = 1;
    assert!(read(&place, stored.clone()).is_err());
    place.limits.files = 2;
    assert!(read(&place, stored.clone()).is_ok());
    place.limits.bytes = 9;
    let error = read(&place, stored).unwrap_err();
    assert!(matches!(error, CodecError::Limit(_)), "{error}");
}

#[test]
fn files_that_grow_while_they_are_read_are_counted_again() {
    let mut place = directories();
    let stored = write(&place, tar(&[("a", "hello"), ("b", "world")])).unwrap();
    let grown = format!("{}/a", metadata::path(&stored).unwrap());
    let object = ObjectRef::checked(stored, Section::Schema, &place.reading()).unwrap();
    place.limits.bytes = 10;
    place.store().plant_after_list(&grown, b"hello!");
    let error = read_directory(&object, &place.reading(), 10).unwrap_err();
    assert!(matches!(error, CodecError::Backend(_)), "{error}");
    // The next list tells the new size.
    let error = read_directory(&object, &place.reading(), 10).unwrap_err();
    assert!(matches!(error, CodecError::Limit(_)), "{error}");
    let directory = read_directory(&object, &place.reading(), 11).unwrap();
    assert_eq!(directory.size(), 11);
}

#[test]
fn planted_pointers_are_refused() {
    let place = Place::new();
    for text in [
        "_schema/other/scan/id=7/data_x",
        "_hash/lab/abc",
        "_hash/other/abc",
        "_schema",
        "_schema/lab",
        "_schema/lab/../other/x",
        "other/scan/data_x",
        "raw/x",
    ] {
        for is_dir in [false, true] {
            let stored = dict(&[
                ("path", text.into()),
                ("store", "main".into()),
                ("size", Value::Int(5)),
                ("is_dir", Value::Bool(is_dir)),
            ]);
            assert!(read(&place, stored).is_err(), "{text}");
        }
    }
}
