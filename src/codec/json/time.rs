//! Dates and times from ISO text.

use crate::codec::value::{Date, Time, civil, days};

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
