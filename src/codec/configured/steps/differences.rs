//! `diff` and `cumsum`: each the inverse of the other, of an array of one dimension.
//!
//! `diff` stores `np.diff(x, prepend=0)`, with `to` as that element, and gives
//! `np.cumsum(stored)`, with `from` as that element; `cumsum` the other way round. The sum of
//! `float32` is one of `float32`, as in NumPy.

use super::cast::{beyond, cast};
use super::{sent_array, stored_array};
use crate::codec::configured::step::{Kind, Step, Terms};
use crate::codec::value::{Array, Element, Numbers};
use crate::codec::{CodecError, Value};

/// The step.
#[derive(Debug)]
pub struct Differences {
    /// Which of the two is stored.
    pub stored: Direction,
    /// What is stored; without it, what NumPy makes of the operation.
    pub to: Option<Element>,
    /// What comes back; without it, what NumPy makes of the operation.
    pub from: Option<Element>,
}

/// What is made of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `np.diff(x, prepend=0)`
    Differences,
    /// `np.cumsum(x)`
    Sums,
}

impl Direction {
    fn inverse(self) -> Self {
        match self {
            Self::Differences => Self::Sums,
            Self::Sums => Self::Differences,
        }
    }

    /// `None` where the numbers go beyond 64 bits, or are none.
    fn of(self, array: &Array) -> Option<Array> {
        let numbers = array.numbers()?;
        let numbers = match self {
            Self::Differences => differences(numbers, array.element)?,
            Self::Sums => sums(numbers)?,
        };
        Some(numbers.into_array())
    }
}

impl Step for Differences {
    fn name(&self) -> &'static str {
        match self.stored {
            Direction::Differences => "diff",
            Direction::Sums => "cumsum",
        }
    }

    fn takes(&self) -> Kind {
        Kind::Array
    }

    fn gives(&self) -> Kind {
        Kind::Array
    }

    fn encode(&self, value: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let array = sent_array(value, terms)?;
        if array.shape.len() != 1 {
            let (name, found) = (self.name(), array.shape.len());
            let reason = format!("{name} is of arrays with one dimension, got {found}");
            return Err(terms.refuse(&reason));
        }
        terms.check_room(array.len().saturating_mul(16))?;
        let Some(made) = self.stored.of(&array) else {
            let (name, element) = (self.name(), array.element.name());
            let reason = format!("{name} is of numbers within 64 bits, got {element}");
            return Err(terms.refuse(&reason));
        };
        let to = self.to.unwrap_or(made.element);
        match cast(&made, to, terms)? {
            Some(array) => Ok(Value::Array(array)),
            None => Err(beyond(made.element, to, terms)),
        }
    }

    fn decode(&self, stored: Value, terms: &Terms<'_>) -> Result<Value, CodecError> {
        let array = stored_array(self, stored, terms)?;
        terms.check_room(array.len().saturating_mul(16))?;
        let is_flat = array.shape.len() == 1;
        let made = is_flat.then(|| self.stored.inverse().of(&array)).flatten();
        let made = made.ok_or_else(|| terms.corrupt(self))?;
        match cast(&made, self.from.unwrap_or(made.element), terms)? {
            Some(array) => Ok(Value::Array(array)),
            None => Err(terms.corrupt(self)),
        }
    }

    fn may_lose(&self) -> bool {
        true
    }
}

/// The 0 before the first number is an `int64`: what comes of it is what NumPy makes of both.
fn differences(numbers: Numbers, element: Element) -> Option<Numbers> {
    Some(match numbers {
        Numbers::Int(numbers) => Numbers::Int(signed(numbers.into_iter())?),
        Numbers::UInt(numbers) if element != Element::UInt64 => {
            // They have 32 bits at most.
            Numbers::Int(signed(numbers.into_iter().map(|n| n as i64))?)
        }
        other => {
            let mut before = 0.0;
            let difference = |number| number - std::mem::replace(&mut before, number);
            Numbers::Float64(other.to_f64().into_iter().map(difference).collect())
        }
    })
}

fn signed(numbers: impl Iterator<Item = i64>) -> Option<Vec<i64>> {
    let mut before = 0;
    numbers
        .map(|number| number.checked_sub(std::mem::replace(&mut before, number)))
        .collect()
}

fn sums(numbers: Numbers) -> Option<Numbers> {
    macro_rules! sums {
        ($numbers:expr, $zero:expr, $add:expr) => {{
            let mut sum = $zero;
            let next = |number| {
                sum = $add(sum, number)?;
                Some(sum)
            };
            $numbers.into_iter().map(next).collect::<Option<_>>()?
        }};
    }
    Some(match numbers {
        Numbers::Int(numbers) => Numbers::Int(sums!(numbers, 0, i64::checked_add)),
        Numbers::UInt(numbers) => Numbers::UInt(sums!(numbers, 0, u64::checked_add)),
        Numbers::Float32(numbers) => {
            Numbers::Float32(sums!(numbers, 0.0, |sum: f32, number| Some(sum + number)))
        }
        Numbers::Float64(numbers) => {
            Numbers::Float64(sums!(numbers, 0.0, |sum: f64, number| Some(sum + number)))
        }
    })
}
