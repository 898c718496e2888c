//! Two vaults, beside everything else: one that nothing happens to, and one that is slashed while somebody waits to leave it.

use protocol::Operation;
use protocol::ops;
use protocol::ops::create_vault::{InstantTerms, VaultTerms};
use protocol::ops::set_bands::{Band, Policy, VaultCaps};
use protocol::units::{Amount, Epoch, Fraction, OperatorId, Shares, TicketId, VaultId};

use super::{Days, deposit};
use crate::people::address;
use crate::world::{BRISK, CALM, ETH, HUGO, OLGA, PETRA, QUENTIN, ROSA, fraction, mandate, whole};

pub(super) fn tell(days: &mut Days) {
    days.go_to(2);
    open(days, CALM, &[(OLGA, 40), (HUGO, 30), (ROSA, 25)]);
    open(days, BRISK, &[(PETRA, 55), (QUENTIN, 40)]);
    enter(days, "nora", CALM, 60);
    enter(days, "otto", BRISK, 80);
    enter(days, "nora", BRISK, 20);
    days.go_to(3);
    for vault in [CALM, BRISK] {
        days.ask("wanda", "lets the deposits of a vault come in", tick(vault));
    }
    days.go_to(9);
    days.ask("vera", "brings ether", deposit(ETH, whole(1)));
    let fund = ops::vault_fund::VaultFund { vault: BRISK, amount: whole(1) };
    days.ask("vera", "gives the brisk vault a fund that pays for losses first", Operation::VaultFund(fund));
    leaving(days);
    after(days);
}

/// Otto asks a half back the day before petra contradicts herself; nora leaves the calm vault at once.
fn leaving(days: &mut Days) {
    days.go_to(12);
    days.ask("otto", "asks a part of his shares back", request(BRISK, 40));
    days.ask("wanda", "advances the calm vault", tick(CALM));
    let shares = whole_shares(1);
    let instant = ops::vault_instant::VaultInstant { vault: CALM, shares, amount_min: Amount::ZERO };
    days.ask("nora", "takes some out at once, for a fee", Operation::VaultInstant(instant));
    days.go_to(13);
    days.ask("wanda", "advances the brisk vault: petra's slash is in its price at once", tick(BRISK));
}

/// Who waited is paid at the price after the slash, like all who stay would be; and another asks back while quentin stands accused.
fn after(days: &mut Days) {
    days.go_to(28);
    days.ask("wanda", "advances the brisk vault", tick(BRISK));
    let claim = ops::vault_claim::VaultClaim { vault: BRISK, ticket: FIRST_EXIT };
    days.ask("wanda", "fetches for otto what was settled", Operation::VaultClaim(claim));
    days.go_to(29);
    days.ask("nora", "asks back too: quentin stands accused", request(BRISK, 10));
    days.go_to(super::PRESENT);
    for vault in [CALM, BRISK] {
        days.ask("wanda", "advances a vault", tick(vault));
    }
    let guard = ops::vault_guard::GuardAction::StopDeposits;
    let guard = ops::vault_guard::VaultGuard { vault: BRISK, action: guard };
    days.ask(
        "gus",
        "stops deposits into the brisk vault until that is decided",
        Operation::VaultGuard(guard),
    );
}

/// The ticket of otto's exit: two deposits of the vault came before.
const FIRST_EXIT: TicketId = TicketId::new(2);

fn open(days: &mut Days, vault: VaultId, targets: &[(OperatorId, u8)]) {
    let percent = Fraction::from_percent;
    let terms = VaultTerms {
        curator: address("vera"),
        guardian: address("gus"),
        council: address("vera"),
        fee: percent(10),
        fee_to: address("vera"),
        cap: whole(5_000),
        deposit_min: whole(1),
        drip: 7,
        fund_target: percent(1),
        instant: InstantTerms {
            fee_low: fraction(10),
            fee_high: fraction(100),
            bucket: percent(4),
            watermark: percent(1),
            holdback: percent(10),
        },
        junior: None,
    };
    let create = ops::create_vault::CreateVault { asset: ETH, terms };
    days.ask("vera", "opens a vault", Operation::CreateVault(create));
    let band = |(operator, target): &(OperatorId, u8)| Band {
        operator: *operator,
        owner: None,
        min: Fraction::ZERO,
        target: percent(*target),
        max: percent(target.saturating_add(15)),
    };
    let policy = Policy {
        mandate: mandate(),
        caps: VaultCaps::off(),
        bands: targets.iter().map(band).collect(),
        services: Vec::new(),
        move_min: whole(1),
    };
    let bands = ops::set_bands::SetBands { vault, policy };
    days.ask("vera", "says with whom its stake may be", Operation::SetBands(bands));
}

fn enter(days: &mut Days, account: &'static str, vault: VaultId, amount: u128) {
    days.ask(account, "brings ether", deposit(ETH, whole(amount)));
    let (amount, shares_min, deadline) = (whole(amount), Shares::ZERO, Epoch::NEVER);
    let enter = ops::vault_deposit::VaultDeposit { vault, amount, shares_min, deadline };
    days.ask(account, "puts it into a vault", Operation::VaultDeposit(enter));
}

/// Shares of a vault that has just begun: a thousand for a base unit.
fn whole_shares(amount: u128) -> Shares {
    Shares::new(whole(amount).units() * 1_000)
}

fn request(vault: VaultId, amount: u128) -> Operation {
    Operation::VaultRequest(ops::vault_request::VaultRequest { vault, shares: Some(whole_shares(amount)) })
}

pub(crate) fn tick(vault: VaultId) -> Operation {
    Operation::VaultTick(ops::vault_tick::VaultTick { vault, steps: None })
}
