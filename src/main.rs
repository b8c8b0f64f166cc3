//! The binary: everything is in [`loadpath::cli`].

fn main() -> std::process::ExitCode {
    loadpath::cli::main()
}
