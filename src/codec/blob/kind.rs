//! The numbers that stand for kinds of values and for types of elements.

use crate::codec::CodecError;
use crate::codec::value::{Element, TimeUnit};

pub(super) const ARRAY: u8 = b'A';
pub(super) const CELL: u8 = b'C';
pub(super) const STRUCT: u8 = b'S';
pub(super) const SPARSE: u8 = b'P';
pub(super) const RECORD: u8 = b'F';
pub(super) const NONE: u8 = 0xff;
pub(super) const TUPLE: u8 = 1;
pub(super) const LIST: u8 = 2;
pub(super) const SET: u8 = 3;
pub(super) const DICT: u8 = 4;
pub(super) const STR: u8 = 5;
pub(super) const BYTES: u8 = 6;
pub(super) const INT: u8 = 10;
pub(super) const BOOL: u8 = 11;
pub(super) const COMPLEX: u8 = 12;
pub(super) const FLOAT: u8 = 13;
pub(super) const DECIMAL: u8 = b'd';
pub(super) const DATE_TIME: u8 = b't';
pub(super) const UUID: u8 = b'u';

/// The type of arrays of objects.
pub(super) const OBJECTS: u32 = 5;

/// The type of the longest unit of time; the others follow.
const DATETIME64: u32 = 1 << 16;

/// Type and complex flag of an element.
///
/// | type  | element  | type | element  | type | element  | type     | element           |
/// |-------|----------|------|----------|------|----------|----------|-------------------|
/// | 3     | bool     | 7    | float32  | 10   | int16    | 14       | int64             |
/// | 4     | char     | 8    | int8     | 11   | uint16   | 15       | uint64            |
/// | 5     | objects  | 9    | uint8    | 12   | int32    | 65536 on | datetime64, Y to as |
/// | 6     | float64  |      |          | 13   | uint32   |          |                   |
pub(super) fn type_of(element: Element) -> (u32, bool) {
    let number = match element.part() {
        Element::Bool => 3,
        Element::Char => 4,
        Element::Float64 | Element::Complex128 => 6,
        Element::Float32 | Element::Complex64 => 7,
        Element::Int8 => 8,
        Element::UInt8 => 9,
        Element::Int16 => 10,
        Element::UInt16 => 11,
        Element::Int32 => 12,
        Element::UInt32 => 13,
        // Complex integers are not parts; `part` has taken them apart.
        Element::Int64 | Element::ComplexInt(_) => 14,
        Element::UInt64 => 15,
        Element::DateTime64(unit) => DATETIME64 + unit as u32,
    };
    (number, element.is_complex())
}

/// The element of a type and complex flag.
pub(super) fn element_of(number: u32, is_complex: bool) -> Result<Element, CodecError> {
    let part = match number {
        3 => Element::Bool,
        4 => Element::Char,
        6 => Element::Float64,
        7 => Element::Float32,
        8 => Element::Int8,
        9 => Element::UInt8,
        10 => Element::Int16,
        11 => Element::UInt16,
        12 => Element::Int32,
        13 => Element::UInt32,
        14 => Element::Int64,
        15 => Element::UInt64,
        DATETIME64.. if (number - DATETIME64) < TimeUnit::ALL.len() as u32 => {
            Element::DateTime64(TimeUnit::ALL[(number - DATETIME64) as usize])
        }
        _ => {
            return Err(CodecError::Corrupt(format!(
                "an array in the blob has the type {number}, which has no elements"
            )));
        }
    };
    if !is_complex {
        return Ok(part);
    }
    part.complex().ok_or_else(|| {
        let name = part.name();
        CodecError::Corrupt(format!(
            "an array of {name} in the blob is marked as complex"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_one_to_one() {
        for element in Element::all() {
            let (number, is_complex) = type_of(element);
            assert_eq!(element_of(number, is_complex).unwrap(), element);
        }
        for number in [0, 1, 2, 5, 16, 65_535, 65_549, u32::MAX] {
            assert!(element_of(number, false).is_err(), "{number}");
        }
        assert!(element_of(3, true).is_err());
    }
}
