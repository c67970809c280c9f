//! The character set that a client writes in.

/// Whether names are written in UTF-8 (or cannot be anything but ASCII).
pub(super) fn is_utf8(charset: &str) -> bool {
    charset.is_empty() || charset.starts_with("utf8") || charset == "ascii"
}
