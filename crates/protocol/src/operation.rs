//! Every operation by its name: the wire form, the dispatch, and what a refusal is called.

pub(crate) mod moves;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::authority;
use crate::event::Event;
use crate::ops;
use crate::state::State;
use crate::units::{Address, SetId};

macro_rules! operations {
    ($($module:ident :: $name:ident = $text:literal, $grantable:literal;)*) => {
        /// An operation: what an account asks the ledger to do.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant is documented where its operation is")]
        #[allow(clippy::large_enum_variant, reason = "operations are moved once, from the decoder to their apply")]
        pub enum Operation { $($name(ops::$module::$name)),* }

        /// The name of an operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[allow(missing_docs, reason = "each variant is documented where its operation is")]
        pub enum Kind { $(#[serde(rename = $text)] $name),* }

        /// Why an operation was refused.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant is documented where its operation is")]
        pub enum Refusal { Authority(authority::Refused), $($name(ops::$module::Refused)),* }

        impl Kind {
            /// Every kind, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// Whether a delegate can be let do it.
            pub const fn is_grantable(self) -> bool {
                match self { $(Self::$name => $grantable),* }
            }

            /// Name and text of its refusals, in order of precedence.
            pub const fn refusals(self) -> &'static [(&'static str, &'static str)] {
                match self { $(Self::$name => ops::$module::Refused::ALL),* }
            }

            /// The JSON Schema of its fields.
            #[cfg(feature = "schema")]
            pub fn schema(self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                match self { $(Self::$name => generator.subschema_for::<ops::$module::$name>()),* }
            }
        }

        impl Operation {
            /// Its kind.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$name(_) => Kind::$name),* }
            }

            /// Reads the fields of an operation of a kind. Unknown fields are errors.
            ///
            /// # Errors
            /// Whatever the deserializer finds.
            pub fn deserialize_body<'de, D: Deserializer<'de>>(kind: Kind, body: D) -> Result<Self, D::Error> {
                match kind { $(Kind::$name => ops::$module::$name::deserialize(body).map(Self::$name)),* }
            }

            /// Writes the fields of the operation.
            ///
            /// # Errors
            /// Whatever the serializer finds.
            pub fn serialize_body<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$name(operation) => operation.serialize(serializer)),* }
            }

            pub(crate) fn dispatch(&self, state: &mut State, sender: Address, events: &mut Vec<Event>) -> Result<(), Refusal> {
                match self {
                    $(Self::$name(operation) => operation.apply(state, sender, events).map_err(Refusal::$name)),*
                }
            }
        }

        impl Refusal {
            /// The kind of operation and the refusal, such as `delegate.ExceedsFree`.
            pub fn code(&self) -> String {
                match self {
                    Self::Authority(refused) => format!("authority.{}", refused.name()),
                    $(Self::$name(refused) => format!(concat!($text, ".{}"), refused.name())),*
                }
            }
        }

        impl fmt::Display for Refusal {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Authority(refused) => refused.fmt(f),
                    $(Self::$name(refused) => refused.fmt(f)),*
                }
            }
        }
    };
}

operations! {
    set_keys::SetKeys = "set_keys", false;
    grant::Grant = "grant", false;
    revoke::Revoke = "revoke", false;
    set_claimer::SetClaimer = "set_claimer", false;
    list_asset::ListAsset = "list_asset", true;
    deposit::Deposit = "deposit", true;
    report_rate::ReportRate = "report_rate", true;
    report_validator::ReportValidator = "report_validator", true;
    declare_stale::DeclareStale = "declare_stale", true;
    withdraw::Withdraw = "withdraw", false;
    delegate::Delegate = "delegate", true;
    undelegate::Undelegate = "undelegate", true;
    follow_up::ReplaceFollowUp = "replace_follow_up", false;
    release::Release = "release", true;
    claim::Claim = "claim", true;
    compounding::SetCompounding = "set_compounding", true;
    compound::Compound = "compound", true;
    register_operator::RegisterOperator = "register_operator", true;
    retire_operator::RetireOperator = "retire_operator", true;
    set_groups::SetGroups = "set_groups", true;
    open_pool::OpenPool = "open_pool", true;
    change_mandate::ChangeMandate = "change_mandate", true;
    set_commission::SetCommission = "set_commission", true;
    set_split::SetSplit = "set_split", false;
    raise_bond::RaiseBond = "raise_bond", true;
    lower_bond::LowerBond = "lower_bond", true;
    release_bond::ReleaseBond = "release_bond", true;
    join_set::JoinSet = "join_set", true;
    leave_set::LeaveSet = "leave_set", true;
    allocate::Allocate = "allocate", true;
    consent::Consent = "consent", true;
    register_key::RegisterKey = "register_key", false;
    unjail::Unjail = "unjail", true;
    create_service::CreateService = "create_service", true;
    create_set::CreateSet = "create_set", true;
    change_terms::ChangeTerms = "change_terms", true;
    withdraw_terms::WithdrawTerms = "withdraw_terms", true;
    close_set::CloseSet = "close_set", true;
    admit::Admit = "admit", true;
    eject::Eject = "eject", true;
    jail::Jail = "jail", true;
    declare_profit::DeclareProfit = "declare_profit", true;
    report_performance::ReportPerformance = "report_performance", true;
    open_stream::OpenStream = "open_stream", true;
    end_stream::EndStream = "end_stream", true;
    pay_work::PayWork = "pay_work", true;
    submit_equivocation::SubmitEquivocation = "submit_equivocation", true;
    request_slash::RequestSlash = "request_slash", true;
    veto_slash::VetoSlash = "veto_slash", true;
    approve_slash::ApproveSlash = "approve_slash", true;
    execute_slash::ExecuteSlash = "execute_slash", true;
    correlate::Correlate = "correlate", true;
    release_proceeds::ReleaseProceeds = "release_proceeds", true;
    propose_parameters::ProposeParameters = "propose_parameters", true;
    govern_asset::GovernAsset = "govern_asset", true;
    guard::Guard = "guard", true;
    begin_chain::BeginChain = "begin_chain", true;
    update_chain::UpdateChain = "update_chain", true;
    open_block::OpenBlock = "open_block", true;
    attest_header::AttestHeader = "attest_header", true;
    report_contradiction::ReportContradiction = "report_contradiction", true;
    govern_chain::GovernChain = "govern_chain", true;
    report_pod::ReportPod = "report_pod", true;
    report_slashed::ReportSlashed = "report_slashed", true;
    release_pod::ReleasePod = "release_pod", false;
    take_deposits::TakeDeposits = "take_deposits", true;
    submit_false_event::SubmitFalseEvent = "submit_false_event", true;
    create_vault::CreateVault = "create_vault", true;
    change_vault::ChangeVault = "change_vault", true;
    vault_deposit::VaultDeposit = "vault_deposit", true;
    vault_request::VaultRequest = "vault_request", true;
    vault_cancel::VaultCancel = "vault_cancel", true;
    vault_claim::VaultClaim = "vault_claim", true;
    vault_instant::VaultInstant = "vault_instant", true;
    vault_tick::VaultTick = "vault_tick", true;
    vault_harvest::VaultHarvest = "vault_harvest", true;
    vault_fund::VaultFund = "vault_fund", false;
    vault_guard::VaultGuard = "vault_guard", true;
    transfer_shares::TransferShares = "transfer_shares", false;
    approve_shares::ApproveShares = "approve_shares", false;
    set_bands::SetBands = "set_bands", true;
    allocate_vault::AllocateVault = "allocate_vault", true;
    create_basket::CreateBasket = "create_basket", true;
    change_basket::ChangeBasket = "change_basket", true;
    basket_mint::BasketMint = "basket_mint", true;
    basket_redeem::BasketRedeem = "basket_redeem", true;
    basket_enter::BasketEnter = "basket_enter", true;
    basket_leave::BasketLeave = "basket_leave", true;
    basket_report::BasketReport = "basket_report", true;
    basket_accept::BasketAccept = "basket_accept", true;
    open_route::OpenRoute = "open_route", true;
    send_shares::SendShares = "send_shares", false;
    vouch_shares::VouchShares = "vouch_shares", true;
    receive_shares::ReceiveShares = "receive_shares", true;
    transfer_ticket::TransferTicket = "transfer_ticket", false;
    vault_junior_join::VaultJuniorJoin = "vault_junior_join", true;
    vault_junior_leave::VaultJuniorLeave = "vault_junior_leave", true;
    basket_settle::BasketSettle = "basket_settle", true;
}

impl Kind {
    /// Whether operations of a key happen in the order in which it signed them, by strictly counted nonces: whatever takes stake or
    /// funds out of the account, or names who acts or receives for it.
    pub const fn is_ordered(self) -> bool {
        matches!(
            self,
            Self::SetKeys
                | Self::Grant
                | Self::Revoke
                | Self::SetClaimer
                | Self::Withdraw
                | Self::Undelegate
                | Self::ReplaceFollowUp
                | Self::SetSplit
                | Self::LowerBond
                | Self::ReleasePod
                | Self::VaultRequest
                | Self::VaultCancel
                | Self::VaultInstant
                | Self::TransferShares
                | Self::ApproveShares
                | Self::SendShares
                | Self::VaultFund
                | Self::BasketEnter
                | Self::BasketLeave
                | Self::TransferTicket
                | Self::VaultJuniorJoin
                | Self::VaultJuniorLeave
        )
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for Refusal {}

impl Operation {
    /// The set into whose rewards it pays from the sender's funds.
    pub(crate) fn pays(&self) -> Option<SetId> {
        match self {
            Self::OpenStream(op) => Some(op.set),
            Self::PayWork(op) => Some(op.set),
            _ => None,
        }
    }

    /// Whether it fixes a delegation for later.
    pub(crate) fn delegates_later(&self) -> bool {
        use crate::state::records::FollowUp;
        matches!(self, Self::Undelegate(op) if matches!(op.follow_up, FollowUp::Delegate { .. }))
    }
}
