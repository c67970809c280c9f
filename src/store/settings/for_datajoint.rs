//! The settings as DataJoint in Python takes them: `config.stores`, keys and all.

use serde_json::{Map, Value, json};

use super::{Secret, StoreSettings, StoresSettings};

impl StoresSettings {
    /// The stores that DataJoint knows, with their secrets.
    pub(crate) fn for_datajoint(&self) -> Value {
        let stores = self.stores.iter().filter(|(_, store)| {
            // For tests, and of this process only.
            store.protocol.as_deref() != Some("memory")
        });
        let mut all: Map<String, Value> = stores
            .map(|(name, store)| (name.clone(), store.for_datajoint()))
            .collect();
        let defaults = [
            ("default", &self.default),
            ("filepath_default", &self.filepath_default),
        ];
        for (key, value) in defaults {
            all.extend(value.iter().map(|value| (key.to_owned(), json!(value))));
        }
        Value::Object(all)
    }
}

impl StoreSettings {
    fn for_datajoint(&self) -> Value {
        let secret = |secret: &Option<Secret>| secret.as_ref().map(|s| s.expose().to_owned());
        // The proxy's default, which is not DataJoint's.
        let secure = (self.protocol.as_deref() == Some("s3")).then(|| self.secure.unwrap_or(true));
        let keys = [
            ("protocol", json!(self.protocol)),
            ("location", json!(self.location)),
            ("subfolding", json!(self.subfolding)),
            ("partition_pattern", json!(self.partition_pattern)),
            ("token_length", json!(self.token_length)),
            ("hash_prefix", json!(self.hash_prefix)),
            ("schema_prefix", json!(self.schema_prefix)),
            ("filepath_prefix", json!(self.filepath_prefix)),
            ("endpoint", json!(self.endpoint)),
            ("bucket", json!(self.bucket)),
            ("access_key", json!(secret(&self.access_key))),
            ("secret_key", json!(secret(&self.secret_key))),
            ("secure", json!(secure)),
            ("token", json!(secret(&self.token))),
            ("project", json!(self.project)),
            ("container", json!(self.container)),
            ("account_name", json!(self.account_name)),
            ("account_key", json!(secret(&self.account_key))),
            ("connection_string", json!(secret(&self.connection_string))),
        ];
        let given = keys.into_iter().filter(|(_, value)| !value.is_null());
        Value::Object(given.map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_told_with_their_keys() {
        let bucket = StoreSettings {
            protocol: Some("s3".to_owned()),
            secret_key: Some(Secret::new("s3cret")),
            ..StoreSettings::default()
        };
        let scratch = StoreSettings {
            protocol: Some("memory".to_owned()),
            ..StoreSettings::default()
        };
        let stores = StoresSettings {
            default: Some("main".to_owned()),
            stores: [("main".to_owned(), bucket), ("scratch".to_owned(), scratch)].into(),
            ..StoresSettings::default()
        };
        assert_eq!(
            stores.for_datajoint(),
            json!({
                "main": { "protocol": "s3", "secret_key": "s3cret", "secure": true },
                "default": "main",
            })
        );
    }
}
