//! What changes for everybody, and what concerns the account itself.

use super::super::Way;
use super::super::accounts::pending_keys;
use super::super::ledger::governed;
use super::super::positions::entries;
use super::{Notice, NoticeKind, Subject, Weight};
use crate::genesis::Parameters;
use crate::operation::Kind;
use crate::state::State;
use crate::units::{AccountId, Address, AssetId, Epoch};

pub(super) fn add(state: &State, account: Address, id: AccountId, notices: &mut Vec<Notice>) {
    let stakes = entries(state, id);
    let mut assets: Vec<AssetId> =
        stakes.iter().map(|(_, position)| state.pool(position.pool).asset).collect();
    assets.extend(state.accounts.get(id).balances().iter().map(|balance| balance.asset));
    if stakes.iter().any(|(_, position)| position.until == Epoch::NEVER) {
        add_parameters(state, account, notices);
        add_stop(state, notices);
    }
    add_governed(state, &assets, notices);
    add_stale(state, account, id, notices);
    add_keys(state, account, id, notices);
    add_grants(state, account, id, notices);
}

fn plain(kind: NoticeKind, text: String) -> Notice {
    let (weight, subject) = (Weight::Info, Subject::default());
    Notice { kind, weight, subject, text, from: None, act_by: None, ways: Vec::new() }
}

fn add_parameters(state: &State, account: Address, notices: &mut Vec<Notice>) {
    let now = state.epoch;
    let mut before: &Parameters = state.parameters();
    for (from, later) in state.parameters.iter().filter(|(from, _)| *from > now) {
        let by = from.previous();
        let (old, new) = (before.unbonding, later.unbonding);
        let longer = new > old || later.reach() > before.reach() || later.notice < before.notice;
        let change = if old == new {
            format!("The parameters change in epoch {from}.")
        } else {
            format!("Leaving takes {new} epochs instead of {old} for whoever asks back from epoch {from} on.")
        };
        let way = Way::of(Kind::Undelegate, Some(account), Some(by));
        notices.push(Notice {
            weight: if longer { Weight::Worse } else { Weight::Info },
            from: Some(from),
            act_by: longer.then_some(by),
            ways: longer.then_some(way).into_iter().collect(),
            ..plain(NoticeKind::ParametersAnnounced, change)
        });
        before = later;
    }
}

fn add_stop(state: &State, notices: &mut Vec<Notice>) {
    let until = state.stops.joins;
    if until > state.epoch {
        let text = format!("New stake is stopped until epoch {until}. Nothing that leaves is.");
        notices.push(Notice { from: Some(until), ..plain(NoticeKind::Stopped, text) });
    }
}

fn add_governed(state: &State, assets: &[AssetId], notices: &mut Vec<Notice>) {
    for (from, change) in &state.governance {
        let Some(change) = governed(*from, change).filter(|change| assets.contains(&change.value.asset))
        else {
            continue;
        };
        let asset = change.value.asset;
        let what = [
            change.value.value.map(|value| format!("a ledger value of {value}")),
            change.value.cap.map(|cap| format!("a cap of {cap}")),
            change.value.stake_min.map(|least| format!("a smallest stake of {least}")),
        ];
        let what = what.into_iter().flatten().collect::<Vec<_>>().join(", ");
        notices.push(Notice {
            subject: Subject { asset: Some(asset), ..Subject::default() },
            from: Some(*from),
            ..plain(NoticeKind::AssetGoverned, format!("Asset {asset} gets {what} in epoch {from}."))
        });
    }
}

fn add_stale(state: &State, account: Address, id: AccountId, notices: &mut Vec<Notice>) {
    let now = state.epoch;
    let notice = state.parameters().notice;
    for (validator_id, validator) in state.validators.of(id) {
        let from = state.stale_from(validator_id, validator);
        if validator.balance.is_zero() || from > now.later(notice) {
            continue;
        }
        let is_later = from > now;
        notices.push(Notice {
            weight: Weight::Action,
            subject: Subject {
                validator: Some(validator_id),
                asset: Some(validator.asset),
                ..Subject::default()
            },
            from: is_later.then_some(from),
            act_by: is_later.then_some(from.previous()),
            ways: vec![Way::of(Kind::ReportValidator, None, None)],
            ..plain(
                NoticeKind::Stale,
                format!(
                    "The balance of validator {validator_id} of {account} was proven in epoch {}; from epoch {from} on anyone may declare \
                     it stale, and its stake leaves.",
                    validator.proven
                ),
            )
        });
    }
}

fn add_keys(state: &State, account: Address, id: AccountId, notices: &mut Vec<Notice>) {
    let Some(later) = state.accounts.get(id).extra().and_then(|extra| pending_keys(state, extra)) else {
        return;
    };
    let (count, threshold, from) = (later.keys.keys.len(), later.keys.threshold, later.from);
    notices.push(Notice {
        from: Some(from),
        act_by: Some(from.previous()),
        ways: vec![Way::of(Kind::SetKeys, Some(account), Some(from.previous()))],
        ..plain(
            NoticeKind::KeysAnnounced,
            format!("{threshold} of {count} keys act for it from epoch {from} on."),
        )
    });
}

fn add_grants(state: &State, account: Address, id: AccountId, notices: &mut Vec<Notice>) {
    for grant in state.accounts.get(id).grants().iter().filter(|grant| grant.expires >= state.epoch) {
        let (delegate, expires) = (grant.delegate, grant.expires);
        let text = format!("The grant to {delegate} holds through epoch {expires}.");
        notices.push(Notice {
            from: Some(expires.next()),
            ways: vec![Way::of(Kind::Revoke, Some(account), None)],
            ..plain(NoticeKind::GrantExpires, text)
        });
    }
}
