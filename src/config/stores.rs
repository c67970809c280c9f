//! From the tree to the settings of the stores.

use super::ConfigError;
use super::section::{Field, Section, join, nearest};
use super::tree::{Node, Table, Value};
use crate::store::{StoreSettings, StoresSettings};

/// The keys of `[stores]` that are not stores; both name one.
const DEFAULTS: [&str; 2] = ["default", "filepath_default"];

/// The keys of a store that DataJoint does not have: files with secrets.
pub(super) const SECRET_FILES: [&str; 5] = [
    "access_key_file",
    "secret_key_file",
    "token_file",
    "account_key_file",
    "connection_string_file",
];

/// Reads `[stores]`: the two defaults, and one table for every store.
pub(super) fn read(field: Field) -> Result<StoresSettings, ConfigError> {
    let parent = field.key.clone();
    let mut table = field.table()?;
    let mut default = |name: &str| {
        let node = table.remove(name).filter(|node| node.value != Value::Null);
        node.map(|node| Field {
            key: join(&parent, name),
            node,
        })
    };
    let [default, filepath_default] = DEFAULTS.map(&mut default);
    let default = default.map(|field| named(&field, &table)).transpose()?;
    let filepath_default = filepath_default
        .map(|field| named(&field, &table))
        .transpose()?;
    let stores = table
        .into_iter()
        .map(|(name, node)| {
            let settings = store(&parent, &name, node)?;
            Ok((name, settings))
        })
        .collect::<Result<_, _>>()?;
    Ok(StoresSettings {
        default,
        filepath_default,
        stores,
    })
}

/// The name of a store that is there.
fn named(field: &Field, stores: &Table) -> Result<String, ConfigError> {
    let name = field.text()?;
    if stores.contains_key(name) {
        return Ok(name.to_owned());
    }
    let way_out = match nearest(name, stores.keys().map(String::as_str)) {
        Some(other) => format!("did you mean {other:?}?"),
        None => format!("add a section [stores.{name}]"),
    };
    Err(field.invalid(&format!("there is no store {name:?}; {way_out}")))
}

fn store(parent: &str, name: &str, node: Node) -> Result<StoreSettings, ConfigError> {
    let key = join(parent, name);
    if !matches!(node.value, Value::Table(_)) {
        // Not a store: a default that is misspelled, most likely.
        return Err(ConfigError::UnknownKey {
            origin: node.origin,
            key,
            nearest: nearest(name, DEFAULTS.into_iter())
                .unwrap_or_default()
                .to_owned(),
            known: DEFAULTS.to_vec(),
        });
    }
    let known: Vec<_> = StoreSettings::keys().chain(SECRET_FILES).collect();
    let mut section = Field { key, node }.section(&known)?;
    settings(&mut section)
}

fn settings(section: &mut Section) -> Result<StoreSettings, ConfigError> {
    let protocol = text(section, "protocol")?;
    let is_file = protocol
        .as_deref()
        .is_some_and(|p| p.eq_ignore_ascii_case("file"));
    Ok(StoreSettings {
        location: location(section, is_file)?,
        subfolding: subfolding(section)?,
        partition_pattern: text(section, "partition_pattern")?,
        token_length: section
            .take("token_length")
            .map(|f| f.whole(0))
            .transpose()?,
        hash_prefix: text(section, "hash_prefix")?,
        schema_prefix: text(section, "schema_prefix")?,
        filepath_prefix: text(section, "filepath_prefix")?,
        stage: text(section, "stage")?,
        endpoint: text(section, "endpoint")?,
        bucket: text(section, "bucket")?,
        access_key: section.secret("access_key")?,
        secret_key: section.secret("secret_key")?,
        secure: section.take("secure").map(|f| f.boolean()).transpose()?,
        proxy_server: text(section, "proxy_server")?,
        token: section.secret("token")?,
        project: text(section, "project")?,
        container: text(section, "container")?,
        account_name: text(section, "account_name")?,
        account_key: section.secret("account_key")?,
        connection_string: section.secret("connection_string")?,
        protocol,
    })
}

fn text(section: &mut Section, name: &str) -> Result<Option<String>, ConfigError> {
    let field = section.take(name);
    field
        .map(|field| field.text().map(str::to_owned))
        .transpose()
}

/// A folder where the protocol is `file`, else what all keys begin with.
fn location(section: &mut Section, is_file: bool) -> Result<Option<String>, ConfigError> {
    let Some(field) = section.take("location") else {
        return Ok(None);
    };
    if !is_file {
        return field.text().map(|text| Some(text.to_owned()));
    }
    match field.path()?.into_os_string().into_string() {
        Ok(path) => Ok(Some(path)),
        Err(_) => Err(field.invalid("lies in a folder whose name is not UTF-8")),
    }
}

fn subfolding(section: &mut Section) -> Result<Option<Vec<u32>>, ConfigError> {
    let Some(field) = section.take("subfolding") else {
        return Ok(None);
    };
    let lengths = field.list()?;
    lengths
        .iter()
        .map(|f| f.whole(1))
        .collect::<Result<_, _>>()
        .map(Some)
}
