//! Packing: first the size of everything, and whether it can be packed at all; then the bytes.

use bytes::Bytes;
use num_bigint::BigInt;

use super::kind::{self, type_of};
use super::{DJ0, MYM, deeper, too_large};
use crate::codec::value::{
    Array, Data, Date, Element, Grid, Order, Record, Sparse, Struct, Time, count_elements,
    normal_decimal,
};
use crate::codec::{CodecError, Value, ValueLimits};

/// The value with its header.
pub(super) fn pack(value: &Value, limits: &ValueLimits) -> Result<Bytes, CodecError> {
    let mut plan = Plan {
        limits,
        is_native: false,
    };
    let size = plan.value(value, 0)?.saturating_add(MYM.len() as u64);
    if size > limits.bytes {
        return Err(too_large(limits));
    }
    let size = usize::try_from(size).map_err(|_| too_large(limits))?;
    let mut writer = Writer {
        out: Vec::with_capacity(size),
    };
    writer.put(if plan.is_native { DJ0 } else { MYM });
    writer.value(value);
    debug_assert_eq!(writer.out.len(), size);
    Ok(writer.out.into())
}

/// What packing will come to.
struct Plan<'a> {
    limits: &'a ValueLimits,
    /// Whether there is anything that MATLAB does not know: then the header is `dj0`.
    is_native: bool,
}

/// Bytes of a length, a count or a dimension.
const WORD: u64 = 8;

impl Plan<'_> {
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
fn int_len(int: i64) -> usize {
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

/// Writes what a [`Plan`] has gone through.
struct Writer {
    out: Vec<u8>,
}

impl Writer {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Cell(grid) => {
                self.shape(kind::CELL, &grid.shape);
                self.parts(&grid.elements);
            }
            Value::Objects(grid) => {
                self.shape(kind::ARRAY, &grid.shape);
                self.element(kind::OBJECTS, false);
                self.parts(&grid.elements);
            }
            Value::Struct(value) => {
                self.shape(kind::STRUCT, &value.shape);
                self.names(value.fields.iter());
                self.parts(&value.elements);
            }
            Value::Record(record) => {
                self.put(&[kind::RECORD]);
                self.names(record.fields.iter().map(|(name, _)| name));
                for (_, field) in &record.fields {
                    self.value(field);
                }
            }
            Value::Tuple(items) => self.sequence(kind::TUPLE, items),
            Value::List(items) => self.sequence(kind::LIST, items),
            Value::Set(items) => self.sequence(kind::SET, items),
            Value::Dict(items) => {
                self.word(kind::DICT, items.len());
                for (key, value) in items {
                    self.part(key);
                    self.part(value);
                }
            }
            other => self.scalar(other),
        }
    }

    fn scalar(&mut self, value: &Value) {
        match value {
            Value::Array(array) => self.array(array),
            Value::Sparse(sparse) => self.sparse(sparse),
            Value::None => self.put(&[kind::NONE]),
            Value::Str(text) => self.text(kind::STR, text.as_bytes()),
            Value::Bytes(bytes) => self.text(kind::BYTES, bytes),
            Value::Decimal(text) => self.text(kind::DECIMAL, text.as_bytes()),
            Value::Int(int) => {
                let len = int_len(*int);
                // The ninth byte, where there is one, is all sign.
                let bytes = i128::from(*int).to_le_bytes();
                self.int(&bytes[..len]);
            }
            Value::BigInt(int) => {
                let mut bytes = int.to_signed_bytes_le();
                let sign = bytes
                    .last()
                    .map_or(0, |top| if *top > 127 { 255 } else { 0 });
                bytes.resize(int.bits() as usize / 8 + 1, sign);
                self.int(&bytes);
            }
            Value::Bool(value) => self.put(&[kind::BOOL, u8::from(*value)]),
            Value::Complex { re, im } => {
                self.put(&[kind::COMPLEX]);
                self.put(&re.to_le_bytes());
                self.put(&im.to_le_bytes());
            }
            Value::Float(float) => {
                self.put(&[kind::FLOAT]);
                self.put(&float.to_le_bytes());
            }
            Value::Date(date) => self.date_time(Some(date), None),
            Value::Time(time) => self.date_time(None, Some(time)),
            Value::DateTime(date, time) => self.date_time(Some(date), Some(time)),
            Value::Uuid(uuid) => {
                self.put(&[kind::UUID]);
                self.put(uuid);
            }
            // The plan has refused anything else.
            _ => {}
        }
    }

    fn array(&mut self, array: &Array) {
        let (number, is_complex) = type_of(array.element);
        self.shape(kind::ARRAY, &array.shape);
        self.element(number, is_complex);
        self.elements(array);
    }

    /// Copies the elements; rearranges them only if they are not as blobs have them.
    fn elements(&mut self, array: &Array) {
        let array = array.in_order(Order::First);
        match (array.planes(), &array.data) {
            (Some((re, im)), _) => {
                self.put(&re);
                self.put(&im);
            }
            (None, Data::Plain(data)) => self.put(data),
            // Only complex numbers have planes.
            (None, Data::Planes(..)) => {}
        }
    }

    fn sparse(&mut self, sparse: &Sparse) {
        let (number, is_complex) = type_of(sparse.values.element);
        self.put(&[kind::SPARSE]);
        for number in [sparse.rows, sparse.columns, sparse.capacity] {
            self.put(&number.to_le_bytes());
        }
        self.element(number, is_complex);
        self.put(&sparse.starts);
        self.put(&sparse.row_indices);
        self.elements(&sparse.values);
    }

    fn sequence(&mut self, code: u8, items: &[Value]) {
        self.word(code, items.len());
        self.parts(items);
    }

    fn parts(&mut self, values: &[Value]) {
        for value in values {
            self.part(value);
        }
    }

    /// A value after its length, which is filled in when it is known.
    fn part(&mut self, value: &Value) {
        let start = self.out.len() + WORD as usize;
        self.put(&[0; WORD as usize]);
        self.value(value);
        let len = (self.out.len() - start) as u64;
        self.out[start - WORD as usize..start].copy_from_slice(&len.to_le_bytes());
    }

    fn shape(&mut self, code: u8, shape: &[u64]) {
        self.word(code, shape.len());
        for len in shape {
            self.put(&len.to_le_bytes());
        }
    }

    fn element(&mut self, number: u32, is_complex: bool) {
        self.put(&number.to_le_bytes());
        self.put(&u32::from(is_complex).to_le_bytes());
    }

    fn names<'a>(&mut self, names: impl ExactSizeIterator<Item = &'a String>) {
        self.put(&(names.len() as u32).to_le_bytes());
        for name in names {
            self.put(name.as_bytes());
            self.put(&[0]);
        }
    }

    fn text(&mut self, code: u8, bytes: &[u8]) {
        self.word(code, bytes.len());
        self.put(bytes);
    }

    /// A code and a length or count.
    fn word(&mut self, code: u8, number: usize) {
        self.put(&[code]);
        self.put(&(number as u64).to_le_bytes());
    }

    fn int(&mut self, bytes: &[u8]) {
        self.put(&[kind::INT]);
        self.put(&(bytes.len() as u16).to_le_bytes());
        self.put(bytes);
    }

    fn date_time(&mut self, date: Option<&Date>, time: Option<&Time>) {
        let date = date.map_or(-1, |date| {
            (i32::from(date.year) * 100 + i32::from(date.month)) * 100 + i32::from(date.day)
        });
        let time = time.map_or(-1, |time| {
            let minutes = i64::from(time.hour) * 100 + i64::from(time.minute);
            (minutes * 100 + i64::from(time.second)) * 1_000_000 + i64::from(time.microsecond)
        });
        self.put(&[kind::DATE_TIME]);
        self.put(&date.to_le_bytes());
        self.put(&time.to_le_bytes());
    }

    fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }
}
