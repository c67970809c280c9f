//! What a codec with a file format of its own is made with: DataJoint's `SchemaCodec`.
//!
//! A [`FileFormat`] says how a value becomes the content of a file and back; [`SchemaCodec`] makes
//! a codec of it, whose files are named by schema, table, primary key and column:
//!
//! ```ignore
//! codec_proxy::register_codec!(SchemaCodec(Csv));
//! ```
//!
//! - **Inline**: no. **In a store**: `json`, with path, store, and what the format adds.
//! - **Takes** and **gives** what clients call the value: a packed blob, or JSON.

use std::borrow::Cow;

use bytes::Bytes;

use super::section::Section;
use super::{
    Addressing, ChainError, Codec, CodecError, ObjectRef, Reading, Reference, Value, ValueLimits,
    Writing, metadata, schema_path,
};

/// How values of one kind lie in files.
pub trait FileFormat: Send + Sync + 'static {
    /// The codec's name: `csv` for `<csv@main>`.
    fn name(&self) -> &str;

    /// What the names of its files end with, for example `.csv`.
    fn extension(&self) -> &str {
        ""
    }

    /// Whether a value may be written.
    fn validate(&self, value: &Value) -> Result<(), CodecError> {
        let _ = value;
        Ok(())
    }

    /// The file for a value.
    fn write(&self, value: Value, limits: &ValueLimits) -> Result<File, CodecError>;

    /// The value of a file that [`write`](Self::write) has made, or that somebody else has put
    /// there: nothing of it is to be trusted. `metadata` is what the column holds.
    fn read(
        &self,
        content: Bytes,
        metadata: &Value,
        limits: &ValueLimits,
    ) -> Result<Value, CodecError>;
}

/// A file, and what its column says of it besides path and store.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// The bytes.
    pub content: Bytes,
    /// Keys and values of JSON's kinds, in this order.
    pub metadata: Vec<(&'static str, Value)>,
}

/// The codec of a file format.
pub struct SchemaCodec<F>(pub F);

impl<F: FileFormat> Codec for SchemaCodec<F> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn dtype(&self, is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        if is_store {
            return Ok("json".into());
        }
        let text = format!("<{}> requires @ (store only)", self.name());
        Err(ChainError::RequiresStore(text).into())
    }

    fn addressing(&self) -> Addressing {
        Addressing::Schema
    }

    fn validate(&self, value: &Value) -> Result<(), CodecError> {
        self.0.validate(value)
    }

    /// 1. The file is made: what cannot be written is refused, nothing was stored.
    /// 2. It is stored under a new name, durably. A failure leaves at most that object.
    fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError> {
        let File { content, metadata } = self.0.write(value, &to.limits)?;
        let (backend, path) = schema_path::place(to, Some(self.0.extension()))?;
        backend.put(&path, content)?;
        let own = [
            ("path".into(), path.as_str().into()),
            ("store".into(), backend.name().into()),
        ];
        let added = metadata.into_iter().map(|(key, value)| (key.into(), value));
        Ok(Value::Dict(own.into_iter().chain(added).collect()))
    }

    fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError> {
        let object = ObjectRef::checked(stored, Section::Schema, from)?;
        let content = object.content(Section::Schema, from)?;
        self.0.read(content, &object.metadata, &from.limits)
    }

    fn referenced_paths(&self, stored: &Value) -> Vec<Reference> {
        metadata::reference(stored).into_iter().collect()
    }
}

impl ObjectRef {
    /// The content of the file, at most `limits.value_bytes` of it.
    pub fn content(&self, section: Section, from: &Reading<'_>) -> Result<Bytes, CodecError> {
        let backend = from.backend(&self.store, section, &self.path)?;
        Ok(backend.get(&self.path, from.limits.bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Place, dict};
    use super::*;

    struct Text;

    impl FileFormat for Text {
        fn name(&self) -> &str {
            "text"
        }

        fn extension(&self) -> &str {
            ".txt"
        }

        fn write(&self, value: Value, _limits: &ValueLimits) -> Result<File, CodecError> {
            let Value::Str(text) = value else {
                return Err(CodecError::Type("<text> takes text".to_owned()));
            };
            let characters = metadata::count(text.chars().count() as u64);
            Ok(File {
                content: text.into(),
                metadata: vec![("characters", characters)],
            })
        }

        fn read(
            &self,
            content: Bytes,
            _metadata: &Value,
            _limits: &ValueLimits,
        ) -> Result<Value, CodecError> {
            match str::from_utf8(&content) {
                Ok(text) => Ok(text.into()),
                Err(_) => Err(CodecError::Corrupt("the file is not UTF-8".to_owned())),
            }
        }
    }

    const CODEC: SchemaCodec<Text> = SchemaCodec(Text);

    #[test]
    fn a_value_lies_in_a_file_at_its_place() {
        let place = Place::new();
        let stored = CODEC.encode("äb".into(), &place.writing()).unwrap();
        let [path] = &place.store().paths()[..] else {
            panic!("one object");
        };
        let named = path.as_str();
        assert!(named.starts_with("_schema/lab/scan/id=7/data_") && named.ends_with(".txt"));
        let expected = dict(&[
            ("path", named.into()),
            ("store", "main".into()),
            ("characters", Value::Int(2)),
        ]);
        assert_eq!(stored, expected);
        assert_eq!(CODEC.referenced_paths(&stored)[0].path, named);
        let value = CODEC.decode(stored, &place.reading()).unwrap();
        assert_eq!(value, "äb".into());
    }

    #[test]
    fn it_needs_a_store_and_a_key() {
        let error = CODEC.dtype(false).unwrap_err().to_string();
        assert_eq!(error, "<text> requires @ (store only)");
        assert_eq!(CODEC.dtype(true).unwrap(), "json");
        assert!(CODEC.needs_key());
    }

    #[test]
    fn a_planted_path_and_a_refused_value_touch_nothing() {
        let place = Place::new();
        place
            .store()
            .plant("_schema/other/scan/data_x.txt", b"secret");
        let planted = dict(&[("path", "_schema/other/scan/data_x.txt".into())]);
        assert!(CODEC.decode(planted, &place.reading()).is_err());
        assert!(CODEC.encode(Value::Int(1), &place.writing()).is_err());
        assert!(place.store().paths().is_empty());
    }

    #[test]
    fn a_file_beyond_the_limit_is_not_read() {
        let mut place = Place::new();
        let stored = CODEC.encode("abc".into(), &place.writing()).unwrap();
        place.limits.bytes = 2;
        assert!(CODEC.decode(stored, &place.reading()).is_err());
    }
}
