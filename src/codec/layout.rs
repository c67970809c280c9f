//! How the paths of a store are made (`stores.<name>` in DataJoint's settings).

use super::ObjectPath;

/// How the paths of a store are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Section of hash-addressed objects; `None` is the root.
    pub hash_prefix: Option<ObjectPath>,
    /// Section of schema-addressed objects; `None` is the root.
    pub schema_prefix: Option<ObjectPath>,
    /// Section that `<filepath@>` is confined to, if it is.
    pub filepath_prefix: Option<ObjectPath>,
    /// Lengths of the folder names cut from the front of a hash; empty is flat.
    pub subfolding: Vec<usize>,
    /// `{attribute}` placeholders for schema-addressed paths.
    pub partition_pattern: Option<String>,
    /// Length of the random token, 4 to 16.
    pub token_length: usize,
}
