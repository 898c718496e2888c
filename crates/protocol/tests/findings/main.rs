//! The attacks that shaped the protocol. Each finding of its hostile review is a test, with the numbers restated for slices; where a
//! defence answers the attack, the same attack with the defence switched off must win.
//!
//! A test is named after its finding: `f05_…` is finding 5, `c21_…` the small rule 21. Findings 25 and 26 and the rules 8, 22, 35 and 36
//! are void: slices have no capacity that dies or loses digits, and no magnitudes that round.
//!
//! # What belongs to later parts
//!
//! | Finding | Waits for | Why |
//! |---|---|---|
//! | 3 | services' own verifiers | no terms name one yet: only a built-in offence executes at once |
//! | 29, 48 | vaults | early exits with their holdback, and prices while a request is open |
//! | 30 | custody | a shortfall is proven against a custody contract |
//! | 32 | base chains | what a pod may sign, and when it pays its owner |
//! | 33, 62 | cover | who may be covered, and cover sold on stake as part of the certificate |
//! | 37 | node and custody | room in blocks is the sequencer's, and an exit may be posted on the other chain |
//! | 38 | custody | the limit on net outflow |
//! | 46 | services' own verifiers | metering that is paid before and lost; webhooks are not the ledger's |
//! | 63 | vaults | shares count 0 in the certificate, and none is held in a circle |
//!
//! | Rule | Waits for | Why |
//! |---|---|---|
//! | 25 | nothing | it is a definition: one unit of account, and no other currency has a name |
//! | 31 | cover | pro rata among several covers |
//! | 32 | vaults | a vault signs the digests that every staker signs |
//! | 40 | custody | a shortfall scales free balances and settled claims too |

mod b1_services_rob;
mod b2_operators_escape;
mod b3_stakers_escape;
mod b4_blocking;
mod b5_rewards;
mod b6_certificate;
mod b7_governance;
mod drains;
mod offers;
mod part_c_pools;
mod part_c_rules;
mod precision;
mod receipts;
mod world;

/// Findings that slices have voided, and those of later parts.
const WITHOUT_A_TEST: [u8; 13] = [25, 26, 3, 29, 30, 32, 33, 37, 38, 46, 48, 62, 63];
/// The same of the small rules.
const RULES_WITHOUT_A_TEST: [u8; 8] = [8, 22, 35, 36, 25, 31, 32, 40];
/// Small rules that are the same as a finding: 37 is 60.
const RULES_BY_A_FINDING: [(u8, fn()); 1] = [(37, b6_certificate::f60_the_shortfall_stands_beside_gamma)];

/// Numbers, each with a test.
type Tests<'a> = &'a [(u8, fn())];

fn check_numbers(tests: &[Tests<'_>], without: &[u8], last: u8) {
    let tested = tests.iter().flat_map(|tests| tests.iter().map(|(number, _)| *number));
    let mut numbers: Vec<u8> = tested.chain(without.iter().copied()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=last).collect::<Vec<u8>>(), "every number, and each once");
}

#[test]
fn every_finding_is_named() {
    let tests: [Tests<'_>; 7] = [
        &b1_services_rob::FINDINGS,
        &b2_operators_escape::FINDINGS,
        &b3_stakers_escape::FINDINGS,
        &b4_blocking::FINDINGS,
        &b5_rewards::FINDINGS,
        &b6_certificate::FINDINGS,
        &b7_governance::FINDINGS,
    ];
    check_numbers(&tests, &WITHOUT_A_TEST, 70);
}

#[test]
fn every_small_rule_is_named() {
    let tests: [Tests<'_>; 3] = [&part_c_pools::RULES, &part_c_rules::RULES, &RULES_BY_A_FINDING];
    check_numbers(&tests, &RULES_WITHOUT_A_TEST, 40);
}
