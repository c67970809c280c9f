//! A listing, whoever shows it.

/// Rows under the names of their columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// The columns.
    pub columns: &'static [Column],
    /// One cell for each column; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// The column that LIKE is about.
    pub key: usize,
}

/// A column of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    /// As it is shown.
    pub name: &'static str,
    /// Whether it holds whole numbers.
    pub number: bool,
}

/// A column of text.
pub(super) const fn text(name: &'static str) -> Column {
    Column {
        name,
        number: false,
    }
}

/// A column of whole numbers.
pub(super) const fn number(name: &'static str) -> Column {
    Column { name, number: true }
}

impl Table {
    /// A listing without rows, whose first column is the one for LIKE.
    pub fn new(columns: &'static [Column]) -> Self {
        Self {
            columns,
            rows: Vec::new(),
            key: 0,
        }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len());
        self.rows.push(cells.map(Some).into());
    }

    /// Leaves only the rows that a LIKE pattern fits.
    pub fn like(mut self, pattern: &str) -> Self {
        let key = self.key;
        self.rows
            .retain(|row| row[key].as_deref().is_some_and(|cell| like(pattern, cell)));
        self
    }
}

/// Whether a pattern of SQL's LIKE fits a text, whatever the case: `%` is any text, `_` any
/// character, a backslash takes the meaning from the one after it.
fn like(pattern: &str, text: &str) -> bool {
    let fold = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let (pattern, text) = (fold(pattern), fold(text));
    // Where to go on if what follows the last % does not fit.
    let (mut p, mut t, mut back) = (0, 0, None);
    loop {
        match pattern.get(p) {
            Some('%') => {
                p += 1;
                back = Some((p, t));
                continue;
            }
            None if t == text.len() => return true,
            Some('_') if t < text.len() => {
                p += 1;
                t += 1;
                continue;
            }
            Some('\\') if pattern.get(p + 1).is_some() && pattern.get(p + 1) == text.get(t) => {
                p += 2;
                t += 1;
                continue;
            }
            Some(c) if *c != '\\' && text.get(t) == Some(c) => {
                p += 1;
                t += 1;
                continue;
            }
            _ => {}
        }
        match &mut back {
            Some((after, from)) if *from < text.len() => {
                *from += 1;
                (p, t) = (*after, *from);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_is_that_of_sql() {
        for (pattern, text, fits) in [
            ("%", "", true),
            ("", "", true),
            ("", "a", false),
            ("a%", "Abc", true),
            ("%bytes", "row_bytes", true),
            ("limits.%\\_bytes", "limits.row_bytes", true),
            ("a_c", "abc", true),
            ("a\\_c", "abc", false),
            ("a\\_c", "a_c", true),
            ("%a%b%", "xxaxxbx", true),
            ("%a%b", "xxaxxbx", false),
            ("_", "", false),
            ("%é", "É", true),
        ] {
            assert_eq!(like(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_that_backtracks_ends() {
        let pattern = "%a".repeat(40) + "b";
        assert!(!like(&pattern, &"a".repeat(2000)));
    }
}
