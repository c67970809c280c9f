//! What a server answers, taken apart: OK, ERR, column definitions, rows.

use std::fmt;
use std::io;

/// A result set, or the OK of a statement without one.
#[derive(Default)]
pub struct Answer {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
    pub affected: u64,
    pub insert_id: u64,
    pub status: u16,
    pub warnings: u16,
    pub info: String,
}

impl Answer {
    pub fn ok(packet: &[u8]) -> Self {
        let mut take = Take(&packet[1..]);
        Self {
            affected: take.lenenc(),
            insert_id: take.lenenc(),
            status: take.u16(),
            warnings: take.u16(),
            info: String::from_utf8_lossy(take.0).into_owned(),
            ..Self::default()
        }
    }

    /// Takes over what the packet after the last row says.
    pub fn end(&mut self, packet: &[u8], is_ok: bool) {
        if is_ok {
            let ok = Self::ok(packet);
            (self.status, self.warnings) = (ok.status, ok.warnings);
        } else {
            let mut take = Take(&packet[1..]);
            self.warnings = take.u16();
            self.status = take.u16();
        }
    }

    /// A row of the text protocol; one of the binary protocol comes out as nothing.
    pub fn text_row(packet: &[u8], columns: usize) -> Vec<Option<Vec<u8>>> {
        let mut take = Take(packet);
        (0..columns)
            .map_while(|_| take.try_lenenc_bytes())
            .map(|value| value.map(<[u8]>::to_vec))
            .collect()
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> &Column {
        let found = self.columns.iter().find(|c| c.name == name);
        found.unwrap_or_else(|| panic!("no column {name} in {:?}", self.columns))
    }

    /// All values of the column of this name, as text (empty for NULL).
    pub fn texts(&self, name: &str) -> Vec<String> {
        let at = self.columns.iter().position(|c| c.name == name);
        let at = at.unwrap_or_else(|| panic!("no column {name} in {:?}", self.columns));
        let text = |row: &Vec<Option<Vec<u8>>>| {
            String::from_utf8_lossy(row[at].as_deref().unwrap_or_default()).into_owned()
        };
        self.rows.iter().map(text).collect()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = |value: &Option<Vec<u8>>| {
            let value = value.as_deref().unwrap_or(b"NULL");
            String::from_utf8_lossy(&value[..value.len().min(120)]).into_owned()
        };
        let rows = self
            .rows
            .iter()
            .take(3)
            .map(|r| r.iter().map(head).collect());
        f.debug_struct("Answer")
            .field("columns", &self.columns)
            .field("rows", &rows.collect::<Vec<Vec<String>>>())
            .field("row_count", &self.rows.len())
            .field("affected", &self.affected)
            .finish()
    }
}

/// A column definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub schema: String,
    pub table: String,
    pub org_table: String,
    pub name: String,
    pub org_name: String,
    pub charset: u16,
    pub length: u32,
    pub kind: u8,
    pub flags: u16,
    pub decimals: u8,
}

/// The flag of columns whose bytes are compared as they are.
pub const BINARY_FLAG: u16 = 128;
/// The flag of BLOB columns.
pub const BLOB_FLAG: u16 = 16;
/// BLOB and TEXT columns of every length.
pub const TYPE_BLOB: u8 = 252;
/// The collation id of bytes that are no text.
pub const BINARY_CHARSET: u16 = 63;

impl Column {
    pub fn parse(packet: &[u8]) -> Self {
        let mut take = Take(packet);
        take.lenenc_bytes();
        let mut text = || String::from_utf8_lossy(take.lenenc_bytes()).into_owned();
        let (schema, table, org_table, name, org_name) = (text(), text(), text(), text(), text());
        take.lenenc();
        Self {
            schema,
            table,
            org_table,
            name,
            org_name,
            charset: take.u16(),
            length: take.u32(),
            kind: take.u8(),
            flags: take.u16(),
            decimals: take.u8(),
        }
    }
}

/// An ERR packet, or (with code 0) a fault of the connection itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    pub code: u16,
    pub sqlstate: String,
    pub message: String,
}

impl ServerError {
    pub fn parse(packet: &[u8]) -> Self {
        let mut take = Take(&packet[1..]);
        let code = take.u16();
        let mut sqlstate = String::new();
        if take.0.first() == Some(&b'#') {
            sqlstate = String::from_utf8_lossy(&take.bytes(6)[1..]).into_owned();
        }
        Self {
            code,
            sqlstate,
            message: String::from_utf8_lossy(take.0).into_owned(),
        }
    }

    pub fn client(message: &str) -> Self {
        Self {
            code: 0,
            sqlstate: String::new(),
            message: message.to_owned(),
        }
    }

    /// True when the connection broke, false when the server answered.
    pub fn is_lost_connection(&self) -> bool {
        self.code == 0
    }
}

impl From<io::Error> for ServerError {
    fn from(fault: io::Error) -> Self {
        Self::client(&fault.to_string())
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.sqlstate, self.message)
    }
}

/// Reads a packet from the front; panics where it is shorter than the protocol says.
pub struct Take<'a>(pub &'a [u8]);

impl<'a> Take<'a> {
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    pub fn u8(&mut self) -> u8 {
        self.bytes(1)[0]
    }

    pub fn u16(&mut self) -> u16 {
        self.uint(2) as u16
    }

    pub fn u32(&mut self) -> u32 {
        self.uint(4) as u32
    }

    pub fn until_nul(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|b| *b == 0);
        let text = self.bytes(end.unwrap_or(self.0.len()));
        self.0 = self.0.get(1..).unwrap_or_default();
        text
    }

    pub fn lenenc(&mut self) -> u64 {
        match self.u8() {
            0xfc => self.uint(2),
            0xfd => self.uint(3),
            0xfe => self.uint(8),
            short => u64::from(short),
        }
    }

    pub fn lenenc_bytes(&mut self) -> &'a [u8] {
        let length = self.lenenc() as usize;
        self.bytes(length)
    }

    /// A value of a text row: `Some(None)` is NULL, `None` no value at all.
    fn try_lenenc_bytes(&mut self) -> Option<Option<&'a [u8]>> {
        if self.0.first()? == &0xfb {
            self.u8();
            return Some(None);
        }
        let before = self.0;
        let length = match before[0] {
            0xfc..=0xfe if before.len() < 9 => return None,
            _ => self.lenenc() as usize,
        };
        if length > self.0.len() {
            return None;
        }
        Some(Some(self.bytes(length)))
    }

    fn uint(&mut self, count: usize) -> u64 {
        let taken = self.bytes(count);
        taken
            .iter()
            .rev()
            .fold(0, |sum, b| sum << 8 | u64::from(*b))
    }
}
