//! The pages of `docs/reference/cli/`, written from the command line itself.
//!
//! `SURETY_REWRITE=1 cargo test -p surety the_reference_of_the_command_line_is_what_it_says` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, Command, CommandFactory};

use crate::command_line::CommandLine;

const NOTE: &str = "Written from the program; a test holds it against the program.";

/// Every page: its name and its text.
fn pages() -> Vec<(String, String)> {
    let mut root = CommandLine::command().term_width(100);
    root.build();
    let nouns: Vec<&Command> =
        root.get_subcommands().filter(|command| command.get_name() != "help").collect();
    let mut index = format!("# The command line\n\n{NOTE}\n\n```text\nsurety [OPTIONS] [COMMAND]\n```\n\n");
    if let Some(about) = root.get_about() {
        writeln!(index, "{about}\n").expect("a string takes any text");
    }
    index += "| Command | Does |\n|---|---|\n";
    for noun in &nouns {
        let about = noun.get_about().map(ToString::to_string).unwrap_or_default();
        let name = noun.get_name();
        writeln!(index, "| [{name}]({name}.md) | {about} |").expect("a string takes any text");
    }
    index += "\n## Options of every command\n\n";
    index += &options(&root, true);
    if let Some(help) = root.get_after_help() {
        writeln!(index, "\n```text\n{help}\n```").expect("a string takes any text");
    }
    let mut pages = vec![("README".to_owned(), index)];
    for noun in nouns {
        let mut text = format!(
            "# surety {}\n\n{NOTE} [Options of every command](README.md#options-of-every-command).\n",
            noun.get_name()
        );
        describe(noun, &mut text);
        let verbs = noun.get_subcommands().filter(|verb| verb.get_name() != "help");
        for verb in verbs {
            writeln!(text, "\n## {} {}\n", noun.get_name(), verb.get_name())
                .expect("a string takes any text");
            describe(verb, &mut text);
        }
        pages.push((noun.get_name().to_owned(), text));
    }
    pages
}

/// What a command is for, how it is called, and its arguments.
fn describe(command: &Command, text: &mut String) {
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
    writeln!(text, "{}", about.trim_end()).expect("a string takes any text");
    let usage = command.clone().render_usage().to_string();
    writeln!(text, "\n```text\n{}\n```", usage.trim_start_matches("Usage: "))
        .expect("a string takes any text");
    let table = options(command, false);
    if !table.is_empty() {
        writeln!(text, "\n{}", table.trim_end()).expect("a string takes any text");
    }
    if let Some(help) = command.get_after_long_help().or(command.get_after_help()) {
        writeln!(text, "\n```text\n{help}\n```").expect("a string takes any text");
    }
}

/// A table of the arguments of a command. Those of every command stand on one page only.
fn options(command: &Command, are_global: bool) -> String {
    let is_shown = |arg: &&Arg| {
        let is_built_in = ["help", "version"].contains(&arg.get_id().as_str());
        !is_built_in && !arg.is_hide_set() && arg.is_global_set() == are_global
    };
    let rows: Vec<&Arg> = command.get_arguments().filter(is_shown).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut table = "| Argument | Meaning |\n|---|---|\n".to_owned();
    for arg in rows {
        let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let values: Vec<String> = arg
            .get_possible_values()
            .iter()
            .filter(|_| arg.get_action().takes_values())
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        if !values.is_empty() {
            write!(help, " ({})", values.join(", ")).expect("a string takes any text");
        }
        let defaults: Vec<String> =
            arg.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
        if !defaults.is_empty() && arg.get_action().takes_values() {
            write!(help, "; otherwise {}", defaults.join(", ")).expect("a string takes any text");
        }
        writeln!(
            table,
            "| `{}` | {} |",
            written(arg).replace('|', "\\|"),
            help.replace('\n', " ").replace('|', "\\|")
        )
        .expect("a string takes any text");
    }
    table
}

/// An argument as it is typed.
fn written(arg: &Arg) -> String {
    let values = arg
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ");
    if arg.is_positional() {
        return if arg.is_required_set() { format!("<{values}>") } else { format!("[{values}]") };
    }
    let names =
        [arg.get_short().map(|short| format!("-{short}")), arg.get_long().map(|long| format!("--{long}"))];
    let names = names.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if arg.get_action().takes_values() { format!("{names} <{values}>") } else { names }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli")
}

#[test]
fn the_reference_of_the_command_line_is_what_it_says() {
    let pages = pages();
    if std::env::var_os("SURETY_REWRITE").is_some() {
        fs::create_dir_all(folder()).expect("the folder can be made");
        for (name, text) in &pages {
            fs::write(folder().join(format!("{name}.md")), text).expect("a page can be written");
        }
    }
    for (name, text) in &pages {
        let page = fs::read_to_string(folder().join(format!("{name}.md"))).unwrap_or_default();
        assert!(
            page == *text,
            "docs/reference/cli/{name}.md is not what the program says; write it anew with SURETY_REWRITE=1"
        );
    }
    let known = |name: &str| pages.iter().any(|(page, _)| format!("{page}.md") == name);
    for entry in fs::read_dir(folder()).expect("the folder is there") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(known(&name), "docs/reference/cli/{name} belongs to no command");
    }
}
