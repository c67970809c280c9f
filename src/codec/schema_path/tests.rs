//! Paths against those that DataJoint makes.

use super::*;
use crate::codec::testing::layout;

const SITE: Site<'_> = Site {
    schema: "exp",
    table: "__tab",
    column: "f",
};

fn date(year: u16) -> Date {
    let (month, day) = (1, 2);
    Date { year, month, day }
}

fn time(microsecond: u32) -> Time {
    let (hour, minute, second) = (3, 4, 5);
    Time {
        hour,
        minute,
        second,
        microsecond,
    }
}

#[test]
fn values_are_encoded_as_by_datajoint() {
    // datajoint.storage.encode_pk_value(v)
    let long = format!("{}_86919ab3", "%C3%A9".repeat(50));
    for (value, text) in [
        (Value::Bool(true), "True"),
        (Value::Int(-7), "-7"),
        (Value::Float(2.5), "2.5"),
        (Value::Float(1e16), "1e+16"),
        ("a b".into(), "a b"),
        ("a/b:c".into(), "a%2Fb%3Ac"),
        (Value::Str("x".repeat(100)), &"x".repeat(100)),
        (
            Value::Str("x".repeat(101)),
            &format!("{}_608367d7", "x".repeat(50)),
        ),
        (Value::Str("é".repeat(100)), &"é".repeat(100)),
        (Value::Str("é".repeat(101)), &long),
        ("ü/ß~_.-".into(), "%C3%BC%2F%C3%9F~_.-"),
        ("".into(), ""),
        ("%41".into(), "%41"),
        ("%41?".into(), "%2541%3F"),
        ("2020-01-02 03:04:05".into(), "2020-01-02%2003%3A04%3A05"),
        (
            Value::DateTime(date(2020), time(999)),
            "2020-01-02T03-04-05",
        ),
        (Value::DateTime(date(999), time(0)), "999-01-02T03-04-05"),
        (Value::Date(date(999)), "0999-01-02"),
        (Value::Time(time(0)), "03:04:05"),
        (Value::Time(time(6)), "03:04:05.000006"),
        (Value::Decimal("1.50".into()), "1.50"),
        (
            Value::Uuid(5_u128.to_be_bytes()),
            "00000000-0000-0000-0000-000000000005",
        ),
        (Value::Bytes("a".into()), "b'a'"),
        (Value::Bytes(b"a\xff"[..].into()), "b%27a%5Cxff%27"),
    ] {
        assert_eq!(encode(&value).unwrap(), text, "{value:?}");
    }
    for other in [Value::None, Value::List(vec![])] {
        assert!(encode(&other).is_err(), "{other:?}");
    }
}

#[test]
fn paths_are_those_of_datajoint() {
    // build_object_path("exp", "__tab", "f", {"a": 1, "b": "x/y", "c": "z"}, ext, pattern,
    //                   schema_prefix=prefix)[0], with the token replaced by T
    let key = [
        ("a".to_owned(), Value::Int(1)),
        ("b".to_owned(), "x/y".into()),
        ("c".to_owned(), "z".into()),
    ];
    for (ext, pattern, prefix, expected) in [
        (
            None,
            None,
            "_schema",
            "_schema/exp/__tab/a=1/b=x%2Fy/c=z/f_T",
        ),
        (
            Some("dat"),
            None,
            "_schema",
            "_schema/exp/__tab/a=1/b=x%2Fy/c=z/f_T.dat",
        ),
        (Some(".npy"), None, "", "exp/__tab/a=1/b=x%2Fy/c=z/f_T.npy"),
        (
            Some(""),
            Some("{b}/x{a}{zz}{a}{ a}{b"),
            "_schema",
            "_schema/b=x%2Fy/a=1/a=1/exp/__tab/c=z/f_T",
        ),
        (
            None,
            Some("a/b"),
            "x/y",
            "x/y/exp/__tab/a=1/b=x%2Fy/c=z/f_T",
        ),
    ] {
        let mut layout = layout();
        layout.schema_prefix = ObjectPath::parse(prefix).ok();
        layout.partition_pattern = pattern.map(str::to_owned);
        let path = path(&layout, SITE, &key, "T", ext).unwrap();
        assert_eq!(path.as_str(), expected);
    }
    // update1 knows no key: build_object_path("exp", "__tab", "f", {}, None, ...)
    let path = path(&layout(), SITE, &[], "T", None).unwrap();
    assert_eq!(path.as_str(), "_schema/exp/__tab/f_T");
}

#[test]
fn a_name_is_one_folder() {
    let key = |name: &str, value: &str| vec![(name.to_owned(), Value::from(value))];
    let try_path = |site, key: &[_], ext| path(&layout(), site, key, "T", ext);
    let schema = Site {
        schema: "exp/other",
        ..SITE
    };
    let table = Site {
        table: "..",
        ..SITE
    };
    assert!(try_path(schema, &[], None).is_err());
    assert!(try_path(table, &[], None).is_err());
    assert!(try_path(SITE, &key("a/b", "c"), None).is_err());
    assert!(try_path(SITE, &key("a", "x\ny"), None).is_err());
    assert!(try_path(SITE, &[], Some("x/../../y")).is_err());
    assert!(try_path(SITE, &key("a", ".."), None).is_ok());
}

#[test]
fn tokens_have_their_length_and_differ() {
    for (length, expected) in [(0, 4), (4, 4), (8, 8), (16, 16), (99, 16)] {
        let token = token(length).unwrap();
        assert_eq!(token.len(), expected);
        let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(token.chars().all(is_token), "{token}");
    }
    assert_ne!(token(16).unwrap(), token(16).unwrap());
    let many: String = (0..200).map(|_| token(16).unwrap()).collect();
    let used: std::collections::BTreeSet<char> = many.chars().collect();
    assert_eq!(used.len(), 64);
}
