//! The light client: which blocks of the consensus layer are final, as far as sync committees vouch for it.
//!
//! It is plain data that a ledger keeps as a part of its state: two committees, and the newest headers accepted. It
//! begins with a block whose root the ledger's configuration trusts, and moves on by updates that anyone may submit.
//!
//! # Rules
//!
//! - Two thirds of the seats have to sign, always. What fewer sign is not looked at.
//! - A committee signs for its period only. That of the next period is learned from a state that the present one signed,
//!   and taken for good once that state's own finalized block is of the same period.
//! - The slots of accepted headers strictly increase.
//! - Where a chain fails to finalize for so long that no such update exists, [`LightClient::advance`] goes on to the
//!   committee of the *best valid update* seen. That never makes a block final.
//!
//! # What is not believed
//!
//! A committee of an earlier period has no say any more, not even to contradict: its keys may be anybody's by then.
//!
//! Source: consensus-specs at a08d8a6e, `specs/altair/light-client/sync-protocol.md`, and its changes up to Gloas.

mod finalized;
mod parts;
mod refused;
mod update;

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, Serialize};

pub use self::finalized::Finalized;
pub use self::parts::{LightParts, PartsError};
pub use self::refused::{BootstrapRefused, Contradiction, ContradictionRefused, Disputed, UpdateRefused};
pub use self::update::{Bootstrap, NextCommittee, RememberedRoot, Update};
use super::chain::KEPT_MAX;
use super::committee::{SIGNERS_MIN, signing_root};
use super::fork::{BLOCK_ROOTS, SLOTS_PER_PERIOD, period_of};
use super::{Chain, Hash, Limited, SyncCommittee};

const FINALIZED_MAX: usize = 1024;
const _: () = assert!(KEPT_MAX == 1024);

/// Slots after the newest finalized one from which on [`LightClient::advance`] may go on without finality: a whole period.
pub const PATIENCE: u64 = SLOTS_PER_PERIOD;

/// What a ledger knows of the consensus layer.
///
/// Invariants: at least one header, in strictly ascending order of slots; `best` is of this period and `next` is
/// missing, or it is of the next period and `next` is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LightClient {
    period: u64,
    current: SyncCommittee,
    next: Option<SyncCommittee>,
    best: Option<Candidate>,
    finalized: Vec<Finalized>,
}

/// A next committee from an update that shows no finality within its period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Period of the attested block.
    period: u64,
    /// The committee of the period after.
    committee: SyncCommittee,
    signers: u16,
    attested: u64,
    signed: u64,
}

impl Candidate {
    /// Better updates are less: more signers first, then older ones, so that the best changes rarely.
    fn rank(&self, other: &Self) -> Ordering {
        let signers = other.signers.cmp(&self.signers);
        signers.then(self.attested.cmp(&other.attested)).then(self.signed.cmp(&other.signed))
    }
}

/// What an update has told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The slot of the block that is final from here on.
    pub finalized: Option<u64>,
    /// The period whose committee is known from here on.
    pub committee: Option<u64>,
    /// Whether the update is the best seen without finality.
    pub is_best: bool,
}

/// What an update would do. Made by checks, taken by writes.
enum Step {
    /// Its finalized block is newer than all, and perhaps of the next period; its committee, where it is told for good.
    Final { header: Box<Finalized>, next: Option<SyncCommittee> },
    /// The committee of the next period, for good.
    Committee(SyncCommittee),
    /// A committee for [`LightClient::advance`], besides the finalized block where that is newer.
    Best(Box<Candidate>, Option<Box<Finalized>>),
}

impl<'de> Deserialize<'de> for LightClient {
    /// Reads what a ledger has written. It is believed: who can write a ledger's state needs no forged header.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts {
            period: u64,
            current: SyncCommittee,
            next: Option<SyncCommittee>,
            best: Option<Candidate>,
            finalized: Limited<Finalized, FINALIZED_MAX>,
        }
        let Parts { period, current, next, best, finalized } = Parts::deserialize(deserializer)?;
        let finalized = finalized.into_inner();
        Self::from_parts(LightParts { period, current, next, best, finalized })
            .map_err(serde::de::Error::custom)
    }
}

impl LightClient {
    /// Begins with the block whose root is `trusted`.
    ///
    /// # Refuses
    /// [`BootstrapRefused`], in its order.
    pub fn new(chain: &Chain, trusted: &Hash, bootstrap: Bootstrap) -> Result<Self, BootstrapRefused> {
        let Bootstrap { header, execution, committee, committee_branch } = bootstrap;
        let root = header.root();
        if root != *trusted {
            return Err(BootstrapRefused::Root { trusted: *trusted, actual: root });
        }
        let fork = chain.schedule().at_slot(header.slot).map_err(BootstrapRefused::Fork)?;
        committee_branch
            .verify(committee.root(), fork.current_sync_committee(), &header.state_root)
            .map_err(BootstrapRefused::Committee)?;
        execution.verify(fork, &header.body_root).map_err(BootstrapRefused::Execution)?;
        committee.keys().map_err(BootstrapRefused::Key)?;

        let period = period_of(header.slot);
        let finalized = vec![Finalized::new(header, fork, execution.block_hash)];
        Ok(Self { period, current: committee, next: None, best: None, finalized })
    }

    /// The period of the present committee.
    pub fn period(&self) -> u64 {
        self.period
    }

    /// The committee of [`LightClient::period`].
    pub fn current(&self) -> &SyncCommittee {
        &self.current
    }

    /// The committee of the period after.
    pub fn next(&self) -> Option<&SyncCommittee> {
        self.next.as_ref()
    }

    /// The newest finalized header.
    ///
    /// # Panics
    /// Never: there is always one.
    pub fn newest(&self) -> &Finalized {
        self.finalized.last().expect("a light client begins with a header and never forgets the last")
    }

    /// The headers that are remembered, in ascending order of slots.
    pub fn finalized(&self) -> &[Finalized] {
        &self.finalized
    }

    /// The remembered header of a slot.
    pub fn at_slot(&self, slot: u64) -> Option<&Finalized> {
        let place = self.finalized.binary_search_by_key(&slot, |header| header.header().slot).ok()?;
        self.finalized.get(place)
    }

    /// Takes an update. `now` is the slot at the caller's time.
    ///
    /// # Refuses
    /// [`UpdateRefused`], in its order.
    pub fn update(&mut self, chain: &Chain, update: &Update, now: u64) -> Result<Progress, UpdateRefused> {
        self.check_slots(chain, update, now)?;
        self.check_news(update)?;
        let header = self.check_proofs(chain, update)?;
        if let Some(contradiction) = self.disagreement(update, header.root()) {
            return Err(UpdateRefused::Contradicts(contradiction));
        }
        let step = self.step(update, header);

        // From here on nothing can fail.
        Ok(self.take(chain, step))
    }

    /// Where the chain has not finalized for [`PATIENCE`] slots before `now`, and the period of the best update seen is over:
    /// goes on to the committee that it told. Returns the period whose committee is known from here on, or `None`
    /// if there is nothing to do.
    pub fn advance(&mut self, now: u64) -> Option<u64> {
        let patience_ends = self.newest().header().slot.saturating_add(PATIENCE);
        let is_due = |best: &mut Candidate| now > patience_ends && period_of(now) > best.period;
        let best = self.best.take_if(is_due)?;
        if best.period > self.period {
            self.rotate();
        }
        self.next = Some(best.committee);
        Some(self.period.saturating_add(1))
    }

    /// Verifies that the committee known has signed `update`, and that this contradicts what was accepted: another
    /// finalized block at a slot, or another next committee. Where the block of the slot was not accepted itself, a later
    /// header that was can remember its root.
    ///
    /// # Refuses
    /// [`ContradictionRefused`], in its order.
    pub fn contradiction(
        &self,
        chain: &Chain,
        update: &Update,
        now: u64,
        remembered: Option<&RememberedRoot>,
    ) -> Result<Contradiction, ContradictionRefused> {
        self.check_slots(chain, update, now).map_err(ContradictionRefused::Update)?;
        let header = self.check_proofs(chain, update).map_err(ContradictionRefused::Update)?;
        if let Some(contradiction) = self.disagreement(update, header.root()) {
            return Ok(contradiction);
        }
        let Some(remembered) = remembered else { return Err(ContradictionRefused::Agrees) };
        let slot = update.finalized.slot;
        let accepted = self.remembered(slot, remembered)?;
        if accepted == *header.root() {
            return Err(ContradictionRefused::Agrees);
        }
        Ok(Contradiction { about: Disputed::Block { slot }, accepted, claimed: *header.root() })
    }

    /// The root of the newest block up to `slot`, from a later header that was accepted.
    ///
    /// # Refuses
    /// [`ContradictionRefused::UnknownHeader`], [`ContradictionRefused::NotRemembered`],
    /// [`ContradictionRefused::Remembered`].
    fn remembered(&self, slot: u64, remembered: &RememberedRoot) -> Result<Hash, ContradictionRefused> {
        let remembered_by = remembered.remembered_by;
        let unknown = ContradictionRefused::UnknownHeader { slot: remembered_by };
        let later = self.at_slot(remembered_by).ok_or(unknown)?;
        let age = remembered_by.checked_sub(slot).filter(|age| (1..=BLOCK_ROOTS).contains(age));
        if age.is_none() {
            return Err(ContradictionRefused::NotRemembered { slot, remembered_by });
        }
        let index = later.fork().block_root(slot);
        remembered
            .branch
            .verify(&remembered.root, index, &later.header().state_root)
            .map_err(ContradictionRefused::Remembered)?;
        Ok(remembered.root)
    }

    /// Signers, slots, forks and periods: what needs no proof.
    fn check_slots(&self, chain: &Chain, update: &Update, now: u64) -> Result<(), UpdateRefused> {
        let signers = update.participation.count();
        if signers < SIGNERS_MIN {
            return Err(UpdateRefused::Signers { signers, least: SIGNERS_MIN });
        }
        let (finalized, attested) = (update.finalized.slot, update.attested.slot);
        let signature = update.signature_slot;
        if signature <= attested || attested < finalized {
            return Err(UpdateRefused::Slots { finalized, attested, signature });
        }
        if signature > now {
            return Err(UpdateRefused::Future { signature, now });
        }
        for slot in [signature.saturating_sub(1), attested, finalized] {
            chain.schedule().at_slot(slot).map_err(UpdateRefused::Fork)?;
        }
        let (period, first) = (period_of(signature), self.period);
        let last = if self.next.is_some() { first.saturating_add(1) } else { first };
        if !(first..=last).contains(&period) {
            return Err(UpdateRefused::Period { period, first, last });
        }
        Ok(())
    }

    /// Whether the update tells anything, if it is true.
    fn check_news(&self, update: &Update) -> Result<(), UpdateRefused> {
        let (finalized, known) = (update.finalized.slot, self.newest().header().slot);
        let is_news = finalized > known || self.fills_next(update) || self.candidate(update).is_some();
        if is_news { Ok(()) } else { Err(UpdateRefused::NotNewer { finalized, known }) }
    }

    /// Every branch, then the signature, then the keys of the next committee: the cheapest first, and the keys, which take
    /// 30 ms, only once the present committee vouches for them.
    fn check_proofs(&self, chain: &Chain, update: &Update) -> Result<Finalized, UpdateRefused> {
        let schedule = chain.schedule();
        let attested_fork = schedule.at_slot(update.attested.slot).map_err(UpdateRefused::Fork)?;
        let finalized_fork = schedule.at_slot(update.finalized.slot).map_err(UpdateRefused::Fork)?;
        let version = schedule.signature_version(update.signature_slot).map_err(UpdateRefused::Fork)?;
        let state_root = &update.attested.state_root;
        let header = Finalized::new(update.finalized.clone(), finalized_fork, update.execution.block_hash);
        update
            .finality_branch
            .verify(header.root(), attested_fork.finalized_root(), state_root)
            .map_err(UpdateRefused::Finality)?;
        update
            .execution
            .verify(finalized_fork, &update.finalized.body_root)
            .map_err(UpdateRefused::Execution)?;
        if let Some(next) = &update.next {
            next.branch
                .verify(next.committee.root(), attested_fork.next_sync_committee(), state_root)
                .map_err(UpdateRefused::Committee)?;
        }
        let signers = match &self.next {
            Some(next) if period_of(update.signature_slot) > self.period => next,
            _ => &self.current,
        };
        let message = signing_root(&update.attested.root(), version, chain.genesis_validators_root());
        signers
            .verify(&update.participation, &message, &update.signature)
            .map_err(UpdateRefused::Signature)?;
        if let Some(next) = &update.next {
            next.committee.keys().map_err(UpdateRefused::Key)?;
        }
        Ok(header)
    }

    /// What the update, whose proofs are right, says against what was accepted.
    fn disagreement(&self, update: &Update, claimed: &Hash) -> Option<Contradiction> {
        let slot = update.finalized.slot;
        if let Some(accepted) = self.at_slot(slot).map(Finalized::root).filter(|root| *root != claimed) {
            let about = Disputed::Block { slot };
            return Some(Contradiction { about, accepted: *accepted, claimed: *claimed });
        }
        // What is not final within the period may stand on blocks that honest signers gave up.
        let periods = [update.attested.slot, slot].map(period_of);
        let next = update.next.as_ref().filter(|_| periods == [self.period; 2])?;
        let accepted = self.next.as_ref().filter(|accepted| accepted.root() != next.committee.root())?;
        let about = Disputed::Committee { period: self.period.saturating_add(1) };
        Some(Contradiction { about, accepted: *accepted.root(), claimed: *next.committee.root() })
    }

    /// Whether the update tells the committee of the next period, for good, and that is missing.
    fn fills_next(&self, update: &Update) -> bool {
        let periods = [update.attested.slot, update.finalized.slot].map(period_of);
        self.next.is_none() && update.next.is_some() && periods == [self.period; 2]
    }

    /// The candidate in an update, if it would be the best one.
    fn candidate(&self, update: &Update) -> Option<Candidate> {
        let attested = period_of(update.attested.slot);
        let wanted = self.period.saturating_add(u64::from(self.next.is_some()));
        let is_of_its_period = attested == wanted && period_of(update.signature_slot) == attested;
        let is_final = period_of(update.finalized.slot) == attested;
        let next = update.next.as_ref().filter(|_| is_of_its_period && !is_final)?;
        let candidate = Candidate {
            period: attested,
            committee: next.committee.clone(),
            signers: u16::try_from(update.participation.count()).unwrap_or(u16::MAX),
            attested: update.attested.slot,
            signed: update.signature_slot,
        };
        let is_best = self.best.as_ref().is_none_or(|best| candidate.rank(best) == Ordering::Less);
        is_best.then_some(candidate)
    }

    fn step(&self, update: &Update, header: Finalized) -> Step {
        let is_newer = header.header().slot > self.newest().header().slot;
        let is_settled = period_of(update.attested.slot) == period_of(update.finalized.slot);
        let next = update.next.as_ref().filter(|_| is_settled).map(|next| next.committee.clone());
        let header = Box::new(header);
        match (self.candidate(update), next) {
            (Some(best), _) => Step::Best(Box::new(best), is_newer.then_some(header)),
            (None, Some(next)) if !is_newer => Step::Committee(next),
            (None, next) => Step::Final { header, next },
        }
    }

    fn take(&mut self, chain: &Chain, step: Step) -> Progress {
        let mut progress = Progress::default();
        match step {
            Step::Final { header, next } => {
                if period_of(header.header().slot) > self.period {
                    self.rotate();
                }
                if let Some(next) = next.filter(|_| period_of(header.header().slot) == self.period) {
                    progress.committee = self.learn(next);
                }
                progress.finalized = Some(header.header().slot);
                self.remember(chain, *header);
            }
            Step::Committee(next) => progress.committee = self.learn(next),
            Step::Best(best, header) => {
                progress.is_best = true;
                self.best = Some(*best);
                if let Some(header) = header {
                    progress.finalized = Some(header.header().slot);
                    self.remember(chain, *header);
                }
            }
        }
        progress
    }

    /// The next period becomes the present one. A candidate of it stays: it tells the committee that is missing from here
    /// on.
    fn rotate(&mut self) {
        self.current = self.next.take().expect("whoever rotates knows the next committee");
        self.period = self.period.saturating_add(1);
        self.best.take_if(|best| best.period != self.period);
    }

    /// The committee of the next period, if it is missing. Candidates for it are done with.
    fn learn(&mut self, next: SyncCommittee) -> Option<u64> {
        if self.next.is_some() {
            return None;
        }
        self.next = Some(next);
        self.best = None;
        Some(self.period.saturating_add(1))
    }

    fn remember(&mut self, chain: &Chain, header: Finalized) {
        self.finalized.push(header);
        let surplus = self.finalized.len().saturating_sub(chain.kept());
        self.finalized.drain(..surplus);
    }
}
