//! Following the chain: asking upstreams, believing none, and handing over what was verified.
//!
//! A follower keeps a light client of its own, and takes nothing that this one does not take. So it does not matter who answers: as long as one upstream is
//! honest and can be reached, the follower ends at the newest block that is final; with none it stays where it is, and says why.
//!
//! It never sleeps and looks at no clock: whoever runs it says what time it is, and is told when to come again.

mod health;
mod keeper;
mod metrics;
mod news;
mod round;

use evidence::ethereum::api::FormError;
use evidence::ethereum::{
    BootstrapRefused, Chain, Contradiction, Hash, LightClient, OpeningError, UnknownFork, UpdateRefused,
};

use self::health::Chance;
pub use self::health::Health;
pub use self::keeper::{Keeper, KeeperFault};
pub use self::metrics::Counters;
pub use self::news::{Lines, News, Sink};
use crate::beacon::Beacon;
use crate::execution::{ExecutionClient, ExecutionFault};
use crate::http::Fault;

/// The wait between two rounds where all is well, in milliseconds: an epoch.
const ROUND_MS: u64 = 32 * 12_000;

/// What a follower follows, and whom it asks.
pub struct Plan {
    /// The chain.
    pub chain: Chain,
    /// Root of the block that is trusted.
    pub trusted: Hash,
    /// Clients of the consensus layer.
    pub beacons: Vec<Beacon>,
    /// Clients of the execution layer: from Gloas on blocks can't be opened without one.
    pub executions: Vec<ExecutionClient>,
    /// Where what is known is kept. Without it, each start begins at the trusted block.
    pub keeper: Option<Keeper>,
    /// Where the chance of waits begins.
    pub seed: u64,
}

/// Who is complained about where news could not be handed over.
pub const SINK: &str = "sink";

/// A follower.
pub struct Follower {
    chain: Chain,
    trusted: Hash,
    keeper: Option<Keeper>,
    beacons: Vec<Asked<Beacon>>,
    executions: Vec<Asked<ExecutionClient>>,
    client: Option<LightClient>,
    /// Slot of the newest block that was opened.
    opened: Option<u64>,
    counters: Counters,
    chance: Chance,
}

/// An upstream, and how it is doing.
struct Asked<T> {
    upstream: T,
    health: Health,
}

/// What came of one round of asking.
#[derive(Debug, Default)]
pub struct Round {
    /// How much was handed over.
    pub news: u64,
    /// Upstreams that answered, and were believed.
    pub answered: usize,
    /// What is wrong with the others.
    pub complaints: Vec<Complaint>,
    /// When to come again, in milliseconds since 1970.
    pub next_ms: u64,
}

/// What is wrong with an upstream, or with where news go to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{who} {why}")]
pub struct Complaint {
    /// Host and port; [`SINK`] for where news go to.
    pub who: String,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// There is no answer to look at.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// The answer lacks something.
    #[error("answered what is of no use: {0}")]
    Form(FormError),
    /// The bootstrap is not that of the trusted block.
    #[error("answered a bootstrap that is not believed: {0}")]
    Bootstrap(BootstrapRefused),
    /// The update is not believed.
    #[error("answered an update that is not believed: {0}")]
    Update(UpdateRefused),
    /// The updates are not of the periods that were asked for.
    #[error("answered an update of period {actual} to a question for {count} from {start} on")]
    Periods {
        /// The first period asked for.
        start: u64,
        /// How many were asked for.
        count: u64,
        /// The first that is out of order.
        actual: u64,
    },
    /// It knows less than is known.
    #[error("is behind: its newest final slot is {slot}, and {known} is known")]
    Behind {
        /// Its newest final slot.
        slot: u64,
        /// What is known.
        known: u64,
    },
    /// The opening is not that of the block.
    #[error("answered a block that is not believed: {0}")]
    Opening(OpeningError),
    /// The execution client's answer is of no use.
    #[error("{0}")]
    Execution(ExecutionFault),
    /// What was verified could not be handed over.
    #[error("does not take news: {0}")]
    Sink(String),
}

/// Why a follower can't go on.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The chain has not begun.
    #[error(
        "the chain begins at {genesis_time} seconds since 1970, and it is {now_ms} ms: set the clock right"
    )]
    BeforeGenesis {
        /// When it begins.
        genesis_time: u64,
        /// What time it is said to be.
        now_ms: u64,
    },
    /// What rules at this time is not known here.
    #[error(
        "{0}: nothing newer can be verified until the schedule of forks, or surety itself, is brought up to date"
    )]
    Fork(UnknownFork),
    /// Two thirds of a committee have signed one thing and another.
    #[error(
        "{0}: two thirds of a sync committee have contradicted themselves, and nothing they say counts until people have decided"
    )]
    Contradiction(Contradiction),
    /// What is known can't be kept.
    #[error("{0}")]
    Keeper(#[from] KeeperFault),
    /// There is nobody to be asked.
    #[error("no client of the consensus layer is named")]
    Nobody,
}

impl Follower {
    /// A follower that goes on where the one before it ended.
    ///
    /// # Errors
    /// [`Stop::Nobody`], [`Stop::Keeper`]
    pub fn new(plan: Plan) -> Result<Self, Stop> {
        let Plan { chain, trusted, beacons, executions, keeper, seed } = plan;
        if beacons.is_empty() {
            return Err(Stop::Nobody);
        }
        let client = match &keeper {
            Some(keeper) => keeper.load(&chain, &trusted)?,
            None => None,
        };
        Ok(Self {
            chain,
            trusted,
            keeper,
            beacons: beacons.into_iter().map(Asked::new).collect(),
            executions: executions.into_iter().map(Asked::new).collect(),
            client,
            opened: None,
            counters: Counters::default(),
            chance: Chance::new(seed),
        })
    }

    /// Forgets what is known, and begins at the trusted block again: for where news go to does not have them.
    pub fn begin_again(&mut self) {
        (self.client, self.opened) = (None, None);
    }

    /// The chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What is known. Nothing, as long as no upstream had the trusted block.
    pub fn client(&self) -> Option<&LightClient> {
        self.client.as_ref()
    }

    /// Slot of the newest final block known.
    pub fn head(&self) -> Option<u64> {
        self.client.as_ref().map(|client| client.newest().header().slot)
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Every upstream by host and port, and how it is doing.
    pub fn upstreams(&self) -> impl Iterator<Item = (&str, &Health)> {
        let beacons = self.beacons.iter().map(|asked| (asked.upstream.name(), &asked.health));
        let executions = self.executions.iter().map(|asked| (asked.upstream.name(), &asked.health));
        beacons.chain(executions)
    }
}

impl<T> Asked<T> {
    fn new(upstream: T) -> Self {
        Self { upstream, health: Health::default() }
    }
}
