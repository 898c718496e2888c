//! The followed Ethereum, and what is behind the withdrawal addresses of native stake.

use evidence::ethereum::Finalized;

use super::{Page, page_of};
use crate::state::State;
use crate::state::ethereum::{Following, Pod};
use crate::state::records::Validator;
use crate::units::{Address, Amount, AssetId, Digest, Epoch, ValidatorId};

answer! {
    /// How Ethereum is followed.
    pub struct ChainView {
        /// Its number in the origins of assets.
        pub number: u64,
        /// The block at which the light client begins.
        pub trusted: Digest,
        /// The fork that rules at the time of the newest block, if its layout is known.
        pub fork: Option<String>,
        /// The slot at the time of the newest block.
        pub slot: u64,
        /// The period of the sync committee that signs, once the chain is begun.
        pub period: Option<u64>,
        /// Whether the committee of the period after is known.
        pub knows_next: bool,
        /// Slots since the newest final one.
        pub age: Option<u64>,
        /// The headers that can be proven against, ascending.
        pub headers: Vec<HeaderView>,
        /// The contradiction that stops what enters and leaves.
        pub halt: Option<HaltView>,
        /// What came in of each asset.
        pub flows: Vec<FlowView>,
    }
}

answer! {
    /// A finalized header.
    pub struct HeaderView {
        /// Its slot.
        pub slot: u64,
        /// Its root.
        pub root: Digest,
        /// The hash of the execution block that it names.
        pub block_hash: Digest,
        /// The number of that block, once it is open.
        pub block: Option<u64>,
        /// Whether the second source has attested it.
        pub is_attested: bool,
    }
}

answer! {
    /// A sync committee has contradicted itself.
    pub struct HaltView {
        /// The first epoch in which it is over, unless governance decides before.
        pub until: Epoch,
        /// The slot that it is about.
        pub slot: u64,
        /// The root that was accepted.
        pub accepted: Digest,
        /// The other one.
        pub claimed: Digest,
    }
}

answer! {
    /// What came in of an asset by proof.
    pub struct FlowView {
        /// The asset.
        pub asset: AssetId,
        /// The last period in which something did.
        pub period: u64,
        /// How much in it.
        pub entered: Amount,
        /// How much may in one period.
        pub per_period: Amount,
    }
}

answer! {
    /// What is behind a withdrawal address.
    pub struct PodDetail {
        /// The number of its stake.
        pub validator: ValidatorId,
        /// Whose it is.
        pub account: Address,
        /// The native asset.
        pub asset: AssetId,
        /// The withdrawal address.
        pub pod: Address,
        /// Whether its contract pays out what this ledger releases.
        pub is_own: bool,
        /// The slot of the last report.
        pub slot: u64,
        /// The epoch of the last report.
        pub proven: Epoch,
        /// The epoch from which on it is stale.
        pub stale_from: Epoch,
        /// How many validators it has.
        pub validators: u32,
        /// What counts of its worth.
        pub balance: Amount,
        /// What can be delegated or released.
        pub free: Amount,
        /// Slashed here and not yet burned.
        pub slashed: Amount,
        /// Worth above what may enter in a period.
        pub withheld: Amount,
        /// All that its contract may pay to the owner.
        pub released: Amount,
        /// All that its contract has to burn.
        pub burned: Amount,
        /// The slot of a state that shows a slashed validator, until the pod is reported again.
        pub flagged: Option<u64>,
        /// What is left of the deposit that rewards whoever proves a slashing or a loss.
        pub deposit: Amount,
    }
}

/// How Ethereum is followed; nothing where it is not. Costs as there are headers.
pub fn chain(state: &State) -> Option<ChainView> {
    let (following, config) = (state.ethereum.as_ref()?, state.genesis.ethereum.as_ref()?);
    let slot = state.chain_slot();
    let newest = following.light.as_deref().map(|light| light.newest().header().slot);
    let flows = following.record.flows.iter().map(|(asset, flow)| FlowView {
        asset: *asset,
        period: flow.period,
        entered: flow.entered,
        per_period: state.chain_asset(*asset).map_or(Amount::ZERO, |(_, config)| config.per_period),
    });
    let halt = following.record.halt.filter(|halt| halt.until > state.epoch);
    Some(ChainView {
        number: config.number,
        trusted: state.trusted_root()?,
        fork: following.chain.schedule().at_slot(slot).ok().map(|fork| fork.name().to_owned()),
        slot,
        period: following.record.periods.map(|(period, _)| period),
        knows_next: following.record.periods.is_some_and(|(_, knows)| knows),
        age: newest.map(|newest| slot.saturating_sub(newest)),
        headers: headers(following),
        halt: halt.map(|halt| HaltView {
            until: halt.until,
            slot: halt.slot,
            accepted: halt.accepted,
            claimed: halt.claimed,
        }),
        flows: flows.collect(),
    })
}

fn headers(following: &Following) -> Vec<HeaderView> {
    let view = |header: &Finalized| {
        let slot = header.header().slot;
        let opened = following.headers.get(&slot);
        HeaderView {
            slot,
            root: Digest(*header.root()),
            block_hash: Digest(*header.block_hash()),
            block: opened.and_then(|opened| opened.execution.as_ref()).map(|block| block.number()),
            is_attested: opened.is_some_and(|opened| opened.is_attested),
        }
    };
    following.light.iter().flat_map(|light| light.finalized()).map(view).collect()
}

/// One pod.
pub fn pod(state: &State, id: ValidatorId) -> Option<PodDetail> {
    Some(detail(state, id, state.validator(id)?, state.pods.get(&id)?))
}

/// Pods by their numbers, after one of them. Native stake without one, which development ledgers have, is left out.
pub fn pods(state: &State, after: Option<ValidatorId>, limit: usize) -> Page<PodDetail> {
    page_of(state.validators.len(), after.map(ValidatorId::number), limit, |number| {
        pod(state, ValidatorId::new(number))
    })
}

fn detail(state: &State, id: ValidatorId, record: &Validator, pod: &Pod) -> PodDetail {
    PodDetail {
        validator: id,
        account: state.address_of(record.account),
        asset: record.asset,
        pod: pod.address,
        is_own: pod.is_own,
        slot: pod.slot,
        proven: record.proven,
        stale_from: state.stale_from(id, record),
        validators: u32::try_from(pod.validators.len()).unwrap_or(u32::MAX),
        balance: record.balance,
        free: record.free,
        slashed: record.slashed,
        withheld: pod.withheld,
        released: pod.released,
        burned: pod.burned,
        flagged: pod.flagged.map(|(slot, _)| slot),
        deposit: pod.deposit,
    }
}
