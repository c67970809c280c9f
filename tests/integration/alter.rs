//! ALTER TABLE through the `bytes` listener: columns keep their codecs and values.

use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::packed;

const COLUMNS: &str = "id INT NOT NULL PRIMARY KEY COMMENT ':int32:key', \
    name VARCHAR(20) DEFAULT NULL COMMENT ':varchar(20):', \
    plain LONGBLOB DEFAULT NULL COMMENT 'raw', \
    packed LONGBLOB DEFAULT NULL COMMENT ':<blob>:in the row', \
    data JSON DEFAULT NULL COMMENT ':<blob@main>:traces', \
    far JSON DEFAULT NULL COMMENT ':<attach@main>:a file'";

/// A table with a row of every codec.
fn filled(lab: &Lab, client: &mut Client) {
    lab.table("t", COLUMNS);
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    client.ok(format!(
        "INSERT INTO t VALUES (1, 'a', X'{0}', X'{0}', X'{0}', 'file.txt\\0content')",
        hex(&packed(1, 100))
    ));
}

fn comments(client: &mut Client) -> Vec<(String, String)> {
    let answer = client.ok("SHOW FULL COLUMNS FROM t");
    let names = answer.texts("Field").into_iter();
    names.zip(answer.texts("Comment")).collect()
}

fn comment_of(client: &mut Client, column: &str) -> String {
    let comments = comments(client);
    let found = comments.into_iter().find(|(name, _)| name == column);
    found.unwrap_or_else(|| panic!("no column {column}")).1
}

/// What DataJoint 0.14's `alter` sends, and more: the codec stays, and so does the value.
fn columns_keep_their_codecs(lab: &Lab) {
    let mut bytes = lab.bytes();
    filled(lab, &mut bytes);
    let (mut direct, mut stored) = (lab.direct(), lab.stored());
    let pointer = direct.value("SELECT data FROM t");
    let value = packed(1, 100);
    for (actions, column, marker) in [
        (
            "MODIFY `data` longblob DEFAULT NULL COMMENT \"other words\"",
            "data",
            ":<blob@main>:other words",
        ),
        (
            "MODIFY `data` longblob NOT NULL COMMENT \"<blob@main> tagged\" AFTER id",
            "data",
            ":<blob@main>:tagged",
        ),
        (
            "CHANGE `data` `d2` longblob DEFAULT NULL COMMENT \"renamed\" FIRST",
            "d2",
            ":<blob@main>:renamed",
        ),
        ("RENAME COLUMN d2 TO data", "data", ":<blob@main>:renamed"),
        ("MODIFY data longblob", "data", ":<blob@main>:"),
        (
            "MODIFY packed longblob DEFAULT NULL COMMENT 'x'",
            "packed",
            ":<blob>:x",
        ),
        (
            "MODIFY far longblob DEFAULT NULL COMMENT ':attach:x'",
            "far",
            ":<attach@main>:x",
        ),
        (
            "MODIFY plain longblob COMMENT '<blob> now'",
            "plain",
            ":<blob>:now",
        ),
        (
            "MODIFY id INT NOT NULL COMMENT 'the key'",
            "id",
            ":int32:the key",
        ),
        (
            "CHANGE name label varchar(40) COMMENT 'longer'",
            "label",
            ":varchar(40):longer",
        ),
        (
            "ALTER COLUMN data DROP DEFAULT, ALGORITHM=COPY",
            "data",
            ":<blob@main>:",
        ),
        ("CONVERT TO CHARACTER SET latin1", "data", ":<blob@main>:"),
        (
            "CONVERT TO CHARACTER SET utf8mb4, ENGINE=InnoDB, COMMENT='<blob@main> table'",
            "data",
            ":<blob@main>:",
        ),
        ("ADD INDEX data (id)", "data", ":<blob@main>:"),
    ] {
        bytes.ok(format!("ALTER TABLE t {actions}"));
        assert_eq!(comment_of(&mut direct, column), marker, "{actions}");
        let name = if actions.contains("d2` long") {
            "d2"
        } else {
            "data"
        };
        assert_eq!(
            bytes.value(format!("SELECT {name} FROM t")).as_ref(),
            Some(&value),
            "{actions}"
        );
        assert_eq!(
            stored.value(format!("SELECT {name} FROM t")),
            pointer,
            "{actions}"
        );
    }
    assert_eq!(bytes.value("SELECT packed FROM t"), Some(value.clone()));
    assert_eq!(bytes.value("SELECT plain FROM t"), Some(value));
    assert_eq!(bytes.text("SELECT far FROM t"), "file.txt\0content");
    bytes.ok("ALTER TABLE t RENAME TO u");
    bytes.ok("ALTER TABLE u DROP COLUMN data, RENAME TO t");
    assert_eq!(comments(&mut direct).len(), 5);
}

#[test]
fn columns_keep_their_codecs_on_mariadb() {
    columns_keep_their_codecs(&Lab::new("alter"));
}

#[test]
fn columns_keep_their_codecs_on_mysql() {
    if let Some(lab) = Lab::on_mysql("alter") {
        columns_keep_their_codecs(&lab);
    }
}

/// New columns, in both ways to write them; the next statement of another session knows them.
fn new_columns(lab: &Lab) {
    let mut bytes = lab.bytes();
    filled(lab, &mut bytes);
    bytes.ok("ALTER TABLE t ADD a longblob DEFAULT NULL COMMENT '<blob@main> x' AFTER id, \
        ADD COLUMN (b longblob DEFAULT NULL COMMENT '<hash@main>', c int DEFAULT NULL COMMENT '<int32> n')");
    let mut direct = lab.direct();
    for (column, marker) in [
        ("a", ":<blob@main>:x"),
        ("b", ":<hash@main>:"),
        ("c", ":int32:n"),
    ] {
        assert_eq!(comment_of(&mut direct, column), marker);
    }
    let mut other = lab.bytes();
    other.ok("REPLACE INTO t (id, b) VALUES (2, 'any bytes')");
    assert_eq!(bytes.text("SELECT b FROM t WHERE id = 2"), "any bytes");
    assert!(
        direct
            .text("SELECT b FROM t WHERE id = 2")
            .contains("\"hash\"")
    );
    bytes.ok("CREATE TABLE u LIKE t");
    bytes.ok("INSERT INTO u (id, b) VALUES (3, 'in the copy')");
    assert!(direct.text("SELECT b FROM u").contains("\"hash\""));
    assert_eq!(other.text("SELECT b FROM u"), "in the copy");
}

#[test]
fn new_columns_on_mariadb() {
    new_columns(&Lab::new("alter_add"));
}

#[test]
fn new_columns_on_mysql() {
    if let Some(lab) = Lab::on_mysql("alter_add") {
        new_columns(&lab);
    }
}

/// What would leave rows without their values is refused, and nothing has happened.
fn changes_that_are_refused(lab: &Lab) {
    let mut bytes = lab.bytes();
    filled(lab, &mut bytes);
    let mut direct = lab.direct();
    let before = direct.rows("SHOW CREATE TABLE t");
    let elsewhere = format!("{}_elsewhere", lab.database);
    for (statement, column) in [
        (
            "ALTER TABLE t MODIFY data longblob COMMENT '<blob> x'",
            "data",
        ),
        (
            "ALTER TABLE t MODIFY data longblob COMMENT '<hash@main> x'",
            "data",
        ),
        (
            "ALTER TABLE t MODIFY plain longblob COMMENT '<blob@main> x'",
            "plain",
        ),
        ("ALTER TABLE t MODIFY data varchar(2000)", "data"),
        ("ALTER TABLE t CHANGE data d int", "d"),
        ("ALTER TABLE t ALTER data SET DEFAULT 'x'", "data"),
        ("ALTER TABLE t ADD n INT AS (LENGTH(data))", "data"),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (data <> '')", "data"),
        ("ALTER TABLE t ADD x longblob COMMENT '<blob@nowhere>'", "x"),
        ("ALTER TABLE t RENAME TO `E`.t", "data"),
        ("RENAME TABLE t TO `E`.t", "data"),
    ] {
        let statement = statement.replace("`E`", &format!("`{elsewhere}`"));
        let error = bytes.error(&statement);
        assert!(
            error.message.starts_with("codec-proxy: "),
            "{statement}: {error}"
        );
        let path = format!("{}.t.{column}", lab.database);
        assert!(error.message.contains(&path), "{statement}: {error}");
        assert_eq!(direct.rows("SHOW CREATE TABLE t"), before, "{statement}");
    }
    // Without rows there is nothing to lose.
    bytes.ok("DELETE FROM t");
    bytes.ok(
        "ALTER TABLE t MODIFY data longblob DEFAULT NULL COMMENT '<blob> x', \
        MODIFY plain longblob DEFAULT NULL COMMENT '<blob@main> y', MODIFY far int",
    );
    for (column, marker) in [
        ("data", ":<blob>:x"),
        ("plain", ":<blob@main>:y"),
        ("far", ""),
    ] {
        assert_eq!(comment_of(&mut direct, column), marker);
    }
    // A row that is not committed yet is a row: the ALTER would commit it.
    bytes.ok("SET autocommit = 0");
    bytes.ok(format!(
        "INSERT INTO t (id, data) VALUES (7, '{}')",
        "mYm\\0A\\0"
    ));
    let error = bytes.error("ALTER TABLE t MODIFY data longblob COMMENT '<blob@main> x'");
    assert!(error.message.contains(".t.data"), "{error}");
    bytes.ok("ROLLBACK");
}

#[test]
fn changes_that_are_refused_on_mariadb() {
    changes_that_are_refused(&Lab::new("alter_refused"));
}

#[test]
fn changes_that_are_refused_on_mysql() {
    if let Some(lab) = Lab::on_mysql("alter_refused") {
        changes_that_are_refused(&lab);
    }
}
