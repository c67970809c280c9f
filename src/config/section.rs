//! Reading the tree key by key, with errors that name the place and the full key path.

use std::path::PathBuf;
use std::time::Duration;

use super::ConfigError;
use super::tree::{Node, Origin, Table, Value};
use crate::store::Secret;

/// The longest time that a `…_seconds` key takes, so that no clock can overflow: a year.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// A table all of whose keys are known ones.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) key: String,
    pub(super) origin: Origin,
    entries: Table,
}

/// A value, its place and the full path of its key.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) node: Node,
}

impl Section {
    /// Takes the table over, if it has no other keys than the `known` ones.
    pub(super) fn open(
        key: &str,
        origin: &Origin,
        entries: Table,
        known: &[&'static str],
    ) -> Result<Self, ConfigError> {
        let is_known = |name: &str| known.contains(&name);
        if let Some((name, node)) = entries.iter().find(|(name, _)| !is_known(name)) {
            return Err(ConfigError::UnknownKey {
                origin: node.origin.clone(),
                key: join(key, name),
                nearest: nearest(name, known.iter().copied())
                    .unwrap_or_default()
                    .to_owned(),
                known: known.to_vec(),
            });
        }
        Ok(Self {
            key: key.to_owned(),
            origin: origin.clone(),
            entries,
        })
    }

    /// Takes a value out; `None` where the key is absent (or `null`).
    pub(super) fn take(&mut self, name: &str) -> Option<Field> {
        let node = self.entries.remove(name)?;
        (node.value != Value::Null).then(|| Field {
            key: join(&self.key, name),
            node,
        })
    }

    /// Takes a value that must be there.
    pub(super) fn require(&mut self, name: &str, hint: &'static str) -> Result<Field, ConfigError> {
        self.take(name).ok_or_else(|| ConfigError::Missing {
            place: self.origin.to_string(),
            key: join(&self.key, name),
            hint,
        })
    }

    /// Takes a section; an absent one is empty.
    pub(super) fn section(
        &mut self,
        name: &str,
        known: &[&'static str],
    ) -> Result<Self, ConfigError> {
        match self.take(name) {
            Some(field) => field.section(known),
            None => Self::open(&join(&self.key, name), &self.origin, Table::new(), known),
        }
    }

    /// Takes a secret: from `name`, or the trimmed content of the file that `name_file` names.
    ///
    /// Both in one place are an error; of a variable and a file's key the variable holds.
    pub(super) fn secret(&mut self, name: &str) -> Result<Option<Secret>, ConfigError> {
        let (direct, file) = (self.take(name), self.take(&format!("{name}_file")));
        let (direct, file) = match (direct, file) {
            (Some(direct), Some(file)) => {
                let variables = (direct.is_variable(), file.is_variable());
                match variables {
                    (true, false) => (Some(direct), None),
                    (false, true) => (None, Some(file)),
                    _ => {
                        return Err(ConfigError::Conflict {
                            origin: file.node.origin,
                            key: direct.key,
                            other: file.key,
                        });
                    }
                }
            }
            other => other,
        };
        match (direct, file) {
            (Some(direct), _) => direct.text().map(|text| Some(Secret::new(text))),
            (None, Some(file)) => file.content().map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl Field {
    /// A text.
    pub(super) fn text(&self) -> Result<&str, ConfigError> {
        match &self.node.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.invalid("takes a text in quotes")),
        }
    }

    /// A path; see [`Origin::resolve`].
    pub(super) fn path(&self) -> Result<PathBuf, ConfigError> {
        match &self.node.value {
            Value::Text(text) if !text.is_empty() => Ok(self.node.origin.resolve(text)),
            _ => Err(self.invalid("takes the path of a file, in quotes")),
        }
    }

    /// A yes or no.
    pub(super) fn boolean(&self) -> Result<bool, ConfigError> {
        match (
            &self.node.value,
            self.loose().map(str::to_ascii_lowercase).as_deref(),
        ) {
            (Value::Boolean(boolean), _) => Ok(*boolean),
            (_, Some("true" | "1" | "yes" | "on")) => Ok(true),
            (_, Some("false" | "0" | "no" | "off")) => Ok(false),
            _ => Err(self.invalid("takes true or false")),
        }
    }

    /// A whole number from `least` to what `T` holds.
    pub(super) fn whole<T: TryFrom<i64>>(&self, least: i64) -> Result<T, ConfigError> {
        let number = match (&self.node.value, self.loose()) {
            (Value::Integer(number), _) => Some(*number),
            (_, Some(text)) => text.replace('_', "").parse().ok(),
            _ => None,
        };
        number
            .filter(|number| *number >= least)
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| self.invalid(&format!("takes a whole number from {least} up")))
    }

    /// A time in seconds, fractions allowed.
    pub(super) fn seconds(&self, zero: Zero) -> Result<Duration, ConfigError> {
        let number = match (&self.node.value, self.loose()) {
            (Value::Integer(number), _) => Some(*number as f64),
            (Value::Float(number), _) => Some(*number),
            (_, Some(text)) => text.parse().ok(),
            _ => None,
        };
        number
            .and_then(|number| Duration::try_from_secs_f64(number).ok())
            .filter(|time| *time <= LONGEST && (zero == Zero::Allowed || !time.is_zero()))
            .ok_or_else(|| {
                let bound = match zero {
                    Zero::Allowed => "0 or more",
                    Zero::Refused => "more than 0",
                };
                self.invalid(&format!(
                    "takes a number of seconds, {bound}, at most a year"
                ))
            })
    }

    /// A list; a variable's text is one of values with commas, in brackets or not.
    pub(super) fn list(self) -> Result<Vec<Field>, ConfigError> {
        if let Some(text) = self.loose() {
            let inner = text
                .strip_prefix('[')
                .and_then(|text| text.strip_suffix(']'))
                .unwrap_or(text);
            let items: Vec<_> = inner
                .split(',')
                .map(|item| Node::text(&self.node.origin, item.trim()))
                .collect();
            let items = if inner.trim().is_empty() {
                Vec::new()
            } else {
                items
            };
            return Ok(numbered(&self.key, items));
        }
        match self.node.value {
            Value::List(items) => Ok(numbered(&self.key, items)),
            _ => Err(self.invalid("takes a list")),
        }
    }

    /// A table with known keys.
    pub(super) fn section(self, known: &[&'static str]) -> Result<Section, ConfigError> {
        let (key, origin) = (self.key.clone(), self.node.origin.clone());
        Section::open(&key, &origin, self.table()?, known)
    }

    /// A table with any keys.
    pub(super) fn table(self) -> Result<Table, ConfigError> {
        match self.node.value {
            Value::Table(table) => Ok(table),
            _ => Err(self.invalid("takes a table of keys")),
        }
    }

    /// The error that this value is not what the key takes; `reason` says what it does take and
    /// must not hold the value of a secret.
    pub(super) fn invalid(&self, reason: &str) -> ConfigError {
        ConfigError::Invalid {
            origin: self.node.origin.clone(),
            key: self.key.clone(),
            reason: reason.to_owned(),
        }
    }

    pub(super) fn is_variable(&self) -> bool {
        self.node.origin.is_variable()
    }

    /// The trimmed content of the file that this key names.
    fn content(self) -> Result<Secret, ConfigError> {
        let hint = format!("`{}` ({}) names it", self.key, self.node.origin);
        let file = self.path()?;
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(Secret::new(text.trim())),
            Err(source) => Err(ConfigError::Read { file, source, hint }),
        }
    }

    /// The text of a value from a place where everything is text.
    fn loose(&self) -> Option<&str> {
        match &self.node.value {
            Value::Text(text) if self.node.origin.is_text() => Some(text.trim()),
            _ => None,
        }
    }
}

/// Whether a time may be none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zero {
    Allowed,
    Refused,
}

/// The known key that looks most like `name`.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known.min_by_key(|candidate| strsim::damerau_levenshtein(&name, candidate))
}

/// The path of a key within its parent's; the root's is empty.
pub(super) fn join(parent: &str, name: &str) -> String {
    match parent {
        "" => name.to_owned(),
        _ => format!("{parent}.{name}"),
    }
}

fn numbered(key: &str, items: Vec<Node>) -> Vec<Field> {
    let field = |(i, node)| Field {
        key: join(key, &usize::to_string(&i)),
        node,
    };
    items.into_iter().enumerate().map(field).collect()
}
