//! Ranges of values on the command line: `2..8`, `50ms..400ms`, `50%..150% step 25%`, `2,4,8`.

/// Values at the most.
const MOST: usize = 200;

/// Values of a range without a step, where a step of one would give many more.
const EVENLY: u32 = 8;

/// A number with its unit: `50ms` is 50 and `ms`.
fn number(text: &str) -> Result<(f64, &str), String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let value = digits.parse().map_err(|_| format!("`{text}` does not begin with a number"))?;
    if unit.contains(|c: char| c.is_ascii_digit()) {
        return Err(format!("`{text}` has two numbers: write it in one unit"));
    }
    Ok((value, unit))
}

/// Both ends of `FROM..TO` and their unit.
pub fn ends(text: &str) -> Result<(f64, f64, String), String> {
    let (from, to) = text.split_once("..").ok_or_else(|| format!("`{text}` is no range: write FROM..TO"))?;
    let ((low, unit), (high, other)) = (number(from)?, number(to)?);
    let unit = match (unit, other) {
        ("", unit) | (unit, "") => unit,
        (unit, other) if unit == other => unit,
        _ => return Err(format!("`{}` and `{}` are in two units", from.trim(), to.trim())),
    };
    if low >= high {
        return Err(format!("`{text}` goes nowhere: the first value is the lower one"));
    }
    Ok((low, high, unit.to_owned()))
}

/// A number with a unit as a document takes it: no more digits than are needed.
pub fn written(value: f64, unit: &str) -> String {
    let text = format!("{value:.6}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The values of a range or list; `None` for a single value.
pub fn values(text: &str) -> Option<Result<Vec<String>, String>> {
    let bracketed = text.trim_start().starts_with(['[', '{', '"', '\'']);
    if bracketed {
        return None;
    }
    if text.contains("..") {
        return Some(range(text));
    }
    text.contains(',').then(|| Ok(text.split(',').map(|v| v.trim().to_owned()).collect()))
}

fn range(text: &str) -> Result<Vec<String>, String> {
    let (span, step) = text.split_once(" step ").map_or((text, None), |(span, step)| (span, Some(step)));
    let (low, high, unit) = ends(span)?;
    let chosen = step.is_some();
    let step = match step.map(number).transpose()? {
        Some((_, other)) if !other.is_empty() && other != unit => {
            return Err(format!("`{text}`: the step is in another unit"));
        }
        Some((step, _)) if step > 0.0 => step,
        Some(_) => return Err(format!("`{text}`: the step must be above 0")),
        None if low.fract() == 0.0 && high.fract() == 0.0 && unit.is_empty() && high - low <= 20.0 => 1.0,
        None => (high - low) / f64::from(EVENLY - 1),
    };
    let count = ((high - low) / step + 1e-9).floor() as usize + 1;
    if count > MOST {
        return Err(format!("`{text}` has {count} values, and {MOST} are the most: take a longer step"));
    }
    // Values that nobody chose are round: three digits of the step.
    let digits = if chosen { 6 } else { (2.0 - step.log10().floor()).clamp(0.0, 6.0) as i32 };
    let round = |value: f64| (value * 10_f64.powi(digits)).round() / 10_f64.powi(digits);
    Ok((0..count).map(|n| written(round(low + step * n as f64), &unit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_lists() {
        for (text, expected) in [
            ("2..5", "2 3 4 5"),
            ("0..70", "0 10 20 30 40 50 60 70"),
            ("50ms..200ms step 50ms", "50ms 100ms 150ms 200ms"),
            ("50..150% step 25", "50% 75% 100% 125% 150%"),
            ("50..150%", "50% 64.3% 78.6% 92.9% 107.1% 121.4% 135.7% 150%"),
            ("1..2 step 0.3", "1 1.3 1.6 1.9"),
            ("100/s..800/s", "100/s 200/s 300/s 400/s 500/s 600/s 700/s 800/s"),
            ("2,4, 8", "2 4 8"),
        ] {
            assert_eq!(values(text).expect("several").expect("good").join(" "), expected, "{text}");
        }
        for (text, expected) in [
            ("8..2", "`8..2` goes nowhere: the first value is the lower one"),
            ("1s..500ms", "`1s` and `500ms` are in two units"),
            ("1m30s..2m", "`1m30s` has two numbers: write it in one unit"),
            ("a..b", "`a` does not begin with a number"),
            ("1..9 step 0", "`1..9 step 0`: the step must be above 0"),
            ("1..9999 step 1", "`1..9999 step 1` has 9999 values, and 200 are the most: take a longer step"),
        ] {
            assert_eq!(values(text).expect("several"), Err(expected.to_owned()), "{text}");
        }
        for text in ["5", "least_request", "[1, 2]", "{ a: 1, b: 2 }"] {
            assert_eq!(values(text), None, "{text}");
        }
    }
}
