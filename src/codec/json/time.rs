//! Dates and times as ISO text.

use std::fmt::{self, Write};

use crate::codec::value::{Date, Time};

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
    let (year, month, day) = read_day(text, 3)?;
    Date::new(u16::try_from(year).ok()?, month, day)
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

/// Year, month and day, from at least so many of the three numbers.
pub(super) fn read_day(text: &str, least: usize) -> Option<(i64, u8, u8)> {
    let numbers: Vec<&str> = text.split('-').collect();
    if !(least..=3).contains(&numbers.len()) {
        return None;
    }
    let year = digits(numbers[0], 4)?.into();
    let month = numbers.get(1).map_or(Some(1), |text| digits(text, 2))? as u8;
    let day = numbers.get(2).map_or(Some(1), |text| digits(text, 2))? as u8;
    let date = (year, month, day);
    // Only a date that exists comes back as the same from its number.
    (civil(days(year, month.clamp(1, 12), day)) == Some(date)).then_some(date)
}

/// Seconds of the day and attoseconds of the second, from at least so many of the three numbers.
pub(super) fn read_clock(text: &str, least: usize) -> Option<(u32, u64)> {
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

/// Days since 1970 of a date of the proleptic Gregorian calendar. Years are counted from March,
/// so that the leap day is the last of its year.
pub(super) fn days(year: i64, month: u8, day: u8) -> i64 {
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
pub(super) fn civil(day: i64) -> Option<(i64, u8, u8)> {
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
