//! Decimal numbers as written, exactly.

/// `digits / 10^scale`: what stands in the text, without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    digits: u64,
    scale: u32,
}

impl Decimal {
    /// The schema's pattern of a number, up to the limit of 18 digits.
    pub const PATTERN: &'static str = r"^[0-9]+(_+[0-9]+)*(\.[0-9]+(_+[0-9]+)*)?$";

    /// Splits a text into its leading unsigned decimal number and the rest, spaces between them
    /// dropped. `None` without a number or with more than 18 digits.
    pub fn split(text: &str) -> Option<(Self, &str)> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let clean =
            |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_') && !part.ends_with('_');
        let bad =
            whole.is_empty() || number.ends_with('.') || whole.starts_with('_') || fraction.starts_with('_');
        if bad || !clean(whole) || !clean(fraction) {
            return None;
        }
        let mut digits = 0_u64;
        for digit in whole.bytes().chain(fraction.bytes()).filter(u8::is_ascii_digit) {
            digits = digits.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        }
        let scale = fraction.bytes().filter(u8::is_ascii_digit).count() as u32;
        if digits >= 10_u64.pow(18) || scale > 18 {
            return None;
        }
        Some((Self { digits, scale }, rest.trim_start_matches(' ')))
    }

    /// `self × factor`, if that is a whole number below 2⁶⁴.
    pub fn times(self, factor: u64) -> Option<u64> {
        let product = u128::from(self.digits) * u128::from(factor);
        let divisor = 10_u128.pow(self.scale);
        if product % divisor != 0 {
            return None;
        }
        u64::try_from(product / divisor).ok()
    }

    /// The nearest floating-point number.
    pub fn to_f64(self) -> f64 {
        self.digits as f64 / 10_u64.pow(self.scale) as f64
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = 10_u64.pow(self.scale);
        write!(f, "{}", self.digits / unit)?;
        if self.scale > 0 {
            let fraction = format!("{:0width$}", self.digits % unit, width = self.scale as usize);
            let fraction = fraction.trim_end_matches('0');
            if !fraction.is_empty() {
                write!(f, ".{fraction}")?;
            }
        }
        Ok(())
    }
}
