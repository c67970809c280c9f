//! What MySQL's clients negotiate beyond others: query attributes, and results without the
//! definitions of their columns.

use crate::support::client::{Client, Expect, caps, com};
use crate::support::lab::Lab;
use crate::support::objects::{escaped, packed, sql};

fn lab(name: &str) -> Option<Lab> {
    let lab = Lab::on_mysql(name)?;
    lab.blob_table("t");
    lab.stored().ok("CREATE TABLE plain (id INT, name TEXT)");
    Some(lab)
}

fn client(lab: &Lab, view: &str, bits: u64) -> Client {
    let login = lab.login();
    let bits = login.capabilities | bits;
    lab.connect(lab.proxy.port(view), &login.capabilities(bits))
}

/// One attribute, a text.
fn attribute(name: &str, value: &str) -> Vec<u8> {
    let mut out = vec![1, 1, 0, 1, 0xfe, 0, name.len() as u8];
    out.extend_from_slice(name.as_bytes());
    out.push(value.len() as u8);
    out.extend_from_slice(value.as_bytes());
    out
}

#[test]
fn statements_with_attributes() {
    let Some(lab) = lab("attributes") else {
        return;
    };
    let mut root = lab.connect(lab.port, &crate::support::client::Login::root());
    // Already installed is as good.
    let _ = root.query("INSTALL COMPONENT 'file://component_query_attributes'");
    let mut direct = lab.direct();
    for attributes in [
        vec![0, 1],
        attribute("trace", "INSERT INTO t"),
        attribute("trace", &"x".repeat(200)),
    ] {
        for len in [100, 300_000, 17 << 20] {
            let mut client = client(&lab, "bytes", caps::QUERY_ATTRIBUTES);
            client.attributes = attributes.clone();
            client.ok("DELETE FROM t");
            let value = packed(7, len);
            client.ok(sql(&[
                b"INSERT INTO t (id, note, data) VALUES (1, mysql_query_attribute_string('trace'), ",
                &escaped(&value),
                b")",
            ]));
            assert!(direct.text("SELECT data FROM t").contains("\"hash\""));
            let told = direct.value("SELECT note FROM t");
            let expected = attributes.get(13..).map(<[u8]>::to_vec);
            assert_eq!(told, expected, "{len}");
            let read = client.value("SELECT data FROM t");
            assert!(read.as_deref() == Some(&value[..]), "{len}");
            // A long statement that only passes.
            let text = format!("SELECT LENGTH('{}')", "y".repeat(len));
            assert_eq!(client.text(text), len.to_string());
            assert_eq!(client.error("SELECT REVERSE(data) FROM t").code, 1235);
        }
    }
}

#[test]
fn other_commands_with_attributes() {
    let Some(lab) = lab("attributes_other") else {
        return;
    };
    let mut client = client(&lab, "bytes", caps::QUERY_ATTRIBUTES);
    client.attributes = attribute("a", "b");
    client.ok("CREATE TABLE made (id INT PRIMARY KEY, d LONGBLOB COMMENT '<blob@main> x')");
    client.ok("INSERT INTO made VALUES (1, CONCAT('mYm', CHAR(0), 'x')); SELECT d FROM made");
    assert_eq!(
        client.value("SELECT d FROM made").as_deref(),
        Some(&b"mYm\0x"[..])
    );
    assert_eq!(
        client.ok("DESCRIBE made").texts("Type"),
        ["int", "longblob"]
    );
    client.ok("SET @q = 'SELECT id FROM made'");
    client.ok("PREPARE p FROM @q");
    assert_eq!(client.text("EXECUTE p"), "1");
    client.ok("SET @codec_view = 'stored'");
    assert!(client.text("SELECT d FROM made").contains("\"hash\""));
    // Attributes that end nowhere end the session, and nothing else.
    client.attributes = vec![1, 1, 0, 1, 0xfe, 0, 1, b'n', 0xfd];
    assert!(
        client
            .query("SELECT 1")
            .is_err_and(|e| e.is_lost_connection())
    );
}

/// Parameters are counted by whoever has the capability, whether there are attributes or not.
#[test]
fn prepared_statements_without_attributes() {
    let Some(lab) = lab("attributes_prepared") else {
        return;
    };
    for port in [lab.port, lab.proxy.port("bytes")] {
        let login = lab.login();
        let bits = login.capabilities | caps::QUERY_ATTRIBUTES;
        let mut client = lab.connect(port, &login.capabilities(bits));
        client.attributes = vec![0, 1];
        let insert = client
            .prepare("REPLACE INTO t (id, data) VALUES (?, ?)")
            .expect("prepared");
        // Where it goes directly, a pointer.
        let value: &[u8] = match port == lab.port {
            true => b"{}",
            false => b"mYm\0x",
        };
        for bound in [true, false] {
            // No flags, two parameters, none of them NULL.
            let mut execute = [&insert.to_le_bytes()[..], &[0, 1, 0, 0, 0, 2, 0]].concat();
            execute.push(u8::from(bound));
            if bound {
                execute.extend([8, 0, 0, 0xfd, 0, 0]);
            }
            execute.extend(1u64.to_le_bytes());
            execute.push(value.len() as u8);
            execute.extend(value);
            let frames = client.command(com::STMT_EXECUTE, &execute, Expect::Results);
            assert_eq!(frames[0].body[0], 0, "{}", frames[0].body.escape_ascii());
        }
        let read = client.value("SELECT data FROM t WHERE id = 1");
        assert_eq!(read.as_deref(), Some(value));
    }
    assert!(lab.direct().text("SELECT data FROM t").contains("\"hash\""));
}

/// `resultset_metadata = NONE`: the relay follows; a codec column cannot be told, and is refused.
#[test]
fn results_without_definitions() {
    let Some(lab) = lab("no_metadata") else {
        return;
    };
    lab.bytes()
        .ok("INSERT INTO t (id, note, data) VALUES (1, 'n', 'mYm\\0x')");
    for eof in [0, caps::DEPRECATE_EOF] {
        let bits = caps::COMMON | caps::OPTIONAL_METADATA | eof;
        let mut client = lab.connect(lab.proxy.port("bytes"), &lab.login().capabilities(bits));
        assert_eq!(
            client.value("SELECT data FROM t").as_deref(),
            Some(&b"mYm\0x"[..])
        );
        client.ok("SET resultset_metadata = NONE");
        let answer = client.ok("SELECT id, note FROM t");
        assert!(answer.columns.is_empty() && answer.rows.len() == 1);
        assert_eq!(client.text("SELECT note FROM t"), "n");
        let error = client.error("SELECT data FROM t");
        assert_eq!(error.code, 1235, "{error}");
        assert!(error.message.contains("resultset_metadata"), "{error}");
        let id = client
            .prepare("SELECT note FROM t WHERE id = ?")
            .expect("prepared");
        let execute = [
            &id.to_le_bytes()[..],
            &[0, 1, 0, 0, 0, 0, 1, 8, 0],
            &1u64.to_le_bytes(),
        ]
        .concat();
        let frames = client.command(com::STMT_EXECUTE, &execute, Expect::Results);
        assert!(frames.iter().any(|f| f.body.ends_with(b"\x01n")));
        client.ok("SELECT 1; SELECT 2; DO 1");
        client.ok("REPLACE INTO t (id, note, data) VALUES (1, 'n', 'mYm\\0y')");
        client.ok("SET resultset_metadata = FULL");
        assert_eq!(
            client.value("SELECT data FROM t").as_deref(),
            Some(&b"mYm\0y"[..])
        );
        client.ok("REPLACE INTO t (id, note, data) VALUES (1, 'n', 'mYm\\0x')");
    }
}
