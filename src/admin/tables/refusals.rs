//! `SHOW REFUSALS`: the newest errors of codec-proxy's own.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::admin::table::{Column, Table, number, text};
use crate::metrics::metrics;

const REFUSALS: &[Column] = &[
    text("Time"),
    number("Session"),
    number("Error"),
    text("Message"),
];

/// The newest first.
pub(in crate::admin) fn refusals() -> Table {
    let mut table = Table::new(REFUSALS);
    table.key = 3;
    for refused in metrics().refusals.newest() {
        table.row([
            utc(refused.at),
            refused.session.to_string(),
            refused.code.to_string(),
            refused.message,
        ]);
    }
    table
}

/// `2026-11-25 03:07:05` (UTC)
fn utc(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// The Gregorian date of a day after 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    // Years that begin in March, so that the leap day is the last.
    let day = days + 719_468;
    let era = day / 146_097;
    let of_era = day % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_written_out() {
        for (seconds, written) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_709_251_199, "2024-02-29 23:59:59"),
            (1_795_576_025, "2026-11-25 03:07:05"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), written);
        }
    }
}
