//! `<hash@store>`: bytes in an object that is named by their MD5.
//!
//! - **Inline**: no. **In a store**: `json`, a [`Pointer`].
//! - **Takes** bytes: as they are, or `{"$bytes": …}` in the json notation.
//! - **Gives** the bytes, once their MD5 has been compared.
//! - **Source**: `builtin_codecs/hash.py` and `hash_registry.py` of DataJoint 2.3.5.

use std::borrow::Cow;

use bytes::Bytes;
use md5::{Digest, Md5};

use super::json_in_store;
use crate::codec::section::Section;
use crate::codec::{
    Addressing, Backend, BackendError, Codec, CodecError, Given, Manner, Notation, ObjectPath,
    Pointer, Reading, Reference, Value, ValueLimits, Writing, client, hash, json, metadata,
};

/// The codec.
struct Hash;

crate::register_codec!(Hash);

impl Codec for Hash {
    fn name(&self) -> &str {
        "hash"
    }

    fn dtype(&self, is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        json_in_store(is_store, "<hash> requires @ (in-store storage only)")
    }

    fn addressing(&self) -> Addressing {
        Addressing::Hash
    }

    fn validate(&self, value: &Value) -> Result<(), CodecError> {
        match value {
            Value::Bytes(_) => Ok(()),
            other => Err(not_bytes(other)),
        }
    }

    fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError> {
        let Value::Bytes(bytes) = value else {
            return Err(not_bytes(&value));
        };
        let pointer = to.backend()?.put_hashed(to.site.schema, bytes)?;
        Ok(pointer.into())
    }

    fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError> {
        let expected = metadata::text(&stored, "hash")?;
        let path = metadata::path(&stored)?;
        let backend = from.backend(metadata::store(&stored)?, Section::Hash, &path)?;
        let bytes = backend.get(&path, from.limits.bytes)?;
        let actual = hash::name_of(Md5::digest(&bytes).into());
        if actual != expected {
            return Err(mismatch(&*backend, &path, expected, &actual).into());
        }
        Ok(Value::Bytes(bytes))
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
            Notation::Bytes => Ok(Value::Bytes(sent)),
            Notation::Json => json::parse(&sent, limits),
        }
    }

    fn give(&self, value: Value, manner: &Manner, from: &Reading<'_>) -> Result<Given, CodecError> {
        match (manner.notation, value) {
            (Notation::Bytes, Value::Bytes(bytes)) => Ok(Given::Bytes(bytes)),
            (_, value) => client::give(value, manner, &from.limits),
        }
    }

    fn is_transparent(&self) -> bool {
        true
    }
}

impl From<Pointer> for Value {
    fn from(pointer: Pointer) -> Self {
        metadata::dict([
            ("hash", Self::Str(pointer.hash)),
            ("path", pointer.path.as_str().into()),
            ("schema", pointer.schema.map_or(Self::None, Self::Str)),
            ("store", Self::Str(pointer.store)),
            ("size", pointer.size.map_or(Self::None, metadata::count)),
        ])
    }
}

/// DataJoint's words are for the log: a hash is as good as the path of an object.
fn mismatch(
    backend: &dyn Backend,
    path: &ObjectPath,
    expected: &str,
    actual: &str,
) -> BackendError {
    let name = backend.name();
    BackendError {
        told: format!(
            "store '{name}': Hash mismatch: the object is not what was stored; the log of \
             codec-proxy names it"
        ),
        source: format!(
            "Hash mismatch: expected {expected}, got {actual}. Data at {path} may be corrupted."
        )
        .into(),
    }
}

fn not_bytes(value: &Value) -> CodecError {
    CodecError::Type(format!("<hash> expects bytes, got {}", value.type_name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::testing::{Place, dict, layout};

    fn pointer(path: &str, hash: &str) -> Value {
        dict(&[
            ("hash", hash.into()),
            ("path", path.into()),
            ("schema", "lab".into()),
            ("store", "main".into()),
            ("size", Value::Int(5)),
        ])
    }

    #[test]
    fn what_is_written_is_read() {
        let place = Place::new();
        let stored = Hash
            .encode(Value::Bytes("hello".into()), &place.writing())
            .unwrap();
        // put_hash(b"hello", schema_name="lab", store_name="main")
        let name = "lvauakv4jmvhnolrtwiraf6fsi";
        assert_eq!(stored, pointer(&format!("_hash/lab/{name}"), name));
        let value = Hash.decode(stored.clone(), &place.reading()).unwrap();
        assert_eq!(value, Value::Bytes("hello".into()));
        let reference = Reference {
            store: "main".to_owned(),
            path: format!("_hash/lab/{name}"),
        };
        assert_eq!(Hash.referenced_paths(&stored), [reference]);
    }

    #[test]
    fn the_text_is_that_of_the_pointer() {
        let pointer = Pointer {
            hash: "h".to_owned(),
            path: crate::codec::testing::path("_hash/é/h"),
            schema: None,
            store: "main".to_owned(),
            size: Some(u64::MAX),
        };
        let text = pointer.to_json();
        assert_eq!(metadata::dumps(&pointer.into()).unwrap(), text);
    }

    #[test]
    fn only_bytes_are_taken() {
        let error = Hash.validate(&"text".into()).unwrap_err();
        assert_eq!(error.to_string(), "<hash> expects bytes, got str");
        let error = Hash.encode(Value::List(vec![]), &Place::new().writing());
        assert_eq!(
            error.unwrap_err().to_string(),
            "<hash> expects bytes, got list"
        );
    }

    #[test]
    fn clients_send_and_get_the_bytes_themselves() {
        let place = Place::new();
        let (manner, limits) = (place.manner, place.limits);
        let value = Hash.take("any\0thing".into(), &manner, &limits).unwrap();
        let given = Hash.give(value, &manner, &place.reading()).unwrap();
        assert_eq!(given, Given::Bytes("any\0thing".into()));
    }

    #[test]
    fn the_content_must_be_that_of_the_hash() {
        let place = Place::new();
        let name = "lvauakv4jmvhnolrtwiraf6fsi";
        let path = format!("_hash/lab/{name}");
        place.store().plant(&path, b"hellO");
        let error = Hash.decode(pointer(&path, name), &place.reading());
        let text = error.unwrap_err().to_string();
        assert_eq!(
            text,
            "store 'main': Hash mismatch: the object is not what was stored; the log of \
             codec-proxy names it"
        );
    }

    #[test]
    fn planted_pointers_are_refused() {
        let mut place = Place::new();
        place.add("second", layout());
        let name = "lvauakv4jmvhnolrtwiraf6fsi";
        for path in [
            format!("_hash/other/{name}"),
            format!("_schema/lab/{name}"),
            format!("_schema/other/{name}"),
            format!("raw/{name}"),
            format!("lab/{name}"),
            format!("_hash/lab/../other/{name}"),
            format!("/_hash/lab/{name}"),
        ] {
            let is_path = crate::codec::ObjectPath::parse(&path).is_ok();
            if is_path {
                place.store().plant(&path, b"hello");
            }
            let error = Hash.decode(pointer(&path, name), &place.reading());
            let text = error.unwrap_err().to_string();
            assert!(!text.contains(name), "{text}");
        }
        for broken in [
            Value::None,
            Value::List(vec![]),
            dict(&[("path", "_hash/lab/x".into())]),
            dict(&[("hash", name.into()), ("path", Value::Int(1))]),
        ] {
            let error = Hash.decode(broken, &place.reading()).unwrap_err();
            assert!(matches!(error, CodecError::Corrupt(_)), "{error}");
        }
    }

    #[test]
    fn an_object_beyond_the_limit_is_not_read() {
        let mut place = Place::new();
        let stored = Hash
            .encode(Value::Bytes("hello".into()), &place.writing())
            .unwrap();
        place.limits.bytes = 4;
        assert!(Hash.decode(stored, &place.reading()).is_err());
    }
}
