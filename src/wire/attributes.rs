//! Query attributes: what stands between the command byte and the text of a `COM_QUERY` where
//! `CLIENT_QUERY_ATTRIBUTES` is in use (MySQL).

use super::{binary, lenenc};

/// No attributes, in one set of them.
pub const NONE: [u8; 2] = [0, 1];

/// Bytes of the attributes that begin `payload`, which is a command without its first byte;
/// `None` if they cannot be read, or do not end within it.
pub fn len(payload: &[u8]) -> Option<usize> {
    let (count, mut at) = lenenc::read_int(payload)?;
    let (_sets, taken) = lenenc::read_int(payload.get(at..)?)?;
    at += taken;
    if count == 0 {
        return Some(at);
    }
    let count = usize::try_from(count)
        .ok()
        .filter(|n| *n <= payload.len())?;
    let nulls = payload.get(at..at + count.div_ceil(8))?;
    at += nulls.len();
    // Without types there is nothing to read the values by.
    if payload.get(at) != Some(&1) {
        return None;
    }
    at += 1;
    let mut kinds = Vec::new();
    for _ in 0..count {
        let kind = *payload.get(at)?;
        let (_name, taken) = lenenc::read_str(payload.get(at + 2..)?)?;
        at += 2 + taken;
        kinds.push(kind);
    }
    for (n, kind) in kinds.into_iter().enumerate() {
        if nulls[n / 8] >> (n % 8) & 1 == 0 {
            at += binary::value(kind, payload.get(at..)?)?.0;
        }
    }
    (at <= payload.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_stands_behind() {
        for (payload, len) in [
            (&b"\x00\x01SELECT"[..], Some(2)),
            // A text, a NULL and a number.
            (
                b"\x03\x01\x02\x01\xfe\x00\x01a\x06\x00\x00\x08\x80\x02bc\x03xyz12345678SELECT",
                Some(28),
            ),
            (b"\x01\x01\x00\x00SELECT", None),
            (b"\x01\x01\x00\x01\xfe\x00\x01a\x7fshort", None),
            (b"\x00", None),
            (b"", None),
        ] {
            assert_eq!(super::len(payload), len, "{payload:x?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            prop_assert!(len(&bytes).is_none_or(|len| len <= bytes.len()));
        }
    }
}
