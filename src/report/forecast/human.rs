//! A forecast on one screen: the answer first, then where it hurts, then what was expected and assumed.

use super::numbers::{count, observed, percent, seconds, short};
use super::{Forecast, Run, Style, inputs, theory};
use crate::report::Tone;
use crate::sim::{Cause, Compiled, EdgeOutcome, EndpointOutcome, Estimate, Verdict};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use std::fmt::Write;

/// Services shown under "where it hurts".
const SHOWN: usize = 6;

/// The forecast as text.
pub fn render(forecast: &Forecast<'_>, style: &Style) -> String {
    let mut text = String::new();
    for (i, run) in forecast.runs.iter().enumerate() {
        if i > 0 {
            text.push('\n');
        }
        headline(&mut text, run, forecast.elapsed.filter(|_| i == 0));
        entries(&mut text, run);
        hurts(&mut text, run, style);
        queues(&mut text, run);
        theory::human(&mut text, run, style);
        expectations(&mut text, run, style);
        inputs::human(&mut text, run);
    }
    let of_runs = |of: fn(&Compiled) -> &Vec<String>| forecast.runs.iter().flat_map(move |r| of(&r.compiled));
    for (title, all) in [("assumed", of_runs(|c| &c.assumed)), ("not simulated", of_runs(|c| &c.left_out))] {
        let mut lines: Vec<&String> = Vec::new();
        for line in all {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        for (i, line) in lines.iter().enumerate() {
            let title = if i == 0 { format!("{title}:") } else { String::new() };
            let _ = writeln!(text, "{title:<14} {line}");
        }
    }
    if forecast.runs.iter().any(|r| !r.compiled.assumed.is_empty()) {
        let _ = writeln!(text, "{:<14} (loadpath explain defaults)", "");
    }
    text
}

fn headline(text: &mut String, run: &Run, elapsed: Option<std::time::Duration>) {
    let plan = &run.compiled.plan;
    let requests: u64 = run.outcome.sources.iter().map(|s| s.requests.arrived).sum();
    let took = elapsed.map_or_else(String::new, |e| format!(" in {}", seconds(e.as_secs_f64())));
    let plural = if run.outcome.replications == 1 { "replication" } else { "replications" };
    let measured = plan.duration.seconds() - plan.warm_up.seconds();
    let _ = writeln!(
        text,
        "{} · {} after {} of warm-up · {} {plural}, seed {} · {} requests{took}\n",
        run.compiled.scenario,
        seconds(measured),
        seconds(plan.warm_up.seconds()),
        run.outcome.replications,
        run.outcome.seed,
        count(requests),
    );
}

fn entries(text: &mut String, run: &Run) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["entry", "rate", "goodput", "success", "p50", "p90", "p99", "p99.9", "±"]);
    for source in &run.outcome.sources {
        table.add_row(entry(&source.name, &source.requests));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for line in table.lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for source in run.outcome.sources.iter().filter(|s| s.requests.failed > 0) {
        let total = source.requests.failed as f64;
        let mut causes = source.requests.errors_by_cause.clone();
        causes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let causes: Vec<_> =
            causes.iter().map(|(c, n)| format!("{} {}", c.name(), percent(*n as f64 / total))).collect();
        let _ = writeln!(text, "failures of {}: {}", source.name, causes.join(", "));
    }
    for source in run.outcome.sources.iter().filter(|s| s.requests.in_flight > 0) {
        let (left, arrived) = (source.requests.in_flight, source.requests.arrived);
        let share = percent(left as f64 / arrived.max(1) as f64);
        let drain = seconds(run.compiled.plan.drain.seconds());
        let _ = writeln!(
            text,
            "still waiting of {}: {} ({share}) had no outcome {drain} after the traffic ended",
            source.name,
            count(left)
        );
    }
}

fn entry(name: &str, requests: &EndpointOutcome) -> Vec<String> {
    let latency = &requests.latency;
    let time = |e: &Option<Estimate>| e.as_ref().map_or_else(|| "–".to_owned(), |e| seconds(e.value));
    let rate = |e: &Estimate| format!("{}/s", short(e.value));
    // How far the 99th percentile may be off, in percent of itself; the median's where there is none.
    let spread = latency.p99.as_ref().filter(|e| e.ci95.is_some()).or(latency.p50.as_ref());
    let spread = spread.and_then(|e| e.ci95.map(|(low, high)| (high - low) / 2.0 / e.value.max(1e-12)));
    vec![
        name.to_owned(),
        rate(&requests.rate_per_s),
        rate(&requests.goodput_per_s),
        percent(requests.availability.value),
        time(&latency.p50),
        time(&latency.p90),
        time(&latency.p99),
        time(&latency.p999),
        spread.map_or_else(String::new, |s| format!("±{}", percent(s))),
    ]
}

/// Queues and topics with messages: how many, how deep, how old.
fn queues(text: &mut String, run: &Run) {
    let used: Vec<_> = run.outcome.queues.iter().filter(|q| q.published + q.dropped > 0).collect();
    let width = used.iter().map(|q| q.name.chars().count()).max().unwrap_or(0);
    for (at, queue) in used.iter().enumerate() {
        let title = if at == 0 { "\nmessages\n" } else { "" };
        let mut words = vec![format!("{} published", count(queue.published))];
        let rest = [
            ("dropped", queue.dropped),
            ("redelivered", queue.redelivered),
            ("dead-lettered", queue.dead_lettered),
            ("left in the end", queue.left),
        ];
        words.extend(rest.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{} {what}", count(*n))));
        words.push(format!("at most {} waiting", count(u64::from(queue.depth_max))));
        if let (Some(p50), Some(max)) = (&queue.age.p50, queue.age.max) {
            words.push(format!("handled after {}, at most {}", seconds(p50.value), seconds(max)));
        }
        let _ = writeln!(text, "{title}  {:width$}  {}", queue.name, words.join(", "));
    }
}

/// One service's trouble.
struct Pain {
    name: String,
    utilization: Option<f64>,
    queue: f64,
    words: Vec<String>,
}

fn hurts(text: &mut String, run: &Run, style: &Style) {
    let mut pains = pains(run);
    pains.retain(|p| p.utilization.is_some_and(|u| u >= 0.5) || p.queue >= 1.0 || !p.words.is_empty());
    let order = |p: &Pain| p.utilization.unwrap_or(0.0) + if p.words.is_empty() { 0.0 } else { 1.0 };
    pains.sort_by(|a, b| order(b).total_cmp(&order(a)));
    if pains.is_empty() {
        let _ = writeln!(text, "\nnothing hurts: no service is half busy, and no call fails");
        return;
    }
    let _ = writeln!(text, "\nwhere it hurts");
    let shown = if style.verbose { pains.len() } else { SHOWN };
    let width = pains.iter().take(shown).map(|p| p.name.chars().count()).max().unwrap_or(0);
    for pain in pains.iter().take(shown) {
        let load = pain.utilization.map_or_else(|| " ".repeat(19), |u| format!("ρ {u:.2} {:<12}", bar(u)));
        let queue = format!("queue {}", short(pain.queue));
        let line = format!("  {:width$}  {load}  {queue:<11} {}", pain.name, pain.words.join("   "));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if pains.len() > shown {
        let _ = writeln!(text, "  and {} more (--verbose)", pains.len() - shown);
    }
}

fn pains(run: &Run) -> Vec<Pain> {
    let (plan, outcome) = (&run.compiled.plan, &run.outcome);
    let mut traffic: Vec<Traffic> = plan.services.iter().map(|_| Traffic::default()).collect();
    for (edge, seen) in plan.edges.iter().zip(&outcome.edges) {
        let to = plan.upstreams[edge.upstream.index()].service.index();
        let Some(traffic) = traffic.get_mut(to) else { continue };
        traffic.add(seen);
        if let Some(breaker) = edge.breaker {
            traffic.open_share = traffic.open_share.max(outcome.breakers[breaker.index()].open_share.value);
        }
    }
    let services = plan.services.iter().zip(&traffic).map(|(service, traffic)| {
        let range = service.instances.start as usize..service.instances.end as usize;
        let instances = outcome.instances.get(range).unwrap_or_default();
        let utilization =
            instances.iter().filter_map(|i| i.utilization.as_ref().map(|u| u.value)).reduce(f64::max);
        let queue = instances.iter().map(|i| i.queue_mean.value).sum();
        Pain { name: service.name.clone(), utilization, queue, words: traffic.words() }
    });
    services.collect()
}

/// Calls of one service, all callers together.
#[derive(Debug, Default)]
struct Traffic {
    requests: u64,
    attempts: u64,
    timeouts: u64,
    rejected: u64,
    failed: [u64; Cause::COUNT],
    open_share: f64,
}

impl Traffic {
    fn add(&mut self, edge: &EdgeOutcome) {
        self.requests += edge.requests;
        self.attempts += edge.attempts;
        self.timeouts += edge.timeouts;
        self.rejected += edge.rejected;
        for (cause, n) in &edge.errors_by_cause {
            self.failed[*cause as usize] += n;
        }
    }

    /// Why calls fail, the most frequent cause first: ` (refused)`, ` (timeout 80%, refused 20%)`.
    fn causes(&self, failed: u64) -> String {
        let all = Cause::ALL.iter().map(|cause| (cause.name(), self.failed[*cause as usize]));
        let mut all: Vec<_> = all.filter(|(_, n)| *n * 100 >= failed.max(1)).collect();
        all.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let alone = all.len() == 1;
        let word = |(name, n): &(&str, u64)| {
            if alone {
                (*name).to_owned()
            } else {
                format!("{name} {}", percent(*n as f64 / failed.max(1) as f64))
            }
        };
        format!(" ({})", all.iter().map(word).collect::<Vec<_>>().join(", "))
    }

    /// What goes wrong on the way: timeouts, rejections, failures, retries.
    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut say = |what: &str, share: f64, rest: &str| {
            if share >= 0.0005 {
                words.push(format!("{what} {}{rest}", percent(share)));
            }
        };
        let of = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        say("timeouts", of(self.timeouts, self.attempts), "");
        say("rejected", of(self.rejected, self.requests), "");
        let failed: u64 = self.failed.iter().sum();
        say("failed calls", of(failed, self.requests), &self.causes(failed));
        say("breaker open", self.open_share, " of the time");
        if self.attempts as f64 > self.requests as f64 * 1.01 {
            words.push(format!("tries {}× per call", short(of(self.attempts, self.requests))));
        }
        words
    }
}

/// Twelve columns in eighths.
fn bar(share: f64) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (share.clamp(0.0, 1.0) * 96.0).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}

fn expectations(text: &mut String, run: &Run, style: &Style) {
    if run.expectations.is_empty() {
        text.push('\n');
        return;
    }
    text.push('\n');
    let width = run.expectations.iter().map(|e| e.text.chars().count()).max().unwrap_or(0);
    for judged in &run.expectations {
        let (sign, tone) = match judged.verdict {
            Verdict::Met => ("✓", Tone::Good),
            Verdict::NotMet => ("✗", Tone::Error),
            Verdict::Undecided => ("?", Tone::Warning),
        };
        let sign = (style.paint)(tone, sign);
        let seen = judged.observed.map_or_else(|| "not observed".to_owned(), |o| observed(judged.metric, o));
        let spread = judged.ci95.filter(|(low, high)| high > low);
        let spread = spread.map_or_else(String::new, |(low, high)| {
            format!(" ± {}", observed(judged.metric, (high - low) / 2.0))
        });
        let more = match (judged.verdict, &judged.reason) {
            (_, Some(reason)) => format!("   {}: {reason}", judged.verdict.name()),
            (Verdict::Undecided, None) => "   undecided: run more replications".to_owned(),
            _ => String::new(),
        };
        let _ = writeln!(text, "{sign} {:width$}   {seen}{spread}{more}", judged.text);
    }
    text.push('\n');
}
