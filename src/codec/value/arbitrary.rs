//! Random values for property tests.
//!
//! They are what unpacking gives: arrays with the first index fastest and complex numbers in
//! planes, big integers beyond 64 bits only, decimals as Python writes them. So a round trip
//! must give an equal value.

use num_bigint::{BigInt, Sign};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{
    Array, Data, Date, Element, Grid, Order, Record, Sparse, Struct, Time, Value, count_elements,
};

/// Any value that a blob can hold.
pub fn value() -> BoxedStrategy<Value> {
    prop_oneof![3 => scalar(), 1 => array().prop_map(Value::Array), 1 => sparse()]
        .prop_recursive(4, 40, 5, |inner| {
            let items = || vec(inner.clone(), 0..5);
            prop_oneof![
                items().prop_map(Value::List),
                items().prop_map(Value::Tuple),
                items().prop_map(Value::Set),
                vec((inner.clone(), inner.clone()), 0..4).prop_map(Value::Dict),
                dict(inner.clone()),
                grid(inner.clone()).prop_map(Value::Objects),
                grid(inner.clone()).prop_map(Value::Cell),
                structs(inner.clone()),
                records(inner),
            ]
        })
        .boxed()
}

/// Any value without parts.
pub fn scalar() -> BoxedStrategy<Value> {
    prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-300_i64..300).prop_map(Value::Int),
        big_int().prop_map(Value::BigInt),
        float().prop_map(Value::Float),
        (float(), float()).prop_map(|(re, im)| Value::Complex { re, im }),
        text().prop_map(Value::Str),
        vec(any::<u8>(), 0..20).prop_map(|bytes| Value::Bytes(bytes.into())),
        decimal().prop_map(Value::Decimal),
        date().prop_map(Value::Date),
        time().prop_map(Value::Time),
        (date(), time()).prop_map(|(date, time)| Value::DateTime(date, time)),
        any::<[u8; 16]>().prop_map(Value::Uuid),
    ]
    .boxed()
}

/// Arrays of every element, of up to three dimensions, some of them empty.
pub fn array() -> BoxedStrategy<Array> {
    let elements: Vec<_> = Element::all().collect();
    (select(elements), shape())
        .prop_flat_map(|(element, shape)| array_of(element, shape))
        .boxed()
}

fn array_of(element: Element, shape: Vec<u64>) -> BoxedStrategy<Array> {
    let size = element.size();
    let len = count_elements(&shape, size).unwrap() * size;
    let byte = match element {
        Element::Bool => (0_u8..2).boxed(),
        _ => any::<u8>().boxed(),
    };
    vec(byte, len)
        .prop_map(move |mut data| {
            let data = if element.is_complex() {
                let im = data.split_off(data.len() / 2);
                Data::Planes(data.into(), im.into())
            } else {
                Data::Plain(data.into())
            };
            Array::new(element, shape.clone(), Order::First, data).unwrap()
        })
        .boxed()
}

/// Texts with all that needs care: NUL, quotes, `$`, characters beyond ASCII.
pub fn text() -> BoxedStrategy<String> {
    prop_oneof![
        any::<String>(),
        "[a-z$\"\\\\\u{0}é✓😀]{0,8}",
        select(vec!["nan", "$int", "$dict", "$array", "1", ""]).prop_map(str::to_owned),
    ]
    .boxed()
}

/// Floats of any bits, NaNs with any payload among them.
pub fn float() -> BoxedStrategy<f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        any::<f64>(),
        (-1000_i32..1000).prop_map(|number| f64::from(number) / 8.0),
        select(vec![
            0.0,
            -0.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            1e16,
            1e-7
        ]),
    ]
    .boxed()
}

fn big_int() -> impl Strategy<Value = BigInt> {
    (any::<bool>(), vec(any::<u32>(), 0..8), 1_u32..).prop_map(|(is_negative, mut digits, top)| {
        digits.extend([0, 1, top]);
        let sign = if is_negative { Sign::Minus } else { Sign::Plus };
        BigInt::new(sign, digits)
    })
}

fn decimal() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,6})?",
        "-?[1-9]\\.[0-9]{1,9}E(\\+[1-9][0-9]{2}|-[1-9][0-9]{1,2})",
        select(vec![
            "NaN",
            "sNaN",
            "-NaN",
            "Infinity",
            "-Infinity",
            "1E+10",
            "0E-7",
            "-0"
        ])
        .prop_map(str::to_owned),
    ]
}

fn date() -> impl Strategy<Value = Date> {
    (1_u16..=9999, 1_u8..=12, 1_u8..=31).prop_filter_map("no such day", |(year, month, day)| {
        Date::new(year, month, day)
    })
}

fn time() -> impl Strategy<Value = Time> {
    let microsecond = prop_oneof![Just(0), 0_u32..1_000_000];
    (0_u8..24, 0_u8..60, 0_u8..60, microsecond)
        .prop_filter_map("no such time", |(hour, minute, second, microsecond)| {
            Time::new(hour, minute, second, microsecond)
        })
}

fn shape() -> impl Strategy<Value = Vec<u64>> {
    vec(0_u64..4, 0..4)
}

fn dict(inner: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    proptest::collection::btree_map(text(), inner, 0..4).prop_map(|items| {
        let items = items
            .into_iter()
            .map(|(key, value)| (Value::Str(key), value));
        Value::Dict(items.collect())
    })
}

fn grid(inner: BoxedStrategy<Value>) -> impl Strategy<Value = Grid> {
    vec(0_u64..3, 0..3).prop_flat_map(move |shape| {
        let len = count_elements(&shape, 1).unwrap();
        vec(inner.clone(), len).prop_map(move |elements| Grid {
            shape: shape.clone(),
            elements,
        })
    })
}

fn field_name() -> impl Strategy<Value = String> {
    "[a-zA-Z_$é]{0,5}"
}

fn structs(inner: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    let fields = proptest::collection::btree_set(field_name(), 0..3);
    (vec(0_u64..3, 0..3), fields).prop_flat_map(move |(shape, fields)| {
        let len = count_elements(&shape, 1).unwrap() * fields.len();
        vec(inner.clone(), len).prop_map(move |elements| {
            Value::Struct(Struct {
                shape: shape.clone(),
                fields: fields.iter().cloned().collect(),
                elements,
            })
        })
    })
}

fn records(inner: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    let field = prop_oneof![
        array().prop_map(Value::Array),
        grid(inner).prop_map(Value::Objects),
        proptest::collection::btree_map(field_name(), array().prop_map(Value::Array), 0..3)
            .prop_map(|fields| Value::Record(Record {
                fields: fields.into_iter().collect(),
            })),
    ];
    proptest::collection::btree_map(field_name(), field, 0..3).prop_map(|fields| {
        Value::Record(Record {
            fields: fields.into_iter().collect(),
        })
    })
}

fn sparse() -> BoxedStrategy<Value> {
    let elements = vec![Element::Bool, Element::Float64, Element::Complex128];
    (0_u64..4, 0_u64..4, 0_u64..5, select(elements))
        .prop_flat_map(|(rows, columns, capacity, element)| {
            (
                vec(any::<u8>(), 8 * (columns as usize + 1)),
                vec(any::<u8>(), 8 * capacity as usize),
                array_of(element, vec![capacity]),
            )
                .prop_map(move |(starts, row_indices, values)| {
                    Value::Sparse(Box::new(Sparse {
                        rows,
                        columns,
                        capacity,
                        starts: starts.into(),
                        row_indices: row_indices.into(),
                        values,
                    }))
                })
        })
        .boxed()
}
