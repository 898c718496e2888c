//! A14, A19: what operators, guardians and councils can do to holders.

use super::lab::{Lab, VAULT, percent, vault_terms};
use super::with_and_without;
use crate::vault::defence::Defence;
use crate::{Operation, ops};

/// A14: an operator retires, the guardian takes the stake back, a stranger releases it: the price does not move, and deposit, request and
/// claim go on. The control does not count what others released.
#[test]
fn stake_that_others_move_stays_the_vaults() {
    let paid = |is_on: bool| {
        let mut lab = Lab::new(is_on);
        lab.enter("alice", 1_000_000);
        lab.put(1_000_000);
        lab.pass(1);
        lab.must("op", Operation::RetireOperator(ops::retire_operator::RetireOperator {}));
        let (operator, amount) = (lab.operator, None);
        let action = ops::vault_guard::GuardAction::Undelegate { operator, amount };
        lab.must("guardian", Operation::VaultGuard(ops::vault_guard::VaultGuard { vault: VAULT, action }));
        lab.deposit("bob", 1_000);
        lab.advance(16);
        let account = Some(crate::state::vaults::address_of(VAULT));
        let release = ops::release::Release { account, operator, asset: super::lab::ETH };
        lab.must("stranger", Operation::Release(release));
        let ticket = lab.request("alice", None);
        lab.pass(1);
        lab.wait(ticket)
    };
    let (defended, weak) = with_and_without(Defence::CountReleased, paid);
    assert!(defended >= 999_999, "{defended}");
    assert!(weak < 10_000, "{weak}");
}

/// A19: the council announces the highest fee for leaving at once: whoever leaves before a full exit's time is over pays the old one. The
/// control lets it hold from the next epoch on.
#[test]
fn worse_terms_hold_after_a_full_exit() {
    let paid = |is_on: bool| {
        let mut lab = Lab::with(is_on, |terms| terms.instant.fee_high = crate::units::Fraction::ZERO);
        lab.enter("alice", 1_000_000);
        lab.pass(1);
        let mut terms = vault_terms();
        (terms.instant.fee_low, terms.instant.fee_high) = (percent(10), percent(10));
        terms.fee = percent(30);
        lab.must("council", Operation::ChangeVault(ops::change_vault::ChangeVault { vault: VAULT, terms }));
        let shares = lab.shares("alice");
        lab.pass(2);
        let (at_once, ticket) = lab.leave("alice", shares / 10);
        let rest = lab.request("alice", None);
        let waited = lab.wait(rest);
        lab.pass(30);
        at_once + lab.claim(ticket) + waited + lab.claim(rest)
    };
    let (defended, weak) = with_and_without(Defence::Notice, paid);
    assert!(defended >= 999_998, "{defended}");
    assert!(weak <= 990_001, "a tenth of a tenth: {weak}");
}
