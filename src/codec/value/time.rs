//! Dates and times of day.

use std::fmt;

/// A date of the proleptic Gregorian calendar, as Python's `datetime.date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// 1 to 9999
    pub year: u16,
    /// 1 to 12
    pub month: u8,
    /// 1 to what the month has
    pub day: u8,
}

/// A time of day, as Python's `datetime.time` without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// 0 to 23
    pub hour: u8,
    /// 0 to 59
    pub minute: u8,
    /// 0 to 59
    pub second: u8,
    /// 0 to 999,999
    pub microsecond: u32,
}

impl Date {
    /// `None` if there is no such day.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let date = Self { year, month, day };
        date.is_valid().then_some(date)
    }

    /// Whether there is such a day.
    pub fn is_valid(self) -> bool {
        let is_leap = self.year.is_multiple_of(4)
            && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let days = match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if is_leap => 29,
            2 => 28,
            _ => 0,
        };
        (1..=9999).contains(&self.year) && (1..=days).contains(&self.day)
    }
}

impl Time {
    /// `None` if there is no such time.
    pub fn new(hour: u8, minute: u8, second: u8, microsecond: u32) -> Option<Self> {
        let time = Self {
            hour,
            minute,
            second,
            microsecond,
        };
        time.is_valid().then_some(time)
    }

    /// Whether there is such a time.
    pub fn is_valid(self) -> bool {
        self.hour < 24 && self.minute < 60 && self.second < 60 && self.microsecond < 1_000_000
    }
}

/// As Python's `isoformat()`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// As Python's `isoformat()`, which leaves the fraction out when it is zero.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)?;
        match self.microsecond {
            0 => Ok(()),
            fraction => write!(f, ".{fraction:06}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_written_as_by_python() {
        assert_eq!(Date::new(20, 3, 4).unwrap().to_string(), "0020-03-04");
        let time = |micros| Time::new(1, 2, 3, micros).unwrap().to_string();
        assert_eq!([time(0), time(40)], ["01:02:03", "01:02:03.000040"]);
    }

    #[test]
    fn days_that_are_and_are_not() {
        for (year, month, day) in [(2020, 2, 29), (2000, 2, 29), (1, 1, 1), (9999, 12, 31)] {
            assert!(
                Date::new(year, month, day).is_some(),
                "{year}-{month}-{day}"
            );
        }
        for (year, month, day) in [
            (0, 1, 1),
            (10_000, 1, 1),
            (2021, 2, 29),
            (1900, 2, 29),
            (2020, 4, 31),
            (2020, 0, 1),
            (2020, 13, 1),
            (2020, 1, 0),
        ] {
            assert!(
                Date::new(year, month, day).is_none(),
                "{year}-{month}-{day}"
            );
        }
    }

    #[test]
    fn times_that_are_and_are_not() {
        assert!(Time::new(23, 59, 59, 999_999).is_some());
        for (hour, minute, second, microsecond) in [
            (24, 0, 0, 0),
            (0, 60, 0, 0),
            (0, 0, 60, 0),
            (0, 0, 0, 1_000_000),
        ] {
            assert!(Time::new(hour, minute, second, microsecond).is_none());
        }
    }
}
