//! A calendar day, for everything in a document that expires: suppressions, sunsets.
//!
//! Owns the arithmetic of days. Must not know what day it is: today is handed in.

/// A day of the Gregorian calendar, as written `2027-01-31`. Ordered in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A day, if there is one: months have their lengths, leap years their 29th of February.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        (day >= 1 && day <= days_in(year, month)).then_some(Self { year, month, day })
    }

    /// Reads `YYYY-MM-DD`, with all its digits and nothing else (the calendar date of ISO 8601).
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let year = digits(parts.next()?, 4)?;
        let month = digits(parts.next()?, 2)?;
        let day = digits(parts.next()?, 2)?;
        if parts.next().is_some() {
            return None;
        }
        Self::new(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
    }

    /// The day that is `days` after 1970-01-01 in UTC: what a clock's seconds, divided by 86 400, say.
    /// Days after the year 9999 are its last.
    pub fn from_unix_days(days: u64) -> Self {
        let (mut year, mut left) = (1970, days);
        while left >= days_of_year(year) {
            if year == 9999 {
                return Self { year, month: 12, day: 31 };
            }
            left -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while left >= u64::from(days_in(year, month)) {
            left -= u64::from(days_in(year, month));
            month += 1;
        }
        Self { year, month, day: left as u8 + 1 }
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn digits(text: &str, count: usize) -> Option<u16> {
    let all = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of_year(year: u16) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

/// Days of a month; 0 for a month that does not exist.
const fn days_in(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist_are_read() {
        for (text, good) in [
            ("2027-01-31", true),
            ("2024-02-29", true),
            ("2000-02-29", true),
            ("2027-02-29", false),
            ("1900-02-29", false),
            ("2027-04-31", false),
            ("2027-13-01", false),
            ("2027-00-10", false),
            ("2027-01-00", false),
            ("2027-1-31", false),
            ("27-01-31", false),
            ("2027-01-31T00:00", false),
            ("2027-01-31-1", false),
            ("+027-01-31", false),
            ("٢٠٢٧-01-31", false),
            ("", false),
        ] {
            let date = Date::parse(text);
            assert_eq!(date.is_some(), good, "{text}");
            assert!(date.is_none_or(|d| d.to_string() == text), "{text} is written as it was read");
        }
    }

    #[test]
    fn days_are_ordered_and_counted() {
        let at = |text| Date::parse(text).unwrap();
        assert!(at("2026-12-31") < at("2027-01-01"));
        assert!(at("2027-01-31") < at("2027-02-01"));
        for (days, text) in
            [(0, "1970-01-01"), (58, "1970-02-28"), (789, "1972-02-29"), (20_454, "2026-01-01")]
        {
            assert_eq!(Date::from_unix_days(days), at(text));
        }
        assert_eq!(Date::from_unix_days(u64::MAX), at("9999-12-31"));
    }
}
