//! LOAD DATA LOCAL INFILE: the server asks, the client sends.

use crate::support::lab::Lab;
use crate::support::recorder::Recorder;

pub fn load_data(recorder: &mut Recorder, _: &Lab) {
    recorder.quiet("DROP TABLE IF EXISTS loaded");
    recorder.quiet("CREATE TABLE loaded (id INT PRIMARY KEY, note TEXT)");
    let load = "LOAD DATA LOCAL INFILE 'the client knows' INTO TABLE loaded";
    let mut send = |content: &[u8], sql: &str| {
        recorder.client.infile = content.to_vec();
        recorder.query(sql);
    };
    send(b"1\tone\n2\ttwo\n", load);
    send(b"", load);
    // Enough packets for the sequence id to pass 255.
    let mut many = Vec::new();
    for row in 1000..31_000 {
        many.extend_from_slice(format!("{row}\ta note of some length, {row}\n").as_bytes());
    }
    send(&many, load);
    send(b"2\tagain\n3\tthree\nx\ty\n", load);
    send(b"", "SHOW WARNINGS");
    send(
        b"4\tfour\n",
        &format!("SELECT 'before'; {load}; SELECT 'after'"),
    );
    send(
        b"5\tfive\n",
        "LOAD DATA LOCAL INFILE 'f' INTO TABLE missing_table",
    );
    send(
        b"6\tsix\n",
        &format!("{load} FIELDS TERMINATED BY ',' (id, note)"),
    );
    // What the file holds is no command, even where it looks like one.
    send(b"\x01\x00\x00\x00\x01", load);
    send(
        b"",
        "SELECT COUNT(*), MIN(id), MAX(id), MAX(note) FROM loaded",
    );
}
