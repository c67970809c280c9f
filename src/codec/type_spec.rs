//! Type specs: `<blob>`, `<blob@main>`, `<blob@>`.

use std::fmt;

/// The name of a codec and, after `@`, the store that it is to use.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypeSpec {
    /// The codec's name; empty where the text gives none, as in `<@main>`.
    pub codec: String,
    /// `None` without `@`, `Some("")` for the default store, else the store's name.
    pub store: Option<String>,
}

impl TypeSpec {
    /// Reads `<codec>` or `<codec@store>` as `parse_type_spec` of DataJoint 2.3.5 does.
    ///
    /// Spaces around the parts do not count; a store's name may hold any character. `None`
    /// means that the text is not in angle brackets, or that there is nothing in them.
    pub fn parse(text: &str) -> Option<Self> {
        if !(text.starts_with('<') && text.ends_with('>') && text.len() > 2) {
            return None;
        }
        let inner = text.trim_matches(['<', '>']).trim();
        Some(match inner.split_once('@') {
            Some((codec, store)) => Self {
                codec: codec.trim().to_owned(),
                store: Some(store.trim().to_owned()),
            },
            None => Self {
                codec: inner.to_owned(),
                store: None,
            },
        })
    }
}

impl fmt::Display for TypeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.store {
            Some(store) => write!(f, "<{}@{store}>", self.codec),
            None => write!(f, "<{}>", self.codec),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, Option<String>)> {
        TypeSpec::parse(text).map(|spec| (spec.codec, spec.store))
    }

    #[test]
    fn the_store_is_none_default_or_named() {
        let is = |codec: &str, store: Option<&str>| Some((codec.into(), store.map(str::to_owned)));
        assert_eq!(parts("<blob>"), is("blob", None));
        assert_eq!(parts("<blob@>"), is("blob", Some("")));
        assert_eq!(parts("<blob@main>"), is("blob", Some("main")));
        assert_eq!(
            parts("< blob @ cold store >"),
            is("blob", Some("cold store"))
        );
        assert_eq!(parts("<blob@a@b>"), is("blob", Some("a@b")));
        assert_eq!(parts("<@main>"), is("", Some("main")));
    }

    #[test]
    fn other_texts_are_no_spec() {
        for text in ["", "blob", "<blob", "blob>", "<>", "int32", "<blob> raw"] {
            assert_eq!(parts(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_spec_prints_as_it_is_declared() {
        for text in ["<blob>", "<blob@>", "<hash@main>"] {
            assert_eq!(TypeSpec::parse(text).unwrap().to_string(), text);
        }
    }
}
