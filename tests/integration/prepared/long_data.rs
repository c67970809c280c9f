//! `COM_STMT_SEND_LONG_DATA`: values in pieces.

use std::fs;

use super::statement::{BLOB, Statement, VAR_STRING, apart, blob, bytes, int};
use crate::support::client::{Expect, com};
use crate::support::lab::Lab;
use crate::support::objects::{assert_stored, objects};

const INSERT: &str = "INSERT INTO t (id, note, data) VALUES (?, ?, ?)";

#[test]
fn pieces_of_every_size() {
    let lab = Lab::new("prepared_long");
    pieces(&lab);
}

#[test]
fn pieces_on_mysql() {
    if let Some(lab) = Lab::on_mysql("prepared_long") {
        pieces(&lab);
    }
}

fn pieces(lab: &Lab) {
    lab.blob_table("t");
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let insert = Statement::prepare(&mut client, INSERT);
    let cases = [
        (30, 1),
        (100, 7),
        (1 << 20, 8192),
        ((1 << 20) + 1, 1 << 20),
        (5_000_000, 300_000),
        // One command of more than a packet.
        (17_000_000, 17_000_000),
    ];
    for (id, (len, piece)) in (0..).zip(cases) {
        let value = blob(len, 7);
        for piece in value.chunks(piece) {
            insert.long_data(&mut client, 2, piece);
        }
        // To a parameter of no codec: passed on.
        insert.long_data(&mut client, 1, b"no");
        insert.long_data(&mut client, 1, b"te");
        insert.ok(&mut client, &[int(id), apart(VAR_STRING), apart(BLOB)]);
        assert_stored(&mut direct, &lab.store, "t", i64::from(id), &value);
        let note = direct.text(format!("SELECT note FROM t WHERE id = {id}"));
        assert_eq!(note, "note");
    }
    // Nothing is left over for the next time.
    let value = blob(40, 9);
    insert.ok(
        &mut client,
        &[int(50), bytes(VAR_STRING, b"x"), bytes(BLOB, &value)],
    );
    assert_stored(&mut direct, &lab.store, "t", 50, &value);
    // What a text says about the parameters does not matter for their numbers.
    let hex = data_encoding::HEXUPPER.encode(&value);
    let text = format!("INSERT INTO t (data, id, note) VALUES (X'{hex}', ?, ?), (?, 61, ?)");
    let insert = Statement::prepare(&mut client, &text);
    let other = blob(90, 3);
    insert.long_data(&mut client, 1, b"first");
    insert.long_data(&mut client, 2, &other);
    insert.long_data(&mut client, 3, b"second");
    let bound = [int(60), apart(BLOB), apart(BLOB), apart(BLOB)];
    insert.ok(&mut client, &bound);
    assert_stored(&mut direct, &lab.store, "t", 60, &value);
    assert_stored(&mut direct, &lab.store, "t", 61, &other);
    assert_eq!(direct.text("SELECT note FROM t WHERE id = 60"), "first");
    assert_eq!(direct.text("SELECT note FROM t WHERE id = 61"), "second");
}

#[test]
fn dropped_and_refused() {
    let lab = Lab::with_config("prepared_long_dropped", |config| {
        format!("{config}\n[limits]\nlong_data_bytes = 2_000_000\n")
    });
    lab.table(
        "t",
        "id INT PRIMARY KEY, note VARCHAR(200), data JSON COMMENT ':<blob@main>:', \
         here LONGBLOB COMMENT ':<blob>:'",
    );
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let insert = Statement::prepare(&mut client, INSERT);
    let bound = |id| [int(id), bytes(VAR_STRING, b"x"), apart(BLOB)];
    let value = blob(100, 1);

    // Dropped by a reset.
    insert.long_data(&mut client, 2, b"nonsense");
    insert.reset(&mut client);
    insert.long_data(&mut client, 2, &value);
    insert.ok(&mut client, &bound(1));
    assert_stored(&mut direct, &lab.store, "t", 1, &value);

    // Refused by the codec; what the server has of the note is dropped, too.
    let before = objects(&lab.store).len();
    insert.long_data(&mut client, 1, b"old ");
    insert.long_data(&mut client, 2, b"nonsense");
    let error = insert.error(&mut client, &[int(2), apart(BLOB), apart(BLOB)]);
    assert_eq!(error.code, 1366, "{error}");
    assert_eq!(objects(&lab.store).len(), before);
    insert.long_data(&mut client, 1, b"new");
    insert.long_data(&mut client, 2, &value);
    insert.ok(&mut client, &[int(2), apart(BLOB), apart(BLOB)]);
    assert_eq!(direct.text("SELECT note FROM t WHERE id = 2"), "new");

    // More than the limit: told when it is executed, and forgotten then.
    for _ in 0..30 {
        insert.long_data(&mut client, 2, &[0; 100_000]);
    }
    let error = insert.error(&mut client, &bound(3));
    assert_eq!(error.code, 1153, "{error}");
    assert!(error.message.contains("limits.long_data_bytes"), "{error}");
    insert.long_data(&mut client, 2, &value);
    insert.ok(&mut client, &bound(3));

    // A column that holds what is sent: to the server at once, but not without a look.
    let inline = Statement::prepare(&mut client, "INSERT INTO t (id, here) VALUES (?, ?)");
    for piece in value.chunks(3) {
        inline.long_data(&mut client, 1, piece);
    }
    inline.ok(&mut client, &[int(4), apart(BLOB)]);
    assert_eq!(
        direct.value("SELECT here FROM t WHERE id = 4"),
        Some(value.clone())
    );
    inline.long_data(&mut client, 1, b"nonsense");
    let error = inline.error(&mut client, &[int(5), apart(BLOB)]);
    assert_eq!(error.code, 1366, "{error}");
    inline.long_data(&mut client, 1, &value);
    inline.ok(&mut client, &[int(5), apart(BLOB)]);
    assert_eq!(
        direct.value("SELECT here FROM t WHERE id = 5"),
        Some(value.clone())
    );

    // Closed, and all statements ended.
    insert.long_data(&mut client, 2, &value);
    insert.close(&mut client);
    client.command(com::RESET_CONNECTION, b"", Expect::Single);
    assert_eq!(client.text("SELECT COUNT(*) FROM t"), "5");
    // A parameter that there is not: the server's own word.
    let insert = Statement::prepare(&mut client, INSERT);
    insert.long_data(&mut client, 9, b"nowhere");
    insert.reset(&mut client);
}

/// A long value is not held in memory.
#[test]
fn memory_stays_small() {
    let lab = Lab::new("prepared_long_memory");
    lab.table("t", "id INT PRIMARY KEY, data JSON COMMENT ':<hash@main>:'");
    let mut client = lab.bytes();
    let insert = Statement::prepare(&mut client, "INSERT INTO t VALUES (?, ?)");
    let piece = vec![7; 1 << 20];
    for _ in 0..200 {
        insert.long_data(&mut client, 1, &piece);
    }
    insert.ok(&mut client, &[int(1), apart(BLOB)]);
    let peak = fs::read_to_string(format!("/proc/{}/status", lab.proxy.pid())).expect("status");
    let peak = peak.lines().find(|line| line.starts_with("VmHWM:"));
    let peak = peak.and_then(|line| line.split_ascii_whitespace().nth(1));
    let kib: u64 = peak.expect("a peak").parse().expect("a number");
    assert!(kib < 120 << 10, "{kib} KiB for a value of 200 MiB");
    let pointer = lab.direct().text("SELECT data FROM t");
    let schema = lab.database.clone();
    let object = crate::support::objects::object_of(&pointer, &lab.store, &schema);
    assert!(object.len() == 200 << 20 && object.iter().all(|byte| *byte == 7));
}
