//! `cargo run -p xtask -- tidy`: what the compiler does not check about this repository.
//!
//! Each check returns its findings, one sentence each with the place, and changes nothing. The same checks run as tests of this crate, so
//! the one test command of the project covers them. The root of the workspace is known from where this crate stands.

mod dependencies;
mod files;
mod links;
mod page;
mod reference;
mod schema;
mod source;

use std::io::Write;
use std::process::ExitCode;

use files::Repository;

/// What is wrong, one sentence each, with the place.
type Findings = Vec<String>;

const USAGE: &str = "\
cargo run -p xtask -- <task>
  tidy                all checks
  schema [--check]    write docs/reference/operation.schema.json, or say whether it is what the code says
  reference --check   hold the pages of docs/reference against the code
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let repository = Repository::open();
    let findings = match arguments.as_slice() {
        ["tidy"] => CHECKS.iter().flat_map(|(_, check)| check(&repository)).collect(),
        ["schema"] => schema::write(&repository),
        ["schema", "--check"] => schema::check(&repository),
        ["reference", "--check"] => reference::check(&repository),
        _ => return say(&[USAGE.to_owned()], ExitCode::from(1)),
    };
    let code = if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) };
    say(&findings, code)
}

fn say(lines: &[String], code: ExitCode) -> ExitCode {
    let mut output = std::io::stderr().lock();
    for line in lines {
        if writeln!(output, "{}", line.trim_end()).is_err() {
            return ExitCode::FAILURE;
        }
    }
    code
}

type Check = fn(&Repository) -> Findings;

/// Every check by its name.
const CHECKS: [(&str, Check); 12] = [
    ("schema", schema::check),
    ("reference", reference::check),
    ("links", links::check_links),
    ("mentions", links::check_mentions),
    ("tests", links::check_tests),
    ("file length", source::check_file_length),
    ("function length", source::check_function_length),
    ("banned words", source::check_words),
    ("hash maps", source::check_hash_maps),
    ("manifests", dependencies::check_manifests),
    ("direction", dependencies::check_direction),
    ("licences", files::check_licences),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_clean(name: &str) {
        let (_, check) = CHECKS.iter().find(|(known, _)| *known == name).expect("a check of that name");
        let findings = check(&Repository::open());
        assert!(findings.is_empty(), "{name}:\n{}", findings.join("\n"));
    }

    macro_rules! checks {
        ($($test:ident = $name:literal),* $(,)?) => {
            $(#[test]
            fn $test() {
                assert_clean($name);
            })*

            #[test]
            fn every_check_is_a_test() {
                let tested = [$($name),*];
                assert_eq!(CHECKS.map(|(name, _)| name), tested);
            }
        };
    }

    checks! {
        the_schema_is_what_the_code_says = "schema",
        the_reference_lists_what_the_code_refuses = "reference",
        links_lead_somewhere = "links",
        mentioned_files_exist = "mentions",
        tests_that_are_named_exist = "tests",
        files_are_short = "file length",
        functions_are_short = "function length",
        no_banned_word_is_left = "banned words",
        nothing_depends_on_hash_order = "hash maps",
        versions_and_lints_are_set_once = "manifests",
        dependencies_point_one_way = "direction",
        both_licences_are_there = "licences",
    }
}
