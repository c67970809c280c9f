//! The MySQL client/server protocol without sockets: framing, the login packets, the shape of
//! responses, column definitions, text and binary rows, the parameters of prepared statements.
//!
//! Everything here works on borrowed bytes and is driven by its caller, so it can be tested and
//! fuzzed without a connection. Packet structures are those of the MySQL and MariaDB protocol
//! documentation; `mysql_common` supplies the flag types.

pub mod attributes;
pub mod binary;
pub mod column;
pub mod command;
pub mod compress;
pub mod handshake;
pub mod lenenc;
pub mod packet;
pub mod parameters;
pub mod reply;
pub mod response;
pub mod row;
