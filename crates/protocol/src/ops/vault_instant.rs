//! A holder leaves at once, for a fee, with a part held back until no slash of today's stake is possible.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::nav::Valuation;
use crate::state::vaults::records::Holdback;
use crate::units::{Address, Amount, Epoch, Fraction, Shares, VaultId};
use crate::vault::defence::{Defence, is_on};
use crate::vault::instant;

record! {
    /// Shares leave now, at the low price.
    pub struct VaultInstant {
        /// The vault.
        pub vault: VaultId,
        /// How many.
        pub shares: Shares,
        /// The least that is paid at once.
        #[serde(default)]
        pub amount_min: Amount,
    }
}

refusals! {
    /// Why an instant exit is refused.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        SharesAreZero => "it is for no shares",
        ExceedsShares { shares: Shares, ripe: Shares } => "{shares} shares exceed the {ripe} that the sender had before this epoch",
        TickPending { epoch: Epoch, now: Epoch } => "the vault's tick of epoch {epoch} is not done, and it is epoch {now}; anyone may go on with it",
        OverBucket { gross: Amount, left: Amount } => "{gross} exceeds the {left} that is left of the epoch's instant exits",
        BelowWatermark { gross: Amount, idle: Amount, watermark: Amount } => "{gross} would leave less of the idle {idle} than the watermark {watermark}",
        PaysTooLittle { paid: Amount, least: Amount } => "it would pay {paid} at once, and {least} was asked for",
    }
}

/// What an instant exit moves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    /// At the low price.
    pub(crate) gross: Amount,
    /// At the high price.
    pub(crate) worth: Amount,
    pub(crate) fee: Amount,
    pub(crate) held: Amount,
    pub(crate) paid: Amount,
}

/// What shares would get.
pub(crate) fn quote(state: &State, id: VaultId, shares: Shares, value: &Valuation) -> Option<Exit> {
    let vault = state.vault(id)?;
    let (high, low) = state.vault_rates(id, value);
    let terms = &vault.terms.instant;
    let gross = low.assets_down(shares);
    let fee = instant::fee(terms, &vault.bucket, gross).min(gross);
    let share = if is_on(Defence::Holdback) { terms.holdback } else { Fraction::ZERO };
    let held = share.of_up(gross).min(fee.room_below(gross));
    let paid = held.room_below(fee.room_below(gross));
    Some(Exit { gross, worth: high.assets_down(shares), fee, held, paid })
}

impl VaultInstant {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { vault: id, shares, .. } = *self;
        let exit = self.check(state, sender)?;

        // From here on nothing can fail.
        state.touch_vault(id, events);
        let owner = state.accounts.open(sender);
        let ticket = state.next_ticket(id);
        let now = state.epoch;
        let from = state.harmless_from(now);
        let vault = state.vault_mut(id);
        let share = vault.share;
        let Exit { gross, worth, fee, held, paid } = exit;
        vault.buckets.idle.shrink(held);
        vault.buckets.idle.shrink(paid);
        vault.buckets.holdback.grow(held);
        vault.bucket.used.grow(gross);
        // The fund first, up to its target; the rest, and what the low price took, counts little by little.
        let target = vault.terms.fund_target.of_down(vault.tick.nav);
        let to_fund = fee.min(vault.buckets.fund.room_below(target));
        vault.buckets.idle.shrink(to_fund);
        vault.buckets.fund.grow(to_fund);
        let mut gain = gross.room_below(worth);
        gain.grow(to_fund.room_below(fee));
        vault.drip.credit(now, vault.terms.drip, gain);
        let left = vault.left;
        state.take_shares(share, owner, shares);
        state.burn_taken(share, shares);
        state.pay_from_vault(id, owner, paid);
        let borne = gross.room_below(worth);
        if !held.is_zero() {
            let holdback = Holdback { owner, amount: held, worth, borne, left, from };
            state.put_holdback(id, ticket, holdback);
        }
        events.push(Event::VaultLeft {
            vault: id,
            ticket,
            account: sender,
            shares,
            paid,
            fee,
            held,
            held_until: from,
        });
        Ok(())
    }

    fn check(&self, state: &State, sender: Address) -> Result<Exit, Refused> {
        let Self { vault: id, shares, amount_min } = *self;
        let vault = state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        if shares.is_zero() {
            return Err(Refused::SharesAreZero);
        }
        let account = state.accounts.find(sender);
        let ripe =
            account.map_or(Shares::ZERO, |account| state.holding(vault.share, account).ripe(state.epoch));
        if shares > ripe {
            return Err(Refused::ExceedsShares { shares, ripe });
        }
        if !state.is_ticked(id) {
            return Err(Refused::TickPending { epoch: vault.tick.epoch, now: state.epoch });
        }
        let value = state.value_vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let exit = quote(state, id, shares, &value).ok_or(Refused::VaultNotFound { vault: id })?;
        let gross = exit.gross;
        let left = vault.bucket.left();
        if gross > left {
            return Err(Refused::OverBucket { gross, left });
        }
        let mut idle = vault.buckets.idle;
        idle.grow(value.recognised.inflow());
        let watermark = vault.terms.instant.watermark.of_up(vault.tick.nav);
        if idle.minus(gross).is_none_or(|rest| rest < watermark) {
            return Err(Refused::BelowWatermark { gross, idle, watermark });
        }
        if exit.paid < amount_min {
            return Err(Refused::PaysTooLittle { paid: exit.paid, least: amount_min });
        }
        Ok(exit)
    }
}
