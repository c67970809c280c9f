//! Names of objects that are addressed by their place in the database, and the way of a
//! schema-addressed codec to its store (`SchemaCodec` and `build_object_path` of DataJoint
//! 2.3.5).
//!
//! `[{schema_prefix}/][{attr}={val}/…]{schema}/{table}/[{pk}={val}/…]{column}_{token}{ext}`,
//! where the values before the schema are those that the store's partition pattern names.

use std::sync::Arc;

use md5::{Digest, Md5};

use super::metadata::float_repr;
use super::path::PathError;
use super::value::{Date, Time, Value, uuid_text};
use super::{Backend, CodecError, Layout, ObjectPath, Site, Writing};

/// Characters of a key's value that go into a path as they are.
const MAX_CHARS: usize = 100;

/// A new name for a value, and the store it goes to. `ext` may lack its dot.
///
/// Each call gives another name: values are never overwritten.
pub fn place(
    to: &Writing<'_>,
    ext: Option<&str>,
) -> Result<(Arc<dyn Backend>, ObjectPath), CodecError> {
    let backend = to.backend()?;
    let token = token(backend.layout().token_length)?;
    let path = path(backend.layout(), to.site, &to.key.columns, &token, ext)?;
    Ok((backend, path))
}

/// The path of an object; see the module.
fn path(
    layout: &Layout,
    site: Site<'_>,
    key: &[(String, Value)],
    token: &str,
    ext: Option<&str>,
) -> Result<ObjectPath, CodecError> {
    let mut segments = Vec::new();
    let partition = placeholders(layout.partition_pattern.as_deref().unwrap_or_default());
    for name in &partition {
        if let Some((_, value)) = key.iter().find(|(column, _)| column == name) {
            segments.push(format!("{name}={}", encode(value)?));
        }
    }
    segments.push(site.schema.to_owned());
    segments.push(site.table.to_owned());
    for (column, value) in key {
        if !partition.contains(&column.as_str()) {
            segments.push(format!("{column}={}", encode(value)?));
        }
    }
    let mut file = format!("{}_{token}", site.column);
    match ext {
        None | Some("") => {}
        Some(ext) if ext.starts_with('.') => file.push_str(ext),
        Some(ext) => {
            file.push('.');
            file.push_str(ext);
        }
    }
    segments.push(file);
    // MySQL allows a slash in a name; as a folder of its own it would be another column's.
    if segments.iter().any(|segment| segment.contains('/')) {
        return Err(PathError::Character.into());
    }
    let text = segments.join("/");
    Ok(match &layout.schema_prefix {
        Some(prefix) => ObjectPath::parse(&format!("{prefix}/{text}"))?,
        None => ObjectPath::parse(&text)?,
    })
}

/// The names in braces, in their order; anything else in the pattern says nothing.
fn placeholders(pattern: &str) -> Vec<&str> {
    pattern
        .split('{')
        .skip(1)
        .filter_map(|text| text.split_once('}').map(|(name, _)| name))
        .filter(|name| !name.is_empty() && name.chars().all(is_word))
        .collect()
}

/// What Python's `\w` matches.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A value as part of a path (`encode_pk_value`): numbers and dates as they are, texts escaped
/// where they hold a character that a file system or a URL gives a meaning, long ones cut.
fn encode(value: &Value) -> Result<String, CodecError> {
    let text = match value {
        Value::Bool(true) => return Ok("True".to_owned()),
        Value::Bool(false) => return Ok("False".to_owned()),
        Value::Int(number) => return Ok(number.to_string()),
        Value::BigInt(number) => return Ok(number.to_string()),
        Value::Float(number) => return Ok(float_repr(*number)),
        Value::DateTime(date, time) => return Ok(datetime(*date, *time)),
        Value::Date(date) => return Ok(date.to_string()),
        Value::Time(time) => return Ok(time.to_string()),
        Value::Str(text) | Value::Decimal(text) => text.clone(),
        Value::Uuid(bytes) => uuid_text(bytes),
        Value::Bytes(bytes) => bytes_repr(bytes),
        other => {
            let found = other.type_name();
            let text = format!("a primary key value of type {found} cannot be part of a path");
            return Err(CodecError::Type(text));
        }
    };
    let is_long = text.chars().nth(MAX_CHARS).is_some();
    if !is_long && !text.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|']) {
        return Ok(text);
    }
    if !is_long {
        return Ok(quote(&text));
    }
    let digest = data_encoding::HEXLOWER.encode(&Md5::digest(text.as_bytes()));
    let start: String = text.chars().take(50).collect();
    Ok(quote(&format!("{start}_{}", &digest[..8])))
}

/// `strftime("%Y-%m-%dT%H-%M-%S")`, which on Linux pads no year; the fraction is dropped.
fn datetime(date: Date, time: Time) -> String {
    let Date { year, month, day } = date;
    let (hour, minute, second) = (time.hour, time.minute, time.second);
    format!("{year}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}")
}

/// `str(value)` of Python's `bytes`.
fn bytes_repr(bytes: &[u8]) -> String {
    let mark = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        '"'
    } else {
        '\''
    };
    let mut out = format!("b{mark}");
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ if char::from(byte) == mark => {
                out.push('\\');
                out.push(mark);
            }
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push(mark);
    out
}

/// `urllib.parse.quote(text, safe="")`
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Random characters, 4 to 16 of them, from the operating system.
fn token(length: usize) -> Result<String, CodecError> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|_| CodecError::Value("the operating system gives no random bytes".into()))?;
    let length = length.clamp(4, random.len());
    Ok(random[..length]
        .iter()
        // 256 is a multiple of 64: all characters are equally likely.
        .map(|byte| char::from(ALPHABET[usize::from(byte % 64)]))
        .collect())
}

#[cfg(test)]
mod tests;
