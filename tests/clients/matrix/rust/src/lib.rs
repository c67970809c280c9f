//! The steps of ../README.md for drivers in Rust: what a driver has to do is in [`Driver`].

use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};

pub const INSERT: &str = "INSERT INTO trace (note, data, raw) VALUES (?, ?, ?)";
const NAMES: [&str; 5] = ["0", "1", "1M", "17M", "null"];
const COLUMNS: [&str; 2] = ["data", "raw"];

/// The arguments of the contract.
pub struct Arguments {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
    pub database: String,
    pub is_encrypted: bool,
    pub is_compressed: bool,
    pub is_prepared: bool,
    pub folder: PathBuf,
}

impl Arguments {
    pub fn new() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [host, port, user, password, database, tls, compression, protocol, folder] =
            arguments.try_into().expect("nine arguments");
        Self {
            host,
            port: port.parse().expect("a port"),
            user,
            password,
            database,
            is_encrypted: tls == "on",
            is_compressed: compression == "on",
            is_prepared: protocol == "prepared",
            folder: folder.into(),
        }
    }
}

/// A parameter.
#[derive(Clone)]
pub enum Value {
    Text(String),
    Number(i64),
    Bytes(Option<Vec<u8>>),
}

impl Value {
    /// A literal for the text protocol.
    fn literal(&self) -> String {
        match self {
            Self::Text(text) => format!("'{text}'"),
            Self::Number(number) => number.to_string(),
            Self::Bytes(None) => "NULL".to_owned(),
            Self::Bytes(Some(bytes)) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
                format!("X'{digits}'")
            }
        }
    }
}

/// The statement with its values as literals. The drivers have no means of their own for that.
pub fn in_text(statement: &str, values: &[Value]) -> String {
    let mut pieces = statement.split('?');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for (piece, value) in pieces.zip(values) {
        text.push_str(&value.literal());
        text.push_str(piece);
    }
    text
}

/// What came of a statement.
#[derive(Default)]
pub struct Outcome {
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
    pub affected: u64,
    pub id: u64,
}

/// An error of the server, or (without a code) of the driver.
pub struct Fault {
    pub code: Option<u16>,
    pub sqlstate: Option<String>,
    pub message: String,
}

pub enum Transaction {
    Begin,
    Commit,
    Rollback,
}

#[allow(async_fn_in_trait)]
pub trait Driver {
    async fn run(&mut self, statement: &str, values: Vec<Value>) -> Result<Outcome, Fault>;
    async fn transact(&mut self, what: Transaction) -> Result<(), Fault>;
}

pub async fn run(driver: &mut impl Driver, arguments: &Arguments, version: &str) {
    let mut steps = Steps { driver, folder: &arguments.folder };
    tell("driver", Ok(json!({ "version": version })));
    let without = std::env::var("WITHOUT").unwrap_or_default();
    let names = NAMES.into_iter().filter(|name| without.split(',').all(|other| other != *name));
    for name in names.clone() {
        let outcome = steps.insert(INSERT, name, name).await;
        tell(&format!("insert {name}"), outcome.map(|o| json!({"affected": o.affected, "id": o.id})));
    }
    for name in names {
        tell(&format!("select {name}"), steps.select(name).await);
    }
    tell("many", steps.many().await);
    tell("update", steps.update().await);
    tell("rollback", steps.in_transaction("gone", "1M", Transaction::Rollback).await);
    tell("commit", steps.in_transaction("kept", "1", Transaction::Commit).await);
    tell("duplicate", steps.duplicate().await);
    let unknown = "SELECT nothing FROM trace WHERE note = ?";
    tell("unknown", steps.driver.run(unknown, vec![Value::Text("1".into())]).await.map(|_| json!({})));
    tell("warning", steps.warning().await);
    let delete = "DELETE FROM trace WHERE note = ?";
    let deleted = steps.driver.run(delete, vec![Value::Text("0".into())]).await;
    tell("delete", deleted.map(|o| json!({"affected": o.affected})));
}

struct Steps<'a, D> {
    driver: &'a mut D,
    folder: &'a PathBuf,
}

impl<D: Driver> Steps<'_, D> {
    fn value(&self, name: &str, column: &str) -> Value {
        let file = self.folder.join("in").join(format!("{name}.{column}"));
        Value::Bytes((name != "null").then(|| fs::read(file).expect("the file of a value")))
    }

    async fn insert(&mut self, statement: &str, note: &str, name: &str) -> Result<Outcome, Fault> {
        let row = vec![Value::Text(note.into()), self.value(name, "data"), self.value(name, "raw")];
        self.driver.run(statement, row).await
    }

    async fn select(&mut self, name: &str) -> Result<Json, Fault> {
        let statement = "SELECT data, raw FROM trace WHERE note = ?";
        let outcome = self.driver.run(statement, vec![Value::Text(name.into())]).await?;
        let [row] = outcome.rows.as_slice() else {
            return Ok(json!({"rows": outcome.rows.len()}));
        };
        let mut told = Map::new();
        for (column, found) in COLUMNS.iter().zip(row) {
            if let Some(bytes) = found {
                let file = self.folder.join("out").join(format!("{name}.{column}"));
                fs::write(file, bytes).expect("the folder takes files");
            }
            told.insert((*column).to_owned(), json!(found.as_ref().map(Vec::len)));
        }
        Ok(Json::Object(told))
    }

    async fn many(&mut self) -> Result<Json, Fault> {
        let mut affected = 0;
        for number in 1..=3 {
            affected += self.insert(INSERT, &format!("many {number}"), "1").await?.affected;
        }
        Ok(json!({ "affected": affected }))
    }

    async fn update(&mut self) -> Result<Json, Fault> {
        let values = vec![self.value("1M", "data"), Value::Number(2)];
        let outcome = self.driver.run("UPDATE trace SET data = ? WHERE id = ?", values).await?;
        Ok(json!({"affected": outcome.affected}))
    }

    async fn in_transaction(&mut self, note: &str, name: &str, end: Transaction) -> Result<Json, Fault> {
        self.driver.transact(Transaction::Begin).await?;
        let done = self.insert(INSERT, note, name).await;
        self.driver.transact(end).await?;
        done?;
        let statement = "SELECT CAST(COUNT(*) AS CHAR) FROM trace WHERE note = ?";
        let outcome = self.driver.run(statement, vec![Value::Text(note.into())]).await?;
        Ok(json!({"rows": text(&outcome.rows[0][0]).parse::<u64>().ok()}))
    }

    async fn duplicate(&mut self) -> Result<Json, Fault> {
        let statement = "INSERT INTO trace (id, note, data, raw) VALUES (?, ?, ?, ?)";
        let key = [Value::Number(3), Value::Text("again".into())];
        let values = [self.value("1M", "data"), self.value("1M", "raw")];
        self.driver.run(statement, key.into_iter().chain(values).collect()).await?;
        Ok(json!({}))
    }

    async fn warning(&mut self) -> Result<Json, Fault> {
        let statement = INSERT.replace("INSERT", "INSERT IGNORE");
        let affected = self.insert(&statement, &"x".repeat(30), "1").await?.affected;
        let warnings = self.driver.run("SHOW WARNINGS", Vec::new()).await?;
        let told = |row: &Vec<Option<Vec<u8>>>| {
            json!([text(&row[0]), text(&row[1]).parse::<u64>().ok(), text(&row[2])])
        };
        Ok(json!({"affected": affected, "warnings": warnings.rows.iter().map(told).collect::<Vec<_>>()}))
    }
}

fn text(cell: &Option<Vec<u8>>) -> String {
    String::from_utf8_lossy(cell.as_deref().unwrap_or_default()).into_owned()
}

fn tell(step: &str, outcome: Result<Json, Fault>) {
    let mut line = json!({ "step": step });
    match outcome {
        Ok(Json::Object(members)) => line.as_object_mut().expect("an object").extend(members),
        Ok(_) => unreachable!("every outcome is an object"),
        Err(Fault { code, sqlstate, message }) => {
            line["error"] = json!({"code": code, "sqlstate": sqlstate, "message": message});
        }
    }
    println!("{line}");
}
