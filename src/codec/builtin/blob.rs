//! `<blob>`, `<blob@store>`: any value, packed.
//!
//! - **Inline**: `bytes`. **In a store**: `<hash>`.
//! - **Takes** any value of the model; packed bytes are stored as they are, never repacked.
//! - **Gives** the packed bytes, which the client or the json notation unpacks.
//! - **Source**: `builtin_codecs/blob.py` of DataJoint 2.3.5; the bytes are in
//!   [`blob`].

use std::borrow::Cow;

use crate::codec::client;
use crate::codec::value::Packed;
use crate::codec::{Codec, CodecError, Reading, Value, Writing, blob};

/// The codec.
struct Blob;

crate::register_codec!(Blob);

impl Codec for Blob {
    fn name(&self) -> &str {
        "blob"
    }

    fn dtype(&self, is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        Ok(if is_store { "<hash>" } else { "bytes" }.into())
    }

    fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError> {
        let packed = match value {
            Value::Packed(packed) => packed,
            value => blob::pack(&value, &to.limits)?,
        };
        Ok(Value::Bytes(packed.into_bytes()))
    }

    fn decode(&self, stored: Value, _from: &Reading<'_>) -> Result<Value, CodecError> {
        Packed::new(client::stored_bytes(self.name(), stored)?)
            .map(Value::Packed)
            .ok_or_else(|| CodecError::Corrupt("the stored bytes are no DataJoint blob".into()))
    }

    fn takes_packed(&self) -> bool {
        true
    }

    fn is_transparent(&self) -> bool {
        true
    }

    fn validate_head(&self, head: &[u8]) -> Result<(), CodecError> {
        if Packed::has_header(head) {
            Ok(())
        } else {
            Err(CodecError::Type(client::not_packed(self.name())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_needed() {
        for packed in [&b"mYm\0A"[..], b"dj0\0\xff", b"ZL123\0\0\0"] {
            assert!(Blob.validate_head(packed).is_ok(), "{packed:?}");
        }
        for other in [
            &b""[..],
            b"mYm",
            b"MYM\0",
            b"ZL12",
            b"ZL1234",
            b"hello",
            b"\x93NUMPY",
        ] {
            assert!(Blob.validate_head(other).is_err(), "{other:?}");
        }
    }
}
