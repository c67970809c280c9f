//! `reshape`: an array of another shape, and back: NumPy's `reshape`, the last index running
//! fastest.

use super::{sent_array, stored_array};
use crate::codec::configured::step::{Kind, Step, Terms};
use crate::codec::value::{Array, Order};
use crate::codec::{CodecError, Value};

/// The step.
#[derive(Debug)]
pub struct Reshape {
    to: Shape,
    from: Shape,
}

/// Lengths, of which one may be whatever is left.
#[derive(Debug)]
struct Shape(Vec<Option<u64>>);

/// A shape that none can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("takes lengths from 0 up, of which one may be -1: what is left")]
pub struct ShapeError;

impl Reshape {
    /// To one shape and back to another, each with -1 for at most one of the lengths.
    pub fn new(to: &[i64], from: &[i64]) -> Result<Self, ShapeError> {
        Ok(Self {
            to: Shape::new(to)?,
            from: Shape::new(from)?,
        })
    }
}

impl Shape {
    fn new(lengths: &[i64]) -> Result<Self, ShapeError> {
        let is_left = |length: &&i64| **length == -1;
        let many = lengths.len() > Array::MAX_DIMENSIONS;
        if many || lengths.iter().any(|n| *n < -1) || lengths.iter().filter(is_left).count() > 1 {
            return Err(ShapeError);
        }
        Ok(Self(
            lengths.iter().map(|n| u64::try_from(*n).ok()).collect(),
        ))
    }

    /// The array in this shape; `None` if it has not as many elements.
    fn of(&self, array: &Array) -> Option<Array> {
        let known = self.0.iter().flatten();
        let product = known.copied().try_fold(1_u64, u64::checked_mul)?;
        let (len, has_rest) = (array.len() as u64, self.0.contains(&None));
        let rest = match has_rest {
            true => len.checked_div(product)?,
            false => 1,
        };
        if product.checked_mul(rest)? != len {
            return None;
        }
        let shape: Vec<u64> = self.0.iter().map(|length| length.unwrap_or(rest)).collect();
        let rows = array.in_order(Order::Last);
        let order = match shape.len() < 2 {
            true => Order::First,
            false => Order::Last,
        };
        let reshaped = Array {
            shape,
            order,
            ..rows
        };
        Some(reshaped.in_order(Order::First))
    }
}

impl Step for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn takes(&self) -> Kind {
        Kind::Array
    }

    fn gives(&self) -> Kind {
        Kind::Array
    }

    fn encode(&self, value: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let array = sent_array(value, terms)?;
        match self.to.of(&array) {
            Some(array) => Ok(Value::Array(array)),
            None => Err(terms.refuse("the array has not as many elements as its shape")),
        }
    }

    fn decode(&self, stored: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let array = stored_array(self, stored, terms)?;
        match self.from.of(&array) {
            Some(array) => Ok(Value::Array(array)),
            None => Err(terms.corrupt(self)),
        }
    }

    fn may_lose(&self) -> bool {
        true
    }
}
