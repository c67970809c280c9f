//! The loads that only pass through a proxy: timed per unit, while the runner reads the proxy's CPU time around them.

use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::literal::{Random, quote};
use crate::{Outcome, Server, answer, next_order};

const POINT: &str = "SELECT id, name, value FROM bench.point WHERE id = ";

/// Point SELECTs by `clients` at once, as text or by a statement that each has prepared.
pub async fn select(server: &Server, clients: usize, ids: u64, is_prepared: bool) -> Outcome<()> {
    let mut idle = Vec::new();
    for _ in 0..clients {
        let mut connection = server.connect().await?;
        let statement = match is_prepared {
            true => Some(connection.prepare(&format!("{POINT}?")).await?),
            false => None,
        };
        idle.push((connection, statement));
    }
    let mut seed = 0;
    answer("ready")?;
    while let Some(units) = next_units()? {
        let share = units.div_ceil(clients);
        let begin = Instant::now();
        let mut running = JoinSet::new();
        for (connection, statement) in idle.drain(..) {
            seed += 1;
            running.spawn(select_share(connection, statement, share, ids, seed));
        }
        let mut times = Vec::new();
        while let Some(done) = running.join_next().await {
            let (connection, mut share_times) = done??;
            idle.push(connection);
            times.append(&mut share_times);
        }
        report(begin, times)?;
    }
    Ok(())
}

async fn select_share(
    mut connection: Connection,
    statement: Option<u32>,
    units: usize,
    ids: u64,
    seed: u64,
) -> Outcome<((Connection, Option<u32>), Vec<u64>)> {
    let mut random = Random::new(seed);
    let mut times = Vec::with_capacity(units);
    for _ in 0..units {
        let begin = Instant::now();
        let id = random.number() % ids + 1;
        let rows = match statement {
            Some(statement) => connection.execute(statement, id, None, None).await?,
            None => connection.query(format!("{POINT}{id}").as_bytes()).await?,
        };
        if rows != 1 {
            return Err(format!("a point SELECT gave {rows} rows").into());
        }
        times.push(nanoseconds(begin));
    }
    Ok(((connection, statement), times))
}

/// One query again and again, by `clients` at once.
pub async fn query(server: &Server, clients: usize, sql: &[u8], rows: u64) -> Outcome<()> {
    let sql: Arc<[u8]> = sql.into();
    let mut idle = Vec::new();
    for _ in 0..clients {
        idle.push(server.connect().await?);
    }
    answer("ready")?;
    while let Some(units) = next_units()? {
        let share = units.div_ceil(clients);
        let begin = Instant::now();
        let mut running = JoinSet::new();
        for connection in idle.drain(..) {
            running.spawn(query_share(connection, sql.clone(), share, rows));
        }
        let mut times = Vec::new();
        while let Some(done) = running.join_next().await {
            let (connection, mut share_times) = done??;
            idle.push(connection);
            times.append(&mut share_times);
        }
        report(begin, times)?;
    }
    Ok(())
}

async fn query_share(
    mut connection: Connection,
    sql: Arc<[u8]>,
    units: usize,
    rows: u64,
) -> Outcome<(Connection, Vec<u64>)> {
    let mut times = Vec::with_capacity(units);
    for _ in 0..units {
        let begin = Instant::now();
        let seen = connection.query(&sql).await?;
        if seen != rows {
            return Err(format!("{seen} rows instead of {rows}").into());
        }
        times.push(nanoseconds(begin));
    }
    Ok((connection, times))
}

/// INSERTs of one value again and again.
pub async fn insert(server: &Server, table: &str, size: usize) -> Outcome<()> {
    let mut sql = format!("INSERT INTO {table} (id, data) VALUES (1, ").into_bytes();
    quote(&mut sql, &Random::new(1).blob(size));
    sql.push(b')');
    let mut connection = server.connect().await?;
    answer("ready")?;
    while let Some(units) = next_units()? {
        let begin = Instant::now();
        let mut times = Vec::new();
        for _ in 0..units {
            let unit = Instant::now();
            connection.query(&sql).await?;
            times.push(nanoseconds(unit));
        }
        report(begin, times)?;
    }
    Ok(())
}

/// Logins, each followed by a goodbye.
pub async fn connect(server: &Server) -> Outcome<()> {
    answer("ready")?;
    while let Some(units) = next_units()? {
        let begin = Instant::now();
        let mut times = Vec::new();
        for _ in 0..units {
            let unit = Instant::now();
            server.connect().await?.quit().await?;
            times.push(nanoseconds(unit));
        }
        report(begin, times)?;
    }
    Ok(())
}

/// Clients that have logged in, run one query, and now do nothing.
pub async fn hold(server: &Server, clients: usize) -> Outcome<()> {
    let mut held = Vec::new();
    for _ in 0..clients {
        let mut connection = server.connect().await?;
        connection.query(b"SELECT 1").await?;
        held.push(connection);
    }
    answer("ready")?;
    while next_order()?.is_some() {}
    Ok(())
}

fn next_units() -> Outcome<Option<usize>> {
    Ok(next_order()?.map(|line| line.parse()).transpose()?)
}

fn nanoseconds(since: Instant) -> u64 {
    since.elapsed().as_nanos() as u64
}

/// Answers with the number of units done, the seconds they took together, and the median of one in seconds.
fn report(begin: Instant, mut times: Vec<u64>) -> Outcome<()> {
    let seconds = begin.elapsed().as_secs_f64();
    times.sort_unstable();
    let median = times
        .get(times.len() / 2)
        .map_or(0.0, |median| *median as f64 / 1e9);
    answer(&format!(
        "{{\"units\": {}, \"seconds\": {seconds}, \"median\": {median}}}",
        times.len()
    ))
}
