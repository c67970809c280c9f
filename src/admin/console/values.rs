//! What clients select on their own when they connect: variables and functions.

use super::command::{Item, Source};

/// What the values depend on.
pub(super) struct Known<'a> {
    /// The console's number of the connection.
    pub connection: u32,
    /// `user@host`
    pub user: &'a str,
    /// What the client has chosen by USE.
    pub database: Option<&'a str>,
}

/// The version that is greeted with. It begins with a number since clients read it, and it is
/// one whose clients expect `caching_sha2_password`.
pub(super) const VERSION: &str = concat!("8.0.11-codec-proxy-", env!("CARGO_PKG_VERSION"));

/// Variables as a client expects them of a server that speaks UTF-8 and has no transactions.
pub(super) const VARIABLES: [(&str, &str); 27] = [
    ("auto_increment_increment", "1"),
    ("autocommit", "1"),
    ("character_set_client", "utf8mb4"),
    ("character_set_connection", "utf8mb4"),
    ("character_set_database", "utf8mb4"),
    ("character_set_results", "utf8mb4"),
    ("character_set_server", "utf8mb4"),
    ("collation_connection", "utf8mb4_general_ci"),
    ("collation_database", "utf8mb4_general_ci"),
    ("collation_server", "utf8mb4_general_ci"),
    ("init_connect", ""),
    ("interactive_timeout", "28800"),
    ("license", ""),
    ("lower_case_table_names", "0"),
    ("max_allowed_packet", "65536"),
    ("net_buffer_length", "16384"),
    ("net_write_timeout", "30"),
    ("performance_schema", "0"),
    ("query_cache_size", "0"),
    ("query_cache_type", "OFF"),
    ("sql_mode", ""),
    ("system_time_zone", "UTC"),
    ("time_zone", "SYSTEM"),
    ("transaction_isolation", "REPEATABLE-READ"),
    ("version", VERSION),
    ("version_comment", "codec-proxy console"),
    ("wait_timeout", "28800"),
];

/// Why an item has no value: a MySQL error number and what to say.
pub(super) type Fault = (u16, String);

/// The value of an item.
pub(super) fn value(item: &Item, known: &Known<'_>) -> Result<Option<String>, Fault> {
    match &item.value {
        Source::Text(text) => Ok(text.clone()),
        Source::Number(number) => Ok(Some(number.clone())),
        Source::Variable(name) => {
            // MySQL's older name.
            let name = match name.as_str() {
                "tx_isolation" => "transaction_isolation",
                name => name,
            };
            let found = VARIABLES.iter().find(|(variable, _)| *variable == name);
            match found {
                Some((_, value)) => Ok(Some((*value).to_owned())),
                None => Err((1193, format!("the console has no variable {name:?}"))),
            }
        }
        Source::Function(name) => match name.as_str() {
            "USER" | "CURRENT_USER" | "SESSION_USER" | "SYSTEM_USER" => {
                Ok(Some(known.user.to_owned()))
            }
            "DATABASE" | "SCHEMA" => Ok(known.database.map(str::to_owned)),
            "VERSION" => Ok(Some(VERSION.to_owned())),
            "CONNECTION_ID" => Ok(Some(known.connection.to_string())),
            name => Err((1305, format!("the console has no function {name}"))),
        },
    }
}

/// Whether it is shown as a number.
pub(super) fn is_number(item: &Item) -> bool {
    match &item.value {
        Source::Number(_) => true,
        Source::Function(name) => name == "CONNECTION_ID",
        Source::Text(_) | Source::Variable(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::{Command, parse};
    use super::*;

    #[test]
    fn values_are_those_of_this_client() {
        let known = Known {
            connection: 7,
            user: "admin@127.0.0.1",
            database: None,
        };
        let of = |text: &str| match parse(text) {
            Ok(Command::Select(items, _)) => value(&items[0], &known),
            other => panic!("{other:?}"),
        };
        let some = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(of("select user()"), some("admin@127.0.0.1"));
        assert_eq!(of("select database()"), Ok(None));
        assert_eq!(of("select connection_id()"), some("7"));
        assert_eq!(of("select @@session.tx_isolation"), some("REPEATABLE-READ"));
        assert_eq!(of("select 5"), some("5"));
        assert_eq!(of("select @@nothing").unwrap_err().0, 1193);
        assert_eq!(of("select sleep()").unwrap_err().0, 1305);
        assert!(VARIABLES.is_sorted());
    }
}
