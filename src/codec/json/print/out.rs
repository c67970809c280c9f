//! The text while it is written: JSON's strings and numbers, and never more than the limit.

use std::fmt::{self, Write};

/// A text that refuses to grow beyond its limit.
pub(super) struct Out {
    text: String,
    limit: usize,
}

impl Out {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            text: String::new(),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Whether so many bytes more would fit: for what is not written piece by piece.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        bytes <= self.limit - self.text.len()
    }

    /// A string in quotes, as UTF-8.
    pub(super) fn quote(&mut self, text: &str) -> fmt::Result {
        self.write_char('"')?;
        let mut written = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte >= b' ' && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.write_str(&text[written..at])?;
            written = at + 1;
            match byte {
                b'"' => self.write_str("\\\"")?,
                b'\\' => self.write_str("\\\\")?,
                b'\n' => self.write_str("\\n")?,
                b'\r' => self.write_str("\\r")?,
                b'\t' => self.write_str("\\t")?,
                control => write!(self, "\\u{control:04x}")?,
            }
        }
        self.write_str(&text[written..])?;
        self.write_char('"')
    }

    /// An element of a float64 array.
    pub(super) fn float64(&mut self, number: f64) -> fmt::Result {
        if number.is_finite() {
            // The shortest form that reads back, with a point or an exponent.
            return write!(self, "{number:?}");
        }
        match number.to_bits() {
            NAN_64 => self.write_str("\"nan\""),
            _ if number.is_infinite() => self.infinity(number > 0.0),
            bits => write!(self, "\"{bits:#018x}\""),
        }
    }

    /// An element of a float32 array.
    pub(super) fn float32(&mut self, number: f32) -> fmt::Result {
        if !number.is_finite() {
            return match number.to_bits() {
                NAN_32 => self.write_str("\"nan\""),
                _ if number.is_infinite() => self.infinity(number > 0.0),
                bits => write!(self, "\"{bits:#010x}\""),
            };
        }
        let start = self.text.len();
        write!(self, "{number:?}")?;
        // Who reads it as a float64 first, as most do, rounds twice. For a few numbers that
        // gives a neighbour; those need all the digits of a float64.
        let read: Result<f64, _> = self.text[start..].parse();
        if read.map(|wide| wide as f32) != Ok(number) {
            self.text.truncate(start);
            write!(self, "{:?}", f64::from(number))?;
        }
        Ok(())
    }

    fn infinity(&mut self, positive: bool) -> fmt::Result {
        self.write_str(if positive { "\"inf\"" } else { "\"-inf\"" })
    }
}

/// What `float('nan')` is in Python and NumPy.
const NAN_64: u64 = 0x7ff8_0000_0000_0000;
const NAN_32: u32 = 0x7fc0_0000;

impl Write for Out {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if !self.has_room(piece.len()) {
            return Err(fmt::Error);
        }
        self.text.push_str(piece);
        Ok(())
    }
}
