//! NumPy's `.npy` files: one array and a header that says what it is.
//!
//! ```text
//! "\x93NUMPY"  major  minor  length of the header (2 bytes in 1.0, 4 from 2.0 on)
//! {'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }      … \n
//! the elements
//! ```
//!
//! The header is a Python literal in Latin-1, from version 3.0 on in UTF-8, filled with blanks
//! so that the elements begin at a multiple of 64 bytes. Source: `numpy/lib/format` of NumPy
//! 2.4 and NEP 1. Pickled objects are never read.

mod convert;
mod descr;
mod literal;

use bytes::Bytes;

use super::value::{Array, Element, count_elements};
use descr::Descr;
use literal::Literal;

/// How every file begins.
pub const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header that is read or written, in bytes. NumPy itself takes 10,000 from
/// strangers.
const MAX_HEADER: usize = 1 << 20;

/// Elements begin at a multiple of this.
const ALIGNMENT: usize = 64;

/// The most digits of a length; NumPy leaves room for them, so that an array can grow.
const MAX_DIGITS: usize = 21;

/// Why bytes are no `.npy` file, or a value cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NpyError {
    /// The header is not to be understood.
    #[error("the .npy file has no usable header")]
    Header,
    /// More or fewer bytes than the header says.
    #[error("the .npy file has {actual} bytes of elements, not the {expected} of its header")]
    Size {
        /// By the header.
        expected: usize,
        /// What there is.
        actual: usize,
    },
    /// Elements that are Python objects. DataJoint's wording.
    #[error("<npy> does not support object dtype arrays")]
    Objects,
    /// No array. DataJoint's wording.
    #[error("<npy> requires numpy.ndarray, got {0}")]
    NotAnArray(&'static str),
    /// An array that NumPy cannot write.
    #[error("<npy> does not take {0}")]
    NotNumPys(&'static str),
    /// An array that no packed value and no JSON can hold.
    #[error(
        "no packed DataJoint array holds elements of type {0}; \
         SET @codec_npy = 'npy' gives the .npy file"
    )]
    NotPackable(String),
    /// Too many bytes.
    #[error("the array takes more than {0} bytes (limits.value_bytes)")]
    Limit(u64),
}

/// One array, as it is in its file.
#[derive(Debug, Clone, PartialEq)]
pub struct NpyFile {
    descr: Descr,
    shape: Vec<u64>,
    /// Whether the first index runs fastest.
    is_fortran: bool,
    data: Bytes,
}

impl NpyFile {
    /// Reads a file. The elements stay a view on it, and there are as many as the header says.
    pub fn parse(file: &Bytes) -> Result<Self, NpyError> {
        let (header, start) = header(file).ok_or(NpyError::Header)?;
        let Some(Literal::Dict(items)) = Literal::parse(&header) else {
            return Err(NpyError::Header);
        };
        let item = |key: &str| {
            let mut found = items.iter().filter(|(name, _)| name == key);
            found.next().map(|(_, value)| value).ok_or(NpyError::Header)
        };
        let (Literal::Bool(is_fortran), Literal::Tuple(shape), 3) =
            (item("fortran_order")?, item("shape")?, items.len())
        else {
            return Err(NpyError::Header);
        };
        let descr = Descr::parse(item("descr")?)?;
        let shape = literal::lengths(shape).ok_or(NpyError::Header)?;
        let data = file.slice(start..);
        let size = descr.size().ok_or(NpyError::Header)?;
        let count = count_elements(&shape, size).ok_or(NpyError::Header)?;
        let (expected, actual) = (count * size, data.len());
        if expected != actual {
            return Err(NpyError::Size { expected, actual });
        }
        Ok(Self {
            descr,
            shape,
            is_fortran: *is_fortran,
            data,
        })
    }

    /// The file, byte for byte as `numpy.save` writes it.
    pub fn to_bytes(&self) -> Bytes {
        let mut header = format!(
            "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}",
            self.descr.to_literal(),
            if self.is_fortran { "True" } else { "False" },
            literal::tuple(&self.shape),
        );
        let growing = if self.is_fortran {
            self.shape.last()
        } else {
            self.shape.first()
        };
        if let Some(length) = growing {
            let room = MAX_DIGITS - length.to_string().len();
            header.extend(std::iter::repeat_n(' ', room));
        }
        let mut file = wrap(&header, self.data.len());
        file.extend_from_slice(&self.data);
        file.into()
    }

    /// What Python's `str(array.dtype)` says.
    pub fn dtype(&self) -> String {
        self.descr.name()
    }

    /// Lengths of the dimensions.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// A file of elements that have a fixed size.
    fn of_array(array: &Array, descr: Descr) -> Self {
        // NumPy calls an array that is in both orders one in its own order.
        let is_fortran = array.order == super::value::Order::First && is_ordered(&array.shape);
        Self {
            descr,
            shape: array.shape.clone(),
            is_fortran,
            data: array.interleaved(),
        }
    }
}

/// Whether the order of the indexes makes any difference.
fn is_ordered(shape: &[u64]) -> bool {
    !shape.contains(&0) && shape.iter().filter(|length| **length != 1).count() > 1
}

/// The text of the header, and where the elements begin.
fn header(file: &[u8]) -> Option<(String, usize)> {
    let rest = file.strip_prefix(MAGIC)?;
    let (&[major, minor], rest) = rest.split_first_chunk()?;
    if !(1..=3).contains(&major) || minor != 0 {
        return None;
    }
    let (length, rest) = if major == 1 {
        let (length, rest) = rest.split_first_chunk()?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk()?;
        (usize::try_from(u32::from_le_bytes(*length)).ok()?, rest)
    };
    if length > MAX_HEADER {
        return None;
    }
    let text = rest.get(..length)?;
    let start = file.len() - rest.len() + length;
    let text = match major {
        3 => String::from_utf8(text.to_vec()).ok()?,
        _ => text.iter().copied().map(char::from).collect(),
    };
    Some((text, start))
}

/// The header in the oldest version that can hold it, with room for so many bytes after it.
fn wrap(header: &str, room: usize) -> Vec<u8> {
    let latin1: Option<Vec<u8>> = header.chars().map(|c| u8::try_from(c).ok()).collect();
    // The line ends with at least one blank and a newline.
    let padded =
        |prefix: usize, length: usize| (prefix + length + 2).next_multiple_of(ALIGNMENT) - prefix;
    let (version, text) = match &latin1 {
        Some(text) if padded(10, text.len()) <= usize::from(u16::MAX) => (1, &text[..]),
        Some(text) => (2, &text[..]),
        None => (3, header.as_bytes()),
    };
    let prefix = if version == 1 { 10 } else { 12 };
    let length = padded(prefix, text.len());
    let mut file = Vec::with_capacity(prefix + length + room);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&[version, 0]);
    // The length fits: fields of longer headers are refused.
    if version == 1 {
        file.extend_from_slice(&(length as u16).to_le_bytes());
    } else {
        file.extend_from_slice(&(length as u32).to_le_bytes());
    }
    file.extend_from_slice(text);
    file.resize(prefix + length - 1, b' ');
    file.push(b'\n');
    file
}

/// The elements that NumPy has, too.
fn is_numpys(element: Element) -> bool {
    !matches!(element, Element::Char | Element::ComplexInt(_))
}

#[cfg(test)]
mod tests;
