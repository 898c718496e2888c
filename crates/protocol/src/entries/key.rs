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
    /// First-loss capital that waits to leave a vault.
    VaultJunior(VaultId, TicketId),
    /// A request that waits at a single-sided door of a basket.
    BasketRequest(BasketId, TicketId),
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
            Self::VaultJunior(..) => 48,
            Self::BasketRequest(..) => 49,
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
            | Self::VaultHoldback(id, ticket)
            | Self::VaultJunior(id, ticket) => {
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
            Self::BasketRequest(id, ticket) => {
                name.extend(id.number().to_be_bytes());
                name.extend(ticket.number().to_be_bytes());
            }
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
            48 => Self::VaultJunior(vault()?, ticket()?),
            49 => Self::BasketRequest(BasketId::new(number(1)?), ticket()?),
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
            Self::BasketRequest(id, ticket) => write!(f, "basket_request/{id}/{ticket}"),
            Self::Route(id) => write!(f, "route/{id}"),
            Self::Arrival(id, message) => write!(f, "arrival/{id}/{message}"),
            Self::VaultJunior(id, ticket) => write!(f, "vault_junior/{id}/{ticket}"),
            Self::VaultLoss(id, epoch) => write!(f, "vault_loss/{id}/{}", epoch.number()),
        }
    }
}

/// The parts of a name after its first.
struct Places<'a> {
    text: &'a str,
    rest: Vec<&'a str>,
}

impl Places<'_> {
    fn malformed(&self) -> String {
        let text = self.text;
        format!(
            "{text:?} names no entry; entries are named like network, account/0x.., pool/3, position/0x../3/17 or table/2/9"
        )
    }

    fn at(&self, place: usize) -> Result<&str, String> {
        self.rest.get(place).copied().ok_or_else(|| self.malformed())
    }

    fn digits<T: FromStr + ToString>(&self, place: usize) -> Result<T, String> {
        let digits = self.at(place)?;
        let value: T = digits.parse().map_err(|_| self.malformed())?;
        if value.to_string() == digits { Ok(value) } else { Err(self.malformed()) }
    }

    fn number(&self, place: usize) -> Result<u32, String> {
        self.digits(place)
    }

    fn address(&self, place: usize) -> Result<Address, String> {
        self.at(place)?.parse()
    }

    fn key_of(&self, sort: &str) -> Result<Key, String> {
        Ok(match sort {
            "genesis" => Key::Genesis,
            "network" => Key::Network,
            "values" => Key::Values,
            "exposure" => Key::Exposure,
            "asset" => Key::Asset(AssetId::new(self.number(0)?)),
            "account" => Key::Account(self.address(0)?),
            "position" => {
                let (pool, slot) = (PoolId::new(self.number(1)?), self.number(2)?);
                Key::Position { account: self.address(0)?, pool, slot }
            }
            "operator" => Key::Operator(OperatorId::new(self.number(0)?)),
            "pool" => Key::Pool(PoolId::new(self.number(0)?)),
            "validator" => Key::Validator(ValidatorId::new(self.number(0)?)),
            "service" => Key::Service(ServiceId::new(self.number(0)?)),
            "set" => Key::Set(SetId::new(self.number(0)?)),
            "table" => Key::Table(SetId::new(self.number(0)?), Epoch::new(self.number(1)?)),
            "request" => Key::Request(RequestId::new(self.number(0)?)),
            "slash" => Key::Slash(SlashId::new(self.number(0)?)),
            "stream" => Key::Stream(StreamId::new(self.number(0)?)),
            "key" => {
                let mut digest = [0; 31];
                hex::decode_to_slice(self.at(0)?, &mut digest).map_err(|_| self.malformed())?;
                Key::KeyOwner(digest)
            }
            "ethereum" => Key::Chain,
            "committee" => Key::Committee(self.digits(0)?),
            "candidate" => Key::Candidate,
            "header" => Key::Header(self.digits(0)?),
            "pod" => Key::Pod(ValidatorId::new(self.number(0)?)),
            _ => return self.key_of_vaults(sort),
        })
    }

    fn key_of_vaults(&self, sort: &str) -> Result<Key, String> {
        let vault = || self.number(0).map(VaultId::new);
        let ticket = || self.number(1).map(TicketId::new);
        let request = || self.number(1).map(RequestId::new);
        Ok(match sort {
            "vault" => Key::Vault(vault()?),
            "share" => Key::Share(ShareId::new(self.number(0)?)),
            "holding" => Key::Holding { share: ShareId::new(self.number(0)?), account: self.address(1)? },
            "vault_deposit" => Key::VaultDeposit(vault()?, ticket()?),
            "vault_exit" => Key::VaultExit(vault()?, ticket()?),
            "vault_holdback" => Key::VaultHoldback(vault()?, ticket()?),
            "vault_cohort" => Key::VaultCohort(vault()?, self.digits(1)?),
            "vault_batch" => Key::VaultBatch(vault()?, self.digits(1)?),
            "vault_gap" => Key::VaultGap(vault()?, self.digits(1)?),
            "vault_contingent" => Key::VaultContingent(vault()?, request()?),
            "verdict" => Key::Verdict(RequestId::new(self.number(0)?)),
            "basket" => Key::Basket(BasketId::new(self.number(0)?)),
            "vault_outcome" => Key::VaultOutcome(vault()?, request()?),
            "route" => Key::Route(RouteId::new(self.number(0)?)),
            "arrival" => Key::Arrival(RouteId::new(self.number(0)?), self.digits(1)?),
            "basket_request" => Key::BasketRequest(BasketId::new(self.number(0)?), ticket()?),
            "vault_junior" => Key::VaultJunior(vault()?, ticket()?),
            "vault_loss" => Key::VaultLoss(vault()?, Epoch::new(self.number(1)?)),
            _ => return Err(self.malformed()),
        })
    }
}

impl FromStr for Key {
    type Err = String;

    /// Reads what a key prints. Each key has one text: more parts, or numbers with zeros in front, are none.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('/');
        let sort = parts.next().unwrap_or_default();
        let places = Places { text, rest: parts.collect() };
        let key = places.key_of(sort)?;
        if key.to_string() == text { Ok(key) } else { Err(places.malformed()) }
    }
}
