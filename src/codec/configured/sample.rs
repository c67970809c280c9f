//! A value that goes through a codec once, to see that it comes back.

use super::step::Kind;
use super::{Configured, is_same};
use crate::codec::value::{Array, Data, Element, Numbers, Order};
use crate::codec::{CodecError, Value, ValueLimits};

/// What became of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// One came back as it was.
    Same,
    /// One came back rounded or as another type, as a lossy codec may have it.
    Near,
    /// None was a value that the codec takes.
    None,
}

impl Configured {
    /// Sends a sample through all steps and back. The samples are those of its schema, then some of
    /// every type; of those that its rules take, one must come through.
    pub fn try_sample(&self, limits: &ValueLimits) -> Result<Tried, CodecError> {
        let mut first = None;
        for sample in self.samples() {
            if self.check(&sample, limits).is_err() {
                continue;
            }
            match self.there_and_back(&sample, limits) {
                Ok(tried) => return Ok(tried),
                Err(error) => first = first.or(Some(error)),
            }
        }
        first.map_or(Ok(Tried::None), Err)
    }

    fn there_and_back(&self, sample: &Value, limits: &ValueLimits) -> Result<Tried, CodecError> {
        let stored = self.forwards(sample.clone(), limits)?;
        let again = self.backwards(stored, limits)?;
        match is_same(&again, sample) {
            true => Ok(Tried::Same),
            false if self.definition.lossy => Ok(Tried::Near),
            false => Err(self
                .terms(limits)
                .refuse("a sample came back as another value")),
        }
    }

    fn samples(&self) -> Vec<Value> {
        let schema = self.definition.schema.as_ref();
        let mut samples = schema.map(|schema| schema.examples()).unwrap_or_default();
        let takes = self.definition.steps.first().map(|step| step.takes());
        let takes = takes.unwrap_or(Kind::Value);
        if takes == Kind::Value {
            let pair = (
                "name".into(),
                Value::List(vec![Value::Int(1), Value::Float(0.5)]),
            );
            samples.extend([Value::Dict(vec![pair]), Value::List(vec![]), Value::Int(7)]);
        }
        if let Kind::Value | Kind::Text = takes {
            samples.push("sample".into());
        }
        if let Kind::Value | Kind::Bytes = takes {
            samples.push(Value::Bytes("sample".into()));
        }
        if let Kind::Value | Kind::Array = takes {
            samples.extend(arrays());
        }
        samples
    }
}

/// Twelve numbers that do not fall, as every element, in one and in two dimensions.
fn arrays() -> impl Iterator<Item = Value> {
    let numbers = Numbers::Int((0..12).map(|n| n / 2).collect());
    let of_shape = move |shape: Vec<u64>| {
        let numbers = numbers.clone();
        Element::all().filter_map(move |element| {
            let array = Array {
                element,
                shape: shape.clone(),
                order: Order::First,
                data: Data::Plain(numbers.cast(element)?),
            };
            Some(Value::Array(array))
        })
    };
    of_shape(vec![12]).chain(of_shape(vec![3, 4]))
}
