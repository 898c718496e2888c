//! Anyone executes a request that nobody vetoed.

use crate::event::{Event, PoolReceipt};
use crate::macros::{record, refusals};
use crate::slashing::{self, Order};
use crate::state::State;
use crate::state::records::{Request, RequestState};
use crate::units::{Address, Amount, AssetId, Epoch, Fraction, RequestId};

record! {
    /// Executes a request after its veto window and before it lapses. The sender gets the tip from the request's deposit.
    pub struct ExecuteSlash {
        /// The request.
        pub request: RequestId,
    }
}

refusals! {
    /// Why an execution is refused.
    {
        RequestNotFound { request: RequestId } => "request {request} does not exist",
        NotOpen { request: RequestId } => "request {request} is not open",
        TooEarly { from: Epoch } => "the request may be executed from epoch {from} on",
        Lapsed { last: Epoch } => "the request could be executed until epoch {last}",
        NeedsApproval { share: Fraction, most: Fraction, approvals: usize, threshold: usize } => "with it {share} of the weight would be slashed for reasons within the window, more than {most}; that needs {threshold} resolvers' yes, and has {approvals}",
        SlashRefused { refused: slashing::Refused } => "{refused}",
    }
}

impl ExecuteSlash {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.request;
        let request = state.requests.get(&id).cloned().ok_or(Refused::RequestNotFound { request: id })?;
        if request.state != RequestState::Open {
            return Err(Refused::NotOpen { request: id });
        }
        let (from, last) = state.request_window(&request);
        if state.epoch < from {
            return Err(Refused::TooEarly { from });
        }
        if state.epoch > last {
            return Err(Refused::Lapsed { last });
        }
        check_mass(state, &request)?;
        let order = Order {
            set: request.set,
            operator: request.operator,
            capture: request.capture,
            fraction: request.fraction,
            offence: request.offence(),
            reason: request.reason.clone(),
            evidence: None,
            victims: request.victims.clone(),
        };
        let plan = slashing::plan(state, &order).map_err(|refused| Refused::SlashRefused { refused })?;

        // From here on nothing can fail.
        let slash = slashing::carry_out(state, &order, &plan, events);
        let taken = taken_of(state, &request, plan.fraction, events);
        state.note_ended(id, taken);
        let tip = state.parameters().execution_tip.of_down(request.deposit);
        let executor = state.accounts.open(sender);
        state.return_deposit(executor, tip);
        state.return_deposit(request.requester, tip.room_below(request.deposit));
        if let Some(request) = state.requests.get_mut(&id) {
            request.state = RequestState::Executed(slash);
            request.deposit = Amount::ZERO;
        }
        Ok(())
    }
}

/// By asset, the share of the most that the request could cost stakers that the slash, of `fraction`, has cost them: a cap may have cut it,
/// and a bond may have paid. Rounded down.
fn taken_of(
    state: &State,
    request: &Request,
    fraction: Fraction,
    events: &[Event],
) -> Vec<(AssetId, Fraction)> {
    let Some(Event::Slashed { pools, .. }) = events.last() else { return Vec::new() };
    let steps = |fraction: Fraction| Amount::new(u128::from(fraction.steps()));
    let uncut = Fraction::ratio_down(steps(fraction), steps(state.worst_of(request)));
    let of_stakers = |pool: &PoolReceipt| {
        let all = pool.stake.plus(pool.bond).unwrap_or(pool.stake);
        (pool.asset, uncut.times_down(Fraction::ratio_down(pool.stake, all)))
    };
    pools.iter().map(of_stakers).collect()
}

/// A set's mass bound: slashes for reasons within the window that take more of the weight need the resolvers' yes.
fn check_mass(state: &State, request: &Request) -> Result<(), Refused> {
    let Some(record) = state.set(request.set) else { return Ok(()) };
    let terms = record.terms_in(request.capture);
    let most = terms.mass_slash_max;
    if most == Fraction::ONE {
        return Ok(());
    }
    let since = state.epoch.next().earlier(state.parameters.at(request.capture).reach());
    let mut operators: Vec<_> = Vec::new();
    for (operator, executed) in &record.executed {
        let recent = executed.iter().filter(|executed| executed.is_subjective && executed.executed >= since);
        operators.extend(recent.map(|executed| (*operator, executed.capture)));
    }
    operators.push((request.operator, request.capture));
    operators.sort_unstable();
    operators.dedup_by_key(|(operator, _)| *operator);
    let share = operators.iter().fold(Fraction::ZERO, |sum, (operator, capture)| {
        let share = record.table_of(*capture).map_or(Fraction::ZERO, |table| table.share(*operator));
        sum.plus_up_to_one(share)
    });
    let (approvals, threshold) = (request.approvals.len(), terms.veto_threshold());
    if share <= most || (!terms.resolvers.is_empty() && approvals >= threshold) {
        return Ok(());
    }
    Err(Refused::NeedsApproval { share, most, approvals, threshold })
}
