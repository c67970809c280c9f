//! Rows of the text protocol: the cells of one row.

use std::ops::Range;

use super::lenenc;

/// `NULL` in a text row.
pub const NULL: u8 = 0xFB;

/// One cell of a text row: byte ranges of its encoding and of its value in the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The cell with its length prefix.
    pub encoded: Range<usize>,
    /// The value alone; `None` for NULL.
    pub value: Option<Range<usize>>,
}

/// Walks the cells of a row; yields `None` for bytes that are not a cell, then ends.
pub fn cells(row: &[u8]) -> impl Iterator<Item = Option<Cell>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= row.len() {
            return None;
        }
        let start = at;
        if row[at] == NULL {
            at += 1;
            return Some(Some(Cell {
                encoded: start..at,
                value: None,
            }));
        }
        let Some((value, taken)) = lenenc::read_str(&row[at..]) else {
            at = row.len();
            return Some(None);
        };
        at += taken;
        Some(Some(Cell {
            encoded: start..at,
            value: Some(at - value.len()..at),
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cells_read_back(values in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..300)), 0..10)) {
            let mut row = Vec::new();
            for value in &values {
                match value {
                    Some(v) => lenenc::push_str(&mut row, v),
                    None => row.push(NULL),
                }
            }
            let read: Option<Vec<_>> = cells(&row).map(|c| c.map(|c| c.value.map(|r| row[r].to_vec()))).collect();
            prop_assert_eq!(read, Some(values));
        }

        #[test]
        fn any_bytes_end(row: Vec<u8>) {
            prop_assert!(cells(&row).count() <= row.len());
        }
    }
}
