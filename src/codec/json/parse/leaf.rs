//! One element of an array: from JSON to its bytes.

use crate::codec::json::ticks;
use crate::codec::value::Element;

/// A JSON value that is neither a list nor an object.
pub(super) enum Leaf<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(&'a str),
}

impl Leaf<'_> {
    /// Appends the element, little-endian. The error says what the element takes.
    pub(super) fn write(&self, part: Element, out: &mut Vec<u8>) -> Result<(), String> {
        match part {
            Element::Bool => out.push(self.bool().ok_or("bool takes true and false")?),
            Element::Char => out.extend(self.integer::<u16>(part)?.to_le_bytes()),
            Element::Int8 => out.extend(self.integer::<i8>(part)?.to_le_bytes()),
            Element::UInt8 => out.extend(self.integer::<u8>(part)?.to_le_bytes()),
            Element::Int16 => out.extend(self.integer::<i16>(part)?.to_le_bytes()),
            Element::UInt16 => out.extend(self.integer::<u16>(part)?.to_le_bytes()),
            Element::Int32 => out.extend(self.integer::<i32>(part)?.to_le_bytes()),
            Element::UInt32 => out.extend(self.integer::<u32>(part)?.to_le_bytes()),
            Element::Int64 => out.extend(self.integer::<i64>(part)?.to_le_bytes()),
            Element::UInt64 => out.extend(self.integer::<u64>(part)?.to_le_bytes()),
            Element::Float32 => out.extend(self.float32()?.to_le_bytes()),
            Element::DateTime64(unit) => {
                let ticks = match self {
                    Self::Text(text) => ticks::read_ticks(text, unit),
                    _ => self.integer::<i64>(part).ok(),
                };
                let ticks = ticks.ok_or_else(|| {
                    let name = part.name();
                    format!("{name} takes ISO text as exact as its unit, \"NaT\" or ticks")
                })?;
                out.extend(ticks.to_le_bytes());
            }
            // The parts of complex numbers are none.
            Element::Float64
            | Element::Complex64
            | Element::Complex128
            | Element::ComplexInt(_) => out.extend(self.float64()?.to_le_bytes()),
        }
        Ok(())
    }

    /// A float with its bits.
    pub(super) fn float64(&self) -> Result<f64, &'static str> {
        match *self {
            Self::Float(number) => Some(number),
            Self::Int(number) => Some(number as f64),
            Self::UInt(number) => Some(number as f64),
            Self::Text(text) => special(text).or_else(|| {
                let digits = text
                    .strip_prefix("0x")
                    .filter(|digits| digits.len() == 16)?;
                u64::from_str_radix(digits, 16).ok().map(f64::from_bits)
            }),
            Self::Null | Self::Bool(_) => None,
        }
        .ok_or("a float64 is a number, \"nan\", \"inf\", \"-inf\" or 0x and 16 digits of its bits")
    }

    fn float32(&self) -> Result<f32, &'static str> {
        match *self {
            Self::Text(text) => special(text).map(|number| number as f32).or_else(|| {
                let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 8)?;
                u32::from_str_radix(digits, 16).ok().map(f32::from_bits)
            }),
            _ => (self.float64().ok())
                .map(|number| number as f32)
                .filter(|number| number.is_finite()),
        }
        .ok_or("a float32 is a number, \"nan\", \"inf\", \"-inf\" or 0x and 8 digits of its bits")
    }

    fn bool(&self) -> Option<u8> {
        match *self {
            Self::Bool(value) => Some(value.into()),
            Self::Int(number) => u8::try_from(number).ok().filter(|&number| number <= 1),
            Self::UInt(number) => u8::try_from(number).ok().filter(|&number| number <= 1),
            Self::Null | Self::Float(_) | Self::Text(_) => None,
        }
    }

    fn integer<T: TryFrom<i64> + TryFrom<u64>>(&self, part: Element) -> Result<T, String> {
        let number = match *self {
            Self::Int(number) => T::try_from(number).ok(),
            Self::UInt(number) => T::try_from(number).ok(),
            Self::Text(text) => match text.parse::<i64>() {
                Ok(number) => T::try_from(number).ok(),
                Err(_) => text.parse::<u64>().ok().and_then(|n| T::try_from(n).ok()),
            },
            Self::Null | Self::Bool(_) | Self::Float(_) => None,
        };
        number.ok_or_else(|| format!("{} takes integers of its range", part.name()))
    }
}

/// The floats that JSON has no numbers for.
fn special(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::from_bits(0x7ff8_0000_0000_0000)),
        "inf" | "+inf" | "infinity" => Some(f64::INFINITY),
        "-inf" | "-infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}
