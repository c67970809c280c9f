//! Arrays of elements of a fixed size, and what they share with grids of values.

use std::fmt::{self, Write};

use super::out::Out;
use super::{MAX_PLAIN, Printed, Printer, Stop};
use crate::codec::CodecError;
use crate::codec::json::order::Rows;
use crate::codec::json::ticks;
use crate::codec::value::{Array, Data, Element, Order, Sparse};

impl Printer {
    pub(super) fn array(&mut self, array: &Array) -> Printed {
        let elements = Elements::of(array)?;
        let name = array.element.name();
        if array.shape.is_empty() {
            write!(self.out, "{{\"$scalar\":\"{name}\",")?;
        } else {
            write!(self.out, "{{\"$array\":\"{name}\",\"shape\":")?;
            self.shape(&array.shape)?;
            self.out.write_char(',')?;
        }
        let rows = Rows::new(&array.shape, array.order, elements.count);
        if elements.part == Element::Char {
            self.text_rows(&elements, rows, &array.shape)?;
        } else {
            self.rows(rows, array.shape.len(), |printer, at| {
                Ok(elements.write(&mut printer.out, at)?)
            })?;
        }
        Ok(self.out.write_char('}')?)
    }

    pub(super) fn shape(&mut self, shape: &[u64]) -> Printed {
        self.separated(shape, |printer, length| {
            Ok(write!(printer.out, "{length}")?)
        })
    }

    /// The key `value` with nested lists, one in another for each dimension; or, of too many
    /// elements, the key `cut` and a list of the first ones.
    pub(super) fn rows(
        &mut self,
        rows: Rows,
        dimensions: usize,
        mut write: impl FnMut(&mut Self, usize) -> Printed,
    ) -> Printed {
        match self.cut {
            Some(cut) if rows.len() as u64 > cut && dimensions > 0 => {
                write!(self.out, "\"cut\":{cut},\"value\":")?;
                // Fits: there are more.
                let first = rows.take(cut as usize);
                self.separated(first, |printer, step| write(printer, step.offset))
            }
            _ => self.whole_rows(rows, dimensions, write),
        }
    }

    fn whole_rows(
        &mut self,
        rows: Rows,
        dimensions: usize,
        mut write: impl FnMut(&mut Self, usize) -> Printed,
    ) -> Printed {
        self.out.write_str("\"value\":")?;
        if rows.len() == 0 {
            return Ok(self.out.write_str("[]")?);
        }
        let mut left = rows.len();
        let mut opens = dimensions;
        for step in rows {
            for _ in 0..opens {
                self.out.write_char('[')?;
            }
            write(self, step.offset)?;
            for _ in 0..step.closes {
                self.out.write_char(']')?;
            }
            opens = step.closes;
            left -= 1;
            if left > 0 {
                self.out.write_char(',')?;
            }
        }
        Ok(())
    }

    /// A `char` array: each row is a string. It is text, and never cut.
    fn text_rows(&mut self, elements: &Elements<'_>, rows: Rows, shape: &[u64]) -> Printed {
        // Fits, as the count of all elements does.
        let length = shape.last().map_or(1, |&length| length as usize);
        let stride = rows.last_stride();
        let dimensions = shape.len().saturating_sub(1);
        self.whole_rows(rows.by_row(), dimensions, |printer, at| {
            let units: Vec<u16> = (0..length)
                .map(|index| u16::from_le_bytes(elements.bytes(at + index * stride)))
                .collect();
            match String::from_utf16(&units) {
                Ok(text) => Ok(printer.out.quote(&text)?),
                Err(_) => {
                    printer.separated(units, |printer, unit| Ok(write!(printer.out, "{unit}")?))
                }
            }
        })
    }

    pub(super) fn sparse(&mut self, sparse: &Sparse) -> Printed {
        let elements = Elements::of(&sparse.values)?;
        let is = |bytes: &[u8], count| {
            bytes.len().is_multiple_of(8) && Some((bytes.len() / 8) as u64) == count
        };
        if sparse.values.shape != [sparse.capacity]
            || !is(&sparse.row_indices, Some(sparse.capacity))
            || !is(&sparse.starts, sparse.columns.checked_add(1))
        {
            return Err(mismatch());
        }
        let name = sparse.values.element.name();
        write!(self.out, "{{\"$sparse\":\"{name}\",\"shape\":")?;
        self.shape(&[sparse.rows, sparse.columns])?;
        self.out.write_str(",\"starts\":")?;
        self.numbers(&sparse.starts)?;
        self.out.write_str(",\"rows\":")?;
        self.numbers(&sparse.row_indices)?;
        self.out.write_char(',')?;
        let rows = Rows::new(&[sparse.capacity], Order::First, elements.count);
        self.rows(rows, 1, |printer, at| {
            Ok(elements.write(&mut printer.out, at)?)
        })?;
        Ok(self.out.write_char('}')?)
    }

    /// A list of u64.
    fn numbers(&mut self, bytes: &[u8]) -> Printed {
        let (numbers, _) = bytes.as_chunks::<8>();
        self.separated(numbers, |printer, bytes| {
            Ok(unsigned(&mut printer.out, u64::from_le_bytes(*bytes))?)
        })
    }
}

/// The elements of an array whose bytes are as many as its shape says.
struct Elements<'a> {
    part: Element,
    count: usize,
    /// Real parts, or all there is.
    plain: &'a [u8],
    /// Imaginary parts.
    imaginary: Option<&'a [u8]>,
    /// Whether the two parts of a complex number are side by side in `plain`.
    in_pairs: bool,
}

impl<'a> Elements<'a> {
    fn of(array: &'a Array) -> Result<Self, Stop> {
        array.check().map_err(|_| mismatch())?;
        let (plain, imaginary): (&[u8], Option<&[u8]>) = match &array.data {
            Data::Plain(bytes) => (bytes, None),
            Data::Planes(real, imaginary) => (real, Some(imaginary)),
        };
        Ok(Self {
            part: array.element.part(),
            count: array.len(),
            plain,
            imaginary,
            in_pairs: array.element.is_complex() && imaginary.is_none(),
        })
    }

    fn write(&self, out: &mut Out, at: usize) -> fmt::Result {
        if !self.in_pairs && self.imaginary.is_none() {
            return self.part(out, self.plain, at);
        }
        out.write_char('[')?;
        match self.imaginary {
            Some(imaginary) => {
                self.part(out, self.plain, at)?;
                out.write_char(',')?;
                self.part(out, imaginary, at)?;
            }
            None => {
                self.part(out, self.plain, 2 * at)?;
                out.write_char(',')?;
                self.part(out, self.plain, 2 * at + 1)?;
            }
        }
        out.write_char(']')
    }

    fn bytes<const SIZE: usize>(&self, at: usize) -> [u8; SIZE] {
        nth(self.plain, at)
    }

    fn part(&self, out: &mut Out, bytes: &[u8], at: usize) -> fmt::Result {
        match self.part {
            Element::Bool => match bytes[at] {
                0 => out.write_str("false"),
                _ => out.write_str("true"),
            },
            Element::Int8 => write!(out, "{}", i8::from_le_bytes(nth(bytes, at))),
            Element::UInt8 => write!(out, "{}", bytes[at]),
            Element::Int16 => write!(out, "{}", i16::from_le_bytes(nth(bytes, at))),
            Element::UInt16 | Element::Char => {
                write!(out, "{}", u16::from_le_bytes(nth(bytes, at)))
            }
            Element::Int32 => write!(out, "{}", i32::from_le_bytes(nth(bytes, at))),
            Element::UInt32 => write!(out, "{}", u32::from_le_bytes(nth(bytes, at))),
            Element::Int64 => signed(out, i64::from_le_bytes(nth(bytes, at))),
            Element::UInt64 => unsigned(out, u64::from_le_bytes(nth(bytes, at))),
            Element::Float32 => out.float32(f32::from_le_bytes(nth(bytes, at))),
            Element::DateTime64(unit) => {
                ticks::write_ticks(out, i64::from_le_bytes(nth(bytes, at)), unit)
            }
            // The parts of complex numbers are none.
            Element::Float64
            | Element::Complex64
            | Element::Complex128
            | Element::ComplexInt(_) => out.float64(f64::from_le_bytes(nth(bytes, at))),
        }
    }
}

fn nth<const SIZE: usize>(bytes: &[u8], at: usize) -> [u8; SIZE] {
    bytes.as_chunks::<SIZE>().0[at]
}

fn signed(out: &mut Out, number: i64) -> fmt::Result {
    match number.unsigned_abs() {
        ..=MAX_PLAIN => write!(out, "{number}"),
        _ => write!(out, "\"{number}\""),
    }
}

fn unsigned(out: &mut Out, number: u64) -> fmt::Result {
    match number {
        ..=MAX_PLAIN => write!(out, "{number}"),
        _ => write!(out, "\"{number}\""),
    }
}

/// Nothing that this crate makes has it.
pub(super) fn mismatch() -> Stop {
    Stop::Error(CodecError::Corrupt(
        "an array has other elements than its shape says".into(),
    ))
}
