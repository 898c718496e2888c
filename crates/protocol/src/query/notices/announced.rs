//! What an operator has announced itself and can still take back or change, and the sets that it has left.

use super::super::Way;
use super::{Notice, NoticeKind, Subject, Weight};
use crate::operation::Kind;
use crate::pool::slices::Owner;
use crate::state::State;
use crate::units::{Address, AssetId, Epoch, Fraction, OperatorId, PoolId, SetId};

/// Its own announcements, as they stand.
pub(super) fn add(state: &State, account: Address, operator: OperatorId, notices: &mut Vec<Notice>) {
    let Some(record) = state.operator(operator) else { return };
    let own = Own { state, account, operator };
    for (asset, pool) in &record.pools {
        notices.extend(own.mandate(*asset, *pool));
        notices.extend(own.commissions(*asset, *pool));
        for (set, from, parts) in ordered(state, *pool) {
            notices.push(own.allocation(*asset, *pool, set, (from, parts)));
        }
    }
    notices.extend(record.sets.iter().filter_map(|set| own.left(*set)));
}

/// The parts of a pool that sets own from a later epoch on.
pub(super) fn ordered(state: &State, pool: PoolId) -> Vec<(SetId, Epoch, u16)> {
    let now = state.epoch;
    let mut ordered: Vec<(SetId, Epoch, u16)> = Vec::new();
    for slice in state.pool(pool).stake.slices() {
        let waits = |owner: &&Owner| owner.is_open() && owner.from > now;
        for owner in slice.owners.iter().filter(waits) {
            match ordered.iter_mut().find(|(set, from, _)| (*set, *from) == (owner.set, owner.from)) {
                Some((_, _, parts)) => *parts = parts.saturating_add(slice.size),
                None => ordered.push((owner.set, owner.from, slice.size)),
            }
        }
    }
    ordered.sort_unstable();
    ordered
}

/// The changes of a pool's commission to come: when, from what, to what.
pub(super) fn commissions(state: &State, pool: PoolId) -> Vec<(Epoch, Fraction, Fraction)> {
    let record = state.pool(pool);
    let mut before = *record.commission.at(state.epoch);
    let later = record.commission.iter().filter(|(from, _)| *from > state.epoch);
    later.map(|(from, commission)| (from, std::mem::replace(&mut before, *commission), *commission)).collect()
}

struct Own<'a> {
    state: &'a State,
    account: Address,
    operator: OperatorId,
}

impl Own<'_> {
    fn notice(
        &self,
        kind: NoticeKind,
        subject: Subject,
        from: Epoch,
        way: Option<Kind>,
        text: String,
    ) -> Notice {
        let by = from.previous();
        let way = way.map(|kind| Way::of(kind, Some(self.account), Some(by)));
        Notice {
            kind,
            weight: Weight::Info,
            subject: Subject { operator: Some(self.operator), ..subject },
            text,
            from: Some(from),
            act_by: way.is_some().then_some(by),
            ways: way.into_iter().collect(),
        }
    }

    fn mandate(&self, asset: AssetId, pool: PoolId) -> Option<Notice> {
        let (from, mandate) = self.state.pool(pool).pending_mandate?;
        let (most, by) = (mandate.worst_case, from.previous());
        let text = format!(
            "The operator's mandate for asset {asset} changes in epoch {from}, to a worst case of at most {most}; it may be changed again \
             through epoch {by}."
        );
        let subject = Subject { asset: Some(asset), pool: Some(pool), ..Subject::default() };
        Some(self.notice(NoticeKind::MandateAnnounced, subject, from, Some(Kind::ChangeMandate), text))
    }

    fn commissions(&self, asset: AssetId, pool: PoolId) -> Vec<Notice> {
        let show = |(from, before, commission): (Epoch, Fraction, Fraction)| {
            let text = format!(
                "The operator's commission for asset {asset} goes from {before} to {commission} in epoch {from}."
            );
            let subject = Subject { asset: Some(asset), pool: Some(pool), ..Subject::default() };
            let kind = NoticeKind::CommissionAnnounced;
            self.notice(kind, subject, from, Some(Kind::SetCommission), text)
        };
        commissions(self.state, pool).into_iter().map(show).collect()
    }

    fn allocation(&self, asset: AssetId, pool: PoolId, set: SetId, (from, parts): (Epoch, u16)) -> Notice {
        let text = format!(
            "Set {set} owns {parts} parts of 256 more of the operator's pool of asset {asset} from epoch {from} on."
        );
        let subject = Subject { asset: Some(asset), pool: Some(pool), set: Some(set), ..Subject::default() };
        self.notice(NoticeKind::AllocationOrdered, subject, from, Some(Kind::Allocate), text)
    }

    fn left(&self, set: SetId) -> Option<Notice> {
        let record = self.state.set(set)?;
        let last = record.members.get(&self.operator)?.left?;
        let until = self.state.last_execution_through(last);
        let text = format!(
            "The operator has left set {set}: epoch {last} is its last on duty, and offences of it may be punished through epoch {until}."
        );
        let subject = Subject { set: Some(set), service: Some(record.service), ..Subject::default() };
        let notice = self.notice(NoticeKind::LeftSet, subject, last.next(), None, text);
        let is_over = last < self.state.epoch;
        (until >= self.state.epoch).then(|| Notice { from: notice.from.filter(|_| !is_over), ..notice })
    }
}
