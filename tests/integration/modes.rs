//! The SQL mode and the character set of a session, however they change: literals are read as
//! the server reads them at that moment.

use crate::support::client::{Client, Login, caps, com, proof};
use crate::support::lab::{Lab, PASSWORD};
use crate::support::server::Server;

fn lab(lab: Lab) -> Lab {
    lab.table("t", "id INT PRIMARY KEY, data JSON COMMENT ':<hash@main>:'");
    let mut root = lab.connect(lab.port, &Login::root());
    root.ok(format!("USE `{}`", lab.database));
    for program in [
        "CREATE PROCEDURE quotes() SET SESSION sql_mode = 'ANSI_QUOTES'",
        "CREATE PROCEDURE letters(IN c CHAR(20)) BEGIN \
         CASE c WHEN 'gbk' THEN SET NAMES gbk; ELSE SET NAMES utf8mb4; END CASE; END",
        "CREATE FUNCTION to_gbk() RETURNS INT DETERMINISTIC NO SQL BEGIN SET character_set_client = gbk, \
         character_set_connection = gbk; RETURN 1; END",
    ] {
        // MySQL wants a DEFINER with more rights to trust functions, unless it has no binary log.
        root.ok(program);
    }
    lab
}

/// What `mode` makes of a literal: the server's own word for it.
#[track_caller]
fn check(lab: &Lab, client: &mut Client, literal: &[u8]) {
    let insert = [b"REPLACE INTO t VALUES (1, ", literal, b")"].concat();
    let expected = client.query([b"SELECT HEX(", literal, b")"].concat());
    let expected = expected.map(|answer| answer.rows[0][0].clone());
    let done = client.query(insert);
    match (expected, done) {
        (Ok(expected), Ok(_)) => {
            let found = client.value("SELECT data FROM t").expect("a value");
            let found: String = found.iter().map(|b| format!("{b:02X}")).collect();
            assert_eq!(Some(found.into_bytes()), expected);
        }
        (Err(_), Err(_)) => {}
        (expected, done) => panic!("{expected:?} {done:?}"),
    }
    assert_eq!(
        lab.direct()
            .text("SELECT COUNT(*) FROM t WHERE data NOT LIKE '%hash%'"),
        "0"
    );
}

fn follow(lab: &Lab, login: &Login) {
    let mut client = lab.connect(lab.proxy.port("bytes"), login);
    let literals: [&[u8]; 4] = [br"'a\\b'", br#""a\\b""#, b"'\xbf\x5c\x5cx'", br"'\'"];
    let each = |client: &mut Client| {
        for literal in literals {
            check(lab, client, literal);
        }
    };
    each(&mut client);
    for statement in [
        "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')",
        "SET @@sql_mode = ''",
        "CALL quotes()",
        "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT 1",
        "DO 1; SET sql_mode = DEFAULT",
        "CALL letters('gbk')",
        "SELECT 1; CALL letters('utf8mb4'); SELECT 2",
        "SET NAMES gbk",
        "PREPARE p FROM 'SET sql_mode = ''ANSI_QUOTES'''",
        "EXECUTE p",
        "SET NAMES utf8mb4",
    ] {
        client.ok(statement);
        each(&mut client);
    }
    if login.capabilities & caps::SESSION_TRACK != 0 {
        client.ok("SELECT to_gbk()");
        each(&mut client);
    }
    client.ok("SET sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'");
    each(&mut client);
    client.command(
        com::RESET_CONNECTION,
        b"",
        crate::support::client::Expect::Single,
    );
    client.ok(format!("USE `{}`", lab.database));
    each(&mut client);
}

#[test]
fn modes_are_followed() {
    let lab = lab(Lab::new("modes"));
    for bits in [
        0,
        caps::DEPRECATE_EOF,
        caps::DEPRECATE_EOF | caps::SESSION_TRACK,
    ] {
        follow(&lab, &lab.login().capabilities(caps::COMMON | bits));
    }
}

#[test]
fn modes_are_followed_on_mysql() {
    if let Some(mysql) = Lab::on_mysql("modes") {
        let lab = lab(mysql);
        for bits in [0, caps::DEPRECATE_EOF | caps::SESSION_TRACK] {
            follow(&lab, &lab.login().capabilities(caps::COMMON | bits));
        }
    }
}

/// A statement under `SET STATEMENT` is read in the mode from before.
#[test]
fn set_statement() {
    let lab = lab(Lab::new("set_statement"));
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    direct.ok("CREATE TABLE plain (id INT PRIMARY KEY, data LONGBLOB)");
    for mode in ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"] {
        for literal in [r"'a\\b'", r#""a\\b""#] {
            let insert = |table: &str| {
                format!(
                    "SET STATEMENT sql_mode = '{mode}' FOR REPLACE INTO {table} VALUES (1, {literal})"
                )
            };
            direct.ok(insert("plain"));
            match client.query(insert("t")) {
                Ok(_) => assert_eq!(
                    client.value("SELECT data FROM t"),
                    direct.value("SELECT data FROM plain"),
                    "{mode} {literal}"
                ),
                Err(error) => assert_eq!(error.code, 1235, "{error}"),
            }
        }
    }
}

/// `COM_CHANGE_USER` and the login change what a session begins with.
#[test]
fn how_a_session_begins() {
    let lab = lab(Lab::new("begins"));
    let mut client = lab.bytes();
    client.ok("SET sql_mode = 'ANSI_QUOTES', NAMES gbk");
    check(&lab, &mut client, b"'\xbf\x5c\x5cx'");
    let answer = proof(&client.greeting.salt.clone(), PASSWORD);
    let mut body = [lab.user.as_bytes(), &[0, answer.len() as u8], &answer].concat();
    body.extend_from_slice(lab.database.as_bytes());
    body.extend_from_slice(b"\0\x2d\0mysql_native_password\0");
    client.send(com::CHANGE_USER, &body);
    client.finish_auth(PASSWORD).expect("a login");
    for literal in [&b"'\xbf\x5c\x5cx'"[..], br#""a\\b""#] {
        check(&lab, &mut client, literal);
    }
    // A client that says gbk at its login.
    let mut login = lab.login();
    login.charset = 28;
    let mut client = lab.connect(lab.proxy.port("bytes"), &login);
    check(&lab, &mut client, b"'\xbf\x5c\x5cx'");
}

/// What the server runs for each client before its first statement.
#[test]
fn init_connect() {
    let server = Server::start(&[
        "--init-connect=SET sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES', NAMES gbk",
    ]);
    let lab = lab(Lab::at(server.port, "init_connect", |config| config));
    let mut client = lab.bytes();
    assert_eq!(client.text("SELECT @@character_set_client"), "gbk");
    for literal in [&br"'a\'"[..], b"'\xd5\x5c'", b"_binary'\xd5\x5c'"] {
        let mut client = lab.bytes();
        check(&lab, &mut client, literal);
    }
    drop(client);
    drop(lab);
}
