//! `check --watch`: judges again whenever something that was read has changed.
//!
//! Looks at the files a few times a second instead of asking the system to tell: that works on every file
//! system, and however an editor saves.

use super::output::complain;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// What files and folders look like: when they changed and how long they are; `None` for what is not there.
type Look = BTreeMap<String, Option<(SystemTime, u64)>>;

/// Runs `judge` now and after every change, until the program is interrupted. `judge` gives the paths it
/// read; an error is said and the watch goes on.
pub fn watch(named: &[String], mut judge: impl FnMut() -> Result<Vec<String>>) -> Result<u8> {
    let mut paths: BTreeSet<String> = named.iter().cloned().collect();
    loop {
        let before = look(&paths);
        match judge() {
            Ok(read) => paths.extend(read),
            Err(error) => complain(&format!("error: {error:#}")),
        }
        complain(&format!("watching {} files and folders; Ctrl-C ends", with_folders(&paths).len()));
        let mut seen = look(&paths);
        // What changed while it was judged may have been read in its old form.
        if before.iter().any(|(path, old)| seen.get(path) != Some(old)) {
            continue;
        }
        while {
            std::thread::sleep(LOOK);
            look(&paths) == seen
        } {}
        // An editor may write several files: wait until they are still.
        loop {
            let now = look(&paths);
            if now == seen {
                break;
            }
            seen = now;
            std::thread::sleep(LOOK);
        }
    }
}

/// The paths and the folders they are in: where a file comes or goes, its folder changes.
fn with_folders(paths: &BTreeSet<String>) -> BTreeSet<String> {
    let folder = |path: &String| {
        let parent = Path::new(path).parent()?.to_str()?;
        Some(if parent.is_empty() { ".".to_owned() } else { parent.to_owned() })
    };
    paths.iter().cloned().chain(paths.iter().filter_map(folder)).collect()
}

fn look(paths: &BTreeSet<String>) -> Look {
    let one = |path: String| {
        let meta = std::fs::metadata(&path).ok();
        let seen = meta.and_then(|m| Some((m.modified().ok()?, m.len())));
        (path, seen)
    };
    with_folders(paths).into_iter().map(one).collect()
}
