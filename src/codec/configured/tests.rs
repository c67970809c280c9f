//! Whole definitions: what they refuse, and that values come back.

use super::steps::{Base64, Cast, Deflate, Differences, Direction, Json, Reshape, Wrapper, Zstd};
use super::*;
use crate::codec::testing::{Place, dict};
use crate::codec::value::{Element, Numbers};

fn zlib() -> Box<dyn Step> {
    Box::new(Deflate {
        wrapper: Wrapper::Zlib,
        level: 6,
    })
}

fn definition(steps: Vec<Box<dyn Step>>, dtype: &str) -> Definition {
    Definition {
        name: "x".to_owned(),
        steps,
        dtype: Some(dtype.to_owned()),
        ..Definition::default()
    }
}

fn codec(steps: Vec<Box<dyn Step>>, dtype: &str) -> Configured {
    Configured::new(definition(steps, dtype)).unwrap()
}

fn there_and_back(codec: &Configured, value: Value) -> Result<Value, CodecError> {
    let place = Place::new();
    codec.validate(&value)?;
    let stored = codec.encode(value, &place.writing())?;
    codec.decode(stored, &place.reading())
}

fn spike_train(lossy: bool) -> Configured {
    let rule = |rule: Rule, message: &str| Rule {
        message: Some(message.to_owned()),
        ..rule
    };
    let types = vec!["ndarray".to_owned()];
    Configured::new(Definition {
        rules: vec![
            rule(
                Rule {
                    types,
                    ..Rule::default()
                },
                "Expected numpy array of spike times",
            ),
            rule(
                Rule {
                    dimensions: Some(1),
                    ..Rule::default()
                },
                "Spike train must be 1-dimensional",
            ),
            rule(
                Rule {
                    sorted: true,
                    ..Rule::default()
                },
                "Spike times must be sorted",
            ),
        ],
        lossy,
        ..definition(
            vec![Box::new(Differences {
                stored: Direction::Differences,
                to: Some(Element::Float32),
                from: Some(Element::Float64),
            })],
            "<blob>",
        )
    })
    .unwrap()
}

fn floats(numbers: &[f64]) -> Value {
    Value::Array(Numbers::Float64(numbers.to_vec()).into_array())
}

#[test]
fn text_becomes_bytes_where_bytes_are_needed() {
    for (steps, dtype, summary) in [
        (
            vec![Box::new(Json) as _, zlib()],
            "<blob>",
            "json → text → zlib → <blob>",
        ),
        (vec![Box::new(Json) as _], "bytes", "json → text → bytes"),
        (vec![Box::new(Json) as _], "<hash>", "json → text → <hash>"),
        (
            vec![Box::new(Json) as _],
            "varchar(30)",
            "json → varchar(30)",
        ),
        (vec![], "json", "json"),
    ] {
        let codec = codec(steps, dtype);
        assert_eq!(codec.summary(), summary);
        let value = dict(&[("a", Value::List(vec![Value::Int(1), "é".into()]))]);
        assert_eq!(there_and_back(&codec, value.clone()).unwrap(), value);
    }
}

#[test]
fn a_definition_holds_together() {
    let error = |steps, dtype: &str| {
        let made = Configured::new(definition(steps, dtype));
        made.unwrap_err().to_string()
    };
    let cast = || {
        Box::new(Cast {
            to: Element::Int8,
            from: Element::Int8,
        })
    };
    assert_eq!(
        error(vec![zlib(), Box::new(Base64), cast()], "<blob>"),
        "cast takes an array, and base64 gives text"
    );
    assert_eq!(
        error(vec![zlib()], "varchar(30)"),
        "\"varchar(30)\" holds text, and zlib gives bytes"
    );
    assert_eq!(
        error(vec![zlib()], "<npy>"),
        "\"<npy>\" holds an array, and zlib gives bytes"
    );
    for odd in [
        "blob",
        "< blob >",
        "<>",
        "<@main>",
        "text",
        "int",
        "float32",
        "decimal(5,2)",
    ] {
        let told = error(vec![], odd);
        assert!(told.contains("is neither a codec"), "{told}");
    }
    let none = Configured::new(Definition::default()).unwrap_err();
    assert_eq!(none, DefinitionError::NoDtype);
    let mixed = Configured::new(Definition {
        store_dtype: Some("<hash>".to_owned()),
        ..definition(vec![Box::new(Json)], "varchar(30)")
    });
    assert_eq!(mixed.unwrap_err(), DefinitionError::Mixed);
}

#[test]
fn the_dtype_may_depend_on_the_store() {
    let dtype = |dtype: Option<&str>, store_dtype: Option<&str>, is_store| {
        let codec = Configured::new(Definition {
            dtype: dtype.map(str::to_owned),
            store_dtype: store_dtype.map(str::to_owned),
            ..definition(vec![], "")
        });
        let dtype = codec.unwrap().dtype(is_store);
        dtype
            .map(Cow::into_owned)
            .map_err(|error| error.to_string())
    };
    assert_eq!(dtype(Some("<blob>"), None, true).unwrap(), "<blob>");
    assert_eq!(
        dtype(Some("bytes"), Some("<hash>"), true).unwrap(),
        "<hash>"
    );
    assert_eq!(
        dtype(Some("bytes"), Some("<hash>"), false).unwrap(),
        "bytes"
    );
    let told = dtype(Some("json"), None, true).unwrap_err();
    assert_eq!(told, "<x> does not take @ (in the table only)");
    let told = dtype(None, Some("<hash>"), false).unwrap_err();
    assert_eq!(told, "<x> requires @ (store only)");
}

#[test]
fn spike_trains_have_the_errors_of_the_specification() {
    let codec = spike_train(true);
    let rows = Reshape::new(&[1, -1], &[-1]).unwrap();
    let place = Place::new();
    let terms = Terms {
        codec: "x",
        limits: &place.limits,
        lossy: false,
    };
    let matrix = rows.encode(floats(&[1.0, 2.0]), &terms).unwrap();
    for (value, text) in [
        (Value::List(vec![]), "Expected numpy array of spike times"),
        (matrix, "Spike train must be 1-dimensional"),
        (floats(&[1.0, 0.5]), "Spike times must be sorted"),
        (floats(&[1.0, f64::NAN]), "Spike times must be sorted"),
    ] {
        let error = codec.validate(&value).unwrap_err();
        let is_type = matches!(error, CodecError::Type(_));
        assert_eq!(is_type, text.starts_with("Expected"));
        assert_eq!(error.to_string(), format!("<x>: {text}"));
    }
    for good in [floats(&[]), floats(&[f64::NAN]), floats(&[1.0, 1.0])] {
        codec.validate(&good).unwrap();
    }
}

#[test]
fn a_value_that_would_come_back_as_another_is_refused_unless_lossy() {
    let (strict, lossy) = (spike_train(false), spike_train(true));
    let exact = floats(&[0.5, 0.75, 2.0]);
    assert_eq!(there_and_back(&strict, exact.clone()).unwrap(), exact);
    let rounded = floats(&[0.1, 0.25]);
    let integers = Value::Array(Numbers::Int(vec![1, 2]).into_array());
    for value in [rounded, integers] {
        let error = there_and_back(&strict, value.clone()).unwrap_err();
        assert!(error.to_string().contains("lossy = true"), "{error}");
        assert_ne!(there_and_back(&lossy, value.clone()).unwrap(), value);
    }
    // JSON in a column, too: it has no tuples, and a database keeps 64 bits.
    let json = codec(vec![], "json");
    let huge = num_bigint::BigInt::from(u64::MAX);
    assert!(there_and_back(&json, Value::BigInt(huge.clone())).is_ok());
    for value in [
        Value::Tuple(vec![]),
        Value::List(vec![Value::Tuple(vec![])]),
        Value::BigInt(huge + 1),
    ] {
        assert!(there_and_back(&json, value).is_err());
    }
}

#[test]
fn samples_go_through() {
    let limits = ValueLimits::default();
    let tried = |codec: &Configured| codec.try_sample(&limits);
    assert_eq!(
        tried(&codec(vec![Box::new(Json), zlib()], "<blob>")).unwrap(),
        Tried::Same
    );
    assert_eq!(
        tried(&codec(vec![Box::new(Zstd { level: 3 })], "bytes")).unwrap(),
        Tried::Same
    );
    assert_eq!(tried(&spike_train(false)).unwrap(), Tried::Same);
    let cast = Cast {
        to: Element::Int8,
        from: Element::UInt16,
    };
    assert_eq!(
        tried(&codec(vec![Box::new(cast)], "<npy>")).unwrap(),
        Tried::Same
    );
    let never = Reshape::new(&[5, -1], &[-1]).unwrap();
    assert!(tried(&codec(vec![Box::new(never)], "<blob>")).is_err());
    let schema = |text| Definition {
        schema: Some(Schema::parse(text).unwrap()),
        ..definition(vec![], "json")
    };
    let of = |text| tried(&Configured::new(schema(text)).unwrap()).unwrap();
    assert_eq!(of(r#"{"required": ["a"]}"#), Tried::Same);
    assert_eq!(of(r#"{"const": 99}"#), Tried::None);
    assert_eq!(of(r#"{"const": 99, "examples": [99]}"#), Tried::Same);
}
