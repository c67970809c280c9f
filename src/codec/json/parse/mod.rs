//! Reads values from the json notation.

mod array;
mod context;
mod grid;
mod leaf;
mod list;
mod matlab;
mod scalar;
mod tagged;

use std::collections::HashSet;
use std::fmt;

use num_bigint::BigInt;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use self::context::{Context, Segment};
use self::list::{List, Values};
use super::{most_levels, stack, tags};
use crate::codec::{CodecError, Value, ValueLimits};

/// The value of a text in UTF-8.
///
/// # Errors
/// [`CodecError::Value`] for what is not in the notation, saying where and quoting nothing but
/// names of keys; [`CodecError::Limit`] for more than `limits.json_bytes` of text,
/// `limits.value_depth` containers within containers or `limits.value_bytes` of memory.
pub fn parse(text: &[u8], limits: &ValueLimits) -> Result<Value, CodecError> {
    if text.len() as u64 > limits.json_bytes {
        return Err(CodecError::Limit(format!(
            "the text has more than {} bytes (limits.json_bytes); the bytes view takes more",
            limits.json_bytes
        )));
    }
    let text = std::str::from_utf8(text).map_err(|error| {
        CodecError::Value(format!(
            "not the json notation: after {} bytes comes something else than UTF-8",
            error.valid_up_to()
        ))
    })?;
    stack::with_room(most_levels(limits), || parse_here(text, limits))
}

fn parse_here(text: &str, limits: &ValueLimits) -> Result<Value, CodecError> {
    let mut context = Context::new(limits);
    let mut json = serde_json::Deserializer::from_str(text);
    // The context counts the depth.
    json.disable_recursion_limit();
    ValueSeed(&mut context)
        .deserialize(&mut json)
        .and_then(|value| json.end().map(|()| value))
        .map_err(|error| context.error(&error))
        .and_then(|value| {
            context.check_integers(text)?;
            Ok(value)
        })
}

/// Any value.
struct ValueSeed<'c>(&'c mut Context);

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        self.0.charge(size_of::<Value>())?;
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(match i64::try_from(number) {
            Ok(number) => Value::Int(number),
            Err(_) => Value::BigInt(BigInt::from(number)),
        })
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        self.0.note_float(number);
        Ok(Value::Float(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Str(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Str(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Value, A::Error> {
        Ok(Value::List(Values::read(self.0, list)?))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        match map.next_key::<String>()? {
            None => Ok(Value::Dict(Vec::new())),
            Some(tag) if tags::is_tag(&tag) => tagged::read(self.0, &tag, map),
            Some(first) => dict(self.0, first, map),
        }
    }
}

/// A plain object.
fn dict<'de, A: MapAccess<'de>>(
    context: &mut Context,
    first: String,
    mut map: A,
) -> Result<Value, A::Error> {
    context.enter(1)?;
    let mut items: Vec<(Value, Value)> = Vec::new();
    let mut seen = Seen::default();
    let mut next = Some(first);
    while let Some(key) = next {
        if tags::is_tag(&key) {
            return Err(context.refuse(
                "a key that begins with $ is a tag and comes first; a dict with such a key is \
                 written {\"$dict\":[[key,value]]}",
            ));
        }
        if seen.has(&key, items.iter().map(|(name, _)| name.as_str())) {
            return Err(context.refuse(
                "a key comes twice; a dict with such keys is written {\"$dict\":[[key,value]]}",
            ));
        }
        context.charge(size_of::<Value>())?;
        let value = map.next_value_seed(ValueSeed(context));
        let value = context.at(value, || Segment::key(&key))?;
        items.push((Value::Str(key), value));
        next = map.next_key()?;
    }
    context.leave(1);
    Ok(Value::Dict(items))
}

/// Finds names that come twice; the many small dicts need no hashing.
#[derive(Default)]
struct Seen(HashSet<String>);

impl Seen {
    /// Whether `name` is among those `before`; to be called for each name.
    fn has<'a>(
        &mut self,
        name: &str,
        before: impl ExactSizeIterator<Item = Option<&'a str>>,
    ) -> bool {
        match before.len() {
            ..8 => before.flatten().any(|known| known == name),
            8 => {
                self.0.extend(before.flatten().map(str::to_owned));
                !self.0.insert(name.to_owned())
            }
            _ => !self.0.insert(name.to_owned()),
        }
    }
}
