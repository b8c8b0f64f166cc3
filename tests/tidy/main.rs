//! The project's habits, enforced: who may import whom, one file per member of a family, sizes, words
//! that must not stay.
//!
//! Each check is a pure function from files to complaints and has a test of its own in which a planted
//! violation is found. Here they meet the real files.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the project has failed")]
#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "the project's own files end in small letters"
)]

mod code;
mod families;
mod layers;
mod size;
mod words;

use std::fs;
use std::path::Path;

/// A file of the project.
pub struct File {
    /// Relative to the project, `/` between the parts.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl File {
    /// A file made up for a test.
    #[cfg(test)]
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }
}

/// All files with these endings below these folders of the project, sorted by name.
fn files(folders: &[&str], endings: &[&str]) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in folders {
        collect(&root.join(folder), &mut paths);
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let wanted = path.extension().and_then(|e| e.to_str()).is_some_and(|e| endings.contains(&e));
        if wanted {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.push(File { path: name, text: fs::read_to_string(&path).unwrap() });
        }
    }
    files
}

fn collect(folder: &Path, paths: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn modules_import_only_what_their_row_names() {
    none(&layers::imports(&files(&["src"], &["rs"])));
}

#[test]
fn only_the_shell_touches_the_world() {
    none(&layers::world(&files(&["src"], &["rs"])));
}

#[test]
fn every_member_of_a_family_is_registered_and_has_a_page() {
    none(&families::members(families::FAMILIES, &files(&["src"], &["rs", "md"])));
}

#[test]
fn files_and_functions_are_short() {
    none(&size::long(&files(&["src"], &["rs"]), size::ALLOW));
}

#[test]
fn nothing_provisional_stays() {
    let mut files = files(&["src", "tests", "examples", "benches"], &["rs"]);
    // These name the words they look for.
    files.retain(|file| !file.path.starts_with("tests/tidy/"));
    none(&words::left(&files));
}
