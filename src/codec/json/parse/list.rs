//! Lists of known kinds, after a tag or a key.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::ValueSeed;
use super::context::{Context, Segment};
use super::scalar::Scalar;
use crate::codec::Value;
use crate::codec::value::Array;

/// A kind of list.
pub(super) trait List {
    /// What it is read to.
    type Value;
    /// What it is, for errors.
    const NAME: &'static str;

    fn read<'de, A: SeqAccess<'de>>(
        context: &mut Context,
        list: A,
    ) -> Result<Self::Value, A::Error>;
}

/// Reads a list.
pub(super) struct ListSeed<'c, L>(&'c mut Context, PhantomData<L>);

impl<'c, L: List> ListSeed<'c, L> {
    pub(super) fn new(context: &'c mut Context) -> Self {
        Self(context, PhantomData)
    }
}

impl<'de, L: List> DeserializeSeed<'de> for ListSeed<'_, L> {
    type Value = L::Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<L::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, L: List> Visitor<'de> for ListSeed<'_, L> {
    type Value = L::Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(L::NAME)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<L::Value, A::Error> {
        L::read(self.0, list)
    }
}

/// Values: `[1,"x"]`
pub(super) struct Values;

impl List for Values {
    type Value = Vec<Value>;
    const NAME: &'static str = "a list of values";

    fn read<'de, A: SeqAccess<'de>>(
        context: &mut Context,
        mut list: A,
    ) -> Result<Vec<Value>, A::Error> {
        context.enter(1)?;
        let mut items = Vec::new();
        loop {
            let item = list.next_element_seed(ValueSeed(context));
            match context.at(item, || Segment::Index(items.len()))? {
                Some(item) => items.push(item),
                None => break,
            }
        }
        context.leave(1);
        Ok(items)
    }
}

/// Keys and values: `[[1,"x"],[2,"y"]]`
pub(super) struct Pairs;

impl List for Pairs {
    type Value = Vec<(Value, Value)>;
    const NAME: &'static str = "a list of [key,value]";

    fn read<'de, A: SeqAccess<'de>>(
        context: &mut Context,
        mut list: A,
    ) -> Result<Self::Value, A::Error> {
        context.enter(1)?;
        let mut pairs = Vec::new();
        loop {
            let pair = list.next_element_seed(ListSeed::<Pair>::new(context));
            match context.at(pair, || Segment::Index(pairs.len()))? {
                Some(pair) => pairs.push(pair),
                None => break,
            }
        }
        context.leave(1);
        Ok(pairs)
    }
}

struct Pair;

impl List for Pair {
    type Value = (Value, Value);
    const NAME: &'static str = Pairs::NAME;

    fn read<'de, A: SeqAccess<'de>>(
        context: &mut Context,
        mut list: A,
    ) -> Result<Self::Value, A::Error> {
        let mut next = |index| {
            let item = list.next_element_seed(ValueSeed(context));
            context.at(item, || Segment::Index(index))
        };
        // A third one is not JSON's fault, but serde_json refuses what is left of a list.
        match (next(0)?, next(1)?, next(2)?) {
            (Some(key), Some(value), None) => Ok((key, value)),
            _ => Err(context.refuse("a pair has a key and a value")),
        }
    }
}

/// Fields of a structured array: `[["a",{"$array":…}],["b",{"$array":…}]]`
pub(super) struct Fields;

impl List for Fields {
    type Value = Vec<(String, Value)>;
    const NAME: &'static str = "a list of [name,array]";

    fn read<'de, A: SeqAccess<'de>>(
        context: &mut Context,
        list: A,
    ) -> Result<Self::Value, A::Error> {
        let pairs = Pairs::read(context, list)?;
        let fields = pairs.into_iter().map(|pair| match pair {
            (
                Value::Str(name),
                array @ (Value::Array(_) | Value::Objects(_) | Value::Record(_)),
            ) => Some((name, array)),
            _ => None,
        });
        fields
            .collect::<Option<_>>()
            .ok_or_else(|| context.refuse("$record takes a list of [name,array]"))
    }
}

/// Real and imaginary part: `[1.0,"inf"]`
pub(super) struct Parts;

impl List for Parts {
    type Value = [f64; 2];
    const NAME: &'static str = "[re,im]";

    fn read<'de, A: SeqAccess<'de>>(
        context: &mut Context,
        mut list: A,
    ) -> Result<[f64; 2], A::Error> {
        let mut next = || list.next_element::<Scalar<'de>>();
        let (Some(re), Some(im), None) = (next()?, next()?, next()?) else {
            return Err(context.refuse("a complex number is [re,im]"));
        };
        match (re.float(), im.float()) {
            (Ok(re), Ok(im)) => Ok([re, im]),
            (Err(said), _) | (_, Err(said)) => Err(context.refuse(said)),
        }
    }
}

/// The refusal of more than [`Array::MAX_DIMENSIONS`].
pub(super) const MANY_DIMENSIONS: &str = "an array has more than 64 dimensions";

/// A shape: `[2,3]`
pub(super) struct Shape;

impl List for Shape {
    type Value = Vec<u64>;
    const NAME: &'static str = "a list of lengths";

    fn read<'de, A: SeqAccess<'de>>(
        context: &mut Context,
        mut list: A,
    ) -> Result<Vec<u64>, A::Error> {
        let mut shape = Vec::new();
        while let Some(length) = list.next_element()? {
            if shape.len() == Array::MAX_DIMENSIONS {
                return Err(context.refuse(MANY_DIMENSIONS));
            }
            shape.push(length);
        }
        Ok(shape)
    }
}

/// Names: `["a","b"]`
pub(super) struct Names;

impl List for Names {
    type Value = Vec<String>;
    const NAME: &'static str = "a list of names";

    fn read<'de, A: SeqAccess<'de>>(
        context: &mut Context,
        mut list: A,
    ) -> Result<Vec<String>, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element()? {
            context.charge(size_of::<String>())?;
            names.push(name);
        }
        Ok(names)
    }
}
