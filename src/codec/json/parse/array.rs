//! Arrays of elements of a fixed size: nested lists straight into bytes.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use super::context::{Context, Segment};
use super::leaf::Leaf;
use super::list::MANY_DIMENSIONS;
use crate::codec::value::{Array, Data, Element, Order};

/// The elements as they were nested. No shape that a client claims makes room for anything:
/// only elements that are there do.
pub(super) struct Nested {
    element: Element,
    part: Element,
    /// Row by row; the two parts of a complex number side by side.
    bytes: Vec<u8>,
    /// Lengths by level, as far as they are known.
    lengths: Vec<Option<u64>>,
    /// The level of what is not a list. The two parts of a complex number are a level more.
    leaves: Option<usize>,
}

impl Nested {
    pub(super) fn new(element: Element) -> Self {
        Self {
            element,
            part: element.part(),
            bytes: Vec::new(),
            lengths: Vec::new(),
            leaves: None,
        }
    }

    /// The array, if its elements are nested as `shape` says, or as they say themselves.
    pub(super) fn into_array(self, shape: Option<Vec<u64>>) -> Result<Array, String> {
        let nested = self.shape()?;
        let shape = match shape {
            None => nested,
            Some(shape) if shape == nested => shape,
            // No elements, no nesting.
            Some(shape) if shape.contains(&0) && nested.contains(&0) => shape,
            // Characters on their own, not in strings.
            Some(shape)
                if self.part == Element::Char && nested.strip_suffix(&[1]) == Some(&shape) =>
            {
                shape
            }
            Some(_) => return Err("the elements are not nested as the shape says".into()),
        };
        // Of fewer than two dimensions the order is always the first.
        let order = Order::Last;
        let rows = Array::new(self.element, shape, order, Data::Plain(self.bytes.into()))
            .map_err(|error| error.to_string())?;
        let array = rows.in_order(Order::First);
        Ok(match array.planes() {
            None => array,
            Some((re, im)) => Array {
                data: Data::Planes(re, im),
                ..array
            },
        })
    }

    /// What the nesting tells: all lengths, up to the first zero.
    fn shape(&self) -> Result<Vec<u64>, String> {
        let mut shape: Vec<u64> = self
            .lengths
            .iter()
            .copied()
            .map_while(|length| length)
            .collect();
        if let Some(empty) = shape.iter().position(|&length| length == 0) {
            shape.truncate(empty + 1);
        } else if self.element.is_complex() && shape.pop() != Some(2) {
            let name = self.element.name();
            return Err(format!("an element of {name} is [re,im]"));
        }
        Ok(shape)
    }

    fn leaf(&mut self, level: usize, leaf: &Leaf<'_>) -> Result<(), String> {
        if let (Element::Char, Leaf::Text(text)) = (self.part, leaf) {
            return self.text(level, text);
        }
        if *self.leaves.get_or_insert(level) != level {
            return Err(RAGGED.into());
        }
        leaf.write(self.part, &mut self.bytes)
    }

    /// A row of a `char` array, or one of its characters.
    fn text(&mut self, level: usize, text: &str) -> Result<(), String> {
        let start = self.bytes.len();
        self.bytes
            .extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        let units = ((self.bytes.len() - start) / 2) as u64;
        let is_character = self.leaves == Some(level) && units == 1;
        if !is_character {
            if *self.leaves.get_or_insert(level + 1) != level + 1 {
                return Err(RAGGED.into());
            }
            self.close(level, units)?;
        }
        Ok(())
    }

    /// At the end of a list of so many items.
    fn close(&mut self, level: usize, length: u64) -> Result<(), String> {
        if self.lengths.len() <= level {
            self.lengths.resize(level + 1, None);
        }
        match *self.lengths[level].get_or_insert(length) == length {
            true => Ok(()),
            false => Err(RAGGED.into()),
        }
    }
}

const RAGGED: &str = "rows of an array have different lengths";

/// Reads the lists of an array.
pub(super) struct NestedSeed<'c> {
    pub(super) context: &'c mut Context,
    pub(super) nested: &'c mut Nested,
    pub(super) level: usize,
}

impl NestedSeed<'_> {
    fn leaf<E: Error>(self, leaf: Leaf<'_>) -> Result<(), E> {
        // Text is longer than its bytes.
        self.context.charge(self.nested.part.part_size())?;
        self.nested
            .leaf(self.level, &leaf)
            .map_err(|said| self.context.refuse(said))
    }
}

impl<'de> DeserializeSeed<'de> for NestedSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NestedSeed<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("nested lists of elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self {
            context,
            nested,
            level,
        } = self;
        if level > Array::MAX_DIMENSIONS {
            return Err(context.refuse(MANY_DIMENSIONS));
        }
        if nested.leaves.is_some_and(|leaves| level >= leaves) {
            return Err(context.refuse(RAGGED));
        }
        let mut length = 0;
        loop {
            let item = list.next_element_seed(NestedSeed {
                context,
                nested,
                level: level + 1,
            });
            match context.at(item, || Segment::Index(length))? {
                Some(()) => length += 1,
                None => break,
            }
        }
        nested
            .close(level, length as u64)
            .map_err(|said| context.refuse(said))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.leaf(Leaf::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.leaf(Leaf::Bool(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.leaf(Leaf::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.leaf(Leaf::UInt(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.leaf(Leaf::Float(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.leaf(Leaf::Text(text))
    }
}
