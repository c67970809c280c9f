//! From the TOML file to the tree.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::tree::{Node, Origin, Table, Value};

/// Reads and parses the file.
pub(super) fn read(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        file: path.to_owned(),
        source,
        hint: "name the configuration with --config; config/codec-proxy.toml is an example"
            .to_owned(),
    })?;
    parse(&text, path)
}

/// Parses the text of the file at `path`.
pub(super) fn parse(text: &str, path: &Path) -> Result<Table, ConfigError> {
    let source = Source {
        text,
        path: Arc::from(path),
    };
    let document = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        place: source.origin(error.span().unwrap_or_default()).to_string(),
        format: "TOML",
        // Not the error's own display: that quotes the line, which may hold a password.
        message: error.message().to_owned(),
    })?;
    source.table(document.into_inner(), "")
}

struct Source<'a> {
    text: &'a str,
    path: Arc<Path>,
}

impl Source<'_> {
    fn table(&self, entries: DeTable<'_>, parent: &str) -> Result<Table, ConfigError> {
        entries
            .into_iter()
            .map(|(name, value)| {
                let name = name.into_inner().into_owned();
                let key = super::section::join(parent, &name);
                Ok((name, self.node(value, &key)?))
            })
            .collect()
    }

    fn node(&self, value: Spanned<DeValue<'_>>, key: &str) -> Result<Node, ConfigError> {
        let origin = self.origin(value.span());
        let invalid = |reason: &str| ConfigError::Invalid {
            origin: origin.clone(),
            key: key.to_owned(),
            reason: reason.to_owned(),
        };
        let value = match value.into_inner() {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
                .map(Value::Integer)
                .map_err(|_| invalid("the number is too large"))?,
            DeValue::Float(digits) => digits
                .as_str()
                .parse()
                .map(Value::Float)
                .map_err(|_| invalid("not a number"))?,
            DeValue::Boolean(boolean) => Value::Boolean(boolean),
            DeValue::Datetime(_) => return Err(invalid("no key takes a date or time")),
            DeValue::Array(list) => Value::List(
                list.into_iter()
                    .enumerate()
                    .map(|(i, value)| self.node(value, &super::section::join(key, &i.to_string())))
                    .collect::<Result<_, _>>()?,
            ),
            DeValue::Table(entries) => Value::Table(self.table(entries, key)?),
        };
        Ok(Node { origin, value })
    }

    fn origin(&self, span: Range<usize>) -> Origin {
        let before = &self.text.as_bytes()[..span.start.min(self.text.len())];
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        Origin::File(self.path.clone(), line)
    }
}
