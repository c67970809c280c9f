//! The core type that ends a chain: what the database column is, and how values lie in it.

use std::borrow::Cow;
use std::fmt;

use num_bigint::BigInt;

use super::metadata::{self, float_repr};
use super::{CodecError, Value};

/// A core type that ends a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dtype {
    /// `bytes`: `longblob` in the database.
    Bytes,
    /// `json`: metadata, or whatever the codec makes of its values.
    Json,
    /// Any other type, as DataJoint or the database has it: `varchar(30)`, `float64`.
    Other(String),
}

/// What stands in a column for a value of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// NULL.
    Null,
    /// Bytes.
    Bytes(bytes::Bytes),
    /// Text in UTF-8.
    Text(String),
    /// A number, in digits.
    Number(String),
}

impl Dtype {
    /// A core type of DataJoint, or a type of the database.
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "bytes" => Self::Bytes,
            "json" => Self::Json,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The SQL type of the column, as DataJoint declares it.
    pub fn sql_type(&self) -> Cow<'_, str> {
        let text = match self {
            Self::Bytes => return "longblob".into(),
            Self::Json => return "json".into(),
            Self::Other(text) => text,
        };
        match text.to_ascii_lowercase().as_str() {
            "float32" => "float".into(),
            "float64" => "double".into(),
            "int64" => "bigint".into(),
            "int32" => "int".into(),
            "int16" => "smallint".into(),
            "int8" | "bool" => "tinyint".into(),
            "uuid" => "binary(16)".into(),
            _ => text.into(),
        }
    }

    /// What the column holds for the last value of a chain. A value that the server would make
    /// another one of is refused: a number in a text, a text that is cut, a number out of range.
    pub fn stored(&self, value: Value) -> Result<Stored, CodecError> {
        let word = self.word();
        Ok(match (self, value) {
            (_, Value::None) => Stored::Null,
            (Self::Json, value) => Stored::Text(metadata::dumps(&value)?),
            (Self::Bytes, Value::Bytes(bytes)) => Stored::Bytes(bytes),
            (Self::Other(_), Value::Str(text)) if !is_number(&word) => {
                self.check_room(&text)?;
                Stored::Text(text)
            }
            (Self::Other(_), Value::Decimal(text)) if !is_text(&word) => Stored::Text(text),
            (Self::Other(_), Value::Int(number)) if is_in_range(&word, number) => {
                Stored::Number(number.to_string())
            }
            (Self::Other(dtype), Value::Bool(value)) if dtype == "bool" => {
                Stored::Number(u8::from(value).to_string())
            }
            (Self::Other(_), Value::Float(number)) if is_float(&word) && number.is_finite() => {
                Stored::Number(float_repr(number))
            }
            (_, other) => {
                let found = other.type_name();
                let reason = format!("its codecs come to {found}, which {self} does not hold");
                return Err(CodecError::Type(reason));
            }
        })
    }

    /// The name of the SQL type, without its size.
    fn word(&self) -> String {
        let sql = self.sql_type().to_ascii_lowercase();
        sql.split(['(', ' ']).next().unwrap_or_default().to_owned()
    }

    /// A server that is not strict would cut the text, and `char` drops spaces at its end.
    fn check_room(&self, text: &str) -> Result<(), CodecError> {
        let sql = self.sql_type();
        let rest = sql.split_once('(').map_or("", |(_, rest)| rest);
        let room = rest.split(')').next().and_then(|n| n.trim().parse().ok());
        let fits = room.is_none_or(|room: usize| text.chars().nth(room).is_none());
        let (is_char, is_varchar) = (self.word() == "char", self.word() == "varchar");
        if (is_char || is_varchar) && !fits {
            let reason = format!("what its codecs come to is longer than {self}");
            return Err(CodecError::Value(reason));
        }
        if is_char && text.ends_with(' ') {
            let reason = format!("what its codecs come to ends with a space, which {self} drops");
            return Err(CodecError::Value(reason));
        }
        Ok(())
    }

    /// The value of a column that is neither bytes nor JSON, by the text that the server gives.
    pub(super) fn of_text(&self, text: String) -> Value {
        match self.word().as_str() {
            "tinyint" if matches!(self, Self::Other(dtype) if dtype == "bool") => {
                Value::Bool(text != "0")
            }
            word if is_integer(word) => match (text.parse(), text.parse::<BigInt>()) {
                (Ok(number), _) => Value::Int(number),
                (_, Ok(number)) => Value::BigInt(number),
                _ => Value::Str(text),
            },
            word if is_float(word) => text.parse().map_or(Value::Str(text), Value::Float),
            "decimal" | "numeric" => Value::Decimal(text),
            _ => Value::Str(text),
        }
    }
}

fn is_integer(word: &str) -> bool {
    [
        "tinyint",
        "smallint",
        "mediumint",
        "int",
        "integer",
        "bigint",
    ]
    .contains(&word)
}

fn is_float(word: &str) -> bool {
    ["float", "double", "real"].contains(&word)
}

fn is_number(word: &str) -> bool {
    is_integer(word) || is_float(word)
}

fn is_text(word: &str) -> bool {
    [
        "char",
        "varchar",
        "enum",
        "tinytext",
        "text",
        "mediumtext",
        "longtext",
    ]
    .contains(&word)
}

/// Whether the server keeps the integer as it is. (Core types have a sign.)
fn is_in_range(word: &str, number: i64) -> bool {
    let bits = match word {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" | "integer" => 32,
        _ => 64,
    };
    !is_text(word) && !is_float(word) && number >> (bits - 1) == number >> 63
}

/// As DataJoint names the core type.
impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes",
            Self::Json => "json",
            Self::Other(other) => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(text: &str) -> Dtype {
        Dtype::parse(text)
    }

    #[test]
    fn core_types_are_declared_as_datajoint_declares_them() {
        for (core, sql) in [
            ("bytes", "longblob"),
            ("json", "json"),
            ("int32", "int"),
            ("float64", "double"),
            ("uuid", "binary(16)"),
            ("varchar(30)", "varchar(30)"),
        ] {
            assert_eq!(other(core).sql_type(), sql);
            assert_eq!(other(core).to_string(), core);
        }
    }

    #[test]
    fn values_become_what_their_column_holds() {
        let bytes = || Value::Bytes(bytes::Bytes::from_static(b"a'\\"));
        let stored = |dtype: &str, value| other(dtype).stored(value).unwrap();
        assert_eq!(stored("bytes", bytes()), Stored::Bytes("a'\\".into()));
        assert_eq!(stored("json", Value::None), Stored::Null);
        let dict = Value::Dict(vec![("path".into(), "a'b".into())]);
        let text = "{\"path\": \"a'b\"}".to_owned();
        assert_eq!(stored("json", dict), Stored::Text(text));
        for (dtype, value, digits) in [
            ("int32", Value::Int(-7), "-7"),
            ("int8", Value::Int(-128), "-128"),
            ("bool", Value::Bool(true), "1"),
            ("float64", Value::Float(0.5), "0.5"),
        ] {
            assert_eq!(stored(dtype, value), Stored::Number(digits.to_owned()));
        }
        for (dtype, value) in [
            ("int", bytes()),
            ("int8", Value::Int(128)),
            ("int32", Value::Int(-(1 << 31) - 1)),
            ("int32", "7".into()),
            ("int32", Value::Bool(true)),
            ("varchar(5)", Value::Int(7)),
            ("float64", Value::Int(7)),
            ("bytes", Value::Int(7)),
            ("bytes", "text".into()),
            ("json", bytes()),
            ("float64", Value::Float(f64::NAN)),
        ] {
            assert!(other(dtype).stored(value).is_err(), "{dtype}");
        }
    }

    #[test]
    fn a_text_that_would_be_cut_is_refused() {
        assert!(other("varchar(3)").stored("äöü".into()).is_ok());
        assert!(other("char(3)").stored("a b".into()).is_ok());
        for (dtype, text) in [
            ("varchar(3)", "äöüß"),
            ("char(3)", "abcd"),
            ("char(3)", "a "),
        ] {
            assert!(other(dtype).stored(text.into()).is_err(), "{dtype} {text}");
        }
    }

    #[test]
    fn texts_of_columns_become_values_of_their_type() {
        assert_eq!(other("int16").of_text("-5".into()), Value::Int(-5));
        assert_eq!(other("float64").of_text("0.5".into()), Value::Float(0.5));
        assert_eq!(
            other("decimal(5,2)").of_text("0.50".into()),
            Value::Decimal("0.50".into())
        );
        assert_eq!(other("varchar(5)").of_text("5".into()), "5".into());
        assert_eq!(other("bool").of_text("1".into()), Value::Bool(true));
    }
}
