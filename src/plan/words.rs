//! The words that make a statement worth a closer look whatever its tables are.
//!
//! A text of a megabyte, most of it an array, has thousands of any one byte. So a long text is
//! searched once, for pairs of bytes that all of these words have.

use std::sync::LazyLock;

use aho_corasick::packed::Searcher;

use super::{information, settings};

/// From this length on in bytes a text is searched for pairs.
const LONG: usize = 4 << 10;

static PAIRS: LazyLock<Option<Searcher>> =
    LazyLock::new(|| Searcher::new(settings::BEGINNINGS.iter().chain(&information::RARE)));

/// Whether a text may name one of the variables `@codec_…` or, if that is of interest,
/// `information_schema.columns`; false only if it names none.
pub(super) fn mentioned(text: &[u8], with_information: bool) -> bool {
    if text.len() >= LONG
        && let Some(searcher) = &*PAIRS
    {
        return searcher.find_iter(text).any(|found| {
            let at = found.start();
            match text[at] {
                b'@' => settings::begins_name(&text[at + 1..]),
                _ => with_information && information::is_name_around(text, at),
            }
        });
    }
    settings::mentioned(text) || with_information && information::mentioned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_found_in_texts_of_any_length() {
        for filling in [0, LONG] {
            let filling = "@ m n mn @x ".repeat(filling / 12 + 1);
            for (word, is_setting, is_information) in [
                ("@codec_view", true, false),
                ("@`CODEC_view`", true, false),
                ("@code", false, false),
                ("information_schema.columns", false, true),
                ("COLUMNS", false, true),
                ("coluMns", false, true),
                ("column", false, false),
                ("", false, false),
            ] {
                for text in [
                    format!("{filling}{word}"),
                    format!("{word}{filling}"),
                    format!("{filling}{word} {filling}"),
                ] {
                    let found = [false, true].map(|with| mentioned(text.as_bytes(), with));
                    let expected = [is_setting, is_setting || is_information];
                    assert_eq!(found, expected, "{word} in {}", text.len());
                }
            }
        }
    }

    #[test]
    fn pairs_do_not_overlap_so_that_one_hides_another() {
        // A search goes on behind what it has found.
        for text in [
            "@@codec_view",
            "@'@codec_view",
            "colu@\"mn columns",
            "mmnmn columns",
        ] {
            let text = format!("{}{text}", " ".repeat(LONG));
            assert!(mentioned(text.as_bytes(), true), "{text}");
        }
    }
}
