//! Links, mentions of files and names of tests lead somewhere.

use crate::Findings;
use crate::files::Repository;

/// Relative links of Markdown lead to files that are there, and to headings that are in them.
pub(crate) fn check_links(repository: &Repository) -> Findings {
    let mut findings = Vec::new();
    for file in repository.with_extension("md") {
        for (line, target) in links(&file.text) {
            let (path, anchor) =
                target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
            let path = if path.is_empty() { file.path.clone() } else { joined(&file.path, path) };
            if !repository.has(&path) {
                findings.push(format!("{}:{line}: {target} leads nowhere", file.path));
            } else if let (Some(anchor), Some(text)) = (anchor, repository.text(&path))
                && !anchors(text).any(|known| known == anchor)
            {
                findings.push(format!("{}:{line}: {path} has no heading #{anchor}", file.path));
            }
        }
    }
    findings
}

/// The relative links of a text outside of code, with their lines.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    let mut is_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        let targets =
            line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        let is_relative = |target: &&str| !target.contains("://") && !target.starts_with("mailto:");
        links.extend(targets.filter(is_relative).map(|target| (index + 1, target)));
    }
    links
}

/// The path of a link in a file, from the root.
fn joined(file: &str, link: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What the headings of a text are called in links.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    headings.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

/// Examples and documents that a text mentions by their path are there.
pub(crate) fn check_mentions(repository: &Repository) -> Findings {
    let mut findings = Vec::new();
    for file in
        ["md", "rs", "toml", "jsonl"].into_iter().flat_map(|extension| repository.with_extension(extension))
    {
        for (index, line) in file.text.lines().enumerate() {
            for path in mentions(line).filter(|path| !repository.has(path)) {
                findings.push(format!("{}:{}: {path} is not there", file.path, index + 1));
            }
        }
    }
    findings
}

/// The paths below `examples` and `docs` that a line names, from the root.
fn mentions(line: &str) -> impl Iterator<Item = &str> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/_.-".contains(c);
    let words = line.split(move |c: char| !is_path(c)).map(|word| word.trim_end_matches(['.', '-']));
    words.filter(|word| {
        let is_file = word.ends_with(".jsonl") || word.ends_with(".md") || word.ends_with(".schema.json");
        is_file && (word.starts_with("examples/") || word.starts_with("docs/"))
    })
}

/// Tests that a document names are there.
pub(crate) fn check_tests(repository: &Repository) -> Findings {
    let mut findings = Vec::new();
    for file in repository.with_extension("md") {
        for (index, line) in file.text.lines().enumerate() {
            for name in named_tests(line) {
                if !repository.with_extension("rs").any(|source| source.text.contains(name)) {
                    findings.push(format!("{}:{}: there is no test {name}", file.path, index + 1));
                }
            }
        }
    }
    findings
}

/// The names in backticks behind the word "test" of a line: those of three words and more.
fn named_tests(line: &str) -> impl Iterator<Item = &str> {
    let (_, behind) = line.split_once("test").unwrap_or_default();
    let names = behind.split('`').skip(1).step_by(2);
    names.filter(|name| {
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name && name.matches('_').count() >= 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_and_joined() {
        let text = "see [a](b/c.md#d) and [e](https://f)\n```\n[g](h)\n```\n[i](#j)";
        assert_eq!(links(text), [(1, "b/c.md#d"), (5, "#j")]);
        assert_eq!(joined("a/x/y.md", "../z.md"), "a/z.md");
        assert_eq!(joined("README.md", "docs/"), "docs");
    }

    #[test]
    fn headings_are_linked_as_forges_do() {
        let found: Vec<String> = anchors("# A title: `with_code`, and more\ntext\n## B").collect();
        assert_eq!(found, ["a-title-with_code-and-more", "b"]);
    }

    #[test]
    fn tests_are_named_behind_their_word() {
        let line = "`not_this_one`: tests `a_b_c` and `a_b`, `d_e_f.rs` and `g_h_i`";
        let found: Vec<&str> = named_tests(line).collect();
        assert_eq!(found, ["a_b_c", "g_h_i"]);
    }

    #[test]
    fn mentions_end_before_the_full_stop() {
        let line = concat!("Run exam", "ples/01.jsonl. Or (do", "cs/a/b.md), not crates/x.md.");
        let found: Vec<&str> = mentions(line).collect();
        assert_eq!(found, [concat!("exam", "ples/01.jsonl"), concat!("do", "cs/a/b.md")]);
    }
}
