//! Dates and times as ISO text.

use std::fmt::{self, Write};

use crate::codec::value::{Date, Time, TimeUnit};

/// `NaT`.
const NOT_A_TIME: i64 = i64::MIN;
const DAY_SECONDS: i128 = 86_400;
const ATTO: i128 = 1_000_000_000_000_000_000;

pub(super) fn write_date(out: &mut impl Write, date: Date) -> fmt::Result {
    write!(out, "{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

pub(super) fn write_time(out: &mut impl Write, time: Time) -> fmt::Result {
    write!(
        out,
        "{:02}:{:02}:{:02}",
        time.hour, time.minute, time.second
    )?;
    match time.microsecond {
        0 => Ok(()),
        fraction => write!(out, ".{fraction:06}"),
    }
}

/// `YYYY-MM-DD`, years 1 to 9999.
pub(super) fn read_date(text: &str) -> Option<Date> {
    let moment = Moment::read_date(text, 3)?;
    Some(Date {
        year: u16::try_from(moment.year).ok().filter(|&year| year > 0)?,
        month: moment.month,
        day: moment.day,
    })
}

/// `hh:mm[:ss[.ffffff]]`
pub(super) fn read_time(text: &str) -> Option<Time> {
    let (seconds, attoseconds) = read_clock(text, 2)?;
    let microsecond = 1_000_000_000_000;
    if attoseconds % microsecond != 0 {
        return None;
    }
    Some(Time {
        hour: (seconds / 3600) as u8,
        minute: (seconds / 60 % 60) as u8,
        second: (seconds % 60) as u8,
        microsecond: (attoseconds / microsecond) as u32,
    })
}

/// A date, `T` or a space, and a time.
pub(super) fn read_datetime(text: &str) -> Option<(Date, Time)> {
    let (date, time) = text.split_once(['T', ' '])?;
    Some((read_date(date)?, read_time(time)?))
}

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
        None if ticks.unsigned_abs() > super::print::MAX_PLAIN => write!(out, "\"{ticks}\""),
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
        let Some((date, clock)) = text.split_once(['T', ' ']) else {
            return Self::read_date(text, 1);
        };
        let (seconds, attoseconds) = read_clock(clock, 1)?;
        Some(Self {
            seconds,
            attoseconds,
            ..Self::read_date(date, 3)?
        })
    }

    /// A date of at least so many of its three numbers.
    fn read_date(text: &str, least: usize) -> Option<Self> {
        let numbers: Vec<&str> = text.split('-').collect();
        if !(least..=3).contains(&numbers.len()) {
            return None;
        }
        let year = digits(numbers[0], 4)?.into();
        let month = numbers.get(1).map_or(Some(1), |text| digits(text, 2))? as u8;
        let day = numbers.get(2).map_or(Some(1), |text| digits(text, 2))? as u8;
        // Only a date that exists comes back as the same from its number.
        (civil(days(year, month.clamp(1, 12), day)) == Some((year, month, day))).then_some(Self {
            year,
            month,
            day,
            seconds: 0,
            attoseconds: 0,
        })
    }
}

/// Seconds of the day and attoseconds of the second, from at least so many of the three numbers.
fn read_clock(text: &str, least: usize) -> Option<(u32, u64)> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let numbers: Vec<&str> = clock.split(':').collect();
    let least = if fraction.is_some() { 3 } else { least };
    if !(least..=3).contains(&numbers.len()) {
        return None;
    }
    let mut seconds = 0;
    for (index, below) in [24, 60, 60].into_iter().enumerate() {
        let number = numbers.get(index).map_or(Some(0), |text| digits(text, 2))?;
        seconds = seconds * 60 + Some(number).filter(|&number| number < below)?;
    }
    let attoseconds = match fraction {
        None => 0,
        Some(text) if text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse::<u64>().ok()? * 10u64.pow(18 - text.len() as u32)
        }
        Some(_) => return None,
    };
    Some((seconds, attoseconds))
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
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

/// Days since 1970 of a date of the proleptic Gregorian calendar. Years are counted from March,
/// so that the leap day is the last of its year.
fn days(year: i64, month: u8, day: u8) -> i64 {
    let (year, month) = match i64::from(month) {
        month @ ..=2 => (year - 1, month + 9),
        month => (year, month - 3),
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // From March on the months have 31, 30, 31, 30, 31 days and again: 153 in five months.
    year * 365 + leap_days + (153 * month + 2) / 5 + i64::from(day) - 1 - DAYS_TO_1970
}

/// Days from 1 March 0000 to 1 January 1970.
const DAYS_TO_1970: i64 = 719_468;

/// The date of a day of the years 0 to 9999.
fn civil(day: i64) -> Option<(i64, u8, u8)> {
    // More than 9999 years in either direction, and far from an overflow.
    if day.abs() > 4_000_000 {
        return None;
    }
    let from_march = day + DAYS_TO_1970;
    // 400 years have 146097 days. The guess may be late by a year or two, and then is not.
    let mut year = (from_march * 400).div_euclid(146_097) + 1;
    while days(year, 3, 1) > day {
        year -= 1;
    }
    let of_year = day - days(year, 3, 1);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..=9 => (year, month + 3),
        _ => (year + 1, month - 9),
    };
    (0..=9999)
        .contains(&year)
        .then_some((year, month as u8, of_month as u8))
}
