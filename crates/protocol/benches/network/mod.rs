//! Networks to measure on, built through the operations as users would.

#![allow(dead_code, reason = "each bench uses a part")]

use protocol::terms::{AcceptedAsset, Admission, Beneficiary, Destination, Mandate, Offences, Terms};
use protocol::units::{Address, Amount, AssetId, Fraction, OperatorId, SetId};
use protocol::{Authority, Event, Genesis, Operation, Signer, State, advance_epoch, apply, ops};

/// How large a network is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// Operators.
    pub(crate) operators: u32,
    /// Sets, each of weight 1, that every operator joins with equal parts of every pool.
    pub(crate) sets: u32,
    /// Assets, each accepted by every set.
    pub(crate) assets: u32,
    /// Stakers, each with one position, dealt round the pools.
    pub(crate) stakers: u32,
}

/// What every staker delegates.
pub(crate) const STAKE: u128 = 1_000_000_000_000;

pub(crate) fn address(kind: u8, number: u32) -> Address {
    let mut bytes = [kind; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Address(bytes)
}

pub(crate) fn staker(number: u32) -> Address {
    address(1, number)
}

pub(crate) fn operator(number: u32) -> Address {
    address(2, number)
}

pub(crate) const SERVICE: Address = Address([3; 20]);

pub(crate) fn must(state: &mut State, account: Address, operation: &Operation) -> Vec<Event> {
    let authority = Authority { account, signer: Signer::Plain, expires: u64::MAX };
    apply(state, &authority, operation).unwrap_or_else(|refusal| panic!("{operation:?}: {refusal}"))
}

pub(crate) fn deposit(asset: u32, amount: u128) -> Operation {
    let (asset, amount) = (AssetId::new(asset), Amount::new(amount));
    Operation::Deposit(ops::deposit::Deposit {
        account: None,
        asset,
        amount,
        index: None,
        proof: Default::default(),
    })
}

pub(crate) fn delegate(state: &State, operator: u32, asset: u32, amount: u128) -> Operation {
    let (operator, asset) = (OperatorId::new(operator), AssetId::new(asset));
    Operation::Delegate(ops::delegate::Delegate {
        operator,
        asset,
        amount: Amount::new(amount),
        validator: None,
        mandate: state.mandate_digest(operator, asset).expect("a pool"),
        worst_case: Fraction::ONE,
    })
}

pub(crate) fn terms(assets: u32) -> Terms {
    let asset = |asset| AcceptedAsset { asset: AssetId::new(asset), weight: 1_000_000_000 };
    Terms {
        assets: (0..assets).map(asset).collect(),
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
        reward_tokens: vec![AssetId::new(0)],
        warm_up: 0,
        jail: Default::default(),
        mass_slash_max: Fraction::ONE,
        risk_weight: Fraction::ONE,
        corruption_share: Fraction::ONE,
        quorum: None,
    }
}

/// Builds a network and ends the epoch of its building, so that everything is bonded and on the tables.
pub(crate) fn build(size: Size) -> State {
    let mut state = State::new(Genesis::development()).expect("a genesis");
    must(&mut state, SERVICE, &Operation::CreateService(ops::create_service::CreateService {}));
    for asset in 0..size.assets {
        let origin = protocol::Origin { chain: 1, contract: format!("0x{asset:040x}") };
        let list = ops::list_asset::ListAsset {
            origin,
            decimals: 18,
            kind: protocol::AssetKind::Token,
            rate: protocol::RateSource::One,
        };
        must(&mut state, SERVICE, &Operation::ListAsset(list));
    }
    for _ in 0..size.sets {
        let create = ops::create_set::CreateSet { terms: terms(size.assets) };
        must(&mut state, SERVICE, &Operation::CreateSet(create));
    }
    for number in 0..size.operators {
        add_operator(&mut state, number, size);
    }
    for number in 0..size.stakers {
        let pool = number % (size.operators * size.assets);
        let (of_operator, asset) = (pool / size.assets, pool % size.assets);
        must(&mut state, staker(number), &deposit(asset, STAKE));
        let delegation = delegate(&state, of_operator, asset, STAKE);
        must(&mut state, staker(number), &delegation);
    }
    advance_epoch(&mut state);
    state
}

fn add_operator(state: &mut State, number: u32, size: Size) {
    let account = operator(number);
    let register = ops::register_operator::RegisterOperator { groups: Default::default() };
    must(state, account, &Operation::RegisterOperator(register));
    let mandate = Mandate {
        worst_case: Fraction::ONE,
        elsewhere: Fraction::ONE,
        own_verifiers: Fraction::ZERO,
        uncertified: true,
        commission: Fraction::from_percent(10),
    };
    for asset in 0..size.assets {
        let asset = AssetId::new(asset);
        let open = ops::open_pool::OpenPool { asset, mandate, commission: Fraction::from_percent(5) };
        must(state, account, &Operation::OpenPool(open));
    }
    let parts = u16::try_from(256 / size.sets.max(1)).expect("at most 256");
    for set in 0..size.sets {
        let set = SetId::new(set);
        let allocation = |asset| ops::join_set::Allocation { asset: AssetId::new(asset), parts };
        let allocations = (0..size.assets).map(allocation).collect();
        let terms = state.terms_digest(set).expect("a set");
        let join = ops::join_set::JoinSet { set, terms, allocations };
        must(state, account, &Operation::JoinSet(join));
    }
}

/// Opens a stream to every set.
pub(crate) fn open_streams(state: &mut State, sets: u32, per_epoch: u128, epochs: u32) {
    must(state, SERVICE, &deposit(0, per_epoch * u128::from(epochs) * u128::from(sets)));
    for set in 0..sets {
        let open = ops::open_stream::OpenStream {
            set: SetId::new(set),
            token: AssetId::new(0),
            per_epoch: Amount::new(per_epoch),
            epochs,
        };
        must(state, SERVICE, &Operation::OpenStream(open));
    }
}
