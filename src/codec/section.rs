//! Where in a store the objects of a column may lie.
//!
//! Whoever may write the `stored` view can plant any pointer, so a pointer's path is held
//! against the column that it is read from before the store is asked for anything.

use super::{Layout, ObjectPath, hash};

/// The part of a store that a codec uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Objects named by their hash, a folder for each schema.
    Hash,
    /// Objects named by their place in the database.
    Schema,
    /// Everything that is in neither of the two: files that others manage.
    Other,
}

/// Whether a column of `schema` may read `path`: it lies in the schema's own part of the
/// section, or in one of `also`.
pub fn allows(
    section: Section,
    layout: &Layout,
    schema: &str,
    also: &[ObjectPath],
    path: &ObjectPath,
) -> bool {
    let own = match section {
        Section::Hash => hash::section(layout.hash_prefix.as_ref(), schema)
            .is_ok_and(|section| path.lies_in(&section)),
        Section::Schema => false,
        Section::Other => false,
    };
    own || also.iter().any(|section| path.lies_in(section))
}
