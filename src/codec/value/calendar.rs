//! Days by number in the proleptic Gregorian calendar.

/// Days since 1970 of a date of the proleptic Gregorian calendar. Years are counted from March,
/// so that the leap day is the last of its year.
pub(in crate::codec) fn days(year: i64, month: u8, day: u8) -> i64 {
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
pub(in crate::codec) fn civil(day: i64) -> Option<(i64, u8, u8)> {
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
