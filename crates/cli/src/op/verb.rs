//! Verbs under nouns that are operations: what is typed by its place, the rest by flags.

use std::fmt;
use std::marker::PhantomData;

use clap::{ArgMatches, Command, Error, FromArgMatches, Subcommand};

use crate::context::Context;
use crate::failure::Failure;
use crate::op::{Op, schema};
use crate::output::Answer;

/// A verb: under which noun, how it is called, which operation it is, and which fields are taken by their place.
pub(crate) struct Verb {
    /// The noun.
    pub(crate) noun: &'static str,
    /// The verb.
    pub(crate) name: &'static str,
    /// The operation.
    pub(crate) kind: &'static str,
    places: &'static [&'static str],
}

const fn verb(
    noun: &'static str,
    name: &'static str,
    kind: &'static str,
    places: &'static [&'static str],
) -> Verb {
    Verb { noun, name, kind, places }
}

/// Every operation under its noun.
pub(crate) const VERBS: [Verb; 98] = [
    verb("account", "keys", "set_keys", &["keys"]),
    verb("account", "grant", "grant", &["delegate", "kinds"]),
    verb("account", "revoke", "revoke", &["delegate"]),
    verb("account", "claimer", "set_claimer", &["claimer"]),
    verb("asset", "new", "list_asset", &[]),
    verb("asset", "rate", "report_rate", &["asset", "rate"]),
    verb("asset", "validator", "report_validator", &["asset", "validator", "balance"]),
    verb("asset", "stale", "declare_stale", &["validator"]),
    verb("asset", "govern", "govern_asset", &["asset"]),
    verb("stake", "deposit", "deposit", &["amount"]),
    verb("stake", "delegate", "delegate", &["operator", "amount"]),
    verb("stake", "undelegate", "undelegate", &["operator", "amount"]),
    verb("stake", "follow-up", "replace_follow_up", &["operator", "asset", "bonded_through", "follow_up"]),
    verb("stake", "release", "release", &["operator", "asset"]),
    verb("stake", "withdraw", "withdraw", &["amount", "to"]),
    verb("rewards", "claim", "claim", &["operator"]),
    verb("rewards", "compounding", "set_compounding", &["operator", "asset"]),
    verb("rewards", "compound", "compound", &["operator", "asset"]),
    verb("operator", "register", "register_operator", &[]),
    verb("operator", "retire", "retire_operator", &[]),
    verb("operator", "groups", "set_groups", &[]),
    verb("operator", "open-pool", "open_pool", &["asset"]),
    verb("operator", "mandate", "change_mandate", &["asset"]),
    verb("operator", "commission", "set_commission", &["asset", "commission"]),
    verb("operator", "split", "set_split", &["recipients"]),
    verb("operator", "raise-bond", "raise_bond", &["amount"]),
    verb("operator", "lower-bond", "lower_bond", &["amount"]),
    verb("operator", "release-bond", "release_bond", &["operator", "asset"]),
    verb("operator", "join", "join_set", &["set"]),
    verb("operator", "leave", "leave_set", &["set"]),
    verb("operator", "allocate", "allocate", &["set", "asset", "parts"]),
    verb("operator", "consent", "consent", &["set"]),
    verb("operator", "key", "register_key", &["set"]),
    verb("operator", "unjail", "unjail", &["set"]),
    verb("service", "create", "create_service", &[]),
    verb("service", "open-set", "create_set", &[]),
    verb("service", "terms", "change_terms", &["set"]),
    verb("service", "withdraw-terms", "withdraw_terms", &["set"]),
    verb("service", "close-set", "close_set", &["set"]),
    verb("service", "admit", "admit", &["set", "operator", "admitted"]),
    verb("service", "eject", "eject", &["set", "operator"]),
    verb("service", "jail", "jail", &["set", "operator"]),
    verb("service", "profit", "declare_profit", &["set", "profit"]),
    verb("service", "performance", "report_performance", &["set", "operator", "factor"]),
    verb("service", "stream", "open_stream", &["set", "per_epoch", "epochs"]),
    verb("service", "end-stream", "end_stream", &["stream"]),
    verb("service", "pay", "pay_work", &["set", "epoch", "payments"]),
    verb("slash", "request", "request_slash", &["set", "operator", "capture", "fraction"]),
    verb("slash", "veto", "veto_slash", &["request"]),
    verb("slash", "approve", "approve_slash", &["request"]),
    verb("slash", "execute", "execute_slash", &["request"]),
    verb("slash", "evidence", "submit_equivocation", &["evidence"]),
    verb("slash", "correlate", "correlate", &["set", "operator", "capture"]),
    verb("slash", "release", "release_proceeds", &["slash"]),
    verb("vault", "create", "create_vault", &["asset"]),
    verb("vault", "terms", "change_vault", &["vault"]),
    verb("vault", "deposit", "vault_deposit", &["vault", "amount"]),
    verb("vault", "request", "vault_request", &["vault", "shares"]),
    verb("vault", "cancel", "vault_cancel", &["vault", "ticket"]),
    verb("vault", "claim", "vault_claim", &["vault", "ticket"]),
    verb("vault", "instant", "vault_instant", &["vault", "shares"]),
    verb("vault", "tick", "vault_tick", &["vault"]),
    verb("vault", "harvest", "vault_harvest", &["vault", "operator"]),
    verb("vault", "fund", "vault_fund", &["vault", "amount"]),
    verb("vault", "junior-join", "vault_junior_join", &["vault", "amount"]),
    verb("vault", "junior-leave", "vault_junior_leave", &["vault", "shares"]),
    verb("vault", "give-ticket", "transfer_ticket", &["vault", "ticket", "to"]),
    verb("vault", "guard", "vault_guard", &["vault", "action"]),
    verb("vault", "transfer", "transfer_shares", &["share", "shares", "to"]),
    verb("vault", "approve", "approve_shares", &["share", "spender", "shares"]),
    verb("vault", "bands", "set_bands", &["vault"]),
    verb("vault", "allocate", "allocate_vault", &["vault"]),
    verb("vault", "open-route", "open_route", &["share"]),
    verb("vault", "send", "send_shares", &["route", "shares"]),
    verb("vault", "vouch", "vouch_shares", &["route"]),
    verb("vault", "receive", "receive_shares", &["route"]),
    verb("basket", "create", "create_basket", &[]),
    verb("basket", "change", "change_basket", &["basket"]),
    verb("basket", "mint", "basket_mint", &["basket", "shares"]),
    verb("basket", "redeem", "basket_redeem", &["basket", "shares"]),
    verb("basket", "enter", "basket_enter", &["basket", "vault", "shares"]),
    verb("basket", "leave", "basket_leave", &["basket", "vault", "shares"]),
    verb("basket", "report", "basket_report", &["basket", "vault", "price"]),
    verb("basket", "accept", "basket_accept", &["basket", "vault", "price"]),
    verb("basket", "settle", "basket_settle", &["basket", "ticket"]),
    verb("network", "propose", "propose_parameters", &[]),
    verb("network", "guard", "guard", &["stop"]),
    verb("ethereum", "begin", "begin_chain", &[]),
    verb("ethereum", "update", "update_chain", &[]),
    verb("ethereum", "open", "open_block", &["slot"]),
    verb("ethereum", "attest", "attest_header", &["slot"]),
    verb("ethereum", "contradict", "report_contradiction", &[]),
    verb("ethereum", "govern", "govern_chain", &[]),
    verb("ethereum", "deposits", "take_deposits", &["asset", "slot"]),
    verb("stake", "pod", "report_pod", &["asset", "slot"]),
    verb("stake", "slashed", "report_slashed", &["asset", "slot"]),
    verb("stake", "release-pod", "release_pod", &["validator"]),
    verb("slash", "false-event", "submit_false_event", &["slot"]),
];

/// A noun of the command line.
pub(crate) trait Noun {
    /// Its word.
    const WORD: &'static str;
}

macro_rules! nouns {
    ($($name:ident = $word:literal;)*) => {$(
        /// The noun of that word.
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name;

        impl Noun for $name {
            const WORD: &'static str = $word;
        }
    )*};
}

nouns! {
    Account = "account";
    Asset = "asset";
    Stake = "stake";
    Rewards = "rewards";
    Operator = "operator";
    Service = "service";
    Slash = "slash";
    Network = "network";
    Ethereum = "ethereum";
    Vault = "vault";
    Basket = "basket";
}

/// An operation under a noun, as it was typed.
pub(crate) struct Under<N> {
    op: Box<Op>,
    noun: PhantomData<N>,
}

impl<N> fmt::Debug for Under<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.op.fmt(f)
    }
}

impl<N> Under<N> {
    /// Previews, signs and sends the operation.
    ///
    /// # Errors
    /// As [`Op::run`].
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        self.op.run(context)
    }
}

impl<N: Noun> Under<N> {
    fn verbs() -> impl Iterator<Item = &'static Verb> {
        const { &VERBS }.iter().filter(|verb| verb.noun == N::WORD)
    }
}

impl Verb {
    fn described(&self) -> &'static schema::Described {
        schema::operation(self.kind).expect("a verb is an operation; a test goes through all of them")
    }

    /// The command of the verb, called by this path.
    pub(crate) fn command(&self, path: &str) -> Command {
        super::command(self.name, path, self.described(), self.places)
    }

    /// What was typed for it.
    ///
    /// # Errors
    /// What the command line says.
    pub(crate) fn parse(&self, matches: &ArgMatches) -> Result<Op, Error> {
        Op::of(self.described(), matches)
    }
}

/// The verb for an operation.
pub(crate) fn verb_of(kind: &str) -> &'static Verb {
    const { &VERBS }.iter().find(|verb| verb.kind == kind).expect("every kind has a verb")
}

impl<N: Noun> Subcommand for Under<N> {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(
            Self::verbs().map(|verb| verb.command(&format!("surety {} {}", verb.noun, verb.name))),
        )
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Self::verbs().any(|verb| verb.name == name)
    }
}

impl<N: Noun> FromArgMatches for Under<N> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let missing = || Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let verb = Self::verbs().find(|verb| verb.name == name).ok_or_else(missing)?;
        Ok(Self { op: Box::new(verb.parse(matches)?), noun: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use protocol::Kind;

    use super::*;
    use crate::command_line::CommandLine;

    #[test]
    fn every_kind_of_operation_has_one_verb_under_a_noun() {
        let mut kinds: Vec<&str> = VERBS.iter().map(|verb| verb.kind).collect();
        kinds.sort_unstable();
        let mut known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        known.sort_unstable();
        assert_eq!(kinds, known);
        let root = CommandLine::command();
        for verb in &VERBS {
            let noun = root.find_subcommand(verb.noun).unwrap_or_else(|| panic!("no noun {}", verb.noun));
            assert!(noun.find_subcommand(verb.name).is_some(), "no {} {}", verb.noun, verb.name);
        }
    }
}
