//! Figures in the words of a finding.

/// Three digits that count, no zeros behind the point: `0.667`, `2.5`, `1200`.
pub fn amount(value: f64) -> String {
    if !value.is_finite() {
        return "unlimited".to_owned();
    }
    let whole = if value.abs() < 1.0 { 0 } else { format!("{:.0}", value.abs().trunc()).len() };
    let places = match value.abs() {
        v if v < 1e-9 => 0,
        v if v < 0.1 => 5,
        _ => 3_usize.saturating_sub(whole),
    };
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
