//! Where every setting comes from: a default, the file, the environment or the command line, each over the one before.

pub(crate) mod command;
pub(crate) mod file;
pub(crate) mod key;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use file::{Contents, Mistake};
use key::{Key, SETTINGS};

/// Where a value comes from. The later ones stand over the earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// Built in.
    Default,
    /// A line of the configuration file.
    File(PathBuf, usize),
    /// A variable of the environment.
    Variable(&'static str),
    /// A flag of the command line.
    Flag(&'static str),
}

impl Origin {
    /// How far up it stands.
    fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File(..) => 1,
            Self::Variable(_) => 2,
            Self::Flag(_) => 3,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    /// As it was written.
    pub(crate) text: String,
    /// Where.
    pub(crate) origin: Origin,
}

/// Which ledger a command talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A node at this address.
    Node(String),
    /// The ledger in this folder.
    Data(PathBuf),
}

/// All settings, each with its origin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    values: BTreeMap<Key, Value>,
    /// The address book of the file: names and addresses.
    names: BTreeMap<String, Value>,
    /// The part of the file for `surety run`.
    run: BTreeMap<String, Value>,
    file: Option<PathBuf>,
}

/// What the command line says about settings.
pub(crate) type Flags = BTreeMap<Key, String>;

/// Reads variables of the environment.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// Puts everything together. `named` is the file that the command line names; otherwise `SURETY_CONFIG`, then `surety.toml` in the data folder, then
    /// that in the folder of the moment, then that of the user are looked for.
    ///
    /// # Errors
    /// The first mistake of the file, or the first value that does not fit its setting.
    pub(crate) fn load(
        named: Option<&Path>,
        flags: &Flags,
        variables: Variables<'_>,
    ) -> Result<Self, Failure> {
        let (settings, mistakes) = Self::gather(named, flags, variables)?;
        match mistakes.into_iter().next() {
            None => Ok(settings),
            Some((origin, Mistake { what, help, .. })) => {
                let failure = Failure::usage("config.mistake", format!("{origin}: {what}"));
                let help = help.unwrap_or_else(|| "surety config check lists all mistakes".to_owned());
                Err(failure.help(help).docs("docs/reference/configuration.md"))
            }
        }
    }

    /// The settings as far as they can be used, and everything that is wrong with the rest.
    ///
    /// # Errors
    /// If the file can't be read at all.
    pub(crate) fn gather(
        named: Option<&Path>,
        flags: &Flags,
        variables: Variables<'_>,
    ) -> Result<(Self, Vec<(Origin, Mistake)>), Failure> {
        let mut settings = Self::default();
        let mut mistakes = Vec::new();
        for setting in SETTINGS {
            if let Some(text) = setting.default {
                settings.put(setting.key, text.to_owned(), Origin::Default, &mut mistakes);
            }
        }
        let data = flags.get(&Key::Data).cloned().or_else(|| variables(Key::Data.setting().variable));
        if let Some(path) = find_file(named, data.as_deref(), variables) {
            let contents = file::read(&path).map_err(|why| {
                Failure::usage(
                    "config.unreadable",
                    format!("cannot read the configuration {}", path.display()),
                )
                .why(why)
                .help("name another file with --config, or write one with surety config init")
            })?;
            settings.put_file(path, contents, &mut mistakes);
        }
        for setting in SETTINGS {
            if let Some(text) = variables(setting.variable) {
                settings.put(setting.key, text, Origin::Variable(setting.variable), &mut mistakes);
            }
            if let Some(text) = flags.get(&setting.key) {
                settings.put(setting.key, text.clone(), Origin::Flag(setting.flag), &mut mistakes);
            }
        }
        Ok((settings, mistakes))
    }

    fn put_file(&mut self, path: PathBuf, contents: Contents, mistakes: &mut Vec<(Origin, Mistake)>) {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let origin = |line| Origin::File(path.clone(), line);
        for mistake in contents.mistakes {
            mistakes.push((origin(mistake.line), mistake));
        }
        for entry in contents.settings {
            let setting = SETTINGS.iter().find(|setting| setting.name == entry.name);
            let setting = setting.expect("the reader of the file lets known names through only");
            // A path in a file is meant from where the file is.
            let text = match setting.kind {
                key::Kind::Path if !entry.value.is_empty() => folder.join(entry.value).display().to_string(),
                _ => entry.value,
            };
            self.put(setting.key, text, origin(entry.line), mistakes);
        }
        for entry in contents.names {
            let found = crate::names::check_entry(&entry.name, &entry.value);
            if let Err(what) = found {
                mistakes.push((origin(entry.line), Mistake { line: entry.line, what, help: None }));
            }
            self.names.insert(entry.name, Value { text: entry.value, origin: origin(entry.line) });
        }
        for entry in contents.run {
            self.run.insert(entry.name, Value { text: entry.value, origin: origin(entry.line) });
        }
        self.file = Some(path);
    }

    fn put(&mut self, key: Key, text: String, origin: Origin, mistakes: &mut Vec<(Origin, Mistake)>) {
        let setting = key.setting();
        if let Err(why) = setting.kind.check(&text) {
            let what = format!("{} can't be {text:?}: {why}", setting.name);
            mistakes.push((origin.clone(), Mistake { line: 0, what, help: None }));
        }
        self.values.insert(key, Value { text, origin });
    }

    /// The value of a setting, if it has one.
    pub(crate) fn get(&self, key: Key) -> Option<&Value> {
        self.values.get(&key)
    }

    /// The text of a setting, if it has one.
    pub(crate) fn text(&self, key: Key) -> Option<&str> {
        self.get(key).map(|value| value.text.as_str())
    }

    /// A setting that is a path.
    pub(crate) fn path(&self, key: Key) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    /// The address book of the file.
    pub(crate) fn names(&self) -> &BTreeMap<String, Value> {
        &self.names
    }

    /// The part of the file for `surety run`.
    pub(crate) fn run(&self) -> &BTreeMap<String, Value> {
        &self.run
    }

    /// The file that was read, if one was.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Which ledger is meant: a node or a folder, whichever was named further up; where both were named at one place, that can't be known.
    ///
    /// # Errors
    /// If both were named at one place.
    pub(crate) fn target(&self) -> Result<Target, Failure> {
        let node = self.get(Key::Node).expect("the node has a default");
        let Some(data) = self.get(Key::Data) else { return Ok(Target::Node(node.text.clone())) };
        if node.origin.rank() > data.origin.rank() {
            return Ok(Target::Node(node.text.clone()));
        }
        if node.origin.rank() < data.origin.rank() {
            return Ok(Target::Data(PathBuf::from(&data.text)));
        }
        let what = format!("{} and {} both name a ledger", node.origin, data.origin);
        Err(Failure::usage("config.two-ledgers", what).help("name one of them"))
    }

    /// How long an answer may take, in milliseconds.
    pub(crate) fn timeout_ms(&self) -> u64 {
        let text = self.text(Key::Timeout).unwrap_or_default();
        crate::clock::parse_span(text).unwrap_or(30_000)
    }
}

/// The file to be read, if there is one. One that is named must be there, the others may be.
fn find_file(named: Option<&Path>, data: Option<&str>, variables: Variables<'_>) -> Option<PathBuf> {
    if let Some(path) = named {
        return Some(path.to_owned());
    }
    if let Some(path) = variables("SURETY_CONFIG").filter(|path| !path.is_empty()) {
        return Some(PathBuf::from(path));
    }
    let in_data = data.map(|folder| Path::new(folder).join("surety.toml"));
    let here = PathBuf::from("surety.toml");
    let candidates = in_data.into_iter().chain([here]).chain(user_file(variables));
    candidates.into_iter().find(|path| path.is_file())
}

/// The file of the user.
pub(crate) fn user_file(variables: Variables<'_>) -> Option<PathBuf> {
    let base = variables("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let base = base.or_else(|| {
        Some(PathBuf::from(variables("HOME").filter(|path| !path.is_empty())?).join(".config"))
    })?;
    Some(base.join("surety").join("config.toml"))
}

#[cfg(test)]
mod tests;
