//! Compression of whole blobs.

use bytes::{Bytes, BytesMut};
use flate2::{Compress, Compression, FlushCompress, Status};
use libdeflater::{DecompressionError, Decompressor};

use super::{Dimensions, invalid, too_large};
use crate::codec::{CodecError, ValueLimits};

/// What a compressed blob begins with.
pub(super) const HEADER: &[u8] = b"ZL123\0";

/// Blobs up to this many bytes stay as they are.
const SMALL: usize = 1000;

/// zlib's default, which DataJoint takes.
const LEVEL: u32 = 6;

/// Deflate makes at most this many bytes out of one: 258 bytes out of two bits.
const MAX_RATIO: u64 = 1032;

/// The compressed blob if it is shorter, else the blob as it is.
///
/// The output is that of zlib itself, as Python has it. Other implementations compress to other
/// bytes, and an object named by their hash would not be found to be the same.
pub(super) fn compress(raw: Bytes) -> Bytes {
    if raw.len() <= SMALL {
        return raw;
    }
    // No room for anything that is not shorter, so such a blob is given up early.
    let mut compressed = Vec::with_capacity(raw.len() - 1);
    compressed.extend_from_slice(HEADER);
    compressed.extend_from_slice(&(raw.len() as u64).to_le_bytes());
    let mut stream = Compress::new(Compression::new(LEVEL), true);
    loop {
        // Bounded by the length of a slice.
        let rest = &raw[stream.total_in() as usize..];
        let before = (stream.total_in(), stream.total_out());
        match stream.compress_vec(rest, &mut compressed, FlushCompress::Finish) {
            Ok(Status::StreamEnd) if compressed.len() < raw.len() => {
                compressed.shrink_to_fit();
                return compressed.into();
            }
            // More than 4 GiB go in several steps; without a step forward the room is used up.
            Ok(Status::Ok) if before != (stream.total_in(), stream.total_out()) => {}
            _ => return raw,
        }
    }
}

/// The blob itself. Bytes that are not compressed are given back as they are.
///
/// The claimed length is not believed: it is held against what so many compressed bytes can
/// come to, against the limit, and against what they do come to.
pub(super) fn decompress(
    bytes: &Bytes,
    dimensions: Dimensions,
    limits: &ValueLimits,
) -> Result<Bytes, CodecError> {
    let Some(rest) = bytes.strip_prefix(HEADER) else {
        if bytes.len() as u64 > limits.bytes {
            return Err(too_large(limits));
        }
        return Ok(bytes.clone());
    };
    let (claimed, stream) = match dimensions {
        Dimensions::Bits64 => rest
            .split_first_chunk()
            .map(|(len, rest)| (u64::from_le_bytes(*len), rest)),
        Dimensions::Bits32 => rest
            .split_first_chunk()
            .map(|(len, rest)| (u32::from_le_bytes(*len).into(), rest)),
    }
    .ok_or_else(invalid)?;
    if claimed > MAX_RATIO.saturating_mul(stream.len() as u64) {
        return Err(mismatch(claimed, "less"));
    }
    if claimed > limits.bytes {
        return Err(too_large(limits));
    }
    let len = usize::try_from(claimed).map_err(|_| too_large(limits))?;
    // Zeroed memory that nobody writes to costs nothing.
    let mut raw = BytesMut::zeroed(len);
    match Decompressor::new().zlib_decompress(stream, &mut raw) {
        Ok(found) if found == len => Ok(raw.freeze()),
        Ok(found) => Err(mismatch(claimed, found)),
        Err(DecompressionError::InsufficientSpace) => Err(mismatch(claimed, "more")),
        Err(DecompressionError::BadData) => Err(CodecError::Corrupt(
            "the compressed bytes of the blob are damaged".into(),
        )),
    }
}

/// DataJoint's text.
fn mismatch(expected: u64, found: impl std::fmt::Display) -> CodecError {
    CodecError::Corrupt(format!(
        "Blob size mismatch: expected {expected}, got {found}"
    ))
}
