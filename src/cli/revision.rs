//! Files as they are in a revision of a git repository.
//!
//! git is asked for names and contents of what it has, and for nothing else: it fetches nothing, takes no
//! locks, asks no questions. Paths are those of the repository, `/` between the parts; what lies outside of
//! it is not found, whatever is on the disk.

use super::disk::Place;
use crate::source::{LoadError, Loader};
use crate::spec::Limits;
use anyhow::{Context, Result, bail};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A revision, with the names of its files.
#[derive(Debug)]
pub struct Revision {
    /// Where git is started.
    folder: PathBuf,
    /// The commit or tree.
    id: String,
    /// Of all files, sorted.
    files: Vec<String>,
}

impl Revision {
    /// The revision of a name (`main`, `HEAD~1`) in the repository around `folder`.
    pub fn open(folder: &Path, name: &str) -> Result<Self> {
        let tree = format!("{name}^{{tree}}");
        let args = ["rev-parse", "--verify", "--quiet", "--end-of-options", &tree];
        let id = git(folder, &args, 1 << 10).with_context(|| format!("there is no revision `{name}`"))?;
        let id = id.trim().to_owned();
        let list = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", &id];
        let names = git(folder, &list, Limits::default().bytes)
            .with_context(|| format!("cannot list the files of `{name}`"))?;
        let mut files: Vec<String> = names.split_terminator('\0').map(str::to_owned).collect();
        files.sort();
        Ok(Self { folder: folder.to_owned(), id, files })
    }

    /// Where `folder` is in its repository: `arch/`, or nothing at the top.
    pub fn prefix(folder: &Path) -> Result<String> {
        let prefix = git(folder, &["rev-parse", "--show-prefix"], 1 << 16)
            .with_context(|| format!("`{}` is in no git repository", folder.display()))?;
        Ok(prefix.trim_end_matches('\n').to_owned())
    }
}

impl Loader for Revision {
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        if !self.is_file(path) {
            return Err(LoadError::NotFound);
        }
        let limit = Limits::default().bytes;
        let object = format!("{}:{path}", self.id);
        let bytes = output(&self.folder, &["cat-file", "blob", &object], limit + 1);
        let bytes = bytes.map_err(|e| LoadError::Io(format!("{e:#}")))?;
        if bytes.len() as u64 > limit {
            return Err(LoadError::TooLarge { size: limit + 1, limit });
        }
        Ok(bytes)
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, LoadError> {
        if self.is_file(pattern) {
            return Ok(vec![pattern.to_owned()]);
        }
        let glob = globset::GlobBuilder::new(pattern).literal_separator(true).build();
        let matcher = glob.map_err(|e| LoadError::Io(e.to_string()))?.compile_matcher();
        Ok(self.files.iter().filter(|path| matcher.is_match(path)).cloned().collect())
    }
}

impl Place for Revision {
    fn is_folder(&self, path: &str) -> bool {
        let start = inside(path);
        let from = self.files.partition_point(|file| *file < start);
        self.files.get(from).is_some_and(|file| file.starts_with(&start))
    }

    fn is_file(&self, path: &str) -> bool {
        self.files.binary_search_by(|file| file.as_str().cmp(path)).is_ok()
    }

    fn files_below(&self, folder: &str) -> Vec<String> {
        let start = inside(folder);
        let left_out = |part: &str| part.starts_with('.') || part == "node_modules" || part == "target";
        let shown =
            |file: &&String| file.strip_prefix(&start).is_some_and(|below| !below.split('/').any(left_out));
        self.files.iter().filter(shown).cloned().collect()
    }
}

/// How the names of files in a folder begin.
fn inside(folder: &str) -> String {
    match folder.trim_end_matches('/') {
        "" | "." => String::new(),
        folder => format!("{folder}/"),
    }
}

/// What git says, as text.
fn git(folder: &Path, args: &[&str], limit: u64) -> Result<String> {
    let bytes = output(folder, args, limit)?;
    String::from_utf8(bytes).context("git answered with something that is not UTF-8")
}

/// What git says, up to `limit` bytes.
fn output(folder: &Path, args: &[&str], limit: u64) -> Result<Vec<u8>> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "protocol.allow=never", "-c", "core.fsmonitor=false"])
        .args(args);
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().context("cannot start `git`")?;
    let mut bytes = Vec::new();
    if let Some(out) = child.stdout.take() {
        // With the pipe closed git ends as well, however much it has to say.
        out.take(limit).read_to_end(&mut bytes).context("cannot read what `git` says")?;
    }
    let ended = child.wait().context("cannot wait for `git`")?;
    if !ended.success() && (bytes.len() as u64) < limit {
        bail!("`git {}` failed", args.join(" "));
    }
    Ok(bytes)
}
