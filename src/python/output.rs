//! What a worker prints, line by line in our log, as far as that is bearable.

use std::io::{BufRead, BufReader, PipeReader, Read};
use std::time::{Duration, Instant};

/// The longest line that is logged, in bytes.
const LINE: u64 = 1000;

/// Lines that are logged within a [`PERIOD`]; the rest is counted.
const LINES: usize = 100;
const PERIOD: Duration = Duration::from_secs(10);

/// Reads to the end; the worker never waits for us.
pub(super) fn log(pipe: PipeReader, worker: u32) {
    let mut input = BufReader::new(pipe);
    let mut meter = Meter::new(Instant::now());
    let mut line = Vec::new();
    loop {
        line.clear();
        match input.by_ref().take(LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let (logs, dropped) = meter.count(Instant::now());
        if dropped > 0 {
            tracing::warn!(worker, lines = dropped, "a Python worker printed more");
        }
        if logs {
            let text = String::from_utf8_lossy(&line);
            tracing::info!(worker, "{}", text.trim_end());
        }
    }
}

/// Counts lines.
struct Meter {
    since: Instant,
    lines: usize,
}

impl Meter {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            lines: 0,
        }
    }

    /// Whether one line more is logged, and how many were not until a period ended.
    fn count(&mut self, now: Instant) -> (bool, usize) {
        let mut dropped = 0;
        if now.duration_since(self.since) >= PERIOD {
            dropped = self.lines.saturating_sub(LINES);
            *self = Self::new(now);
        }
        self.lines += 1;
        (self.lines <= LINES, dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        let logged = (0..250).filter(|_| meter.count(start).0).count();
        assert_eq!(logged, 100);
        assert_eq!(meter.count(start + PERIOD), (true, 150));
        assert_eq!(meter.count(start + PERIOD), (true, 0));
    }
}
