//! Whether a proof holds, and whether a folder's whole history does.

use crate::failure::Failure;
use crate::nouns::proof::Verify;
use crate::output::Answer;

/// Checks what stands at the path.
///
/// # Errors
/// If it does not hold, or can't be read.
pub(crate) fn run(verify: &Verify) -> Result<Answer, Failure> {
    Err(Failure::usage("verify.unreadable", format!("cannot verify {}", verify.path.display())))
}
