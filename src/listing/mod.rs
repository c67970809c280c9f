//! What people and tools are told of codecs, types and columns, whether they ask on the command
//! line or at the console.

pub mod codecs;
pub mod columns;

use crate::codec::{Addressing, TypeSpec};

/// What stands where there is nothing to tell.
pub const NOTHING: &str = "—";

/// How objects are named, in a word; `None` for a chain that makes none.
pub fn addressing_name(addressing: Addressing) -> Option<&'static str> {
    match addressing {
        Addressing::Inner => None,
        Addressing::Hash => Some("hash"),
        Addressing::Schema => Some("schema"),
        Addressing::Reference => Some("reference"),
    }
}

/// A spec with or without its brackets.
pub fn parse(text: &str) -> Option<TypeSpec> {
    let text = text.trim();
    if text.contains(['<', '>']) {
        TypeSpec::parse(text)
    } else {
        TypeSpec::parse(&format!("<{text}>"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_may_be_left_out_but_not_by_half() {
        let spec = |text| parse(text).map(|spec| spec.to_string());
        for text in ["<blob@main>", "blob@main", " blob@main "] {
            assert_eq!(spec(text).as_deref(), Some("<blob@main>"), "{text:?}");
        }
        assert_eq!(spec("blob@").as_deref(), Some("<blob@>"));
        for text in ["", " ", "<>", "<blob", "blob>", "<blob> raw"] {
            assert_eq!(spec(text), None, "{text:?}");
        }
    }
}
