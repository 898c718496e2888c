//! A5, A6, A7, A18, A24: leaving a loss to others.

use super::lab::{Lab, gain};
use super::with_and_without;
use crate::units::{Amount, Shares};
use crate::vault::defence::Defence;

const NAV: u128 = 1_000_000_000;

/// A vault of alice's with a tenth of mallory's, four fifths of it delegated.
fn vault(is_checked: bool) -> Lab {
    let mut lab = Lab::with(is_checked, |terms| {
        terms.instant.fee_high = crate::units::Fraction::ZERO;
    });
    lab.deposit("alice", NAV / 10 * 9);
    lab.enter("mallory", NAV / 10);
    lab.put(NAV / 10 * 8);
    lab.pass(1);
    lab
}

/// What leaving at once gains over staying, in millionths of the stake, when a slash of `percents` of the stake comes. It leaves after the
/// request to slash is there, or before.
fn jump(is_checked: bool, percents: u8, is_known: bool) -> i128 {
    let outcome = |leaves: bool| {
        let mut lab = vault(is_checked);
        let offence = lab.now();
        let request = is_known.then(|| lab.ask(offence, percents));
        let shares = lab.shares("mallory");
        let ticket = leaves.then(|| lab.leave("mallory", shares).1);
        let request = request.unwrap_or_else(|| lab.ask(offence, percents));
        lab.pass(3);
        lab.execute(request);
        lab.pass(30);
        if let Some(ticket) = ticket {
            lab.claim(ticket);
            lab.pass(1);
        }
        lab.has("mallory")
    };
    gain(outcome(true), outcome(false)) * 1_000_000 / i128::try_from(NAV / 10).unwrap()
}

/// A5, the measured fact: with a tenth held back, leaving at once before a slash gains nothing for losses up to it, whether anybody else
/// knows of the offence or not.
#[test]
fn leaving_at_once_before_a_slash_gains_nothing_up_to_what_is_held_back() {
    for percents in [1, 5, 10, 12] {
        // Four fifths are at stake: 12 % of them are 9.6 % of the vault.
        for is_known in [false, true] {
            let gained = jump(true, percents, is_known);
            assert!(gained <= 1, "{percents} %, known: {is_known}: {gained}");
        }
    }
    let without_holdback = crate::vault::defence::without(Some(Defence::Holdback), || jump(false, 10, false));
    assert!(without_holdback >= 80_000, "all of the 8 %, and the others bear it: {without_holdback}");
}

/// A5: where everybody knows of the slash, the low price takes it off whatever is held back. Without it a loss beyond the holdback is
/// dodged.
#[test]
fn leaving_at_once_goes_by_the_low_price() {
    let (defended, weak) = with_and_without(Defence::LowPrice, |is_on| jump(is_on, 50, true));
    assert!(defended <= 1, "{defended}");
    assert!(weak > 250_000, "40 % less the tenth held back: {weak}");
}

/// When who waits asks back: before the request to slash, while it is open, in the epoch of its execution, or after it.
fn asked_at(is_checked: bool, when: u32) -> (u128, u128) {
    let mut lab = Lab::new(is_checked);
    lab.deposit("alice", 500_000);
    lab.enter("bob", 500_000);
    lab.put(1_000_000);
    lab.pass(1);
    let mut ticket = (when == 0).then(|| lab.request("bob", None));
    let request = lab.ask(lab.now(), 10);
    if when == 1 {
        ticket = Some(lab.request("bob", None));
    }
    lab.pass(3);
    if when == 2 {
        ticket = Some(lab.request("bob", None));
    }
    lab.execute(request);
    let ticket = ticket.unwrap_or_else(|| lab.request("bob", None));
    let paid = lab.wait(ticket);
    lab.pass(30);
    (paid + lab.claim(ticket), lab.worth("alice"))
}

/// A6, I10: request and slash commute: in any order who leaves and who stays have 450,000 each. Without it who asked first loses nothing and
/// who stays everything.
#[test]
fn who_asks_back_before_a_slash_loses_what_all_lose() {
    for when in 0..4 {
        let (left, stayed) = asked_at(true, when);
        assert!(left.abs_diff(450_000) <= 1 && stayed.abs_diff(450_000) <= 1, "{when}: {left} and {stayed}");
    }
    let (left, stayed) = crate::vault::defence::without(Some(Defence::WaitersLose), || asked_at(false, 0));
    assert!(left > 499_000 && stayed < 401_000, "{left} and {stayed}");
}

/// A7: who comes in between the offence and the slash gains nothing by it; and nobody leaves at the price before a slash that is carried
/// out. The control goes by what positions were worth when somebody last looked.
#[test]
fn nobody_trades_at_a_rate_before_a_loss_that_is_there() {
    let between = |is_on: bool| {
        let mut lab = vault(is_on);
        let request = lab.ask(lab.now(), 10);
        lab.enter("eve", NAV / 10);
        lab.pass(2);
        lab.execute(request);
        lab.pass(1);
        gain(lab.worth("eve"), NAV / 10)
    };
    assert!(between(true) <= 0, "{}", between(true));
    let after = |is_on: bool| {
        let mut lab = vault(is_on);
        lab.slash(50);
        let shares = lab.shares("mallory");
        let (paid, ticket) = lab.leave("mallory", shares);
        lab.pass(30);
        paid + lab.claim(ticket)
    };
    let (defended, weak) = with_and_without(Defence::Recognition, after);
    assert!(defended <= NAV / 10 * 6 / 10, "40 % were lost: {defended}");
    assert!(weak > NAV / 10 * 9 / 10, "{weak}");
}

/// A18: a slash hits stake that is active, and stake that was asked back and was bonded in the epoch of the offence, once; nothing that is
/// settled, and nothing that is claimed.
#[test]
fn a_slash_hits_each_state_of_an_exit_once() {
    let settled_at = |claims: bool| {
        let mut lab = Lab::new(true);
        lab.deposit("alice", 500_000);
        lab.enter("bob", 500_000);
        lab.put(1_000_000);
        lab.pass(1);
        let ticket = lab.request("bob", None);
        // U of 14 epochs, and a few for the ticks around.
        lab.pass(18);
        let early = if claims { lab.claim(ticket) } else { 0 };
        lab.slash(10);
        lab.pass(1);
        (early + lab.claim(ticket), lab.worth("alice"))
    };
    for claims in [false, true] {
        let (left, stayed) = settled_at(claims);
        assert!(left.abs_diff(500_000) <= 1, "settled before: {left}");
        assert!(stayed.abs_diff(450_000) <= 1, "who stays bears it for its own stake: {stayed}");
    }
    // Two slashes while it waits, of an epoch in which all was bonded: 0.9 x 0.9 for both.
    let mut lab = Lab::new(true);
    lab.deposit("alice", 500_000);
    lab.enter("bob", 500_000);
    lab.put(1_000_000);
    lab.pass(1);
    let before = lab.now();
    lab.pass(1);
    let ticket = lab.request("bob", None);
    let offences = [before, lab.now()];
    lab.pass(1);
    for offence in offences {
        let request = lab.ask(offence, 10);
        lab.pass(3);
        lab.execute(request);
    }
    let paid = lab.wait(ticket);
    lab.pass(30);
    let (left, stayed) = (paid + lab.claim(ticket), lab.worth("alice"));
    assert_eq!(left.abs_diff(stayed).min(2), left.abs_diff(stayed), "the same for both: {left} and {stayed}");
}

/// A24: after a slash of everything, or of all but a unit, nothing panics, deposits return, and what was settled is paid.
#[test]
fn a_vault_that_lost_everything_pays_what_it_owes_and_takes_nothing_in() {
    for keeps_one in [false, true] {
        let mut lab = Lab::with(true, |terms| terms.instant.holdback = super::lab::percent(0));
        lab.deposit("alice", 1_000_000);
        lab.enter("bob", 1_000_000);
        lab.put(1_000_000);
        let owed = lab.request("bob", Some(500_000_000));
        lab.pass(1);
        let idle = lab.vault().buckets.idle.units();
        lab.put(idle - u128::from(keeps_one).min(idle));
        lab.pass(1);
        lab.slash(100);
        assert!(lab.nav() <= 1, "{}", lab.nav());
        lab.give("eve", 100);
        drop(lab.act("eve", super::lab::world::World::depositing(100, 0, crate::units::Epoch::NEVER)));
        lab.pass(2);
        assert!(lab.shares("eve") == 0 || lab.worth("eve") >= 99, "it returned, or came in at what there is");
        assert_eq!(lab.claim(owed), 500_000, "what was settled is paid");
        let rest = lab.request("alice", None);
        lab.pass(20);
        lab.claim(rest);
        assert!(lab.free("alice") <= 1);
    }
    // The control: products of the largest numbers don't fit what a plain multiplication has.
    let (nav, supply) = (Amount::new((1 << 96) - 1), Shares::new((1 << 112) - 1));
    assert!(nav.units().checked_mul(supply.units()).is_none());
    let rate = crate::vault::rate::Rate::of(nav, supply);
    assert_eq!(rate.assets_down(supply), nav.minus(Amount::ZERO).unwrap());
}
