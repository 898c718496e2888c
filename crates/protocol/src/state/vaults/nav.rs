//! What a vault is worth, read from the ledger as it is.

use super::super::State;
use super::records::Vault;
use crate::event::Event;
use crate::state::positions::Position;
use crate::state::records::Request;
use crate::units::{Amount, AssetId, Epoch, Fraction, OperatorId, RequestId, VaultId};
use crate::vault::defence::{Defence, is_on};
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
        if is_on(Defence::LowPrice) { self.pending_total().room_below(self.nav) } else { self.nav }
    }
}

impl State {
    /// What a vault is worth, with every loss since it was last touched shared already. Costs as many positions as it has.
    pub(crate) fn value_vault(&self, id: VaultId) -> Option<Valuation> {
        let vault = self.vault(id)?;
        let (staked, mut pending) = self.walk(vault);
        let staked = if is_on(Defence::Recognition) { staked } else { vault.marked };
        let mut taken = Amount::ZERO;
        for (request, contingent) in self.contingents_of(id) {
            match self.taken_by(request, vault.asset) {
                Some(fraction) => taken.grow(fraction.of_up(contingent.amount)),
                None => {
                    if let Some((_, cost)) = pending.iter_mut().find(|(open, _)| *open == request) {
                        *cost = contingent.amount.room_below(*cost);
                    }
                }
            }
        }
        let loss = staked.room_below(vault.marked);
        let recognised = waterfall::recognise(loss, taken, vault.buckets.fund, vault.buckets.junior);
        let mut nav = nav(vault, staked, &recognised);
        if !is_on(Defence::Quarantine) {
            nav.grow(self.quarantine(id));
        }
        pending.retain(|(_, cost)| !cost.is_zero());
        pending.sort_by(|(a, more), (b, less)| less.cmp(more).then(a.cmp(b)));
        pending.truncate(PENDING_MAX);
        Some(Valuation { staked, recognised, nav, pending })
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
        let is_quiet = self.vaults.open_requests.is_empty();
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

    /// What positions are worth together.
    pub(super) fn staked_of(&self, id: VaultId) -> Amount {
        let vault = self.vault(id).expect("the vault was checked");
        let listed = self.positions.list(self.accounts.get(vault.account).first_position);
        let worth = |(_, position): (u32, &Position)| {
            let pool = self.pool(position.pool);
            let worth = pool.stake.worth(position.principal, position.entered, position.until);
            (pool.asset == vault.asset).then_some(worth)
        };
        listed.filter_map(worth).fold(Amount::ZERO, |sum, worth| sum.plus(worth).unwrap_or(sum))
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
    pub(crate) fn taken_by(&self, request: RequestId, asset: AssetId) -> Option<Fraction> {
        let verdict = self.vaults.verdicts.get(&request).filter(|verdict| verdict.is_over)?;
        let taken = verdict.taken.iter().find(|(of, _)| *of == asset);
        Some(taken.map_or(Fraction::ZERO, |(_, fraction)| *fraction))
    }

    /// Writes what [`State::value_vault`] found: everything that follows happens at the rate after the loss.
    pub(crate) fn touch_vault(&mut self, id: VaultId, events: &mut Vec<Event>) -> Valuation {
        let valuation = self.value_vault(id).expect("the vault was checked");
        let (now, supply) = (self.epoch, self.supply_of(id));
        let ended = self.end_contingents(id);
        let Recognised { surplus, fund, junior, pool, loss, withheld } = valuation.recognised;
        let vault = self.vault(id).expect("the vault was checked");
        let (marked, unvested, touched) = (vault.marked, vault.drip.unvested(), vault.touched);
        if !ended && marked == valuation.staked && touched == now {
            return valuation;
        }
        let mut before = vault.buckets.idle;
        before.grow(marked);
        let before = unvested.room_below(before);
        let vault = self.vault_mut(id);
        vault.touched = now;
        vault.buckets.fund.shrink(fund);
        vault.buckets.idle.grow(valuation.recognised.inflow());
        // What rounding gave back of a position counts little by little, as any gain.
        let mut gain = marked.room_below(valuation.staked);
        gain.grow(surplus);
        vault.drip.credit(now, vault.terms.drip, gain);
        vault.marked = valuation.staked;
        let mut gross = vault.buckets.idle;
        gross.grow(vault.marked);
        vault.drip.cut_to(gross);
        if !pool.is_zero() {
            let left = waterfall::left_after(vault.left, pool.min(before), before);
            vault.left = left;
            vault.tick.price = vault.tick.price.min(Rate::of(valuation.nav, supply));
            // It happened then or later: who was to be paid in full by then is not charged twice for waiting.
            self.vaults.losses.insert((id, touched), left);
        }
        if !loss.is_zero() {
            events.push(Event::VaultLost { vault: id, loss, withheld, fund, junior, pool });
        }
        if !junior.is_zero() {
            self.bear_junior_loss(id, junior, events);
        }
        valuation
    }

    /// What was left of a share at the end of an epoch.
    pub(crate) fn left_at(&self, id: VaultId, epoch: Epoch) -> u128 {
        let found = self.vaults.losses.last_upto(&(id, epoch)).filter(|((of, _), _)| *of == id);
        found.map_or(waterfall::WHOLE, |(_, left)| *left)
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
