//! The present time, as metadata has it.

use std::time::{Duration, SystemTime};

use super::value::{Time, civil};

/// Now, as Python's `datetime.now(timezone.utc).isoformat()`:
/// `2026-11-22T21:49:36.456792+00:00`.
pub fn now() -> String {
    isoformat(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
}

/// The time after so long since 1970.
fn isoformat(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs();
    let day = i64::try_from(seconds / 86_400).ok().and_then(civil);
    // No clock shows a year after 9999.
    let (year, month, day) = day.unwrap_or_default();
    let time = Time {
        hour: (seconds / 3600 % 24) as u8,
        minute: (seconds / 60 % 60) as u8,
        second: (seconds % 60) as u8,
        microsecond: since_1970.subsec_micros(),
    };
    format!("{year:04}-{month:02}-{day:02}T{time}+00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_by_python() {
        // datetime.fromtimestamp(x, timezone.utc).isoformat()
        for (seconds, micros, text) in [
            (0, 0, "1970-01-01T00:00:00+00:00"),
            (951_782_399, 1, "2000-02-28T23:59:59.000001+00:00"),
            (951_782_400, 0, "2000-02-29T00:00:00+00:00"),
            (1_795_384_176, 456_792, "2026-11-22T21:49:36.456792+00:00"),
            (4_107_542_399, 999_999, "2100-02-28T23:59:59.999999+00:00"),
            (4_107_542_400, 0, "2100-03-01T00:00:00+00:00"),
        ] {
            let time = Duration::new(seconds, micros * 1000);
            assert_eq!(isoformat(time), text);
        }
    }
}
