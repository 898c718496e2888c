//! What verifying costs beyond the bare recovery of a key.

fn main() {}
