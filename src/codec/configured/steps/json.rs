//! `json`: a value as text, and back: Python's `json.dumps` and `json.loads`.

use crate::codec::configured::step::{Kind, Step, Terms};
use crate::codec::{CodecError, Value, metadata};

/// The step.
#[derive(Debug)]
pub struct Json;

impl Step for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn takes(&self) -> Kind {
        Kind::Value
    }

    fn gives(&self) -> Kind {
        Kind::Text
    }

    fn encode(&self, value: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        check_exact(&value, terms)?;
        let text = metadata::dumps(&value)?;
        terms.check_room(text.len())?;
        Ok(Value::Str(text))
    }

    fn decode(&self, stored: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let Value::Str(text) = stored else {
            return Err(terms.corrupt(self));
        };
        metadata::loads_within(text.as_bytes(), terms.limits).map_err(|error| match error {
            CodecError::Limit(_) => error,
            _ => terms.corrupt(self),
        })
    }
}

/// Whether JSON gives a value back as it was. What it cannot hold at all, or not so deep, is left to
/// whoever writes it.
pub fn check_exact(value: &Value, terms: &Terms<'_>) -> Result<(), CodecError> {
    match terms.lossy {
        true => Ok(()),
        false => check_within(value, terms, metadata::MAX_DEPTH + 1),
    }
}

fn check_within(value: &Value, terms: &Terms<'_>, levels: usize) -> Result<(), CodecError> {
    let Some(levels) = levels.checked_sub(1) else {
        return Ok(());
    };
    match value {
        Value::Tuple(_) => {
            Err(terms.refuse("JSON would give a tuple back as a list; lossy = true allows it"))
        }
        Value::Float(number) if number.is_nan() && number.to_bits() != f64::NAN.to_bits() => {
            Err(terms.refuse("JSON would give a NaN back with other bits; lossy = true allows it"))
        }
        Value::List(items) => items
            .iter()
            .try_for_each(|item| check_within(item, terms, levels)),
        Value::Dict(items) => items
            .iter()
            .try_for_each(|(_, item)| check_within(item, terms, levels)),
        _ => Ok(()),
    }
}
