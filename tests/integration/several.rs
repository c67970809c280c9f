//! Several statements in one text, some of them on codec columns.

use crate::support::client::{Client, Expect, Frame, caps, com};
use crate::support::lab::Lab;
use crate::support::objects::{escaped, packed, sql};

fn lab(name: &str) -> Lab {
    let lab = Lab::new(name);
    lab.blob_table("t");
    lab.stored().ok("CREATE TABLE plain (id INT, name TEXT)");
    lab
}

fn without_eof(lab: &Lab) -> Client {
    lab.connect(
        lab.proxy.port("bytes"),
        &lab.login().capabilities(caps::COMMON),
    )
}

/// The kinds of the packets of an answer, results apart: `ok`, `err`, or columns and rows.
fn told(frames: &[Frame]) -> String {
    let mut told = String::new();
    for (at, frame) in frames.iter().enumerate() {
        assert_eq!(usize::from(frame.sequence), (at + 1) % 256, "{at}");
        told.push(match frame.body.first() {
            Some(0x00) => 'o',
            Some(0xff) => 'e',
            Some(0xfe) => 'z',
            _ => '.',
        });
    }
    told
}

#[test]
fn every_kind_in_one_text() {
    let lab = lab("several");
    let value = packed(1, 3000);
    let text = sql(&[
        b"INSERT INTO plain VALUES (1, 'a;b'); INSERT INTO t (id, data) VALUES (1, ",
        &escaped(&value),
        b"); SELECT id, data FROM t; SELECT name FROM plain; SHOW COLUMNS FROM t LIKE 'data'; \
          /* last; */ UPDATE plain SET id = 2;\n",
    ]);
    for mut client in [lab.bytes(), without_eof(&lab)] {
        client.ok("DELETE FROM t");
        client.ok("DELETE FROM plain");
        let frames = client.command(com::QUERY, &text, Expect::Results);
        let eof = client.capabilities & caps::DEPRECATE_EOF == 0;
        let expected = match eof {
            true => "oo...z.z..z.z.......z.zo",
            false => "oo....z...z........zo",
        };
        assert_eq!(told(&frames), expected);
        let row = frames.iter().find(|f| f.body.starts_with(b"\x011"));
        assert!(row.is_some_and(|row| row.body.ends_with(&value)));
        let shown = frames
            .iter()
            .any(|f| f.body.windows(8).any(|w| w == b"longblob"));
        assert!(shown, "the view of the columns");
        // The session goes on.
        assert_eq!(client.text("SELECT COUNT(*) FROM plain WHERE id = 2"), "1");
        assert!(lab.direct().text("SELECT data FROM t").contains("\"hash\""));
    }
}

/// The same as directly, where no codec is concerned: the flags of every packet.
#[test]
fn the_flags_are_the_servers() {
    let lab = lab("several_flags");
    lab.direct()
        .ok("CREATE PROCEDURE two() BEGIN SELECT 1; SELECT 2; END");
    let text = "SELECT 1 AS t; CALL two(); INSERT INTO plain VALUES (1, 't'), (2, 't'); \
                SELECT id FROM plain WHERE id = 0; DO 1";
    let codec = "SELECT id FROM t WHERE id = 0; CALL two(); \
                 INSERT INTO t (id, data) VALUES (1, 'mYm\\0x'), (2, NULL); \
                 SELECT id FROM t WHERE id = 0; DO 1";
    for bits in [caps::COMMON, caps::COMMON | caps::DEPRECATE_EOF] {
        let login = lab.login().capabilities(bits);
        let mut direct = lab.connect(lab.port, &login);
        let mut client = lab.connect(lab.proxy.port("bytes"), &login);
        client.ok("DELETE FROM t");
        let expected = direct.command(com::QUERY, text.as_bytes(), Expect::Results);
        let found = client.command(com::QUERY, codec.as_bytes(), Expect::Results);
        let ends = |frames: &[Frame]| -> Vec<Vec<u8>> {
            let is_end = |f: &&Frame| matches!(f.body[0], 0 | 0xfe);
            frames
                .iter()
                .filter(is_end)
                .map(|f| f.body.clone())
                .collect()
        };
        let (expected, mut found) = (ends(&expected), ends(&found));
        // `SELECT 1` has a row, and no table to use an index of.
        let status = |body: &mut Vec<u8>| {
            let at = if body.len() < 6 {
                3
            } else {
                body.len().min(4) - 1
            };
            body[at] &= !0x30;
        };
        let mut expected: Vec<_> = expected;
        expected.iter_mut().for_each(status);
        found.iter_mut().for_each(status);
        assert_eq!(found, expected, "{bits:x}");
    }
}

#[test]
fn nothing_runs_if_one_is_refused() {
    let lab = lab("several_refused");
    let mut client = lab.bytes();
    for text in [
        "INSERT INTO plain VALUES (1, 'x'); SELECT REVERSE(data) FROM t",
        "INSERT INTO t (id, data) VALUES (1, 'mYm\\0x'); INSERT INTO t (id, data) VALUES (1)",
        "INSERT INTO t (id, data) VALUES (1, 'mYm\\0x'); CREATE TRIGGER tr BEFORE INSERT ON t \
         FOR EACH ROW SET NEW.data = 'x'",
    ] {
        let error = client.error(text);
        assert!([1235, 1136].contains(&error.code), "{text}: {error}");
        for table in ["plain", "t"] {
            let count = client.text(format!("SELECT COUNT(*) FROM {table}"));
            assert_eq!(count, "0", "{text}");
        }
    }
}

#[test]
fn the_first_error_ends_it() {
    let lab = lab("several_errors");
    for mut client in [lab.bytes(), without_eof(&lab)] {
        client.ok("DELETE FROM t");
        client.ok("DELETE FROM plain");
        // The server's, in a statement that a codec is in.
        let text = "INSERT INTO t (id, data) VALUES (1, 'mYm\\0x'); \
                    INSERT INTO t (id, data) VALUES (1, 'mYm\\0y'); INSERT INTO plain VALUES (3, '')";
        let frames = client.command(com::QUERY, text.as_bytes(), Expect::Results);
        assert_eq!(told(&frames), "oe");
        assert_eq!(client.text("SELECT COUNT(*) FROM plain"), "0");
        assert_eq!(client.text("SELECT COUNT(*) FROM t"), "1");
        // One that only its turn shows: the value is not what the codec takes.
        let text = "SELECT id FROM t; INSERT INTO t (id, data) VALUES (2, 'no array'); DO 1";
        let frames = client.command(com::QUERY, text.as_bytes(), Expect::Results);
        assert!(told(&frames).ends_with("e"), "{}", told(&frames));
        // What is empty is an error of the server's, by one number or another.
        let error = client.error("SELECT data FROM t; ; SELECT 1");
        assert!([1064, 1065].contains(&error.code), "{error}");
        assert_eq!(client.text("SELECT 5"), "5");
    }
}

/// What a statement changes holds for those behind it.
#[test]
fn statements_change_what_the_next_mean() {
    let lab = lab("several_changes");
    let mut client = lab.bytes();
    let other = format!("{}_other", lab.database);
    lab.connect(lab.port, &crate::support::client::Login::root())
        .ok(format!(
            "CREATE DATABASE `{other}`; GRANT ALL ON `{other}`.* TO '{}'@'%'",
            lab.user
        ));
    // A table that is made on the way.
    client.ok(
        "CREATE TABLE made (id INT PRIMARY KEY, d LONGBLOB COMMENT '<blob@main> x'); \
               INSERT INTO made VALUES (1, 'mYm\\0made'); SELECT d FROM made",
    );
    assert_eq!(
        client.value("SELECT d FROM made").as_deref(),
        Some(&b"mYm\0made"[..])
    );
    let mut direct = lab.direct();
    assert!(direct.text("SELECT d FROM made").contains("\"hash\""));
    // The mode, within a text and after it.
    client.ok("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'; \
               INSERT INTO \"t\" (\"id\", \"data\") VALUES (1, 'mYm\0\\'); SELECT \"data\" FROM \"t\"");
    assert_eq!(
        client
            .value("SELECT \"data\" FROM t WHERE id = 1")
            .as_deref(),
        Some(&b"mYm\0\\"[..])
    );
    client.ok("SET sql_mode = ''; INSERT INTO t (id, data) VALUES (2, \"mYm\\0\\\"\")");
    assert_eq!(
        client.value("SELECT data FROM t WHERE id = 2").as_deref(),
        Some(&b"mYm\0\""[..])
    );
    // The character set.
    client.ok(&b"SET NAMES gbk; INSERT INTO t (id, data) VALUES (3, 'mYm\\0\xbf\\\\x'); SET NAMES utf8mb4"[..]);
    let error = client.query("SELECT data FROM t WHERE id = 3");
    assert_eq!(
        error.expect("a value").rows[0][0].as_deref(),
        Some(&b"mYm\0\xbf\\x"[..])
    );
    // The database.
    client.ok(format!(
        "USE `{other}`; CREATE TABLE t (id INT, data INT); INSERT INTO t VALUES (7, 7); \
               USE `{}`; INSERT INTO t (id, data) VALUES (8, 'mYm\\0z'); USE `{other}`",
        lab.database
    ));
    assert_eq!(client.text("SELECT data FROM t"), "7");
    let mut direct = lab.direct();
    assert!(
        direct
            .text("SELECT data FROM t WHERE id = 8")
            .contains("\"hash\"")
    );
    // A text that only the server has.
    client.ok(format!("USE `{}`", lab.database));
    let error = client.error("SET @q = 'SELECT HEX(data) FROM t'; EXECUTE IMMEDIATE @q");
    assert_eq!(error.code, 1235, "{error}");
    lab.connect(lab.port, &crate::support::client::Login::root())
        .ok(format!("DROP DATABASE `{other}`"));
}

/// Who may not send several statements cannot do so by way of the proxy.
#[test]
fn one_statement_is_one_statement() {
    let lab = lab("several_off");
    let bits = caps::COMMON & !caps::MULTI_STATEMENTS;
    let mut client = lab.connect(lab.proxy.port("bytes"), &lab.login().capabilities(bits));
    let text = "INSERT INTO t (id, data) VALUES (1, 'mYm\\0x'); DELETE FROM plain";
    client.ok("INSERT INTO plain VALUES (1, '')");
    assert_eq!(client.error(text).code, 1064);
    assert_eq!(client.text("SELECT COUNT(*) FROM plain"), "1");
    assert_eq!(client.text("SELECT COUNT(*) FROM t"), "0");
    client.command(com::SET_OPTION, &[0, 0], Expect::Single);
    client.ok(text);
    assert_eq!(client.text("SELECT COUNT(*) FROM plain"), "0");
    client.command(com::SET_OPTION, &[1, 0], Expect::Single);
    assert_eq!(client.error(text).code, 1064);
}

#[test]
fn several_on_mysql() {
    let Some(lab) = Lab::on_mysql("several") else {
        return;
    };
    lab.blob_table("t");
    let value = packed(1, 3000);
    let text = sql(&[
        b"BEGIN; INSERT INTO t (id, data) VALUES (1, ",
        &escaped(&value),
        b"); SELECT data FROM t; COMMIT; SELECT 1 FROM t",
    ]);
    for mut client in [lab.bytes(), without_eof(&lab)] {
        client.ok("DELETE FROM t");
        let frames = client.command(com::QUERY, &text, Expect::Results);
        assert!(frames.iter().any(|f| f.body.ends_with(&value)));
        told(&frames);
        assert!(lab.direct().text("SELECT data FROM t").contains("\"hash\""));
    }
}

/// Compressed, with answers that are longer than a frame or a number of packets.
#[test]
fn several_long_answers() {
    let lab = lab("several_long");
    let bits = lab.login().capabilities | caps::COMPRESS;
    let mut client = lab.connect(lab.proxy.port("bytes"), &lab.login().capabilities(bits));
    let value = packed(1, 17 << 20);
    let insert = sql(&[
        b"INSERT INTO t (id, data) VALUES (1, ",
        &escaped(&value),
        b"); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700) SELECT i FROM n; \
          SELECT data FROM t; SELECT COUNT(*) FROM t",
    ]);
    client.ok(insert);
    let rest = client
        .last_frames()
        .iter()
        .filter(|f| f.body.len() > 1 << 20);
    assert_eq!(rest.map(|f| f.body.len()).sum::<usize>(), value.len() + 9);
    assert_eq!(client.text("SELECT COUNT(*) FROM t"), "1");
}
