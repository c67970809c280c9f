//! The stores as DataJoint itself is told of them: `datajoint.json`, its secrets, `DJ_STORES`.
//!
//! The precedence is that of DataJoint 2.3.5 (`settings.py`, `_create_config`): the file's
//! `stores`, nested or as flat `stores.<name>.<attribute>` keys; `DJ_STORES` in place of all of
//! them; then secrets, only for what is still missing. Everything else in the file is
//! DataJoint's own business.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::ConfigError;
use super::environment::DJ_STORES;
use super::section::Field;
use super::tree::{Node, Origin, Table, Value};
use crate::store::StoresSettings;

/// Where DataJoint finds the secrets of a machine.
pub(super) const SYSTEM_SECRETS: &str = "/run/secrets/datajoint";

/// Its folder of secrets beside a `datajoint.json`.
const PROJECT_SECRETS: &str = ".secrets";

/// Reads the stores of the `datajoint.json` at `file`, which the key `named` names.
pub(super) fn read(
    file: PathBuf,
    named: &Field,
    dj_stores: Option<&str>,
    system_secrets: &Path,
) -> Result<StoresSettings, ConfigError> {
    let text = std::fs::read_to_string(&file).map_err(|source| ConfigError::Read {
        file: file.clone(),
        source,
        hint: format!("`{}` ({}) names it", named.key, named.node.origin),
    })?;
    let origin = Origin::DataJoint(file.as_path().into());
    let (origin, mut stores) = match dj_stores {
        // The file must still be JSON: DataJoint reads it too.
        Some(json) => {
            object(&text, &origin)?;
            let origin = Origin::Variable(DJ_STORES.into());
            let stores = nodes(object(json, &origin)?, &origin);
            (origin, stores)
        }
        None => {
            let stores = of_file(object(&text, &origin)?, &origin)?;
            (origin, stores)
        }
    };
    let project_secrets = file.with_file_name(PROJECT_SECRETS);
    let secrets = [project_secrets.as_path(), system_secrets];
    if let Some(folder) = secrets.into_iter().find(|folder| folder.is_dir()) {
        fill(&mut stores, folder)?;
    }
    super::stores::read(Field {
        key: "stores".to_owned(),
        node: Node {
            origin,
            value: Value::Table(stores),
        },
    })
}

/// The stores of a `datajoint.json`, whose keys come one after another: a nested dictionary
/// replaces a store, a flat key sets one attribute.
fn of_file(document: serde_json::Map<String, Json>, origin: &Origin) -> Result<Table, ConfigError> {
    let mut stores = Table::new();
    for (key, value) in document {
        let parts: Vec<&str> = key.split('.').collect();
        match (parts.as_slice(), value) {
            (["stores"], Json::Object(entries)) => stores.extend(nodes(entries, origin)),
            (["stores"], Json::Null) => {}
            (["stores"], _) => {
                return Err(ConfigError::Invalid {
                    origin: origin.clone(),
                    key,
                    reason: "takes an object with one entry for every store".to_owned(),
                });
            }
            // DataJoint passes over `stores.default` in this form; the intent is plain.
            (["stores", name], value) => {
                stores.insert((*name).to_owned(), Node::from_json(value, origin));
            }
            (["stores", name, attribute], value) => {
                let Some(attributes) = attributes(&mut stores, name, origin) else {
                    return Err(ConfigError::Invalid {
                        origin: origin.clone(),
                        reason: format!("`stores.{name}` is set to a value; it is not a store"),
                        key,
                    });
                };
                attributes.insert((*attribute).to_owned(), Node::from_json(value, origin));
            }
            _ => {}
        }
    }
    Ok(stores)
}

/// Adds what files named `stores.<name>.<attribute>` hold, where nothing is set.
fn fill(stores: &mut Table, folder: &Path) -> Result<(), ConfigError> {
    let unreadable = |file: &Path| {
        let file = file.to_owned();
        move |source| ConfigError::Read {
            file,
            source,
            hint: "DataJoint keeps secrets there; let codec-proxy read it".to_owned(),
        }
    };
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let ["stores", store, attribute] = name.split('.').collect::<Vec<_>>()[..] else {
            continue;
        };
        // Folders of secrets serve more than one program: what is not a store here stays out.
        if !path.is_file() || !is_store(stores, store, folder) {
            continue;
        }
        let attributes = attributes(stores, store, &Origin::SecretFile(folder.into()));
        if let Some(attributes) = attributes.filter(|set| !set.contains_key(attribute)) {
            let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
            let origin = Origin::SecretFile(path.as_path().into());
            attributes.insert(attribute.to_owned(), Node::text(&origin, text.trim()));
        }
    }
    Ok(())
}

/// Whether secrets may add to a store: it is configured, or they say its protocol themselves.
fn is_store(stores: &Table, name: &str, folder: &Path) -> bool {
    stores.contains_key(name) || folder.join(format!("stores.{name}.protocol")).is_file()
}

/// The attributes of a store, which is made if it is not there; `None` for what is no store.
fn attributes<'a>(stores: &'a mut Table, name: &str, origin: &Origin) -> Option<&'a mut Table> {
    let node = stores.entry(name.to_owned()).or_insert_with(|| Node {
        origin: origin.clone(),
        value: Value::Table(Table::new()),
    });
    match &mut node.value {
        Value::Table(table) => Some(table),
        _ => None,
    }
}

fn nodes(entries: serde_json::Map<String, Json>, origin: &Origin) -> Table {
    let node = |(key, value)| (key, Node::from_json(value, origin));
    entries.into_iter().map(node).collect()
}

fn object(text: &str, origin: &Origin) -> Result<serde_json::Map<String, Json>, ConfigError> {
    let syntax = |message: String| ConfigError::Syntax {
        place: origin.to_string(),
        format: "JSON",
        message,
    };
    match serde_json::from_str(text).map_err(|error| syntax(error.to_string()))? {
        Json::Object(entries) => Ok(entries),
        _ => Err(syntax("must be an object in braces".to_owned())),
    }
}
