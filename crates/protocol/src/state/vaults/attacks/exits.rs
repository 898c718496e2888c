//! A fifth of all shares leaves within 33 days, most of it in the first: everybody is paid, and nothing has to be broken for it.

use super::lab::Lab;
use crate::units::TicketId;

/// Shares asked back, in thousandths of the supply, by day: 19.6 % in 33 days, half of it in the first five (the shape of ether.fi's
/// queue of April and May 2026, `docs/explanation/vaults.md`).
const RUN: [u128; 33] =
    [30, 24, 18, 14, 12, 10, 9, 8, 7, 6, 6, 5, 5, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 0];

#[test]
fn a_fifth_of_all_shares_leaves_within_33_epochs() {
    assert_eq!(RUN.iter().sum::<u128>(), 196);
    let mut lab = Lab::new(true);
    let names: Vec<String> = (0..RUN.len()).map(|day| format!("holder {day}")).collect();
    for name in &names {
        lab.deposit(name, 1_000_000);
    }
    lab.pass(1);
    // 2 % idle, the rest at stake.
    lab.put(lab.nav() / 100 * 98);
    lab.pass(1);
    let all = lab.supply();
    let mut waiting: Vec<(u32, TicketId)> = Vec::new();
    let mut waits = Vec::new();
    for day in 0..RUN.len() + 30 {
        if let Some(part) = RUN.get(day).filter(|part| **part > 0) {
            let name = names.get(day).expect("somebody asks each day of the run");
            let ticket = lab.request(name, Some((all / 1000 * part).min(lab.shares(name))));
            waiting.push((lab.now().number(), ticket));
        }
        lab.pass(1);
        let now = lab.now().number();
        waiting.retain(|(asked, ticket)| {
            let is_paid =
                lab.claim(*ticket) > 0 && !lab.state.vaults.exits.contains_key(&(super::lab::VAULT, *ticket));
            if is_paid {
                waits.push(now - asked);
            }
            !is_paid
        });
    }
    assert!(waiting.is_empty(), "{waiting:?}");
    waits.sort_unstable();
    // U of 14 epochs and the ticks around it.
    assert!(waits.iter().all(|wait| *wait <= lab.state.full_exit()), "{waits:?}");
}
