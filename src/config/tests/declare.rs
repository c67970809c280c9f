//! `[declare]`.

use super::{config, error, error_with, least};
use crate::view::{Declaring, PlainType};

fn spec(declare: &Declaring, plain: PlainType, schema: &str, table: &str) -> String {
    let chain = declare.codec(plain, schema, table);
    chain.map_or(String::new(), |chain| chain.spec.clone())
}

#[test]
fn plain_types_stay_plain_unless_told() {
    use PlainType::{Attach, LongBlob};
    let none = config(&least("")).declare;
    assert_eq!(spec(&none, LongBlob, "lab", "scan"), "");
    let told = "[declare]\nlongblob = '<blob@main>'\nattach = '<attach>'\n\
        [[declare.rules]]\nschema = 'lab_*'\nlongblob = '<blob>'\n\
        [[declare.rules]]\ntable = '__*'\nattach = ''\n";
    let declare = config(&least(told)).declare;
    assert_eq!(spec(&declare, LongBlob, "lab_a", "scan"), "<blob>");
    assert_eq!(spec(&declare, LongBlob, "lab", "scan"), "<blob@main>");
    assert_eq!(spec(&declare, Attach, "lab_a", "scan"), "<attach>");
    assert_eq!(spec(&declare, Attach, "lab_a", "__scan"), "");
}

#[test]
fn what_is_no_codec_for_it_is_an_error() {
    for (text, reason) in [
        ("longblob = 'blob'", "`declare.longblob`"),
        ("longblob = '<nosuch>'", "Unknown codec"),
        ("longblob = '<hash>'", "requires @"),
        ("longblob = '< blob >'", "is not how such a type is written"),
        ("longblob = '<attach>'", "takes another codec"),
        ("longblob = '<filepath@main>'", "takes another codec"),
        ("attach = '<blob@main>'", "takes another codec"),
        ("longblob = 5", "takes a text"),
        ("longblb = '<blob>'", "did you mean `longblob`?"),
        (
            "rules = [{ tabel = 'x' }]",
            "`declare.rules.0.tabel`: did you mean `table`?",
        ),
        ("rules = [{ table = 'x' }]", "takes `longblob` or `attach`"),
        (
            "rules = [{ table = '', attach = '' }]",
            "`declare.rules.0.table`",
        ),
        ("rules = '<blob>'", "`declare.rules`"),
    ] {
        let error = error(&least(&format!("[declare]\n{text}\n")));
        assert!(error.contains(reason), "{text}: {error}");
    }
    let variable = [("CODEC_PROXY__DECLARE__ATTACH", "blob")];
    let error = error_with(&least(""), &variable);
    assert!(error.contains("CODEC_PROXY__DECLARE__ATTACH"), "{error}");
}
