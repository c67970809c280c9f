//! What packing will come to: the size of everything, and whether it can be packed at all.

use num_bigint::BigInt;

use super::deeper;
use crate::codec::value::{
    Array, Data, Element, Grid, Record, Sparse, Struct, count_elements, normal_decimal,
};
use crate::codec::{CodecError, Value, ValueLimits};

/// What a value needs, its header aside.
pub(super) struct Plan {
    /// Bytes.
    pub(super) size: u64,
    /// Whether there is anything that MATLAB does not know: then the header is `dj0`.
    pub(super) is_native: bool,
}

impl Plan {
    pub(super) fn of(value: &Value, limits: &ValueLimits) -> Result<Self, CodecError> {
        let mut gauge = Gauge {
            limits,
            is_native: false,
        };
        Ok(Self {
            size: gauge.value(value, 0)?,
            is_native: gauge.is_native,
        })
    }
}

/// Goes through a value. Sizes that are beyond all numbers stay at the highest.
struct Gauge<'a> {
    limits: &'a ValueLimits,
    is_native: bool,
}

/// Bytes of a length, a count or a dimension.
const WORD: u64 = 8;

impl Gauge<'_> {
    /// The packed size of a value in bytes, its code included.
    ///
    /// Calls itself for the parts of a value; so the frame of every function on the way is kept
    /// small, and what has no parts is measured elsewhere.
    fn value(&mut self, value: &Value, depth: usize) -> Result<u64, CodecError> {
        self.is_native |= !matches!(
            value,
            Value::Array(_) | Value::Cell(_) | Value::Struct(_) | Value::Sparse(_)
        );
        match value {
            Value::Cell(grid) => self.grid(grid, depth),
            // The type comes in addition to what a cell array has.
            Value::Objects(grid) => self.grid(grid, depth).map(|size| size.saturating_add(8)),
            Value::Struct(value) => self.structs(value, depth),
            Value::Record(record) => self.record(record, depth),
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
                self.sequence(items, depth)
            }
            Value::Dict(items) => self.dict(items, depth),
            other => self.scalar(other),
        }
    }

    /// The size of a value that has no other values in it.
    fn scalar(&mut self, value: &Value) -> Result<u64, CodecError> {
        let size = match value {
            Value::Array(array) => self.array(array)?,
            Value::Sparse(sparse) => sparse_len(sparse)?,
            Value::None => 0,
            Value::Bool(_) => 1,
            Value::Int(int) => 2 + int_len(*int) as u64,
            Value::BigInt(int) => 2 + big_int_len(int)?,
            Value::Float(_) => 8,
            Value::Complex { .. } | Value::Uuid(_) => 16,
            Value::Str(text) => WORD + text.len() as u64,
            Value::Bytes(bytes) => WORD + bytes.len() as u64,
            Value::Decimal(text) if normal_decimal(text).as_ref() == Some(text) => {
                WORD + text.len() as u64
            }
            Value::Date(date) if date.is_valid() => 12,
            Value::Time(time) if time.is_valid() => 12,
            Value::DateTime(date, time) if date.is_valid() && time.is_valid() => 12,
            Value::Decimal(_) | Value::Date(_) | Value::Time(_) | Value::DateTime(..) => {
                let name = value.type_name();
                return Err(CodecError::Value(format!("there is no such {name}")));
            }
            other => {
                let name = other.type_name();
                return Err(CodecError::Type(format!(
                    "Packing object of type {name} currently not supported!"
                )));
            }
        };
        Ok(size + 1)
    }

    fn array(&mut self, array: &Array) -> Result<u64, CodecError> {
        array
            .check()
            .map_err(|error| CodecError::Value(error.to_string()))?;
        // DataJoint leaves single characters to MATLAB.
        let is_scalar = array.shape.is_empty() && array.element != Element::Char;
        self.is_native |= is_scalar || matches!(array.element, Element::DateTime64(_));
        Ok(shape_len(&array.shape) + 8 + data_len(&array.data))
    }

    fn grid(&mut self, grid: &Grid, depth: usize) -> Result<u64, CodecError> {
        fits(&grid.shape, 1, grid.elements.len())?;
        let parts = self.parts(&grid.elements, depth)?;
        Ok(parts.saturating_add(1 + shape_len(&grid.shape)))
    }

    fn structs(&mut self, value: &Struct, depth: usize) -> Result<u64, CodecError> {
        fits(&value.shape, value.fields.len(), value.elements.len())?;
        let names = names_len(value.fields.iter())?;
        let parts = self.parts(&value.elements, depth)?;
        Ok(parts.saturating_add(1 + shape_len(&value.shape) + names))
    }

    fn record(&mut self, record: &Record, depth: usize) -> Result<u64, CodecError> {
        let depth = deeper(depth, self.limits)?;
        let mut size = 1 + names_len(record.fields.iter().map(|(name, _)| name))?;
        for (_, field) in &record.fields {
            is_array(field)?;
            size = size.saturating_add(self.value(field, depth)?);
        }
        Ok(size)
    }

    fn dict(&mut self, items: &[(Value, Value)], depth: usize) -> Result<u64, CodecError> {
        let depth = deeper(depth, self.limits)?;
        let mut size = 1 + WORD;
        for (key, value) in items {
            for part in [key, value] {
                size = size
                    .saturating_add(WORD)
                    .saturating_add(self.value(part, depth)?);
            }
        }
        Ok(size)
    }

    fn sequence(&mut self, items: &[Value], depth: usize) -> Result<u64, CodecError> {
        let parts = self.parts(items, depth)?;
        Ok(parts.saturating_add(1 + WORD))
    }

    /// The size of values with their lengths.
    fn parts(&mut self, values: &[Value], depth: usize) -> Result<u64, CodecError> {
        let depth = deeper(depth, self.limits)?;
        let mut size = 0_u64;
        for value in values {
            size = size
                .saturating_add(WORD)
                .saturating_add(self.value(value, depth)?);
        }
        Ok(size)
    }
}

fn sparse_len(sparse: &Sparse) -> Result<u64, CodecError> {
    let indices = (sparse.starts.len() + sparse.row_indices.len()) as u64;
    let starts = sparse.columns.checked_add(1).and_then(|n| n.checked_mul(8));
    let is_sound = sparse.values.check().is_ok()
        && sparse.values.shape == [sparse.capacity]
        && !matches!(
            sparse.values.element,
            Element::Char | Element::DateTime64(_)
        )
        && starts == Some(sparse.starts.len() as u64)
        && sparse.capacity.checked_mul(8) == Some(sparse.row_indices.len() as u64);
    if is_sound {
        Ok(3 * WORD + 8 + indices + data_len(&sparse.values.data))
    } else {
        let text = "the parts of a sparse matrix do not fit together";
        Err(CodecError::Value(text.into()))
    }
}

/// Whether a value can be a field of a structured array.
fn is_array(field: &Value) -> Result<(), CodecError> {
    match field {
        Value::Array(_) | Value::Objects(_) | Value::Record(_) => Ok(()),
        other => Err(CodecError::Type(format!(
            "a field of a structured array must be an array, not {}",
            other.type_name()
        ))),
    }
}

fn shape_len(shape: &[u64]) -> u64 {
    WORD + WORD * shape.len() as u64
}

fn data_len(data: &Data) -> u64 {
    match data {
        Data::Plain(data) => data.len() as u64,
        Data::Planes(re, im) => (re.len() + im.len()) as u64,
    }
}

/// Whether there are `fields` values for each element of the shape.
fn fits(shape: &[u64], fields: usize, len: usize) -> Result<(), CodecError> {
    let expected = count_elements(shape, 1).and_then(|count| count.checked_mul(fields));
    if expected == Some(len) {
        Ok(())
    } else {
        let text = "an array has more or fewer elements than its shape says";
        Err(CodecError::Value(text.into()))
    }
}

fn names_len<'a>(names: impl Iterator<Item = &'a String>) -> Result<u64, CodecError> {
    let mut size = 4;
    for name in names {
        if name.contains('\0') {
            let text = "the name of a field must not have a zero byte in it";
            return Err(CodecError::Value(text.into()));
        }
        size += name.len() as u64 + 1;
    }
    Ok(size)
}

/// The bytes DataJoint gives to an integer, which are sometimes one more than needed.
pub(super) fn int_len(int: i64) -> usize {
    let bits = u64::BITS - int.unsigned_abs().leading_zeros();
    bits as usize / 8 + 1
}

fn big_int_len(int: &BigInt) -> Result<u64, CodecError> {
    let len = int.bits() / 8 + 1;
    if len > u16::MAX.into() {
        let text = "Integers are limited to 65535 bytes";
        return Err(CodecError::Value(text.into()));
    }
    Ok(len)
}
