//! `zstd`: bytes, compressed by Zstandard, with their length in the frame; level 3 by default.

use super::{sent_bytes, stored_bytes, unpacked};
use crate::codec::configured::step::{Kind, Step, Terms};
use crate::codec::{CodecError, Value};

/// The step.
#[derive(Debug)]
pub struct Zstd {
    /// 1 to 22.
    pub level: i32,
}

impl Step for Zstd {
    fn name(&self) -> &'static str {
        "zstd"
    }

    fn takes(&self) -> Kind {
        Kind::Bytes
    }

    fn gives(&self) -> Kind {
        Kind::Bytes
    }

    fn encode(&self, value: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let bytes = sent_bytes(value, terms)?;
        match zstd::bulk::compress(&bytes, self.level) {
            Ok(compressed) => Ok(Value::Bytes(compressed.into())),
            Err(_) => Err(terms.too_large()),
        }
    }

    fn decode(&self, stored: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let bytes = stored_bytes(self, stored, terms)?;
        let decoder =
            zstd::stream::read::Decoder::with_buffer(&bytes[..]).and_then(|mut decoder| {
                // The frame says how far it looks back, and that much memory is taken at once.
                let most = terms.limits.bytes.clamp(1 << 10, 1 << 27);
                decoder.window_log_max(most.next_power_of_two().ilog2())?;
                Ok(decoder)
            });
        match decoder {
            Ok(decoder) => unpacked(self, decoder, terms),
            Err(_) => Err(terms.corrupt(self)),
        }
    }
}
