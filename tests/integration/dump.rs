//! Executable comments, and complete copies of a database with its own tools: through the `bytes`
//! listener with the values, through the `stored` listener with the pointers.

use crate::support::lab::Lab;

/// A comment is code where the server makes it code, and nothing where it does not.
fn executable_comments(lab: &Lab) {
    lab.table(
        "t",
        "id INT PRIMARY KEY, note VARCHAR(200), data JSON COMMENT ':<hash@main>:'",
    );
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    client.ok("INSERT /*!40001 INTO */ t VALUES (1, 'a' /*!99999 'b' */, 'value' /* plain */)");
    for opening in [
        "/*!",
        "/*!40001",
        "/*!50700",
        "/*!80016",
        "/*!99999",
        "/*!100100",
        "/*!101099",
        "/*!999999",
        "/*M!",
        "/*M!100100",
        "/*M!80016",
        "/*M!999999",
    ] {
        let select = |columns: &str| format!("SELECT {columns} {opening} , note */ FROM t");
        let expected = direct.ok(select("id")).columns.len();
        let answer = client.ok(select("data"));
        assert_eq!(answer.columns.len(), expected, "{opening}");
        assert_eq!(
            answer.rows[0][0].as_deref(),
            Some(&b"value"[..]),
            "{opening}"
        );
        client.ok(format!(
            "REPLACE INTO t (id, data {opening} , note */) VALUES (2, 'other' {opening} , 'x' */)"
        ));
        let note = direct.rows("SELECT note FROM t WHERE id = 2")[0][0].is_some();
        assert_eq!(note, expected == 2, "{opening}");
        assert_eq!(client.text("SELECT data FROM t WHERE id = 2"), "other");
    }
}

#[test]
fn executable_comments_are_code_where_the_server_says_so() {
    executable_comments(&Lab::new("executable"));
}

#[test]
fn executable_comments_on_mysql() {
    if let Some(lab) = Lab::on_mysql("executable") {
        executable_comments(&lab);
    }
}
