//! Who may import whom, and who may touch the world.

use crate::File;
use crate::code::{self, PathUse};

/// Each module of the crate with the modules it may import. A row names only rows above it, so that no
/// cycle can be written down. Rows may stand here before their module exists.
pub const LAYERS: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("policy", &["kernel"]),
    ("source", &[]),
    ("finding", &["source"]),
    ("spec", &["finding", "source", "policy", "kernel"]),
    ("import", &["spec", "finding", "source"]),
    ("model", &["spec", "finding", "source", "policy", "kernel"]),
    ("export", &["model", "spec", "source"]),
    ("analysis", &["model", "policy", "kernel"]),
    // It joins the rules of reading with its own, and settings may name any of them.
    ("lint", &["analysis", "model", "spec", "finding", "source", "policy", "kernel"]),
    ("change", &["lint", "analysis", "model", "finding"]),
    ("sim", &["model", "policy", "kernel"]),
    ("study", &["sim", "analysis", "model", "policy", "kernel"]),
    // The evidence of an edge is a place in a text.
    ("diagram", &["analysis", "model", "finding", "source"]),
    ("report", ALL_ABOVE),
    ("cli", ALL_ABOVE),
];

/// Stands for every row above.
const ALL_ABOVE: &[&str] = &["*"];

/// The one module that may touch the world.
const SHELL: &str = "cli";

/// What only the shell may name: files, environment, terminal, network, clock, and the crates for them.
const WORLD: &[&[&str]] = &[
    &["anyhow"],
    &["colored"],
    &["indicatif"],
    &["std", "fs"],
    &["std", "env"],
    &["std", "net"],
    &["std", "process"],
    &["std", "io", "stdin"],
    &["std", "io", "stdout"],
    &["std", "io", "stderr"],
    &["io", "stdin"],
    &["io", "stdout"],
    &["io", "stderr"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
];

/// The macros that print.
const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln"];

/// Where a file stands in the tree of modules: `src/lint/rules/mod.rs` is `["lint", "rules"]`. Empty for
/// the roots of the library and of the binary.
fn module(path: &str) -> Vec<&str> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    if matches!(inner, "lib" | "main") {
        return Vec::new();
    }
    inner.split('/').filter(|part| *part != "mod").collect()
}

/// What a row lets in: the names it gives, or all above it.
fn allowed(name: &str) -> Option<Vec<&'static str>> {
    let row = LAYERS.iter().position(|(module, _)| *module == name)?;
    let (_, names) = LAYERS[row];
    let above = LAYERS[..row].iter().map(|(module, _)| *module);
    Some(if names == ALL_ABOVE { above.collect() } else { names.to_vec() })
}

/// The top-level module that a path leads to, if it leaves its own file by `crate` or by enough `super`.
fn target<'a>(path: &'a PathUse, module: &[&str]) -> Option<&'a str> {
    let segments: Vec<&str> = path.segments.iter().map(String::as_str).skip_while(|s| *s == "self").collect();
    if segments.first() == Some(&"crate") {
        return segments.get(1).copied();
    }
    let up = segments.iter().take_while(|s| **s == "super").count();
    let reaches_root = up > 0 && up == module.len() + path.at.depth;
    if reaches_root { segments.get(up).copied() } else { None }
}

/// Imports that no row allows, and modules that have no row.
pub fn imports(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let module = module(&file.path);
        let Some(own) = module.first() else { continue };
        let Some(allowed) = allowed(own) else {
            complaints.push(format!("{}: the module `{own}` has no row in the table of layers", file.path));
            continue;
        };
        for path in code::paths(&code::tokens(&file.text)) {
            let Some(name) = target(&path, &module) else { continue };
            if name != *own && name != "self" && !allowed.contains(&name) {
                complaints.push(format!(
                    "{}:{}: `{own}` must not import `{name}` ({}); it may import: {}",
                    file.path,
                    path.at.line,
                    path.segments.join("::"),
                    if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") },
                ));
            }
        }
    }
    complaints
}

/// Uses of files, environment, terminal or clock outside the shell. Test code may.
pub fn world(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let module = module(&file.path);
        let exempt = module.is_empty() || module.first() == Some(&SHELL) || module.last() == Some(&"tests");
        if exempt {
            continue;
        }
        for path in code::paths(&code::tokens(&file.text)).iter().filter(|path| !path.at.test) {
            let named = WORLD.iter().any(|world| path.starts_with(world));
            let prints =
                path.is_macro && path.segments.last().is_some_and(|s| PRINTING.contains(&s.as_str()));
            if named || prints {
                let what = path.segments.join("::");
                complaints.push(format!("{}:{}: only `{SHELL}` may use `{what}`", file.path, path.at.line));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_name_only_rows_above() {
        for (row, (name, names)) in LAYERS.iter().enumerate() {
            for other in names.iter().filter(|n| **n != "*") {
                assert!(LAYERS[..row].iter().any(|(above, _)| above == other), "{name} names {other}");
            }
        }
    }

    /// Complaints about one file, without its name.
    fn check(judge: fn(&[File]) -> Vec<String>, path: &str, text: &str, expected: &[&str]) {
        let found = judge(&[File::new(path, text)]);
        let found: Vec<&str> =
            found.iter().map(|c| c.trim_start_matches(path).trim_start_matches(':')).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn forbidden_imports_are_found() {
        let deep = "src/kernel/rng/mod.rs";
        let to_model = |line: usize, path: &str| {
            format!("{line}: `kernel` must not import `model` ({path}); it may import: nothing")
        };
        for (text, expected) in [
            ("\nuse crate::model::Edge;", to_model(2, "crate::model::Edge")),
            ("fn f() { crate::model::edge() }", to_model(1, "crate::model::edge")),
            ("use crate::{kernel::Rng,\n model::{Edge}};", to_model(2, "crate::model::Edge")),
            ("use super::super::model::Edge;", to_model(1, "super::super::model::Edge")),
            (
                "#[cfg(test)] mod tests { use super::super::super::model::Edge; }",
                to_model(1, "super::super::super::model::Edge"),
            ),
        ] {
            check(imports, deep, text, &[&expected]);
        }
        for text in [
            "/// [`crate::model::Edge`]\nstruct A;",
            "// use crate::model;",
            "const A: &str = \"crate::model\";",
            "use super::super::kernel; use crate::kernel::Rng; use super::model; use serde::model;",
            "mod inner { use super::super::other::Thing; }",
        ] {
            check(imports, deep, text, &[]);
        }
        check(imports, "src/report/mod.rs", "use crate::study::Sweep;", &[]);
        check(
            imports,
            "src/report/mod.rs",
            "use crate::cli::main;",
            &[
                "1: `report` must not import `cli` (crate::cli::main); it may import: kernel, policy, source, \
             finding, spec, import, model, export, analysis, lint, change, sim, study, diagram",
            ],
        );
        check(imports, "src/helpers.rs", "", &[" the module `helpers` has no row in the table of layers"]);
        check(imports, "src/lib.rs", "pub mod kernel;", &[]);
    }

    #[test]
    fn the_world_is_kept_out() {
        for (text, expected) in [
            ("use anyhow::Result;", "1: only `cli` may use `anyhow::Result`"),
            ("use std::{io, fs};", "1: only `cli` may use `std::fs`"),
            ("use std::io;\nfn f() { io::stdout(); }", "2: only `cli` may use `io::stdout`"),
            ("fn f() { std::env::var(\"A\"); }", "1: only `cli` may use `std::env::var`"),
            ("fn f() { eprintln!(\"a\"); }", "1: only `cli` may use `eprintln`"),
            ("use colored::Colorize as _;", "1: only `cli` may use `colored::Colorize`"),
            ("use std::time::{Duration, Instant};", "1: only `cli` may use `std::time::Instant`"),
        ] {
            check(world, "src/lint/mod.rs", text, &[expected]);
            check(world, "src/cli/mod.rs", text, &[]);
            check(world, "src/lint/mod.rs", &format!("#[cfg(test)]\nmod tests {{ {text} }}"), &[]);
        }
        check(world, "src/lint/mod.rs", "use std::time::Duration; fn println() { env!(\"A\"); }", &[]);
    }
}
