//! How tables are declared and how they look: SHOW COLUMNS and DESCRIBE in both views.

use crate::support::answer::Answer;
use crate::support::lab::Lab;

/// Columns as DataJoint 2.x stores them, and as a client of 0.14 is to see them.
pub const STORED: &str = "id INT NOT NULL COMMENT ':int32:the key', \
    name VARCHAR(40) NOT NULL DEFAULT 'x' COMMENT ':varchar(40):', \
    at DATETIME(3) DEFAULT NULL COMMENT ':datetime(3):when: exactly', \
    kind ENUM('a','b') DEFAULT 'a' COMMENT ':enum(''a'',''b''):', \
    ok TINYINT NOT NULL COMMENT ':bool:fine', \
    f FLOAT DEFAULT NULL COMMENT ':float32:', \
    price DECIMAL(8,2) DEFAULT NULL COMMENT ':decimal(8,2):in francs', \
    raw LONGBLOB DEFAULT NULL COMMENT ':bytes:as it is', \
    data JSON DEFAULT NULL COMMENT ':<blob@main>:raw traces', \
    other JSON NOT NULL COMMENT ':<blob@>:', \
    hashed JSON DEFAULT NULL COMMENT ':<hash@main>:any: bytes', \
    packed LONGBLOB DEFAULT NULL COMMENT ':<blob>:in the row', \
    plain LONGBLOB COMMENT 'no marker', doc LONGTEXT COMMENT 'text', PRIMARY KEY (id)";
pub const SEEN: &str = "id INT NOT NULL COMMENT 'the key', \
    name VARCHAR(40) NOT NULL DEFAULT 'x' COMMENT '', \
    at DATETIME(3) DEFAULT NULL COMMENT 'when: exactly', \
    kind ENUM('a','b') DEFAULT 'a' COMMENT '', \
    ok TINYINT NOT NULL COMMENT 'fine', \
    f FLOAT DEFAULT NULL COMMENT '', \
    price DECIMAL(8,2) DEFAULT NULL COMMENT 'in francs', \
    raw LONGBLOB DEFAULT NULL COMMENT 'as it is', \
    data LONGBLOB DEFAULT NULL COMMENT 'raw traces', \
    other LONGBLOB NOT NULL COMMENT '', \
    hashed LONGBLOB DEFAULT NULL COMMENT 'any: bytes', \
    packed LONGBLOB DEFAULT NULL COMMENT 'in the row', \
    plain LONGBLOB COMMENT 'no marker', doc LONGTEXT COMMENT 'text', PRIMARY KEY (id)";

/// Ways to ask, with `T` for the table.
const QUESTIONS: [&str; 14] = [
    "SHOW FULL COLUMNS FROM T",
    "SHOW COLUMNS FROM T",
    "SHOW FULL FIELDS IN `T`",
    "SHOW FULL COLUMNS FROM `T` IN `D`",
    "SHOW FULL COLUMNS FROM `D`.`T`",
    "show full columns from T from D",
    "SHOW FULL COLUMNS FROM T LIKE 'da%'",
    "SHOW FULL COLUMNS FROM T WHERE Field = 'data'",
    "DESCRIBE T",
    "DESC `D`.`T`",
    "DESC T data",
    "DESCRIBE T 'd%'",
    "EXPLAIN T",
    "/* a question */ SHOW FULL COLUMNS FROM T;",
];

#[test]
fn the_bytes_view_shows_what_a_legacy_client_would_have_declared() {
    let lab = Lab::new("describe");
    lab.table("codec", STORED);
    lab.table("legacy", SEEN);
    let (mut bytes, mut direct) = (lab.bytes(), lab.direct());
    for question in QUESTIONS {
        let through = bytes.ok(question_for(question, "codec", &lab.database));
        let expected = direct.ok(question_for(question, "legacy", &lab.database));
        assert!(!expected.rows.is_empty(), "{question}");
        assert_eq!(readable(&through), readable(&expected), "{question}");
        let names = |answer: &Answer| -> Vec<String> {
            answer.columns.iter().map(|c| c.name.clone()).collect()
        };
        assert_eq!(names(&through), names(&expected));
    }
}

fn question_for(question: &str, table: &str, database: &str) -> String {
    let words = question
        .split(' ')
        .map(|word| match word.trim_end_matches(';') {
            "T" => table.to_owned(),
            "`T`" => format!("`{table}`"),
            "D" => database.to_owned(),
            "`D`" => format!("`{database}`"),
            "`D`.`T`" => format!("`{database}`.`{table}`"),
            other => other.to_owned(),
        });
    words.collect::<Vec<_>>().join(" ")
}

fn readable(answer: &Answer) -> Vec<Vec<String>> {
    let text = |cell: &Option<Vec<u8>>| match cell {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => "NULL".to_owned(),
    };
    answer
        .rows
        .iter()
        .map(|row| row.iter().map(text).collect())
        .collect()
}

#[test]
fn the_stored_view_says_json() {
    let lab = Lab::new("describe_stored");
    lab.table("codec", STORED);
    let (mut stored, mut direct) = (lab.stored(), lab.direct());
    for question in QUESTIONS {
        let question = question_for(question, "codec", &lab.database);
        let through = readable(&stored.ok(&question));
        let mut expected = readable(&direct.ok(&question));
        for row in &mut expected {
            if ["data", "other", "hashed"].contains(&row[0].as_str()) {
                assert_eq!(row[1], "longtext");
                "json".clone_into(&mut row[1]);
                // A column of type json has no collation.
                if through
                    .iter()
                    .any(|r| r[0] == row[0] && r.get(2) == Some(&"NULL".to_owned()))
                    && row.len() > 6
                {
                    "NULL".clone_into(&mut row[2]);
                }
            }
        }
        assert_eq!(through, expected, "{question}");
    }
}

/// What a legacy client writes into a comment becomes the stored type and its marker.
#[test]
fn a_declared_codec_is_stored_as_datajoint_stores_it() {
    let lab = Lab::new("declare");
    let mut bytes = lab.bytes();
    let database = lab.database.clone();
    bytes.ok(format!(
        "CREATE TABLE IF NOT EXISTS `{database}`.`t` (\n\
         `id` int NOT NULL COMMENT \"the key, not <blob@main>\",\n\
         `traces` longblob NOT NULL COMMENT \"<blob@main> raw traces\",\n\
         `mixed` longblob DEFAULT NULL COMMENT '<blob@main>it''s \\'quoted\\' \"twice\", é',\n\
         `bare` LONGBLOB COMMENT '<blob@>',\n\
         `within` longblob DEFAULT NULL COMMENT \"<blob> in the row\",\n\
         `any` longblob DEFAULT NULL COMMENT \"<hash@main>\",\n\
         `plain` longblob COMMENT \"raw <blob@main>\",\n\
         PRIMARY KEY (`id`)\n) ENGINE=InnoDB, COMMENT \"<blob@main> of the table\""
    ));
    let answer = lab.direct().ok("SHOW FULL COLUMNS FROM t");
    assert_eq!(
        answer.texts("Type"),
        [
            "int(11)", "longtext", "longtext", "longtext", "longblob", "longtext", "longblob"
        ]
    );
    assert_eq!(
        answer.texts("Comment"),
        [
            "the key, not <blob@main>",
            ":<blob@main>:raw traces",
            ":<blob@main>:it's 'quoted' \"twice\", é",
            ":<blob@>:",
            ":<blob>:in the row",
            ":<hash@main>:",
            "raw <blob@main>"
        ]
    );
    assert_eq!(
        answer.texts("Null"),
        ["NO", "NO", "YES", "YES", "YES", "YES", "YES"]
    );
    assert_eq!(answer.texts("Collation")[1], "utf8mb4_bin");
    let create = lab.direct().rows("SHOW CREATE TABLE t")[0][1].clone();
    let create = String::from_utf8(create.unwrap_or_default()).expect("UTF-8");
    assert_eq!(create.matches("json_valid").count(), 4, "{create}");
    assert!(
        create.contains("COMMENT='<blob@main> of the table'"),
        "{create}"
    );
    let seen = bytes.ok("SHOW FULL COLUMNS FROM t");
    assert_eq!(seen.texts("Type")[1..], ["longblob"; 6]);
    assert_eq!(
        seen.texts("Comment")[1..4],
        ["raw traces", "it's 'quoted' \"twice\", é", ""]
    );
}

#[test]
fn a_declared_codec_that_cannot_be_is_refused() {
    let lab = Lab::new("declare_wrong");
    let mut bytes = lab.bytes();
    for (comment, named) in [
        ("<blob@nowhere> x", "nowhere"),
        ("<nosuch@main> x", "nosuch"),
        ("<hash> x", "hash"),
    ] {
        let error = bytes.error(format!(
            "CREATE TABLE t (id INT PRIMARY KEY, traces longblob COMMENT \"{comment}\")"
        ));
        assert!(error.message.starts_with("codec-proxy: "), "{error}");
        assert!(
            error.message.contains("traces") && error.message.contains(named),
            "{error}"
        );
        assert_eq!(lab.direct().rows("SHOW TABLES").len(), 0);
    }
}

/// The `stored` view declares as it is told.
#[test]
fn the_stored_view_declares_untouched() {
    let lab = Lab::new("declare_stored");
    lab.stored()
        .ok("CREATE TABLE t (id INT, traces longblob COMMENT \"<blob@main> x\")");
    let answer = lab.direct().ok("SHOW FULL COLUMNS FROM t");
    assert_eq!(answer.texts("Type")[1], "longblob");
    assert_eq!(answer.texts("Comment")[1], "<blob@main> x");
}

/// COM_FIELD_LIST, which the `mysql` command line sends for completion.
#[test]
fn field_lists_show_a_longblob() {
    use crate::support::answer::Column;
    use crate::support::client::{Expect, com};
    let lab = Lab::new("field_list");
    lab.table(
        "t",
        "id INT, data JSON COMMENT ':<blob@main>:x', plain LONGBLOB",
    );
    let mut client = lab.bytes();
    let frames = client.command(com::FIELD_LIST, b"t\0", Expect::Fields);
    assert_eq!(frames.len(), 4);
    let data = Column::parse(&frames[1].body);
    let mut plain = Column::parse(&frames[2].body);
    assert_eq!(plain.name, "plain");
    "data".clone_into(&mut plain.name);
    "data".clone_into(&mut plain.org_name);
    assert_eq!(data, plain);
    assert_eq!(client.text("SELECT 'goes on'"), "goes on");
}
