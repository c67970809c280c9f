//! A fast search for table names in the text of a statement.
//!
//! It runs over every statement of every client, most of which name no codec table, and over
//! the bytes of long literals too. So it looks for short pieces of the names with SIMD and may
//! find too much, never too little; the lexer then confirms.

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::index::NameCase;

/// Bytes of a name that are searched for: as many as give few enough different needles.
const NEEDLE: std::ops::RangeInclusive<usize> = 3..=12;

/// Needles that one SIMD search takes.
const PACKED: usize = 64;

/// From this length on the lexer is faster than the automaton.
const LONG: usize = 16 << 10;

/// Finds texts that may name one of a set of tables.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    search: Search,
    /// Some name has no ASCII to search for: any text that is not ASCII may name it.
    non_ascii: bool,
}

#[derive(Debug, Default)]
enum Search {
    #[default]
    Nothing,
    /// SIMD (Teddy), 8 GB/s and more; some hundred names can do with it too, since they are
    /// searched for by few different beginnings.
    Packed(packed::Searcher),
    /// Very many names, or names without regard to case: an automaton, 0.3 GB/s.
    Automaton(AhoCorasick),
    /// The automaton could not be built: everything may be a name.
    Everything,
}

impl Matcher {
    pub fn new<'a>(names: impl Iterator<Item = &'a str>, case: NameCase) -> Self {
        let mut needles = Vec::new();
        let mut non_ascii = false;
        for name in names {
            match needle(name) {
                Some(needle) => needles.push(needle.to_vec()),
                None => non_ascii = true,
            }
        }
        if case == NameCase::Insensitive && !needles.is_empty() {
            // Two characters outside ASCII whose lower case is ASCII: k and i.
            needles.extend(["\u{212a}", "\u{130}"].map(|c| c.as_bytes().to_vec()));
        }
        Self {
            search: Search::new(needles, case),
            non_ascii,
        }
    }

    pub fn finds(&self, text: &[u8]) -> bool {
        let found = match &self.search {
            Search::Nothing => false,
            Search::Packed(searcher) => searcher.find(text).is_some(),
            Search::Automaton(automaton) => text.len() >= LONG || automaton.is_match(text),
            Search::Everything => true,
        };
        found || (self.non_ascii && !text.is_ascii())
    }
}

impl Search {
    fn new(needles: Vec<Vec<u8>>, case: NameCase) -> Self {
        if needles.is_empty() {
            return Self::Nothing;
        }
        let needles = few(needles);
        if case == NameCase::Sensitive
            && needles.len() <= PACKED
            && let Some(searcher) = packed::Searcher::new(&needles)
        {
            return Self::Packed(searcher);
        }
        AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .kind(Some(AhoCorasickKind::DFA))
            .ascii_case_insensitive(case == NameCase::Insensitive)
            .build(&needles)
            .map_or(Self::Everything, Self::Automaton)
    }
}

/// The piece of `name` that stands in any statement that names it, whatever the quoting (which
/// doubles quotes) and the client's character set (which spells other than ASCII otherwise).
fn needle(name: &str) -> Option<&[u8]> {
    let elsewhere_spelt = |b: &u8| matches!(b, b'`' | b'"') || !b.is_ascii();
    let longest = name
        .as_bytes()
        .split(elsewhere_spelt)
        .max_by_key(|run| run.len())?;
    match longest.len() {
        0 if name.is_ascii() => Some(&name.as_bytes()[..name.len().min(1)]),
        0 => None,
        n => Some(&longest[..n.min(*NEEDLE.end())]),
    }
}

/// The needles cut to the greatest length at which few enough differ, without those that
/// contain another one.
fn few(needles: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    for length in NEEDLE.rev() {
        let mut cut = needles.clone();
        cut.iter_mut().for_each(|needle| needle.truncate(length));
        cut.sort_unstable();
        cut.dedup();
        if cut.len() <= PACKED {
            return shortest(cut);
        }
    }
    needles
}

/// The needles without those that contain another one.
fn shortest(mut needles: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    needles.sort_by_key(Vec::len);
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for needle in needles {
        let contained = |k: &Vec<u8>| memchr::memmem::find(&needle, k).is_some();
        if !needle.is_empty() && !kept.iter().any(contained) {
            kept.push(needle);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(names: &[&str]) -> Matcher {
        Matcher::new(names.iter().copied(), NameCase::Sensitive)
    }

    #[test]
    fn finds_names_however_they_are_spelt() {
        let m = matcher(&["__session", "a`b", "größe", "日本", "__session_part"]);
        for text in [
            &b"SELECT 1 FROM __session"[..],
            b"SELECT 1 FROM `lab`.`__session_part`",
            b"SELECT 1 FROM `a``b`",
            b"SELECT 1 FROM gr\xf6\xdfe",
            "SELECT 1 FROM größe".as_bytes(),
            "SELECT 1 FROM 日本".as_bytes(),
            b"SELECT 1 FROM `\x93\xfa\x96{`",
        ] {
            assert!(m.finds(text), "{}", String::from_utf8_lossy(text));
        }
        // `a`b` and `größe` leave one and two letters to search for.
        assert!(!m.finds(b"DO 1"));
    }

    #[test]
    fn an_empty_catalog_finds_nothing() {
        assert!(!matcher(&[]).finds("SELECT 'é' FROM t".as_bytes()));
        assert!(!Matcher::default().finds(b"SELECT 1"));
    }

    #[test]
    fn names_of_quotes_only_are_found() {
        assert!(matcher(&["`"]).finds(b"SELECT 1 FROM ````"));
    }

    #[test]
    fn many_names_are_found() {
        let alike: Vec<String> = (0..1000).map(|i| format!("table_{i:04}_x")).collect();
        let m = Matcher::new(alike.iter().map(String::as_str), NameCase::Sensitive);
        assert!(matches!(m.search, Search::Packed(_)));
        assert!(m.finds(b"SELECT 1 FROM `s`.`table_0999_x`"));
        assert!(!m.finds(b"SELECT 1 FROM `s`.`tavle_0999_x`"));
        let different: Vec<String> = (0..1000).map(|i| format!("{i:03}_table")).collect();
        let m = Matcher::new(different.iter().map(String::as_str), NameCase::Sensitive);
        assert!(matches!(m.search, Search::Automaton(_)));
        assert!(m.finds(b"SELECT 1 FROM `s`.`999_table`"));
        assert!(!m.finds(b"SELECT 1 FROM `s`.`x99_table`"));
    }

    #[test]
    fn case_is_disregarded_where_the_server_does() {
        let m = Matcher::new(["Session"].into_iter(), NameCase::Insensitive);
        assert!(m.finds(b"SELECT 1 FROM SESSION"));
        assert!(m.finds("SELECT 1 FROM ses\u{130}on".as_bytes()));
        assert!(!m.finds(b"SELECT 1 FROM other"));
    }
}
