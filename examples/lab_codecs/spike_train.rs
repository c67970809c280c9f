//! `<spike_train>`, `<spike_train@store>`: a codec that transforms and hands on.
//!
//! - **Stores** the differences of spike times as `float32`, in a `<blob>`.
//! - **Takes** a sorted array of one dimension, and gives one of `float64`.

use std::borrow::Cow;

use codec_proxy::codec::value::Numbers;
use codec_proxy::codec::{Codec, CodecError, Reading, Value, Writing};

struct SpikeTrain;

codec_proxy::register_codec!(SpikeTrain);

impl Codec for SpikeTrain {
    fn name(&self) -> &str {
        "spike_train"
    }

    fn dtype(&self, _is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        Ok("<blob>".into())
    }

    fn validate(&self, value: &Value) -> Result<(), CodecError> {
        let Value::Array(array) = value else {
            let text = "Expected numpy array of spike times";
            return Err(CodecError::Type(text.to_owned()));
        };
        let refuse = |text: &str| Err(CodecError::Value(text.to_owned()));
        if array.shape.len() != 1 {
            return refuse("Spike train must be 1-dimensional");
        }
        match array.numbers() {
            Some(times) if times.to_f64().is_sorted() => Ok(()),
            _ => refuse("Spike times must be sorted"),
        }
    }

    fn encode(&self, value: Value, _to: &Writing<'_>) -> Result<Value, CodecError> {
        let mut before = 0.0;
        let difference = |time| (time - std::mem::replace(&mut before, time)) as f32;
        let times = numbers(&value)?.to_f64();
        let differences = times.into_iter().map(difference).collect();
        Ok(Value::Array(Numbers::Float32(differences).into_array()))
    }

    fn decode(&self, stored: Value, _from: &Reading<'_>) -> Result<Value, CodecError> {
        let Numbers::Float32(differences) = numbers(&stored)? else {
            return Err(not_ours());
        };
        let mut sum = 0.0;
        let add = |difference| {
            sum += difference;
            f64::from(sum)
        };
        let times = differences.into_iter().map(add).collect();
        Ok(Value::Array(Numbers::Float64(times).into_array()))
    }
}

fn numbers(value: &Value) -> Result<Numbers, CodecError> {
    match value {
        Value::Array(array) => array.numbers().ok_or_else(not_ours),
        _ => Err(not_ours()),
    }
}

fn not_ours() -> CodecError {
    CodecError::Corrupt("no spike times".to_owned())
}
