//! Values of every length through the prepared protocol, and packets that fill 16 MiB by a byte
//! more and less: those that a client sends, those that the server gets instead, and rows.

use crate::prepared::statement::{BLOB, Bound, LONG_BLOB, Statement, apart, bytes, int};
use crate::support::client::{Client, MAX_PAYLOAD};
use crate::support::lab::Lab;
use crate::support::objects::{assert_same, assert_stored, escaped, noise, packed, sql};

/// Lengths of a payload around the one that fills a packet.
const AROUND: std::ops::RangeInclusive<usize> = MAX_PAYLOAD - 1..=MAX_PAYLOAD + 2;
/// What a numeric array of bytes has before its bytes.
const HEAD: usize = 29;
/// Command, id, flags, iterations, bitmap of nulls, mark of the types.
const EXECUTE: usize = 1 + 4 + 1 + 4 + 1 + 1;

/// How the value comes to the server.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Text,
    Bound,
    /// In pieces of so many bytes.
    Long(usize),
}

fn table(lab: &Lab) {
    lab.table(
        "t",
        "id INT PRIMARY KEY, plain LONGBLOB, data JSON COMMENT ':<blob@main>:', \
         raw JSON COMMENT ':<hash@main>:'",
    );
}

/// Every length at which the protocol's own numbers change their form, and none at all.
#[test]
fn lengths() {
    let lab = Lab::new("lengths");
    table(&lab);
    every_length(&lab);
}

#[test]
fn lengths_on_mysql() {
    if let Some(lab) = Lab::on_mysql("lengths") {
        table(&lab);
        every_length(&lab);
    }
}

fn every_length(lab: &Lab) {
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let insert = Statement::prepare(&mut client, "INSERT INTO t (id, raw) VALUES (?, ?)");
    let select = Statement::prepare(&mut client, "SELECT raw FROM t WHERE id = ?");
    let lengths = [
        0,
        1,
        2,
        250,
        251,
        252,
        65_535,
        65_536,
        1 << 20,
        (1 << 24) - 1,
        1 << 24,
    ];
    let ways = [
        Way::Text,
        Way::Bound,
        Way::Long(1 << 20),
        Way::Long(usize::MAX),
    ];
    let cases = lengths
        .iter()
        .flat_map(|len| ways.iter().map(move |way| (*len, *way)));
    for (id, (len, way)) in (1..).zip(cases) {
        let value = noise(id as u64, len);
        match way {
            Way::Text => {
                let head = format!("INSERT INTO t (id, raw) VALUES ({id}, ");
                client.ok(sql(&[head.as_bytes(), &escaped(&value), b")"]));
            }
            Way::Bound => {
                insert.ok(&mut client, &[int(id), bytes(BLOB, &value)]);
            }
            Way::Long(piece) => {
                send_pieces(&mut client, &insert, 1, &value, piece);
                insert.ok(&mut client, &[int(id), apart(BLOB)]);
            }
        }
        let what = format!("{len} bytes by {way:?}");
        assert_object(&mut direct, lab, id, "raw", &value);
        let read = client.value(format!("SELECT raw FROM t WHERE id = {id}"));
        assert_same(&read.expect("not NULL"), &value, &what);
        let read = select.ok(&mut client, &[int(id)]).rows.remove(0).remove(0);
        assert_same(&read.expect("not NULL"), &value, &what);
    }
}

/// The client's COM_STMT_EXECUTE fills a packet, more or less.
#[test]
fn execution_around_16_mib() {
    let lab = Lab::new("execution_16");
    table(&lab);
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let insert = Statement::prepare(&mut client, "INSERT INTO t (id, data) VALUES (?, ?)");
    for (id, payload) in (1..).zip(AROUND) {
        let around = EXECUTE + 2 * 2 + 4 + 9; // two types, the id, the value's length
        let value = packed(id as u64, payload - around - HEAD);
        insert.ok(&mut client, &[int(id), bytes(BLOB, &value)]);
        assert_stored(&mut direct, &lab.store, "t", i64::from(id), &value);
    }
}

/// A piece of a value fills a packet, more or less, and the next one goes on.
#[test]
fn pieces_around_16_mib() {
    let lab = Lab::new("pieces_16");
    table(&lab);
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let insert = Statement::prepare(&mut client, "INSERT INTO t (id, data) VALUES (?, ?)");
    for (id, payload) in (1..).zip(AROUND) {
        let value = packed(id as u64, payload + 1000);
        send_pieces(&mut client, &insert, 1, &value, payload - 7); // command, id, parameter
        insert.ok(&mut client, &[int(id), apart(LONG_BLOB)]);
        assert_stored(&mut direct, &lab.store, "t", i64::from(id), &value);
    }
}

/// The row that a client gets fills a packet, more or less, in either protocol.
#[test]
fn decoded_rows_around_16_mib() {
    let lab = Lab::new("decoded_16");
    table(&lab);
    let mut client = lab.bytes();
    let insert = Statement::prepare(&mut client, "INSERT INTO t (id, data) VALUES (?, ?)");
    let select = Statement::prepare(&mut client, "SELECT data, id FROM t WHERE id = ?");
    // Beside the value: its length (4 or 9 bytes) and the id, as text or in 4 bytes after the
    // head of a binary row, which has 2.
    for (id, payload) in
        (1..).zip(AROUND.flat_map(|payload| [payload - 6, payload - 10, payload - 15]))
    {
        let value = packed(id as u64, payload - HEAD);
        insert.ok(&mut client, &[int(id), bytes(BLOB, &value)]);
        let what = format!("{payload} bytes");
        let row = client
            .rows(format!("SELECT data, id FROM t WHERE id = {id}"))
            .remove(0);
        assert_same(row[0].as_ref().expect("not NULL"), &value, &what);
        assert_eq!(row[1], Some(id.to_string().into_bytes()), "{what}");
        let row = select.ok(&mut client, &[int(id)]).rows.remove(0);
        assert_same(row[0].as_ref().expect("not NULL"), &value, &what);
        assert_eq!(row[1], Some(id.to_le_bytes().to_vec()), "{what}");
    }
}

/// What the server gets in place of the client's statement, and the row that it answers with,
/// fill a packet, more or less; the client's own are longer.
#[test]
fn rewritten_packets_around_16_mib() {
    let lab = Lab::new("rewritten_16");
    table(&lab);
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let statement = "INSERT INTO t (id, plain, data) VALUES (?, ?, ?)";
    let insert = Statement::prepare(&mut client, statement);
    let select = Statement::prepare(&mut client, "SELECT data, plain FROM t WHERE id = ?");
    let mut last = 100;
    for is_prepared in [false, true] {
        let mut write = |client: &mut Client, plain: &[u8], value: &[u8]| {
            last += 1;
            let id = last;
            if is_prepared {
                let row: [Bound; 3] = [int(id), bytes(BLOB, plain), bytes(BLOB, value)];
                insert.ok(client, &row);
            } else {
                let head = format!("INSERT INTO t (id, plain, data) VALUES ({id}, '");
                client.ok(sql(&[
                    head.as_bytes(),
                    plain,
                    b"', ",
                    &escaped(value),
                    b")",
                ]));
            }
            id
        };
        // Once for what is asked at the first time only, and to know what surrounds the plain value.
        let value = packed(1, 2000);
        write(&mut client, &[b'p'; 1 << 17], &value);
        let before = received(&mut client);
        write(&mut client, &[b'p'; 1 << 17], &value);
        let around = received(&mut client) - before - SHOW.len() - 5 - 4 - (1 << 17);
        // The pointer names the database, whose name has the test's process id in it.
        assert!(
            (100..800).contains(&around),
            "{around} bytes around the value"
        );

        for payload in AROUND {
            let plain = vec![b'p'; payload - around];
            let before = received(&mut client);
            let id = write(&mut client, &plain, &value);
            let headers = 4 * (payload / MAX_PAYLOAD + 1);
            let sent = received(&mut client) - before - SHOW.len() - 5 - headers;
            assert_eq!(sent, payload, "the server got another packet");
            assert_stored(&mut direct, &lab.store, "t", i64::from(id), &value);
            let stored = direct.text(format!(
                "SELECT MD5(plain) = MD5(REPEAT('p', {})) FROM t WHERE id = {id}",
                plain.len()
            ));
            assert_eq!(stored, "1", "{payload}");
        }

        // The stored row: the pointer with its length of 1 byte, the plain value with 4 or 9.
        let pointer = direct.text("SELECT MAX(LENGTH(data)) FROM t");
        let pointer: usize = pointer.parse().expect("a number");
        for payload in AROUND {
            let head = if is_prepared { 2 } else { 0 };
            let length = |len: usize| if len < 1 << 24 { 4 } else { 9 };
            let rest = payload - head - 1 - pointer;
            let plain = vec![b'p'; rest - length(rest - 4)];
            let id = write(&mut client, &plain, &value);
            let row = match is_prepared {
                true => select.ok(&mut client, &[int(id)]).rows.remove(0),
                false => client
                    .rows(format!("SELECT data, plain FROM t WHERE id = {id}"))
                    .remove(0),
            };
            assert_same(row[0].as_ref().expect("not NULL"), &value, "the value");
            assert_same(
                row[1].as_ref().expect("not NULL"),
                &plain,
                "the plain value",
            );
        }
    }
}

/// The largest values, 1 GiB less what stands around them, by every way in and out: a text, a
/// bound value, pieces. Prints the seconds of each, and what the proxy has held at most.
#[test]
#[ignore = "takes minutes and 6 GiB of memory: make test-gib"]
fn one_gib() {
    const GIB: usize = 1 << 30;
    let lab = Lab::new("one_gib");
    table(&lab);
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    // Nothing that a text would have to escape.
    let mut value = noise(1, GIB + 1);
    value.iter_mut().for_each(|b| *b = *b & 0x1f | 0x60);
    let insert = Statement::prepare(&mut client, "INSERT INTO t (id, raw) VALUES (?, ?)");
    let select = Statement::prepare(&mut client, "SELECT id, raw FROM t WHERE id = ?");
    let peak = |what: &str, begun: std::time::Instant| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", lab.proxy.pid()));
        let status = status.expect("the proxy runs");
        let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
        let peak = peak.expect("a line of /proc");
        eprintln!("{what}: {:.1} s, {peak}", begun.elapsed().as_secs_f64());
    };

    // The largest last, as the peak does not fall.
    for way in [Way::Long(1 << 20), Way::Bound, Way::Text] {
        let begun = std::time::Instant::now();
        let (id, len) = match way {
            Way::Long(piece) => {
                send_pieces(&mut client, &insert, 1, &value[..GIB], piece);
                insert.ok(&mut client, &[int(1), apart(LONG_BLOB)]);
                (1, GIB)
            }
            Way::Bound => {
                let len = GIB - (EXECUTE + 2 * 2 + 4 + 9);
                insert.ok(&mut client, &[int(2), bytes(LONG_BLOB, &value[..len])]);
                (2, len)
            }
            Way::Text => {
                let (head, end) = ("INSERT INTO t (id, raw) VALUES (3, '", "')");
                let len = GIB - 1 - head.len() - end.len();
                client.ok(sql(&[head.as_bytes(), &value[..len], end.as_bytes()]));
                (3, len)
            }
        };
        peak(&format!("{len} bytes by {way:?}"), begun);
        let pointer = direct.text(format!("SELECT raw FROM t WHERE id = {id}"));
        assert!(pointer.contains(&format!("\"size\": {len}")), "{pointer}");
        let begun = std::time::Instant::now();
        let read = match way {
            Way::Text => client.rows("SELECT id, raw FROM t WHERE id = 3").remove(0),
            Way::Bound | Way::Long(_) => select.ok(&mut client, &[int(id)]).rows.remove(0),
        };
        assert_same(read[1].as_ref().expect("not NULL"), &value[..len], "read");
        peak("read again", begun);
    }

    // One byte more could not be read again.
    send_pieces(&mut client, &insert, 1, &value, 1 << 20);
    let error = insert.error(&mut client, &[int(4), apart(LONG_BLOB)]);
    assert_eq!(error.code, 1153, "{error}");
    assert_eq!(direct.text("SELECT COUNT(*) FROM t"), "3");
    assert_eq!(crate::support::objects::objects(&lab.store).len(), 3);
}

/// A row may have as many bytes of decoded values as the configuration says, whatever else there
/// is in it; a value of more is not stored.
#[test]
fn the_longest_value_can_be_read() {
    let lab = Lab::with_config("longest", |config| {
        config + "[limits]\nrow_bytes = 100_000\n"
    });
    table(&lab);
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let insert = Statement::prepare(&mut client, "INSERT INTO t (id, raw) VALUES (?, ?)");
    let value = noise(1, 100_001);
    let longest = &value[..100_000];
    let text = |id: i32, value: &[u8]| {
        let head = format!("INSERT INTO t (id, raw) VALUES ({id}, ");
        sql(&[head.as_bytes(), &escaped(value), b")"])
    };
    client.ok(text(1, longest));
    insert.ok(&mut client, &[int(2), bytes(BLOB, longest)]);
    send_pieces(&mut client, &insert, 1, longest, 999);
    insert.ok(&mut client, &[int(3), apart(BLOB)]);
    for row in client.rows("SELECT id, raw, id AS again FROM t") {
        assert_same(row[1].as_ref().expect("not NULL"), longest, "read");
    }
    let mut codes = vec![
        client.error(text(4, &value)).code,
        insert
            .error(&mut client, &[int(4), bytes(BLOB, &value)])
            .code,
    ];
    send_pieces(&mut client, &insert, 1, &value, 999);
    codes.push(insert.error(&mut client, &[int(4), apart(BLOB)]).code);
    codes.push(client.error("SELECT raw, raw AS again FROM t").code);
    assert_eq!(codes, [1153; 4]);
    assert_eq!(direct.text("SELECT COUNT(*) FROM t"), "3");
    assert_eq!(crate::support::objects::objects(&lab.store).len(), 1);
}

const SHOW: &str = "SHOW SESSION STATUS LIKE 'Bytes_received'";

/// The bytes that the server has read from this session, those of this question included.
fn received(client: &mut Client) -> usize {
    let row = client.rows(SHOW).remove(0);
    let text = String::from_utf8(row[1].clone().expect("a number")).expect("a number");
    text.parse().expect("a number")
}

/// Sends a value ahead, at least one piece of it.
fn send_pieces(
    client: &mut Client,
    statement: &Statement,
    parameter: u16,
    value: &[u8],
    piece: usize,
) {
    if value.is_empty() {
        statement.long_data(client, parameter, b"");
    }
    for piece in value.chunks(piece) {
        statement.long_data(client, parameter, piece);
    }
}

/// Checks what a pointer in any column names.
fn assert_object(direct: &mut Client, lab: &Lab, id: i32, column: &str, value: &[u8]) {
    let pointer = direct.text(format!("SELECT {column} FROM t WHERE id = {id}"));
    let object = crate::support::objects::object_of(&pointer, &lab.store, &lab.database);
    assert_same(&object, value, &format!("the object of row {id}"));
}
