//! HANDLER on codec tables: rows as those of a SELECT.

use crate::support::lab::Lab;
use crate::support::objects::{escaped, packed, sql};

fn labs(name: &str) -> impl Iterator<Item = Lab> {
    [Some(Lab::new(name)), Lab::on_mysql(name)]
        .into_iter()
        .flatten()
}

#[test]
fn rows_are_decoded() {
    for lab in labs("handler") {
        lab.table(
            "t",
            "id INT PRIMARY KEY, note VARCHAR(20), data JSON COMMENT ':<blob@main>:', \
             here LONGBLOB COMMENT ':<blob>:', KEY by_note (note), KEY by_here (note, here(8))",
        );
        let mut client = lab.bytes();
        for id in 1..=4 {
            let row = format!("INSERT INTO t VALUES ({id}, 'n{}', ", 9 - id);
            let value = escaped(&packed(id, 40));
            client.ok(sql(&[row.as_bytes(), &value, b", ", &value, b")"]));
        }
        for view in ["bytes", "json"] {
            client.ok(format!("SET @codec_view = '{view}'"));
            let rows = client.rows("SELECT * FROM t ORDER BY id");
            client.ok("HANDLER t OPEN AS h");
            assert_eq!(client.rows("HANDLER h READ FIRST"), rows[..1]);
            assert_eq!(
                client.rows("HANDLER h READ `PRIMARY` >= (3) LIMIT 9"),
                rows[2..]
            );
            assert_eq!(client.rows("HANDLER h READ by_note FIRST"), rows[3..]);
            assert_eq!(client.rows("HANDLER h READ by_note NEXT"), rows[2..3]);
            let found = client.rows("HANDLER h READ FIRST WHERE data IS NOT NULL AND id > 1");
            assert_eq!(found, rows[1..2]);
            // In the bytes view the index has what the client knows; in the json view, not so.
            let by_value = client.query("HANDLER h READ by_here = ('n8')");
            assert_eq!(by_value.is_ok(), view == "bytes", "{by_value:?}");
            client.ok("HANDLER h CLOSE");
        }
    }
}
