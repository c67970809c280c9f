//! What a value must be before it is encoded: the codec's `validate`.

use super::step::Terms;
use crate::codec::value::{Element, Numbers};
use crate::codec::{CodecError, Value};

/// One or more conditions with one message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    /// Python's names of the types that are taken: `ndarray`, `dict`.
    pub types: Vec<String>,
    /// Elements of an array.
    pub elements: Vec<Element>,
    /// Dimensions of an array.
    pub dimensions: Option<u64>,
    /// Whether the elements of an array must not fall.
    pub sorted: bool,
    /// What is told instead of what is wrong.
    pub message: Option<String>,
}

/// The types that a value can have, as [`Value::type_name`] has them.
pub const TYPES: [&str; 16] = [
    "ndarray", "dict", "list", "tuple", "set", "str", "bytes", "int", "float", "bool", "complex",
    "Decimal", "datetime", "date", "time", "UUID",
];

impl Rule {
    /// Whether the value meets all conditions. The wrong type is Python's `TypeError`, anything
    /// else its `ValueError`.
    pub(super) fn check(&self, value: &Value, terms: &Terms<'_>) -> Result<(), CodecError> {
        let found = value.type_name();
        if !self.types.is_empty() && !self.types.iter().any(|name| name == found) {
            let reason = format!("Expected {}, got {found}", self.types.join(" or "));
            return Err(CodecError::Type(self.told(reason, terms)));
        }
        if self.elements.is_empty() && self.dimensions.is_none() && !self.sorted {
            return Ok(());
        }
        let Value::Array(array) = value else {
            let reason = format!("Expected ndarray of numbers, got {found}");
            return Err(CodecError::Type(self.told(reason, terms)));
        };
        let fail = |reason| Err(CodecError::Value(self.told(reason, terms)));
        if !self.elements.is_empty() && !self.elements.contains(&array.element) {
            let names: Vec<_> = self.elements.iter().map(|element| element.name()).collect();
            let (names, found) = (names.join(" or "), array.element.name());
            return fail(format!("Expected elements of {names}, got {found}"));
        }
        let dimensions = array.shape.len() as u64;
        if self
            .dimensions
            .is_some_and(|expected| expected != dimensions)
        {
            let expected = self.dimensions.unwrap_or_default();
            return fail(format!("Expected {expected} dimensions, got {dimensions}"));
        }
        if self.sorted && !array.numbers().is_some_and(|numbers| is_sorted(&numbers)) {
            return fail("Values must be sorted".to_owned());
        }
        Ok(())
    }

    fn told(&self, reason: String, terms: &Terms<'_>) -> String {
        let told = self.message.clone().unwrap_or(reason);
        format!("<{}>: {told}", terms.codec)
    }
}

/// Whether none is less than the one before it; a NaN among others is not in any order.
fn is_sorted(numbers: &Numbers) -> bool {
    match numbers {
        Numbers::Int(numbers) => numbers.is_sorted(),
        Numbers::UInt(numbers) => numbers.is_sorted(),
        Numbers::Float32(numbers) => numbers.is_sorted(),
        Numbers::Float64(numbers) => numbers.is_sorted(),
    }
}
