//! What arrays hold: kinds of elements, their sizes and their names.

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

impl Element {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        self.part_size() * if self.is_complex() { 2 } else { 1 }
    }

    /// Bytes of one part (real or imaginary) of an element; of the element if it has no parts.
    pub fn part_size(self) -> usize {
        match self {
            Self::Bool | Self::Int8 | Self::UInt8 => 1,
            Self::Char | Self::Int16 | Self::UInt16 => 2,
            Self::Int32 | Self::UInt32 | Self::Float32 | Self::Complex64 => 4,
            Self::Int64 | Self::UInt64 | Self::Float64 | Self::Complex128 | Self::DateTime64(_) => {
                8
            }
            Self::ComplexInt(part) => part.part().part_size(),
        }
    }

    /// Whether an element has a real and an imaginary part.
    pub fn is_complex(self) -> bool {
        matches!(
            self,
            Self::Complex64 | Self::Complex128 | Self::ComplexInt(_)
        )
    }

    /// What one part of an element is; the element itself if it has no parts.
    pub fn part(self) -> Self {
        match self {
            Self::Complex64 => Self::Float32,
            Self::Complex128 => Self::Float64,
            Self::ComplexInt(part) => part.part(),
            other => other,
        }
    }

    /// The element whose parts are of this kind; `None` if there is no such.
    pub fn complex(self) -> Option<Self> {
        Self::all().find(|element| element.is_complex() && element.part() == self)
    }

    /// NumPy's name: `float64`, `datetime64[ns]`. NumPy has none for characters of two bytes,
    /// which are `char`, and none for complex integers, which are `complex-int8` and so on.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Char => "char",
            Self::Int8 => "int8",
            Self::UInt8 => "uint8",
            Self::Int16 => "int16",
            Self::UInt16 => "uint16",
            Self::Int32 => "int32",
            Self::UInt32 => "uint32",
            Self::Int64 => "int64",
            Self::UInt64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Complex64 => "complex64",
            Self::Complex128 => "complex128",
            Self::ComplexInt(part) => part.name(),
            Self::DateTime64(unit) => unit.element_name(),
        }
    }

    /// The element of a [name](Self::name).
    pub fn parse_name(name: &str) -> Option<Self> {
        Self::all().find(|element| element.name() == name)
    }

    /// Every kind there is.
    pub fn all() -> impl Iterator<Item = Self> {
        [
            Self::Bool,
            Self::Char,
            Self::Int8,
            Self::UInt8,
            Self::Int16,
            Self::UInt16,
            Self::Int32,
            Self::UInt32,
            Self::Int64,
            Self::UInt64,
            Self::Float32,
            Self::Float64,
            Self::Complex64,
            Self::Complex128,
        ]
        .into_iter()
        .chain(ComplexInt::ALL.into_iter().map(Self::ComplexInt))
        .chain(TimeUnit::ALL.into_iter().map(Self::DateTime64))
    }
}

impl ComplexInt {
    /// Every kind there is.
    pub const ALL: [Self; 8] = [
        Self::Int8,
        Self::UInt8,
        Self::Int16,
        Self::UInt16,
        Self::Int32,
        Self::UInt32,
        Self::Int64,
        Self::UInt64,
    ];

    /// What each of the two parts is.
    pub fn part(self) -> Element {
        match self {
            Self::Int8 => Element::Int8,
            Self::UInt8 => Element::UInt8,
            Self::Int16 => Element::Int16,
            Self::UInt16 => Element::UInt16,
            Self::Int32 => Element::Int32,
            Self::UInt32 => Element::UInt32,
            Self::Int64 => Element::Int64,
            Self::UInt64 => Element::UInt64,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Int8 => "complex-int8",
            Self::UInt8 => "complex-uint8",
            Self::Int16 => "complex-int16",
            Self::UInt16 => "complex-uint16",
            Self::Int32 => "complex-int32",
            Self::UInt32 => "complex-uint32",
            Self::Int64 => "complex-int64",
            Self::UInt64 => "complex-uint64",
        }
    }
}

impl TimeUnit {
    /// Every unit, from the longest to the shortest: in the order of their type numbers.
    pub const ALL: [Self; 13] = [
        Self::Year,
        Self::Month,
        Self::Week,
        Self::Day,
        Self::Hour,
        Self::Minute,
        Self::Second,
        Self::Millisecond,
        Self::Microsecond,
        Self::Nanosecond,
        Self::Picosecond,
        Self::Femtosecond,
        Self::Attosecond,
    ];

    /// NumPy's letters: `Y`, `M`, `W`, `D`, `h`, `m`, `s`, `ms`, `us`, `ns`, `ps`, `fs`, `as`.
    pub fn letters(self) -> &'static str {
        let name = self.element_name();
        &name["datetime64[".len()..name.len() - 1]
    }

    fn element_name(self) -> &'static str {
        match self {
            Self::Year => "datetime64[Y]",
            Self::Month => "datetime64[M]",
            Self::Week => "datetime64[W]",
            Self::Day => "datetime64[D]",
            Self::Hour => "datetime64[h]",
            Self::Minute => "datetime64[m]",
            Self::Second => "datetime64[s]",
            Self::Millisecond => "datetime64[ms]",
            Self::Microsecond => "datetime64[us]",
            Self::Nanosecond => "datetime64[ns]",
            Self::Picosecond => "datetime64[ps]",
            Self::Femtosecond => "datetime64[fs]",
            Self::Attosecond => "datetime64[as]",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_to_one() {
        for element in Element::all() {
            assert_eq!(Element::parse_name(element.name()), Some(element));
        }
        assert_eq!(Element::all().count(), 14 + 8 + 13);
        assert_eq!(Element::parse_name("float16"), None);
        assert_eq!(TimeUnit::Nanosecond.letters(), "ns");
    }

    #[test]
    fn sizes_and_parts() {
        for (element, size, part) in [
            (Element::Bool, 1, Element::Bool),
            (Element::Char, 2, Element::Char),
            (Element::Complex64, 8, Element::Float32),
            (Element::Complex128, 16, Element::Float64),
            (Element::ComplexInt(ComplexInt::UInt16), 4, Element::UInt16),
            (
                Element::DateTime64(TimeUnit::Day),
                8,
                Element::DateTime64(TimeUnit::Day),
            ),
        ] {
            assert_eq!((element.size(), element.part()), (size, part));
        }
        assert_eq!(Element::Float32.complex(), Some(Element::Complex64));
        assert_eq!(
            Element::Int64.complex(),
            Some(Element::ComplexInt(ComplexInt::Int64))
        );
        assert_eq!(Element::Bool.complex(), None);
    }
}
