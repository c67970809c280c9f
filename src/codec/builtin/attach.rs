//! `<attach>`, `<attach@store>`: a file with its name.
//!
//! - **Inline**: `bytes`. **In a store**: `<hash>`.
//! - **Takes** the file's name, a zero byte and the file's content; in the json notation
//!   `{"name": "a.txt", "base64": …}`.
//! - **Gives** the same; in the json notation `{"name": …, "size": …, "base64": …}`.
//! - **Source**: `builtin_codecs/attach.py` of DataJoint 2.3.5, whose clients turn a path into
//!   these bytes and write them to a file again.

use std::borrow::Cow;

use bytes::Bytes;
use data_encoding::BASE64;

use crate::codec::{
    Codec, CodecError, Given, HEAD_LEN, Manner, Notation, Reading, Value, ValueLimits, Writing,
    client, json, metadata,
};

/// The codec.
struct Attach;

crate::register_codec!(Attach);

impl Codec for Attach {
    fn name(&self) -> &str {
        "attach"
    }

    fn dtype(&self, is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        Ok(if is_store { "<hash>" } else { "bytes" }.into())
    }

    fn validate(&self, value: &Value) -> Result<(), CodecError> {
        match value {
            Value::Bytes(framed) => check_name(framed),
            other => Err(CodecError::Type(format!(
                "<attach> takes a file with its name, got {}",
                other.type_name()
            ))),
        }
    }

    fn encode(&self, value: Value, _to: &Writing<'_>) -> Result<Value, CodecError> {
        self.validate(&value)?;
        Ok(value)
    }

    fn decode(&self, stored: Value, _from: &Reading<'_>) -> Result<Value, CodecError> {
        client::stored_bytes(self.name(), stored).map(Value::Bytes)
    }

    fn take(
        &self,
        sent: Bytes,
        manner: &Manner,
        limits: &ValueLimits,
    ) -> Result<Value, CodecError> {
        match manner.notation {
            Notation::Bytes => Ok(Value::Bytes(sent)),
            Notation::Json => from_json(&json::parse(&sent, limits)?),
        }
    }

    fn give(&self, value: Value, manner: &Manner, from: &Reading<'_>) -> Result<Given, CodecError> {
        match (manner.notation, value) {
            (Notation::Bytes, Value::Bytes(framed)) => Ok(Given::Bytes(framed)),
            (Notation::Json, Value::Bytes(framed)) => {
                client::give(to_json(&framed, &from.limits)?, manner, &from.limits)
            }
            (_, value) => client::give(value, manner, &from.limits),
        }
    }

    fn is_transparent(&self) -> bool {
        true
    }

    fn validate_head(&self, head: &[u8]) -> Result<(), CodecError> {
        check_name(head)
    }
}

/// Whether `framed`, or its beginning, begins with a name that a client can give a file in a
/// folder of its choice, and a zero byte.
fn check_name(framed: &[u8]) -> Result<(), CodecError> {
    let head = &framed[..framed.len().min(HEAD_LEN)];
    let end = head.iter().position(|&byte| byte == 0);
    let name = end.and_then(|end| std::str::from_utf8(&head[..end]).ok());
    match name {
        Some("" | "." | "..") | None => {}
        Some(name) if name.contains(['/', '\\']) => {}
        Some(_) => return Ok(()),
    }
    Err(CodecError::Value(format!(
        "<attach> takes a file's name (UTF-8, not a path, less than {HEAD_LEN} bytes), a zero \
         byte, and the content"
    )))
}

fn from_json(value: &Value) -> Result<Value, CodecError> {
    let (Some(Value::Str(name)), Some(Value::Str(base64))) =
        (value.field("name"), value.field("base64"))
    else {
        let text = r#"<attach> takes {"name": …, "base64": …}"#;
        return Err(CodecError::Type(text.to_owned()));
    };
    if name.contains('\0') {
        let text = "<attach>: a file's name holds no zero byte";
        return Err(CodecError::Value(text.to_owned()));
    }
    let mut framed = name.clone().into_bytes();
    framed.push(0);
    framed.extend_from_slice(&client::base64("attach", base64)?);
    Ok(Value::Bytes(framed.into()))
}

fn to_json(framed: &Bytes, limits: &ValueLimits) -> Result<Value, CodecError> {
    let no_name = || CodecError::Corrupt("the stored bytes hold no file with its name".into());
    let end = framed.iter().position(|&byte| byte == 0);
    let (name, content) = framed.split_at(end.ok_or_else(no_name)?);
    let name = std::str::from_utf8(name).map_err(|_| no_name())?;
    let content = &content[1..];
    client::check_base64(content.len() as u64, limits)?;
    Ok(metadata::dict([
        ("name", name.into()),
        ("size", metadata::count(content.len() as u64)),
        ("base64", Value::Str(BASE64.encode(content))),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::testing::{Place, dict};

    #[test]
    fn the_name_is_a_files() {
        for good in [
            &b"a.txt\0content"[..],
            b"file \xc3\xa9.txt\0hello\0world",
            b"...\0",
        ] {
            assert!(Attach.validate_head(good).is_ok(), "{good:?}");
        }
        let long = [vec![b'a'; HEAD_LEN], b"\0x".to_vec()].concat();
        for bad in [
            &b""[..],
            b"\0content",
            b"no zero byte",
            b"a/b\0x",
            b"..\0x",
            b".\0x",
            b"a\\b\0x",
            b"\xff\0x",
            b"dj0",
            &long,
        ] {
            assert!(Attach.validate_head(bad).is_err(), "{bad:?}");
            let value = Value::Bytes(Bytes::copy_from_slice(bad));
            assert!(Attach.validate(&value).is_err());
        }
        assert!(Attach.validate_head(&long[1..]).is_ok());
    }

    #[test]
    fn the_bytes_pass_as_they_are() {
        let place = Place::new();
        let framed = Bytes::from_static(b"file \xc3\xa9.txt\0hello\0world");
        let value = Attach.take(framed.clone(), &place.manner, &place.limits);
        let stored = Attach.encode(value.unwrap(), &place.writing()).unwrap();
        assert_eq!(stored, Value::Bytes(framed.clone()));
        let value = Attach.decode(stored, &place.reading()).unwrap();
        let given = Attach.give(value, &place.manner, &place.reading());
        assert_eq!(given.unwrap(), Given::Bytes(framed));
    }

    #[test]
    fn json_has_name_size_and_base64() {
        let framed = Value::Bytes(Bytes::from_static(b"a.txt\0hello\0"));
        let json = dict(&[
            ("name", "a.txt".into()),
            ("size", Value::Int(6)),
            ("base64", "aGVsbG8A".into()),
        ]);
        let Value::Bytes(bytes) = &framed else {
            unreachable!()
        };
        assert_eq!(to_json(bytes, &ValueLimits::default()).unwrap(), json);
        assert_eq!(from_json(&json).unwrap(), framed);
        let few = ValueLimits {
            json_bytes: 7,
            ..ValueLimits::default()
        };
        assert!(matches!(to_json(bytes, &few), Err(CodecError::Limit(_))));
    }

    #[test]
    fn json_without_a_name_or_content_is_refused() {
        for (name, base64) in [
            (Some("a\0b"), Some("aGVsbG8=")),
            (Some("a"), Some("not base64")),
            (Some("a"), None),
            (None, Some("aGVsbG8=")),
        ] {
            let items: Vec<_> = [("name", name), ("base64", base64)]
                .into_iter()
                .filter_map(|(key, text)| text.map(|text| (key, Value::from(text))))
                .collect();
            assert!(from_json(&dict(&items)).is_err(), "{items:?}");
        }
        assert!(from_json(&"a.txt".into()).is_err());
    }
}
