//! Files and functions that are too long to be read.

use crate::File;
use crate::code::{self, Token};

/// Lines of a file before its tests.
const FILE_LINES: usize = 400;

/// Lines of a function, from `fn` to its closing brace.
const FUNCTION_LINES: usize = 70;

/// What may be longer: a path, or `path fn name`, and why.
pub const ALLOW: &[(&str, &str)] = &[];

/// Files and functions over the limits, and allowances that nothing needs any more.
pub fn long(files: &[File], allow: &[(&str, &str)]) -> Vec<String> {
    let mut over: Vec<(String, String)> = Vec::new();
    for file in files.iter().filter(|file| !file.path.ends_with("/tests.rs")) {
        let tokens = code::tokens(&file.text);
        let lines = tokens.iter().find(|t| t.test).map_or(file.text.lines().count(), |t| t.line - 1);
        if lines > FILE_LINES {
            let words = format!("{}: {lines} lines before its tests, over {FILE_LINES}", file.path);
            over.push((file.path.clone(), words));
        }
        for (name, line, length) in functions(&tokens) {
            if length > FUNCTION_LINES {
                let words =
                    format!("{}:{line}: `{name}` has {length} lines, over {FUNCTION_LINES}", file.path);
                over.push((format!("{} fn {name}", file.path), words));
            }
        }
    }
    let is_allowed = |key: &str| allow.iter().any(|(allowed, _)| *allowed == key);
    let idle = allow.iter().filter(|(key, _)| !over.iter().any(|(found, _)| found == key));
    let idle: Vec<String> = idle.map(|(key, _)| format!("{key}: allowed to be long and is not")).collect();
    over.into_iter().filter(|(key, _)| !is_allowed(key)).map(|(_, words)| words).chain(idle).collect()
}

/// Name, line and length of each function with a body, tests left out.
fn functions(tokens: &[Token]) -> Vec<(&str, usize, usize)> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        // `fn(` is a type.
        if tokens[at].text != "fn" || tokens[at].test || code::reads(tokens, at + 1, &["("]) {
            continue;
        }
        let body = tokens.iter().skip(at).position(|t| matches!(t.text.as_str(), "{" | ";")).map(|i| at + i);
        let Some(body) = body.filter(|body| tokens[*body].text == "{") else { continue };
        let length = tokens[code::close(tokens, body)].line - tokens[at].line + 1;
        let name = tokens.get(at + 1).map_or("", |t| t.text.as_str());
        found.push((name, tokens[at].line, length));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_and_functions_are_found() {
        let statements = "    x();\n".repeat(69);
        let function = format!("\nfn long() {{\n{statements}}}\n");
        let check = |text: &str, allow: &[(&str, &str)], expected: &[&str]| {
            assert_eq!(long(&[File::new("src/a.rs", text)], allow), expected);
        };
        check(&function, &[], &["src/a.rs:2: `long` has 71 lines, over 70"]);
        check(&function, &[("src/a.rs fn long", "why")], &[]);
        check(
            "fn short() {}",
            &[("src/a.rs fn short", "why")],
            &["src/a.rs fn short: allowed to be long and is not"],
        );
        check(&format!("#[cfg(test)]\nmod tests {{ {function} }}"), &[], &[]);
        check("trait T { fn declared(f: fn(u8) -> u8); }\n", &[], &[]);
        check(&"// x\n".repeat(400), &[], &[]);
        check(&"// x\n".repeat(401), &[], &["src/a.rs: 401 lines before its tests, over 400"]);
        check(&format!("a;\n#[cfg(test)]\nmod tests {{\n{}}}", "// x\n".repeat(500)), &[], &[]);
    }
}
