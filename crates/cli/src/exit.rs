//! What the process reports to whoever started it.

use std::process::ExitCode;

/// How a command ended. Each has a page in `docs/reference/exit-codes/`. `surety replay` has codes of its own, which are the first three of
/// these with the meaning that its page gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Everything went as it should.
    Success,
    /// The command line, the configuration or an input can't be used.
    Usage,
    /// The ledger refused, or what was checked does not hold.
    Refused,
    /// There is no such thing.
    NotFound,
    /// The node can't be reached, or what came back makes no sense.
    Network,
    /// A key is not there, its password is wrong, or it did not sign.
    Key,
    /// Nothing came back in time.
    Timeout,
    /// Files of the ledger or of the keystore can't be read or written, or are damaged.
    Storage,
}

impl Exit {
    /// Every one, in the order of the codes.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 8] = [
        Self::Success,
        Self::Usage,
        Self::Refused,
        Self::NotFound,
        Self::Network,
        Self::Key,
        Self::Timeout,
        Self::Storage,
    ];

    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Usage => 1,
            Self::Refused => 2,
            Self::NotFound => 3,
            Self::Network => 4,
            Self::Key => 5,
            Self::Timeout => 6,
            Self::Storage => 7,
        }
    }

    /// Its page in the documentation.
    pub(crate) fn page(self) -> String {
        format!("docs/reference/exit-codes/{}-{}.md", self.code(), self.word())
    }

    /// One word, as in the documentation.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Success => "ok",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::NotFound => "not-found",
            Self::Network => "network",
            Self::Key => "key",
            Self::Timeout => "timeout",
            Self::Storage => "storage",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_in_the_documentation() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/exit-codes");
        let index = std::fs::read_to_string(format!("{folder}.md")).expect("the page of all codes");
        for (number, exit) in (0..).zip(Exit::ALL) {
            assert_eq!(exit.code(), number);
            let name = format!("{number}-{}", exit.word());
            let page = std::fs::read_to_string(format!("{folder}/{name}.md")).expect(&name);
            assert!(page.starts_with(&format!("# {number} {}\n", exit.word())), "{name}");
            assert!(index.contains(&format!("(exit-codes/{name}.md)")), "{name} in the page of all codes");
            assert_eq!(exit.page(), format!("docs/reference/exit-codes/{name}.md"));
        }
    }
}
