//! The values of `json` columns: as Python's `json.dumps` writes them, and as `json.loads`
//! reads them.
//!
//! DataJoint calls `json.dumps` without options: `", "` and `": "` between the parts, every
//! character outside of ASCII escaped, `NaN` and `Infinity` as such, keys in the order of the
//! dict. MariaDB keeps that text, MySQL sorts the keys.

mod parse;

use std::fmt::Write as _;

use super::section::Section;
use super::value::Value;
use super::{CodecError, ObjectPath, ObjectRef, PointerError, Reading, Reference};

pub(super) use parse::MAX_DEPTH;
pub use parse::{loads, loads_within};

/// The text of a value of JSON's kinds (`None`, `bool`, `int`, `float`, `str`, `list`, `tuple`
/// and `dict` with keys of type `str`).
pub fn dumps(value: &Value) -> Result<String, CodecError> {
    let mut out = String::new();
    write(&mut out, value, Place::default())?;
    Ok(out)
}

/// As [`dumps`], laid out as by `json.dumps(value, indent=2)`.
pub fn dumps_indented(value: &Value) -> Result<String, CodecError> {
    let mut out = String::new();
    let laid_out = Place {
        indent: Some(0),
        ..Place::default()
    };
    write(&mut out, value, laid_out)?;
    Ok(out)
}

/// The path that metadata names.
pub fn path(stored: &Value) -> Result<ObjectPath, CodecError> {
    let path = ObjectPath::parse(text(stored, "path")?).map_err(PointerError::from);
    path.map_err(corrupt)
}

/// The store that metadata names; empty for the default store.
pub fn store(stored: &Value) -> Result<&str, CodecError> {
    match stored.field("store") {
        Some(Value::Str(store)) => Ok(store),
        Some(Value::None) | None => Ok(""),
        Some(_) => Err(corrupt(PointerError::Key("store"))),
    }
}

/// A text that metadata must have.
pub fn text<'a>(stored: &'a Value, key: &'static str) -> Result<&'a str, CodecError> {
    if !matches!(stored, Value::Dict(_)) {
        return Err(corrupt(PointerError::NotAnObject));
    }
    match stored.field(key) {
        Some(Value::Str(text)) if !text.is_empty() => Ok(text),
        _ => Err(corrupt(PointerError::Key(key))),
    }
}

/// A number of bytes that metadata may have.
pub(super) fn size(stored: &Value) -> Option<u64> {
    match stored.field("size") {
        Some(Value::Int(size)) => u64::try_from(*size).ok(),
        _ => None,
    }
}

/// The object that metadata keeps alive, as it names it.
pub fn reference(stored: &Value) -> Option<Reference> {
    Some(Reference {
        store: store(stored).ok()?.to_owned(),
        path: text(stored, "path").ok()?.to_owned(),
    })
}

impl ObjectRef {
    /// The object that metadata names, if a column may read it in this section.
    pub fn checked(
        stored: Value,
        section: Section,
        from: &Reading<'_>,
    ) -> Result<Self, CodecError> {
        let path = path(&stored)?;
        let backend = from.backend(store(&stored)?, section, &path)?;
        Ok(Self {
            store: backend.name().to_owned(),
            path,
            is_dir: stored.field("is_dir") == Some(&Value::Bool(true)),
            size: size(&stored),
            metadata: Box::new(stored),
        })
    }
}

/// Metadata with these keys, in this order.
pub fn dict<const N: usize>(items: [(&str, Value); N]) -> Value {
    Value::Dict(items.map(|(key, value)| (key.into(), value)).into())
}

/// A number of bytes or elements, as metadata has it.
pub fn count(number: u64) -> Value {
    match i64::try_from(number) {
        Ok(number) => Value::Int(number),
        Err(_) => Value::BigInt(number.into()),
    }
}

/// A number as Python's `repr` writes it: the shortest digits that give it back, with an
/// exponent below 1e-4 and from 1e16 on.
pub fn float_repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    // Rust writes the same digits as Python, always with an exponent.
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let plain = format!("{number}");
        return if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn corrupt(error: PointerError) -> CodecError {
    CodecError::Corrupt(error.to_string())
}

/// Where a value stands in the text.
#[derive(Clone, Copy, Default)]
struct Place {
    /// Columns that it is indented by, if the text is laid out over lines.
    indent: Option<usize>,
    /// Containers that it is in.
    depth: usize,
}

fn write(out: &mut String, value: &Value, place: Place) -> Result<(), CodecError> {
    if place.depth > MAX_DEPTH {
        let text = format!("JSON of more than {MAX_DEPTH} containers within containers");
        return Err(CodecError::Limit(text));
    }
    match value {
        Value::None => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        // Writing into a String does not fail.
        Value::Int(number) => drop(write!(out, "{number}")),
        Value::BigInt(number) => drop(write!(out, "{number}")),
        Value::Float(number) => match float_repr(*number).as_str() {
            "nan" => out.push_str("NaN"),
            "inf" => out.push_str("Infinity"),
            "-inf" => out.push_str("-Infinity"),
            finite => out.push_str(finite),
        },
        Value::Str(text) => quote(out, text),
        Value::List(items) | Value::Tuple(items) => {
            write_items(out, ['[', ']'], items, place, write)?;
        }
        Value::Dict(items) => {
            write_items(out, ['{', '}'], items, place, |out, (key, value), place| {
                let Value::Str(key) = key else {
                    return Err(not_json(key));
                };
                quote(out, key);
                out.push_str(": ");
                write(out, value, place)
            })?;
        }
        other => return Err(not_json(other)),
    }
    Ok(())
}

fn write_items<T>(
    out: &mut String,
    brackets: [char; 2],
    items: &[T],
    place: Place,
    mut write_item: impl FnMut(&mut String, &T, Place) -> Result<(), CodecError>,
) -> Result<(), CodecError> {
    let inner = Place {
        indent: place.indent.map(|columns| columns + 2),
        depth: place.depth + 1,
    };
    out.push(brackets[0]);
    for (position, item) in items.iter().enumerate() {
        match inner.indent {
            Some(columns) => {
                out.push_str(if position > 0 { ",\n" } else { "\n" });
                out.extend(std::iter::repeat_n(' ', columns));
            }
            None if position > 0 => out.push_str(", "),
            None => {}
        }
        write_item(out, item, inner)?;
    }
    if let (Some(columns), false) = (place.indent, items.is_empty()) {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', columns));
    }
    out.push(brackets[1]);
    Ok(())
}

fn not_json(value: &Value) -> CodecError {
    CodecError::Type(format!(
        "Object of type {} is not JSON serializable",
        value.type_name()
    ))
}

/// A string as Python writes it by default: everything outside of printable ASCII is escaped,
/// characters beyond the first plane as two surrogates.
pub(super) fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing into a String does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
