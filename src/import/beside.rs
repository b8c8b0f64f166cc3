//! Files that an imported file refers to: only what lies in its folder or below is read. Must not know any
//! format.

use crate::source::join_path;

/// Why a reference is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Away {
    /// It leads to another machine.
    Remote,
    /// It leads out of the folder of the file that was named.
    Outside,
}

impl std::fmt::Display for Away {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Remote => "nothing is fetched",
            Self::Outside => "it lies outside of the folder of the file that was named",
        })
    }
}

/// The path of what `base` refers to as `relative`, where it lies in the folder of `root` or below.
pub fn beside(root: &str, base: &str, relative: &str) -> Result<String, Away> {
    if relative.contains("://") {
        return Err(Away::Remote);
    }
    let path = join_path(base, relative);
    let root = join_path("", root);
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
    let inner = match path.strip_prefix(folder) {
        Some(inner) if folder.is_empty() => Some(inner),
        Some(inner) => inner.strip_prefix('/'),
        None => None,
    };
    let inside = inner.is_some_and(|inner| !inner.starts_with('/') && inner.split('/').next() != Some(".."));
    if inside { Ok(path) } else { Err(Away::Outside) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_folder_and_what_is_below() {
        for (root, base, relative, expected) in [
            ("a.yaml", "a.yaml", "./b/c.yaml", Ok("b/c.yaml")),
            ("x/a.yaml", "x/y/b.yaml", "../c.yaml", Ok("x/c.yaml")),
            ("x/a.yaml", "x/a.yaml", "../c.yaml", Err(Away::Outside)),
            ("a.yaml", "a.yaml", "../c.yaml", Err(Away::Outside)),
            ("a.yaml", "a.yaml", "/etc/c.yaml", Err(Away::Outside)),
            ("../x/a.yaml", "../x/a.yaml", "b.yaml", Ok("../x/b.yaml")),
            ("../x/a.yaml", "../x/a.yaml", "../xy/b.yaml", Err(Away::Outside)),
            ("/srv/a.yaml", "/srv/a.yaml", "b.yaml", Ok("/srv/b.yaml")),
            ("/srv/a.yaml", "/srv/a.yaml", "../b.yaml", Err(Away::Outside)),
            ("a.yaml", "a.yaml", "https://example.com/b.yaml", Err(Away::Remote)),
        ] {
            let found = beside(root, base, relative);
            assert_eq!(found.as_deref().map_err(|away| *away), expected, "{root} {base} {relative}");
        }
    }
}
