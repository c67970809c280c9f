//! Names for hash-addressed objects that are about to be written.

use super::error::{ErrorKind, Fault};
use crate::codec::{Layout, ObjectPath, PathError, hash};

/// How the objects of one schema are named in one store.
#[derive(Debug, Clone)]
pub(super) struct Naming {
    /// Where all of them lie.
    pub section: ObjectPath,
    prefix: Option<ObjectPath>,
    schema: String,
    subfolding: Vec<usize>,
}

/// What an object is called.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub hash: String,
    pub path: ObjectPath,
}

impl Naming {
    pub(super) fn new(layout: &Layout, schema: &str) -> Result<Self, Fault> {
        Ok(Self {
            section: section(layout, schema)?,
            prefix: layout.hash_prefix.clone(),
            schema: schema.to_owned(),
            subfolding: layout.subfolding.clone(),
        })
    }

    /// The name of the object with this MD5.
    pub(super) fn name(&self, md5: [u8; 16]) -> Result<Named, Fault> {
        let hash = hash::name_of(md5);
        let path = hash::path(self.prefix.as_ref(), &self.schema, &self.subfolding, &hash)
            .map_err(|error| no_folder(&self.schema, error))?;
        Ok(Named { hash, path })
    }
}

/// Where the hash-addressed objects of a schema lie.
fn section(layout: &Layout, schema: &str) -> Result<ObjectPath, Fault> {
    hash::section(layout.hash_prefix.as_ref(), schema).map_err(|error| no_folder(schema, error))
}

fn no_folder(schema: &str, error: PathError) -> Fault {
    let cause = format!("schema '{schema}' cannot be a folder of the store: {error}");
    Fault::new(ErrorKind::Failed, cause)
}
