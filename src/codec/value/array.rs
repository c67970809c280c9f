//! Arrays whose elements have a fixed size.

use bytes::Bytes;

use super::Element;

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

impl Array {
    /// As many dimensions as NumPy has at most.
    pub const MAX_DIMENSIONS: usize = 64;

    /// An array of checked size; complex numbers may come in either form.
    pub fn new(
        element: Element,
        shape: Vec<u64>,
        order: Order,
        data: Data,
    ) -> Result<Self, ArrayError> {
        let array = Self {
            element,
            shape,
            order,
            data,
        };
        array.check()?;
        Ok(array)
    }

    /// An array of one dimension; as many elements as `data` has.
    pub fn vector(element: Element, data: Bytes) -> Result<Self, ArrayError> {
        let shape = vec![(data.len() / element.size()) as u64];
        Self::new(element, shape, Order::First, Data::Plain(data))
    }

    /// Whether the bytes are as many as element and shape say.
    pub fn check(&self) -> Result<(), ArrayError> {
        let len = count_elements(&self.shape, self.element.size()).ok_or(ArrayError::Shape)?;
        let expected = len * self.element.size();
        match &self.data {
            Data::Plain(data) if data.len() == expected => Ok(()),
            Data::Planes(re, im)
                if self.element.is_complex()
                    && re.len() == expected / 2
                    && im.len() == expected / 2 =>
            {
                Ok(())
            }
            Data::Plain(_) | Data::Planes(..) => Err(ArrayError::Size { expected }),
        }
    }

    /// The number of elements, by the bytes.
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Plain(data) => data.len() / self.element.size(),
            Data::Planes(re, _) => re.len() / self.element.part_size(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same elements in this order; copied only if they must move. With less than two
    /// dimensions the order is always [`Order::First`].
    pub fn in_order(&self, order: Order) -> Self {
        let order = if self.shape.len() < 2 {
            Order::First
        } else {
            order
        };
        let is_same = self.order == order || self.shape.iter().filter(|len| **len != 1).count() < 2;
        let data = if is_same || self.is_empty() {
            self.data.clone()
        } else {
            // Elements whose first index runs fastest are those of the reversed shape whose
            // last index does.
            let mut shape: Vec<usize> = self.shape.iter().map(|len| *len as usize).collect();
            if self.order == Order::First {
                shape.reverse();
            }
            match &self.data {
                Data::Plain(data) => Data::Plain(reorder(data, &shape, self.element.size())),
                Data::Planes(re, im) => {
                    let size = self.element.part_size();
                    Data::Planes(reorder(re, &shape, size), reorder(im, &shape, size))
                }
            }
        };
        Self {
            element: self.element,
            shape: self.shape.clone(),
            order,
            data,
        }
    }

    /// The bytes element by element, as [`Data::Plain`] has them; copied only if they are in
    /// planes.
    pub fn interleaved(&self) -> Bytes {
        match &self.data {
            Data::Plain(data) => data.clone(),
            Data::Planes(re, im) => {
                let size = self.element.part_size();
                let mut data = Vec::with_capacity(re.len() + im.len());
                for (re, im) in re.chunks_exact(size).zip(im.chunks_exact(size)) {
                    data.extend_from_slice(re);
                    data.extend_from_slice(im);
                }
                data.into()
            }
        }
    }

    /// The real and the imaginary parts of complex numbers, as [`Data::Planes`] has them; copied
    /// only if they are not in planes. `None` if there are no parts.
    pub fn planes(&self) -> Option<(Bytes, Bytes)> {
        match &self.data {
            Data::Planes(re, im) => Some((re.clone(), im.clone())),
            Data::Plain(data) if self.element.is_complex() => {
                let size = self.element.part_size();
                let mut re = Vec::with_capacity(data.len() / 2);
                let mut im = Vec::with_capacity(data.len() / 2);
                for pair in data.chunks_exact(2 * size) {
                    re.extend_from_slice(&pair[..size]);
                    im.extend_from_slice(&pair[size..]);
                }
                Some((re.into(), im.into()))
            }
            Data::Plain(_) => None,
        }
    }
}

/// Why bytes are no array of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArrayError {
    /// Too many dimensions, or more elements than any memory has.
    #[error("an array of more dimensions or elements than can be")]
    Shape,
    /// More or fewer bytes than element and shape come to.
    #[error("the bytes of an array are not the {expected} that its shape says")]
    Size {
        /// Bytes of the shape.
        expected: usize,
    },
}

/// The number of elements of `size` bytes in a shape. `None` beyond
/// [`Array::MAX_DIMENSIONS`], or where the lengths other than 0 come to more bytes than can be
/// addressed: so the product of any of them with `size` is safe to calculate.
pub fn count_elements(shape: &[u64], size: usize) -> Option<usize> {
    if shape.len() > Array::MAX_DIMENSIONS {
        return None;
    }
    let is_empty = shape.contains(&0);
    let count = shape
        .iter()
        .filter(|len| **len != 0)
        .try_fold(1_u64, |product, len| product.checked_mul(*len))?;
    let bytes = count.checked_mul(size as u64)?;
    if bytes > isize::MAX as u64 {
        return None;
    }
    Some(if is_empty { 0 } else { count as usize })
}

/// Elements of which the last index runs fastest, put so that the first does.
fn reorder(data: &[u8], shape: &[usize], size: usize) -> Bytes {
    match size {
        1 => reorder_sized::<1>(data, shape),
        2 => reorder_sized::<2>(data, shape),
        4 => reorder_sized::<4>(data, shape),
        8 => reorder_sized::<8>(data, shape),
        _ => reorder_sized::<16>(data, shape),
    }
}

/// Goes through the first and the last index in squares, so that neither the reads nor the
/// writes leave the cache, and through all indexes between them one by one.
fn reorder_sized<const SIZE: usize>(data: &[u8], shape: &[usize]) -> Bytes {
    const SQUARE: usize = 32;
    let (from, _) = data.as_chunks::<SIZE>();
    let mut moved = vec![0; data.len()];
    let (to, _) = moved.as_chunks_mut::<SIZE>();
    let [first, middle @ .., last] = shape else {
        return Bytes::copy_from_slice(data);
    };
    let between: usize = middle.iter().product();
    let mut index = vec![0; middle.len()];
    for place in 0..between {
        // `place` counts with the last index fastest; `target` is the same with the first.
        let mut rest = place;
        for (index, len) in index.iter_mut().zip(middle).rev() {
            *index = rest % len;
            rest /= len;
        }
        let target = index
            .iter()
            .zip(middle)
            .rev()
            .fold(0, |target, (index, len)| target * len + index);
        for rows in (0..*first).step_by(SQUARE) {
            for columns in (0..*last).step_by(SQUARE) {
                for column in columns..(columns + SQUARE).min(*last) {
                    for row in rows..(rows + SQUARE).min(*first) {
                        to[row + first * (target + between * column)] =
                            from[(row * between + place) * last + column];
                    }
                }
            }
        }
    }
    moved.into()
}

#[cfg(test)]
mod tests;
