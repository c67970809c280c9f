//! `zlib` and `gzip`: bytes, compressed by zlib itself, as Python has it.
//!
//! `zlib.compress(data, level)`, level 6 by default; `gzip.compress(data, level, mtime=0)`, level 9
//! by default: without the time of day, so that equal values are stored as equal bytes.

use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::{Compress, Compression, FlushCompress, Status};

use super::{sent_bytes, stored_bytes, unpacked};
use crate::codec::configured::step::{Kind, Step, Terms};
use crate::codec::{CodecError, Value};

/// The step.
#[derive(Debug)]
pub struct Deflate {
    /// What stands around the compressed bytes.
    pub wrapper: Wrapper,
    /// 1 to 9.
    pub level: u32,
}

/// What stands around the compressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    /// RFC 1950.
    Zlib,
    /// RFC 1952.
    Gzip,
}

impl Wrapper {
    /// What Python's module takes for a level.
    pub fn default_level(self) -> u32 {
        match self {
            Self::Zlib => 6,
            Self::Gzip => 9,
        }
    }
}

impl Step for Deflate {
    fn name(&self) -> &'static str {
        match self.wrapper {
            Wrapper::Zlib => "zlib",
            Wrapper::Gzip => "gzip",
        }
    }

    fn takes(&self) -> Kind {
        Kind::Bytes
    }

    fn gives(&self) -> Kind {
        Kind::Bytes
    }

    fn encode(&self, value: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let bytes = sent_bytes(value, terms)?;
        Ok(Value::Bytes(self.compressed(&bytes)))
    }

    fn decode(&self, stored: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let bytes = stored_bytes(self, stored, terms)?;
        match self.wrapper {
            Wrapper::Zlib => unpacked(self, ZlibDecoder::new(&bytes[..]), terms),
            // Of an empty file, as Python has it, nothing comes; it was not made here.
            Wrapper::Gzip if bytes.is_empty() => Err(terms.corrupt(self)),
            Wrapper::Gzip => unpacked(self, MultiGzDecoder::new(&bytes[..]), terms),
        }
    }
}

impl Deflate {
    /// All in one go, as Python does: the same bytes whatever the length.
    fn compressed(&self, bytes: &[u8]) -> Bytes {
        let level = Compression::new(self.level);
        let mut stream = match self.wrapper {
            Wrapper::Zlib => Compress::new(level, true),
            Wrapper::Gzip => Compress::new_gzip(level, 15),
        };
        let mut out = Vec::with_capacity(bytes.len() / 4 + 64);
        loop {
            let rest = &bytes[stream.total_in() as usize..];
            // It fails only if it is called in a wrong order.
            match stream.compress_vec(rest, &mut out, FlushCompress::Finish) {
                Ok(Status::StreamEnd) | Err(_) => break,
                Ok(_) => out.reserve(out.capacity().max(64)),
            }
        }
        out.shrink_to_fit();
        out.into()
    }
}
