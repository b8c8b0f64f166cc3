//! The words of commands that simulate more than once.

use super::InputArgs;
use clap::Args;

/// How studies of a scenario are run.
#[derive(Debug, Args)]
pub struct StudyArgs {
    /// Which scenario, where there are several
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,

    /// Of the random numbers, the same for everything that is compared [default: the scenario's, else 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Repetitions with other random numbers [default: the scenario's, else 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub replications: Option<u32>,

    /// Processors used; the result does not depend on it [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,

    /// How the result is said: human or json, with NAME=FILE into a file
    #[arg(short, long, default_value = "human", value_name = "NAME[=FILE]")]
    pub format: String,
}

/// `compare`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadpath compare shop.yaml --variant 'upstreams.payment.load_balancing.policy=least_request'\n  \
    loadpath compare shop.yaml --variant 'no retries: mesh.retry=none' --variant 'tuned: tuned.yaml'")]
pub struct CompareArgs {
    /// What is read.
    #[command(flatten)]
    pub input: InputArgs,

    /// What is set in a variant, or a file that is laid over the system (again for more variants)
    #[arg(long, required = true, value_name = "[NAME: ]PATH=VALUE[; ...] | FILE")]
    pub variant: Vec<String>,

    /// How.
    #[command(flatten)]
    pub study: StudyArgs,
}

/// `sweep`.
#[derive(Debug, Args)]
#[command(
    after_help = "A range is FROM..TO (2..8, 50ms..400ms), FROM..TO step STEP, or a list (2,4,8); several are \
    combined. Examples:\n  \
    loadpath sweep shop.yaml --set 'services.payment.replicas=2..8'\n  \
    loadpath sweep shop.yaml --load '50%..150% step 25%' --set 'services.payment.workers=1,2,4'"
)]
pub struct SweepArgs {
    /// What is read. A `--set` with a range or list is what is swept.
    #[command(flatten)]
    pub input: InputArgs,

    /// Multiply all traffic by each of these
    #[arg(long, value_name = "RANGE")]
    pub load: Option<String>,

    /// How.
    #[command(flatten)]
    pub study: StudyArgs,
}

/// `capacity`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadpath capacity shop.yaml --expect 'web GET / p99 < 400ms' --expect 'availability >= 99.9%'\n  \
    loadpath capacity shop.yaml --fewest 'services.payment.replicas=1..32'\n  \
    loadpath capacity shop.yaml --highest 'traffic[0].rate=100/s..2000/s'")]
pub struct CapacityArgs {
    /// What is read.
    #[command(flatten)]
    pub input: InputArgs,

    /// Look for the highest value of this setting, in place of the load
    #[arg(long, value_name = "PATH=FROM..TO", conflicts_with = "fewest")]
    pub highest: Option<String>,

    /// Look for the lowest value of this setting
    #[arg(long, value_name = "PATH=FROM..TO")]
    pub fewest: Option<String>,

    /// What must hold, in place of what the scenario expects (again for more)
    #[arg(long, value_name = "[TARGET] METRIC OP VALUE")]
    pub expect: Vec<String>,

    /// How near the answer is to be
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = share)]
    pub within: f64,

    /// How.
    #[command(flatten)]
    pub study: StudyArgs,
}

/// `selftest`.
#[derive(Debug, Args)]
pub struct SelftestArgs {
    /// Only these rows of the table: mm1-0.8, jsq-4-0.8, …
    #[arg(value_name = "ROW")]
    pub rows: Vec<String>,

    /// Go on until every interval is as narrow as it must be: many minutes in place of seconds
    #[arg(long)]
    pub full: bool,

    /// Print the documents behind a row, to be simulated by hand
    #[arg(long, value_name = "ROW", conflicts_with_all = ["rows", "full"])]
    pub show: Option<String>,

    /// Of the random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Processors used; the result does not depend on it [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,

    /// How the result is said: human or json, with NAME=FILE into a file
    #[arg(short, long, default_value = "human", value_name = "NAME[=FILE]")]
    pub format: String,
}

/// A part of 1 as `1%` or `0.01`, above 0.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 0.01));
    let value = number.trim().parse::<f64>().map(|value| value * unit);
    value.ok().filter(|v| *v > 0.0 && *v <= 1.0).ok_or_else(|| "write a share such as 1%".to_owned())
}
