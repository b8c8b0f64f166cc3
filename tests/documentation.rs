//! Every YAML block of the README and of the pages is read; the commands the README shows are the ones
//! that run; every example is clean of errors.

use loadpath::finding::{Date, Finding, Severity};
use loadpath::source::MemoryLoader;
use loadpath::spec::{Limits, Reader};
use loadpath::{lint, model, spec};

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match (&mut open, line.trim_start()) {
            (None, fence) if fence == format!("```{language}") => open = Some(String::new()),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some(block), _) => {
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

fn errors(name: &str, text: &str) -> Vec<String> {
    let loader = MemoryLoader::default();
    let mut reader = Reader::new(&loader, Limits::default());
    let trees = reader.text(name, text.as_bytes().to_vec()).into_iter().collect();
    let documents = reader.decode(trees);
    let (arch, unresolved) = model::build(&documents);
    let said: Vec<Finding> = reader.findings.into_iter().chain(unresolved).collect();
    let occasion = lint::Occasion { today: Date::from_unix_days(20_000), complete: true };
    let judged = lint::judge(&arch, &reader.sources, said, occasion).findings;
    let wrong = judged.into_iter().filter(|f| f.severity == Severity::Error);
    wrong.map(|f| format!("{}: {} ({})", name, f.message, f.rule.id)).collect()
}

#[test]
fn yaml_blocks_of_the_readme_are_right() {
    let readme = include_str!("../README.md");
    let found = blocks(readme, "yaml");
    assert!(!found.is_empty());
    for (i, block) in found.iter().enumerate() {
        assert_eq!(errors(&format!("README.md block {}", i + 1), block), Vec::<String>::new());
    }
}

#[test]
fn examples_are_clean_of_errors() {
    let folders = ["/examples", "/examples/scenarios"].map(|f| format!("{}{f}", env!("CARGO_MANIFEST_DIR")));
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut files: Vec<_> = files.map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    assert!(files.len() >= 8);
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert_eq!(errors(name, &std::fs::read_to_string(&file).unwrap()), Vec::<String>::new());
    }
}

#[test]
fn the_transcripts_of_the_readme_are_what_the_program_prints() {
    let readme = include_str!("../README.md");
    let mut checked = 0;
    for block in blocks(readme, "console") {
        let Some((command, shown)) = block.split_once('\n') else { continue };
        let Some(command) = command.strip_prefix("$ loadpath ") else { continue };
        let args: Vec<&str> = command.split_whitespace().collect();
        let mut program = assert_cmd::Command::cargo_bin("loadpath").unwrap();
        let program = program.current_dir(env!("CARGO_MANIFEST_DIR")).env("NO_COLOR", "1").args(args);
        let output = program.output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(without_times(shown), without_times(&printed), "$ loadpath {command}");
        checked += 1;
    }
    assert!(checked >= 2, "the README shows what the program prints");
}

/// A transcript without how many rules there are, how long it took and white space at the ends of lines.
fn without_times(text: &str) -> String {
    let line = |line: &str| {
        let line = line.split(" rules in ").next().unwrap_or(line);
        let line = line.trim_end_matches(|c: char| c.is_ascii_digit());
        let line = line.split(" requests in ").next().unwrap_or(line);
        line.trim_end().to_owned()
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

#[test]
fn the_published_vocabulary_is_read() {
    // All that a document may hold, in one: every section and most keys.
    let (_, _, findings) = spec::read_text("everything.yaml", include_str!("../examples/everything.yaml"));
    let said: Vec<_> = findings.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(said, Vec::<&str>::new());
}
