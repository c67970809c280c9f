//! `<filepath@store>`: a file or folder that others have put into a store.
//!
//! - **Inline**: no. **In a store**: `json`, with the path and what was found there.
//! - **Takes** the path within the store; in the json notation that text, or `{"path": …}`.
//! - **Gives** the path; in the json notation all of the metadata. The file is not read.
//! - **Refuses**, other than DataJoint, `..`, absolute paths and URLs, and in a store that has
//!   DataJoint's own sections at its root every path outside of `filepath_prefix`.
//! - **Source**: `builtin_codecs/filepath.py` of DataJoint 2.3.5.

use std::borrow::Cow;

use bytes::Bytes;

use super::json_in_store;
use crate::codec::section::{self, Section};
use crate::codec::{
    Addressing, Codec, CodecError, Given, Layout, Manner, Notation, ObjectPath, ObjectRef, Reading,
    Reference, Value, ValueLimits, Writing, client, json, metadata, timestamp,
};

/// The codec.
struct Filepath;

crate::register_codec!(Filepath);

impl Codec for Filepath {
    fn name(&self) -> &str {
        "filepath"
    }

    fn dtype(&self, is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        json_in_store(
            is_store,
            "<filepath> requires @ symbol. Use <filepath@> for default store or \
                    <filepath@store> to specify store.",
        )
    }

    fn addressing(&self) -> Addressing {
        Addressing::Reference
    }

    fn validate(&self, value: &Value) -> Result<(), CodecError> {
        split(value).map(drop)
    }

    fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError> {
        let (text, meant) = split(&value)?;
        let default;
        let store = match to.store {
            Some(name) if !name.is_empty() => name,
            _ => {
                default = to.backends.filepath_default().ok_or_else(no_default)?;
                &default
            }
        };
        let backend = to.backends.backend(store)?;
        if meant.is_some_and(|meant| meant != backend.name()) {
            let name = backend.name();
            let text = format!("its \"store\" is another than this column's, '{name}'");
            return Err(CodecError::Value(text));
        }
        let path = ObjectPath::parse(text)?;
        check(backend.layout(), &path)?;
        let size = backend.size(&path)?;
        if size.is_none() && !backend.has_folder(&path)? {
            let name = backend.name();
            return Err(CodecError::Value(format!(
                "File not found in store '{name}'"
            )));
        }
        Ok(metadata::dict([
            ("path", text.into()),
            ("store", backend.name().into()),
            ("size", size.map_or(Value::None, metadata::count)),
            ("is_dir", Value::Bool(size.is_none())),
            ("timestamp", Value::Str(timestamp::now())),
        ]))
    }

    fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError> {
        ObjectRef::checked(stored, Section::Other, from).map(Value::Object)
    }

    fn referenced_paths(&self, stored: &Value) -> Vec<Reference> {
        metadata::reference(stored).into_iter().collect()
    }

    fn take(
        &self,
        sent: Bytes,
        manner: &Manner,
        limits: &ValueLimits,
    ) -> Result<Value, CodecError> {
        match manner.notation {
            Notation::Bytes => match std::str::from_utf8(&sent) {
                Ok(path) => Ok(path.into()),
                Err(_) => Err(CodecError::Type("<filepath> takes a path in UTF-8".into())),
            },
            Notation::Json => {
                let value = json::parse(&sent, limits)?;
                let own = |key| Some((key, value.field(key)?.clone()));
                Ok(match (own("path"), own("store")) {
                    (Some(path), Some(store)) => metadata::dict([path, store]),
                    (Some((_, path)), None) => path,
                    (None, _) => value,
                })
            }
        }
    }

    fn give(&self, value: Value, manner: &Manner, from: &Reading<'_>) -> Result<Given, CodecError> {
        match (manner.notation, value) {
            (Notation::Bytes, Value::Object(object)) => {
                let path = object.path.as_str().to_owned();
                Ok(Given::Bytes(path.into()))
            }
            (Notation::Json, Value::Object(object)) => {
                client::give(*object.metadata, manner, &from.limits)
            }
            (_, value) => client::give(value, manner, &from.limits),
        }
    }

    fn is_text(&self) -> bool {
        true
    }
}

/// The path that a value is or has, and the store that it says to be in.
fn split(value: &Value) -> Result<(&str, Option<&str>), CodecError> {
    match (value, value.field("path"), value.field("store")) {
        (Value::Str(path), ..) | (_, Some(Value::Str(path)), None) => Ok((path, None)),
        (_, Some(Value::Str(path)), Some(Value::Str(store))) => Ok((path, Some(store))),
        _ => Err(not_a_path(value)),
    }
}

/// Whether a path may be referred to.
fn check(layout: &Layout, path: &ObjectPath) -> Result<(), CodecError> {
    if section::is_free(layout, path) {
        return Ok(());
    }
    let reserved = [
        ("hash_prefix", &layout.hash_prefix),
        ("schema_prefix", &layout.schema_prefix),
    ];
    for (key, prefix) in reserved {
        match prefix {
            Some(prefix) if path.lies_in(prefix) || prefix.lies_in(path) => {
                return Err(CodecError::Value(format!(
                    "<filepath@> cannot use reserved section '{prefix}' ({key}). This section is \
                     managed by DataJoint."
                )));
            }
            _ => {}
        }
    }
    Err(CodecError::Value(match &layout.filepath_prefix {
        Some(prefix) => format!("<filepath@> must use prefix '{prefix}' (filepath_prefix)."),
        None => "<filepath@> needs a filepath_prefix in a store whose hash_prefix or \
                 schema_prefix is empty"
            .to_owned(),
    }))
}

fn not_a_path(value: &Value) -> CodecError {
    CodecError::Type(format!(
        "<filepath> expects a path string or Path, got {}",
        value.type_name()
    ))
}

fn no_default() -> CodecError {
    CodecError::Value(
        "stores.filepath_default is not configured. Set stores.filepath_default or specify store \
         explicitly with <filepath@store>"
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::testing::{Place, layout, path};

    fn place() -> Place {
        let place = Place::new();
        place.store().plant("sub/x.bin", b"hello");
        place.store().plant("_hash/lab/abc", b"hello");
        place.store().plant("_schema/lab/scan/data_x", b"hello");
        place
    }

    fn write(place: &Place, store: &str, path: &str) -> Result<Value, CodecError> {
        let to = Writing {
            store: Some(store),
            ..place.writing()
        };
        Filepath.encode(path.into(), &to)
    }

    #[test]
    fn a_file_and_a_folder() {
        let place = place();
        let stored = write(&place, "main", "sub/x.bin").unwrap();
        let text = metadata::dumps(&stored).unwrap();
        let start = concat!(
            r#"{"path": "sub/x.bin", "store": "main", "size": 5, "is_dir": false, "#,
            r#""timestamp": "20"#
        );
        assert!(text.starts_with(start), "{text}");
        assert!(text.ends_with(r#"+00:00"}"#), "{text}");
        let value = Filepath.decode(stored, &place.reading()).unwrap();
        let given = Filepath.give(value, &place.manner, &place.reading());
        assert_eq!(given.unwrap(), Given::Bytes("sub/x.bin".into()));

        let stored = write(&place, "main", "sub").unwrap();
        assert_eq!(stored.field("size"), Some(&Value::None));
        assert_eq!(stored.field("is_dir"), Some(&Value::Bool(true)));
    }

    #[test]
    fn refusals_are_worded_as_in_datajoint() {
        let mut place = place();
        let mut confined = layout();
        confined.filepath_prefix = Some(path("raw"));
        place.add("confined", confined);
        let mut rooted = layout();
        rooted.hash_prefix = None;
        place.add("rooted", rooted);
        for (store, path, text) in [
            (
                "main",
                "_hash/lab/abc",
                "<filepath@> cannot use reserved section '_hash' (hash_prefix). This section is \
                 managed by DataJoint.",
            ),
            (
                "main",
                "_schema",
                "<filepath@> cannot use reserved section '_schema' (schema_prefix). This section \
                 is managed by DataJoint.",
            ),
            (
                "confined",
                "sub/x.bin",
                "<filepath@> must use prefix 'raw' (filepath_prefix).",
            ),
            (
                "rooted",
                "sub/x.bin",
                "<filepath@> needs a filepath_prefix in a store whose hash_prefix or \
                 schema_prefix is empty",
            ),
            ("main", "nope", "File not found in store 'main'"),
            (
                "",
                "sub/x.bin",
                "stores.filepath_default is not configured. Set stores.filepath_default or \
                 specify store explicitly with <filepath@store>",
            ),
            (
                "nope",
                "sub/x.bin",
                "Storage 'nope' is requested but not configured in stores",
            ),
        ] {
            let error = write(&place, store, path).unwrap_err();
            assert_eq!(error.to_string(), text);
        }
        let error = Filepath.validate(&Value::Int(1)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "<filepath> expects a path string or Path, got int"
        );
    }

    #[test]
    fn paths_that_could_leave_the_store_are_refused() {
        let place = place();
        for path in [
            "../x",
            "sub/../_hash/lab/abc",
            "/sub/x.bin",
            "s3://bucket/x",
            "file:///etc/passwd",
            "",
            "sub//x.bin",
            "./sub/x.bin",
        ] {
            let error = write(&place, "main", path).unwrap_err();
            assert!(matches!(error, CodecError::Path(_)), "{path}: {error}");
        }
    }

    #[test]
    fn a_bare_at_sign_is_the_default_store_for_files() {
        let mut place = place();
        place.filepath_default = Some("main".to_owned());
        let stored = write(&place, "", "sub/x.bin").unwrap();
        assert_eq!(stored.field("store"), Some(&"main".into()));
    }

    #[test]
    fn a_file_of_another_store_is_not_taken_for_one_of_this() {
        let place = place();
        let write = |text: &'static str| {
            let manner = Manner {
                notation: Notation::Json,
                ..place.manner
            };
            let sent = Bytes::from_static(text.as_bytes());
            let value = Filepath.take(sent, &manner, &ValueLimits::default())?;
            Filepath.validate(&value)?;
            let to = Writing {
                store: Some("main"),
                ..place.writing()
            };
            Filepath.encode(value, &to)
        };
        for text in [
            r#""sub/x.bin""#,
            r#"{"path": "sub/x.bin"}"#,
            r#"{"path": "sub/x.bin", "store": "main", "size": 1}"#,
        ] {
            assert!(write(text).is_ok(), "{text}");
        }
        for text in [
            r#"{"path": "sub/x.bin", "store": "other"}"#,
            r#"{"path": "sub/x.bin", "store": null}"#,
            r#"{"path": 1, "store": "main"}"#,
            r#"{"store": "main"}"#,
        ] {
            assert!(write(text).is_err(), "{text}");
        }
    }

    #[test]
    fn planted_pointers_are_refused() {
        let place = place();
        for path in ["_hash/lab/abc", "_schema/lab/scan/data_x", "../x", "_hash"] {
            let stored = metadata::dict([("path", path.into()), ("store", "main".into())]);
            assert!(Filepath.decode(stored, &place.reading()).is_err(), "{path}");
        }
    }
}
