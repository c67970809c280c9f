//! The name of an object within a store, as a type that cannot leave the store.

use std::fmt;

/// A relative path with `/` between its segments, none of them empty, `.` or `..`.
///
/// It holds no control character and no backslash and has at most [`ObjectPath::MAX_LEN`]
/// bytes, so that it means the same to a file system and to an object store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectPath(String);

/// Why a text is no [`ObjectPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// An empty segment: an absolute path, `//`, a trailing `/`, or nothing at all.
    #[error("an object path has no empty segment and no slash at its ends")]
    EmptySegment,
    /// A segment `.` or `..`.
    #[error("an object path has no segment '.' or '..'")]
    DotSegment,
    /// A control character or a backslash.
    #[error("an object path has no control characters and no backslash")]
    Character,
    /// More than [`ObjectPath::MAX_LEN`] bytes.
    #[error("an object path has at most 1024 bytes")]
    TooLong,
}

impl ObjectPath {
    /// What S3 allows for a key, in bytes.
    pub const MAX_LEN: usize = 1024;

    /// Checks `text`, which stays as it is: nothing is normalised or unescaped.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.len() > Self::MAX_LEN {
            return Err(PathError::TooLong);
        }
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err(PathError::Character);
        }
        for segment in text.split('/') {
            match segment {
                "" => return Err(PathError::EmptySegment),
                "." | ".." => return Err(PathError::DotSegment),
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this path is `section` or below it.
    pub fn lies_in(&self, section: &ObjectPath) -> bool {
        match self.0.strip_prefix(&section.0) {
            Some(rest) => rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_inside() {
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            "..",
            "a/../b",
            "a/..",
            "./a",
            "a/./b",
            "s3://bucket/key",
            "a\\..\\b",
            "a\0b",
            "a\nb",
        ] {
            assert!(ObjectPath::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            ObjectPath::parse(&"a".repeat(1025)),
            Err(PathError::TooLong)
        );
        for good in [
            "a",
            "_hash/exp2b/hrhtqewftfiaxo7bsigt4mfg64",
            "...",
            "a/..b",
            "x=%2e%2e/é",
        ] {
            assert_eq!(ObjectPath::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_section_ends_at_a_slash() {
        let path = |text| ObjectPath::parse(text).unwrap();
        assert!(path("_hash/exp/abc").lies_in(&path("_hash/exp")));
        assert!(path("_hash/exp").lies_in(&path("_hash/exp")));
        assert!(!path("_hash/exp2/abc").lies_in(&path("_hash/exp")));
        assert!(!path("_hash").lies_in(&path("_hash/exp")));
    }
}
