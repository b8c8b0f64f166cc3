//! The words of the command line.

mod exchange;
mod studies;

pub use exchange::{ExplainEdgeArgs, ExportArgs, ImportArgs};
pub use studies::{CapacityArgs, CompareArgs, SelftestArgs, StudyArgs, SweepArgs};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Checks, draws and simulates a microservice architecture written down in YAML.
#[derive(Debug, Parser)]
#[command(name = "loadpath", version, about, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 clean; 1 findings at or above --fail-on, or an expectation not met; \
    2 usage, or a file that cannot be read.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// When to use colour [also: `NO_COLOR`, `CLICOLOR_FORCE`]
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,

    /// Say less on standard error
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Show everything in full
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what is wrong with an architecture
    Check(CheckArgs),
    /// Draw an architecture
    Graph(GraphArgs),
    /// Write what other formats say as a loadpath document
    Import(ImportArgs),
    /// Write an architecture in another format, and what that cannot say
    Export(ExportArgs),
    /// Forecast what happens under load and failure
    Simulate(SimulateArgs),
    /// Say what changed in meaning between two versions
    Diff(DiffArgs),
    /// Show one service: callers, callees, endpoints, policies, numbers
    Show(ShowArgs),
    /// Explain a rule, a policy, a format, or `defaults`
    Explain(ExplainArgs),
    /// Tell what shows that one service calls another, strongest first, with its lines
    ExplainEdge(ExplainEdgeArgs),
    /// Simulate variants of a system side by side
    Compare(CompareArgs),
    /// Simulate a system for a range of values of one setting, or of its load
    Sweep(SweepArgs),
    /// Find the highest load, or the fewest replicas, at which all expectations hold
    Capacity(CapacityArgs),
    /// Hold the simulator against queueing theory, and the policies against their promises
    Selftest(SelftestArgs),
    /// Print the JSON Schema of the document
    Schema,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What is read, by every command that reads.
#[derive(Debug, Clone, Args)]
pub struct InputArgs {
    /// Files, folders, globs, or - for standard input; without one, loadpath.yaml here or upward
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,

    /// Lay this file over the others (again for more)
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<String>,

    /// Set one value, as in services.web.replicas=5 (again for more)
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,

    /// Read files as this format instead of looking at their content
    #[arg(long, value_name = "NAME")]
    pub format_in: Option<String>,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What is read.
    #[command(flatten)]
    pub input: InputArgs,

    /// How findings are said, to standard output or with NAME=FILE into a file (again for more):
    /// human, json, jsonl, sarif, github, gitlab, junit, checkstyle, markdown
    #[arg(short, long, value_name = "NAME[=FILE]")]
    pub format: Vec<String>,

    /// Show a result of `-f json` again, instead of judging
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "overlay", "set", "format_in",
        "separate", "no_suppress", "fix", "diff", "watch", "baseline"])]
    pub from_json: Option<String>,

    /// Only findings about what this team owns (again for more)
    #[arg(long, value_name = "TEAM", conflicts_with_all = ["fix", "diff"])]
    pub owner: Vec<String>,

    /// Count the findings of each owner (human)
    #[arg(long)]
    pub by_owner: bool,

    /// Exit with 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY")]
    pub fail_on: FailOn,

    /// Exit with 0 whatever is found; never hides files that cannot be read
    #[arg(long)]
    pub exit_zero: bool,

    /// Judge each path as a system of its own
    #[arg(long)]
    pub separate: bool,

    /// Write the fixes of findings that only one text can mend into the files
    #[arg(long)]
    pub fix: bool,

    /// Show what --fix would change, as a unified diff, instead of the findings
    #[arg(long, conflicts_with_all = ["fix", "format"])]
    pub diff: bool,

    /// Judge again whenever a file that was read changes
    #[arg(long)]
    pub watch: bool,

    /// Show and count findings that are suppressed or in the baseline too
    #[arg(long)]
    pub no_suppress: bool,

    /// Forgive the findings listed here; what no longer occurs is taken out, except in CI
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<String>,

    /// Write all findings there are now into the baseline
    #[arg(long, requires = "baseline", conflicts_with_all = ["no_suppress", "watch", "diff"])]
    pub update_baseline: bool,
}

/// From which severity on `check` fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Any finding.
    Info,
    /// Warnings and errors.
    Warning,
    /// Errors.
    Error,
}

/// `graph`.
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// What is read.
    #[command(flatten)]
    pub input: InputArgs,

    /// How it is drawn
    #[arg(short, long, default_value = "dot", value_name = "NAME")]
    pub format: String,

    /// Only this service and what is near it
    #[arg(long, value_name = "SERVICE")]
    pub focus: Option<String>,

    /// How near, in edges
    #[arg(long, value_name = "N", requires = "focus")]
    pub depth: Option<usize>,

    /// Which way from the focus
    #[arg(long, value_enum, default_value_t = Towards::Both, requires = "focus")]
    pub direction: Towards,

    /// What nodes are drawn together by
    #[arg(long, value_enum, default_value_t = GroupBy::Auto, value_name = "WHAT")]
    pub group_by: GroupBy,

    /// Write the picture here instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<String>,
}

/// Which way from the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Towards {
    /// Both ways.
    Both,
    /// Who depends on it.
    Upstream,
    /// What it depends on.
    Downstream,
}

/// What nodes are drawn together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GroupBy {
    /// The owner, where most services have one.
    Auto,
    /// Nothing.
    None,
    /// The team.
    Owner,
    /// The layer.
    Layer,
    /// The zone.
    Zone,
}

/// `simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// What is read.
    #[command(flatten)]
    pub input: InputArgs,

    /// Only this scenario; all of them where none is named
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,

    /// Of the random numbers [default: the scenario's, else 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Repetitions with other random numbers [default: the scenario's, else 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub replications: Option<u32>,

    /// Processors used; the result does not depend on it [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,

    /// Add replications until goodput, availability, mean and p99 of every entry are known to this share, at
    /// the most --replications [default then: 1000]
    #[arg(long, value_name = "PERCENT", value_parser = studies::share)]
    pub precision: Option<f64>,

    /// Rank the inputs that were assumed by how far they move the result
    #[arg(long)]
    pub sensitivity: bool,

    /// What happens, in a file of its own.
    #[command(flatten)]
    pub events: EventArgs,

    /// How the forecast is said: human or json, with NAME=FILE into a file
    #[arg(short, long, default_value = "human", value_name = "NAME[=FILE]")]
    pub format: String,

    /// Exit with 0 where an expectation is undecided
    #[arg(long)]
    pub allow_undecided: bool,
}

/// The log of `simulate`.
#[derive(Debug, Args)]
pub struct EventArgs {
    /// Write what happens in replication 0, one JSON object a line: registered, ejected, published …
    #[arg(long, value_name = "FILE")]
    pub events: Option<String>,

    /// Of that only these types (again, or with commas, for more); arrived, succeeded, failed, received and replied,
    /// of which every request has some, are left out where they are not named
    #[arg(long, value_name = "TYPE", requires = "events")]
    pub events_type: Vec<String>,

    /// Of that only what is about this service, queue or topic (again for more)
    #[arg(long, value_name = "NAME", requires = "events")]
    pub events_service: Vec<String>,

    /// Of that only what is a part of this request (r17), or about this message (m17)
    #[arg(long, value_name = "ID", requires = "events")]
    pub events_correlation: Option<String>,
}

/// `diff`.
#[derive(Debug, Args)]
#[command(after_help = "OLD and NEW are files, folders, or git revisions: REVISION:PATH as git writes it, \
    or a REVISION alone for the path of the other. Nothing is fetched.")]
pub struct DiffArgs {
    /// The version before: a file, a folder, REVISION:PATH or REVISION
    pub old: String,

    /// The version after; without one, loadpath.yaml here or upward
    pub new: Option<String>,

    /// How changes are said: human, markdown or json, with NAME=FILE into a file
    #[arg(short, long, default_value = "human", value_name = "NAME[=FILE]")]
    pub format: String,

    /// Exit with 1 on this
    #[arg(long, value_enum, default_value_t = DiffFailOn::Error, value_name = "WHAT")]
    pub fail_on: DiffFailOn,

    /// Read files as this format instead of looking at their content
    #[arg(long, value_name = "NAME")]
    pub format_in: Option<String>,
}

/// On what `diff` fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffFailOn {
    /// A new error.
    Error,
    /// A new error or warning, or a quantity that got worse.
    Worse,
    /// Any difference.
    Any,
    /// Nothing.
    Never,
}

/// `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The service
    pub service: String,

    /// What is read.
    #[command(flatten)]
    pub input: InputArgs,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A rule, a policy, a format, or `defaults`
    #[arg(required_unless_present = "list")]
    pub name: Option<String>,

    /// Name everything that can be explained
    #[arg(long)]
    pub list: bool,
}
