//! The statements of a text, and what each begins with.

use super::cursor::Cursor;
use super::lexer::{Dialect, Token, lex};

/// The statements of a text, cut at each `;`. Empty ones are left out.
///
/// The body of a stored program and a compound statement (`BEGIN NOT ATOMIC`, `IF …`) hold `;`
/// themselves. Where they end is for the server to say, so the rest of the text stays with them.
pub fn split<'a>(text: &'a [u8], tokens: &'a [Token]) -> impl Iterator<Item = &'a [Token]> {
    let mut rest = tokens;
    std::iter::from_fn(move || {
        while let [first, after @ ..] = rest
            && first.is_symbol(b';')
        {
            rest = after;
        }
        let end = match is_compound(text, rest) {
            true => rest.len(),
            false => end_of_first(rest),
        };
        let statement;
        (statement, rest) = rest.split_at(end);
        (!statement.is_empty()).then_some(statement)
    })
}

/// Where the first statement of a text ends, and where the next begins, if one follows: not where
/// nothing but white space does. Unlike [`split`] it gives all of the text, comments and empty
/// statements too.
pub fn cut(text: &[u8], dialect: Dialect) -> (usize, Option<usize>) {
    let tokens = lex(text, dialect).tokens;
    let end = match is_compound(text, &tokens) {
        true => tokens.len(),
        false => end_of_first(&tokens),
    };
    match tokens.get(end) {
        Some(semicolon) => {
            let blank = |b: &u8| b.is_ascii_whitespace() || *b == 0x0b;
            let rest = &text[semicolon.end..];
            let next = rest.iter().position(|b| !blank(b));
            (semicolon.start, next.map(|at| semicolon.end + at))
        }
        None => (text.len(), None),
    }
}

/// The first keyword of a statement in upper case, past any opening parentheses; empty if the
/// statement begins with something else.
pub fn keyword(text: &[u8], statement: &[Token]) -> String {
    let first = statement.iter().find(|token| !token.is_symbol(b'('));
    let word = first.map_or(&b""[..], |token| token.bytes(text));
    match word.iter().all(|b| b.is_ascii_alphabetic() || *b == b'_') {
        true => String::from_utf8_lossy(word).to_ascii_uppercase(),
        false => String::new(),
    }
}

/// Whether the statement may change which tables and columns there are.
pub fn is_ddl(text: &[u8], statement: &[Token]) -> bool {
    Cursor::new(text, statement).is_any_word(&["CREATE", "ALTER", "DROP", "RENAME"])
}

/// Whether the first statement of these tokens may hold further ones.
fn is_compound(text: &[u8], tokens: &[Token]) -> bool {
    let mut cursor = Cursor::new(text, tokens);
    if cursor.any_word(&["CREATE", "ALTER"]) {
        // Before the word that says what is created stand options only.
        cursor.skip_until(|at| at.is_any_word(&PROGRAMS) || at.is_any_word(&OTHER_OBJECTS));
        return cursor.is_any_word(&PROGRAMS);
    }
    let labelled = tokens.get(1).is_some_and(|token| token.is_symbol(b':'));
    labelled
        || cursor.are_words(&["BEGIN", "NOT"])
        || cursor.is_any_word(&["IF", "CASE", "LOOP", "REPEAT", "WHILE", "FOR", "DECLARE"])
}

const PROGRAMS: [&str; 5] = ["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"];

/// What else `CREATE` and `ALTER` work on, so that `CREATE TABLE event` is not mistaken.
const OTHER_OBJECTS: [&str; 14] = [
    "TABLE",
    "VIEW",
    "INDEX",
    "DATABASE",
    "SCHEMA",
    "USER",
    "ROLE",
    "SERVER",
    "SEQUENCE",
    "TABLESPACE",
    "LOGFILE",
    "RESOURCE",
    "INSTANCE",
    "LIBRARY",
];

fn end_of_first(tokens: &[Token]) -> usize {
    (tokens.iter().position(|token| token.is_symbol(b';'))).unwrap_or(tokens.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<&str> {
        let tokens = lex(text.as_bytes(), Dialect::default()).tokens;
        split(text.as_bytes(), &tokens)
            .map(|part| &text[part[0].start..part[part.len() - 1].end])
            .collect()
    }

    fn of(text: &str) -> (String, bool) {
        let tokens = lex(text.as_bytes(), Dialect::default()).tokens;
        let text = text.as_bytes();
        (keyword(text, &tokens), is_ddl(text, &tokens))
    }

    #[test]
    fn statements_end_at_semicolons() {
        assert_eq!(
            parts("a b ; 'c;d' ;; `e;f` -- ;\n;"),
            ["a b", "'c;d'", "`e;f`"]
        );
        assert_eq!(
            parts("begin; insert; commit"),
            ["begin", "insert", "commit"]
        );
        assert_eq!(parts(" ; "), Vec::<&str>::new());
        assert_eq!(
            parts("create table t (`event` int, function int); b").len(),
            2
        );
    }

    #[test]
    fn a_text_is_cut_as_it_is_written() {
        let cut = |text: &str| {
            let (end, next) = super::cut(text.as_bytes(), Dialect::default());
            (
                text[..end].to_owned(),
                next.map(|next| text[next..].to_owned()),
            )
        };
        let both = |first: &str, next: &str| (first.to_owned(), Some(next.to_owned()));
        let only = |first: &str| (first.to_owned(), None);
        assert_eq!(
            cut("a /* ; */ ';' ;\n b; c"),
            both("a /* ; */ ';' ", "b; c")
        );
        assert_eq!(cut("/* x */ a; -- b"), both("/* x */ a", "-- b"));
        assert_eq!(cut("a;;b"), both("a", ";b"));
        assert_eq!(cut(";b"), both("", "b"));
        assert_eq!(cut("a; \n"), only("a"));
        assert_eq!(cut("a -- ;"), only("a -- ;"));
        assert_eq!(cut(""), only(""));
        let body = "create procedure p() begin a; b; end; c";
        assert_eq!(cut(body), only(body));
    }

    #[test]
    fn a_body_with_semicolons_is_not_cut() {
        for text in [
            "create definer=`a`@`b` procedure p() begin a; b; end; c",
            "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN a; b; END",
            "create trigger t before insert on u for each row begin a; end",
            "ALTER EVENT e DO BEGIN a; b; END",
            "begin not atomic a; b; end",
            "if a then b; end if",
            "x: loop a; end loop",
        ] {
            assert_eq!(parts(text), [text]);
        }
        assert_eq!(parts("a; create procedure p() begin b; c; end").len(), 2);
    }

    #[test]
    fn keywords() {
        assert_eq!(of("/* a */ select 1"), ("SELECT".into(), false));
        assert_eq!(of("((select 1))"), ("SELECT".into(), false));
        assert_eq!(of("create table t (a int)"), ("CREATE".into(), true));
        assert_eq!(of("Rename table a to b"), ("RENAME".into(), true));
        assert_eq!(of("/*!40000 ALTER TABLE t */"), ("ALTER".into(), true));
        assert_eq!(of("'x'"), (String::new(), false));
        assert_eq!(of(""), (String::new(), false));
    }
}
