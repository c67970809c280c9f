//! How the paths of a store are made, from the keys that every protocol takes.

use super::{SettingsError, StoreSettings};
use crate::codec::{Layout, ObjectPath, hash};

impl StoreSettings {
    /// How the paths of the store are made.
    pub(super) fn layout(&self, name: &str) -> Result<Layout, SettingsError> {
        let section = |key, text: &Option<String>, default: &str| {
            section(name, key, text.as_deref().unwrap_or(default))
        };
        let layout = Layout {
            hash_prefix: section("hash_prefix", &self.hash_prefix, "_hash")?,
            schema_prefix: section("schema_prefix", &self.schema_prefix, "_schema")?,
            filepath_prefix: section("filepath_prefix", &self.filepath_prefix, "")?,
            subfolding: self.folds(name)?,
            partition_pattern: self.partition_pattern.clone(),
            token_length: self.token_length.unwrap_or(8).clamp(4, 16) as usize,
        };
        let sections = [
            ("hash_prefix", &layout.hash_prefix),
            ("schema_prefix", &layout.schema_prefix),
            ("filepath_prefix", &layout.filepath_prefix),
        ];
        for (i, (first, a)) in sections.iter().enumerate() {
            for (second, b) in &sections[i + 1..] {
                let (Some(a), Some(b)) = (a, b) else { continue };
                if a.lies_in(b) || b.lies_in(a) {
                    return Err(SettingsError::Overlap {
                        store: name.to_owned(),
                        first: format!("{first}=\"{a}\""),
                        second: format!("{second}=\"{b}\""),
                    });
                }
            }
        }
        Ok(layout)
    }

    /// DataJoint cuts the folders off the hash one after another; a cut past its end would
    /// give a folder without a name.
    fn folds(&self, name: &str) -> Result<Vec<usize>, SettingsError> {
        let folds: Vec<usize> = self
            .subfolding
            .iter()
            .flatten()
            .map(|&n| n as usize)
            .collect();
        let before_last: usize = folds
            .iter()
            .rev()
            .skip(1)
            .fold(0, |sum, n| sum.saturating_add(*n));
        if folds.contains(&0) || before_last >= hash::NAME_LEN {
            return Err(SettingsError::Value {
                store: name.to_owned(),
                key: "subfolding",
                reason: "lengths must be positive and fit into the 26 characters of a hash".into(),
            });
        }
        Ok(folds)
    }
}

/// A prefix as DataJoint reads it: slashes at the ends do not count, nothing is the root.
pub(super) fn section(
    store: &str,
    key: &'static str,
    text: &str,
) -> Result<Option<ObjectPath>, SettingsError> {
    match text.trim_matches('/') {
        "" => Ok(None),
        inner => ObjectPath::parse(inner)
            .map(Some)
            .map_err(|error| SettingsError::Value {
                store: store.to_owned(),
                key,
                reason: error.to_string(),
            }),
    }
}
