//! What is behind a withdrawal address of Ethereum, by proof, by anyone's call: a checkpoint.

use evidence::ethereum::{StateNodes, UnderWay, ValidatorsProof};
use evidence::fact::pod::{PodClaim, PodRefused, PodWorth, Shown, verify_pod};

use super::report_validator::lose;
use crate::ethereum::PodKind;
use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::ethereum::Pod;
use crate::state::records::Validator;
use crate::units::{Address, Amount, AssetId, Epoch, ValidatorId};
use crate::wide;

record! {
    /// Reports everything behind an account's withdrawal address at one finalized slot: validators, balances, the account itself. What is
    /// more than before is new free stake; what is less takes the same share of all that was there.
    pub struct ReportPod {
        /// The native asset.
        pub asset: AssetId,
        /// Whose pod it is; the sender's where it is not given.
        #[serde(default)]
        pub account: Option<Address>,
        /// The slot of the finalized header.
        pub slot: u64,
        /// All its validators, with balances. Without balances a part of them is counted.
        pub validators: ValidatorsProof,
        /// The nodes that prove its account, after the execution block that the header names. Without them the account counts as nothing.
        #[serde(default)]
        pub nodes: Option<StateNodes>,
        /// The withdrawals that the state holds under way, from Gloas on. Without them nothing of them is counted.
        #[serde(default)]
        pub under_way: Option<UnderWay>,
    }
}

refusals! {
    /// Why a report is refused.
    {
        AssetNotFound { asset: AssetId } => "asset {asset} is not listed",
        NotFollowed { asset: AssetId } => "asset {asset} is no native stake of the chain that this ledger follows",
        Halted { until: Epoch } => "the chain has contradicted itself, and nothing enters until epoch {until}",
        NoPod { account: Address } => "account {account} has no pod: it is not in the genesis' list, and there is no factory",
        StateNotFound { slot: u64 } => "no finalized header of slot {slot} is remembered, nor does the genesis vouch for its state",
        NotLater { slot: u64, last: u64 } => "slot {slot} is not later than {last}, of which the pod was last reported",
        BlockNotOpened { slot: u64 } => "the execution block of slot {slot} is not open; open it first",
        NotProven { refused: PodRefused } => "{refused}",
        ValidatorMissing { validator: u64 } => "validator {validator} is known to be of the pod, and is not in the report",
        TooManyValidators { count: usize, most: usize } => "{count} validators are more than a pod may have, {most}",
        NothingThere => "the pod is worth nothing",
        Incomplete { worth: Amount, known: Amount } => "the report leaves something out and shows {worth}, less than the {known} that are known; only a whole one may lower it",
        Unseen { worth: Amount, known: Amount, slot: u64 } => "{worth} is less than the {known} that are known, and what was paid out or consolidated may stand in a validator that is not shown; slot {slot} has said so before, so show it, or report a slot before the payout",
        NotAttested { slot: u64, sum: Amount, most: Amount } => "{sum} would have entered in the period, more than {most}, so the second source has to attest the header of slot {slot} first",
        DepositMissing { deposit: Amount, free: Amount } => "the deposit of {deposit} exceeds the free balance {free}",
    }
}

/// Validators of one pod at most: as many as one proof holds.
const VALIDATORS_MAX: usize = evidence::ethereum::VALIDATORS_MAX;

/// What a report would do.
struct Plan {
    account: Address,
    address: Address,
    kind: PodKind,
    known: Option<ValidatorId>,
    worth: PodWorth,
    /// In base units, without what was released.
    total: Amount,
    counted: Amount,
    deposit: Amount,
    /// Something is gone and perhaps only not shown: the first epoch in which the pod is stale for it.
    unseen: Option<Epoch>,
}

impl ReportPod {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let plan = self.check(state, sender)?;

        // From here on nothing can fail.
        let Plan { account, total, counted, .. } = plan;
        if let (Some(due), Some(id)) = (plan.unseen, plan.known) {
            if let Some(pod) = state.pods.get_mut(&id) {
                pod.flagged = Some((self.slot, due));
            }
            events.push(Event::PodFlagged { validator: id, account, slot: self.slot, due });
            return Ok(());
        }
        let id = plan.known.unwrap_or_else(|| self.add(state, sender, &plan));
        let old = state.validator(id).map_or(Amount::ZERO, |record| record.balance);
        state.validator_mut(id).proven = state.epoch;
        if let Some(pod) = state.pods.get_mut(&id) {
            pod.slot = plan.worth.slot;
            pod.withheld = counted.room_below(total);
            pod.validators = plan.worth.validators;
            if pod.flagged.is_some_and(|(flagged, _)| flagged < pod.slot) {
                pod.flagged = None;
            }
        }
        if counted < old {
            lose(state, id, counted);
            reward(state, id, sender, (old, counted), events);
        } else {
            let gain = old.room_below(counted);
            state.validator_mut(id).balance = counted;
            state.validator_mut(id).free.grow(gain);
            state.asset_mut(self.asset).gained.grow(gain);
            if let Some(following) = &mut state.ethereum {
                let part = following.record.flows.get(&self.asset).map_or(Amount::ZERO, |flow| flow.part);
                following.count(self.asset, self.slot, gain, part);
            }
        }
        let withheld = counted.room_below(total);
        events.push(Event::PodReported {
            validator: id,
            account,
            asset: self.asset,
            slot: self.slot,
            old,
            balance: counted,
            withheld,
        });
        Ok(())
    }

    fn check(&self, state: &State, sender: Address) -> Result<Plan, Refused> {
        let (asset, slot) = (self.asset, self.slot);
        let record = state.asset(asset).ok_or(Refused::AssetNotFound { asset })?;
        let unfollowed = || Refused::NotFollowed { asset };
        let (_, config) =
            state.chain_asset(asset).filter(|_| state.is_native(asset)).ok_or_else(unfollowed)?;
        let scale = scale(record.decimals).ok_or_else(unfollowed)?;
        if let Some(until) = state.halt() {
            return Err(Refused::Halted { until });
        }
        let account = self.account.unwrap_or(sender);
        let pod = state.genesis.ethereum.as_ref().and_then(|config| config.pod_of(account));
        let (address, kind) = pod.ok_or(Refused::NoPod { account })?;
        let source = state.source(slot).ok_or(Refused::StateNotFound { slot })?;
        let known = state.pod_of_account(asset, account);
        if let Some(last) = known.map(|(_, pod)| pod.slot).filter(|last| slot <= *last) {
            return Err(Refused::NotLater { slot, last });
        }
        let worth = self.worth(state, address, kind, &source.state)?;
        let is_in =
            |list: &[Shown], index| list.binary_search_by_key(&index, |shown: &Shown| shown.index).is_ok();
        let is_shown =
            |known: &Shown| is_in(&worth.validators, known.index) || is_in(&worth.gone, known.index);
        let missing = known.and_then(|(_, pod)| pod.validators.iter().find(|known| !is_shown(known)));
        if let Some(Shown { index: validator, .. }) = missing.copied() {
            return Err(Refused::ValidatorMissing { validator });
        }
        let count = worth.validators.len();
        if count > VALIDATORS_MAX {
            return Err(Refused::TooManyValidators { count, most: VALIDATORS_MAX });
        }
        let total = worth.gwei.checked_mul(scale).map(Amount::new).filter(|total| *total <= Amount::LIMIT);
        let out =
            known.map_or(Amount::ZERO, |(_, pod)| pod.released.plus(pod.burned).unwrap_or(Amount::LIMIT));
        let total = out.room_below(total.unwrap_or(Amount::LIMIT));
        if known.is_none() && total.is_zero() {
            return Err(Refused::NothingThere);
        }
        let balance =
            known.and_then(|(id, _)| state.validator(id)).map_or(Amount::ZERO, |record| record.balance);
        if !worth.is_complete && total < balance {
            return Err(Refused::Incomplete { worth: total, known: balance });
        }
        let unseen = match known {
            Some(known) if total < balance => self.unseen(state, known, &worth, (total, balance))?,
            _ => None,
        };
        let Some(following) = &state.ethereum else { return Err(unfollowed()) };
        let cap = record.supply().room_below(record.cap.min(Amount::LIMIT));
        let most = following.room(asset, config, slot).min(cap);
        let gain = balance.room_below(total).min(most);
        let counted = total.min(balance.plus(gain).unwrap_or(balance));
        let sum = following.entered(asset, slot).plus(gain).unwrap_or(Amount::LIMIT);
        let needs = !gain.is_zero() && !source.is_attested;
        if let Some(most) = config.attested_above.filter(|most| needs && sum > *most) {
            return Err(Refused::NotAttested { slot, sum, most });
        }
        let deposit = if known.is_none() { state.parameters().object_deposit } else { Amount::ZERO };
        state.can_post(sender, deposit).map_err(|free| Refused::DepositMissing { deposit, free })?;
        let known = known.map(|(id, _)| id);
        Ok(Plan { account, address, kind, known, worth, total, counted, deposit, unseen })
    }

    /// Whether a fall may be none. What left a validator that nobody slashed, and is not on the account, may have been consolidated into one
    /// that this report does not show, and would come back as free stake: out of every pool, and out of what was slashed. So it is no loss as
    /// long as anything is liable; the pod is stale until somebody shows where it is.
    fn unseen(
        &self,
        state: &State,
        (id, pod): (ValidatorId, &Pod),
        worth: &PodWorth,
        (total, balance): (Amount, Amount),
    ) -> Result<Option<Epoch>, Refused> {
        if pod.left(worth) == 0 || !state.is_liable(id) {
            return Ok(None);
        }
        if let Some((slot, _)) = pod.flagged {
            return Err(Refused::Unseen { worth: total, known: balance, slot });
        }
        let epochs = state.genesis.ethereum.as_ref().map_or(1, |config| config.due_epochs);
        Ok(Some(state.epoch.later(epochs)))
    }

    /// What the proof shows.
    fn worth(
        &self,
        state: &State,
        address: Address,
        kind: PodKind,
        source: &evidence::ethereum::BeaconState,
    ) -> Result<PodWorth, Refused> {
        let slot = self.slot;
        let execution = state.ethereum.as_ref().and_then(|following| following.execution(slot));
        let account = match &self.nodes {
            Some(nodes) => Some((execution.ok_or(Refused::BlockNotOpened { slot })?, nodes)),
            None => None,
        };
        let factory = state.genesis.ethereum.as_ref().and_then(|config| config.factory.as_ref());
        let paid = factory.filter(|_| kind == PodKind::Own).map(|factory| &factory.paid);
        let claim = PodClaim {
            address: &address.0,
            paid,
            validators: &self.validators,
            account,
            under_way: self.under_way.as_ref(),
        };
        verify_pod(source, &claim)
            .map(evidence::Verified::into_inner)
            .map_err(|refused| Refused::NotProven { refused })
    }

    fn add(&self, state: &mut State, sender: Address, plan: &Plan) -> ValidatorId {
        let payer = state.accounts.open(sender);
        state.post(payer, plan.deposit);
        let account = state.accounts.open(plan.account);
        let number = u64::try_from(state.validators.len()).unwrap_or(u64::MAX);
        let id = state.validators.push(Validator {
            number,
            asset: self.asset,
            account,
            balance: Amount::ZERO,
            free: Amount::ZERO,
            slashed: Amount::ZERO,
            proven: state.epoch,
        });
        let pod = Pod {
            address: plan.address,
            is_own: plan.kind == PodKind::Own,
            slot: 0,
            withheld: Amount::ZERO,
            released: Amount::ZERO,
            burned: Amount::ZERO,
            flagged: None,
            deposit: plan.deposit,
            validators: Vec::new(),
        };
        state.pods.insert(id, pod);
        id
    }
}

/// Base units of a gwei: the asset counts in gwei or finer.
fn scale(decimals: u8) -> Option<u128> {
    10_u128.checked_pow(u32::from(decimals).checked_sub(9)?)
}

/// Whoever proves a loss that is large enough gets a part of the pod's deposit.
fn reward(
    state: &mut State,
    id: ValidatorId,
    sender: Address,
    (old, new): (Amount, Amount),
    events: &mut Vec<Event>,
) {
    let Some(config) = &state.genesis.ethereum else { return };
    let threshold = Amount::new(wide::mul_div_down(
        old.units(),
        u128::from(config.reward_above.steps()),
        u128::from(crate::units::Fraction::STEPS),
    ));
    if new.room_below(old) > threshold {
        pay_reward(state, id, sender, events);
    }
}

/// A part of a pod's deposit goes to whoever has proven what lowers it.
pub(crate) fn pay_reward(state: &mut State, id: ValidatorId, sender: Address, events: &mut Vec<Event>) {
    let Some(share) = state.genesis.ethereum.as_ref().map(|config| config.reward) else { return };
    let Some(pod) = state.pods.get_mut(&id).filter(|pod| !pod.deposit.is_zero()) else { return };
    let amount = Amount::new(wide::mul_div_down(
        pod.deposit.units(),
        u128::from(share.steps()),
        u128::from(crate::units::Fraction::STEPS),
    ));
    pod.deposit.shrink(amount);
    let account = state.accounts.open(sender);
    state.return_deposit(account, amount);
    if !amount.is_zero() {
        events.push(Event::ProofRewarded { validator: id, account: sender, amount });
    }
}
