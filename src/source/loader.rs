//! How files are asked for, without touching the disk.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

/// Why a file could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// There is none of this name.
    NotFound,
    /// It is longer than the limit (bytes).
    TooLarge {
        /// Bytes it has.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Anything else the system said.
    Io(String),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such file"),
            Self::TooLarge { size, limit } => write!(f, "{size} bytes, over the limit of {limit}"),
            Self::Io(text) => f.write_str(text),
        }
    }
}

/// Gives the bytes of files. `cli` implements it on the disk, tests in memory.
pub trait Loader {
    /// The bytes of a file. Paths are relative to where the program runs, `/` between the parts.
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError>;

    /// A file that is read from front to back and may be larger than memory.
    fn open<'l>(&'l self, path: &str) -> Result<Box<dyn Read + 'l>, LoadError> {
        Ok(Box::new(Cursor::new(self.load(path)?)))
    }

    /// The files that match a glob pattern, sorted by name; without special characters, the path itself
    /// if there is such a file.
    fn glob(&self, pattern: &str) -> Result<Vec<String>, LoadError>;
}

/// Files in memory: for tests and for programs that have no disk.
#[derive(Debug, Clone, Default)]
pub struct MemoryLoader {
    /// Path to bytes.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl MemoryLoader {
    /// A loader of these files.
    pub fn new<P: Into<String>, B: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, B)>) -> Self {
        Self { files: files.into_iter().map(|(p, b)| (p.into(), b.into())).collect() }
    }
}

impl Loader for MemoryLoader {
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        self.files.get(path).cloned().ok_or(LoadError::NotFound)
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, LoadError> {
        let matcher = globset::GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(|e| LoadError::Io(e.to_string()))?;
        let matcher = matcher.compile_matcher();
        Ok(self.files.keys().filter(|path| matcher.is_match(path)).cloned().collect())
    }
}

/// `relative` as seen from the folder of `file`, with `.` and `..` folded: the canonical name by which
/// cycles of includes are recognised.
pub fn join_path(file: &str, relative: &str) -> String {
    if relative.starts_with('/') {
        return relative.to_owned();
    }
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(relative.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if folder.starts_with('/') { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_and_folded() {
        for (file, relative, expected) in [
            ("a.yaml", "b.yaml", "b.yaml"),
            ("x/a.yaml", "teams/*.yaml", "x/teams/*.yaml"),
            ("x/a.yaml", "../b.yaml", "b.yaml"),
            ("a.yaml", "../b.yaml", "../b.yaml"),
            ("/srv/a.yaml", "./b.yaml", "/srv/b.yaml"),
            ("x/a.yaml", "/etc/b.yaml", "/etc/b.yaml"),
        ] {
            assert_eq!(join_path(file, relative), expected, "{file} + {relative}");
        }
    }
}
