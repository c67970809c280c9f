//! Golden texts of Python's `json`, and the way back.

use proptest::prelude::*;

use super::*;
use crate::codec::ValueLimits;

fn object(items: &[(&str, Value)]) -> Value {
    Value::Dict(
        items
            .iter()
            .map(|(key, value)| ((*key).into(), value.clone()))
            .collect(),
    )
}

#[test]
fn the_text_is_that_of_python() {
    // json.dumps({"path": "a/é😀\x7f\"", "n": None, "t": True, "i": -2**70, "f": [1.0, 1e16]})
    let value = object(&[
        ("path", "a/é😀\u{7f}\"".into()),
        ("n", Value::None),
        ("t", Value::Bool(true)),
        (
            "i",
            Value::BigInt("-1180591620717411303424".parse().unwrap()),
        ),
        (
            "f",
            Value::Tuple(vec![Value::Float(1.0), Value::Float(1e16)]),
        ),
    ]);
    assert_eq!(
        dumps(&value).unwrap(),
        concat!(
            r#"{"path": "a/\u00e9\ud83d\ude00\u007f\"", "n": null, "t": true, "#,
            r#""i": -1180591620717411303424, "f": [1.0, 1e+16]}"#
        )
    );
}

#[test]
fn the_layout_is_that_of_python() {
    // json.dumps({"files": [{"path": "a", "size": 1}], "x": [], "y": {}, "z": [1, nan, -inf]},
    //            indent=2)
    let value = object(&[
        (
            "files",
            Value::List(vec![object(&[
                ("path", "a".into()),
                ("size", Value::Int(1)),
            ])]),
        ),
        ("x", Value::List(vec![])),
        ("y", object(&[])),
        (
            "z",
            Value::List(vec![
                Value::Int(1),
                Value::Float(f64::NAN),
                Value::Float(f64::NEG_INFINITY),
            ]),
        ),
    ]);
    let text = r#"{
  "files": [
    {
      "path": "a",
      "size": 1
    }
  ],
  "x": [],
  "y": {},
  "z": [
    1,
    NaN,
    -Infinity
  ]
}"#;
    assert_eq!(dumps_indented(&value).unwrap(), text);
}

#[test]
fn floats_are_written_as_by_python() {
    // repr(x)
    for (number, text) in [
        (0.1, "0.1"),
        (1e16, "1e+16"),
        (1e15, "1000000000000000.0"),
        (123456789012345680.0, "1.2345678901234568e+17"),
        (1e-5, "1e-05"),
        (0.0001, "0.0001"),
        (1.5e-7, "1.5e-07"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (-0.0, "-0.0"),
        (100.0, "100.0"),
        (0.0, "0.0"),
        (1e100, "1e+100"),
    ] {
        assert_eq!(float_repr(number), text);
    }
}

#[test]
fn what_json_has_not_is_refused() {
    let error = dumps(&Value::Bytes("secret".into())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Object of type bytes is not JSON serializable"
    );
    assert!(dumps(&Value::Dict(vec![(Value::Int(1), Value::None)])).is_err());
}

#[test]
fn the_last_of_two_keys_counts() {
    // json.loads('{"a": 1, "b": 2, "a": 3}')
    assert_eq!(
        loads(br#"{"a": 1, "b": 2, "a": 3}"#).unwrap(),
        object(&[("a", Value::Int(3)), ("b", Value::Int(2))])
    );
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "nul",
        "{",
        "{}x",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "[1,]",
        "[,]",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\\ud800\"",
        "\"\n\"",
        "'a'",
        "{\"a\":1,}",
        "tru e",
        "\"\\u+123\"",
        "\"\\u00é\"",
    ] {
        assert!(loads(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(loads(b"\"\xff\"").is_err());
    let deep = "[".repeat(100_000);
    assert!(loads(deep.as_bytes()).is_err());
    assert!(loads("9".repeat(100_000).as_bytes()).is_err());
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (any::<i64>(), 64..200_u32)
            .prop_map(|(n, shift)| { Value::BigInt((num_bigint::BigInt::from(n | 1)) << shift) }),
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |f| !f.is_nan())
            .prop_map(Value::Float),
        any::<String>().prop_map(Value::Str),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|items| {
                Value::Dict(items.into_iter().map(|(k, v)| (Value::Str(k), v)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in json_value()) {
        let text = dumps(&value).unwrap();
        prop_assert!(text.is_ascii());
        prop_assert_eq!(&loads(text.as_bytes()).unwrap(), &value);
        let indented = dumps_indented(&value).unwrap();
        prop_assert_eq!(&loads(indented.as_bytes()).unwrap(), &value);
    }

    #[test]
    fn any_bytes_are_survived(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = loads(&text);
    }
}

#[test]
fn what_is_too_deep_is_neither_written_nor_read() {
    let nested = |depth| (0..depth).fold(Value::Int(1), |inner, _| Value::List(vec![inner]));
    let text = dumps(&nested(MAX_DEPTH)).unwrap();
    assert_eq!(loads(text.as_bytes()).unwrap(), nested(MAX_DEPTH));
    let error = dumps(&nested(MAX_DEPTH + 1)).unwrap_err();
    assert!(matches!(error, CodecError::Limit(_)), "{error}");
    assert!(loads(format!("[{text}]").as_bytes()).is_err());
}

#[test]
fn what_takes_too_much_memory_is_a_limit() {
    let limits = ValueLimits {
        bytes: 1000,
        ..ValueLimits::default()
    };
    assert!(loads_within(b"[1,2,3]", &limits).is_ok());
    let keys: Vec<_> = (0..9).map(|n| format!("\"{n}\": 0")).collect();
    for text in [
        format!("[{}0]", "0,".repeat(30)),
        format!("\"{}\"", "x".repeat(1000)),
        format!("{{{}}}", keys.join(",")),
    ] {
        let error = loads_within(text.as_bytes(), &limits).unwrap_err();
        assert!(matches!(error, CodecError::Limit(_)), "{text}: {error}");
    }
}
