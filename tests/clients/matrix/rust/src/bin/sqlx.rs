//! sqlx: `raw_sql` is text, `query` is prepared.

use matrix::{Arguments, Driver, Fault, Outcome, Transaction, Value, in_text};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow, MySqlSslMode};
use sqlx::{AssertSqlSafe, Connection, Either, Error, Executor, Row};

struct Sqlx {
    connection: MySqlConnection,
    is_prepared: bool,
}

impl Driver for Sqlx {
    async fn run(&mut self, statement: &str, values: Vec<Value>) -> Result<Outcome, Fault> {
        let mut outcome = Outcome::default();
        let found = if self.is_prepared && !values.is_empty() {
            let mut query = sqlx::query(AssertSqlSafe(statement.to_owned()));
            for value in values {
                query = match value {
                    Value::Text(text) => query.bind(text),
                    Value::Number(number) => query.bind(number),
                    Value::Bytes(bytes) => query.bind(bytes),
                };
            }
            collect(&mut self.connection, query).await?
        } else {
            let text = AssertSqlSafe(in_text(statement, &values));
            collect(&mut self.connection, sqlx::raw_sql(text)).await?
        };
        for one in found {
            match one {
                Either::Left(done) => {
                    outcome.affected += done.rows_affected();
                    outcome.id = done.last_insert_id();
                }
                Either::Right(row) => outcome.rows.push(cells(&row)?),
            }
        }
        Ok(outcome)
    }

    async fn transact(&mut self, what: Transaction) -> Result<(), Fault> {
        let statement = match what {
            Transaction::Begin => "START TRANSACTION",
            Transaction::Commit => "COMMIT",
            Transaction::Rollback => "ROLLBACK",
        };
        self.connection.execute(statement).await.map(drop).map_err(fault)
    }
}

type Found = Either<sqlx::mysql::MySqlQueryResult, MySqlRow>;

async fn collect<'q>(
    connection: &mut MySqlConnection,
    query: impl sqlx::Execute<'q, sqlx::MySql> + 'q,
) -> Result<Vec<Found>, Fault> {
    use futures_util::TryStreamExt;
    connection.fetch_many(query).try_collect().await.map_err(fault)
}

fn cells(row: &MySqlRow) -> Result<Vec<Option<Vec<u8>>>, Fault> {
    let cell = |at| row.try_get_unchecked::<Option<Vec<u8>>, _>(at).map_err(fault);
    (0..row.len()).map(cell).collect()
}

fn fault(error: Error) -> Fault {
    let Some(server) = error.as_database_error() else {
        return Fault { code: None, sqlstate: None, message: error.to_string() };
    };
    Fault {
        code: server.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number),
        sqlstate: server.code().map(Into::into),
        message: server.message().to_owned(),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::new();
    let mode = if arguments.is_encrypted { MySqlSslMode::Required } else { MySqlSslMode::Disabled };
    let options = MySqlConnectOptions::new()
        .host(&arguments.host)
        .port(arguments.port)
        .username(&arguments.user)
        .password(&arguments.password)
        .database(&arguments.database)
        .ssl_mode(mode);
    let connection = MySqlConnection::connect_with(&options).await?;
    let mut driver = Sqlx { connection, is_prepared: arguments.is_prepared };
    matrix::run(&mut driver, &arguments, env!("SQLX_VERSION")).await;
    driver.connection.close().await?;
    Ok(())
}
