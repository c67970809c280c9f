//! `<blob>`: packed DataJoint values.
//!
//! A client in the `bytes` view packs by itself, and what it sends is stored as it is; so all
//! that matters here is the header by which a reader will know the value (`blob.py` of
//! DataJoint 2.3.5).

use super::registry::{Codec, Inner};
use super::{ChainError, Dtype};

/// The codec.
pub(super) struct Blob;

impl Codec for Blob {
    fn name(&self) -> &'static str {
        "blob"
    }

    fn dtype(&self, is_store: bool) -> Result<Inner, ChainError> {
        Ok(if is_store {
            Inner::Codec("<hash>")
        } else {
            Inner::Core(Dtype::Bytes)
        })
    }

    fn validate(&self, head: &[u8]) -> Result<(), String> {
        if HEADERS.iter().any(|header| head.starts_with(header)) {
            Ok(())
        } else {
            Err("<blob> takes packed DataJoint bytes (they begin with mYm, dj0 or ZL123)".into())
        }
    }
}

/// How packed bytes begin: arrays of MATLAB's kinds, Python's values, either one compressed.
const HEADERS: [&[u8]; 3] = [b"mYm\0", b"dj0\0", b"ZL123\0"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_needed() {
        for packed in [&b"mYm\0A"[..], b"dj0\0\xff", b"ZL123\0\0\0"] {
            assert!(Blob.validate(packed).is_ok(), "{packed:?}");
        }
        for other in [
            &b""[..],
            b"mYm",
            b"MYM\0",
            b"ZL12",
            b"ZL1234",
            b"hello",
            b"\x93NUMPY",
        ] {
            assert!(Blob.validate(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn the_golden_vectors_pass_but_for_those_without_a_header() {
        #[derive(serde::Deserialize)]
        struct Vector {
            name: String,
            hex_as_stored: Option<String>,
            pack_error: Option<String>,
        }
        let text = include_str!("../../tests/vectors/blob_vectors.json");
        let vectors: Vec<Vector> = serde_json::from_str(text).unwrap();
        let mut passed = 0;
        for vector in &vectors {
            let Some(hex) = &vector.hex_as_stored else {
                assert!(vector.pack_error.is_some(), "{}", vector.name);
                continue;
            };
            let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
            let head = &bytes[..bytes.len().min(crate::codec::HEAD_LEN)];
            let readable =
                !["empty", "no_header", "dj0_upper_case"].contains(&vector.name.as_str());
            assert_eq!(Blob.validate(head).is_ok(), readable, "{}", vector.name);
            passed += usize::from(readable);
        }
        assert!(passed > 140, "only {passed} vectors have a header");
    }
}
