//! What a codec is told and given besides the value: where the value lives, and the stores.
//!
//! Stores are reached through [`Backend`], which the store room implements. Its calls block,
//! so codecs that use it run on threads that may.

use std::sync::Arc;

use bytes::Bytes;

use super::section::{self, Section};
use super::{BackendError, CodecError, Dtype, Layout, ObjectPath, Pointer, Value, ValueLimits};

/// The column that a value is written to or read from.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// Database.
    pub schema: &'a str,
    /// Table, with DataJoint's tier prefix.
    pub table: &'a str,
    /// Column.
    pub column: &'a str,
}

/// Values of the primary key, in the order of the table's columns, as the Python types that
/// DataJoint would see. Complete wherever the chain [needs it](super::Chain::needs_key).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Key {
    /// Column names and values.
    pub columns: Vec<(String, Value)>,
}

/// Where in its chain a codec stands when it is called.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Whether it is the one that clients deal with.
    pub is_outermost: bool,
    /// What it hands to and takes from.
    pub next: Next<'a>,
}

/// What a codec hands its result to, and takes what is stored from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<'a> {
    /// The codec of this name.
    Codec(&'a str),
    /// The column.
    Column(&'a Dtype),
}

impl Default for Step<'_> {
    fn default() -> Self {
        Self {
            is_outermost: true,
            next: Next::Column(&Dtype::Bytes),
        }
    }
}

/// What `encode` is given.
#[derive(Clone, Copy)]
pub struct Writing<'a> {
    /// Where the value goes.
    pub site: Site<'a>,
    /// The row it goes to.
    pub key: &'a Key,
    /// The store as the chain resolved it: `None` inline, empty for the default store.
    pub store: Option<&'a str>,
    /// The codec's place in the chain, which the chain fills in.
    pub step: Step<'a>,
    /// What the client wants.
    pub manner: super::Manner,
    /// All stores.
    pub backends: &'a dyn Backends,
    /// Bounds.
    pub limits: ValueLimits,
}

/// What `decode` is given.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// Where the value comes from.
    pub site: Site<'a>,
    /// The codec's place in the chain, which the chain fills in.
    pub step: Step<'a>,
    /// What the client wants.
    pub manner: super::Manner,
    /// All stores.
    pub backends: &'a dyn Backends,
    /// Further sections that pointers may name, from the configuration.
    pub also: &'a [ObjectPath],
    /// Bounds.
    pub limits: ValueLimits,
}

/// The configured stores.
pub trait Backends: Send + Sync {
    /// The store of that name; the default store for the empty name.
    fn backend(&self, store: &str) -> Result<Arc<dyn Backend>, BackendError>;

    /// The name of the store for a bare `<filepath@>`, if one is configured.
    fn filepath_default(&self) -> Option<String>;
}

/// One store. Every call blocks until the store has answered or given up.
pub trait Backend: Send + Sync {
    /// Its real name, as pointers are to carry it.
    fn name(&self) -> &str;

    /// How its paths are made.
    fn layout(&self) -> &Layout;

    /// Stores an object durably. An object of that path that exists already is an error.
    fn put(&self, path: &ObjectPath, content: Bytes) -> Result<(), BackendError>;

    /// Stores an object under its hash, durably, unless it is there already.
    fn put_hashed(&self, schema: &str, content: Bytes) -> Result<Pointer, BackendError>;

    /// Reads an object of at most `max` bytes.
    fn get(&self, path: &ObjectPath, max: u64) -> Result<Bytes, BackendError>;

    /// Stores many objects, each as [`put`](Self::put) does. The first error ends it: what has
    /// been begun by then is waited for, the rest is not begun.
    ///
    /// A store that answers slowly does better than this by asking side by side.
    fn put_all(&self, objects: Vec<(ObjectPath, Bytes)>) -> Result<(), BackendError> {
        objects
            .into_iter()
            .try_for_each(|(path, content)| self.put(&path, content))
    }

    /// Reads many objects, of at most `max` bytes all together, in the order of `paths`; for
    /// the first error and for slow stores as [`put_all`](Self::put_all).
    fn get_all(&self, paths: &[ObjectPath], max: u64) -> Result<Vec<Bytes>, BackendError> {
        let mut left = max;
        let read = |path| {
            let content = self.get(path, left)?;
            left -= content.len() as u64;
            Ok(content)
        };
        paths.iter().map(read).collect()
    }

    /// The size of an object in bytes; `None` if there is none of that path.
    fn size(&self, path: &ObjectPath) -> Result<Option<u64>, BackendError>;

    /// Makes durable what somebody else has put there; `false` if there is no object of that path.
    ///
    /// By default for a store in which an object is durable as soon as it is there.
    fn persist(&self, path: &ObjectPath) -> Result<bool, BackendError> {
        Ok(self.size(path)?.is_some())
    }

    /// The objects below `folder`, in the order of their paths, with their sizes; an error if
    /// there are more than `max`.
    fn list(&self, folder: &ObjectPath, max: usize)
    -> Result<Vec<(ObjectPath, u64)>, BackendError>;

    /// Whether there is an object below `folder`. A store that need not list all of them to
    /// know does better than this.
    fn has_folder(&self, folder: &ObjectPath) -> Result<bool, BackendError> {
        Ok(!self.list(folder, usize::MAX)?.is_empty())
    }
}

impl<'a> Writing<'a> {
    /// The store that the value goes to.
    pub fn backend(&self) -> Result<Arc<dyn Backend>, CodecError> {
        Ok(self.backends.backend(self.store.unwrap_or_default())?)
    }
}

impl<'a> Reading<'a> {
    /// The store that metadata names, once the path has been found to lie where this column's
    /// objects may lie. There is no other way to a store.
    pub fn backend(
        &self,
        store: &str,
        section: Section,
        path: &ObjectPath,
    ) -> Result<Arc<dyn Backend>, CodecError> {
        let backend = self.backends.backend(store)?;
        let layout = backend.layout();
        if section::allows(section, layout, self.site.schema, self.also, path) {
            return Ok(backend);
        }
        Err(CodecError::Corrupt(format!(
            "the pointer's path lies outside of what this column may read in store '{}'",
            backend.name()
        )))
    }
}
