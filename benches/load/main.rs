//! The load generator of `make bench`: it speaks the protocol raw, so that it costs little beside the proxies.
//!
//! Every kind of load sets itself up, prints `ready`, and then answers each line on its standard input with one JSON
//! line. It ends when its input ends. `benches/run` starts one process per kind and leg and gives the word round by
//! round, so that the legs are measured side by side.

mod connection;
mod delay;
mod literal;
mod loads;
mod value;

use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use connection::Connection;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
struct Command {
    #[command(subcommand)]
    kind: Kind,
    /// `cargo bench` adds this flag; it means nothing here.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Kind {
    /// Point SELECTs by several clients; a line `N` runs N of them.
    Select {
        #[command(flatten)]
        server: Server,
        #[arg(long, default_value_t = 1)]
        clients: usize,
        /// Ids are drawn from 1 to this number.
        #[arg(long)]
        ids: u64,
        /// Each client prepares the statement once and executes it.
        #[arg(long)]
        prepared: bool,
    },
    /// One statement by several clients, its result read to the end; a line `N` runs it N times.
    Query {
        #[command(flatten)]
        server: Server,
        #[arg(long, default_value_t = 1)]
        clients: usize,
        #[arg(long, required_unless_present = "file")]
        sql: Option<String>,
        /// A file with the statement, instead of `--sql`.
        #[arg(long)]
        file: Option<PathBuf>,
        /// The number of rows that every result must have.
        #[arg(long)]
        rows: u64,
    },
    /// INSERTs of one random value, escaped as PyMySQL does; a line `N` runs N of them.
    Insert {
        #[command(flatten)]
        server: Server,
        #[arg(long)]
        table: String,
        /// Bytes of the value before escaping.
        #[arg(long)]
        size: usize,
    },
    /// Log in and leave; a line `N` does so N times.
    Connect {
        #[command(flatten)]
        server: Server,
    },
    /// One large value: the lines `put`, `get` and `md5` insert it, fetch and compare it, and hash it on one core.
    Value {
        #[command(flatten)]
        server: Server,
        #[arg(long, value_enum, default_value_t = Protocol::Text)]
        protocol: Protocol,
        #[arg(long)]
        table: String,
        /// Bytes of the value.
        #[arg(long)]
        size: usize,
        /// The first id of the rows that are written; later ones follow.
        #[arg(long, default_value_t = 1)]
        id: u64,
    },
    /// Idle clients, held until the input ends.
    Hold {
        #[command(flatten)]
        server: Server,
        #[arg(long)]
        clients: usize,
    },
    /// A relay in front of an HTTP server that holds every request back for a while; prints its port.
    Delay {
        #[arg(long)]
        to: SocketAddr,
        #[arg(long)]
        milliseconds: u64,
    },
}

/// How a value goes to the server.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Protocol {
    /// Within the statement.
    Text,
    /// Bound to a parameter of a prepared statement.
    Prepared,
    /// The same, sent ahead in pieces (COM_STMT_SEND_LONG_DATA).
    LongData,
}

#[derive(Args, Clone)]
struct Server {
    #[arg(long)]
    address: SocketAddr,
    #[arg(long, default_value = "bench")]
    user: String,
    #[arg(long, default_value = "bench")]
    password: String,
}

impl Server {
    async fn connect(&self) -> Outcome<Connection> {
        Connection::open(self.address, &self.user, &self.password).await
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    match Command::parse().kind {
        Kind::Select {
            server,
            clients,
            ids,
            prepared,
        } => loads::select(&server, clients, ids, prepared).await,
        Kind::Query {
            server,
            clients,
            sql,
            file,
            rows,
        } => {
            let text = match file {
                Some(file) => std::fs::read(file)?,
                None => sql.unwrap_or_default().into_bytes(),
            };
            loads::query(&server, clients, &text, rows).await
        }
        Kind::Insert {
            server,
            table,
            size,
        } => loads::insert(&server, &table, size).await,
        Kind::Connect { server } => loads::connect(&server).await,
        Kind::Value {
            server,
            protocol,
            table,
            size,
            id,
        } => value::run(&server, protocol, &table, size, id).await,
        Kind::Hold { server, clients } => loads::hold(&server, clients).await,
        Kind::Delay { to, milliseconds } => delay::run(to, milliseconds).await,
    }
}

/// The next line of the standard input, without its end; `None` when the input has ended.
fn next_order() -> Outcome<Option<String>> {
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(line.trim().to_owned()))
}

/// Prints one line at once: the runner at the other end of the pipe waits for it.
fn answer(line: &str) -> Outcome<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
