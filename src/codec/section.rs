//! Where in a store the objects of a column may lie.
//!
//! Whoever may write the `stored` view can plant any pointer, so a pointer's path is held
//! against the column that it is read from before the store is asked for anything.

use super::{Layout, ObjectPath, hash, schema_path};

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
///
/// A section whose prefix is empty is the root of the store; then it is all that lies in none
/// of the other sections.
pub fn allows(
    section: Section,
    layout: &Layout,
    schema: &str,
    also: &[ObjectPath],
    path: &ObjectPath,
) -> bool {
    let lies_in =
        |prefix: &Option<ObjectPath>| prefix.as_ref().is_some_and(|prefix| path.lies_in(prefix));
    let own = match section {
        Section::Hash => {
            !lies_in(&layout.schema_prefix)
                && !lies_in(&layout.filepath_prefix)
                && hash::section(layout.hash_prefix.as_ref(), schema)
                    .is_ok_and(|section| is_below(path, &section))
        }
        Section::Schema => {
            !lies_in(&layout.hash_prefix)
                && !lies_in(&layout.filepath_prefix)
                && is_schemas_own(layout, schema, path)
        }
        Section::Other => is_free(layout, path),
    };
    own || also.iter().any(|section| path.lies_in(section))
}

/// Whether `path` is an object of `schema`: its first folder below the prefix that is no
/// `name=value` of a partition is the schema.
///
/// DataJoint before 2.3.1 knew no prefix and wrote to the root; such objects stay readable.
fn is_schemas_own(layout: &Layout, schema: &str, path: &ObjectPath) -> bool {
    let text = path.as_str();
    let below_prefix = layout.schema_prefix.as_ref().and_then(|prefix| {
        let rest = text.strip_prefix(prefix.as_str())?;
        rest.strip_prefix('/').or(rest.is_empty().then_some(""))
    });
    let mut folders = below_prefix
        .unwrap_or(text)
        .split('/')
        .skip_while(|folder| {
            folder
                .split_once('=')
                .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(schema_path::is_word))
        });
    // The schema, and at least a table in it.
    folders.next() == Some(schema) && folders.next().is_some()
}

/// Whether `path` is in no section that codecs manage, whatever the schema, and neither is
/// anything below it.
///
/// In a store that has such a section at its root, nothing tells a file that others manage
/// from an object, so there it must lie below `filepath_prefix`.
pub fn is_free(layout: &Layout, path: &ObjectPath) -> bool {
    if let Some(prefix) = &layout.filepath_prefix {
        return is_below(path, prefix);
    }
    [&layout.hash_prefix, &layout.schema_prefix]
        .into_iter()
        .all(|prefix| {
            let prefix = prefix.as_ref();
            prefix.is_some_and(|prefix| !path.lies_in(prefix) && !prefix.lies_in(path))
        })
}

fn is_below(path: &ObjectPath, section: &ObjectPath) -> bool {
    path.lies_in(section) && path != section
}

#[cfg(test)]
mod tests {
    use super::Section::{Hash, Other, Schema};
    use super::*;
    use crate::codec::testing::{layout, path};

    fn check(layout: &Layout, section: Section, schema: &str, cases: &[(&str, bool)]) {
        for (text, expected) in cases {
            let found = allows(section, layout, schema, &[], &path(text));
            assert_eq!(found, *expected, "{section:?} of {schema}: {text}");
        }
    }

    #[test]
    fn hash_addressed_objects_are_the_schemas_own() {
        check(
            &layout(),
            Hash,
            "lab",
            &[
                ("_hash/lab/abc", true),
                ("_hash/lab/a/b/abc", true),
                ("_hash/lab", false),
                ("_hash/lab2/abc", false),
                ("_hash/other/abc", false),
                ("_schema/lab/abc", false),
                ("lab/abc", false),
                ("raw/abc", false),
            ],
        );
    }

    #[test]
    fn schema_addressed_objects_are_the_schemas_own() {
        check(
            &layout(),
            Schema,
            "lab",
            &[
                ("_schema/lab/scan/id=1/data_x", true),
                ("_schema/lab/scan/data_x", true),
                ("_schema/a=1/b=x%2Fy/lab/scan/data_x", true),
                ("_schema/a==/lab/scan/data_x", true),
                ("lab/scan/id=1/data_x", true),
                ("a=1/lab/scan/data_x", true),
                ("_schema", false),
                ("_schema/lab", false),
                ("_schema/lab2/scan/data_x", false),
                ("_schema/other/lab/scan/data_x", false),
                ("_schema/other/scan/lab/data_x", false),
                ("_schema/a=1/other/lab/data_x", false),
                ("_schema/=1/lab/scan/data_x", false),
                ("_schema/a b=1/lab/scan/data_x", false),
                ("_schema2/lab/scan/data_x", false),
                ("_hash/lab/abc", false),
                ("other/scan/data_x", false),
                ("raw/lab/scan/data_x", false),
            ],
        );
    }

    #[test]
    fn a_schema_that_is_called_as_a_section_reads_no_other() {
        for name in ["_hash", "_schema", "_files"] {
            let mut layout = layout();
            layout.filepath_prefix = Some(path("_files"));
            let planted = format!("{name}/other/scan/data_x");
            check(&layout, Schema, name, &[(&planted, false)]);
            layout.hash_prefix = None;
            if name != "_hash" {
                check(&layout, Hash, name, &[(&planted, false)]);
            }
        }
        let mut layout = layout();
        layout.hash_prefix = Some(path("lab/hash"));
        check(
            &layout,
            Schema,
            "lab",
            &[("lab/hash/other/abc", false), ("lab/scan/data_x", true)],
        );
    }

    #[test]
    fn sections_at_the_root() {
        let mut layout = layout();
        layout.hash_prefix = None;
        check(
            &layout,
            Hash,
            "lab",
            &[
                ("lab/abc", true),
                ("lab/ab/cd/abc", true),
                ("other/abc", false),
                ("_schema/lab/abc", false),
            ],
        );
        check(
            &layout,
            Other,
            "lab",
            &[("lab/abc", false), ("raw/abc", false)],
        );
        layout.filepath_prefix = Some(path("raw"));
        check(
            &layout,
            Other,
            "lab",
            &[("lab/abc", false), ("raw/abc", true), ("raw", false)],
        );
        layout.schema_prefix = None;
        check(
            &layout,
            Schema,
            "lab",
            &[
                ("lab/scan/data_x", true),
                ("a=1/lab/scan/data_x", true),
                ("other/scan/data_x", false),
                ("_schema/lab/scan/data_x", false),
            ],
        );
    }

    #[test]
    fn files_of_others_are_in_no_section_of_any_schema() {
        check(
            &layout(),
            Other,
            "lab",
            &[
                ("raw/a.bin", true),
                ("_hash2/a.bin", true),
                ("lab/a.bin", true),
                ("_hash", false),
                ("_hash/lab/abc", false),
                ("_hash/other/abc", false),
                ("_schema/lab/scan/data_x", false),
                ("_schema/other/scan/data_x", false),
            ],
        );
        let mut deep = layout();
        deep.hash_prefix = Some(path("dj/hash"));
        // A folder that holds the section is no file of others either.
        check(&deep, Other, "lab", &[("dj", false), ("dj/raw", true)]);
        deep.filepath_prefix = Some(path("raw"));
        check(
            &deep,
            Other,
            "lab",
            &[("raw/a", true), ("raw2/a", false), ("dj/raw", false)],
        );
    }

    #[test]
    fn the_configuration_opens_further_sections() {
        let also = [path("_hash/old_lab"), path("legacy")];
        for (text, expected) in [
            ("_hash/old_lab/abc", true),
            ("legacy/x", true),
            ("_hash/old_lab2/abc", false),
            ("_hash/other/abc", false),
        ] {
            for section in [Hash, Schema, Other] {
                let found = allows(section, &layout(), "lab", &also, &path(text));
                assert_eq!(found, expected, "{section:?}: {text}");
            }
        }
    }
}
