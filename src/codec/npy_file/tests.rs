//! Against what NumPy and DataJoint make of the same arrays (`tests/vectors/npy_vectors.py`).

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use proptest::prelude::*;

use super::super::value::{Data, Grid, Order, Packed, Record, Value, arbitrary};
use super::super::{ValueLimits, blob};
use super::*;

const MAX: u64 = 1 << 30;

struct Vector {
    python: String,
    file: Bytes,
    dtype: String,
    shape: Vec<u64>,
    packed: Option<Bytes>,
    again: Option<Bytes>,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../tests/vectors/npy_vectors.json");
    let vectors: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let bytes = |value: &serde_json::Value| {
        text(value).map(|hex| Bytes::from(HEXLOWER.decode(hex.as_bytes()).unwrap()))
    };
    let vectors: Vec<Vector> = vectors
        .iter()
        .map(|vector| Vector {
            python: text(&vector["python"]).unwrap(),
            file: bytes(&vector["file"]).unwrap(),
            dtype: text(&vector["dtype"]).unwrap(),
            shape: serde_json::from_value(vector["shape"].clone()).unwrap(),
            packed: bytes(&vector["packed"]),
            again: bytes(&vector["again"]),
        })
        .collect();
    assert!(vectors.len() > 30);
    vectors
}

fn unpack(packed: Bytes) -> Value {
    let packed = Packed::new(packed).unwrap();
    blob::unpack(&packed, &ValueLimits::default()).unwrap()
}

#[test]
fn files_are_read_and_written_as_by_numpy() {
    for vector in vectors() {
        let file = NpyFile::parse(&vector.file).expect(&vector.python);
        assert_eq!(file.dtype(), vector.dtype, "{}", vector.python);
        assert_eq!(file.shape(), vector.shape, "{}", vector.python);
        assert_eq!(file.to_bytes(), vector.file, "{}", vector.python);
    }
}

#[test]
fn files_are_packed_as_by_datajoint() {
    for vector in vectors() {
        let value = NpyFile::parse(&vector.file).unwrap().to_value(MAX);
        match vector.packed {
            Some(packed) => {
                let value = value.expect(&vector.python);
                let found = blob::pack(&value, &ValueLimits::default()).unwrap();
                assert_eq!(found.into_bytes(), packed, "{}", vector.python);
            }
            None if vector.dtype.starts_with('[') => {
                // DataJoint would not pack texts and foreign bytes within fields; here it works.
                assert!(value.is_ok(), "{}", vector.python);
            }
            None => {
                let error = value.expect_err(&vector.python).to_string();
                assert!(error.contains(&vector.dtype), "{error}");
                assert!(error.contains("SET @codec_npy = 'npy'"), "{error}");
            }
        }
    }
}

#[test]
fn packed_arrays_are_saved_as_by_datajoint() {
    for vector in vectors() {
        let (Some(packed), Some(again)) = (vector.packed, vector.again) else {
            continue;
        };
        let file = NpyFile::of_value(&unpack(packed), MAX).expect(&vector.python);
        assert_eq!(file.to_bytes(), again, "{}", vector.python);
    }
}

#[test]
fn packed_texts_are_saved_as_texts() {
    for vector in vectors() {
        let (Some(packed), "<U", None) = (&vector.packed, &vector.dtype[..2], &vector.again) else {
            continue;
        };
        let file = NpyFile::of_value(&unpack(packed.clone()), MAX).expect(&vector.python);
        assert_eq!(file.dtype(), vector.dtype);
        let value = NpyFile::parse(&file.to_bytes()).unwrap().to_value(MAX);
        assert_eq!(value, Ok(unpack(packed.clone())), "{}", vector.python);
    }
}

#[test]
fn matlabs_characters_are_saved_as_by_datajoint() {
    // numpy.save(blob.unpack(b"mYm\0A" + the shape + b"\4\0\0\0\0\0\0\0" + the UTF-16))
    for (shape, text, md5) in [
        (&[1, 4][..], "text", "a955bf3383aade35a21348aa3b3202a0"),
        (&[4], "text", "a955bf3383aade35a21348aa3b3202a0"),
        (&[2, 2], "abcd", "c04e7467f38d68beef89c9f4a658e859"),
        (&[0, 0], "", "f0ace5091d48fb75d52a12141eb37bf0"),
        (&[1, 0], "", "4334e9b7295caa552e09e9d83eca482e"),
        (&[], "a", "6f713add46a1aff8c6bf4b914e084b5c"),
        (&[2, 1], "a\0", "df2227768fbb400cae976ae503a99f3f"),
        (&[1, 3], "a\0b", "41fe82f8094ecd76725f9dc9e3cb42e8"),
    ] {
        let units: Bytes = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let data = Data::Plain(units);
        let array = Array::new(Element::Char, shape.to_vec(), Order::First, data).unwrap();
        let file = NpyFile::of_value(&Value::Array(array), MAX)
            .unwrap()
            .to_bytes();
        let found = HEXLOWER.encode(&Md5::digest(&file));
        assert_eq!(found, md5, "{shape:?} {text:?}");
    }
}

#[test]
fn a_long_header_takes_the_second_version() {
    // buffer = io.BytesIO(); numpy.save(buffer, numpy.zeros(1, [("f" * n, "u1")]))
    for (length, version, md5) in [
        (65439, 1, "3f8fceb94aa8ee0fb8ff04ee8abc29c1"),
        (65440, 2, "27e0ff40a4619aa75ec253bc72c00c2a"),
    ] {
        let data = Data::Plain(vec![0].into());
        let field = Array::new(Element::UInt8, vec![1], Order::First, data).unwrap();
        let record = Value::Record(Record {
            fields: vec![("f".repeat(length), Value::Array(field))],
        });
        let file = NpyFile::of_value(&record, MAX).unwrap();
        let bytes = file.to_bytes();
        assert_eq!(bytes[6], version);
        assert_eq!(HEXLOWER.encode(&Md5::digest(&bytes)), md5);
        assert_eq!(NpyFile::parse(&bytes).unwrap(), file);
    }
}

#[test]
fn what_is_no_array_is_refused() {
    let text = |value: &Value| NpyFile::of_value(value, MAX).unwrap_err().to_string();
    assert_eq!(
        text(&Value::List(vec![])),
        "<npy> requires numpy.ndarray, got list"
    );
    let objects = |elements: Vec<Value>| Grid {
        shape: vec![elements.len() as u64],
        elements,
    };
    for value in [
        Value::Objects(objects(vec![Value::None])),
        Value::Objects(objects(vec!["a".into(), Value::Int(1)])),
        Value::Objects(objects(vec![])),
        Value::Cell(objects(vec!["a".into()])),
    ] {
        assert_eq!(text(&value), "<npy> does not support object dtype arrays");
    }
    let zero = Value::Objects(objects(vec!["a\0".into()]));
    assert!(text(&zero).contains("zero"));
    let long = Value::Objects(objects(vec![
        Value::Str("x".repeat(1000)),
        "".into(),
        "".into(),
    ]));
    assert_eq!(
        NpyFile::of_value(&long, 10_000),
        Err(NpyError::Limit(10_000))
    );
}

/// A file with this header.
fn file(header: &str, data: &[u8]) -> Bytes {
    let mut file = wrap(header, 0);
    file.extend_from_slice(data);
    file.into()
}

#[test]
fn headers_that_lie_are_refused() {
    let parse = |header: &str, data: &[u8]| NpyFile::parse(&file(header, data));
    let good = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";
    assert!(parse(good, &[0; 16]).is_ok());
    for length in [0, 15, 17, 24] {
        let (expected, actual) = (16, length);
        let error = Err(NpyError::Size { expected, actual });
        assert_eq!(parse(good, &vec![0; length]), error);
    }
    let objects = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }";
    assert_eq!(parse(objects, &[0; 8]), Err(NpyError::Objects));
    let hidden = "{'descr': [('a', [('b', '|O8')])], 'fortran_order': False, 'shape': (1,)}";
    assert_eq!(parse(hidden, &[0; 8]), Err(NpyError::Objects));
    for header in [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 1099511627776)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 9223372036854775807)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': 2}",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': ()}",
        "{'descr': '<f8', 'fortran_order': False}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (), 'x': 1}",
        "{'descr': '<f3', 'fortran_order': False, 'shape': ()}",
        "{'descr': '<M8[x]', 'fortran_order': False, 'shape': ()}",
        "{'descr': '<i8[s]', 'fortran_order': False, 'shape': ()}",
        "{'descr': '<U9223372036854775807', 'fortran_order': False, 'shape': ()}",
        "{'descr': '<U+1', 'fortran_order': False, 'shape': ()}",
        "{'descr': 'é', 'fortran_order': False, 'shape': ()}",
        "{'descr': '', 'fortran_order': False, 'shape': ()}",
        "{'descr': [], 'fortran_order': False, 'shape': ()}",
        "",
        "[]",
    ] {
        assert_eq!(parse(header, &[0; 8]), Err(NpyError::Header), "{header}");
    }
}

#[test]
fn other_bytes_are_refused() {
    let good = &vectors()[0].file;
    for length in [0, 5, 6, 8, 9, 10, 64] {
        let cut = good.slice(..length);
        assert_eq!(NpyFile::parse(&cut), Err(NpyError::Header), "{length}");
    }
    for (at, byte) in [(0, 0), (6, 0), (6, 4), (7, 1)] {
        let mut bytes = good.to_vec();
        bytes[at] = byte;
        assert_eq!(NpyFile::parse(&bytes.into()), Err(NpyError::Header));
    }
    let huge = Bytes::from_static(b"\x93NUMPY\x02\0\xff\xff\xff\xff{}");
    assert_eq!(NpyFile::parse(&huge), Err(NpyError::Header));
}

#[test]
fn elements_without_bytes_cost_nothing() {
    let shape = "(1099511627776,)";
    for descr in [
        "'<U0'",
        "[('a', '<U0')]",
        "[('a', [('b', '|V0')])]",
        "'|S0'",
    ] {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}");
        let file = NpyFile::parse(&file(&header, b"")).unwrap();
        assert!(file.to_value(MAX).is_err(), "{descr}");
    }
}

#[test]
fn many_texts_are_refused() {
    let header = "{'descr': '<U1', 'fortran_order': False, 'shape': (1000,)}";
    let file = NpyFile::parse(&file(header, &[0; 4000])).unwrap();
    assert!(file.to_value(1 << 20).is_ok());
    assert_eq!(file.to_value(5000), Err(NpyError::Limit(5000)));
}

proptest! {
    #[test]
    fn arrays_are_read_as_they_are_written(array in arbitrary::array()) {
        prop_assume!(is_numpys(array.element));
        let file = NpyFile::of_value(&Value::Array(array.clone()), MAX).unwrap();
        let read = NpyFile::parse(&file.to_bytes()).unwrap();
        prop_assert_eq!(&read, &file);
        prop_assert_eq!(read.dtype(), array.element.name());
        let Value::Array(read) = read.to_value(MAX).unwrap() else {
            panic!("no array");
        };
        let read = read.in_order(Order::First);
        prop_assert_eq!(&read.shape, &array.shape);
        prop_assert_eq!(read.element, array.element);
        prop_assert_eq!(read.interleaved(), array.interleaved());
    }

    #[test]
    fn any_header_is_survived(header in "[{}()\\[\\]'<>|,: a-zA-Z0-9]{0,80}") {
        let _ = NpyFile::parse(&file(&header, &[0; 8]));
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [MAGIC, &bytes].concat();
        let _ = NpyFile::parse(&bytes.into());
    }
}
