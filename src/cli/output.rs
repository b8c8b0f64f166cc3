//! Standard output and error, colour, files that are written.

use super::args::{Cli, Colour};
use crate::report::{Style, Tone};
use anyhow::{Context, Result};
use colored::Colorize;
use std::io::{IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How texts for people look: the flag first, then `NO_COLOR`, then `CLICOLOR_FORCE`, then the terminal.
pub fn style(cli: &Cli) -> Style {
    style_of(cli, std::io::stdout().is_terminal())
}

/// The same for texts on standard error.
pub fn style_of_errors(cli: &Cli) -> Style {
    style_of(cli, std::io::stderr().is_terminal())
}

fn style_of(cli: &Cli, terminal: bool) -> Style {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty() && v != "0");
    let color = match cli.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto if set("NO_COLOR") => false,
        Colour::Auto if set("CLICOLOR_FORCE") => true,
        Colour::Auto => terminal,
    };
    // The crate keeps a switch of its own, set by the same variables in another order: ours decides.
    colored::control::set_override(color);
    Style { color, paint, verbose: cli.verbose, ..Style::default() }
}

/// The palette of the terminal.
fn paint(tone: Tone, text: &str) -> String {
    let painted = match tone {
        Tone::Error => text.bright_red(),
        Tone::Warning => text.yellow(),
        Tone::Info => text.bright_blue(),
        Tone::Good => text.bright_green(),
    };
    painted.bold().to_string()
}

/// Writes the product of a command to standard output.
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")
}

/// Writes a product into a file.
pub fn write(path: &str, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write `{path}`"))
}

/// Says a line on standard error; a closed one is nobody's concern.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// What takes less time is over before anybody asks how far it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// Says how far a run of more than a second is, over the last such line; nothing unless standard error is a
/// terminal. An empty text clears the line.
pub fn progress(cli: &Cli, text: &str) {
    static SINCE: OnceLock<Instant> = OnceLock::new();
    let long = SINCE.get_or_init(Instant::now).elapsed() >= PATIENCE;
    if long && !cli.quiet && std::io::stderr().is_terminal() {
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "\r\x1b[2K{text}");
        let _ = err.flush();
    }
}

static STOP: AtomicBool = AtomicBool::new(false);

/// From here on a first Ctrl-C is heard by [`interrupted`], and a second one ends the program.
pub fn hear_interrupts() {
    let heard = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        complain("\ninterrupted: what is under way is finished and reported; Ctrl-C again ends at once");
    });
    // Without a handler it ends at once, as ever.
    drop(heard);
}

/// Whether somebody pressed Ctrl-C.
pub fn interrupted() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Processors to use: those asked for, else all.
pub fn threads(wanted: Option<usize>) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    wanted.unwrap_or_else(all).clamp(1, 256)
}

/// Whether the reader of standard output went away, which ends a program quietly.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|e| e.downcast_ref::<std::io::Error>());
    io.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The style of files: as on a terminal, without colour.
pub fn plain(cli: &Cli) -> Style {
    Style { verbose: cli.verbose, ..Style::default() }
}
