//! The golden values of DataJoint.

use bytes::Bytes;
use serde::Deserialize;

use super::*;
use crate::codec::value::Packed;

#[derive(Deserialize)]
struct Vector {
    name: String,
    #[serde(default)]
    hex_as_stored: Option<String>,
    #[serde(default)]
    read_only_vector: bool,
}

fn vectors() -> impl Iterator<Item = (Vector, Bytes)> {
    let vectors: Vec<Vector> =
        serde_json::from_str(include_str!("../../../../tests/vectors/blob_vectors.json")).unwrap();
    vectors.into_iter().filter_map(|mut vector| {
        let hex = vector.hex_as_stored.take()?;
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        Some((vector, bytes.into()))
    })
}

fn unpacked(bytes: Bytes) -> Option<Value> {
    blob::unpack(&Packed::new(bytes)?, &LIMITS).ok()
}

#[test]
fn every_vector_comes_back_to_the_byte() {
    let mut packed_by_datajoint = 0;
    for (vector, bytes) in vectors() {
        let Some(value) = unpacked(bytes.clone()) else {
            assert!(vector.read_only_vector, "{}", vector.name);
            continue;
        };
        let again = read(&text(&value));
        assert_eq!(again, value, "{}", vector.name);
        let packed = blob::pack(&again, &LIMITS).unwrap().into_bytes();
        if !vector.read_only_vector {
            assert_eq!(packed, bytes, "{}", vector.name);
            packed_by_datajoint += 1;
        }
    }
    assert!(packed_by_datajoint >= 120, "{packed_by_datajoint}");
}

#[test]
fn the_text_stays_the_same() {
    for (name, expected) in GOLDEN {
        let (_, bytes) = vectors().find(|(vector, _)| vector.name == *name).unwrap();
        assert_eq!(text(&unpacked(bytes).unwrap()), *expected, "{name}");
    }
}

const GOLDEN: &[(&str, &str)] = &[
    ("none", "null"),
    ("int_2p63", r#"{"$int":"9223372036854775808"}"#),
    ("float_pi", "3.141592653589793"),
    ("float_nan", r#"{"$float":"nan"}"#),
    ("complex", r#"{"$complex":[1.0,2.0]}"#),
    ("str_utf8", "\"naïve ✓ 😀\""),
    ("bytes", r#"{"$bytes":"AAH/"}"#),
    ("decimal_exp", r#"{"$decimal":"1E+10"}"#),
    (
        "uuid",
        r#"{"$uuid":"12345678-1234-5678-1234-567812345678"}"#,
    ),
    ("date", r#"{"$date":"2020-02-29"}"#),
    ("time", r#"{"$time":"03:04:05.678901"}"#),
    (
        "datetime_midnight",
        r#"{"$datetime":"2020-02-29T00:00:00"}"#,
    ),
    ("list", r#"[1,"two",3.0,null,true]"#),
    ("set", r#"{"$set":[5]}"#),
    ("dict_empty", "{}"),
    (
        "dict_nonstr",
        r#"{"$dict":[[1,"a"],[{"$tuple":[2,3]},"b"]]}"#,
    ),
    (
        "arr1d_uint64",
        r#"{"$array":"uint64","shape":[3],"value":[0,1,2]}"#,
    ),
    (
        "arr1d_complex64",
        r#"{"$array":"complex64","shape":[3],"value":[[0.0,0.0],[1.0,0.0],[2.0,0.0]]}"#,
    ),
    (
        "arr2d_f64_C",
        r#"{"$array":"float64","shape":[2,3],"value":[[0.0,1.0,2.0],[3.0,4.0,5.0]]}"#,
    ),
    (
        "arr_empty2d",
        r#"{"$array":"float64","shape":[0,3],"value":[]}"#,
    ),
    ("npscalar_f64", r#"{"$scalar":"float64","value":2.5}"#),
    (
        "dt64_ns",
        r#"{"$array":"datetime64[ns]","shape":[2],"value":["1970-01-01T00:00:00.000000000","2020-03-04T00:00:00.000000000"]}"#,
    ),
    (
        "dt64_nat",
        r#"{"$array":"datetime64[ns]","shape":[1],"value":["NaT"]}"#,
    ),
    (
        "arr_unicode",
        r#"{"$array":"object","shape":[2],"value":["ab","c"]}"#,
    ),
    (
        "arr_object2d",
        r#"{"$array":"object","shape":[2,2],"value":[[1,[2]],[{"k":3},null]]}"#,
    ),
    (
        "structured",
        r#"{"$record":[["a",{"$array":"int32","shape":[2],"value":[1,3]}],["b",{"$array":"float64","shape":[2],"value":[2.5,4.5]}]]}"#,
    ),
    (
        "matcell_pyvals",
        r#"{"$cell":[2,2],"value":[[1,"x"],[null,[1]]]}"#,
    ),
    (
        "matstruct_1x1",
        r#"{"$struct":{"x":{"$array":"float64","shape":[1,1],"value":[[1.0]]},"y":{"$array":"float64","shape":[1,2],"value":[[2.0,3.0]]}}}"#,
    ),
    (
        "matstruct_1x2",
        r#"{"$struct":["x","y"],"shape":[1,2],"value":[[{"x":{"$array":"float64","shape":[1,1],"value":[[1.0]]},"y":{"$array":"uint8","shape":[1,1],"value":[[1]]}},{"x":{"$array":"float64","shape":[1,1],"value":[[2.0]]},"y":{"$array":"uint8","shape":[1,1],"value":[[2]]}}]]}"#,
    ),
    (
        "matlab_simple_string",
        r#"{"$array":"char","shape":[1,16],"value":["character string"]}"#,
    ),
    (
        "matlab_3D_uint8_array",
        r#"{"$array":"uint8","shape":[2,3,4],"value":[[[1,7,13,19],[3,9,15,21],[5,11,17,23]],[[2,8,14,20],[4,10,16,22],[6,12,18,24]]]}"#,
    ),
    (
        "mat_sparse",
        r#"{"$sparse":"float64","shape":[2,2],"starts":[0,1,1],"rows":[0],"value":[5.0]}"#,
    ),
    ("mat_struct_nofields", r#"{"$struct":{}}"#),
];
