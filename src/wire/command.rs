//! The commands a client sends, and what kind of response each one has.

/// `COM_QUIT`
pub const QUIT: u8 = 0x01;
/// `COM_INIT_DB`
pub const INIT_DB: u8 = 0x02;
/// `COM_QUERY`
pub const QUERY: u8 = 0x03;
/// `COM_FIELD_LIST`
pub const FIELD_LIST: u8 = 0x04;
/// `COM_CHANGE_USER`
pub const CHANGE_USER: u8 = 0x11;
/// `COM_STMT_PREPARE`
pub const STMT_PREPARE: u8 = 0x16;
/// `COM_STMT_EXECUTE`
pub const STMT_EXECUTE: u8 = 0x17;
/// `COM_STMT_SEND_LONG_DATA`
pub const STMT_SEND_LONG_DATA: u8 = 0x18;
/// `COM_STMT_CLOSE`
pub const STMT_CLOSE: u8 = 0x19;
/// `COM_STMT_RESET`
pub const STMT_RESET: u8 = 0x1A;
/// `COM_SET_OPTION`
pub const SET_OPTION: u8 = 0x1B;
/// `COM_STMT_FETCH`
pub const STMT_FETCH: u8 = 0x1C;
/// `COM_RESET_CONNECTION`
pub const RESET_CONNECTION: u8 = 0x1F;
/// `COM_STMT_BULK_EXECUTE` (MariaDB)
pub const STMT_BULK_EXECUTE: u8 = 0xFA;

/// The shape of the response to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// No response at all.
    Nothing,
    /// One packet: OK, ERR, EOF or a bare string.
    One,
    /// OK, ERR, a request for a local file, or result sets.
    Results,
    /// The answer to `COM_STMT_PREPARE`: two optional lists of definitions.
    Prepared,
    /// Rows without definitions (`COM_STMT_FETCH`).
    Rows,
    /// Definitions until EOF (`COM_FIELD_LIST`).
    Fields,
    /// Not known: whatever comes until the client's next command.
    Opaque,
}

/// What the response to `command` looks like.
pub fn expect(command: u8) -> Expect {
    match command {
        QUIT | STMT_SEND_LONG_DATA | STMT_CLOSE => Expect::Nothing,
        // INIT_DB, CREATE_DB, DROP_DB, REFRESH, SHUTDOWN, STATISTICS, PROCESS_KILL, DEBUG, PING
        INIT_DB | 0x05..=0x09 | 0x0C..=0x0E | STMT_RESET | SET_OPTION | RESET_CONNECTION => Expect::One,
        QUERY | 0x0A /* PROCESS_INFO */ | STMT_EXECUTE | STMT_BULK_EXECUTE => Expect::Results,
        STMT_PREPARE => Expect::Prepared,
        STMT_FETCH => Expect::Rows,
        FIELD_LIST => Expect::Fields,
        _ => Expect::Opaque,
    }
}

/// Whether the command is on a prepared statement, whose id follows it.
pub fn is_on_statement(command: u8) -> bool {
    matches!(
        command,
        STMT_EXECUTE..=STMT_RESET | STMT_FETCH | STMT_BULK_EXECUTE
    )
}
