//! Bytes as no honest client sends them, and clients that stay: the console keeps nobody else
//! waiting.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{PASSWORD, USER, console, lab_with};
use crate::support::client::{Client, Expect, Login, com, packets};

fn query(text: &str) -> Vec<u8> {
    packets(0, &[&[com::QUERY], text.as_bytes()].concat())
}

#[test]
fn packets_come_in_any_portion() {
    let lab = lab_with("portions", "");
    // Many in one write: what is behind the first must not be read with it.
    let mut client = console(&lab);
    for round in 0..20 {
        let mut all = Vec::new();
        for n in 0..25 {
            all.extend(query(&format!("SELECT {n}")));
            all.extend(packets(0, &[com::PING]));
        }
        client.send_raw(&all);
        for n in 0..25 {
            let answer = client.answer(Expect::Results);
            let row = &answer[answer.len() - 2].body;
            assert_eq!(&row[1..], n.to_string().as_bytes(), "round {round}");
            let pong = client.answer(Expect::Results);
            assert_eq!(pong[0].body[0], 0);
        }
    }
    // Byte by byte.
    for byte in query("SELECT 'one by one'") {
        client.send_raw(&[byte]);
        std::thread::sleep(Duration::from_millis(1));
    }
    let answer = client.answer(Expect::Results);
    assert_eq!(&answer[answer.len() - 2].body[1..], b"one by one");
    // A login with the first statements right behind it.
    let mut stream = TcpStream::connect(("127.0.0.1", lab.proxy.console())).expect("it listens");
    let mut greeting = [0; 4096];
    let got = stream.read(&mut greeting).expect("a greeting");
    assert!(got > 40);
    let mut login = vec![0; 32];
    login[..4].copy_from_slice(&0x0008_8200u32.to_le_bytes());
    login.extend(b"admin\0\x14");
    login.extend([7; 20]);
    login.extend(b"mysql_native_password\0");
    let mut all = packets(1, &login);
    all.extend(query("RELOAD").repeat(50));
    stream.write_all(&all).expect("it reads");
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    assert_eq!(said[4..7], [0xff, 0x15, 0x04], "{said:?}");
    assert_eq!(lab.proxy.log().matches("\"reloaded\"").count(), 0);
}

#[test]
fn what_it_does_not_take_is_an_error() {
    let lab = lab_with("errors", "");
    let mut client = console(&lab);
    let long = format!("SELECT '{}'", "x".repeat(70_000));
    assert_eq!(client.error(&long).code, 1153);
    assert_eq!(client.error(b"SELECT '\xff'").code, 1300);
    assert_eq!(client.error("").code, 1065);
    assert_eq!(client.error("SELECT sleep(5)").code, 1064);
    assert_eq!(client.error("SELECT @@nothing").code, 1193);
    assert_eq!(client.error("INSERT INTO stores VALUES (1)").code, 1064);
    assert_eq!(client.prepare("SELECT 1").expect_err("none").code, 1295);
    for command in [com::CHANGE_USER, com::DEBUG, com::SET_OPTION, 0x20, 0xfa] {
        let answer = client.command(command, b"\0\0", Expect::Results);
        assert_eq!(answer[0].body[..3], [0xff, 0x17, 0x04], "{command}");
    }
    // And it goes on.
    assert_eq!(client.text("SELECT 'still here'"), "still here");
    let answer = client.command(com::STATISTICS, b"", Expect::Single);
    assert!(
        answer[0].body.starts_with(b"Uptime: "),
        "{:?}",
        answer[0].body
    );
    client.send_raw(&packets(7, &[com::PING]));
    let answer = client.answer(Expect::Results);
    assert_eq!(answer[0].body[..3], [0xff, 0x84, 0x04]);
    assert!(client.is_closed());
}

#[test]
fn noise_ends_its_own_connection() {
    let lab = lab_with("noise", "");
    let mut other = console(&lab);
    let mut seed = 0x9e37_79b9u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    for n in 0..60 {
        let noise: Vec<u8> = (0..300).map(|_| random()).collect();
        if n % 2 == 0 {
            let mut stream =
                TcpStream::connect(("127.0.0.1", lab.proxy.console())).expect("it listens");
            let _ = stream.write_all(&packets((n % 5) as u8, &noise));
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        } else {
            let mut client = console(&lab);
            client.send_raw(&packets(0, &noise[..1 + n]));
            client.send_raw(&noise);
            client.cut();
        }
    }
    assert_eq!(other.text("SELECT 'here'"), "here");
    assert!(!lab.proxy.log().contains("panicked"), "{}", lab.proxy.log());
}

#[test]
fn few_have_room_and_little_time() {
    let lab = lab_with("room", "clients = 2\n[limits]\nlogin_seconds = 1\n");
    let port = lab.proxy.console();
    let began = Instant::now();
    let mut silent = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let mut first = console(&lab);
    let Err(error) = Client::connect(port, &Login::new(USER, PASSWORD)) else {
        panic!("there is room for two");
    };
    assert_eq!(error.code, 1040, "{error:?}");
    let _ = silent.read_to_end(&mut Vec::new());
    let took = began.elapsed();
    assert!(
        (Duration::from_millis(900)..Duration::from_secs(5)).contains(&took),
        "{took:?}"
    );
    // Its place is free again, and who has logged in may stay.
    assert_eq!(console(&lab).text("SELECT 2"), "2");
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(first.text("SELECT 1"), "1");
    // Clients of the database do not notice.
    assert_eq!(lab.bytes().text("SELECT 3"), "3");
}
