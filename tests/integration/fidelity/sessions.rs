//! Commands about the session itself.

use crate::support::client::{Expect, com};
use crate::support::lab::{Lab, PASSWORD};
use crate::support::recorder::Recorder;

pub fn commands(recorder: &mut Recorder, lab: &Lab) {
    let schema = lab.database.as_bytes();
    recorder.quiet("DROP TABLE IF EXISTS fields");
    recorder.quiet("CREATE TABLE fields (id INT DEFAULT 3, name VARCHAR(9) DEFAULT 'x', b BLOB)");
    let mut single = |name: &str, command: u8, body: &[u8]| {
        recorder.command(name, command, body, Expect::Single);
    };
    single("COM_PING", com::PING, b"");
    single("COM_INIT_DB", com::INIT_DB, b"information_schema");
    single("COM_INIT_DB of nothing", com::INIT_DB, b"no_such_database");
    single("COM_INIT_DB back", com::INIT_DB, schema);
    single("COM_SET_OPTION multi off", com::SET_OPTION, &[1, 0]);
    recorder.query("SELECT 1; SELECT 2");
    let mut single = |name: &str, command: u8, body: &[u8]| {
        recorder.command(name, command, body, Expect::Single);
    };
    single("COM_SET_OPTION multi on", com::SET_OPTION, &[0, 0]);
    single("COM_SET_OPTION unknown", com::SET_OPTION, &[9, 9]);
    recorder.query("SELECT 1; SELECT 2");
    let mut single = |name: &str, command: u8, body: &[u8]| {
        recorder.command(name, command, body, Expect::Single);
    };
    single("an unknown command", 0xee, b"whatever");
    single("COM_SLEEP", 0x00, b"");
    single("COM_CREATE_DB", 0x05, b"x");
    single("COM_REFRESH tables", 0x07, &[4]);
    single("COM_SHUTDOWN", 0x08, &[0]);
    single("COM_DEBUG", com::DEBUG, b"");
    single(
        "COM_PROCESS_KILL of nobody",
        com::PROCESS_KILL,
        &[0xff, 0xff, 0xff, 0x7f],
    );
    recorder.command(
        "COM_FIELD_LIST",
        com::FIELD_LIST,
        b"fields\0",
        Expect::Fields,
    );
    recorder.command(
        "COM_FIELD_LIST like",
        com::FIELD_LIST,
        b"fields\0n%",
        Expect::Fields,
    );
    recorder.command(
        "COM_FIELD_LIST of nothing",
        com::FIELD_LIST,
        b"nothing\0",
        Expect::Fields,
    );
    recorder.statistics();

    recorder.query("SET @lost = 1, SESSION wait_timeout = 77");
    recorder.query("CREATE TEMPORARY TABLE lost (id INT)");
    let id = recorder.prepare("SELECT @lost");
    recorder.command(
        "COM_RESET_CONNECTION",
        com::RESET_CONNECTION,
        b"",
        Expect::Single,
    );
    recorder.query("SELECT @lost, @@wait_timeout = 77, DATABASE()");
    recorder.query("SELECT * FROM lost");
    recorder.execute("after the reset", id, 0, b"");
    recorder.command("COM_PING", com::PING, b"", Expect::Single);
}

pub fn change_user(recorder: &mut Recorder, lab: &Lab) {
    let (user, schema) = (&lab.user, &lab.database);
    recorder.query("SET @lost = 1");
    recorder.query("SET NAMES latin1");
    recorder.change_user("the same user", user, PASSWORD, schema);
    recorder.query("SELECT @lost, DATABASE(), @@character_set_client");
    recorder.change_user("no database", user, PASSWORD, "");
    recorder.query("SELECT DATABASE()");
    recorder.change_user("back again", user, PASSWORD, schema);
    recorder.query("SELECT USER() LIKE CONCAT(DATABASE(), '@%')");
}

/// The server waits a second before it tells a failure.
pub fn change_user_failures(recorder: &mut Recorder, lab: &Lab) {
    let (user, schema) = (&lab.user, &lab.database);
    recorder.change_user("an unknown database", user, PASSWORD, "no_such_database");
    recorder.query("SELECT DATABASE()");
    recorder.change_user("a wrong password", user, "wrong", schema);
    recorder.query("SELECT 'after the failure'");
}
