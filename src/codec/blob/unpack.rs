//! Unpacking: what the bytes say is checked before anything is allocated for it.

use bytes::Bytes;
use num_bigint::BigInt;

use super::kind::{self, element_of};
use super::reader::Reader;
use super::{DJ0, Dimensions, MYM, NO_HEADER, corrupt, deeper, invalid};
use crate::codec::value::{
    Array, Data, Date, Element, Grid, Order, Record, Sparse, Struct, Time, count_elements,
    normal_decimal,
};
use crate::codec::{CodecError, Value, ValueLimits};

/// The value of a blob that is not compressed.
pub(super) fn unpack(
    raw: &Bytes,
    dimensions: Dimensions,
    limits: &ValueLimits,
) -> Result<Value, CodecError> {
    let is_native = raw.starts_with(DJ0) && dimensions == Dimensions::Bits64;
    if !is_native && !raw.starts_with(MYM) {
        return Err(CodecError::Corrupt(NO_HEADER.into()));
    }
    let mut reader = Reader::new(raw, dimensions, limits);
    let value = reader.value(0)?;
    reader.finish()?;
    Ok(value)
}

impl Reader<'_> {
    /// Calls itself for the parts of a value; so the frame of every function on the way is kept
    /// small, and what has no parts is read elsewhere.
    fn value(&mut self, depth: usize) -> Result<Value, CodecError> {
        let code = self.code()?;
        match code {
            kind::ARRAY => self.array(depth),
            kind::CELL => self.grid(depth).map(Value::Cell),
            kind::STRUCT => self.structs(depth),
            kind::RECORD => self.record(depth),
            kind::TUPLE => self.sequence(depth).map(Value::Tuple),
            kind::LIST => self.sequence(depth).map(Value::List),
            kind::SET => self.sequence(depth).map(Value::Set),
            kind::DICT => self.dict(depth),
            code => self.scalar(code),
        }
    }

    fn code(&mut self) -> Result<u8, CodecError> {
        let [code] = self.take()?;
        let is_matlab = matches!(code, kind::ARRAY | kind::CELL | kind::STRUCT | kind::SPARSE);
        if self.dimensions == Dimensions::Bits32 && !is_matlab {
            return Err(invalid());
        }
        Ok(code)
    }

    /// A value that has no other values in it.
    fn scalar(&mut self, code: u8) -> Result<Value, CodecError> {
        Ok(match code {
            kind::NONE => Value::None,
            kind::STR => Value::Str(self.text()?),
            kind::BYTES => {
                let len = self.count()?;
                Value::Bytes(self.view(len)?)
            }
            kind::INT => self.int()?,
            kind::BOOL => match self.take()? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                _ => return Err(corrupt("a bool in the blob is neither 0 nor 1")),
            },
            kind::COMPLEX => Value::Complex {
                re: f64::from_le_bytes(self.take()?),
                im: f64::from_le_bytes(self.take()?),
            },
            kind::FLOAT => Value::Float(f64::from_le_bytes(self.take()?)),
            kind::DECIMAL => {
                let text = self.text()?;
                if normal_decimal(&text).as_ref() != Some(&text) {
                    return Err(corrupt("a decimal in the blob is not as Python writes it"));
                }
                Value::Decimal(text)
            }
            kind::DATE_TIME => self.date_time()?,
            kind::UUID => Value::Uuid(self.take()?),
            kind::SPARSE => Value::Sparse(Box::new(self.sparse()?)),
            other => {
                let code = char::from(other).escape_debug();
                return Err(CodecError::Corrupt(format!(
                    "Unknown data structure code \"{code}\". Upgrade datajoint."
                )));
            }
        })
    }

    fn array(&mut self, depth: usize) -> Result<Value, CodecError> {
        let shape = self.shape()?;
        match self.element()? {
            None => self.grid_of(shape, depth).map(Value::Objects),
            Some(element) => self.elements(element, shape).map(Value::Array),
        }
    }

    /// What the elements of an array are; `None` for objects.
    fn element(&mut self) -> Result<Option<Element>, CodecError> {
        let number = u32::from_le_bytes(self.take()?);
        let is_complex = self.flag()?;
        if number == kind::OBJECTS && !is_complex {
            return Ok(None);
        }
        element_of(number, is_complex).map(Some)
    }

    /// The elements, as a view on the blob.
    fn elements(&mut self, element: Element, shape: Vec<u64>) -> Result<Array, CodecError> {
        let len = count_elements(&shape, element.size()).ok_or_else(invalid)?;
        let part = len * element.part_size();
        let data = if element.is_complex() {
            Data::Planes(self.view(part)?, self.view(part)?)
        } else {
            let data = self.view(part)?;
            if element == Element::Bool && !is_all_bool(&data) {
                return Err(corrupt("a bool in the blob is neither 0 nor 1"));
            }
            Data::Plain(data)
        };
        Ok(Array {
            element,
            shape,
            order: Order::First,
            data,
        })
    }

    fn grid(&mut self, depth: usize) -> Result<Grid, CodecError> {
        let shape = self.shape()?;
        self.grid_of(shape, depth)
    }

    fn grid_of(&mut self, shape: Vec<u64>, depth: usize) -> Result<Grid, CodecError> {
        let len = count_elements(&shape, 1).ok_or_else(invalid)?;
        let elements = self.parts(len, depth)?;
        Ok(Grid { shape, elements })
    }

    fn structs(&mut self, depth: usize) -> Result<Value, CodecError> {
        let shape = self.shape()?;
        let fields = self.names()?;
        let len = count_elements(&shape, 1)
            .and_then(|len| len.checked_mul(fields.len()))
            .ok_or_else(invalid)?;
        let elements = self.parts(len, depth)?;
        Ok(Value::Struct(Struct {
            shape,
            fields,
            elements,
        }))
    }

    fn record(&mut self, depth: usize) -> Result<Value, CodecError> {
        let depth = deeper(depth, self.limits)?;
        let names = self.names()?;
        self.allot(names.len(), size_of::<(String, Value)>())?;
        let mut fields = Vec::with_capacity(names.len());
        for name in names {
            let is_array = matches!(self.peek(), Some(kind::ARRAY | kind::RECORD));
            if !is_array {
                return Err(corrupt("a field of a structured array is no array"));
            }
            fields.push((name, self.value(depth)?));
        }
        Ok(Value::Record(Record { fields }))
    }

    fn sparse(&mut self) -> Result<Sparse, CodecError> {
        let (rows, columns, capacity) = (self.word()?, self.word()?, self.word()?);
        let element = match self.element()? {
            None | Some(Element::Char | Element::DateTime64(_)) => {
                return Err(corrupt("a sparse matrix in the blob is not of numbers"));
            }
            Some(element) => element,
        };
        let starts = columns.checked_add(1).ok_or_else(invalid)?;
        Ok(Sparse {
            rows,
            columns,
            capacity,
            starts: self.indices(starts)?,
            row_indices: self.indices(capacity)?,
            values: self.elements(element, vec![capacity])?,
        })
    }

    /// Indices of eight bytes each.
    fn indices(&mut self, count: u64) -> Result<Bytes, CodecError> {
        let count = usize::try_from(count).map_err(|_| invalid())?;
        let len = count.checked_mul(self.word_len()).ok_or_else(invalid)?;
        let indices = self.view(len)?;
        match self.dimensions {
            Dimensions::Bits64 => Ok(indices),
            Dimensions::Bits32 => {
                self.allot(count, 8)?;
                let (indices, _) = indices.as_chunks();
                let widened = indices
                    .iter()
                    .flat_map(|index| u64::from(u32::from_le_bytes(*index)).to_le_bytes());
                Ok(widened.collect())
            }
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Value>, CodecError> {
        let count = self.count()?;
        self.parts(count, depth)
    }

    fn dict(&mut self, depth: usize) -> Result<Value, CodecError> {
        let depth = deeper(depth, self.limits)?;
        let count = self.count()?;
        self.expect(count, 2 * (self.word_len() + 1))?;
        self.allot(count, size_of::<(Value, Value)>())?;
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push((self.part(depth)?, self.part(depth)?));
        }
        Ok(Value::Dict(items))
    }

    /// So many values with their lengths.
    fn parts(&mut self, count: usize, depth: usize) -> Result<Vec<Value>, CodecError> {
        let depth = deeper(depth, self.limits)?;
        self.expect(count, self.word_len() + 1)?;
        self.allot(count, size_of::<Value>())?;
        let mut parts = Vec::with_capacity(count);
        for _ in 0..count {
            parts.push(self.part(depth)?);
        }
        Ok(parts)
    }

    /// A value that must be as long as the length before it says.
    fn part(&mut self, depth: usize) -> Result<Value, CodecError> {
        let len = self.count()?;
        let outer = self.enter(len)?;
        let value = self.value(depth)?;
        self.leave(outer)?;
        Ok(value)
    }

    fn int(&mut self) -> Result<Value, CodecError> {
        let len = usize::from(u16::from_le_bytes(self.take()?));
        let bytes = self.slice(len)?;
        let is_negative = bytes.last().is_some_and(|top| *top > 127);
        let (value, bits) = if len <= 9 {
            let mut wide = [if is_negative { 255 } else { 0 }; 16];
            wide[..len].copy_from_slice(bytes);
            let int = i128::from_le_bytes(wide);
            let bits = u128::BITS - int.unsigned_abs().leading_zeros();
            let value = match i64::try_from(int) {
                Ok(int) => Value::Int(int),
                Err(_) => Value::BigInt(int.into()),
            };
            (value, bits.into())
        } else {
            let int = BigInt::from_signed_bytes_le(bytes);
            let bits = int.bits();
            self.allot(len, 1)?;
            (Value::BigInt(int), bits)
        };
        if bits / 8 + 1 == len as u64 {
            Ok(value)
        } else {
            Err(corrupt("an integer in the blob has too many bytes"))
        }
    }

    fn date_time(&mut self) -> Result<Value, CodecError> {
        let date = match i32::from_le_bytes(self.take()?) {
            -1 => None,
            date => Some(date_of(date).ok_or_else(no_such_date)?),
        };
        let time = match i64::from_le_bytes(self.take()?) {
            -1 => None,
            time => Some(time_of(time).ok_or_else(no_such_date)?),
        };
        match (date, time) {
            (Some(date), Some(time)) => Ok(Value::DateTime(date, time)),
            (Some(date), None) => Ok(Value::Date(date)),
            (None, Some(time)) => Ok(Value::Time(time)),
            (None, None) => Err(no_such_date()),
        }
    }

    fn shape(&mut self) -> Result<Vec<u64>, CodecError> {
        let count = self.count()?;
        let is_matlab = self.dimensions == Dimensions::Bits32;
        if count > Array::MAX_DIMENSIONS || is_matlab && count < 2 {
            return Err(corrupt(
                "an array in the blob has a wrong number of dimensions",
            ));
        }
        self.expect(count, self.word_len())?;
        self.allot(count, 8)?;
        (0..count).map(|_| self.word()).collect()
    }

    fn names(&mut self) -> Result<Vec<String>, CodecError> {
        let count = u32::from_le_bytes(self.take()?) as usize;
        self.expect(count, 1)?;
        self.allot(count, size_of::<String>())?;
        let mut names = Vec::with_capacity(count);
        for _ in 0..count {
            names.push(self.name()?);
        }
        Ok(names)
    }

    fn text(&mut self) -> Result<String, CodecError> {
        let len = self.count()?;
        self.string(len)
    }
}

fn date_of(date: i32) -> Option<Date> {
    let date = u32::try_from(date).ok()?;
    // The remainders fit a byte.
    Date::new(
        u16::try_from(date / 10_000).ok()?,
        (date / 100 % 100) as u8,
        (date % 100) as u8,
    )
}

fn time_of(time: i64) -> Option<Time> {
    let time = u64::try_from(time).ok()?;
    let seconds = time / 1_000_000;
    // The remainders fit.
    Time::new(
        u8::try_from(seconds / 10_000).ok()?,
        (seconds / 100 % 100) as u8,
        (seconds % 100) as u8,
        (time % 1_000_000) as u32,
    )
}

/// Does not stop at the first that is wrong: so many are checked at once.
fn is_all_bool(data: &[u8]) -> bool {
    data.iter().fold(0, |all, byte| all | byte) < 2
}

fn no_such_date() -> CodecError {
    corrupt("there is no such date or time as one in the blob")
}
