//! The present time, as metadata has it.

use std::time::{Duration, SystemTime};

/// Now, as Python's `datetime.now(timezone.utc).isoformat()`:
/// `2026-11-22T21:49:36.456792+00:00`.
pub fn now() -> String {
    isoformat(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
}

/// The time after so long since 1970. Python leaves the fraction out when it is zero.
fn isoformat(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let fraction = match since_1970.subsec_micros() {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}+00:00")
}

/// Year, month and day of a day since 1970 in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Counted from 0000-03-01, a leap day ends the year, and 400 years are a whole period.
    let shifted = days + 719_468;
    let (period, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (period * 400 + year + carry, month, day_of_month)
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
