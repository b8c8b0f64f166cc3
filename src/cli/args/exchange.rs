//! The words of the commands about other formats: `import`, `export`, and what shows an edge.

use super::InputArgs;
use clap::Args;

/// `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// What is written: isotope or istio
    pub format: String,

    /// What is read.
    #[command(flatten)]
    pub input: InputArgs,

    /// Write it here instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<String>,
}

/// `import`.
#[derive(Debug, Args)]
#[command(after_help = "The first PATH may be the name of a format, as in `loadpath import compose a.yaml`.")]
pub struct ImportArgs {
    /// What is read.
    #[command(flatten)]
    pub input: InputArgs,

    /// Write the document here instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<String>,
}

/// `explain-edge`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 there is such an edge; 1 there is none; 2 usage, or a file that cannot be read."
)]
pub struct ExplainEdgeArgs {
    /// Who calls
    pub from: String,

    /// What is called
    pub to: String,

    /// What is read.
    #[command(flatten)]
    pub input: InputArgs,

    /// How it is said: human or json
    #[arg(short, long, default_value = "human", value_name = "NAME")]
    pub format: String,
}
