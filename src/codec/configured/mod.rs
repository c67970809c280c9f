//! Codecs that are defined in the configuration: validate, transform, hand on.
//!
//! ```toml
//! [codecs.zjson]
//! chain = ["json", "zlib"]
//! dtype = "<blob>"
//! ```
//!
//! - **Takes** and **gives** what clients call the value: a packed blob, or JSON.
//! - **Stores** what its steps make of it, as `dtype` says (`store_dtype` in a type with `@`).
//! - **Refuses** a value that would come back as another one, unless it is `lossy`.
//!
//! Where text is needed as bytes (`json` before `zlib`, or before a `dtype` that takes bytes), it is
//! in UTF-8.

mod rules;
mod sample;
mod schema;
mod step;
pub mod steps;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use rules::{Rule, TYPES};
pub use sample::Tried;
pub use schema::{Schema, SchemaError};
pub use step::{Kind, Step, Terms};

use self::steps::{Charset, Text};
use super::npy_file::NpyFile;
use super::section::Section;
use super::value::{Array, Order};
use super::{
    ChainError, Codec, CodecError, ObjectRef, Reading, TypeSpec, Value, ValueLimits, Writing,
    comment, metadata,
};

/// What the configuration says of a codec.
#[derive(Debug, Default)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// The steps, in the order in which they encode.
    pub steps: Vec<Box<dyn Step>>,
    /// What it hands its result to without a store.
    pub dtype: Option<String>,
    /// The same in a type with `@`; without it, a `dtype` that is a codec takes the store.
    pub store_dtype: Option<String>,
    /// What values must be.
    pub rules: Vec<Rule>,
    /// What values must meet.
    pub schema: Option<Schema>,
    /// Whether a value may come back rounded or as another type.
    pub lossy: bool,
}

/// Why a definition makes no codec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// Neither `dtype` nor `store_dtype`.
    #[error("say what is stored, for example \"<blob>\"")]
    NoDtype,
    /// A dtype that is no type.
    #[error(
        "{0:?} is neither a codec (\"<blob>\") nor a type that keeps every value (\"bytes\", \"json\", \
         \"varchar(30)\", \"int64\", \"float64\", \"bool\")"
    )]
    Dtype(String),
    /// A dtype that does not take what comes to it.
    #[error("{dtype:?} holds {holds}, and {from} gives {gives}")]
    Holds {
        /// The type.
        dtype: String,
        /// What it takes.
        holds: Kind,
        /// The last step.
        from: String,
        /// What comes of that.
        gives: Kind,
    },
    /// One of the two dtypes holds text, the other bytes.
    #[error("one of dtype and store_dtype holds text and the other bytes; end the chain with text")]
    Mixed,
    /// A step that does not take what comes to it.
    #[error("{step} takes {takes}, and {from} gives {gives}")]
    Takes {
        /// The step.
        step: &'static str,
        /// What it takes.
        takes: Kind,
        /// The step before.
        from: &'static str,
        /// What comes of that.
        gives: Kind,
    },
}

/// A codec of the configuration.
#[derive(Debug)]
pub struct Configured {
    definition: Definition,
    /// Whether a dtype is `json`.
    ends_in_json: bool,
}

impl PartialEq for Configured {
    /// Definitions are equal if they say the same.
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

impl Configured {
    /// A codec of a definition that holds together in itself; whether the codecs are there that it
    /// hands on to is seen when a type is resolved.
    pub fn new(mut definition: Definition) -> Result<Self, DefinitionError> {
        let mut steps: Vec<Box<dyn Step>> = Vec::new();
        for step in std::mem::take(&mut definition.steps) {
            if let Some(before) = steps.last() {
                let (gives, takes) = (before.gives(), step.takes());
                match (gives, takes) {
                    (Kind::Text, Kind::Bytes) => steps.push(utf8()),
                    (gives, takes) if gives == takes || takes == Kind::Value => {}
                    _ => {
                        return Err(DefinitionError::Takes {
                            step: step.name(),
                            takes,
                            from: before.name(),
                            gives,
                        });
                    }
                }
            }
            steps.push(step);
        }
        let dtypes = [&definition.dtype, &definition.store_dtype];
        let dtypes: Vec<&String> = dtypes.into_iter().flatten().collect();
        if dtypes.is_empty() {
            return Err(DefinitionError::NoDtype);
        }
        let mut wanted = Vec::new();
        for dtype in &dtypes {
            wanted.push(holds(dtype).ok_or_else(|| DefinitionError::Dtype((*dtype).clone()))?);
        }
        if let Some(last) = steps.last() {
            let gives = last.gives();
            let to_bytes = |holds: &Kind| gives == Kind::Text && *holds == Kind::Bytes;
            for (dtype, holds) in dtypes.iter().zip(&wanted) {
                if *holds != Kind::Value && *holds != gives && !to_bytes(holds) {
                    return Err(DefinitionError::Holds {
                        dtype: (*dtype).clone(),
                        holds: *holds,
                        from: last.name().to_owned(),
                        gives,
                    });
                }
            }
            match wanted.iter().filter(|holds| to_bytes(holds)).count() {
                0 => {}
                n if n == wanted.len() => steps.push(utf8()),
                _ => return Err(DefinitionError::Mixed),
            }
        }
        let ends_in_json = dtypes.iter().any(|dtype| *dtype == "json");
        definition.steps = steps;
        Ok(Self {
            definition,
            ends_in_json,
        })
    }

    /// The names of its steps and of what they hand on to, for people: `json → zlib → <blob>`.
    pub fn summary(&self) -> String {
        let steps = self.definition.steps.iter().map(|step| step.name());
        let dtype = self.definition.dtype.as_ref();
        let end = dtype.or(self.definition.store_dtype.as_ref());
        let parts: Vec<_> = steps.chain(end.map(String::as_str)).collect();
        parts.join(" → ")
    }

    fn terms<'a>(&'a self, limits: &'a ValueLimits) -> Terms<'a> {
        Terms {
            codec: &self.definition.name,
            limits,
            lossy: self.definition.lossy,
        }
    }

    fn check(&self, value: &Value, limits: &ValueLimits) -> Result<(), CodecError> {
        let terms = self.terms(limits);
        for rule in &self.definition.rules {
            rule.check(value, &terms)?;
        }
        match &self.definition.schema {
            Some(schema) => schema.check(value, &terms),
            None => Ok(()),
        }
    }

    /// All steps, forwards. A value that would come back as another one is refused.
    fn forwards(&self, value: Value, limits: &ValueLimits) -> Result<Value, CodecError> {
        let terms = self.terms(limits);
        let steps = &self.definition.steps;
        let looks = !self.definition.lossy && steps.iter().any(|step| step.may_lose());
        // Arrays are shared, not copied.
        let original = looks.then(|| value.clone());
        let encoded = (steps.iter()).try_fold(value, |value, step| step.encode(value, &terms))?;
        if self.ends_in_json {
            steps::check_exact(&encoded, &terms)?;
            check_integers(&encoded, &terms, metadata::MAX_DEPTH + 1)?;
        }
        if let Some(original) = original {
            let again = self.backwards(encoded.clone(), limits);
            if !again.is_ok_and(|again| is_same(&again, &original)) {
                return Err(terms.refuse(
                    "the value would come back rounded, or as another type; lossy = true in the \
                     codec's configuration allows it",
                ));
            }
        }
        Ok(encoded)
    }

    /// All steps, backwards.
    fn backwards(&self, stored: Value, limits: &ValueLimits) -> Result<Value, CodecError> {
        let terms = self.terms(limits);
        let mut steps = self.definition.steps.iter().rev();
        steps.try_fold(stored, |value, step| step.decode(value, &terms))
    }
}

impl Codec for Configured {
    fn name(&self) -> &str {
        &self.definition.name
    }

    fn dtype(&self, is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        let Definition {
            dtype, store_dtype, ..
        } = &self.definition;
        let name = &self.definition.name;
        let dtype = match (is_store, dtype, store_dtype) {
            (true, _, Some(dtype)) | (false, Some(dtype), _) => dtype,
            (true, Some(dtype), None) if TypeSpec::parse(dtype).is_some() => dtype,
            (true, ..) => {
                let text = format!("<{name}> does not take @ (in the table only)");
                return Err(ChainError::NoStore(text).into());
            }
            (false, ..) => {
                let text = format!("<{name}> requires @ (store only)");
                return Err(ChainError::RequiresStore(text).into());
            }
        };
        Ok(dtype.clone().into())
    }

    fn validate(&self, value: &Value) -> Result<(), CodecError> {
        self.check(value, &ValueLimits::default())
    }

    fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError> {
        self.forwards(value, &to.limits)
    }

    fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError> {
        let stored = match stored {
            Value::Object(object) => self.opened(&object, from)?,
            stored => stored,
        };
        self.backwards(stored, &from.limits)
    }
}

impl Configured {
    /// The content of an object that the codec hands on to: the array of `<npy>`, the path of
    /// `<filepath>`, the bytes of a file.
    fn opened(&self, object: &ObjectRef, from: &Reading<'_>) -> Result<Value, CodecError> {
        let dtypes = [&self.definition.dtype, &self.definition.store_dtype];
        let kinds = dtypes
            .into_iter()
            .flatten()
            .filter_map(|dtype| holds(dtype));
        let is = |kind| kinds.clone().any(|own| own == kind);
        if is(Kind::Text) {
            return Ok(object.path.as_str().into());
        }
        let content = object.content(Section::Schema, from)?;
        if is(Kind::Array) {
            let array = NpyFile::parse(&content).and_then(|file| file.to_value(from.limits.bytes));
            return array.map_err(|error| CodecError::Corrupt(error.to_string()));
        }
        Ok(Value::Bytes(content))
    }
}

fn utf8() -> Box<dyn Step> {
    Box::new(Text {
        charset: Charset::Utf8,
    })
}

/// What a dtype takes; `None` if it is no type.
fn holds(dtype: &str) -> Option<Kind> {
    if let Some(spec) = TypeSpec::parse(dtype) {
        let is_plain = spec.to_string() == dtype && !spec.codec.is_empty();
        return is_plain.then_some(match spec.codec.as_str() {
            "hash" | "object" | "attach" => Kind::Bytes,
            "filepath" => Kind::Text,
            "npy" => Kind::Array,
            _ => Kind::Value,
        });
    }
    let lower = dtype.to_ascii_lowercase();
    match lower.split('(').next()?.trim_end() {
        "bytes" => Some(Kind::Bytes),
        "char" | "varchar" | "enum" if comment::is_core_type(dtype) => Some(Kind::Text),
        "json" | "bool" | "int8" | "int16" | "int32" | "int64" | "float64" => Some(Kind::Value),
        // The server rounds others, or writes them in another way.
        _ => None,
    }
}

/// MySQL's JSON keeps integers of 64 bits, and makes floats of others.
fn check_integers(value: &Value, terms: &Terms<'_>, levels: usize) -> Result<(), CodecError> {
    // What is too deep is refused where it is written.
    let Some(levels) = levels.checked_sub(1) else {
        return Ok(());
    };
    match value {
        Value::BigInt(number) if !terms.lossy && u64::try_from(number).is_err() => {
            Err(terms.refuse("an integer is beyond the 64 bits that JSON keeps in a database"))
        }
        Value::List(items) => (items.iter()).try_for_each(|i| check_integers(i, terms, levels)),
        Value::Dict(items) => {
            let mut values = items.iter().map(|(_, value)| value);
            values.try_for_each(|value| check_integers(value, terms, levels))
        }
        _ => Ok(()),
    }
}

/// Whether the values are equal, arrays in whatever order their bytes are.
fn is_same(a: &Value, b: &Value) -> bool {
    let normal = |array: &Array| {
        let array = array.in_order(Order::First);
        (array.element, array.shape.clone(), array.interleaved())
    };
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => normal(a) == normal(b),
        _ => a == b,
    }
}
