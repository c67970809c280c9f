//! Objects whose first key is a tag.

use serde::de::MapAccess;

use super::array::{Nested, NestedSeed};
use super::context::{Context, Segment};
use super::grid::{GridSeed, Items};
use super::list::{Fields, List, ListSeed, Pairs, Parts, Shape, Values};
use super::matlab::{cell, sparse, structs};
use super::scalar::Scalar;
use crate::codec::Value;
use crate::codec::json::{OBJECT, nesting, order, tags};
use crate::codec::value::{Element, Grid, Record, count_elements};

/// The value of an object, from behind its tag on.
pub(super) fn read<'de, A: MapAccess<'de>>(
    context: &mut Context,
    tag: &str,
    mut map: A,
) -> Result<Value, A::Error> {
    let value = match tag {
        "$complex" => {
            let [re, im] = list::<Parts, A>(context, tag, &mut map)?;
            Value::Complex { re, im }
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
pub(super) fn list<'de, L: List, A: MapAccess<'de>>(
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

pub(super) const NO_VALUE: &str = "the key value is missing";
pub(super) const SHAPE_FIRST: &str = "the shape comes before the value here";

/// Elements of a fixed size.
pub(super) fn nested<'de, A: MapAccess<'de>>(
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
pub(super) fn items<'de, A: MapAccess<'de>>(
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

/// The refusal of a key.
pub(super) fn surplus<E: serde::de::Error>(context: &mut Context, key: &str, belongs: &str) -> E {
    if key == "cut" {
        return context.refuse(
            "this value was cut for display; SET @codec_json_limit = NULL gives the whole value, \
             which can be written",
        );
    }
    context.refuse(belongs)
}
