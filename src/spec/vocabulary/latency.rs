//! How long own work takes.

use crate::source::Spanned;
use crate::spec::decode::{Ctx, Map, choice, record};
use crate::spec::scalar::Positive;
use crate::spec::schema::with;
use crate::spec::tree::Node;
use crate::spec::units::{Duration, Share};
use serde_json::{Value, json};

choice! {
    /// The form of a distribution.
    LatencyDistribution {
        /// Lognormal.
        #[default] Lognormal = "lognormal",
        /// Exponential.
        Exponential = "exponential",
        /// The sum of `shape` exponentials.
        Erlang = "erlang",
        /// Many short ones, few long ones: with a `stddev` above the mean.
        Hyperexponential = "hyperexponential",
        /// Evenly around the mean: from 0 to twice the mean where no `stddev` is said.
        Uniform = "uniform",
        /// Always the same.
        Constant = "constant",
    }
}

record! {
    /// How long own work takes: two percentiles, a distribution with its mean, or a table of quantiles.
    Latency {
        /// Half of the requests are faster.
        p50: Duration,
        /// All but one in a hundred are faster.
        p99: Duration,
        /// The form.
        distribution: LatencyDistribution,
        /// The mean.
        mean: Duration,
        /// The standard deviation (lognormal, hyperexponential, uniform).
        stddev: Duration,
        /// How many exponentials are added up (erlang).
        shape: Positive,
        /// Quantiles: `{50%: 4ms, 90%: 9ms, 99%: 20ms}`.
        quantiles: Map<Duration>,
    }
    validate: latency_fits;
    schema: latency_schema;
}

/// Exponentials that are added up, at the most.
const MOST_SHAPE: u32 = 1000;

fn latency_schema(schema: Value) -> Value {
    let percentiles = json!({ "required": ["p50", "p99"],
        "properties": { "mean": false, "distribution": false, "quantiles": false, "shape": false } });
    let erlang = json!({ "required": ["distribution"],
        "properties": { "distribution": { "const": "erlang" }, "shape": { "maximum": MOST_SHAPE } } });
    let distribution = json!({ "required": ["mean"], "anyOf": [erlang, { "properties": { "shape": false } }],
        "properties": { "p50": false, "p99": false, "quantiles": false } });
    let table = json!({ "minProperties": 2, "propertyNames": { "pattern": Share::PATTERN, "not": { "pattern": r"^(0*(\.0+)?|0*100(\.0+)?) *%$" } } });
    let quantiles = json!({ "required": ["quantiles"],
        "properties": { "p50": false, "p99": false, "mean": false, "distribution": false, "shape": false,
            "quantiles": table } });
    with(schema, json!({ "type": "object", "oneOf": [percentiles, distribution, quantiles] }))
}

fn latency_fits<'n>(latency: &Latency, node: &'n Node, ctx: &mut Ctx<'n>) {
    let at = node.entries().first().map_or(node.span, |e| e.key.span);
    let percentiles = latency.p50.is_some() || latency.p99.is_some();
    let forms =
        [percentiles, latency.mean.is_some() || latency.distribution.is_some(), latency.quantiles.is_some()];
    // A key that is there with a bad value has been reported: say no more about the form.
    if ["p50", "p99", "mean", "distribution", "quantiles"]
        .iter()
        .any(|k| ctx.given(node, k) && !latency.has(k))
    {
        return;
    }
    match forms.iter().filter(|f| **f).count() {
        0 => ctx.reject(at, "a latency is `p50` and `p99`, a `distribution` with its `mean`, or `quantiles`"),
        1 => {}
        _ => ctx.reject(at, "a latency is said once: percentiles, a distribution, or quantiles"),
    }
    match (&latency.p50, &latency.p99) {
        (Some(p50), Some(p99)) if p50.value > p99.value => {
            ctx.reject(
                p50.span,
                format!("the median of {} is above the 99th percentile of {}", p50.value, p99.value),
            );
        }
        (Some(one), None) | (None, Some(one)) => {
            ctx.reject(
                one.span,
                "`p50` and `p99` belong together; for one number write `{ distribution: constant, mean: … }`",
            );
        }
        _ => {}
    }
    if let (Some(distribution), None) = (&latency.distribution, &latency.mean) {
        ctx.reject(distribution.span, format!("`{}` needs its `mean`", distribution.word()));
    }
    shape_fits(latency, ctx);
    if let Some(quantiles) = &latency.quantiles {
        let written = node.get("quantiles").map_or(quantiles.0.len(), |q| q.entries().len());
        check_quantiles(quantiles, written, ctx);
    }
}

/// Settings that belong to one distribution only stand beside it.
fn shape_fits(latency: &Latency, ctx: &mut Ctx<'_>) {
    let distribution = latency.distribution.as_ref().map(|d| d.value);
    if let Some(shape) = &latency.shape {
        if distribution != Some(LatencyDistribution::Erlang) {
            ctx.reject(shape.span, "`shape` belongs to `distribution: erlang`");
        } else if shape.value.0 > MOST_SHAPE {
            let help = "as good as `distribution: constant`".to_owned();
            ctx.reject_with(shape.span, format!("a `shape` above {MOST_SHAPE}"), Some(help));
        }
    }
    let (Some(stddev), Some(mean)) = (&latency.stddev, &latency.mean) else { return };
    match distribution {
        Some(LatencyDistribution::Hyperexponential) if stddev.value < mean.value => {
            ctx.reject(stddev.span, "a hyperexponential spreads more than its mean; for less take `erlang`");
        }
        Some(LatencyDistribution::Uniform)
            if stddev.value.0 as f64 * 3.0_f64.sqrt() > mean.value.0 as f64 =>
        {
            ctx.reject(stddev.span, "a uniform time would fall below zero: `stddev` is at most mean/√3");
        }
        _ => {}
    }
}

impl Latency {
    fn has(&self, key: &str) -> bool {
        match key {
            "p50" => self.p50.is_some(),
            "p99" => self.p99.is_some(),
            "mean" => self.mean.is_some(),
            "distribution" => self.distribution.is_some(),
            _ => self.quantiles.is_some(),
        }
    }

    /// The table of quantiles, in the order in which they were written.
    pub fn table(&self) -> Vec<(Share, Duration)> {
        let entries = self.quantiles.iter().flat_map(|q| q.iter());
        entries.filter_map(|(key, value)| Some((Share::parse(key).ok()?, value.value))).collect()
    }
}

fn check_quantiles(quantiles: &Spanned<Map<Duration>>, written: usize, ctx: &mut Ctx<'_>) {
    if written < 2 {
        ctx.reject(quantiles.span, "at least two quantiles are needed");
    }
    let mut last: Option<(Share, Duration)> = None;
    for (key, value) in quantiles.iter() {
        let share = match Share::parse(key) {
            Ok(share) if share.fraction() > 0.0 && share.fraction() < 1.0 => share,
            Ok(_) => {
                ctx.reject(key.span, "a quantile lies between 0% and 100%");
                continue;
            }
            Err(message) => {
                ctx.reject(key.span, message);
                continue;
            }
        };
        if last.is_some_and(|(q, d)| q >= share || d > value.value) {
            ctx.reject(key.span, "quantiles rise: shares and durations in ascending order");
        }
        last = Some((share, value.value));
    }
}
