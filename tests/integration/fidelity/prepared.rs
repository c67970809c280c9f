//! The binary protocol: prepare, execute, long data, reset, close, cursors, bulk.

use crate::support::client::{Expect, com};
use crate::support::lab::Lab;
use crate::support::recorder::{Recorder, execute_body};

/// Parameter types, as the protocol numbers them.
const LONG: [u8; 2] = [0x03, 0x00];
const LONGLONG_UNSIGNED: [u8; 2] = [0x08, 0x80];
const DOUBLE: [u8; 2] = [0x05, 0x00];
const VAR_STRING: [u8; 2] = [0xfd, 0x00];
const BLOB: [u8; 2] = [0xfc, 0x00];

/// Asks for a cursor.
const READ_ONLY_CURSOR: u8 = 1;

/// Statements with and without parameters and results.
pub fn statements(recorder: &mut Recorder, _: &Lab) {
    recorder.quiet("DROP TABLE IF EXISTS prepared");
    recorder.quiet("DROP PROCEDURE IF EXISTS outward");
    recorder.quiet("CREATE TABLE prepared (id INT PRIMARY KEY, big BIGINT UNSIGNED, d DOUBLE, t TEXT, b LONGBLOB, dt DATETIME(6))");
    recorder
        .quiet("CREATE PROCEDURE outward(IN a INT, OUT b INT) BEGIN SELECT a; SET b = a * 2; END");

    let insert = recorder.prepare("INSERT INTO prepared VALUES (?, ?, ?, ?, ?, NOW(6) - NOW(6))");
    recorder.execute("insert", insert, 0, &parameters(1, b"text", b"\x00\xff'\\"));
    // The types stay bound from the time before.
    recorder.execute(
        "insert again",
        insert,
        0,
        &values(2, b"", &[7; 70_000], false),
    );
    recorder.execute("a duplicate", insert, 0, &values(2, b"", b"", false));
    recorder.execute("nulls", insert, 0, &[0b0001_1110, 0, 3, 0, 0, 0]);

    let long = recorder.prepare("INSERT INTO prepared (id, b) VALUES (?, ?)");
    for piece in [&b"first "[..], &[b'm'; 100_000], b" last"] {
        let body = [&long.to_le_bytes()[..], &1u16.to_le_bytes(), piece].concat();
        recorder.command(
            "long data",
            com::STMT_SEND_LONG_DATA,
            &body,
            Expect::Nothing,
        );
    }
    let bound = [&[0, 1][..], &LONG, &BLOB, &10i32.to_le_bytes()].concat();
    recorder.execute("with long data", long, 0, &bound);
    let body = [&long.to_le_bytes()[..], &1u16.to_le_bytes(), b"dropped"].concat();
    recorder.command(
        "long data",
        com::STMT_SEND_LONG_DATA,
        &body,
        Expect::Nothing,
    );
    let id = long.to_le_bytes();
    recorder.command("reset", com::STMT_RESET, &id, Expect::Single);
    let bound = [&[0b10, 1][..], &LONG, &BLOB, &11i32.to_le_bytes()].concat();
    recorder.execute("after reset", long, 0, &bound);

    let select = recorder.prepare("SELECT *, ? AS given FROM prepared WHERE id >= ? ORDER BY id");
    let bound = [
        &[0, 1][..],
        &VAR_STRING,
        &LONG,
        b"\x05given",
        &1i32.to_le_bytes(),
    ]
    .concat();
    recorder.execute("select", select, 0, &bound);
    recorder.execute(
        "select again",
        select,
        0,
        &[&[0, 0][..], b"\x00", &2i32.to_le_bytes()].concat(),
    );
    recorder.query("ALTER TABLE prepared ADD COLUMN later INT DEFAULT 4");
    recorder.execute(
        "select after ALTER",
        select,
        0,
        &[&[0, 0][..], b"\x00", &2i32.to_le_bytes()].concat(),
    );

    let plain = recorder.prepare("SELECT 1, 'two', NULL, 3.5, NOW() - NOW()");
    recorder.execute("no parameters", plain, 0, b"");
    recorder.prepare("SELECT FROM WHERE");
    recorder.prepare("SELECT * FROM missing_table");
    let set = recorder.prepare("SET @prepared = 5");
    recorder.execute("set", set, 0, b"");
    let call = recorder.prepare("CALL outward(?, ?)");
    let bound = [&[0b10, 1][..], &LONG, &LONG, &21i32.to_le_bytes()].concat();
    recorder.execute("call", call, 0, &bound);
    recorder.query("SELECT @prepared");

    for id in [insert, select, plain] {
        let id = id.to_le_bytes();
        recorder.command("close", com::STMT_CLOSE, &id, Expect::Nothing);
    }
    recorder.execute("a closed one", plain, 0, b"");
    recorder.command(
        "reset a closed one",
        com::STMT_RESET,
        &plain.to_le_bytes(),
        Expect::Single,
    );
    recorder.query("SELECT id, LENGTH(b), HEX(LEFT(b, 8)), t FROM prepared ORDER BY id");
    bulk(recorder);
}

/// Cursors: rows come when fetched.
pub fn cursors(recorder: &mut Recorder, _: &Lab) {
    let id = recorder.prepare("SELECT seq, REPEAT('c', seq % 50) FROM seq_1_to_300");
    for round in ["first", "second"] {
        recorder.execute(&format!("{round} open"), id, READ_ONLY_CURSOR, b"");
        for count in [1u32, 100, 150, 100] {
            let body = [id.to_le_bytes(), count.to_le_bytes()].concat();
            recorder.command(
                &format!("{round} fetch {count}"),
                com::STMT_FETCH,
                &body,
                Expect::Rows,
            );
        }
        // Everything is fetched: the cursor is gone.
        let body = [id.to_le_bytes(), 1u32.to_le_bytes()].concat();
        recorder.command(
            &format!("{round} fetch past the end"),
            com::STMT_FETCH,
            &body,
            Expect::Rows,
        );
    }
    recorder.execute("open", id, READ_ONLY_CURSOR, b"");
    recorder.query("SELECT 'between'");
    let body = [id.to_le_bytes(), 2u32.to_le_bytes()].concat();
    recorder.command("fetch 2", com::STMT_FETCH, &body, Expect::Rows);
    recorder.command("reset", com::STMT_RESET, &id.to_le_bytes(), Expect::Single);
    recorder.command("fetch after reset", com::STMT_FETCH, &body, Expect::Rows);
    recorder.execute("without a cursor", id, 0, b"");
    let none = recorder.prepare("DO 1");
    recorder.execute("a cursor on nothing", none, READ_ONLY_CURSOR, b"");
    let unknown = [77u32.to_le_bytes(), 2u32.to_le_bytes()].concat();
    recorder.command(
        "fetch of an unknown one",
        com::STMT_FETCH,
        &unknown,
        Expect::Rows,
    );
}

/// PREPARE and EXECUTE in one write: id -1 means the statement prepared last.
pub fn pipelined(recorder: &mut Recorder) {
    for sql in ["SELECT 1, 'x'", "DO 1", "SELECT broken", "SELECT 3"] {
        recorder.pipeline(
            &format!("PREPARE and EXECUTE {sql}"),
            &[
                (com::STMT_PREPARE, sql.as_bytes().to_vec(), Expect::Prepare),
                (
                    com::STMT_EXECUTE,
                    execute_body(u32::MAX, 0, b""),
                    Expect::Results,
                ),
                (com::PING, Vec::new(), Expect::Single),
            ],
        );
    }
    recorder.pipeline(
        "commands without an answer between others",
        &[
            (com::STMT_PREPARE, b"SELECT ?".to_vec(), Expect::Prepare),
            (
                com::STMT_SEND_LONG_DATA,
                [&u32::MAX.to_le_bytes()[..], b"\0\0long"].concat(),
                Expect::Nothing,
            ),
            (
                com::STMT_EXECUTE,
                execute_body(u32::MAX, 0, &[0, 1, 0xfc, 0]),
                Expect::Results,
            ),
            (
                com::STMT_CLOSE,
                u32::MAX.to_le_bytes().to_vec(),
                Expect::Nothing,
            ),
            (com::QUERY, b"SELECT 'end'".to_vec(), Expect::Results),
        ],
    );
}

/// MariaDB's bulk execution: many rows of parameters in one command.
fn bulk(recorder: &mut Recorder) {
    const STMT_BULK_OPERATIONS: u64 = 1 << 34;
    const COM_STMT_BULK_EXECUTE: u8 = 0xfa;
    const SEND_TYPES: u16 = 128;
    if recorder.client.capabilities & STMT_BULK_OPERATIONS == 0 {
        return;
    }
    let id = recorder.prepare("INSERT INTO prepared (id, t) VALUES (?, ?)");
    let mut body = id.to_le_bytes().to_vec();
    body.extend_from_slice(&SEND_TYPES.to_le_bytes());
    body.extend_from_slice(&LONG);
    body.extend_from_slice(&VAR_STRING);
    for row in 100..1100i32 {
        body.push(0);
        body.extend_from_slice(&row.to_le_bytes());
        body.extend_from_slice(if row % 2 == 0 {
            b"\x00\x04bulk"
        } else {
            b"\x01"
        });
    }
    recorder.command("bulk", COM_STMT_BULK_EXECUTE, &body, Expect::Results);
    recorder.query("SELECT COUNT(*), COUNT(t) FROM prepared WHERE id >= 100");
}

/// The five parameters of the insert, types included.
fn parameters(id: i32, text: &[u8], blob: &[u8]) -> Vec<u8> {
    values(id, text, blob, true)
}

fn values(id: i32, text: &[u8], blob: &[u8], types: bool) -> Vec<u8> {
    let mut out = vec![0, u8::from(types)];
    if types {
        for kind in [LONG, LONGLONG_UNSIGNED, DOUBLE, VAR_STRING, BLOB] {
            out.extend_from_slice(&kind);
        }
    }
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&u64::MAX.to_le_bytes());
    out.extend_from_slice(&0.1f64.to_le_bytes());
    for bytes in [text, blob] {
        match bytes.len() {
            short @ 0..=250 => out.push(short as u8),
            long => {
                out.push(0xfd);
                out.extend_from_slice(&(long as u32).to_le_bytes()[..3]);
            }
        }
        out.extend_from_slice(bytes);
    }
    out
}
