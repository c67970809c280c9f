//! `information_schema.columns` in every view, and statements on columns that are prepared. (What
//! clients may ask of it, shape by shape: `tests/shapes/information.txt`.)

use crate::describe::{SEEN, STORED};
use crate::prepared::statement::{Statement, VAR_STRING, bytes};
use crate::support::answer::Answer;
use crate::support::client::{Client, Expect, caps, com};
use crate::support::lab::Lab;

/// All that the table has of a column, but its own table's name.
const ALL: &str = "SELECT COLUMN_NAME, ORDINAL_POSITION, COLUMN_DEFAULT, IS_NULLABLE, DATA_TYPE, \
    CHARACTER_MAXIMUM_LENGTH, CHARACTER_OCTET_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, \
    DATETIME_PRECISION, CHARACTER_SET_NAME, COLLATION_NAME, COLUMN_TYPE, COLUMN_KEY, EXTRA, PRIVILEGES, \
    COLUMN_COMMENT, GENERATION_EXPRESSION FROM information_schema.COLUMNS \
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{}' ORDER BY ORDINAL_POSITION";

fn all(table: &str) -> String {
    ALL.replace("{}", table)
}

fn shown(answer: &Answer) -> Vec<Vec<String>> {
    let text = |cell: &Option<Vec<u8>>| match cell {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => "NULL".to_owned(),
    };
    let rows = answer.rows.iter();
    rows.map(|row| row.iter().map(text).collect()).collect()
}

fn on_both(name: &str, test: impl Fn(&Lab)) {
    test(&Lab::new(name));
    if let Some(lab) = Lab::on_mysql(name) {
        test(&lab);
    }
}

#[test]
fn the_bytes_view_shows_what_a_legacy_client_would_have_declared() {
    on_both("information", |lab| {
        lab.table("codec", STORED);
        lab.table("legacy", SEEN);
        let expected = lab.direct().ok(all("legacy"));
        assert_eq!(expected.rows.len(), 14);
        let through = lab.bytes().ok(all("codec"));
        assert_eq!(shown(&through), shown(&expected));
        // The client's own columns are what they are.
        let kinds = |answer: &Answer| -> Vec<_> {
            let columns = answer.columns.iter();
            columns.map(|c| (c.name.clone(), c.charset)).collect()
        };
        assert_eq!(kinds(&through), kinds(&expected));
    });
}

/// Of `json` MariaDB has neither word nor length.
#[test]
fn the_json_view_shows_json() {
    on_both("information_json", |lab| {
        lab.table("codec", STORED);
        let mut client = lab.bytes();
        client.ok("SET @codec_view = 'json'");
        let text = "SELECT data_type, column_type, character_maximum_length, collation_name, \
            column_comment FROM information_schema.columns WHERE table_schema = DATABASE() AND \
            table_name = 'codec' AND column_name IN ('id', 'data', 'packed', 'plain') \
            ORDER BY ordinal_position";
        let json = |comment: &str| ["json", "json", "NULL", "NULL", comment].map(str::to_owned);
        let rows = shown(&client.ok(text));
        assert_eq!(rows[0][4], "the key");
        assert_eq!(rows[1], json("raw traces"));
        assert_eq!(rows[2], json("in the row"));
        assert_eq!(rows[3][..2], ["longblob", "longblob"]);
    });
}

#[test]
fn the_stored_view_says_json_and_the_present_time() {
    on_both("information_stored", |lab| {
        lab.table(
            "t",
            "id INT PRIMARY KEY COMMENT ':int32:', at DATETIME DEFAULT CURRENT_TIMESTAMP, \
             fine TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), \
             word VARCHAR(30) DEFAULT 'current_timestamp()', \
             data JSON COMMENT ':<blob@main>:x', other JSON COMMENT ':<graph@main>:x', \
             doc JSON COMMENT ':json:doc', here LONGBLOB COMMENT ':<blob>:', free LONGTEXT",
        );
        let text = "SELECT column_name, data_type, column_type, column_default, column_comment, \
            collation_name FROM information_schema.columns WHERE table_schema = DATABASE() AND \
            table_name = 't' ORDER BY ordinal_position";
        let mut expected = shown(&lab.direct().ok(text));
        for row in &mut expected {
            if ["data", "other", "doc"].contains(&row[0].as_str()) {
                row[1] = "json".into();
                row[2] = "json".into();
            }
        }
        expected[1][3] = "CURRENT_TIMESTAMP".into();
        expected[2][3] = "CURRENT_TIMESTAMP(3)".into();
        assert_eq!(shown(&lab.stored().ok(text)), expected);
    });
}

#[test]
fn among_several_statements() {
    let lab = Lab::new("information_several");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let database = &lab.database;
    let text = format!(
        "SELECT 'first'; USE information_schema; SELECT column_type FROM columns WHERE \
         table_schema = '{database}' AND column_name = 'data'; USE `{database}`; SELECT 'last'"
    );
    let frames = client.command(com::QUERY, text.as_bytes(), Expect::Results);
    let holds = |words: &[u8]| frames.iter().any(|f| f.body.ends_with(words));
    assert!(holds(b"\x08longblob") && holds(b"\x04last"));
    assert_eq!(client.text("SELECT DATABASE()"), *database);
}

/// A definition that stays on the server is the client's own.
#[test]
fn views_keep_their_text() {
    let lab = Lab::new("information_view");
    lab.blob_table("t");
    let mut client = lab.bytes();
    client.ok("CREATE VIEW v AS SELECT column_name, data_type FROM information_schema.columns");
    let row = client.rows("SHOW CREATE VIEW v").remove(0);
    let text = String::from_utf8(row[1].clone().unwrap_or_default()).expect("UTF-8");
    assert!(!text.contains("CASE") && !text.contains("case"), "{text}");
}

/// In the text of another statement the table is not followed.
#[test]
fn dynamic_statements_are_refused() {
    let lab = Lab::new("information_dynamic");
    lab.blob_table("t");
    let mut client = lab.bytes();
    client.ok("SET @q = 'SELECT data_type FROM information_schema.columns'");
    for text in [
        "EXECUTE IMMEDIATE @q",
        "PREPARE s FROM @q",
        "PREPARE s FROM 'SELECT data_type FROM information_schema.columns'",
    ] {
        let error = client.error(text);
        assert_eq!(error.code, 1235, "{text}: {error}");
        assert!(
            error.message.contains("information_schema.columns"),
            "{error}"
        );
    }
    client.ok("PREPARE s FROM 'SELECT table_name FROM information_schema.columns LIMIT 1'");
    client.ok("EXECUTE s");
}

/// Prepares a question, and asks it in several ways, which must all tell the same.
fn prepared(client: &mut Client, question: &str) -> Vec<Vec<String>> {
    const CURSOR: u8 = 1;
    let statement = Statement::prepare(client, question);
    let rows = shown(&statement.ok(client, &[]));
    for flags in [0, CURSOR] {
        let again = statement.execute(client, flags, &[]);
        assert_eq!(shown(&again.expect("a result")), rows, "{question}");
    }
    rows
}

#[test]
fn statements_on_columns_are_prepared() {
    on_both("information_prepared", |lab| {
        lab.table("codec", STORED);
        lab.table("legacy", SEEN);
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        for question in [
            "SHOW FULL COLUMNS FROM {}",
            "SHOW COLUMNS FROM {} LIKE 'd%'",
            "DESCRIBE {}",
        ] {
            let [codec, legacy] = ["codec", "legacy"].map(|t| question.replace("{}", t));
            let expected = shown(&direct.ok(legacy));
            assert!(!expected.is_empty());
            assert_eq!(prepared(&mut client, &codec), expected, "{question}");
        }
        let create = "SHOW CREATE TABLE codec";
        let expected = shown(&client.ok(create));
        assert!(expected[0][1].contains("<blob@main> raw traces"));
        assert_eq!(prepared(&mut client, create), expected);
        let mut stored = lab.stored();
        let question = "SHOW FULL COLUMNS FROM codec";
        let expected = shown(&stored.ok(question));
        let statement = Statement::prepare(&mut stored, question);
        assert_eq!(shown(&statement.ok(&mut stored, &[])), expected);
    });
}

/// What the client remembers of the result's columns, MariaDB leaves out of the answer.
#[test]
fn definitions_that_are_left_out() {
    let lab = Lab::new("information_cached");
    lab.table("codec", STORED);
    let bits = caps::COMMON | caps::DEPRECATE_EOF | caps::CACHE_METADATA;
    let login = lab.login().capabilities(bits);
    let mut client = lab.connect(lab.proxy.port("bytes"), &login);
    for question in ["SHOW FULL COLUMNS FROM codec", "DESCRIBE codec"] {
        let expected = shown(&lab.bytes().ok(question));
        assert_eq!(prepared(&mut client, question), expected, "{question}");
    }
}

#[test]
fn what_is_prepared_ends_with_its_view() {
    let lab = Lab::new("information_views");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let text = "SELECT data_type FROM information_schema.columns WHERE table_schema = ? AND \
        column_name = 'data'";
    let names = "SELECT column_name FROM information_schema.columns WHERE table_schema = ?";
    let questions = [text, names].map(|text| Statement::prepare(&mut client, text));
    let described = Statement::prepare(&mut client, "DESCRIBE t");
    let database = [bytes(VAR_STRING, lab.database.as_bytes())];
    let rows = shown(&questions[0].ok(&mut client, &database));
    assert_eq!(rows, [["longblob"]]);
    client.ok("SET @codec_view = 'json'");
    for question in &questions {
        assert_eq!(question.error(&mut client, &database).code, 1243);
    }
    assert_eq!(described.error(&mut client, &[]).code, 1243);
    let question = Statement::prepare(&mut client, text);
    assert_eq!(shown(&question.ok(&mut client, &database)), [["json"]]);
}

/// A table may become another between two executions.
#[test]
fn what_is_prepared_follows_its_table() {
    let lab = Lab::new("information_altered");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let describe = Statement::prepare(&mut client, "DESCRIBE t");
    let types = |client: &mut Client| -> Vec<String> {
        let rows = shown(&describe.ok(client, &[]));
        rows.into_iter().map(|row| row[1].clone()).collect()
    };
    assert_eq!(types(&mut client)[2..], ["longblob"]);
    client.ok("ALTER TABLE t ADD more longblob COMMENT '<hash@main>', ADD doc json");
    assert_eq!(
        types(&mut client)[2..],
        ["longblob", "longblob", "longtext"]
    );
}
