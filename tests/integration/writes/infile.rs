//! LOAD DATA LOCAL INFILE into tables with codec columns.

use super::expressions::{labs, state};
use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::{assert_stored, objects, packed};

/// A value with everything escaped that means something in a file with tabs.
fn escaped(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in value {
        match byte {
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            b'\\' => out.extend(b"\\\\"),
            0 => out.extend(b"\\0"),
            other => out.push(*other),
        }
    }
    out
}

fn load(client: &mut Client, file: &[u8], statement: &str) -> Result<u64, u16> {
    client.infile = file.to_vec();
    match client.query(statement) {
        Ok(answer) => Ok(answer.affected),
        Err(error) => Err(error.code),
    }
}

/// LOCAL files must be allowed on the server.
fn allow(lab: &Lab) {
    let login = crate::support::client::Login::root();
    lab.connect(lab.port, &login)
        .ok("SET GLOBAL local_infile = 1");
}

#[test]
fn fields_are_encoded_on_the_way() {
    for lab in labs("infile") {
        allow(&lab);
        lab.blob_table("t");
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        let values: Vec<Vec<u8>> = (1..=300).map(|n| packed(n, 40 + n as usize)).collect();
        let mut file = Vec::new();
        for (id, value) in (1..).zip(&values) {
            file.extend(format!("{id}\tnote {id}\t").as_bytes());
            file.extend(escaped(value));
            file.push(b'\n');
        }
        file.extend(b"301\tnone\t\\N\n302\tshort\n303\t\\N\t\\N\tmore\n");
        let into = "LOAD DATA LOCAL INFILE 'x' INTO TABLE t CHARACTER SET binary";
        assert_eq!(load(&mut client, &file, into), Ok(303));
        for (id, value) in (1..).zip(&values) {
            assert_stored(&mut direct, &lab.store, "t", id, value);
        }
        assert_eq!(objects(&lab.store).len(), 300);
        let rest = "SELECT GROUP_CONCAT(id ORDER BY id) FROM t WHERE data IS NULL";
        assert_eq!(direct.text(rest), "301,302,303");
        assert_eq!(direct.text("SELECT note FROM t WHERE id = 17"), "note 17");
        assert_eq!(
            client.value("SELECT data FROM t WHERE id = 300"),
            Some(values[299].clone())
        );
        let again = load(&mut client, b"", into);
        assert_eq!(again, Ok(0));
        let replace = "LOAD DATA LOCAL INFILE 'x' REPLACE INTO TABLE t CHARACTER SET binary (data, id) \
                       SET note = 'set'";
        let file = [&escaped(&values[5])[..], b"\t1\n"].concat();
        assert_eq!(load(&mut client, &file, replace), Ok(2));
        assert_stored(&mut direct, &lab.store, "t", 1, &values[5]);
        assert_eq!(direct.text("SELECT note FROM t WHERE id = 1"), "set");
    }
}

#[test]
fn formats_of_files() {
    for lab in labs("infile_formats") {
        allow(&lab);
        lab.blob_table("t");
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        client.ok("SET @codec_view = 'json'");
        let file = "id,note,data\r\n1,\"a,b\",\"[1, \"\"x\"\", {\"\"k\"\": 2}]\"\r\n2,NULL,NULL\r\n\
                    3,\"\",[]\r\n";
        let statement = "LOAD DATA LOCAL INFILE 'x' INTO TABLE t CHARACTER SET utf8mb4 \
            FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\r\\n' \
            IGNORE 1 LINES (id, note, data)";
        assert_eq!(load(&mut client, file.as_bytes(), statement), Ok(3));
        let read = |client: &mut Client, id: u8| {
            client.text(format!("SELECT COALESCE(note, '-') FROM t WHERE id = {id}"))
        };
        assert_eq!(read(&mut client, 1), "a,b");
        assert_eq!(read(&mut client, 2), "-");
        assert_eq!(
            client.text("SELECT data FROM t WHERE id = 1"),
            "[1,\"x\",{\"k\":2}]"
        );
        assert_eq!(client.text("SELECT data FROM t WHERE id = 3"), "[]");
        assert_eq!(direct.text("SELECT COUNT(data) FROM t"), "2");
    }
}

#[test]
fn a_refused_file_leaves_nothing() {
    for lab in labs("infile_refused") {
        allow(&lab);
        lab.blob_table("t");
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        let into = "LOAD DATA LOCAL INFILE 'x' INTO TABLE t CHARACTER SET binary";
        let good = [b"1\tn\t", &escaped(&packed(1, 50))[..], b"\n"].concat();
        assert_eq!(load(&mut client, &good, into), Ok(1));
        let before = state(&lab, &mut direct);
        let mut file = Vec::new();
        for id in 2..2000 {
            file.extend(format!("{id}\tn\t").as_bytes());
            file.extend(escaped(&packed(id, 300)));
            file.push(b'\n');
        }
        file.extend(b"2000\tn\tnot packed\n");
        file.extend(vec![b'x'; 100_000]);
        assert_eq!(load(&mut client, &file, into), Err(1366));
        assert_eq!(state(&lab, &mut direct).0, before.0);
        assert_eq!(client.text("SELECT 1"), "1", "the session goes on");
        let missing = "LOAD DATA LOCAL INFILE 'x' INTO TABLE t (id, missing, data)";
        assert_eq!(load(&mut client, &good, missing), Err(1054));
        assert_eq!(client.text("SELECT 1"), "1");
        // A duplicate is a warning, as LOCAL has it.
        assert_eq!(load(&mut client, &good, into), Ok(0));
        assert_eq!(state(&lab, &mut direct).0, before.0);
    }
}

#[test]
fn keys_are_in_the_file() {
    for lab in labs("infile_keys") {
        allow(&lab);
        lab.table(
            "t",
            "id INT, day DATE, data JSON COMMENT ':<object@main>:', PRIMARY KEY (id, day)",
        );
        let (mut client, mut direct) = (lab.bytes(), lab.direct());
        let into = "LOAD DATA LOCAL INFILE 'x' INTO TABLE t CHARACTER SET utf8mb4 (day, data, id)";
        let file = b"2020-01-02\tone\t1\n2020-01-03\ttwo\\n\t2\n2020-01-04\t\\N\t3\n";
        assert_eq!(load(&mut client, file, into), Ok(3));
        let path =
            direct.text("SELECT JSON_UNQUOTE(JSON_EXTRACT(data, '$.path')) FROM t WHERE id = 2");
        assert!(path.contains("/t/id=2/day=2020-01-03/data_"), "{path}");
        assert_eq!(client.text("SELECT data FROM t WHERE id = 2"), "two\n");
        assert_eq!(load(&mut client, b"today\tone\t4\n", into), Err(1235));
        let without = "LOAD DATA LOCAL INFILE 'x' INTO TABLE t CHARACTER SET utf8mb4 (day, data)";
        assert_eq!(load(&mut client, b"2020-01-02\tone\n", without), Err(1235));
        assert_eq!(direct.text("SELECT COUNT(*) FROM t"), "3");
    }
}
