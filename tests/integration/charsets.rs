//! Clients that write in other character sets than UTF-8, above all in those whose longer
//! characters hold bytes that look like quotes' and backslashes' relatives.

use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{noise, sql};

const MODES: [&str; 4] = [
    "",
    "ANSI_QUOTES",
    "NO_BACKSLASH_ESCAPES",
    "ANSI_QUOTES,NO_BACKSLASH_ESCAPES",
];

fn lab(lab: Lab) -> Lab {
    lab.table("t", "id INT PRIMARY KEY, data JSON COMMENT ':<hash@main>:'");
    lab.stored()
        .ok("CREATE TABLE plain (id INT PRIMARY KEY, data LONGBLOB)");
    lab
}

/// What may stand between quotes: first and second bytes of characters, and what they can be
/// mistaken for.
fn body(seed: u64) -> Vec<u8> {
    const PARTS: [&[u8]; 20] = [
        b"\\",
        b"'",
        b"''",
        b"\"",
        b"\xbf",
        b"\x81",
        b"\xfe",
        b"\xe0",
        b"\xa1",
        b"\x40",
        b"\x5c",
        b"\x60",
        b"\x30",
        b"%",
        b"_",
        b"n",
        b"\0",
        b"\xff",
        b"\x95\x5c",
        b"\x81\x30\x81\x30",
    ];
    let random = noise(seed, 14);
    let len = usize::from(random[0] % 13);
    let part = |byte: &u8| PARTS[usize::from(*byte) % PARTS.len()];
    random[1..=len].iter().flat_map(part).copied().collect()
}

fn session(client: &mut Client, charset: &str, mode: &str) {
    client.ok(format!("SET NAMES {charset}"));
    client.ok(format!("SET sql_mode = '{mode}'"));
}

/// Whatever the server stores for a literal is what the proxy stores.
fn same_as_the_server(lab: &Lab, charsets: &[&str], bodies: u64) {
    let (mut direct, mut client) = (lab.direct(), lab.bytes());
    let (mut stored, mut refused) = (0, 0);
    for (n, charset) in charsets.iter().enumerate() {
        for (m, mode) in MODES.iter().enumerate() {
            session(&mut direct, charset, mode);
            session(&mut client, charset, mode);
            for seed in 0..bodies {
                let body = body(seed * 100 + (n * 10 + m) as u64 + 1);
                let own = format!("_{charset} ");
                let prefix =
                    [&b""[..], b"", b"", b"_binary", own.as_bytes(), b"N"][seed as usize % 6];
                let literal = [prefix, b"'", &body, b"'"].concat();
                let insert =
                    |table: &[u8]| sql(&[b"INSERT INTO ", table, b" VALUES (1, ", &literal, b")"]);
                direct.ok("DELETE FROM plain");
                client.ok("DELETE FROM t");
                let expected = direct.query(insert(b"plain")).map(drop);
                let expected = expected
                    .and_then(|()| direct.query("SELECT data FROM plain"))
                    .map(|answer| answer.rows[0][0].clone());
                let found = client.query(insert(b"t")).map(drop);
                let found = found
                    .and_then(|()| client.query("SELECT data FROM t"))
                    .map(|answer| answer.rows[0][0].clone());
                match (expected, found) {
                    (Ok(expected), Ok(found)) => {
                        stored += 1;
                        assert_eq!(found, expected, "{charset} {mode} {literal:x?}");
                    }
                    // What is no text in the introducer's character set.
                    (Err(error), _) if error.code == 1300 => {}
                    (Err(_), Err(_)) => refused += 1,
                    // An expression: two strings with an operator between them.
                    (Ok(_), Err(error)) => {
                        let warned = error.message.contains("warns of its value");
                        assert!(warned, "{charset} {literal:x?} {error}");
                        assert_eq!(client.text("SELECT COUNT(*) FROM t"), "0");
                    }
                    (Err(error), Ok(_)) => panic!("{charset} {mode} {literal:x?}: {error}"),
                }
            }
        }
    }
    assert!(stored > refused / 4 && stored > 100, "{stored}, {refused}");
}

#[test]
fn literals_in_every_character_set() {
    let lab = lab(Lab::new("charsets"));
    let charsets = [
        "gbk", "sjis", "cp932", "big5", "latin1", "utf8mb4", "ujis", "euckr",
    ];
    same_as_the_server(&lab, &charsets, 60);
}

#[test]
fn literals_in_every_character_set_of_mysql() {
    if let Some(mysql) = Lab::on_mysql("charsets") {
        let charsets = ["gb18030", "gbk", "sjis", "big5", "utf8mb4"];
        same_as_the_server(&lab(mysql), &charsets, 30);
    }
}

/// Names and aliases in the client's character set, and what hides in them.
#[test]
fn names_are_made_of_characters() {
    let lab = lab(Lab::new("charset_names"));
    let mut client = lab.bytes();
    client.ok("SET NAMES gbk");
    client.ok("INSERT INTO t VALUES (1, 'x')");
    // 0xBF 0x60 is one letter: the name ends at the last quote, and `t` is a table.
    let answer = client.ok(&b"SELECT data AS `\xbf``, id AS \xbf\x5c FROM t"[..]);
    assert_eq!(answer.rows, [[Some(b"x".to_vec()), Some(b"1".to_vec())]]);
    let error = client.error(&b"SELECT '\xbf\\', HEX(data) FROM t -- '"[..]);
    assert_eq!(error.code, 1235, "{error}");
    // In latin1 the same bytes are a string that goes on to the last quote.
    client.ok("SET NAMES latin1");
    let text = client.value(&b"SELECT '\xbf\\', HEX(data) FROM t -- '"[..]);
    assert_eq!(text.as_deref(), Some(&b"\xbf', HEX(data) FROM t -- "[..]));
}

/// Where the server converts what the client writes, it says what is stored.
#[test]
fn converted_literals() {
    let lab = lab(Lab::new("converted"));
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    for set in [
        "SET character_set_client = latin1",
        "SET CHARACTER SET latin1",
        "SET NAMES utf8mb4; SET collation_connection = latin1_swedish_ci",
        "SET NAMES gbk; SET character_set_connection = utf8mb4",
    ] {
        for (literal, plain) in [
            (&b"'\xc3\xa9'"[..], false),
            (b"'abc'", true),
            (b"_binary'\xc3\xa9'", true),
        ] {
            let insert =
                |table: &[u8]| sql(&[b"REPLACE INTO ", table, b" VALUES (1, ", literal, b")"]);
            for client in [&mut client, &mut direct] {
                client.ok("SET NAMES utf8mb4");
                client.ok(set);
            }
            direct.ok(insert(b"plain"));
            let done = client.query(insert(b"t"));
            for client in [&mut client, &mut direct] {
                client.ok("SET NAMES utf8mb4");
            }
            match done {
                Ok(_) => assert_eq!(
                    client.value("SELECT data FROM t"),
                    direct.value("SELECT data FROM plain"),
                    "{set} {literal:x?}"
                ),
                Err(error) => assert!(!plain && error.code == 1235, "{set} {literal:x?} {error}"),
            }
        }
    }
}

#[test]
fn what_the_server_does_not_take() {
    let lab = lab(Lab::new("utf16"));
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    for charset in ["utf16", "ucs2", "utf32", "utf16le"] {
        for set in [
            format!("SET NAMES {charset}"),
            format!("SET character_set_client = {charset}"),
        ] {
            let (expected, found) = (direct.error(&set), client.error(&set));
            assert_eq!(
                (found.code, found.message),
                (expected.code, expected.message)
            );
        }
    }
    client.ok("INSERT INTO t VALUES (1, 'x')");
    assert_eq!(client.text("SELECT data FROM t"), "x");
}

/// Text in the json view is UTF-8 or is refused.
#[test]
fn text_of_the_json_view() {
    let lab = Lab::new("charset_json");
    lab.table("t", "id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:'");
    let mut client = lab.bytes();
    client.ok("SET @codec_view = 'json'");
    for (charset, accent) in [("latin1", &b"\xe9"[..]), ("gbk", b"\xa8\xa6")] {
        client.ok(format!("SET NAMES {charset}"));
        client.ok("REPLACE INTO t VALUES (1, '[1, \\\"\\\\u00e9\\\"]')");
        assert_eq!(client.text("SELECT data FROM t"), "[1,\"\\u00e9\"]");
        let error = client.error(sql(&[b"REPLACE INTO t VALUES (1, '\"", accent, b"\"')"]));
        assert_eq!(error.code, 1235, "{error}");
        assert!(error.message.contains("SET NAMES utf8mb4"), "{error}");
        assert_eq!(client.text("SELECT data FROM t"), "[1,\"\\u00e9\"]");
    }
}
