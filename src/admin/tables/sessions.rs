//! `SHOW SESSIONS`: who is connected, and what each session is doing.

use crate::admin::House;
use crate::admin::table::{Column, Table, number, text};
use crate::session::roster::{Seen, State};

const SESSIONS: &[Column] = &[
    number("Id"),
    text("User"),
    text("Client"),
    text("Database"),
    text("View"),
    text("State"),
    text("Statement"),
    number("Time_ms"),
    number("Commands"),
    number("Bytes_in"),
    number("Bytes_out"),
    number("Connection"),
];

/// All sessions, the oldest first.
pub(in crate::admin) fn sessions(house: &House) -> Table {
    let mut table = Table::new(SESSIONS);
    table.key = 1;
    table.rows = house.shared().roster.look().iter().map(row).collect();
    table
}

fn row(seen: &Seen) -> Vec<Option<String>> {
    let in_login = seen.state == State::Login;
    // Of a session that rests there is no current statement.
    let is_busy = matches!(seen.state, State::Working | State::Running);
    vec![
        Some(seen.id.to_string()),
        (!in_login).then(|| seen.user.clone()),
        Some(seen.client.to_string()),
        seen.database.clone(),
        Some(seen.view.name().to_owned()),
        Some(seen.state.name().to_owned()),
        is_busy.then(|| seen.verb.to_owned()),
        Some(seen.since.as_millis().to_string()),
        Some(seen.counted.commands.to_string()),
        Some(seen.counted.received.to_string()),
        Some(seen.counted.sent.to_string()),
        (!in_login).then(|| seen.connection.to_string()),
    ]
}
