//! What a codec is, and which there are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwap;
use bytes::Bytes;

use super::late::{self, Late};
use super::{
    ChainError, CodecError, Manner, ObjectRef, Reading, TypeSpec, Value, ValueLimits, Writing,
    blob, client,
};

/// One step of a chain: the Codec API of DataJoint, and how clients write and read its values.
///
/// `encode` and `decode` may block; they run on threads that may.
pub trait Codec: Send + Sync + 'static {
    /// The name in type specs: `blob` for `<blob@main>`.
    fn name(&self) -> &str;

    /// What the codec hands its result to, with (`is_store`) or without a store: a core type
    /// such as `bytes` or `json`, or another codec's spec such as `<hash>`. DataJoint's
    /// `get_dtype`.
    fn dtype(&self, is_store: bool) -> Result<Cow<'static, str>, CodecError>;

    /// How its objects are named, where it names any itself.
    fn addressing(&self) -> Addressing {
        Addressing::Inner
    }

    /// Whether `encode` must know the whole primary key of the row.
    fn needs_key(&self) -> bool {
        self.addressing() == Addressing::Schema
    }

    /// Whether `encode` looks at the primary key of the row at all. One that does not need the
    /// whole of it is given what the statement has.
    fn uses_key(&self) -> bool {
        self.needs_key()
    }

    /// Whether a value may be encoded. Only the outermost codec of a chain is asked.
    fn validate(&self, value: &Value) -> Result<(), CodecError> {
        let _ = value;
        Ok(())
    }

    /// The value as the next step takes it. `None` values never come here.
    fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError>;

    /// The value as `encode` was given it.
    fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError>;

    /// As [`encode`](Self::encode) for several values of one column; each has an outcome of its own,
    /// in order. Worth writing for a codec that takes longer to call than to encode.
    fn encode_many(&self, values: Vec<(Value, Writing<'_>)>) -> Vec<Result<Value, CodecError>> {
        let values = values.into_iter();
        values.map(|(value, to)| self.encode(value, &to)).collect()
    }

    /// As [`decode`](Self::decode) for several values of one column; each has an outcome of its own,
    /// in order. Worth writing for a codec that takes longer to call than to decode.
    fn decode_many(
        &self,
        stored: Vec<Value>,
        from: &Reading<'_>,
    ) -> Vec<Result<Value, CodecError>> {
        let values = stored.into_iter();
        values.map(|value| self.decode(value, from)).collect()
    }

    /// The objects that a stored value (the metadata of a `json` column) keeps alive.
    fn referenced_paths(&self, stored: &Value) -> Vec<Reference> {
        let _ = stored;
        Vec::new()
    }

    /// The value that a client has sent, in its notation. By default a packed blob (which is
    /// unpacked, unless the codec [takes it packed](Self::takes_packed)), or JSON.
    fn take(
        &self,
        sent: Bytes,
        manner: &Manner,
        limits: &ValueLimits,
    ) -> Result<Value, CodecError> {
        let value = client::take(self.name(), sent, manner, limits)?;
        match value {
            Value::Packed(packed) if !self.takes_packed() => blob::unpack(&packed, limits),
            value => Ok(value),
        }
    }

    /// What the client gets for a decoded value. By default a packed blob, or JSON.
    fn give(&self, value: Value, manner: &Manner, from: &Reading<'_>) -> Result<Given, CodecError> {
        client::give(value, manner, &from.limits)
    }

    /// Whether `encode` and `decode` may be given a [`Value::Packed`]: what a client or a
    /// `<blob>` has packed, before anybody has looked into it.
    fn takes_packed(&self) -> bool {
        false
    }

    /// Whether, in the bytes notation, a client sends and gets exactly what the next step of
    /// the chain stores: then values pass through this codec without being looked into.
    fn is_transparent(&self) -> bool {
        false
    }

    /// Whether, in the bytes notation, its values are text and not binary.
    fn is_text(&self) -> bool {
        false
    }

    /// For a transparent codec: whether a value that begins with `head` is one that it takes;
    /// the error says what it takes instead. `head` has [`HEAD_LEN`](super::HEAD_LEN) bytes, or
    /// the whole value.
    fn validate_head(&self, head: &[u8]) -> Result<(), CodecError> {
        let _ = head;
        Ok(())
    }
}

/// How a codec names its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// It has none of its own; the codec it chains to may have.
    Inner,
    /// By the hash of their content.
    Hash,
    /// By schema, table, primary key and column.
    Schema,
    /// Others name and manage them.
    Reference,
}

/// An object that a stored value names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The store; empty for the default store.
    pub store: String,
    /// The object, or the folder of a directory.
    pub path: String,
}

/// What a client gets for a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// These bytes.
    Bytes(Bytes),
    /// The content of a file in a store, as it is.
    Object(ObjectRef),
}

/// A codec of this process or of a package that it was built with, as [`register_codec!`] leaves
/// it for the linker to collect.
///
/// [`register_codec!`]: crate::register_codec
pub struct Registration {
    /// The codec.
    pub codec: &'static dyn Codec,
    /// Module path, for messages and listings.
    pub origin: &'static str,
}

inventory::collect!(Registration);

/// Makes a codec known, where it is defined: `register_codec!(Blob);`
#[macro_export]
macro_rules! register_codec {
    ($codec:expr) => {
        $crate::codec::inventory::submit! {
            $crate::codec::Registration {
                codec: &$codec,
                origin: module_path!(),
            }
        }
    };
}

/// A codec, wherever it lives: in the program, or made from the configuration.
#[derive(Clone)]
pub enum Handle {
    /// Part of the program.
    Static(&'static dyn Codec),
    /// Made while it runs.
    Shared(Arc<dyn Codec>),
}

impl Deref for Handle {
    type Target = dyn Codec;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Static(codec) => *codec,
            Self::Shared(codec) => &**codec,
        }
    }
}

/// Names are unique in a registry. A codec that a reload has replaced is still the same codec to
/// a statement that knows both.
impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Handle {}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.name())
    }
}

/// A codec and where it is defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The codec.
    pub codec: Handle,
    /// Module path, or what else tells a person where it comes from.
    pub origin: String,
}

impl From<&Registration> for Entry {
    fn from(registration: &Registration) -> Self {
        Self {
            codec: Handle::Static(registration.codec),
            origin: registration.origin.to_owned(),
        }
    }
}

/// Why the registered codecs cannot be used. DataJoint's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Two codecs of one name.
    #[error("Codec <{name}> already registered by {first}; {second} registers it again")]
    Duplicate {
        /// The name.
        name: String,
        /// Where it is defined.
        first: String,
        /// Where else.
        second: String,
    },
    /// A codec without a name.
    #[error("Codec name must be a non-empty string, got '' in {0}")]
    Empty(String),
}

/// Codecs by name.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    codecs: BTreeMap<String, Entry>,
    late: Option<Arc<Late>>,
}

impl Registry {
    /// Those of the program, and `added` ones.
    pub fn with(added: impl IntoIterator<Item = Entry>) -> Result<Self, RegistryError> {
        let own = inventory::iter::<Registration>().map(Entry::from);
        Self::collect(own.chain(added))
    }

    fn collect(entries: impl IntoIterator<Item = Entry>) -> Result<Self, RegistryError> {
        let mut codecs = BTreeMap::new();
        for entry in entries {
            let name = entry.codec.name().to_owned();
            if name.is_empty() {
                return Err(RegistryError::Empty(entry.origin));
            }
            let again = entry.origin.clone();
            if let Some(first) = codecs.insert(name.clone(), entry) {
                let mut origins = [first.origin, again];
                origins.sort_unstable();
                let [first, second] = origins;
                return Err(RegistryError::Duplicate {
                    name,
                    first,
                    second,
                });
            }
        }
        Ok(Self { codecs, late: None })
    }

    /// The codec of this name, as far as codecs are known.
    pub fn find(&self, name: &str) -> Option<&Handle> {
        let own = self.codecs.get(name);
        let entry = own.or_else(|| self.found()?.get(name));
        entry.map(|entry| &entry.codec)
    }

    /// All codecs that are known, by name.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        let late = self.found().into_iter().flatten();
        let all: BTreeMap<_, _> = late.chain(&self.codecs).collect();
        all.into_values()
    }

    /// The same codecs, and those that `late` finds; these do not replace any.
    pub fn and_late(&self, late: Option<Arc<Late>>) -> Self {
        Self {
            codecs: self.codecs.clone(),
            late,
        }
    }

    /// What may find more codecs, if it has not done so.
    pub fn not_found(&self) -> Option<Arc<Late>> {
        self.late.clone().filter(|late| late.found().is_none())
    }

    fn found(&self) -> Option<&BTreeMap<String, Entry>> {
        self.late.as_ref()?.found()
    }
}

/// Checks that all codecs of the program have names of their own; called when it starts.
pub fn check() -> Result<(), RegistryError> {
    Registry::with([]).map(drop)
}

/// The codecs of this process.
pub fn current() -> Arc<Registry> {
    CURRENT.load_full()
}

/// The codec of a name, with or without its brackets and its store: DataJoint's `get_codec`.
pub fn codec(name: &str) -> Result<Handle, ChainError> {
    let name = TypeSpec::parse(name).map_or(name.to_owned(), |spec| spec.codec);
    let codec = current().find(&name).cloned();
    codec.ok_or(ChainError::Unknown(name))
}

/// Has the process know `added` codecs besides those of the program, and no others that it was
/// told of before. Chains that are resolved already keep the codecs they have.
pub fn install(added: impl IntoIterator<Item = Entry>) -> Result<(), RegistryError> {
    let registry = Registry::with(added)?;
    CURRENT.rcu(|now| registry.and_late(now.late.clone()));
    late::changed();
    Ok(())
}

/// Has the process look for codecs with `late` once one is asked for that it does not know.
pub fn install_late(late: Option<Arc<Late>>) {
    CURRENT.rcu(|now| now.and_late(late.clone()));
    late::changed();
}

static CURRENT: LazyLock<ArcSwap<Registry>> = LazyLock::new(|| {
    // `check` has the error; without it the program does not start.
    ArcSwap::from_pointee(Registry::with([]).unwrap_or_default())
});

#[cfg(test)]
mod tests {
    use super::*;

    struct Named(&'static str);

    impl Codec for Named {
        fn name(&self) -> &str {
            self.0
        }

        fn dtype(&self, _is_store: bool) -> Result<Cow<'static, str>, CodecError> {
            Ok("bytes".into())
        }

        fn encode(&self, value: Value, _to: &Writing<'_>) -> Result<Value, CodecError> {
            Ok(value)
        }

        fn decode(&self, stored: Value, _from: &Reading<'_>) -> Result<Value, CodecError> {
            Ok(stored)
        }
    }

    static ONE: Registration = Registration {
        codec: &Named("graph"),
        origin: "lab::graph",
    };
    static OTHER: Registration = Registration {
        codec: &Named("graph"),
        origin: "camera::graph",
    };
    static NAMELESS: Registration = Registration {
        codec: &Named(""),
        origin: "lab::nameless",
    };

    fn collect(registrations: &[&'static Registration]) -> Result<Registry, RegistryError> {
        Registry::collect(registrations.iter().copied().map(Entry::from))
    }

    fn error(registrations: &[&'static Registration]) -> String {
        collect(registrations).unwrap_err().to_string()
    }

    #[test]
    fn a_name_is_taken_once_and_the_error_names_both_places() {
        let text = "Codec <graph> already registered by camera::graph; lab::graph registers it \
                    again";
        // The linker says in which order they come.
        assert_eq!(error(&[&ONE, &OTHER]), text);
        assert_eq!(error(&[&OTHER, &ONE]), text);
        assert_eq!(collect(&[&ONE]).unwrap().entries().count(), 1);
    }

    #[test]
    fn a_codec_has_a_name() {
        assert_eq!(
            error(&[&ONE, &NAMELESS]),
            "Codec name must be a non-empty string, got '' in lab::nameless"
        );
    }

    #[test]
    fn codecs_are_added_to_those_of_the_program() {
        let added = |name| Entry {
            codec: Handle::Shared(Arc::new(Named(name))),
            origin: "[codecs]".to_owned(),
        };
        let registry = Registry::with([added("graph")]).unwrap();
        assert_eq!(registry.find("graph").unwrap().name(), "graph");
        assert!(registry.find("blob").is_some() && registry.find("model").is_none());
        assert_eq!(
            Registry::with([added("blob")]).unwrap_err().to_string(),
            "Codec <blob> already registered by [codecs]; codec_proxy::codec::builtin::blob \
             registers it again"
        );
    }

    #[test]
    fn a_codec_is_found_with_or_without_brackets() {
        for name in ["blob", "<blob>", "<blob@main>", "<blob@>"] {
            assert_eq!(codec(name).unwrap().name(), "blob");
        }
        let unknown = ChainError::Unknown("graph".to_owned());
        assert_eq!(codec("<graph@main>").unwrap_err(), unknown);
    }

    #[test]
    fn the_codecs_of_datajoint_are_there() {
        check().unwrap();
        let registry = current();
        let names: Vec<_> = registry.entries().map(|entry| entry.codec.name()).collect();
        let built_in = ["attach", "blob", "filepath", "hash", "npy", "object"];
        for name in built_in {
            assert!(names.contains(&name), "{name}");
            let origin = format!("codec_proxy::codec::builtin::{name}");
            assert!(registry.entries().any(|entry| entry.origin == origin));
        }
        assert!(names.is_sorted());
    }
}
