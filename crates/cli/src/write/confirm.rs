//! A person's yes.

use std::io::{self, BufRead, Write};

use signing::Domain;

use crate::context::Context;
use crate::failure::{Failure, shown};
use crate::output::{Answer, Form, Unlabelled};
use crate::write::{Prepared, preview};

/// Shows what would happen and asks, unless yes was said beforehand. Where nobody can be asked, nothing is sent.
///
/// # Errors
/// If nobody can be asked, or the answer is no.
pub(super) fn ask(context: &Context, is_confirmed: bool, prepared: &Prepared) -> Result<(), Failure> {
    ask_about(context, is_confirmed, prepared.bundle.domain(), &preview::answer(prepared))
}

/// The same for anything that can be shown.
///
/// # Errors
/// As [`ask`].
pub(super) fn ask_about(
    context: &Context,
    is_confirmed: bool,
    domain: &Domain,
    preview: &Answer,
) -> Result<(), Failure> {
    if is_confirmed {
        announce(context, domain);
        return Ok(());
    }
    if !context.can_ask() {
        let what = "nobody can be asked whether to sign: standard input is no terminal";
        return Err(
            Failure::usage("writing.nobody-to-ask", what).help("look with --dry-run, then give --yes")
        );
    }
    let failure = |error: io::Error| Failure::usage("writing.no-answer", "cannot ask").why(error.to_string());
    let mut screen = io::stderr().lock();
    // A signer without a network has no names to show.
    let written = match context.names_at_hand() {
        Some(book) => preview.write(Form::Table, book, None, &mut screen),
        None => preview.write(Form::Table, &Unlabelled, None, &mut screen),
    };
    written.map_err(failure)?;
    write!(screen, "\nSign and send this? [y/N] ").and_then(|()| screen.flush()).map_err(failure)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failure)?;
    if is_yes(&line) {
        return Ok(());
    }
    Err(Failure::usage("writing.not-confirmed", "not confirmed; nothing was signed or sent"))
}

/// Says for which ledger it is signed, where nobody is asked and no folder says it: then it is the word of a node or of a file.
fn announce(context: &Context, domain: &Domain) {
    if context.domain_of_folder().is_none() {
        let (ledger, chain, custody) = (shown(&domain.ledger), domain.chain_id, domain.custody);
        let line = format!("signing for the ledger {ledger}, chain {chain}, custody {custody}");
        // Whoever has closed standard error does not want to know.
        drop(writeln!(io::stderr(), "{line}"));
    }
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (line, expected) in
            [("y\n", true), ("Yes\n", true), ("\n", false), ("", false), ("no\n", false), ("yess\n", false)]
        {
            assert_eq!(is_yes(line), expected, "{line:?}");
        }
    }
}
