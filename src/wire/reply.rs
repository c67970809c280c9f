//! OK, EOF and ERR packets: reading what matters of them, and making ERR packets.

use super::lenenc;
use crate::refusal::Refusal;

/// First byte of an OK packet.
pub const OK: u8 = 0x00;
/// First byte of an EOF packet (and of an OK packet that ends rows).
pub const EOF: u8 = 0xFE;
/// First byte of an ERR packet.
pub const ERR: u8 = 0xFF;
/// First byte of a request for the contents of a local file.
pub const LOCAL_INFILE: u8 = 0xFB;
/// How much of a payload the functions here may look at.
pub const PREFIX: usize = 32;

/// Where an old EOF packet has its status flags.
pub const EOF_STATUS: usize = 3;

/// `SERVER_STATUS_IN_TRANS`
pub const IN_TRANSACTION: u16 = 0x0001;
/// `SERVER_STATUS_AUTOCOMMIT`
pub const AUTOCOMMIT: u16 = 0x0002;
/// `SERVER_MORE_RESULTS_EXISTS`
pub const MORE_RESULTS: u16 = 0x0008;
/// `SERVER_STATUS_CURSOR_EXISTS`
pub const CURSOR_EXISTS: u16 = 0x0040;
/// `SERVER_SESSION_STATE_CHANGED`
pub const STATE_CHANGED: u16 = 0x4000;
/// `SERVER_STATUS_NO_BACKSLASH_ESCAPES`
pub const NO_BACKSLASH_ESCAPES: u16 = 0x0200;
/// `SERVER_STATUS_ANSI_QUOTES` (MariaDB only)
pub const ANSI_QUOTES: u16 = 0x8000;

/// The status flags of an OK packet (also one with the EOF header that ends rows).
pub fn ok_status(payload: &[u8]) -> Option<u16> {
    status_at(payload, ok_status_place(payload)?)
}

/// Where an OK packet has its status flags.
pub fn ok_status_place(payload: &[u8]) -> Option<usize> {
    let (_, affected) = lenenc::read_int(payload.get(1..)?)?;
    let (_, insert_id) = lenenc::read_int(&payload[1 + affected..])?;
    Some(1 + affected + insert_id)
}

/// An OK packet with other status flags.
pub fn with_ok_status(payload: &[u8], change: impl Fn(u16) -> u16) -> Vec<u8> {
    let mut out = payload.to_vec();
    if let Some(place) = ok_status_place(payload)
        && let Some(status) = out.get_mut(place..place + 2)
    {
        let changed = change(u16::from_le_bytes([status[0], status[1]]));
        status.copy_from_slice(&changed.to_le_bytes());
    }
    out
}

/// The status flags of an old EOF packet.
pub fn eof_status(payload: &[u8]) -> Option<u16> {
    status_at(payload, EOF_STATUS)
}

/// The number of warnings in an OK packet (also one with the EOF header that ends rows).
pub fn ok_warnings(payload: &[u8]) -> Option<u16> {
    let (_, affected) = lenenc::read_int(payload.get(1..)?)?;
    let (_, insert_id) = lenenc::read_int(payload.get(1 + affected..)?)?;
    status_at(payload, 3 + affected + insert_id)
}

/// The number of warnings in an old EOF packet.
pub fn eof_warnings(payload: &[u8]) -> Option<u16> {
    status_at(payload, 1)
}

/// An ERR packet with the number 0xFFFF is MariaDB's progress report, not an end.
pub fn is_progress(payload: &[u8]) -> bool {
    payload.first() == Some(&ERR) && payload.get(1..3) == Some(&[0xFF, 0xFF])
}

/// Whether a payload that begins a response announces a result: it is the number of its columns.
pub fn is_count(payload: &[u8]) -> bool {
    !matches!(
        payload.first(),
        None | Some(&(OK | LOCAL_INFILE | EOF | ERR))
    )
}

/// The payload of an ERR packet.
pub fn err(refusal: &Refusal) -> Vec<u8> {
    let mut out = vec![ERR];
    out.extend_from_slice(&refusal.code.to_le_bytes());
    out.push(b'#');
    out.extend_from_slice(refusal.sqlstate.as_bytes());
    out.extend_from_slice(refusal.message.as_bytes());
    out
}

fn status_at(payload: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes([
        *payload.get(at)?,
        *payload.get(at + 1)?,
    ]))
}
