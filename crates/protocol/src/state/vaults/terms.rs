//! What a vault may promise.

use super::super::State;
use super::is_reserved;
use super::records::{Holding, VaultTerms};
use crate::genesis::VaultLimits;
use crate::units::{Address, Amount, Shares, VaultId};

/// The most that a vault takes in, whatever its cap says: `2^96` base units.
const CAP_MAX: Amount = Amount::new(1 << 96);

impl VaultTerms {
    /// Checks what no vault may promise; the text names the first that does not hold.
    pub(crate) fn check(&self, limits: &VaultLimits) -> Result<(), String> {
        if self.fee > limits.fee_max {
            return Err(format!("a fee of {} exceeds {}", self.fee, limits.fee_max));
        }
        if is_reserved(self.fee_to) {
            return Err(format!(
                "{} is kept for a vault or a basket, which could never use the fee",
                self.fee_to
            ));
        }
        if let Some(junior) = self.junior {
            junior.check()?;
        }
        let [least, most] = limits.drip;
        if !(least..=most).contains(&self.drip) {
            return Err(format!("a drip of {} epochs is outside {least} to {most}", self.drip));
        }
        if self.cap > CAP_MAX {
            return Err(format!("a cap of {} exceeds {CAP_MAX}", self.cap));
        }
        if self.instant.fee_low > self.instant.fee_high {
            let (low, high) = (self.instant.fee_low, self.instant.fee_high);
            return Err(format!("the lower fee {low} exceeds the higher {high}"));
        }
        if self.instant.fee_high > limits.instant_fee_max {
            let (fee, most) = (self.instant.fee_high, limits.instant_fee_max);
            return Err(format!("an instant fee of {fee} exceeds {most}"));
        }
        if !self.instant.bucket.is_zero() && self.instant.holdback < limits.holdback_min {
            let (held, least) = (self.instant.holdback, limits.holdback_min);
            return Err(format!("a holdback of {held} is less than {least}"));
        }
        Ok(())
    }

    /// Whether nobody who holds shares could object.
    pub(crate) fn is_no_worse_than(&self, old: &Self) -> bool {
        let same_roles = self.curator == old.curator
            && self.guardian == old.guardian
            && self.council == old.council
            && self.fee_to == old.fee_to;
        let same_timing =
            self.drip == old.drip && self.deposit_min <= old.deposit_min && self.junior == old.junior;
        same_roles
            && same_timing
            && self.fee <= old.fee
            && self.cap <= old.cap
            && self.fund_target >= old.fund_target
            && self.instant == old.instant
    }
}

impl Holding {
    /// How many shares somebody may transfer.
    pub(crate) fn allowance(&self, spender: Address) -> Shares {
        let found = self.allowances.iter().find(|(other, _)| *other == spender);
        found.map_or(Shares::ZERO, |(_, shares)| *shares)
    }

    /// Sets an allowance; none of it takes no room.
    pub(crate) fn allow(&mut self, spender: Address, shares: Shares) {
        self.allowances.retain(|(other, _)| *other != spender);
        if !shares.is_zero() {
            self.allowances.push((spender, shares));
        }
    }
}

impl State {
    /// Epochs that a full exit takes at most where the vault has stake enough that is not slashed: the request's, the tick's in which the stake
    /// leaves, `U`, and the one in which it is settled.
    pub(crate) fn full_exit(&self) -> u32 {
        self.parameters().unbonding.saturating_add(3)
    }

    /// What is in a vault's account and nobody counted.
    pub(crate) fn quarantine(&self, id: VaultId) -> Amount {
        let Some(vault) = self.vault(id) else { return Amount::ZERO };
        let free = self.accounts.get(vault.account).free(vault.asset);
        vault.buckets.total().unwrap_or(free).room_below(free)
    }
}
