//! What lies in the store, and the pointers that name it, judged without the library's help.

use std::fs;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use super::client::Client;

/// A packed numeric array as DataJoint makes it: `len` bytes of uint8, told apart by `seed`.
pub fn packed(seed: u64, len: usize) -> Vec<u8> {
    let mut out = b"mYm\0A".to_vec();
    out.extend_from_slice(&1u64.to_le_bytes());
    out.extend_from_slice(&(len as u64).to_le_bytes());
    out.extend_from_slice(&9u32.to_le_bytes());
    out.extend_from_slice(&0u32.to_le_bytes());
    out.extend_from_slice(&noise(seed, len));
    out
}

/// Bytes of every value, reproducible (xorshift).
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(len);
    out
}

/// The name of an object: base32 of the MD5, lower case, without padding.
pub fn hash_name(bytes: &[u8]) -> String {
    data_encoding::BASE32_NOPAD
        .encode(&Md5::digest(bytes))
        .to_lowercase()
}

/// A string literal of the kind that PyMySQL up to 1.1 sends: raw bytes, backslash escapes.
pub fn escaped(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![b'\''];
    for byte in bytes {
        match byte {
            0 => out.extend_from_slice(b"\\0"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0x1a => out.extend_from_slice(b"\\Z"),
            b'"' | b'\'' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            _ => out.push(*byte),
        }
    }
    out.push(b'\'');
    out
}

/// A hexadecimal literal, `X'…'`.
pub fn hex(bytes: &[u8]) -> Vec<u8> {
    let digits = data_encoding::HEXUPPER.encode(bytes);
    format!("X'{digits}'").into_bytes()
}

/// Statement text made of pieces, some of them no UTF-8.
pub fn sql(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

/// Every object file below a store folder.
pub fn objects(store: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(store) else {
        return found;
    };
    for entry in entries.map_while(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(objects(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Checks a pointer as it lies in the database, key by key, and returns the object's bytes.
pub fn object_of(pointer: &str, store: &Path, schema: &str) -> Vec<u8> {
    let fields: serde_json::Value = serde_json::from_str(pointer).expect("a pointer is JSON");
    let path = fields["path"].as_str().expect("a path");
    let bytes = fs::read(store.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let hash = hash_name(&bytes);
    // MariaDB keeps the text, MySQL sorts the keys by their lengths.
    let size = bytes.len();
    let by = |first, second, third| {
        format!(
            r#"{{"hash": "{hash}", "path": "_hash/{schema}/{hash}", {first}, {second}, {third}}}"#
        )
    };
    let (of, store, size) = (
        format!(r#""schema": "{schema}""#),
        r#""store": "main""#.to_owned(),
        format!(r#""size": {size}"#),
    );
    let expected = [by(&of, &store, &size), by(&size, &store, &of)];
    assert!(expected.iter().any(|e| e == pointer), "{pointer}");
    bytes
}

/// Checks directly in the database and in the store that `table.data` of row `id` holds `value`.
pub fn assert_stored(direct: &mut Client, store: &Path, table: &str, id: i64, value: &[u8]) {
    let schema = direct.text("SELECT DATABASE()");
    let pointer = direct.text(format!("SELECT data FROM `{table}` WHERE id = {id}"));
    let object = object_of(&pointer, store, &schema);
    assert_same(&object, value, &format!("the object of {table} row {id}"));
}

/// Compares big values without printing them.
#[track_caller]
pub fn assert_same(left: &[u8], right: &[u8], what: &str) {
    if left == right {
        return;
    }
    let at = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    let near =
        |b: &[u8]| String::from_utf8_lossy(&b[at.min(b.len())..b.len().min(at + 40)]).into_owned();
    panic!(
        "{what}: {} bytes against {}, different from byte {at} on: {:?} against {:?}",
        left.len(),
        right.len(),
        near(left),
        near(right)
    );
}
