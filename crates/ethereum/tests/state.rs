//! States of every fork, made by somebody who never heard of offsets that pass by.

use std::sync::LazyLock;

use ethereum::{State, StateFault, Wanted};
use evidence::ethereum::{Finalized, Fork};
use fixtures::{Block, Value, World};

static WORLD: LazyLock<World> = LazyLock::new(|| World::new(8));

const PERIOD: u64 = 8192;
/// A slot of each fork.
const SLOTS: [u64; 5] = [640, PERIOD + 640, 2 * PERIOD + 640, 3 * PERIOD + 640, 4 * PERIOD + 640];

fn read(bytes: &[u8], wanted: &Wanted) -> Result<State, StateFault> {
    let length = u64::try_from(bytes.len()).unwrap();
    State::read(&mut &*bytes, length, WORLD.chain().schedule(), wanted, &mut |_| {})
}

fn indices(wanted: impl IntoIterator<Item = u64>) -> Wanted {
    Wanted { indices: wanted.into_iter().collect(), ..Wanted::default() }
}

fn finalized(block: &Block) -> Finalized {
    serde_json::from_str(&block.finalized_text()).unwrap()
}

static STATES: LazyLock<Vec<(Block, Value, Vec<u8>)>> = LazyLock::new(|| {
    let made = |slot: u64| {
        let (block, value) = WORLD.whole_block(slot, [9; 32], 0);
        let bytes = value.ssz();
        (block, value, bytes)
    };
    SLOTS.map(made).into_iter().collect()
});

#[test]
fn a_state_of_every_fork_has_the_root_of_its_block_and_proves_its_validators() {
    for ((block, _, bytes), fork) in STATES.iter().zip(Fork::ALL) {
        for some in [vec![0], vec![299], vec![0, 1, 5, 6, 21, 84, 85, 299], (0..300).collect()] {
            let state = read(bytes, &indices(some.iter().copied())).unwrap();
            assert_eq!((state.fork(), state.validators()), (fork, 300));
            assert_eq!(state.root(), block.header.state_root, "{fork}");
            assert_eq!(state.header(), &block.header);
            let proven = state.prove().unwrap();
            assert_eq!((proven.slot, proven.block_root), (block.header.slot, block.root()));
            let found = finalized(block).validators(&proven.validators).unwrap();
            assert_eq!(found.iter().map(|one| one.index()).collect::<Vec<_>>(), some);
            for one in &found {
                assert_eq!(one.validator(), &fixtures::registered(one.index()).1);
                assert_eq!(one.balance(), Some(32_000_000_000 + one.index()));
            }
            let balances = found.iter().map(|one| one.balance().unwrap());
            assert_eq!(proven.balances, balances.collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_validators_of_an_address_are_found() {
    let (block, _, bytes) = &STATES[3];
    let credentials = fixtures::registered(101).1.withdrawal_credentials;
    let address: [u8; 20] = credentials[12..].try_into().unwrap();
    let wanted = Wanted { indices: [7].into(), addresses: [address].into() };
    let proven = read(bytes, &wanted).unwrap().prove().unwrap();
    let found = finalized(block).validators(&proven.validators).unwrap();
    assert_eq!(found.iter().map(|one| one.index()).collect::<Vec<_>>(), [7, 101]);
    // Withdrawals of validator 3 go to a key, whatever its bytes look like.
    let key: [u8; 20] = fixtures::registered(3).1.withdrawal_credentials[12..].try_into().unwrap();
    let refused = read(bytes, &Wanted { addresses: [key].into(), ..Wanted::default() }).err().unwrap();
    assert!(matches!(refused, StateFault::Address { address } if address == key), "{refused}");
}

#[test]
fn what_is_not_there_is_said() {
    let (_, _, bytes) = &STATES[4];
    let refused = read(bytes, &indices([0, 300])).err().unwrap();
    assert_eq!(refused.to_string(), "state has 300 validators, so there is none 300");
    let refused = read(bytes, &Wanted::default()).unwrap().prove().unwrap_err();
    assert!(matches!(refused, StateFault::Nothing), "{refused}");
}

/// Every field counts: whichever byte is changed, the state is refused or has another root.
#[test]
fn a_changed_byte_anywhere_is_another_state_or_none() {
    for (block, _, bytes) in STATES.iter() {
        let step = if std::env::var_os("SURETY_EXHAUSTIVE").is_some() { 997 } else { 151_007 };
        for place in (0..bytes.len()).step_by(step) {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            if let Ok(state) = read(&changed, &indices([1])) {
                // The root of the state is the one part of the header that is filled in.
                assert_ne!(state.root(), block.header.state_root, "byte {place}");
            }
        }
    }
}

#[test]
fn bytes_that_are_cut_longer_or_of_another_fork_are_refused() {
    for (place, (_, _, bytes)) in STATES.iter().enumerate() {
        for length in [0, 10, 175, 176, 1_000, 300_000, bytes.len() - 1] {
            let refused = read(&bytes[..length], &indices([1])).err();
            assert!(refused.is_some(), "{length} bytes of state {place}");
        }
        // The end of the file is not where its length says.
        let length = u64::try_from(bytes.len()).unwrap();
        let schedule = WORLD.chain().schedule();
        for (bytes, said) in
            [(&bytes[..bytes.len() - 40], length), (&[&bytes[..], &[0; 40]].concat(), length)]
        {
            let refused = State::read(&mut &*bytes, said, schedule, &indices([1]), &mut |_| {}).err();
            assert!(refused.is_some(), "state {place}");
        }
        let mut other = bytes.clone();
        // The slot of another fork, and the version of this one.
        other[40..48].copy_from_slice(&SLOTS[(place + 1) % 5].to_le_bytes());
        let refused = read(&other, &indices([1])).err().unwrap();
        assert!(matches!(refused, StateFault::Version { .. }), "{refused}");
        other[40..48].copy_from_slice(&(7 * PERIOD).to_le_bytes());
        let refused = read(&other, &indices([1])).err().unwrap().to_string();
        assert!(refused.contains("fork heze, whose layout is not known"), "{refused}");
    }
}

/// A slot without a block after it: its state stands in no header.
#[test]
fn a_state_between_blocks_is_refused() {
    let (_, _, bytes) = &STATES[2];
    let mut later = bytes.clone();
    let slot = SLOTS[2];
    later[40..48].copy_from_slice(&(slot + 1).to_le_bytes());
    let refused = read(&later, &indices([1])).err().unwrap();
    assert_eq!(
        refused.to_string(),
        format!(
            "state of slot {} is later than its newest block, of slot {slot}: take the state of a block",
            slot + 1
        )
    );
}

/// Nine withdrawals of the state of Gloas, which older states have no list of.
#[test]
fn withdrawals_under_way_are_proven_where_there_are_any() {
    for ((block, _, bytes), fork) in STATES.iter().zip(Fork::ALL) {
        let proven = read(bytes, &indices([1])).unwrap().prove().unwrap();
        let Some(under_way) = proven.under_way else {
            assert_ne!(fork, Fork::Gloas);
            continue;
        };
        assert_eq!((fork, under_way.withdrawals.len()), (Fork::Gloas, 9));
        let withdrawal = under_way.withdrawals[3];
        assert_eq!((withdrawal.index, withdrawal.validator_index, withdrawal.amount), (3, 1, 5));
        // The siblings of field 44 in the tree from the definition.
        let fields = evidence::ethereum::GeneralizedIndex::ROOT.leaf(1, 0).unwrap();
        let at = fields.progressive_leaf(44).unwrap();
        assert_eq!(under_way.branch.siblings(), block.state.branch(at.get()));
    }
}

/// The writer of large states, which keeps nothing in memory, writes the same as that of small ones.
#[test]
fn a_state_of_any_size_is_written_as_a_small_one_is() {
    for (slot, (.., expected)) in SLOTS.into_iter().zip(STATES.iter()) {
        let mut bytes = Vec::new();
        WORLD.write_state(slot, 300, &mut bytes).unwrap();
        // Only what is final in it differs.
        let differing = bytes.iter().zip(expected).filter(|(left, right)| left != right).count();
        assert_eq!((bytes.len(), differing), (expected.len(), 32));
        bytes.clear();
        WORLD.write_state(slot, 5000, &mut bytes).unwrap();
        let state = read(&bytes, &indices([0, 2500, 4999])).unwrap();
        assert_eq!(state.validators(), 5000);
        let proven = state.prove().unwrap();
        let claims = proven.validators.validators.as_slice();
        assert_eq!(claims.iter().map(|claim| claim.index).collect::<Vec<_>>(), [0, 2500, 4999]);
        assert_eq!(proven.balances, [0, 2500, 4999].map(|index| 32_000_000_000 + index));
    }
}
