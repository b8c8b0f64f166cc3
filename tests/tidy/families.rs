//! One file per member: each is declared, listed in its family's slice, and has a page.

use crate::File;
use crate::code::{self, Token};

/// A family of things of one shape.
pub struct Family {
    /// Where its members are, one file (or folder) each.
    pub folder: &'static str,
    /// The file with the slice that lists them.
    pub registry: &'static str,
    /// Files of the folder that are shared by members and are none.
    pub helpers: &'static [&'static str],
}

/// The families, some of them yet to come.
pub const FAMILIES: &[Family] = &[
    Family { folder: "src/lint/rules/structure", registry: "src/lint/rules/structure/mod.rs", helpers: &[] },
    Family { folder: "src/lint/rules/contracts", registry: "src/lint/rules/contracts/mod.rs", helpers: &[] },
    Family {
        folder: "src/lint/rules/resilience",
        registry: "src/lint/rules/resilience/mod.rs",
        helpers: &[],
    },
    Family {
        folder: "src/lint/rules/availability",
        registry: "src/lint/rules/availability/mod.rs",
        helpers: &[],
    },
    Family {
        folder: "src/lint/rules/capacity",
        registry: "src/lint/rules/capacity/mod.rs",
        helpers: &["words"],
    },
    Family { folder: "src/lint/rules/data", registry: "src/lint/rules/data/mod.rs", helpers: &[] },
    Family {
        folder: "src/lint/rules/interfaces",
        registry: "src/lint/rules/interfaces/mod.rs",
        helpers: &[],
    },
    Family { folder: "src/lint/rules/ownership", registry: "src/lint/rules/ownership/mod.rs", helpers: &[] },
    Family { folder: "src/lint/rules/security", registry: "src/lint/rules/security/mod.rs", helpers: &[] },
    Family { folder: "src/lint/rules/messaging", registry: "src/lint/rules/messaging/mod.rs", helpers: &[] },
    Family {
        folder: "src/policy/balancer",
        registry: "src/policy/balancer/mod.rs",
        helpers: &["bounded", "edf", "hashing", "peers", "ring", "slow_start", "tiers"],
    },
    Family {
        folder: "src/policy/balancer/tiers",
        registry: "src/policy/balancer/tiers/mod.rs",
        helpers: &["cluster"],
    },
    Family { folder: "src/policy/limit", registry: "src/policy/limit/mod.rs", helpers: &["histogram"] },
    Family {
        folder: "src/policy/outlier",
        registry: "src/policy/outlier/mod.rs",
        helpers: &["host", "settings"],
    },
    Family { folder: "src/policy/queue", registry: "src/policy/queue/mod.rs", helpers: &[] },
    Family {
        folder: "src/policy/retry",
        registry: "src/policy/retry/mod.rs",
        // What a retry is made of, beside its limits; the kinds of jitter are a slice of their own.
        helpers: &["backoff", "deadline", "grpc", "jitter"],
    },
    Family { folder: "src/policy/discovery", registry: "src/policy/discovery/mod.rs", helpers: &["health"] },
    Family {
        folder: "src/policy/discovery/health",
        registry: "src/policy/discovery/health/mod.rs",
        helpers: &[],
    },
    Family {
        folder: "src/policy/messaging",
        registry: "src/policy/messaging/mod.rs",
        helpers: &["assignor"],
    },
    Family { folder: "src/diagram/render", registry: "src/diagram/render/mod.rs", helpers: &[] },
    Family { folder: "src/report/findings", registry: "src/report/findings/mod.rs", helpers: &[] },
    Family { folder: "src/report/changes", registry: "src/report/changes/mod.rs", helpers: &["words"] },
    Family { folder: "src/import/formats", registry: "src/import/formats/mod.rs", helpers: &[] },
];

/// Members that are not declared, not listed or have no page, and pages that nobody shows.
#[expect(clippy::print_stdout, reason = "says which families were not looked at")]
pub fn members(families: &[Family], files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for family in families {
        let inside: Vec<&File> = files.iter().filter(|f| below(&f.path, family.folder).is_some()).collect();
        if inside.is_empty() {
            println!("{} does not exist yet", family.folder);
            continue;
        }
        let Some(registry) = files.iter().find(|file| file.path == family.registry) else {
            complaints.push(format!("{}: its registry {} is missing", family.folder, family.registry));
            continue;
        };
        let tokens = code::tokens(&registry.text);
        for file in inside.iter().filter(|file| is_member(family, file)) {
            let name = name(family, file);
            if !(0..tokens.len()).any(|at| code::reads(&tokens, at, &["mod", name, ";"])) {
                complaints.push(format!("{}: {} has no line `mod {name};`", file.path, family.registry));
            }
            if !listed(&tokens, name) {
                complaints.push(format!("{}: no slice of {} lists `{name}`", file.path, family.registry));
            }
            if pages(&inside, family, name).next().is_none() {
                complaints.push(format!("{}: it shows no page (`include_str!` of a .md file)", file.path));
            }
        }
        complaints.extend(unshown(&inside));
    }
    complaints
}

/// The path of a file inside a folder.
fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    path.strip_prefix(folder)?.strip_prefix('/')
}

/// The member a file belongs to: `dot.rs` and `dot/mod.rs` are both `dot`.
fn name<'a>(family: &Family, file: &'a File) -> &'a str {
    let inner = below(&file.path, family.folder).unwrap_or_default();
    inner.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

fn is_member(family: &Family, file: &File) -> bool {
    let inner = below(&file.path, family.folder).unwrap_or_default();
    let shape = match inner.split_once('/') {
        None => inner.ends_with(".rs") && !matches!(inner, "mod.rs" | "tests.rs"),
        Some((_, rest)) => rest == "mod.rs",
    };
    shape && !family.helpers.contains(&name(family, file))
}

/// Whether a slice of the registry names something of `member`.
fn listed(tokens: &[Token], member: &str) -> bool {
    let starts = |at: &usize| tokens[*at].text == "static" || tokens[*at].text == "const";
    (0..tokens.len()).filter(starts).any(|at| {
        let Some(equals) = (at..tokens.len()).find(|i| tokens[*i].text == "=") else { return false };
        let slice =
            code::reads(tokens, at + 2, &[":", "&", "["]) && code::reads(tokens, equals + 1, &["&", "["]);
        let end = code::close(tokens, (equals + 2).min(tokens.len() - 1));
        let inside = tokens.get(equals..end).unwrap_or_default();
        slice
            && code::paths(inside)
                .iter()
                .any(|path| path.segments.len() > 1 && path.segments.iter().any(|s| s == member))
    })
}

/// The pages that the files of a member include, by the last part of their names.
fn pages<'a>(inside: &[&'a File], family: &Family, member: &str) -> impl Iterator<Item = &'a str> {
    let files = inside.iter().copied().filter(|file| name(family, file) == member);
    files.flat_map(|file| included(&file.text)).collect::<Vec<_>>().into_iter()
}

fn included(text: &str) -> impl Iterator<Item = &str> {
    let calls = text.split("include_str!(\"").skip(1);
    calls.filter_map(|rest| rest.split('"').next()).filter(|path| path.ends_with(".md"))
}

fn unshown(inside: &[&File]) -> Vec<String> {
    let shown: Vec<&str> = inside
        .iter()
        .flat_map(|file| included(&file.text))
        .filter_map(|path| path.rsplit('/').next())
        .collect();
    let pages = inside.iter().filter(|file| file.path.ends_with(".md"));
    let lost = pages.filter(|page| !shown.iter().any(|shown| page.path.rsplit('/').next() == Some(shown)));
    lost.map(|page| format!("{}: no file of its family shows this page", page.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILY: &[Family] = &[Family { folder: "src/a", registry: "src/a/mod.rs", helpers: &["shared"] }];

    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let files: Vec<File> = files.iter().map(|(path, text)| File::new(path, text)).collect();
        assert_eq!(members(FAMILY, &files), expected);
    }

    #[test]
    fn incomplete_members_are_found() {
        let registry = (
            "src/a/mod.rs",
            "mod one; mod two; use one::X; pub static ALL: &[&I] = &[&one::I, &two::I]; static T: &I = &three::I;",
        );
        let good = "page: include_str!(\"one.md\")";
        check(&[], &[]);
        check(&[registry, ("src/a/one.rs", good), ("src/a/one.md", ""), ("src/a/two/mod.rs", good)], &[]);
        check(&[registry, ("src/a/shared.rs", ""), ("src/a/two/part.rs", ""), ("src/a/tests.rs", "")], &[]);
        check(
            &[registry, ("src/a/three.rs", good)],
            &[
                "src/a/three.rs: src/a/mod.rs has no line `mod three;`",
                "src/a/three.rs: no slice of src/a/mod.rs lists `three`",
            ],
        );
        check(
            &[registry, ("src/a/one.rs", "")],
            &["src/a/one.rs: it shows no page (`include_str!` of a .md file)"],
        );
        check(
            &[registry, ("src/a/pages/lost.md", "")],
            &["src/a/pages/lost.md: no file of its family shows this page"],
        );
        check(&[("src/a/one.rs", good)], &["src/a: its registry src/a/mod.rs is missing"]);
        let commented = ("src/a/mod.rs", "mod one; pub static ALL: &[&I] = &[/* &one::I */];");
        check(&[commented, ("src/a/one.rs", good)], &["src/a/one.rs: no slice of src/a/mod.rs lists `one`"]);
    }
}
