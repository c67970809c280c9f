//! The vectors of DataJoint, random values, damaged bytes, limits.

use std::sync::LazyLock;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;
use crate::codec::value::{Array, Data, Element, Grid, Order, Record, Struct, TimeUnit, arbitrary};

const LIMITS: ValueLimits = ValueLimits {
    bytes: 1 << 30,
    depth: 100,
    json_bytes: 0,
    files: 0,
};

/// A golden value of `tests/vectors/blob_vectors.json`.
#[derive(Debug, serde::Deserialize)]
struct Vector {
    name: String,
    hex_uncompressed: Option<String>,
    hex_as_stored: Option<String>,
    #[serde(default)]
    read_only_vector: bool,
    unpack_error: Option<String>,
}

static VECTORS: LazyLock<Vec<Vector>> = LazyLock::new(|| {
    let text = include_str!("../../../tests/vectors/blob_vectors.json");
    serde_json::from_str(text).unwrap()
});

impl Vector {
    fn named(name: &str) -> &'static Self {
        VECTORS.iter().find(|vector| vector.name == name).unwrap()
    }

    fn raw(&self) -> Option<Packed> {
        packed(self.hex_uncompressed.as_ref()?)
    }

    fn stored(&self) -> Option<Packed> {
        packed(self.hex_as_stored.as_ref()?)
    }
}

fn packed(hex: &str) -> Option<Packed> {
    Packed::new(HEXLOWER.decode(hex.as_bytes()).unwrap().into())
}

fn blob(bytes: &[u8]) -> Packed {
    Packed::new(Bytes::copy_from_slice(bytes)).unwrap()
}

fn failure(result: Result<Value, CodecError>) -> String {
    match result {
        Err(error @ CodecError::Corrupt(_)) => error.to_string(),
        other => panic!("not refused as corrupt: {other:?}"),
    }
}

#[test]
fn all_that_datajoint_packs_comes_back_byte_by_byte() {
    let mut count = 0;
    for vector in VECTORS.iter().filter(|vector| !vector.read_only_vector) {
        let (Some(raw), Some(stored)) = (vector.raw(), vector.stored()) else {
            assert!(vector.hex_uncompressed.is_none(), "{}", vector.name);
            continue;
        };
        let value =
            unpack(&raw, &LIMITS).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        assert_eq!(unpack(&stored, &LIMITS).unwrap(), value, "{}", vector.name);
        assert_eq!(pack_raw(&value, &LIMITS).unwrap(), raw, "{}", vector.name);
        assert_eq!(pack(&value, &LIMITS).unwrap(), stored, "{}", vector.name);
        count += 1;
    }
    assert!(count >= 115, "only {count} vectors");
}

#[test]
fn all_that_matlab_packs_comes_back_byte_by_byte() {
    let mut count = 0;
    for vector in VECTORS.iter().filter(|vector| vector.read_only_vector) {
        let Some(stored) = vector.stored() else {
            assert!(matches!(
                vector.name.as_str(),
                "no_header" | "empty" | "dj0_upper_case"
            ));
            continue;
        };
        match vector.name.as_str() {
            // Python reads what it has no dtype for by accident.
            "mat_function" => assert_eq!(
                failure(unpack(&stored, &LIMITS)),
                "an array in the blob has the type 16, which has no elements"
            ),
            "unknown_code" | "trailing_byte" | "zl123_bad_len" => {
                let expected = vector.unpack_error.as_ref().unwrap();
                let expected = expected.strip_prefix("DataJointError: ").unwrap();
                assert_eq!(failure(unpack(&stored, &LIMITS)), expected);
            }
            "dims32_array" | "zl123_small" => {
                assert!(unpack(&stored, &LIMITS).is_ok());
            }
            name => {
                let value = unpack(&stored, &LIMITS).unwrap();
                assert_eq!(pack_raw(&value, &LIMITS).unwrap(), stored, "{name}");
                count += 1;
            }
        }
    }
    assert!(count >= 15, "only {count} vectors");
}

#[test]
fn values_are_what_they_were() {
    let value = |name| unpack(&Vector::named(name).raw().unwrap(), &LIMITS).unwrap();
    assert_eq!(value("int_neg2p63"), Value::Int(i64::MIN));
    assert_eq!(value("int_2p63"), Value::BigInt((1_i128 << 63).into()));
    assert_eq!(value("int_neg129"), Value::Int(-129));
    let Value::Array(array) = value("arr2d_f64_C") else {
        panic!("no array");
    };
    assert_eq!(
        (array.element, array.shape.as_slice()),
        (Element::Float64, &[2, 3][..])
    );
    let columns: Vec<u8> = [0., 3., 1., 4., 2., 5.]
        .into_iter()
        .flat_map(f64::to_le_bytes)
        .collect();
    assert_eq!(array.data, Data::Plain(columns.into()));
    let Value::DateTime(date, time) = value("datetime") else {
        panic!("no datetime");
    };
    assert_eq!((date.year, date.month, date.day), (2020, 2, 29));
    assert_eq!(
        (time.hour, time.minute, time.second, time.microsecond),
        (13, 4, 5, 678_901)
    );
    let Value::Array(array) = value("dt64_scalar") else {
        panic!("no array");
    };
    assert_eq!(array.element, Element::DateTime64(TimeUnit::Second));
    assert!(array.shape.is_empty());
    let Value::Sparse(sparse) = value("mat_sparse") else {
        panic!("not sparse");
    };
    assert_eq!((sparse.rows, sparse.columns, sparse.capacity), (2, 2, 1));
    assert_eq!(sparse.starts.len(), 3 * 8);
}

#[test]
fn arrays_are_packed_the_same_however_they_lie() {
    let value = |name| match unpack(&Vector::named(name).raw().unwrap(), &LIMITS).unwrap() {
        Value::Array(array) => array,
        other => panic!("no array: {other:?}"),
    };
    for name in [
        "arr2d_f64_C",
        "arr3d_i16",
        "arr_complex2d",
        "arr1d_complex64",
    ] {
        let array = value(name);
        let rows = array.in_order(Order::Last);
        let plain = Array {
            data: Data::Plain(rows.interleaved()),
            ..rows.clone()
        };
        for form in [array, rows, plain] {
            let again = pack_raw(&Value::Array(form), &LIMITS).unwrap();
            assert_eq!(again, Vector::named(name).raw().unwrap(), "{name}");
        }
    }
}

#[test]
fn arrays_are_views() {
    let array = Array::vector(Element::Float64, Bytes::from(vec![0; 4000])).unwrap();
    let value = Value::List(vec![Value::Array(array)]);
    let raw = pack_raw(&value, &LIMITS).unwrap();
    let Value::List(items) = unpack(&raw, &LIMITS).unwrap() else {
        panic!("no list");
    };
    let [
        Value::Array(Array {
            data: Data::Plain(data),
            ..
        }),
    ] = items.as_slice()
    else {
        panic!("no array");
    };
    assert!(raw.bytes().as_ptr_range().contains(&data.as_ptr()));
}

#[test]
fn the_header_is_that_of_the_parts() {
    let array = |element: Element, shape: &[u64]| {
        let len = element.size() * shape.iter().product::<u64>() as usize;
        let data = Data::Plain(vec![0; len].into());
        Value::Array(Array::new(element, shape.to_vec(), Order::First, data).unwrap())
    };
    let cell = |element| {
        Value::Cell(Grid {
            shape: vec![1, 1],
            elements: vec![element],
        })
    };
    let structs = |element| {
        Value::Struct(Struct {
            shape: vec![1, 1],
            fields: vec!["a".into()],
            elements: vec![element],
        })
    };
    let day = Element::DateTime64(TimeUnit::Day);
    for (value, header) in [
        (array(Element::UInt8, &[1]), MYM),
        (array(Element::UInt8, &[]), DJ0),
        (array(Element::Char, &[]), MYM),
        (array(day, &[2]), DJ0),
        (cell(array(Element::Complex64, &[2, 2])), MYM),
        (cell(structs(array(Element::Bool, &[1, 1]))), MYM),
        (cell(structs(Value::None)), DJ0),
        (structs(cell(array(day, &[1, 1]))), DJ0),
        (
            Value::Objects(Grid {
                shape: vec![0],
                elements: vec![],
            }),
            DJ0,
        ),
        (
            Value::Record(Record {
                fields: vec![("a".into(), array(Element::Int8, &[1]))],
            }),
            DJ0,
        ),
    ] {
        let raw = pack_raw(&value, &LIMITS).unwrap();
        assert!(raw.bytes().starts_with(header), "{value:?}");
        let value = unpack(&raw, &LIMITS).unwrap();
        assert_eq!(pack_raw(&value, &LIMITS).unwrap(), raw);
    }
}

#[test]
fn what_cannot_be_packed() {
    let header = blob(b"dj0\0\xff");
    let error = |value: Value| pack(&value, &LIMITS).unwrap_err();
    for value in [
        Value::Packed(header.clone()),
        Value::List(vec![Value::Packed(header)]),
    ] {
        let CodecError::Type(text) = error(value) else {
            panic!("not a type error");
        };
        assert_eq!(
            text,
            "Packing object of type packed value currently not supported!"
        );
    }
    let huge: num_bigint::BigInt = num_bigint::BigInt::from(1) << (65_535 * 8);
    assert!(matches!(
        error(Value::BigInt(huge.clone())),
        CodecError::Value(_)
    ));
    assert!(pack(&Value::BigInt((huge - 1) >> 8), &LIMITS).is_ok());
    for value in [
        Value::Decimal("1e5".into()),
        Value::Date(crate::codec::value::Date {
            year: 2021,
            month: 2,
            day: 29,
        }),
        Value::Cell(Grid {
            shape: vec![2],
            elements: vec![Value::None],
        }),
        Value::Struct(Struct {
            shape: vec![1],
            fields: vec!["a".into()],
            elements: vec![],
        }),
        Value::Struct(Struct {
            shape: vec![1],
            fields: vec!["a\0".into()],
            elements: vec![Value::None],
        }),
        Value::Array(Array {
            element: Element::Int16,
            shape: vec![2],
            order: Order::First,
            data: Data::Plain(vec![0; 3].into()),
        }),
    ] {
        assert!(
            matches!(error(value.clone()), CodecError::Value(_)),
            "{value:?}"
        );
    }
    let record = Record {
        fields: vec![("a".into(), Value::None)],
    };
    assert!(matches!(error(Value::Record(record)), CodecError::Type(_)));
}

#[test]
fn what_would_not_come_back_is_refused() {
    for (bytes, why) in [
        (&b"dj0\0\x0a\x02\0\x01\0"[..], "an int with padding"),
        (b"dj0\0\x0a\x00\0", "an int without bytes"),
        (
            b"dj0\0\x0a\x0b\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            "a long -1",
        ),
        (b"dj0\0\x0b\x02", "a bool that is 2"),
        (
            b"mYm\0A\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x02",
            "an array of such",
        ),
        (
            b"mYm\0A\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x06\0\0\0\x02\0\0\0",
            "a flag that is 2",
        ),
        (
            b"mYm\0A\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\x01\0\0\0",
            "complex objects",
        ),
        (
            b"dj0\0d\x03\0\0\0\0\0\0\x001e5",
            "a decimal in another notation",
        ),
        (
            b"dj0\0t\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            "neither date nor time",
        ),
        (
            b"dj0\0t\xfe\xff\xff\xff\0\0\0\0\0\0\0\0",
            "another negative date",
        ),
        (b"dj0\0\x05\x01\0\0\0\0\0\0\0\xff", "a text not UTF-8"),
        (b"dj0\0F\x01\0\0\0a\0\xff", "a structured array of None"),
        (b"ZL123\0\x05\0\0\0\0\0\0\0", "nothing that is compressed"),
        (b"dj0\0", "nothing"),
    ] {
        assert!(!failure(unpack(&blob(bytes), &LIMITS)).is_empty(), "{why}");
    }
    let compressed = compress::compress(vec![b'x'; 2000].into());
    assert_eq!(failure(unpack(&blob(&compressed), &LIMITS)), NO_HEADER);
}

#[test]
fn claims_are_not_believed() {
    let stored = Vector::named("zeros_1000").stored().unwrap();
    let claim = |len: u64| {
        let mut bytes = stored.bytes().to_vec();
        bytes[6..14].copy_from_slice(&len.to_le_bytes());
        blob(&bytes)
    };
    let small = ValueLimits {
        bytes: 8000,
        ..LIMITS
    };
    let message = |len, limits| unpack(&claim(len), limits).unwrap_err().to_string();
    assert_eq!(
        message(8028, &LIMITS),
        "Blob size mismatch: expected 8028, got more"
    );
    let message_short = message(u64::MAX, &LIMITS);
    assert_eq!(
        message_short,
        format!("Blob size mismatch: expected {}, got less", u64::MAX)
    );
    assert!(matches!(
        unpack(&claim(8029), &small),
        Err(CodecError::Limit(_))
    ));
    // Counts, too: none may allocate what the bytes do not bear out.
    for code in [2, 4, b'C', b'A', 5, 6] {
        for count in [u64::MAX, 1 << 62, 1 << 40, 3] {
            let mut bytes = b"dj0\0".to_vec();
            bytes.push(code);
            bytes.extend(count.to_le_bytes());
            bytes.extend([0; 20]);
            assert!(unpack(&blob(&bytes), &LIMITS).is_err());
        }
    }
    // 100 bytes of a list must not take much more than a hundred times as much memory.
    let list = Value::List(vec![Value::None; 1000]);
    let raw = pack_raw(&list, &LIMITS).unwrap();
    let enough = ValueLimits {
        bytes: 1000 * size_of::<Value>() as u64,
        ..LIMITS
    };
    let short = ValueLimits {
        bytes: enough.bytes - 1,
        ..LIMITS
    };
    assert_eq!(unpack(&raw, &enough).unwrap(), list);
    assert!(matches!(unpack(&raw, &short), Err(CodecError::Limit(_))));
    let too_small = ValueLimits {
        bytes: raw.bytes().len() as u64 - 1,
        ..LIMITS
    };
    assert!(matches!(pack(&list, &too_small), Err(CodecError::Limit(_))));
}

#[test]
fn depth_is_limited_both_ways() {
    let nested = |depth| (0..depth).fold(Value::None, |value, _| Value::List(vec![value]));
    let limits = ValueLimits {
        depth: 100,
        ..LIMITS
    };
    let most = ValueLimits {
        depth: usize::MAX,
        ..LIMITS
    };
    let raw = pack_raw(&nested(100), &limits).unwrap();
    assert_eq!(unpack(&raw, &limits).unwrap(), nested(100));
    assert!(matches!(
        pack_raw(&nested(101), &limits),
        Err(CodecError::Limit(_))
    ));
    let raw = pack_raw(&nested(101), &most).unwrap();
    assert!(matches!(unpack(&raw, &limits), Err(CodecError::Limit(_))));
    // The deepest fits the stack of a thread that may block, in a build without optimization.
    let raw = pack_raw(&nested(MAX_DEPTH), &most).unwrap();
    assert_eq!(unpack(&raw, &most).unwrap(), nested(MAX_DEPTH));
    assert!(matches!(
        pack_raw(&nested(MAX_DEPTH + 1), &most),
        Err(CodecError::Limit(_))
    ));
}

/// Every word of a blob of MATLAB's kinds made four bytes long, the way 32-bit mYm packs.
fn in_32_bits(value: &Value) -> Vec<u8> {
    let word = |number: u64| (number as u32).to_le_bytes();
    let shape = |code: u8, shape: &[u64]| {
        let mut bytes = vec![code];
        bytes.extend(word(shape.len() as u64));
        bytes.extend(shape.iter().flat_map(|len| word(*len)));
        bytes
    };
    let parts = |values: &[Value]| -> Vec<u8> {
        let parts = values.iter().map(in_32_bits);
        parts
            .flat_map(|part| [word(part.len() as u64).to_vec(), part].concat())
            .collect()
    };
    let elements = |array: &Array| {
        let (number, is_complex) = kind::type_of(array.element);
        let mut head = number.to_le_bytes().to_vec();
        head.extend(u32::from(is_complex).to_le_bytes());
        let data = match &array.data {
            Data::Plain(data) => data.to_vec(),
            Data::Planes(re, im) => [re.as_ref(), im.as_ref()].concat(),
        };
        (head, data)
    };
    match value {
        Value::Array(array) => {
            let (head, data) = elements(array);
            [shape(b'A', &array.shape), head, data].concat()
        }
        Value::Cell(grid) => [shape(b'C', &grid.shape), parts(&grid.elements)].concat(),
        Value::Struct(value) => {
            let names = value.fields.join("\0") + "\0";
            let count = (value.fields.len() as u32).to_le_bytes().to_vec();
            let head = shape(b'S', &value.shape);
            [head, count, names.into_bytes(), parts(&value.elements)].concat()
        }
        Value::Sparse(sparse) => {
            let (head, data) = elements(&sparse.values);
            let indices = |bytes: &[u8]| -> Vec<u8> {
                bytes
                    .chunks_exact(8)
                    .flat_map(|word| word[..4].to_vec())
                    .collect()
            };
            let mut bytes = vec![b'P'];
            bytes.extend(
                [sparse.rows, sparse.columns, sparse.capacity]
                    .map(word)
                    .concat(),
            );
            bytes.extend(head);
            bytes.extend(indices(&sparse.starts));
            bytes.extend(indices(&sparse.row_indices));
            bytes.extend(data);
            bytes
        }
        other => panic!("not of MATLAB: {other:?}"),
    }
}

#[test]
fn blobs_of_32_bits_are_told_apart() {
    for name in [
        "arr2d_f64_C",
        "arr_complex2d",
        "matcell",
        "matstruct_1x2",
        "mat_sparse",
        "matlab_struct_array",
        "matlab_string_array",
        "matlab_3D_complex_array",
    ] {
        let vector = Vector::named(name);
        let value = unpack(&vector.raw().unwrap(), &LIMITS).unwrap();
        let raw = [MYM, &in_32_bits(&value)].concat();
        let short = blob(&raw);
        assert_eq!(
            unpack_with(&short, Dimensions::Bits32, &LIMITS).unwrap(),
            value,
            "{name}"
        );
        assert_eq!(unpack(&short, &LIMITS).unwrap(), value, "{name}");
        let mut compressed = b"ZL123\0".to_vec();
        compressed.extend((raw.len() as u32).to_le_bytes());
        let long = compress::compress([raw, vec![0; 2000]].concat().into());
        assert!(unpack(&blob(&long), &LIMITS).is_err());
        let mut stream = flate2::write::ZlibEncoder::new(compressed, flate2::Compression::best());
        std::io::Write::write_all(&mut stream, short.bytes()).unwrap();
        let compressed = blob(&stream.finish().unwrap());
        assert_eq!(unpack(&compressed, &LIMITS).unwrap(), value, "{name}");
    }
    assert_eq!(
        unpack(&Vector::named("dims32_array").raw().unwrap(), &LIMITS).unwrap(),
        unpack(&Vector::named("arr2d_row").raw().unwrap(), &LIMITS).unwrap()
    );
}

#[test]
fn no_cut_blob_is_read_as_another() {
    for vector in VECTORS.iter() {
        let Some(raw) = vector.raw().filter(|raw| unpack(raw, &LIMITS).is_ok()) else {
            continue;
        };
        let bytes = raw.bytes();
        let cuts = (0..bytes.len().min(2000)).filter_map(|len| Packed::new(bytes.slice(..len)));
        for cut in cuts {
            assert!(unpack(&cut, &LIMITS).is_err(), "{}: {cut:?}", vector.name);
        }
    }
}

/// What is read must be packed to the bytes it was read from, but for the header.
fn is_faithful(bytes: &[u8]) {
    let Some(packed) = Packed::new(Bytes::copy_from_slice(bytes)) else {
        return;
    };
    let limits = ValueLimits {
        bytes: 1 << 20,
        ..LIMITS
    };
    for dimensions in [Dimensions::Bits64, Dimensions::Bits32] {
        let Ok(value) = unpack_with(&packed, dimensions, &limits) else {
            continue;
        };
        let again = pack_raw(&value, &LIMITS).unwrap();
        assert_eq!(unpack(&again, &LIMITS).unwrap(), value);
        if dimensions == Dimensions::Bits64 && !bytes.starts_with(compress::HEADER) {
            assert_eq!(again.bytes()[4..], bytes[4..]);
        }
    }
    let _ = unpack(&packed, &limits);
}

proptest! {
    #[test]
    fn any_value_comes_back(value in arbitrary::value()) {
        let raw = pack_raw(&value, &LIMITS).unwrap();
        prop_assert_eq!(&unpack(&raw, &LIMITS).unwrap(), &value);
        let stored = pack(&value, &LIMITS).unwrap();
        prop_assert_eq!(&unpack(&stored, &LIMITS).unwrap(), &value);
        prop_assert!(stored.bytes().len() <= raw.bytes().len());
    }

    #[test]
    fn any_bytes_are_read_faithfully_or_not_at_all(
        header in prop::sample::select(vec![MYM, DJ0, compress::HEADER]),
        code in prop::sample::select(b"ACSPFdtu\x01\x02\x03\x04\x05\x06\x0a\x0b\x0c\x0d\xff".to_vec()),
        rest in prop::collection::vec(prop_oneof![3 => Just(0), 2 => 0_u8..20, 1 => any::<u8>()], 0..80),
    ) {
        is_faithful(&[header, &[code], &rest].concat());
    }

    #[test]
    fn damaged_values_are_read_faithfully_or_not_at_all(
        value in arbitrary::value(),
        damage in damage(),
    ) {
        is_faithful(&damaged(pack_raw(&value, &LIMITS).unwrap().bytes(), &damage));
    }

    #[test]
    fn damaged_vectors_are_read_faithfully_or_not_at_all(
        index in any::<prop::sample::Index>(),
        damage in damage(),
    ) {
        let vector = index.get(&VECTORS);
        for packed in [vector.raw(), vector.stored()].into_iter().flatten() {
            is_faithful(&damaged(packed.bytes(), &damage));
        }
    }
}

/// Places and what is put there; then how much is cut off.
type Damage = (Vec<(prop::sample::Index, u8)>, Option<prop::sample::Index>);

fn damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![0_u8..20, any::<u8>()];
    let places = prop::collection::vec((any::<prop::sample::Index>(), byte), 1..4);
    (
        places,
        prop::option::weighted(0.2, any::<prop::sample::Index>()),
    )
}

fn damaged(bytes: &[u8], (places, cut): &Damage) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, byte) in places {
        let at = place.index(bytes.len());
        bytes[at] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len()));
    }
    bytes
}
