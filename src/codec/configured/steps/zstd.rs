//! `zstd`: bytes, compressed by Zstandard, with their length in the frame; level 3 by default.

use std::io::Read;

use super::{sent_bytes, stored_bytes, unpacked};
use crate::codec::configured::step::{Kind, Step, Terms};
use crate::codec::{CodecError, Value};

/// What the library says of a frame that looks back further than it may.
const TOO_FAR: &str = "too much memory";

/// The step.
#[derive(Debug)]
pub struct Zstd {
    /// 1 to 19.
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
        let Ok(mut decoder) = decoder else {
            return Err(terms.corrupt(self));
        };
        // The first piece tells whether the frame asks for too much.
        let mut first = [0; 1];
        let read = decoder.read(&mut first);
        match read {
            Ok(count) => unpacked(self, first[..count].chain(decoder), terms),
            Err(error) if error.to_string().contains(TOO_FAR) => Err(terms.too_large()),
            Err(_) => Err(terms.corrupt(self)),
        }
    }
}
