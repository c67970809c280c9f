//! Arrays: their elements, and how they are cut.

use super::*;

#[test]
fn characters_that_are_no_text() {
    let units: Vec<u8> = [0x61_u16, 0xd800, 0x62, 0x63]
        .iter()
        .flat_map(|unit| unit.to_le_bytes())
        .collect();
    let chars = |shape: &[u64]| Value::Array(array(Element::Char, shape, &units));
    is_written(
        &chars(&[4]),
        r#"{"$array":"char","shape":[4],"value":[97,55296,98,99]}"#,
    );
    is_written(
        &chars(&[2, 2]),
        r#"{"$array":"char","shape":[2,2],"value":["ab",[55296,99]]}"#,
    );
    is_written(
        &Value::Array(array(Element::Char, &[], b"a\0")),
        r#"{"$scalar":"char","value":"a"}"#,
    );
    is_written(
        &Value::Array(array(Element::Char, &[1, 2], &[0x3d, 0xd8, 0, 0xde])),
        r#"{"$array":"char","shape":[1,2],"value":["😀"]}"#,
    );
}

#[test]
fn float32_that_would_be_rounded_twice() {
    // Shortest as 7.038531e-26, which as a float64 is halfway to the next float32.
    let value = |text: &str| {
        let number: f32 = text.parse().unwrap();
        Value::Array(array(Element::Float32, &[1], &number.to_le_bytes()))
    };
    let printed = text(&value("7.038531e-26"));
    assert_eq!(read(&printed), value("7.038531e-26"));
    assert_eq!(
        text(&value("0.1")),
        r#"{"$array":"float32","shape":[1],"value":[0.1]}"#
    );
    assert_eq!(
        text(&value("16777216")),
        r#"{"$array":"float32","shape":[1],"value":[16777216.0]}"#
    );
}

#[test]
fn times_in_their_unit() {
    for (unit, at, expected) in [
        (TimeUnit::Year, -1970, r#""0000""#),
        (TimeUnit::Year, -1971, "-1971"),
        (TimeUnit::Year, 50, r#""2020""#),
        (TimeUnit::Year, 8030, "8030"),
        (TimeUnit::Month, -1, r#""1969-12""#),
        (TimeUnit::Week, 2618, r#""2020-03-05""#),
        (TimeUnit::Day, -1, r#""1969-12-31""#),
        (TimeUnit::Day, 18_321, r#""2020-02-29""#),
        (TimeUnit::Day, -719_528, r#""0000-01-01""#),
        (TimeUnit::Day, 2_932_896, r#""9999-12-31""#),
        (TimeUnit::Day, 2_932_897, "2932897"),
        (TimeUnit::Hour, 5, r#""1970-01-01T05""#),
        (TimeUnit::Minute, -1, r#""1969-12-31T23:59""#),
        (TimeUnit::Second, 1_583_298_367, r#""2020-03-04T05:06:07""#),
        (TimeUnit::Millisecond, -1, r#""1969-12-31T23:59:59.999""#),
        (TimeUnit::Microsecond, 1, r#""1970-01-01T00:00:00.000001""#),
        (
            TimeUnit::Nanosecond,
            i64::MAX,
            r#""2262-04-11T23:47:16.854775807""#,
        ),
        (
            TimeUnit::Picosecond,
            1,
            r#""1970-01-01T00:00:00.000000000001""#,
        ),
        (
            TimeUnit::Femtosecond,
            -1,
            r#""1969-12-31T23:59:59.999999999999999""#,
        ),
        (
            TimeUnit::Attosecond,
            i64::MAX,
            r#""1970-01-01T00:00:09.223372036854775807""#,
        ),
        (TimeUnit::Second, i64::MAX, r#""9223372036854775807""#),
        (TimeUnit::Year, -i64::MAX, r#""-9223372036854775807""#),
        (TimeUnit::Attosecond, i64::MIN, r#""NaT""#),
    ] {
        let expected = format!(
            r#"{{"$array":"{}","shape":[1],"value":[{expected}]}}"#,
            Element::DateTime64(unit).name()
        );
        is_written(&ticks(unit, &[at]), &expected);
    }
}

#[test]
fn cut_for_display() {
    let cut = |value: &Value, most| print(value, Some(most), &LIMITS).unwrap();
    let matrix = read(r#"{"$array":"int8","value":[[1,2,3],[4,5,6]]}"#);
    let whole = text(&matrix);
    assert_eq!(cut(&matrix, 6), whole);
    for (most, first) in [(5, "1,2,3,4,5"), (1, "1"), (0, "")] {
        let expected =
            format!(r#"{{"$array":"int8","shape":[2,3],"cut":{most},"value":[{first}]}}"#);
        assert_eq!(cut(&matrix, most), expected);
        let refused = refusal(&expected);
        assert!(
            refused.contains("SET @codec_json_limit = NULL"),
            "{refused}"
        );
    }
    for (value, expected) in [
        (
            r#"{"$cell":[1,3],"value":[[1,2,3]]}"#,
            r#"{"$cell":[1,3],"cut":2,"value":[1,2]}"#,
        ),
        (
            r#"{"$array":"object","shape":[3],"value":[1,2,3]}"#,
            r#"{"$array":"object","shape":[3],"cut":2,"value":[1,2]}"#,
        ),
        (
            r#"{"$struct":["a"],"shape":[3,1],"value":[[{"a":1}],[{"a":2}],[{"a":3}]]}"#,
            r#"{"$struct":["a"],"shape":[3,1],"cut":2,"value":[{"a":1},{"a":2}]}"#,
        ),
        (
            r#"{"$sparse":"float64","shape":[3,1],"starts":[0,3],"rows":[0,1,2],"value":[1.0,2.0,3.0]}"#,
            r#"{"$sparse":"float64","shape":[3,1],"starts":[0,3],"rows":[0,1,2],"cut":2,"value":[1.0,2.0]}"#,
        ),
    ] {
        assert_eq!(cut(&read(value), 2), expected);
        assert!(refusal(expected).contains("SET @codec_json_limit = NULL"));
    }
    for uncut in [
        r#"[1,2,3,{"$bytes":"AAECAwQF"},"text"]"#,
        r#"{"$array":"char","shape":[1,4],"value":["text"]}"#,
        r#"{"$scalar":"int8","value":1}"#,
    ] {
        assert_eq!(cut(&read(uncut), 0), uncut);
    }
}
