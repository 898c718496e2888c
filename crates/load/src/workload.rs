//! What is asked of the ledger: stakers in turn, each its own operations in its own order, signed before anything is measured.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use protocol::units::{Address, Amount};
use protocol::{Kind, Operation, ops};
use signing::{Domain, Draft, Signature, seal_with, signing_hash};

use crate::world::{ASSET, STAKE, World, account, delegate, operator_of, secret};
use crate::{Failure, Options, cores};

/// A thousandth of what a staker has: whatever is taken out, enough is left.
const PART: u128 = STAKE / 1_000;
/// How long a signed operation may wait, in milliseconds.
const EXPIRES_MS: u64 = 12 * 60 * 60 * 1_000;

/// An operation as it comes from a wallet.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    /// Its canonical bytes.
    pub(crate) bytes: Vec<u8>,
    /// What was signed.
    pub(crate) hash: [u8; 32],
    pub(crate) signature: [u8; 65],
}

/// Signed operations, in the order in which they are sent.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) operations: Vec<Signed>,
    pub(crate) kinds: BTreeMap<Kind, usize>,
    pub(crate) took: Duration,
}

/// Signs for all stakers, and remembers the numbers that their keys have used.
pub(crate) struct Signer<'a> {
    world: &'a World,
    mix: &'a [u32],
    /// By staker: the key's next number for ordered kinds.
    ordered: Vec<u64>,
    /// Operations that were signed so far.
    signed: u64,
}

impl<'a> Signer<'a> {
    pub(crate) fn new(world: &'a World, options: &'a Options) -> Self {
        let stakers = usize::try_from(options.accounts()).unwrap_or(usize::MAX);
        Self { world, mix: &options.mix, ordered: vec![0; stakers], signed: 0 }
    }

    /// The next operations: one of each staker in turn, signed on all cores.
    pub(crate) fn sign(&mut self, count: u32) -> Result<Work, Failure> {
        let start = Instant::now();
        let stakers = u64::try_from(self.ordered.len())?.max(1);
        let mut plan = Vec::new();
        for turn in self.signed..self.signed.saturating_add(u64::from(count)) {
            let staker = usize::try_from(turn % stakers)?;
            let kind = self.kind(turn)?;
            let next = self.ordered.get_mut(staker).ok_or("there are no stakers")?;
            let nonce = if kind.is_ordered() {
                let nonce = *next;
                *next = next.saturating_add(1);
                nonce
            } else {
                // One for each round of a staker, near the time of the ledger.
                self.world.time_ms.saturating_add(turn / stakers)
            };
            plan.push((u32::try_from(staker)?, kind, nonce));
        }
        self.signed = self.signed.saturating_add(u64::from(count));
        let mut kinds = BTreeMap::new();
        for (_, kind, _) in &plan {
            let count: &mut usize = kinds.entry(*kind).or_default();
            *count = count.saturating_add(1);
        }
        let operations = on_all_cores(&plan, |(staker, kind, nonce)| self.one(*staker, *kind, *nonce))?;
        Ok(Work { operations, kinds, took: start.elapsed() })
    }

    /// What a staker does at this turn: by the shares of the mix, in no order that a branch predictor could guess.
    fn kind(&self, turn: u64) -> Result<Kind, Failure> {
        let kinds = [Kind::Delegate, Kind::Undelegate, Kind::Claim, Kind::Withdraw];
        if self.mix.len() != kinds.len() {
            return Err(format!(
                "the mix has {} shares, and there are {} kinds",
                self.mix.len(),
                kinds.len()
            )
            .into());
        }
        let whole: u64 = self.mix.iter().map(|share| u64::from(*share)).fold(0, u64::saturating_add);
        let mut place = scatter(turn).checked_rem(whole).ok_or("all shares of the mix are zero")?;
        for (kind, share) in kinds.into_iter().zip(self.mix) {
            match place.checked_sub(u64::from(*share)) {
                Some(rest) => place = rest,
                None => return Ok(kind),
            }
        }
        Err("the shares of the mix do not add up".into())
    }

    fn one(&self, staker: u32, kind: Kind, nonce: u64) -> Result<Signed, Failure> {
        let secret = secret(staker);
        let account = account(&secret)?;
        let operation = self.operation(staker, account, kind)?;
        let expires = self.world.time_ms.saturating_add(EXPIRES_MS);
        let draft = Draft { account, delegate: None, expires, operation };
        let domain: &Domain = &self.world.domain;
        let seal = seal_with(&secret, domain, &draft, nonce).ok_or("a key of a person seals")?;
        let Signature::Secp256k1(signature) = seal.signature else {
            return Err("a key of a person signs for wallets".into());
        };
        let hash = signing_hash(domain, &draft, nonce);
        Ok(Signed { bytes: draft.seal(vec![seal]).encode(), hash, signature })
    }

    fn operation(&self, staker: u32, account: Address, kind: Kind) -> Result<Operation, Failure> {
        let (operator, asset, amount) = (operator_of(staker), ASSET, Amount::new(PART));
        Ok(match kind {
            Kind::Undelegate => Operation::Undelegate(ops::undelegate::Undelegate {
                operator,
                asset,
                amount: Some(amount),
                validator: None,
                follow_up: protocol::FollowUp::Free,
            }),
            Kind::Claim => {
                let (operator, asset) = (Some(operator), Some(asset));
                Operation::Claim(ops::claim::Claim { account: None, operator, asset, token: None, to: None })
            }
            Kind::Withdraw => {
                Operation::Withdraw(ops::withdraw::Withdraw { asset, amount, to: account.to_string() })
            }
            _ => delegate(&self.world.mandates, staker, PART)?,
        })
    }
}

/// The same number for the same turn, spread over all numbers.
fn scatter(turn: u64) -> u64 {
    let mut z = turn.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Applies a function to all items, a share of them on each core, and returns the results in order.
pub(crate) fn on_all_cores<T: Sync, R: Send>(
    items: &[T],
    each: impl Fn(&T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let share = items.len().div_ceil(cores()).max(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            items.chunks(share).map(|items| scope.spawn(|| items.iter().map(&each).collect())).collect();
        let mut results = Vec::with_capacity(items.len());
        for thread in threads {
            let part: Result<Vec<R>, Failure> = thread.join().map_err(|_| "a thread has panicked")?;
            results.extend(part?);
        }
        Ok(results)
    })
}
