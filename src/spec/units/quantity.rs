//! Rates (`200/s`), shares (`0.1%`) and sizes (`16KiB`).

use super::Decimal;

/// Events per time: `200/s`, `12k/m` is not written, `12000/m` is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    amount: Decimal,
    /// Seconds of the unit.
    per: u32,
}

impl Rate {
    /// The schema's pattern of what [`Rate::parse`] takes.
    pub const PATTERN: &'static str = r"^[0-9]+(_+[0-9]+)*(\.[0-9]+(_+[0-9]+)*)? */ *(s|m|h|d)$";

    /// Reads a rate. The error says what was probably meant.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is not a rate: write one such as `200/s`");
        let (amount, rest) = Decimal::split(text).ok_or_else(bad)?;
        if rest.is_empty() {
            return Err(format!("`{text}` has no unit: write `{amount}/s` for {amount} per second"));
        }
        let unit = rest.strip_prefix('/').map(|unit| unit.trim_start_matches(' ')).ok_or_else(bad)?;
        let per = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(format!("`{text}` has the unknown unit `/{unit}`: rates are per s, m, h or d")),
        };
        Ok(Self { amount, per })
    }

    /// Events per second.
    pub fn per_second(self) -> f64 {
        self.amount.to_f64() / f64::from(self.per)
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = match self.per {
            1 => "s",
            60 => "m",
            3_600 => "h",
            _ => "d",
        };
        write!(f, "{}/{unit}", self.amount)
    }
}

/// A share of a whole, 0% to 100%, exact to 10⁻¹².
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Share(u64);

impl Share {
    /// Parts of the whole.
    const WHOLE: u64 = 1_000_000_000_000;

    /// The schema's pattern of what [`Share::parse`] takes, up to the limit of 100%.
    pub const PATTERN: &'static str = r"^0*(100(\.0+)?|[0-9]{1,2}(\.[0-9]{1,10})?) *%$";

    /// Reads a share. The error says what was probably meant.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((amount, rest)) = Decimal::split(text).filter(|_| !text.contains('_')) else {
            return Err(format!("`{text}` is not a share: write one such as `0.1%`"));
        };
        match rest {
            "%" => {}
            "" if amount.to_f64() <= 1.0 => {
                let percent = amount.to_f64() * 100.0;
                return Err(format!(
                    "`{text}` has no unit: write `{amount}%`, or `{percent}%` if {amount} of 1 was meant"
                ));
            }
            "" => return Err(format!("`{text}` has no unit: write `{amount}%`")),
            _ => return Err(format!("`{text}` is not a share: write one such as `0.1%`")),
        }
        match amount.times(Self::WHOLE / 100) {
            Some(parts) if parts <= Self::WHOLE => Ok(Self(parts)),
            Some(_) => Err(format!("`{text}` is more than 100%")),
            None => Err(format!("`{text}` is more than 100% or finer than 10 decimals")),
        }
    }

    /// As a part of 1.
    pub fn fraction(self) -> f64 {
        self.0 as f64 / Self::WHOLE as f64
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0 / (Self::WHOLE / 100), self.0 % (Self::WHOLE / 100));
        let fraction = format!("{rest:010}");
        let fraction = fraction.trim_end_matches('0');
        let dot = if fraction.is_empty() { "" } else { "." };
        write!(f, "{whole}{dot}{fraction}%")
    }
}

/// Bytes: `512B`, `16KiB` (1024), `16KB` (1000).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Size(pub u64);

impl Size {
    const UNITS: [(&'static str, u64); 9] = [
        ("B", 1),
        ("KB", 1_000),
        ("KiB", 1 << 10),
        ("MB", 1_000_000),
        ("MiB", 1 << 20),
        ("GB", 1_000_000_000),
        ("GiB", 1 << 30),
        ("TB", 1_000_000_000_000),
        ("TiB", 1 << 40),
    ];

    /// The schema's pattern of what [`Size::parse`] takes.
    pub const PATTERN: &'static str =
        r"^[0-9]+(_+[0-9]+)*(\.[0-9]+(_+[0-9]+)*)? *(B|KB|KiB|MB|MiB|GB|GiB|TB|TiB)$";

    /// Reads a size. The error says what was probably meant.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((amount, unit)) = Decimal::split(text) else {
            return Err(format!("`{text}` is not a size: write one such as `16KiB`"));
        };
        if unit.is_empty() {
            return Err(format!("`{text}` has no unit: write `{amount}B` for bytes or `{amount}KiB`"));
        }
        let Some((_, factor)) = Self::UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!(
                "`{text}` has the unknown unit `{unit}`: sizes use B, KB, KiB, MB, MiB, GB, GiB, TB, TiB"
            ));
        };
        amount.times(*factor).map(Self).ok_or_else(|| format!("`{text}` is not a whole number of bytes"))
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}B", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_exact() {
        assert_eq!(Rate::parse("200/s").map(Rate::per_second), Ok(200.0));
        assert_eq!(Rate::parse("90 / m").map(Rate::per_second), Ok(1.5));
        assert_eq!(Rate::parse("1.50/s").map(|r| r.to_string()), Ok("1.5/s".to_owned()));
        assert_eq!(
            Share::parse("99.95%").map(|s| (s.fraction(), s.to_string())),
            Ok((0.9995, "99.95%".to_owned()))
        );
        assert_eq!(Share::parse("0.1%").map(Share::fraction), Ok(0.001));
        assert_eq!(Share::parse("100%").map(Share::fraction), Ok(1.0));
        assert_eq!(Size::parse("1.5KiB"), Ok(Size(1536)));
        assert_eq!(Size::parse("2 MB"), Ok(Size(2_000_000)));
    }

    #[test]
    fn mistakes_say_what_was_meant() {
        for (result, says) in [
            (Rate::parse("200").map(|_| ()), "write `200/s`"),
            (Rate::parse("200/w").map(|_| ()), "per s, m, h or d"),
            (Rate::parse("fast").map(|_| ()), "not a rate"),
            (Share::parse("5").map(|_| ()), "write `5%`"),
            (Share::parse("0.001").map(|_| ()), "or `0.1%` if 0.001 of 1 was meant"),
            (Share::parse("101%").map(|_| ()), "more than 100%"),
            (Size::parse("16").map(|_| ()), "write `16B`"),
            (Size::parse("16kb").map(|_| ()), "unknown unit `kb`"),
            (Size::parse("0.3B").map(|_| ()), "whole number of bytes"),
        ] {
            let error = result.unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
