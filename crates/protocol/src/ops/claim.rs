//! Rewards that were earned become a free balance.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{AccountId, Address, Amount, AssetId, OperatorId};

record! {
    /// Settles what an account's stake in a pool has earned and pays out its claimable rewards.
    pub struct Claim {
        /// Whose rewards; the sender's where it is not given. Another may claim only as the account's claimer.
        #[serde(default)]
        pub account: Option<Address>,
        /// Settle the stake with this operator; without it only what is settled already is paid.
        #[serde(default)]
        pub operator: Option<OperatorId>,
        /// And of this asset; every pool of the operator without it.
        #[serde(default)]
        pub asset: Option<AssetId>,
        /// Pay this token only; every token without it.
        #[serde(default)]
        pub token: Option<AssetId>,
        /// To whose free balance; the account's own where it is not given.
        #[serde(default)]
        pub to: Option<Address>,
    }
}

refusals! {
    /// Why a claim is refused.
    {
        NotTheClaimer { account: Address } => "the sender is not the claimer of {account}",
        OperatorNotFound { operator: OperatorId } => "operator {operator} is not registered",
        NothingToClaim => "there is nothing to claim",
    }
}

impl Claim {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let owner = self.account.unwrap_or(sender);
        let account = state.accounts.find(owner);
        let claimer =
            account.and_then(|account| state.accounts.get(account).extra()).and_then(|extra| extra.claimer);
        if owner != sender && claimer != Some(sender) {
            return Err(Refused::NotTheClaimer { account: owner });
        }
        if let Some(operator) = self.operator
            && state.operator(operator).is_none()
        {
            return Err(Refused::OperatorNotFound { operator });
        }
        let account = account.ok_or(Refused::NothingToClaim)?;
        let positions = self.positions(state, account);
        if !self.is_anything_due(state, account, &positions) {
            return Err(Refused::NothingToClaim);
        }

        // From here on nothing can fail.
        for id in positions {
            state.settle(id);
        }
        let to = self.to.unwrap_or(owner);
        for (token, amount) in self.claimable(state, account) {
            state.accounts.get_mut(account).change(token, |balance| balance.claimable.shrink(amount));
            let receiver = if to == owner { account } else { state.accounts.open(to) };
            state.accounts.get_mut(receiver).add_free(token, amount);
            events.push(Event::Claimed { account: owner, token, amount, to });
        }
        Ok(())
    }

    fn positions(&self, state: &State, account: AccountId) -> Vec<u32> {
        let Some(operator) = self.operator else { return Vec::new() };
        let first = state.accounts.get(account).first_position;
        let is_meant = |pool: crate::units::PoolId| {
            let record = state.pool(pool);
            record.operator == operator && self.asset.is_none_or(|asset| record.asset == asset)
        };
        state
            .positions
            .list(first)
            .filter(|(_, position)| is_meant(position.pool))
            .map(|(id, _)| id)
            .collect()
    }

    fn is_anything_due(&self, state: &State, account: AccountId, positions: &[u32]) -> bool {
        if !self.claimable(state, account).is_empty() {
            return true;
        }
        positions.iter().any(|id| {
            let position = state.positions.get(*id);
            let stake = &state.pool(position.pool).stake;
            let due = stake.due(position.principal, position.entered, position.until, position.settled);
            let is_meant = |reserve: usize| {
                let token = stake.reserves().get(reserve).map(|reserve| reserve.token);
                self.token.is_none_or(|wanted| token == Some(wanted))
            };
            due.iter().any(|(reserve, _)| is_meant(*reserve))
        })
    }

    fn claimable(&self, state: &State, account: AccountId) -> Vec<(AssetId, Amount)> {
        let balances = state.accounts.get(account).balances().iter();
        let is_meant = |token: AssetId| self.token.is_none_or(|wanted| wanted == token);
        let mut claimable: Vec<_> = balances
            .filter(|balance| is_meant(balance.asset) && !balance.claimable.is_zero())
            .map(|balance| (balance.asset, balance.claimable))
            .collect();
        claimable.sort_unstable();
        claimable
    }
}
