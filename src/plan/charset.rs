//! Client character sets in which a byte of a longer character can look like ASCII.
//!
//! The server cuts a statement into characters first: in `gbk` the bytes 0xBF 0x5C are one
//! letter and no backslash. The lexer knows nothing of that, so it is given a text in which
//! such letters are masked.

use std::borrow::Cow;

/// Whether the second byte of a character may be ASCII in this character set.
pub(super) fn is_treacherous(charset: &str) -> bool {
    lead(charset).is_some()
}

/// Whether names are written in UTF-8 (or cannot be anything but ASCII).
pub(super) fn is_utf8(charset: &str) -> bool {
    charset.is_empty() || charset.starts_with("utf8") || charset == "ascii"
}

/// The text with every character of more than one byte replaced by as many bytes that are not
/// ASCII; the same length, so that places in it are places in the text.
pub(super) fn masked<'a>(text: &'a [u8], charset: &str) -> Cow<'a, [u8]> {
    let Some(is_lead) = lead(charset).filter(|_| !text.is_ascii()) else {
        return Cow::Borrowed(text);
    };
    let mut masked = text.to_vec();
    let mut at = 0;
    while at < text.len() {
        let second = text.get(at + 1).copied().unwrap_or(0);
        let len = match text[at] {
            lead if !is_lead(lead) => 1,
            _ if charset == "gb18030" && second.is_ascii_digit() => 4,
            _ if matches!(second, 0x40..=0x7e | 0x80..=0xfe) => 2,
            _ => 1,
        };
        let end = (at + len).min(text.len());
        if len > 1 {
            masked[at..end].fill(0xff);
        }
        at = end;
    }
    Cow::Owned(masked)
}

/// Tells the first bytes of longer characters.
fn lead(charset: &str) -> Option<fn(u8) -> bool> {
    Some(match charset {
        "gbk" | "gb18030" => |b| matches!(b, 0x81..=0xfe),
        "big5" => |b| matches!(b, 0xa1..=0xf9),
        "sjis" | "cp932" => |b| matches!(b, 0x81..=0x9f | 0xe0..=0xfc),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_with_ascii_in_them_are_masked() {
        assert_eq!(&*masked(b"'\xbf\\' x", "gbk"), b"'\xff\xff' x");
        assert_eq!(&*masked(b"'\x83\\' x", "sjis"), b"'\xff\xff' x");
        assert_eq!(&*masked(b"'\xa5\\' x", "big5"), b"'\xff\xff' x");
        assert_eq!(
            &*masked(b"'\x81\x30\x81\x30' x", "gb18030"),
            b"'\xff\xff\xff\xff' x"
        );
        // A half-width letter of one byte in sjis.
        assert_eq!(&*masked(b"'\xb1\\' x", "sjis"), b"'\xb1\\' x");
        assert_eq!(&*masked(b"'\xbf\\' x", "utf8mb4"), b"'\xbf\\' x");
        assert_eq!(&*masked(b"\xbf", "gbk"), b"\xbf");
    }
}
