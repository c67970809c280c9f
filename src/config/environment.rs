//! The environment's part of the configuration.
//!
//! `CODEC_PROXY__DATABASE__PASSWORD` is `password` in `[database]`: the prefix, then the key
//! path with two underscores between its parts; lists count from 0
//! (`CODEC_PROXY__LISTEN__0__ADDRESS`). Case does not matter, except that a store named in
//! mixed or lower case keeps it, and finds a store of the file that differs in case only.

use std::ffi::OsString;

use super::ConfigError;
use super::section::join;
use super::tree::{Node, Origin, Table, Value};

/// What the names of all variables begin with.
pub(super) const PREFIX: &str = "CODEC_PROXY__";

/// DataJoint's own variable for its stores, as JSON.
pub(super) const DJ_STORES: &str = "DJ_STORES";

/// The variables that matter to the configuration.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// Those with [`PREFIX`], in the order of their key paths.
    variables: Vec<Variable>,
    /// The text of [`DJ_STORES`], unless it is empty.
    pub(super) dj_stores: Option<String>,
}

#[derive(Debug)]
struct Variable {
    name: String,
    /// The key path, in the case in which it is written.
    path: Vec<String>,
    text: String,
}

impl Environment {
    /// Picks its variables out of all of a process.
    pub(super) fn collect<K, V>(all: impl IntoIterator<Item = (K, V)>) -> Result<Self, ConfigError>
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let mut environment = Self::default();
        for (name, text) in all {
            let Ok(name) = name.into().into_string() else {
                continue; // not one of ours: they are ASCII
            };
            let path = name.strip_prefix(PREFIX);
            if path.is_none() && name != DJ_STORES {
                continue;
            }
            let Ok(text) = text.into().into_string() else {
                return Err(ConfigError::NotText(name));
            };
            match path {
                Some(path) => environment.variables.push(Variable {
                    path: path.split("__").map(str::to_owned).collect(),
                    name,
                    text,
                }),
                None => environment.dj_stores = Some(text).filter(|text| !text.is_empty()),
            }
        }
        // Elements of a list must come in their order; numbers by their value.
        environment.variables.sort_by_cached_key(|variable| {
            let part = |part: &String| (part.parse::<usize>().unwrap_or(usize::MAX), part.clone());
            variable.path.iter().map(part).collect::<Vec<_>>()
        });
        Ok(environment)
    }

    /// Puts every variable in its place in the tree, over what the file says.
    pub(super) fn overlay(&self, root: &mut Table) -> Result<(), ConfigError> {
        self.variables
            .iter()
            .try_for_each(|variable| variable.put(root))
    }
}

impl Variable {
    fn put(&self, root: &mut Table) -> Result<(), ConfigError> {
        let origin = Origin::Variable(self.name.as_str().into());
        let (last, parents) = self
            .path
            .split_last()
            .ok_or_else(|| self.misplaced(&origin, "", "name a key after the prefix"))?;
        let mut key = String::new();
        let mut place = Place::Table(root);
        for (i, part) in parents.iter().enumerate() {
            let child_is_list = is_index(&self.path[i + 1]) && key != "stores";
            let node = place.entry(self, part, &key, &origin, || {
                if child_is_list {
                    Value::List(Vec::new())
                } else {
                    Value::Table(Table::new())
                }
            })?;
            key = join(&key, &part.to_lowercase());
            place = match &mut node.value {
                Value::Table(table) => Place::Table(table),
                Value::List(list) => Place::List(list),
                _ => {
                    let reason = "takes a value, not keys of its own";
                    return Err(self.misplaced(&origin, &key, reason));
                }
            };
        }
        let text = || Value::Text(self.text.clone());
        *place.entry(self, last, &key, &origin, text)? = Node::text(&origin, &self.text);
        Ok(())
    }

    fn misplaced(&self, origin: &Origin, key: &str, reason: &str) -> ConfigError {
        ConfigError::Invalid {
            origin: origin.clone(),
            key: key.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// What a variable's path has reached.
enum Place<'a> {
    Table(&'a mut Table),
    List(&'a mut Vec<Node>),
}

impl<'a> Place<'a> {
    /// The entry for one more part of the path, made if it is not there.
    fn entry(
        self,
        variable: &Variable,
        part: &str,
        parent: &str,
        origin: &Origin,
        make: impl FnOnce() -> Value,
    ) -> Result<&'a mut Node, ConfigError> {
        let make = || Node {
            origin: origin.clone(),
            value: make(),
        };
        match self {
            Self::Table(table) => {
                let name = name_in(table, part, parent == "stores");
                Ok(table.entry(name).or_insert_with(make))
            }
            Self::List(list) => {
                let length = list.len();
                let index = part.parse::<usize>().ok().filter(|i| *i <= length);
                let Some(index) = index else {
                    let reason = format!("has {length} entries; the next one is {length}");
                    return Err(variable.misplaced(origin, parent, &reason));
                };
                if index == length {
                    list.push(make());
                }
                Ok(&mut list[index])
            }
        }
    }
}

/// The name in a table that a part of a path means: keys are lower case; a store is found
/// whatever its case, and a new one keeps the case unless it is written in capitals only.
fn name_in(table: &Table, part: &str, stores: bool) -> String {
    let lower = part.to_lowercase();
    if !stores {
        return lower;
    }
    if table.contains_key(part) {
        return part.to_owned();
    }
    if table.contains_key(&lower) {
        return lower;
    }
    let same = |name: &&String| name.to_lowercase() == lower;
    match table.keys().find(same) {
        Some(name) => name.clone(),
        None if part.chars().any(char::is_lowercase) => part.to_owned(),
        None => lower,
    }
}

fn is_index(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
}
