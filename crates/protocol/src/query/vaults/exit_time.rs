//! When shares that are asked back now would be settled, and how that is known.

use crate::state::State;
use crate::units::{Amount, AssetId, Epoch, Shares, VaultId};

answer! {
    /// When shares that are asked back now would be settled. It is an estimate: it takes rates, deposits and the line as they are now, counts that
    /// somebody advances the vault's tick at each epoch, and nothing that others do later, since who asks later stands behind.
    pub struct ExitTimeEstimate {
        /// The vault.
        pub vault: VaultId,
        /// Its asset.
        pub asset: AssetId,
        /// Shares that are asked back.
        pub shares: Shares,
        /// What they are worth now, rounded up: so much has to be there for them.
        pub assets: Amount,
        /// Shares that wait in front of them.
        pub ahead: Shares,
        /// What those take first, rounded up.
        pub ahead_assets: Amount,
        /// What comes when, in the order in which it pays; of each, what goes to the line in front and what to these shares.
        pub parts: Vec<ExitPart>,
        /// The epoch at whose tick the first of them is settled; none where there is nothing for them.
        pub first_in: Option<Epoch>,
        /// The epoch at whose tick the last of them is; none where what there is does not suffice.
        pub settled_in: Option<Epoch>,
        /// What open requests to slash may still take of them.
        pub could_drift: Amount,
        /// What else moves it, in words.
        pub assumes: Vec<String>,
    }
}

answer! {
    /// Money that pays exits.
    #[derive(Copy)]
    pub struct ExitPart {
        /// At whose tick it can.
        pub epoch: Epoch,
        /// Where it comes from.
        pub source: ExitSource,
        /// How much.
        pub amount: Amount,
        /// Of it, for who waits in front.
        pub ahead: Amount,
        /// Of it, for these shares.
        pub own: Amount,
    }
}

answer! {
    /// Where money for exits comes from.
    #[derive(Copy, PartialOrd, Ord)]
    pub enum ExitSource {
        /// It is there.
        Idle,
        /// Deposits that wait for the boundary.
        Deposits,
        /// Stake that was asked back.
        Unbonding,
        /// Stake that the next tick asks back.
        AskedBack,
    }
}

/// When shares that are asked back now would be settled; none if there is no such vault. Costs as the vault has entries of stake.
pub fn exit_time_estimate(state: &State, id: VaultId, shares: Shares) -> Option<ExitTimeEstimate> {
    let vault = state.vault(id)?;
    let value = state.value_vault(id)?;
    let (high, low) = state.vault_rates(id, &value);
    let assets = high.assets_up(shares);
    let ahead = vault.queue.waiting;
    let ahead_assets = high.assets_up(ahead);
    let (mut before, mut own) = (ahead_assets, assets);
    let mut parts = Vec::new();
    for (epoch, source, amount) in sources(state, id, value.recognised.inflow())? {
        let to_ahead = amount.min(before);
        before.shrink(to_ahead);
        let to_own = to_ahead.room_below(amount).min(own);
        own.shrink(to_own);
        if !amount.is_zero() {
            parts.push(ExitPart { epoch, source, amount, ahead: to_ahead, own: to_own });
        }
        if own.is_zero() {
            break;
        }
    }
    // What an exit is worth is rounded up here and down when it is paid.
    let is_enough = own <= Amount::new(1);
    let mut with_own = parts.iter().filter(|part| !part.own.is_zero()).map(|part| part.epoch);
    let first_in = with_own.next();
    let settled_in = with_own.next_back().or(first_in).filter(|_| is_enough);
    Some(ExitTimeEstimate {
        vault: id,
        asset: vault.asset,
        shares,
        assets,
        ahead,
        ahead_assets,
        parts,
        first_in,
        settled_in,
        could_drift: low.assets_down(shares).room_below(assets),
        assumes: assumptions(),
    })
}

/// What pays exits, in the order of time. Shares that are asked back now are settled at the next epoch's tick at the soonest.
fn sources(state: &State, id: VaultId, inflow: Amount) -> Option<Vec<(Epoch, ExitSource, Amount)>> {
    let vault = state.vault(id)?;
    let next = state.epoch.next();
    let mut idle = vault.buckets.idle;
    idle.grow(inflow);
    let mut sources =
        vec![(next, ExitSource::Idle, idle), (next, ExitSource::Deposits, vault.buckets.deposits)];
    let mut staying = Amount::ZERO;
    for (_, position) in state.positions.list(state.accounts.get(vault.account).first_position) {
        let pool = state.pool(position.pool);
        if pool.asset != vault.asset {
            continue;
        }
        let worth = pool.stake.worth(position.principal, position.entered, position.until);
        if position.until == Epoch::NEVER {
            staying.grow(worth);
        } else {
            sources.push((state.free_at(position.until).max(next), ExitSource::Unbonding, worth));
        }
    }
    sources.push((state.free_at(next), ExitSource::AskedBack, staying));
    sources.sort_unstable();
    // What comes back from several operators at one time is one part.
    let mut joined: Vec<(Epoch, ExitSource, Amount)> = Vec::new();
    for (epoch, source, amount) in sources {
        match joined.last_mut() {
            Some((last, of, sum)) if (*last, *of) == (epoch, source) => sum.grow(amount),
            _ => joined.push((epoch, source, amount)),
        }
    }
    Some(joined)
}

fn assumptions() -> Vec<String> {
    [
        "rates stay as they are: a loss makes exits smaller, a gain goes to those who stay",
        "somebody advances the vault's tick at each epoch; anybody may",
        "stake that has to be asked back is asked back at the next epoch's tick, and is free U + 1 epochs later",
        "nobody in front takes its request back, which would make it sooner",
    ]
    .map(str::to_owned)
    .to_vec()
}
