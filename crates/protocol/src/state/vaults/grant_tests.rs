//! What a delegate may do with vaults and baskets, and how much of it.

#[allow(dead_code, reason = "each test takes what it needs of it")]
use crate::state::vaults::world;

use crate::ops::create_vault::VaultTerms;
use crate::ops::grant::{AssetLimit, Grant};
use crate::units::{Amount, Epoch, VaultId};
use crate::{Authority, Event, Kind, Operation, Signer, apply, invariants, ops};
use world::*;

impl World {
    /// Somebody lets the bot act in some kinds of operation, with so much ETH an epoch.
    pub(crate) fn grant(&mut self, who: &str, kinds: &[Kind], limit: Option<u128>) {
        let limits = limit.map(|amount| AssetLimit { asset: ETH, amount: Amount::new(amount) });
        let expires = Epoch::new(self.now() + 100);
        let grant = Grant {
            delegate: address("bot"),
            kinds: kinds.to_vec(),
            limits: limits.into_iter().collect(),
            expires,
        };
        self.must(who, Operation::Grant(grant));
    }

    /// The bot acts for somebody; the code of a refusal.
    pub(crate) fn by_bot(&mut self, who: &str, operation: Operation) -> Result<Vec<Event>, String> {
        let signer = Signer::Delegate { address: address("bot"), keys: Vec::new() };
        let authority = Authority { account: address(who), signer, expires: u64::MAX };
        let outcome = apply(&mut self.state, &authority, &operation).map_err(|refusal| refusal.code());
        invariants::check(&self.state).unwrap_or_else(|violation| panic!("{operation:?}: {violation}"));
        outcome
    }
}

const LIMIT: &str = "authority.LimitExceeded";

#[test]
fn a_limit_counts_what_a_delegate_deposits_in_a_vault() {
    let mut world = World::new();
    world.vault(vault_terms());
    world.give("alice", 1000);
    world.grant("alice", &[Kind::VaultDeposit], Some(100));
    let deposit = |amount| World::depositing(amount, 0, Epoch::NEVER);
    world.by_bot("alice", deposit(60)).unwrap();
    assert_eq!(world.by_bot("alice", deposit(41)), Err(LIMIT.to_owned()));
    world.by_bot("alice", deposit(40)).unwrap();
    assert_eq!(world.by_bot("alice", deposit(1)), Err(LIMIT.to_owned()));
    world.pass(1);
    world.by_bot("alice", deposit(100)).unwrap();
    assert_eq!(world.free("alice"), 800, "the next epoch has a limit of its own");
    assert_eq!(world.free("bot"), 0);
}

#[test]
fn a_limit_counts_shares_at_what_they_are_worth() {
    let mut world = World::new();
    world.vault(vault_terms());
    world.deposit("alice", 1000);
    world.pass(2);
    // A thousand shares for a unit.
    let kinds = [Kind::VaultInstant, Kind::VaultRequest];
    world.grant("alice", &kinds, None);
    assert_eq!(
        world.by_bot("alice", World::leaving(1000)),
        Err("authority.NoLimit".to_owned()),
        "others get the fee"
    );
    world.grant("alice", &kinds, Some(150));
    world.by_bot("alice", World::leaving(99_500)).unwrap();
    assert_eq!(world.by_bot("alice", World::leaving(50_001)), Err(LIMIT.to_owned()), "99.5 counts as 100");
    assert_eq!(world.by_bot("alice", World::requesting(None)), Err(LIMIT.to_owned()));
    world.by_bot("alice", World::requesting(Some(49_000))).unwrap();
    assert_eq!(world.by_bot("alice", World::requesting(Some(2000))), Err(LIMIT.to_owned()));
    world.must("alice", World::leaving(1000));
}

/// The price is that before the operation: what it does to the price changes nothing of what it counts.
#[test]
fn what_is_counted_is_what_was_checked() {
    let mut world = World::new();
    world.vault(vault_terms());
    world.deposit("alice", 1000);
    world.pass(1);
    world.grant("alice", &[Kind::VaultRequest], Some(1000));
    world.by_bot("alice", World::requesting(Some(600_000))).unwrap();
    world.pass(1);
    world.by_bot("alice", World::requesting(Some(400_000))).unwrap();
    let account = world.state.accounts.find(address("alice")).unwrap();
    let spent = &world.state.accounts.get(account).extra().unwrap().grants[0].spent;
    assert_eq!(spent, &[(ETH, Amount::new(400))]);
}

#[test]
fn a_delegate_of_the_council_changes_no_recipient() {
    let mut world = World::new();
    world.vault(vault_terms());
    world.grant("council", &[Kind::ChangeVault], None);
    let change = |terms| Operation::ChangeVault(ops::change_vault::ChangeVault { vault: VAULT, terms });
    for terms in [
        VaultTerms { fee_to: address("bot"), ..vault_terms() },
        VaultTerms { council: address("bot"), ..vault_terms() },
    ] {
        let refused = world.by_bot("council", change(terms.clone()));
        assert_eq!(refused, Err("authority.DestinationNotGranted".to_owned()));
        world.must("council", change(terms));
        world.must("council", change(VaultTerms { fee: percent(1), ..vault_terms() }));
    }
    world.by_bot("council", change(VaultTerms { fee: percent(2), ..vault_terms() })).unwrap();
}

#[test]
fn what_goes_to_others_is_never_a_delegates() {
    let never = [
        Kind::VaultFund,
        Kind::TransferShares,
        Kind::ApproveShares,
        Kind::SendShares,
        Kind::TransferTicket,
        Kind::Withdraw,
    ];
    for kind in never {
        assert!(!kind.is_grantable(), "{kind}");
    }
}

/// Strict order is for what gives value away: whoever signed something else meanwhile has taken it back.
#[test]
fn what_gives_value_away_is_ordered_and_what_stays_the_accounts_is_not() {
    for kind in [
        Kind::VaultRequest,
        Kind::VaultCancel,
        Kind::VaultInstant,
        Kind::VaultFund,
        Kind::VaultJuniorJoin,
        Kind::VaultJuniorLeave,
        Kind::BasketEnter,
        Kind::BasketLeave,
        Kind::TransferShares,
        Kind::TransferTicket,
        Kind::ApproveShares,
        Kind::SendShares,
    ] {
        assert!(kind.is_ordered(), "{kind}");
    }
    for kind in [Kind::VaultDeposit, Kind::BasketMint, Kind::BasketRedeem, Kind::VaultClaim, Kind::VaultTick]
    {
        assert!(!kind.is_ordered(), "{kind}");
    }
}

#[test]
fn a_fee_goes_to_an_account_that_somebody_acts_for() {
    let mut world = World::new();
    world.vault(vault_terms());
    let terms = VaultTerms { fee_to: super::address_of(VaultId::new(7)), ..vault_terms() };
    let create = ops::create_vault::CreateVault { asset: ETH, terms: terms.clone() };
    assert_eq!(world.refused("creator", Operation::CreateVault(create)), "create_vault.BadTerms");
    let change = ops::change_vault::ChangeVault { vault: VAULT, terms };
    assert_eq!(world.refused("council", Operation::ChangeVault(change)), "change_vault.BadTerms");
}
