//! Values and rows of the binary protocol: how long a value of each type is, and the cells of a
//! row.

use std::fmt::Write;
use std::ops::Range;

use super::lenenc;
use super::row::Cell;

/// `MYSQL_TYPE_LONGLONG`
pub const LONGLONG: u8 = 0x08;
/// `MYSQL_TYPE_NULL`
pub const NULL: u8 = 0x06;
/// `MYSQL_TYPE_BLOB`
pub const BLOB: u8 = 0xFC;
/// `MYSQL_TYPE_VAR_STRING`
pub const VAR_STRING: u8 = 0xFD;

/// How the values of a type are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// So many bytes, little-endian.
    Fixed(usize),
    /// A byte with the length, then as many bytes: dates and times.
    Temporal,
    /// A length-encoded string.
    Str,
}

/// How the values of a type (`MYSQL_TYPE_…`) are laid out. Servers read a type that they do not
/// know as a string.
pub fn layout(kind: u8) -> Layout {
    match kind {
        NULL => Layout::Fixed(0),
        0x01 => Layout::Fixed(1),
        // SHORT, YEAR
        0x02 | 0x0D => Layout::Fixed(2),
        // LONG, FLOAT, INT24
        0x03 | 0x04 | 0x09 => Layout::Fixed(4),
        // DOUBLE
        0x05 | LONGLONG => Layout::Fixed(8),
        // TIMESTAMP, DATE, TIME, DATETIME, and their younger forms
        0x07 | 0x0A..=0x0C | 0x0E | 0x11..=0x13 => Layout::Temporal,
        _ => Layout::Str,
    }
}

/// The value of a type that begins `bytes`: how many bytes it takes, and where within them its
/// content is (without the length). `None`: they end early.
pub fn value(kind: u8, bytes: &[u8]) -> Option<(usize, Range<usize>)> {
    let content = match layout(kind) {
        Layout::Fixed(len) => 0..len,
        Layout::Temporal => 1..1 + usize::from(*bytes.first()?),
        Layout::Str => {
            let (value, taken) = lenenc::read_str(bytes)?;
            taken - value.len()..taken
        }
    };
    (content.end <= bytes.len()).then_some((content.end, content))
}

/// Whether the bit of a NULL is set for the column at `n`; `first` is that of the first column.
pub fn is_null(bitmap: &[u8], n: usize, first: usize) -> bool {
    let bit = n + first;
    bitmap
        .get(bit / 8)
        .is_some_and(|byte| byte & 1 << (bit % 8) != 0)
}

/// The bit of the first column in the bitmap of a row.
const FIRST: usize = 2;

/// Walks the cells of a row whose columns have these types; yields `None` where the bytes are no
/// such row, then ends. Its cells lie behind each other to the end of the row.
pub fn cells<'a>(row: &'a [u8], kinds: &'a [u8]) -> impl Iterator<Item = Option<Cell>> + 'a {
    let bitmap_len = (kinds.len() + FIRST).div_ceil(8);
    let bitmap = row.get(1..1 + bitmap_len).filter(|_| row[0] == 0);
    // `None` once the bytes have made no sense.
    let mut at = Some(1 + bitmap_len);
    let mut columns = kinds.iter().enumerate();
    std::iter::from_fn(move || {
        let start = at?;
        let (n, kind) = columns.next()?;
        let cell = bitmap.and_then(|bitmap| match is_null(bitmap, n, FIRST) {
            true => Some(Cell {
                encoded: start..start,
                value: None,
            }),
            false => {
                let (taken, content) = value(*kind, &row[start..])?;
                Some(Cell {
                    encoded: start..start + taken,
                    value: Some(start + content.start..start + content.end),
                })
            }
        });
        at = cell.as_ref().map(|cell| cell.encoded.end);
        Some(cell)
    })
}

/// A row whose columns are all texts or bytes.
pub fn texts(fields: &[Option<Vec<u8>>]) -> Vec<u8> {
    let mut row = vec![0; 1 + (fields.len() + FIRST).div_ceil(8)];
    for (n, field) in fields.iter().enumerate() {
        match field {
            Some(value) => lenenc::push_str(&mut row, value),
            None => row[1 + (n + FIRST) / 8] |= 1 << ((n + FIRST) % 8),
        }
    }
    row
}

/// A number, a date or a time as SQL writes it; `None` for a type that is none of these, or
/// content that is not of the type.
pub fn text(kind: u8, unsigned: bool, content: &[u8]) -> Option<String> {
    let little = |bytes: &[u8]| {
        let number = bytes.iter().rev();
        number.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    match (kind, layout(kind)) {
        (NULL, _) | (_, Layout::Str) => None,
        (0x04, _) => Some(f32::from_le_bytes(content.try_into().ok()?).to_string()),
        (0x05, _) => Some(f64::from_le_bytes(content.try_into().ok()?).to_string()),
        (_, Layout::Fixed(len)) if content.len() == len => {
            let number = little(content);
            let spare = 64 - 8 * len as u32;
            match unsigned || kind == 0x0D {
                true => Some(number.to_string()),
                false => Some(((number << spare) as i64 >> spare).to_string()),
            }
        }
        (_, Layout::Fixed(_)) => None,
        (0x0B | 0x13, Layout::Temporal) => time(content),
        (_, Layout::Temporal) => date(content),
    }
}

/// `2020-02-29`, `2020-02-29 13:04:05`, `2020-02-29 13:04:05.678901`; nothing is zero.
fn date(content: &[u8]) -> Option<String> {
    let (day, clock) = content.split_at_checked(4).unwrap_or((&[0; 4], &[]));
    let mut text = format!(
        "{:04}-{:02}-{:02}",
        u16::from_le_bytes([day[0], day[1]]),
        day[2],
        day[3]
    );
    match (content.len(), clock) {
        (0 | 4, _) => Some(text),
        (7 | 11, [hour, minute, second, fraction @ ..]) => {
            write!(text, " {hour:02}:{minute:02}:{second:02}").ok()?;
            push_fraction(&mut text, fraction)?;
            Some(text)
        }
        _ => None,
    }
}

/// `13:04:05`, `-838:59:59.000001`; nothing is zero.
fn time(content: &[u8]) -> Option<String> {
    let [sign, a, b, c, d, hour, minute, second, fraction @ ..] = content else {
        return content.is_empty().then(|| "00:00:00".to_owned());
    };
    let hours = u64::from(u32::from_le_bytes([*a, *b, *c, *d])) * 24 + u64::from(*hour);
    let sign = if *sign == 0 { "" } else { "-" };
    let mut text = format!("{sign}{hours:02}:{minute:02}:{second:02}");
    push_fraction(&mut text, fraction)?;
    Some(text)
}

fn push_fraction(text: &mut String, fraction: &[u8]) -> Option<()> {
    match *fraction {
        [] => Some(()),
        [a, b, c, d] => write!(text, ".{:06}", u32::from_le_bytes([a, b, c, d])).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_are_cut_into_cells() {
        // id INT 7, data NULL, day DATE, note 'ab', more NULL, small TINYINT -1, wide BIGINT
        let kinds = [0x03, 0xF5, 0x0A, 0xFD, 0xFC, 0x01, 0x08];
        let row = [
            &[0, 0b0100_1000, 0][..],
            &[7, 0, 0, 0],
            &[4, 0xE4, 0x07, 2, 29],
            &[2, b'a', b'b'],
            &[0xFF],
            &[1, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        let read: Option<Vec<_>> = cells(&row, &kinds).collect();
        let read = read.expect("a row");
        let contents: Vec<_> = read
            .iter()
            .map(|cell| cell.value.clone().map(|range| &row[range]))
            .collect();
        assert_eq!(contents[0], Some(&[7, 0, 0, 0][..]));
        assert_eq!((contents[1], contents[4]), (None, None));
        assert_eq!(contents[2], Some(&[0xE4, 0x07, 2, 29][..]));
        assert_eq!(contents[3], Some(&b"ab"[..]));
        assert_eq!(contents[5], Some(&[0xFF][..]));
        assert_eq!(read[6].encoded.end, row.len());
        let short: Vec<_> = cells(&row[..row.len() - 1], &kinds).collect();
        assert_eq!((short.len(), short[6].clone()), (7, None));
        assert_eq!(cells(&[1, 0], &[3]).collect::<Vec<_>>(), [None]);
        assert_eq!(cells(&[], &[3]).collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn rows_of_texts_read_back() {
        let text = |n: usize| (n % 3 != 1).then(|| vec![b'x'; 100 * n]);
        for count in [1, 6, 7, 15] {
            let fields: Vec<_> = (0..count).map(text).collect();
            let row = texts(&fields);
            let kinds = vec![VAR_STRING; count];
            let cells: Option<Vec<Cell>> = cells(&row, &kinds).collect();
            let cells = cells.expect("a row").into_iter();
            let read: Vec<_> = cells.map(|c| c.value.map(|at| row[at].to_vec())).collect();
            assert_eq!(read, fields);
        }
    }

    #[test]
    fn values_are_told_as_text() {
        for (kind, unsigned, content, expected) in [
            (0x01, false, &[0xFF][..], Some("-1")),
            (0x01, true, &[0xFF], Some("255")),
            (0x02, false, &[0, 0x80], Some("-32768")),
            (0x0D, false, &[0xE4, 0x07], Some("2020")),
            (0x03, false, &[0xFE, 0xFF, 0xFF, 0xFF], Some("-2")),
            (0x08, true, &[0xFF; 8], Some("18446744073709551615")),
            (0x08, false, &[0xFF; 8], Some("-1")),
            (0x04, false, &[0, 0, 0, 0x3F], Some("0.5")),
            (0x05, false, &[0, 0, 0, 0, 0, 0, 0xF8, 0xBF], Some("-1.5")),
            (0x0A, false, &[0xE4, 0x07, 2, 29], Some("2020-02-29")),
            (0x0A, false, &[], Some("0000-00-00")),
            (
                0x0C,
                false,
                &[0xE4, 0x07, 2, 29, 13, 4, 5],
                Some("2020-02-29 13:04:05"),
            ),
            (
                0x07,
                false,
                &[0xE4, 0x07, 2, 29, 13, 4, 5, 1, 0, 0, 0],
                Some("2020-02-29 13:04:05.000001"),
            ),
            (0x0B, false, &[], Some("00:00:00")),
            (0x0B, false, &[1, 1, 0, 0, 0, 2, 3, 4], Some("-26:03:04")),
            (0x0B, false, &[1, 1, 0], None),
            (0x0A, false, &[1], None),
            (0x06, false, &[], None),
            (0xFC, false, b"x", None),
        ] {
            let told = text(kind, unsigned, content);
            assert_eq!(told.as_deref(), expected, "{kind:#x} {content:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(row: Vec<u8>, kinds: Vec<u8>) {
            for cell in cells(&row, &kinds).flatten() {
                prop_assert!(cell.encoded.end <= row.len());
            }
        }

        #[test]
        fn any_value_is_told_without_panic(kind: u8, unsigned: bool, bytes: Vec<u8>) {
            if let Some((taken, content)) = value(kind, &bytes) {
                prop_assert!(taken <= bytes.len() && content.end <= taken);
                text(kind, unsigned, &bytes[content]);
            }
        }
    }
}
