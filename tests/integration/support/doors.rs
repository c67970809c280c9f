//! A lab with every view, over a store of either kind, and the Python programs that use it from
//! all sides.

use serde_json::{Map, Value, json};

use super::lab::{Lab, PASSWORD, database_port};
use super::seaweed::{ACCESS, BUCKET, SECRET, Seaweed};
use super::{mysql, python};

/// A lab, the settings of its store as DataJoint has them, and the store's server.
pub struct Doors {
    pub lab: Lab,
    store: Value,
    is_mysql: bool,
    _server: Option<Seaweed>,
}

impl Doors {
    /// The store is a folder, with further settings of `stores.main`.
    pub fn file(name: &str, settings: &Value) -> Self {
        Self::in_a_folder(database_port(), name, settings)
    }

    /// The store is a folder, the database a real MySQL; `None`, with a visible line, where there
    /// is none.
    pub fn on_mysql(name: &str) -> Option<Self> {
        mysql::port().map(|port| Self::in_a_folder(port, name, &json!({})))
    }

    fn in_a_folder(port: u16, name: &str, settings: &Value) -> Self {
        Self::new(
            port,
            name,
            None,
            settings,
            |location| json!({"protocol": "file", "location": location}),
        )
    }

    /// The store is a bucket on a server of its own.
    pub fn s3(name: &str) -> Self {
        let server = Seaweed::start();
        let endpoint = server.endpoint();
        Self::new(database_port(), name, Some(server), &json!({}), |_| {
            json!({
                "protocol": "s3", "endpoint": endpoint, "bucket": BUCKET, "location": "proj/a",
                "secure": false, "access_key": ACCESS, "secret_key": SECRET,
            })
        })
    }

    fn new(
        port: u16,
        name: &str,
        server: Option<Seaweed>,
        settings: &Value,
        store: impl FnOnce(&str) -> Value,
    ) -> Self {
        let mut settings_of_store = Value::Null;
        let lab = Lab::at(port, name, |config| {
            let (before, after) = config.split_once("[stores.main]").expect("a store");
            let location = after.split('"').nth(3).expect("protocol and location");
            let mut store = store(location);
            merge(&mut store, settings);
            let text = toml::to_string(&store).expect("TOML has what settings have");
            settings_of_store = store;
            format!(
                "{before}[stores.main]\n{text}\n\
                 [[listen]]\naddress = \"127.0.0.1:0\"\nview = \"json\"\n"
            )
        });
        Self {
            lab,
            store: settings_of_store,
            is_mysql: port != database_port(),
            _server: server,
        }
    }

    /// Steps of a program of DataJoint 2.3.5, which knows every door.
    pub fn run(&self, program: &str, arguments: &str) {
        let stores = json!({"default": "main", "main": self.store});
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
        if let Some(length) = self.store.get("token_length") {
            variables.push(("TOKEN_LENGTH", length.to_string()));
        }
        let python = python::environment("dj2");
        python::run(&python, program, arguments, &variables, self.lab.folder());
    }

    /// A step of the program of DataJoint 0.14, which comes through the `bytes` listener.
    pub fn run_old(&self, step: &str) {
        let variables = [
            ("HOST", "127.0.0.1".to_owned()),
            ("PORT", self.lab.proxy.port("bytes").to_string()),
            ("USER", self.lab.user.clone()),
            ("PASSWORD", PASSWORD.to_owned()),
            ("SCHEMA", self.lab.database.clone()),
        ];
        let python = python::environment("dj0");
        python::run(&python, "dj0.py", step, &variables, self.lab.folder());
    }
}

fn merge(store: &mut Value, settings: &Value) {
    let empty = Map::new();
    let settings = settings.as_object().unwrap_or(&empty);
    if let Some(store) = store.as_object_mut() {
        store.extend(settings.clone());
    }
}
