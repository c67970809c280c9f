//! `<packed_bits>`, `<packed_bits@store>`: a codec that makes bytes of its own.
//!
//! - **Stores** `np.packbits` of a mask after its length, in a `<blob>`; with a store in an
//!   object that is named by its hash.
//! - **Takes** and gives an array of booleans with one dimension.

use std::borrow::Cow;

use codec_proxy::codec::value::{Array, Data, Element};
use codec_proxy::codec::{Codec, CodecError, Reading, Value, Writing};

struct PackedBits;

codec_proxy::register_codec!(PackedBits);

impl Codec for PackedBits {
    fn name(&self) -> &str {
        "packed_bits"
    }

    fn dtype(&self, is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        Ok(if is_store { "<hash>" } else { "<blob>" }.into())
    }

    fn encode(&self, value: Value, _to: &Writing<'_>) -> Result<Value, CodecError> {
        let bits = match &value {
            Value::Array(array) if array.element == Element::Bool && array.shape.len() == 1 => {
                array.interleaved()
            }
            other => {
                let text = format!(
                    "Expected a mask of one dimension, got {}",
                    other.type_name()
                );
                return Err(CodecError::Type(text));
            }
        };
        let mut packed = (bits.len() as u64).to_le_bytes().to_vec();
        packed.extend(bits.chunks(8).map(|eight| {
            let place = |(at, bit): (usize, &u8)| u8::from(*bit != 0) << (7 - at);
            eight.iter().enumerate().map(place).sum::<u8>()
        }));
        Ok(Value::Bytes(packed.into()))
    }

    fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError> {
        let corrupt = || CodecError::Corrupt("no packed bits".to_owned());
        let Value::Bytes(packed) = stored else {
            return Err(corrupt());
        };
        let (len, eights) = packed.split_first_chunk().ok_or_else(corrupt)?;
        let len = u64::from_le_bytes(*len);
        // What is stored may be anything: its length is held against what there is.
        if len.div_ceil(8) != eights.len() as u64 {
            return Err(corrupt());
        }
        if len > from.limits.bytes {
            let text = "the mask has more than limits.value_bytes";
            return Err(CodecError::Limit(text.to_owned()));
        }
        let bits = eights
            .iter()
            .flat_map(|eight| (0..8).rev().map(move |at| eight >> at & 1));
        let data = Data::Plain(bits.take(len as usize).collect());
        let array = Array::new(
            Element::Bool,
            vec![len],
            codec_proxy::codec::value::Order::First,
            data,
        );
        array.map(Value::Array).map_err(|_| corrupt())
    }
}
