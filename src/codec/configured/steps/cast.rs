//! `cast`: an array with other elements, and back: NumPy's `astype`.
//!
//! A number that the other element cannot hold is refused; one that it would round, too, unless
//! the codec is lossy.

use super::{sent_array, stored_array};
use crate::codec::configured::step::{Kind, Step, Terms};
use crate::codec::value::{Array, Data, Element};
use crate::codec::{CodecError, Value};

/// The step.
#[derive(Debug)]
pub struct Cast {
    /// What is stored.
    pub to: Element,
    /// What comes back.
    pub from: Element,
}

impl Step for Cast {
    fn name(&self) -> &'static str {
        "cast"
    }

    fn takes(&self) -> Kind {
        Kind::Array
    }

    fn gives(&self) -> Kind {
        Kind::Array
    }

    fn encode(&self, value: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let array = sent_array(value, terms)?;
        match cast(&array, self.to, terms)? {
            Some(array) => Ok(Value::Array(array)),
            None => Err(beyond(array.element, self.to, terms)),
        }
    }

    fn decode(&self, stored: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let array = stored_array(self, stored, terms)?;
        match cast(&array, self.from, terms)? {
            Some(array) => Ok(Value::Array(array)),
            None => Err(terms.corrupt(self)),
        }
    }

    fn may_lose(&self) -> bool {
        true
    }
}

/// That an array does not become one of another element.
pub(super) fn beyond(from: Element, to: Element, terms: &Terms<'_>) -> CodecError {
    let (from, to) = (from.name(), to.name());
    terms.refuse(&format!("an element of the array ({from}) is beyond {to}"))
}

/// The array with other elements; `None` if one is beyond them.
pub(super) fn cast(
    array: &Array,
    to: Element,
    terms: &Terms<'_>,
) -> Result<Option<Array>, CodecError> {
    if array.element == to {
        return Ok(Some(array.clone()));
    }
    // In between, each number takes eight bytes.
    terms.check_room(array.len().saturating_mul(16))?;
    let is_complex = array.element.is_complex();
    let parts = match is_complex && to.is_complex() {
        true => Array {
            element: array.element.part(),
            shape: vec![2 * array.len() as u64],
            data: Data::Plain(array.interleaved()),
            ..array.clone()
        },
        false => array.clone(),
    };
    let part = if is_complex { to.part() } else { to };
    let cast = parts.numbers().and_then(|numbers| numbers.cast(part));
    Ok(cast.map(|data| Array {
        element: to,
        shape: array.shape.clone(),
        order: array.order,
        data: Data::Plain(data),
    }))
}
