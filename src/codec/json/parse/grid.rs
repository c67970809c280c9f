//! Grids of values: nested lists of a shape that is known.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::context::{Context, Segment};
use super::{Seen, ValueSeed};
use crate::codec::Value;

/// What a grid is made of.
#[derive(Clone, Copy)]
pub(super) enum Items<'a> {
    /// Values.
    Values,
    /// The fields of a struct, as an object or as a list in this order.
    Fields(&'a [String]),
}

/// Reads the lists of a grid; the values come row by row.
pub(super) struct GridSeed<'c> {
    pub(super) context: &'c mut Context,
    pub(super) values: &'c mut Vec<Value>,
    pub(super) items: Items<'c>,
    /// Lengths of the dimensions from here on; none is zero.
    pub(super) shape: &'c [u64],
}

impl<'de> DeserializeSeed<'de> for GridSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        match (self.shape, self.items) {
            ([], Items::Values) => {
                let value = ValueSeed(self.context).deserialize(json)?;
                self.values.push(value);
                Ok(())
            }
            _ => json.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for GridSeed<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("lists that are nested as the shape says")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self {
            context,
            values,
            items,
            shape,
        } = self;
        // An element of a struct that is a list is one of values.
        let (length, shape, items) = match (shape, items) {
            ([length, rest @ ..], _) => (*length, rest, items),
            ([], Items::Fields(names)) => (names.len() as u64, shape, Items::Values),
            // Values are read elsewhere.
            ([], Items::Values) => (0, shape, items),
        };
        let mut index = 0;
        loop {
            if index == length {
                return match list.next_element::<serde::de::IgnoredAny>()? {
                    None => Ok(()),
                    Some(_) => Err(context.refuse("more elements than the shape says")),
                };
            }
            let item = list.next_element_seed(GridSeed {
                context,
                values,
                items,
                shape,
            });
            if context
                .at(item, || Segment::Index(index as usize))?
                .is_none()
            {
                return Err(context.refuse("fewer elements than the shape says"));
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let ([], Items::Fields(names)) = (self.shape, self.items) else {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Map, &self));
        };
        let found = fields(self.context, map)?;
        if !found.iter().map(|(name, _)| name).eq(names) {
            return self.other_order(found);
        }
        self.values
            .extend(found.into_iter().map(|(_, value)| value));
        Ok(())
    }
}

impl GridSeed<'_> {
    /// Takes fields in the order of the struct.
    fn other_order<E: Error>(self, found: Vec<(String, Value)>) -> Result<(), E> {
        let Items::Fields(names) = self.items else {
            return Ok(());
        };
        let mut found: HashMap<String, Value> = found.into_iter().collect();
        for name in names {
            match found.remove(name) {
                Some(value) => self.values.push(value),
                None => return Err(self.context.refuse("a field of the struct is missing")),
            }
        }
        match found.is_empty() {
            true => Ok(()),
            false => Err(self.context.refuse("a field that the struct does not have")),
        }
    }
}

/// Names and values of an object that is an element of a struct.
pub(super) fn fields<'de, A: MapAccess<'de>>(
    context: &mut Context,
    mut map: A,
) -> Result<Vec<(String, Value)>, A::Error> {
    let mut fields: Vec<(String, Value)> = Vec::new();
    let mut seen = Seen::default();
    while let Some(name) = map.next_key::<String>()? {
        let before = fields.iter().map(|(known, _)| Some(known.as_str()));
        if seen.has(&name, before) {
            return Err(context.refuse("a field comes twice"));
        }
        let value = map.next_value_seed(ValueSeed(context));
        let value = context.at(value, || Segment::key(&name))?;
        fields.push((name, value));
    }
    Ok(fields)
}
