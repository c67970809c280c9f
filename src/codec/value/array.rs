//! Arrays whose elements have a fixed size.

use bytes::Bytes;

/// An n-dimensional array.
///
/// Equality is that of the representation: the same elements in another [`Order`] differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// What the elements are.
    pub element: Element,
    /// Lengths of the dimensions; none for a NumPy scalar.
    pub shape: Vec<u64>,
    /// Which index runs fastest.
    pub order: Order,
    /// The elements, little-endian; as many as the shape says.
    pub data: Data,
}

/// What an array holds. The numbers that stand for it in a blob are in
/// [`blob`](crate::codec::blob).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// One byte, 0 or 1.
    Bool,
    /// One unit of UTF-16: MATLAB's `char`, NumPy's `c` (`S1`).
    Char,
    /// `int8`
    Int8,
    /// `uint8`
    UInt8,
    /// `int16`
    Int16,
    /// `uint16`
    UInt16,
    /// `int32`
    Int32,
    /// `uint32`
    UInt32,
    /// `int64`
    Int64,
    /// `uint64`
    UInt64,
    /// `float32`
    Float32,
    /// `float64`
    Float64,
    /// `complex64`
    Complex64,
    /// `complex128`
    Complex128,
    /// Two integers for each element. Only MATLAB has such.
    ComplexInt(ComplexInt),
    /// `datetime64[unit]`: ticks since 1970 in an i64, of which the least is `NaT`.
    DateTime64(TimeUnit),
}

/// The parts of a complex integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ComplexInt {
    Int8,
    UInt8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
}

/// The unit of a `datetime64`, in the order of the type numbers from 65536 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TimeUnit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    Picosecond,
    Femtosecond,
    Attosecond,
}

/// Which index of an array runs fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The first (Fortran, MATLAB, blobs). One-dimensional arrays are of this order.
    First,
    /// The last (C, NumPy's own files).
    Last,
}

/// The bytes of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Element after element.
    Plain(Bytes),
    /// All real parts, then all imaginary parts, as blobs have complex numbers.
    Planes(Bytes, Bytes),
}
