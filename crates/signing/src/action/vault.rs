//! Vaults, and the shares of whatever issues them.

use protocol::ops::approve_shares::ApproveShares;
use protocol::ops::change_vault::ChangeVault;
use protocol::ops::create_vault::{CreateVault, InstantTerms, JuniorTerms, VaultTerms};
use protocol::ops::open_route::{OpenRoute, RouteTerms};
use protocol::ops::receive_shares::ReceiveShares;
use protocol::ops::send_shares::SendShares;
use protocol::ops::transfer_shares::TransferShares;
use protocol::ops::transfer_ticket::TransferTicket;
use protocol::ops::vault_cancel::VaultCancel;
use protocol::ops::vault_claim::VaultClaim;
use protocol::ops::vault_deposit::VaultDeposit;
use protocol::ops::vault_fund::VaultFund;
use protocol::ops::vault_guard::{GuardAction, VaultGuard};
use protocol::ops::vault_harvest::VaultHarvest;
use protocol::ops::vault_instant::VaultInstant;
use protocol::ops::vault_junior_join::VaultJuniorJoin;
use protocol::ops::vault_junior_leave::VaultJuniorLeave;
use protocol::ops::vault_request::VaultRequest;
use protocol::ops::vault_tick::VaultTick;
use protocol::ops::vouch_shares::VouchShares;
use protocol::units::Epoch;

use super::words::{list, maybe, quoted, whose};

pub(super) fn create_vault(op: &CreateVault) -> String {
    let CreateVault { asset, terms } = op;
    format!("Open a vault of asset {asset}: {}", told(terms))
}

pub(super) fn change_vault(op: &ChangeVault) -> String {
    let ChangeVault { vault, terms } = op;
    format!("Announce other terms of vault {vault}: {}", told(terms))
}

fn told(terms: &VaultTerms) -> String {
    let VaultTerms {
        curator,
        guardian,
        council,
        fee,
        fee_to,
        cap,
        deposit_min,
        drip,
        fund_target,
        instant,
        junior,
    } = terms;
    let InstantTerms { fee_low, fee_high, bucket, watermark, holdback } = instant;
    format!(
        "curator {curator}, guardian {guardian}, council {council}; a fee of {fee} on new highs to {fee_to}; takes in at most {cap} base \
         units, at least {deposit_min} at once; gains vest over {drip} epochs; the fund is filled up to {fund_target}; instant exits cost \
         {fee_low} to {fee_high}, take {bucket} an epoch, leave {watermark} idle and hold {holdback} back; {}",
        first_loss(junior.as_ref())
    )
}

fn first_loss(junior: Option<&JuniorTerms>) -> String {
    junior.map_or_else(
        || "no junior tranche".to_owned(),
        |JuniorTerms { share, target }| {
            format!(
                "a junior tranche of {target} of its value bears losses first and gets {share} of the rewards"
            )
        },
    )
}

pub(super) fn vault_deposit(op: &VaultDeposit) -> String {
    let VaultDeposit { vault, amount, shares_min, deadline } = op;
    let by = if *deadline == Epoch::NEVER { String::new() } else { format!(" by epoch {deadline}") };
    format!(
        "Deposit {amount} base units of its asset in vault {vault} for at least {shares_min} shares{by}, or have it back"
    )
}

pub(super) fn vault_request(op: &VaultRequest) -> String {
    let VaultRequest { vault, shares } = op;
    let what = shares.map_or_else(|| "all shares".to_owned(), |shares| format!("{shares} shares"));
    format!(
        "Give up {what} of vault {vault} for its asset; until they are settled they bear losses and get no gains"
    )
}

pub(super) fn vault_cancel(op: &VaultCancel) -> String {
    let VaultCancel { vault, ticket } = op;
    format!("Take back ticket {ticket} of vault {vault}, and forfeit what it has gained meanwhile")
}

pub(super) fn vault_claim(op: &VaultClaim) -> String {
    let VaultClaim { vault, ticket } = op;
    format!("Pay out what ticket {ticket} of vault {vault} is owed, to its owner")
}

pub(super) fn vault_instant(op: &VaultInstant) -> String {
    let VaultInstant { vault, shares, amount_min } = op;
    format!(
        "Give up {shares} shares of vault {vault} at once for at least {amount_min} base units of its asset now; a fee is taken, and a part is \
         held back for a time and may be lost"
    )
}

pub(super) fn vault_tick(op: &VaultTick) -> String {
    let VaultTick { vault, steps } = op;
    format!("Advance vault {vault}{}", maybe(" by at most this many steps: ", steps.as_ref()))
}

pub(super) fn vault_harvest(op: &VaultHarvest) -> String {
    let VaultHarvest { vault, operator } = op;
    let from = operator
        .map_or_else(|| "settled already".to_owned(), |operator| format!("earned with operator {operator}"));
    format!("Let what vault {vault} has {from} begin to vest, with what was given to it unasked")
}

pub(super) fn vault_fund(op: &VaultFund) -> String {
    let VaultFund { vault, amount } = op;
    format!(
        "Give {amount} base units of its asset to the fund of vault {vault}, for good: it pays for losses before the holders do"
    )
}

pub(super) fn vault_guard(op: &VaultGuard) -> String {
    let VaultGuard { vault, action } = op;
    match action {
        GuardAction::StopDeposits => format!("Stop deposits in vault {vault} for 7 epochs"),
        GuardAction::CutCap { cap } => format!("Let vault {vault} take in at most {cap} base units"),
        GuardAction::Undelegate { operator, amount } => {
            let what = amount.map_or_else(|| "all stake".to_owned(), |amount| format!("{amount} base units"));
            format!("Ask {what} of vault {vault} back from operator {operator}")
        }
        GuardAction::CutBands { operator, most } => {
            format!("Let vault {vault} have at most {most} of its value with operator {operator}")
        }
        GuardAction::CutRoute { route, cap } => {
            format!("Let at most {cap} shares of vault {vault} come home by route {route} in a window")
        }
        GuardAction::WindDown => format!("Wind vault {vault} down, for good: all stake is asked back"),
    }
}

pub(super) fn transfer_shares(op: &TransferShares) -> String {
    let TransferShares { share, owner, to, shares } = op;
    format!("Transfer {shares} shares of sort {share} of {} to account {to}", whose(*owner))
}

pub(super) fn approve_shares(op: &ApproveShares) -> String {
    let ApproveShares { share, spender, shares } = op;
    let many = match shares.units() {
        0 => "no shares".to_owned(),
        u128::MAX => "any number of shares, without end,".to_owned(),
        _ => format!("up to {shares} shares"),
    };
    format!(
        "Let account {spender} transfer {many} of sort {share} of this account to anyone, in place of what it may now"
    )
}

pub(super) fn open_route(op: &OpenRoute) -> String {
    let OpenRoute { share, terms } = op;
    let RouteTerms { chain, cap, window, verifiers, threshold, waits_above, wait } = terms;
    format!(
        "Open a route to chain {chain} for shares of sort {share}: at most {cap} come home in {window} epochs, when {threshold} of {} say \
         the same; above {waits_above} they wait {wait} epochs",
        list(verifiers)
    )
}

pub(super) fn send_shares(op: &SendShares) -> String {
    let SendShares { route, shares, to } = op;
    format!(
        "Send {shares} shares by route {route} to {} on its other ledger; here they are locked",
        quoted(to)
    )
}

pub(super) fn vouch_shares(op: &VouchShares) -> String {
    let VouchShares { route, message, to, shares } = op;
    format!("Vouch that message {message} of route {route} is {shares} shares to account {to}")
}

pub(super) fn receive_shares(op: &ReceiveShares) -> String {
    let ReceiveShares { route } = op;
    format!("Let the next message of route {route} in")
}

pub(super) fn transfer_ticket(op: &TransferTicket) -> String {
    let TransferTicket { vault, ticket, to } = op;
    format!("Give ticket {ticket} of vault {vault}, with all that it is owed, to account {to}")
}

pub(super) fn vault_junior_join(op: &VaultJuniorJoin) -> String {
    let VaultJuniorJoin { vault, amount, shares_min } = op;
    format!(
        "Put {amount} base units of its asset into the junior tranche of vault {vault} for at least {shares_min} shares of it; it bears the \
         vault's losses before the holders do, and may be lost whole"
    )
}

pub(super) fn vault_junior_leave(op: &VaultJuniorLeave) -> String {
    let VaultJuniorLeave { vault, shares } = op;
    let what = shares.map_or_else(|| "all shares".to_owned(), |shares| format!("{shares} shares"));
    format!(
        "Give up {what} of the junior tranche of vault {vault} for its asset; until they are paid they bear losses and get no gains"
    )
}
