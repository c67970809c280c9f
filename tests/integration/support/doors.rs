//! A lab with every view, over a store of either kind, and the Python programs that use it from
//! all sides.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::lab::{Lab, PASSWORD, database_port};
use super::seaweed::{ACCESS, BUCKET, SECRET, Seaweed};
use super::{mysql, python};

/// A lab, the settings of its stores as DataJoint has them, and the store's server.
pub struct Doors {
    pub lab: Lab,
    /// `main` is the default; a laboratory has `cold`, too.
    stores: Map<String, Value>,
    /// The environment of the programs of DataJoint 2.3.5.
    environment: &'static str,
    is_mysql: bool,
    _server: Option<Seaweed>,
}

impl Doors {
    /// The store is a folder, with further settings of `stores.main`.
    pub fn file(name: &str, settings: &Value) -> Self {
        Self::new(database_port(), name, None, |folder| {
            let mut store = folder_store(folder, "store");
            merge(&mut store, settings);
            store
        })
    }

    /// The store is a folder, the database a real MySQL; `None`, with a visible line, where there
    /// is none.
    pub fn on_mysql(name: &str) -> Option<Self> {
        mysql::port()
            .map(|port| Self::new(port, name, None, |folder| folder_store(folder, "store")))
    }

    /// The store is a bucket on a server of its own.
    pub fn s3(name: &str) -> Self {
        let server = Seaweed::start();
        let store = bucket(&server);
        Self::new(database_port(), name, Some(server), |_| store)
    }

    fn new(
        port: u16,
        name: &str,
        server: Option<Seaweed>,
        store: impl FnOnce(&Path) -> Value,
    ) -> Self {
        let stores = |folder: &Path| Map::from_iter([("main".to_owned(), store(folder))]);
        Self::with(port, name, "dj2", server, stores, "")
    }

    /// A laboratory whose packages have codecs of their own, which the proxy knows, too. The stores
    /// `main` and `cold` are folders; `settings` are further ones of `[codecs.python]`.
    pub fn laboratory(name: &str, settings: &str) -> Self {
        Self::laboratory_at(database_port(), name, settings)
    }

    /// The same with a real MySQL; `None`, with a visible line, where there is none.
    pub fn laboratory_on_mysql(name: &str, settings: &str) -> Option<Self> {
        mysql::port().map(|port| Self::laboratory_at(port, name, settings))
    }

    fn laboratory_at(port: u16, name: &str, settings: &str) -> Self {
        let stores = |folder: &Path| {
            let store = |name: &str| (name.to_owned(), folder_store(folder, name));
            Map::from_iter([store("main"), store("cold")])
        };
        Self::with(port, name, "lab", None, stores, &of_packages(settings))
    }

    /// The same with both stores in a bucket on a server of its own.
    pub fn laboratory_on_s3(name: &str, settings: &str) -> Self {
        let server = Seaweed::start();
        let main = bucket(&server);
        let mut cold = main.clone();
        merge(&mut cold, &json!({"location": "proj/cold"}));
        let stores =
            |_: &Path| Map::from_iter([("main".to_owned(), main), ("cold".to_owned(), cold)]);
        let settings = of_packages(settings);
        Self::with(
            database_port(),
            name,
            "lab",
            Some(server),
            stores,
            &settings,
        )
    }

    fn with(
        port: u16,
        name: &str,
        environment: &'static str,
        server: Option<Seaweed>,
        stores: impl FnOnce(&Path) -> Map<String, Value>,
        further: &str,
    ) -> Self {
        let mut settings = Map::new();
        let lab = Lab::at(port, name, |config| {
            let (before, after) = config.split_once("[stores]").expect("stores");
            let location = after.split('"').rev().nth(1).expect("a location");
            settings = stores(Path::new(location).parent().expect("a folder of the lab"));
            settings.insert("default".to_owned(), json!("main"));
            let text = toml::to_string(&json!({"stores": settings}));
            let text = text.expect("TOML has what settings have");
            format!(
                "{before}{text}\n{further}\n\
                 [[listen]]\naddress = \"127.0.0.1:0\"\nview = \"json\"\n"
            )
        });
        Self {
            lab,
            stores: settings,
            environment,
            is_mysql: port != database_port(),
            _server: server,
        }
    }

    /// Steps of a program of DataJoint 2.3.5, which knows every door.
    pub fn run(&self, program: &str, arguments: &str) {
        let stores = json!(self.stores);
        let proxy = &self.lab.proxy;
        let mut variables = vec![
            ("DJ_HOST", "127.0.0.1".to_owned()),
            ("DJ_PORT", self.lab.port.to_string()),
            ("STORED_PORT", proxy.port("stored").to_string()),
            ("BYTES_PORT", proxy.port("bytes").to_string()),
            ("JSON_PORT", proxy.port("json").to_string()),
            ("DJ_USER", self.lab.user.clone()),
            ("DJ_PASS", PASSWORD.to_owned()),
            ("DJ_STORES", stores.to_string()),
            ("SCHEMA", self.lab.database.clone()),
            ("WRITES_DIRECTLY", u8::from(self.is_mysql).to_string()),
        ];
        if let Some(length) = self.stores["main"].get("token_length") {
            variables.push(("TOKEN_LENGTH", length.to_string()));
        }
        let python = python::environment(self.environment);
        python::run(&python, program, arguments, &variables, self.lab.folder());
    }

    /// A step of a program of DataJoint 0.14, which comes through the `bytes` listener.
    pub fn run_old(&self, program: &str, step: &str) {
        let variables = [
            ("HOST", "127.0.0.1".to_owned()),
            ("PORT", self.lab.proxy.port("bytes").to_string()),
            ("USER", self.lab.user.clone()),
            ("PASSWORD", PASSWORD.to_owned()),
            ("SCHEMA", self.lab.database.clone()),
        ];
        let python = python::environment("dj0");
        python::run(&python, program, step, &variables, self.lab.folder());
    }
}

/// A new folder of the lab as a store.
fn folder_store(lab: &Path, name: &str) -> Value {
    let location = lab.join(name);
    fs::create_dir_all(&location).expect("a folder");
    json!({"protocol": "file", "location": location})
}

fn bucket(server: &Seaweed) -> Value {
    json!({
        "protocol": "s3", "endpoint": server.endpoint(), "bucket": BUCKET, "location": "proj/a",
        "secure": false, "access_key": ACCESS, "secret_key": SECRET,
    })
}

/// The part of a configuration that has the proxy know the packages of a laboratory.
fn of_packages(settings: &str) -> String {
    let interpreter = python::environment("lab");
    format!(
        "[codecs.python]\ninterpreter = \"{}\"\n{settings}\n",
        interpreter.display()
    )
}

fn merge(store: &mut Value, settings: &Value) {
    let empty = Map::new();
    let settings = settings.as_object().unwrap_or(&empty);
    if let Some(store) = store.as_object_mut() {
        store.extend(settings.clone());
    }
}
