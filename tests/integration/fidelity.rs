//! The relay changes nothing: lists of protocol commands run direct and through both listeners,
//! and every packet of every answer is compared, sequence ids included.

use crate::support::client::{Client, Expect, Greeting, Login, MAX_PAYLOAD, caps, com};
use crate::support::lab::{Lab, database_port};
use crate::support::recorder::{Recorder, Step, differences};

mod infile;
mod prepared;
mod queries;
mod sessions;

/// The ways a client may speak: plain, without EOF packets, with everything MariaDB has.
const WAYS: [(&str, u64); 3] = [
    ("plain", caps::COMMON),
    (
        "deprecate EOF",
        caps::COMMON | caps::DEPRECATE_EOF | caps::SESSION_TRACK,
    ),
    // The absence of LONG_PASSWORD is how a MariaDB client says that it knows bits 32 and up.
    (
        "MariaDB",
        (caps::COMMON & !caps::LONG_PASSWORD)
            | caps::DEPRECATE_EOF
            | caps::SESSION_TRACK
            | caps::MARIADB,
    ),
];

/// Runs a script over every way and path, and lists what differs from direct.
fn compare(name: &str, script: fn(&mut Recorder, &Lab)) {
    compare_in(&WAYS, name, script);
}

fn compare_in(ways: &[(&str, u64)], name: &str, script: fn(&mut Recorder, &Lab)) {
    let lab = Lab::new(name);
    let mut found = Vec::new();
    for (way, wanted) in ways {
        let offered = greeting(lab.proxy.port("bytes")).capabilities;
        let login = lab.login().capabilities(wanted & offered);
        let record = |port: u16| -> Vec<Step> {
            let mut recorder = Recorder::connect(port, &login);
            script(&mut recorder, &lab);
            std::mem::take(&mut recorder.steps)
        };
        let direct = record(database_port());
        for view in ["bytes", "stored"] {
            let proxied = record(lab.proxy.port(view));
            let differing = differences(&direct, &proxied);
            found.extend(differing.iter().map(|d| format!("[{way}, {view}] {d}")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn greeting(port: u16) -> Greeting {
    let refused = Client::greet(port).expect("a greeting");
    Greeting::parse(&refused)
}

#[test]
fn the_greeting_is_the_servers() {
    let lab = Lab::new("greeting");
    let direct = greeting(database_port());
    for view in ["bytes", "stored"] {
        let proxied = greeting(lab.proxy.port(view));
        assert_eq!(proxied.protocol, direct.protocol);
        assert_eq!(proxied.version, direct.version);
        assert_eq!(proxied.charset, direct.charset);
        assert_eq!(proxied.status, direct.status);
        assert_eq!(proxied.plugin, direct.plugin);
        assert_eq!(proxied.salt.len(), 20);
        assert_ne!(
            proxied.salt, direct.salt,
            "each connection has its own salt"
        );
        assert!(
            proxied.connection > direct.connection,
            "the server's counter"
        );
        let needed = caps::COMMON | caps::DEPRECATE_EOF | caps::CONNECT_WITH_DB;
        let missing = direct.capabilities & needed & !proxied.capabilities;
        assert_eq!(missing, 0, "capabilities {missing:x} are held back");
    }
}

#[test]
fn the_connection_id_is_the_servers() {
    let lab = Lab::new("connection_id");
    let mut client = lab.bytes();
    let id = client.text("SELECT CONNECTION_ID()");
    assert_eq!(client.greeting.connection.to_string(), id);
}

/// What the comparisons rest on: two direct recordings are equal, so a difference is the proxy's.
#[test]
fn two_direct_recordings_are_equal() {
    let lab = Lab::new("repeatable");
    let record = |script: fn(&mut Recorder, &Lab)| {
        let mut recorder = Recorder::connect(database_port(), &lab.login());
        script(&mut recorder, &lab);
        std::mem::take(&mut recorder.steps)
    };
    for script in [
        queries::kinds_of_result,
        queries::several_statements,
        prepared::statements,
        prepared::cursors,
        infile::load_data,
        sessions::commands,
        sessions::change_user,
    ] {
        let (first, second) = (record(script), record(script));
        assert!(first.len() > 4);
        let silent = first.iter().find(|step| step.is_cut_short());
        assert!(
            silent.is_none(),
            "no answer to {}",
            silent.map_or("", |s| &s.name)
        );
        assert_eq!(differences(&first, &second), Vec::<String>::new());
    }
}

#[test]
fn queries_answer_as_direct() {
    compare("queries", queries::kinds_of_result);
}

#[test]
fn several_statements_answer_as_direct() {
    compare("multi", queries::several_statements);
}

#[test]
fn prepared_statements_answer_as_direct() {
    compare("prepared", prepared::statements);
}

#[test]
fn cursors_answer_as_direct() {
    compare("cursors", prepared::cursors);
}

#[test]
fn load_data_local_answers_as_direct() {
    compare("infile", infile::load_data);
}

#[test]
fn session_commands_answer_as_direct() {
    compare("commands", sessions::commands);
}

#[test]
fn change_user_answers_as_direct() {
    compare("change_user", sessions::change_user);
}

#[test]
fn change_user_fails_as_direct() {
    compare_in(&WAYS[1..2], "change_fails", sessions::change_user_failures);
}

#[test]
fn ends_of_a_session_are_as_direct() {
    compare("quit", |recorder, _| {
        recorder.command("COM_QUIT", com::QUIT, b"", Expect::Nothing);
        recorder.closed("after COM_QUIT");
    });
    compare("kill_self", |recorder, _| {
        let id = recorder.client.greeting.connection;
        recorder.command(
            "COM_PROCESS_KILL of itself",
            com::PROCESS_KILL,
            &id.to_le_bytes(),
            Expect::Single,
        );
        recorder.closed("after the kill");
    });
}

/// Packets that fill 16 MiB, by a byte more and less, in both directions.
#[test]
fn packets_around_16_mib_are_as_direct() {
    let lab = Lab::new("packets");
    let record = |port: u16| {
        let mut recorder = Recorder::connect(port, &lab.login());
        for length in [MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1, 17 << 20] {
            // A row's payload is the value and 4 (from 16 MiB on 9) bytes of length.
            let header = if length - 4 < 1 << 24 { 4 } else { 9 };
            recorder.query(format!("SELECT REPEAT('r', {})", length - header));
            let head = b"\x03SELECT LENGTH('".len() + b"')".len();
            let value = vec![b'v'; length - head];
            recorder.query([b"SELECT LENGTH('", value.as_slice(), b"')"].concat());
        }
        let value = vec![b'e'; 33 << 20];
        recorder.query([b"SELECT '", value.as_slice(), b"'"].concat());
        recorder.command("COM_PING", com::PING, b"", Expect::Single);
        std::mem::take(&mut recorder.steps)
    };
    let found = differences(&record(database_port()), &record(lab.proxy.port("bytes")));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Commands are sent while earlier ones still run; answers come in order.
#[test]
fn pipelined_commands_answer_as_direct() {
    compare("pipeline", |recorder, _| {
        let text = |sql: &str| (com::QUERY, sql.as_bytes().to_vec(), Expect::Results);
        let ping = || (com::PING, Vec::new(), Expect::Single);
        recorder.pipeline(
            "queries and pings",
            &[
                text("SELECT 1"),
                ping(),
                text("SELECT SLEEP(0.05), REPEAT('x', 100000)"),
                text("SELECT nothing"),
                (com::INIT_DB, b"information_schema".to_vec(), Expect::Single),
                text("SELECT DATABASE(); SELECT 2"),
                ping(),
            ],
        );
        let long = format!("SELECT LENGTH('{}')", "p".repeat(300_000));
        recorder.pipeline(
            "long ones",
            &[text(&long), text(&long), ping(), text(&long)],
        );
        prepared::pipelined(recorder);
    });
}

/// A client in another charset: bytes that are no UTF-8 pass as they are.
#[test]
fn latin1_clients_answer_as_direct() {
    let lab = Lab::new("latin1");
    let record = |port: u16| {
        let login = Login {
            charset: 8,
            ..lab.login()
        };
        let mut recorder = Recorder::connect(port, &login);
        recorder.query(b"SELECT 'caf\xe9', HEX('\xe9'), @@character_set_client".as_slice());
        recorder.query(b"SELECT caf\xe9".as_slice());
        recorder.quiet("SET NAMES utf8mb4");
        recorder.query(b"SELECT _binary'\xff\xfe\x00', X'00ff', '\xff'".as_slice());
        std::mem::take(&mut recorder.steps)
    };
    let found = differences(&record(database_port()), &record(lab.proxy.port("bytes")));
    assert!(found.is_empty(), "{}", found.join("\n"));
}
