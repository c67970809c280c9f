//! Values before they are read: each knows the place it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) value: Value,
}

/// What TOML, JSON and the environment have in common.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// JSON's `null`: a key that is there and says nothing.
    Null,
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    List(Vec<Node>),
    Table(Table),
}

/// Keys with their values.
pub(super) type Table = BTreeMap<String, Node>;

/// Where a value came from, as an operator would look for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The TOML file, and a line in it, counted from 1.
    File(Arc<Path>, usize),
    /// DataJoint's `datajoint.json`.
    DataJoint(Arc<Path>),
    /// An environment variable.
    Variable(Arc<str>),
    /// A file in DataJoint's folder of secrets.
    SecretFile(Arc<Path>),
}

impl Node {
    pub(super) fn text(origin: &Origin, text: impl Into<String>) -> Self {
        Self {
            origin: origin.clone(),
            value: Value::Text(text.into()),
        }
    }

    /// The tree of a JSON value, all of it from one place.
    pub(super) fn from_json(json: serde_json::Value, origin: &Origin) -> Self {
        use serde_json::Value as Json;
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Boolean(b),
            Json::Number(n) => match n.as_i64() {
                Some(n) => Value::Integer(n),
                None => Value::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Value::Text(text),
            Json::Array(list) => Value::List(
                list.into_iter()
                    .map(|json| Self::from_json(json, origin))
                    .collect(),
            ),
            Json::Object(entries) => Value::Table(
                entries
                    .into_iter()
                    .map(|(key, json)| (key, Self::from_json(json, origin)))
                    .collect(),
            ),
        };
        Self {
            origin: origin.clone(),
            value,
        }
    }
}

impl Origin {
    /// Whether all values of this place are texts, so that `"32"` may stand for a number.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Variable(_) | Self::SecretFile(_))
    }

    /// Whether a value of this place overrides one of a file.
    pub(super) fn is_variable(&self) -> bool {
        matches!(self, Self::Variable(_))
    }

    /// A path as written here. In the TOML file it is relative to that file's folder, elsewhere
    /// to the working directory, as DataJoint has it.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        match self {
            Self::File(file, _) => file.parent().unwrap_or(Path::new("")).join(path),
            _ => PathBuf::from(path),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file, line) => write!(f, "{}:{line}", file.display()),
            Self::DataJoint(file) | Self::SecretFile(file) => write!(f, "{}", file.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}
