//! SHOW CREATE TABLE: the statement that declares the table through the proxy once more.

use crate::support::client::Client;
use crate::support::lab::Lab;

/// Columns of every kind, as DataJoint 2.3.5 stores them.
const COLUMNS: &str = "id INT NOT NULL COMMENT ':int32:the key', \
    name VARCHAR(40) NOT NULL DEFAULT 'x' COMMENT ':varchar(40):it''s \\\\ \\\"quoted\\\"', \
    at DATETIME(3) DEFAULT NULL COMMENT ':datetime(3):when: exactly', \
    kind ENUM('a','b') DEFAULT 'a' COMMENT ':enum(''a'',''b''):', \
    ok TINYINT NOT NULL COMMENT ':bool:fine', \
    price DECIMAL(8,2) DEFAULT NULL COMMENT ':decimal(8,2):in francs é', \
    tag BINARY(16) DEFAULT NULL COMMENT ':uuid:which', \
    raw LONGBLOB DEFAULT NULL COMMENT ':bytes:as it is', \
    meta JSON DEFAULT NULL COMMENT ':json:', \
    data JSON DEFAULT NULL COMMENT ':<blob@main>:raw traces', \
    other JSON NOT NULL COMMENT ':<blob@>:', \
    hashed JSON DEFAULT NULL COMMENT ':<hash@main>:any: bytes', \
    packed LONGBLOB DEFAULT NULL COMMENT ':<blob>:in the row', \
    file LONGBLOB DEFAULT NULL COMMENT ':<attach>:a file', \
    far JSON DEFAULT NULL COMMENT ':<attach@main>:', \
    thing JSON DEFAULT NULL COMMENT ':<object@main>:', \
    grid JSON DEFAULT NULL COMMENT ':<npy@>:', \
    place JSON DEFAULT NULL COMMENT ':<filepath@main>:where', \
    strange JSON DEFAULT NULL COMMENT ':<graph@main>:unknown', \
    old BINARY(16) DEFAULT NULL COMMENT ':blob@ext:legacy', \
    plain LONGBLOB COMMENT 'no marker', PRIMARY KEY (id)";

fn created(client: &mut Client, table: &str) -> String {
    let rows = client.rows(format!("SHOW CREATE TABLE `{table}`"));
    String::from_utf8(rows[0][1].clone().expect("a statement")).expect("UTF-8")
}

/// What a client of the view is told declares, through that view, what is stored.
fn a_table_declares_itself(lab: &Lab) {
    lab.table("codec", COLUMNS);
    let mut direct = lab.direct();
    let stored = created(&mut direct, "codec");
    for (view, declared) in [("bytes", "longblob"), ("json", "json"), ("stored", "json")] {
        for mode in ["", "ANSI_QUOTES"] {
            let mut client = lab.bytes();
            client.ok(format!("SET @codec_view = '{view}', sql_mode = '{mode}'"));
            let statement = created(&mut client, "codec");
            let is_tagged = statement.contains("'<blob@main> raw traces'");
            assert_eq!(is_tagged, view != "stored", "{statement}");
            let quote = if mode.is_empty() { '`' } else { '"' };
            let data = format!(
                "{quote}data{quote} {declared} DEFAULT NULL COMMENT '<blob@main> raw traces',"
            );
            assert_eq!(statement.contains(&data), view != "stored", "{statement}");
            let again = statement.replacen("codec", "again", 1);
            client.ok(&again);
            let declared = created(&mut direct, "again").replacen("again", "codec", 1);
            assert_eq!(declared, stored, "{view} {mode}: {again}");
            client.ok("DROP TABLE again");
        }
    }
}

#[test]
fn a_table_declares_itself_on_mariadb() {
    a_table_declares_itself(&Lab::new("show_create"));
}

#[test]
fn a_table_declares_itself_on_mysql() {
    if let Some(lab) = Lab::on_mysql("show_create") {
        a_table_declares_itself(&lab);
    }
}

/// Sent to a server without a proxy it declares what a legacy program opens.
#[test]
fn without_a_proxy_a_table_of_plain_columns_comes_of_it() {
    let lab = Lab::new("show_create_plain");
    lab.table(
        "codec",
        "id INT PRIMARY KEY COMMENT ':int32:key', data JSON COMMENT ':<blob@main>:raw'",
    );
    let statement = created(&mut lab.bytes(), "codec").replacen("codec", "plain", 1);
    let mut direct = lab.direct();
    direct.ok(statement);
    let columns = direct.ok("SHOW FULL COLUMNS FROM plain");
    assert_eq!(columns.texts("Type"), ["int(11)", "longblob"]);
    assert_eq!(columns.texts("Comment"), ["<int32> key", "<blob@main> raw"]);
}

/// What is no base table, or has no marker, comes as the server says it.
#[test]
fn everything_else_is_as_it_was() {
    let lab = Lab::new("show_create_others");
    lab.table(
        "plain",
        "id INT PRIMARY KEY COMMENT 'key', data LONGBLOB COMMENT 'raw'",
    );
    lab.table(
        "codec",
        "id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:raw'",
    );
    let mut direct = lab.direct();
    direct.ok("CREATE VIEW seen AS SELECT * FROM codec");
    let mut bytes = lab.bytes();
    for statement in [
        "SHOW CREATE TABLE plain",
        "SHOW CREATE VIEW seen",
        "SHOW CREATE TABLE seen",
        "SHOW INDEX FROM codec",
        "SHOW CREATE DATABASE `D`",
        "SHOW TABLES LIKE 'codec'",
    ] {
        let statement = statement.replace("`D`", &lab.database);
        assert_eq!(
            bytes.rows(&statement),
            direct.rows(&statement),
            "{statement}"
        );
    }
    let names = |rows: Vec<Vec<Option<Vec<u8>>>>| -> Vec<_> {
        rows.into_iter()
            .map(|row| (row[0].clone(), row[1].clone()))
            .collect()
    };
    let status = "SHOW TABLE STATUS";
    assert_eq!(names(bytes.rows(status)), names(direct.rows(status)));
    let error = bytes.error("SHOW CREATE TABLE nowhere");
    assert_eq!(error.code, 1146, "{error}");
}
