//! Every decoder that reads what strangers send, as a function of bytes that a fuzzer can call.
//!
//! A body never returns an error: whatever the bytes are, it must not panic. Bytes that are hashed or signed must be the only form of what they mean:
//! written again, they are the same. JSON that is taken must mean the same when it is written again. The bodies run in two places: in `fuzz/` under libFuzzer, which finds new inputs by coverage and needs a nightly
//! compiler, and in the tests of this crate, which change known inputs at random on any compiler.
//!
//! It decides nothing about what decoders accept; their crates do.

mod bodies;
mod seeds;

pub use bodies::{
    block, bundle, entry, entry_proof, genesis, header, key, key_file, operation, operation_json, proof,
    signed_json, signed_operation,
};

/// A decoder.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, that of its file in `fuzz/fuzz_targets`.
    pub name: &'static str,
    /// What it does with bytes. Whether it took them.
    pub body: fn(&[u8]) -> bool,
    /// Inputs that it takes.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: [Target; 13] = [
    Target { name: "operation", body: operation, seeds: seeds::operations },
    Target { name: "operation_json", body: operation_json, seeds: seeds::operations_json },
    Target { name: "signed_operation", body: signed_operation, seeds: seeds::signed },
    Target { name: "signed_json", body: signed_json, seeds: seeds::signed_json },
    Target { name: "bundle", body: bundle, seeds: seeds::bundles },
    Target { name: "header", body: header, seeds: seeds::headers },
    Target { name: "block", body: block, seeds: seeds::blocks },
    Target { name: "genesis", body: genesis, seeds: seeds::geneses },
    Target { name: "proof", body: proof, seeds: seeds::proofs },
    Target { name: "entry_proof", body: entry_proof, seeds: seeds::entry_proofs },
    Target { name: "key", body: key, seeds: seeds::keys },
    Target { name: "entry", body: entry, seeds: seeds::entries },
    Target { name: "key_file", body: key_file, seeds: seeds::key_files },
];
