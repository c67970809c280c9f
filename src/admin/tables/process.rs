//! What the operating system says of the process. Linux tells; elsewhere nothing is known.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A tick of the clock that Linux shows processor time in, whatever the kernel's own.
const TICKS_PER_SECOND: f64 = 100.0;

/// The process at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::admin) struct Process {
    /// Processor time of all threads, in seconds.
    pub cpu_seconds: Option<f64>,
    /// Memory in use, in bytes.
    pub resident_bytes: Option<i64>,
    /// Open files and sockets.
    pub open_fds: Option<i64>,
}

impl Process {
    /// As it is now.
    pub fn now() -> Self {
        Self {
            cpu_seconds: cpu_seconds(),
            resident_bytes: resident_bytes(),
            open_fds: fs::read_dir("/proc/self/fd")
                .ok()
                .map(|files| files.count() as i64),
        }
    }
}

/// When a process that has been up for so long began, in seconds after 1970.
pub(in crate::admin) fn start_time(uptime: Duration) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default();
    now.saturating_sub(uptime).as_secs_f64()
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn resident_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells() {
        let process = Process::now();
        assert!(process.resident_bytes.unwrap() > 1 << 20);
        assert!(process.open_fds.unwrap() >= 3);
        assert!(process.cpu_seconds.unwrap() >= 0.0);
    }
}
