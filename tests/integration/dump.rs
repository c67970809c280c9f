//! Executable comments, and complete copies of a database with its own tools: through the `bytes`
//! listener with the values, through the `stored` listener with the pointers.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::client::Client;
use crate::support::lab::{Lab, PASSWORD};
use crate::support::objects::packed;

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

/// The tools that copy a database, and read the copy.
struct Tools {
    dump: Vec<String>,
    client: Vec<String>,
}

impl Tools {
    fn mariadb() -> Self {
        Self {
            dump: vec!["mariadb-dump".into(), "--skip-ssl".into()],
            client: vec!["mariadb".into(), "--skip-ssl".into()],
        }
    }

    /// MySQL's own, where the environment says how to run them: `mysqldump` and `mysql`.
    fn mysql() -> Option<Self> {
        let words = |name: &str| {
            let command = std::env::var(name).ok()?;
            Some(command.split(' ').map(str::to_owned).collect::<Vec<_>>())
        };
        let found = words("CODEC_PROXY_TESTS_MYSQLDUMP").zip(words("CODEC_PROXY_TESTS_MYSQL"));
        let Some((mut dump, client)) = found else {
            eprintln!(
                "skipped: CODEC_PROXY_TESTS_MYSQLDUMP and CODEC_PROXY_TESTS_MYSQL name no tools"
            );
            return None;
        };
        dump.push("--set-gtid-purged=OFF".into());
        Some(Self { dump, client })
    }

    /// Runs one of the tools on the lab's database at a port.
    fn run(
        &self,
        tool: &[String],
        lab: &Lab,
        port: u16,
        options: &[&str],
        input: &[u8],
    ) -> Vec<u8> {
        let mut process = Command::new(&tool[0])
            .args(&tool[1..])
            .args([
                "--host=127.0.0.1",
                &format!("--port={port}"),
                &format!("--user={}", lab.user),
            ])
            .args(options)
            .arg(&lab.database)
            .env("MYSQL_PWD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tool starts");
        let mut stdin = process.stdin.take().expect("piped");
        let input = input.to_vec();
        let writing = std::thread::spawn(move || stdin.write_all(&input));
        let output = process.wait_with_output().expect("the tool ends");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {options:?}: {told}", tool[0]);
        writing
            .join()
            .expect("no panic")
            .expect("the tool reads it all");
        output.stdout
    }

    fn dump(&self, lab: &Lab, port: u16, options: &[&str]) -> Vec<u8> {
        self.run(&self.dump, lab, port, options, b"")
    }

    fn restore(&self, lab: &Lab, port: u16, dump: &[u8]) {
        self.run(&self.client, lab, port, &[], dump);
    }
}

/// A table with values that quote, end lines and are no text, in codecs of every kind.
fn filled(lab: &Lab) -> Vec<Vec<Option<Vec<u8>>>> {
    lab.table(
        "t",
        "id INT PRIMARY KEY COMMENT ':int32:the key', note VARCHAR(200) COMMENT ':varchar(200):', \
         data JSON DEFAULT NULL COMMENT ':<blob@main>:raw traces', \
         packed LONGBLOB DEFAULT NULL COMMENT ':<blob>:in the row', \
         file JSON DEFAULT NULL COMMENT ':<attach@main>:', \
         bytes JSON DEFAULT NULL COMMENT ':<hash@>:any bytes', \
         meta JSON DEFAULT NULL COMMENT ':json:', plain LONGBLOB DEFAULT NULL",
    );
    lab.table(
        "nothing",
        "id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:'",
    );
    let mut client = lab.bytes();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let all: Vec<u8> = (0..=255).collect();
    for id in 1..=5 {
        client.ok(format!(
            "INSERT INTO t VALUES ({id}, 'it''s \\\\ é', X'{0}', X'{0}', X'{1}', X'{2}', '{{\"a\": 1}}', X'{2}')",
            hex(&packed(id, 300)),
            hex(&[b"a 'file'.txt\0", all.as_slice()].concat()),
            hex(&all),
        ));
    }
    client.ok("INSERT INTO t (id) VALUES (6)");
    client.rows("SELECT * FROM t ORDER BY id")
}

/// A copy with the values restores where neither the tables nor the objects are left; one of the
/// pointers restores the rows as they were.
fn copies(lab: &Lab, tools: &Tools) {
    let values = filled(lab);
    let (mut client, mut direct) = (lab.bytes(), lab.direct());
    let tables = |direct: &mut Client| {
        ["t", "nothing"].map(|table| direct.rows(format!("SHOW CREATE TABLE {table}")))
    };
    let declared = tables(&mut direct);
    let pointers = direct.rows("SELECT * FROM t ORDER BY id");
    for options in [
        &[][..],
        &["--hex-blob"],
        &["--skip-extended-insert", "--complete-insert"],
        &["--skip-opt", "--add-drop-table", "--single-transaction"],
    ] {
        let dump = tools.dump(lab, lab.proxy.port("stored"), options);
        assert!(find(&dump, b"_hash/"), "{options:?}");
        direct.ok("DROP TABLE t, nothing");
        tools.restore(lab, lab.proxy.port("stored"), &dump);
        assert_eq!(tables(&mut direct), declared, "{options:?}");
        assert_eq!(
            direct.rows("SELECT * FROM t ORDER BY id"),
            pointers,
            "{options:?}"
        );
        assert_eq!(
            client.rows("SELECT * FROM t ORDER BY id"),
            values,
            "{options:?}"
        );

        let dump = tools.dump(lab, lab.proxy.port("bytes"), options);
        assert!(!find(&dump, b"_hash/"), "{options:?}");
        client.ok("DROP TABLE t, nothing");
        for entry in fs::read_dir(&lab.store).expect("a folder") {
            fs::remove_dir_all(entry.expect("an entry").path()).expect("a folder");
        }
        tools.restore(lab, lab.proxy.port("bytes"), &dump);
        assert_eq!(tables(&mut direct), declared, "{options:?}");
        assert_eq!(
            client.rows("SELECT * FROM t ORDER BY id"),
            values,
            "{options:?}"
        );
    }
}

fn find(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn copies_by_mariadb_dump() {
    copies(&Lab::new("dump"), &Tools::mariadb());
}

#[test]
fn copies_by_mysqldump() {
    if let (Some(lab), Some(tools)) = (Lab::on_mysql("dump"), Tools::mysql()) {
        copies(&lab, &tools);
    }
}
