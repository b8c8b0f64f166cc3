//! Numbers as people read them.

use crate::model::words::Metric;
use crate::sim::Judged;

/// `31ms`, `1.1s`, `450us`: three digits at most.
pub fn seconds(value: f64) -> String {
    let (value, unit) = match value {
        v if !v.is_finite() => return "never".to_owned(),
        0.0 => return "0s".to_owned(),
        // What rounds to a thousand is one of the next.
        v if v < 0.999_5e-3 => (v * 1e6, "us"),
        v if v < 0.999_5 => (v * 1e3, "ms"),
        v => (v, "s"),
    };
    format!("{}{unit}", short(value))
}

/// Three digits: `0.31`, `3.1`, `31`, `312`.
pub fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 99.5 => format!("{value:.0}"),
        v if v >= 9.95 => trim(&format!("{value:.1}")),
        _ => trim(&format!("{value:.2}")),
    }
}

fn trim(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// `4.1 M`, `12 k`, `830`.
pub fn count(value: u64) -> String {
    match value {
        v if v >= 1_000_000 => format!("{} M", short(v as f64 / 1e6)),
        v if v >= 10_000 => format!("{} k", short(v as f64 / 1e3)),
        v => v.to_string(),
    }
}

/// A share of 1, so precise that 99.95% does not become 100%.
pub fn percent(value: f64) -> String {
    let percent = value * 100.0;
    let text = match 100.0 - percent {
        rest if rest <= 0.0 || percent <= 0.0 => format!("{percent:.0}"),
        rest if rest < 0.1 => format!("{:.3}", (percent * 1e3).floor() / 1e3),
        rest if rest < 1.0 => format!("{:.2}", (percent * 1e2).floor() / 1e2),
        _ => short(percent),
    };
    format!("{text}%")
}

/// An observation in the unit of its metric.
pub fn observed(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Availability | Metric::Utilization => percent(value),
        Metric::Goodput => format!("{}/s", short(value)),
        Metric::Amplification => format!("{}×", short(value)),
        Metric::Quantile(_) | Metric::Mean | Metric::Recovery => seconds(value),
    }
}

/// `p99 < 400ms: 412ms ± 9ms`: an expectation with what was observed.
pub fn said(judged: &Judged) -> String {
    let seen = judged.observed.map_or_else(|| "not observed".to_owned(), |o| observed(judged.metric, o));
    let spread = judged.ci95.filter(|(low, high)| high > low);
    let spread = spread.map_or_else(String::new, |(low, high)| {
        format!(" ± {}", observed(judged.metric, (high - low) / 2.0))
    });
    format!("{}: {seen}{spread}", judged.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [0.000_45, 0.031_2, 0.412, 1.1, 0.0, 0.000_999_8].map(seconds),
            ["450us", "31.2ms", "412ms", "1.1s", "0s", "1ms"]
        );
        assert_eq!(
            [0.9995, 0.99951, 1.0, 0.966, 0.0, 0.999_999_9].map(percent),
            ["99.950%", "99.951%", "100%", "96.6%", "0%", "99.999%"]
        );
        assert_eq!([4_123_456, 12_345, 830].map(count), ["4.12 M", "12.3 k", "830"]);
    }
}
