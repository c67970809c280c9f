//! The codecs: type specs, chains, the values they carry, and the formats of what is stored.
//!
//! A codec is one file that implements [`Codec`] and registers itself; what a column's type
//! spec comes to is its [`Chain`]. Codecs know no sockets, no SQL and no store but what
//! [`Backend`] says of one. How to write one of your own: `examples/README.md`.
//!
//! - What a codec is: `registry` (the trait, and all that are registered), `late` (those that are
//!   looked for once one is asked for), `context` (what it is
//!   given besides the value), `manner` (what the client wants), `limits`, `error`.
//! - Which codecs a column has: `comment`, `type_spec`, `chain`, `dtype`.
//! - The codecs: `builtin`, those that the configuration defines: `configured`, what they share
//!   towards clients: `client`, and what a codec with files of its own is made with: `schema_codec`.
//! - What they work on: `value`.
//! - How values are written: `blob` (packed bytes), `json` (for people), `npy_file`, `directory`
//!   (a tar archive, a list of files), `metadata` (the text of `json` columns), `timestamp`.
//! - Where objects lie: `path`, `layout` (how a store is divided), `hash` and `schema_path` (the
//!   two ways to name an object), `pointer`, `section` (who may read what).

pub mod blob;
mod builtin;
pub(crate) mod chain;
mod client;
pub mod comment;
pub mod configured;
mod context;
mod directory;
mod dtype;
mod error;
pub mod hash;
pub mod json;
pub mod late;
mod layout;
mod limits;
mod manner;
pub mod metadata;
/// Public for the fuzz targets.
#[doc(hidden)]
pub mod npy_file;
mod path;
mod pointer;
pub mod registry;
mod schema_codec;
pub mod schema_path;
pub mod section;
#[cfg(test)]
pub(crate) mod testing;
mod timestamp;
mod type_spec;
pub mod value;

pub(crate) use builtin::object_files;
pub use chain::{Chain, ChainError, HEAD_LEN};
pub use context::{Backend, Backends, Key, Next, Reading, Site, Step, Writing};
pub use dtype::{Dtype, Stored};
pub use error::{BackendError, CodecError};
/// For [`register_codec!`](crate::register_codec).
#[doc(hidden)]
pub use inventory;
pub use layout::Layout;
pub use limits::ValueLimits;
pub use manner::{Manner, Notation, NpyForm, ObjectForm};
pub use path::{ObjectPath, PathError};
pub use pointer::{Pointer, PointerError};
pub use registry::{Addressing, Codec, Given, Reference, Registration, Registry};
pub use schema_codec::{File, FileFormat, SchemaCodec};
pub use type_spec::TypeSpec;
pub use value::{ObjectRef, Value};
