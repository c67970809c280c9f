//! What the console answers: logins and statements, as `opensrv-mysql` asks for it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use opensrv_mysql::{
    AsyncMysqlShim, Column as Definition, ColumnFlags, ColumnType, ErrorKind, InitWriter,
    OkResponse, ParamParser, QueryResultWriter, StatementMetaWriter, StatusFlags,
};
use tokio::io::AsyncWrite;

use super::account::{Account, Proof};
use super::command::{self, Command, HELP, Show, TABLES, Unknown};
use super::gate::Gate;
use super::values::{self, Fault, Known, VARIABLES, VERSION};
use crate::admin::table::{Column, Table, number, text};
use crate::admin::{House, reload, tables};
use crate::codec::late;
use crate::session::roster::State;

/// In an authentication packet: the proof of `caching_sha2_password` was right.
const FAST_SUCCESS: [u8; 2] = [0x01, 0x03];

const HELPED: &[Column] = &[text("Command"), text("What it does")];
// As MySQL's own HELP has it: its prompt knows these by their number and names.
const HELP_TEXT: &[Column] = &[text("name"), text("description"), text("example")];
const RELOADED: &[Column] = &[text("Section"), text("Outcome")];
const DATABASES: &[Column] = &[text("Database")];
const TABLE_NAMES: &[Column] = &[text("Tables_in_codec_proxy")];
const NAMES_AND_VALUES: &[Column] = &[text("Variable_name"), text("Value")];
const WARNINGS: &[Column] = &[text("Level"), number("Code"), text("Message")];

/// The console of one client.
pub(super) struct Answers {
    house: Arc<House>,
    account: Arc<Account>,
    gate: Arc<Gate>,
    nonce: [u8; 20],
    id: u32,
    peer: SocketAddr,
    database: Option<String>,
}

/// What a statement comes to.
enum Answer {
    Rows(Table),
    /// A SELECT without tables: its own columns.
    Values(Vec<Definition>, Vec<Vec<Option<String>>>),
    /// Nothing to show but, perhaps, a sentence.
    Done(String),
}

impl Answers {
    /// For a client that is about to log in; the error is that of the system's randomness.
    pub fn new(
        house: Arc<House>,
        account: Arc<Account>,
        gate: Arc<Gate>,
        id: u32,
        peer: SocketAddr,
    ) -> Result<Self, getrandom::Error> {
        let mut nonce = [0; 20];
        getrandom::fill(&mut nonce)?;
        // Some clients end it at a NUL, and MySQL has no dollar in it.
        for byte in &mut nonce {
            *byte = (*byte & 0x7f).max(1);
            *byte += u8::from(*byte == b'$');
        }
        Ok(Self {
            house,
            account,
            gate,
            nonce,
            id,
            peer,
            database: None,
        })
    }

    async fn answer(&self, statement: &str) -> Result<Answer, Fault> {
        match command::parse(statement) {
            Ok(Command::Show(what, like)) => {
                let table = self.show(&what).await?;
                Ok(Answer::Rows(match like {
                    Some(pattern) => table.like(&pattern),
                    None => table,
                }))
            }
            Ok(Command::Resolve(spec)) => {
                look_for_codecs().await;
                match tables::resolve(&self.house, &spec) {
                    Ok(table) => Ok(Answer::Rows(table)),
                    Err(reason) => Err((1235, reason)),
                }
            }
            Ok(Command::Reload) => self.reload().await,
            Ok(Command::Kill(id)) => self.kill(id).await,
            Ok(Command::Help) => {
                let mut table = Table::new(HELPED);
                for (command, meaning) in HELP {
                    table.row([command, meaning].map(str::to_owned));
                }
                Ok(Answer::Rows(table))
            }
            Ok(Command::HelpText) => {
                let mut table = Table::new(HELP_TEXT);
                let lines = HELP.map(|(command, meaning)| format!("{command:32} {meaning}\n"));
                table.row(["codec-proxy".to_owned(), lines.concat(), String::new()]);
                Ok(Answer::Rows(table))
            }
            Ok(Command::Select(items, limit)) => self.select(&items, limit),
            Ok(Command::Nothing) => Ok(Answer::Done(String::new())),
            Err(Unknown::Empty) => Err((1065, "the statement is empty; try SHOW HELP".to_owned())),
            Err(Unknown::Nearest(command)) => Err((
                1064,
                format!(
                    "this is no command of the console; did you mean {command}? SHOW HELP lists all"
                ),
            )),
        }
    }

    async fn show(&self, what: &Show) -> Result<Table, Fault> {
        let house = &self.house;
        if matches!(what, Show::Codecs | Show::Columns { .. }) {
            look_for_codecs().await;
        }
        let list = |columns, names: &[&str]| {
            let mut table = Table::new(columns);
            for name in names {
                table.rows.push(vec![Some((*name).to_owned())]);
            }
            table
        };
        Ok(match what {
            Show::Codecs => tables::codecs(),
            Show::Stores { probe } => tables::stores(house, *probe).await,
            Show::Sessions => tables::sessions(house),
            Show::Columns { schema, table } => {
                tables::columns(house, schema.as_deref(), table.as_deref())
                    .await
                    .map_err(|error| (1296, error.to_string()))?
            }
            Show::Status => tables::status(house),
            Show::Config => tables::config(house),
            Show::Refusals => tables::refusals(),
            Show::Databases => list(DATABASES, &["codec_proxy"]),
            Show::Tables => list(TABLE_NAMES, &TABLES),
            Show::Variables => {
                let mut table = Table::new(NAMES_AND_VALUES);
                for (name, value) in VARIABLES {
                    table.row([name, value].map(str::to_owned));
                }
                table
            }
            Show::Warnings => Table::new(WARNINGS),
        })
    }

    fn select(&self, items: &[command::Item], limit: u64) -> Result<Answer, Fault> {
        let user = format!("{}@{}", self.account.user(), self.peer.ip());
        let known = Known {
            connection: self.id,
            user: &user,
            database: self.database.as_deref(),
        };
        let columns = items.iter().map(|item| {
            definition(
                Column {
                    name: "",
                    number: values::is_number(item),
                },
                &item.name,
            )
        });
        let row = items.iter().map(|item| values::value(item, &known));
        let row = row.collect::<Result<Vec<_>, _>>()?;
        let rows = if limit > 0 { vec![row] } else { Vec::new() };
        Ok(Answer::Values(columns.collect(), rows))
    }

    async fn reload(&self) -> Result<Answer, Fault> {
        let told = reload::reload(&self.house).await;
        let told = told.map_err(|error| (1296, format!("nothing was changed: {error}")))?;
        let mut table = Table::new(RELOADED);
        for (section, outcome) in told {
            table.row([section.to_owned(), outcome]);
        }
        if table.rows.is_empty() {
            table.row(["configuration", "read; nothing has changed"].map(str::to_owned));
        }
        Ok(Answer::Rows(table))
    }

    /// Ends a session. Its connection to the database is closed with it; what a statement does
    /// there goes on until the server notices, unless the catalog's account may end it.
    async fn kill(&self, id: u64) -> Result<Answer, Fault> {
        let shared = self.house.shared();
        let Some(seen) = shared.roster.kill(id) else {
            return Err((
                1094,
                format!("there is no session {id}; SHOW SESSIONS lists them"),
            ));
        };
        tracing::info!(session = id, by = %self.peer, "a session is ended from the console");
        let done = match seen.state {
            State::Login | State::Idle => format!("session {id} is ended"),
            State::Working | State::Running => match shared.catalog.kill(seen.connection).await {
                Ok(()) => format!("session {id} is ended, and its statement in the database too"),
                Err(_) => format!(
                    "session {id} is ended; the database ends its statement when it notices, \
                     for the account of [database] may not KILL there"
                ),
            },
        };
        Ok(Answer::Done(done))
    }
}

/// Has the process know the codecs of Python packages, too. What keeps it from looking is logged.
async fn look_for_codecs() {
    let look = || drop(late::look());
    let _ = tokio::task::spawn_blocking(look).await;
}

/// How a column is announced.
fn definition(column: Column, name: &str) -> Definition {
    let (coltype, colflags) = match column.number {
        true => (ColumnType::MYSQL_TYPE_LONGLONG, ColumnFlags::UNSIGNED_FLAG),
        false => (ColumnType::MYSQL_TYPE_VAR_STRING, ColumnFlags::empty()),
    };
    Definition {
        table: String::new(),
        column: name.to_owned(),
        coltype,
        colflags,
    }
}

/// Only the numbers that are given out here: of another, the library panics.
fn kind(code: u16) -> ErrorKind {
    match code {
        1064 => ErrorKind::ER_PARSE_ERROR,
        1065 => ErrorKind::ER_EMPTY_QUERY,
        1094 => ErrorKind::ER_NO_SUCH_THREAD,
        1193 => ErrorKind::ER_UNKNOWN_SYSTEM_VARIABLE,
        1235 => ErrorKind::ER_NOT_SUPPORTED_YET,
        1296 => ErrorKind::ER_GET_ERRMSG,
        1305 => ErrorKind::ER_SP_DOES_NOT_EXIST,
        _ => ErrorKind::ER_UNKNOWN_ERROR,
    }
}

fn ok(info: String) -> OkResponse {
    OkResponse {
        info,
        status_flags: StatusFlags::SERVER_STATUS_AUTOCOMMIT,
        ..OkResponse::default()
    }
}

#[async_trait]
impl<W: AsyncWrite + Send + Unpin> AsyncMysqlShim<W> for Answers {
    type Error = io::Error;

    fn version(&self) -> String {
        VERSION.to_owned()
    }

    fn connect_id(&self) -> u32 {
        self.id
    }

    fn default_auth_plugin(&self) -> &str {
        "caching_sha2_password"
    }

    async fn auth_plugin_for_username(&self, _user: &[u8]) -> &str {
        "caching_sha2_password"
    }

    fn salt(&self) -> [u8; 20] {
        self.nonce
    }

    async fn authenticate(&self, _: &str, user: &[u8], nonce: &[u8], proof: &[u8]) -> bool {
        match self.account.check(user, nonce, proof) {
            Some(Proof::Native) => self.gate.open(None),
            Some(Proof::Sha2) => self.gate.open(Some(&FAST_SUCCESS)),
            None => {
                let (user, host) = (String::from_utf8_lossy(user), self.peer.ip());
                let with = if proof.is_empty() { "NO" } else { "YES" };
                tracing::warn!(%user, peer = %self.peer, "a login to the console was refused");
                let text =
                    format!("Access denied for user '{user}'@'{host}' (using password: {with})");
                self.gate.refuse(1045, "28000", &text);
                return false;
            }
        }
        tracing::debug!(peer = %self.peer, "console session begins");
        true
    }

    async fn on_prepare<'a>(
        &'a mut self,
        _query: &'a str,
        info: StatementMetaWriter<'a, W>,
    ) -> io::Result<()> {
        let text = "codec-proxy: the console has no prepared statements; send the text";
        info.error(ErrorKind::ER_UNSUPPORTED_PS, text.as_bytes())
            .await
    }

    async fn on_execute<'a>(
        &'a mut self,
        _id: u32,
        _params: ParamParser<'a>,
        results: QueryResultWriter<'a, W>,
    ) -> io::Result<()> {
        let text = b"codec-proxy: the console has no prepared statements";
        results
            .error(ErrorKind::ER_UNKNOWN_STMT_HANDLER, &text[..])
            .await
    }

    async fn on_close<'a>(&'a mut self, _id: u32)
    where
        W: 'async_trait,
    {
    }

    async fn on_init<'a>(
        &'a mut self,
        database: &'a str,
        writer: InitWriter<'a, W>,
    ) -> io::Result<()> {
        // Some clients insist on one; whatever it is called, it is this one.
        self.database = (!database.is_empty()).then(|| database.to_owned());
        writer.ok().await
    }

    async fn on_query<'a>(
        &'a mut self,
        query: &'a str,
        results: QueryResultWriter<'a, W>,
    ) -> io::Result<()> {
        let (columns, rows) = match self.answer(query).await {
            Ok(Answer::Done(info)) => return results.completed(ok(info)).await,
            Ok(Answer::Values(columns, rows)) => (columns, rows),
            Ok(Answer::Rows(table)) => {
                let columns = table.columns.iter();
                let columns = columns.map(|column| definition(*column, column.name));
                (columns.collect(), table.rows)
            }
            Err((code, reason)) => {
                let text = format!("codec-proxy: {reason}");
                return results.error(kind(code), text.as_bytes()).await;
            }
        };
        let mut writer = results.start(&columns).await?;
        for row in rows {
            writer.write_row(row).await?;
        }
        writer.finish().await
    }
}
