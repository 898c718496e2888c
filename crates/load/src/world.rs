//! The ledger that is measured: operators with pools, a set that all are in, a stream of rewards, and stakers whose stake is bonded and earns.
//!
//! It is built through the ledger, by blocks of operations whose senders are named plainly, which only a ledger for development takes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use evidence::{Scheme, SecretKey, address_of};
use ledger::files::DiskFiles;
use ledger::{Genesis, Ledger, Outcome, Verified};
use node::Node;
use protocol::terms::{AcceptedAsset, Admission, Beneficiary, Destination, Mandate, Offences, Terms};
use protocol::units::{Address, Amount, AssetId, Digest, Fraction, OperatorId, SetId};
use protocol::{Operation, ops};
use signing::Domain;
use store::QmdbStore;

use crate::workload::on_all_cores;
use crate::{Failure, Options, machine};

/// Operators, each with one pool.
pub(crate) const OPERATORS: u32 = 100;
/// What every staker bonds before anything is measured; as much again stays free.
pub(crate) const STAKE: u128 = 1_000_000_000_000_000_000;
/// The only asset.
pub(crate) const ASSET: AssetId = AssetId::new(0);
const SET: SetId = SetId::new(0);
const SERVICE: Address = Address([3; 20]);
/// Epochs that the stream pays.
const PAID_EPOCHS: u32 = 1_000_000;
/// Epochs that pass while it is built.
const EPOCHS: u64 = 4;

/// What signers must know of the ledger.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) domain: Domain,
    /// The mandates of the pools, by operator.
    pub(crate) mandates: Vec<Digest>,
    /// The time of the newest block.
    pub(crate) time_ms: u64,
}

/// How the building went.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) world: World,
    pub(crate) operations: usize,
    pub(crate) took: Duration,
    /// By how much the memory of the process grew.
    pub(crate) memory: u64,
}

/// The key of a staker.
pub(crate) fn secret(number: u32) -> SecretKey {
    let mut seed = [0x5a; 32];
    for (to, from) in seed.iter_mut().zip(number.to_be_bytes()) {
        *to = from;
    }
    SecretKey::from_seed(Scheme::Secp256k1, seed)
}

/// The account of a key: nobody has to register one.
pub(crate) fn account(secret: &SecretKey) -> Result<Address, Failure> {
    let address = address_of(&secret.public_key()).ok_or("a key of a person has an address")?;
    Ok(Address(address))
}

/// Makes a ledger in a folder and fills it.
pub(crate) fn build(folder: &Path, options: &Options) -> Result<Built, Failure> {
    let (start, before) = (Instant::now(), machine::memory());
    let genesis = genesis(options)?;
    Node::init(folder, &genesis)?;
    let mut builder = Builder {
        ledger: open(folder, options)?,
        time_ms: genesis.start_ms,
        block: options.block,
        operations: 0,
    };
    builder.network()?;
    let mandates = builder.mandates()?;
    builder.stakers(&mandates, options.accounts(), options.each)?;
    for epoch in 1..=EPOCHS {
        builder.time_ms = genesis.epoch_start_ms(epoch);
        builder.append(Vec::new())?;
    }
    let (time_ms, operations) = (builder.time_ms, builder.operations);
    let domain = builder.ledger.domain().clone();
    builder.ledger.sync()?;
    let memory = machine::memory().saturating_sub(before);
    builder.ledger.close()?;
    Ok(Built { world: World { domain, mandates, time_ms }, operations, took: start.elapsed(), memory })
}

/// Opens the ledger of a folder as a node does.
pub(crate) fn open(folder: &Path, options: &Options) -> Result<Ledger, Failure> {
    let files = DiskFiles::open(folder)?;
    let store = QmdbStore::open(&folder.join(node::STORE_FOLDER), options.store())?;
    Ok(Ledger::open(Arc::new(files), Box::new(store), ledger::Options::default())?)
}

/// The machine's clock, in milliseconds since 1970.
pub(crate) fn now_ms() -> Result<u64, Failure> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

/// A ledger for development whose epochs so far have just passed.
fn genesis(options: &Options) -> Result<Genesis, Failure> {
    let now = now_ms()?;
    let past = EPOCHS.saturating_mul(options.epoch_ms);
    Ok(Genesis {
        name: "load".to_owned(),
        chain_id: 1,
        custody: Address([0xc5; 20]),
        start_ms: now.checked_sub(past).ok_or("the epochs are longer than the time since 1970")?,
        epoch_ms: options.epoch_ms,
        protocol: protocol::Genesis::development(),
        opening: Vec::new(),
    })
}

struct Builder {
    ledger: Ledger,
    time_ms: u64,
    block: usize,
    operations: usize,
}

impl Builder {
    /// Appends operations in full blocks. None of them may be refused.
    fn append(&mut self, operations: Vec<(Address, Operation)>) -> Result<(), Failure> {
        self.operations = self.operations.saturating_add(operations.len());
        let mut operations = operations.into_iter().peekable();
        loop {
            let block = operations.by_ref().take(self.block);
            let block = block.map(|(account, operation)| Verified::plain(account, operation)).collect();
            let executed = self.ledger.append(block, self.time_ms)?;
            for receipt in &executed.receipts {
                if let Outcome::Refused { text, .. } = &receipt.outcome {
                    return Err(format!("{} was refused: {text}", receipt.kind).into());
                }
            }
            if operations.peek().is_none() {
                return Ok(());
            }
        }
    }

    /// The asset, the service with its set, the operators with their pools, the stream.
    fn network(&mut self) -> Result<(), Failure> {
        let origin = protocol::Origin { chain: 1, contract: format!("0x{:040x}", 7) };
        let (kind, rate) = (protocol::AssetKind::Token, protocol::RateSource::One);
        let list = ops::list_asset::ListAsset { origin, decimals: 18, kind, rate };
        let mut operations = vec![
            (SERVICE, Operation::CreateService(ops::create_service::CreateService {})),
            (SERVICE, Operation::ListAsset(list)),
            (SERVICE, Operation::CreateSet(ops::create_set::CreateSet { terms: terms() })),
        ];
        for number in 0..OPERATORS {
            let register = ops::register_operator::RegisterOperator { groups: Default::default() };
            operations.push((operator(number), Operation::RegisterOperator(register)));
            let open = ops::open_pool::OpenPool {
                asset: ASSET,
                mandate: mandate(),
                commission: Fraction::from_percent(5),
            };
            operations.push((operator(number), Operation::OpenPool(open)));
        }
        self.append(operations)?;
        let terms = self.ledger.head().state.terms_digest(SET).ok_or("the set has terms")?;
        let join = |number| {
            let allocations = vec![ops::join_set::Allocation { asset: ASSET, parts: 256 }];
            (operator(number), Operation::JoinSet(ops::join_set::JoinSet { set: SET, terms, allocations }))
        };
        self.append((0..OPERATORS).map(join).collect())?;
        let per_epoch = STAKE.saturating_mul(1_000);
        let stream = ops::open_stream::OpenStream {
            set: SET,
            token: ASSET,
            per_epoch: Amount::new(per_epoch),
            epochs: PAID_EPOCHS,
        };
        let funds = per_epoch.saturating_mul(u128::from(PAID_EPOCHS));
        self.append(vec![(SERVICE, deposit(funds)), (SERVICE, Operation::OpenStream(stream))])
    }

    fn mandates(&self) -> Result<Vec<Digest>, Failure> {
        let head = self.ledger.head();
        let digest = |number| head.state.mandate_digest(OperatorId::new(number), ASSET);
        let digests: Option<_> = (0..OPERATORS).map(digest).collect();
        Ok(digests.ok_or("every operator has a pool")?)
    }

    fn stakers(&mut self, mandates: &[Digest], stakers: u32, each: u32) -> Result<(), Failure> {
        let step = u32::try_from(self.block)?.max(1);
        let mut first = 0;
        while first < stakers {
            let last = stakers.min(first.saturating_add(step));
            let numbers: Vec<u32> = (first..last).collect();
            let pairs = on_all_cores(&numbers, |number| {
                let account = account(&secret(*number))?;
                let funds = STAKE.saturating_mul(2).saturating_mul(u128::from(each));
                let mut operations = vec![(account, deposit(funds))];
                for further in 0..each {
                    let delegate = delegate(mandates, number.saturating_add(further), STAKE)?;
                    operations.push((account, delegate));
                }
                Ok(operations)
            })?;
            self.append(pairs.into_iter().flatten().collect())?;
            first = last;
        }
        Ok(())
    }
}

fn operator(number: u32) -> Address {
    let mut bytes = [2; 20];
    for (to, from) in bytes.iter_mut().zip(number.to_be_bytes()) {
        *to = from;
    }
    Address(bytes)
}

/// The operator that a staker has chosen.
pub(crate) const fn operator_of(staker: u32) -> OperatorId {
    OperatorId::new(staker % OPERATORS)
}

fn deposit(amount: u128) -> Operation {
    Operation::Deposit(ops::deposit::Deposit {
        account: None,
        asset: ASSET,
        amount: Amount::new(amount),
        index: None,
        proof: Default::default(),
    })
}

/// A staker delegates more to its operator.
pub(crate) fn delegate(mandates: &[Digest], staker: u32, amount: u128) -> Result<Operation, Failure> {
    let mandate = mandates.get(usize::try_from(staker % OPERATORS)?).ok_or("every operator has a mandate")?;
    Ok(Operation::Delegate(ops::delegate::Delegate {
        operator: operator_of(staker),
        asset: ASSET,
        amount: Amount::new(amount),
        validator: None,
        mandate: *mandate,
        worst_case: Fraction::ONE,
    }))
}

fn mandate() -> Mandate {
    Mandate {
        worst_case: Fraction::ONE,
        elsewhere: Fraction::ONE,
        own_verifiers: Fraction::ZERO,
        uncertified: true,
        commission: Fraction::from_percent(10),
    }
}

fn terms() -> Terms {
    Terms {
        assets: vec![AcceptedAsset { asset: ASSET, weight: 1_000_000_000 }],
        admission: Admission {
            list_only: false,
            operators_max: 1024,
            stake_min: Amount::ZERO,
            self_stake_min: Amount::ZERO,
            bond_min: Amount::ZERO,
        },
        operator_share_max: Fraction::ONE,
        offences: Offences {
            equivocation: Some(Fraction::from_percent(50)),
            subjective: Some(Fraction::from_percent(10)),
            false_event: None,
            correlation: None,
        },
        window_cap: Fraction::ONE,
        veto: 0,
        resolvers: Vec::new(),
        threshold: None,
        slasher: SERVICE,
        destinations: vec![Destination { to: Beneficiary::Burn, share: Fraction::ONE }],
        reward_tokens: vec![ASSET],
        warm_up: 0,
        jail: Default::default(),
        mass_slash_max: Fraction::ONE,
        risk_weight: Fraction::ONE,
        corruption_share: Fraction::ONE,
        quorum: None,
    }
}
