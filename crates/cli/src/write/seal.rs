//! Signatures of the keys that an account asks for.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use evidence::PublicKey;
use keystore::{LocalSigner, RemoteSigner, Signer};
use signing::bundle::{Bundle, Who};

use crate::config::key::Key;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keys;

/// The keys that sign: those that are named; else those of a remote signer, where one is named; else those of the keystore that are asked for. A key is
/// unlocked once, however much it signs.
pub(crate) struct Sealer<'a> {
    context: &'a Context,
    named: &'a [String],
    signer: Option<&'a str>,
    unlocked: BTreeMap<String, LocalSigner>,
}

impl<'a> Sealer<'a> {
    /// With these names of keys, and this address of a remote signer.
    pub(crate) fn new(context: &'a Context, named: &'a [String], signer: Option<&'a str>) -> Self {
        let signer = signer.or_else(|| context.settings().text(Key::Signer));
        Self { context, named, signer, unlocked: BTreeMap::new() }
    }

    /// Adds the signatures of as many keys as it takes, as far as they are here.
    ///
    /// # Errors
    /// If no key that is asked for is here, or one can't sign.
    pub(crate) fn seal(&mut self, mut bundle: Bundle) -> Result<Bundle, Failure> {
        let before = bundle.seals().count();
        if !self.named.is_empty() {
            for name in self.named {
                self.seal_with(name, &mut bundle)?;
            }
            return Ok(bundle);
        }
        match self.signer {
            Some(url) => seal_remotely(url, &mut bundle)?,
            None => self.seal_locally(&mut bundle)?,
        }
        if bundle.seals().count() > before {
            return Ok(bundle);
        }
        let asked: Vec<String> = bundle.asked().map(|(who, _)| who.to_string()).collect();
        let what = format!("none of the keys that account {} asks for is here", bundle.draft().account);
        Err(Failure::new(Exit::Key, "key.none", what)
            .why(format!("asked for: {}", asked.join(", ")))
            .help("name the keystore with --keystore, or write a file with --unsigned-out and sign where the key is"))
    }

    fn seal_with(&mut self, name: &str, bundle: &mut Bundle) -> Result<(), Failure> {
        let store = keys::existing(self.context)?;
        let entry = store.entry(name).map_err(|error| keys::failure(&error))?;
        if crate::demo::is_published(&entry.public_key) && !crate::demo::is_demo(bundle.domain()) {
            let what =
                format!("the key {name} is one of the demo's, which everybody has; it signs for demos only");
            return Err(Failure::new(Exit::Key, "key.published", what)
                .why(format!("this is the ledger {}", bundle.domain().ledger))
                .help("make a key of your own with surety keys new"));
        }
        let nonce = bundle.nonce_of(&entry.public_key).ok_or_else(|| {
            let what = format!("account {} does not ask for the key {name}", bundle.draft().account);
            let asked: Vec<String> = bundle.asked().map(|(who, _)| who.to_string()).collect();
            Failure::new(Exit::Key, "key.not-asked", what).why(format!("it asks for: {}", asked.join(", ")))
        })?;
        let signer = match self.unlocked.entry(name.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let password = keys::password::known(self.context, name)?;
                free.insert(store.unlock(name, &password).map_err(|error| keys::failure(&error))?)
            }
        };
        add(signer, nonce, bundle)
    }

    fn seal_locally(&mut self, bundle: &mut Bundle) -> Result<(), Failure> {
        let store = keys::existing(self.context)?;
        let entries = store.list().map_err(|error| keys::failure(&error))?;
        let sealed: Vec<PublicKey> = bundle.seals().map(|(key, _)| key.clone()).collect();
        let asked = entries.into_iter().filter(|entry| bundle.nonce_of(&entry.public_key).is_some());
        let fitting: Vec<String> =
            asked.filter(|entry| !sealed.contains(&entry.public_key)).map(|entry| entry.name).collect();
        for name in fitting {
            if bundle.missing() == 0 {
                break;
            }
            self.seal_with(&name, bundle)?;
        }
        Ok(())
    }
}

fn seal_remotely(url: &str, bundle: &mut Bundle) -> Result<(), Failure> {
    let asked: Vec<(Who, u64)> = bundle.asked().map(|(who, nonce)| (who.clone(), nonce)).collect();
    for (who, nonce) in asked {
        if bundle.missing() == 0 {
            break;
        }
        match RemoteSigner::connect(url, &who) {
            Ok(signer) => add(&signer, nonce, bundle)?,
            // Another key may be there.
            Err(keystore::RemoteError::NoSuchKey { .. }) => {}
            Err(error) => return Err(Failure::new(Exit::Key, "key.remote-signer", error.to_string())),
        }
    }
    Ok(())
}

fn add(signer: &dyn Signer, nonce: u64, bundle: &mut Bundle) -> Result<(), Failure> {
    let failure = |why: String| Failure::new(Exit::Key, "key.no-signature", "the key did not sign").why(why);
    let seal =
        signer.seal(bundle.domain(), bundle.draft(), nonce).map_err(|error| failure(error.to_string()))?;
    bundle.add(seal).map(drop).map_err(|error| failure(error.to_string()))
}
