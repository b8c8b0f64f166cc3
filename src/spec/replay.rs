//! Recorded times of requests: a CSV file becomes nanoseconds from the start of a run.
//!
//! Numbers below a thousand million are seconds from the start. Larger ones are Unix times (seconds, or milli-, micro-
//! or nanoseconds by their size), and dates are RFC 3339: both count from the earliest in the file.

use super::load::{FileDocument, Reader};
use super::rules::{INVALID_VALUE, LIMIT_EXCEEDED};
use super::vocabulary::Traffic;
use crate::finding::Finding;
use crate::source::{FileId, Span, Spanned, join_path};
use std::collections::HashMap;
use std::sync::Arc;

/// Times of one file.
const MOST: usize = 10_000_000;
/// Wrong lines that are named one by one.
const NAMED: usize = 5;
/// What the column is called; else it is the first.
const COLUMNS: [&str; 5] = ["timestamp", "@timestamp", "time", "ts", "at"];
/// From here on a number is a Unix time.
const UNIX: u128 = 1_000_000_000;

/// Reads the files that traffic is replayed from, each once.
pub fn read_replays(reader: &mut Reader<'_>, documents: &mut [FileDocument]) {
    let mut known = HashMap::new();
    for document in documents {
        let document = &mut document.document.value;
        let scenarios = document.scenarios.iter_mut().flat_map(|s| s.value.0.iter_mut());
        let tried = scenarios.filter_map(|(_, scenario)| scenario.value.traffic.as_mut());
        for traffic in document.traffic.iter_mut().chain(tried).flat_map(|t| t.value.iter_mut()) {
            fill(reader, &mut known, &mut traffic.value);
        }
    }
}

fn fill(reader: &mut Reader<'_>, known: &mut HashMap<String, Arc<[u64]>>, traffic: &mut Traffic) {
    let Some(Spanned { value: replay, span }) = &mut traffic.replay else { return };
    let path = join_path(&reader.sources.file(span.file).name, &replay.path);
    if !known.contains_key(&path) {
        let times = load(reader, &path, *span).unwrap_or_else(|| Arc::new([]));
        known.insert(path.clone(), times);
    }
    if let Some(times) = known.get(&path) {
        replay.times = Arc::clone(times);
    }
}

fn load(reader: &mut Reader<'_>, path: &str, span: Span) -> Option<Arc<[u64]>> {
    let bytes = match reader.loader().load(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            reader.unreadable(span, path, &error);
            return None;
        }
    };
    let file = reader.utf8(path, bytes)?;
    let text = Arc::clone(&reader.sources.file(file).text);
    let (times, findings) = times(&text, file);
    reader.broken |= !findings.is_empty();
    reader.findings.extend(findings);
    times
}

/// The times of a text, rising, or what is wrong with it.
fn times(text: &str, file: FileId) -> (Option<Arc<[u64]>>, Vec<Finding>) {
    let mut findings = Vec::new();
    let (mut moments, mut absolute, mut wrong) = (Vec::new(), None, 0);
    let (mut at, mut column, mut begun) = (0, 0, false);
    for line in text.split_inclusive('\n') {
        let (start, line) = (at, line.trim_end());
        at += text[at..].find('\n').map_or(text.len() - at, |n| n + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !std::mem::replace(&mut begun, true)
            && let Some(found) = heading(line)
        {
            column = found;
            continue;
        }
        let (from, cell) = cell(line, column);
        let moment = moment(cell);
        let same = moment.is_none_or(|m| *absolute.get_or_insert(m.absolute) == m.absolute);
        if let Some(moment) = moment.filter(|_| same) {
            if moments.len() == MOST {
                let message = format!("more than {MOST} times");
                findings.push(Finding::new(
                    &LIMIT_EXCEEDED,
                    Span::new(file, start as u32, at as u32),
                    message,
                ));
                return (None, findings);
            }
            moments.push(moment.nanos);
            continue;
        }
        wrong += 1;
        if wrong <= NAMED {
            let from = start + from;
            let span = Span::new(file, from as u32, (from + cell.len()) as u32);
            findings.push(refused(span, cell, same));
        }
    }
    if moments.is_empty() && findings.is_empty() {
        let finding = Finding::new(&INVALID_VALUE, Span::new(file, 0, 0), "no times to replay in this file");
        findings.push(finding.help(HELP));
    }
    if !findings.is_empty() {
        return (None, findings);
    }
    moments.sort_unstable();
    let origin = if absolute == Some(true) { moments.first().copied().unwrap_or(0) } else { 0 };
    (Some(moments.into_iter().map(|m| u64::try_from(m - origin).unwrap_or(u64::MAX)).collect()), findings)
}

const HELP: &str = "one a line, in the first column or one called `timestamp`: seconds from the start (12.5), \
                    Unix times, or dates (2026-05-01T12:00:00Z)";

fn refused(span: Span, cell: &str, same: bool) -> Finding {
    let word: String = cell.chars().take(40).collect();
    let message = if same {
        format!("`{word}` is no time")
    } else {
        format!("`{word}` mixes seconds from the start with dates")
    };
    Finding::new(&INVALID_VALUE, span, message).help(HELP).about(word)
}

/// The column of the times where the first line names columns; `None` where it is data.
fn heading(line: &str) -> Option<usize> {
    let cells: Vec<&str> = std::iter::successors(Some((0, cell(line, 0).1)), |(n, _)| {
        let (from, next) = cell(line, n + 1);
        (from < line.len()).then_some((n + 1, next))
    })
    .map(|(_, cell)| cell)
    .collect();
    let named = cells.iter().position(|c| COLUMNS.iter().any(|name| c.eq_ignore_ascii_case(name)));
    let is_data = cells.first().is_some_and(|first| moment(first).is_some());
    named.or((!is_data).then_some(0))
}

/// Where a cell of a line begins, and what is in it without its quotes. Beyond the last: the end of the line.
fn cell(line: &str, column: usize) -> (usize, &str) {
    let (mut from, mut number, mut quoted) = (0, 0, false);
    for (at, c) in line.char_indices().chain([(line.len(), ',')]) {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted || at == line.len() => {
                if number == column {
                    let raw = line.get(from..at).unwrap_or_default();
                    let text = raw.trim_start().trim_start_matches('"');
                    let skipped = raw.len() - text.len();
                    return (from + skipped, text.trim_end().trim_end_matches('"'));
                }
                (from, number) = (at + 1, number + 1);
            }
            _ => {}
        }
    }
    (line.len(), "")
}

/// A time, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    nanos: u128,
    absolute: bool,
}

fn moment(text: &str) -> Option<Moment> {
    if text.as_bytes().get(4) == Some(&b'-') {
        return date(text).map(|nanos| Moment { nanos, absolute: true });
    }
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 20 || !digits(whole) || !digits(rest) {
        return None;
    }
    let number: u128 = whole.parse().ok()?;
    let unit: u128 = match number {
        n if n < UNIX * 100 => 1_000_000_000,
        n if n < UNIX * 100_000 => 1_000_000,
        n if n < UNIX * 100_000_000 => 1_000,
        _ => 1,
    };
    Some(Moment { nanos: number * unit + fraction(rest) * unit / 1_000_000_000, absolute: number >= UNIX })
}

/// The digits behind a point, in units of 10⁻⁹.
fn fraction(digits: &str) -> u128 {
    format!("{digits:0<9}").get(..9).and_then(|nine| nine.parse().ok()).unwrap_or(0)
}

/// `2026-05-01T12:00:00.5Z`, with a space in place of the T, with an offset or without (UTC).
fn date(text: &str) -> Option<u128> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let sign = |at: usize, of: &[u8]| text.as_bytes().get(at).is_some_and(|b| of.contains(b));
    let signs = sign(4, b"-") && sign(7, b"-") && sign(10, b"T t") && sign(13, b":") && sign(16, b":");
    let [year, month, day] = [number(0, 4)?, number(5, 7)?, number(8, 10)?];
    let [hour, minute, second] = [number(11, 13)?, number(14, 16)?, number(17, 19)?];
    let fits = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !signs || !fits || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest = text.get(19..)?;
    let zone = rest.find(['Z', 'z', '+', '-']).map_or(rest.len(), |at| at);
    let (digits, zone) = rest.split_at(zone);
    let digits = if digits.is_empty() { "" } else { digits.strip_prefix('.')? };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let offset = match zone {
        "" | "Z" | "z" => 0,
        _ => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let minutes = i64::from(hours.parse::<u8>().ok()?) * 60 + i64::from(minutes.parse::<u8>().ok()?);
            if zone.starts_with('-') { -minutes * 60 } else { minutes * 60 }
        }
    };
    // Days since 1970 of the proleptic Gregorian calendar, the year beginning in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    Some(u128::try_from(seconds).ok()? * 1_000_000_000 + fraction(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[f64], &str>) {
        let (times, findings) = times(text, FileId::default());
        let found = times.map(|all| all.iter().map(|t| *t as f64 / 1e9).collect::<Vec<_>>());
        match expected {
            Ok(seconds) => assert_eq!(found.as_deref(), Some(seconds), "{text} {findings:?}"),
            Err(message) => {
                assert_eq!(found, None, "{text}");
                assert_eq!(findings[0].message, message);
            }
        }
    }

    #[test]
    fn times_are_read_in_every_form() {
        check("0.5\n1\n\n2.25\n", Ok(&[0.5, 1.0, 2.25]));
        check("# recorded\n0.5\n", Ok(&[0.5]));
        check("# recorded\ncode,time\n200,0.5\n", Ok(&[0.5]));
        check("timestamp\n3\n1\n2", Ok(&[1.0, 2.0, 3.0]));
        check("path,timestamp,code\n\"/a,b\",1.5,200\n/c,2,200\n", Ok(&[1.5, 2.0]));
        check("1714564800\n1714564801.5\n", Ok(&[0.0, 1.5]));
        check("1714564800250\n1714564801500\n", Ok(&[0.0, 1.25]));
        check(
            "2026-05-01T12:00:00Z\n2026-05-01T14:00:00.25+02:00\n2026-05-01 12:00:01\n",
            Ok(&[0.0, 0.25, 1.0]),
        );
        // 2024 has a 29th of February.
        check("2024-02-28T00:00:00Z\n2024-03-01T00:00:00Z\n", Ok(&[0.0, 172_800.0]));
        check("", Err("no times to replay in this file"));
        check("0.5\nsoon\n", Err("`soon` is no time"));
        let far = "2026-05-01T12:00:00+999999999999999999:00";
        check(&format!("0.5\n{far}\n"), Err(&format!("`{}` is no time", &far[..40])));
        check("0.5\n-1\n", Err("`-1` is no time"));
        check("0.5\n1714564800\n", Err("`1714564800` mixes seconds from the start with dates"));
    }

    #[test]
    fn a_wrong_cell_is_pointed_at() {
        let (_, findings) = times("code,timestamp\n200,1\n500, soon \n", FileId::default());
        assert_eq!((findings[0].primary.span.start, findings[0].primary.span.end), (26, 30));
    }
}
