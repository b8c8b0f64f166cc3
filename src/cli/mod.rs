//! Arguments, files, terminal, exit codes: the only place with input and output.
//!
//! Owns what a command line means. Must not compute anything: it asks the library and prints what comes
//! back.

mod args;
mod baseline;
mod capacity;
mod check;
mod compare;
mod diff;
mod disk;
mod events;
mod explain;
mod explain_edge;
mod fix;
mod graph;
mod import;
mod input;
mod output;
mod range;
mod revision;
mod scene;
mod schema;
mod selftest;
mod sensitivity;
mod show;
mod simulate;
mod sweep;
mod targets;
mod watch;

use args::{Cli, Command};
use clap::Parser;
use std::process::ExitCode;

/// The program: reads the arguments, runs the command, gives its exit code. 0 clean, 1 findings or
/// expectations not met, 2 usage or unreadable input.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let run = match &cli.command {
        Command::Check(args) => check::run(&cli, args),
        Command::Graph(args) => graph::run(&cli, args),
        Command::Import(args) => import::run(&cli, args),
        Command::Simulate(args) => simulate::run(&cli, args),
        Command::Diff(args) => diff::run(&cli, args),
        Command::Show(args) => show::run(&cli, args),
        Command::Explain(args) => explain::run(args),
        Command::ExplainEdge(args) => explain_edge::run(&cli, args),
        Command::Compare(args) => compare::run(&cli, args),
        Command::Sweep(args) => sweep::run(&cli, args),
        Command::Capacity(args) => capacity::run(&cli, args),
        Command::Selftest(args) => selftest::run(&cli, args),
        Command::Schema => schema::run(),
    };
    match run {
        Ok(code) => ExitCode::from(code),
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}
