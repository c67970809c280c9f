//! MATLAB's cells, structs and sparse matrices.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::array::Nested;
use super::context::{Context, Segment};
use super::grid::{Items, fields};
use super::list::{List, Names, Shape};
use super::tagged::{NO_VALUE, SHAPE_FIRST, items, list, nested, surplus};
use crate::codec::Value;
use crate::codec::json::tags;
use crate::codec::value::{Element, Grid, Sparse, Struct};

/// `{"$cell":[1,2],"value":[[…,…]]}`
pub(super) fn cell<'de, A: MapAccess<'de>>(
    context: &mut Context,
    mut map: A,
) -> Result<Value, A::Error> {
    let shape = list::<Shape, A>(context, "$cell", &mut map)?;
    let mut elements = None;
    while let Some(key) = map.next_key::<String>()? {
        if key != "value" || elements.is_some() {
            return Err(surplus(
                context,
                &key,
                "after $cell and its shape comes value, once",
            ));
        }
        elements = Some(items(context, Some(&shape), Items::Values, &key, &mut map)?);
    }
    match elements {
        Some(elements) => Ok(Value::Cell(Grid { shape, elements })),
        None => Err(context.refuse(NO_VALUE)),
    }
}

/// `{"$struct":{"x":…}}` or `{"$struct":["x"],"shape":[1,2],"value":[[{"x":…},{"x":…}]]}`
pub(super) fn structs<'de, A: MapAccess<'de>>(
    context: &mut Context,
    mut map: A,
) -> Result<Value, A::Error> {
    let head = map.next_value_seed(StructSeed(context));
    let fields = match context.at(head, || Segment::key("$struct"))? {
        StructHead::Names(names) => names,
        StructHead::One(fields) => {
            let (fields, elements) = fields.into_iter().unzip();
            return match map.next_key::<String>()? {
                Some(key) => Err(surplus(
                    context,
                    &key,
                    "nothing more comes after a 1x1 struct",
                )),
                None => Ok(Value::Struct(Struct {
                    shape: vec![1, 1],
                    fields,
                    elements,
                })),
            };
        }
    };
    let mut shape = None;
    let mut elements = None;
    while let Some(key) = map.next_key::<String>()? {
        match (key.as_str(), &shape) {
            ("shape", None) => shape = Some(list::<Shape, A>(context, &key, &mut map)?),
            ("value", None) => return Err(context.refuse(SHAPE_FIRST)),
            ("value", Some(shape)) if elements.is_none() => {
                let names = Items::Fields(&fields);
                elements = Some(items(context, Some(shape), names, &key, &mut map)?);
            }
            _ => {
                return Err(surplus(
                    context,
                    &key,
                    "after $struct come shape and value, once",
                ));
            }
        }
    }
    match (shape, elements) {
        (Some(shape), Some(elements)) => Ok(Value::Struct(Struct {
            shape,
            fields,
            elements,
        })),
        _ => Err(context.refuse(NO_VALUE)),
    }
}

enum StructHead {
    /// Names of the fields.
    Names(Vec<String>),
    /// Names and values of the only element.
    One(Vec<(String, Value)>),
}

struct StructSeed<'c>(&'c mut Context);

impl<'de> DeserializeSeed<'de> for StructSeed<'_> {
    type Value = StructHead;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<StructHead, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StructSeed<'_> {
    type Value = StructHead;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a 1x1 struct as an object, or a list of the names of fields")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<StructHead, A::Error> {
        Names::read(self.0, list).map(StructHead::Names)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StructHead, A::Error> {
        self.0.enter(1)?;
        let fields = fields(self.0, map)?;
        self.0.leave(1);
        Ok(StructHead::One(fields))
    }
}

/// `{"$sparse":"float64","shape":[2,2],"starts":[0,1,1],"rows":[0],"value":[5.0]}`
pub(super) fn sparse<'de, A: MapAccess<'de>>(
    context: &mut Context,
    mut map: A,
) -> Result<Value, A::Error> {
    let name = map.next_value::<String>()?;
    let Some(element) = Element::parse_name(&name) else {
        return Err(context.refuse(tags::unknown_dtype(&name)));
    };
    let mut shape = None;
    let (mut starts, mut rows, mut values) = (None, None, None);
    while let Some(key) = map.next_key::<String>()? {
        let mut vector = |element| nested(context, element, &key, &mut map);
        match key.as_str() {
            "starts" if starts.is_none() => starts = Some(vector(Element::UInt64)?),
            "rows" if rows.is_none() => rows = Some(vector(Element::UInt64)?),
            "value" if values.is_none() => values = Some(vector(element)?),
            "shape" if shape.is_none() => {
                shape = Some(list::<Shape, A>(context, &key, &mut map)?);
            }
            _ => {
                let belongs = "after $sparse come shape, starts, rows and value, once";
                return Err(surplus(context, &key, belongs));
            }
        }
    }
    let (Some(shape), Some(starts), Some(rows), Some(values)) = (shape, starts, rows, values)
    else {
        return Err(context.refuse("$sparse needs shape, starts, rows and value"));
    };
    sparse_of(&shape, starts, rows, values).map_err(|said| context.refuse(said))
}

fn sparse_of(shape: &[u64], starts: Nested, rows: Nested, values: Nested) -> Result<Value, String> {
    let &[row_count, columns] = shape else {
        return Err("a sparse matrix has two dimensions".into());
    };
    let starts = starts.into_array(None)?;
    let rows = rows.into_array(None)?;
    let values = values.into_array(None)?;
    let &[capacity] = values.shape.as_slice() else {
        return Err("the value of a sparse matrix is a list".into());
    };
    if rows.shape != [capacity] {
        return Err("a sparse matrix has as many rows as values".into());
    }
    if columns
        .checked_add(1)
        .is_none_or(|count| starts.shape != [count])
    {
        return Err("a sparse matrix has one start more than columns".into());
    }
    Ok(Value::Sparse(Box::new(Sparse {
        rows: row_count,
        columns,
        capacity,
        starts: starts.interleaved(),
        row_indices: rows.interleaved(),
        values,
    })))
}
