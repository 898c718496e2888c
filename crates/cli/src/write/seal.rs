//! Signatures of the keys that an account asks for.

use signing::bundle::Bundle;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::write::Writing;

/// Adds the signatures of as many keys as it takes, as far as they are here.
///
/// # Errors
/// If no key of the account is here, or one can't sign.
pub(super) fn seal(_context: &Context, _writing: &Writing, _bundle: Bundle) -> Result<Bundle, Failure> {
    Err(Failure::new(Exit::Key, "key.none", "no key"))
}
