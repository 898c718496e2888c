//! A vault's guardian lowers its risk. It has no other word.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::ops::undelegate;
use crate::state::State;
use crate::units::{Address, Amount, Epoch, Fraction, OperatorId, RouteId, ShareId, Shares, VaultId};

record! {
    /// Lowers the risk of a vault, at once.
    pub struct VaultGuard {
        /// The vault.
        pub vault: VaultId,
        /// How.
        pub action: GuardAction,
    }
}

record! {
    /// What a guardian can do. Nothing of it stops a request, a settlement or a claim.
    pub enum GuardAction {
        /// No deposits for 7 epochs; then they can't be stopped for 21.
        StopDeposits,
        /// Takes in less.
        CutCap {
            /// The most that the vault takes in: less than before.
            cap: Amount,
        },
        /// Asks stake back.
        Undelegate {
            /// From which operator.
            operator: OperatorId,
            /// How much; all of it where it is not given.
            #[serde(default)]
            amount: Option<Amount>,
        },
        /// Has less with an operator from now on.
        CutBands {
            /// The operator.
            operator: OperatorId,
            /// The most of the net asset value that may be with it.
            most: Fraction,
        },
        /// Lets less come home by a route of the vault's shares.
        CutRoute {
            /// The route.
            route: RouteId,
            /// Its cap from now on: less than before.
            cap: Shares,
        },
        /// No more deposits ever; all stake is asked back, tick by tick, and whoever holds shares can leave.
        WindDown,
    }
}

refusals! {
    /// Why the guardian is refused.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        NotTheGuardian { guardian: Address } => "the vault's guardian is {guardian}, and its council may do the same",
        StoppedLately { again: Epoch } => "deposits may be stopped again from epoch {again} on",
        NotLess { cap: Amount, current: Amount } => "a cap of {cap} is not less than {current}",
        RouteNotFound { route: RouteId } => "the vault's shares have no route {route}",
        RouteNotLess { cap: Shares, current: Shares } => "a cap of {cap} is not less than the route's {current}",
        LeaveRefused { refused: undelegate::Refused } => "{refused}",
        WindingDown => "the vault is winding down already",
    }
}

/// Epochs for which a guardian stops deposits, and after which it may again.
pub(crate) const STOP_EPOCHS: u32 = 7;
const REST_EPOCHS: u32 = 21;

fn check_route(state: &State, share: ShareId, route: RouteId, cap: Shares) -> Result<(), Refused> {
    let found = state.route(route).filter(|found| found.share == share);
    let current = found.ok_or(Refused::RouteNotFound { route })?.terms.cap;
    if cap >= current { Err(Refused::RouteNotLess { cap, current }) } else { Ok(()) }
}

impl VaultGuard {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.vault;
        let vault = state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let guardian = vault.terms.guardian;
        if sender != guardian && sender != vault.terms.council {
            return Err(Refused::NotTheGuardian { guardian });
        }
        let now = state.epoch;
        match &self.action {
            GuardAction::StopDeposits if vault.stop.again > now => {
                return Err(Refused::StoppedLately { again: vault.stop.again });
            }
            GuardAction::CutCap { cap } if *cap >= vault.terms.cap => {
                return Err(Refused::NotLess { cap: *cap, current: vault.terms.cap });
            }
            GuardAction::CutRoute { route, cap } => check_route(state, vault.share, *route, *cap)?,
            GuardAction::WindDown if vault.is_winding_down => return Err(Refused::WindingDown),
            GuardAction::Undelegate { operator, amount } => {
                state
                    .check_vault_leave(id, *operator, *amount)
                    .map_err(|refused| Refused::LeaveRefused { refused })?;
            }
            _ => {}
        }

        // From here on nothing can fail.
        state.touch_vault(id, events);
        if let GuardAction::Undelegate { operator, amount } = self.action {
            state.vault_undelegate(id, operator, amount, events).expect("it was checked");
            state.remark_vault(id);
        }
        match self.action {
            GuardAction::CutBands { operator, most } => state.cut_bands(id, operator, most),
            GuardAction::CutRoute { route, cap } => {
                state.route_mut(route).terms.cap = cap;
                events.push(Event::RouteCut { route, cap });
            }
            _ => {}
        }
        let vault = state.vault_mut(id);
        match &self.action {
            GuardAction::StopDeposits => {
                vault.stop.until = now.later(STOP_EPOCHS);
                vault.stop.again = vault.stop.until.later(REST_EPOCHS);
            }
            GuardAction::CutCap { cap } => {
                vault.terms.cap = *cap;
                if let Some((_, pending)) = &mut vault.pending {
                    pending.cap = pending.cap.min(*cap);
                }
            }
            GuardAction::Undelegate { .. } | GuardAction::CutBands { .. } | GuardAction::CutRoute { .. } => {}
            GuardAction::WindDown => vault.is_winding_down = true,
        }
        events.push(Event::VaultGuarded { vault: id, by: sender });
        Ok(())
    }
}
