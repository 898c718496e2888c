//! A small ledger with one vault: two operators in one set, five holders, short windows.

use protocol::ops;
use protocol::ops::create_basket::{BasketTerms, DoorTerms, LegCaps, LegOrder};
use protocol::ops::create_vault::{InstantTerms, VaultTerms};
use protocol::ops::set_bands::{Band, Policy, Rung, VaultCaps};
use protocol::terms::{
    AcceptedAsset, Admission, Beneficiary, Destination, JailTerms, Mandate, Offences, Terms,
};
use protocol::units::{Address, Amount, AssetId, Epoch, Fraction, OperatorId, SetId, Shares, VaultId};
use protocol::{
    AssetKind, Authority, Genesis, Operation, Origin, RateSource, Signer, State, advance_epoch, apply,
};

use crate::prng::Prng;

pub(super) const SERVICE: Address = Address([3; 20]);
pub(super) const COUNCIL: Address = Address([7; 20]);
pub(super) const GUARDIAN: Address = Address([8; 20]);
pub(super) const RESOLVER: Address = Address([5; 20]);
pub(super) const TREASURY: Address = Address([6; 20]);
pub(super) const HOLDERS: u8 = 5;
/// From so many epochs on after it was bonded last, stake can't be slashed for it any more: windows of 2, 1 and 2 epochs, and 5 of unbonding.
pub(super) const HARMLESS: u32 = 6;
/// So many shares of each vault go into as many of the empty basket.
const PER_SHARES: u128 = 1_000_000_000_000_000_000;
const ASSET: AssetId = AssetId::new(0);

pub(super) const fn holder(number: u8) -> Address {
    let mut bytes = [0x10; 20];
    bytes[19] = number;
    Address(bytes)
}

pub(super) const fn percent(percent: u8) -> Fraction {
    Fraction::from_percent(percent)
}

pub(super) fn deposit_to(account: Option<Address>, amount: u128) -> Operation {
    let (amount, proof) = (Amount::new(amount), Default::default());
    Operation::Deposit(ops::deposit::Deposit { account, asset: ASSET, amount, index: None, proof })
}

pub(super) fn must(state: &mut State, account: Address, operation: &Operation) {
    let authority = Authority { account, signer: Signer::Plain, expires: u64::MAX };
    apply(state, &authority, operation).unwrap_or_else(|refusal| panic!("{operation:?}: {refusal}"));
}

pub(super) fn build(prng: &mut Prng) -> (State, VaultTerms) {
    let mut genesis = Genesis::development();
    let parameters = &mut genesis.parameters;
    (parameters.slash_window, parameters.veto, parameters.execution) = (2, 1, 2);
    parameters.unbonding = 5;
    parameters.notice = 1;
    parameters.request_deposit = Amount::ZERO;
    genesis.vaults.drip[0] = 1;
    let mut state = start(genesis, &set_terms());
    for number in 0..2 {
        add_operator(&mut state, Address([0x20 + number; 20]), if number == 0 { 256 } else { 128 });
    }
    let terms = vault_terms(prng);
    open_vault(&mut state, &terms, policy(prng));
    open_basket(&mut state, &terms);
    (state, terms)
}

/// A second vault, in which everybody has shares and nothing happens, and a basket of both.
fn open_basket(state: &mut State, terms: &VaultTerms) {
    let create = ops::create_vault::CreateVault { asset: ASSET, terms: terms.clone() };
    must(state, COUNCIL, &Operation::CreateVault(create));
    for number in 0..HOLDERS {
        let put = ops::vault_deposit::VaultDeposit {
            vault: VaultId::new(1),
            amount: Amount::new(1 << 56),
            shares_min: Shares::ZERO,
            deadline: Epoch::NEVER,
        };
        must(state, holder(number), &Operation::VaultDeposit(put));
    }
    advance_epoch(state);
    for vault in [VaultId::new(0), VaultId::new(1)] {
        let tick = ops::vault_tick::VaultTick { vault, steps: None };
        must(state, COUNCIL, &Operation::VaultTick(tick));
    }
    let caps =
        LegCaps { shares_max: Shares::LIMIT, share_max: Fraction::ONE, shares_a_day: Shares::new(1 << 90) };
    let doors = DoorTerms {
        heartbeat: 600_000,
        age_max: 1_200_000,
        change_max: percent(1),
        divergence_max: percent(60),
        spread: percent(2),
        age_min: 0,
    };
    let terms = BasketTerms {
        council: COUNCIL,
        reporter: SERVICE,
        acceptor: GUARDIAN,
        doors: Some(doors),
        caps: vec![caps, caps],
    };
    let leg = |number| LegOrder { vault: VaultId::new(number), per_unit: Shares::new(PER_SHARES) };
    let create = ops::create_basket::CreateBasket { legs: vec![leg(0), leg(1)], terms };
    must(state, COUNCIL, &Operation::CreateBasket(create));
}

/// A ledger with one asset, of which everybody has some, and one set.
pub(super) fn start(genesis: Genesis, terms: &Terms) -> State {
    let mut state = State::new(genesis).expect("the genesis holds together");
    let origin = Origin { chain: 1, contract: "0x00".to_owned() };
    let list =
        ops::list_asset::ListAsset { origin, decimals: 18, kind: AssetKind::Token, rate: RateSource::One };
    must(&mut state, SERVICE, &Operation::ListAsset(list));
    for account in (0..HOLDERS).map(holder).chain([SERVICE, COUNCIL]) {
        must(&mut state, account, &deposit_to(Some(account), 1 << 64));
    }
    must(&mut state, SERVICE, &Operation::CreateService(ops::create_service::CreateService {}));
    must(&mut state, SERVICE, &Operation::CreateSet(ops::create_set::CreateSet { terms: terms.clone() }));
    state
}

/// Opens a vault; its policy holds at once, since nobody is in it.
pub(super) fn open_vault(state: &mut State, terms: &VaultTerms, policy: Policy) {
    let create = ops::create_vault::CreateVault { asset: ASSET, terms: terms.clone() };
    must(state, COUNCIL, &Operation::CreateVault(create));
    let bands = ops::set_bands::SetBands { vault: VaultId::new(0), policy };
    must(state, COUNCIL, &Operation::SetBands(bands));
}

pub(super) fn set_terms() -> Terms {
    Terms {
        assets: vec![AcceptedAsset { asset: ASSET, weight: 1_000_000_000 }],
        admission: Admission {
            list_only: false,
            operators_max: 16,
            stake_min: Amount::ZERO,
            self_stake_min: Amount::ZERO,
            bond_min: Amount::ZERO,
        },
        operator_share_max: Fraction::ONE,
        offences: Offences {
            equivocation: None,
            subjective: Some(Fraction::ONE),
            false_event: None,
            correlation: None,
        },
        window_cap: Fraction::ONE,
        veto: 1,
        resolvers: vec![RESOLVER],
        threshold: None,
        slasher: SERVICE,
        destinations: vec![Destination { to: Beneficiary::Burn, share: Fraction::ONE }],
        reward_tokens: vec![ASSET],
        warm_up: 0,
        jail: JailTerms::default(),
        mass_slash_max: Fraction::ONE,
        risk_weight: Fraction::ONE,
        corruption_share: Fraction::ONE,
        quorum: None,
    }
}

const fn any_mandate() -> Mandate {
    let all = Fraction::ONE;
    Mandate { worst_case: all, elsewhere: all, own_verifiers: all, uncertified: true, commission: all }
}

pub(super) fn add_operator(state: &mut State, account: Address, parts: u16) {
    let register = ops::register_operator::RegisterOperator { groups: Default::default() };
    must(state, account, &Operation::RegisterOperator(register));
    let open = ops::open_pool::OpenPool { asset: ASSET, mandate: any_mandate(), commission: Fraction::ZERO };
    must(state, account, &Operation::OpenPool(open));
    let set = SetId::new(0);
    let terms = state.terms_digest(set).expect("a set");
    let allocations = vec![ops::join_set::Allocation { asset: ASSET, parts }];
    must(state, account, &Operation::JoinSet(ops::join_set::JoinSet { set, terms, allocations }));
}

pub(super) fn vault_terms(prng: &mut Prng) -> VaultTerms {
    VaultTerms {
        curator: COUNCIL,
        guardian: GUARDIAN,
        council: COUNCIL,
        fee: percent(*prng.pick(&[0, 10, 30]).expect("some")),
        fee_to: TREASURY,
        cap: Amount::new(1 << 90),
        deposit_min: Amount::new(1),
        drip: prng.between(1, 9),
        fund_target: percent(*prng.pick(&[0, 2]).expect("some")),
        instant: InstantTerms {
            fee_low: Fraction::ZERO,
            fee_high: percent(*prng.pick(&[0, 2]).expect("some")),
            bucket: percent(*prng.pick(&[5, 50]).expect("some")),
            watermark: percent(*prng.pick(&[0, 1]).expect("some")),
            holdback: percent(*prng.pick(&[1, 10]).expect("some")),
        },
        junior: None,
    }
}

pub(super) fn policy(prng: &mut Prng) -> Policy {
    let (none, all) = (Fraction::ZERO, Fraction::ONE);
    let target = percent(*prng.pick(&[10, 40, 50]).expect("some"));
    let band = |number| Band { operator: OperatorId::new(number), owner: None, min: none, target, max: all };
    Policy {
        mandate: any_mandate(),
        caps: VaultCaps {
            operator: all,
            owner: all,
            service: all,
            slasher: all,
            group: all,
            event: all,
            two_events: all,
            bond_multiples: [0, 0],
            ramp: 0,
            freeze: 0,
            gamma: none,
            ladder: Vec::new(),
            slow: Rung { epochs: 1000, share: all },
            turnover: all,
            slack: none,
        },
        bands: vec![band(0), band(1)],
        services: Vec::new(),
        move_min: Amount::new(1),
    }
}
