//! A person's yes.

use std::io::{self, BufRead, Write};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Answer, Form, Unlabelled};
use crate::write::{Prepared, preview};

/// Shows what would happen and asks, unless yes was said beforehand. Where nobody can be asked, nothing is sent.
///
/// # Errors
/// If nobody can be asked, or the answer is no.
pub(super) fn ask(context: &Context, is_confirmed: bool, prepared: &Prepared) -> Result<(), Failure> {
    ask_about(context, is_confirmed, &preview::answer(prepared))
}

/// The same for anything that can be shown.
///
/// # Errors
/// As [`ask`].
pub(super) fn ask_about(context: &Context, is_confirmed: bool, preview: &Answer) -> Result<(), Failure> {
    if is_confirmed {
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
    let shown = match context.names_at_hand() {
        Some(book) => preview.write(Form::Table, book, None, &mut screen),
        None => preview.write(Form::Table, &Unlabelled, None, &mut screen),
    };
    shown.map_err(failure)?;
    write!(screen, "\nSign and send this? [y/N] ").and_then(|()| screen.flush()).map_err(failure)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failure)?;
    if is_yes(&line) {
        return Ok(());
    }
    Err(Failure::usage("writing.not-confirmed", "not confirmed; nothing was signed or sent"))
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
