//! mysql_async: `query` is text, `exec` is prepared.

use matrix::{Arguments, Driver, Fault, Outcome, Transaction, Value, in_text};
use mysql_async::prelude::Queryable;
use mysql_async::{Compression, Conn, Error, OptsBuilder, Params, Row, SslOpts};

struct MysqlAsync {
    connection: Conn,
    is_prepared: bool,
}

impl Driver for MysqlAsync {
    async fn run(&mut self, statement: &str, values: Vec<Value>) -> Result<Outcome, Fault> {
        // SHOW WARNINGS would be prepared, too, which forgets the warnings.
        let rows: Vec<Row> = if self.is_prepared && !values.is_empty() {
            let values = Params::Positional(values.into_iter().map(parameter).collect());
            self.connection.exec(statement, values).await.map_err(fault)?
        } else {
            let text = in_text(statement, &values);
            self.connection.query(text).await.map_err(fault)?
        };
        Ok(Outcome {
            rows: rows.into_iter().map(cells).collect(),
            affected: self.connection.affected_rows(),
            id: self.connection.last_insert_id().unwrap_or_default(),
        })
    }

    async fn transact(&mut self, what: Transaction) -> Result<(), Fault> {
        let statement = match what {
            Transaction::Begin => "START TRANSACTION",
            Transaction::Commit => "COMMIT",
            Transaction::Rollback => "ROLLBACK",
        };
        self.connection.query_drop(statement).await.map_err(fault)
    }
}

fn parameter(value: Value) -> mysql_async::Value {
    match value {
        Value::Text(text) => text.into(),
        Value::Number(number) => number.into(),
        Value::Bytes(bytes) => bytes.into(),
    }
}

fn cells(row: Row) -> Vec<Option<Vec<u8>>> {
    let cell = |value| match value {
        mysql_async::Value::NULL => None,
        mysql_async::Value::Bytes(bytes) => Some(bytes),
        other => Some(other.as_sql(true).into_bytes()),
    };
    row.unwrap().into_iter().map(cell).collect()
}

fn fault(error: Error) -> Fault {
    match error {
        Error::Server(error) => Fault {
            code: Some(error.code),
            sqlstate: Some(error.state),
            message: error.message,
        },
        other => Fault { code: None, sqlstate: None, message: other.to_string() },
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::new();
    let tls = SslOpts::default()
        .with_danger_accept_invalid_certs(true)
        .with_danger_skip_domain_validation(true);
    let options = OptsBuilder::default()
        .ip_or_hostname(&arguments.host)
        .tcp_port(arguments.port)
        .user(Some(&arguments.user))
        .pass(Some(&arguments.password))
        .db_name(Some(&arguments.database))
        .prefer_socket(false)
        .ssl_opts(arguments.is_encrypted.then_some(tls))
        .compression(arguments.is_compressed.then(Compression::default));
    let connection = Conn::new(options).await?;
    let mut driver = MysqlAsync { connection, is_prepared: arguments.is_prepared };
    matrix::run(&mut driver, &arguments, env!("MYSQL_ASYNC_VERSION")).await;
    driver.connection.disconnect().await?;
    Ok(())
}
