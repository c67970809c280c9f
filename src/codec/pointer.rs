//! The pointer that a `json` column holds in place of a hash-addressed object.
//!
//! ```json
//! {"hash": "hrhtqewftfiaxo7bsigt4mfg64", "path": "_hash/exp2b/hrhtqewftfiaxo7bsigt4mfg64", "schema": "exp2b", "store": "main", "size": 152}
//! ```
//!
//! It is written as Python's `json.dumps` writes the dict of `put_hash` in DataJoint 2.3.5,
//! and read in any order of keys, since MySQL sorts them. A reader needs the path, the hash
//! and the store; the other two are for people and tools.

use serde_json::Value;

use super::metadata::quote;
use super::path::{ObjectPath, PathError};

/// Where a value is, and what its MD5 must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    /// MD5 of the object, in the form of [`hash::name_of`](super::hash::name_of).
    pub hash: String,
    /// The object within its store.
    pub path: ObjectPath,
    /// The database that the value was written in, where the pointer says.
    pub schema: Option<String>,
    /// The store; empty for the default store.
    pub store: String,
    /// Bytes of the object, where the pointer says. Not to be trusted: the store knows.
    pub size: Option<u64>,
}

/// Why a column's text is no pointer. The text itself is never part of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// Longer than [`Pointer::MAX_LEN`].
    #[error("the pointer has {0} bytes; more than 65536 cannot be right")]
    TooLong(usize),
    /// Not a JSON object.
    #[error("the column holds no JSON object")]
    NotAnObject,
    /// A key that is missing or has a value of another type.
    #[error("the pointer has no usable \"{0}\"")]
    Key(&'static str),
    /// A path that could leave the store.
    #[error("the pointer's path is not usable: {0}")]
    Path(#[from] PathError),
}

impl Pointer {
    /// The longest text that is parsed, in bytes.
    pub const MAX_LEN: usize = 64 * 1024;

    /// Reads a pointer, with unknown keys ignored.
    pub fn parse(text: &[u8]) -> Result<Self, PointerError> {
        if text.len() > Self::MAX_LEN {
            return Err(PointerError::TooLong(text.len()));
        }
        let Ok(Value::Object(keys)) = serde_json::from_slice(text) else {
            return Err(PointerError::NotAnObject);
        };
        let required = |key| match keys.get(key) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.as_str()),
            _ => Err(PointerError::Key(key)),
        };
        let optional = |key| match keys.get(key) {
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Null) | None => Ok(None),
            Some(_) => Err(PointerError::Key(key)),
        };
        Ok(Self {
            hash: required("hash")?.to_owned(),
            path: ObjectPath::parse(required("path")?)?,
            schema: optional("schema")?,
            store: optional("store")?.unwrap_or_default(),
            size: keys.get("size").and_then(Value::as_u64),
        })
    }

    /// The text for the column, ASCII only.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(160 + self.path.as_str().len());
        out.push_str("{\"hash\": ");
        quote(&mut out, &self.hash);
        out.push_str(", \"path\": ");
        quote(&mut out, self.path.as_str());
        out.push_str(", \"schema\": ");
        match &self.schema {
            Some(schema) => quote(&mut out, schema),
            None => out.push_str("null"),
        }
        out.push_str(", \"store\": ");
        quote(&mut out, &self.store);
        out.push_str(", \"size\": ");
        match self.size {
            Some(size) => out.push_str(&size.to_string()),
            None => out.push_str("null"),
        }
        out.push('}');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = concat!(
        r#"{"hash": "hrhtqewftfiaxo7bsigt4mfg64", "path": "_hash/exp2b/hrhtqewftfiaxo7bsigt4mfg64", "#,
        r#""schema": "exp2b", "store": "main", "size": 152}"#
    );

    #[test]
    fn the_example_of_the_format_round_trips() {
        let pointer = Pointer::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(pointer.store, "main");
        assert_eq!(pointer.size, Some(152));
        assert_eq!(pointer.schema.as_deref(), Some("exp2b"));
        assert_eq!(pointer.to_json(), EXAMPLE);
    }

    #[test]
    fn mysqls_order_of_keys_is_read() {
        let text = concat!(
            r#"{"hash": "hrhtqewftfiaxo7bsigt4mfg64", "path": "_hash/exp2b/hrhtqewftfiaxo7bsigt4mfg64", "#,
            r#""size": 152, "store": "main", "schema": "exp2b"}"#
        );
        assert_eq!(Pointer::parse(text.as_bytes()).unwrap().to_json(), EXAMPLE);
    }

    #[test]
    fn only_hash_path_and_store_matter() {
        for text in [
            r#"{"hash": "h", "path": "p"}"#,
            r#"{"hash": "h", "path": "p", "store": null, "schema": null, "size": null, "x": [1]}"#,
            r#"{"hash": "h", "path": "p", "store": "", "size": "big"}"#,
        ] {
            let pointer = Pointer::parse(text.as_bytes()).unwrap();
            assert_eq!((pointer.store.as_str(), pointer.size), ("", None), "{text}");
        }
    }

    #[test]
    fn strings_are_written_as_by_python() {
        // json.dumps("a\"\\/\b\f\n\r\t\x01\x7f é 😀")
        let mut out = String::new();
        quote(&mut out, "a\"\\/\u{8}\u{c}\n\r\t\u{1}\u{7f} é 😀");
        assert_eq!(out, r#""a\"\\/\b\f\n\r\t\u0001\u007f \u00e9 \ud83d\ude00""#);
        assert_eq!(
            serde_json::from_str::<String>(&out).unwrap(),
            "a\"\\/\u{8}\u{c}\n\r\t\u{1}\u{7f} é 😀"
        );
    }

    #[test]
    fn what_is_no_pointer_is_refused_without_being_quoted() {
        let error = |text: &str| Pointer::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error("null"), PointerError::NotAnObject);
        assert_eq!(error("dj0\0secret"), PointerError::NotAnObject);
        assert_eq!(error(r#"{"path": "p"}"#), PointerError::Key("hash"));
        assert_eq!(
            error(r#"{"hash": "h", "path": 7}"#),
            PointerError::Key("path")
        );
        assert_eq!(
            error(r#"{"hash": "h", "path": "p", "store": 7}"#),
            PointerError::Key("store")
        );
        for path in [
            "../x",
            "/etc/passwd",
            "a/../../b",
            "s3://b/k",
            "a\\\\..\\\\b",
        ] {
            let text = format!(r#"{{"hash": "h", "path": "{path}"}}"#);
            assert!(matches!(error(&text), PointerError::Path(_)), "{path}");
        }
        let long = format!(r#"{{"hash": "{}"}}"#, "h".repeat(Pointer::MAX_LEN));
        assert!(matches!(error(&long), PointerError::TooLong(_)));
        assert_eq!(error(&"[".repeat(60_000)), PointerError::NotAnObject);
    }
}
