//! Which column of a result comes from where.

use std::sync::Arc;

use super::*;
use crate::catalog::{Table, TableKind};

fn column(name: &str) -> CodecColumn {
    CodecColumn {
        table: Arc::new(Table {
            schema: "lab".into(),
            name: name.into(),
            kind: TableKind::Base,
            columns: Vec::new(),
        }),
        column: 0,
    }
}

fn one(name: &str, from: &str) -> Slot {
    Slot::One {
        name: Some(name.into()),
        from: (!from.is_empty()).then(|| column(from)),
    }
}

fn some(columns: &[&str]) -> Slot {
    Slot::Some(columns.iter().map(|c| ((*c).into(), column(c))).collect())
}

fn resolve(slots: &[Slot], names: &[&str]) -> Option<Vec<String>> {
    let defined = names.iter().map(|name| Defined {
        name: name.as_bytes(),
        announced: None,
    });
    resolve_defined(slots, &defined.collect::<Vec<_>>())
}

fn resolve_defined(slots: &[Slot], defined: &[Defined]) -> Option<Vec<String>> {
    let resolved = Lineage::Known(slots.to_vec()).resolve(defined).ok()?;
    let name = |c: &Option<CodecColumn>| c.as_ref().map_or(String::new(), |c| c.table.name.clone());
    Some(resolved.iter().map(name).collect())
}

#[test]
fn named_columns_are_told_by_their_place() {
    let slots = [one("a", ""), one("x", "p"), one("x", "q")];
    assert_eq!(
        resolve(&slots, &["a", "x", "x"]).unwrap(),
        ["", "p", "q"].map(String::from)
    );
    assert_eq!(resolve(&slots, &["a", "x"]), None);
    assert_eq!(resolve(&slots, &["a", "x", "x", "y"]), None);
    assert_eq!(resolve(&[], &[]).unwrap(), [""; 0]);
}

#[test]
fn columns_of_a_wildcard_are_told_by_their_name() {
    let slots = [one("p", ""), some(&["p", "q"]), one("q", "r")];
    assert_eq!(
        resolve(&slots, &["p", "x", "Q", "p", "q"]).unwrap(),
        ["", "", "q", "p", "r"].map(String::from)
    );
    assert_eq!(resolve(&slots, &["p", "q", "p", "p", "q"]), None, "twice");
    assert_eq!(resolve(&slots, &["p", "q", "q"]), None, "missing");
    assert_eq!(resolve(&slots, &["p"]), None, "too few");
    let slots = [some(&["p"]), one("p", ""), some(&[])];
    assert_eq!(resolve(&slots, &["p", "p", "x"]), None);
    let slots = [some(&["p"]), one("x", "q"), some(&[])];
    assert_eq!(
        resolve(&slots, &["a", "p", "x", "b"]).unwrap(),
        ["", "p", "q", ""].map(String::from)
    );
    assert_eq!(resolve(&slots, &["x", "p", "x"]), None);
}

#[test]
fn columns_of_one_name_are_told_by_the_definitions() {
    let slots = [some(&["p"]), some(&[])];
    let defined = |announced: [Option<&str>; 2]| {
        let one = |from: Option<&str>| Defined {
            name: b"p",
            announced: from.map(column),
        };
        announced.map(one)
    };
    assert_eq!(
        resolve_defined(&slots, &defined([None, Some("p")])).unwrap(),
        ["", "p"].map(String::from)
    );
    assert_eq!(resolve_defined(&slots, &defined([None, Some("q")])), None);
    assert_eq!(
        resolve_defined(&slots, &defined([Some("p"), Some("p")])),
        None
    );
}

#[test]
fn a_column_of_another_name_is_another() {
    assert_eq!(resolve(&[one("x", "p")], &["y"]), None);
}

#[test]
fn the_definitions_alone_tell_of_a_call() {
    let defined = [Defined {
        name: b"x",
        announced: Some(column("p")),
    }];
    let found = Lineage::Announced.resolve(&defined).unwrap();
    assert_eq!(found[0].as_ref().unwrap().table.name, "p");
}
