//! Figures in the words of a finding.

/// Three digits that count, no zeros behind the point: `0.667`, `2.5`, `1200`.
pub fn amount(value: f64) -> String {
    if !value.is_finite() {
        return "unlimited".to_owned();
    }
    let whole = if value.abs() < 1.0 { 0 } else { format!("{:.0}", value.abs().trunc()).len() };
    let places = if value.abs() < 0.1 { 5 } else { 3_usize.saturating_sub(whole) };
    let text = format!("{value:.places$}");
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `200/s`; what is rarer than one in ten seconds by the minute or hour.
pub fn rate(per_second: f64) -> String {
    match per_second {
        r if r == 0.0 || r >= 0.1 => format!("{}/s", amount(r)),
        r if r * 60.0 >= 0.1 => format!("{}/m", amount(r * 60.0)),
        r => format!("{}/h", amount(r * 3600.0)),
    }
}

/// `85%`.
pub fn percent(part: f64) -> String {
    format!("{}%", amount(part * 100.0))
}

/// `12ms`, `1.5s`.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{}s", amount(s)),
        s if s >= 1e-3 => format!("{}ms", amount(s * 1e3)),
        s => format!("{}us", amount(s * 1e6)),
    }
}

/// `1 replica`, `3 replicas`.
pub fn count(n: f64, one: &str) -> String {
    let plural = if (n - 1.0).abs() < f64::EPSILON { "" } else { "s" };
    format!("{} {one}{plural}", amount(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_that_count() {
        let cases = [
            (f64::INFINITY, "unlimited"),
            (0.0, "0"),
            (1e-12, "0"),
            (0.00012, "0.00012"),
            (0.01234, "0.01234"),
            (0.05, "0.05"),
            (0.1234, "0.123"),
            (2.0 / 3.0, "0.667"),
            (1.0, "1"),
            (1.2345, "1.23"),
            (2.5, "2.5"),
            (9.876, "9.88"),
            (12.34, "12.3"),
            (100.0, "100"),
            (123.4, "123"),
            (1200.0, "1200"),
            (1234.6, "1235"),
        ];
        for (value, expected) in cases {
            assert_eq!(amount(value), expected, "{value}");
        }
    }

    #[test]
    fn each_figure_in_its_unit() {
        let rates = [(0.0, "0/s"), (200.0, "200/s"), (0.1, "0.1/s"), (0.05, "3/m"), (0.5 / 60.0, "0.5/m")];
        for (per_second, expected) in rates.into_iter().chain([(0.001, "3.6/h"), (1.0 / 3600.0, "1/h")]) {
            assert_eq!(rate(per_second), expected, "{per_second}");
        }
        for (part, expected) in [(0.85, "85%"), (0.0125, "1.25%"), (2.0, "200%")] {
            assert_eq!(percent(part), expected, "{part}");
        }
        let times = [(1.5, "1.5s"), (1.0, "1s"), (0.012, "12ms"), (0.001, "1ms"), (0.0005, "500us")];
        for (seconds, expected) in times {
            assert_eq!(time(seconds), expected, "{seconds}");
        }
        for (n, expected) in
            [(0.0, "0 replicas"), (1.0, "1 replica"), (3.0, "3 replicas"), (0.5, "0.5 replicas")]
        {
            assert_eq!(count(n, "replica"), expected, "{n}");
        }
    }
}
