//! Every built-in codec through the text protocol and a folder as the store: what the views
//! show, what is stored, and what is refused before anything is.

use std::fs;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{assert_same, escaped, hash_name, objects, packed, sql};

/// A table with a column for each codec.
const COLUMNS: &str = "id INT COMMENT ':int32:', name VARCHAR(20) COMMENT ':varchar(20):', \
    b LONGBLOB COMMENT ':<blob>:', bx JSON COMMENT ':<blob@main>:', \
    a LONGBLOB COMMENT ':<attach>:', ax JSON COMMENT ':<attach@main>:', \
    h JSON COMMENT ':<hash@main>:', o JSON COMMENT ':<object@main>:', \
    n JSON COMMENT ':<npy@main>:', f JSON COMMENT ':<filepath@main>:', \
    PRIMARY KEY (id, name)";

fn lab(name: &str) -> Lab {
    let lab = Lab::new(name);
    lab.table("t", COLUMNS);
    fs::create_dir_all(lab.store.join("raw")).expect("a new folder");
    fs::write(lab.store.join("raw/data.bin"), b"somebody's").expect("a new file");
    lab
}

/// A client that has chosen the json view.
fn json_client(lab: &Lab) -> Client {
    let mut client = lab.bytes();
    client.ok("SET @codec_view = 'json'");
    client
}

/// Inserts one value into one column of a new row.
fn insert(client: &mut Client, id: u32, column: &str, text: &str) {
    client.ok(insertion(id, column, text));
}

fn insertion(id: u32, column: &str, text: &str) -> Vec<u8> {
    sql(&[
        format!("INSERT INTO t (id, name, {column}) VALUES ({id}, 'x y', ").as_bytes(),
        &escaped(text.as_bytes()),
        b")",
    ])
}

fn select(client: &mut Client, id: u32, column: &str) -> Vec<u8> {
    let value = client.value(format!("SELECT {column} FROM t WHERE id = {id}"));
    value.unwrap_or_else(|| panic!("{column} of {id} is NULL"))
}

fn shown(client: &mut Client, id: u32, column: &str) -> Value {
    let text = select(client, id, column);
    serde_json::from_slice(&text)
        .unwrap_or_else(|e| panic!("{column} of {id}: {e}: {}", String::from_utf8_lossy(&text)))
}

#[test]
fn blobs_inline_and_outside() {
    let lab = lab("blob_json");
    let (mut client, mut bytes, mut direct) = (json_client(&lab), lab.bytes(), lab.direct());
    let text =
        r#"{"a":[1,2.5,"x"],"b":{"$array":"int16","shape":[2,2],"value":[[1,2],[3,4]]},"c":null}"#;
    insert(&mut client, 1, "b", text);
    insert(&mut client, 2, "bx", text);
    for (id, column) in [(1, "b"), (2, "bx")] {
        let read = select(&mut client, id, column);
        assert_eq!(String::from_utf8_lossy(&read), text);
        let blob = select(&mut bytes, id, column);
        assert!(blob.starts_with(b"dj0\0"), "{blob:?}");
    }
    let inline = select(&mut direct, 1, "b");
    assert_same(
        &inline,
        &select(&mut bytes, 2, "bx"),
        "the same bytes, there and here",
    );
    let pointer = shown(&mut direct, 2, "bx");
    assert_eq!(pointer["hash"], hash_name(&inline));
}

#[test]
fn attachments() {
    let lab = lab("attach");
    let (mut client, mut bytes, mut direct) = (json_client(&lab), lab.bytes(), lab.direct());
    let framed = b"notes \xc3\xa9.txt\0hello";
    let text = "{\"name\":\"notes é.txt\",\"base64\":\"aGVsbG8=\"}";
    for (id, column) in [(1, "a"), (2, "ax")] {
        insert(&mut client, id, column, text);
        let read = shown(&mut client, id, column);
        assert_eq!(read["name"], "notes é.txt");
        assert_eq!(
            (&read["size"], &read["base64"]),
            (&json!(5), &json!("aGVsbG8="))
        );
        assert_same(&select(&mut bytes, id, column), framed, column);
        // What was shown can be written.
        insert(&mut client, id + 10, column, &read.to_string());
        assert_same(&select(&mut bytes, id + 10, column), framed, column);
    }
    assert_same(&select(&mut direct, 1, "a"), framed, "inline");
    assert_eq!(shown(&mut direct, 2, "ax")["hash"], hash_name(framed));
    // What a client of the bytes view frames passes as it is.
    bytes.ok(sql(&[
        b"INSERT INTO t (id, name, a, ax) VALUES (3, '', ",
        &escaped(framed),
        b", ",
        &escaped(framed),
        b")",
    ]));
    assert_same(&select(&mut direct, 3, "a"), framed, "inline");
    assert_eq!(shown(&mut client, 3, "ax")["name"], "notes é.txt");
    assert_eq!(
        objects(&lab.store).len(),
        2,
        "one object, and the file of others"
    );
}

#[test]
fn hashed_bytes() {
    let lab = lab("hash_json");
    let (mut client, mut bytes) = (json_client(&lab), lab.bytes());
    insert(&mut client, 1, "h", r#"{"$bytes":"AAH/"}"#);
    assert_eq!(shown(&mut client, 1, "h"), json!({"$bytes": "AAH/"}));
    assert_same(&select(&mut bytes, 1, "h"), b"\x00\x01\xff", "h");
}

#[test]
fn objects_are_files_and_directories() {
    let lab = lab("object");
    let (mut client, mut bytes, mut direct) = (json_client(&lab), lab.bytes(), lab.direct());
    let schema = lab.database.clone();

    insert(&mut client, 1, "o", r#"{"ext":".dat","base64":"aGVsbG8="}"#);
    let metadata = shown(&mut direct, 1, "o");
    let path = metadata["path"].as_str().expect("a path").to_owned();
    assert!(
        path.starts_with(&format!("_schema/{schema}/t/id=1/name=x y/o_")),
        "{path}"
    );
    assert!(path.ends_with(".dat"), "{path}");
    assert_same(
        &fs::read(lab.store.join(&path)).expect("an object"),
        b"hello",
        "o",
    );
    let read = shown(&mut client, 1, "o");
    assert_eq!(
        [&read["ext"], &read["base64"], &read["path"]],
        [&json!(".dat"), &json!("aGVsbG8="), &json!(path)]
    );
    assert_same(&select(&mut bytes, 1, "o"), b"hello", "o");

    // A file as bytes, small and large.
    for (id, len) in [(2, 10), (3, 3_000_000)] {
        let content = packed(id, len);
        bytes.ok(sql(&[
            format!("INSERT INTO t (id, name, o) VALUES ({id}, 'n', ").as_bytes(),
            &escaped(&content),
            b")",
        ]));
        assert_same(&select(&mut bytes, id as u32, "o"), &content, "o");
        let path = shown(&mut direct, id as u32, "o")["path"]
            .as_str()
            .expect("a path")
            .to_owned();
        assert_same(
            &fs::read(lab.store.join(path)).expect("an object"),
            &content,
            "o",
        );
    }

    // A directory.
    let files = json!({"files": [
        {"path": "a.txt", "base64": "YQ=="},
        {"path": "sub/b.txt", "base64": "Yg=="},
    ]});
    insert(&mut client, 4, "o", &files.to_string());
    let metadata = shown(&mut direct, 4, "o");
    assert_eq!(metadata["is_dir"], true);
    let folder = lab.store.join(metadata["path"].as_str().expect("a path"));
    assert_same(
        &fs::read(folder.join("sub/b.txt")).expect("a file"),
        b"b",
        "b.txt",
    );
    let read = shown(&mut client, 4, "o");
    let names: Vec<_> = read["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|f| &f["path"])
        .collect();
    assert_eq!(names, [&json!("a.txt"), &json!("sub/b.txt")]);
    let tar = select(&mut bytes, 4, "o");
    bytes.ok("SET @codec_object = 'dir'");
    bytes.ok(sql(&[
        b"INSERT INTO t (id, name, o) VALUES (5, 'n', ",
        &escaped(&tar),
        b")",
    ]));
    let again = shown(&mut client, 5, "o");
    assert_eq!(again["files"], read["files"]);
}

#[test]
fn arrays_as_npy_files() {
    let lab = lab("npy");
    let (mut client, mut bytes, mut direct) = (json_client(&lab), lab.bytes(), lab.direct());
    let array = json!({"$array": "int32", "shape": [2, 3], "value": [[1, 2, 3], [4, 5, 6]]});
    insert(&mut client, 1, "n", &array.to_string());
    let read = shown(&mut client, 1, "n");
    assert_eq!(
        [&read["dtype"], &read["shape"], &read["value"]],
        [&json!("int32"), &json!([2, 3]), &array]
    );
    let path = shown(&mut direct, 1, "n")["path"]
        .as_str()
        .expect("a path")
        .to_owned();
    assert!(path.ends_with(".npy"), "{path}");
    let file = fs::read(lab.store.join(path)).expect("an object");
    assert!(file.starts_with(b"\x93NUMPY\x01\x00"), "{file:?}");

    // A legacy program gets its packed array, and writes one.
    let blob = select(&mut bytes, 1, "n");
    assert!(blob.starts_with(b"mYm\0A"), "{blob:?}");
    bytes.ok(sql(&[
        b"INSERT INTO t (id, name, n) VALUES (2, 'n', ",
        &escaped(&blob),
        b")",
    ]));
    assert_eq!(shown(&mut client, 2, "n")["value"], array);
    // Who asks for the file gets the file, and may write it.
    bytes.ok("SET @codec_npy = 'npy'");
    assert_same(&select(&mut bytes, 1, "n"), &file, "the file");
    bytes.ok(sql(&[
        b"INSERT INTO t (id, name, n) VALUES (3, 'n', ",
        &escaped(&file),
        b")",
    ]));
    assert_eq!(shown(&mut client, 3, "n")["value"], array);
    bytes.ok("SET @codec_npy = 'array'");
    assert_same(&select(&mut bytes, 3, "n"), &blob, "the array");
}

#[test]
fn paths_of_files() {
    let lab = lab("filepath");
    let (mut client, mut bytes, mut direct) = (json_client(&lab), lab.bytes(), lab.direct());
    insert(&mut client, 1, "f", "\"raw/data.bin\"");
    insert(&mut client, 2, "f", r#"{"path":"raw/data.bin"}"#);
    insert(&mut bytes, 3, "f", "raw/data.bin");
    for id in 1..=3 {
        let read = shown(&mut client, id, "f");
        assert_eq!(
            [&read["path"], &read["size"]],
            [&json!("raw/data.bin"), &json!(10)]
        );
        assert_same(&select(&mut bytes, id, "f"), b"raw/data.bin", "f");
        assert_eq!(shown(&mut direct, id, "f")["path"], "raw/data.bin");
    }
    let answer = bytes.ok("SELECT f FROM t WHERE id = 1");
    let column = answer.column("f");
    assert_eq!(
        (column.kind, column.charset),
        (253, 45),
        "it is announced as a varchar"
    );
}

#[test]
fn all_columns_of_one_row_at_once() {
    let lab = lab("at_once");
    let mut client = json_client(&lab);
    client.ok(
        r#"INSERT INTO t VALUES
        (1, 'one', '[1]', '[2]', '{"name":"a","base64":"YQ=="}', '{"name":"b","base64":"Yg=="}',
         '{"$bytes":"Yw=="}', '{"base64":"ZA=="}', '{"$array":"uint8","value":[5]}', '"raw/data.bin"'),
        (2, 'two', NULL, '{"x":2}', DEFAULT, NULL, NULL, '{"base64":"ZQ=="}', NULL, NULL)"#,
    );
    let rows = client.rows("SELECT * FROM t ORDER BY id");
    let text = |row: usize, at: usize| {
        let value: &Option<Vec<u8>> = &rows[row][at];
        value
            .as_deref()
            .map(|v| String::from_utf8_lossy(v).into_owned())
    };
    assert_eq!(text(0, 2).as_deref(), Some("[1]"));
    assert_eq!(text(0, 3).as_deref(), Some("[2]"));
    assert!(
        text(0, 8).is_some_and(|t| t.contains("\"value\":[5]")),
        "{:?}",
        text(0, 8)
    );
    assert_eq!(text(1, 2), None);
    assert_eq!(text(1, 3).as_deref(), Some("{\"x\":2}"));
    assert!(text(1, 7).is_some_and(|t| t.contains("ZQ==")));
}

#[test]
fn what_a_codec_does_not_take_is_refused_before_anything_is_written() {
    let lab = lab("refused_json");
    let (mut client, mut bytes, mut direct) = (json_client(&lab), lab.bytes(), lab.direct());
    for (column, text) in [
        ("b", "[1,"),
        ("b", ""),
        ("b", "{\"$array\":\"int8\",\"shape\":[3],\"value\":[1]}"),
        ("bx", "not json"),
        ("bx", "{\"$unknown\":1}"),
        ("a", "{\"name\":\"a\"}"),
        ("a", "[1]"),
        ("ax", "{\"name\":\"a\",\"base64\":\"!\"}"),
        ("h", "[1]"),
        ("o", "[1]"),
        ("o", "{\"files\":[{\"path\":\"../x\",\"base64\":\"\"}]}"),
        ("n", "{\"a\":1}"),
        ("f", "\"raw/missing.bin\""),
        ("f", "\"../etc/passwd\""),
        ("f", "\"/etc/passwd\""),
        ("f", "\"_hash/x\""),
        ("f", "\"s3://bucket/key\""),
    ] {
        let error = client.error(insertion(1, column, text));
        let expected = [1366, 1296];
        assert!(expected.contains(&error.code), "{column} {text}: {error}");
        let name = format!("{}.t.{column}", lab.database);
        assert!(error.message.contains(&name), "{column} {text}: {error}");
    }
    for (column, text) in [
        ("n", "plain text"),
        ("f", "../x"),
        ("a", "no frame"),
        ("bx", "[1]"),
    ] {
        let error = bytes.error(insertion(1, column, text));
        let name = format!("{}.t.{column}", lab.database);
        assert!(error.message.contains(&name), "{column} {text}: {error}");
    }
    assert_eq!(direct.text("SELECT COUNT(*) FROM t"), "0");
    assert_eq!(objects(&lab.store).len(), 1, "the file of others");

    // One bad value refuses all rows of its statement.
    let error = client.error("INSERT INTO t (id, name, b) VALUES (1, 'a', '[1]'), (2, 'b', '[')");
    assert_eq!(error.code, 1366, "{error}");
    assert_eq!(direct.text("SELECT COUNT(*) FROM t"), "0");

    // An object's name is made of the primary key, so that must be known.
    lab.table(
        "counted",
        "id INT AUTO_INCREMENT PRIMARY KEY COMMENT ':int32:', o JSON COMMENT ':<object@main>:'",
    );
    for key in ["", "id, "] {
        let value = if key.is_empty() { "" } else { "0, " };
        let statement =
            format!("INSERT INTO counted ({key}o) VALUES ({value}'{{\"base64\":\"YQ==\"}}')");
        let error = client.error(&statement);
        assert_eq!(error.code, 1235, "{statement}: {error}");
    }
    client.ok("INSERT INTO counted (id, o) VALUES (7, '{\"base64\":\"YQ==\"}')");
    let path = shown_path(&mut direct, "SELECT o FROM counted");
    assert!(path.contains("/counted/id=7/o_"), "{path}");
}

fn shown_path(client: &mut Client, statement: &str) -> String {
    let metadata: Value = serde_json::from_str(&client.text(statement)).expect("metadata");
    metadata["path"].as_str().expect("a path").to_owned()
}

#[test]
fn a_lost_object_ends_the_result_with_an_error() {
    let lab = lab("lost");
    let mut client = json_client(&lab);
    for (id, column, text) in [
        (1, "bx", "[1]"),
        (2, "o", r#"{"base64":"YQ=="}"#),
        (3, "n", r#"{"$array":"uint8","value":[5]}"#),
    ] {
        insert(&mut client, id, column, text);
        let before = objects(&lab.store);
        let object = before.iter().find(|path| !path.ends_with("raw/data.bin"));
        let object = object.expect("an object");
        let whole = fs::read(object).expect("an object");
        if column == "bx" {
            fs::write(object, b"dj0\0\xff").expect("it is ours");
            let error = client.error(format!("SELECT {column} FROM t WHERE id = {id}"));
            assert!(error.message.contains("Hash mismatch"), "{error}");
            fs::write(object, &whole).expect("it is ours");
        }
        fs::remove_file(object).expect("it is ours");
        for view in ["json", "bytes"] {
            client.ok(format!("SET @codec_view = '{view}'"));
            let error = client.error(format!("SELECT {column} FROM t WHERE id = {id}"));
            assert_eq!(error.code, 1296, "{error}");
            assert!(error.message.contains("Missing external file"), "{error}");
            assert!(!error.message.contains(&lab.database.repeat(2)), "{error}");
            let path = object.to_string_lossy();
            let name = path.rsplit('/').next().expect("a name");
            assert!(!error.message.contains(name), "{error}");
        }
        client.ok("SET @codec_view = 'json'");
    }
    assert_eq!(client.text("SELECT 'goes on'"), "goes on");
}

#[test]
fn a_planted_pointer_reads_nothing_of_another_schema() {
    let (secret, mine) = (lab("planted_secret"), Lab::new("planted_mine"));
    let mut owner = json_client(&secret);
    let array = r#"{"$array":"uint8","value":[83,69,67,82,69,84]}"#;
    insert(&mut owner, 1, "bx", array);
    insert(&mut owner, 2, "h", r#"{"$bytes":"U0VDUkVU"}"#);
    insert(
        &mut owner,
        3,
        "ax",
        r#"{"name":"SECRET","base64":"U0VDUkVU"}"#,
    );
    insert(&mut owner, 4, "o", r#"{"base64":"U0VDUkVU"}"#);
    insert(
        &mut owner,
        5,
        "o",
        r#"{"files":[{"path":"SECRET","base64":"U0VDUkVU"}]}"#,
    );
    insert(&mut owner, 6, "n", array);

    // A user of another schema, who may write the stored view of their own tables there.
    let mut thief = secret.connect(secret.proxy.port("stored"), &mine.login());
    thief.ok(format!("CREATE TABLE t ({COLUMNS})"));
    let mut direct = secret.direct();
    let mut id = 100;
    for (row, from) in [(1, "bx"), (2, "h"), (3, "ax"), (4, "o"), (5, "o"), (6, "n")] {
        let pointer = direct.text(format!("SELECT {from} FROM t WHERE id = {row}"));
        for planted in ["bx", "ax", "h", "o", "n", "f"] {
            id += 1;
            thief.ok(sql(&[
                format!("INSERT INTO t (id, name, {planted}) VALUES ({id}, '', ").as_bytes(),
                &escaped(pointer.as_bytes()),
                b")",
            ]));
            for view in ["bytes", "json"] {
                thief.ok(format!("SET @codec_view = '{view}'"));
                let answer = thief.query(format!("SELECT {planted} FROM t WHERE id = {id}"));
                match answer {
                    Err(error) => assert_eq!(error.code, 1296, "{from} as {planted}: {error}"),
                    Ok(answer) => panic!("{from} as {planted} in {view}: {answer:?}"),
                }
            }
            thief.ok("SET @codec_view = 'stored'");
        }
    }
    // Nor can a path be written that leads there.
    thief.ok("SET @codec_view = 'json'");
    for row in [1, 4] {
        let column = if row == 1 { "bx" } else { "o" };
        let path = shown_path(
            &mut direct,
            &format!("SELECT {column} FROM t WHERE id = {row}"),
        );
        let error = thief.error(insertion(99, "f", &json!(path).to_string()));
        assert!([1366, 1296].contains(&error.code), "{error}");
    }
}

#[test]
fn the_configuration_opens_sections_to_all() {
    let lab = Lab::with_config("also", |config| {
        format!("{config}\n[pointers]\nalso_readable = ['_hash/old_lab', 'legacy']\n")
    });
    lab.table("t", COLUMNS);
    let value = packed(1, 50);
    let hash = hash_name(&value);
    let mut stored = lab.stored();
    for (id, section, readable) in [
        (1, "_hash/old_lab", true),
        (2, "legacy/x", true),
        (3, "_hash/new_lab", false),
    ] {
        let folder = lab.store.join(section);
        fs::create_dir_all(&folder).expect("a new folder");
        fs::write(folder.join(&hash), &value).expect("a new file");
        let pointer = json!({"hash": hash, "path": format!("{section}/{hash}"), "store": "main"});
        stored.ok(format!(
            "INSERT INTO t (id, name, bx) VALUES ({id}, '', '{pointer}')"
        ));
        for view in ["bytes", "json"] {
            stored.ok(format!("SET @codec_view = '{view}'"));
            let answer = stored.query(format!("SELECT bx FROM t WHERE id = {id}"));
            assert_eq!(answer.is_ok(), readable, "{section} in {view}");
        }
        stored.ok("SET @codec_view = 'stored'");
    }
}
