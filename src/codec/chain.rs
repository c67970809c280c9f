//! The codec chain of a column: from the type a user declares to the type that is stored.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use super::registry::{self, Addressing, Codec, Handle, Registry};
use super::{CodecError, Given, Reading, TypeSpec, Value, Writing};

/// A core type that ends a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dtype {
    /// `bytes`: `longblob` in the database.
    Bytes,
    /// `json`: metadata, or whatever the codec makes of its values.
    Json,
    /// Any other type, as the database has it: `varchar(30)`, `double`.
    Other(String),
}

/// A resolved chain, outermost codec first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The type spec as written, for example `<blob@main>`.
    pub spec: String,
    /// The codecs, outermost first, for example `<blob>` and `<hash>`; never empty.
    pub codecs: Vec<Handle>,
    /// What the database column holds.
    pub dtype: Dtype,
    /// The store: `None` inline, `Some("")` the default store, else its name.
    pub store: Option<String>,
}

/// Why a type spec has no chain; the texts are DataJoint's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The name is not registered.
    #[error(
        "Unknown codec: <{0}>. Ensure the codec is defined (inherit from dj.Codec with name='{0}')."
    )]
    Unknown(String),
    /// The codec lives in a store only; the text says which and how to write it.
    #[error("{0}")]
    RequiresStore(String),
    /// The chain comes back to a codec that it has passed.
    #[error("Circular codec reference detected: <{0}>")]
    Circular(String),
    /// A codec has no dtype.
    #[error("{0}")]
    NoDtype(String),
}

/// How much of a value [`Chain::validate_head`] must see, in bytes.
pub const HEAD_LEN: usize = 1024;

impl TypeSpec {
    /// Follows the chain to the type that is stored.
    ///
    /// The store is inherited inwards unless an inner spec names its own, as `resolve_dtype`
    /// of DataJoint 2.3.5 has it.
    pub fn resolve(&self) -> Result<Chain, ChainError> {
        self.resolve_in(&registry::current())
    }

    /// As [`resolve`](Self::resolve), among the codecs of `registry`.
    pub fn resolve_in(&self, registry: &Registry) -> Result<Chain, ChainError> {
        let mut codecs = Vec::<Handle>::new();
        let mut name = self.codec.clone();
        let mut store = self.store.clone();
        loop {
            let codec = registry
                .find(&name)
                .ok_or_else(|| ChainError::Unknown(name.clone()))?;
            if codecs.contains(codec) {
                return Err(ChainError::Circular(name));
            }
            codecs.push(codec.clone());
            let dtype = codec.dtype(store.is_some()).map_err(|error| match error {
                CodecError::Chain(error) => error,
                other => ChainError::NoDtype(other.to_string()),
            })?;
            match TypeSpec::parse(&dtype) {
                Some(inner) => {
                    name = inner.codec;
                    store = inner.store.or(store);
                }
                None => {
                    return Ok(Chain {
                        spec: self.to_string(),
                        codecs,
                        dtype: Dtype::parse(&dtype),
                        store,
                    });
                }
            }
        }
    }
}

impl Dtype {
    /// A core type of DataJoint, or a type of the database.
    fn parse(text: &str) -> Self {
        match text {
            "bytes" => Self::Bytes,
            "json" => Self::Json,
            other => Self::Other(other.to_owned()),
        }
    }
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

impl Chain {
    /// Whether the column holds `json`, in most chains the pointer to an object in a store.
    pub fn is_external(&self) -> bool {
        self.dtype == Dtype::Json
    }

    /// The SQL type of the column.
    pub fn stored_type(&self) -> Cow<'_, str> {
        match &self.dtype {
            Dtype::Bytes => "longblob".into(),
            Dtype::Json => "json".into(),
            Dtype::Other(other) => other.into(),
        }
    }

    /// How its objects are named: the innermost codec makes them.
    pub fn addressing(&self) -> Addressing {
        let innermost = self.steps().next_back();
        innermost.map_or(Addressing::Inner, |codec| codec.addressing())
    }

    /// Whether, in the bytes notation, a client sends and gets exactly the bytes that are
    /// stored: in the column itself, or in an object named by its hash. Such values are never
    /// held in memory as a whole.
    pub fn is_transparent(&self) -> bool {
        self.steps().all(|codec| codec.is_transparent())
    }

    /// Whether, in the bytes notation, a client sends and gets text and not binary.
    pub fn is_text(&self) -> bool {
        self.outermost().is_ok_and(|codec| codec.is_text())
    }

    /// Whether a value can only be encoded with the whole primary key of its row.
    pub fn needs_key(&self) -> bool {
        self.steps().any(|codec| codec.needs_key())
    }

    /// Whether a value of a transparent chain may be written, by its first [`HEAD_LEN`] bytes
    /// (or all, if it has fewer); the error says what the codec takes. Only the outermost codec
    /// is asked.
    pub fn validate_head(&self, head: &[u8]) -> Result<(), CodecError> {
        self.outermost()?.validate_head(head)
    }

    /// What is to be stored for what a client has sent: the whole chain.
    pub fn write(&self, sent: Bytes, to: &Writing<'_>) -> Result<Value, CodecError> {
        let value = self.outermost()?.take(sent, &to.manner, &to.limits)?;
        self.encode(value, to)
    }

    /// What a client gets for what is stored: the whole chain.
    pub fn read(&self, stored: Value, from: &Reading<'_>) -> Result<Given, CodecError> {
        let value = self.decode(stored, from)?;
        self.outermost()?.give(value, &from.manner, from)
    }

    /// From the outermost codec inwards, to the value of the column.
    pub fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError> {
        self.outermost()?.validate(&value)?;
        self.steps()
            .try_fold(value, |value, codec| codec.encode(value, to))
    }

    /// From the innermost codec outwards, from the value of the column.
    pub fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError> {
        self.steps()
            .rev()
            .try_fold(stored, |value, codec| codec.decode(value, from))
    }

    /// The names of the codecs, outermost first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.codecs.iter().map(|codec| codec.name())
    }

    /// The name of the codec that clients deal with.
    pub fn outermost_name(&self) -> Option<&str> {
        self.names().next()
    }

    fn outermost(&self) -> Result<&dyn Codec, CodecError> {
        self.steps()
            .next()
            .ok_or_else(|| ChainError::Unknown(self.spec.clone()).into())
    }

    fn steps(&self) -> impl DoubleEndedIterator<Item = &dyn Codec> {
        self.codecs.iter().map(|codec| &**codec)
    }
}

#[cfg(test)]
mod tests;
