//! The fields of a state in each fork, with the sizes of mainnet.
//!
//! Source: consensus-specs at a08d8a6e, `specs/{phase0,altair,capella,deneb,electra,fulu,gloas}/beacon-chain.md` and
//! `presets/mainnet`.

use evidence::ethereum::Fork;

use crate::ssz::Shape;

/// A field: its name in the specification, and what it looks like.
pub(super) type Field = (&'static str, Shape);

/// Where the fields stand that are looked into.
pub(super) const VALIDATORS: usize = 11;
pub(super) const BALANCES: usize = 12;
/// Only states of Gloas have so many fields.
pub(super) const EXPECTED_WITHDRAWALS: usize = 44;

const U8: Shape = Shape::Basic(1);
const U64: Shape = Shape::Basic(8);
const U256: Shape = Shape::Basic(32);
const ROOT: Shape = Shape::Bytes(32);
const ADDRESS: Shape = Shape::Bytes(20);
const VERSION: Shape = Shape::Bytes(4);
const KEY: Shape = Shape::Bytes(48);
const SIGNATURE: Shape = Shape::Bytes(96);

const ROOTS: Shape = Shape::Vector(&ROOT, 8192);
const FORK: Shape = Shape::Container(&[VERSION, VERSION, U64]);
const HEADER: Shape = Shape::Container(&[U64, U64, ROOT, ROOT, ROOT]);
const CHECKPOINT: Shape = Shape::Container(&[U64, ROOT]);
const ETH1_DATA: Shape = Shape::Container(&[ROOT, U64, ROOT]);
const COMMITTEE: Shape = Shape::Container(&[Shape::Vector(&KEY, 512), KEY]);
const SUMMARY: Shape = Shape::Container(&[ROOT, ROOT]);
const VALIDATOR: Shape = Shape::Container(&[KEY, ROOT, U64, U8, U64, U64, U64, U64]);
const PENDING_DEPOSIT: Shape = Shape::Container(&[KEY, ROOT, U64, SIGNATURE, U64]);
const PENDING_WITHDRAWAL: Shape = Shape::Container(&[U64, U64, U64]);
const PENDING_CONSOLIDATION: Shape = Shape::Container(&[U64, U64]);
const EXTRA_DATA: Shape = Shape::List(&U8, 32);
const BUILDER: Shape = Shape::Container(&[KEY, U8, ADDRESS, U64, U64, U64]);
const BUILDER_WITHDRAWAL: Shape = Shape::Container(&[ADDRESS, U64, U64]);
const BUILDER_PAYMENT: Shape = Shape::Container(&[U64, BUILDER_WITHDRAWAL, U64]);
const WITHDRAWAL: Shape = Shape::Container(&[U64, U64, ADDRESS, U64]);
const TIMELINESS_COMMITTEE: Shape = Shape::Vector(&U64, 512);
/// Up to the root of the withdrawals; Deneb adds two numbers.
const PAYLOAD_CAPELLA: Shape = Shape::Container(&[
    ROOT, ADDRESS, ROOT, ROOT, BLOOM, ROOT, U64, U64, U64, U64, EXTRA_DATA, U256, ROOT, ROOT, ROOT,
]);
const PAYLOAD_DENEB: Shape = Shape::Container(&[
    ROOT, ADDRESS, ROOT, ROOT, BLOOM, ROOT, U64, U64, U64, U64, EXTRA_DATA, U256, ROOT, ROOT, ROOT, U64, U64,
]);
const BLOOM: Shape = Shape::Bytes(256);
const BID: Shape = Shape::ProgressiveContainer(&[
    ROOT,
    ROOT,
    ROOT,
    ROOT,
    ADDRESS,
    U64,
    U64,
    U64,
    U64,
    U64,
    Shape::ProgressiveList(&KEY),
    ROOT,
]);

/// A long list as the fork has it.
const fn long(fork: Fork, item: &'static Shape, limit: u64) -> Shape {
    if is_progressive(fork) { Shape::ProgressiveList(item) } else { Shape::List(item, limit) }
}

/// Whether states of the fork are progressive containers, and their long lists progressive lists.
pub(super) const fn is_progressive(fork: Fork) -> bool {
    match fork {
        Fork::Capella | Fork::Deneb | Fork::Electra | Fork::Fulu => false,
        Fork::Gloas => true,
    }
}

/// Validators that a registry has room for, before it was progressive.
const REGISTRY: u64 = 1 << 40;

/// The first fifteen fields, which are those of phase 0.
fn first(fork: Fork) -> Vec<Field> {
    vec![
        ("genesis_time", U64),
        ("genesis_validators_root", ROOT),
        ("slot", U64),
        ("fork", FORK),
        ("latest_block_header", HEADER),
        ("block_roots", ROOTS),
        ("state_roots", ROOTS),
        ("historical_roots", Shape::List(&ROOT, 1 << 24)),
        ("eth1_data", ETH1_DATA),
        ("eth1_data_votes", Shape::List(&ETH1_DATA, 2048)),
        ("eth1_deposit_index", U64),
        ("validators", long(fork, &VALIDATOR, REGISTRY)),
        ("balances", long(fork, &U64, REGISTRY)),
        ("randao_mixes", Shape::Vector(&ROOT, 65_536)),
        ("slashings", Shape::Vector(&U64, 8192)),
    ]
}

const JUSTIFIED: [Field; 4] = [
    ("justification_bits", Shape::Bytes(1)),
    ("previous_justified_checkpoint", CHECKPOINT),
    ("current_justified_checkpoint", CHECKPOINT),
    ("finalized_checkpoint", CHECKPOINT),
];

/// The fields of a state, in order.
pub(super) fn fields(fork: Fork) -> Vec<Field> {
    let mut fields = first(fork);
    fields.extend([
        ("previous_epoch_participation", long(fork, &U8, REGISTRY)),
        ("current_epoch_participation", long(fork, &U8, REGISTRY)),
    ]);
    fields.extend(JUSTIFIED);
    fields.extend([
        ("inactivity_scores", long(fork, &U64, REGISTRY)),
        ("current_sync_committee", COMMITTEE),
        ("next_sync_committee", COMMITTEE),
        match fork {
            Fork::Capella => ("latest_execution_payload_header", PAYLOAD_CAPELLA),
            Fork::Deneb | Fork::Electra | Fork::Fulu => ("latest_execution_payload_header", PAYLOAD_DENEB),
            Fork::Gloas => ("latest_block_hash", ROOT),
        },
        ("next_withdrawal_index", U64),
        ("next_withdrawal_validator_index", U64),
        ("historical_summaries", Shape::List(&SUMMARY, 1 << 24)),
    ]);
    if fork >= Fork::Electra {
        fields.extend([
            ("deposit_requests_start_index", U64),
            ("deposit_balance_to_consume", U64),
            ("exit_balance_to_consume", U64),
            ("earliest_exit_epoch", U64),
            ("consolidation_balance_to_consume", U64),
            ("earliest_consolidation_epoch", U64),
            ("pending_deposits", long(fork, &PENDING_DEPOSIT, 1 << 27)),
            ("pending_partial_withdrawals", long(fork, &PENDING_WITHDRAWAL, 1 << 27)),
            ("pending_consolidations", long(fork, &PENDING_CONSOLIDATION, 1 << 18)),
        ]);
    }
    if fork >= Fork::Fulu {
        fields.push(("proposer_lookahead", Shape::Vector(&U64, 64)));
    }
    if fork >= Fork::Gloas {
        fields.extend([
            ("builders", Shape::ProgressiveList(&BUILDER)),
            ("next_withdrawal_builder_index", U64),
            ("execution_payload_availability", Shape::Bytes(1024)),
            ("builder_pending_payments", Shape::Vector(&BUILDER_PAYMENT, 64)),
            ("builder_pending_withdrawals", Shape::ProgressiveList(&BUILDER_WITHDRAWAL)),
            ("latest_execution_payload_bid", BID),
            ("payload_expected_withdrawals", Shape::ProgressiveList(&WITHDRAWAL)),
            ("ptc_window", Shape::Vector(&TIMELINESS_COMMITTEE, 96)),
        ]);
    }
    fields
}

/// The fields of the first states of mainnet and Sepolia, for tests on the real ones. Attestations that wait stand for
/// none.
#[cfg(test)]
pub(super) fn phase0() -> Vec<Field> {
    let mut fields = first(Fork::Capella);
    let none = Shape::List(&ROOT, 4096);
    fields.extend([("previous_epoch_attestations", none), ("current_epoch_attestations", none)]);
    fields.extend(JUSTIFIED);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_the_fields_that_evidence_counts_with() {
        let counts = Fork::ALL.map(|fork| fields(fork).len());
        assert_eq!(counts, [28, 28, 37, 38, 46]);
        for fork in Fork::ALL {
            let fields = fields(fork);
            assert_eq!((fields[VALIDATORS].0, fields[BALANCES].0), ("validators", "balances"));
            let withdrawals = fields.get(EXPECTED_WITHDRAWALS).map(|(name, _)| *name);
            assert_eq!(withdrawals, (fork == Fork::Gloas).then_some("payload_expected_withdrawals"));
            assert_eq!((fields[20].0, fields[22].0), ("finalized_checkpoint", "current_sync_committee"));
        }
        assert_eq!(VALIDATOR.size(), Some(121));
        assert_eq!(COMMITTEE.size(), Some(24_624));
        assert_eq!(
            (WITHDRAWAL.size(), BUILDER.size(), PENDING_DEPOSIT.size()),
            (Some(44), Some(93), Some(192))
        );
    }
}
