//! A ledger that follows the chain of the crate `fixtures`, whose validators and accounts a test may change from block to block.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use evidence::ethereum::{
    BalanceLeaf, Branch, Limited, SharedBranches, StateNodes, UnderWay, Update, Validator, ValidatorClaim,
    ValidatorsProof, Withdrawal, arrange_state,
};
use evidence::fact::pod::PodFactory;
use fixtures::{Block, Hash, Trie, World, encode_bytes, encode_list, encode_number, keccak256};
use protocol::entries::Key;
use protocol::ethereum::{ChainAsset, Ethereum};
use protocol::ops;
use protocol::units::{Address, Amount, AssetId, Digest, Fraction};
use protocol::{
    AssetKind, Authority, Event, Genesis, Operation, Origin, RateSource, Refusal, Signer, State,
    advance_epoch, apply, invariants,
};

/// The one chain: making committees takes longer than all the rest.
pub(crate) static WORLD: LazyLock<World> = LazyLock::new(|| World::new(8));

/// The chain's number in origins.
pub(crate) const NUMBER: u64 = 7;
/// Slots of a period; each fork rules for one.
pub(crate) const PERIOD: u64 = 8192;
/// Gwei of an ETH.
pub(crate) const ETHER: u64 = 1_000_000_000;
/// The first asset is native stake, which counts in gwei.
pub(crate) const NATIVE: AssetId = AssetId::new(0);

pub(crate) fn address(name: &str) -> Address {
    Address(keccak256(name.as_bytes())[..20].try_into().expect("20 bytes"))
}

/// An account of the execution layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) wei: u128,
    pub(crate) storage: BTreeMap<Hash, Hash>,
}

/// A ledger beside the chain that it follows.
pub(crate) struct Run {
    pub(crate) state: State,
    pub(crate) validators: BTreeMap<u64, Validator>,
    pub(crate) balances: BTreeMap<u64, u64>,
    pub(crate) accounts: BTreeMap<[u8; 20], Held>,
    pub(crate) withdrawals: Vec<Withdrawal>,
    pub(crate) blocks: BTreeMap<u64, Made>,
}

/// A block with what it was made of.
pub(crate) struct Made {
    pub(crate) block: Block,
    validators: BTreeMap<u64, Validator>,
    accounts: BTreeMap<[u8; 20], Held>,
}

/// The word of a number.
pub(crate) fn word(number: u128) -> Hash {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&number.to_be_bytes());
    word
}

fn trimmed(word: &Hash) -> Vec<u8> {
    let zeros = word.iter().take_while(|byte| **byte == 0).count();
    encode_bytes(&word[zeros..])
}

fn storage(held: &Held) -> Trie {
    Trie::secure(held.storage.iter().map(|(slot, word)| (slot.to_vec(), trimmed(word))))
}

fn trie(accounts: &BTreeMap<[u8; 20], Held>) -> Trie {
    let encode = |held: &Held| {
        // The root of a trie that holds nothing is that of an empty text.
        let root = if held.storage.is_empty() { keccak256(&[0x80]) } else { storage(held).root() };
        let code = keccak256(&[]);
        encode_list(&[encode_number(0), encode_number(held.wei), encode_bytes(&root), encode_bytes(&code)])
    };
    Trie::secure(accounts.iter().map(|(address, held)| (address.to_vec(), encode(held))))
}

pub(crate) fn factory() -> PodFactory {
    PodFactory { factory: [0xfa; 20], code_hash: [0xcd; 32], paid: word(0) }
}

/// What a genesis says of the chain: pods by the factory, a cap that nothing reaches.
pub(crate) fn config(trusted: Hash) -> Ethereum {
    let native = ChainAsset {
        contract: String::new(),
        decimals: Some(9),
        per_period: Amount::LIMIT,
        attested_above: None,
        custody: None,
        rate: None,
    };
    Ethereum {
        number: NUMBER,
        chain: WORLD.chain().clone(),
        trusted: Digest(trusted),
        states: Vec::new(),
        factory: Some(factory()),
        existing: Vec::new(),
        assets: vec![native],
        second: None,
        reward: Fraction::from_percent(25),
        reward_above: Fraction::from_percent(1),
        due_epochs: 2,
        halt_epochs: 5,
    }
}

impl Run {
    /// A ledger that has begun at the first block of a period.
    pub(crate) fn new(period: u64) -> Self {
        Self::with(period, |_| {})
    }

    pub(crate) fn with(period: u64, change: impl FnOnce(&mut Genesis)) -> Self {
        let (trusted, bootstrap) = WORLD.bootstrap(period * PERIOD);
        let mut genesis = Genesis { ethereum: Some(Box::new(config(trusted))), ..Genesis::development() };
        change(&mut genesis);
        let mut run = Self {
            state: State::new(genesis).expect("a genesis that checks"),
            validators: BTreeMap::new(),
            balances: BTreeMap::new(),
            accounts: (1..30).map(|n| ([n; 20], Held { wei: u128::from(n), ..Held::default() })).collect(),
            withdrawals: Vec::new(),
            blocks: BTreeMap::new(),
        };
        run.state.begin_block((period + 1) * PERIOD * 12_000);
        run.list("", AssetKind::Native, 9, RateSource::One);
        run.must("anyone", Operation::BeginChain(ops::begin_chain::BeginChain { bootstrap }));
        run
    }

    pub(crate) fn list(&mut self, contract: &str, kind: AssetKind, decimals: u8, rate: RateSource) {
        let origin = Origin { chain: NUMBER, contract: contract.to_owned() };
        self.must(
            "lister",
            Operation::ListAsset(ops::list_asset::ListAsset { origin, decimals, kind, rate }),
        );
    }

    pub(crate) fn run(&mut self, sender: &str, operation: Operation) -> Result<Vec<Event>, Refusal> {
        // What travels is the same on the other side.
        let bytes = operation.encode();
        assert_eq!(Operation::decode(&bytes), Ok(operation.clone()), "{} bytes", bytes.len());
        let authority = Authority { account: address(sender), signer: Signer::Plain, expires: u64::MAX };
        let outcome = apply(&mut self.state, &authority, &operation);
        invariants::check(&self.state).unwrap_or_else(|violation| panic!("{violation}"));
        outcome
    }

    pub(crate) fn must(&mut self, sender: &str, operation: Operation) -> Vec<Event> {
        let kind = operation.kind();
        self.run(sender, operation).unwrap_or_else(|refusal| panic!("{kind}: {refusal}"))
    }

    pub(crate) fn refused(&mut self, sender: &str, operation: Operation) -> String {
        let kind = operation.kind();
        match self.run(sender, operation) {
            Err(refusal) => refusal.code(),
            Ok(events) => panic!("{kind} must be refused, and did {events:?}"),
        }
    }

    pub(crate) fn advance(&mut self, epochs: u32) {
        for _ in 0..epochs {
            advance_epoch(&mut self.state);
            invariants::check(&self.state).unwrap_or_else(|violation| panic!("{violation}"));
        }
    }

    /// A validator on duty with 0x01 credentials.
    pub(crate) fn validator(&mut self, index: u64, owner: Address, balance: u64) {
        let mut withdrawal_credentials = [0; 32];
        withdrawal_credentials[0] = 1;
        withdrawal_credentials[12..].copy_from_slice(&owner.0);
        self.validators.insert(
            index,
            Validator {
                key_root: fixtures::chance("key", &[index]),
                withdrawal_credentials,
                effective_balance: balance.min(32 * ETHER) / ETHER * ETHER,
                slashed: false,
                activation_eligibility_epoch: 0,
                activation_epoch: 1,
                exit_epoch: u64::MAX,
                withdrawable_epoch: u64::MAX,
            },
        );
        self.balances.insert(index, balance);
    }

    /// The pod of a name.
    pub(crate) fn pod(&self, name: &str) -> Address {
        Address(factory().pod(&address(name).0))
    }

    fn block(&mut self, slot: u64, finalized: Hash) -> Block {
        let mut contents = WORLD.contents(slot, finalized, 1);
        contents.validators = self.validators.clone();
        contents.balances = self.balances.clone();
        contents.withdrawals = self.withdrawals.clone();
        contents.execution[0] = trie(&self.accounts).root();
        Block::new(&contents)
    }

    /// The chain finalizes a block with what there is; returns the update that says so.
    pub(crate) fn block_at(&mut self, slot: u64) -> Update {
        let block = self.block(slot, [0; 32]);
        let attested = self.block(slot + 64, block.root());
        let signed = slot + 65;
        let message = WORLD.signing_root(&attested.root(), signed);
        let (participation, signature) = WORLD.committee(signed / PERIOD).sign(500, &message);
        let branch = attested.state.branch(attested.fork.finalized_root().get());
        let update = Update {
            finality_branch: Branch::new(branch).expect("states are shallow"),
            execution: block.claim(),
            attested: attested.header.clone(),
            finalized: block.header.clone(),
            next: None,
            participation,
            signature,
            signature_slot: signed,
        };
        let made = Made { block, validators: self.validators.clone(), accounts: self.accounts.clone() };
        self.blocks.insert(slot, made);
        update
    }

    /// The ledger is told, and the execution block is opened.
    pub(crate) fn finalize(&mut self, slot: u64) {
        let update = self.block_at(slot);
        self.must("anyone", Operation::UpdateChain(ops::update_chain::UpdateChain { update }));
        let opening = self.blocks[&slot].block.opening();
        self.must("anyone", Operation::OpenBlock(ops::open_block::OpenBlock { slot, opening }));
    }

    /// Everything behind a name's withdrawal address in the block of a slot.
    pub(crate) fn report(&self, name: &str, slot: u64, with_balances: bool) -> ops::report_pod::ReportPod {
        let pod = self.pod(name);
        let made = &self.blocks[&slot];
        let own = |validator: &Validator| validator.withdrawal_credentials[12..] == pod.0;
        let indices: Vec<u64> =
            made.validators.iter().filter(|(_, v)| own(v)).map(|(index, _)| *index).collect();
        ops::report_pod::ReportPod {
            asset: NATIVE,
            account: Some(address(name)),
            slot,
            validators: made.validators(&indices, with_balances),
            nodes: Some(made.nodes(&[(pod.0, vec![word(0)])])),
            under_way: made.under_way(&self.withdrawals),
        }
    }

    /// Reports a pod as it is in the block of a slot.
    pub(crate) fn checkpoint(&mut self, name: &str, slot: u64) -> Vec<Event> {
        let report = self.report(name, slot, true);
        self.must("prover", Operation::ReportPod(report))
    }

    /// The state, written and read.
    pub(crate) fn restored(&self) -> State {
        let entries = self.state.keys().into_iter().map(|key| (key, self.entry(&key)));
        State::restore(entries).expect("entries that a state wrote")
    }

    fn entry(&self, key: &Key) -> Vec<u8> {
        self.state.entry(key).unwrap_or_else(|| panic!("{key} has an entry"))
    }
}

impl Made {
    pub(crate) fn validators(&self, indices: &[u64], with_balances: bool) -> ValidatorsProof {
        let fork = self.block.fork;
        let claim = |index: &u64| ValidatorClaim { index: *index, validator: self.validators[index].clone() };
        let at = |index: &u64| fork.validator(*index).expect("a small index").get();
        let mut places: Vec<u64> = indices.iter().map(at).collect();
        let mut chunks: Vec<u64> = indices.iter().map(|index| index / 4).collect();
        chunks.dedup();
        let chunks: Vec<u64> =
            chunks.into_iter().map(|chunk| fork.balances(chunk).expect("a small index").get()).collect();
        let leaves = chunks.iter().map(|index| BalanceLeaf::new(self.block.state.at(*index).root()));
        let balances = if with_balances { leaves.collect() } else { Vec::new() };
        if with_balances {
            places.extend(chunks);
        }
        let siblings = if indices.is_empty() { Vec::new() } else { self.block.state.shared(&places) };
        ValidatorsProof {
            validators: Limited::new(indices.iter().map(claim).collect()).expect("a few"),
            balances: Limited::new(balances).expect("a few"),
            siblings: SharedBranches::new(siblings).expect("a few"),
        }
    }

    /// The nodes that answer questions, in the order of a proof.
    pub(crate) fn nodes(&self, questions: &[([u8; 20], Vec<Hash>)]) -> StateNodes {
        let accounts = trie(&self.accounts);
        let mut nodes = Vec::new();
        for (address, slots) in questions {
            nodes.extend(accounts.proof(&keccak256(address)));
            if let Some(held) = self.accounts.get(address).filter(|held| !held.storage.is_empty()) {
                let storage = storage(held);
                nodes.extend(slots.iter().flat_map(|slot| storage.proof(&keccak256(slot))));
            }
        }
        let questions: Vec<_> = questions
            .iter()
            .map(|(address, slots)| evidence::ethereum::Question { address: *address, slots: slots.clone() })
            .collect();
        arrange_state(&accounts.root(), &questions, &nodes).expect("they answer").expect("a few")
    }

    fn under_way(&self, withdrawals: &[Withdrawal]) -> Option<UnderWay> {
        let at = self.block.fork.withdrawals_under_way()?;
        let branch = Branch::new(self.block.state.branch(at.get())).expect("states are shallow");
        Some(UnderWay { withdrawals: Limited::new(withdrawals.to_vec()).expect("a few"), branch })
    }
}
