//! What clients see of codec columns.
//!
//! [`View`]: which columns are translated and how they are announced. [`Choice`]: what a session
//! has chosen. [`describe`]: what `SHOW COLUMNS` says. [`Declaring`]: what a client's plain types
//! become.

mod choice;
mod declaring;
pub mod describe;

use serde::Deserialize;

pub use choice::{Choice, Setting};
pub use declaring::{Becomes, Declaring, PlainType, Rule};

use crate::catalog::{ColumnCodec, Index};

/// How codec columns are presented to a client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// Packed DataJoint bytes in a `longblob`: what DataJoint 0.x and MATLAB expect.
    #[default]
    Bytes,
    /// Exactly what is stored: for DataJoint 2.x, which runs the codecs itself.
    Stored,
    /// JSON text that a person reads and writes.
    Json,
}

/// The type by which a translated column of a result is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Bytes, `longblob`.
    LongBlob,
    /// Long text in UTF-8, `longtext`.
    LongText,
    /// Short text in UTF-8, `varchar`.
    VarChar,
}

impl View {
    /// All views.
    pub const ALL: [Self; 3] = [Self::Bytes, Self::Stored, Self::Json];

    /// Whether what a client sends and gets is something else than what the column holds.
    pub fn translates(self, codec: &ColumnCodec) -> bool {
        match self {
            Self::Bytes => !codec.is_plain(),
            Self::Stored => false,
            Self::Json => true,
        }
    }

    /// Whether some column of the catalog is translated: only then a result can hold one.
    pub fn translates_any(self, index: &Index) -> bool {
        match self {
            Self::Bytes => index.has_external(),
            Self::Stored => false,
            Self::Json => !index.is_empty(),
        }
    }

    /// How a column that it translates is announced.
    pub fn shape(self, codec: &ColumnCodec) -> Shape {
        match (self, codec) {
            (Self::Json, _) => Shape::LongText,
            (_, ColumnCodec::Chain(chain)) if chain.is_text() => Shape::VarChar,
            _ => Shape::LongBlob,
        }
    }

    /// The name in the configuration and in `@codec_view`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Stored => "stored",
            Self::Json => "json",
        }
    }
}

impl std::fmt::Display for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::{Column, NameCase, Table, TableKind};
    use crate::codec::TypeSpec;

    fn codec(spec: &str) -> ColumnCodec {
        let chain = TypeSpec::parse(spec).and_then(|spec| spec.resolve().ok());
        ColumnCodec::Chain(chain.expect("a chain"))
    }

    #[test]
    fn a_result_holds_what_the_catalog_has() {
        let index = |specs: &[&str]| {
            let column = |spec: &&str| Column {
                name: "x".into(),
                invisible: false,
                marker: Some((*spec).into()),
                codec: Some(codec(spec)),
                key: None,
            };
            let table = |spec| Table {
                schema: "lab".into(),
                name: "t".into(),
                kind: TableKind::Base,
                columns: vec![column(spec)],
            };
            let tables = specs.iter().map(|spec| Arc::new(table(spec))).collect();
            Index::new(tables, NameCase::Sensitive, true)
        };
        for (specs, bytes, json) in [
            (&[][..], false, false),
            (&["<blob>"], false, true),
            (&["<blob>", "<blob@>"], true, true),
        ] {
            let index = index(specs);
            assert_eq!(View::Bytes.translates_any(&index), bytes, "{specs:?}");
            assert_eq!(View::Json.translates_any(&index), json, "{specs:?}");
            assert!(!View::Stored.translates_any(&index));
        }
    }

    #[test]
    fn a_view_translates_what_its_clients_do_not_see_as_stored() {
        let unusable = ColumnCodec::Unusable {
            spec: "<graph@main>".into(),
            reason: String::new(),
        };
        for (codec, bytes) in [
            (codec("<blob>"), false),
            (codec("<blob@main>"), true),
            (codec("<hash@>"), true),
            (codec("<attach>"), false),
            (codec("<attach@main>"), true),
            (codec("<object@main>"), true),
            (codec("<npy@>"), true),
            (unusable, true),
        ] {
            assert_eq!(View::Bytes.translates(&codec), bytes, "{codec:?}");
            assert!(View::Json.translates(&codec));
            assert!(!View::Stored.translates(&codec));
            assert_eq!(View::Bytes.shape(&codec), Shape::LongBlob);
            assert_eq!(View::Json.shape(&codec), Shape::LongText);
        }
        let filepath = codec("<filepath@>");
        assert!(View::Bytes.translates(&filepath));
        assert_eq!(View::Bytes.shape(&filepath), Shape::VarChar);
        assert_eq!(View::Json.shape(&filepath), Shape::LongText);
    }
}
