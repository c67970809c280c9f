//! Connections: how they start, end and are ended, and what one may do to others.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::client::{Client, Expect, Login, com};
use crate::support::lab::{Lab, database_port};

/// Connections of this lab's account that the database has.
fn backends(lab: &Lab) -> usize {
    let mut root = Client::connect(database_port(), &Login::root()).expect("root");
    let sql = format!(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{}'",
        lab.user
    );
    root.text(sql).parse().expect("a number")
}

#[track_caller]
fn wait_for_backends(lab: &Lab, expected: usize) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while backends(lab) != expected {
        assert!(
            Instant::now() < deadline,
            "{} and not {expected}",
            backends(lab)
        );
        std::thread::sleep(Duration::from_millis(30));
    }
}

#[test]
fn two_hundred_connects_leave_nothing() {
    let lab = Lab::new("connects");
    for round in 0..200 {
        let mut client = lab.bytes();
        match round % 3 {
            0 => drop(client),
            1 => {
                client.ok("SELECT 1");
                client.command(com::QUIT, b"", Expect::Nothing);
                assert!(client.is_closed());
            }
            // The socket just goes, without COM_QUIT and with an answer on the way.
            _ => {
                client.send(com::QUERY, b"SELECT REPEAT('x', 1000000)");
                client.cut();
            }
        }
    }
    wait_for_backends(&lab, 0);
    let descriptors = std::fs::read_dir(format!("/proc/{}/fd", lab.proxy.pid()))
        .expect("/proc")
        .count();
    assert!(descriptors < 60, "{descriptors} descriptors are open");
}

#[test]
fn a_hundred_clients_at_once() {
    let lab = Lab::new("hundred");
    let mut clients: Vec<_> = (0..100).map(|_| lab.bytes()).collect();
    assert_eq!(backends(&lab), 100);
    for client in &mut clients {
        client.send(com::QUERY, b"SELECT CONNECTION_ID()");
    }
    for client in &mut clients {
        let frames = client.answer(Expect::Results);
        let id = client.greeting.connection.to_string();
        assert!(
            frames[2].body.ends_with(id.as_bytes()),
            "every client gets its own answer"
        );
    }
    drop(clients);
    wait_for_backends(&lab, 0);
}

/// What is no MySQL client gets no further, and no one else notices.
#[test]
fn garbage_instead_of_a_handshake() {
    let lab = Lab::new("garbage");
    let port = lab.proxy.port("bytes");
    let mut good = lab.bytes();
    let mut noise = vec![0u8; 4096];
    noise.copy_from_slice(&crate::support::objects::noise(5, 4096));
    let garbage: [&[u8]; 10] = [
        b"",
        b"\0",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        &noise,
        &[0xff; 300],
        &[0; 300],
        // A login packet that says it is 16 MiB - 1 long, with nothing behind it.
        &[0xff, 0xff, 0xff, 1, 0x85, 0xa6, 0xff, 0x01],
        // An empty login packet, one with the wrong number, one cut off after the capabilities.
        &[0, 0, 0, 1],
        &[4, 0, 0, 9, 0x85, 0xa6, 0xff, 0x01],
        &[8, 0, 0, 1, 0x85, 0xa2, 0xff, 0x01, 0, 0, 0, 1],
    ];
    for bytes in garbage {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .expect("a socket");
        let mut answer = Vec::new();
        // The greeting, perhaps an error, then the end. A reset is as good, and it may
        // come while the garbage is still being sent.
        match send_all_and_read(&mut stream, bytes, &mut answer) {
            Ok(_) => assert!(!answer.is_empty(), "the greeting comes first"),
            Err(fault) => assert!(is_hang_up(&fault), "{fault}"),
        }
        assert_eq!(good.text("SELECT 'good'"), "good");
    }
    // TLS is asked for, and then no TLS spoken.
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let mut request = vec![32, 0, 0, 1];
    request.extend_from_slice(&0x01ff_ae85u32.to_le_bytes());
    request.extend_from_slice(&[0; 28]);
    request.extend_from_slice(&noise);
    if let Err(fault) = send_all_and_read(&mut stream, &request, &mut Vec::new()) {
        assert!(is_hang_up(&fault), "{fault}");
    }
    assert_eq!(good.text("SELECT 'good'"), "good");
    lab.bytes().ok("SELECT 1");
    drop(good);
    wait_for_backends(&lab, 0);
}

/// Sends `bytes`, closes this side, and reads until the other side closes too.
fn send_all_and_read(
    stream: &mut TcpStream,
    bytes: &[u8],
    answer: &mut Vec<u8>,
) -> std::io::Result<usize> {
    stream.write_all(bytes)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    stream.read_to_end(answer)
}

/// The errors of a socket whose other side has closed it first.
fn is_hang_up(fault: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
    matches!(fault.kind(), BrokenPipe | ConnectionReset | NotConnected)
}

/// Garbage after the login: commands that no client sends.
#[test]
fn garbage_after_the_login() {
    let lab = Lab::new("garbage_later");
    let mut good = lab.bytes();
    lab.blob_table("t");
    for bytes in [
        &[0, 0, 0, 0][..],                   // an empty command
        &[1, 0, 0, 7, com::PING],            // a wrong sequence number
        &[5, 0, 0, 0, com::STMT_EXECUTE, 1], // cut off
        &[1, 0, 0, 0, com::STMT_EXECUTE],    // an execute of nothing
        &[1, 0, 0, 0, com::STMT_PREPARE],    // an empty statement
        &[1, 0, 0, 0, com::CHANGE_USER],     // nobody
        &[2, 0, 0, 0, com::STMT_FETCH, 9],   // half an id
        &[0xff, 0xff, 0xff, 0, com::QUERY, b'S'],
    ] {
        let mut bad = lab.bytes();
        bad.send_raw(bytes);
        bad.cut();
        assert_eq!(good.text("SELECT 'good'"), "good");
    }
    // Statements of bytes that are no text, through the lexer and past it.
    let mut client = lab.bytes();
    for seed in 0..200 {
        let mut statement = b"INSERT INTO t (id, data) VALUES (1, ".to_vec();
        statement.extend(crate::support::objects::noise(
            seed,
            (seed as usize * 7) % 300,
        ));
        let _ = client.query(&statement).map_err(|error| {
            assert!(!error.is_lost_connection(), "seed {seed}: {error}");
        });
    }
    for statement in [
        &b"SELECT data FROM t WHERE '"[..],
        b"SELECT `data FROM t",
        b"SELECT data FROM t /*",
        b"/*! SELECT data FROM t",
        b"INSERT INTO t VALUES (1, '\\",
        b"INSERT INTO t VALUES (((((((((",
        b"\xff\xfe INSERT INTO t",
    ] {
        let error = client.error(statement);
        assert!(!error.is_lost_connection(), "{error}");
    }
    let deep = [
        b"SELECT ".to_vec(),
        vec![b'('; 100_000],
        b" data FROM t".to_vec(),
    ]
    .concat();
    assert!(!client.error(deep).is_lost_connection());
    drop((good, client));
    wait_for_backends(&lab, 0);
}

/// Half a packet and then silence: nobody else waits.
#[test]
fn half_a_packet_and_silence() {
    let lab = Lab::new("half");
    lab.blob_table("t");
    let port = lab.proxy.port("bytes");
    let mut waiting = Vec::new();
    for _ in 0..8 {
        // One before the login, one in the middle of a login packet, one of a statement.
        let silent = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        let mut login = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        login
            .write_all(&[200, 0, 0, 1, 0x85])
            .expect("the socket takes bytes");
        let mut statement = lab.bytes();
        statement.send_raw(&[0, 0, 16, 0, com::QUERY]);
        statement.send_raw(b"INSERT INTO t (id, data) VALUES (1, 'mYm");
        let mut header = lab.bytes();
        header.send_raw(&[9, 0]);
        waiting.push((silent, login, statement, header));
    }
    let started = Instant::now();
    let mut client = lab.bytes();
    client.ok("INSERT INTO t (id, data) VALUES (2, 'mYm\\0')");
    assert_eq!(client.value("SELECT data FROM t"), Some(b"mYm\0".to_vec()));
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    for (_, _, statement, _) in &mut waiting {
        statement.cut();
    }
    drop(waiting);
    drop(client);
    wait_for_backends(&lab, 0);
    assert_eq!(lab.direct().text("SELECT COUNT(*) FROM t"), "1");
}

/// A statement that arrives byte by byte is the same statement.
#[test]
fn a_statement_in_small_pieces() {
    let lab = Lab::new("pieces");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let statement = b"INSERT INTO t (id, data) VALUES (1, 'mYm\\0 piece by piece')";
    let packet = crate::support::client::packets(0, &[&[com::QUERY], &statement[..]].concat());
    for byte in packet {
        client.send_raw(&[byte]);
    }
    assert_eq!(client.answer(Expect::Results).len(), 1);
    assert_eq!(
        client.value("SELECT data FROM t"),
        Some(b"mYm\0 piece by piece".to_vec())
    );
}

#[test]
fn kill_works() {
    let lab = Lab::new("kill");
    let mut killer = lab.bytes();
    for kill in ["KILL QUERY", "KILL CONNECTION", "KILL"] {
        let mut victim = lab.bytes();
        let id = victim.greeting.connection;
        victim.send(com::QUERY, b"SELECT SLEEP(30)");
        let started = Instant::now();
        std::thread::sleep(Duration::from_millis(200));
        killer.ok(format!("{kill} {id}"));
        let frames = victim.answer(Expect::Results);
        assert!(started.elapsed() < Duration::from_secs(10), "{kill}");
        if kill == "KILL QUERY" {
            assert!(!frames.is_empty(), "the answer of an interrupted SLEEP");
            assert_eq!(victim.text("SELECT 'goes on'"), "goes on");
        } else {
            assert!(victim.is_closed(), "{kill}");
        }
    }
    drop(killer);
    wait_for_backends(&lab, 0);
}

/// An idle connection that the server closes is closed to the client, too.
#[test]
fn the_server_closes_an_idle_connection() {
    let lab = Lab::new("idle");
    let mut client = lab.bytes();
    client.ok("SET SESSION wait_timeout = 1");
    let started = Instant::now();
    assert!(client.is_closed());
    assert!(started.elapsed() < Duration::from_secs(5));
}

/// SIGTERM: a running statement ends, idle connections do not hold it up, and it exits with 0.
#[test]
fn sigterm_lets_a_running_statement_end() {
    let mut lab = Lab::new("sigterm");
    lab.blob_table("t");
    let port = lab.proxy.port("bytes");
    let (mut busy, mut idle) = (lab.bytes(), lab.bytes());
    let half_open = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    busy.send(com::QUERY, b"SELECT SLEEP(2), 'done'");
    std::thread::sleep(Duration::from_millis(300));
    let started = Instant::now();
    lab.proxy.terminate();
    std::thread::sleep(Duration::from_millis(300));
    assert!(
        Client::connect(port, &lab.login()).is_err(),
        "no new clients"
    );
    let frames = busy.answer(Expect::Results);
    let end = frames.iter().any(|frame| frame.body.ends_with(b"done"));
    assert!(end, "the answer comes whole");
    let status = lab.proxy.wait();
    assert!(status.success(), "{status}");
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "{:?}",
        started.elapsed()
    );
    assert!(idle.is_closed());
    drop(half_open);
    wait_for_backends(&lab, 0);
}

/// SIGTERM in the middle of inserts with objects: each one is done, or not begun.
#[test]
fn sigterm_in_the_middle_of_inserts() {
    let mut lab = Lab::new("sigterm_inserts");
    lab.blob_table("t");
    let mut client = lab.bytes();
    let login = lab.login();
    let port = lab.proxy.port("bytes");
    client.ok("SELECT 1");
    let inserting = std::thread::spawn(move || {
        let mut client = Client::connect(port, &login).expect("logged in");
        for id in 1.. {
            let value = crate::support::objects::packed(id, 50_000);
            let literal = crate::support::objects::escaped(&value);
            let head = format!("INSERT INTO t (id, data) VALUES ({id}, ");
            if client
                .query([head.as_bytes(), &literal, b")"].concat())
                .is_err()
            {
                return id - 1;
            }
        }
        0
    });
    std::thread::sleep(Duration::from_millis(500));
    lab.proxy.terminate();
    let status = lab.proxy.wait();
    assert!(status.success(), "{status}");
    let acknowledged = inserting.join().expect("no panic");
    let rows: u64 = lab
        .direct()
        .text("SELECT COUNT(*) FROM t")
        .parse()
        .expect("a number");
    assert!(acknowledged > 0);
    assert!(
        rows == acknowledged || rows == acknowledged + 1,
        "{rows} rows, {acknowledged} acknowledged"
    );
}

/// The database goes away: clients are told, and a new one comes in when it is back.
#[test]
fn a_database_that_is_not_there() {
    let server = crate::support::server::Server::start(&[]);
    let lab = Lab::with_config("no_database", |config| {
        config.replace(
            &format!("127.0.0.1:{}", database_port()),
            &format!("127.0.0.1:{}", server.port),
        )
    });
    let mut client = Client::connect(lab.proxy.port("bytes"), &Login::root()).expect("root");
    client.ok("SELECT 1");
    drop(server);
    assert!(client.is_closed() || client.query("SELECT 1").is_err());
    let error = Client::connect(lab.proxy.port("bytes"), &Login::root())
        .err()
        .expect("refused");
    assert!(error.code == 0 || error.code > 1000, "{error}");
}
