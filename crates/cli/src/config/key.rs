//! Every setting: what it is called in the file, in the environment and on the command line, and which values it takes.

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// The address of the node that is asked.
    Node,
    /// A data folder that is read without a node.
    Data,
    /// The folder of the keystore.
    Keystore,
    /// Who acts, where a command does not say it.
    From,
    /// The form of the output.
    Output,
    /// How long an answer may take.
    Timeout,
    /// The file with the password of the keystore.
    PasswordFile,
    /// The address of a signer that holds the keys elsewhere.
    Signer,
    /// The only ledger that is signed for.
    Ledger,
}

/// What a value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `http://host:port`.
    Url,
    /// A path; it need not be there.
    Path,
    /// A name or an address.
    Name,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A span of time between these bounds, in milliseconds.
    Span(u64, u64),
}

/// All that is known about a setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Which.
    pub(crate) key: Key,
    /// Its name in the file.
    pub(crate) name: &'static str,
    /// Its variable in the environment.
    pub(crate) variable: &'static str,
    /// Its flag.
    pub(crate) flag: &'static str,
    /// Which values it takes.
    pub(crate) kind: Kind,
    /// Its value where nobody gives one.
    pub(crate) default: Option<&'static str>,
    /// What it is for.
    pub(crate) about: &'static str,
}

/// Every setting, in the order in which they are shown.
pub(crate) const SETTINGS: [Setting; 9] = [
    Setting {
        key: Key::Node,
        name: "node",
        variable: "SURETY_NODE",
        flag: "--node",
        kind: Kind::Url,
        default: Some("http://127.0.0.1:8710"),
        about: "the node that is asked",
    },
    Setting {
        key: Key::Data,
        name: "data",
        variable: "SURETY_DATA",
        flag: "--data",
        kind: Kind::Path,
        default: None,
        about: "a data folder to work on: through the node that runs on it, otherwise without a node",
    },
    Setting {
        key: Key::Keystore,
        name: "keystore",
        variable: "SURETY_KEYSTORE",
        flag: "--keystore",
        kind: Kind::Path,
        default: Some("surety-keys"),
        about: "the folder of the keystore",
    },
    Setting {
        key: Key::From,
        name: "from",
        variable: "SURETY_FROM",
        flag: "--from",
        kind: Kind::Name,
        default: None,
        about: "the account that acts",
    },
    Setting {
        key: Key::Output,
        name: "output",
        variable: "SURETY_OUTPUT",
        flag: "--output",
        kind: Kind::Word(&["table", "json", "ndjson", "csv"]),
        default: Some("table"),
        about: "the form of what is printed",
    },
    Setting {
        key: Key::Timeout,
        name: "timeout",
        variable: "SURETY_TIMEOUT",
        flag: "--timeout",
        kind: Kind::Span(100, 600_000),
        default: Some("30s"),
        about: "how long an answer may take",
    },
    Setting {
        key: Key::PasswordFile,
        name: "password_file",
        variable: "SURETY_PASSWORD_FILE",
        flag: "--password-file",
        kind: Kind::Path,
        default: None,
        about: "the file whose first line is the password of the keystore",
    },
    Setting {
        key: Key::Signer,
        name: "signer",
        variable: "SURETY_SIGNER",
        flag: "--signer",
        kind: Kind::Url,
        default: None,
        about: "a remote signer that holds the keys instead of the keystore",
    },
    Setting {
        key: Key::Ledger,
        name: "ledger",
        variable: "SURETY_LEDGER",
        flag: "--ledger",
        kind: Kind::Name,
        default: None,
        about: "the only ledger that is signed for, as previews write it: name:0a1b2c3d",
    },
];

impl Key {
    /// All that is known about it.
    pub(crate) fn setting(self) -> &'static Setting {
        SETTINGS.iter().find(|setting| setting.key == self).expect("every key is in the table")
    }
}

impl Kind {
    /// Whether a text is such a value.
    ///
    /// # Errors
    /// Says what is expected.
    pub(crate) fn check(self, text: &str) -> Result<(), String> {
        match self {
            Self::Url => crate::transport::Address::parse(text).map(drop),
            Self::Path if text.is_empty() || text.contains('\0') => Err("a path is expected".to_owned()),
            Self::Path => Ok(()),
            Self::Name if text.is_empty() || text.len() > 128 || text.contains(char::is_control) => {
                Err("a name or an address is expected".to_owned())
            }
            Self::Name => Ok(()),
            Self::Word(words) if words.contains(&text) => Ok(()),
            Self::Word(words) => {
                let all = || format!("it may be {}", words.join(", "));
                let help = crate::spelling::proposal(text, words.iter().copied(), all);
                Err(format!("{text:?} is not known; {help}"))
            }
            Self::Span(least, most) => {
                let span = crate::clock::parse_span(text)?;
                if (least..=most).contains(&span) {
                    return Ok(());
                }
                let (least, most) = (crate::clock::span(least), crate::clock::span(most));
                Err(format!("{text} is outside {least} to {most}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_of_its_setting() {
        for setting in SETTINGS {
            assert_eq!(setting.default.map_or(Ok(()), |value| setting.kind.check(value)), Ok(()));
            assert_eq!(setting.key.setting().name, setting.name);
            assert_eq!(setting.variable, format!("SURETY_{}", setting.name.to_uppercase()));
            assert_eq!(setting.flag, format!("--{}", setting.name.replace('_', "-")));
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused_with_what_is_expected() {
        let cases = [
            (Key::Node, "127.0.0.1", "has no http:// in front"),
            (Key::Node, "https://a", "https"),
            (Key::Data, "", "a path"),
            (Key::From, "", "a name"),
            (Key::Output, "jsno", "did you mean \"json\"?"),
            (Key::Output, "xml", "it may be table, json"),
            (Key::Timeout, "5", "span of time"),
            (Key::Timeout, "1h", "outside"),
        ];
        for (key, value, words) in cases {
            let refused = key.setting().kind.check(value).expect_err(value);
            assert!(refused.contains(words), "{value}: {refused}");
        }
    }
}
