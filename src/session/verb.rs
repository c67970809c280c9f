//! The kind of a statement, as its first word says: for people only.

/// The kinds that are told apart.
macro_rules! verbs {
    ($($name:ident $text:literal,)*) => {
        /// The kind of a command.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        #[allow(missing_docs)]
        pub enum Verb {
            $($name,)*
        }

        const NAMES: &[&str] = &[$($text,)*];
        const ALL: &[Verb] = &[$(Verb::$name,)*];
    };
}

verbs! {
    None "",
    Other "other",
    Prepared "EXECUTE (prepared)",
    Prepare "PREPARE",
    Select "SELECT",
    Insert "INSERT",
    Update "UPDATE",
    Delete "DELETE",
    Replace "REPLACE",
    With "WITH",
    Set "SET",
    Show "SHOW",
    Begin "BEGIN",
    Start "START",
    Commit "COMMIT",
    Rollback "ROLLBACK",
    Use "USE",
    Create "CREATE",
    Alter "ALTER",
    Drop "DROP",
    Rename "RENAME",
    Truncate "TRUNCATE",
    Load "LOAD",
    Call "CALL",
    Do "DO",
    Execute "EXECUTE",
    Explain "EXPLAIN",
    Describe "DESCRIBE",
    Lock "LOCK",
    Unlock "UNLOCK",
    Optimize "OPTIMIZE",
    Analyze "ANALYZE",
    Grant "GRANT",
    Kill "KILL",
}

impl Verb {
    /// Of a text; one that begins with a comment is told by the word after it.
    pub fn of(text: &[u8]) -> Self {
        let mut text = text;
        loop {
            text = text.trim_ascii_start();
            text = text.strip_prefix(b"(").unwrap_or(text);
            match text.strip_prefix(b"/*") {
                Some(comment) => match memchr::memmem::find(comment, b"*/") {
                    Some(end) => text = &comment[end + 2..],
                    None => return Self::Other,
                },
                None => break,
            }
        }
        let end = text.iter().position(|b| !b.is_ascii_alphabetic());
        let word = &text[..end.unwrap_or(text.len())];
        let is =
            |name: &&str| name.len() == word.len() && name.as_bytes().eq_ignore_ascii_case(word);
        // The first few are no words.
        let place = NAMES.iter().skip(2).position(is);
        place.map_or(Self::Other, |at| ALL[at + 2])
    }

    /// The kind with this number.
    pub(super) fn name_of(number: u8) -> &'static str {
        NAMES.get(usize::from(number)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_tells() {
        for (text, verb) in [
            ("SELECT 1", Verb::Select),
            ("  sElEcT(1)", Verb::Select),
            ("/* lab */ insert into t", Verb::Insert),
            ("(select 1)", Verb::Select),
            ("/* open", Verb::Other),
            ("selected", Verb::Other),
            ("", Verb::Other),
            ("prepare s from 'x'", Verb::Prepare),
        ] {
            assert_eq!(Verb::of(text.as_bytes()), verb, "{text:?}");
        }
        assert_eq!(Verb::name_of(Verb::Select as u8), "SELECT");
        assert_eq!(Verb::name_of(250), "");
    }
}
