//! An account lets another act for it, in some kinds of operation, up to limits, until an epoch.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::operation::Kind;
use crate::state::State;
use crate::state::accounts::Grant as Granted;
use crate::units::{Address, Amount, AssetId, Epoch};

record! {
    /// Lets a delegate act for the sender. A grant to the same delegate replaces the one before.
    pub struct Grant {
        /// Who may act.
        pub delegate: Address,
        /// In which kinds of operation.
        pub kinds: Vec<Kind>,
        /// The most of each asset it may move per epoch.
        #[serde(default)]
        pub limits: Vec<AssetLimit>,
        /// Last epoch in which it may.
        pub expires: Epoch,
    }
}

record! {
    /// A limit on one asset.
    pub struct AssetLimit {
        /// The asset.
        pub asset: AssetId,
        /// The most per epoch.
        pub amount: Amount,
    }
}

refusals! {
    /// Why a grant is refused.
    {
        ToItself => "an account can't be its own delegate",
        NoKinds => "at least one kind of operation is needed",
        NotGrantable { kind: Kind } => "operations of kind {kind} are never a delegate's: it can't name delegates, change keys or destinations",
        TooManyLimits { count: usize, most: u16 } => "{count} limits exceed {most}",
        Expired { expires: Epoch, now: Epoch } => "the grant would end in epoch {expires}, and it is epoch {now}",
        TooLong { expires: Epoch, latest: Epoch } => "the grant would end in epoch {expires}, and may hold until epoch {latest} at most",
        TooManyDelegates { count: usize, most: u16 } => "the account has {count} delegates, and may have {most}",
    }
}

/// For how many epochs a grant may hold at most: what nobody renews ends.
const GRANT_EPOCHS_MAX: u32 = 1_000;

impl Grant {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        if self.delegate == sender {
            return Err(Refused::ToItself);
        }
        if self.kinds.is_empty() {
            return Err(Refused::NoKinds);
        }
        if let Some(kind) = self.kinds.iter().copied().find(|kind| !kind.is_grantable()) {
            return Err(Refused::NotGrantable { kind });
        }
        let (count, most) = (self.limits.len(), state.limits().items_per_operation);
        if count > usize::from(most) {
            return Err(Refused::TooManyLimits { count, most });
        }
        let now = state.epoch;
        if self.expires < now {
            return Err(Refused::Expired { expires: self.expires, now });
        }
        let latest = now.later(GRANT_EPOCHS_MAX);
        if self.expires > latest {
            return Err(Refused::TooLong { expires: self.expires, latest });
        }
        let grants =
            state.accounts.find(sender).map_or(&[][..], |account| state.accounts.get(account).grants());
        let others =
            grants.iter().filter(|grant| grant.delegate != self.delegate && grant.expires >= now).count();
        let most = state.limits().delegates_per_account;
        if others >= usize::from(most) {
            return Err(Refused::TooManyDelegates { count: others, most });
        }

        // From here on nothing can fail.
        let account = state.accounts.open(sender);
        // Its nonces are counted from the start.
        state.accounts.open(self.delegate);
        let grants = &mut state.accounts.get_mut(account).extra_mut().grants;
        grants.retain(|grant| grant.delegate != self.delegate && grant.expires >= now);
        let mut kinds = self.kinds.clone();
        kinds.sort_unstable();
        kinds.dedup();
        grants.push(Granted {
            delegate: self.delegate,
            kinds,
            limits: self.limits.iter().map(|limit| (limit.asset, limit.amount)).collect(),
            spent: Vec::new(),
            spent_in: now,
            expires: self.expires,
        });
        events.push(Event::Granted { account: sender, delegate: self.delegate, expires: self.expires });
        Ok(())
    }
}
