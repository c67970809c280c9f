//! What a step of a configured codec is.

use std::fmt;

use crate::codec::{CodecError, Value, ValueLimits};

/// One transformation of a value; its inverse is its decode.
///
/// `decode(encode(value))` is the value, or `encode` refuses it; where the codec is `lossy`, it may
/// come back rounded or as another type.
pub trait Step: fmt::Debug + Send + Sync {
    /// The word in the configuration.
    fn name(&self) -> &'static str;

    /// What `encode` takes.
    fn takes(&self) -> Kind;

    /// What `encode` gives, and `decode` takes.
    fn gives(&self) -> Kind;

    /// Forwards.
    fn encode(&self, value: Value, terms: &Terms<'_>) -> Result<Value, CodecError>;

    /// Backwards; what is stored can be anything.
    fn decode(&self, stored: Value, terms: &Terms<'_>) -> Result<Value, CodecError>;

    /// Whether a value may come back as another one: then the codec looks.
    fn may_lose(&self) -> bool {
        false
    }
}

/// What lies between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anything.
    Value,
    /// `str`
    Text,
    /// `bytes`
    Bytes,
    /// `ndarray`
    Array,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "any value",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Array => "an array",
        })
    }
}

/// What a step is told besides the value.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The codec's name, for errors.
    pub codec: &'a str,
    /// Bounds.
    pub limits: &'a ValueLimits,
    /// Whether a value may come back as another one.
    pub lossy: bool,
}

impl Terms<'_> {
    /// A value of the wrong type.
    pub fn expected(&self, kind: Kind, found: &Value) -> CodecError {
        let (codec, found) = (self.codec, found.type_name());
        CodecError::Type(format!("<{codec}> takes {kind}, got {found}"))
    }

    /// A value that does not fit.
    pub fn refuse(&self, reason: &str) -> CodecError {
        CodecError::Value(format!("<{}>: {reason}", self.codec))
    }

    /// Stored bytes that the step has not made.
    pub fn corrupt(&self, step: &dyn Step) -> CodecError {
        let (codec, name) = (self.codec, step.name());
        CodecError::Corrupt(format!(
            "<{codec}>: what is stored is nothing that {name} has made"
        ))
    }

    /// More bytes than a value may have.
    pub fn too_large(&self) -> CodecError {
        let (codec, bytes) = (self.codec, self.limits.bytes);
        CodecError::Limit(format!(
            "<{codec}>: the value has more than {bytes} bytes (limits.value_bytes)"
        ))
    }

    /// Whether so many bytes more may be held.
    pub fn check_room(&self, bytes: usize) -> Result<(), CodecError> {
        match bytes as u64 <= self.limits.bytes {
            true => Ok(()),
            false => Err(self.too_large()),
        }
    }
}
