//! A follower against servers that answer, drop, stall and lie.

mod lies;
mod made;
mod mixes;
mod moods;
mod real;
mod resume;
mod stops;

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use ethereum::{
    Beacon, Complaint, ExecutionClient, Follower, Keeper, News, Patience, Plan, Round, Sink, Stop,
};
use evidence::ethereum::{Chain, Hash, LightClient};
use fixtures::{Answers, Block, Mood, Server, World};

static WORLD: LazyLock<World> = LazyLock::new(|| World::new(8));

/// The chain from Capella to Gloas, the root to be trusted, and the newest final block.
static MADE: LazyLock<(Answers, Hash, Block)> = LazyLock::new(|| Answers::made(&WORLD));

/// Slot of the newest final block.
const HEAD: u64 = 4 * 8192 + 640;
/// A while after the newest update.
const NOW: u64 = (HEAD + 100) * 12_000;

/// Long enough for any machine.
fn patience() -> Patience {
    let long = Duration::from_secs(30);
    Patience { connect: long, answer: long, state: long }
}

/// Short enough to be waited for in vain. Who is honest may be too late as well, and is asked again.
fn hasty() -> Patience {
    let short = Duration::from_millis(250);
    Patience { connect: short, answer: short, ..patience() }
}

fn answers() -> Answers {
    MADE.0.clone()
}

fn honest() -> Server {
    Server::start(answers(), Mood::Honest)
}

/// What a follower handed over.
#[derive(Default)]
struct Ledger {
    news: Vec<News>,
    /// So many are not taken from here on.
    refuses: usize,
}

impl Sink for Ledger {
    fn submit(&mut self, news: &News) -> Result<(), String> {
        if self.refuses > 0 {
            self.refuses -= 1;
            return Err("the disk is full".into());
        }
        self.news.push(news.clone());
        Ok(())
    }
}

impl Ledger {
    /// Verifies everything again, as a ledger does that knows nothing but the trusted root; what comes twice is skipped.
    fn replayed(&self, chain: &Chain, trusted: &Hash) -> Option<LightClient> {
        let mut client: Option<LightClient> = None;
        for news in &self.news {
            match news {
                News::BeginChain { bootstrap } => {
                    client = Some(LightClient::new(chain, trusted, bootstrap.as_ref().clone()).unwrap());
                }
                News::UpdateChain { update } => {
                    client.as_mut().unwrap().update(chain, update, u64::MAX).unwrap();
                }
                News::OpenBlock { slot, opening } => {
                    client.as_ref().unwrap().at_slot(*slot).unwrap().open(opening).unwrap();
                }
                News::ReportContradiction { update, remembered } => {
                    let client = client.as_ref().unwrap();
                    client.contradiction(chain, update, u64::MAX, remembered.as_ref()).unwrap();
                }
            }
        }
        client
    }

    fn opened(&self) -> Vec<u64> {
        let slot = |news: &News| if let News::OpenBlock { slot, .. } = news { Some(*slot) } else { None };
        self.news.iter().filter_map(slot).collect()
    }
}

fn plan(beacons: &[&Server], executions: &[&Server]) -> Plan {
    plan_with(patience(), beacons, executions)
}

fn plan_with(patience: Patience, beacons: &[&Server], executions: &[&Server]) -> Plan {
    let beacon = |server: &&Server| Beacon::new(&server.url(), patience).unwrap();
    let execution = |server: &&Server| ExecutionClient::new(&server.url(), patience).unwrap();
    Plan {
        chain: WORLD.chain().clone(),
        trusted: MADE.1,
        beacons: beacons.iter().map(beacon).collect(),
        executions: executions.iter().map(execution).collect(),
        keeper: None,
        seed: 1,
    }
}

fn kept(path: &std::path::Path, plan: Plan) -> Plan {
    Plan { keeper: Some(Keeper::new(path)), ..plan }
}

/// Rounds one after the other, each when the one before said, until one brings nothing new or there were `most`.
fn run(follower: &mut Follower, ledger: &mut Ledger, most: usize) -> Result<Vec<Complaint>, Stop> {
    let (mut now, mut complaints) = (NOW, Vec::new());
    for _ in 0..most {
        let Round { news, answered, complaints: said, next_ms } = follower.round(now, ledger)?;
        complaints.extend(said);
        assert!(next_ms > now, "a follower that never waits");
        if answered > 0 && news == 0 {
            break;
        }
        // Time passes, but not so much that the chain of the test would be old.
        now += (next_ms - now).min(20_000);
    }
    Ok(complaints)
}

/// Ends at the right head, and what was handed over leads there as well.
fn assert_followed(follower: &Follower, ledger: &Ledger) {
    let client = follower.client().expect("the trusted block was found");
    assert_eq!(client.newest().header().slot, HEAD);
    assert_eq!(client.newest().root(), &MADE.2.root());
    let replayed = ledger.replayed(WORLD.chain(), &MADE.1).expect("it was handed over");
    assert_eq!(replayed, *client);
}

/// Whatever was accepted is true: every header is one of the honest chain.
fn assert_true(follower: &Follower) {
    static TRUE: LazyLock<BTreeMap<u64, Hash>> = LazyLock::new(|| {
        let slots = [64].into_iter().chain((0..5).map(|period| period * 8192 + 320));
        let roots = slots.map(|slot| (slot, WORLD.block(slot, 0).root()));
        roots.chain([(HEAD, MADE.2.root())]).collect()
    });
    let Some(client) = follower.client() else { return };
    for header in client.finalized() {
        assert_eq!(TRUE.get(&header.header().slot), Some(header.root()), "slot {}", header.header().slot);
    }
    for committee in [Some(client.current()), client.next()].into_iter().flatten() {
        let is_known = |period| WORLD.committee(period).public().root() == committee.root();
        assert!((0..6).any(is_known), "a committee that nobody elected");
    }
}
