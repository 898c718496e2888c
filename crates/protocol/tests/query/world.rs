//! A small ledger that is set up by hand, for tests of answers inside and outside of the crate.

use protocol::ops;
use protocol::terms::{Mandate, Offences, Terms};
use protocol::units::{Address, Amount, AssetId, Epoch, Fraction, OperatorId, SetId};
use protocol::{
    AssetKind, Authority, FollowUp, Genesis, Operation, Origin, RateSource, Signer, State, advance_epoch,
    apply,
};

pub(crate) const ETH: AssetId = AssetId::new(0);
pub(crate) const OLGA: OperatorId = OperatorId::new(0);
pub(crate) const ORACLE: SetId = SetId::new(0);
pub(crate) const BRIDGE: SetId = SetId::new(1);

pub(crate) const ALICE: Address = Address([0xaa; 20]);
pub(crate) const OPERATOR: Address = Address([0x0a; 20]);
pub(crate) const SERVICE: Address = Address([0x5e; 20]);
pub(crate) const RESOLVER: Address = Address([0x4e; 20]);

pub(crate) fn ask(state: &mut State, account: Address, operation: Operation) {
    let authority = Authority { account, signer: Signer::Plain, expires: u64::MAX };
    apply(state, &authority, &operation).unwrap_or_else(|refusal| panic!("{}: {refusal}", refusal.code()));
}

pub(crate) const fn percent(percent: u8) -> Fraction {
    Fraction::from_percent(percent)
}

pub(crate) const fn units(units: u128) -> Amount {
    Amount::new(units)
}

pub(crate) fn terms(cap: u8, resolvers: Vec<Address>) -> Terms {
    let offences = Offences {
        equivocation: Some(percent(10)),
        subjective: Some(percent(90)),
        false_event: None,
        correlation: None,
    };
    let veto = if resolvers.is_empty() { 0 } else { 3 };
    Terms {
        offences,
        window_cap: percent(cap),
        veto,
        resolvers,
        ..Terms::plain(SERVICE, &[(ETH, 1_000_000_000)])
    }
}

pub(crate) fn mandate() -> Mandate {
    let (worst_case, elsewhere) = (percent(40), Fraction::ZERO);
    Mandate {
        worst_case,
        elsewhere,
        own_verifiers: Fraction::ZERO,
        uncertified: true,
        commission: percent(20),
    }
}

pub(crate) fn deposit(amount: u128) -> Operation {
    let (account, index, proof) = (None, None, evidence::Proof::Development);
    Operation::Deposit(ops::deposit::Deposit { account, asset: ETH, amount: units(amount), index, proof })
}

pub(crate) fn delegate(amount: u128) -> Operation {
    Operation::Delegate(ops::delegate::Delegate {
        operator: OLGA,
        asset: ETH,
        amount: units(amount),
        validator: None,
        mandate: mandate().digest(OLGA, ETH, None),
        worst_case: percent(40),
    })
}

pub(crate) fn join(set: SetId, terms: &Terms, parts: u16) -> Operation {
    let allocations = vec![ops::join_set::Allocation { asset: ETH, parts }];
    Operation::JoinSet(ops::join_set::JoinSet { set, terms: terms.digest(set), allocations })
}

/// Alice has 1000 with olga; the oracle owns 128 parts with a cap of 20 %, the bridge 64 others with a cap of 50 %. It is epoch 1.
pub(crate) fn example() -> State {
    let mut state = State::new(Genesis::development()).expect("the genesis holds together");
    let origin = Origin { chain: 1, contract: String::new() };
    let (kind, rate) = (AssetKind::Token, RateSource::One);
    let list = ops::list_asset::ListAsset { origin, decimals: 18, kind, rate };
    ask(&mut state, SERVICE, Operation::ListAsset(list));
    ask(&mut state, SERVICE, Operation::CreateService(ops::create_service::CreateService {}));
    let (oracle, bridge) = (terms(20, vec![RESOLVER]), terms(50, Vec::new()));
    for terms in [&oracle, &bridge] {
        let create = ops::create_set::CreateSet { terms: terms.clone() };
        ask(&mut state, SERVICE, Operation::CreateSet(create));
    }
    let groups = Default::default();
    ask(
        &mut state,
        OPERATOR,
        Operation::RegisterOperator(ops::register_operator::RegisterOperator { groups }),
    );
    let open = ops::open_pool::OpenPool { asset: ETH, mandate: mandate(), commission: percent(10) };
    ask(&mut state, OPERATOR, Operation::OpenPool(open));
    ask(&mut state, OPERATOR, join(ORACLE, &oracle, 128));
    ask(&mut state, OPERATOR, join(BRIDGE, &bridge, 64));
    ask(&mut state, ALICE, deposit(1500));
    ask(&mut state, ALICE, delegate(1000));
    advance_epoch(&mut state);
    state
}

pub(crate) fn announce_worse_bridge(state: &mut State) {
    let terms = terms(60, Vec::new());
    ask(state, SERVICE, Operation::ChangeTerms(ops::change_terms::ChangeTerms { set: BRIDGE, terms }));
}

/// Opens a stream to a set; somebody who is not its service may as well.
pub(crate) fn open_stream(state: &mut State, funder: Address, set: SetId, per_epoch: u128) {
    let stream = ops::open_stream::OpenStream { set, token: ETH, per_epoch: units(per_epoch), epochs: 10 };
    ask(state, funder, Operation::OpenStream(stream));
}

/// Asks a part of an account's stake back, as an entry of its own.
pub(crate) fn undelegate(state: &mut State, account: Address, amount: u128) {
    let follow_up = FollowUp::Withdraw { to: "0xabc".to_owned() };
    let (amount, validator) = (Some(units(amount)), None);
    let undelegate = ops::undelegate::Undelegate { operator: OLGA, asset: ETH, amount, validator, follow_up };
    ask(state, account, Operation::Undelegate(undelegate));
}

/// Asks to slash olga for an epoch.
pub(crate) fn request_slash(state: &mut State, set: SetId, capture: Epoch, fraction: Fraction) {
    let (reason, victims) = ("late".to_owned(), Vec::new());
    let request =
        ops::request_slash::RequestSlash { set, operator: OLGA, capture, fraction, reason, victims };
    ask(state, SERVICE, Operation::RequestSlash(request));
}
