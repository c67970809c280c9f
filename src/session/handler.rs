//! `HANDLER … READ` by an index: the server goes by what is stored, so no column of the index may
//! be one that the view translates.
//!
//! 1. The server is asked for the columns of the index.
//! 2. If one is translated: refused; nothing was sent.

use std::io;
use std::sync::Arc;

use super::question;
use super::refuse::Failure;
use super::relay::Relay;
use crate::catalog::Table;
use crate::plan::Handler;
use crate::wire::row;

/// The name of a column is shorter, in bytes.
const ROW: u64 = 1 << 20;

/// Refuses to read a table by this index, if it has a translated column.
pub async fn check(
    relay: &mut Relay,
    table: &Arc<Table>,
    index: &str,
) -> io::Result<Result<(), Failure>> {
    // Digits, so that neither quotes nor the client's character set matter.
    let hex = |name: &str| data_encoding::HEXLOWER.encode(name.as_bytes());
    let question = format!(
        "SELECT CAST(COLUMN_NAME AS BINARY) FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = CONVERT(X'{}' USING utf8mb4) \
         AND TABLE_NAME = CONVERT(X'{}' USING utf8mb4) \
         AND INDEX_NAME = CONVERT(X'{}' USING utf8mb4)",
        hex(&table.schema),
        hex(&table.name),
        hex(index)
    );
    let mut columns: Vec<String> = Vec::new();
    let asked = question::ask(relay, question.as_bytes(), ROW, |row| {
        let cell = row::cells(&row).next().flatten();
        if let Some(value) = cell.and_then(|cell| cell.value) {
            columns.push(String::from_utf8_lossy(&row[value]).into_owned());
        }
    });
    if let Err(packet) = asked.await? {
        return Ok(Err(Failure::Server(packet)));
    }
    let refusal = Handler::refuse_index(table, &columns, relay.choice.view);
    Ok(refusal.map_or(Ok(()), |refusal| Err(refusal.into())))
}
