//! Any bytes in any form of literal come out equal.

use proptest::prelude::*;

use super::forms::{ALL_FORMS, write};
use super::*;

fn read_as(dialect: Dialect, text: &[u8]) -> Option<Vec<u8>> {
    let tokens = lexer::lex(text, dialect).tokens;
    let literal = Literal::parse(&Bytes::copy_from_slice(text), &tokens, dialect)?;
    let value = literal.chunks(1 << 20).collect::<Vec<_>>().concat();
    assert_eq!(literal.decoded_len(), value.len() as u64);
    Some(value)
}

fn read(text: &str) -> Option<Vec<u8>> {
    read_as(Dialect::default(), text.as_bytes())
}

#[test]
fn escapes() {
    let value = b"\0'\"\x08\n\r\t\x1a\\\\%\\_q\xc3\xa9";
    assert_eq!(
        read(r#"'\0\'\"\b\n\r\t\Z\\\%\_\q\é'"#),
        Some(value.to_vec())
    );
    assert_eq!(read(r#"'a''b"c'"#), Some(b"a'b\"c".to_vec()));
    assert_eq!(read(r#""a""b'c""#), Some(b"a\"b'c".to_vec()));
    let plain = Dialect {
        no_backslash_escapes: true,
        ..Dialect::default()
    };
    assert_eq!(read_as(plain, br"'\0''\'"), Some(br"\0'\".to_vec()));
}

#[test]
fn hexadecimal_and_bits() {
    assert_eq!(read("X'00fFA9'"), Some(vec![0x00, 0xff, 0xa9]));
    assert_eq!(read("x''"), Some(vec![]));
    assert_eq!(read("0x123"), Some(vec![0x01, 0x23]));
    assert_eq!(read("b'1'"), Some(vec![1]));
    assert_eq!(read("b''"), Some(vec![]));
    assert_eq!(read("0b100000011"), Some(vec![1, 3]));
    for refused in [
        "X'1'",
        "X'0g'",
        "b'2'",
        "X'00' X'00'",
        "X'00' 'a'",
        "'a' X'00'",
    ] {
        assert_eq!(read(refused), None, "{refused}");
    }
}

#[test]
fn what_may_stand_around_a_literal() {
    for text in [
        "_binary'a'",
        "_BINARY 'a'",
        "_utf8mb4 X'61'",
        "_latin1 0x61",
        "('a')",
        "( ( 'a' ) )",
        "(_binary'a')",
    ] {
        assert_eq!(read(text), Some(b"a".to_vec()), "{text}");
    }
    assert_eq!(read("'a' \"b\"\n'c'"), Some(b"abc".to_vec()));
}

#[test]
fn what_is_not_a_literal() {
    for text in [
        "",
        "()",
        "1",
        "NULL",
        "DEFAULT",
        "N 'a'",
        "N\"a\"",
        "_gbk N'a'",
        "n 'a'",
        "_nocharset'a'",
        "_utf16'a'",
        "_binary",
        "-'a'",
        "'a' COLLATE utf8mb4_bin",
        "'a' + 1",
        "UNHEX('00')",
        "@a",
        "`a`",
        "'a', 'b'",
        "('a'",
        "'a",
        r"'a\'",
        "'a' /*! 'b' */",
        "(/*! 'a' */)",
        "'a' /* */ 'b'",
        "'a' _binary'b'",
        "('a') 'b'",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    let ansi = Dialect {
        ansi_quotes: true,
        ..Dialect::default()
    };
    assert_eq!(read_as(ansi, b"\"a\""), None);
}

#[test]
fn long_runs_are_slices_of_the_statement() {
    let body = "x".repeat(100_000);
    let text = Bytes::from(format!("'{body}\\n{body}'"));
    let tokens = lexer::lex(&text, Dialect::default()).tokens;
    let literal = Literal::parse(&text, &tokens, Dialect::default()).unwrap();
    let inside = text.as_ptr_range();
    let (slices, copies): (Vec<_>, Vec<_>) = literal
        .chunks(64 << 10)
        .partition(|piece| inside.contains(&piece.as_ptr()));
    assert_eq!(slices.iter().map(Bytes::len).sum::<usize>(), 200_000);
    assert_eq!(copies, [Bytes::from_static(b"\n")]);
    assert!(slices.iter().all(|piece| piece.len() <= 64 << 10));
}

#[test]
fn quoting_for_a_rewritten_statement() {
    for (value, written) in [
        (r#"{"a": 1}"#, r#"_utf8mb4'{"a": 1}'"#),
        (r"o'n\u00e9", r"_utf8mb4'o''n\\u00e9'"),
        ("é", "_utf8mb4 X'c3a9'"),
    ] {
        let mut out = Vec::new();
        quote_ascii(&mut out, value, Dialect::default());
        assert_eq!(String::from_utf8_lossy(&out), written);
    }
}

#[test]
fn the_character_set_is_what_the_literal_says() {
    let charset = |text: &str| {
        let tokens = lexer::lex(text.as_bytes(), Dialect::default()).tokens;
        let literal = Literal::parse(
            &Bytes::copy_from_slice(text.as_bytes()),
            &tokens,
            Dialect::default(),
        );
        literal.unwrap().charset()
    };
    assert_eq!(charset("'a'"), None);
    assert_eq!(charset("_latin1 'a'"), Some("latin1"));
    assert_eq!(charset("(_UTF8MB4 X'61')"), Some("utf8mb4"));
    assert_eq!(charset("X'61'"), Some("binary"));
    assert_eq!(charset("0b1"), Some("binary"));
}

fn dialects() -> impl Strategy<Value = Dialect> {
    any::<(bool, bool)>().prop_map(|(ansi_quotes, no_backslash_escapes)| Dialect {
        ansi_quotes,
        no_backslash_escapes,
        ..Dialect::default()
    })
}

/// Values with many bytes that need an escape, and now and then a long run without.
fn values() -> impl Strategy<Value = Vec<u8>> {
    let telling = prop::sample::select(b"'\"\\%_\0\n\r\t\x08\x1a0Zbnrt".to_vec());
    let byte = prop_oneof![1 => telling, 1 => any::<u8>()];
    let stretch = prop_oneof![
        8 => prop::collection::vec(byte, 0..40),
        1 => (any::<u8>(), 4000..10_000usize).prop_map(|(byte, n)| vec![byte; n]),
    ];
    prop::collection::vec(stretch, 0..4).prop_map(|stretches| stretches.concat())
}

proptest! {
    #[test]
    fn any_bytes_in_any_form_come_out_equal(
        value in values(), dialect in dialects(), chunk in prop_oneof![1..50usize, 4000..9000usize], n in 0..60usize
    ) {
        for form in ALL_FORMS {
            let text = Bytes::from(write(form, &value, dialect));
            let lexed = lexer::lex(&text, dialect);
            prop_assert!(!lexed.unterminated);
            let literal = Literal::parse(&text, &lexed.tokens, dialect);
            prop_assert!(literal.is_some(), "{form:?}");
            let literal = literal.unwrap();
            let pieces: Vec<Bytes> = literal.chunks(chunk).collect();
            prop_assert!(pieces.iter().all(|piece| (1..=chunk).contains(&piece.len())));
            prop_assert_eq!(pieces.concat(), &value[..], "{:?}", form);
            prop_assert_eq!(literal.decoded_len(), value.len() as u64);
            prop_assert_eq!(literal.head(n), &value[..value.len().min(n)]);
        }
    }

    #[test]
    fn quoted_text_comes_out_equal(value in any::<String>(), dialect in dialects()) {
        let mut text = Vec::new();
        quote_ascii(&mut text, &value, dialect);
        prop_assert!(text.is_ascii());
        prop_assert_eq!(read_as(dialect, &text), Some(value.into_bytes()));
    }

    #[test]
    fn quoted_bytes_come_out_equal(value in values(), dialect in dialects(), plain: bool) {
        let mut text = Vec::new();
        quote_bytes(&mut text, &value, dialect, plain);
        prop_assert!(plain || text.is_ascii());
        prop_assert_eq!(read_as(dialect, &text), Some(value));
    }

    #[test]
    fn any_tokens_are_read_or_left_alone(text in prop::collection::vec(any::<u8>(), 0..60), dialect in dialects()) {
        for token in lexer::lex(&text, dialect).tokens {
            if let Some(literal) = Literal::parse(&Bytes::from(text.clone()), &[token], dialect) {
                prop_assert_eq!(literal.chunks(7).map(|c| c.len() as u64).sum::<u64>(), literal.decoded_len());
            }
        }
    }
}

#[test]
fn a_plain_value_is_its_bytes() {
    for len in [0, 1, 9999] {
        let value: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
        let literal = Literal::plain(value.clone().into(), Some("binary"));
        assert_eq!(literal.decoded_len(), len as u64);
        assert_eq!(literal.charset(), Some("binary"));
        for chunk in [1, 4096, 10_000] {
            let pieces: Vec<Bytes> = literal.chunks(chunk).collect();
            assert!(pieces.iter().all(|p| !p.is_empty() && p.len() <= chunk));
            assert_eq!(pieces.concat(), value);
        }
        assert_eq!(literal.head(5), value[..value.len().min(5)]);
    }
}
