//! The first three days: assets are listed, services and operators set up, stakers come.

use protocol::ops;
use protocol::ops::join_set::Allocation;
use protocol::units::{AssetId, OperatorId, ValidatorId};
use protocol::{AssetKind, Groups, Operation, Origin, RateSource};
use sha2::{Digest as _, Sha256};

use super::{Days, delegate, delegate_validator, deposit, report_validator, stream};
use crate::people::{DemoKey, Role, TREASURERS, TREASURY, TREASURY_THRESHOLD};
use crate::world::{
    ALLOCATIONS, ASSETS, BEACON, ETH, HUGO, MER, OLGA, OPERATORS, PETRA, PRICES, QUENTIN, RELAY, ROSA,
    SAMPLING, SETH, USD, fraction, gwei, id_of, mandate, terms, usd, whole,
};

/// The validators of dave, by their numbers on the chain.
pub(crate) const VALIDATORS: [u64; 2] = [480_012, 480_013];

pub(super) fn tell(days: &mut Days) {
    list_assets(days);
    set_up_services(days);
    set_up_operators(days);
    stakers_come(days);
    days.go_to(1);
    second_day(days);
    days.go_to(2);
    third_day(days);
}

fn list_assets(days: &mut Days) {
    for (name, asset, decimals) in ASSETS {
        let is_coin = [ETH, BEACON].contains(asset);
        let digest: [u8; 32] = Sha256::digest(format!("surety demo token {name}")).into();
        let contract = if is_coin { String::new() } else { format!("0x{}", hex::encode(&digest[..20])) };
        let kind = if *asset == BEACON { AssetKind::Native } else { AssetKind::Token };
        let rate = if *asset == SETH { RateSource::Proven } else { RateSource::One };
        let origin = Origin { chain: 1, contract };
        let list = ops::list_asset::ListAsset { origin, decimals: *decimals, kind, rate };
        days.ask("meridian", "lists an asset", Operation::ListAsset(list));
    }
}

fn set_up_services(days: &mut Days) {
    for (service, set) in [("meridian", PRICES), ("harbor", RELAY), ("stratum", SAMPLING)] {
        let create = ops::create_service::CreateService {};
        days.ask(service, "becomes a service", Operation::CreateService(create));
        let create = ops::create_set::CreateSet { terms: terms(set) };
        days.ask(service, "opens a set with its terms", Operation::CreateSet(create));
        days.ask(service, "brings what it pays with", deposit(USD, usd(200_000)));
        days.ask(service, "brings what it posts for requests", deposit(ETH, whole(20)));
    }
    days.ask("meridian", "brings its own token", deposit(MER, whole(400_000)));
    days.ask("stratum", "brings the oracle's token", deposit(MER, whole(100_000)));
}

/// What each operator brings of its own, and puts up as a bond, of ether.
const OWN: [(&str, u128, u128); 5] =
    [("olga", 96, 24), ("hugo", 80, 16), ("petra", 40, 8), ("quentin", 64, 12), ("rosa", 48, 10)];

fn set_up_operators(days: &mut Days) {
    for (name, own, bond) in OWN {
        let operator = id_of(OPERATORS, name);
        let groups = groups(name);
        let register = ops::register_operator::RegisterOperator { groups };
        days.ask(name, "registers as an operator", Operation::RegisterOperator(register));
        for asset in pools_of(name) {
            let (mandate, commission) = (mandate(), fraction(500));
            let open = ops::open_pool::OpenPool { asset, mandate, commission };
            days.ask(name, "opens a pool under its mandate", Operation::OpenPool(open));
        }
        days.ask(name, "brings its own stake and bond", deposit(ETH, whole(own + bond)));
        let bond = ops::raise_bond::RaiseBond { asset: ETH, amount: whole(bond) };
        days.ask(name, "puts up a first loss", Operation::RaiseBond(bond));
        days.ask(name, "stakes its own", delegate(operator, ETH, whole(own)));
    }
    for (name, set, parts) in ALLOCATIONS {
        let allocation = |(asset, parts): &(AssetId, u16)| Allocation { asset: *asset, parts: *parts };
        let allocations = parts.iter().map(allocation).collect();
        let join = ops::join_set::JoinSet { set: *set, terms: terms(*set).digest(*set), allocations };
        days.ask(name, "joins a set with first allocations", Operation::JoinSet(join));
        days.register_key(name, *set);
    }
}

/// The assets of which an operator has a pool: those that it allocates.
fn pools_of(operator: &str) -> Vec<AssetId> {
    let own = ALLOCATIONS.iter().filter(|(name, _, _)| *name == operator);
    let mut assets: Vec<AssetId> =
        own.flat_map(|(_, _, parts)| parts.iter().map(|(asset, _)| *asset)).collect();
    assets.sort_unstable();
    assets.dedup();
    assets
}

fn groups(operator: &str) -> Groups {
    let label = |text: &str| Some(text.to_owned());
    let (client, cloud) = match operator {
        "olga" => ("lighthouse", "own racks"),
        "hugo" => ("prysm", "hetzner"),
        "petra" => ("lighthouse", "hetzner"),
        "quentin" => ("teku", "own racks"),
        _ => ("nimbus", "ovh"),
    };
    Groups { client: label(client), cloud: label(cloud), custody: None, code: None }
}

fn stakers_come(days: &mut Days) {
    days.ask("alice", "brings ether", deposit(ETH, whole(400)));
    days.ask("alice", "stakes with olga", delegate(OLGA, ETH, whole(240)));
    days.ask("alice", "and with petra", delegate(PETRA, ETH, whole(60)));
    days.ask("bob", "brings ether", deposit(ETH, whole(200)));
    days.ask("bob", "stakes with petra", delegate(PETRA, ETH, whole(150)));
    let stakes = [
        ("meridian", PRICES, USD, usd(600)),
        ("meridian", PRICES, MER, whole(1_000)),
        ("harbor", RELAY, USD, usd(900)),
        ("stratum", SAMPLING, USD, usd(300)),
    ];
    for (service, set, token, per_epoch) in stakes {
        days.ask(service, "pays from now on", stream(set, token, per_epoch, 90));
    }
    set_up_treasury(days);
}

/// Three of five keys act for the treasury from now on.
fn set_up_treasury(days: &mut Days) {
    let key = |name| {
        let scheme = evidence::Scheme::Secp256k1;
        DemoKey { name, role: Role::Account, scheme }.public_key()
    };
    let keys = ops::set_keys::SetKeys { keys: TREASURERS.map(key).to_vec(), threshold: TREASURY_THRESHOLD };
    days.ask(TREASURY, "is three of five from now on", Operation::SetKeys(keys));
    days.ask(TREASURY, "brings ether", deposit(ETH, whole(2_000)));
}

/// The ledger value of 10^9 base units, in millionths of a dollar: an ether is worth 3000.
const VALUES: [(AssetId, u64); 3] = [(ETH, 3), (SETH, 3), (BEACON, 3_000_000_000)];

fn second_day(days: &mut Days) {
    for (asset, value) in VALUES {
        let govern = ops::govern_asset::GovernAsset { asset, value: Some(value), cap: None, stake_min: None };
        days.ask("governor", "rates an asset, with notice", Operation::GovernAsset(govern));
    }
    days.ask("carol", "brings staked ether", deposit(SETH, whole(500)));
    days.ask("carol", "stakes with quentin", delegate(QUENTIN, SETH, whole(300)));
    days.ask("carol", "and with hugo", delegate(HUGO, SETH, whole(150)));
    days.ask("erin", "brings ether", deposit(ETH, whole(75)));
    days.ask("erin", "stakes with petra", delegate(PETRA, ETH, whole(75)));
}

fn third_day(days: &mut Days) {
    let stakes: [(OperatorId, u128); 3] = [(OLGA, 800), (HUGO, 600), (ROSA, 300)];
    for (operator, amount) in stakes {
        days.ask(TREASURY, "stakes", delegate(operator, ETH, whole(amount)));
    }
    for number in VALIDATORS {
        days.ask("dave", "restakes a validator", report_validator("dave", number, gwei(32_000_000_000)));
    }
    for (index, operator) in [(0, ROSA), (1, OLGA)] {
        let validator = Some(ValidatorId::new(index));
        let amount = gwei(32_000_000_000);
        days.ask("dave", "stakes its balance", delegate_validator(operator, BEACON, amount, validator));
    }
}
