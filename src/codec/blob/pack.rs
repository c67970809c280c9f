//! Packing: the value is measured first, then written into memory of just that size.

use bytes::Bytes;

use super::kind::{self, type_of};
use super::measure::{Plan, int_len};
use super::{DJ0, MYM, too_large};
use crate::codec::value::{Array, Data, Date, Order, Sparse, Time};
use crate::codec::{CodecError, Value, ValueLimits};

/// The value with its header.
pub(super) fn pack(value: &Value, limits: &ValueLimits) -> Result<Bytes, CodecError> {
    let plan = Plan::of(value, limits)?;
    let header = if plan.is_native { DJ0 } else { MYM };
    let size = plan.size.saturating_add(header.len() as u64);
    if size > limits.bytes {
        return Err(too_large(limits));
    }
    let size = usize::try_from(size).map_err(|_| too_large(limits))?;
    let mut writer = Writer {
        out: Vec::with_capacity(size),
    };
    writer.put(header);
    writer.value(value);
    debug_assert_eq!(writer.out.len(), size);
    Ok(writer.out.into())
}

/// Bytes of a length.
const WORD: usize = 8;

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
        let start = self.out.len() + WORD;
        self.put(&[0; WORD]);
        self.value(value);
        let len = (self.out.len() - start) as u64;
        self.out[start - WORD..start].copy_from_slice(&len.to_le_bytes());
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
