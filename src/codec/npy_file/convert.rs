//! Files from values, and values from files.

use bytes::Bytes;

use super::super::value::{Array, Data, Element, Grid, Order, Record, Value, count_elements};
use super::descr::{Descr, Field, Plain};
use super::{MAX_HEADER, NpyError, NpyFile, is_numpys, is_ordered};

impl NpyFile {
    /// The file of an array.
    ///
    /// What a packed value holds as objects that are all texts, and MATLAB's characters, become
    /// arrays of texts.
    pub fn of_value(value: &Value, max_bytes: u64) -> Result<Self, NpyError> {
        match value {
            Value::Array(array) if array.element == Element::Char => of_chars(array, max_bytes),
            Value::Array(array) if is_numpys(array.element) => {
                Ok(Self::of_array(array, Descr::of_element(array.element)))
            }
            Value::Array(_) => Err(NpyError::NotNumPys("complex integers")),
            Value::Objects(grid) => of_texts(grid, max_bytes),
            Value::Record(record) => of_record(record, max_bytes),
            Value::Cell(_) | Value::Struct(_) => Err(NpyError::Objects),
            other => Err(NpyError::NotAnArray(other.type_name())),
        }
    }

    /// The array as a value. Numbers stay views on the file unless their bytes must be swapped.
    pub fn to_value(&self, max_bytes: u64) -> Result<Value, NpyError> {
        let order = if self.is_fortran {
            Order::First
        } else {
            Order::Last
        };
        let part = Part {
            shape: &self.shape,
            order,
            data: self.data.clone(),
            max_bytes,
        };
        part.value(&self.descr)
    }
}

/// MATLAB's characters as DataJoint unpacks them: a row is one text, else each is a text.
fn of_chars(array: &Array, max_bytes: u64) -> Result<NpyFile, NpyError> {
    let not_text = |_| NpyError::NotNumPys("characters that are no text");
    let units = array.in_order(Order::First).interleaved();
    let units = units
        .as_chunks()
        .0
        .iter()
        .map(|unit| u16::from_le_bytes(*unit));
    let grid = match array.shape[..] {
        [_] | [1, _] => {
            // NumPy drops zeros.
            let units: Vec<u16> = units.filter(|unit| *unit != 0).collect();
            let text = String::from_utf16(&units).map_err(not_text)?;
            Grid {
                shape: vec![1],
                elements: vec![Value::Str(text)],
            }
        }
        _ => {
            check_count(array.len(), max_bytes)?;
            let texts = units.map(|unit| match unit {
                0 => Ok("".into()),
                unit => String::from_utf16(&[unit]).map(Value::Str),
            });
            Grid {
                shape: array.shape.clone(),
                elements: texts.collect::<Result<_, _>>().map_err(not_text)?,
            }
        }
    };
    of_grid(&grid, max_bytes)
}

fn of_texts(grid: &Grid, max_bytes: u64) -> Result<NpyFile, NpyError> {
    if grid.elements.is_empty() {
        return Err(NpyError::Objects);
    }
    of_grid(grid, max_bytes)
}

fn of_grid(grid: &Grid, max_bytes: u64) -> Result<NpyFile, NpyError> {
    let mut longest = 1;
    for element in &grid.elements {
        let text = element.as_str().ok_or(NpyError::Objects)?;
        if text.ends_with('\0') {
            return Err(NpyError::NotNumPys("texts that end with a zero"));
        }
        longest = longest.max(text.chars().count());
    }
    let size = 4 * longest;
    let total = grid.elements.len().saturating_mul(size);
    if total as u64 > max_bytes {
        return Err(NpyError::Limit(max_bytes));
    }
    let mut data = Vec::with_capacity(total);
    for element in &grid.elements {
        let end = data.len() + size;
        for c in element.as_str().unwrap_or_default().chars() {
            data.extend_from_slice(&u32::from(c).to_le_bytes());
        }
        data.resize(end, 0);
    }
    Ok(NpyFile {
        descr: Descr::of_texts(longest),
        shape: grid.shape.clone(),
        is_fortran: is_ordered(&grid.shape),
        data: data.into(),
    })
}

/// The fields side by side, in NumPy's own order.
fn of_record(record: &Record, max_bytes: u64) -> Result<NpyFile, NpyError> {
    let uneven = || NpyError::NotNumPys("structured arrays with fields of different shapes");
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    let mut shape = None;
    for (name, value) in &record.fields {
        let file = NpyFile::of_value(value, max_bytes)?.in_order_of_numpy()?;
        if *shape.get_or_insert_with(|| file.shape.clone()) != file.shape {
            return Err(uneven());
        }
        let size = file.descr.size().ok_or(NpyError::Limit(max_bytes))?;
        fields.push(Field::plain(name, file.descr));
        columns.push((size, file.data));
    }
    let descr = Descr::Fields(fields);
    // Leaves room for the rest of the header.
    if descr.to_literal().len() > MAX_HEADER / 2 {
        return Err(NpyError::NotNumPys("structured arrays with so many fields"));
    }
    let shape = shape.ok_or(NpyError::NotNumPys("structured arrays without fields"))?;
    let count = count_elements(&shape, 1).ok_or(NpyError::Limit(max_bytes))?;
    let total: usize = columns.iter().map(|(_, data)| data.len()).sum();
    if total as u64 > max_bytes {
        return Err(NpyError::Limit(max_bytes));
    }
    let mut data = Vec::with_capacity(total);
    for place in 0..count {
        for (size, column) in &columns {
            data.extend_from_slice(&column[place * size..][..*size]);
        }
    }
    Ok(NpyFile {
        descr,
        shape,
        is_fortran: false,
        data: data.into(),
    })
}

impl NpyFile {
    /// The same with the last index fastest.
    fn in_order_of_numpy(self) -> Result<Self, NpyError> {
        if !self.is_fortran {
            return Ok(self);
        }
        let size = self.descr.size().ok_or(NpyError::Header)?;
        let mut data = Vec::with_capacity(self.data.len());
        for place in places(&self.shape, Order::First, Order::Last)? {
            data.extend_from_slice(&self.data[place * size..][..size]);
        }
        Ok(Self {
            is_fortran: false,
            data: data.into(),
            ..self
        })
    }
}

/// For elements in one order, where to find them in another.
fn places(shape: &[u64], from: Order, to: Order) -> Result<Vec<usize>, NpyError> {
    let count = count_elements(shape, 8).ok_or(NpyError::Header)?;
    let numbers: Vec<u8> = (0..count as u64).flat_map(u64::to_le_bytes).collect();
    let numbers = Array {
        element: Element::UInt64,
        shape: shape.to_vec(),
        order: from,
        data: Data::Plain(numbers.into()),
    };
    let moved = numbers.in_order(to).interleaved();
    let moved = moved.as_chunks().0.iter();
    Ok(moved
        .map(|bytes| u64::from_le_bytes(*bytes) as usize)
        .collect())
}

/// Elements, or one field of each of them.
struct Part<'a> {
    shape: &'a [u64],
    order: Order,
    data: Bytes,
    max_bytes: u64,
}

impl Part<'_> {
    fn value(self, descr: &Descr) -> Result<Value, NpyError> {
        match descr {
            Descr::Plain(plain) => self.plain(plain),
            Descr::Fields(fields) => self.fields(fields, descr),
        }
    }

    fn plain(self, plain: &Plain) -> Result<Value, NpyError> {
        let no_element = || NpyError::NotPackable(Descr::Plain(plain.clone()).name());
        let (element, data) = match (plain.code, plain.number, plain.element()) {
            ('U', ..) => return self.texts(plain),
            ('S', 1, _) => {
                let units = self.data.iter().flat_map(|byte| [*byte, 0]);
                (Element::Char, units.collect())
            }
            // NumPy takes whatever is not 0 for true; a blob has 1.
            (_, _, Some(Element::Bool)) if self.data.iter().any(|byte| *byte > 1) => {
                let bools = self.data.iter().map(|byte| u8::from(*byte != 0));
                (Element::Bool, bools.collect())
            }
            (_, _, Some(element)) if plain.is_big_endian => {
                (element, swapped(&self.data, element.part_size()))
            }
            (_, _, Some(element)) => (element, self.data),
            (_, _, None) => return Err(no_element()),
        };
        let order = if self.shape.len() < 2 {
            Order::First
        } else {
            self.order
        };
        let array = Array::new(element, self.shape.to_vec(), order, Data::Plain(data));
        array.map(Value::Array).map_err(|_| NpyError::Header)
    }

    /// Texts become objects, as DataJoint packs them.
    fn texts(self, plain: &Plain) -> Result<Value, NpyError> {
        let size = 4 * plain.number;
        let count = count_elements(self.shape, 1).ok_or(NpyError::Header)?;
        check_count(count, self.max_bytes)?;
        let text = |place: usize| {
            let units = self.data[place * size..][..size].as_chunks().0.iter();
            let mut text = String::new();
            for unit in units {
                let code = if plain.is_big_endian {
                    u32::from_be_bytes(*unit)
                } else {
                    u32::from_le_bytes(*unit)
                };
                text.push(char::from_u32(code).ok_or(NpyError::Header)?);
            }
            text.truncate(text.trim_end_matches('\0').len());
            Ok(Value::Str(text))
        };
        let places = places(self.shape, self.order, Order::First)?;
        let elements: Result<Vec<Value>, NpyError> = places.into_iter().map(text).collect();
        Ok(Value::Objects(Grid {
            shape: self.shape.to_vec(),
            elements: elements?,
        }))
    }

    fn fields(self, fields: &[Field], descr: &Descr) -> Result<Value, NpyError> {
        let record = descr.size().ok_or(NpyError::Header)?;
        let count = count_elements(self.shape, record).ok_or(NpyError::Header)?;
        let mut values = Vec::new();
        let mut start = 0;
        for field in fields {
            let size = field.size().ok_or(NpyError::Header)?;
            let offset = start;
            start += size;
            if field.is_padding() {
                continue;
            }
            if self.order == Order::First && is_ordered(self.shape) && !field.shape.is_empty() {
                // Its own indexes would run fastest, and the others the other way round.
                return Err(NpyError::NotPackable("structured".to_owned()));
            }
            let mut data = Vec::with_capacity(count * size);
            // Of elements without bytes there may be any number.
            for place in 0..if size == 0 { 0 } else { count } {
                data.extend_from_slice(&self.data[place * record + offset..][..size]);
            }
            let part = Part {
                shape: &[self.shape, &field.shape].concat(),
                order: self.order,
                data: data.into(),
                max_bytes: self.max_bytes,
            };
            values.push((field.name.clone(), part.value(&field.descr)?));
        }
        Ok(Value::Record(Record { fields: values }))
    }
}

/// Whether so many values may be held at once.
fn check_count(count: usize, max_bytes: u64) -> Result<(), NpyError> {
    if count.saturating_mul(size_of::<Value>()) as u64 > max_bytes {
        return Err(NpyError::Limit(max_bytes));
    }
    Ok(())
}

fn swapped(data: &[u8], size: usize) -> Bytes {
    let mut data = data.to_vec();
    for element in data.chunks_exact_mut(size) {
        element.reverse();
    }
    data.into()
}
