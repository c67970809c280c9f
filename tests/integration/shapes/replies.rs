//! Answers, taken apart so far as to be compared: what a client could tell from one another.

use super::values::Parameter;
use crate::support::answer::{
    Answer, BINARY_FLAG, BLOB_FLAG, Column, ServerError, TYPE_BLOB, Take,
};
use crate::support::client::{Client, Expect, Frame, com};
use crate::support::recorder::execute_body;

/// In a transaction, autocommit, more results: the flags that clients look at.
const STATUS: u16 = 0x0001 | 0x0002 | 0x0008;

/// The flags of a column that say what it is; the others are the server's own notes.
const FLAGS: u16 = 0x0fff;
/// The type of computed BLOBs and TEXTs on MariaDB.
const LONG_BLOB: u8 = 251;
/// `MYSQL_TYPE_VAR_STRING`
const TYPE_VAR_STRING: u8 = 253;
/// `ER_PARSE_ERROR`.
const SYNTAX: u16 = 1064;

/// One result of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    Done {
        affected: u64,
        insert_id: u64,
        status: u16,
        warnings: u16,
        info: String,
    },
    Rows {
        columns: Vec<Column>,
        /// Each as it was on the wire, so that both protocols are compared alike.
        rows: Vec<Vec<u8>>,
        status: u16,
        warnings: u16,
    },
    Failed(ServerError),
}

/// Runs a statement in the text protocol.
pub fn query(client: &mut Client, sql: &[u8]) -> Vec<Reply> {
    replies(&client.command(com::QUERY, sql, Expect::Results))
}

/// Prepares and executes a statement; the columns are those that PREPARE announces.
pub fn execute(client: &mut Client, sql: &[u8], parameters: &[Parameter]) -> Prepared {
    let frames = client.command(com::STMT_PREPARE, sql, Expect::Prepare);
    let first = match frames.first().map(|frame| frame.body.as_slice()) {
        Some(first) if first[0] == 0 => first,
        Some(error) => return Prepared::failed(ServerError::parse(error)),
        None => return Prepared::failed(ServerError::client("no answer to PREPARE")),
    };
    let id = u32::from_le_bytes([first[1], first[2], first[3], first[4]]);
    let columns = usize::from(u16::from_le_bytes([first[5], first[6]]));
    let announced = frames[frames.len() - columns..]
        .iter()
        .map(|frame| Column::parse(&frame.body))
        .collect();
    let body = execute_body(id, 0, &binary(parameters));
    let replies = replies(&client.command(com::STMT_EXECUTE, &body, Expect::Results));
    client.send(com::STMT_CLOSE, &id.to_le_bytes());
    Prepared {
        announced,
        replies,
        is_prepared: true,
    }
}

/// What came of a prepared statement.
#[derive(Debug, PartialEq, Eq)]
pub struct Prepared {
    pub announced: Vec<Column>,
    pub replies: Vec<Reply>,
    /// False where PREPARE failed.
    pub is_prepared: bool,
}

impl Prepared {
    fn failed(error: ServerError) -> Self {
        Self {
            announced: Vec::new(),
            replies: vec![Reply::Failed(error)],
            is_prepared: false,
        }
    }
}

/// NULL bitmap, types and values as COM_STMT_EXECUTE has them.
fn binary(parameters: &[Parameter]) -> Vec<u8> {
    if parameters.is_empty() {
        return Vec::new();
    }
    let mut out = vec![0; parameters.len().div_ceil(8)];
    out.push(1);
    for parameter in parameters {
        out.push(match parameter {
            Parameter::Bytes(_) => 252,
            Parameter::Text(_) => 253,
            Parameter::Int(_) => 8,
        });
        out.push(0);
    }
    for parameter in parameters {
        match parameter {
            Parameter::Bytes(value) | Parameter::Text(value) => {
                out.push(0xfd);
                out.extend_from_slice(&(value.len() as u32).to_le_bytes()[..3]);
                out.extend_from_slice(value);
            }
            Parameter::Int(value) => out.extend_from_slice(&value.to_le_bytes()),
        }
    }
    out
}

fn replies(frames: &[Frame]) -> Vec<Reply> {
    let mut replies = Vec::new();
    let mut frames = frames.iter().map(|frame| frame.body.as_slice());
    while let Some(first) = frames.next() {
        replies.push(match first.first() {
            Some(0x00) => done(first),
            Some(0xff) => Reply::Failed(ServerError::parse(first)),
            Some(0xfb) => continue, // asks for the file of LOAD DATA LOCAL
            _ => rows(Take(first).lenenc() as usize, &mut frames),
        });
    }
    if replies.is_empty() {
        replies.push(Reply::Failed(ServerError::client("the connection ended")));
    }
    replies
}

fn done(packet: &[u8]) -> Reply {
    let ok = Answer::ok(packet);
    Reply::Done {
        affected: ok.affected,
        insert_id: ok.insert_id,
        status: ok.status & STATUS,
        warnings: ok.warnings,
        info: ok.info,
    }
}

fn rows<'a>(columns: usize, frames: &mut impl Iterator<Item = &'a [u8]>) -> Reply {
    let definitions: Vec<&[u8]> = frames.take(columns).collect();
    if let Some(error) = definitions
        .iter()
        .find(|packet| packet.first() == Some(&0xff))
    {
        return Reply::Failed(ServerError::parse(error));
    }
    let columns = definitions.into_iter().map(Column::parse).collect();
    let mut rows = Vec::new();
    for packet in frames {
        match packet.first() {
            Some(0xff) => return Reply::Failed(ServerError::parse(packet)),
            Some(0xfe) => {
                let end = Answer::ok(packet);
                return Reply::Rows {
                    columns,
                    rows,
                    status: end.status & STATUS,
                    warnings: end.warnings,
                };
            }
            _ => rows.push(packet.to_vec()),
        }
    }
    Reply::Failed(ServerError::client("the connection ended among the rows"))
}

/// What a reply of the proxy has otherwise than the twin's; `None` if they are the same.
///
/// `database` and `twin` are names of the same length: one in place of the other is no difference.
pub fn difference(
    ours: &Reply,
    twins: &Reply,
    (database, twin): (&str, &str),
    ordered: bool,
) -> Option<String> {
    match (ours, twins) {
        (
            Reply::Rows {
                columns,
                rows,
                status,
                warnings,
            },
            Reply::Rows {
                columns: their_columns,
                rows: their_rows,
                status: their_status,
                warnings: their_warnings,
            },
        ) => {
            if columns.len() != their_columns.len() {
                return Some(format!(
                    "{} columns and not {}",
                    columns.len(),
                    their_columns.len()
                ));
            }
            if let Some(told) = columns_differ(columns, their_columns, (database, twin)) {
                return Some(told);
            }
            let mut rows: Vec<_> = rows
                .iter()
                .map(|row| renamed(row, database, twin))
                .collect();
            let mut their_rows = their_rows.clone();
            if !ordered {
                rows.sort();
                their_rows.sort();
            }
            if rows != their_rows {
                return Some(rows_differ(&rows, &their_rows));
            }
            let flags = (status, warnings);
            let their_flags = (their_status, their_warnings);
            (flags != their_flags)
                .then(|| format!("status, warnings {flags:?} and not {their_flags:?}"))
        }
        (Reply::Failed(error), Reply::Failed(twins)) => {
            let message = error.message.replace(database, twin);
            // codec-proxy may be the first to see a mistake; a syntax error tells what is near.
            let message = message.strip_prefix("codec-proxy: ").unwrap_or(&message);
            let same = error.code == twins.code
                && error.sqlstate == twins.sqlstate
                && (message == twins.message || error.code == SYNTAX);
            (!same).then(|| format!("error {error} and not {twins}"))
        }
        _ => (ours != twins).then(|| format!("{ours:?} and not {twins:?}")),
    }
}

/// What one column is announced as, and the other not.
pub fn columns_differ(
    ours: &[Column],
    twins: &[Column],
    (database, twin): (&str, &str),
) -> Option<String> {
    ours.iter().zip(twins).find_map(|(ours, twins)| {
        let mut renamed = comparable(ours);
        renamed.schema = ours.schema.replace(database, twin);
        renamed.name = ours.name.replace(database, twin);
        renamed.org_name = ours.org_name.replace(database, twin);
        let mut twins = comparable(twins);
        if is_information(&twins) {
            (renamed, twins) = (of_query(renamed), of_query(twins));
        }
        (renamed != twins).then(|| format!("announced as {renamed:?} and not as {twins:?}"))
    })
}

/// A column without what is the server's own business.
///
/// A computed value of a codec column is announced as a column of the view's type would be; of a
/// computed `longblob` the server says that it is a LONG_BLOB, or not that it is one.
fn comparable(column: &Column) -> Column {
    let is_computed = column.org_name.is_empty();
    let is_blob = (LONG_BLOB..=TYPE_BLOB).contains(&column.kind);
    let ignored = if is_computed && is_blob { BLOB_FLAG } else { 0 };
    Column {
        flags: column.flags & FLAGS & !ignored,
        kind: if is_computed && is_blob {
            TYPE_BLOB
        } else {
            column.kind
        },
        length: if is_computed { 0 } else { column.length },
        ..column.clone()
    }
}

/// Whether a column is one of `information_schema.columns`, in place of which the proxy has a query.
fn is_information(column: &Column) -> bool {
    column.schema == "information_schema" || column.org_table.eq_ignore_ascii_case("columns")
}

/// A column without what the server says of its origin, and of computed values otherwise: how long
/// they may be, whether they may be NULL, that they are binary, and by which type they are texts.
fn of_query(column: Column) -> Column {
    const NOT_NULL: u16 = 1;
    let is_text = (LONG_BLOB..=TYPE_VAR_STRING).contains(&column.kind);
    Column {
        schema: String::new(),
        org_table: String::new(),
        org_name: String::new(),
        length: 0,
        decimals: 0,
        kind: if is_text { TYPE_BLOB } else { column.kind },
        flags: column.flags & !(NOT_NULL | BLOB_FLAG | BINARY_FLAG),
        ..column
    }
}

fn rows_differ(ours: &[Vec<u8>], twins: &[Vec<u8>]) -> String {
    let at = ours.iter().zip(twins).take_while(|(o, t)| o == t).count();
    let show = |rows: &[Vec<u8>]| match rows.get(at) {
        Some(row) => format!("{:?}", String::from_utf8_lossy(&row[..row.len().min(300)])),
        None => "nothing".to_owned(),
    };
    format!(
        "{} rows against {}; row {at} is {} and not {}",
        ours.len(),
        twins.len(),
        show(ours),
        show(twins)
    )
}

/// The bytes with one name put in place of another of its length.
pub fn renamed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let places: Vec<_> = memchr::memmem::find_iter(bytes, from).collect();
    for at in places {
        out[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    out
}
