//! The codec chain of a column: from the type a user declares to the type that is stored.

use std::borrow::Cow;

use bytes::Bytes;

use super::registry::{self, Addressing, Codec, Handle, Registry};
use super::{
    CodecError, Dtype, Given, Next, Pointer, Reading, Step, TypeSpec, Value, ValueLimits, Writing,
    blob, metadata,
};

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
    /// The codec does not live in a store, and its type names one; the text says which.
    #[error("{0}")]
    NoStore(String),
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

impl Chain {
    /// Whether the column holds `json`, in most chains the pointer to an object in a store.
    pub fn is_external(&self) -> bool {
        self.dtype == Dtype::Json
    }

    /// The SQL type of the column.
    pub fn stored_type(&self) -> Cow<'_, str> {
        self.dtype.sql_type()
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

    /// Whether a codec of the chain looks at the primary key, as far as that is known.
    pub fn uses_key(&self) -> bool {
        self.steps().any(|codec| codec.uses_key())
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

    /// As [`write`](Self::write) for several values; each has an outcome of its own, in order.
    pub fn write_many(&self, sent: Vec<(Bytes, Writing<'_>)>) -> Vec<Result<Value, CodecError>> {
        let to: Vec<_> = sent.iter().map(|(_, to)| *to).collect();
        let taken = sent.into_iter().map(|(sent, to)| {
            let outermost = self.outermost()?;
            let value = outermost.take(sent, &to.manner, &to.limits)?;
            outermost.validate(&value)?;
            Ok(value)
        });
        let mut values: Vec<_> = taken.collect();
        for (at, codec) in self.codecs.iter().enumerate() {
            let step = self.step(at);
            let given = values.into_iter().zip(&to);
            let given = given.map(|(value, to)| Ok((value?, Writing { step, ..*to })));
            values = with_the_good(given.collect(), |values| codec.encode_many(values));
        }
        values
    }

    /// What a client gets for what is stored: the whole chain.
    pub fn read(&self, stored: Value, from: &Reading<'_>) -> Result<Given, CodecError> {
        let value = self.decode(stored, from)?;
        self.outermost()?.give(value, &from.manner, from)
    }

    /// As [`read`](Self::read), for what the server gives for the column in several rows; each has
    /// an outcome of its own, in order.
    pub fn read_many(
        &self,
        columns: Vec<Bytes>,
        from: &Reading<'_>,
    ) -> Vec<Result<Given, CodecError>> {
        let stored = columns.into_iter();
        let mut values: Vec<_> = stored.map(|c| self.stored(c, &from.limits)).collect();
        for (at, codec) in self.codecs.iter().enumerate().rev() {
            let step = self.step(at);
            let from = Reading { step, ..*from };
            let taken = values.into_iter();
            let taken = taken
                .map(|value| taken_by(&**codec, value?, &from.limits))
                .collect();
            values = with_the_good(taken, |values| codec.decode_many(values, &from));
        }
        let give = |value| self.outermost()?.give(value?, &from.manner, from);
        values.into_iter().map(give).collect()
    }

    /// From the outermost codec inwards, to the value of the column.
    pub fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError> {
        self.outermost()?.validate(&value)?;
        let mut steps = self.codecs.iter().enumerate();
        steps.try_fold(value, |value, (at, codec)| {
            let step = self.step(at);
            codec.encode(value, &Writing { step, ..*to })
        })
    }

    /// From the innermost codec outwards, from the value of the column.
    pub fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError> {
        let mut steps = self.codecs.iter().enumerate().rev();
        steps.try_fold(stored, |value, (at, codec)| {
            let step = self.step(at);
            let value = taken_by(&**codec, value, &from.limits)?;
            codec.decode(value, &Reading { step, ..*from })
        })
    }

    /// The innermost codec's value, by what the server gives for the column.
    pub fn stored(&self, column: Bytes, limits: &ValueLimits) -> Result<Value, CodecError> {
        match self.dtype {
            Dtype::Bytes => Ok(Value::Bytes(column)),
            Dtype::Json if self.addressing() == Addressing::Inner => {
                metadata::loads_within(&column, limits)
            }
            Dtype::Json if column.len() > Pointer::MAX_LEN => {
                let text = "the column's metadata is longer than 65536 bytes";
                Err(CodecError::Corrupt(text.to_owned()))
            }
            Dtype::Json => metadata::loads(&column),
            Dtype::Other(_) => match String::from_utf8(column.into()) {
                Ok(text) => Ok(self.dtype.of_text(text)),
                Err(_) => {
                    let text = "the column's text is not UTF-8; SET NAMES utf8mb4";
                    Err(CodecError::Corrupt(text.to_owned()))
                }
            },
        }
    }

    /// Whether DataJoint's own garbage collector does not see which objects the column keeps:
    /// it knows `<hash>`, `<blob>`, `<attach>` and schema-addressed codecs by their own names
    /// only, and takes the objects of a codec that chains to one of them for orphans.
    pub fn is_unknown_to_gc(&self) -> bool {
        let Some(outermost) = self.codecs.first() else {
            return false;
        };
        match self.addressing() {
            Addressing::Hash => !["hash", "blob", "attach"].contains(&outermost.name()),
            Addressing::Schema => outermost.addressing() != Addressing::Schema,
            Addressing::Inner | Addressing::Reference => false,
        }
    }

    /// The names of the codecs, outermost first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.codecs.iter().map(|codec| codec.name())
    }

    /// The name of the codec that clients deal with.
    pub fn outermost_name(&self) -> Option<&str> {
        self.names().next()
    }

    fn step(&self, at: usize) -> Step<'_> {
        Step {
            is_outermost: at == 0,
            next: match self.codecs.get(at + 1) {
                Some(next) => Next::Codec(next.name()),
                None => Next::Column(&self.dtype),
            },
        }
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

/// What another codec of the chain has decoded, as this one takes it.
fn taken_by(codec: &dyn Codec, value: Value, limits: &ValueLimits) -> Result<Value, CodecError> {
    match value {
        Value::Packed(packed) if !codec.takes_packed() => blob::unpack(&packed, limits),
        value => Ok(value),
    }
}

/// What `work` makes of the values that are there, in the places of those.
pub(crate) fn with_the_good<T, U>(
    values: Vec<Result<T, CodecError>>,
    work: impl FnOnce(Vec<T>) -> Vec<Result<U, CodecError>>,
) -> Vec<Result<U, CodecError>> {
    let mut good = Vec::with_capacity(values.len());
    let mut places = Vec::with_capacity(values.len());
    for value in values {
        places.push(value.map(|value| good.push(value)));
    }
    let mut done = work(good).into_iter();
    let missing = || Err(CodecError::Corrupt("a codec has lost a value".to_owned()));
    let fill = |place: Result<(), _>| place.and_then(|()| done.next().unwrap_or_else(missing));
    places.into_iter().map(fill).collect()
}

#[cfg(test)]
mod tests;
