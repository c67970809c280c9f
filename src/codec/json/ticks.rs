//! Elements of `datetime64` arrays as ISO text.

use std::fmt::{self, Write};

use super::print::MAX_PLAIN;
use super::time::{read_clock, read_day};
use crate::codec::value::{TimeUnit, civil, days};

/// `NaT`.
const NOT_A_TIME: i64 = i64::MIN;
const DAY_SECONDS: i128 = 86_400;
/// Attoseconds of a second.
const ATTO: i128 = 1_000_000_000_000_000_000;

/// An element of `datetime64[unit]`, in quotes where it is text.
pub(super) fn write_ticks(out: &mut impl Write, ticks: i64, unit: TimeUnit) -> fmt::Result {
    if ticks == NOT_A_TIME {
        return out.write_str("\"NaT\"");
    }
    match Moment::of_ticks(ticks, unit) {
        Some(moment) => {
            out.write_char('"')?;
            moment.write(out, unit)?;
            out.write_char('"')
        }
        // No other text is only digits and longer than a year.
        None if ticks.unsigned_abs() > MAX_PLAIN => write!(out, "\"{ticks}\""),
        None => write!(out, "{ticks}"),
    }
}

/// Ticks of `NaT`, ISO text that the unit can express, or a string of digits.
pub(super) fn read_ticks(text: &str, unit: TimeUnit) -> Option<i64> {
    if text.eq_ignore_ascii_case("nat") {
        return Some(NOT_A_TIME);
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if text.len() > 4 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    Moment::read(text)?.ticks(unit)
}

/// A point in time, of the years 0 to 9999.
struct Moment {
    year: i64,
    month: u8,
    day: u8,
    seconds: u32,
    attoseconds: u64,
}

impl Moment {
    fn of_ticks(ticks: i64, unit: TimeUnit) -> Option<Self> {
        let wide = i128::from(ticks);
        let (seconds, attoseconds) = match step(unit) {
            Step::Months(months) => {
                let months = wide * i128::from(months);
                let year = 1970 + months.div_euclid(12);
                return Some(Self {
                    year: i64::try_from(year)
                        .ok()
                        .filter(|year| (0..=9999).contains(year))?,
                    month: months.rem_euclid(12) as u8 + 1,
                    day: 1,
                    seconds: 0,
                    attoseconds: 0,
                });
            }
            Step::Seconds(length) => (wide * length, 0),
            Step::Attoseconds(length) => {
                let per_second = ATTO / length;
                (
                    wide.div_euclid(per_second),
                    (wide.rem_euclid(per_second) * length) as u64,
                )
            }
        };
        let (year, month, day) = civil(i64::try_from(seconds.div_euclid(DAY_SECONDS)).ok()?)?;
        Some(Self {
            year,
            month,
            day,
            seconds: seconds.rem_euclid(DAY_SECONDS) as u32,
            attoseconds,
        })
    }

    /// `None` if the moment is between two ticks, or out of range.
    fn ticks(&self, unit: TimeUnit) -> Option<i64> {
        let (amount, length) = match step(unit) {
            Step::Months(length) => {
                if (self.day, self.seconds, self.attoseconds) != (1, 0, 0) {
                    return None;
                }
                let months = (self.year - 1970) * 12 + i64::from(self.month) - 1;
                (i128::from(months), i128::from(length))
            }
            Step::Seconds(length) if self.attoseconds == 0 => (self.since_1970(), length),
            Step::Seconds(_) => return None,
            Step::Attoseconds(length) => (
                self.since_1970() * ATTO + i128::from(self.attoseconds),
                length,
            ),
        };
        if amount % length != 0 {
            return None;
        }
        i64::try_from(amount / length)
            .ok()
            .filter(|&ticks| ticks != NOT_A_TIME)
    }

    fn since_1970(&self) -> i128 {
        i128::from(days(self.year, self.month, self.day)) * DAY_SECONDS + i128::from(self.seconds)
    }

    /// As exact as the unit, as NumPy does it.
    fn write(&self, out: &mut impl Write, unit: TimeUnit) -> fmt::Result {
        write!(out, "{:04}", self.year)?;
        if unit == TimeUnit::Year {
            return Ok(());
        }
        write!(out, "-{:02}", self.month)?;
        if unit == TimeUnit::Month {
            return Ok(());
        }
        write!(out, "-{:02}", self.day)?;
        if matches!(unit, TimeUnit::Week | TimeUnit::Day) {
            return Ok(());
        }
        write!(out, "T{:02}", self.seconds / 3600)?;
        if unit == TimeUnit::Hour {
            return Ok(());
        }
        write!(out, ":{:02}", self.seconds / 60 % 60)?;
        if unit == TimeUnit::Minute {
            return Ok(());
        }
        write!(out, ":{:02}", self.seconds % 60)?;
        match step(unit) {
            Step::Attoseconds(length) => {
                let digits = (ATTO / length).ilog10() as usize;
                let fraction = i128::from(self.attoseconds) / length;
                write!(out, ".{fraction:0digits$}")
            }
            _ => Ok(()),
        }
    }

    /// `YYYY[-MM[-DD[Thh[:mm[:ss[.f…]]]]]]`
    fn read(text: &str) -> Option<Self> {
        let ((year, month, day), (seconds, attoseconds)) = match text.split_once(['T', ' ']) {
            None => (read_day(text, 1)?, (0, 0)),
            Some((date, clock)) => (read_day(date, 3)?, read_clock(clock, 1)?),
        };
        Some(Self {
            year,
            month,
            day,
            seconds,
            attoseconds,
        })
    }
}

/// How long a tick is.
enum Step {
    Months(i64),
    Seconds(i128),
    /// Divides a second.
    Attoseconds(i128),
}

fn step(unit: TimeUnit) -> Step {
    match unit {
        TimeUnit::Year => Step::Months(12),
        TimeUnit::Month => Step::Months(1),
        TimeUnit::Week => Step::Seconds(7 * DAY_SECONDS),
        TimeUnit::Day => Step::Seconds(DAY_SECONDS),
        TimeUnit::Hour => Step::Seconds(3600),
        TimeUnit::Minute => Step::Seconds(60),
        TimeUnit::Second => Step::Seconds(1),
        TimeUnit::Millisecond => Step::Attoseconds(ATTO / 1_000),
        TimeUnit::Microsecond => Step::Attoseconds(ATTO / 1_000_000),
        TimeUnit::Nanosecond => Step::Attoseconds(ATTO / 1_000_000_000),
        TimeUnit::Picosecond => Step::Attoseconds(1_000_000),
        TimeUnit::Femtosecond => Step::Attoseconds(1_000),
        TimeUnit::Attosecond => Step::Attoseconds(1),
    }
}
