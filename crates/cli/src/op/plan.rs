//! `--plan`: what the ledger's own allocator would have a vault's curator do, instead of doing anything.

use clap::{Arg, ArgAction, ArgMatches};

/// The operation that has the flag.
pub(crate) const KIND: &str = "allocate_vault";
const FLAG: &str = "plan";

/// What the help says beside the fields.
pub(super) const HELP: &str = "With --plan nothing is sent: it shows what the ledger's own allocator would move, and -o json writes that in the form which\nsurety vault apply takes.\n";

/// The flag.
pub(super) fn argument() -> Arg {
    Arg::new(FLAG)
        .long(FLAG)
        .action(ArgAction::SetTrue)
        .help(
            "Only show what the ledger's own allocator would move; -o json writes it for surety vault apply",
        )
        .conflicts_with_all([
            "json",
            "batch",
            "moves",
            "yes",
            "dry_run",
            "unsigned_out",
            "sign_with",
            "signer",
        ])
}

/// Whether it was typed.
pub(super) fn is_asked(matches: &ArgMatches) -> bool {
    matches.try_get_one::<bool>(FLAG).ok().flatten().copied().unwrap_or(false)
}
