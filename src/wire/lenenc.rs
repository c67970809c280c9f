//! Length-encoded integers and strings.

/// Reads a length-encoded integer; `None` when the bytes end early or hold NULL (`0xFB`).
pub fn read_int(buf: &[u8]) -> Option<(u64, usize)> {
    let little = |n: usize| {
        let bytes = buf.get(1..1 + n)?;
        Some((
            bytes
                .iter()
                .rev()
                .fold(0, |acc, b| acc << 8 | u64::from(*b)),
            1 + n,
        ))
    };
    match *buf.first()? {
        small @ 0..=0xFA => Some((u64::from(small), 1)),
        0xFC => little(2),
        0xFD => little(3),
        0xFE => little(8),
        0xFB | 0xFF => None,
    }
}

/// Reads a length-encoded string; gives the string and the bytes it took with its length.
pub fn read_str(buf: &[u8]) -> Option<(&[u8], usize)> {
    let (len, at) = read_int(buf)?;
    let end = at.checked_add(usize::try_from(len).ok()?)?;
    Some((buf.get(at..end)?, end))
}

/// Appends a length-encoded integer.
pub fn push_int(out: &mut Vec<u8>, n: u64) {
    match n {
        0..=0xFA => out.push(n as u8),
        0xFB..=0xFFFF => {
            out.push(0xFC);
            out.extend_from_slice(&n.to_le_bytes()[..2]);
        }
        0x1_0000..=0xFF_FFFF => {
            out.push(0xFD);
            out.extend_from_slice(&n.to_le_bytes()[..3]);
        }
        _ => {
            out.push(0xFE);
            out.extend_from_slice(&n.to_le_bytes());
        }
    }
}

/// Appends a length-encoded string.
pub fn push_str(out: &mut Vec<u8>, s: &[u8]) {
    push_int(out, s.len() as u64);
    out.extend_from_slice(s);
}

/// How many bytes [`push_int`] writes for `n`.
pub fn int_len(n: u64) -> usize {
    match n {
        0..=0xFA => 1,
        0xFB..=0xFFFF => 3,
        0x1_0000..=0xFF_FFFF => 4,
        _ => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_int_reads_back(n: u64) {
            let mut out = Vec::new();
            push_int(&mut out, n);
            prop_assert_eq!(out.len(), int_len(n));
            prop_assert_eq!(read_int(&out), Some((n, out.len())));
            prop_assert_eq!(read_int(&out[..out.len() - 1]), None);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = read_str(&bytes);
        }
    }

    #[test]
    fn a_length_past_the_end_is_refused() {
        assert_eq!(
            read_str(&[0xFE, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
            None
        );
    }
}
