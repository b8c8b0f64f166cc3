//! The loader on the disk.

use crate::source::{LoadError, Loader};
use crate::spec::Limits;
use std::fs;
use std::io::Read;
use std::path::Path;

/// Where files are: on the disk, or in a revision of a repository.
pub trait Place: Loader {
    /// Whether there is a folder of this name.
    fn is_folder(&self, path: &str) -> bool;

    /// Whether there is a file of this name.
    fn is_file(&self, path: &str) -> bool;

    /// The files below a folder, sorted, hidden ones and `node_modules`, `target` left out.
    fn files_below(&self, folder: &str) -> Vec<String>;
}

/// Files of the file system, bounded in size before they are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Loader for Disk {
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        let limit = Limits::default().bytes;
        let file = fs::File::open(path).map_err(|e| said(&e))?;
        let meta = file.metadata().map_err(|e| said(&e))?;
        if meta.is_dir() {
            return Err(LoadError::Io("it is a folder".to_owned()));
        }
        let mut bytes = Vec::new();
        // One byte more than allowed tells a file that is too large, whatever its metadata say.
        file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| said(&e))?;
        if bytes.len() as u64 > limit {
            return Err(LoadError::TooLarge { size: meta.len().max(limit + 1), limit });
        }
        Ok(bytes)
    }

    fn open<'l>(&'l self, path: &str) -> Result<Box<dyn Read + 'l>, LoadError> {
        let file = fs::File::open(path).map_err(|e| said(&e))?;
        if file.metadata().map_err(|e| said(&e))?.is_dir() {
            return Err(LoadError::Io("it is a folder".to_owned()));
        }
        Ok(Box::new(file))
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, LoadError> {
        if !is_glob(pattern) {
            return Ok(if Path::new(pattern).is_file() { vec![pattern.to_owned()] } else { Vec::new() });
        }
        let glob = globset::GlobBuilder::new(pattern).literal_separator(true).build();
        let matcher = glob.map_err(|e| LoadError::Io(e.to_string()))?.compile_matcher();
        let base = fixed_part(pattern);
        let mut found = Vec::new();
        walk(base, pattern.contains("**"), pattern.matches('/').count(), &mut |path| {
            if matcher.is_match(path) {
                found.push(path.to_owned());
            }
        });
        found.sort();
        Ok(found)
    }
}

impl Place for Disk {
    fn is_folder(&self, path: &str) -> bool {
        Path::new(path).is_dir()
    }

    fn is_file(&self, path: &str) -> bool {
        Path::new(path).is_file()
    }

    fn files_below(&self, folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        walk(folder, true, usize::MAX, &mut |path| found.push(path.to_owned()));
        found.sort();
        found
    }
}

/// Whether a path has characters of a glob.
pub fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// The folders of a pattern before its first special character.
fn fixed_part(pattern: &str) -> &str {
    let special = pattern.find(['*', '?', '[', '{']).unwrap_or(pattern.len());
    pattern.get(..special).and_then(|p| p.rfind('/').map(|at| &p[..=at])).unwrap_or("")
}

/// Visits files; folders behind symbolic links are not followed, so there are no circles.
fn walk(folder: &str, deep: bool, depth: usize, visit: &mut dyn FnMut(&str)) {
    let mut open = vec![(folder.to_owned(), 0_usize)];
    while let Some((folder, level)) = open.pop() {
        let Ok(entries) = fs::read_dir(if folder.is_empty() { "." } else { &folder }) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|n| !n.starts_with('.')) else { continue };
            let slash = if folder.is_empty() || folder.ends_with('/') { "" } else { "/" };
            let path = format!("{folder}{slash}{name}");
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && (deep || level < depth) && name != "node_modules" && name != "target" {
                open.push((path, level + 1));
            } else if kind.is_file() || kind.is_symlink() && Path::new(&path).is_file() {
                visit(&path);
            }
        }
    }
}

fn said(error: &std::io::Error) -> LoadError {
    match error.kind() {
        std::io::ErrorKind::NotFound => LoadError::NotFound,
        _ => LoadError::Io(error.to_string()),
    }
}
