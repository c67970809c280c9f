//! What is refused, and what clients are told.

use super::*;

#[test]
fn errors_say_where() {
    for (text, expected) in [
        (r#"{"$arry":"float64"}"#, "nearest known one is $array"),
        (r#"{"$arry":"float64"}"#, "at $ (line 1, column"),
        (
            r#"{"a":{"b":[1,{"$flot":1}]}}"#,
            "nearest known one is $float",
        ),
        (r#"{"a":{"b":[1,{"$flot":1}]}}"#, "at $.a.b[1] ("),
        (
            r#"{"$array":"flaot64","value":[1]}"#,
            "nearest known one is float64",
        ),
        (
            r#"{"$array":"int8","value":[1,128]}"#,
            "int8 takes integers of its range; at $.value[1] (",
        ),
        (r#"{"$array":"int8","value":[1.0]}"#, "int8 takes integers"),
        (
            r#"{"$array":"uint8","value":[[1],[-1]]}"#,
            "at $.value[1][0] (",
        ),
        (
            r#"{"$array":"uint64","value":["18446744073709551616"]}"#,
            "uint64 takes integers",
        ),
        (r#"{"$array":"float32","value":[1e39]}"#, "a float32 is"),
        (r#"{"$array":"float64","value":[null]}"#, "a float64 is"),
        (
            r#"{"$array":"float64","value":["0x7ff80001"]}"#,
            "a float64 is",
        ),
        (r#"{"$array":"bool","value":[2]}"#, "true and false"),
        (
            r#"{"$array":"complex64","value":[1,2,3]}"#,
            "complex64 is [re,im]",
        ),
        (
            r#"{"$array":"datetime64[D]","value":["2021-02-29"]}"#,
            "datetime64[D] takes",
        ),
        (
            r#"{"$array":"datetime64[D]","value":["2021-02-28T01"]}"#,
            "datetime64[D] takes",
        ),
        (
            r#"{"$array":"datetime64[W]","value":["2020-03-04"]}"#,
            "datetime64[W] takes",
        ),
        (
            r#"{"$array":"datetime64[ns]","value":["2263-01-01"]}"#,
            "datetime64[ns] takes",
        ),
        (
            r#"{"$array":"int8","value":[[1,2],[3]]}"#,
            "different lengths; at $.value[1] (",
        ),
        (r#"{"$array":"int8","value":[[1],2]}"#, "different lengths"),
        (r#"{"$array":"int8","value":[1,[2]]}"#, "different lengths"),
        (r#"{"$array":"int8","value":[[],[1]]}"#, "different lengths"),
        (
            r#"{"$array":"char","value":["ab","c"]}"#,
            "different lengths",
        ),
        (
            r#"{"$array":"int8","shape":[3],"value":[1,2]}"#,
            "as the shape says",
        ),
        (
            r#"{"$array":"int8","shape":[2,1],"value":[1,2]}"#,
            "as the shape says",
        ),
        (
            r#"{"$array":"int8","shape":[1152921504606846976],"value":[1]}"#,
            "as the shape says",
        ),
        (
            r#"{"$array":"int8","shape":[0],"value":[1]}"#,
            "as the shape says",
        ),
        (
            r#"{"$array":"int8","shape":[-1],"value":[1]}"#,
            "JSON notation",
        ),
        (
            r#"{"$array":"int8","value":{}}"#,
            "nested lists of elements; at $.value (",
        ),
        (r#"{"$array":"int8"}"#, "value is missing"),
        (
            r#"{"$array":"int8","value":[1],"value":[1]}"#,
            "shape and value, once",
        ),
        (
            r#"{"$array":"int8","sahpe":[1],"value":[1]}"#,
            "shape and value, once",
        ),
        (
            r#"{"$array":"object","shape":[2,1],"value":[[1],[2],[3]]}"#,
            "more elements than the shape says",
        ),
        (
            r#"{"$array":"object","shape":[2,2],"value":[[1,2],[3]]}"#,
            "fewer elements",
        ),
        (
            r#"{"$array":"object","shape":[2,2],"value":[[1,2],3]}"#,
            "nested as the shape says",
        ),
        (
            r#"{"$array":"object","value":[[1,2],[3,4]],"shape":[2,2]}"#,
            "the shape comes before",
        ),
        (
            r#"{"$array":"object","shape":[4294967296,4294967296],"value":[]}"#,
            "more elements than can be",
        ),
        (
            r#"{"$scalar":"float64","shape":[],"value":1.0}"#,
            "after $scalar comes value",
        ),
        (
            r#"{"$scalar":"float64","value":[1.0]}"#,
            "as the shape says",
        ),
        (r#"{"$cell":[1,1],"value":[[1]],"extra":1}"#, "after $cell"),
        (
            r#"{"$struct":["a"],"value":[[1]]}"#,
            "the shape comes before",
        ),
        (
            r#"{"$struct":["a"],"shape":[1,2],"value":[[{"a":1},{"b":1}]]}"#,
            "is missing",
        ),
        (
            r#"{"$struct":["a"],"shape":[1,1],"value":[[{"a":1,"b":1}]]}"#,
            "does not have",
        ),
        (r#"{"$struct":{"a":1,"a":2}}"#, "comes twice"),
        (
            r#"{"$sparse":"float64","shape":[2,2],"starts":[0,1],"rows":[0],"value":[5.0]}"#,
            "one start more",
        ),
        (
            r#"{"$sparse":"float64","shape":[2,2],"starts":[0,1,1],"rows":[],"value":[5.0]}"#,
            "as many rows",
        ),
        (r#"{"$record":[["a",1]]}"#, "[name,array]"),
        (
            r#"{"$dict":[["a",1,2]]}"#,
            "a key and a value; at $.$dict[0] (",
        ),
        (r#"{"$dict":[["a"]]}"#, "a key and a value"),
        (r#"{"a":1,"a":2}"#, "a key comes twice"),
        (r#"{"a":1,"$int":"2"}"#, "begins with $ is a tag"),
        (r#"{"$int":"1","more":2}"#, "nothing more"),
        (r#"{"$int":"1.5"}"#, "$int takes digits"),
        (r#"{"$int":[1]}"#, "a string or a number"),
        (r#"{"$complex":[1,2,3]}"#, "is [re,im]; at $.$complex ("),
        (r#"{"$complex":[1,"x"]}"#, "a float64 is"),
        (r#"{"$bytes":"AA"}"#, "$bytes takes base64"),
        (r#"{"$decimal":"secret"}"#, "$decimal takes"),
        (r#"{"$date":"0000-01-01"}"#, "$date takes"),
        (r#"{"$date":"2020-1-1"}"#, "$date takes"),
        (r#"{"$time":"24:00:00"}"#, "$time takes"),
        (r#"{"$time":"01:00:00.0000001"}"#, "$time takes"),
        (r#"{"$datetime":"2020-01-01T00:00:00Z"}"#, "$datetime takes"),
        (r#"{"$uuid":"1234"}"#, "$uuid takes"),
        ("[18446744073709551616]", "beyond 64 bits"),
        (r#"["\"99\\",-9223372036854775809]"#, "beyond 64 bits"),
        ("[1,2", "not JSON: EOF"),
        ("[1,2]]", "not JSON: trailing characters"),
        ("[1,]", "not JSON: trailing comma"),
        ("", "not JSON"),
        ("[1e999]", "not JSON: number out of range"),
        ("{1:2}", "not JSON: key must be a string"),
        (r#""\ud800""#, "not JSON"),
        ("NaN", "not JSON"),
    ] {
        let refused = refusal(text);
        let expected = expected.replace("JSON notation", "json notation");
        assert!(refused.contains(&expected), "{text}: {refused}");
        assert!(
            !refused.contains("secret") && !refused.contains("flot"),
            "{refused}"
        );
    }
    let error = parse(b"\"a\xff\"", &LIMITS).unwrap_err().to_string();
    assert!(error.contains("after 2 bytes"), "{error}");
}

#[test]
fn errors_quote_no_content() {
    for text in [
        r#"{"a secret":{"$tuple":"secret"}}"#,
        r#"{"$tuple":{"secret":1}}"#,
        r#"{"$array":["secret"]}"#,
        r#"{"$array":"secret"}"#,
        r#"{"$array":"int8","shape":["secret, expected secret"]}"#,
        r#"{"$array":"int8","value":["secret"]}"#,
        r#"{"$array":"int8","value":{"secret":1}}"#,
        r#"{"$secret":1}"#,
        r#"{"$int":"secret"}"#,
        r#"{"$int":"1","secret":1}"#,
        r#"{"$struct":"secret"}"#,
        r#"{"$struct":["a"],"shape":[1,1],"value":"secret"}"#,
        r#"{"$cell":"secret"}"#,
        r#"{"$dict":["secret"]}"#,
        r#"{"$record":[["secret",2]]}"#,
        r#"["secret" "secret"]"#,
        "secret",
    ] {
        let refused = refusal(text);
        assert!(!refused.contains("secret"), "{text}: {refused}");
    }
}

#[test]
fn text_is_limited() {
    let limits = ValueLimits {
        json_bytes: 20,
        ..LIMITS
    };
    let fits = Value::Str("a".repeat(18));
    assert_eq!(print(&fits, None, &limits).unwrap().len(), 20);
    assert_eq!(parse(text(&fits).as_bytes(), &limits).unwrap(), fits);
    let numbers = Value::Array(array(Element::Int8, &[1 << 20], &[0; 1 << 20]));
    for too_long in [
        Value::Str("a".repeat(19)),
        Value::Bytes(vec![0; 1 << 20].into()),
        Value::List(vec![Value::None; 10]),
        Value::BigInt(num_bigint::BigInt::from(7).pow(100_000)),
        numbers.clone(),
    ] {
        let error = print(&too_long, None, &limits).unwrap_err();
        assert!(matches!(error, CodecError::Limit(_)));
        let told = error.to_string();
        assert!(
            told.contains("limits.json_bytes") && told.contains("@codec_json_limit = N"),
            "{told}"
        );
    }
    let limits = ValueLimits {
        json_bytes: 60,
        ..LIMITS
    };
    assert!(print(&numbers, Some(1), &limits).is_ok());
    assert!(matches!(
        parse(&[b' '; 61], &limits),
        Err(CodecError::Limit(_))
    ));
}

#[test]
fn memory_is_limited() {
    let limits = ValueLimits {
        bytes: 10_000,
        ..LIMITS
    };
    let list = format!("[{}0]", "0,".repeat(1000));
    let zeros = "0,".repeat(2000);
    let array = format!(r#"{{"$array":"float64","value":[{zeros}0]}}"#);
    for text in [list, array] {
        let error = parse(text.as_bytes(), &limits).unwrap_err();
        assert!(
            matches!(&error, CodecError::Limit(told) if told.contains("limits.value_bytes")),
            "{error}"
        );
    }
}

#[test]
fn depth_is_limited_the_same_on_both_sides() {
    let kinds: [(&str, &str); 7] = [
        ("[", "]"),
        (r#"{"a":"#, "}"),
        (r#"{"$tuple":["#, "]}"),
        (r#"{"$dict":[[1,"#, "]]}"),
        (r#"{"$cell":[1,1],"value":[["#, "]]}"),
        (r#"{"$struct":{"a":"#, "}}"),
        (
            r#"{"$struct":["a","a"],"shape":[1,1],"value":[[[1,"#,
            "]]]}",
        ),
    ];
    for (open, close) in kinds {
        let nested = |depth| format!("{}null{}", open.repeat(depth), close.repeat(depth));
        // As deep as the default, on the stack of this thread.
        let value = parse(nested(100).as_bytes(), &LIMITS).unwrap();
        assert_eq!(print(&value, None, &LIMITS).unwrap(), nested(100));
        // The most that a configuration can ask for.
        let limits = ValueLimits {
            depth: 10_000,
            ..LIMITS
        };
        let value = parse(nested(500).as_bytes(), &limits).unwrap();
        assert_eq!(print(&value, None, &limits).unwrap(), nested(500));
        let less = ValueLimits {
            depth: 499,
            ..LIMITS
        };
        for error in [
            print(&value, None, &less).unwrap_err(),
            parse(nested(500).as_bytes(), &less).unwrap_err(),
            parse(nested(501).as_bytes(), &limits).unwrap_err(),
            parse(nested(1_000_000).as_bytes(), &limits).unwrap_err(),
        ] {
            assert!(
                matches!(&error, CodecError::Limit(told) if told.contains("limits.value_depth")),
                "{error}"
            );
        }
    }
    let brackets = "[".repeat(1_000_000);
    assert!(refusal(&format!(r#"{{"$array":"int8","value":{brackets}"#)).contains("64 dimensions"));
}
