//! The lexer over what clients send, and over anything.

use proptest::prelude::*;

use super::*;
use TokenKind::*;

const ANSI: Dialect = Dialect {
    ansi_quotes: true,
    no_backslash_escapes: false,
    server: Server::Unknown,
    letters: Letters::Plain,
    converts: false,
};
const PLAIN: Dialect = Dialect {
    ansi_quotes: false,
    no_backslash_escapes: true,
    server: Server::Unknown,
    letters: Letters::Plain,
    converts: false,
};

fn cut_as(dialect: Dialect, text: &str) -> Vec<(TokenKind, &str)> {
    lex(text.as_bytes(), dialect)
        .tokens
        .iter()
        .map(|t| (t.kind, &text[t.start..t.end]))
        .collect()
}

fn cut(text: &str) -> Vec<(TokenKind, &str)> {
    cut_as(Dialect::default(), text)
}

fn words(text: &str) -> Vec<&str> {
    cut(text).into_iter().map(|(_, w)| w).collect()
}

#[test]
fn the_kinds_of_a_statement() {
    assert_eq!(
        cut("INSERT INTO `a`.b VALUES (1,'x',X'0f',b'01',@v)"),
        [
            (Word, "INSERT"),
            (Word, "INTO"),
            (QuotedName, "`a`"),
            (Symbol(b'.'), "."),
            (Word, "b"),
            (Word, "VALUES"),
            (Symbol(b'('), "("),
            (Number, "1"),
            (Symbol(b','), ","),
            (Text, "'x'"),
            (Symbol(b','), ","),
            (Hex, "X'0f'"),
            (Symbol(b','), ","),
            (Bits, "b'01'"),
            (Symbol(b','), ","),
            (Variable, "@v"),
            (Symbol(b')'), ")"),
        ]
    );
}

#[test]
fn a_literal_ends_at_its_own_quote() {
    assert_eq!(
        words(r"'a\'b' 'c''d' 'e\\' 'f'"),
        [r"'a\'b'", "'c''d'", r"'e\\'", "'f'"]
    );
    assert_eq!(
        words(r#""a'b" "c""d" "e\"f" g"#),
        [r#""a'b""#, r#""c""d""#, r#""e\"f""#, "g"]
    );
    assert_eq!(cut_as(PLAIN, r"'a\' b"), [(Text, r"'a\'"), (Word, "b")]);
    assert_eq!(
        cut_as(ANSI, r#""a\" b"#),
        [(QuotedName, r#""a\""#), (Word, "b")]
    );
    assert_eq!(cut(r"`a``b\` c"), [(QuotedName, r"`a``b\`"), (Word, "c")]);
}

#[test]
fn numbers_and_names_that_look_like_numbers() {
    for number in [
        "1", "1.", ".5", "1.5", "1e5", "1E+5", "1.5e-3", ".5e1", "1.e2",
    ] {
        assert_eq!(cut(number), [(Number, number)]);
    }
    for name in [
        "1a", "1e", "1ea", "0X1f", "0x", "0xg", "0b2", "0B1", "$a", "_x", "1_",
    ] {
        assert_eq!(cut(name), [(Word, name)]);
    }
    assert_eq!(cut("é1"), [(Word, "é1")]);
    assert_eq!(cut("0x1F 0b10"), [(Hex, "0x1F"), (Bits, "0b10")]);
    assert_eq!(cut("1e5a"), [(Number, "1e5"), (Word, "a")]);
    assert_eq!(cut("1.5a"), [(Number, "1.5"), (Word, "a")]);
}

#[test]
fn after_a_dot_stands_a_name() {
    assert_eq!(words("db.1table"), ["db", ".", "1table"]);
    assert_eq!(words("db.1e5.0x1f"), ["db", ".", "1e5", ".", "0x1f"]);
    assert_eq!(
        cut("t.x'a'"),
        [(Word, "t"), (Symbol(b'.'), "."), (Word, "x"), (Text, "'a'")]
    );
    // Apart from the name, or after a quoted one, a point begins a number.
    assert_eq!(words("a .5"), ["a", ".5"]);
    assert_eq!(words("`a`.5"), ["`a`", ".5"]);
}

#[test]
fn comments_are_left_out() {
    assert_eq!(
        words("a /* ' */ b -- c '\nd # e '\nf --g"),
        ["a", "b", "d", "f", "-", "-", "g"]
    );
    assert_eq!(words("a --\nb --"), ["a", "b"]);
    assert_eq!(words("a /**/ b /*/ c */ d"), ["a", "b", "d"]);
    assert_eq!(words("a # b\0c"), ["a", "\0", "c"]);
}

#[test]
fn executable_comments_are_looked_into() {
    for text in [
        "/*! a */ b",
        "/*!50000 a*/b",
        "/*!100100a*/b",
        "/*M! a */ b",
        "/*M!100100 a */ b",
    ] {
        assert_eq!(words(text), ["a", "b"], "{text}");
    }
    assert_eq!(words("/*!1234 a*/ b"), ["1234", "a", "b"]);
    assert_eq!(
        words("/*! a /* c */ '*/' */ b * /"),
        ["a", "'*/'", "b", "*", "/"]
    );
    assert_eq!(words("a */ b"), ["a", "*", "/", "b"]);
    assert!(!lex(b"/*! a */", Dialect::default()).conditional);
    assert!(lex(b"/*!99999 a */", Dialect::default()).conditional);
    assert!(lex(b"/*M! a */", Dialect::default()).conditional);
}

/// Which part of a text is code, by the server that reads it; as MariaDB 10.11.19 and MySQL 9.7.0
/// have been seen to take it.
#[test]
fn executable_comments_are_for_some_servers() {
    let mariadb = Server::of_version(b"5.5.5-10.11.19-MariaDB-0+deb12u1");
    let mysql = Server::of_version(b"9.7.0-1");
    assert_eq!(
        (mariadb, mysql),
        (Server::MariaDb(101_119), Server::MySql(90_700))
    );
    for (text, in_mariadb, in_mysql) in [
        ("a /*! b */ c", "a b c", "a b c"),
        ("a /*!40001 b */ c", "a b c", "a b c"),
        ("a /*!50700 b */ c", "a c", "a b c"),
        ("a /*!80016 b */ c", "a c", "a b c"),
        ("a /*!99999 b */ c", "a c", "a c"),
        ("a /*!100100 b */ c", "a b c", "a c"),
        ("a /*!101120 b */ c", "a c", "a c"),
        ("a /*!999999 b */ c", "a c", "a c"),
        ("a /*M! b */ c", "a b c", "a c"),
        ("a /*M!100100 b */ c", "a b c", "a c"),
        ("a /*M!80016 b */ c", "a b c", "a c"),
        ("a /*M!999999\\- b */ c", "a c", "a c"),
        ("a /*!99999 b /* c */ d */ e", "a e", "a e"),
        ("a /*!99999 b * / '*/ c", "a c", "a c"),
        ("a /*!40001 b /* c */ d */ e", "a b d e", "a b d e"),
    ] {
        for (server, code) in [(mariadb, in_mariadb), (mysql, in_mysql)] {
            let dialect = Dialect {
                server,
                ..Dialect::default()
            };
            let lexed = lex(text.as_bytes(), dialect);
            let words: Vec<_> = lexed.tokens.iter().map(|t| &text[t.start..t.end]).collect();
            assert_eq!(words.join(" "), code, "{server:?}: {text}");
            assert!(!lexed.conditional && !lexed.unterminated, "{text}");
        }
    }
    for text in ["/*!99999 a", "/*!99999 a /* b", "/*M!999999 a /"] {
        let dialect = Dialect {
            server: mariadb,
            ..Dialect::default()
        };
        assert!(lex(text.as_bytes(), dialect).unterminated, "{text}");
    }
    for strange in [&b""[..], b"x", b"10", b"8.0", b"8.0.x"] {
        assert_eq!(Server::of_version(strange), Server::Unknown);
    }
}

#[test]
fn variables() {
    assert_eq!(words("@a:=1"), ["@a", ":=", "1"]);
    assert_eq!(
        words("@`a b` @'c d' @\"e\" @f.g"),
        ["@`a b`", "@'c d'", "@\"e\"", "@f.g"]
    );
    assert_eq!(
        words("@@sql_mode @@global.x @@`y`"),
        ["@@sql_mode", "@@global", ".", "x", "@@`y`"]
    );
    assert_eq!(words("'u'@'h' u@h"), ["'u'", "@'h'", "u", "@h"]);
}

#[test]
fn what_is_left_open_runs_to_the_end() {
    for text in [
        "'a", r"'a\'", "'a''", "X'0", "`a", "\"a", "/* a", "/*! a", "@'a", r"'\",
    ] {
        assert!(
            lex(text.as_bytes(), Dialect::default()).unterminated,
            "{text}"
        );
    }
    for text in ["'a'", "X'0'", "/* a */", "/*! a */", "-- a", ""] {
        assert!(
            !lex(text.as_bytes(), Dialect::default()).unterminated,
            "{text}"
        );
    }
    assert_eq!(words("a 'b c"), ["a", "'b c"]);
}

#[test]
fn names_without_their_quotes() {
    for (written, name) in [
        ("a", "a"),
        ("`a`", "a"),
        ("`a``b`", "a`b"),
        ("````", "`"),
        ("``", ""),
    ] {
        let tokens = lex(written.as_bytes(), Dialect::default()).tokens;
        assert_eq!(name_text(written.as_bytes(), &tokens[0]), name.as_bytes());
    }
    let tokens = lex(b"\"a\"\"b\"", ANSI).tokens;
    assert_eq!(name_text(b"\"a\"\"b\"", &tokens[0]), &b"a\"b"[..]);
}

fn dialects() -> impl Strategy<Value = Dialect> {
    any::<(bool, bool)>().prop_map(|(ansi_quotes, no_backslash_escapes)| Dialect {
        ansi_quotes,
        no_backslash_escapes,
        ..Dialect::default()
    })
}

/// Bytes among which those that mean something to the lexer are frequent.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let telling = prop::sample::select(b"'\"`\\/*!-#@.:=\n 0x1eEXbBNM5\0_$".to_vec());
    prop::collection::vec(prop_oneof![3 => telling, 1 => any::<u8>()], 0..60)
}

proptest! {
    #[test]
    fn tokens_are_in_order_and_gaps_hold_no_token(text in texts(), dialect in dialects()) {
        let mut at = 0;
        for token in Lexer::new(&text, dialect) {
            prop_assert!(token.start >= at && token.end > token.start && token.end <= text.len());
            let gap = &text[at..token.start];
            let executable = memmem::find(gap, b"/*").is_some() || memmem::find(gap, b"*/").is_some();
            prop_assert!(executable || lex(gap, dialect).tokens.is_empty());
            name_text(&text, &token);
            at = token.end;
        }
    }

    #[test]
    fn a_closed_text_is_cut_alike_wherever_it_stands(text in texts(), dialect in dialects()) {
        let alone = lex(&text, dialect);
        if alone.unterminated {
            return Ok(());
        }
        let mut longer = b"select ".to_vec();
        longer.extend_from_slice(&text);
        let tokens: Vec<_> = lex(&longer, dialect).tokens.iter().skip(1)
            .map(|t| Token { start: t.start - 7, end: t.end - 7, ..*t }).collect();
        prop_assert_eq!(tokens, alone.tokens);
    }
}
