//! What a codec is, and which there are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;

use super::client;
use super::{CodecError, Manner, ObjectRef, Reading, Value, ValueLimits, Writing};

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

    /// Whether a value may be encoded. Only the outermost codec of a chain is asked.
    fn validate(&self, value: &Value) -> Result<(), CodecError> {
        let _ = value;
        Ok(())
    }

    /// The value as the next step takes it. `None` values never come here.
    fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError>;

    /// The value as `encode` was given it.
    fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError>;

    /// The objects that a stored value (the metadata of a `json` column) keeps alive.
    fn referenced_paths(&self, stored: &Value) -> Vec<Reference> {
        let _ = stored;
        Vec::new()
    }

    /// The value that a client has sent, in its notation. By default a packed blob, which is
    /// not unpacked yet, or JSON.
    fn take(
        &self,
        sent: Bytes,
        manner: &Manner,
        limits: &ValueLimits,
    ) -> Result<Value, CodecError> {
        client::take(self.name(), sent, manner, limits)
    }

    /// What the client gets for a decoded value. By default a packed blob, or JSON.
    fn give(&self, value: Value, manner: &Manner, from: &Reading<'_>) -> Result<Given, CodecError> {
        client::give(value, manner, &from.limits)
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

/// A codec and where it is defined.
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

/// Why the registered codecs cannot be used. DataJoint's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Two codecs of one name.
    #[error("Codec <{name}> already registered by {first}; {second} registers it again")]
    Duplicate {
        /// The name.
        name: String,
        /// Where it is defined.
        first: &'static str,
        /// Where else.
        second: &'static str,
    },
    /// A codec without a name.
    #[error("Codec name must be a non-empty string, got '' in {0}")]
    Empty(&'static str),
}

/// Checks that all registered codecs have names of their own; called when the program starts.
pub fn check() -> Result<(), RegistryError> {
    collect(inventory::iter::<Registration>()).map(drop)
}

/// All registered codecs, by name.
pub fn codecs() -> impl Iterator<Item = &'static Registration> {
    CODECS.values().copied()
}

/// The codec of this name.
pub fn find(name: &str) -> Option<&'static dyn Codec> {
    CODECS.get(name).map(|registration| registration.codec)
}

static CODECS: LazyLock<BTreeMap<&'static str, &'static Registration>> = LazyLock::new(|| {
    // `check` has the error; without it the program does not start.
    collect(inventory::iter::<Registration>()).unwrap_or_default()
});

fn collect(
    registrations: impl IntoIterator<Item = &'static Registration>,
) -> Result<BTreeMap<&'static str, &'static Registration>, RegistryError> {
    let mut codecs = BTreeMap::new();
    for registration in registrations {
        let name = registration.codec.name();
        if name.is_empty() {
            return Err(RegistryError::Empty(registration.origin));
        }
        if let Some(first) = codecs.insert(name, registration) {
            let first: &Registration = first;
            let mut origins = [first.origin, registration.origin];
            origins.sort_unstable();
            return Err(RegistryError::Duplicate {
                name: name.to_owned(),
                first: origins[0],
                second: origins[1],
            });
        }
    }
    Ok(codecs)
}

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

    fn error(registrations: &[&'static Registration]) -> String {
        let found = collect(registrations.iter().copied());
        found.map(|codecs| codecs.len()).unwrap_err().to_string()
    }

    #[test]
    fn a_name_is_taken_once_and_the_error_names_both_places() {
        let text = "Codec <graph> already registered by camera::graph; lab::graph registers it \
                    again";
        // The linker says in which order they come.
        assert_eq!(error(&[&ONE, &OTHER]), text);
        assert_eq!(error(&[&OTHER, &ONE]), text);
        assert_eq!(collect([&ONE]).unwrap().len(), 1);
    }

    #[test]
    fn a_codec_has_a_name() {
        assert_eq!(
            error(&[&ONE, &NAMELESS]),
            "Codec name must be a non-empty string, got '' in lab::nameless"
        );
    }

    #[test]
    fn the_codecs_of_datajoint_are_there() {
        check().unwrap();
        let names: Vec<_> = codecs()
            .map(|registration| registration.codec.name())
            .collect();
        let built_in = ["attach", "blob", "filepath", "hash", "npy", "object"];
        for name in built_in {
            assert!(names.contains(&name), "{name}");
            let origin = format!("codec_proxy::codec::builtin::{name}");
            assert!(codecs().any(|registration| registration.origin == origin));
        }
        assert!(names.is_sorted());
    }
}
