//! The last line of defence of the `bytes` and `json` views: what is stored in a column that the
//! view translates never reaches their clients as it is.
//!
//! Plans already refuse what would show it, as far as a statement's text tells. What it cannot
//! tell (a stored function or procedure, a statement prepared before a column was declared or
//! the view was chosen, a view made a second ago) is noticed here, in the server's answers:
//!
//! 1. A result column that is announced to come from a column that the view translates: one with
//!    pointers, in the `json` view also one with packed values. (A client that has the definitions
//!    from before, and executes a statement that it prepared in another view, gets packed values
//!    under the definition that it was given then.)
//! 2. A pointer in a row, looked for where a text column is wide enough for one, and only where
//!    there are external codec columns at all.

use serde_json::Value;

use super::origin;
use crate::catalog::Index;
use crate::codec::Pointer;
use crate::refusal::Refusal;
use crate::view::View;
use crate::wire::column::Column;
use crate::wire::response::Responses;

/// How much of a row is searched: pointers have some hundred bytes.
pub const ROW: usize = 64 << 10;

/// What is known of the result under way.
#[derive(Debug, Default)]
pub struct Guard {
    /// Some column can hold a pointer.
    suspicious: bool,
    /// A definition of this result has been seen.
    defined: bool,
}

impl Guard {
    /// A result begins. Without definitions, which a client may have kept from before, any
    /// column can be anything.
    pub fn begin(&mut self, definitions_may_be_left_out: bool) {
        *self = Self {
            suspicious: definitions_may_be_left_out,
            defined: false,
        };
    }

    /// Looks at a column definition; gives the codec column that it comes from.
    pub fn definition(
        &mut self,
        index: &Index,
        view: View,
        payload: &[u8],
        responses: &Responses,
    ) -> Option<String> {
        if !std::mem::replace(&mut self.defined, true) {
            self.suspicious = false;
        }
        let column = Column::parse(payload, responses.shape().extended_metadata)?;
        self.suspicious |= column.can_hold_pointer() && index.has_external();
        let origin = origin::translated(index, &column, view)?;
        Some(origin.table.column_path(origin.position))
    }

    /// Whether the rows of this result are to be searched.
    pub fn searches_rows(&self, responses: &Responses) -> bool {
        self.suspicious || responses.in_fetch()
    }
}

/// What the client is told in place of a pointer; `column` is its name, or what is known.
pub fn refusal(column: &str) -> Refusal {
    Refusal::unsupported(
        column,
        "a codec column's value cannot be decoded in the result of this statement",
        "select the column directly from its table, in the text protocol",
    )
}

/// Whether a row holds a pointer, in either protocol.
pub fn shows_pointer(row: &[u8]) -> bool {
    memchr::memmem::find_iter(row, b"\"hash").any(|at| {
        let before = row[..at].iter().rposition(|b| *b != b'\\');
        let Some(start) = before.filter(|start| row[*start] == b'{') else {
            return false;
        };
        match start + 1 == at {
            true => begins_with_pointer(&row[start..]),
            // Quoted within a text: MySQL's EXPLAIN writes the row of a unique key so.
            false => {
                let quoted = &row[start..row.len().min(start + ROW)];
                let plain: Vec<u8> = quoted.iter().copied().filter(|b| *b != b'\\').collect();
                begins_with_pointer(&plain)
            }
        }
    })
}

fn begins_with_pointer(text: &[u8]) -> bool {
    let object = serde_json::Deserializer::from_slice(text)
        .into_iter::<Value>()
        .next();
    let Some(Ok(object)) = object else {
        return false;
    };
    let pointer = Pointer::parse(object.to_string().as_bytes());
    pointer.is_ok_and(|p| p.path.as_str().ends_with(&p.hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_seen_in_the_spelling_of_either_server() {
        let hash = "hrhtqewftfiaxo7bsigt4mfg64";
        let mariadb = format!(
            r#"{{"hash": "{hash}", "path": "_hash/lab/{hash}", "schema": "lab", "store": "main", "size": 152}}"#
        );
        let mysql = format!(
            r#"{{"hash": "{hash}", "path": "_hash/lab/{hash}", "size": 152, "store": "main", "schema": "lab"}}"#
        );
        for pointer in [&mariadb, &mysql] {
            let row = [b"\x01x\xa0".as_slice(), pointer.as_bytes(), b"\xfb"].concat();
            assert!(shows_pointer(&row));
            for escape in [r#"\""#, r#"\\\""#] {
                let quoted = format!("select '{}' AS `d`", pointer.replace('"', escape));
                assert!(shows_pointer(quoted.as_bytes()), "{quoted}");
            }
        }
        assert!(
            !shows_pointer(&mariadb.as_bytes()[..mariadb.len() - 2]),
            "cut off"
        );
        assert!(!shows_pointer(br#"{"hash": "abc", "path": "elsewhere"}"#));
    }
}
