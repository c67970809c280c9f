//! What codecs share: what clients send and get unless a codec has a form of its own (a packed
//! blob, or JSON), and the small checks on the way.

use bytes::Bytes;
use data_encoding::BASE64;

use super::value::Packed;
use super::{CodecError, Given, Manner, Notation, Value, ValueLimits, blob, json};

/// The value that a client has sent to a column of `codec`.
pub(super) fn take(
    codec: &str,
    sent: Bytes,
    manner: &Manner,
    limits: &ValueLimits,
) -> Result<Value, CodecError> {
    match manner.notation {
        Notation::Bytes => Packed::new(sent)
            .map(Value::Packed)
            .ok_or_else(|| CodecError::Type(not_packed(codec))),
        Notation::Json => json::parse(&sent, limits),
    }
}

/// What a client gets for a value.
pub(super) fn give(
    value: Value,
    manner: &Manner,
    limits: &ValueLimits,
) -> Result<Given, CodecError> {
    let bytes = match (manner.notation, value) {
        (Notation::Bytes, Value::Packed(packed)) => packed.into_bytes(),
        (Notation::Bytes, value) => blob::pack(&value, limits)?.into_bytes(),
        (Notation::Json, Value::Packed(packed)) => {
            json::print(&blob::unpack(&packed, limits)?, manner.json_limit, limits)?.into()
        }
        (Notation::Json, value) => json::print(&value, manner.json_limit, limits)?.into(),
    };
    Ok(Given::Bytes(bytes))
}

/// The bytes of a text in base64, from a client's JSON.
pub(super) fn base64(codec: &str, text: &str) -> Result<Vec<u8>, CodecError> {
    BASE64
        .decode(text.as_bytes())
        .map_err(|_| CodecError::Value(format!("<{codec}>: \"base64\" is not base64")))
}

/// Whether so many bytes in base64 may be part of a client's JSON.
pub(super) fn check_base64(bytes: u64, limits: &ValueLimits) -> Result<(), CodecError> {
    if bytes.div_ceil(3).saturating_mul(4) <= limits.json_bytes {
        return Ok(());
    }
    Err(CodecError::Limit(format!(
        "the value takes more than {} bytes of JSON (limits.json_bytes)",
        limits.json_bytes
    )))
}

/// The bytes that the next step of the chain has for `codec`.
pub(super) fn stored_bytes(codec: &str, stored: Value) -> Result<Bytes, CodecError> {
    match stored {
        Value::Bytes(bytes) => Ok(bytes),
        other => {
            let found = other.type_name();
            Err(CodecError::Corrupt(format!(
                "<{codec}> finds {found}, not bytes"
            )))
        }
    }
}

/// The refusal of bytes that no DataJoint client has packed.
pub(super) fn not_packed(codec: &str) -> String {
    format!("<{codec}> takes packed DataJoint bytes (they begin with mYm, dj0 or ZL123)")
}
