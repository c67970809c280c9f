//! `base64`: bytes as text.

use data_encoding::BASE64;

use super::sent_bytes;
use crate::codec::configured::step::{Kind, Step, Terms};
use crate::codec::{CodecError, Value};

/// The step.
#[derive(Debug)]
pub struct Base64;

impl Step for Base64 {
    fn name(&self) -> &'static str {
        "base64"
    }

    fn takes(&self) -> Kind {
        Kind::Bytes
    }

    fn gives(&self) -> Kind {
        Kind::Text
    }

    fn encode(&self, value: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let bytes = sent_bytes(value, terms)?;
        terms.check_room(BASE64.encode_len(bytes.len()))?;
        Ok(Value::Str(BASE64.encode(&bytes)))
    }

    fn decode(&self, stored: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let decoded = match &stored {
            Value::Str(text) => BASE64.decode(text.as_bytes()).ok(),
            _ => None,
        };
        let bytes = decoded.ok_or_else(|| terms.corrupt(self))?;
        Ok(Value::Bytes(bytes.into()))
    }
}
