//! The shape of the Rust sources: short files, short functions, nothing unfinished.

use crate::Findings;
use crate::files::{Repository, SourceFile};

/// The most lines of a file, without its tests.
const FILE_LINES_MAX: usize = 500;
/// The most lines of a function, from its `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Functions that were longer when the rule came: path, name and lines. They may only get shorter, and no other may join them.
const LONG_FUNCTIONS: [(&str, &str, usize); 0] = [];

/// What never stays in a source. Written in two halves, or this file would be its own finding.
const BANNED: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("unimplemented", "!"), concat!("dbg", "!")];

/// Whether a file holds nothing but tests.
fn is_test(file: &SourceFile) -> bool {
    file.path.ends_with("/tests.rs") || file.path.split('/').any(|part| part == "tests" || part == "benches")
}

/// The lines before the tests at the end of the file.
fn production(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let is_test_module = |index: usize| {
        let next = lines.get(index + 1).copied().unwrap_or_default();
        lines[index] == "#[cfg(test)]" && next.starts_with("mod ") && next.ends_with('{')
    };
    let end = (0..lines.len()).find(|index| is_test_module(*index)).unwrap_or(lines.len());
    lines[..end].to_vec()
}

fn sources(repository: &Repository) -> impl Iterator<Item = &SourceFile> {
    repository.with_extension("rs").filter(|file| !is_test(file))
}

/// No file is long.
pub(crate) fn check_file_length(repository: &Repository) -> Findings {
    let lengths = sources(repository).map(|file| (file, production(&file.text).len()));
    lengths
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(file, lines)| format!("{}: {lines} lines before its tests exceed {FILE_LINES_MAX}", file.path))
        .collect()
}

/// No function is long, but those that were, which may only get shorter.
pub(crate) fn check_function_length(repository: &Repository) -> Findings {
    let mut findings = Vec::new();
    let mut seen = Vec::new();
    for file in sources(repository) {
        for Function { name, line, lines } in functions(&production(&file.text)) {
            let known = LONG_FUNCTIONS.iter().find(|(path, known, _)| *path == file.path && *known == name);
            let most = known.map_or(FUNCTION_LINES_MAX, |(_, _, most)| *most);
            if lines > most {
                findings.push(format!(
                    "{}:{line}: function {name} has {lines} lines, more than {most}",
                    file.path
                ));
            }
            if known.is_some() {
                seen.push((file.path.as_str(), name, lines));
            }
        }
    }
    for (path, name, most) in LONG_FUNCTIONS {
        match seen.iter().find(|(seen_path, seen_name, _)| *seen_path == path && *seen_name == name) {
            Some((_, _, lines)) if *lines == most => {}
            Some((_, _, lines)) => {
                findings.push(format!("{path}: {name} has {lines} lines now; write that into LONG_FUNCTIONS"))
            }
            None => findings.push(format!("{path}: {name} is gone; take it off LONG_FUNCTIONS")),
        }
    }
    findings
}

struct Function<'a> {
    name: &'a str,
    /// From 1.
    line: usize,
    lines: usize,
}

/// The functions with a body of more than one line. The sources are formatted, so a body ends where a brace stands below the `fn`.
fn functions<'a>(lines: &[&'a str]) -> Vec<Function<'a>> {
    let mut functions = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let closing = format!("{indent}}}");
        let ends_here = |line: &&str| {
            **line == closing
                || (line.starts_with(indent) && line.ends_with(';') && !line[indent.len()..].starts_with(' '))
        };
        if line.ends_with('}') || line.ends_with(';') {
            continue;
        }
        if let Some(length) = lines[index..].iter().position(ends_here) {
            functions.push(Function { name, line: index + 1, lines: length + 1 });
        }
    }
    functions
}

fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    loop {
        match words.next()? {
            "fn" => break,
            "pub" | "const" | "async" | "unsafe" | "extern" => {}
            word if word.starts_with("pub(") => {}
            _ => return None,
        }
    }
    let name = words.next()?;
    name.split(['(', '<']).next().filter(|name| !name.is_empty())
}

/// Nothing unfinished is left.
pub(crate) fn check_words(repository: &Repository) -> Findings {
    let mut findings = Vec::new();
    for file in repository.with_extension("rs").chain(repository.with_extension("toml")) {
        for (index, line) in file.text.lines().enumerate() {
            let found = BANNED.iter().filter(|word| line.contains(**word));
            findings.extend(
                found.map(|word| format!("{}:{}: {word} has no place in a source", file.path, index + 1)),
            );
        }
    }
    findings
}

/// The maps of the standard library, whose order differs from run to run, are for tests.
pub(crate) fn check_hash_maps(repository: &Repository) -> Findings {
    let mut findings = Vec::new();
    for file in sources(repository) {
        for (index, line) in production(&file.text).iter().enumerate() {
            let names_map = line.contains(concat!("Hash", "Map")) || line.contains(concat!("Hash", "Set"));
            if names_map && line.contains(concat!("collections", "::")) {
                findings.push(format!(
                    "{}:{}: nothing may depend on hash order; use a BTreeMap",
                    file.path,
                    index + 1
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_end_at_their_brace() {
        let text = "impl A {\n    pub(crate) fn long<T>(\n        a: T,\n    ) {\n        b();\n    }\n\n    fn short() {}\n}\n\
                    trait B {\n    fn declared(\n        a: u8,\n    );\n    fn given();\n}\nconst fn last() -> u8 {\n    1\n}\n";
        let lines: Vec<&str> = text.lines().collect();
        let found: Vec<_> =
            functions(&lines).into_iter().map(|found| (found.name, found.line, found.lines)).collect();
        assert_eq!(found, [("long", 2, 5), ("declared", 11, 3), ("last", 16, 3)]);
    }

    #[test]
    fn tests_at_the_end_do_not_count() {
        let text = "#[cfg(test)]\nmod tests;\nfn a() {}\n#[cfg(test)]\nmod more {\n}\n";
        assert_eq!(production(text).len(), 3);
    }
}
