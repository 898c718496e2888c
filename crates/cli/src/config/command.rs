//! `surety config`: writes a file, shows every setting, finds mistakes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::config::key::SETTINGS;
use crate::config::{Flags, Origin, Settings, Variables, file};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column, Shape};

/// What is asked about the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a configuration file that says every setting and its default.
    Init(Init),
    /// Show every setting.
    Show(Show),
    /// Find every mistake in the file, in the environment and on the command line.
    Check,
}

/// Where the file is written.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The file.
    #[arg(default_value = "surety.toml")]
    file: PathBuf,
}

/// How the settings are shown.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Say where each value comes from.
    #[arg(long)]
    origin: bool,
}

const VALUES: [Column; 2] = [Column::plain("setting", "/name"), Column::plain("value", "/value")];
const ORIGINS: [Column; 3] =
    [Column::plain("setting", "/name"), Column::plain("value", "/value"), Column::plain("origin", "/origin")];
const MISTAKES: [Column; 3] =
    [Column::plain("where", "/where"), Column::plain("mistake", "/what"), Column::plain("help", "/help")];

impl Command {
    /// Runs it. The settings are gathered here and not before, since this is the command that helps where they are wrong.
    ///
    /// # Errors
    /// What can't be read or written; for `check`, that something was found.
    pub(crate) fn run(
        &self,
        named: Option<&std::path::Path>,
        flags: &Flags,
        variables: Variables<'_>,
    ) -> Result<Answer, Failure> {
        match self {
            Self::Init(init) => init.run(),
            Self::Show(show) => Ok(show.run(&Settings::load(named, flags, variables)?)),
            Self::Check => check(named, flags, variables),
        }
    }
}

impl Init {
    fn run(&self) -> Result<Answer, Failure> {
        crate::files::write_new(&self.file, &template())?;
        let said = format!("wrote {}; every setting stands there with its default", self.file.display());
        Ok(Answer::said(said).with("file", json!(self.file)))
    }
}

/// A file in which every setting is a comment.
pub(crate) fn template() -> String {
    let mut text = format!(
        "# Settings of surety. Each may also be given by a flag or by a variable, which stand over this file.\nversion = {}\n",
        file::VERSION
    );
    for setting in SETTINGS {
        let value = setting.default.unwrap_or("");
        text += &format!(
            "\n# {}; {} or {}\n# {} = \"{value}\"\n",
            setting.about, setting.flag, setting.variable, setting.name
        );
    }
    text += "\n# Names for addresses, beside those of the ledger and of the keystore.\n[names]\n# treasury = \"0x0000000000000000000000000000000000000000\"\n";
    text +=
        "\n# Settings of a node (surety run); docs/reference/configuration.md says what they mean.\n[run]\n";
    // A setting below the heading of a table would belong to that table, so those of none come first.
    let (tables, none): (Vec<_>, Vec<_>) =
        crate::run::defaults().into_iter().partition(|(name, _)| name.contains('.'));
    let mut table = String::new();
    for (name, value) in none.into_iter().chain(tables) {
        let (own, name) = name.rsplit_once('.').unwrap_or(("", &name));
        if own != table {
            table = own.to_owned();
            text += &format!("\n[run.{table}]\n");
        }
        let value = if value.is_null() { Value::from("") } else { value };
        text += &format!("# {name} = {value}\n");
    }
    text
}

impl Show {
    fn run(&self, settings: &Settings) -> Answer {
        let mut items: Vec<Value> = Vec::new();
        for setting in SETTINGS {
            let value = settings.get(setting.key);
            let (text, origin) = match value {
                Some(value) => (json!(value.text), json!(value.origin.to_string())),
                None => (Value::Null, Value::Null),
            };
            items.push(json!({ "name": setting.name, "value": text, "origin": origin }));
        }
        for (name, value) in settings.names() {
            items.push(json!({
                "name": format!("names.{name}"), "value": value.text, "origin": value.origin.to_string(),
            }));
        }
        // Settings of a node stand there with their defaults, as the others do; labels have none.
        let mut run: BTreeMap<String, (Value, String)> = crate::run::defaults()
            .into_iter()
            .map(|(name, value)| (name, (value, Origin::Default.to_string())))
            .collect();
        for (name, value) in settings.run() {
            let text = serde_json::from_str(&value.text).unwrap_or_else(|_| json!(value.text));
            run.insert(name.clone(), (text, value.origin.to_string()));
        }
        for (name, (value, origin)) in run {
            items.push(json!({ "name": format!("run.{name}"), "value": value, "origin": origin }));
        }
        let columns: &'static [Column] = if self.origin { &ORIGINS } else { &VALUES };
        Answer::list(items, columns).with("file", json!(settings.file()))
    }
}

/// Variables that belong to the tests and tools of the project, or are read before any setting.
const OTHER_VARIABLES: [&str; 4] = ["SURETY_CONFIG", "SURETY_SHARED", "SURETY_KILL_ROUNDS", "SURETY_REWRITE"];

fn check(
    named: Option<&std::path::Path>,
    flags: &Flags,
    variables: Variables<'_>,
) -> Result<Answer, Failure> {
    let (settings, mistakes) = Settings::gather(named, flags, variables)?;
    let mut items: Vec<Value> = Vec::new();
    for (origin, mistake) in mistakes {
        items.push(json!({ "where": origin.to_string(), "what": mistake.what, "help": mistake.help }));
    }
    if let Err(failure) = settings.target() {
        items.push(json!({ "where": "", "what": "both node and data are named at one place", "help": failure.remedy() }));
    }
    for (name, help) in crate::run::check_settings(settings.run()) {
        let origin = settings.run().get(&name).map_or(String::new(), |value| value.origin.to_string());
        items.push(json!({ "where": origin, "what": format!("run.{name} can't be used"), "help": help }));
    }
    for name in unknown_variables() {
        let known = SETTINGS.iter().map(|setting| setting.variable);
        let help =
            crate::spelling::proposal(&name, known, || "surety config show lists the settings".to_owned());
        items.push(json!({ "where": name, "what": "there is no setting of that name", "help": help }));
    }
    let file = settings.file().map_or("no file".to_owned(), |file| file.display().to_string());
    if items.is_empty() {
        return Ok(Answer::said(format!("{file}: no mistake found")).with("items", json!([])));
    }
    let document = json!({ "items": items, "file": settings.file() });
    Ok(Answer::new(document, Shape::List(&MISTAKES)).ending(Exit::Refused))
}

/// Variables that look like settings and are none.
fn unknown_variables() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let is_unknown = |name: &String| {
        name.starts_with("SURETY_")
            && !SETTINGS.iter().any(|setting| setting.variable == name)
            && !OTHER_VARIABLES.contains(&name.as_str())
    };
    let mut unknown: Vec<String> = names.filter(is_unknown).collect();
    unknown.sort();
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_file_without_mistakes() {
        let contents = file::parse(&template());
        assert_eq!(contents.mistakes, []);
        // And so it stays when every comment with a default becomes a value.
        let with_values: String = template()
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(value) if value.contains(" = ") && !value.ends_with(" = \"\"") => format!("{value}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let contents = file::parse(&with_values);
        assert_eq!(contents.mistakes, []);
        assert_eq!(
            contents.settings.len(),
            SETTINGS.iter().filter(|setting| setting.default.is_some()).count()
        );
        let named = |entry: file::Entry| {
            (entry.name, crate::config::Value { text: entry.value, origin: Origin::Default })
        };
        let run: BTreeMap<_, _> = contents.run.into_iter().map(named).collect();
        assert_eq!(crate::run::check_settings(&run), []);
        assert_eq!(run.len(), crate::run::defaults().len());
    }
}
