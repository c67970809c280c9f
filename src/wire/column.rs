//! Column definitions (`ColumnDefinition41`): a borrowed parser, and the forms that announce a
//! column as another type than the server has it.

use super::lenenc;

/// `MYSQL_TYPE_BLOB`, which servers send for every blob type, `longblob` too.
const TYPE_BLOB: u8 = 0xFC;
/// `MYSQL_TYPE_LONG_BLOB`, which MariaDB sends for what an expression gives.
const TYPE_LONG_BLOB: u8 = 0xFB;
/// `MYSQL_TYPE_JSON`
const TYPE_JSON: u8 = 0xF5;
/// `MYSQL_TYPE_TINY_BLOB`, the first of the blob and string types.
const TYPE_TINY_BLOB: u8 = 0xF9;
/// `MYSQL_TYPE_STRING`, the last of them.
const TYPE_STRING: u8 = 0xFE;
/// Pointers are longer than this, in bytes.
const POINTER: u32 = 100;
/// `MYSQL_TYPE_VAR_STRING`, which servers send for `varchar`.
const TYPE_VAR_STRING: u8 = 0xFD;
/// `BLOB_FLAG`, which every blob and text column has, and no expression.
const BLOB_FLAG: u16 = 0x0010;
/// `BINARY_FLAG`
const BINARY_FLAG: u16 = 0x0080;
/// `NOT_NULL_FLAG | NO_DEFAULT_VALUE_FLAG`, the only flags that say the same of another type.
const KEPT_FLAGS: u16 = 0x0001 | 0x1000;
/// The collation `binary`.
const BINARY: u16 = 63;
/// The collation `utf8mb4_general_ci`.
const UTF8MB4: u16 = 45;
/// Bytes of a `varchar(1024)` in `utf8mb4`.
const VARCHAR: u32 = 4 * 1024;

/// What a column is announced as.
struct Announced {
    collation: u16,
    length: u32,
    column_type: u8,
    flags: u16,
}

/// One column definition; all slices borrow from the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column<'a> {
    /// Database of origin; empty when there is none.
    pub schema: &'a [u8],
    /// Table as named in the statement.
    pub table: &'a [u8],
    /// Table of origin.
    pub org_table: &'a [u8],
    /// Column as named in the result.
    pub name: &'a [u8],
    /// Column of origin.
    pub org_name: &'a [u8],
    /// MariaDB's extended metadata, when that capability is in use.
    extended: Option<&'a [u8]>,
    /// The twelve fixed bytes, and after them what `COM_FIELD_LIST` adds.
    fixed: &'a [u8],
    catalog: &'a [u8],
}

impl<'a> Column<'a> {
    /// Parses a payload; `None` if it is not a column definition.
    pub fn parse(payload: &'a [u8], extended_metadata: bool) -> Option<Self> {
        let mut rest = payload;
        let mut string = || {
            let (s, taken) = lenenc::read_str(rest)?;
            rest = &rest[taken..];
            Some(s)
        };
        let (catalog, schema, table) = (string()?, string()?, string()?);
        let (org_table, name, org_name) = (string()?, string()?, string()?);
        let extended = if extended_metadata {
            Some(string()?)
        } else {
            None
        };
        let (fixed_len, taken) = lenenc::read_int(rest)?;
        let fixed = rest.get(taken..)?;
        (fixed_len >= 10 && fixed.len() as u64 >= fixed_len).then_some(Self {
            schema,
            table,
            org_table,
            name,
            org_name,
            extended,
            fixed,
            catalog,
        })
    }

    /// Its type, `MYSQL_TYPE_…`.
    pub fn kind(&self) -> u8 {
        self.fixed[6]
    }

    /// True for a text column that can hold a pointer: `json`, `longtext`, an expression of such,
    /// or a message about one.
    pub fn can_hold_pointer(&self) -> bool {
        let charset = u16::from_le_bytes([self.fixed[0], self.fixed[1]]);
        let length =
            u32::from_le_bytes([self.fixed[2], self.fixed[3], self.fixed[4], self.fixed[5]]);
        match self.fixed[6] {
            TYPE_JSON => true,
            TYPE_TINY_BLOB..=TYPE_STRING => charset != BINARY && length >= POINTER,
            _ => false,
        }
    }

    /// The same column, announced as a `longblob` column is.
    pub fn as_longblob(&self) -> Vec<u8> {
        self.announced(&Announced {
            collation: BINARY,
            length: u32::MAX,
            column_type: self.blob_type(),
            flags: self.flags() & BLOB_FLAG | BINARY_FLAG,
        })
    }

    /// The same column, announced as a `longtext` column is in `utf8mb4`.
    pub fn as_longtext(&self) -> Vec<u8> {
        self.announced(&Announced {
            collation: UTF8MB4,
            length: u32::MAX,
            column_type: self.blob_type(),
            flags: self.flags() & BLOB_FLAG,
        })
    }

    /// The same column, announced as a `varchar(1024)` column is in `utf8mb4`.
    pub fn as_varchar(&self) -> Vec<u8> {
        self.announced(&Announced {
            collation: UTF8MB4,
            length: VARCHAR,
            column_type: TYPE_VAR_STRING,
            flags: 0,
        })
    }

    fn flags(&self) -> u16 {
        u16::from_le_bytes([self.fixed[7], self.fixed[8]])
    }

    /// A column and an expression have different ones.
    fn blob_type(&self) -> u8 {
        match self.fixed[6] {
            TYPE_LONG_BLOB => TYPE_LONG_BLOB,
            _ => TYPE_BLOB,
        }
    }

    fn announced(&self, form: &Announced) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        for s in [
            self.catalog,
            self.schema,
            self.table,
            self.org_table,
            self.name,
            self.org_name,
        ] {
            lenenc::push_str(&mut out, s);
        }
        if self.extended.is_some() {
            lenenc::push_str(&mut out, b"");
        }
        out.push(0x0C);
        out.extend_from_slice(&form.collation.to_le_bytes());
        out.extend_from_slice(&form.length.to_le_bytes());
        out.push(form.column_type);
        out.extend_from_slice(&(self.flags() & KEPT_FLAGS | form.flags).to_le_bytes());
        out.extend_from_slice(&self.fixed[9..]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn definition(extended: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for s in ["def", "lab", "s", "scan", "x", "traces"] {
            lenenc::push_str(&mut out, s.as_bytes());
        }
        if extended {
            lenenc::push_str(&mut out, b"\x01\x04json");
        }
        out.push(0x0C);
        out.extend_from_slice(&45u16.to_le_bytes());
        out.extend_from_slice(&4_294_967_295u32.to_le_bytes());
        out.extend_from_slice(&[0xFC, 0x91, 0x10, 0, 0, 0]);
        out
    }

    #[test]
    fn a_json_column_becomes_a_longblob() {
        for extended in [false, true] {
            let packet = definition(extended);
            let column = Column::parse(&packet, extended).unwrap();
            assert_eq!(
                (column.schema, column.org_table, column.org_name),
                (&b"lab"[..], &b"scan"[..], &b"traces"[..])
            );
            let blob = column.as_longblob();
            let shown = Column::parse(&blob, extended).unwrap();
            assert_eq!((shown.name, shown.org_name), (column.name, column.org_name));
            assert_eq!(
                shown.fixed,
                [63, 0, 255, 255, 255, 255, 0xFC, 0x91, 0x10, 0, 0, 0]
            );
            assert_eq!(shown.extended, extended.then_some(&b""[..]));
        }
    }

    #[test]
    fn a_column_becomes_text() {
        let packet = definition(true);
        let column = Column::parse(&packet, true).unwrap();
        for (shown, fixed) in [
            (
                column.as_longtext(),
                [45, 0, 255, 255, 255, 255, 0xFC, 0x11, 0x10, 0, 0, 0],
            ),
            (
                column.as_varchar(),
                [45, 0, 0, 16, 0, 0, 0xFD, 0x01, 0x10, 0, 0, 0],
            ),
        ] {
            let shown = Column::parse(&shown, true).unwrap();
            assert_eq!((shown.name, shown.org_name), (column.name, column.org_name));
            assert_eq!(shown.fixed, fixed);
            assert_eq!(shown.extended, Some(&b""[..]));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(bytes: Vec<u8>, extended: bool) {
            if let Some(column) = Column::parse(&bytes, extended) {
                column.as_longblob();
            }
        }
    }
}
