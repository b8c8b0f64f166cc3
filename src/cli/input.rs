//! From paths to a judged system.

use super::args::InputArgs;
use super::disk::{Disk, Place, is_glob};
use super::output::complain;
use crate::finding::{Date, Finding, Severity};
use crate::import::{self, Format, Input};
use crate::lint::{self, Judgement, Occasion};
use crate::model::{Architecture, build};
use crate::source::Sources;
use crate::spec::{FileDocument, FileTree, Limits, Reader, is_template};
use anyhow::{Result, bail};
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

/// Everything that is known of a system after reading and judging it.
pub struct System {
    /// The texts.
    pub sources: Sources,
    /// What they say.
    pub documents: Vec<FileDocument>,
    /// What they mean.
    pub arch: Architecture,
    /// What is wrong, suppressed findings flagged.
    pub findings: Vec<Finding>,
    /// Ids of the rules that ran.
    pub ran: Vec<&'static str>,
    /// What was named, or found upward.
    pub paths: Vec<String>,
    /// Whether some file could not be read or has no syntax tree.
    pub broken: bool,
    /// Whether a baseline marks what it forgives.
    pub compared: bool,
    /// What else is to be said (of imports).
    pub notes: Vec<String>,
}

/// Reads, builds and judges the system of these arguments.
pub fn system(args: &InputArgs, quiet: bool) -> Result<System> {
    let paths = if args.paths.is_empty() { vec![upward()?] } else { args.paths.clone() };
    system_of(&paths, args, quiet)
}

/// The same for given paths.
pub fn system_of(paths: &[String], args: &InputArgs, quiet: bool) -> Result<System> {
    system_at(&Disk, paths, args, quiet)
}

/// The same with further overlays and settings on top.
pub fn system_with(args: &InputArgs, overlays: &[String], sets: &[String], quiet: bool) -> Result<System> {
    let mut args = args.clone();
    args.overlay.extend_from_slice(overlays);
    args.set.extend_from_slice(sets);
    system(&args, quiet)
}

/// The same for paths of a place.
pub fn system_at(place: &dyn Place, paths: &[String], args: &InputArgs, quiet: bool) -> Result<System> {
    let mut reader = Reader::new(place, Limits::default());
    let roots = roots(place, paths, &mut reader, quiet)?;
    if !roots.is_empty() && roots.iter().all(|tree| tree.node.is_null() && tree.streamed.is_none()) {
        bail!("there is nothing to read: `{}` is empty", paths.join("`, `"));
    }
    let overlays: Vec<FileTree> = args.overlay.iter().filter_map(|path| reader.overlay(path)).collect();
    let format =
        args.format_in.as_deref().filter(|name| *name != "loadpath").map(format_named).transpose()?;
    let (documents, notes) =
        import::read(&mut reader, Input { roots, overlays, sets: args.set.clone(), format });
    let Reader { sources, mut findings, broken, .. } = reader;
    let (arch, unresolved) = build(&documents);
    findings.extend(unresolved);
    let misused = findings.iter().any(|f| is_of_a_setting(f, &sources));
    let occasion = Occasion { today: today(), complete: !broken };
    let Judgement { findings, ran } = lint::judge(&arch, &sources, findings, occasion);
    let broken = broken || misused;
    Ok(System {
        sources,
        documents,
        arch,
        findings,
        ran,
        paths: paths.to_vec(),
        broken,
        compared: false,
        notes,
    })
}

/// Whether an error of reading or reference stands in a `--set`: that is a wrong use of the program.
fn is_of_a_setting(finding: &Finding, sources: &Sources) -> bool {
    let at = sources.file(finding.primary.span.file);
    finding.severity == Severity::Error && at.name.starts_with("--set ")
}

fn format_named(name: &str) -> Result<&'static Format> {
    let known = import::FORMATS.iter().map(|f| f.name).chain(["loadpath"]);
    import::by_name(name).ok_or_else(|| super::explain::unknown("input format", name, known))
}

/// The trees of everything that was named.
fn roots(place: &dyn Place, paths: &[String], reader: &mut Reader<'_>, quiet: bool) -> Result<Vec<FileTree>> {
    let mut trees = Vec::new();
    for path in paths {
        if path == "-" {
            trees.extend(import::open_text(reader, "<stdin>", stdin()?));
        } else if place.is_folder(path) {
            trees.extend(folder(place, path, reader, quiet)?);
        } else if is_glob(path) && !place.is_file(path) {
            let found = place.glob(path).map_err(|e| anyhow::anyhow!("`{path}`: {e}"))?;
            if found.is_empty() {
                bail!("`{path}` matches no file");
            }
            trees.extend(found.iter().filter_map(|p| import::open(reader, p)));
        } else {
            trees.extend(import::open(reader, path));
        }
    }
    Ok(trees)
}

/// What comes in on standard input; it is read once, however often it is asked for.
fn stdin() -> Result<Vec<u8>> {
    static READ: OnceLock<Vec<u8>> = OnceLock::new();
    if READ.get().is_none() {
        let mut bytes = Vec::new();
        std::io::stdin().lock().take(Limits::default().bytes + 1).read_to_end(&mut bytes)?;
        let _ = READ.set(bytes);
    }
    Ok(READ.get().cloned().unwrap_or_default())
}

/// How the names of files end that are looked at in a folder.
const ENDS: [&str; 6] = [".yaml", ".yml", ".json", ".dsl", ".jsonl", ".ndjson"];

/// A folder: its loadpath.yaml, or every file that is recognised.
fn folder(place: &dyn Place, path: &str, reader: &mut Reader<'_>, quiet: bool) -> Result<Vec<FileTree>> {
    let main = format!("{}/loadpath.yaml", path.trim_end_matches('/'));
    if place.is_file(&main) {
        return Ok(reader.root(&main).into_iter().collect());
    }
    let may_be_read = |path: &String| ENDS.iter().any(|end| path.ends_with(end));
    let mut files: Vec<_> = place.files_below(path).into_iter().filter(may_be_read).collect();
    // Compose lays an override over its base, whatever their names' order.
    files.sort_by_key(|file| file.contains(".override."));
    let (mut trees, mut skipped, mut templates) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        if let Some(tree) = import::stream(reader, &file) {
            trees.push(tree);
            continue;
        }
        let bytes = place.load(&file).unwrap_or_default();
        if looks_native(&bytes) || is_foreign(&file, &bytes) {
            trees.extend(import::open(reader, &file));
        } else if is_template(&String::from_utf8_lossy(&bytes)) {
            templates.push(file);
        } else {
            skipped.push(file);
        }
    }
    let helm = some(&templates).map(|names| {
        format!(
            "in `{path}` templates of a Helm chart were skipped: {names}; run `helm template CHART > all.yaml`, and read that file"
        )
    });
    if trees.is_empty() && !reader.broken {
        let looked = skipped.len() + templates.len();
        let helm = helm.map(|helm| format!("; {helm}")).unwrap_or_default();
        bail!(
            "no file in `{path}` is a loadpath document or of another known format ({looked} looked at){helm}"
        );
    }
    let unknown =
        some(&skipped).map(|names| format!("in `{path}` files of no known format were skipped: {names}"));
    for said in helm.into_iter().chain(unknown).filter(|_| !quiet) {
        complain(&format!("note: {said}"));
    }
    Ok(trees)
}

/// The first of many names; `None` where there are none.
fn some(names: &[String]) -> Option<String> {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 if names.is_empty() => None,
        0 => Some(shown),
        more => Some(format!("{shown} and {more} more")),
    }
}

/// Whether a file is worth reading as some other format.
fn is_foreign(path: &str, bytes: &[u8]) -> bool {
    let (name, text) = (path.rsplit('/').next().unwrap_or_default(), String::from_utf8_lossy(bytes));
    import::FORMATS.iter().any(|format| (format.glance)(name, &text))
}

/// Whether a text has the sections of a loadpath document at its left edge.
fn looks_native(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let has = |key: &str| text.lines().any(|l| l.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
    has("services") || has("communications") || has("scenarios") || has("datastores") || has("traffic")
}

/// loadpath.yaml here or in a folder above.
pub fn upward() -> Result<String> {
    let here = std::env::current_dir()?;
    let mut prefix = String::new();
    for _ in here.ancestors() {
        let path = format!("{prefix}loadpath.yaml");
        if Path::new(&path).is_file() {
            return Ok(path);
        }
        prefix.push_str("../");
    }
    bail!("no path was given, and there is no loadpath.yaml here or in a folder above")
}

/// Today, in UTC.
fn today() -> Date {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Date::from_unix_days(since.as_secs() / 86_400)
}
