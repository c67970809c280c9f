//! `<hash@store>`: bytes in an object that is named by their MD5.
//!
//! - **Inline**: no. **In a store**: `json`, a [`Pointer`].
//! - **Takes** bytes. **Gives** bytes.
//! - **Source**: `builtin_codecs/hash.py` and `hash_registry.py` of DataJoint 2.3.5.

use std::borrow::Cow;

use crate::codec::{Addressing, ChainError, Codec, CodecError, Reading, Value, Writing};

/// The codec.
struct Hash;

crate::register_codec!(Hash);

impl Codec for Hash {
    fn name(&self) -> &str {
        "hash"
    }

    fn dtype(&self, is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        if is_store {
            Ok("json".into())
        } else {
            let text = "<hash> requires @ (in-store storage only)";
            Err(ChainError::RequiresStore(text.to_owned()).into())
        }
    }

    fn addressing(&self) -> Addressing {
        Addressing::Hash
    }

    fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError> {
        let _ = (value, to);
        Err(CodecError::Type("hash comes next".into()))
    }

    fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError> {
        let _ = (stored, from);
        Err(CodecError::Type("hash comes next".into()))
    }

    fn is_transparent(&self) -> bool {
        true
    }
}
