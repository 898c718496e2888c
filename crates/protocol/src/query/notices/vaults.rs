//! What concerns those who hold shares of vaults, or wait in one.

use std::collections::BTreeSet;

use super::super::vaults::{TicketKind, TicketState, rate_feed, tickets_of};
use super::super::{Way, holdings};
use super::{Notice, NoticeKind, Subject, Weight};
use crate::operation::Kind;
use crate::state::State;
use crate::state::vaults::records::Vault;
use crate::units::{Address, Epoch, VaultId};

pub(super) fn add(state: &State, account: Address, notices: &mut Vec<Notice>) {
    let tickets = tickets_of(state, account);
    let held = holdings(state, account);
    let with_shares = held.iter().filter(|own| !own.shares.is_zero()).filter_map(|own| own.vault);
    let holds: BTreeSet<VaultId> = with_shares.collect();
    let waits = tickets.iter().filter(|ticket| ticket.kind == TicketKind::Exit).map(|ticket| ticket.vault);
    let bears: BTreeSet<VaultId> = holds.iter().copied().chain(waits).collect();
    for id in bears {
        let Some(vault) = state.vault(id) else { continue };
        let leave = holds.contains(&id).then(|| Way::of(Kind::VaultRequest, Some(account), None));
        let own = Own { state, id, vault, leave };
        own.add_terms(notices);
        own.add_policy(notices);
        own.add_pending(notices);
        own.add_state(notices);
    }
    for ticket in tickets.iter().filter(|ticket| ticket.state == TicketState::Claimable) {
        let (id, number) = (ticket.vault, ticket.ticket);
        notices.push(Notice {
            weight: Weight::Action,
            ways: vec![Way::of(Kind::VaultClaim, None, None)],
            subject: Subject { vault: Some(id), asset: Some(ticket.asset), ..Subject::default() },
            ..plain(
                NoticeKind::VaultClaimable,
                format!("{} of ticket {number} of vault {id} can be fetched.", ticket.assets),
            )
        });
    }
}

fn plain(kind: NoticeKind, text: String) -> Notice {
    let (weight, subject) = (Weight::Info, Subject::default());
    Notice { kind, weight, subject, text, from: None, act_by: None, ways: Vec::new() }
}

/// A vault that the account has a part of.
struct Own<'a> {
    state: &'a State,
    id: VaultId,
    vault: &'a Vault,
    /// How the account leaves, if it has shares that have not been asked back.
    leave: Option<Way>,
}

impl Own<'_> {
    fn subject(&self) -> Subject {
        Subject { vault: Some(self.id), asset: Some(self.vault.asset), ..Subject::default() }
    }

    /// What is announced for `from`: whoever asks back so long before is out by then.
    fn announced(&self, from: Epoch, is_worse: bool, text: String, kind: NoticeKind) -> Notice {
        let by = from.earlier(self.state.full_exit());
        let can_act = is_worse && self.leave.is_some() && by >= self.state.epoch;
        let leave = self.leave.iter().map(|way| Way { until: Some(by), ..way.clone() });
        Notice {
            weight: if is_worse { Weight::Worse } else { Weight::Info },
            subject: self.subject(),
            from: Some(from),
            act_by: can_act.then_some(by),
            ways: if can_act { leave.collect() } else { Vec::new() },
            ..plain(kind, text)
        }
    }

    fn add_terms(&self, notices: &mut Vec<Notice>) {
        let Some((from, terms)) = &self.vault.pending else { return };
        let is_worse = !terms.is_no_worse_than(&self.vault.terms);
        let (id, word) = (self.id, if is_worse { "other" } else { "better" });
        let text = format!(
            "Vault {id} has announced {word} terms for epoch {from}. Shares asked back in this epoch are settled under those that hold now."
        );
        notices.push(self.announced(*from, is_worse, text, NoticeKind::VaultTermsAnnounced));
    }

    /// More risk was announced: bands or caps that let the curator do what it may not now.
    fn add_policy(&self, notices: &mut Vec<Notice>) {
        let Some((from, _)) = &self.vault.curation.pending else { return };
        let id = self.id;
        let text = format!(
            "Vault {id} may take more risk, or another one, from epoch {from} on. Shares asked back in this epoch never bear it."
        );
        notices.push(self.announced(*from, true, text, NoticeKind::VaultRiskAnnounced));
    }

    fn add_pending(&self, notices: &mut Vec<Notice>) {
        let Some(feed) = rate_feed(self.state, self.id) else { return };
        for pending in feed.pending {
            let (id, request, amount) = (self.id, pending.request, pending.amount);
            let (from, last) = (pending.executable_from, pending.lapses_after);
            let subject = Subject {
                request: Some(request),
                operator: Some(pending.operator),
                set: Some(pending.set),
                ..self.subject()
            };
            notices.push(Notice {
                weight: Weight::Loss,
                subject,
                from: Some(from),
                ..plain(
                    NoticeKind::VaultSlashRequested,
                    format!(
                        "Request {request} would take at most {amount} of vault {id}, of all shares alike; it may be executed in epochs {from} \
                         to {last}. Exits are paid without it, and what is withheld for it is paid if it comes to nothing."
                    ),
                )
            });
        }
    }

    fn add_state(&self, notices: &mut Vec<Notice>) {
        let id = self.id;
        if self.vault.is_winding_down {
            notices.push(Notice {
                weight: Weight::Action,
                subject: self.subject(),
                ways: self.leave.iter().cloned().collect(),
                ..plain(
                    NoticeKind::VaultWindingDown,
                    format!(
                        "Vault {id} is winding down: it takes nothing in, and all of its stake is asked back."
                    ),
                )
            });
        }
        let until = self.vault.stop.until;
        if until > self.state.epoch {
            notices.push(Notice {
                subject: self.subject(),
                ..plain(
                    NoticeKind::VaultDepositsStopped,
                    format!(
                        "Vault {id} takes no deposits until epoch {until}. Nothing that leaves is stopped."
                    ),
                )
            });
        }
    }
}
