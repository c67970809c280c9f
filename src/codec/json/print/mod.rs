//! Writes values in the json notation.

mod array;
mod grid;
mod out;

use std::collections::HashSet;
use std::fmt::{self, Write};

use data_encoding::BASE64;
use num_bigint::BigInt;

use self::out::Out;
use super::{most_levels, stack, tags};
use crate::codec::value::uuid_text;
use crate::codec::{CodecError, Value, ValueLimits};

/// Integers up to here, and as many below zero, survive JSON readers that have only floats.
pub(super) const MAX_PLAIN: u64 = (1 << 53) - 1;

/// The text of a value, which must not hold [`Value::Packed`] or [`Value::Object`]. Arrays,
/// cells and structs of more than `cut` elements are cut, and marked as such; strings, bytes and
/// `char` arrays are not.
///
/// # Errors
/// [`CodecError::Limit`] if the text would have more than `limits.json_bytes`, or the value is
/// nested deeper than `limits.value_depth`; [`CodecError::Type`] for what has no notation;
/// [`CodecError::Corrupt`] for arrays whose bytes are not what their shape says.
pub fn print(value: &Value, cut: Option<u64>, limits: &ValueLimits) -> Result<String, CodecError> {
    stack::with_room(most_levels(limits), || print_here(value, cut, limits))
}

fn print_here(value: &Value, cut: Option<u64>, limits: &ValueLimits) -> Result<String, CodecError> {
    let mut printer = Printer {
        out: Out::new(limits.json_bytes),
        cut,
        depth: most_levels(limits),
    };
    match printer.value(value) {
        Ok(()) => Ok(printer.out.into_text()),
        Err(Stop::Error(error)) => Err(error),
        Err(Stop::Full) => Err(CodecError::Limit(format!(
            "the value has more than {} bytes in the json notation (limits.json_bytes); \
             SET @codec_json_limit = N shows N elements of each array, the bytes view all of it",
            limits.json_bytes
        ))),
    }
}

struct Printer {
    out: Out,
    cut: Option<u64>,
    /// How many containers may still be entered.
    depth: usize,
}

/// Why the writing ended early.
enum Stop {
    /// The text is as long as it may be.
    Full,
    Error(CodecError),
}

impl From<fmt::Error> for Stop {
    fn from(_: fmt::Error) -> Self {
        Self::Full
    }
}

type Printed = Result<(), Stop>;

impl Printer {
    fn value(&mut self, value: &Value) -> Printed {
        match value {
            Value::None => self.out.write_str("null")?,
            Value::Bool(value) => write!(self.out, "{value}")?,
            Value::Int(number) if number.unsigned_abs() <= MAX_PLAIN => {
                write!(self.out, "{number}")?;
            }
            Value::Int(number) => write!(self.out, "{{\"$int\":\"{number}\"}}")?,
            Value::BigInt(number) => self.big_int(number)?,
            Value::Float(number) if number.is_finite() => self.out.float64(*number)?,
            Value::Float(number) => {
                self.out.write_str("{\"$float\":")?;
                self.out.float64(*number)?;
                self.out.write_char('}')?;
            }
            Value::Complex { re, im } => {
                self.out.write_str("{\"$complex\":[")?;
                self.out.float64(*re)?;
                self.out.write_char(',')?;
                self.out.float64(*im)?;
                self.out.write_str("]}")?;
            }
            Value::Str(text) => self.out.quote(text)?,
            Value::Bytes(bytes) => self.bytes(bytes)?,
            Value::Decimal(text) => {
                self.out.write_str("{\"$decimal\":")?;
                self.out.quote(text)?;
                self.out.write_char('}')?;
            }
            Value::Date(date) => {
                write!(self.out, "{{\"$date\":\"{date}\"}}")?;
            }
            Value::Time(clock) => {
                write!(self.out, "{{\"$time\":\"{clock}\"}}")?;
            }
            Value::DateTime(date, clock) => {
                write!(self.out, "{{\"$datetime\":\"{date}T{clock}\"}}")?;
            }
            Value::Uuid(bytes) => write!(self.out, "{{\"$uuid\":\"{}\"}}", uuid_text(bytes))?,
            Value::List(items) => self.list(items)?,
            Value::Tuple(items) => {
                self.out.write_str("{\"$tuple\":")?;
                self.list(items)?;
                self.out.write_char('}')?;
            }
            Value::Set(items) => {
                self.out.write_str("{\"$set\":")?;
                self.list(items)?;
                self.out.write_char('}')?;
            }
            Value::Dict(items) => self.nested(1, |printer| printer.dict(items))?,
            Value::Array(array) => self.array(array)?,
            Value::Objects(grid) => self.objects(grid)?,
            Value::Record(record) => self.nested(1, |printer| printer.record(record))?,
            Value::Struct(structs) => self.structs(structs)?,
            Value::Cell(grid) => self.cell(grid)?,
            Value::Sparse(sparse) => self.sparse(sparse)?,
            Value::Packed(_) | Value::Object(_) => {
                let name = value.type_name();
                let told = format!("{name} has no json notation before it is decoded");
                return Err(Stop::Error(CodecError::Type(told)));
            }
        }
        Ok(())
    }

    /// Writes what counts as so many containers.
    fn nested(&mut self, levels: usize, write: impl FnOnce(&mut Self) -> Printed) -> Printed {
        let Some(left) = self.depth.checked_sub(levels) else {
            return Err(Stop::Error(CodecError::Limit(
                "the value is nested deeper than limits.value_depth".into(),
            )));
        };
        let before = std::mem::replace(&mut self.depth, left);
        write(self)?;
        self.depth = before;
        Ok(())
    }

    fn big_int(&mut self, number: &BigInt) -> Printed {
        // A digit has more than three bits. To work out the digits of what will not fit takes
        // long.
        if !self
            .out
            .has_room(usize::try_from(number.bits() / 4).unwrap_or(usize::MAX))
        {
            return Err(Stop::Full);
        }
        Ok(write!(self.out, "{{\"$int\":\"{number}\"}}")?)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Printed {
        self.out.write_str("{\"$bytes\":\"")?;
        // Encoded in pieces: the limit comes before the memory.
        for piece in bytes.chunks(3 << 12) {
            self.out.write_str(&BASE64.encode(piece))?;
        }
        Ok(self.out.write_str("\"}")?)
    }

    fn list(&mut self, items: &[Value]) -> Printed {
        self.nested(1, |printer| {
            printer.separated(items, |printer, item| printer.value(item))
        })
    }

    fn dict(&mut self, items: &[(Value, Value)]) -> Printed {
        let Some(keys) = plain_keys(items) else {
            self.out.write_str("{\"$dict\":")?;
            self.separated(items, |printer, (key, value)| {
                printer.out.write_char('[')?;
                printer.value(key)?;
                printer.out.write_char(',')?;
                printer.value(value)?;
                Ok(printer.out.write_char(']')?)
            })?;
            return Ok(self.out.write_char('}')?);
        };
        self.out.write_char('{')?;
        for (index, (key, (_, value))) in keys.into_iter().zip(items).enumerate() {
            if index > 0 {
                self.out.write_char(',')?;
            }
            self.out.quote(key)?;
            self.out.write_char(':')?;
            self.value(value)?;
        }
        Ok(self.out.write_char('}')?)
    }

    /// `[item,item]`
    fn separated<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Printed,
    ) -> Printed {
        self.out.write_char('[')?;
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.write_char(',')?;
            }
            write(self, item)?;
        }
        Ok(self.out.write_char(']')?)
    }
}

/// The keys of a dict that can be a plain JSON object.
fn plain_keys(items: &[(Value, Value)]) -> Option<Vec<&str>> {
    let keys: Vec<&str> = items
        .iter()
        .map(|(key, _)| key.as_str().filter(|key| !tags::is_tag(key)))
        .collect::<Option<_>>()?;
    are_distinct(&keys).then_some(keys)
}

/// Whether no name comes twice.
pub(super) fn are_distinct(names: &[&str]) -> bool {
    // Most dicts are small, and comparing a few names is faster than hashing them.
    if names.len() <= 8 {
        return (1..names.len()).all(|at| !names[..at].contains(&names[at]));
    }
    let mut seen = HashSet::with_capacity(names.len());
    names.iter().all(|name| seen.insert(name))
}
