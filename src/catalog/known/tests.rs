//! What a slow scan, later looks and views over codec tables make of the index.

use super::super::index::{Column, ColumnCodec};
use super::*;
use crate::codec::TypeSpec;

fn table(name: &str, spec: &str) -> Table {
    Table {
        schema: "lab".into(),
        name: name.into(),
        kind: TableKind::Base,
        columns: vec![Column {
            name: "traces".into(),
            invisible: false,
            marker: Some(spec.into()),
            codec: Some(ColumnCodec::Unusable {
                spec: spec.into(),
                reason: String::new(),
            }),
            key: None,
        }],
    }
}

fn inline(name: &str) -> Table {
    let chain = TypeSpec::parse("<blob>").and_then(|spec| spec.resolve().ok());
    let mut table = table(name, "<blob>");
    table.columns[0].codec = chain.map(ColumnCodec::Chain);
    table
}

fn scan(tables: &[&str]) -> Scan {
    let named = |name: &&str| (Name::new("lab", name), table(name, "<npy@>"));
    Scan {
        tables: tables.iter().map(named).collect(),
        ..Scan::default()
    }
}

#[test]
fn a_slow_scan_does_not_overwrite_newer_looks() {
    let mut known = Known::default();
    known.begin_scan();
    known.end_scan(scan(&["old"]));
    known.begin_scan();
    known.take(
        Name::new("lab", "new"),
        Found::Table(table("new", "<npy@>")),
    );
    known.take(Name::new("lab", "old"), Found::Nothing);
    assert!(known.index().table(b"lab", b"old").is_none());
    known.end_scan(scan(&["old"]));
    let index = known.index();
    assert!(index.table(b"lab", b"new").is_some());
    assert!(index.table(b"lab", b"old").is_none());
    // The next scan is believed again.
    known.begin_scan();
    known.end_scan(scan(&["old"]));
    assert!(known.index().table(b"lab", b"old").is_some());
}

#[test]
fn views_are_opaque_when_they_may_show_an_external_column() {
    let mut known = Known::default();
    let mut found = scan(&["session"]);
    let view = |name: &str, text: Option<&str>| ViewText::new(Name::new("lab", name), text);
    found.views = vec![
        view(
            "shows",
            Some("select `lab`.`session`.`traces` AS `x` from `lab`.`session`"),
        ),
        view(
            "keys",
            Some("select `lab`.`session`.`id` AS `id` from `lab`.`session`"),
        ),
        view(
            "other",
            Some("select `lab`.`other`.`traces` AS `x` from `lab`.`other`"),
        ),
        view("upon", Some("select `shows`.`x` AS `x` from `lab`.`shows`")),
        view(
            "upon_upon",
            Some("select `upon`.`x` AS `x` from `lab`.`upon`"),
        ),
        view("closed", Some("")),
    ];
    known.begin_scan();
    known.end_scan(found);
    let index = known.index();
    let mut opaque: Vec<&str> = index
        .tables()
        .filter(|t| t.kind == TableKind::View)
        .map(|t| t.name.as_str())
        .collect();
    opaque.sort_unstable();
    assert_eq!(opaque, ["closed", "shows", "upon", "upon_upon"]);
    assert!(index.has_external());
    // Where all columns are plain, views matter only where those are translated.
    known.take(Name::new("lab", "session"), Found::Table(inline("session")));
    let index = known.index();
    let is_inline = |t: &&Arc<Table>| t.kind == TableKind::InlineView;
    assert_eq!(index.tables().filter(is_inline).count(), 4);
    assert_eq!(index.tables().count(), 5);
    assert!(!index.has_external());
    // Without a codec column on the server no view matters.
    known.take(Name::new("lab", "session"), Found::Nothing);
    assert!(known.index().is_empty());
}
