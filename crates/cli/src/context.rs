//! What every command works with: the settings, the way to a ledger, and the names that are known.

use std::cell::OnceCell;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use serde_json::Value;

use crate::config::key::Key;
use crate::config::{Settings, Target};
use crate::failure::Failure;
use crate::names::Book;
use crate::op::value::Reader;
use crate::output::Form;
use crate::transport::{self, Address, Http, InProcess, Transport};

/// What a command works with. The ledger is reached when it is asked for the first time, not before.
pub(crate) struct Context {
    settings: Settings,
    form: Form,
    transport: OnceCell<Box<dyn Transport>>,
    book: OnceCell<Book>,
}

impl Context {
    /// From the settings.
    pub(crate) fn new(settings: Settings) -> Self {
        let form = match settings.text(Key::Output) {
            Some("json") => Form::Json,
            Some("ndjson") => Form::Ndjson,
            Some("csv") => Form::Csv,
            _ => Form::Table,
        };
        Self { settings, form, transport: OnceCell::new(), book: OnceCell::new() }
    }

    /// Over a transport that a test has made.
    #[cfg(test)]
    pub(crate) fn over(transport: impl Transport + 'static) -> Self {
        let settings =
            Settings::load(Some(std::path::Path::new("/dev/null")), &Default::default(), &|_| None);
        let context = Self::new(settings.expect("defaults hold together"));
        let is_new = context.transport.set(Box::new(transport)).is_ok();
        assert!(is_new, "nothing was asked before");
        context
    }

    /// The settings.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// In which form answers are printed.
    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// The way to the ledger.
    ///
    /// # Errors
    /// If it is not known which ledger is meant, or its folder can't be opened.
    pub(crate) fn transport(&self) -> Result<&dyn Transport, Failure> {
        if let Some(transport) = self.transport.get() {
            return Ok(transport.as_ref());
        }
        let made = self.connect()?;
        Ok(self.transport.get_or_init(|| made).as_ref())
    }

    fn connect(&self) -> Result<Box<dyn Transport>, Failure> {
        let timeout = self.settings.timeout_ms();
        match self.settings.target()? {
            Target::Node(url) => {
                let address = Address::parse(&url).expect("settings hold checked addresses only");
                Ok(Box::new(Http::new(address, timeout)))
            }
            Target::Data(folder) => {
                InProcess::open(crate::run::node_config(&self.settings, &folder)?, timeout)
            }
        }
    }

    /// What signatures for the ledger in the folder of the settings are for, where a folder is meant: nobody else needs to be believed about it.
    pub(crate) fn domain_of_folder(&self) -> Option<signing::Domain> {
        let Ok(Target::Data(folder)) = self.settings.target() else { return None };
        let genesis = std::fs::read(folder.join(ledger::format::GENESIS_FILE)).ok()?;
        ledger::Genesis::from_json(&genesis).ok().map(|genesis| genesis.domain())
    }

    /// Asks for a document.
    ///
    /// # Errors
    /// As [`transport::get`].
    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        transport::get(self.transport()?, path)
    }

    /// Sends a document and takes one back.
    ///
    /// # Errors
    /// As [`transport::post`].
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        transport::post(self.transport()?, path, body)
    }

    /// The names that are known: own ones, those of the keystore, those of the ledger.
    ///
    /// # Errors
    /// If the ledger can't be asked for its names.
    pub(crate) fn book(&self) -> Result<&Book, Failure> {
        if let Some(book) = self.book.get() {
            return Ok(book);
        }
        let labels = self.get("/v1/labels")?;
        let keys = crate::keys::named_addresses(&self.keystore_folder());
        let mut book = Book::new(&labels, &keys, self.settings.names());
        book.learn_assets(&self.get("/v1/assets?limit=500")?);
        Ok(self.book.get_or_init(|| book))
    }

    /// What it takes to read what people type.
    ///
    /// # Errors
    /// As [`Context::book`].
    pub(crate) fn reader(&self) -> Result<Reader<'_>, Failure> {
        Ok(Reader { book: self.book()?, node: Some(self) })
    }

    /// The names as far as they are known already: for printing, which asks for nothing new unless people read it.
    pub(crate) fn known_names(&self) -> Option<&Book> {
        match (self.form, self.transport.get()) {
            (Form::Table, Some(_)) => self.book().ok(),
            _ => self.book.get(),
        }
    }

    /// The names that were asked for already.
    pub(crate) fn names_at_hand(&self) -> Option<&Book> {
        self.book.get()
    }

    /// The folder of the keystore: what was named; else that inside the data folder, where there is one.
    pub(crate) fn keystore_folder(&self) -> PathBuf {
        let named = self.settings.get(Key::Keystore).expect("the keystore has a default");
        if named.origin == crate::config::Origin::Default
            && let Some(inside) = self.settings.path(Key::Data).map(|data| data.join("keystore"))
            && inside.is_dir()
        {
            return inside;
        }
        PathBuf::from(&named.text)
    }

    /// Whether a person can be asked: both standard input and standard error are terminals.
    pub(crate) fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }
}
