//! The library on a disk that fails: at every step of a short life, in every way, and at random. What was made durable comes back whole, or opening says that
//! it can't; it never comes back as something else.

use std::path::Path;

use commonware_runtime::deterministic::{
    Checkpoint, Config, Context, FaultConfig, PartialWriteMode, ResizeConfig, Runner, WriteConfig,
};
use commonware_runtime::{Runner as _, Supervisor as _};
use commonware_utils::{Probability, probability};

use super::{batch, digest, model};
use crate::Options;
use crate::engine::{Engine, Error};

/// Heights of a life; every so many it is synced.
const HEIGHTS: u64 = 12;
const SYNC_EVERY: u64 = 3;

type Store = Engine<Context>;
/// Whatever the library gave up with. It may have panicked.
type Stopped = String;

async fn open(context: Context) -> Result<Store, Error> {
    Engine::open(context, Path::new("there is no such folder"), &Options::default()).await
}

fn next_height(store: &Store) -> u64 {
    store.committed().map_or(0, |at| at.height + 1)
}

/// What is known of a life when it ends.
#[derive(Clone, Copy, Debug, Default)]
struct Life {
    /// So many heights were made durable, as far as the library has said.
    durable: u64,
    /// So many were given to it.
    given: u64,
}

/// Opens the store, and feeds it until it fails or has all heights. Before step `fail_at` the disk begins to fail.
async fn live(
    context: Context,
    reference: &[[u8; 32]],
    until: u64,
    fail_at: Option<(u64, FaultConfig)>,
) -> (Life, Option<Stopped>) {
    let (mut life, mut step) = (Life::default(), 0);
    let faults = context.storage_fault_config();
    let mut next_step = || {
        if let Some((at, config)) = &fail_at
            && *at == step
        {
            *faults.write() = config.clone();
        }
        step += 1;
    };
    next_step();
    let mut store = match open(context).await {
        Ok(store) => store,
        Err(error) => return (life, Some(error.to_string())),
    };
    life.durable = next_height(&store);
    life.given = life.durable;
    check(&store, reference).await;
    for height in life.durable..until {
        next_step();
        life.given = height + 1;
        store = match store.commit(height, digest(height), batch(height)).await {
            Ok((store, at)) => {
                assert_eq!(at.root, reference[usize::try_from(height).unwrap()], "height {height}");
                store
            }
            Err(error) => return (life, Some(error.to_string())),
        };
        if (height + 1) % SYNC_EVERY == 0 {
            next_step();
            store = match store.sync().await {
                Ok(store) => store,
                Err(error) => return (life, Some(error.to_string())),
            };
            life.durable = height + 1;
        }
    }
    (life, None)
}

/// A store is at one of the heights, with its root and all its entries, or it says that it can't read them.
async fn check(store: &Store, reference: &[[u8; 32]]) {
    let heights = next_height(store);
    if let Some(at) = store.committed() {
        assert_eq!((at.digest, at.root), (digest(at.height), reference[usize::try_from(at.height).unwrap()]));
    }
    let mut entries = Vec::new();
    let read = store
        .entries(|page| {
            entries.extend(page);
            true
        })
        .await;
    if read.is_ok() {
        entries.sort_unstable();
        assert!(entries.into_iter().eq(model(heights)), "height {heights} is whole");
    }
}

fn reference() -> Vec<[u8; 32]> {
    Runner::default().start(|context| async move {
        let mut store = open(context).await.unwrap();
        let mut roots = Vec::new();
        for height in 0..HEIGHTS {
            let (next, at) = store.commit(height, digest(height), batch(height)).await.unwrap();
            roots.push(at.root);
            store = next;
        }
        roots
    })
}

/// The disk works again. The store comes back with everything that was durable, and goes on to the end; what it lacks is given again.
fn recover(checkpoint: Checkpoint, reference: &[[u8; 32]], before: Life, what: &str) {
    let (after, _) = Runner::from(checkpoint).start_and_recover(|context| async move {
        *context.storage_fault_config().write() = FaultConfig::default();
        let store = open(context.child("look")).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let heights = next_height(&store);
        assert!(
            (before.durable..=before.given).contains(&heights),
            "{what}: {heights} heights came back, {} were durable and {} given",
            before.durable,
            before.given
        );
        check(&store, reference).await;
        drop(store);
        live(context, reference, HEIGHTS, None).await
    });
    assert_eq!((after.0.durable, after.1), (HEIGHTS, None), "{what}: it goes on to the end");
}

/// One life with a fault: so many heights are there before it opens the store. Whether the fault was noticed.
fn strike(
    seed: u64,
    reference: &[[u8; 32]],
    (there, at): (u64, u64),
    faults: &FaultConfig,
    what: &str,
) -> bool {
    let runner = Runner::new(Config::new().with_seed(seed));
    let (_, before) = runner.start_and_recover(|context| live(context, reference, there, None));
    let ((mut life, stopped), checkpoint) = Runner::from(before)
        .start_and_recover(|context| live(context, reference, HEIGHTS, Some((at, faults.clone()))));
    (life.durable, life.given) = (life.durable.max(there), life.given.max(there));
    recover(checkpoint, reference, life, what);
    stopped.is_some()
}

fn write(failure_rate: Probability, retention_rate: Probability, mode: PartialWriteMode) -> FaultConfig {
    FaultConfig::default().write(WriteConfig { failure_rate, retention_rate, mode })
}

/// Opening, each height, each sync.
const STEPS: u64 = 1 + HEIGHTS + HEIGHTS / SYNC_EVERY;

#[test]
fn a_disk_that_fails_at_any_step_takes_nothing_that_was_durable() {
    let reference = reference();
    let (never, half, always) = (probability!(0.0), probability!(0.5), probability!(1.0));
    let cases = [
        ("a full disk", write(always, never, PartialWriteMode::Prefix)),
        ("torn writes", write(always, half, PartialWriteMode::Prefix)),
        ("writes with holes", write(always, half, PartialWriteMode::Subset)),
        ("syncs that fail", FaultConfig::default().sync(always)),
        ("reads that fail", FaultConfig::default().read(always)),
        ("files that do not open", FaultConfig::default().open(always)),
        (
            "sizes that do not change",
            FaultConfig::default().resize(ResizeConfig { failure_rate: always, partial_rate: half }),
        ),
        ("power that fails, with all that was written", write(never, always, PartialWriteMode::Prefix)),
        ("power that fails, with half of each write", write(never, half, PartialWriteMode::Prefix)),
        ("power that fails, with holes", write(never, half, PartialWriteMode::Subset)),
    ];
    for (index, (what, faults)) in (0..).zip(&cases) {
        let mut noticed = 0;
        for (there, at) in (0..STEPS).map(|at| (0, at)).chain((0..STEPS / 2).map(|at| (HEIGHTS / 2, at))) {
            let seed = at * 1_000 + there * 100 + index;
            let what = format!("{what} at step {at} after {there} heights");
            noticed += u64::from(strike(seed, &reference, (there, at), faults, &what));
        }
        assert!(
            noticed > 0 || what.contains("power") || what.contains("sizes"),
            "{what}: nothing was noticed"
        );
    }
}

#[test]
fn a_disk_that_fails_now_and_then_takes_nothing_that_was_durable() {
    let reference = reference();
    let rare = probability!(1, 40);
    let faults = FaultConfig {
        open_rate: None,
        read_rate: Some(rare),
        write_rate: Some(WriteConfig {
            failure_rate: rare,
            retention_rate: probability!(0.5),
            mode: PartialWriteMode::Subset,
        }),
        sync_rate: Some(rare),
        resize_rate: Some(ResizeConfig { failure_rate: rare, partial_rate: probability!(0.5) }),
        remove_rate: Some(rare),
        scan_rate: None,
    };
    let rounds = std::env::var("SURETY_FAULT_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1u64);
    let noticed = (0..rounds * 60).filter(|seed| {
        strike(*seed, &reference, (seed % 2 * HEIGHTS / 2, 0), &faults, &format!("seed {seed}"))
    });
    assert!(noticed.count() > 10, "hardly any fault was noticed");
}
