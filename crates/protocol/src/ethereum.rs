//! What the genesis of a ledger fixes of the Ethereum that it follows. What is learned of it is state; see `state::ethereum`.

use evidence::ethereum::{BeaconState, Chain};
use evidence::fact::custody::{Custody, RateLayout};
use evidence::fact::pod::PodFactory;

use crate::genesis::Parameters;
use crate::macros::record;
use crate::units::{Address, Amount, Digest, Epoch, Fraction};

/// States that a genesis vouches for at most.
pub const STATES_MAX: usize = 64;
/// Pods that a genesis lists at most.
pub const EXISTING_MAX: usize = 1 << 16;
/// Assets that a genesis configures at most.
pub const ASSETS_MAX: usize = 256;

record! {
    /// The Ethereum that a ledger follows.
    pub struct Ethereum {
        /// Its number in the origins of assets; mainnet is 1.
        pub number: u64,
        /// Which chain it is, when which fork rules, and how many finalized headers are remembered.
        pub chain: Chain,
        /// Root of the block that is trusted. `begin_chain` brings what a light client begins with there.
        pub trusted: Digest,
        /// States that are vouched for as that block is, for validators that are restaked from the first day on.
        #[serde(default)]
        pub states: Vec<TrustedState>,
        /// Whose pods are whose. Without it only pods of the list count.
        #[serde(default)]
        pub factory: Option<PodFactory>,
        /// Pods of other systems and whose they are. Their contracts are trusted not to pay out what is staked here.
        #[serde(default)]
        pub existing: Vec<ExistingPod>,
        /// What may enter, and how it is proven. No other asset of the chain enters by proof.
        #[serde(default)]
        pub assets: Vec<ChainAsset>,
        /// A second source of finality, for what is worth much.
        #[serde(default)]
        pub second: Option<SecondSource>,
        /// The share of a pod's deposit that goes to whoever proves a slashing or a loss of it first.
        pub reward: Fraction,
        /// The share of a pod's worth that a loss must exceed to be rewarded.
        pub reward_above: Fraction,
        /// Epochs within which a pod with a slashed validator has to be reported again.
        pub due_epochs: u32,
        /// Epochs for which a contradiction stops joins and releases, unless governance decides before; at most `U`.
        pub halt_epochs: u32,
    }
}

record! {
    /// A state of the chain that the genesis vouches for.
    pub struct TrustedState {
        /// Its slot.
        pub slot: u64,
        /// Its root.
        pub state_root: Digest,
        /// The last epoch of the ledger in which pods may be reported by it.
        pub until: Epoch,
    }
}

record! {
    /// A pod of another system.
    pub struct ExistingPod {
        /// Whose it is here.
        pub account: Address,
        /// The withdrawal address.
        pub pod: Address,
    }
}

record! {
    /// How an asset of the chain enters.
    pub struct ChainAsset {
        /// Its contract, as in its origin; empty for the chain's own coin.
        #[serde(default)]
        pub contract: String,
        /// The decimals under which it has to be listed, on which the amounts here rest. Not given, 18 for the chain's own coin (9 to 27 are
        /// possible), and any for a token.
        #[serde(default)]
        pub decimals: Option<u8>,
        /// The most that may enter in one period of sync committees (27 hours).
        pub per_period: Amount,
        /// What would make more than this amount enter in a period needs a header that the second source has attested.
        #[serde(default)]
        pub attested_above: Option<Amount>,
        /// Where deposits of a token are.
        #[serde(default)]
        pub custody: Option<Custody>,
        /// Where its contracts keep what a token is worth.
        #[serde(default)]
        pub rate: Option<RateLayout>,
    }
}

record! {
    /// Operators of this ledger who run nodes of the chain themselves.
    pub struct SecondSource {
        /// The set that attests.
        pub set: crate::units::SetId,
        /// The share of its stake table's weight that has to sign.
        pub quorum: Fraction,
    }
}

impl ChainAsset {
    /// Decimals under which it must be listed. `None` if any will do.
    pub(crate) fn listed_decimals(&self) -> Option<u8> {
        self.decimals.or(self.contract.is_empty().then_some(COIN_DECIMALS))
    }

    /// Its contract is written as an origin is, and the coin counts in gwei or finer.
    fn check(&self) -> Result<(), String> {
        if !crate::ops::list_asset::is_contract(&self.contract) {
            let contract = &self.contract;
            return Err(format!("contract {contract:?} is not empty or 0x and 1 to 32 lower-case hex bytes"));
        }
        match self.decimals {
            Some(decimals) if self.contract.is_empty() && !(9..=27).contains(&decimals) => {
                Err(format!("{decimals} decimals of the chain's coin are not 9 to 27"))
            }
            _ => Ok(()),
        }
    }

    /// Whether both would take the same deposits.
    fn shares(&self, other: &Self) -> bool {
        let (Some(one), Some(two)) = (&self.custody, &other.custody) else { return false };
        one.contract == two.contract && (one.deposits == two.deposits || one.count == two.count)
    }
}

/// Decimals of the chain's own coin: it counts in wei.
const COIN_DECIMALS: u8 = 18;

impl Ethereum {
    /// Checks what a ledger could not live with; the text names the first that does not hold.
    pub(crate) fn check(&self, parameters: &Parameters) -> Result<(), String> {
        let counts = [
            ("trusted states", self.states.len(), STATES_MAX),
            ("existing pods", self.existing.len(), EXISTING_MAX),
            ("assets", self.assets.len(), ASSETS_MAX),
        ];
        for (what, count, most) in counts {
            if count > most {
                return Err(format!("{count} {what} of Ethereum are more than {most}"));
            }
        }
        for state in &self.states {
            self.state_of(state).map_err(|why| format!("trusted state of slot {}: {why}", state.slot))?;
        }
        for asset in &self.assets {
            if self.assets.iter().filter(|other| other.contract == asset.contract).count() > 1 {
                return Err(format!("asset {:?} of Ethereum is configured twice", asset.contract));
            }
            if asset.attested_above.is_some() && self.second.is_none() {
                return Err(format!("asset {:?} needs a second source, and there is none", asset.contract));
            }
            asset.rate.as_ref().map_or(Ok(()), RateLayout::check)?;
            asset.check()?;
            let is_shared = |other: &&ChainAsset| other.contract != asset.contract && other.shares(asset);
            if let Some(other) = self.assets.iter().find(is_shared) {
                let (one, two) = (&asset.contract, &other.contract);
                return Err(format!("assets {one:?} and {two:?} of Ethereum have the same deposits"));
            }
        }
        let mut pods: Vec<Address> = self.existing.iter().map(|existing| existing.pod).collect();
        let mut accounts: Vec<Address> = self.existing.iter().map(|existing| existing.account).collect();
        for list in [&mut pods, &mut accounts] {
            list.sort_unstable();
            if let Some((twice, _)) = list.iter().zip(list.iter().skip(1)).find(|(one, other)| one == other) {
                return Err(format!("{twice} is twice among the existing pods"));
            }
        }
        if self.halt_epochs > parameters.unbonding || self.halt_epochs == 0 || self.due_epochs == 0 {
            let (halt, due, most) = (self.halt_epochs, self.due_epochs, parameters.unbonding);
            return Err(format!(
                "a halt of {halt} epochs is not 1 to {most}, the unbonding time, or {due} epochs for a report are none"
            ));
        }
        Ok(())
    }

    pub(crate) fn state_of(&self, state: &TrustedState) -> Result<BeaconState, String> {
        BeaconState::trusted(&self.chain, state.slot, &state.state_root.0).map_err(|why| why.to_string())
    }

    /// Whose pod an account's is, and whether its contract takes orders of this ledger.
    pub fn pod_of(&self, account: Address) -> Option<(Address, PodKind)> {
        let existing = self.existing.iter().find(|existing| existing.account == account);
        if let Some(existing) = existing {
            return Some((existing.pod, PodKind::Existing));
        }
        let factory = self.factory.as_ref()?;
        let pod = Address(factory.pod(&account.0));
        // One that the list gives to somebody else would count twice.
        let is_given = self.existing.iter().any(|existing| existing.pod == pod);
        (!is_given).then_some((pod, PodKind::Own))
    }

    pub(crate) fn asset(&self, contract: &str) -> Option<&ChainAsset> {
        self.assets.iter().find(|asset| asset.contract == contract)
    }
}

record! {
    /// Who has made a pod's contract.
    #[derive(Copy)]
    pub enum PodKind {
        /// The factory: the contract pays out what this ledger releases.
        Own,
        /// Another system.
        Existing,
    }
}
