//! Durations: `250ms`, `1.5s`, `1m30s`.

use super::Decimal;

/// A length of time in whole nanoseconds, up to 584 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(pub u64);

/// Units with their nanoseconds, longest first.
const UNITS: [(&str, u64); 8] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

macro_rules! part {
    ($unit:literal) => {
        concat!(r"([0-9]+(_+[0-9]+)*(\.[0-9]+(_+[0-9]+)*)? *", $unit, ")?")
    };
}

impl Duration {
    /// The schema's pattern of what [`Duration::parse`] takes, but for its range and the empty text.
    pub const PATTERN: &'static str = concat!(
        "^",
        part!("d"),
        part!("h"),
        part!("m"),
        part!("s"),
        part!("ms"),
        part!("(us|µs)"),
        part!("ns"),
        "$"
    );

    /// Reads a duration. The error says what is wrong and what was probably meant.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mut total = 0_u64;
        let mut last = u64::MAX;
        while !rest.is_empty() {
            let Some((number, after)) = Decimal::split(rest) else {
                return Err(format!("`{text}` is not a duration"));
            };
            let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
            let (unit, next) = after.split_at(end);
            if unit.is_empty() && !after.is_empty() {
                return Err(unknown_unit(text, number, after));
            }
            if unit.is_empty() {
                return Err(format!(
                    "`{text}` has no unit: write `{number}s` for seconds or `{number}ms` for milliseconds"
                ));
            }
            let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
                return Err(unknown_unit(text, number, unit));
            };
            if *factor >= last {
                return Err(format!(
                    "`{text}` names its units out of order: the largest comes first, as in `1m30s`"
                ));
            }
            last = *factor;
            let part = number.times(*factor).and_then(|part| total.checked_add(part));
            total = part.ok_or_else(|| format!("`{text}` is finer than 1ns or longer than 584 years"))?;
            rest = next;
        }
        if text.is_empty() { Err("an empty duration".to_owned()) } else { Ok(Self(total)) }
    }

    /// Seconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Whole milliseconds.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms * 1_000_000)
    }
}

fn unknown_unit(text: &str, number: Decimal, unit: &str) -> String {
    let meant = match unit.to_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "msec" | "millis" | "milliseconds" => "ms",
        "hour" | "hours" | "hr" => "h",
        "day" | "days" => "d",
        lower => UNITS.iter().find(|(name, _)| *name == lower).map_or("", |(name, _)| name),
    };
    match meant {
        "" => format!("`{text}` has the unknown unit `{unit}`: durations use d, h, m, s, ms, us, ns"),
        meant => format!("`{text}` has the unknown unit `{unit}`: write `{number}{meant}`"),
    }
}

impl std::fmt::Display for Duration {
    /// The shortest exact form: `1m30s`, `1.5s`, `250ms`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (minute, second) = (60_000_000_000, 1_000_000_000);
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 >= minute {
            let mut rest = self.0;
            for (name, factor) in UNITS.iter().take(3) {
                if rest >= *factor {
                    write!(f, "{}{name}", rest / factor)?;
                    rest %= factor;
                }
            }
            return if rest == 0 { Ok(()) } else { write!(f, "{}s", decimals(rest, second)) };
        }
        let (name, factor) = UNITS[3..].iter().find(|(_, factor)| self.0 >= *factor).unwrap_or(&UNITS[7]);
        write!(f, "{}{name}", decimals(self.0, *factor))
    }
}

fn decimals(value: u64, unit: u64) -> String {
    let width = unit.ilog10() as usize;
    if width == 0 {
        return value.to_string();
    }
    let fraction = format!("{:0width$}", value % unit);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{}{dot}{fraction}", value / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact_and_print_as_people_write_them() {
        for (text, nanos, printed) in [
            ("250ms", 250_000_000, "250ms"),
            ("5s", 5_000_000_000, "5s"),
            ("1.5s", 1_500_000_000, "1.5s"),
            ("1m30s", 90_000_000_000, "1m30s"),
            ("90s", 90_000_000_000, "1m30s"),
            ("2h", 7_200_000_000_000, "2h"),
            ("7d", 604_800_000_000_000, "7d"),
            ("0.2ms", 200_000, "200us"),
            ("10 ms", 10_000_000, "10ms"),
            ("3µs", 3_000, "3us"),
            ("0s", 0, "0s"),
            ("1_000ms", 1_000_000_000, "1s"),
        ] {
            let parsed = Duration::parse(text).unwrap();
            assert_eq!((parsed.0, parsed.to_string().as_str()), (nanos, printed), "{text}");
        }
    }

    #[test]
    fn mistakes_say_what_was_meant() {
        for (text, says) in [
            ("5", "write `5s` for seconds or `5ms` for milliseconds"),
            ("5sec", "write `5s`"),
            ("5 Minutes", "write `5m`"),
            ("5parsec", "durations use d, h, m, s, ms, us, ns"),
            ("5%", "unknown unit `%`"),
            ("-5s", "not a duration"),
            ("soon", "not a duration"),
            ("5s1m", "the largest comes first"),
            ("0.1ns", "finer than 1ns"),
            ("99999999999d", "longer than 584 years"),
            ("1e9s", "unknown unit `e`"),
            ("", "an empty duration"),
        ] {
            let error = Duration::parse(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
