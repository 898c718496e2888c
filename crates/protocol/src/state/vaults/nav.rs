//! What a vault is worth, read from the ledger as it is.

use super::super::State;
use super::records::Vault;
use crate::event::Event;
use crate::state::positions::Position;
use crate::state::records::Request;
use crate::units::{Amount, Fraction, OperatorId, RequestId, VaultId};
use crate::vault::rate::Rate;
use crate::vault::waterfall::{self, Recognised};

/// How many open requests a low price counts: the largest.
pub(crate) const PENDING_MAX: usize = 32;

/// What a vault is worth.
#[derive(Clone, Debug)]
pub(crate) struct Valuation {
    /// What its positions are worth, each rounded down.
    pub(crate) staked: Amount,
    /// A loss since the vault was last touched, and who pays for it.
    pub(crate) recognised: Recognised,
    /// What goes from the contingent amounts to the exits they were withheld from.
    pub(crate) released: Amount,
    /// `NAV_hi`.
    pub(crate) nav: Amount,
    /// What each open request would cost beyond what was withheld for it, the largest first.
    pub(crate) pending: Vec<(RequestId, Amount)>,
}

impl Valuation {
    /// What all open requests would cost.
    pub(crate) fn pending_total(&self) -> Amount {
        Amount::total(self.pending.iter().map(|(_, amount)| *amount)).unwrap_or(self.nav)
    }

    /// `NAV_lo`.
    pub(crate) fn low(&self) -> Amount {
        self.pending_total().room_below(self.nav)
    }
}

impl State {
    /// What a vault is worth, with every loss since it was last touched shared already. Costs as many positions as it has.
    pub(crate) fn value_vault(&self, id: VaultId) -> Option<Valuation> {
        let vault = self.vault(id)?;
        let (staked, mut pending) = self.walk(vault);
        let (mut taken, mut released) = (Amount::ZERO, Amount::ZERO);
        for (request, contingent) in self.contingents_of(id) {
            match (contingent.taken, self.taken_by(request, vault)) {
                (None, Some(fraction)) => {
                    let kept = fraction.of_up(contingent.amount);
                    taken.grow(kept);
                    released.grow(kept.room_below(contingent.amount));
                }
                (None, None) => {
                    if let Some((_, cost)) = pending.iter_mut().find(|(open, _)| *open == request) {
                        *cost = contingent.amount.room_below(*cost);
                    }
                }
                (Some(_), _) => {}
            }
        }
        let loss = staked.room_below(vault.marked);
        let recognised = waterfall::recognise(loss, taken, vault.buckets.fund, vault.buckets.junior);
        let nav = nav(vault, staked, &recognised);
        pending.retain(|(_, cost)| !cost.is_zero());
        pending.sort_by(|(a, more), (b, less)| less.cmp(more).then(a.cmp(b)));
        pending.truncate(PENDING_MAX);
        Some(Valuation { staked, recognised, released, nav, pending })
    }

    /// The high and the low rate of a vault.
    pub(crate) fn vault_rates(&self, id: VaultId, valuation: &Valuation) -> (Rate, Rate) {
        let supply = self.supply_of(id);
        (Rate::of(valuation.nav, supply), Rate::of(valuation.low(), supply))
    }

    /// What positions are worth together, and what each open request would cost them.
    fn walk(&self, vault: &Vault) -> (Amount, Vec<(RequestId, Amount)>) {
        let mut staked = Amount::ZERO;
        let mut pending: Vec<(RequestId, Amount)> = Vec::new();
        let is_quiet = self.vaults.open_requests.len() == 0;
        for (_, position) in self.positions.list(self.accounts.get(vault.account).first_position) {
            let pool = self.pool(position.pool);
            if pool.asset != vault.asset {
                continue;
            }
            staked.grow(pool.stake.worth(position.principal, position.entered, position.until));
            if !is_quiet {
                self.add_pending(pool.operator, position, &mut pending);
            }
        }
        (staked, pending)
    }

    fn add_pending(&self, operator: OperatorId, position: &Position, pending: &mut Vec<(RequestId, Amount)>) {
        for id in self.open_requests_against(operator) {
            let Some(request) = self.requests.get(&id) else { continue };
            let cost = self.cost_of(request, position);
            match pending.iter_mut().find(|(open, _)| *open == id) {
                Some((_, sum)) => sum.grow(cost),
                None => pending.push((id, cost)),
            }
        }
    }

    /// What a request would take of a position at most, rounded up.
    fn cost_of(&self, request: &Request, position: &Position) -> Amount {
        if request.capture < position.entered || request.capture > position.until {
            return Amount::ZERO;
        }
        let Position { principal, entered, until, .. } = *position;
        let stake = &self.pool(position.pool).stake;
        let owned = stake.owned_worth_up(principal, entered, until, request.set, request.capture);
        self.worst_of(request).of_up(owned)
    }

    /// The most that a request may take of what its set owned: its fraction, or the window cap.
    pub(crate) fn worst_of(&self, request: &Request) -> Fraction {
        let cap = self.set(request.set).map_or(Fraction::ONE, |set| set.terms_in(request.capture).window_cap);
        request.fraction.min(cap)
    }

    /// Requests against an operator that are open, ascending.
    pub(crate) fn open_requests_against(&self, operator: OperatorId) -> impl Iterator<Item = RequestId> {
        let listed = self.vaults.open_requests.starting_at((operator, RequestId::new(0)));
        listed.take_while(move |((of, _), ())| *of == operator).map(|((_, id), ())| *id)
    }

    /// The share of what a request could cost that it took of a vault's asset; `None` while it is open.
    fn taken_by(&self, request: RequestId, vault: &Vault) -> Option<Fraction> {
        let verdict = self.vaults.verdicts.get(&request).filter(|verdict| verdict.is_over)?;
        let taken = verdict.taken.iter().find(|(asset, _)| *asset == vault.asset);
        Some(taken.map_or(Fraction::ZERO, |(_, fraction)| *fraction))
    }

    /// Writes what [`State::value_vault`] found: everything that follows happens at the rate after the loss.
    pub(crate) fn touch_vault(&mut self, id: VaultId, events: &mut Vec<Event>) -> Valuation {
        let valuation = self.value_vault(id).expect("the vault was checked");
        let Recognised { surplus, fund, junior, pool, loss, .. } = valuation.recognised;
        let ended = self.end_contingents(id);
        let vault = self.vault(id).expect("the vault was checked");
        let (marked, unvested) = (vault.marked, vault.drip.unvested());
        if !ended && marked == valuation.staked {
            return valuation;
        }
        let mut before = vault.buckets.idle;
        before.grow(marked);
        let before = unvested.room_below(before);
        let vault = self.vault_mut(id);
        vault.buckets.fund.shrink(fund);
        vault.buckets.junior.shrink(junior);
        vault.buckets.idle.grow(valuation.recognised.inflow());
        // What rounding gave back of a position counts little by little, as any gain.
        let mut gain = marked.room_below(valuation.staked);
        gain.grow(surplus);
        vault.drip.credit(vault.tick.epoch, vault.terms.drip, gain);
        vault.marked = valuation.staked;
        vault.left = waterfall::left_after(vault.left, pool.min(before), before);
        let mut gross = vault.buckets.idle;
        gross.grow(vault.marked);
        vault.drip.cut_to(gross);
        if !loss.is_zero() {
            events.push(Event::VaultLost {
                vault: id,
                loss,
                withheld: valuation.recognised.withheld,
                fund,
                junior,
                pool,
            });
        }
        valuation
    }
}

/// `idle + positions - unvested`, after a loss was shared.
fn nav(vault: &Vault, staked: Amount, recognised: &Recognised) -> Amount {
    let mut gross = vault.buckets.idle;
    gross.grow(recognised.inflow());
    gross.grow(staked);
    let mut unvested = vault.drip.unvested();
    unvested.grow(recognised.surplus);
    unvested.grow(vault.marked.room_below(staked));
    unvested.room_below(gross)
}
