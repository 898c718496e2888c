//! What an operation does, in words: the first thing that a wallet shows.
//!
//! One sentence for each operation, of what it says and nothing else: ids instead of names, amounts in base units, fractions as
//! decimals. So the sentence is the same everywhere and for ever, and whoever signs can compare it with what another screen says.
//! Texts that somebody made up stand in quotation marks, in plain ASCII and cut where they are long. Long lists are cut as well; the
//! hash of the whole is signed beside the sentence.
//!
//! A sentence is signed: to change one is to change what wallets sign, and needs another version of the domain.

mod account;
mod asset;
mod basket;
mod chain;
mod governance;
mod operator;
mod service;
mod slash;
mod stake;
mod vault;
mod words;

use protocol::Operation;
pub(crate) use service::total;

/// What an operation does, in one sentence.
pub fn action(operation: &Operation) -> String {
    use Operation as Op;
    match operation {
        Op::SetKeys(op) => account::set_keys(op),
        Op::Grant(op) => account::grant(op),
        Op::Revoke(op) => account::revoke(op),
        Op::SetClaimer(op) => account::set_claimer(op),
        Op::ListAsset(op) => asset::list_asset(op),
        Op::Deposit(op) => asset::deposit(op),
        Op::ReportRate(op) => asset::report_rate(op),
        Op::ReportValidator(op) => asset::report_validator(op),
        Op::DeclareStale(op) => asset::declare_stale(op),
        Op::Withdraw(op) => asset::withdraw(op),
        Op::Delegate(op) => stake::delegate(op),
        Op::Undelegate(op) => stake::undelegate(op),
        Op::ReplaceFollowUp(op) => stake::replace_follow_up(op),
        Op::Release(op) => stake::release(op),
        Op::Claim(op) => stake::claim(op),
        Op::SetCompounding(op) => stake::set_compounding(op),
        Op::Compound(op) => stake::compound(op),
        Op::RegisterOperator(op) => operator::register_operator(op),
        Op::RetireOperator(op) => operator::retire_operator(op),
        Op::SetGroups(op) => operator::set_groups(op),
        Op::OpenPool(op) => operator::open_pool(op),
        Op::ChangeMandate(op) => operator::change_mandate(op),
        Op::SetCommission(op) => operator::set_commission(op),
        Op::SetSplit(op) => operator::set_split(op),
        Op::RaiseBond(op) => operator::raise_bond(op),
        Op::LowerBond(op) => operator::lower_bond(op),
        Op::ReleaseBond(op) => operator::release_bond(op),
        Op::JoinSet(op) => operator::join_set(op),
        Op::LeaveSet(op) => operator::leave_set(op),
        Op::Allocate(op) => operator::allocate(op),
        Op::Consent(op) => operator::consent(op),
        Op::RegisterKey(op) => operator::register_key(op),
        Op::Unjail(op) => operator::unjail(op),
        Op::CreateService(op) => service::create_service(op),
        Op::CreateSet(op) => service::create_set(op),
        Op::ChangeTerms(op) => service::change_terms(op),
        Op::WithdrawTerms(op) => service::withdraw_terms(op),
        Op::CloseSet(op) => service::close_set(op),
        Op::Admit(op) => service::admit(op),
        Op::Eject(op) => service::eject(op),
        Op::Jail(op) => service::jail(op),
        Op::DeclareProfit(op) => service::declare_profit(op),
        Op::ReportPerformance(op) => service::report_performance(op),
        Op::OpenStream(op) => service::open_stream(op),
        Op::EndStream(op) => service::end_stream(op),
        Op::PayWork(op) => service::pay_work(op),
        Op::SubmitEquivocation(op) => slash::submit_equivocation(op),
        Op::RequestSlash(op) => slash::request_slash(op),
        Op::VetoSlash(op) => slash::veto_slash(op),
        Op::ApproveSlash(op) => slash::approve_slash(op),
        Op::ExecuteSlash(op) => slash::execute_slash(op),
        Op::Correlate(op) => slash::correlate(op),
        Op::ReleaseProceeds(op) => slash::release_proceeds(op),
        Op::ProposeParameters(op) => governance::propose_parameters(op),
        Op::GovernAsset(op) => governance::govern_asset(op),
        Op::Guard(op) => governance::guard(op),
        _ => of_chain(operation),
    }
}

fn of_chain(operation: &Operation) -> String {
    use Operation as Op;
    match operation {
        Op::BeginChain(op) => chain::begin_chain(op),
        Op::UpdateChain(op) => chain::update_chain(op),
        Op::OpenBlock(op) => chain::open_block(op),
        Op::AttestHeader(op) => chain::attest_header(op),
        Op::ReportContradiction(op) => chain::report_contradiction(op),
        Op::GovernChain(op) => chain::govern_chain(op),
        Op::ReportPod(op) => chain::report_pod(op),
        Op::ReportSlashed(op) => chain::report_slashed(op),
        Op::ReleasePod(op) => chain::release_pod(op),
        Op::TakeDeposits(op) => chain::take_deposits(op),
        Op::SubmitFalseEvent(op) => chain::submit_false_event(op),
        _ => of_vaults(operation),
    }
}

fn of_vaults(operation: &Operation) -> String {
    use Operation as Op;
    match operation {
        Op::CreateVault(op) => vault::create_vault(op),
        Op::ChangeVault(op) => vault::change_vault(op),
        Op::VaultDeposit(op) => vault::vault_deposit(op),
        Op::VaultRequest(op) => vault::vault_request(op),
        Op::VaultCancel(op) => vault::vault_cancel(op),
        Op::VaultClaim(op) => vault::vault_claim(op),
        Op::VaultInstant(op) => vault::vault_instant(op),
        Op::VaultTick(op) => vault::vault_tick(op),
        Op::VaultHarvest(op) => vault::vault_harvest(op),
        Op::VaultFund(op) => vault::vault_fund(op),
        Op::VaultGuard(op) => vault::vault_guard(op),
        Op::TransferShares(op) => vault::transfer_shares(op),
        Op::ApproveShares(op) => vault::approve_shares(op),
        Op::OpenRoute(op) => vault::open_route(op),
        Op::SendShares(op) => vault::send_shares(op),
        Op::VouchShares(op) => vault::vouch_shares(op),
        Op::ReceiveShares(op) => vault::receive_shares(op),
        Op::TransferTicket(op) => vault::transfer_ticket(op),
        Op::VaultJuniorJoin(op) => vault::vault_junior_join(op),
        Op::VaultJuniorLeave(op) => vault::vault_junior_leave(op),
        Op::SetBands(op) => basket::set_bands(op),
        Op::AllocateVault(op) => basket::allocate_vault(op),
        Op::CreateBasket(op) => basket::create_basket(op),
        Op::ChangeBasket(op) => basket::change_basket(op),
        Op::BasketMint(op) => basket::basket_mint(op),
        Op::BasketRedeem(op) => basket::basket_redeem(op),
        Op::BasketEnter(op) => basket::basket_enter(op),
        Op::BasketLeave(op) => basket::basket_leave(op),
        Op::BasketReport(op) => basket::basket_report(op),
        Op::BasketAccept(op) => basket::basket_accept(op),
        Op::BasketSettle(op) => basket::basket_settle(op),
        _ => unreachable!("the other kinds are above; a test goes through all of them"),
    }
}
