//! Objects whose first key is a tag.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::array::{Nested, NestedSeed};
use super::context::{Context, Segment};
use super::grid::{GridSeed, Items, fields};
use super::list::{Fields, List, ListSeed, Names, Pairs, Shape, Values};
use super::scalar::Scalar;
use crate::codec::Value;
use crate::codec::json::{OBJECT, nesting, order, tags};
use crate::codec::value::{Element, Grid, Record, Sparse, Struct, count_elements};

/// The value of an object, from behind its tag on.
pub(super) fn read<'de, A: MapAccess<'de>>(
    context: &mut Context,
    tag: &str,
    mut map: A,
) -> Result<Value, A::Error> {
    let value = match tag {
        "$complex" => {
            let parts = map.next_value::<[Scalar<'de>; 2]>()?;
            match parts.map(|part| part.float()) {
                [Ok(re), Ok(im)] => Value::Complex { re, im },
                [Err(said), _] | [_, Err(said)] => return Err(context.refuse(said)),
            }
        }
        "$tuple" => Value::Tuple(list::<Values, A>(context, tag, &mut map)?),
        "$set" => Value::Set(list::<Values, A>(context, tag, &mut map)?),
        "$dict" => Value::Dict(list::<Pairs, A>(context, tag, &mut map)?),
        "$record" => Value::Record(Record {
            fields: list::<Fields, A>(context, tag, &mut map)?,
        }),
        "$array" => return array(context, map, None),
        "$scalar" => return array(context, map, Some(Vec::new())),
        "$cell" => return cell(context, map),
        "$struct" => return structs(context, map),
        "$sparse" => return sparse(context, map),
        _ if Scalar::has_tag(tag) => {
            let scalar: Scalar<'de> = map.next_value()?;
            scalar.value(tag).map_err(|said| context.refuse(said))?
        }
        _ => return Err(context.refuse(tags::unknown(tag))),
    };
    match map.next_key::<String>()? {
        None => Ok(value),
        Some(key) => Err(surplus(context, &key, "nothing more comes after this tag")),
    }
}

/// The list after a key.
fn list<'de, L: List, A: MapAccess<'de>>(
    context: &mut Context,
    key: &str,
    map: &mut A,
) -> Result<L::Value, A::Error> {
    let list = map.next_value_seed(ListSeed::<L>::new(context));
    context.at(list, || Segment::key(key))
}

/// `$array` and `$scalar`, which has the shape of none.
fn array<'de, A: MapAccess<'de>>(
    context: &mut Context,
    mut map: A,
    mut shape: Option<Vec<u64>>,
) -> Result<Value, A::Error> {
    let is_scalar = shape.is_some();
    let name = map.next_value::<String>()?;
    let element = match Element::parse_name(&name) {
        None if name != OBJECT => return Err(context.refuse(tags::unknown_dtype(&name))),
        element => element,
    };
    let mut content = None;
    while let Some(key) = map.next_key::<String>()? {
        match (key.as_str(), element) {
            ("shape", _) if shape.is_none() => {
                shape = Some(list::<Shape, A>(context, &key, &mut map)?);
            }
            ("value", Some(element)) if content.is_none() => {
                content = Some(Content::Nested(nested(context, element, &key, &mut map)?));
            }
            ("value", None) if content.is_none() => {
                let items = items(context, shape.as_deref(), Items::Values, &key, &mut map)?;
                content = Some(Content::Items(items));
            }
            _ if is_scalar => {
                return Err(surplus(context, &key, "after $scalar comes value, once"));
            }
            _ => {
                return Err(surplus(
                    context,
                    &key,
                    "after $array come shape and value, once",
                ));
            }
        }
    }
    match content {
        None => Err(context.refuse(NO_VALUE)),
        Some(Content::Nested(nested)) => nested
            .into_array(shape)
            .map(Value::Array)
            .map_err(|said| context.refuse(said)),
        Some(Content::Items(elements)) => {
            let line = vec![elements.len() as u64];
            match shape {
                // A shape that came after the elements is of no use for more dimensions.
                Some(shape) if count_elements(&shape, 1) != Some(elements.len()) => {
                    Err(context.refuse(SHAPE_FIRST))
                }
                shape => Ok(Value::Objects(Grid {
                    shape: shape.unwrap_or(line),
                    elements,
                })),
            }
        }
    }
}

/// What stands after `value`.
enum Content {
    Nested(Nested),
    Items(Vec<Value>),
}

const NO_VALUE: &str = "the key value is missing";
const SHAPE_FIRST: &str = "the shape comes before the value here";

/// Elements of a fixed size.
fn nested<'de, A: MapAccess<'de>>(
    context: &mut Context,
    element: Element,
    key: &str,
    map: &mut A,
) -> Result<Nested, A::Error> {
    let mut nested = Nested::new(element);
    let read = map.next_value_seed(NestedSeed {
        context,
        nested: &mut nested,
        level: 0,
    });
    context.at(read, || Segment::key(key))?;
    Ok(nested)
}

/// Values in a shape, which is that of a list if not known; the first index running fastest.
fn items<'de, A: MapAccess<'de>>(
    context: &mut Context,
    shape: Option<&[u64]>,
    items: Items<'_>,
    key: &str,
    map: &mut A,
) -> Result<Vec<Value>, A::Error> {
    let Some(shape) = shape else {
        return list::<Values, A>(context, key, map);
    };
    let Some(count) = count_elements(shape, 1) else {
        return Err(context.refuse("a shape with more elements than can be"));
    };
    let block = match items {
        Items::Values => 1,
        Items::Fields(names) => names.len(),
    };
    // Elements without anything in them are left out.
    let shape = if count == 0 || block == 0 {
        &[0]
    } else {
        shape
    };
    let levels = nesting(shape.len());
    context.enter(levels)?;
    let mut values = Vec::new();
    let read = map.next_value_seed(GridSeed {
        context,
        values: &mut values,
        items,
        shape,
    });
    context.at(read, || Segment::key(key))?;
    context.leave(levels);
    Ok(order::first_fastest(values, block, shape))
}

/// `{"$cell":[1,2],"value":[[…,…]]}`
fn cell<'de, A: MapAccess<'de>>(context: &mut Context, mut map: A) -> Result<Value, A::Error> {
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
fn structs<'de, A: MapAccess<'de>>(context: &mut Context, mut map: A) -> Result<Value, A::Error> {
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
fn sparse<'de, A: MapAccess<'de>>(context: &mut Context, mut map: A) -> Result<Value, A::Error> {
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

/// The refusal of a key.
fn surplus<E: serde::de::Error>(context: &mut Context, key: &str, belongs: &str) -> E {
    if key == "cut" {
        return context.refuse(
            "this value was cut for display; SET @codec_json_limit = NULL gives the whole value, \
             which can be written",
        );
    }
    context.refuse(belongs)
}
