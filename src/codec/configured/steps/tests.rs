//! Steps there and back, what they refuse, and stored bytes that nobody has made.

use proptest::prelude::*;

use super::*;
use crate::codec::value::{Data, Element, Numbers, Order};
use crate::codec::{Value, ValueLimits};

const LIMITS: ValueLimits = ValueLimits {
    bytes: 1 << 20,
    depth: 20,
    json_bytes: 1 << 20,
    files: 1,
};

fn terms(limits: &ValueLimits) -> Terms<'_> {
    Terms {
        codec: "x",
        limits,
        lossy: false,
    }
}

fn encode(step: &dyn Step, value: Value) -> Result<Value, String> {
    step.encode(value, &terms(&LIMITS))
        .map_err(|e| e.to_string())
}

fn decode(step: &dyn Step, stored: Value) -> Result<Value, CodecError> {
    step.decode(stored, &terms(&LIMITS))
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(Bytes::copy_from_slice(bytes))
}

fn floats(numbers: &[f64]) -> Value {
    Value::Array(Numbers::Float64(numbers.to_vec()).into_array())
}

fn ints(numbers: &[i64]) -> Value {
    Value::Array(Numbers::Int(numbers.to_vec()).into_array())
}

fn all() -> Vec<Box<dyn Step>> {
    let deflate = |wrapper, level| Box::new(Deflate { wrapper, level });
    let differences = |stored, to| {
        Box::new(Differences {
            stored,
            to,
            from: None,
        })
    };
    vec![
        Box::new(Json),
        deflate(Wrapper::Zlib, 6),
        deflate(Wrapper::Gzip, 9),
        Box::new(Zstd { level: 3 }),
        Box::new(Base64),
        Box::new(Text {
            charset: Charset::Utf16Le,
        }),
        Box::new(Text {
            charset: Charset::Latin1,
        }),
        Box::new(Cast {
            to: Element::Int16,
            from: Element::Float64,
        }),
        differences(Direction::Differences, Some(Element::Float32)),
        differences(Direction::Sums, None),
        Box::new(Reshape::new(&[-1, 3], &[-1]).unwrap()),
    ]
}

#[test]
fn bytes_are_those_of_python() {
    // zlib.compress(b'{"a": 1}'), gzip.compress(b'{"a": 1}', mtime=0), base64.b64encode(b'a\xff')
    let text = bytes(b"{\"a\": 1}");
    let zlib = Deflate {
        wrapper: Wrapper::Zlib,
        level: 6,
    };
    let hex = |value: Value| match value {
        Value::Bytes(bytes) => data_encoding::HEXLOWER.encode(&bytes),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        hex(encode(&zlib, text.clone()).unwrap()),
        "789cab564a54b25230ac050009e50229"
    );
    let gzip = Deflate {
        wrapper: Wrapper::Gzip,
        level: 9,
    };
    assert_eq!(
        hex(encode(&gzip, text).unwrap()),
        "1f8b0800000000000203ab564a54b25230ac0500978ea1fb08000000"
    );
    assert_eq!(encode(&Base64, bytes(b"a\xff")).unwrap(), "Yf8=".into());
    let text = |charset| hex(encode(&Text { charset }, "aé".into()).unwrap());
    assert_eq!(text(Charset::Utf8), "61c3a9");
    assert_eq!(text(Charset::Latin1), "61e9");
    assert_eq!(text(Charset::Utf16Be), "006100e9");
}

#[test]
fn array_steps_are_numpys() {
    let spikes = Differences {
        stored: Direction::Differences,
        to: Some(Element::Float32),
        from: Some(Element::Float64),
    };
    // np.diff([0.1, 0.25, 0.7], prepend=0).astype(np.float32), and np.cumsum(…).astype(np.float64)
    let stored = encode(&spikes, floats(&[0.1, 0.25, 0.7])).unwrap();
    let expected = Numbers::Float32(vec![0.1, 0.15, 0.45]).into_array();
    assert_eq!(stored, Value::Array(expected));
    let sums = [0.1_f32, 0.1_f32 + 0.15_f32, 0.1_f32 + 0.15_f32 + 0.45_f32];
    let again = floats(&sums.map(f64::from));
    assert_eq!(decode(&spikes, stored).unwrap(), again);

    let reshape = Reshape::new(&[2, -1], &[6]).unwrap();
    let rows = encode(&reshape, ints(&[1, 2, 3, 4, 5, 6])).unwrap();
    let Value::Array(array) = &rows else {
        panic!("{rows:?}")
    };
    // The first index runs fastest: 1 4 / 2 5 / 3 6 are the columns.
    assert_eq!((&array.shape[..], array.order), (&[2, 3][..], Order::First));
    let columns = Numbers::Int(vec![1, 4, 2, 5, 3, 6]);
    assert_eq!(array.numbers(), Some(columns));
    assert_eq!(decode(&reshape, rows).unwrap(), ints(&[1, 2, 3, 4, 5, 6]));

    // A float32, and integers of 32 bits or less, become what NumPy makes of them and an int64.
    let plain = Differences {
        stored: Direction::Differences,
        to: None,
        from: None,
    };
    let small = Array::vector(Element::UInt8, vec![9, 3].into()).unwrap();
    assert_eq!(encode(&plain, Value::Array(small)).unwrap(), ints(&[9, -6]));
    let single = Value::Array(Numbers::Float32(vec![0.5, 0.25]).into_array());
    assert_eq!(encode(&plain, single).unwrap(), floats(&[0.5, -0.25]));
}

#[test]
fn complex_numbers_are_cast_in_their_parts() {
    let cast = Cast {
        to: Element::Complex64,
        from: Element::Complex128,
    };
    let data = [1.5_f64, -2.0]
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect();
    let array = Array::new(
        Element::Complex128,
        vec![1],
        Order::First,
        Data::Plain(data),
    );
    let value = Value::Array(array.unwrap());
    let stored = encode(&cast, value.clone()).unwrap();
    let Value::Array(array) = &stored else {
        panic!("{stored:?}")
    };
    assert_eq!((array.element, array.len()), (Element::Complex64, 1));
    assert_eq!(decode(&cast, stored).unwrap(), value);
    assert!(encode(&cast, "text".into()).is_err());
    let real = Cast {
        to: Element::Float64,
        from: Element::Complex128,
    };
    assert!(encode(&real, value).is_err());
}

#[test]
fn what_a_step_does_not_take_is_told_without_the_value() {
    let latin = Text {
        charset: Charset::Latin1,
    };
    let cast = Cast {
        to: Element::Int8,
        from: Element::Float64,
    };
    let sums = Differences {
        stored: Direction::Sums,
        to: None,
        from: None,
    };
    for (step, value, told) in [
        (
            &latin as &dyn Step,
            "4242Ā".into(),
            "<x>: the text has characters",
        ),
        (&latin, Value::Int(4242), "<x> takes text, got int"),
        (
            &cast,
            floats(&[4242.0]),
            "<x>: an element of the array (float64) is beyond int8",
        ),
        (
            &Json,
            Value::Tuple(vec![Value::Int(4242)]),
            "<x>: JSON would give a tuple back",
        ),
        (
            &Json,
            bytes(b"4242"),
            "Object of type bytes is not JSON serializable",
        ),
        (&Base64, "4242".into(), "<x> takes bytes, got str"),
        (
            &sums,
            ints(&[i64::MAX, 4242]),
            "<x>: cumsum is of numbers within 64 bits",
        ),
    ] {
        let error = encode(step, value).unwrap_err();
        assert!(
            error.starts_with(told) && !error.contains("4242"),
            "{error}"
        );
    }
}

#[test]
fn a_bomb_is_a_limit() {
    let zeros = vec![0; 1 << 20];
    for step in [
        &Deflate {
            wrapper: Wrapper::Zlib,
            level: 9,
        } as &dyn Step,
        &Deflate {
            wrapper: Wrapper::Gzip,
            level: 9,
        },
        &Zstd { level: 19 },
    ] {
        let stored = encode(step, bytes(&zeros)).unwrap();
        assert_eq!(decode(step, stored.clone()).unwrap(), bytes(&zeros));
        let few = ValueLimits {
            bytes: (1 << 20) - 1,
            ..LIMITS
        };
        let error = step.decode(stored, &terms(&few)).unwrap_err();
        assert!(matches!(error, CodecError::Limit(_)), "{error}");
    }
    let nested = format!("{}{}", "[".repeat(50), "]".repeat(50));
    assert!(decode(&Json, nested.as_str().into()).is_err());
    let many = format!("[{}0]", "0,".repeat(100_000));
    let error = decode(&Json, many.as_str().into()).unwrap_err();
    assert!(matches!(error, CodecError::Limit(_)), "{error}");
}

/// Tried within a share of the memory first, such a value is tried again with more.
#[test]
fn a_frame_that_looks_back_too_far_is_a_limit() {
    let value: Vec<u8> = (0_u32..500_000).flat_map(u32::to_le_bytes).collect();
    let room = |bytes| ValueLimits { bytes, ..LIMITS };
    let step = Zstd { level: 19 };
    let stored = step.encode(bytes(&value), &terms(&room(4 << 20))).unwrap();
    let error = step
        .decode(stored.clone(), &terms(&room(1 << 16)))
        .unwrap_err();
    assert!(matches!(error, CodecError::Limit(_)), "{error}");
    let again = step.decode(stored, &terms(&room(4 << 20))).unwrap();
    assert_eq!(again, bytes(&value));
}

#[test]
fn damaged_bytes_are_told() {
    for step in [
        &Deflate {
            wrapper: Wrapper::Zlib,
            level: 6,
        } as &dyn Step,
        &Deflate {
            wrapper: Wrapper::Gzip,
            level: 6,
        },
        &Zstd { level: 3 },
    ] {
        let Ok(Value::Bytes(stored)) = encode(step, bytes(b"hello hello hello")) else {
            panic!("it compresses");
        };
        for broken in [&stored[..stored.len() - 1], b"", b"hello", &stored[1..]] {
            let error = decode(step, bytes(broken)).unwrap_err();
            assert!(matches!(error, CodecError::Corrupt(_)), "{error}");
        }
    }
}

proptest! {
    #[test]
    fn hostile_values_neither_panic_nor_come_back_large(
        data in prop::collection::vec(any::<u8>(), 0..300),
        rows in 0_u64..4,
    ) {
        let len = data.len() as u64;
        let array = |element: Element, shape| {
            let data = Data::Plain(Bytes::copy_from_slice(&data));
            Array::new(element, shape, Order::First, data).ok().map(Value::Array)
        };
        let text = String::from_utf8_lossy(&data).into_owned();
        let mut stored = vec![bytes(&data), Value::Str(text), Value::None];
        for element in Element::all() {
            let count = len / element.size() as u64;
            stored.extend(array(element, vec![count]));
            stored.extend(array(element, vec![rows, count / rows.max(1)]));
        }
        for step in all() {
            for value in &stored {
                if let Ok(Value::Bytes(made)) = decode(&*step, value.clone()) {
                    prop_assert!(made.len() as u64 <= LIMITS.bytes);
                }
                let _ = encode(&*step, value.clone());
            }
        }
    }

    #[test]
    fn what_is_encoded_comes_back(data in prop::collection::vec(any::<u8>(), 0..2000), text: String) {
        for step in all() {
            let value = match step.takes() {
                Kind::Bytes => bytes(&data),
                Kind::Text | Kind::Value => Value::Str(text.clone()),
                Kind::Array => continue,
            };
            if let Ok(stored) = encode(&*step, value.clone()) {
                prop_assert_eq!(decode(&*step, stored).unwrap(), value);
            }
        }
    }
}
