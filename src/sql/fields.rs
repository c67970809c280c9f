//! The file of a `LOAD DATA`: bytes that come piece by piece, cut into lines and fields as the
//! server cuts them.
//!
//! The rules are those of the MySQL manual's chapter on LOAD DATA and of the servers' behaviour.
//! Bytes are compared, not characters: right in every character set in which no byte of a longer
//! character looks like ASCII, for a format that is ASCII.

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

/// How fields and lines are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// `FIELDS TERMINATED BY`
    pub field_end: Vec<u8>,
    /// `ENCLOSED BY`
    pub enclosed: Option<u8>,
    /// `ESCAPED BY`
    pub escaped: Option<u8>,
    /// `LINES TERMINATED BY`
    pub line_end: Vec<u8>,
}

impl Default for Format {
    /// Tabs and line feeds, with nothing to escape by.
    fn default() -> Self {
        Self {
            field_end: b"\t".to_vec(),
            enclosed: None,
            escaped: None,
            line_end: b"\n".to_vec(),
        }
    }
}

/// One line, its end included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// As it came.
    pub raw: Bytes,
    /// Its fields, as many as there are, up to the number that was asked for.
    pub fields: Vec<Field>,
}

/// One field of a [`Line`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its bytes in the line, what encloses it included.
    pub span: Range<usize>,
    /// What it stands for; `None` for NULL.
    pub value: Option<Vec<u8>>,
}

/// The file, as far as it has come.
#[derive(Debug)]
pub struct Lines {
    format: Format,
    /// How many fields a line may have; the rest is passed over, as the server does.
    fields: usize,
    skip: u64,
    buffer: BytesMut,
    /// No whole line was in a buffer shorter than this.
    tried: usize,
    ended: bool,
}

impl Lines {
    /// Of a file whose first `skip` lines have no fields.
    pub fn new(format: Format, fields: usize, skip: u64) -> Self {
        Self {
            format,
            fields,
            skip,
            buffer: BytesMut::new(),
            tried: 0,
            ended: false,
        }
    }

    /// The next piece of the file.
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// There are no more pieces.
    pub fn end(&mut self) {
        self.ended = true;
        self.tried = 0;
    }

    /// How many bytes wait for the end of their line.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// The next line, if all of it has come.
    pub fn next_line(&mut self) -> Option<Line> {
        if self.buffer.is_empty() || self.buffer.len() < self.tried {
            return None;
        }
        let cut = Cut {
            text: &self.buffer,
            format: &self.format,
            ended: self.ended,
        };
        let mut fields = Vec::new();
        let found = match self.skip > 0 {
            true => cut.line_from(0),
            false => cut.fields(self.fields, &mut fields),
        };
        let Some(len) = found else {
            // Twice as much before it is looked at again: a long line is not read for every piece.
            self.tried = 2 * self.buffer.len();
            return None;
        };
        self.skip = self.skip.saturating_sub(1);
        self.tried = 0;
        let raw = self.buffer.split_to(len).freeze();
        if !self.buffer.has_remaining() {
            self.buffer = BytesMut::new();
        }
        Some(Line { raw, fields })
    }
}

/// A look at what has come. Answers are `None` where more must come first.
struct Cut<'a> {
    text: &'a [u8],
    format: &'a Format,
    ended: bool,
}

/// How a field ended.
enum End {
    Field(usize),
    Line(usize),
}

impl Cut<'_> {
    /// The line's fields; gives its length.
    fn fields(&self, most: usize, fields: &mut Vec<Field>) -> Option<usize> {
        let mut at = 0;
        while fields.len() < most {
            let (field, end) = self.field(at)?;
            fields.push(field);
            match end {
                End::Line(next) => return Some(next),
                End::Field(next) => at = next,
            }
        }
        self.line_from(at)
    }

    /// Where the next line begins; nothing but an escape hides the end of this one.
    fn line_from(&self, from: usize) -> Option<usize> {
        let mut at = from;
        while let Some(&byte) = self.text.get(at) {
            if Some(byte) == self.format.escaped {
                at += 2;
            } else if self.is_at(&self.format.line_end, at)? {
                return Some(at + self.format.line_end.len());
            } else {
                at += 1;
            }
        }
        self.ended.then_some(self.text.len())
    }

    fn field(&self, start: usize) -> Option<(Field, End)> {
        let Format {
            field_end,
            enclosed,
            escaped,
            line_end,
        } = self.format;
        let is_open = enclosed.is_some() && self.text.get(start).copied() == *enclosed;
        let mut at = start + usize::from(is_open);
        let mut value = Vec::new();
        let mut null = false;
        let mut closed = false;
        // Where the field ends, and what follows.
        let (end, next) = loop {
            let Some(&byte) = self.text.get(at) else {
                self.ended.then_some(())?;
                break (at, End::Line(at));
            };
            if Some(byte) == *escaped {
                match self.text.get(at + 1) {
                    None if !self.ended => return None,
                    None => {
                        value.push(byte);
                        break (at + 1, End::Line(at + 1));
                    }
                    // Where one byte does both, it is doubled and escapes nothing else.
                    Some(&second) if escaped != enclosed || second == byte => {
                        null |= second == b'N';
                        value.push(unescaped(second));
                        at += 2;
                        continue;
                    }
                    Some(_) => {}
                }
            }
            if is_open && Some(byte) == *enclosed {
                let Some(&second) = self.text.get(at + 1) else {
                    self.ended.then_some(())?;
                    closed = true;
                    break (at + 1, End::Line(at + 1));
                };
                if second == byte {
                    value.push(byte);
                    at += 2;
                    continue;
                }
                if self.is_at(line_end, at + 1)? {
                    closed = true;
                    break (at + 1, End::Line(at + 1 + line_end.len()));
                }
                if self.is_at(field_end, at + 1)? {
                    closed = true;
                    break (at + 1, End::Field(at + 1 + field_end.len()));
                }
            } else if !is_open {
                if self.is_at(line_end, at)? {
                    break (at, End::Line(at + line_end.len()));
                }
                if self.is_at(field_end, at)? {
                    break (at, End::Field(at + field_end.len()));
                }
            }
            value.push(byte);
            at += 1;
        };
        if is_open && !closed {
            value.insert(0, self.text[start]);
        }
        let is_word = enclosed.is_some() && !closed && value == b"NULL";
        let is_null = is_word || (null && value == b"N");
        let field = Field {
            span: start..end,
            value: (!is_null).then_some(value),
        };
        Some((field, next))
    }

    /// Whether `wanted` stands at a place.
    fn is_at(&self, wanted: &[u8], at: usize) -> Option<bool> {
        let there = &self.text[at..];
        match there.len() < wanted.len() {
            true if !self.ended && wanted.starts_with(there) => None,
            true => Some(false),
            false => Some(there.starts_with(wanted)),
        }
    }
}

/// What an escaped byte stands for.
fn unescaped(byte: u8) -> u8 {
    match byte {
        b'0' => 0,
        b'b' => 0x08,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'Z' => 0x1a,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn default() -> Format {
        Format {
            escaped: Some(b'\\'),
            ..Format::default()
        }
    }

    fn csv() -> Format {
        Format {
            field_end: b",".to_vec(),
            enclosed: Some(b'"'),
            escaped: Some(b'\\'),
            line_end: b"\r\n".to_vec(),
        }
    }

    /// The values of each line, from a file that comes in pieces.
    fn read(format: &Format, fields: usize, skip: u64, file: &[u8], piece: usize) -> Vec<Line> {
        let mut lines = Lines::new(format.clone(), fields, skip);
        let mut found = Vec::new();
        for piece in file.chunks(piece.max(1)) {
            lines.push(piece);
            while let Some(line) = lines.next_line() {
                found.push(line);
            }
        }
        lines.end();
        while let Some(line) = lines.next_line() {
            found.push(line);
        }
        assert_eq!(lines.waiting(), 0);
        found
    }

    fn values(format: &Format, file: &str) -> Vec<Vec<Option<String>>> {
        let lines = read(format, 3, 0, file.as_bytes(), 1000);
        let text = |field: &Field| {
            let value = field.value.as_ref()?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let line = |line: &Line| line.fields.iter().map(text).collect();
        lines.iter().map(line).collect()
    }

    fn some(values: &[&str]) -> Vec<Option<String>> {
        values
            .iter()
            .map(|v| (*v != "-").then(|| (*v).to_owned()))
            .collect()
    }

    #[test]
    fn tabs_and_escapes() {
        let file = "1\ta\\tb\\\nc\\\\\t\\N\n2\t\tx\\N\n\n3\tx\ty\tmore\\\nof it\n4";
        let expected = [
            some(&["1", "a\tb\nc\\", "-"]),
            some(&["2", "", "xN"]),
            some(&[""]),
            some(&["3", "x", "y"]),
            some(&["4"]),
        ];
        assert_eq!(values(&default(), file), expected);
    }

    #[test]
    fn enclosed_fields() {
        let file = "\"a\",\"b,\"\"c\"\" \"\"d\"\"\r\ne\",NULL\r\n\"NULL\",\\N,x\"y\r\n\"open,1";
        let expected = [
            some(&["a", "b,\"c\" \"d\"\r\ne", "-"]),
            some(&["NULL", "-", "x\"y"]),
            some(&["\"open,1"]),
        ];
        assert_eq!(values(&csv(), file), expected);
        let doubled = Format {
            escaped: Some(b'"'),
            ..csv()
        };
        let expected = [some(&["a\"b", "c\\n", "d"])];
        assert_eq!(values(&doubled, "\"a\"\"b\",\"c\\n\",d\r\n"), expected);
    }

    #[test]
    fn lines_may_be_left_out() {
        let lines = read(&csv(), 1, 2, b"\"a\r\nb\\\r\n\"\r\n1,2\r\n", 3);
        let raw: Vec<&[u8]> = lines.iter().map(|line| &line.raw[..]).collect();
        assert_eq!(raw, [&b"\"a\r\n"[..], b"b\\\r\n\"\r\n", b"1,2\r\n"]);
        assert!(lines[0].fields.is_empty() && lines[1].fields.is_empty());
        assert_eq!(lines[2].fields[0].value.as_deref(), Some(&b"1"[..]));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(file in "[ab,\"\\\\N\r\n\t]{0,60}", piece in 1_usize..9, fields in 0_usize..4) {
            for format in [default(), csv()] {
                let whole = read(&format, fields, 0, file.as_bytes(), 1000);
                let pieces = read(&format, fields, 0, file.as_bytes(), piece);
                prop_assert_eq!(&whole, &pieces);
                let raw: Vec<u8> = whole.iter().flat_map(|line| line.raw.to_vec()).collect();
                prop_assert_eq!(raw, file.as_bytes());
            }
        }

        #[test]
        fn values_come_out_equal(rows in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..6)) {
            for (format, quote) in [(default(), false), (csv(), true)] {
                let mut file = Vec::new();
                for value in &rows {
                    let mut escaped = Vec::new();
                    for byte in value {
                        match byte {
                            b'\t' | b'\n' | b'\r' | b',' | b'"' | b'\\' => escaped.extend([b'\\', *byte]),
                            0 => escaped.extend(b"\\0"),
                            other => escaped.push(*other),
                        }
                    }
                    // An escaped control byte stands for itself.
                    file.extend(if quote { [b"\"", &escaped[..], b"\",x\r\n"].concat() } else { [&escaped[..], b"\tx\n"].concat() });
                }
                let lines = read(&format, 2, 0, &file, 7);
                let values: Vec<_> = lines.iter().map(|l| l.fields[0].value.clone().unwrap_or_default()).collect();
                prop_assert_eq!(&values, &rows);
            }
        }
    }
}
