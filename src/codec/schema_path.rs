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
mod tests {
    use super::*;
    use crate::codec::testing::layout;

    const SITE: Site<'_> = Site {
        schema: "exp",
        table: "__tab",
        column: "f",
    };

    fn date(year: u16) -> Date {
        let (month, day) = (1, 2);
        Date { year, month, day }
    }

    fn time(microsecond: u32) -> Time {
        let (hour, minute, second) = (3, 4, 5);
        Time {
            hour,
            minute,
            second,
            microsecond,
        }
    }

    #[test]
    fn values_are_encoded_as_by_datajoint() {
        // datajoint.storage.encode_pk_value(v)
        let long = format!("{}_86919ab3", "%C3%A9".repeat(50));
        for (value, text) in [
            (Value::Bool(true), "True"),
            (Value::Int(-7), "-7"),
            (Value::Float(2.5), "2.5"),
            (Value::Float(1e16), "1e+16"),
            ("a b".into(), "a b"),
            ("a/b:c".into(), "a%2Fb%3Ac"),
            (Value::Str("x".repeat(100)), &"x".repeat(100)),
            (
                Value::Str("x".repeat(101)),
                &format!("{}_608367d7", "x".repeat(50)),
            ),
            (Value::Str("é".repeat(100)), &"é".repeat(100)),
            (Value::Str("é".repeat(101)), &long),
            ("ü/ß~_.-".into(), "%C3%BC%2F%C3%9F~_.-"),
            ("".into(), ""),
            ("%41".into(), "%41"),
            ("%41?".into(), "%2541%3F"),
            ("2020-01-02 03:04:05".into(), "2020-01-02%2003%3A04%3A05"),
            (
                Value::DateTime(date(2020), time(999)),
                "2020-01-02T03-04-05",
            ),
            (Value::DateTime(date(999), time(0)), "999-01-02T03-04-05"),
            (Value::Date(date(999)), "0999-01-02"),
            (Value::Time(time(0)), "03:04:05"),
            (Value::Time(time(6)), "03:04:05.000006"),
            (Value::Decimal("1.50".into()), "1.50"),
            (
                Value::Uuid(5_u128.to_be_bytes()),
                "00000000-0000-0000-0000-000000000005",
            ),
            (Value::Bytes("a".into()), "b'a'"),
            (Value::Bytes(b"a\xff"[..].into()), "b%27a%5Cxff%27"),
        ] {
            assert_eq!(encode(&value).unwrap(), text, "{value:?}");
        }
        for other in [Value::None, Value::List(vec![])] {
            assert!(encode(&other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn paths_are_those_of_datajoint() {
        // build_object_path("exp", "__tab", "f", {"a": 1, "b": "x/y", "c": "z"}, ext, pattern,
        //                   schema_prefix=prefix)[0], with the token replaced by T
        let key = [
            ("a".to_owned(), Value::Int(1)),
            ("b".to_owned(), "x/y".into()),
            ("c".to_owned(), "z".into()),
        ];
        for (ext, pattern, prefix, expected) in [
            (
                None,
                None,
                "_schema",
                "_schema/exp/__tab/a=1/b=x%2Fy/c=z/f_T",
            ),
            (
                Some("dat"),
                None,
                "_schema",
                "_schema/exp/__tab/a=1/b=x%2Fy/c=z/f_T.dat",
            ),
            (Some(".npy"), None, "", "exp/__tab/a=1/b=x%2Fy/c=z/f_T.npy"),
            (
                Some(""),
                Some("{b}/x{a}{zz}{a}{ a}{b"),
                "_schema",
                "_schema/b=x%2Fy/a=1/a=1/exp/__tab/c=z/f_T",
            ),
            (
                None,
                Some("a/b"),
                "x/y",
                "x/y/exp/__tab/a=1/b=x%2Fy/c=z/f_T",
            ),
        ] {
            let mut layout = layout();
            layout.schema_prefix = ObjectPath::parse(prefix).ok();
            layout.partition_pattern = pattern.map(str::to_owned);
            let path = path(&layout, SITE, &key, "T", ext).unwrap();
            assert_eq!(path.as_str(), expected);
        }
        // update1 knows no key: build_object_path("exp", "__tab", "f", {}, None, ...)
        let path = path(&layout(), SITE, &[], "T", None).unwrap();
        assert_eq!(path.as_str(), "_schema/exp/__tab/f_T");
    }

    #[test]
    fn a_name_is_one_folder() {
        let key = |name: &str, value: &str| vec![(name.to_owned(), Value::from(value))];
        let try_path = |site, key: &[_], ext| path(&layout(), site, key, "T", ext);
        let schema = Site {
            schema: "exp/other",
            ..SITE
        };
        let table = Site {
            table: "..",
            ..SITE
        };
        assert!(try_path(schema, &[], None).is_err());
        assert!(try_path(table, &[], None).is_err());
        assert!(try_path(SITE, &key("a/b", "c"), None).is_err());
        assert!(try_path(SITE, &key("a", "x\ny"), None).is_err());
        assert!(try_path(SITE, &[], Some("x/../../y")).is_err());
        assert!(try_path(SITE, &key("a", ".."), None).is_ok());
    }

    #[test]
    fn tokens_have_their_length_and_differ() {
        for (length, expected) in [(0, 4), (4, 4), (8, 8), (16, 16), (99, 16)] {
            let token = token(length).unwrap();
            assert_eq!(token.len(), expected);
            let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            assert!(token.chars().all(is_token), "{token}");
        }
        assert_ne!(token(16).unwrap(), token(16).unwrap());
        let many: String = (0..200).map(|_| token(16).unwrap()).collect();
        let used: std::collections::BTreeSet<char> = many.chars().collect();
        assert_eq!(used.len(), 64);
    }
}
