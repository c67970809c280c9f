//! The configuration as it holds, key by key, for people: defaults included, secrets hidden.

use std::path::Path;
use std::time::Duration;

use super::{
    Admin, Catalog, CodecDefinition, Config, Database, DatabaseTls, Identity, Limits, Listen,
    Metrics, Pointers, Tls,
};
use crate::codec::Codec;
use crate::python::Settings as PythonSettings;
use crate::store::{Secret, StoreSettings, StoresSettings};
use crate::view::{Becomes, Declaring, Rule};

/// What stands for a secret that is set.
const HIDDEN: &str = "***";

impl Config {
    /// Keys with their full path, and values as the file would have them. A secret shows only
    /// that it is set; neither do user names and passwords within a URL.
    pub fn shown(&self) -> Vec<(String, String)> {
        // Without `..`: a new section is shown, or this does not compile.
        let Self {
            database,
            listen,
            stores,
            codecs,
            pointers,
            declare,
            python,
            tls,
            limits,
            catalog,
            admin,
            metrics,
            threads,
        } = self;
        let mut out = Out(Vec::new());
        let threads = threads.map_or("one for every core".to_owned(), |n| n.to_string());
        out.add("threads", threads);
        out.database(database);
        for (n, Listen { address, view }) in listen.iter().enumerate() {
            out.add(format!("listen.{n}.address"), address);
            out.add(format!("listen.{n}.view"), view.name());
        }
        out.stores(stores);
        for CodecDefinition { codec, origin: _ } in codecs {
            out.add(format!("codecs.{}", codec.name()), codec.summary());
        }
        if let Some(python) = python {
            out.python(python);
        }
        let Pointers { also_readable } = pointers;
        let sections: Vec<_> = also_readable.iter().map(|path| path.as_str()).collect();
        out.add("pointers.also_readable", sections.join(", "));
        out.declare(declare);
        let Tls { enabled, identity } = tls;
        out.add("tls.enabled", enabled);
        if let Some(Identity { certificate, key }) = identity {
            out.path("tls.certificate", Some(certificate));
            out.path("tls.key", Some(key));
        }
        out.limits(limits);
        let Catalog { max_age_seconds } = catalog;
        out.seconds("catalog.max_age_seconds", *max_age_seconds);
        if let Some(Admin {
            address,
            user,
            password,
            clients,
        }) = admin
        {
            out.add("admin.address", address);
            out.add("admin.user", user);
            out.secret("admin.password", Some(password));
            out.add("admin.clients", clients);
        }
        if let Some(Metrics { address, clients }) = metrics {
            out.add("metrics.address", address);
            out.add("metrics.clients", clients);
        }
        out.0
    }
}

struct Out(Vec<(String, String)>);

impl Out {
    fn add(&mut self, key: impl Into<String>, value: impl ToString) {
        self.0.push((key.into(), value.to_string()));
    }

    fn text(&mut self, key: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.add(key, without_account(value));
        }
    }

    fn path(&mut self, key: &str, value: Option<&Path>) {
        if let Some(value) = value {
            self.add(key, value.display());
        }
    }

    fn secret(&mut self, key: &str, value: Option<&Secret>) {
        if let Some(value) = value {
            self.add(key, if value.is_empty() { "" } else { HIDDEN });
        }
    }

    fn seconds(&mut self, key: &str, value: Duration) {
        self.add(key, value.as_secs_f64());
    }

    fn python(&mut self, python: &PythonSettings) {
        let PythonSettings {
            interpreter,
            workers,
            deadline,
            start,
            memory_bytes,
            allow_pickle,
        } = python;
        self.path("codecs.python.interpreter", Some(interpreter));
        self.add("codecs.python.workers", workers);
        self.seconds("codecs.python.deadline_seconds", *deadline);
        self.seconds("codecs.python.start_seconds", *start);
        self.add("codecs.python.memory_bytes", memory_bytes);
        self.add("codecs.python.allow_pickle", allow_pickle);
    }

    fn database(&mut self, database: &Database) {
        let Database {
            address,
            user,
            password,
            tls,
            tls_ca,
        } = database;
        self.add("database.address", address);
        self.add("database.user", user);
        self.secret("database.password", Some(password));
        let tls = match tls {
            DatabaseTls::Off => "off",
            DatabaseTls::Follow => "follow",
            DatabaseTls::Always => "always",
        };
        self.add("database.tls", tls);
        self.path("database.tls_ca", tls_ca.as_deref());
    }

    fn stores(&mut self, stores: &StoresSettings) {
        let StoresSettings {
            default,
            filepath_default,
            stores,
        } = stores;
        self.text("stores.default", default.as_ref());
        self.text("stores.filepath_default", filepath_default.as_ref());
        for (name, settings) in stores {
            self.store(name, settings);
        }
    }

    fn store(&mut self, name: &str, settings: &StoreSettings) {
        let StoreSettings {
            protocol,
            location,
            subfolding,
            partition_pattern,
            token_length,
            hash_prefix,
            schema_prefix,
            filepath_prefix,
            stage,
            endpoint,
            bucket,
            access_key,
            secret_key,
            secure,
            proxy_server,
            token,
            project,
            container,
            account_name,
            account_key,
            connection_string,
        } = settings;
        let key = |key: &str| format!("stores.{name}.{key}");
        for (name, value) in [
            ("protocol", protocol),
            ("endpoint", endpoint),
            ("bucket", bucket),
            ("project", project),
            ("container", container),
            ("account_name", account_name),
            ("location", location),
            ("hash_prefix", hash_prefix),
            ("schema_prefix", schema_prefix),
            ("filepath_prefix", filepath_prefix),
            ("partition_pattern", partition_pattern),
            ("stage", stage),
            ("proxy_server", proxy_server),
        ] {
            self.text(&key(name), value.as_ref());
        }
        if let Some(subfolding) = subfolding {
            self.add(key("subfolding"), format!("{subfolding:?}"));
        }
        if let Some(length) = token_length {
            self.add(key("token_length"), length);
        }
        if let Some(secure) = secure {
            self.add(key("secure"), secure);
        }
        for (name, value) in [
            ("access_key", access_key),
            ("secret_key", secret_key),
            ("token", token),
            ("account_key", account_key),
            ("connection_string", connection_string),
        ] {
            self.secret(&key(name), value.as_ref());
        }
    }

    fn declare(&mut self, declare: &Declaring) {
        let Declaring { rules } = declare;
        for (n, rule) in rules.iter().enumerate() {
            let Rule {
                schema,
                table,
                longblob,
                attach,
            } = rule;
            let key = |key: &str| format!("declare.rules.{n}.{key}");
            self.add(key("schema"), schema);
            self.add(key("table"), table);
            for (name, becomes) in [("longblob", longblob), ("attach", attach)] {
                match becomes {
                    None => {}
                    Some(Becomes::Plain) => self.add(key(name), ""),
                    Some(Becomes::Codec(chain)) => self.add(key(name), &chain.spec),
                }
            }
        }
    }

    fn limits(&mut self, limits: &Limits) {
        let Limits {
            statement_bytes,
            row_bytes,
            store_parallel,
            prefetch_bytes,
            value_bytes,
            value_depth,
            json_bytes,
            directory_files,
            login_seconds,
            store_seconds,
            value_seconds,
            shutdown_seconds,
            sessions,
            prepared_statements,
            long_data_bytes,
        } = limits;
        for (name, value) in [
            ("statement_bytes", *statement_bytes),
            ("row_bytes", *row_bytes),
            ("store_parallel", *store_parallel as u64),
            ("prefetch_bytes", *prefetch_bytes),
            ("value_bytes", *value_bytes),
            ("value_depth", *value_depth as u64),
            ("json_bytes", *json_bytes),
            ("directory_files", *directory_files as u64),
            ("sessions", *sessions as u64),
            ("prepared_statements", *prepared_statements as u64),
            ("long_data_bytes", *long_data_bytes),
        ] {
            self.add(format!("limits.{name}"), value);
        }
        for (name, value) in [
            ("login_seconds", login_seconds),
            ("store_seconds", store_seconds),
            ("value_seconds", value_seconds),
            ("shutdown_seconds", shutdown_seconds),
        ] {
            self.seconds(&format!("limits.{name}"), *value);
        }
    }
}

/// A URL without the user and the password that it may hold.
pub(crate) fn without_account(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{HIDDEN}{}", &rest[at..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_defaults_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("codec-proxy.toml");
        let text = "database = { address = 'db', user = 'u', password = 'SECRET1' }
            listen = [{ address = '127.0.0.1:1' }]
            admin = { address = '127.0.0.1:2', user = 'boss', password = 'SECRET2' }
            metrics = { address = '127.0.0.1:3' }
            [declare]
            longblob = '<blob@s3>'
            [codecs.zjson]
            chain = ['json', 'zlib']
            dtype = '<blob>'
            [stores.s3]
            protocol = 's3'
            endpoint = 's3.example.org'
            bucket = 'b'
            location = ''
            access_key = 'SECRET3'
            secret_key = 'SECRET4'
            proxy_server = 'http://SECRET5:SECRET6@proxy:3128/x'
            [stores.az]
            protocol = 'azure'
            container = 'c'
            location = ''
            connection_string = 'SECRET7'";
        std::fs::write(&file, text).unwrap();
        let none: [(&str, &str); 0] = [];
        let shown = Config::load(&file, none).unwrap().shown();
        let of = |key: &str| {
            let found = shown.iter().find(|(name, _)| name == key);
            found.unwrap_or_else(|| panic!("{key}")).1.as_str()
        };
        assert!(!format!("{shown:?}").contains("SECRET"), "{shown:?}");
        for key in [
            "database.password",
            "admin.password",
            "stores.s3.access_key",
            "stores.s3.secret_key",
            "stores.az.connection_string",
        ] {
            assert_eq!(of(key), HIDDEN, "{key}");
        }
        assert_eq!(of("stores.s3.proxy_server"), "http://***@proxy:3128/x");
        assert_eq!(of("limits.sessions"), "10000");
        assert_eq!(of("limits.login_seconds"), "10");
        assert_eq!(of("declare.rules.0.longblob"), "<blob@s3>");
        assert_eq!(of("metrics.clients"), "64");
        assert!(of("codecs.zjson").ends_with("zlib → <blob>"));
    }
}
