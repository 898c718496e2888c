//! A follower that was ended, and one that can't hand over or keep what it knows.

use std::path::PathBuf;

use ethereum::{Follower, KeeperFault, Plan, Stop};
use fixtures::{Mood, Server, Told};

use super::{HEAD, Ledger, MADE, NOW, WORLD, answers, assert_followed, honest, kept, plan, run};

/// A folder that is gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("surety-follow-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("follow.state")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[test]
fn a_follower_goes_on_where_the_one_before_it_ended() {
    let folder = Folder::new("resume");
    let mut early = answers();
    early.updates.retain(|period, _| *period < 3);
    early.tell(&WORLD, Told::finality(2 * 8192 + 640));
    let server = Server::start(early, Mood::Honest);
    let mut ledger = Ledger::default();
    let mut follower = Follower::new(kept(&folder.file(), plan(&[&server], &[&server]))).unwrap();
    follower.round((2 * 8192 + 740) * 12_000, &mut ledger).unwrap();
    let before = follower.client().unwrap().clone();
    assert_eq!(before.newest().header().slot, 2 * 8192 + 640);
    drop(follower);

    server.set_answers(answers());
    let mut follower = Follower::new(kept(&folder.file(), plan(&[&server], &[&server]))).unwrap();
    assert_eq!(follower.client(), Some(&before));
    run(&mut follower, &mut ledger, 5).unwrap();
    assert_followed(&follower, &ledger);
    let begun = ledger.news.iter().filter(|news| matches!(news, ethereum::News::BeginChain { .. })).count();
    assert_eq!(begun, 1);
    assert!(!folder.0.join("follow.state.new").exists());
}

/// Whatever is in the file instead, it is not believed.
#[test]
fn a_damaged_file_is_refused_with_what_to_do() {
    let folder = Folder::new("damaged");
    let server = honest();
    let mut follower = Follower::new(kept(&folder.file(), plan(&[&server], &[&server]))).unwrap();
    run(&mut follower, &mut Ledger::default(), 3).unwrap();
    let good = std::fs::read(folder.file()).unwrap();
    let open = || Follower::new(kept(&folder.file(), plan(&[&server], &[])));
    assert!(open().is_ok());
    for place in (0..good.len()).step_by(1 + good.len() / 60) {
        let mut bad = good.clone();
        bad[place] ^= 1;
        std::fs::write(folder.file(), &bad).unwrap();
        let Err(Stop::Keeper(fault)) = open() else { panic!("byte {place}") };
        assert!(matches!(fault, KeeperFault::Damaged { .. } | KeeperFault::Io { .. }), "{fault}");
    }
    for bad in [&good[..0], &good[..good.len() / 2], b"surety-follow/v1 00\n{}", b"{}"] {
        std::fs::write(folder.file(), bad).unwrap();
        let Err(stop) = open() else { panic!("{} bytes", bad.len()) };
        assert!(stop.to_string().contains("delete it to begin again"), "{stop}");
    }
    std::fs::write(folder.file(), &good).unwrap();
    let other = Plan { trusted: [7; 32], ..kept(&folder.file(), plan(&[&server], &[])) };
    let Err(Stop::Keeper(fault)) = Follower::new(other) else { panic!("another root") };
    assert!(
        matches!(fault, KeeperFault::Other { expected, actual, .. } if expected == [7; 32] && actual == MADE.1)
    );
}

#[test]
fn a_file_that_cannot_be_written_stops_it() {
    let folder = Folder::new("nowhere");
    let server = honest();
    let path = folder.0.join("missing/follow.state");
    let mut follower = Follower::new(kept(&path, plan(&[&server], &[]))).unwrap();
    let stopped = follower.round(NOW, &mut Ledger::default()).unwrap_err();
    assert!(matches!(stopped, Stop::Keeper(KeeperFault::Io { .. })), "{stopped}");
}

/// What was not taken is handed over again: at every place, nothing is lost and nothing is out of order.
#[test]
fn nothing_is_lost_where_news_are_not_taken() {
    let server = honest();
    for taken in 0..8 {
        let mut follower = Follower::new(plan(&[&server], &[&server])).unwrap();
        let mut ledger = Ledger::default();
        let mut limited = Limited { inner: &mut ledger, left: taken };
        let round = follower.round(NOW, &mut limited).unwrap();
        let said = round.complaints.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(said, ["sink does not take news: the disk is full"], "{taken}");
        assert_eq!((ledger.news.len(), round.next_ms), (taken, NOW + 12_000));
        run(&mut follower, &mut ledger, 4).unwrap();
        assert_followed(&follower, &ledger);
        assert_eq!((ledger.news.len(), ledger.opened()), (8, vec![HEAD]), "{taken}");
    }
}

/// Takes so many, and no more.
struct Limited<'a> {
    inner: &'a mut Ledger,
    left: usize,
}

impl ethereum::Sink for Limited<'_> {
    fn submit(&mut self, news: &ethereum::News) -> Result<(), String> {
        match self.left.checked_sub(1) {
            None => Err("the disk is full".into()),
            Some(left) => {
                self.left = left;
                self.inner.submit(news)
            }
        }
    }
}
