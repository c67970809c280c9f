//! Names and paths of objects that are named by their hash (`hash_registry.py` of DataJoint
//! 2.3.5).

use data_encoding::BASE32_NOPAD;

use super::path::{ObjectPath, PathError};

/// Characters of a hash: 16 bytes in base32 without padding.
pub const NAME_LEN: usize = 26;

/// The name of content with this MD5: RFC 4648 base32 in lower case, padding removed.
pub fn name_of(md5: [u8; 16]) -> String {
    BASE32_NOPAD.encode(&md5).to_ascii_lowercase()
}

/// The path of an object: `{prefix}/{schema}/{folds…}/{hash}`.
///
/// `subfolding` gives the lengths of the folder names, cut one after another from the front
/// of `hash`; the file name is the whole hash all the same. An error means that the schema's
/// name cannot be one folder.
pub fn path(
    prefix: Option<&ObjectPath>,
    schema: &str,
    subfolding: &[usize],
    hash: &str,
) -> Result<ObjectPath, PathError> {
    let mut text = section(prefix, schema)?.as_str().to_owned();
    let mut rest = hash;
    for &fold in subfolding {
        let (folder, after) = rest.split_at_checked(fold).unwrap_or((rest, ""));
        text.push('/');
        text.push_str(folder);
        rest = after;
    }
    text.push('/');
    text.push_str(hash);
    ObjectPath::parse(&text)
}

/// Where all hash-addressed objects of a schema lie: `{prefix}/{schema}`.
pub fn section(prefix: Option<&ObjectPath>, schema: &str) -> Result<ObjectPath, PathError> {
    if schema.contains('/') {
        return Err(PathError::Character);
    }
    match prefix {
        Some(prefix) => ObjectPath::parse(&format!("{prefix}/{schema}")),
        None => ObjectPath::parse(schema),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::{Digest, Md5};

    #[test]
    fn names_are_those_of_python() {
        // base64.b32encode(hashlib.md5(x).digest()).decode().rstrip("=").lower()
        for (content, name) in [
            (&b""[..], "2qoyzwmpaczaj2mabgmoz6ccpy"),
            (b"hello", "lvauakv4jmvhnolrtwiraf6fsi"),
            (b"dj0\0\xff", "qtmxdgna7l75ikeegzynkuhjl4"),
            (&[0xff; 1000], "epgfc6xfonfqndrbzeusbjpoai"),
        ] {
            let hash = name_of(Md5::digest(content).into());
            assert_eq!(hash, name);
            assert_eq!(hash.len(), NAME_LEN);
        }
    }

    #[test]
    fn paths_are_those_of_datajoint() {
        let hash = "hrhtqewftfiaxo7bsigt4mfg64";
        let prefix = ObjectPath::parse("_hash").unwrap();
        let at = |prefix, folds: &[usize]| path(prefix, "exp2b", folds, hash).unwrap().to_string();
        assert_eq!(
            at(Some(&prefix), &[]),
            "_hash/exp2b/hrhtqewftfiaxo7bsigt4mfg64"
        );
        assert_eq!(
            at(Some(&prefix), &[2, 3]),
            "_hash/exp2b/hr/htq/hrhtqewftfiaxo7bsigt4mfg64"
        );
        assert_eq!(at(None, &[]), "exp2b/hrhtqewftfiaxo7bsigt4mfg64");
    }

    #[test]
    fn a_schema_is_one_folder() {
        for bad in ["", ".", "..", "a/b", "a/../b"] {
            assert!(path(None, bad, &[], "x").is_err(), "{bad:?}");
        }
    }
}
