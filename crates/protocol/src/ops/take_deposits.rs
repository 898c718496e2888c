//! Deposits in the custody contract become free balances, by proof, by anyone's call.

use evidence::ethereum::StateNodes;
use evidence::fact::custody::{DepositClaim, DepositsRefused, verify_deposits};
use evidence::{Fact, Verified};

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, AssetId, Epoch};

record! {
    /// Credits the next deposits of a token, in the order in which the custody contract counts them.
    pub struct TakeDeposits {
        /// The token.
        pub asset: AssetId,
        /// The slot of the finalized header whose execution block shows them.
        pub slot: u64,
        /// The next deposits. None proves how many there are, and changes nothing.
        pub deposits: Vec<DepositClaim>,
        /// The nodes that prove the contract's account, its count and each deposit.
        pub nodes: StateNodes,
    }
}

refusals! {
    /// Why deposits are refused.
    {
        AssetNotFound { asset: AssetId } => "asset {asset} is not listed",
        NotFollowed { asset: AssetId } => "asset {asset} has no custody contract on the chain that this ledger follows",
        Halted { until: Epoch } => "the chain has contradicted itself, and nothing enters until epoch {until}",
        TooMany { count: usize, most: usize } => "{count} deposits at once are more than {most}",
        BlockNotOpened { slot: u64 } => "no execution block of a finalized header of slot {slot} is open; open it first",
        NotProven { refused: DepositsRefused } => "{refused}",
        NothingNew { next: u64, count: u64 } => "the contract has {count} deposits and the next one is {next}; none is given",
        NothingMayEnter { most: Amount } => "the asset's caps let {most} more enter for now",
        NotAttested { slot: u64, sum: Amount, most: Amount } => "{sum} would have entered in the period, more than {most}, so the second source has to attest the header of slot {slot} first",
    }
}

/// Deposits in one operation at most: with the count they fill the slots of one proof.
const DEPOSITS_MAX: usize = evidence::ethereum::SLOTS_MAX - 1;

/// What is credited, and where the queue stands after it.
struct Plan {
    credits: Vec<(Address, Amount)>,
    total: Amount,
    next: u64,
    /// Credited of deposit `next`.
    part: Amount,
}

impl TakeDeposits {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Plan { credits, total, next, part } = self.check(state)?;

        // From here on nothing can fail.
        let asset = self.asset;
        for (account, amount) in credits {
            let id = state.accounts.open(account);
            state.accounts.get_mut(id).add_free(asset, amount);
            events.push(Event::Deposited { account, asset, amount });
        }
        let record = state.asset_mut(asset);
        record.deposited.grow(total);
        record.next_deposit = next;
        if let Some(following) = &mut state.ethereum {
            following.count(asset, self.slot, total, part);
        }
        Ok(())
    }

    fn check(&self, state: &State) -> Result<Plan, Refused> {
        let (asset, slot) = (self.asset, self.slot);
        let record = state.asset(asset).ok_or(Refused::AssetNotFound { asset })?;
        let unfollowed = || Refused::NotFollowed { asset };
        let (_, config) =
            state.chain_asset(asset).filter(|_| !state.is_native(asset)).ok_or_else(unfollowed)?;
        let custody = config.custody.as_ref().ok_or_else(unfollowed)?;
        let following = state.ethereum.as_ref().ok_or_else(unfollowed)?;
        if let Some(until) = state.halt() {
            return Err(Refused::Halted { until });
        }
        let count = self.deposits.len();
        if count > DEPOSITS_MAX {
            return Err(Refused::TooMany { count, most: DEPOSITS_MAX });
        }
        let block = following.execution(slot).ok_or(Refused::BlockNotOpened { slot })?;
        let next = record.next_deposit;
        let (count, facts) =
            verify_deposits(block, custody, (asset.number(), next), &self.deposits, &self.nodes)
                .map_err(|refused| Refused::NotProven { refused })?;
        if facts.is_empty() {
            return Err(Refused::NothingNew { next, count });
        }
        let gross = record.deposited.room_below(Amount::new(u128::MAX >> 1));
        let cap = record.supply().room_below(record.cap.min(Amount::LIMIT));
        let most = following.room(asset, config, slot).min(cap).min(gross);
        let part = following.record.flows.get(&asset).map_or(Amount::ZERO, |flow| flow.part);
        let plan = plan(&facts, (next, part), most);
        let is_moved = plan.next > next || plan.part > part;
        if !is_moved {
            return Err(Refused::NothingMayEnter { most });
        }
        let is_attested = following.headers.get(&slot).is_some_and(|opened| opened.is_attested);
        let sum = following.entered(asset, slot).plus(plan.total).unwrap_or(Amount::LIMIT);
        if let Some(most) = config.attested_above.filter(|most| !is_attested && sum > *most) {
            return Err(Refused::NotAttested { slot, sum, most });
        }
        Ok(plan)
    }
}

/// Credits deposits in order until `most` is reached. The last one may be credited in part; the rest of it comes first the next time.
fn plan(facts: &[Verified<Fact>], (next, part): (u64, Amount), most: Amount) -> Plan {
    let mut plan = Plan { credits: Vec::new(), total: Amount::ZERO, next, part };
    for fact in facts {
        let Fact::Deposit { account, amount, .. } = *fact.get() else { continue };
        let due = plan.part.room_below(Amount::new(amount));
        let credit = due.min(plan.total.room_below(most));
        if !credit.is_zero() {
            plan.credits.push((Address(account), credit));
            plan.total.grow(credit);
        }
        if credit < due {
            plan.part.grow(credit);
            break;
        }
        (plan.next, plan.part) = (plan.next.saturating_add(1), Amount::ZERO);
    }
    plan
}
