//! The elements of an array as Rust has numbers, and back.

use bytes::Bytes;

use super::{Array, Data, Element, Order};

/// Real numbers, each kind in the widest type that holds it exactly.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// `bool` and signed integers.
    Int(Vec<i64>),
    /// Unsigned integers.
    UInt(Vec<u64>),
    /// `float32`
    Float32(Vec<f32>),
    /// `float64`
    Float64(Vec<f64>),
}

impl Array {
    /// The elements in the order of the bytes; `None` for complex numbers, characters and times.
    pub fn numbers(&self) -> Option<Numbers> {
        let Data::Plain(data) = &self.data else {
            return None;
        };
        macro_rules! read {
            ($kind:ident, $wide:ty, $own:ty) => {
                Numbers::$kind(
                    data.as_chunks::<{ size_of::<$own>() }>()
                        .0
                        .iter()
                        .map(|bytes| <$wide>::from(<$own>::from_le_bytes(*bytes)))
                        .collect(),
                )
            };
        }
        Some(match self.element {
            Element::Bool | Element::Int8 => read!(Int, i64, i8),
            Element::Int16 => read!(Int, i64, i16),
            Element::Int32 => read!(Int, i64, i32),
            Element::Int64 => read!(Int, i64, i64),
            Element::UInt8 => read!(UInt, u64, u8),
            Element::UInt16 => read!(UInt, u64, u16),
            Element::UInt32 => read!(UInt, u64, u32),
            Element::UInt64 => read!(UInt, u64, u64),
            Element::Float32 => read!(Float32, f32, f32),
            Element::Float64 => read!(Float64, f64, f64),
            _ => return None,
        })
    }
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Int(numbers) => numbers.len(),
            Self::UInt(numbers) => numbers.len(),
            Self::Float32(numbers) => numbers.len(),
            Self::Float64(numbers) => numbers.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them as floats; integers beyond 2^53 are rounded.
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::Int(numbers) => numbers.iter().map(|n| *n as f64).collect(),
            Self::UInt(numbers) => numbers.iter().map(|n| *n as f64).collect(),
            Self::Float32(numbers) => numbers.iter().map(|n| f64::from(*n)).collect(),
            Self::Float64(numbers) => numbers.clone(),
        }
    }

    /// An array of one dimension: `int64`, `uint64`, `float32` or `float64`.
    pub fn into_array(self) -> Array {
        macro_rules! bytes {
            ($numbers:expr) => {
                $numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
            };
        }
        let shape = vec![self.len() as u64];
        let (element, data): (_, Bytes) = match self {
            Self::Int(numbers) => (Element::Int64, bytes!(numbers)),
            Self::UInt(numbers) => (Element::UInt64, bytes!(numbers)),
            Self::Float32(numbers) => (Element::Float32, bytes!(numbers)),
            Self::Float64(numbers) => (Element::Float64, bytes!(numbers)),
        };
        Array {
            element,
            shape,
            order: Order::First,
            data: Data::Plain(data),
        }
    }

    /// The bytes of the same numbers as another element: floats become integers without their
    /// fraction, any number but 0 becomes `true`, and a float may be rounded. `None` where a
    /// number is beyond what the element holds, or the element is not a real number.
    pub fn cast(&self, element: Element) -> Option<Bytes> {
        macro_rules! write {
            ($to:ty) => {
                match self {
                    Self::Int(numbers) => all(numbers, |n| <$to>::try_from(n).ok()),
                    Self::UInt(numbers) => all(numbers, |n| <$to>::try_from(n).ok()),
                    Self::Float32(numbers) => {
                        all(numbers, |n| <$to>::try_from(whole(n.into())?).ok())
                    }
                    Self::Float64(numbers) => all(numbers, |n| <$to>::try_from(whole(n)?).ok()),
                }
                .map(|numbers| numbers.iter().flat_map(|n| n.to_le_bytes()).collect())
            };
        }
        match element {
            Element::Bool => {
                let to_bool = |n: f64| u8::from(n != 0.0);
                Some(self.to_f64().into_iter().map(to_bool).collect())
            }
            Element::Int8 => write!(i8),
            Element::Int16 => write!(i16),
            Element::Int32 => write!(i32),
            Element::Int64 => write!(i64),
            Element::UInt8 => write!(u8),
            Element::UInt16 => write!(u16),
            Element::UInt32 => write!(u32),
            Element::UInt64 => write!(u64),
            Element::Float64 => {
                let floats = self.to_f64().into_iter();
                Some(floats.flat_map(f64::to_le_bytes).collect())
            }
            Element::Float32 => {
                let floats = match self {
                    Self::Int(numbers) => numbers.iter().map(|n| *n as f32).collect(),
                    Self::UInt(numbers) => numbers.iter().map(|n| *n as f32).collect(),
                    Self::Float32(numbers) => numbers.clone(),
                    Self::Float64(numbers) => all(numbers, |n| {
                        let narrow = n as f32;
                        (narrow.is_infinite() == n.is_infinite()).then_some(narrow)
                    })?,
                };
                Some(floats.into_iter().flat_map(f32::to_le_bytes).collect())
            }
            _ => None,
        }
    }
}

fn all<N: Copy, T>(numbers: &[N], convert: impl Fn(N) -> Option<T>) -> Option<Vec<T>> {
    numbers.iter().map(|number| convert(*number)).collect()
}

/// The integer below a float's fraction.
fn whole(number: f64) -> Option<i128> {
    // Far beyond any element, and well within an i128.
    (number.abs() < 1e30).then_some(number.trunc() as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(numbers: &[f64]) -> Numbers {
        Numbers::Float64(numbers.to_vec())
    }

    #[test]
    fn arrays_become_numbers_and_arrays_again() {
        for numbers in [
            Numbers::Int(vec![-1, i64::MAX]),
            Numbers::UInt(vec![0, u64::MAX]),
            Numbers::Float32(vec![1.5, f32::INFINITY]),
            floats(&[0.1, -0.0]),
        ] {
            assert_eq!(numbers.clone().into_array().numbers(), Some(numbers));
        }
        let small = Array::vector(Element::UInt8, vec![0, 255].into()).unwrap();
        assert_eq!(small.numbers(), Some(Numbers::UInt(vec![0, 255])));
        let chars = Array::vector(Element::Char, vec![0, 65].into()).unwrap();
        assert_eq!(chars.numbers(), None);
    }

    #[test]
    fn what_an_element_cannot_hold_is_not_cast() {
        assert_eq!(
            floats(&[-1.9, 127.9]).cast(Element::Int8).unwrap(),
            [255, 127][..]
        );
        for (number, element) in [
            (128.0, Element::Int8),
            (-1.0, Element::UInt64),
            (f64::NAN, Element::Int64),
            (f64::INFINITY, Element::Int64),
            (9.3e18, Element::Int64),
            (1e300, Element::Float32),
            (1.0, Element::Complex64),
        ] {
            assert_eq!(floats(&[number]).cast(element), None, "{number}");
        }
        let infinite = floats(&[f64::INFINITY]).cast(Element::Float32).unwrap();
        assert_eq!(infinite, f32::INFINITY.to_le_bytes()[..]);
        assert_eq!(
            floats(&[f64::NAN, 0.0]).cast(Element::Bool).unwrap(),
            [1, 0][..]
        );
        let most = Numbers::UInt(vec![u64::MAX]);
        assert_eq!(most.cast(Element::Int64), None);
        assert_eq!(most.cast(Element::UInt64).unwrap(), [255; 8][..]);
    }
}
