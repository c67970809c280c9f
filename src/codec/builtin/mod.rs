//! The codecs that DataJoint brings, one file each. Each registers itself.

mod attach;
mod blob;
mod filepath;
mod hash;
mod npy;
mod object;

#[cfg(test)]
mod tests;

pub(crate) use object::files as object_files;

use std::borrow::Cow;

use super::{ChainError, CodecError};

/// The dtype of a codec whose values are in a store, with metadata in a `json` column;
/// `otherwise` is what DataJoint says of one without a store.
fn json_in_store(is_store: bool, otherwise: &str) -> Result<Cow<'static, str>, CodecError> {
    match is_store {
        true => Ok("json".into()),
        false => Err(ChainError::RequiresStore(otherwise.to_owned()).into()),
    }
}
