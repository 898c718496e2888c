//! Vaults and their shares, as holders and integrators ask.
//!
//! The names and the directions of rounding are those of ERC-4626 (<https://eips.ethereum.org/EIPS/eip-4626>), and of ERC-7540
//! (<https://eips.ethereum.org/EIPS/eip-7540>) for what waits: `convert_*` round down and know nothing of fees and of who asks, `max_*` say what
//! would be accepted now and never more, `preview_*` are no better than what happens. What waits for a boundary has no price yet; a preview of it
//! says what it gets if nothing but time passes.

mod curation;
mod exit_time;
mod junior;
mod plan;
mod prices;
mod risk;
mod shares;
mod stands;
mod tickets;

use super::{Page, Scheduled, page_of};
use crate::state::State;
use crate::state::vaults::records::VaultTerms;
use crate::state::vaults::records::{Phase, Vault};
use crate::units::{Address, Amount, AssetId, Epoch, Fraction, OperatorId, ShareId, Shares, VaultId};
use crate::vault::rate::Rate;

pub use curation::{CurationView, EventView, LimitView, PlaceView, curation};
pub use exit_time::{ExitPart, ExitSource, ExitTimeEstimate, exit_time_estimate};
pub use junior::JuniorView;
pub use plan::{PlannedPlace, TickMove, VaultPlan, plan};
pub(super) use prices::instant_room;
pub use prices::{
    Converted, InstantPreview, PendingSlash, RateFeed, RateView, VaultMaxima, VaultPreview,
    convert_to_assets, convert_to_shares, limits, preview_claim, preview_deposit, preview_instant,
    preview_request, rate_feed,
};
pub use risk::{VaultEarnings, VaultExit, VaultShareExposure, VaultStake};
pub(super) use risk::{concentration, earnings_of, exits_of, exposures_of, stakes_of};
pub use shares::{AllowanceView, HoldingView, ShareDetail, holders, holdings, share, shares};
pub use stands::vault_stands_on;
pub use tickets::{TicketKind, TicketState, VaultTicket, ticket, tickets, tickets_of};

answer! {
    /// A vault: what it promises, what it has, and who waits.
    pub struct VaultDetail {
        /// Its number.
        pub vault: VaultId,
        /// Its account, for which nobody signs.
        pub account: Address,
        /// Who opened it.
        pub creator: Address,
        /// The asset that it takes and pays.
        pub asset: AssetId,
        /// Its shares.
        pub share: ShareId,
        /// What it promises.
        pub terms: VaultTerms,
        /// Terms that are announced.
        pub announced: Option<Scheduled<VaultTerms>>,
        /// Whether it takes nothing in any more and gives all stake back.
        pub is_winding_down: bool,
        /// First epoch in which it takes deposits again; none while they are not stopped.
        pub deposits_stopped_until: Option<Epoch>,
        /// What it is worth, and at which rates.
        pub rate: RateFeed,
        /// What is where.
        pub buckets: BucketsView,
        /// Gains that do not count yet.
        pub drip: DripView,
        /// Who waits to leave.
        pub queue: QueueView,
        /// First-loss capital; none where its terms have none and nobody has any in it.
        pub junior: Option<JuniorView>,
        /// How far its own clock is.
        pub tick: TickView,
        /// What may leave at once.
        pub instant: BucketView,
        /// With whom its stake is.
        pub stakes: Vec<VaultStake>,
        /// How concentrated that is: the sum of the squares of the operators' shares of all stake,
        /// `floor18(sum(floor(worth * worth / all)) / all)`.
        pub concentration: Fraction,
        /// The highest rate that a fee was charged on.
        pub high_water: RateView,
        /// Shares that were minted as fees.
        pub fees_minted: Shares,
        /// The deposit of whoever opened it.
        pub posted: Amount,
    }
}

answer! {
    /// What is where in a vault's account. All of it together is the free balance of the account.
    #[derive(Copy)]
    pub struct BucketsView {
        /// Counts for the price, with what stake is worth, less what drips.
        pub idle: Amount,
        /// Deposits that wait.
        pub deposits: Amount,
        /// Owed to exits that are settled.
        pub escrow: Amount,
        /// Withheld from settled exits until requests to slash have ended.
        pub contingent: Amount,
        /// Held back from instant exits.
        pub holdback: Amount,
        /// Pays for losses before the holders do.
        pub fund: Amount,
        /// Pays after the fund.
        pub junior: Amount,
        /// Given unasked, and not counted.
        pub quarantine: Amount,
        /// What its stake is worth, in no drawer: it is with operators.
        pub staked: Amount,
    }
}

answer! {
    /// Gains that do not count yet.
    pub struct DripView {
        /// All of them.
        pub unvested: Amount,
        /// What counts in which epoch.
        pub parts: Vec<DripPart>,
    }
}

answer! {
    /// A part of a gain.
    #[derive(Copy)]
    pub struct DripPart {
        /// In which epoch it counts.
        pub epoch: Epoch,
        /// How much.
        pub amount: Amount,
    }
}

answer! {
    /// The line of those who leave.
    #[derive(Copy)]
    pub struct QueueView {
        /// Shares that wait.
        pub waiting: Shares,
        /// What they are worth, rounded up.
        pub worth: Amount,
        /// Deposits that wait for the next tick.
        pub deposits: u32,
        /// Tickets that were ever given out.
        pub tickets: u32,
    }
}

answer! {
    /// How far the vault's own clock is.
    pub struct TickView {
        /// The epoch of its newest tick.
        pub epoch: Epoch,
        /// Whether all of this epoch is done.
        pub is_done: bool,
        /// What is done next: `release`, `settle`, `deposits`, `settle_again`, `allocate`, `done`.
        pub phase: String,
        /// The price at which deposits came in.
        pub price: RateView,
        /// What it was worth then; caps of the epoch go by it.
        pub nav: Amount,
    }
}

answer! {
    /// How much may leave at once.
    #[derive(Copy)]
    pub struct BucketView {
        /// In the epoch of the tick.
        pub size: Amount,
        /// Of it, used.
        pub used: Amount,
        /// What is left, and idle above the watermark.
        pub available: Amount,
    }
}

/// One vault; none of that number. Costs as it has entries of stake.
pub fn vault(state: &State, id: VaultId) -> Option<VaultDetail> {
    let record = state.vault(id)?;
    let value = state.value_vault(id)?;
    let stakes = risk::stakes_of(state, record);
    let (first, parts) = record.drip.schedule();
    let parts =
        (0..).zip(parts).map(|(place, amount)| DripPart { epoch: first.later(place), amount: *amount });
    let stop = record.stop.until;
    Some(VaultDetail {
        vault: id,
        account: state.address_of(record.account),
        creator: state.address_of(record.creator),
        asset: record.asset,
        share: record.share,
        terms: record.terms.clone(),
        announced: record
            .pending
            .as_ref()
            .map(|(from, value)| Scheduled { from: *from, value: value.clone() }),
        is_winding_down: record.is_winding_down,
        deposits_stopped_until: (stop > state.epoch).then_some(stop),
        rate: prices::feed_of(state, id, record, &value),
        buckets: buckets(state, id, record, value.staked),
        drip: DripView {
            unvested: record.drip.unvested(),
            parts: parts.filter(|part| !part.amount.is_zero()).collect(),
        },
        queue: QueueView {
            waiting: record.queue.waiting,
            worth: state.vault_rates(id, &value).0.assets_up(record.queue.waiting),
            deposits: record.deposits,
            tickets: record.tickets,
        },
        junior: junior::view(state, id),
        tick: tick(state, id, record),
        instant: BucketView {
            size: record.bucket.size,
            used: record.bucket.used,
            available: prices::instant_room(state, id, record, &value),
        },
        concentration: risk::concentration(&stakes),
        stakes,
        high_water: RateView::of(record.high_water),
        fees_minted: record.fees_minted,
        posted: record.posted,
    })
}

/// The account of a vault, which is an account like all others to whoever asks what it has, earns or could lose.
pub fn vault_account(state: &State, id: VaultId) -> Option<Address> {
    Some(state.address_of(state.vault(id)?.account))
}

/// Vaults by number, after one of them. An unknown `after` begins at the start.
pub fn vaults(state: &State, after: Option<VaultId>, limit: usize) -> Page<VaultDetail> {
    let after = after.map(VaultId::number);
    page_of(state.vaults.list.len(), after, limit, |number| vault(state, VaultId::new(number)))
}

fn buckets(state: &State, id: VaultId, record: &Vault, staked: Amount) -> BucketsView {
    let crate::state::vaults::records::Buckets { idle, deposits, escrow, contingent, holdback, fund, junior } =
        record.buckets;
    let quarantine = state.quarantine(id);
    BucketsView { idle, deposits, escrow, contingent, holdback, fund, junior, quarantine, staked }
}

fn tick(state: &State, id: VaultId, record: &Vault) -> TickView {
    let phase = match record.tick.phase {
        Phase::Release => "release",
        Phase::Settle => "settle",
        Phase::Deposits => "deposits",
        Phase::SettleAgain => "settle_again",
        Phase::Allocate => "allocate",
        Phase::Done => "done",
    };
    TickView {
        epoch: record.tick.epoch,
        is_done: state.is_ticked(id),
        phase: phase.to_owned(),
        price: RateView::of(record.tick.price),
        nav: record.tick.nav,
    }
}

impl RateView {
    fn of(rate: Rate) -> Self {
        let (assets, shares) = rate.ratio();
        Self { assets: Amount::new(assets), shares: Shares::new(shares) }
    }
}

/// With which operator how much is.
type ByOperator = std::collections::BTreeMap<OperatorId, (Amount, Amount)>;
