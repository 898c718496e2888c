//! Every figure that an answer shows, with the question that explains it.

use std::collections::BTreeMap;

use protocol::State;
use protocol::query::{self, ExitState, Expected, Figure, RequestFilter, RequestStatus, Source};
use protocol::units::{Address, AssetId, Epoch, OperatorId, PoolId, ServiceId, SetId};

/// Figures with what was shown of them.
pub(crate) type Shown = Vec<(Figure, String)>;

/// All that is shown of an account.
pub(crate) fn of_account(state: &State, account: Address) -> Shown {
    let mut shown = Shown::new();
    let Some(detail) = query::account(state, account) else { return shown };
    let mut pools = BTreeMap::new();
    for entry in &detail.positions {
        pools.insert((entry.operator, entry.asset), entry.pool);
        let position = entry.position;
        shown.push((Figure::PositionWorth { account, position }, entry.worth.to_string()));
        for due in &entry.unsettled {
            let figure = Figure::Unsettled { account, position, token: due.token };
            shown.push((figure, due.amount.to_string()));
        }
        if let Some(free_at) = entry.free_at {
            shown.push((Figure::FreeAt { account, position }, free_at.to_string()));
        }
    }
    for balance in &detail.balances {
        let figure = Figure::FreeBalance { account, asset: balance.asset };
        shown.push((figure, balance.free.to_string()));
    }
    for stake in &detail.stakes {
        let pool = pools[&(stake.operator, stake.asset)];
        shown.push((Figure::StakeJoining { account, pool }, stake.joining.to_string()));
        shown.push((Figure::StakeBonded { account, pool }, stake.bonded.to_string()));
        for leaving in &stake.unbonding {
            let figure = Figure::StakeUnbonding { account, pool, epoch: leaving.bonded_through };
            shown.push((figure, leaving.amount.to_string()));
        }
        for due in &stake.claimable {
            let figure = Figure::StakeClaimable { account, pool, token: due.token };
            shown.push((figure, due.amount.to_string()));
        }
    }
    for validator in &detail.validators {
        let figure = Figure::StaleFrom { validator: validator.validator };
        shown.push((figure, validator.stale_from.to_string()));
    }
    exposure(state, account, &mut shown);
    exits(state, account, &mut shown);
    earnings(state, account, &mut shown);
    shown
}

fn exposure(state: &State, account: Address, shown: &mut Shown) {
    let mut add = |figure: Figure, value: &dyn ToString| shown.push((figure, value.to_string()));
    let answer = query::exposure(state, account);
    for entry in &answer.positions {
        let position = entry.position;
        add(Figure::PositionWorth { account, position }, &entry.worth);
        add(Figure::PositionWorstCase { account, position }, &entry.worst_case.amount);
        add(Figure::PositionWorstCaseFraction { account, position }, &entry.worst_case.fraction);
        add(Figure::CouldLose { account, position }, &entry.if_asked_back_now.amount);
        add(Figure::CouldLoseFraction { account, position }, &entry.if_asked_back_now.fraction);
        add(Figure::LiableBond { pool: entry.pool }, &entry.bond);
        if let Some(by) = entry.mandate.as_ref().and_then(|mandate| mandate.undelegate_by) {
            add(Figure::MandateActBy { pool: entry.pool }, &by);
        }
        for own in &entry.sets {
            let set = own.set;
            add(Figure::SetExposure { account, position, set }, &own.worst_case.amount);
            add(Figure::SetExposureFraction { account, position, set }, &own.worst_case.fraction);
            add(Figure::ExposedParts { account, position, set }, &own.parts);
            add(Figure::ExposedPartsNow { account, position, set }, &own.parts_now);
            add(Figure::ExposureCap { account, position, set }, &own.window_cap);
            add(Figure::LiableFrom { account, position, set }, &own.liable_from);
            if let (Some(through), Some(until)) = (own.liable_through, own.punishable_until) {
                add(Figure::LiableThrough { account, position, set }, &through);
                add(Figure::SetPunishableUntil { account, position, set }, &until);
            }
            let epoch = own.liable_through.map_or(state.epoch(), |last| last.min(state.epoch()));
            for offence in &own.offences {
                add(Figure::OffenceFraction { set, kind: offence.kind, epoch }, &offence.fraction);
            }
            let Some(announced) = &own.announced else { continue };
            add(Figure::AnnouncedExposure { account, position, set }, &announced.worst_case.amount);
            add(Figure::AnnouncedExposureFraction { account, position, set }, &announced.worst_case.fraction);
            add(Figure::TermsActBy { set }, &announced.undelegate_by);
            for offence in &announced.offences {
                let figure = Figure::OffenceFraction { set, kind: offence.kind, epoch: announced.from };
                add(figure, &offence.fraction);
            }
        }
        for own in &entry.requests {
            let request = own.request;
            add(Figure::RequestLoss { account, position, request }, &own.at_most.amount);
            add(Figure::RequestLossFraction { account, position, request }, &own.at_most.fraction);
        }
    }
    for total in &answer.totals {
        let asset = total.asset;
        add(Figure::ExposureWorth { account, asset }, &total.worth);
        add(Figure::ExposureWorstCase { account, asset }, &total.worst_case.amount);
        add(Figure::ExposureWorstCaseFraction { account, asset }, &total.worst_case.fraction);
    }
}

fn exits(state: &State, account: Address, shown: &mut Shown) {
    let mut add = |figure: Figure, value: &dyn ToString| shown.push((figure, value.to_string()));
    for entry in query::exits(state, account).positions {
        let position = entry.position;
        add(Figure::PositionWorth { account, position }, &entry.amount);
        match &entry.exit {
            ExitState::Joining { take_back_until, .. } => {
                add(Figure::TakeBackUntil { account, position }, take_back_until);
            }
            ExitState::Bonded { free_at, could_lose, punishable_until, .. }
            | ExitState::Unbonding { free_at, could_lose, punishable_until, .. } => {
                add(Figure::FreeAt { account, position }, free_at);
                add(Figure::CouldLose { account, position }, &could_lose.amount);
                add(Figure::CouldLoseFraction { account, position }, &could_lose.fraction);
                add(Figure::PunishableUntil { account, position }, punishable_until);
            }
            ExitState::Free { since, .. } => add(Figure::FreeAt { account, position }, since),
        }
    }
}

fn earnings(state: &State, account: Address, shown: &mut Shown) {
    let mut add = |figure: Figure, value: &dyn ToString| shown.push((figure, value.to_string()));
    let answer = query::earnings(state, account);
    for claimable in &answer.claimable {
        let token = claimable.token;
        add(Figure::Claimable { account, token }, &claimable.total);
        add(Figure::UnsettledTotal { account, token }, &claimable.unsettled);
    }
    for total in &answer.expected {
        add(Figure::Expected { account, token: total.token }, &total.amount);
    }
    add(Figure::CreditedIn {}, &answer.credited_in);
    for entry in &answer.positions {
        let position = entry.position;
        for line in &entry.expected {
            let Expected { set, source, token, .. } = *line;
            let figure = match source {
                Source::Stream { stream, .. } => Figure::ExpectedStream { account, position, stream },
                Source::Work { epoch } => Figure::ExpectedWork { account, position, set, epoch, token },
            };
            add(figure, &line.amount);
        }
    }
    let Some(commission) = &answer.commission else { return };
    add(Figure::Keeps { operator: commission.operator }, &commission.keeps);
    for line in &commission.expected {
        let Expected { set, source, token, pool, .. } = *line;
        let figure = match source {
            Source::Stream { stream, .. } => Figure::CommissionStream { pool, stream },
            Source::Work { epoch } => Figure::CommissionWork { pool, set, epoch, token },
        };
        add(figure, &line.amount);
    }
}

/// All that is shown of everything but accounts.
pub(crate) fn of_ledger(state: &State) -> Shown {
    let mut shown = Shown::new();
    let ledger = query::ledger(state);
    shown.push((Figure::OldestOpen {}, ledger.oldest_open.to_string()));
    let network = query::network(state);
    shown.push((Figure::Shortfall {}, network.shortfall.to_string()));
    shown.extend(network.certified.map(|value| (Figure::Certified {}, value)));
    shown.extend(network.declared.map(|value| (Figure::Declared {}, value)));
    let counts = ledger.counts;
    for asset in (0..counts.assets).map(AssetId::new) {
        let detail = query::asset(state, asset).expect("an asset");
        shown.push((Figure::Supply { asset }, detail.supply.to_string()));
    }
    for service in (0..counts.services).map(ServiceId::new) {
        let detail = query::service(state, service).expect("a service");
        shown.push((Figure::ServiceProfit { service }, detail.profit.to_string()));
    }
    for pool in (0..counts.pools).map(PoolId::new) {
        of_pool(state, pool, &mut shown);
    }
    for set in (0..counts.sets).map(SetId::new) {
        of_set(state, set, &mut shown);
    }
    for operator in (0..counts.operators).map(OperatorId::new) {
        let detail = query::operator(state, operator).expect("an operator");
        for own in detail.sets.iter().filter(|own| !own.share.is_zero()) {
            let figure = Figure::Share { set: own.set, operator, epoch: state.epoch() };
            shown.push((figure, own.share.to_string()));
            if let Some(by) = own.consent_by {
                shown.push((Figure::TermsActBy { set: own.set }, by.to_string()));
            }
        }
    }
    for detail in query::vaults(state, None, 1000).items {
        of_vault(&detail, &mut shown);
    }
    for detail in query::baskets(state, None, 1000).items {
        of_basket(&detail, &mut shown);
    }
    if let Some(chain) = query::chain(state) {
        shown.push((Figure::ChainSlot {}, chain.slot.to_string()));
        shown.extend(chain.age.map(|age| (Figure::ChainAge {}, age.to_string())));
    }
    for detail in query::requests(state, &RequestFilter::default(), None, 1000).items {
        of_request(&detail, &mut shown);
    }
    for detail in query::slashes(state, None, 1000).items {
        let figure = Figure::ReleasedFrom { slash: detail.slash };
        shown.push((figure, detail.released_from.to_string()));
    }
    shown
}

fn of_pool(state: &State, pool: PoolId, shown: &mut Shown) {
    let mut add = |figure: Figure, value: &dyn ToString| shown.push((figure, value.to_string()));
    let detail = query::pool(state, pool).expect("a pool");
    let view = &detail.view;
    add(Figure::PoolHeld { pool }, &view.held);
    add(Figure::PoolJoining { pool }, &view.joining);
    add(Figure::PoolBonded { pool }, &view.bonded);
    add(Figure::PoolLeaving { pool }, &view.leaving);
    add(Figure::PoolBond { pool }, &view.bond);
    add(Figure::PoolWorstCase { pool }, &view.worst_case);
    for own in &view.allocations {
        let set = own.set;
        add(Figure::PoolParts { pool, set }, &own.parts);
        add(Figure::PoolOrdered { pool, set }, &own.ordered);
        add(Figure::Slashable { pool, set }, &own.slashable);
    }
    for bond in &detail.bonds {
        if let (Some(epoch), Some(free_at)) = (bond.liable_through, bond.free_at) {
            add(Figure::BondFreeAt { pool, epoch }, &free_at);
        }
    }
}

fn of_set(state: &State, set: SetId, shown: &mut Shown) {
    let mut add = |figure: Figure, value: &dyn ToString| shown.push((figure, value.to_string()));
    let detail = query::set(state, set).expect("a set");
    add(Figure::Secured { set }, &detail.secured);
    add(Figure::Needed { set }, &detail.needed);
    if let Some(slack) = &detail.slack {
        add(Figure::Slack { set }, slack);
    }
    if let Some(late) = detail.runs_out_in {
        add(Figure::RunsOutIn { set }, &late);
    }
    for member in &detail.members {
        add(Figure::SlashesInWindow { set, operator: member.operator }, &member.slashes_in_window);
    }
    let epochs = (0..=state.epoch().number()).rev().take(3).map(Epoch::new);
    for table in epochs.filter_map(|epoch| query::table(state, set, epoch)) {
        for row in &table.rows {
            add(Figure::Share { set, operator: row.operator, epoch: table.epoch }, &row.share);
        }
    }
}

fn of_request(detail: &query::RequestDetail, shown: &mut Shown) {
    let mut add = |figure: Figure, value: &dyn ToString| shown.push((figure, value.to_string()));
    let request = detail.request;
    add(Figure::ExecutableFrom { request }, &detail.executable_from);
    add(Figure::LapsesAfter { request }, &detail.lapses_after);
    if let Some(until) = detail.veto_until {
        add(Figure::VetoUntil { request }, &until);
    }
    if detail.status == RequestStatus::Open {
        add(Figure::Takes { request }, &detail.takes);
    }
    for own in &detail.at_most {
        add(Figure::RequestAtMost { request, asset: own.asset }, &own.amount);
    }
}

fn of_vault(detail: &query::VaultDetail, shown: &mut Shown) {
    let mut add = |figure: Figure, value: &dyn ToString| shown.push((figure, value.to_string()));
    let (vault, rate) = (detail.vault, &detail.rate);
    add(Figure::VaultNav { vault }, &rate.nav);
    add(Figure::VaultNav { vault }, &rate.nav_high);
    add(Figure::VaultNavLow { vault }, &rate.nav_low);
    add(Figure::VaultUnwrittenLoss { vault }, &rate.unwritten_loss);
    add(Figure::VaultPendingTotal { vault }, &rate.pending_total);
    for pending in &rate.pending {
        add(Figure::VaultPending { vault, request: pending.request }, &pending.amount);
        add(Figure::ExecutableFrom { request: pending.request }, &pending.executable_from);
        add(Figure::LapsesAfter { request: pending.request }, &pending.lapses_after);
    }
    add(Figure::VaultRateAssets { vault }, &rate.high.assets);
    add(Figure::VaultRateShares { vault }, &rate.high.shares);
    add(Figure::VaultRateLowAssets { vault }, &rate.low.assets);
    add(Figure::VaultRateShares { vault }, &rate.low.shares);
    add(Figure::VaultStaked { vault }, &detail.buckets.staked);
    add(Figure::VaultQuarantine { vault }, &detail.buckets.quarantine);
    add(Figure::VaultUnvested { vault }, &detail.drip.unvested);
    add(Figure::VaultQueueWorth { vault }, &detail.queue.worth);
    add(Figure::VaultInstant { vault }, &detail.instant.available);
    add(Figure::VaultConcentration { vault }, &detail.concentration);
    for stake in &detail.stakes {
        let operator = stake.operator;
        add(Figure::VaultStake { vault, operator }, &stake.worth);
        add(Figure::VaultLeaving { vault, operator }, &stake.leaving);
        add(Figure::VaultStakeShare { vault, operator }, &stake.share);
    }
}

fn of_basket(detail: &query::BasketDetail, shown: &mut Shown) {
    let mut add = |figure: Figure, value: &dyn ToString| shown.push((figure, value.to_string()));
    let basket = detail.basket;
    for leg in &detail.legs {
        let vault = leg.vault;
        add(Figure::LegInflowRoom { basket, vault }, &leg.inflow_room);
        if let Some(own) = &leg.own {
            add(Figure::VaultPriceLow { vault }, &own.low);
            add(Figure::VaultPriceHigh { vault }, &own.high);
        }
        if let Some(price) = &leg.price {
            add(Figure::LegPriceLow { basket, vault }, &price.low);
            add(Figure::LegPriceHigh { basket, vault }, &price.high);
        }
    }
}
