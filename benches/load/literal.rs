//! Random values, and the literals that PyMySQL 1.1 writes for them.

/// A small generator of random bytes (xorshift64*): fast, and good enough to be incompressible.
pub struct Random(u64);

impl Random {
    /// `seed` may be anything; equal seeds give equal numbers.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// `length` random bytes behind the header of a packed DataJoint array.
    pub fn blob(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        bytes.extend_from_slice(b"mYm\0");
        while bytes.len() < length {
            bytes.extend_from_slice(&self.number().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// Appends `_binary'…'` for `value`.
pub fn quote(text: &mut Vec<u8>, value: &[u8]) {
    text.reserve(value.len() + value.len() / 16 + 16);
    text.extend_from_slice(b"_binary'");
    for byte in value {
        match byte {
            0 => text.extend_from_slice(b"\\0"),
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\r' => text.extend_from_slice(b"\\r"),
            0x1a => text.extend_from_slice(b"\\Z"),
            b'"' | b'\'' | b'\\' => text.extend_from_slice(&[b'\\', *byte]),
            other => text.push(*other),
        }
    }
    text.push(b'\'');
}
