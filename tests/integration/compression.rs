//! Clients that compress: by zlib with any server, by zstd where the server offers it.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::process::Command;

use crate::support::client::{Client, Login, caps, com, packets};
use crate::support::lab::{Lab, PASSWORD};
use crate::support::objects::{escaped, packed, sql};

fn compressed(lab: &Lab, view: &str, extra: u64) -> Client {
    let login = lab.login();
    let bits = login.capabilities | extra;
    lab.connect(lab.proxy.port(view), &login.capabilities(bits))
}

/// Writes and reads values of all lengths, in frames of all lengths.
fn round_trips(lab: &Lab, client: &mut Client) {
    let mut direct = lab.direct();
    for (id, len) in [0, 1, 40, 3000, 200_000, 17 << 20].into_iter().enumerate() {
        for cut in [usize::MAX, 5, 100_000] {
            if cut == 5 && len > 3000 || cut < usize::MAX && len > 1 << 20 {
                continue;
            }
            client.frames().cut = cut;
            let mut value = packed(id as u64, len);
            value.iter_mut().skip(1000).for_each(|byte| *byte &= 7);
            let insert = sql(&[
                format!("REPLACE INTO t (id, data) VALUES ({id}, ").as_bytes(),
                &escaped(&value),
                b")",
            ]);
            client.ok(insert);
            let read = client.value(format!("SELECT data FROM t WHERE id = {id}"));
            assert!(read.as_deref() == Some(&value[..]), "{len} in {cut}");
            let stored = direct.text(format!("SELECT data FROM t WHERE id = {id}"));
            assert!(stored.contains("\"hash\""), "{stored}");
        }
    }
    // Through the relay: many rows, an error, nothing.
    client.frames().cut = usize::MAX;
    let rows = client.rows(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) \
         SELECT i, REPEAT('x', i) FROM n",
    );
    assert!(rows.len() == 900 && rows[899][1].as_ref().is_some_and(|v| v.len() == 900));
    assert_eq!(client.error("SELECT nothing FROM nowhere").code, 1146);
    client.ok("DO 1");
    let (sent, received) = client.frames().compressed;
    assert!(sent > 5 && received > 5, "{sent} {received}");
}

#[test]
fn zlib() {
    let lab = Lab::new("zlib");
    lab.blob_table("t");
    let mut client = compressed(&lab, "bytes", caps::COMPRESS);
    round_trips(&lab, &mut client);
    // Not on the other leg, where it would cost time and gain nothing.
    let status = client.rows("SHOW SESSION STATUS LIKE 'Compression'");
    assert_eq!(status[0][1].as_deref(), Some(&b"OFF"[..]));
    let mut without_eof = Client::connect(
        lab.proxy.port("bytes"),
        &lab.login().capabilities(caps::COMMON | caps::COMPRESS),
    )
    .expect("a login");
    round_trips(&lab, &mut without_eof);
}

#[test]
fn zstd_and_zlib_on_mysql() {
    let Some(lab) = Lab::on_mysql("zstd") else {
        return;
    };
    lab.blob_table("t");
    for bits in [caps::ZSTD, caps::COMPRESS, caps::ZSTD | caps::COMPRESS] {
        let mut client = compressed(&lab, "bytes", bits);
        assert_eq!(client.frames().zstd, bits == caps::ZSTD);
        round_trips(&lab, &mut client);
    }
}

/// A client that compresses although that is not offered: `mysql-connector-python` does.
#[test]
fn what_the_client_says_holds() {
    let lab = Lab::new("unasked");
    lab.blob_table("t");
    let mut client = Client::connect_saying(lab.proxy.port("bytes"), &lab.login(), caps::ZSTD);
    round_trips(&lab, &mut client);
}

#[test]
fn files_and_users_and_statements() {
    let lab = Lab::new("files");
    lab.blob_table("t");
    let mut client = compressed(&lab, "bytes", caps::COMPRESS);
    client.ok("CREATE TABLE plain (id INT, name VARCHAR(5000))");
    let mut file = Vec::new();
    for line in 0..3000 {
        writeln!(file, "{line}\t{}", "y".repeat(line % 700)).expect("memory");
    }
    client.infile = file;
    let loaded = client.ok("LOAD DATA LOCAL INFILE 'x' INTO TABLE plain");
    assert_eq!(loaded.affected, 3000);
    let sum = client.text("SELECT SUM(LENGTH(name)) FROM plain");
    assert_eq!(sum, client.text("SELECT SUM(MOD(id, 700)) FROM plain"));
    client.change_user(&lab.login());
    round_trips(&lab, &mut client);
    let id = client
        .prepare("SELECT name FROM plain WHERE id = 699")
        .expect("prepared");
    let execute = [&id.to_le_bytes()[..], &[0, 1, 0, 0, 0]].concat();
    let frames = client.command(
        com::STMT_EXECUTE,
        &execute,
        crate::support::client::Expect::Results,
    );
    assert!(frames.iter().any(|f| f.body.ends_with(&b"y".repeat(699))));
    client.ok("DO 1");
}

/// Frames that are broken, or claim what is not so, end their own session.
#[test]
fn bombs_hurt_nobody_else() {
    let lab = Lab::new("bombs");
    lab.blob_table("t");
    let mut neighbour = compressed(&lab, "bytes", caps::COMPRESS);
    let zlib = |contents: &[u8]| {
        let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(contents).expect("memory");
        out.finish().expect("memory")
    };
    let frame = |claimed: usize, body: &[u8]| {
        let mut frame = body.len().to_le_bytes()[..3].to_vec();
        frame.push(0);
        frame.extend_from_slice(&claimed.to_le_bytes()[..3]);
        frame.extend_from_slice(body);
        frame
    };
    let long = zlib(&vec![0; 40 << 20]);
    let query = packets(
        0,
        b"\x03SELECT 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
    );
    let broken = [
        frame(100, &[7; 90]),
        frame(1, &long),
        frame(0xff_ffff, &long),
        frame(query.len() + 1, &zlib(&query)),
        frame(query.len() - 1, &zlib(&query)),
        frame(5, b""),
    ];
    for bytes in broken {
        let mut client = compressed(&lab, "bytes", caps::COMPRESS);
        let tcp = &mut client.frames().tcp;
        tcp.write_all(&bytes).expect("the peer takes bytes");
        let _ = tcp.shutdown(Shutdown::Write);
        let mut rest = Vec::new();
        let _ = tcp.read_to_end(&mut rest);
        neighbour.ok("DO 1");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", lab.proxy.pid()));
    let status = status.expect("a process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: u64 = peak
        .and_then(|peak| peak.trim().strip_suffix(" kB"))
        .and_then(|peak| peak.trim().parse().ok())
        .expect("a number");
    assert!(peak < 200 << 10, "{peak} KiB");
}

/// The servers' own programs, whose libraries check every number; with TLS, too.
#[test]
fn command_line_clients() {
    let lab = Lab::new("compressed_cli");
    lab.blob_table("t");
    let program = |program: &str, arguments: &[&str]| {
        let port = lab.proxy.port("bytes").to_string();
        let statement = format!(
            "REPLACE INTO t (id, data) VALUES (1, 'mYm\\0{}'); \
             SELECT LEFT(HEX('{}'), 10); SHOW SESSION STATUS LIKE 'Compression'; \
             SELECT data FROM t",
            "v".repeat(100_000),
            "h".repeat(70_000),
        );
        let output = Command::new(program)
            .args(["--no-defaults", "-h127.0.0.1", "-P", &port, "-u", &lab.user])
            .args([&format!("-p{PASSWORD}"), "-N", "--binary-as-hex"])
            .args(arguments)
            .arg(&lab.database)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .and_then(|mut child| {
                let mut stdin = child.stdin.take().expect("piped");
                stdin.write_all(statement.as_bytes())?;
                drop(stdin);
                child.wait_with_output()
            });
        let output = output.expect("the program runs");
        let (out, error) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        assert!(output.status.success(), "{program} {arguments:?}: {error}");
        assert!(out.starts_with("6868686868\n"), "{program} {arguments:?}");
        assert!(
            out.contains(&"76".repeat(100_000)),
            "{program} {arguments:?}"
        );
    };
    program("mariadb", &["--compress", "--skip-ssl"]);
    program("mariadb", &["--compress", "--ssl"]);
    program("mariadb", &["--ssl"]);
}

/// Logs in anew within the session, as connection pools do.
impl Client {
    fn change_user(&mut self, login: &Login) {
        let proof = crate::support::client::proof(&self.greeting.salt.clone(), &login.password);
        let mut body = login.user.as_bytes().to_vec();
        body.push(0);
        body.push(proof.len() as u8);
        body.extend_from_slice(&proof);
        body.extend_from_slice(login.database.as_deref().unwrap_or_default().as_bytes());
        body.extend_from_slice(&[0, 45, 0]);
        body.extend_from_slice(b"mysql_native_password\0");
        self.send(com::CHANGE_USER, &body);
        self.finish_auth(&login.password).expect("a login");
    }
}
