//! Every built-in codec by the binary protocol: what is stored is what the text protocol stores.

use std::fs;

use super::statement::{
    BLOB, Bound, DATETIME, LONGLONG_UNSIGNED, Statement, TINY, VAR_STRING, blob, bytes, int, null,
};
use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{escaped, sql};

const COLUMNS: &str = "id INT COMMENT ':int32:', name VARCHAR(20) COMMENT ':varchar(20):', \
    b LONGBLOB COMMENT ':<blob>:', bx JSON COMMENT ':<blob@main>:', \
    a LONGBLOB COMMENT ':<attach>:', ax JSON COMMENT ':<attach@main>:', \
    h JSON COMMENT ':<hash@main>:', o JSON COMMENT ':<object@main>:', \
    n JSON COMMENT ':<npy@main>:', f JSON COMMENT ':<filepath@main>:', \
    PRIMARY KEY (id, name)";

/// What the columns take in the bytes view.
fn values() -> Vec<(&'static str, Vec<u8>)> {
    let attachment = b"a.txt\0content".to_vec();
    vec![
        ("b", blob(200, 1)),
        ("bx", blob(300, 2)),
        ("a", attachment.clone()),
        ("ax", attachment),
        ("h", b"any bytes \x00\xff".to_vec()),
        ("o", b"the content of a file".to_vec()),
        ("n", blob(24, 5)),
        ("f", b"raw/data.bin".to_vec()),
    ]
}

const JSON_VALUES: [(&str, &str); 8] = [
    ("b", "[1,2]"),
    ("bx", "{\"a\": null}"),
    ("a", r#"{"name": "a.txt", "base64": "AAE="}"#),
    ("ax", r#"{"name": "b.txt", "base64": "AAE="}"#),
    ("h", r#"{"$bytes": "AAE="}"#),
    ("o", r#"{"ext": ".bin", "base64": "AAE="}"#),
    ("n", r#"{"$array": "int32", "shape": [2], "value": [1, 2]}"#),
    ("f", r#"{"path": "raw/data.bin"}"#),
];

fn filled(lab: &Lab) {
    lab.table("t", COLUMNS);
    fs::create_dir_all(lab.store.join("raw")).expect("a new folder");
    fs::write(lab.store.join("raw/data.bin"), b"somebody's").expect("a new file");
}

#[test]
fn in_the_bytes_view() {
    let lab = Lab::new("prepared_codecs");
    bytes_view(&lab);
}

#[test]
fn in_the_bytes_view_on_mysql() {
    if let Some(lab) = Lab::on_mysql("prepared_codecs") {
        bytes_view(&lab);
    }
}

fn bytes_view(lab: &Lab) {
    filled(lab);
    let values: Vec<_> = values();
    each_way(lab, &mut lab.bytes(), &values);
}

#[test]
fn in_the_json_view() {
    let lab = Lab::new("prepared_codecs_json");
    json_view(&lab);
}

#[test]
fn in_the_json_view_on_mysql() {
    if let Some(lab) = Lab::on_mysql("prepared_codecs_json") {
        json_view(&lab);
    }
}

fn json_view(lab: &Lab) {
    filled(lab);
    let mut client = lab.bytes();
    client.ok("SET @codec_view = 'json'");
    let values: Vec<_> = (JSON_VALUES.iter())
        .map(|(column, text)| (*column, text.as_bytes().to_vec()))
        .collect();
    each_way(lab, &mut client, &values);
}

/// As text, as parameters, as long data, as a literal in a prepared statement.
fn each_way(lab: &Lab, client: &mut Client, values: &[(&str, Vec<u8>)]) {
    let mut direct = lab.direct();
    for (column, value) in values {
        let literal = escaped(value);
        let text = format!("INSERT INTO t (id, name, {column}) VALUES (1, 'x', ");
        client.ok(sql(&[text.as_bytes(), &literal, b")"]));

        let text = format!("INSERT INTO t (id, name, {column}) VALUES (?, ?, ?)");
        let insert = Statement::prepare(client, &text);
        let key = |id| [int(id), bytes(VAR_STRING, b"x")];
        let with = |id, value: Bound| [&key(id)[..], &[value]].concat();
        insert.ok(client, &with(2, bytes(BLOB, value)));
        insert.ok(client, &with(3, bytes(VAR_STRING, value)));
        for piece in value.chunks(5) {
            insert.long_data(client, 2, piece);
        }
        insert.ok(client, &with(4, super::statement::apart(BLOB)));
        insert.ok(client, &with(5, null(BLOB)));

        let hex = data_encoding::HEXUPPER.encode(value);
        let text = format!("INSERT INTO t ({column}, id, name) VALUES (X'{hex}', ?, ?)");
        let insert = Statement::prepare(client, &text);
        assert_eq!(insert.parameters.len(), 2, "{column}");
        insert.ok(client, &key(6));
        insert.ok(client, &key(7));

        let text = format!("SELECT id, {column} FROM t WHERE {column} IS NOT NULL ORDER BY id");
        let rows = Statement::prepare(client, &text).ok(client, &[]).rows;
        let shown = client.rows(&text);
        assert_eq!(rows.len(), 6, "{column}");
        for (row, shown) in rows.iter().zip(&shown) {
            let (row, shown) = (row[1].clone(), shown[1].clone());
            let is_object = matches!(*column, "o" | "n" | "f");
            if let (true, Some(text)) = (is_object, &shown)
                && text.starts_with(b"{")
            {
                assert_eq!(row.as_ref(), Some(text), "{column}");
                continue;
            }
            assert_eq!(row, rows[0][1], "{column}");
            assert_eq!(shown, rows[0][1], "{column}");
        }
        let text = format!("SELECT {column} FROM t WHERE {column} IS NOT NULL ORDER BY id");
        let stored = direct.rows(&text);
        if !matches!(*column, "o" | "n" | "f") {
            assert!(stored.iter().all(|row| row == &stored[0]), "{column}");
        } else if *column != "f" {
            for (row, id) in stored.iter().zip([1, 2, 3, 4, 6, 7]) {
                let metadata = String::from_utf8_lossy(row[0].as_deref().unwrap_or_default());
                let path = format!("/t/id={id}/name=x/{column}");
                assert!(metadata.contains(&path), "{metadata} has {path}");
            }
        }
        direct.ok("DELETE FROM t");
    }
}

/// Objects named by the primary key, whose parts are parameters of many types.
#[test]
fn keys_are_parameters() {
    let lab = Lab::new("prepared_keys");
    keys(&lab);
}

#[test]
fn keys_are_parameters_on_mysql() {
    if let Some(lab) = Lab::on_mysql("prepared_keys") {
        keys(&lab);
    }
}

fn keys(lab: &Lab) {
    lab.table(
        "k",
        "a BIGINT UNSIGNED, b TINYINT, c DATETIME(6), d VARCHAR(20), \
         o JSON COMMENT ':<object@main>:', PRIMARY KEY (a, b, c, d)",
    );
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let text = "INSERT INTO k (d, o, c, b, a) VALUES (?, ?, ?, ?, ?)";
    let insert = Statement::prepare(&mut client, text);
    let moment = vec![11, 0xe4, 7, 2, 29, 13, 4, 5, 1, 0, 0, 0];
    let bound = |d: Bound, c: Bound| {
        [
            d,
            bytes(BLOB, b"content"),
            c,
            Bound(TINY, Some(vec![0xff])),
            Bound(LONGLONG_UNSIGNED, Some(u64::MAX.to_le_bytes().to_vec())),
        ]
    };
    let moment = Bound(DATETIME, Some(moment));
    let name = bytes(VAR_STRING, "é".as_bytes());
    insert.ok(&mut client, &bound(name, moment.clone()));
    let by_binary = direct.text("SELECT o FROM k");
    direct.ok("DELETE FROM k");
    client.ok(
        "INSERT INTO k (d, o, c, b, a) VALUES ('é', 'content', '2020-02-29 13:04:05.000001', -1, \
         18446744073709551615)",
    );
    let by_text = direct.text("SELECT o FROM k");
    // But for the random token at the end of its name.
    let path = |metadata: &str| {
        let fields: serde_json::Value = serde_json::from_str(metadata).expect("JSON");
        let path = fields["path"].as_str().expect("a path").to_owned();
        path[..path.rfind("/o_").expect("a token")].to_owned()
    };
    assert_eq!(path(&by_binary), path(&by_text));
    let before = crate::support::objects::objects(&lab.store).len();
    for d in [null(VAR_STRING), bytes(BLOB, "é".as_bytes())] {
        let error = insert.error(&mut client, &bound(d, moment.clone()));
        assert_eq!(error.code, 1235, "{error}");
        assert!(error.message.contains(" d "), "{error}");
    }
    insert.long_data(&mut client, 0, b"in pieces");
    let error = insert.error(
        &mut client,
        &bound(super::statement::apart(VAR_STRING), moment),
    );
    assert_eq!(error.code, 1235, "{error}");
    assert_eq!(crate::support::objects::objects(&lab.store).len(), before);
    assert_eq!(direct.text("SELECT COUNT(*) FROM k"), "1");
}
