//! Client character sets in which a byte of a longer character can look like ASCII.
//!
//! The server cuts a statement into characters as it reads it: in `gbk` the bytes 0xBF 0x5C are
//! one letter and no backslash. In all other character sets (UTF-8 too) bytes below 0x80 are
//! themselves, so that nothing needs to be known of them.

/// How characters are made of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Letters {
    /// No byte of a longer character is below 0x80.
    #[default]
    Plain,
    /// `gbk`
    Gbk,
    /// `gb18030`
    Gb18030,
    /// `big5`
    Big5,
    /// `sjis` and `cp932`
    Sjis,
}

impl Letters {
    /// Those of a character set by its name on the server.
    pub fn of(charset: &str) -> Self {
        match charset {
            "gbk" => Self::Gbk,
            "gb18030" => Self::Gb18030,
            "big5" => Self::Big5,
            "sjis" | "cp932" => Self::Sjis,
            _ => Self::Plain,
        }
    }

    /// Bytes of the character that begins `text`: 1 also for what is no character at all.
    pub fn len(self, text: &[u8]) -> usize {
        let byte = |at: usize| text.get(at).copied().unwrap_or(0);
        let (first, second) = (byte(0), byte(1));
        let pair = match self {
            Self::Plain => false,
            Self::Gbk => {
                matches!(first, 0x81..=0xfe) && matches!(second, 0x40..=0x7e | 0x80..=0xfe)
            }
            Self::Gb18030 if matches!(first, 0x81..=0xfe) && second.is_ascii_digit() => {
                let four = matches!(byte(2), 0x81..=0xfe) && byte(3).is_ascii_digit();
                return if four { 4 } else { 1 };
            }
            Self::Gb18030 => {
                matches!(first, 0x81..=0xfe) && matches!(second, 0x40..=0x7e | 0x80..=0xfe)
            }
            Self::Big5 => {
                matches!(first, 0xa1..=0xf9) && matches!(second, 0x40..=0x7e | 0xa1..=0xfe)
            }
            Self::Sjis => {
                matches!(first, 0x81..=0x9f | 0xe0..=0xfc)
                    && matches!(second, 0x40..=0x7e | 0x80..=0xfc)
            }
        };
        if pair { 2 } else { 1 }
    }

    /// How many bytes come before a character of one byte that `is` holds for; about `most`, and
    /// as many more as end a character. It is the slow way: see `lexer::run` for what is plain.
    pub fn before(self, text: &[u8], most: usize, is: impl Fn(u8) -> bool) -> usize {
        let mut at = 0;
        while at < most
            && let Some(&first) = text.get(at)
        {
            match self.len(&text[at..]) {
                1 if is(first) => break,
                len => at += len,
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_with_ascii_in_them() {
        for (letters, text, len) in [
            (Letters::Gbk, &b"\xbf\\"[..], 2),
            (Letters::Gbk, b"\xbf'", 1),
            (Letters::Gbk, b"\xbf", 1),
            (Letters::Gbk, b"\xbf\x7f", 1),
            (Letters::Gbk, b"\x80\\", 1),
            (Letters::Sjis, b"\x83\\", 2),
            // A half-width letter of one byte.
            (Letters::Sjis, b"\xb1\\", 1),
            (Letters::Big5, b"\xa5\\", 2),
            (Letters::Big5, b"\xa5\x80", 1),
            (Letters::Gb18030, b"\x81\x30\x81\x30", 4),
            (Letters::Gb18030, b"\x81\x30\x81'", 1),
            (Letters::Gb18030, b"\xbf\\", 2),
            (Letters::Plain, b"\xbf\\", 1),
        ] {
            assert_eq!(letters.len(text), len, "{letters:?} {text:x?}");
        }
    }

    #[test]
    fn whole_characters_are_passed_over() {
        let before = |text: &[u8], most| Letters::Gbk.before(text, most, |b| b == b'\\');
        assert_eq!(before(b"a\xbf\\b\\", usize::MAX), 4);
        assert_eq!(before(b"\xbf\\", usize::MAX), 2);
        assert_eq!(before(b"a\xbf\\b\\", 2), 3);
        assert_eq!(before(b"", 2), 0);
    }
}
