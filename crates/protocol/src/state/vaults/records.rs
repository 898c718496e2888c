//! The records of vaults.

use serde::{Deserialize, Serialize};

use super::bands::Curation;
use crate::macros::record;
use crate::units::{AccountId, Address, Amount, AssetId, Epoch, Fraction, RequestId, ShareId, Shares};
use crate::vault::defence::{Defence, is_on};
use crate::vault::drip::Drip;
use crate::vault::instant::{Bucket, InstantTerms};
use crate::vault::queue::Queue;
use crate::vault::rate::Rate;

record! {
    /// What a vault promises its holders. Whatever is worse for them takes effect after a full exit's time.
    pub struct VaultTerms {
        /// Moves stake inside the bands.
        pub curator: Address,
        /// Can lower risk and nothing else.
        pub guardian: Address,
        /// Changes bands and these terms.
        pub council: Address,
        /// The share of new highs that it takes.
        pub fee: Fraction,
        /// Who gets the shares of the fee.
        pub fee_to: Address,
        /// The most that it takes in: net asset value and waiting deposits together.
        pub cap: Amount,
        /// The smallest deposit.
        pub deposit_min: Amount,
        /// Epochs over which a gain vests.
        pub drip: u32,
        /// Instant exits fill the fund up to this share of the net asset value before their fees go to the holders.
        pub fund_target: Fraction,
        /// Instant exits.
        pub instant: InstantTerms,
        /// What a junior tranche earns; none where the vault takes no first-loss capital.
        #[serde(default)]
        pub junior: Option<JuniorTerms>,
    }
}

record! {
    /// What those earn who pay for the vault's losses after its fund and before its holders.
    #[derive(Copy)]
    pub struct JuniorTerms {
        /// The share of harvested rewards that goes to the tranche while it is as large as its target.
        pub share: Fraction,
        /// Its target, as a share of the net asset value; of a smaller tranche the share of the rewards is smaller in proportion.
        pub target: Fraction,
    }
}

/// A vault.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Vault {
    pub(crate) account: AccountId,
    pub(crate) creator: AccountId,
    pub(crate) asset: AssetId,
    pub(crate) share: ShareId,
    pub(crate) terms: VaultTerms,
    /// Terms that wait, and from when they hold.
    pub(crate) pending: Option<(Epoch, VaultTerms)>,
    pub(crate) is_winding_down: bool,
    /// Until when deposits are stopped, and from when they may be stopped again.
    pub(crate) stop: DepositStop,
    pub(crate) buckets: Buckets,
    pub(crate) drip: Drip,
    /// What its positions were worth when it was last touched, and when that was.
    pub(crate) marked: Amount,
    pub(crate) touched: Epoch,
    /// What is left of a share after every loss, in `1 / 2^120`.
    pub(crate) left: u128,
    /// The highest rate that a fee was charged on.
    pub(crate) high_water: Rate,
    pub(crate) fees_minted: Shares,
    pub(crate) queue: Queue,
    pub(crate) tick: Tick,
    pub(crate) bucket: Bucket,
    /// Next ticket.
    pub(crate) tickets: u32,
    /// The object deposit of whoever created it.
    pub(crate) posted: Amount,
    pub(crate) curation: Curation,
    /// How many deposits wait.
    pub(crate) deposits: u32,
    pub(crate) junior: Junior,
}

/// First-loss capital of accounts. What it has is a bucket; who has which part of it are shares of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Junior {
    /// Its shares; none before the first has joined, and after losses have used it up.
    pub(crate) share: Option<ShareId>,
    /// What it has earned and does not count yet.
    pub(crate) drip: Drip,
}

/// What is where in the vault's account. Together with what nobody counted, a donation, it is the account's free balance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Buckets {
    /// Counts for the price, with what positions are worth, less the drip.
    pub(crate) idle: Amount,
    /// Waits for the boundary.
    pub(crate) deposits: Amount,
    /// Owed to settled exits.
    pub(crate) escrow: Amount,
    /// Withheld from settled exits until requests to slash have ended.
    pub(crate) contingent: Amount,
    /// Held back from instant exits.
    pub(crate) holdback: Amount,
    /// Pays for losses before the holders do.
    pub(crate) fund: Amount,
    /// The junior tranche: pays after the fund.
    pub(crate) junior: Amount,
}

impl Buckets {
    /// All of them, `None` past the range.
    pub(crate) fn total(&self) -> Option<Amount> {
        let Self { idle, deposits, escrow, contingent, holdback, fund, junior } = *self;
        Amount::total([idle, deposits, escrow, contingent, holdback, fund, junior])
    }
}

/// Until when a guardian has stopped deposits, and from when it can again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DepositStop {
    /// First epoch without it.
    pub(crate) until: Epoch,
    /// First epoch in which it may be stopped again.
    pub(crate) again: Epoch,
}

/// How far the vault's own clock has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tick {
    /// The epoch that it is at.
    pub(crate) epoch: Epoch,
    pub(crate) phase: Phase,
    /// At which deposits of earlier epochs come in.
    pub(crate) price: Rate,
    /// What the net asset value was when the price was fixed: caps of the epoch go by it.
    pub(crate) nav: Amount,
}

/// The steps of a tick, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Stake that is free becomes idle.
    Release,
    /// The line is settled.
    Settle,
    /// Deposits come in.
    Deposits,
    /// The line is settled from what came in.
    SettleAgain,
    /// Stake is asked back for who waits, and what is idle is delegated.
    Allocate,
    /// Nothing is left to do in the epoch.
    Done,
}

/// A deposit that waits for the boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DepositTicket {
    pub(crate) owner: AccountId,
    pub(crate) amount: Amount,
    pub(crate) epoch: Epoch,
    pub(crate) shares_min: Shares,
    /// Last epoch in which it comes in.
    pub(crate) deadline: Epoch,
}

/// An exit that waits, or waits to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExitTicket {
    pub(crate) owner: AccountId,
    pub(crate) epoch: Epoch,
    /// Its range of the line.
    pub(crate) start: u128,
    pub(crate) end: u128,
    /// The place through which it was paid.
    pub(crate) paid: u128,
    /// The place through which it got what was withheld.
    pub(crate) closed: u128,
}

/// The rest of an instant exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holdback {
    pub(crate) owner: AccountId,
    pub(crate) amount: Amount,
    /// What the shares were worth at the higher price, and what of it the lower price took already.
    pub(crate) worth: Amount,
    pub(crate) borne: Amount,
    /// What was left of a share then.
    pub(crate) left: u128,
    /// First epoch in which it may be fetched.
    pub(crate) from: Epoch,
}

/// First-loss capital that waits to leave. It bears losses until it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JuniorExit {
    pub(crate) owner: AccountId,
    pub(crate) share: ShareId,
    pub(crate) shares: Shares,
    /// What they were worth when they were asked back: the most that is paid.
    pub(crate) asked: Amount,
    /// First epoch in which it may be fetched.
    pub(crate) from: Epoch,
}

/// What was withheld from a vault's exits because of one request that is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contingent {
    pub(crate) amount: Amount,
    /// Batches from which it was withheld.
    pub(crate) batches: u32,
}

/// The same once the request has ended, for as long as a batch asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The share of it that the slash took.
    pub(crate) taken: Fraction,
    /// What went to the exits, and what of it they have fetched.
    pub(crate) released: Amount,
    pub(crate) paid: Amount,
    /// Batches that still ask.
    pub(crate) batches: u32,
}

/// How a request ended, for the vaults that asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// Vaults that wait for it.
    pub(crate) watchers: u32,
    /// By asset, the share of what the request could cost that it took; empty for none.
    pub(crate) taken: Vec<(AssetId, Fraction)>,
    pub(crate) is_over: bool,
}

/// Which requests a vault watches is known by their contingent amounts.
pub(crate) type ContingentKey = (crate::units::VaultId, RequestId);

/// Shares of one sort.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ShareRecord {
    pub(crate) issuer: Issuer,
    /// All of them, those that wait to leave included.
    pub(crate) supply: Shares,
}

/// Whose shares they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Issuer {
    Vault(crate::units::VaultId),
    Basket(crate::units::BasketId),
    /// The junior tranche of a vault.
    Junior(crate::units::VaultId),
}

/// What an account has of one sort of shares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holding {
    pub(crate) shares: Shares,
    /// Of them, minted in `fresh_in` or received from such: not for instant exits before the next epoch.
    pub(crate) fresh: Shares,
    pub(crate) fresh_in: Epoch,
    /// Shares times epochs, up to `since`.
    pub(crate) points: u128,
    pub(crate) since: Epoch,
    /// Who may transfer how many of them.
    pub(crate) allowances: Vec<(Address, Shares)>,
}

impl Holding {
    /// Counts the points up to an epoch.
    pub(crate) fn count_points(&mut self, now: Epoch) {
        self.points = self.points_at(now);
        self.since = self.since.max(now);
    }

    /// The points as they are in an epoch. They are no money: past the range they stand still.
    pub(crate) fn points_at(&self, now: Epoch) -> u128 {
        let more = self.shares.units().saturating_mul(u128::from(now.since(self.since)));
        self.points.saturating_add(more)
    }

    /// Shares that may leave at once in an epoch.
    pub(crate) fn ripe(&self, now: Epoch) -> Shares {
        if self.fresh_in == now && is_on(Defence::Freshness) {
            self.fresh.room_below(self.shares)
        } else {
            self.shares
        }
    }

    /// Whether nothing is left to know.
    pub(crate) fn is_empty(&self) -> bool {
        self.shares.is_zero() && self.points == 0 && self.allowances.is_empty()
    }
}
