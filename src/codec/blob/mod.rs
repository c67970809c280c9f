//! The blob format: packed DataJoint values.
//!
//! Source: `blob.py` of DataJoint 2.3.5, which packs the same bytes as 0.12 to 0.14, and mYm, by
//! which MATLAB packs. All numbers are little-endian. `N` is the length of what follows, or a
//! count, in eight bytes; `n` is two or four bytes.
//!
//! A blob is a header and one value, which must end where the blob does:
//!
//! | header    | then                                                                     |
//! |-----------|--------------------------------------------------------------------------|
//! | `mYm\0`   | a value made of MATLAB's kinds only                                      |
//! | `dj0\0`   | a value with anything else in it                                         |
//! | `ZL123\0` | N of the decompressed blob, and a zlib stream of it, its header included |
//!
//! A value is a code and what belongs to it. A part of a value is N and a value.
//!
//! | code | value               | then                                                          |
//! |------|---------------------|---------------------------------------------------------------|
//! | `A`  | array               | shape, type (4 bytes), is complex (4 bytes), elements         |
//! | `C`  | MATLAB cell array   | shape, the elements as parts                                  |
//! | `S`  | MATLAB struct array | shape, names, for each element each field as a part           |
//! | `P`  | MATLAB sparse       | N rows, N columns, N capacity, type, is complex, column starts, row indices, elements |
//! | `F`  | structured array    | names, for each field an `A` or `F` value without its length  |
//! | 255  | `None`              |                                                               |
//! | 1    | `tuple`             | N, the items as parts                                         |
//! | 2    | `list`              | the same                                                      |
//! | 3    | `set`               | the same                                                      |
//! | 4    | `dict`              | N, for each item key and value as parts                       |
//! | 5    | `str`               | N, UTF-8                                                      |
//! | 6    | `bytes`             | N, bytes                                                      |
//! | 10   | `int`               | n (2 bytes), two's complement                                 |
//! | 11   | `bool`              | a byte                                                        |
//! | 12   | `complex`           | two f64                                                       |
//! | 13   | `float`             | f64                                                           |
//! | `d`  | `Decimal`           | N, its text                                                   |
//! | `t`  | date and/or time    | yyyymmdd in an i32 or -1, hhmmssuuuuuu in an i64 or -1        |
//! | `u`  | `UUID`              | 16 bytes, big-endian                                          |
//!
//! A shape is N dimensions and N for each; names are a count (4 bytes) and texts that each end
//! with a zero byte. Elements come with the first index fastest: bytes of a fixed size by the
//! type, complex numbers as all real and then all imaginary parts, objects as parts.
//! In a blob of a 32-bit MATLAB every `N` has four bytes ([`Dimensions::Bits32`]).
//!
//! # What is not kept, and what is refused
//!
//! A value keeps everything but its outermost framing: to pack what was unpacked gives the same
//! bytes again after the header, which is chosen anew, as is compression. What could not come
//! back so is refused, even where Python reads it with a shrug: integers longer than DataJoint
//! packs them, booleans other than 0 and 1, decimals in another notation than Python's, both
//! halves of a date and time missing, flags other than 0 and 1, arrays of types without elements
//! (0, 1, 2, and 16 for function handles), and more than 64 dimensions. NaNs keep all their
//! bits, dicts and sets their order and even items that Python would merge, a `frozenset` is
//! packed as a `set` already.

mod compress;
mod kind;
mod measure;
mod pack;
mod reader;
mod unpack;

#[cfg(test)]
mod tests;

use bytes::Bytes;

use super::value::Packed;
use super::{CodecError, Value, ValueLimits};

/// How long lengths, counts and dimensions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimensions {
    /// Eight bytes.
    Bits64,
    /// Four bytes: in blobs that mYm packed in a 32-bit MATLAB. They hold MATLAB's kinds only,
    /// and no array of less than two dimensions.
    Bits32,
}

/// Deeper than any value is meant to be; `limits.value_depth` counts up to here.
pub const MAX_DEPTH: usize = 500;

/// Packs a value, compressed where DataJoint would.
///
/// Errors are of the value: [`Packed`](Value::Packed) and [`Object`](Value::Object) cannot be
/// packed, integers of more than 65535 bytes neither, nor arrays of another size than they say.
pub fn pack(value: &Value, limits: &ValueLimits) -> Result<Packed, CodecError> {
    let raw = pack::pack(value, limits)?;
    packed(compress::compress(raw))
}

/// Packs a value without compression. Errors as [`pack()`].
pub fn pack_raw(value: &Value, limits: &ValueLimits) -> Result<Packed, CodecError> {
    packed(pack::pack(value, limits)?)
}

/// Unpacks a value. Arrays stay views on the bytes, or on their decompressed form.
///
/// A blob that cannot have 64-bit dimensions is taken for one of 32 bits: where a 64-bit blob
/// has the upper half of its first dimensions, it has something else than zero, and it makes
/// sense to its last byte. A 32-bit blob that begins with a dimension of 0 is not told apart so;
/// it is an error here, never read as something else.
pub fn unpack(packed: &Packed, limits: &ValueLimits) -> Result<Value, CodecError> {
    match unpack_with(packed, Dimensions::Bits64, limits) {
        Err(CodecError::Corrupt(error)) if seems_32_bit(packed.bytes()) => {
            unpack_with(packed, Dimensions::Bits32, limits).map_err(|other| match other {
                limit @ CodecError::Limit(_) => limit,
                _ => CodecError::Corrupt(error),
            })
        }
        result => result,
    }
}

/// Unpacks a value with dimensions of a known size.
pub fn unpack_with(
    packed: &Packed,
    dimensions: Dimensions,
    limits: &ValueLimits,
) -> Result<Value, CodecError> {
    let raw = compress::decompress(packed.bytes(), dimensions, limits)?;
    unpack::unpack(&raw, dimensions, limits)
}

/// Whether the place where a 64-bit blob has zeros for sure holds something else.
fn seems_32_bit(bytes: &[u8]) -> bool {
    match bytes.strip_prefix(compress::HEADER) {
        // The upper half of the length, or the beginning of a zlib stream.
        Some(rest) => rest.get(4..6).is_some_and(|head| {
            head[0] & 15 == 8 && u16::from_be_bytes([head[0], head[1]]) % 31 == 0
        }),
        // The upper half of the number of dimensions, or the first dimension.
        None => bytes.starts_with(MYM) && bytes.get(9..13).is_some_and(|upper| upper != [0; 4]),
    }
}

const MYM: &[u8] = b"mYm\0";
const DJ0: &[u8] = b"dj0\0";

fn packed(bytes: Bytes) -> Result<Packed, CodecError> {
    Packed::new(bytes).ok_or_else(|| CodecError::Corrupt(NO_HEADER.into()))
}

const NO_HEADER: &str = "the bytes are no DataJoint blob";

/// DataJoint's text for lengths that do not fit together.
fn invalid() -> CodecError {
    CodecError::Corrupt("Blob length check failed! Invalid blob".into())
}

/// One level further into a value.
fn deeper(depth: usize, limits: &ValueLimits) -> Result<usize, CodecError> {
    let most = limits.depth.min(MAX_DEPTH);
    if depth < most {
        Ok(depth + 1)
    } else {
        Err(CodecError::Limit(format!(
            "the value is nested deeper than limits.value_depth allows ({most})"
        )))
    }
}

fn too_large(limits: &ValueLimits) -> CodecError {
    let most = limits.bytes;
    CodecError::Limit(format!(
        "the value takes more than limits.value_bytes allows ({most} bytes)"
    ))
}

fn corrupt(text: &str) -> CodecError {
    CodecError::Corrupt(text.into())
}
