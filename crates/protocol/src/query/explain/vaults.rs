//! What a vault is worth, at which rates, with whom its stake is, and what may leave it at once.

use super::super::positions::{entries, worth as worth_of};
use super::super::slashes::most_of;
use super::super::vaults::{concentration, instant_room, stakes_of};
use super::slashes::most;
use super::stake::slice;
use super::{Explained, Figure, units_of};
use crate::entries::Key;
use crate::state::State;
use crate::state::positions::Position;
use crate::state::records::RateSource;
use crate::state::vaults::nav::Valuation;
use crate::state::vaults::records::Vault;
use crate::units::{Address, Amount, Epoch, OperatorId, RequestId, VaultId};
use crate::vault::doors::PER_SHARES;
use crate::wide;

const SHARES: &str = "shares";

pub(super) fn of(state: &State, figure: &Figure) -> Option<Explained> {
    let find = |vault| Known::find(state, vault);
    match *figure {
        Figure::VaultStaked { vault } => Some(find(vault)?.staked()),
        Figure::VaultUnvested { vault } => Some(find(vault)?.unvested()),
        Figure::VaultUnwrittenLoss { vault } => Some(find(vault)?.loss().under_page()),
        Figure::VaultNav { vault } => Some(find(vault)?.nav()),
        Figure::VaultPending { vault, request } => find(vault)?.pending(request),
        Figure::VaultPendingTotal { vault } => Some(find(vault)?.pending_total()),
        Figure::VaultNavLow { vault } => Some(find(vault)?.nav_low()),
        Figure::VaultRateAssets { vault } => Some(find(vault)?.rate_assets()),
        Figure::VaultRateLowAssets { vault } => Some(find(vault)?.rate_low_assets()),
        Figure::VaultRateShares { vault } => Some(find(vault)?.rate_shares()),
        Figure::VaultQueueWorth { vault } => Some(find(vault)?.queue_worth()),
        Figure::VaultQuarantine { vault } => Some(find(vault)?.quarantine()),
        Figure::VaultInstant { vault } => Some(find(vault)?.instant()),
        Figure::VaultStake { vault, operator } => find(vault)?.stake(operator),
        Figure::VaultLeaving { vault, operator } => find(vault)?.leaving(operator),
        Figure::VaultStakeShare { vault, operator } => find(vault)?.stake_share(operator),
        Figure::VaultConcentration { vault } => Some(find(vault)?.concentration()),
        Figure::VaultPriceLow { vault } => find(vault)?.price(false),
        Figure::VaultPriceHigh { vault } => find(vault)?.price(true),
        _ => None,
    }
}

/// A vault with what it is worth.
struct Known<'a> {
    state: &'a State,
    id: VaultId,
    vault: &'a Vault,
    value: Valuation,
    account: Address,
    unit: String,
}

impl<'a> Known<'a> {
    fn find(state: &'a State, id: VaultId) -> Option<Self> {
        let vault = state.vault(id)?;
        let (value, account) = (state.value_vault(id)?, state.address_of(vault.account));
        Some(Self { state, id, vault, value, account, unit: units_of(vault.asset) })
    }

    fn stored(&self, name: &str, value: impl ToString) -> Explained {
        Explained::stored(name, value, &self.unit, Key::Vault(self.id))
    }

    fn said(&self, name: &str, value: impl ToString, by: &Figure) -> Explained {
        Explained::said(name, value, &self.unit, by)
    }

    fn computed(&self, name: &str, value: impl ToString, formula: &str, inputs: Vec<Explained>) -> Explained {
        Explained::computed(name, value, &self.unit, formula, inputs)
    }

    /// Its entries of stake.
    fn positions(&self) -> Vec<(u32, Position)> {
        let mut own = entries(self.state, self.vault.account);
        own.retain(|(_, position)| self.state.pool(position.pool).asset == self.vault.asset);
        own
    }

    /// What some of its entries are worth together.
    fn worth_where(&self, name: &str, value: Amount, is_chosen: impl Fn(&Position) -> bool) -> Explained {
        let chosen = self.positions().into_iter().filter(|(_, position)| is_chosen(position));
        let show = |(id, position): (u32, Position)| {
            let worth = worth_of(self.state.pool(position.pool), &position);
            self.said("worth", worth, &Figure::PositionWorth { account: self.account, position: id })
        };
        self.computed(name, value, "sum(worth)", chosen.map(show).collect())
    }

    fn staked(&self) -> Explained {
        self.worth_where("vault_staked", self.value.staked, |_| true)
    }

    fn staked_said(&self) -> Explained {
        self.said("staked", self.value.staked, &Figure::VaultStaked { vault: self.id })
    }

    fn unvested(&self) -> Explained {
        let (_, parts) = self.vault.drip.schedule();
        let parts = parts.iter().map(|part| self.stored("part", part)).collect();
        self.computed("vault_unvested", self.vault.drip.unvested(), "sum(part)", parts)
    }

    fn unvested_said(&self) -> Explained {
        let value = self.vault.drip.unvested();
        self.said("unvested", value, &Figure::VaultUnvested { vault: self.id })
    }

    fn loss(&self) -> Explained {
        let inputs = vec![self.stored("marked", self.vault.marked), self.staked_said()];
        self.computed("loss", self.value.recognised.loss, "max(0, marked - staked)", inputs)
    }

    /// What slashes took of what was withheld for them, by request.
    fn taken(&self) -> Vec<Explained> {
        let show = |(request, contingent): (RequestId, crate::state::vaults::records::Contingent)| {
            let fraction = self.state.taken_by(request, self.vault.asset)?;
            let amount = contingent.amount;
            let own = vec![
                Explained::stored("fraction", fraction, "fraction", Key::Verdict(request)),
                Explained::stored("amount", amount, &self.unit, Key::VaultContingent(self.id, request)),
            ];
            Some(self.computed("taken", fraction.of_up(amount), "ceil(fraction * amount)", own))
        };
        self.state.contingents_of(self.id).filter_map(show).collect()
    }

    /// What pays for a loss before the holders do, and what it pays for.
    fn payers(&self) -> Vec<Explained> {
        let buckets = &self.vault.buckets;
        let mut inputs =
            vec![self.loss(), self.stored("fund", buckets.fund), self.stored("junior", buckets.junior)];
        inputs.extend(self.taken());
        inputs
    }

    fn nav(&self) -> Explained {
        let (vault, value) = (self.vault, &self.value);
        let recognised = &value.recognised;
        let mut paid = recognised.withheld;
        paid.grow(recognised.fund);
        paid.grow(recognised.junior);
        let back = vec![self.staked_said(), self.stored("marked", vault.marked)];
        let regained = vault.marked.room_below(value.staked);
        let inputs = vec![
            self.stored("idle", vault.buckets.idle),
            self.staked_said(),
            self.computed("paid", paid, "min(loss, sum(taken) + fund + junior)", self.payers()),
            self.unvested_said(),
            self.computed("regained", regained, "max(0, staked - marked)", back),
        ];
        self.computed("vault_nav", value.nav, "max(0, idle + staked + paid - unvested - regained)", inputs)
    }

    fn nav_said(&self) -> Explained {
        self.said("nav", self.value.nav, &Figure::VaultNav { vault: self.id })
    }

    /// None of a request that would take nothing, or is not among those that count.
    fn pending(&self, id: RequestId) -> Option<Explained> {
        let (_, value) = self.value.pending.iter().find(|(request, _)| *request == id)?;
        let request = self.state.requests.get(&id)?;
        let unit = &self.unit;
        let mut inputs = Vec::new();
        for (slot, position) in self.positions() {
            let record = self.state.pool(position.pool);
            let is_bonded = position.entered <= request.capture && request.capture <= position.until;
            if record.operator != request.operator || !is_bonded {
                continue;
            }
            let Position { principal, entered, until, pool, .. } = position;
            let at = Key::Position { account: self.account, pool, slot };
            let mut own = vec![Explained::stored("principal", principal, unit, at)];
            let slices = record.stake.left_of_slices(entered, until);
            let owned = slices.filter(|(part, _)| part.is_owned_by(request.set, request.capture));
            own.extend(owned.map(|(part, left)| slice(Key::Pool(pool), part, left)));
            let backing =
                record.stake.owned_worth_up(principal, entered, until, request.set, request.capture);
            let formula = "ceil(principal * sum(slice) / 2^120)";
            let parts = vec![
                most(self.state, id, request),
                Explained::computed("owned", backing, unit, formula, own),
            ];
            let cost = most_of(self.state, request).of_up(backing);
            inputs.push(Explained::computed("cost", cost, unit, "ceil(most * owned)", parts));
        }
        let withheld = self.state.contingents_of(self.id).find(|(request, _)| *request == id);
        inputs.extend(withheld.map(|(_, contingent)| {
            Explained::stored("withheld", contingent.amount, unit, Key::VaultContingent(self.id, id))
        }));
        Some(self.computed("vault_pending", value, "max(0, sum(cost) - sum(withheld))", inputs))
    }

    fn pending_total(&self) -> Explained {
        let pending = self.value.pending.iter().map(|(request, amount)| {
            self.said("pending", amount, &Figure::VaultPending { vault: self.id, request: *request })
        });
        self.computed("vault_pending_total", self.value.pending_total(), "sum(pending)", pending.collect())
    }

    fn nav_low(&self) -> Explained {
        let total = self.value.pending_total();
        let inputs =
            vec![self.nav_said(), self.said("total", total, &Figure::VaultPendingTotal { vault: self.id })];
        self.computed("vault_nav_low", self.value.low(), "max(0, nav - total)", inputs)
    }

    fn rate_assets(&self) -> Explained {
        let (assets, _) = self.state.vault_rates(self.id, &self.value).0.ratio();
        self.computed("vault_rate_assets", assets, "nav + 1", vec![self.nav_said()])
    }

    fn rate_low_assets(&self) -> Explained {
        let (assets, _) = self.state.vault_rates(self.id, &self.value).1.ratio();
        let low = self.said("low", self.value.low(), &Figure::VaultNavLow { vault: self.id });
        self.computed("vault_rate_low_assets", assets, "low + 1", vec![low])
    }

    fn rate_shares(&self) -> Explained {
        let (_, shares) = self.state.vault_rates(self.id, &self.value).0.ratio();
        let supply = self.state.supply_of(self.id);
        let supply = Explained::stored("supply", supply, SHARES, Key::Share(self.vault.share));
        Explained::computed("vault_rate_shares", shares, SHARES, "supply + 1000", vec![supply])
    }

    /// The rate, as two inputs.
    fn rate(&self, is_high: bool) -> Vec<Explained> {
        let (high, low) = self.state.vault_rates(self.id, &self.value);
        let (vault, by) = (self.id, if is_high { high } else { low });
        let (assets, shares) = by.ratio();
        let of =
            if is_high { Figure::VaultRateAssets { vault } } else { Figure::VaultRateLowAssets { vault } };
        vec![
            self.said("assets", assets, &of),
            Explained::said("shares", shares, SHARES, &Figure::VaultRateShares { vault }),
        ]
    }

    fn queue_worth(&self) -> Explained {
        let waiting = self.vault.queue.waiting;
        let value = self.state.vault_rates(self.id, &self.value).0.assets_up(waiting);
        let mut inputs = vec![Explained::stored("waiting", waiting, SHARES, Key::Vault(self.id))];
        inputs.extend(self.rate(true));
        self.computed("vault_queue_worth", value, "ceil(waiting * assets / shares)", inputs)
    }

    fn quarantine(&self) -> Explained {
        let free = self.state.accounts.get(self.vault.account).free(self.vault.asset);
        let buckets = &self.vault.buckets;
        let mut inputs = vec![Explained::stored("free", free, &self.unit, Key::Account(self.account))];
        let drawers = [
            buckets.idle,
            buckets.deposits,
            buckets.escrow,
            buckets.contingent,
            buckets.holdback,
            buckets.fund,
            buckets.junior,
        ];
        inputs.extend(drawers.iter().map(|drawer| self.stored("drawer", drawer)));
        let value = self.state.quarantine(self.id);
        self.computed("vault_quarantine", value, "max(0, free - sum(drawer))", inputs)
    }

    fn instant(&self) -> Explained {
        let vault = self.vault;
        let value = instant_room(self.state, self.id, vault, &self.value);
        if !self.state.is_ticked(self.id) {
            return self.computed("vault_instant", value, "0", Vec::new());
        }
        let inflow = "sum(taken) + min(fund + junior, max(0, loss - sum(taken)))";
        let watermark = vault.terms.instant.watermark;
        let inputs = vec![
            self.stored("idle", vault.buckets.idle),
            self.computed("inflow", self.value.recognised.inflow(), inflow, self.payers()),
            Explained::stored("watermark", watermark, "fraction", Key::Vault(self.id)),
            self.stored("tick_nav", vault.tick.nav),
            self.stored("size", vault.bucket.size),
            self.stored("used", vault.bucket.used),
        ];
        let formula = "max(0, min(idle + inflow - ceil(watermark * tick_nav), size - used))";
        self.computed("vault_instant", value, formula, inputs)
    }

    /// None of an operator with which the vault has nothing.
    fn stake(&self, operator: OperatorId) -> Option<Explained> {
        let own = stakes_of(self.state, self.vault).into_iter().find(|own| own.operator == operator)?;
        let is_own = |position: &Position| self.state.pool(position.pool).operator == operator;
        Some(self.worth_where("vault_stake", own.worth, is_own))
    }

    fn leaving(&self, operator: OperatorId) -> Option<Explained> {
        let own = stakes_of(self.state, self.vault).into_iter().find(|own| own.operator == operator)?;
        let is_own = |position: &Position| {
            self.state.pool(position.pool).operator == operator && position.until != Epoch::NEVER
        };
        Some(self.worth_where("vault_leaving", own.leaving, is_own))
    }

    fn stake_share(&self, operator: OperatorId) -> Option<Explained> {
        let own = stakes_of(self.state, self.vault).into_iter().find(|own| own.operator == operator)?;
        let inputs = vec![
            self.said("stake", own.worth, &Figure::VaultStake { vault: self.id, operator }),
            self.staked_said(),
        ];
        let formula = if self.value.staked.is_zero() { "0" } else { "floor18(stake / staked)" };
        Some(Explained::computed("vault_stake_share", own.share, "fraction", formula, inputs))
    }

    fn concentration(&self) -> Explained {
        let stakes = stakes_of(self.state, self.vault);
        let value = concentration(&stakes);
        let staked = self.value.staked.units();
        let mut inputs = vec![self.staked_said()];
        for stake in stakes.iter().filter(|_| staked > 0) {
            let worth = stake.worth.units();
            let by = Figure::VaultStake { vault: self.id, operator: stake.operator };
            let own = vec![self.said("stake", worth, &by), self.staked_said()];
            let square = wide::mul_div_down(worth, worth, staked);
            inputs.push(self.computed("square", square, "floor(stake * stake / staked)", own));
        }
        let formula = if staked == 0 { "0" } else { "floor18(sum(square) / staked)" };
        Explained::computed("vault_concentration", value, "fraction", formula, inputs)
    }

    /// What the vault would pay for `10^18` of its shares, in `10^-18` of what its asset stands for; none before its tick is done.
    fn price(&self, is_high: bool) -> Option<Explained> {
        let price = self.state.own_price(self.id).filter(|_| self.state.is_ticked(self.id))?;
        let asset = self.state.asset(self.vault.asset)?;
        let at = Key::Asset(self.vault.asset);
        let rate = match asset.source {
            RateSource::One => PER_SHARES,
            RateSource::Proven => u128::from(asset.rate),
        };
        let mut inputs = self.rate(is_high);
        inputs.push(Explained::stored("rate", rate, "10^-18", at));
        inputs.push(Explained::stored("decimals", asset.decimals, "decimals", at));
        let (name, value, formula) = if is_high {
            let formula = "ceil(ceil(10^18 * assets / shares) * rate / 10^decimals)";
            ("vault_price_high", price.high, formula)
        } else {
            let formula = "floor(floor(10^18 * assets / shares) * rate / 10^decimals)";
            ("vault_price_low", price.low, formula)
        };
        Some(Explained::computed(name, value, PRICE, formula, inputs))
    }
}

/// The unit of prices of shares.
pub(super) const PRICE: &str = "10^-18 of the unit, for 10^18 shares";

impl Explained {
    /// The loss as a figure of its own.
    fn under_page(self) -> Self {
        Self { name: "vault_unwritten_loss".to_owned(), ..self }
    }
}
