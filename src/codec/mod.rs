//! The codecs: type specs, chains, and the formats of what is stored.
//!
//! A codec is one file that implements [`registry::Codec`]; what a column's type spec comes
//! to is its [`Chain`].

mod blob;
mod chain;
pub mod comment;
pub mod hash;
mod path;
mod pointer;
mod registry;
mod type_spec;

pub use chain::{Chain, ChainError, Dtype, HEAD_LEN};
pub use path::{ObjectPath, PathError};
pub use pointer::{Pointer, PointerError};
pub use type_spec::TypeSpec;
