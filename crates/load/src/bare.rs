//! What the cores can do at most, and what they do for an operation before it is ordered.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ledger::Verified;
use signing::Domain;

use crate::Failure;
use crate::workload::{Work, on_all_cores};

/// So many things in that time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) count: usize,
    pub(crate) took: Duration,
}

/// The keys of all signatures, and nothing else, on all cores.
pub(crate) fn recover(work: &Work) -> Result<Rate, Failure> {
    let start = Instant::now();
    let recover = |signed: &crate::workload::Signed| {
        black_box(evidence::recover(&signed.hash, &signed.signature).map_err(|error| error.to_string())?);
        Ok(())
    };
    let count = on_all_cores(&work.operations, recover)?.len();
    Ok(Rate { count, took: start.elapsed() })
}

/// Decodes and verifies all operations, on all cores.
pub(crate) fn verify(work: &Work, domain: &Domain) -> Result<Rate, Failure> {
    let start = Instant::now();
    let verify = |signed: &crate::workload::Signed| {
        black_box(Verified::check(domain, signed.bytes.clone())?);
        Ok(())
    };
    let count = on_all_cores(&work.operations, verify)?.len();
    Ok(Rate { count, took: start.elapsed() })
}
