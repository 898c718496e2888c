//! One operation: what becomes of it by the semantics, and what it does.

use protocol::units::Address;
use protocol::{Authority, Event, Operation, Signer};

use super::{Model, Verdict};

impl Model {
    /// Carries an operation out, or says with which code it is refused. `events` are the ledger's, for its whole units.
    pub(crate) fn apply(
        &mut self,
        authority: &Authority,
        operation: &Operation,
        events: &[Event],
    ) -> Result<(), String> {
        self.pools.iter_mut().for_each(|pool| pool.is_settled = false);
        if let Signer::Delegate { address, .. } = &authority.signer {
            self.check_grant(authority.account, *address, operation)
                .map_err(|name| format!("authority.{name}"))?;
        }
        let verdict = self.carry(operation, authority.account, events);
        verdict.map_err(|name| format!("{}.{name}", operation.kind()))?;
        if let Signer::Delegate { address, .. } = &authority.signer {
            self.count_moved(authority.account, *address, operation);
        }
        Ok(())
    }

    /// Whether whole units that nobody shows decide what becomes of an operation, and the exact numbers are too near to tell.
    pub(crate) fn is_borderline(&self, authority: &Authority, operation: &Operation) -> bool {
        match operation {
            Operation::Undelegate(op) => self.is_undelegation_borderline(op, authority.account),
            Operation::DeclareProfit(op) => self.is_profit_borderline(op),
            Operation::ChangeTerms(op) => self.is_change_borderline(op.set, &op.terms),
            Operation::JoinSet(op) => self.is_join_borderline(op, authority.account),
            _ => false,
        }
    }

    fn carry(&mut self, operation: &Operation, sender: Address, events: &[Event]) -> Verdict {
        match operation {
            Operation::SetKeys(_) | Operation::SetGroups(_) => Ok(()),
            Operation::Grant(op) => self.grant(op, sender),
            Operation::Revoke(op) => self.revoke(op, sender),
            Operation::SetClaimer(op) => self.set_claimer(op, sender),
            Operation::ListAsset(op) => self.list_asset(op, sender),
            Operation::Deposit(op) => self.deposit(op, sender),
            Operation::ReportRate(op) => self.report_rate(op),
            Operation::ReportValidator(op) => self.report_validator(op, sender),
            Operation::DeclareStale(op) => self.declare_stale(op),
            Operation::Withdraw(op) => self.withdraw(op, sender),
            Operation::Delegate(op) => self.delegate(op, sender),
            Operation::Undelegate(op) => self.undelegate(op, sender, events),
            Operation::ReplaceFollowUp(op) => self.replace_follow_up(op, sender),
            Operation::Release(op) => self.release(op, sender, events),
            Operation::Claim(op) => self.claim(op, sender, events),
            Operation::SetCompounding(op) => self.set_compounding(op, sender),
            Operation::Compound(op) => self.compound(op, sender, events),
            Operation::RegisterOperator(_) => self.register_operator(sender),
            Operation::RetireOperator(_) => self.retire_operator(sender),
            Operation::OpenPool(op) => self.open_pool(op, sender),
            Operation::ChangeMandate(op) => self.change_mandate(op, sender),
            Operation::SetCommission(op) => self.set_commission(op, sender),
            Operation::SetSplit(op) => self.set_split(op, sender),
            Operation::RaiseBond(op) => self.raise_bond(op, sender),
            Operation::LowerBond(op) => self.lower_bond(op, sender),
            Operation::ReleaseBond(op) => self.release_bond(op),
            _ => self.carry_of_sets(operation, sender, events),
        }
    }

    fn carry_of_sets(&mut self, operation: &Operation, sender: Address, events: &[Event]) -> Verdict {
        match operation {
            Operation::JoinSet(op) => self.join_set(op, sender, events),
            Operation::LeaveSet(op) => self.leave_set(op, sender),
            Operation::Allocate(op) => self.allocate(op, sender, events),
            Operation::Consent(op) => self.consent(op, sender),
            Operation::RegisterKey(op) => self.register_key(op, sender),
            Operation::Unjail(op) => self.unjail(op, sender),
            Operation::CreateService(_) => self.create_service(sender),
            Operation::CreateSet(op) => self.create_set(op, sender),
            Operation::ChangeTerms(op) => self.change_terms(op, sender),
            Operation::WithdrawTerms(op) => self.withdraw_terms(op, sender),
            Operation::CloseSet(op) => self.close_set(op, sender),
            Operation::Admit(op) => self.admit(op, sender),
            Operation::Eject(op) => self.eject(op, sender),
            Operation::Jail(op) => self.jail(op, sender),
            Operation::DeclareProfit(op) => self.declare_profit(op, sender),
            Operation::ReportPerformance(op) => self.report_performance(op, sender),
            Operation::OpenStream(op) => self.open_stream(op, sender),
            Operation::EndStream(op) => self.end_stream(op, sender),
            Operation::PayWork(op) => self.pay_work(op, sender),
            Operation::SubmitEquivocation(op) => self.submit_equivocation(op, events),
            Operation::RequestSlash(op) => self.request_slash(op, sender),
            Operation::VetoSlash(op) => self.veto_slash(op, sender),
            Operation::ApproveSlash(op) => self.approve_slash(op, sender),
            Operation::ExecuteSlash(op) => self.execute_slash(op, sender, events),
            Operation::Correlate(op) => self.correlate(op, events),
            Operation::ReleaseProceeds(op) => self.release_proceeds(op),
            Operation::ProposeParameters(op) => self.propose_parameters(op, sender),
            Operation::GovernAsset(op) => self.govern_asset(op, sender),
            Operation::Guard(op) => self.guard(op, sender),
            _ => Ok(()),
        }
    }
}
