//! Many values from many clients while a worker is killed again and again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{descendants, json_client, lab, workers};
use crate::support::proxy::signal;

const CLIENTS: usize = 16;

/// Rows of each statement.
const ROWS: usize = 25;

/// Whether a worker is ready: one that is killed before helps nobody, whoever is to blame.
fn is_ready(worker: u32, log: &str) -> bool {
    let worker = format!("\"worker\":{worker},");
    let mut lines = log.lines();
    lines.any(|line| line.contains("a Python worker is ready") && line.contains(&worker))
}

/// Every statement is right or an error, and nothing is lost. With
/// `CODEC_PROXY_TESTS_PYTHON_VALUES=100000` so many values; in short for all runs.
#[test]
fn while_workers_are_killed() {
    let values = std::env::var("CODEC_PROXY_TESTS_PYTHON_VALUES").ok();
    let values: usize = values.map_or(3000, |text| text.parse().expect("a number"));
    let lab = lab("load", "");
    json_client(&lab).ok("INSERT INTO t (id, act) VALUES (1, '\"warm\"')");
    let per_client = values / CLIENTS;
    let (running, failed, kills) = (
        AtomicBool::new(true),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    let begun = Instant::now();
    thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut turn = 0;
            while running.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_secs(1));
                let log = lab.proxy.log();
                let mut now = workers(&lab);
                now.retain(|worker| is_ready(*worker, &log));
                if let Some(pid) = now.get(turn % now.len().max(1)) {
                    signal("KILL", *pid);
                    kills.fetch_add(1, Ordering::Relaxed);
                    turn += 1;
                }
            }
        });
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (lab, failed) = (&lab, &failed);
                scope.spawn(move || {
                    let mut connection = json_client(lab);
                    let ids: Vec<_> = (0..per_client)
                        .map(|n| 1000 + n * CLIENTS + client)
                        .collect();
                    for ids in ids.chunks(ROWS) {
                        let rows = ids.iter().map(|id| format!("({id}, '{{\"n\": {id}}}')"));
                        let rows = rows.collect::<Vec<_>>().join(", ");
                        let written =
                            connection.query(format!("INSERT INTO t (id, act) VALUES {rows}"));
                        let list = ids
                            .iter()
                            .map(usize::to_string)
                            .collect::<Vec<_>>()
                            .join(", ");
                        let read = format!("SELECT act FROM t WHERE id IN ({list}) ORDER BY id");
                        let expected = match &written {
                            Ok(_) => ids.iter().map(|id| format!("{{\"n\":{id}}}")).collect(),
                            Err(_) => Vec::new(),
                        };
                        failed.fetch_add(usize::from(written.is_err()), Ordering::Relaxed);
                        match connection.query(read) {
                            Ok(answer) => assert_eq!(answer.texts("act"), expected),
                            Err(error) => {
                                assert!(error.to_string().contains("Python"), "{error}");
                                failed.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    }
                })
            })
            .collect();
        for client in clients {
            client.join().expect("every answer is right");
        }
        running.store(false, Ordering::Relaxed);
        killer.join().expect("the killer ends");
    });
    let statements = 2 * CLIENTS * per_client.div_ceil(ROWS);
    let (failed, kills) = (failed.into_inner(), kills.into_inner());
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{values} values, {statements} statements, {failed} failed, {kills} kills, {seconds:.1} s"
    );
    assert!(
        kills > 0 && failed <= 2 * kills,
        "{failed} failed of {kills} kills"
    );
    // No process is left but two workers and two guards' shells at most.
    let left = descendants(lab.proxy.pid());
    assert!(left.len() <= 4, "{left:?}");
}
