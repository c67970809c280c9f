//! Bounds of what a codec may take (`[limits]` in the configuration).

/// What one value may take while it goes through its codecs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueLimits {
    /// `limits.value_bytes`: bytes of a value in memory: decompressed, read from a store to be
    /// decoded, or packed.
    pub bytes: u64,
    /// `limits.value_depth`: containers within containers.
    pub depth: usize,
    /// `limits.json_bytes`: bytes of a value's text in the json notation.
    pub json_bytes: u64,
    /// `limits.directory_files`: files of a directory that is one value.
    pub files: usize,
}

impl Default for ValueLimits {
    fn default() -> Self {
        Self {
            bytes: 1 << 30,
            depth: 100,
            json_bytes: 64 << 20,
            files: 10_000,
        }
    }
}
