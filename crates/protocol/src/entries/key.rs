//! What names an entry: as bytes for stores, as text for people.

use std::fmt;
use std::str::FromStr;

use evidence::PublicKey;

use crate::state::keys::KeyName;
use crate::units::{
    Address, AssetId, BasketId, Epoch, OperatorId, PoolId, RequestId, RouteId, ServiceId, SetId, ShareId,
    SlashId, StreamId, TicketId, ValidatorId, VaultId,
};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// What names an entry. Keys are ordered as their bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// What was fixed when the ledger started.
    Genesis,
    /// The epoch, the time, parameters, announced changes, counters.
    Network,
    /// Ledger values that caps go by.
    Values,
    /// What each set could slash, frozen at the boundary: what gamma is computed from.
    Exposure,
    /// A listed asset.
    Asset(AssetId),
    /// An account.
    Account(Address),
    /// Stake of one account in one pool with one liability.
    Position {
        /// Whose.
        account: Address,
        /// In which pool.
        pool: PoolId,
        /// Its own number.
        slot: u32,
    },
    /// A registered operator.
    Operator(OperatorId),
    /// A pool.
    Pool(PoolId),
    /// A validator of a base chain.
    Validator(ValidatorId),
    /// A registered service.
    Service(ServiceId),
    /// An operator set.
    Set(SetId),
    /// The stake table of a set from an epoch on.
    Table(SetId, Epoch),
    /// A request to slash.
    Request(RequestId),
    /// An executed slash whose proceeds are held.
    Slash(SlashId),
    /// A stream of rewards.
    Stream(StreamId),
    /// Whose a registered key is; by the first 31 bytes of the SHA-256 of its text.
    KeyOwner([u8; 31]),
    /// How the followed Ethereum stands: what came in, which committees are known, whether it is stopped.
    Chain,
    /// The sync committee of a period.
    Committee(u64),
    /// The best update seen without finality.
    Candidate,
    /// A finalized header of Ethereum by its slot, with the execution block that was opened for it.
    Header(u64),
    /// What is behind the withdrawal address of native stake, besides its record as a validator.
    Pod(ValidatorId),
    /// A vault.
    Vault(VaultId),
    /// A sort of shares.
    Share(ShareId),
    /// What an account has of one sort of shares.
    Holding {
        /// Which shares.
        share: ShareId,
        /// Whose.
        account: Address,
    },
    /// A deposit that waits in a vault.
    VaultDeposit(VaultId, TicketId),
    /// An exit that waits in a vault, or waits to be fetched.
    VaultExit(VaultId, TicketId),
    /// What was held back from an instant exit.
    VaultHoldback(VaultId, TicketId),
    /// Exits of one epoch at one rate, by the place in the line after their last share.
    VaultCohort(VaultId, u128),
    /// What was settled at once, by the place after its last share.
    VaultBatch(VaultId, u128),
    /// Places in the line that were cancelled, by the first.
    VaultGap(VaultId, u128),
    /// What was withheld from a vault's exits because of a request.
    VaultContingent(VaultId, RequestId),
    /// How a request ended that vaults asked about.
    Verdict(RequestId),
    /// What was withheld from a vault's exits because of a request that has ended.
    VaultOutcome(VaultId, RequestId),
    /// What was left of a vault's share after the losses of an epoch.
    VaultLoss(VaultId, Epoch),
    /// A basket of vault shares.
    Basket(BasketId),
    /// A route of shares to another ledger.
    Route(RouteId),
    /// A message home by a route, by its number.
    Arrival(RouteId, u64),
}

/// The bytes of a key as they are filled, with zeros after them.
#[derive(Default)]
struct Name {
    bytes: [u8; KEY_BYTES],
    end: usize,
}

impl Name {
    fn extend(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        let end = self.end.saturating_add(part.len());
        self.bytes.get_mut(self.end..end).expect("no key is longer").copy_from_slice(part);
        self.end = end;
    }
}

impl Key {
    /// The key under which it stands whose a registered key is.
    pub fn of_registered(key: &PublicKey) -> Self {
        Self::KeyOwner(KeyName::of(key).0)
    }

    fn tag(&self) -> u8 {
        match self {
            Self::Genesis => 0,
            Self::Network => 1,
            Self::Values => 2,
            Self::Exposure => 3,
            Self::Asset(_) => 4,
            Self::Account(_) => 5,
            Self::Position { .. } => 6,
            Self::Operator(_) => 7,
            Self::Pool(_) => 8,
            Self::Validator(_) => 9,
            Self::Service(_) => 10,
            Self::Set(_) => 11,
            Self::Table(..) => 12,
            Self::Request(_) => 13,
            Self::Slash(_) => 14,
            Self::Stream(_) => 15,
            Self::KeyOwner(_) => 16,
            Self::Chain => 17,
            Self::Committee(_) => 18,
            Self::Candidate => 19,
            Self::Header(_) => 20,
            Self::Pod(_) => 21,
            Self::Vault(_) => 32,
            Self::Share(_) => 33,
            Self::Holding { .. } => 34,
            Self::VaultDeposit(..) => 35,
            Self::VaultExit(..) => 36,
            Self::VaultHoldback(..) => 37,
            Self::VaultCohort(..) => 38,
            Self::VaultBatch(..) => 39,
            Self::VaultGap(..) => 40,
            Self::VaultContingent(..) => 41,
            Self::Verdict(_) => 42,
            Self::VaultOutcome(..) => 43,
            Self::VaultLoss(..) => 44,
            Self::Basket(_) => 45,
            Self::Route(_) => 46,
            Self::Arrival(..) => 47,
        }
    }

    /// Its bytes: a byte for the sort, then what names it, numbers with their highest byte first, then zeros.
    pub fn to_bytes(&self) -> [u8; KEY_BYTES] {
        let mut name = Name::default();
        name.extend([self.tag()]);
        match self {
            Self::Genesis | Self::Network | Self::Values | Self::Exposure | Self::Chain | Self::Candidate => {
            }
            Self::Asset(id) => name.extend(id.number().to_be_bytes()),
            Self::Account(address) => name.extend(address.0),
            Self::Position { account, pool, slot } => {
                name.extend(account.0);
                name.extend(pool.number().to_be_bytes());
                name.extend(slot.to_be_bytes());
            }
            Self::Operator(id) => name.extend(id.number().to_be_bytes()),
            Self::Pool(id) => name.extend(id.number().to_be_bytes()),
            Self::Validator(id) => name.extend(id.number().to_be_bytes()),
            Self::Service(id) => name.extend(id.number().to_be_bytes()),
            Self::Set(id) => name.extend(id.number().to_be_bytes()),
            Self::Table(id, epoch) => {
                name.extend(id.number().to_be_bytes());
                name.extend(epoch.number().to_be_bytes());
            }
            Self::Request(id) => name.extend(id.number().to_be_bytes()),
            Self::Slash(id) => name.extend(id.number().to_be_bytes()),
            Self::Stream(id) => name.extend(id.number().to_be_bytes()),
            Self::KeyOwner(digest) => name.extend(digest),
            Self::Committee(number) | Self::Header(number) => name.extend(number.to_be_bytes()),
            Self::Pod(id) => name.extend(id.number().to_be_bytes()),
            Self::Vault(id) => name.extend(id.number().to_be_bytes()),
            Self::Share(id) => name.extend(id.number().to_be_bytes()),
            Self::Holding { share, account } => {
                name.extend(share.number().to_be_bytes());
                name.extend(account.0);
            }
            Self::VaultDeposit(id, ticket)
            | Self::VaultExit(id, ticket)
            | Self::VaultHoldback(id, ticket) => {
                name.extend(id.number().to_be_bytes());
                name.extend(ticket.number().to_be_bytes());
            }
            Self::VaultCohort(id, place) | Self::VaultBatch(id, place) | Self::VaultGap(id, place) => {
                name.extend(id.number().to_be_bytes());
                name.extend(place.to_be_bytes());
            }
            Self::VaultContingent(id, request) | Self::VaultOutcome(id, request) => {
                name.extend(id.number().to_be_bytes());
                name.extend(request.number().to_be_bytes());
            }
            Self::Verdict(id) => name.extend(id.number().to_be_bytes()),
            Self::Basket(id) => name.extend(id.number().to_be_bytes()),
            Self::Route(id) => name.extend(id.number().to_be_bytes()),
            Self::Arrival(id, message) => {
                name.extend(id.number().to_be_bytes());
                name.extend(message.to_be_bytes());
            }
            Self::VaultLoss(id, epoch) => {
                name.extend(id.number().to_be_bytes());
                name.extend(epoch.number().to_be_bytes());
            }
        }
        name.bytes
    }

    /// The key of those bytes; `None` where no key has them.
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Option<Self> {
        let number = |from: usize| -> Option<u32> {
            let digits: [u8; 4] = bytes.get(from..from.checked_add(4)?)?.try_into().ok()?;
            Some(u32::from_be_bytes(digits))
        };
        let long = || -> Option<u64> { Some(u64::from_be_bytes(bytes.get(1..9)?.try_into().ok()?)) };
        let address_at = |from: usize| -> Option<Address> {
            Some(Address(bytes.get(from..from.checked_add(20)?)?.try_into().ok()?))
        };
        let address = || address_at(1);
        let vault = || number(1).map(VaultId::new);
        let ticket = || number(5).map(TicketId::new);
        let place = || -> Option<u128> { Some(u128::from_be_bytes(bytes.get(5..21)?.try_into().ok()?)) };
        let key = match bytes.first()? {
            0 => Self::Genesis,
            1 => Self::Network,
            2 => Self::Values,
            3 => Self::Exposure,
            4 => Self::Asset(AssetId::new(number(1)?)),
            5 => Self::Account(address()?),
            6 => Self::Position { account: address()?, pool: PoolId::new(number(21)?), slot: number(25)? },
            7 => Self::Operator(OperatorId::new(number(1)?)),
            8 => Self::Pool(PoolId::new(number(1)?)),
            9 => Self::Validator(ValidatorId::new(number(1)?)),
            10 => Self::Service(ServiceId::new(number(1)?)),
            11 => Self::Set(SetId::new(number(1)?)),
            12 => Self::Table(SetId::new(number(1)?), Epoch::new(number(5)?)),
            13 => Self::Request(RequestId::new(number(1)?)),
            14 => Self::Slash(SlashId::new(number(1)?)),
            15 => Self::Stream(StreamId::new(number(1)?)),
            16 => Self::KeyOwner(bytes.get(1..)?.try_into().ok()?),
            17 => Self::Chain,
            18 => Self::Committee(long()?),
            19 => Self::Candidate,
            20 => Self::Header(long()?),
            21 => Self::Pod(ValidatorId::new(number(1)?)),
            32 => Self::Vault(vault()?),
            33 => Self::Share(ShareId::new(number(1)?)),
            34 => Self::Holding { share: ShareId::new(number(1)?), account: address_at(5)? },
            35 => Self::VaultDeposit(vault()?, ticket()?),
            36 => Self::VaultExit(vault()?, ticket()?),
            37 => Self::VaultHoldback(vault()?, ticket()?),
            38 => Self::VaultCohort(vault()?, place()?),
            39 => Self::VaultBatch(vault()?, place()?),
            40 => Self::VaultGap(vault()?, place()?),
            41 => Self::VaultContingent(vault()?, RequestId::new(number(5)?)),
            42 => Self::Verdict(RequestId::new(number(1)?)),
            43 => Self::VaultOutcome(vault()?, RequestId::new(number(5)?)),
            44 => Self::VaultLoss(vault()?, Epoch::new(number(5)?)),
            45 => Self::Basket(BasketId::new(number(1)?)),
            46 => Self::Route(RouteId::new(number(1)?)),
            47 => Self::Arrival(
                RouteId::new(number(1)?),
                u64::from_be_bytes(bytes.get(5..13)?.try_into().ok()?),
            ),
            _ => return None,
        };
        (key.to_bytes() == *bytes).then_some(key)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Genesis => write!(f, "genesis"),
            Self::Network => write!(f, "network"),
            Self::Values => write!(f, "values"),
            Self::Exposure => write!(f, "exposure"),
            Self::Asset(id) => write!(f, "asset/{id}"),
            Self::Account(address) => write!(f, "account/{address}"),
            Self::Position { account, pool, slot } => write!(f, "position/{account}/{pool}/{slot}"),
            Self::Operator(id) => write!(f, "operator/{id}"),
            Self::Pool(id) => write!(f, "pool/{id}"),
            Self::Validator(id) => write!(f, "validator/{id}"),
            Self::Service(id) => write!(f, "service/{id}"),
            Self::Set(id) => write!(f, "set/{id}"),
            Self::Table(id, epoch) => write!(f, "table/{id}/{}", epoch.number()),
            Self::Request(id) => write!(f, "request/{id}"),
            Self::Slash(id) => write!(f, "slash/{id}"),
            Self::Stream(id) => write!(f, "stream/{id}"),
            Self::KeyOwner(digest) => write!(f, "key/{}", hex::encode(digest)),
            Self::Chain => write!(f, "ethereum"),
            Self::Committee(period) => write!(f, "committee/{period}"),
            Self::Candidate => write!(f, "candidate"),
            Self::Header(slot) => write!(f, "header/{slot}"),
            Self::Pod(id) => write!(f, "pod/{id}"),
            Self::Vault(id) => write!(f, "vault/{id}"),
            Self::Share(id) => write!(f, "share/{id}"),
            Self::Holding { share, account } => write!(f, "holding/{share}/{account}"),
            Self::VaultDeposit(id, ticket) => write!(f, "vault_deposit/{id}/{ticket}"),
            Self::VaultExit(id, ticket) => write!(f, "vault_exit/{id}/{ticket}"),
            Self::VaultHoldback(id, ticket) => write!(f, "vault_holdback/{id}/{ticket}"),
            Self::VaultCohort(id, place) => write!(f, "vault_cohort/{id}/{place}"),
            Self::VaultBatch(id, place) => write!(f, "vault_batch/{id}/{place}"),
            Self::VaultGap(id, place) => write!(f, "vault_gap/{id}/{place}"),
            Self::VaultContingent(id, request) => write!(f, "vault_contingent/{id}/{request}"),
            Self::Verdict(id) => write!(f, "verdict/{id}"),
            Self::Basket(id) => write!(f, "basket/{id}"),
            Self::VaultOutcome(id, request) => write!(f, "vault_outcome/{id}/{request}"),
            Self::Route(id) => write!(f, "route/{id}"),
            Self::Arrival(id, message) => write!(f, "arrival/{id}/{message}"),
            Self::VaultLoss(id, epoch) => write!(f, "vault_loss/{id}/{}", epoch.number()),
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || {
            format!(
                "{text:?} names no entry; entries are named like network, account/0x.., pool/3, position/0x../3/17 or table/2/9"
            )
        };
        let mut parts = text.split('/');
        let sort = parts.next().unwrap_or_default();
        let rest: Vec<&str> = parts.collect();
        let number = |place: usize| -> Result<u32, String> {
            let digits = rest.get(place).ok_or_else(malformed)?;
            let value: u32 = digits.parse().map_err(|_| malformed())?;
            if value.to_string() == **digits { Ok(value) } else { Err(malformed()) }
        };
        let long = || -> Result<u64, String> {
            rest.first().ok_or_else(malformed)?.parse().map_err(|_| malformed())
        };
        let place = |at: usize| -> Result<u128, String> {
            let digits = rest.get(at).ok_or_else(malformed)?;
            let value: u128 = digits.parse().map_err(|_| malformed())?;
            if value.to_string() == **digits { Ok(value) } else { Err(malformed()) }
        };
        let address = || -> Result<Address, String> { rest.first().ok_or_else(malformed)?.parse() };
        let (key, places) = match sort {
            "genesis" => (Self::Genesis, 0),
            "network" => (Self::Network, 0),
            "values" => (Self::Values, 0),
            "exposure" => (Self::Exposure, 0),
            "asset" => (Self::Asset(AssetId::new(number(0)?)), 1),
            "account" => (Self::Account(address()?), 1),
            "position" => {
                let (pool, slot) = (PoolId::new(number(1)?), number(2)?);
                (Self::Position { account: address()?, pool, slot }, 3)
            }
            "operator" => (Self::Operator(OperatorId::new(number(0)?)), 1),
            "pool" => (Self::Pool(PoolId::new(number(0)?)), 1),
            "validator" => (Self::Validator(ValidatorId::new(number(0)?)), 1),
            "service" => (Self::Service(ServiceId::new(number(0)?)), 1),
            "set" => (Self::Set(SetId::new(number(0)?)), 1),
            "table" => (Self::Table(SetId::new(number(0)?), Epoch::new(number(1)?)), 2),
            "request" => (Self::Request(RequestId::new(number(0)?)), 1),
            "slash" => (Self::Slash(SlashId::new(number(0)?)), 1),
            "stream" => (Self::Stream(StreamId::new(number(0)?)), 1),
            "key" => {
                let mut digest = [0; 31];
                let digits = rest.first().ok_or_else(malformed)?;
                hex::decode_to_slice(digits, &mut digest).map_err(|_| malformed())?;
                (Self::KeyOwner(digest), 1)
            }
            "ethereum" => (Self::Chain, 0),
            "committee" => (Self::Committee(long()?), 1),
            "candidate" => (Self::Candidate, 0),
            "header" => (Self::Header(long()?), 1),
            "pod" => (Self::Pod(ValidatorId::new(number(0)?)), 1),
            "vault" => (Self::Vault(VaultId::new(number(0)?)), 1),
            "share" => (Self::Share(ShareId::new(number(0)?)), 1),
            "holding" => {
                let account = rest.get(1).ok_or_else(malformed)?.parse()?;
                (Self::Holding { share: ShareId::new(number(0)?), account }, 2)
            }
            "vault_deposit" => (Self::VaultDeposit(VaultId::new(number(0)?), TicketId::new(number(1)?)), 2),
            "vault_exit" => (Self::VaultExit(VaultId::new(number(0)?), TicketId::new(number(1)?)), 2),
            "vault_holdback" => (Self::VaultHoldback(VaultId::new(number(0)?), TicketId::new(number(1)?)), 2),
            "vault_cohort" => (Self::VaultCohort(VaultId::new(number(0)?), place(1)?), 2),
            "vault_batch" => (Self::VaultBatch(VaultId::new(number(0)?), place(1)?), 2),
            "vault_gap" => (Self::VaultGap(VaultId::new(number(0)?), place(1)?), 2),
            "vault_contingent" => {
                (Self::VaultContingent(VaultId::new(number(0)?), RequestId::new(number(1)?)), 2)
            }
            "verdict" => (Self::Verdict(RequestId::new(number(0)?)), 1),
            "basket" => (Self::Basket(BasketId::new(number(0)?)), 1),
            "vault_outcome" => (Self::VaultOutcome(VaultId::new(number(0)?), RequestId::new(number(1)?)), 2),
            "route" => (Self::Route(RouteId::new(number(0)?)), 1),
            "arrival" => {
                let message = u64::try_from(place(1)?).map_err(|_| malformed())?;
                (Self::Arrival(RouteId::new(number(0)?), message), 2)
            }
            "vault_loss" => (Self::VaultLoss(VaultId::new(number(0)?), Epoch::new(number(1)?)), 2),
            _ => return Err(malformed()),
        };
        if rest.len() == places && key.to_string() == text { Ok(key) } else { Err(malformed()) }
    }
}
