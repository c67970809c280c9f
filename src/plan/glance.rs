//! The first look at every statement: at its keywords and for names of codec tables.

use memchr::{memchr, memchr_iter, memmem};

use super::{Glance, words};
use crate::catalog::Index;
use crate::view::View;

/// Whether a statement can be sent without a closer look. Called for every statement.
///
/// It reads the first keyword and searches the text for table names; nothing is allocated and
/// nothing is parsed. [`Glance::Pass`] is certain, in any client character set that keeps
/// ASCII; [`Glance::Examine`] is not. `several` says that the text may hold several statements.
pub fn glance(text: &[u8], index: &Index, view: View, several: bool) -> Glance {
    let first = keyword(text);
    let more = || (several || first != Keyword::Plain) && follows(text, view);
    let examine = match (view, first) {
        (_, Keyword::Ddl | Keyword::Describe) => true,
        (View::Stored, _) => more(),
        (View::Bytes | View::Json, _) if index.is_empty() => more(),
        (View::Bytes | View::Json, Keyword::Dynamic) => true,
        (View::Bytes | View::Json, _) => index.mentions(text) || more(),
    };
    let describes = !index.is_empty() && (view != View::Stored || index.is_mariadb());
    match examine || words::mentioned(text, describes) {
        true => Glance::Examine,
        false => Glance::Pass,
    }
}

/// What the first keyword of a statement means for the first look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keyword {
    /// May change the catalog.
    Ddl,
    /// May describe columns.
    Describe,
    /// Runs statements that are written elsewhere, or reads tables by names given before.
    Dynamic,
    /// One statement to the text's end, unless the client may send several.
    Plain,
    /// Anything else; a compound statement holds others.
    Other,
}

/// Whether a later statement of the text is of a kind that is looked at wherever it stands.
fn follows(text: &[u8], view: View) -> bool {
    memchr_iter(b';', text).any(|at| match keyword(&text[at + 1..]) {
        Keyword::Ddl | Keyword::Describe => true,
        Keyword::Dynamic => view != View::Stored,
        Keyword::Plain | Keyword::Other => false,
    })
}

fn keyword(text: &[u8]) -> Keyword {
    let text = skip_blank(text);
    let is = |word: &str| {
        let head = text.get(..word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
    };
    // By the first letter first: this runs for every statement.
    match text.first().map(u8::to_ascii_uppercase) {
        Some(b'C') if is("CREATE") => Keyword::Ddl,
        Some(b'C') if is("CALL") => Keyword::Dynamic,
        Some(b'A') if is("ALTER") => Keyword::Ddl,
        Some(b'D') if is("DROP") => Keyword::Ddl,
        Some(b'D') if is("DESC") => Keyword::Describe,
        Some(b'R') if is("RENAME") => Keyword::Ddl,
        Some(b'S') if is("SHOW") => Keyword::Describe,
        Some(b'E') if is("EXPLAIN") => Keyword::Describe,
        Some(b'E') if is("EXECUTE") => Keyword::Dynamic,
        Some(b'P') if is("PREPARE") => Keyword::Dynamic,
        Some(b'S') if is("SELECT") => Keyword::Plain,
        Some(b'S') if is("SET") && is_set_statement(text) => Keyword::Dynamic,
        Some(b'S') if is("SET") => Keyword::Plain,
        Some(b'H') if is("HANDLER") => Keyword::Dynamic,
        Some(b'I') if is("INSERT") => Keyword::Plain,
        Some(b'R') if is("REPLACE") => Keyword::Plain,
        Some(b'U') if is("UPDATE") => Keyword::Plain,
        Some(b'D') if is("DELETE") => Keyword::Plain,
        _ => Keyword::Other,
    }
}

/// Whether the first keyword is `ALTER`.
pub(super) fn is_alter(text: &[u8]) -> bool {
    let head = skip_blank(text).get(..b"ALTER".len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(b"ALTER"))
}

/// Whether it is a `SET STATEMENT … FOR` another statement.
fn is_set_statement(text: &[u8]) -> bool {
    const STATEMENT: &[u8] = b"STATEMENT";
    let head = skip_blank(&text[b"SET".len()..]).get(..STATEMENT.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(STATEMENT))
}

/// The text from its first keyword on: white space, comments, opening parentheses and the
/// opening of an executable comment skipped.
fn skip_blank(mut text: &[u8]) -> &[u8] {
    loop {
        let blank = |b: &u8| b.is_ascii_whitespace() || matches!(b, 0x0b | b'(');
        let start = text.iter().position(|b| !blank(b));
        text = &text[start.unwrap_or(text.len())..];
        let end = match text {
            [b'/', b'*', b'!', ..] => Some(executable(text, 3)),
            [b'/', b'*', b'M', b'!', ..] => Some(executable(text, 4)),
            [b'/', b'*', rest @ ..] => memmem::find(rest, b"*/").map(|at| at + 4),
            [b'#', ..] => memchr(b'\n', text).map(|at| at + 1),
            [b'-', b'-', c, ..] if *c <= b' ' => memchr(b'\n', text).map(|at| at + 1),
            // The end of an executable comment that held nothing.
            [b'*', b'/', ..] => Some(2),
            _ => return text,
        };
        text = &text[end.unwrap_or(text.len())..];
    }
}

/// Where the content of an executable comment begins: after the version, if it names one.
fn executable(text: &[u8], start: usize) -> usize {
    let digits = text[start..].iter().take_while(|b| b.is_ascii_digit());
    start + digits.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_keywords() {
        for (text, expected) in [
            ("SELECT 1", Keyword::Plain),
            ("insert into t", Keyword::Plain),
            ("BEGIN NOT ATOMIC", Keyword::Other),
            ("create table t", Keyword::Ddl),
            ("  \n( /* x */ -- y\n # z\n DROP", Keyword::Ddl),
            ("/*!50000 ALTER TABLE t */", Keyword::Ddl),
            ("/*M!100100 RENAME */", Keyword::Ddl),
            ("/*! */ create", Keyword::Ddl),
            ("DESCRIBE t", Keyword::Describe),
            ("show full columns from t", Keyword::Describe),
            ("--create", Keyword::Other),
            ("/* create", Keyword::Other),
            ("", Keyword::Other),
            ("execute immediate 'x'", Keyword::Dynamic),
            ("handler h read next", Keyword::Dynamic),
            ("set/**/statement x=1 for select 1", Keyword::Dynamic),
            ("set @x = 1", Keyword::Plain),
        ] {
            assert_eq!(keyword(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn later_statements_count() {
        let follows = |text: &str| {
            [View::Bytes, View::Stored].map(|view| super::follows(text.as_bytes(), view))
        };
        assert_eq!(follows("SELECT 1; /* a */ drop table t"), [true, true]);
        assert_eq!(follows("SELECT 1; execute s"), [true, false]);
        assert_eq!(follows("SELECT 1; SELECT 2"), [false, false]);
    }
}
