//! One large value, written and read back, each over a connection of its own, by each protocol.

use std::time::Instant;

use md5::{Digest, Md5};

use crate::literal::{Random, quote};
use crate::{Outcome, Protocol, Server, answer, next_order};

/// The length of a piece that is sent ahead.
const PIECE: usize = 1 << 20;

/// Obeys `put` (a new value in a new row), `get` (the last one that was put) and `md5` (of the last one). Before the
/// first `put` the last one is what an earlier process with the same first id has put first. Each order is answered
/// with the seconds that it took, login and preparation not counted.
pub async fn run(
    server: &Server,
    protocol: Protocol,
    table: &str,
    size: usize,
    first_id: u64,
) -> Outcome<()> {
    let mut random = Random::new(first_id);
    let mut value = Vec::new();
    let mut id = first_id - 1;
    answer("ready")?;
    while let Some(order) = next_order()? {
        let seconds = match order.as_str() {
            "put" => {
                id += 1;
                value = random.blob(size);
                put(server, protocol, table, id, &value).await?
            }
            "get" => {
                if value.is_empty() {
                    id = first_id;
                    value = random.blob(size);
                }
                get(server, protocol, table, id, &value).await?
            }
            "md5" => {
                let begin = Instant::now();
                std::hint::black_box(Md5::digest(&value));
                begin.elapsed().as_secs_f64()
            }
            other => return Err(format!("unknown order {other}").into()),
        };
        answer(&format!("{{\"seconds\": {seconds}}}"))?;
    }
    Ok(())
}

async fn put(
    server: &Server,
    protocol: Protocol,
    table: &str,
    id: u64,
    value: &[u8],
) -> Outcome<f64> {
    let mut connection = server.connect().await?;
    let begin;
    if protocol == Protocol::Text {
        let mut sql = format!("INSERT INTO {table} (id, data) VALUES ({id}, ").into_bytes();
        quote(&mut sql, value);
        sql.push(b')');
        begin = Instant::now();
        connection.query(&sql).await?;
    } else {
        let sql = format!("INSERT INTO {table} (id, data) VALUES (?, ?)");
        let statement = connection.prepare(&sql).await?;
        begin = Instant::now();
        let mut bound = Some(value);
        if protocol == Protocol::LongData {
            for piece in value.chunks(PIECE) {
                connection.long_data(statement, piece).await?;
            }
            bound = None;
        }
        connection.execute(statement, id, Some(bound), None).await?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    connection.quit().await?;
    Ok(seconds)
}

async fn get(
    server: &Server,
    protocol: Protocol,
    table: &str,
    id: u64,
    value: &[u8],
) -> Outcome<f64> {
    // The row: in the binary protocol two bytes; the length of its one value in nine bytes (it is over 16 MiB), the
    // value; then the payload of the EOF packet. The memory is touched beforehand: a page fault in the client is not
    // the proxy's time.
    let mut rows = vec![1; value.len() + 64];
    rows.clear();
    let mut connection = server.connect().await?;
    let (begin, count, head);
    if protocol == Protocol::Text {
        let sql = format!("SELECT data FROM {table} WHERE id = {id}");
        begin = Instant::now();
        count = connection
            .query_into(sql.as_bytes(), Some(&mut rows))
            .await?;
        head = 9;
    } else {
        let sql = format!("SELECT data FROM {table} WHERE id = ?");
        let statement = connection.prepare(&sql).await?;
        begin = Instant::now();
        count = connection
            .execute(statement, id, None, Some(&mut rows))
            .await?;
        head = 2 + 9;
    }
    let seconds = begin.elapsed().as_secs_f64();
    connection.quit().await?;
    if count != 1 || rows.get(head..head + value.len()) != Some(value) {
        return Err("the value that came back is not the one that was put".into());
    }
    Ok(seconds)
}
