//! A value arrives in the store as it was meant, in whatever form a client writes it.

use crate::support::lab::Lab;
use crate::support::objects::{assert_same, assert_stored, escaped, hex, noise, packed, sql};

/// A value with every byte, and with what confuses a lexer.
fn awkward() -> Vec<u8> {
    let mut value = packed(1, 3000);
    value.extend(0..=255u8);
    value.extend_from_slice(b"'' \\' \\\\ \" \"\" ` /* */ -- \n # ; ), (1, '\\0");
    value.extend_from_slice(b"\xbf\x27 \xbf\x5c \x81\x5c \\");
    value
}

/// Inserts one value in the form given, and checks database, object and what is read back.
fn round_trip(
    lab: &Lab,
    client: &mut crate::support::client::Client,
    id: i64,
    form: &[u8],
    value: &[u8],
) {
    let statement = sql(&[
        format!("INSERT INTO t (id, data) VALUES ({id}, ").as_bytes(),
        form,
        b")",
    ]);
    client.ok(&statement);
    assert_stored(&mut lab.direct(), &lab.store, "t", id, value);
    let read = client.value(format!("SELECT data FROM t WHERE id = {id}"));
    assert_same(
        &read.expect("not NULL"),
        value,
        &format!("row {id} read back"),
    );
}

#[test]
fn every_form_of_literal() {
    let lab = Lab::new("literals");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let value = awkward();
    let single = escaped(&value);
    let mut double = single.clone();
    double[0] = b'"';
    *double.last_mut().expect("quoted") = b'"';
    let digits = data_encoding::HEXLOWER.encode(&value);
    let (head, tail) = value.split_at(700);
    // Backslashes before characters that need none, and a quote that is doubled.
    let wordy = sql(&[b"'\\m\\Ym\\0\\\"\\a\\%\\_''x\\b\\t'"]);

    let forms: [(Vec<u8>, &[u8]); 11] = [
        (single.clone(), &value),
        (double.clone(), &value),
        (hex(&value), &value),
        (format!("x'{digits}'").into_bytes(), &value),
        (format!("0x{digits}").into_bytes(), &value),
        (sql(&[b"_binary", &single]), &value),
        (sql(&[b"_binary ", &double]), &value),
        (sql(&[b"_binary ", &hex(&value)]), &value),
        (sql(&[&escaped(head), b"\n ", &escaped(tail)]), &value),
        (sql(&[b"(", &single, b" ) -- the end\n"]), &value),
        (wordy, b"mYm\0\"a\\%\\_'x\x08\t"),
    ];
    for (id, (form, value)) in (1..).zip(forms) {
        round_trip(&lab, &mut client, id, &form, value);
    }
}

#[test]
fn no_backslash_escapes_is_followed() {
    let lab = Lab::new("no_backslash");
    lab.blob_table("t");
    let mut client = lab.bytes();
    client.ok("SET sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')");
    let value = awkward();
    let mut doubled = vec![b'\''];
    for byte in &value {
        doubled.push(*byte);
        if *byte == b'\'' {
            doubled.push(b'\'');
        }
    }
    doubled.push(b'\'');
    round_trip(&lab, &mut client, 1, &doubled, &value);
    round_trip(
        &lab,
        &mut client,
        2,
        b"'mYm\0ends in a backslash\\'",
        b"mYm\0ends in a backslash\\",
    );
    client.ok("SET sql_mode = ''");
    round_trip(&lab, &mut client, 3, &escaped(&value), &value);
    // Another session keeps its own mode.
    let mut other = lab.bytes();
    client.ok("SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'");
    round_trip(&lab, &mut other, 4, &escaped(&value), &value);
    round_trip(&lab, &mut client, 5, &doubled, &value);
    client.command(
        crate::support::client::com::RESET_CONNECTION,
        b"",
        crate::support::client::Expect::Single,
    );
    round_trip(&lab, &mut client, 6, &escaped(&value), &value);
}

#[test]
fn ansi_quotes_make_names_of_double_quotes() {
    let lab = Lab::new("ansi");
    lab.blob_table("t");
    let mut client = lab.bytes();
    client.ok("SET sql_mode = 'ANSI_QUOTES'");
    let error = client.error("INSERT INTO t (id, data) VALUES (1, \"mYm\\0no value\")");
    assert!([1054, 1235].contains(&error.code), "{error}");
    assert_eq!(lab.direct().text("SELECT COUNT(*) FROM t"), "0");
    let value = packed(4, 50);
    let statement = sql(&[
        br#"INSERT INTO "t" ("id", "data") VALUES (2, "#,
        &escaped(&value),
        b")",
    ]);
    client.ok(statement);
    assert_stored(&mut lab.direct(), &lab.store, "t", 2, &value);
    assert_eq!(client.value(r#"SELECT "data" FROM "t""#), Some(value));
}

/// Clients of another charset send the same bytes; what is not a value is theirs to name.
#[test]
fn other_charsets() {
    let lab = Lab::new("charsets");
    lab.blob_table("t");
    let value = awkward();
    for (id, charset) in [
        (1, "latin1"),
        (2, "utf8mb3"),
        (3, "binary"),
        (4, "utf8mb4"),
        (5, "ascii"),
    ] {
        let mut client = lab.bytes();
        client.ok(format!("SET NAMES {charset}"));
        round_trip(&lab, &mut client, id, &escaped(&value), &value);
    }
    // A comment field beside the value keeps its own charset.
    let mut client = lab.bytes();
    client.ok("SET NAMES latin1");
    client.ok(sql(&[
        b"INSERT INTO t VALUES (9, 'caf\xe9', ",
        &escaped(&value),
        b")",
    ]));
    assert_eq!(lab.direct().text("SELECT note FROM t WHERE id = 9"), "café");
    assert_eq!(
        client.value("SELECT note FROM t WHERE id = 9"),
        Some(b"caf\xe9".to_vec())
    );
}

/// Values around the lengths at which packets and length prefixes change.
#[test]
fn lengths_at_the_boundaries() {
    let lab = Lab::new("lengths");
    lab.blob_table("t");
    let mut client = lab.bytes();
    for (id, length) in (1..).zip([4usize, 5, 250, 251, 252, 65_535, 65_536, 65_537, 1 << 20]) {
        let mut value = b"mYm\0".to_vec();
        value.extend(noise(length as u64, length - 4));
        round_trip(&lab, &mut client, id, &escaped(&value), &value);
    }
}

/// 17 and 40 MiB: more than one packet each way, escaped and as hexadecimal digits.
#[test]
fn values_of_many_packets() {
    let lab = Lab::new("big");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let value = packed(17, 17 << 20);
    round_trip(&lab, &mut client, 1, &escaped(&value), &value);
    round_trip(&lab, &mut client, 2, &hex(&value), &value);
    let value = packed(40, 40 << 20);
    round_trip(&lab, &mut client, 3, &escaped(&value), &value);
    // Several of them in one row set, between small ones.
    client.ok(sql(&[
        b"INSERT INTO t (id, data) VALUES (0, ",
        &escaped(&packed(2, 9)),
        b")",
    ]));
    let read = client.rows("SELECT id, data, data AS again FROM t ORDER BY id");
    let lengths: Vec<_> = read
        .iter()
        .map(|r| r[1].as_ref().map_or(0, Vec::len))
        .collect();
    assert_eq!(
        lengths,
        [38, (17 << 20) + 29, (17 << 20) + 29, (40 << 20) + 29]
    );
    assert_same(
        read[3][2].as_deref().unwrap_or_default(),
        &value,
        "40 MiB among others",
    );
}
