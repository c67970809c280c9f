//! `<npy@store>`: an array in a `.npy` file, named by its place in the database.
//!
//! - **Inline**: no. **In a store**: `json`, with path, store, dtype and shape.
//! - **Takes** a `.npy` file, stored as it is, or a packed DataJoint array; in the json notation
//!   an array, or `{"value": …}` with one.
//! - **Gives** the packed array, or with `SET @codec_npy = 'npy'` the file; in the json notation
//!   the metadata and `"value"`. Bytes of big-endian numbers are swapped, texts become objects.
//!   Elements that a packed array cannot have (`float16`, `timedelta64`, `S3`) come as a file
//!   only.
//! - **Source**: `builtin_codecs/npy.py` of DataJoint 2.3.5; the file is in
//!   [`npy_file`](crate::codec::npy_file).

use std::borrow::Cow;

use bytes::Bytes;

use super::json_in_store;
use crate::codec::npy_file::{MAGIC, NpyError, NpyFile};
use crate::codec::section::Section;
use crate::codec::value::Packed;
use crate::codec::{
    Addressing, Codec, CodecError, Given, Manner, Notation, NpyForm, ObjectRef, Reading, Reference,
    Value, ValueLimits, Writing, blob, client, json, metadata, schema_path,
};

/// The codec.
struct Npy;

crate::register_codec!(Npy);

impl Codec for Npy {
    fn name(&self) -> &str {
        "npy"
    }

    fn dtype(&self, is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        json_in_store(is_store, "<npy> requires @ (store only)")
    }

    fn addressing(&self) -> Addressing {
        Addressing::Schema
    }

    /// An array, or as bytes a whole file. What is in an array is seen when it is encoded.
    fn validate(&self, value: &Value) -> Result<(), CodecError> {
        match value {
            Value::Array(_) | Value::Objects(_) | Value::Record(_) => Ok(()),
            Value::Bytes(file) if file.starts_with(MAGIC) => Ok(()),
            Value::Cell(_) | Value::Struct(_) => Err(refused(NpyError::Objects)),
            other => Err(refused(NpyError::NotAnArray(other.type_name()))),
        }
    }

    fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError> {
        let (array, file) = match value {
            Value::Bytes(file) if file.starts_with(MAGIC) => {
                (NpyFile::parse(&file).map_err(refused)?, file)
            }
            value => {
                let array = NpyFile::of_value(&value, to.limits.bytes).map_err(refused)?;
                let file = array.to_bytes();
                (array, file)
            }
        };
        let (backend, path) = schema_path::place(to, Some(".npy"))?;
        backend.put(&path, file)?;
        let shape = array.shape().iter().copied().map(metadata::count);
        Ok(metadata::dict([
            ("path", path.as_str().into()),
            ("store", backend.name().into()),
            ("dtype", Value::Str(array.dtype())),
            ("shape", Value::List(shape.collect())),
        ]))
    }

    fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError> {
        ObjectRef::checked(stored, Section::Schema, from).map(Value::Object)
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
            Notation::Json => {
                let value = json::parse(&sent, limits)?;
                Ok(value.field("value").cloned().unwrap_or(value))
            }
            Notation::Bytes if sent.starts_with(MAGIC) => Ok(Value::Bytes(sent)),
            Notation::Bytes => match Packed::new(sent) {
                Some(packed) => blob::unpack(&packed, limits),
                None => Err(CodecError::Type(
                    "<npy> takes a .npy file or packed DataJoint bytes (they begin with mYm, dj0 \
                     or ZL123)"
                        .into(),
                )),
            },
        }
    }

    fn give(&self, value: Value, manner: &Manner, from: &Reading<'_>) -> Result<Given, CodecError> {
        let Value::Object(object) = value else {
            return client::give(value, manner, &from.limits);
        };
        let value = match (manner.notation, manner.npy) {
            (Notation::Bytes, NpyForm::File) => return Ok(Given::Object(object)),
            (Notation::Bytes, NpyForm::Array) => read(&object, from)?,
            (Notation::Json, _) => with_value(read(&object, from)?, *object.metadata),
        };
        client::give(value, manner, &from.limits)
    }
}

fn read(object: &ObjectRef, from: &Reading<'_>) -> Result<Value, CodecError> {
    let backend = from.backend(&object.store, Section::Schema, &object.path)?;
    let file = backend.get(&object.path, from.limits.bytes)?;
    let array = NpyFile::parse(&file).and_then(|file| file.to_value(from.limits.bytes));
    array.map_err(|error| match error {
        NpyError::Limit(_) => CodecError::Limit(error.to_string()),
        NpyError::NotPackable(_) => CodecError::Value(error.to_string()),
        _ => CodecError::Corrupt(error.to_string()),
    })
}

fn with_value(value: Value, mut metadata: Value) -> Value {
    if let Value::Dict(items) = &mut metadata {
        items.retain(|(name, _)| name.as_str() != Some("value"));
        items.push(("value".into(), value));
    }
    metadata
}

/// Why a client's value is not stored.
fn refused(error: NpyError) -> CodecError {
    match error {
        NpyError::Limit(_) => CodecError::Limit(error.to_string()),
        NpyError::NotAnArray(_) | NpyError::Objects => CodecError::Type(error.to_string()),
        _ => CodecError::Value(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
