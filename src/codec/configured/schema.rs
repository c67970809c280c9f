//! A JSON Schema that values must meet.
//!
//! No network and no other file is asked: a `$ref` leads within the schema. Without `$schema` it is
//! one of draft 2020-12, as `jsonschema` of Python has it. An error names the place in the value
//! and the rule, and never the value.

use std::fmt;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Number, Value as Json};

use super::step::Terms;
use crate::codec::{CodecError, Value, metadata};

/// A schema that has been read.
pub struct Schema {
    text: Json,
    validator: Validator,
}

/// Why a text is no schema that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Not JSON at all.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// JSON, and no schema.
    #[error("no JSON Schema: {0}")]
    Schema(String),
}

impl Schema {
    /// Reads a schema.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let text: Json =
            serde_json::from_str(text).map_err(|error| SchemaError::Syntax(error.to_string()))?;
        let validator = jsonschema::validator_for(&text)
            .map_err(|error| SchemaError::Schema(error.to_string()))?;
        Ok(Self { text, validator })
    }

    /// The values that the schema itself gives as examples.
    pub(super) fn examples(&self) -> Vec<Value> {
        let examples = self.text.get("examples").and_then(Json::as_array);
        examples.into_iter().flatten().map(of_json).collect()
    }

    /// Whether the value meets it.
    pub(super) fn check(&self, value: &Value, terms: &Terms<'_>) -> Result<(), CodecError> {
        let json = to_json(value, metadata::MAX_DEPTH + 1)?;
        let Err(error) = self.validator.validate(&json) else {
            return Ok(());
        };
        let place = match error.instance_path().as_str() {
            "" => "the value".to_owned(),
            path => path.to_owned(),
        };
        let rule = error.schema_path().as_str();
        let missing = match error.kind() {
            ValidationErrorKind::Required {
                property: Json::String(name),
            } => format!(": {name:?} is missing"),
            _ => String::new(),
        };
        Err(terms.refuse(&format!(
            "{place} breaks {rule} of its JSON Schema{missing}"
        )))
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.text)
    }
}

/// The value as the schema's checker takes it. Integers beyond 64 bits are judged as floats.
fn to_json(value: &Value, levels: usize) -> Result<Json, CodecError> {
    let inner = levels.checked_sub(1).ok_or_else(|| {
        let most = metadata::MAX_DEPTH;
        let text = format!("JSON of more than {most} containers within containers");
        CodecError::Limit(text)
    })?;
    let unlike = || {
        let name = value.type_name();
        CodecError::Type(format!("Object of type {name} is not JSON serializable"))
    };
    Ok(match value {
        Value::None => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => Json::Number((*number).into()),
        Value::BigInt(number) => {
            let float = number.to_string().parse().ok();
            Json::Number(float.and_then(Number::from_f64).ok_or_else(unlike)?)
        }
        Value::Float(number) => {
            let text = "NaN and the infinities are no numbers of JSON";
            let number = Number::from_f64(*number);
            Json::Number(number.ok_or_else(|| CodecError::Value(text.to_owned()))?)
        }
        Value::Str(text) => Json::String(text.clone()),
        Value::List(items) => Json::Array(
            items
                .iter()
                .map(|item| to_json(item, inner))
                .collect::<Result<_, _>>()?,
        ),
        Value::Dict(items) => {
            let mut object = Map::new();
            for (key, value) in items {
                let key = key
                    .as_str()
                    .ok_or_else(|| CodecError::Type("a JSON object has text as keys".to_owned()))?;
                object.insert(key.to_owned(), to_json(value, inner)?);
            }
            Json::Object(object)
        }
        _ => return Err(unlike()),
    })
}

fn of_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::None,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::Str(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(of_json).collect()),
        Json::Object(items) => {
            let items = items
                .iter()
                .map(|(key, item)| (key.as_str().into(), of_json(item)));
            Value::Dict(items.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::ValueLimits;
    use crate::codec::testing::dict;

    const CONFIG: &str = r#"{"type": "object", "properties": {
        "version": {"type": "integer", "minimum": 1},
        "settings": {"type": "object", "additionalProperties": {"type": "string"}}},
        "required": ["version", "settings"]}"#;

    fn error(value: &Value) -> Option<String> {
        let terms = Terms {
            codec: "config",
            limits: &ValueLimits::default(),
            lossy: false,
        };
        let schema = Schema::parse(CONFIG).unwrap();
        schema
            .check(value, &terms)
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn a_value_that_meets_it_is_taken() {
        let settings = || ("settings", Value::Dict(vec![]));
        for version in [Value::Int(1), Value::Float(2.0), Value::Int(i64::MAX)] {
            assert_eq!(error(&dict(&[("version", version), settings()])), None);
        }
    }

    #[test]
    fn an_error_names_the_place_and_the_rule_and_no_value() {
        let settings = ("settings", dict(&[("gain", Value::Int(4242))]));
        let version = ("version", Value::Int(1));
        for (value, text) in [
            (
                dict(&[("version", Value::Int(-4242)), ("settings", dict(&[]))]),
                "/version breaks /properties/version/minimum of its JSON Schema",
            ),
            (
                dict(&[version.clone(), settings]),
                "/settings/gain breaks /properties/settings/additionalProperties/type of its \
                 JSON Schema",
            ),
            (
                dict(&[version]),
                "the value breaks /required of its JSON Schema: \"settings\" is missing",
            ),
            ("4242".into(), "the value breaks /type of its JSON Schema"),
        ] {
            assert_eq!(error(&value).unwrap(), format!("<config>: {text}"));
        }
        for odd in [
            Value::Tuple(vec![]),
            Value::Float(f64::NAN),
            Value::Dict(vec![(Value::Int(4242), Value::None)]),
        ] {
            assert!(!error(&odd).unwrap().contains("4242"));
        }
    }

    #[test]
    fn what_is_no_schema_is_told() {
        let error = |text: &str| Schema::parse(text).unwrap_err().to_string();
        assert!(error("{").starts_with("not JSON: "));
        assert!(error(r#"{"type": "objekt"}"#).starts_with("no JSON Schema: "));
        // Nobody is asked over the network, and no file is read.
        for place in [
            "https://example.org/x.json",
            "file:///etc/passwd",
            "other.json",
        ] {
            let told = error(&format!(r#"{{"$ref": "{place}"}}"#));
            assert!(told.starts_with("no JSON Schema: "), "{told}");
        }
        assert!(Schema::parse(r##"{"$ref": "#/$defs/a", "$defs": {"a": {}}}"##).is_ok());
    }
}
