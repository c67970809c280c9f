//! Values that a single text or number after their tag says.

use std::borrow::Cow;
use std::fmt;

use data_encoding::BASE64;
use num_bigint::BigInt;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::leaf::Leaf;
use crate::codec::Value;
use crate::codec::json::time;
use crate::codec::value::normal_decimal;

/// DataJoint counts the bytes of an integer in 16 bits; so many digits never fit.
const MAX_DIGITS: usize = 160_000;

/// Tags that a text or a number follows.
const TAGS: [&str; 8] = [
    "$int",
    "$float",
    "$bytes",
    "$decimal",
    "$date",
    "$time",
    "$datetime",
    "$uuid",
];

/// What stands after such a tag.
pub(super) enum Scalar<'de> {
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(Cow<'de, str>),
}

impl Scalar<'_> {
    /// Whether a text or a number follows the tag.
    pub(super) fn has_tag(tag: &str) -> bool {
        TAGS.contains(&tag)
    }

    /// The value after one of those tags. The error says what belongs there.
    pub(super) fn value(&self, tag: &str) -> Result<Value, &'static str> {
        match tag {
            "$int" => self.int().ok_or("$int takes digits, 160000 at most"),
            "$float" => self.float().map(Value::Float),
            "$bytes" => (self.text())
                .and_then(|text| BASE64.decode(text.as_bytes()).ok())
                .map(|bytes| Value::Bytes(bytes.into()))
                .ok_or("$bytes takes base64, padded with ="),
            "$decimal" => (self.text().and_then(normal_decimal))
                .map(Value::Decimal)
                .ok_or("$decimal takes a decimal number as a string"),
            "$date" => (self.text().and_then(time::read_date))
                .map(Value::Date)
                .ok_or("$date takes YYYY-MM-DD of the years 1 to 9999"),
            "$time" => (self.text().and_then(time::read_time))
                .map(Value::Time)
                .ok_or("$time takes hh:mm:ss.ffffff"),
            "$datetime" => (self.text().and_then(time::read_datetime))
                .map(|(date, time)| Value::DateTime(date, time))
                .ok_or("$datetime takes YYYY-MM-DDThh:mm:ss.ffffff without a time zone"),
            "$uuid" => (self.text().and_then(read_uuid))
                .map(Value::Uuid)
                .ok_or("$uuid takes 32 hexadecimal digits in groups of 8-4-4-4-12"),
            _ => Err("no such tag"),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn int(&self) -> Option<Value> {
        match self {
            Self::Int(number) => Some(Value::Int(*number)),
            Self::UInt(number) => Some(Value::BigInt(BigInt::from(*number))),
            Self::Float(_) => None,
            Self::Text(text) => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let is_integer = (1..=MAX_DIGITS).contains(&digits.len())
                    && digits.bytes().all(|byte| byte.is_ascii_digit());
                if !is_integer {
                    return None;
                }
                match text.parse() {
                    Ok(number) => Some(Value::Int(number)),
                    Err(_) => text.parse().ok().map(Value::BigInt),
                }
            }
        }
    }

    pub(super) fn float(&self) -> Result<f64, &'static str> {
        match self {
            Self::Int(number) => Leaf::Int(*number),
            Self::UInt(number) => Leaf::UInt(*number),
            Self::Float(number) => Leaf::Float(*number),
            Self::Text(text) => Leaf::Text(text),
        }
        .float64()
    }
}

fn read_uuid(text: &str) -> Option<[u8; 16]> {
    let groups: Vec<&str> = text.split('-').collect();
    if groups.len() != 1 && groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) {
        return None;
    }
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(groups.concat().as_bytes());
    bytes.ok()?.try_into().ok()
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string or a number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(i64::try_from(number).map_or(Scalar::UInt(number), Scalar::Int))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Float(number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }
}
