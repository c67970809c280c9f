//! How a result column with decoded values is announced in the `bytes` view: as a `longblob`.
//!
//! The numbers are those of the MySQL protocol's column definition packet, as a server sends
//! them for a column of type LONGBLOB.

/// `MYSQL_TYPE_BLOB`; servers announce every size of blob by it, LONGBLOB too.
pub const TYPE: u8 = 252;
/// The `binary` character set, by which clients tell bytes from text.
pub const CHARSET: u16 = 63;
/// `BLOB_FLAG | BINARY_FLAG`, to be set; the other flags of the column stay.
pub const FLAGS: u16 = 0x0010 | 0x0080;
/// The largest length of a LONGBLOB, in bytes.
pub const LENGTH: u32 = u32::MAX;
/// Digits after the point: none.
pub const DECIMALS: u8 = 0;
