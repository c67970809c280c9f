//! Arrays through the codec, against a store in memory.

use super::*;
use crate::codec::Backend as _;
use crate::codec::testing::{Place, dict};
use crate::codec::value::{Array, Data, Element, Order};

fn array() -> Value {
    let numbers = [0.0, 3.0, 1.0, 4.0, 2.0, 5.0_f64];
    let data = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let array = Array::new(
        Element::Float64,
        vec![2, 3],
        Order::First,
        Data::Plain(data),
    );
    Value::Array(array.unwrap())
}

fn packed() -> Bytes {
    let packed = blob::pack(&array(), &ValueLimits::default());
    packed.unwrap().into_bytes()
}

fn write(place: &Place, sent: Bytes) -> Result<Value, CodecError> {
    let value = Npy.take(sent, &place.manner, &place.limits)?;
    Npy.validate(&value)?;
    Npy.encode(value, &place.writing())
}

fn read(place: &Place, stored: Value) -> Result<Given, CodecError> {
    let value = Npy.decode(stored, &place.reading())?;
    Npy.give(value, &place.manner, &place.reading())
}

/// The only object.
fn object(place: &Place) -> Bytes {
    let paths = place.store().paths();
    let [path] = &paths[..] else {
        panic!("one object, not {paths:?}");
    };
    place.store().get(path, 1000).unwrap()
}

#[test]
fn a_packed_array_becomes_a_file_and_comes_back() {
    let place = Place::new();
    let stored = write(&place, packed()).unwrap();
    let path = metadata::path(&stored).unwrap();
    let token = &path.as_str()["_schema/lab/scan/id=7/data_".len()..];
    assert_eq!(token.len(), "12345678.npy".len());
    assert!(token.ends_with(".npy"));
    let text = metadata::dumps(&stored).unwrap();
    let expected =
        format!(r#"{{"path": "{path}", "store": "main", "dtype": "float64", "shape": [2, 3]}}"#);
    assert_eq!(text, expected);
    assert!(
        object(&place).starts_with(b"\x93NUMPY\x01\0v\0{'descr': '<f8', 'fortran_order': True")
    );
    let reference = Reference {
        store: "main".to_owned(),
        path: path.to_string(),
    };
    assert_eq!(Npy.referenced_paths(&stored), [reference]);
    assert_eq!(read(&place, stored).unwrap(), Given::Bytes(packed()));
}

#[test]
fn a_file_is_stored_as_it_is() {
    let mut place = Place::new();
    let file = NpyFile::of_value(&array(), 1000).unwrap().to_bytes();
    // Other room than NumPy leaves.
    let mut header = file[..128].to_vec();
    header.truncate(127);
    header.extend_from_slice(&[b' '; 64]);
    header.push(b'\n');
    header[8] += 64;
    let file: Bytes = [&header[..], &file[128..]].concat().into();
    let stored = write(&place, file.clone()).unwrap();
    assert_eq!(object(&place), file);
    assert_eq!(stored.field("dtype"), Some(&"float64".into()));
    assert_eq!(
        read(&place, stored.clone()).unwrap(),
        Given::Bytes(packed())
    );
    place.manner.npy = NpyForm::File;
    let given = read(&place, stored).unwrap();
    assert!(matches!(given, Given::Object(_)), "{given:?}");
}

#[test]
fn refusals_are_worded_as_in_datajoint() {
    let place = Place::new();
    let refused = |sent: &[u8]| {
        let error = write(&place, Bytes::copy_from_slice(sent)).unwrap_err();
        error.to_string()
    };
    let list = blob::pack(&Value::List(vec![]), &place.limits).unwrap();
    assert_eq!(
        refused(list.bytes()),
        "<npy> requires numpy.ndarray, got list"
    );
    let bytes = blob::pack(&Value::Bytes("x".into()), &place.limits).unwrap();
    assert_eq!(
        refused(bytes.bytes()),
        "<npy> requires numpy.ndarray, got bytes"
    );
    assert_eq!(
        refused(b"hello"),
        "<npy> takes a .npy file or packed DataJoint bytes (they begin with mYm, dj0 or ZL123)"
    );
    assert_eq!(
        refused(b"\x93NUMPY\x01\0"),
        "the .npy file has no usable header"
    );
    assert!(place.store().paths().is_empty());
}

#[test]
fn json_shows_metadata_and_value() {
    let place = Place::new();
    let stored = write(&place, packed()).unwrap();
    let value = Npy.decode(stored.clone(), &place.reading()).unwrap();
    let Value::Object(object) = value else {
        panic!("no object");
    };
    let found = with_value(read_value(&place, &object), stored.clone());
    for key in ["path", "store", "dtype", "shape"] {
        assert_eq!(found.field(key), stored.field(key));
    }
    assert_eq!(found.field("value"), Some(&array()));
}

fn read_value(place: &Place, object: &ObjectRef) -> Value {
    super::read(object, &place.reading()).unwrap()
}

#[test]
fn a_file_that_was_exchanged_is_refused() {
    let place = Place::new();
    for (content, text) in [
        (&b"hello"[..], "the .npy file has no usable header"),
        (
            b"\x93NUMPY\x01\0\x36\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
            "<npy> does not support object dtype arrays",
        ),
    ] {
        place
            .store()
            .plant("_schema/lab/scan/id=7/data_x.npy", content);
        let stored = dict(&[
            ("path", "_schema/lab/scan/id=7/data_x.npy".into()),
            ("store", "main".into()),
        ]);
        let error = read(&place, stored).unwrap_err();
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn planted_pointers_are_refused() {
    let place = Place::new();
    let file = NpyFile::of_value(&array(), 1000).unwrap().to_bytes();
    for path in [
        "_schema/other/scan/id=7/data_x.npy",
        "_hash/lab/abc",
        "_hash/other/abc",
        "other/scan/data_x.npy",
        "raw/x.npy",
    ] {
        place.store().plant(path, &file);
        let stored = dict(&[("path", path.into()), ("store", "main".into())]);
        assert!(read(&place, stored).is_err(), "{path}");
    }
}
