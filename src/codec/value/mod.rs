//! The values that codecs work on: whatever a DataJoint blob can hold.
//!
//! The model is that of `blob.py` in DataJoint 2.3.5: Python's own types, NumPy's arrays, and
//! MATLAB's structs, cells and sparse matrices. Numeric arrays are views on the bytes they came
//! in; to clone one copies nothing.

#[cfg(test)]
pub mod arbitrary;
mod array;
mod calendar;
mod decimal;
mod element;
mod numbers;
mod time;

pub use array::{Array, ArrayError, Data, Order, count_elements};
pub(super) use calendar::{civil, days};
pub use decimal::normal_decimal;
pub use element::{ComplexInt, Element, TimeUnit};
pub use numbers::Numbers;
pub use time::{Date, Time};

use bytes::Bytes;
use num_bigint::BigInt;

use super::ObjectPath;

/// One value.
///
/// Equality is that of the representation: floats are equal if their bits are.
#[derive(Debug, Clone)]
pub enum Value {
    /// `None`
    None,
    /// `bool`
    Bool(bool),
    /// `int` within 64 bits
    Int(i64),
    /// `int` beyond 64 bits, and only such
    BigInt(BigInt),
    /// `float`
    Float(f64),
    /// `complex`
    Complex {
        /// real part
        re: f64,
        /// imaginary part
        im: f64,
    },
    /// `str`
    Str(String),
    /// `bytes`
    Bytes(Bytes),
    /// `Decimal`, as Python's `str` writes it
    Decimal(String),
    /// `datetime.date`
    Date(Date),
    /// `datetime.time`
    Time(Time),
    /// `datetime.datetime` without a time zone
    DateTime(Date, Time),
    /// `uuid.UUID`, big-endian
    Uuid([u8; 16]),
    /// `list`
    List(Vec<Value>),
    /// `tuple`
    Tuple(Vec<Value>),
    /// `set` or `frozenset`, in the order in which it was stored
    Set(Vec<Value>),
    /// `dict`, in its own order
    Dict(Vec<(Value, Value)>),
    /// A numeric, boolean, character or time array; a NumPy scalar is one without dimensions.
    Array(Array),
    /// An array of objects; arrays of Unicode strings are stored as such, too.
    Objects(Grid),
    /// A structured array.
    Record(Record),
    /// A MATLAB struct array.
    Struct(Struct),
    /// A MATLAB cell array.
    Cell(Grid),
    /// A MATLAB sparse matrix.
    Sparse(Box<Sparse>),
    /// Packed bytes that nobody had to look into yet.
    Packed(Packed),
    /// An object in a store that has not been read yet (`ObjectRef`, `NpyRef`).
    Object(ObjectRef),
}

/// Values in `shape`, the first index running fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Lengths of the dimensions.
    pub shape: Vec<u64>,
    /// As many as the shape says.
    pub elements: Vec<Value>,
}

/// A structured array: one array for each field.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Names and their arrays: [`Value::Array`], [`Value::Objects`] or [`Value::Record`].
    pub fields: Vec<(String, Value)>,
}

/// A MATLAB struct array.
#[derive(Debug, Clone, PartialEq)]
pub struct Struct {
    /// Lengths of the dimensions.
    pub shape: Vec<u64>,
    /// Names of the fields.
    pub fields: Vec<String>,
    /// For each element (the first index running fastest) the value of each field.
    pub elements: Vec<Value>,
}

/// A MATLAB sparse matrix in compressed columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparse {
    /// Rows.
    pub rows: u64,
    /// Columns.
    pub columns: u64,
    /// Room for non-zero elements, as MATLAB has allotted it.
    pub capacity: u64,
    /// For each column where its elements begin, and the end: `columns + 1` u64, little-endian.
    pub starts: Bytes,
    /// The row of each element: `capacity` u64, little-endian.
    pub row_indices: Bytes,
    /// The elements, `capacity` of them.
    pub values: Array,
}

/// Packed bytes: they begin as every blob does. See [`blob`](super::blob).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed(Bytes);

impl Packed {
    /// The longest of the headers, in bytes.
    pub const HEAD_LEN: usize = 6;

    /// `None` if the bytes have none of a blob's headers.
    pub fn new(bytes: Bytes) -> Option<Self> {
        Self::has_header(&bytes).then_some(Self(bytes))
    }

    /// Whether a value that begins with `head` is packed: arrays of MATLAB's kinds, Python's
    /// values, either one compressed.
    pub fn has_header(head: &[u8]) -> bool {
        [&b"mYm\0"[..], b"dj0\0", b"ZL123\0"]
            .iter()
            .any(|header| head.starts_with(header))
    }

    /// All the bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// All the bytes.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

/// An object in a store, by its metadata.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectRef {
    /// Its store; empty for the default store.
    pub store: String,
    /// Where it is; the path has been checked against the column it was read from.
    pub path: ObjectPath,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Its bytes, where the metadata says. Not to be trusted: the store knows.
    pub size: Option<u64>,
    /// All of the metadata as it is stored, a [`Value::Dict`].
    pub metadata: Box<Value>,
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        let bits = |re: &f64, im: &f64| (re.to_bits(), im.to_bits());
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::BigInt(a), Self::BigInt(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Complex { re: a, im: b }, Self::Complex { re: c, im: d }) => {
                bits(a, b) == bits(c, d)
            }
            (Self::Str(a), Self::Str(b)) | (Self::Decimal(a), Self::Decimal(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Date(a), Self::Date(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a == b,
            (Self::DateTime(a, b), Self::DateTime(c, d)) => (a, b) == (c, d),
            (Self::Uuid(a), Self::Uuid(b)) => a == b,
            (Self::List(a), Self::List(b))
            | (Self::Tuple(a), Self::Tuple(b))
            | (Self::Set(a), Self::Set(b)) => a == b,
            (Self::Dict(a), Self::Dict(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Objects(a), Self::Objects(b)) | (Self::Cell(a), Self::Cell(b)) => a == b,
            (Self::Record(a), Self::Record(b)) => a == b,
            (Self::Struct(a), Self::Struct(b)) => a == b,
            (Self::Sparse(a), Self::Sparse(b)) => a == b,
            (Self::Packed(a), Self::Packed(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            _ => false,
        }
    }
}

impl Value {
    /// What Python calls the type, for error messages such as `<hash> expects bytes, got str`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::BigInt(_) => "int",
            Self::Float(_) => "float",
            Self::Complex { .. } => "complex",
            Self::Str(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::Decimal(_) => "Decimal",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(..) => "datetime",
            Self::Uuid(_) => "UUID",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::Dict(_) => "dict",
            Self::Array(_) | Self::Objects(_) | Self::Record(_) => "ndarray",
            Self::Struct(_) => "MatStruct",
            Self::Cell(_) => "MatCell",
            Self::Sparse(_) => "sparse matrix",
            Self::Packed(_) => "packed value",
            Self::Object(_) => "ObjectRef",
        }
    }

    /// The value of a key in a dict with string keys, the way JSON metadata is held.
    pub fn field(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Dict(items) => items
                .iter()
                .find(|(name, _)| matches!(name, Self::Str(name) if name == key))
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }
}

/// `str(value)` of Python's `UUID`.
pub fn uuid_text(bytes: &[u8; 16]) -> String {
    let mut text = data_encoding::HEXLOWER.encode(bytes);
    for hyphen in [8, 13, 18, 23] {
        text.insert(hyphen, '-');
    }
    text
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}
