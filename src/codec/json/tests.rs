//! Tests of the json notation.

mod arrays;
mod errors;
mod vectors;

use proptest::prelude::*;

use super::*;
use crate::codec::value::{Array, Data, Element, Grid, Order, TimeUnit, arbitrary};
use crate::codec::{CodecError, Value, ValueLimits, blob};

const LIMITS: ValueLimits = ValueLimits {
    bytes: 1 << 30,
    depth: 100,
    json_bytes: 64 << 20,
    files: 10_000,
};

fn text(value: &Value) -> String {
    print(value, None, &LIMITS).unwrap()
}

fn read(text: &str) -> Value {
    parse(text.as_bytes(), &LIMITS).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> String {
    match parse(text.as_bytes(), &LIMITS) {
        Ok(value) => panic!("{text} is {value:?}"),
        Err(error) => error.to_string(),
    }
}

/// Both ways.
fn is_written(value: &Value, expected: &str) {
    assert_eq!(text(value), expected);
    assert_eq!(&read(expected), value);
}

fn array(element: Element, shape: &[u64], data: &[u8]) -> Array {
    let data = Data::Plain(data.to_vec().into());
    Array::new(element, shape.to_vec(), Order::First, data).unwrap()
}

fn ticks(unit: TimeUnit, ticks: &[i64]) -> Value {
    let data: Vec<u8> = ticks.iter().flat_map(|tick| tick.to_le_bytes()).collect();
    let shape = [ticks.len() as u64];
    Value::Array(array(Element::DateTime64(unit), &shape, &data))
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(value in arbitrary::value()) {
        let text = text(&value);
        prop_assert_eq!(&read(&text), &value, "{}", text);
        prop_assert_eq!(&read(&to_ascii(&text)), &value, "{}", text);
    }

    #[test]
    fn both_orders_print_the_same(array in arbitrary::array()) {
        let rows = Value::Array(array.in_order(Order::Last));
        let plain = Value::Array(Array {
            data: Data::Plain(array.interleaved()),
            ..array.clone()
        });
        let text = text(&Value::Array(array));
        prop_assert_eq!(&print(&rows, None, &LIMITS).unwrap(), &text);
        prop_assert_eq!(&print(&plain, None, &LIMITS).unwrap(), &text);
        let packed = blob::pack(&rows, &LIMITS).unwrap();
        prop_assert_eq!(blob::pack(&read(&text), &LIMITS).unwrap(), packed);
    }

    #[test]
    fn any_float32_reads_back(bits in any::<u32>()) {
        let value = Value::Array(array(Element::Float32, &[1], &bits.to_le_bytes()));
        prop_assert_eq!(read(&text(&value)), value);
    }

    #[test]
    fn any_ticks_read_back(unit in prop::sample::select(TimeUnit::ALL.to_vec()), at in any::<i64>(), shift in 0..64) {
        let value = ticks(unit, &[at >> shift]);
        prop_assert_eq!(read(&text(&value)), value);
    }

    #[test]
    fn nothing_makes_it_panic(text in "[\\[\\]{}:,\"$a-c0-9.\\-]{0,40}") {
        let _ = parse(text.as_bytes(), &LIMITS);
    }

    #[test]
    fn a_changed_text_is_refused_or_means_something(
        value in arbitrary::value(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut text = text(&value).into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(other) = parse(&text, &LIMITS) {
            prop_assert_eq!(&read(&print(&other, None, &LIMITS).unwrap()), &other);
        }
    }
}

#[test]
fn what_a_person_types() {
    for (typed, meant) in [
        (" [1 , 2.0,\n\tnull] ", "[1,2.0,null]"),
        (
            r#"{"$array":"float64","value":[1,2,-3]}"#,
            r#"{"$array":"float64","shape":[3],"value":[1.0,2.0,-3.0]}"#,
        ),
        (
            r#"{"$array":"int8","value":[[1,2],[3,4]],"shape":[2,2]}"#,
            r#"{"$array":"int8","shape":[2,2],"value":[[1,2],[3,4]]}"#,
        ),
        (
            r#"{"$array":"int64","value":["9223372036854775807",9223372036854775806]}"#,
            r#"{"$array":"int64","shape":[2],"value":["9223372036854775807","9223372036854775806"]}"#,
        ),
        (
            r#"{"$array":"float64","value":[]}"#,
            r#"{"$array":"float64","shape":[0],"value":[]}"#,
        ),
        (
            r#"{"$array":"bool","value":[[],[]]}"#,
            r#"{"$array":"bool","shape":[2,0],"value":[]}"#,
        ),
        (
            r#"{"$array":"complex64","value":[[[1,2]],[[3,"NaN"]]]}"#,
            r#"{"$array":"complex64","shape":[2,1],"value":[[[1.0,2.0]],[[3.0,"nan"]]]}"#,
        ),
        (
            r#"{"$array":"complex64","value":[]}"#,
            r#"{"$array":"complex64","shape":[0],"value":[]}"#,
        ),
        (
            r#"{"$array":"char","value":["ab","cd"]}"#,
            r#"{"$array":"char","shape":[2,2],"value":["ab","cd"]}"#,
        ),
        (
            r#"{"$array":"char","shape":[2],"value":["a","b"]}"#,
            r#"{"$array":"char","shape":[2],"value":"ab"}"#,
        ),
        (
            r#"{"$array":"bool","value":[0,1,true]}"#,
            r#"{"$array":"bool","shape":[3],"value":[false,true,true]}"#,
        ),
        (
            r#"{"$array":"object","value":[[1],"a"]}"#,
            r#"{"$array":"object","shape":[2],"value":[[1],"a"]}"#,
        ),
        (
            r#"{"$array":"object","value":[1],"shape":[1]}"#,
            r#"{"$array":"object","shape":[1],"value":[1]}"#,
        ),
        (
            r#"{"$array":"datetime64[s]","value":["2020-03-04","2020-03-04 05:06"]}"#,
            r#"{"$array":"datetime64[s]","shape":[2],"value":["2020-03-04T00:00:00","2020-03-04T05:06:00"]}"#,
        ),
        (
            r#"{"$struct":["a","b"],"shape":[1,2],"value":[[{"b":2,"a":1},[3,4]]]}"#,
            r#"{"$struct":["a","b"],"shape":[1,2],"value":[[{"a":1,"b":2},{"a":3,"b":4}]]}"#,
        ),
        (r#"{"$float":1}"#, "1.0"),
        (r#"{"$float":"-Infinity"}"#, r#"{"$float":"-inf"}"#),
        (r#"{"$int":"7"}"#, "7"),
        ("18446744073709551615", r#"{"$int":"18446744073709551615"}"#),
        ("9007199254740993", r#"{"$int":"9007199254740993"}"#),
        ("1e20", "1e20"),
        ("100000000000000000000.0", "1e20"),
        (r#"{"$time":"03:04"}"#, r#"{"$time":"03:04:00"}"#),
        (r#"{"$decimal":"1e5"}"#, r#"{"$decimal":"1E+5"}"#),
        (
            r#"{"$uuid":"12345678123456781234567812345678"}"#,
            r#"{"$uuid":"12345678-1234-5678-1234-567812345678"}"#,
        ),
        (r#"{"$dict":[["a",1]]}"#, r#"{"a":1}"#),
        (r#""\ud83d\ude00\u0000""#, "\"😀\\u0000\""),
    ] {
        assert_eq!(text(&read(typed)), meant, "{typed}");
    }
}

#[test]
fn scalars_that_are_no_json() {
    is_written(&Value::Float(-0.0), "-0.0");
    is_written(&Value::Float(1e16), "1e16");
    is_written(&Value::Float(5e-324), "5e-324");
    is_written(
        &Value::Float(f64::from_bits(1 << 63 | 0x7ff << 52 | 1)),
        r#"{"$float":"0xfff0000000000001"}"#,
    );
    is_written(
        &Value::Complex {
            re: -0.0,
            im: f64::INFINITY,
        },
        r#"{"$complex":[-0.0,"inf"]}"#,
    );
    is_written(&Value::Int(i64::MIN), r#"{"$int":"-9223372036854775808"}"#);
    is_written(&Value::Int((1 << 53) - 1), "9007199254740991");
    is_written(&Value::Int(-1 << 53), r#"{"$int":"-9007199254740992"}"#);
    is_written(
        &Value::Str("\u{1}\"\\\n\u{7f}é\u{2028}".into()),
        "\"\\u0001\\\"\\\\\\n\u{7f}é\u{2028}\"",
    );
}

#[test]
fn dicts_that_are_no_json() {
    let dict =
        |keys: &[Value]| Value::Dict(keys.iter().map(|key| (key.clone(), Value::None)).collect());
    is_written(&dict(&["a".into(), "b".into()]), r#"{"a":null,"b":null}"#);
    is_written(
        &dict(&["a".into(), "a".into()]),
        r#"{"$dict":[["a",null],["a",null]]}"#,
    );
    is_written(
        &dict(&["a".into(), "$int".into()]),
        r#"{"$dict":[["a",null],["$int",null]]}"#,
    );
    is_written(
        &dict(&["1".into(), Value::Int(1)]),
        r#"{"$dict":[["1",null],[1,null]]}"#,
    );
    let many: Vec<Value> = (0..20)
        .map(|key| format!("k{key}").as_str().into())
        .collect();
    let value = dict(&many);
    assert!(text(&value).starts_with(r#"{"k0":"#));
    assert_eq!(read(&text(&value)), value);
    let twice = dict(&[many.as_slice(), &many[19..]].concat());
    assert!(text(&twice).starts_with(r#"{"$dict":"#));
    assert_eq!(read(&text(&twice)), twice);
}

#[test]
fn ascii_for_other_character_sets() {
    assert!(matches!(to_ascii("[1]"), Cow::Borrowed("[1]")));
    assert_eq!(to_ascii("\"aé✓😀\""), r#""a\u00e9\u2713\ud83d\ude00""#);
}

#[test]
fn what_is_not_decoded_has_no_text() {
    let packed = blob::pack(&Value::None, &LIMITS).unwrap();
    let error = print(&Value::List(vec![Value::Packed(packed)]), None, &LIMITS);
    assert!(matches!(error, Err(CodecError::Type(_))));
    let grid = Value::Cell(Grid {
        shape: vec![2],
        elements: vec![Value::None],
    });
    assert!(matches!(
        print(&grid, None, &LIMITS),
        Err(CodecError::Corrupt(_))
    ));
}
