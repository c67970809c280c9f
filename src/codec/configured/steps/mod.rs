//! The steps, one file each.

mod base64;
mod cast;
mod deflate;
mod differences;
mod json;
mod reshape;
mod text;
mod zstd;

#[cfg(test)]
mod tests;

pub use self::base64::Base64;
pub use self::cast::Cast;
pub use self::deflate::{Deflate, Wrapper};
pub use self::differences::{Differences, Direction};
pub use self::json::Json;
pub(super) use self::json::check_exact;
pub use self::reshape::{Reshape, ShapeError};
pub use self::text::{Charset, Text};
pub use self::zstd::Zstd;

use std::io::Read;

use bytes::Bytes;

use super::step::{Kind, Step, Terms};
use crate::codec::value::Array;
use crate::codec::{CodecError, Value};

/// The bytes that a step is given to encode.
fn sent_bytes(value: Value, terms: &Terms<'_>) -> Result<Bytes, CodecError> {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        other => Err(terms.expected(Kind::Bytes, &other)),
    }
}

/// The bytes that a step is given to decode.
fn stored_bytes(step: &dyn Step, stored: Value, terms: &Terms<'_>) -> Result<Bytes, CodecError> {
    match stored {
        Value::Bytes(bytes) => Ok(bytes),
        _ => Err(terms.corrupt(step)),
    }
}

/// The array that a step is given to encode.
fn sent_array(value: Value, terms: &Terms<'_>) -> Result<Array, CodecError> {
    match value {
        Value::Array(array) => Ok(array),
        other => Err(terms.expected(Kind::Array, &other)),
    }
}

/// The array that a step is given to decode.
fn stored_array(step: &dyn Step, stored: Value, terms: &Terms<'_>) -> Result<Array, CodecError> {
    match stored {
        Value::Array(array) => Ok(array),
        _ => Err(terms.corrupt(step)),
    }
}

/// All that a decompressor has to give; more than the limit is an error, whatever it is of.
fn unpacked(step: &dyn Step, from: impl Read, terms: &Terms<'_>) -> Result<Value, CodecError> {
    let mut out = Vec::new();
    let most = terms.limits.bytes.saturating_add(1);
    match from.take(most).read_to_end(&mut out) {
        Ok(_) if out.len() as u64 == most => Err(terms.too_large()),
        Ok(_) => Ok(Value::Bytes(out.into())),
        Err(_) => Err(terms.corrupt(step)),
    }
}
