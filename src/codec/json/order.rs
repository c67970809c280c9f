//! Walks through arrays row by row, whatever the order of their bytes.

use crate::codec::Value;
use crate::codec::value::Order;

/// The elements of an array, row by row: the last index runs fastest.
pub(super) struct Rows {
    /// Length of each dimension, the distance of its elements, and where we are.
    dimensions: Vec<(usize, usize, usize)>,
    offset: usize,
    left: usize,
}

/// One step of a walk.
pub(super) struct Step {
    /// Where the element is.
    pub(super) offset: usize,
    /// How many dimensions it is the last one of.
    pub(super) closes: usize,
}

impl Rows {
    /// A walk through an array of `count` elements.
    pub(super) fn new(shape: &[u64], order: Order, count: usize) -> Self {
        let lengths = shape.iter().map(|&length| length as usize);
        let mut dimensions: Vec<_> = lengths.map(|length| (length, 0, 0)).collect();
        let mut distance = 1;
        let mut assign = |(length, stride, _): &mut (usize, usize, usize)| {
            *stride = distance;
            distance *= *length;
        };
        // Without elements there is no walk, and distances could overflow.
        match order {
            _ if count == 0 => {}
            Order::First => dimensions.iter_mut().for_each(&mut assign),
            Order::Last => dimensions.iter_mut().rev().for_each(&mut assign),
        }
        Self {
            dimensions,
            offset: 0,
            left: count,
        }
    }

    /// The distance between elements of a row.
    pub(super) fn last_stride(&self) -> usize {
        self.dimensions.last().map_or(1, |(_, stride, _)| *stride)
    }

    /// Walks from row to row instead: leaves out the last dimension.
    pub(super) fn by_row(mut self) -> Self {
        if let Some((length, _, _)) = self.dimensions.pop() {
            self.left /= length.max(1);
        }
        self
    }
}

impl Iterator for Rows {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        self.left = self.left.checked_sub(1)?;
        let offset = self.offset;
        let mut closes = 0;
        for (length, stride, index) in self.dimensions.iter_mut().rev() {
            *index += 1;
            self.offset += *stride;
            if index < length {
                break;
            }
            self.offset -= *stride * *length;
            *index = 0;
            closes += 1;
        }
        Some(Step { offset, closes })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Rows {}

/// Values that come row by row in blocks (the fields of a struct), the first index fastest.
pub(super) fn first_fastest(values: Vec<Value>, block: usize, shape: &[u64]) -> Vec<Value> {
    if is_line(shape) || block == 0 {
        return values;
    }
    let mut scattered = vec![Value::None; values.len()];
    let rows = Rows::new(shape, Order::First, values.len() / block);
    let mut values = values.into_iter();
    for step in rows {
        let places = scattered.iter_mut().skip(step.offset * block).take(block);
        places
            .zip(&mut values)
            .for_each(|(place, value)| *place = value);
    }
    scattered
}

/// Whether both orders are the same.
fn is_line(shape: &[u64]) -> bool {
    shape.contains(&0) || shape.iter().filter(|&&length| length != 1).count() <= 1
}
