//! What a ledger knows of Ethereum: its light client, the blocks it has opened, what came in by proof, and whether a contradiction
//! has stopped it. What is believed is for `evidence` to say.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use evidence::ethereum::{
    BeaconState, Candidate, Chain, Execution, Finalized, LightClient, LightParts, Progress, Schedule,
    SyncCommittee, period_of,
};

use evidence::fact::pod::{PodWorth, Shown};

use super::State;
use super::records::{Asset, Validator};
use super::shelf::{Book, Touched};
use crate::ethereum::{ChainAsset, Ethereum};
use crate::units::{Address, Amount, AssetId, Digest, Epoch, ValidatorId};

/// The followed chain.
#[derive(Clone, Debug)]
pub(crate) struct Following {
    /// With the schedule in force.
    pub(crate) chain: Arc<Chain>,
    pub(crate) record: Record,
    pub(crate) light: Option<Arc<LightClient>>,
    /// What is known besides the header, of each that is remembered.
    pub(crate) headers: Book<u64, Opened>,
    pub(crate) touched: Touched<Part>,
}

/// What changes with updates and deposits, in one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Where governance has changed the genesis'.
    pub(crate) schedule: Option<Schedule>,
    pub(crate) trusted: Option<Digest>,
    /// The period of the present committee, and whether the next one is known; once the light client has begun.
    pub(crate) periods: Option<(u64, bool)>,
    pub(crate) halt: Option<Halt>,
    /// The last period whose committee was shown to contradict itself.
    pub(crate) contradicted: Option<u64>,
    pub(crate) flows: BTreeMap<AssetId, Flow>,
}

/// A stop of what enters and leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Halt {
    /// First epoch in which it is over.
    pub(crate) until: Epoch,
    pub(crate) slot: u64,
    pub(crate) accepted: Digest,
    pub(crate) claimed: Digest,
}

/// What came in of an asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flow {
    pub(crate) period: u64,
    pub(crate) entered: Amount,
    /// Already credited of the next deposit.
    pub(crate) part: Amount,
    /// Slot of the newest block that has told its rate.
    pub(crate) rated: u64,
}

/// What is known of a finalized header besides itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opened {
    pub(crate) execution: Option<Execution>,
    /// Whether the second source has attested it.
    pub(crate) is_attested: bool,
}

/// The entry of a header.
#[derive(Serialize, Deserialize)]
pub(crate) struct HeaderEntry {
    pub(crate) header: Finalized,
    pub(crate) opened: Opened,
}

/// Entries that are no headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Record,
    Committee(u64),
    Candidate,
}

/// What is known of a withdrawal address, besides the record of its stake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pod {
    pub(crate) address: Address,
    /// Whether its contract takes orders of this ledger.
    pub(crate) is_own: bool,
    /// Slot of the last report.
    pub(crate) slot: u64,
    /// Worth that is not counted: it came above what may enter in a period.
    pub(crate) withheld: Amount,
    /// All that its contract may pay to the owner.
    pub(crate) released: Amount,
    /// All that its contract has to burn.
    pub(crate) burned: Amount,
    /// The slot of a state that shows a slashed validator, or less than there was without showing where it is; and the first epoch in which
    /// the pod is stale for it. Until a report of a later slot.
    pub(crate) flagged: Option<(u64, Epoch)>,
    /// Whoever proves a slashing or a loss gets a part of it.
    pub(crate) deposit: Amount,
    /// Its validators as the last report showed them, ascending.
    pub(crate) validators: Vec<Shown>,
}

impl Pod {
    /// The validator with this index, if the last report showed it.
    pub(crate) fn validator(&self, index: u64) -> Option<&Shown> {
        let place = self.validators.binary_search_by_key(&index, |shown| shown.index).ok()?;
        self.validators.get(place)
    }

    /// Gwei that unslashed validators which are paid out had in the last report and have not in this one. It went to the pod's account, or by
    /// a consolidation to another validator: perhaps to one that nobody has shown.
    pub(crate) fn left(&self, now: &PodWorth) -> u128 {
        let paid_out = now.validators.iter().chain(&now.gone);
        let paid_out = paid_out.filter(|shown| shown.is_withdrawable && !shown.is_slashed);
        let left = paid_out.map(|shown| {
            let before = self.validator(shown.index).map_or(0, |known| known.gwei);
            u128::from(before.saturating_sub(shown.gwei))
        });
        left.fold(0, u128::saturating_add)
    }
}

impl Following {
    pub(crate) fn new(genesis: &Ethereum) -> Self {
        Self {
            chain: Arc::new(genesis.chain.clone()),
            record: Record::default(),
            light: None,
            headers: Book::default(),
            touched: Touched::default(),
        }
    }

    /// The record, to write it.
    pub(crate) fn record_mut(&mut self) -> &mut Record {
        self.touched.note(&Part::Record);
        &mut self.record
    }

    /// Takes the schedule that governance has announced.
    pub(crate) fn set_schedule(&mut self, schedule: Schedule) {
        let kept = u16::try_from(self.chain.kept()).expect("it was a u16");
        let (root, time) = (*self.chain.genesis_validators_root(), self.chain.genesis_time());
        let chain = Chain::new(root, time, schedule.clone(), kept).expect("so many headers are kept already");
        self.chain = Arc::new(chain);
        self.record_mut().schedule = Some(schedule);
    }

    /// Forgets what was believed: the next `begin_chain` starts at another block.
    pub(crate) fn restart(&mut self, trusted: Digest) {
        for part in self.parts() {
            self.touched.note(&part);
        }
        self.light = None;
        self.headers.retain(|_, _| false);
        let record = self.record_mut();
        (record.trusted, record.periods) = (Some(trusted), None);
        (record.halt, record.contradicted) = (None, None);
    }

    /// Which entries besides headers there are.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let mut parts = vec![Part::Record];
        if let Some(light) = &self.light {
            parts.push(Part::Committee(light.period()));
            parts.extend(light.next().map(|_| Part::Committee(light.period().saturating_add(1))));
            parts.extend(light.best().map(|_| Part::Candidate));
        }
        parts
    }

    /// Puts what a light client has become in its place, and notes what is other than before.
    pub(crate) fn set_light(&mut self, light: LightClient) {
        let before = self.light.take();
        let committees = |light: &LightClient| -> Vec<u64> {
            let next = light.next().map(|_| light.period().saturating_add(1));
            std::iter::once(light.period()).chain(next).collect()
        };
        let (old, new) = (before.as_deref().map(committees).unwrap_or_default(), committees(&light));
        for period in old.iter().chain(&new).filter(|period| !(old.contains(period) && new.contains(period)))
        {
            self.touched.note(&Part::Committee(*period));
        }
        if before.as_deref().and_then(LightClient::best) != light.best() {
            self.touched.note(&Part::Candidate);
        }
        let kept: Vec<u64> = light.finalized().iter().map(|header| header.header().slot).collect();
        self.headers.retain(|slot, _| kept.binary_search(slot).is_ok());
        for slot in kept {
            if !self.headers.contains_key(&slot) {
                self.headers.insert(slot, Opened::default());
            }
        }
        self.record_mut().periods = Some((light.period(), light.next().is_some()));
        self.light = Some(Arc::new(light));
    }

    /// Takes an update at a slot.
    pub(crate) fn updated(
        &self,
        update: &evidence::ethereum::Update,
        now: u64,
    ) -> Option<Result<(LightClient, Progress), evidence::ethereum::UpdateRefused>> {
        let mut light = LightClient::clone(self.light.as_deref()?);
        light.advance(now);
        Some(light.update(&self.chain, update, now).map(|progress| (light, progress)))
    }

    /// The remembered header of a slot.
    pub(crate) fn header(&self, slot: u64) -> Option<&Finalized> {
        self.light.as_deref()?.at_slot(slot)
    }

    /// The execution block that was opened for the header of a slot.
    pub(crate) fn execution(&self, slot: u64) -> Option<&Execution> {
        self.headers.get(&slot)?.execution.as_ref()
    }

    pub(crate) fn committee(&self, period: u64) -> Option<&SyncCommittee> {
        let light = self.light.as_deref()?;
        let after = period.checked_sub(light.period())?;
        if after == 0 { Some(light.current()) } else { light.next().filter(|_| after == 1) }
    }

    /// How much of an asset may still enter by a proof about `slot`: a proof of an earlier period counts with the later one.
    pub(crate) fn room(&self, asset: AssetId, config: &ChainAsset, slot: u64) -> Amount {
        self.entered(asset, slot).room_below(config.per_period)
    }

    /// How much of an asset has entered in the period of `slot`, or in a later one.
    pub(crate) fn entered(&self, asset: AssetId, slot: u64) -> Amount {
        let flow = self.record.flows.get(&asset).filter(|flow| period_of(slot) <= flow.period);
        flow.map_or(Amount::ZERO, |flow| flow.entered)
    }

    /// The slot of the newest block that has told the rate of an asset.
    pub(crate) fn rated(&self, asset: AssetId) -> u64 {
        self.record.flows.get(&asset).map_or(0, |flow| flow.rated)
    }

    /// Counts what has entered.
    pub(crate) fn count(&mut self, asset: AssetId, slot: u64, entered: Amount, part: Amount) {
        let flow = self.record_mut().flows.entry(asset).or_default();
        if period_of(slot) > flow.period {
            (flow.period, flow.entered) = (period_of(slot), Amount::ZERO);
        }
        flow.entered.grow(entered);
        flow.part = part;
    }

    /// Puts entries together.
    pub(crate) fn restore(&mut self, parts: Restored) -> Result<(), String> {
        let Restored { record, mut committees, candidate, headers } = parts;
        if let Some(schedule) = record.schedule.clone() {
            self.set_schedule(schedule);
        }
        if let Some((period, has_next)) = record.periods {
            let missing = |period: u64| format!("entry committee/{period} is missing");
            let current = committees.remove(&period).ok_or_else(|| missing(period))?;
            let after = period.saturating_add(1);
            let next = committees.remove(&after);
            if next.is_some() != has_next {
                return Err(missing(after));
            }
            let finalized = headers.values().map(|entry| entry.header.clone()).collect();
            let parts = LightParts { period, current, next, best: candidate, finalized };
            self.light = Some(Arc::new(LightClient::from_parts(parts).map_err(|why| why.to_string())?));
        }
        for (slot, entry) in headers {
            self.headers.insert(slot, entry.opened);
        }
        self.record = record;
        Ok(())
    }
}

/// The entries of a followed chain while they are read.
#[derive(Default)]
pub(crate) struct Restored {
    pub(crate) record: Record,
    pub(crate) committees: BTreeMap<u64, SyncCommittee>,
    pub(crate) candidate: Option<Candidate>,
    pub(crate) headers: BTreeMap<u64, HeaderEntry>,
}

/// Where something about the consensus layer may be proven.
pub(crate) struct Source {
    pub(crate) state: BeaconState,
    /// Whether a second source has attested it, or the genesis vouches for it.
    pub(crate) is_attested: bool,
}

impl State {
    /// Which asset of the followed chain it is, and how it enters.
    pub(crate) fn chain_asset(&self, asset: AssetId) -> Option<(&Asset, &ChainAsset)> {
        let record = self.asset(asset)?;
        let config = self.genesis.ethereum.as_ref()?;
        let is_there = record.origin.chain == config.number;
        config.asset(&record.origin.contract).filter(|_| is_there).map(|entry| (record, entry))
    }

    /// Until which epoch a contradiction has stopped what enters and leaves of an asset.
    pub(crate) fn halted(&self, asset: AssetId) -> Option<Epoch> {
        let number = self.genesis.ethereum.as_ref()?.number;
        let record = self.asset(asset).filter(|record| record.origin.chain == number);
        record.and_then(|_| self.halt())
    }

    /// Until which epoch a contradiction has stopped the chain.
    pub(crate) fn halt(&self) -> Option<Epoch> {
        let halt = self.ethereum.as_ref()?.record.halt?;
        (halt.until > self.epoch).then_some(halt.until)
    }

    /// The block at which the light client begins.
    pub(crate) fn trusted_root(&self) -> Option<Digest> {
        let config = self.genesis.ethereum.as_ref()?;
        let changed = self.ethereum.as_ref().and_then(|following| following.record.trusted);
        Some(changed.unwrap_or(config.trusted))
    }

    /// The slot at the block's time; 0 before the chain began.
    pub(crate) fn chain_slot(&self) -> u64 {
        let chain = self.ethereum.as_ref().map(|following| &following.chain);
        chain.and_then(|chain| chain.slot_at(self.time)).unwrap_or(0)
    }

    /// The state of a slot against which validators are proven: of a header that is remembered, or one that the genesis vouches for.
    pub(crate) fn source(&self, slot: u64) -> Option<Source> {
        let following = self.ethereum.as_ref()?;
        if let Some(header) = following.header(slot) {
            let is_attested = following.headers.get(&slot).is_some_and(|opened| opened.is_attested);
            return Some(Source { state: header.state(), is_attested });
        }
        let config = self.genesis.ethereum.as_ref()?;
        let trusted = config.states.iter().find(|state| state.slot == slot && state.until >= self.epoch)?;
        Some(Source { state: config.state_of(trusted).ok()?, is_attested: true })
    }

    /// From which epoch on native stake is stale: so long after it was last proven, or once a report is overdue that a slashing on its
    /// chain asked for.
    pub(crate) fn stale_from(&self, id: ValidatorId, record: &Validator) -> Epoch {
        let since = record.proven.later(self.parameters().stale_after);
        let due = self.pods.get(&id).and_then(|pod| pod.flagged).map(|(_, due)| due);
        due.map_or(since, |due| due.min(since))
    }

    /// Whether anything of native stake stands in a pool, or was slashed and is not yet burned. What is free there and not fetched counts too:
    /// a part of it may be slashed.
    pub(crate) fn is_liable(&self, id: ValidatorId) -> bool {
        let Some(record) = self.validator(id) else { return false };
        let first = self.accounts.get(record.account).first_position;
        let mut own = self.positions.list(first).filter(|(_, position)| position.validator() == Some(id));
        !record.slashed.is_zero() || own.next().is_some()
    }

    /// The pod of an account, if anything of it was ever reported.
    pub(crate) fn pod_of_account(&self, asset: AssetId, account: Address) -> Option<(ValidatorId, &Pod)> {
        let account = self.accounts.find(account)?;
        let own = self.validators.of(account).filter(|(_, validator)| validator.asset == asset);
        own.filter_map(|(id, _)| Some((id, self.pods.get(&id)?))).next()
    }
}
