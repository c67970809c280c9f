//! `<versioned>`: a codec that looks at the primary key of the row.
//!
//! - **Stores**, in a `<blob>`, a dict with the version of its form and the data; a key column
//!   `schema_version` of 2 or more chooses the newer form.
//! - **Takes** and gives any value.

use std::borrow::Cow;

use codec_proxy::codec::metadata::dict;
use codec_proxy::codec::{Codec, CodecError, Reading, Value, Writing};

struct Versioned;

codec_proxy::register_codec!(Versioned);

impl Codec for Versioned {
    fn name(&self) -> &str {
        "versioned"
    }

    fn dtype(&self, _is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        Ok("<blob>".into())
    }

    /// Without this, `to.key` may be empty.
    fn needs_key(&self) -> bool {
        true
    }

    fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError> {
        let column = to
            .key
            .columns
            .iter()
            .find(|(name, _)| name == "schema_version");
        Ok(match column {
            Some((_, Value::Int(version))) if *version >= 2 => {
                let data = dict([("optimized", Value::Bool(true)), ("payload", value)]);
                dict([("v", Value::Int(2)), ("data", data)])
            }
            _ => dict([("v", Value::Int(1)), ("data", value)]),
        })
    }

    fn decode(&self, stored: Value, _from: &Reading<'_>) -> Result<Value, CodecError> {
        let data = stored.field("data");
        let data = match stored.field("v") {
            Some(Value::Int(version)) if *version >= 2 => data.and_then(|d| d.field("payload")),
            _ => data,
        };
        let data = data.cloned();
        data.ok_or_else(|| CodecError::Corrupt("no data of any version".to_owned()))
    }
}
