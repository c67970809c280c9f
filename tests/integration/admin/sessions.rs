//! Who is connected, and how a session is ended.

use std::time::{Duration, Instant};

use super::{console, lab_with};
use crate::support::answer::Answer;
use crate::support::client::{Client, Expect, Login, com};
use crate::support::lab::{Lab, database_port};

/// The sessions of the lab's account.
fn sessions(console: &mut Client, lab: &Lab) -> Answer {
    let like = lab.user.replace('_', "\\\\_");
    console
        .query(format!("SHOW SESSIONS LIKE '{like}'"))
        .expect("rows")
}

#[track_caller]
fn wait(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_session_shows_what_it_is_doing() {
    let lab = lab_with("doing", "");
    lab.blob_table("scan");
    let mut console = console(&lab);
    assert!(sessions(&mut console, &lab).rows.is_empty());
    let mut client = lab.bytes();
    // The client knows that it is in a moment before the list does.
    wait("it is on the list", || {
        sessions(&mut console, &lab).rows.len() == 1
    });
    let one = |console: &mut Client| {
        let shown = sessions(console, &lab);
        assert_eq!(shown.rows.len(), 1, "{shown:?}");
        move |name: &str| shown.texts(name)[0].clone()
    };
    let of = one(&mut console);
    assert_eq!(
        [
            of("User"),
            of("Database"),
            of("View"),
            of("State"),
            of("Commands")
        ],
        [lab.user.as_str(), &lab.database, "bytes", "idle", "0"]
    );
    assert_eq!(of("Connection"), client.text("SELECT CONNECTION_ID()"));
    client.ok("SET @codec_view = 'json'");
    client.ok("INSERT INTO scan (id, data) VALUES (1, '[1, 2]')");
    client.ok("SELECT data FROM scan");
    client.ok("USE information_schema");
    wait("it rests", || one(&mut console)("State") == "idle");
    let of = one(&mut console);
    assert_eq!([of("View"), of("Database")], ["json", "information_schema"]);
    assert_eq!(of("Commands"), "5");
    let number = |text: String| text.parse::<u64>().expect("a number");
    assert!(number(of("Bytes_in")) > 100 && number(of("Bytes_out")) > 100);
    // A statement that fails does not choose a database.
    client.error("USE no_such_database_here");
    wait("it rests", || one(&mut console)("State") == "idle");
    assert_eq!(one(&mut console)("Database"), "information_schema");
    client.command(com::INIT_DB, lab.database.as_bytes(), Expect::Results);
    wait("it rests", || one(&mut console)("State") == "idle");
    assert_eq!(one(&mut console)("Database"), lab.database);
    client.send(com::QUERY, b"/* long */ SELECT SLEEP(1.5)");
    wait("it runs", || one(&mut console)("State") == "running");
    std::thread::sleep(Duration::from_millis(100));
    let of = one(&mut console);
    assert_eq!(of("Statement"), "SELECT");
    assert!(number(of("Time_ms")) >= 100);
    client.answer(Expect::Results);
    // The processlist is the same.
    let rows = console.query("SHOW FULL PROCESSLIST").expect("rows");
    assert_eq!(rows.texts("User"), std::slice::from_ref(&lab.user));
    drop(client);
    wait("it is gone", || {
        sessions(&mut console, &lab).rows.is_empty()
    });
    let status = console
        .query("SHOW STATUS LIKE 'commands_total'")
        .expect("a row");
    assert!(number(status.texts("Value")[0].clone()) >= 8);
}

/// Connections of this lab's account that the database has.
fn backends(lab: &Lab) -> usize {
    let mut root = Client::connect(lab.port, &Login::root()).expect("root");
    let sql = format!(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{}'",
        lab.user
    );
    root.text(sql).parse().expect("a number")
}

#[test]
fn a_session_is_ended_whatever_it_does() {
    let lab = lab_with("ended", "");
    let mut console = console(&lab);
    for statement in [None, Some("SELECT SLEEP(30)")] {
        let (mut client, mut other) = (lab.bytes(), lab.bytes());
        let sleeping = client.text("SELECT CONNECTION_ID()");
        if let Some(statement) = statement {
            client.send(com::QUERY, statement.as_bytes());
        }
        let row = |answer: &Answer| {
            let at = answer
                .texts("Connection")
                .iter()
                .position(|id| *id == sleeping);
            at.map(|at| {
                (
                    answer.texts("Id")[at].clone(),
                    answer.texts("State")[at].clone(),
                )
            })
        };
        let state = if statement.is_some() {
            "running"
        } else {
            "idle"
        };
        wait(state, || {
            row(&sessions(&mut console, &lab)).is_some_and(|(_, s)| s == state)
        });
        let (id, _) = row(&sessions(&mut console, &lab)).expect("it is there");
        console.ok(format!("KILL {id}"));
        assert!(client.is_closed());
        wait("it is off the list", || {
            row(&sessions(&mut console, &lab)).is_none()
        });
        assert_eq!(other.text("SELECT 1"), "1");
        drop(other);
        // The server looks for a client that has gone every few seconds.
        wait("the database has let go", || backends(&lab) == 0);
        assert_eq!(console.error(format!("KILL {id}")).code, 1094);
    }
}

#[test]
fn the_database_ends_the_statement_too_where_the_account_may() {
    let name = crate::support::server::CATALOG_USER;
    let mut root = Client::connect(database_port(), &Login::root()).expect("root");
    root.ok(format!("GRANT CONNECTION ADMIN ON *.* TO '{name}'@'%'"));
    let lab = lab_with("ends_both", "");
    let mut console = console(&lab);
    let mut client = lab.bytes();
    client.send(com::QUERY, b"SELECT BENCHMARK(2000000000, MD5('x'))");
    wait("it runs", || {
        sessions(&mut console, &lab).texts("State") == ["running"]
    });
    let id = sessions(&mut console, &lab).texts("Id")[0].clone();
    console.ok(format!("KILL {id}"));
    assert!(client.is_closed());
    wait("the database has let go", || backends(&lab) == 0);
}
