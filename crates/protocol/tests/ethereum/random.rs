//! Random lives of a pod, held against a model of what is really there: what a report may change, and what nobody can get out of it.

use std::collections::BTreeMap;

use protocol::ops;
use protocol::units::{Amount, Epoch, Fraction, OperatorId, RequestId, SetId, ValidatorId};
use protocol::{FollowUp, Operation, invariants};

use crate::chain::{ETHER, NATIVE, PERIOD, Run, address};
use crate::slashings;

const OPERATOR: OperatorId = OperatorId::new(0);
const SET: SetId = SetId::new(0);
const GWEI: u128 = 1_000_000_000;

/// What the last report has counted of a validator.
#[derive(Clone, Copy)]
struct Known {
    gwei: u64,
    is_slashed: bool,
}

/// A pod, the truth about it, and what the ledger should think of it. Amounts in gwei.
struct Life {
    run: Run,
    seed: u64,
    steps: u64,
    slot: u64,
    /// Index of the next validator.
    next: u64,
    requests: u32,
    held: u128,
    paid: u128,
    /// Really destroyed on Ethereum.
    destroyed: u128,
    known: BTreeMap<u64, Known>,
    balance: u128,
    released: u128,
    burned: u128,
    flagged: Option<(u64, Epoch)>,
    /// Taken from stake that was liable.
    lost: u128,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut run = Run::new(3);
        slashings::offer(&mut run, NATIVE, NATIVE);
        let slot = 3 * PERIOD + 320;
        run.validator(5, run.pod("alice"), 32 * ETHER);
        run.finalize(slot);
        run.checkpoint("alice", slot);
        let half = u128::from(16 * ETHER);
        run.must("alice", slashings::delegation(&run, NATIVE, half));
        slashings::join_set(&mut run, NATIVE);
        run.advance(1);
        let known = [(5, Known { gwei: 32 * ETHER, is_slashed: false })].into();
        Self {
            run,
            seed,
            steps: 0,
            slot,
            next: 6,
            requests: 0,
            held: 0,
            paid: 0,
            destroyed: 0,
            known,
            balance: u128::from(32 * ETHER),
            released: 0,
            burned: 0,
            flagged: None,
            lost: 0,
        }
    }

    /// A number below another.
    fn below(&mut self, limit: u64) -> u64 {
        self.steps += 1;
        let bytes = fixtures::chance("life", &[self.seed, self.steps]);
        u64::from_le_bytes(bytes[..8].try_into().unwrap()) % limit
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pod(&self) -> protocol::query::PodDetail {
        protocol::query::pod(&self.run.state, ValidatorId::new(0)).unwrap()
    }

    fn is_liable(&self) -> bool {
        let stands = invariants::conservation(&self.run.state, NATIVE);
        !stands.pooled.is_zero() || !stands.held.is_zero() || !self.pod().slashed.is_zero()
    }

    fn is_withdrawable(&self, index: u64) -> bool {
        self.run.validators[&index].withdrawable_epoch <= (self.slot + 64) / 32
    }

    /// Something happens on Ethereum before the next block.
    fn happen(&mut self) {
        let indices: Vec<u64> = self.run.validators.keys().copied().collect();
        let place = self.below(indices.len() as u64);
        let index = indices[usize::try_from(place).unwrap()];
        let some = 1 + self.below(ETHER);
        let (balance, is_withdrawable) = (self.run.balances[&index], self.is_withdrawable(index));
        let epoch = (self.slot + 64) / 32;
        let validator = self.run.validators.get_mut(&index).unwrap();
        let is_active = validator.exit_epoch == u64::MAX;
        match place_of(self.seed, self.steps) {
            0..=2 if is_active => *self.run.balances.get_mut(&index).unwrap() += some,
            3 | 4 if is_active && balance > some => self.destroy(index, some),
            5 if is_active && !validator.slashed => {
                validator.slashed = true;
                (validator.exit_epoch, validator.withdrawable_epoch) = (epoch, epoch + 8);
                self.destroy(index, balance / 4);
            }
            6 if validator.slashed && balance > 0 && !is_withdrawable => self.destroy(index, balance / 4),
            7 | 8 if is_active => {
                (validator.exit_epoch, validator.withdrawable_epoch) = (epoch, epoch + 2);
            }
            9 | 10 if is_withdrawable => {
                self.held += u128::from(balance);
                self.run.balances.insert(index, 0);
            }
            11 | 12 if is_withdrawable && !validator.slashed => {
                let to: Vec<u64> =
                    indices.iter().copied().filter(|other| !self.is_withdrawable(*other)).collect();
                if let Some(target) = to.last() {
                    *self.run.balances.get_mut(target).unwrap() += balance;
                    self.run.balances.insert(index, 0);
                }
            }
            13 if self.next < 14 => {
                self.run.validator(self.next, self.run.pod("alice"), 32 * ETHER);
                self.next += 1;
            }
            14 => self.held += u128::from(some),
            15 | 16 => {
                let due = (self.released + self.burned - self.paid).min(self.held);
                (self.held, self.paid) = (self.held - due, self.paid + due);
            }
            _ => {}
        }
    }

    fn destroy(&mut self, index: u64, amount: u64) {
        *self.run.balances.get_mut(&index).unwrap() -= amount;
        self.destroyed += u128::from(amount);
    }

    fn finalize(&mut self) {
        self.slot += 64;
        let pod = self.run.pod("alice").0;
        let account = self.run.accounts.entry(pod).or_default();
        account.wei = self.held * GWEI;
        account.storage = match self.paid {
            0 => BTreeMap::new(),
            paid => [(crate::chain::word(0), crate::chain::word(paid * GWEI))].into(),
        };
        self.run.finalize(self.slot);
    }

    /// A report that leaves out what it likes of what the ledger does not know.
    fn report(&mut self) {
        let (with_balances, with_account, hides) = (!self.chance(15), !self.chance(15), self.chance(40));
        let all = self.run.validators.keys().copied();
        let shown: Vec<u64> = all.filter(|index| !hides || self.known.contains_key(index)).collect();
        let mut report = self.run.report("alice", self.slot, with_balances);
        report.validators = self.run.blocks[&self.slot].validators(&shown, with_balances);
        if !with_account {
            report.nodes = None;
        }
        let (mut total, mut now, mut left) = (0, BTreeMap::new(), 0);
        for index in &shown {
            let validator = &self.run.validators[index];
            let is_steady = validator.exit_epoch == u64::MAX;
            let gwei = match (with_balances, is_steady) {
                (true, _) => self.run.balances[index],
                (false, true) => validator.effective_balance - ETHER / 2,
                (false, false) => 0,
            };
            total += u128::from(gwei);
            let is_withdrawable = validator.withdrawable_epoch <= self.slot / 32;
            if is_withdrawable && !validator.slashed {
                let before = self.known.get(index).map_or(0, |known| known.gwei);
                left += before.saturating_sub(gwei);
            }
            if !(is_withdrawable && with_balances && gwei == 0) {
                now.insert(*index, Known { gwei, is_slashed: validator.slashed });
            }
        }
        if with_account {
            total += self.held + self.paid;
        }
        let total = total.saturating_sub(self.released + self.burned);
        let is_whole = with_account && (with_balances || shown.is_empty());
        let falls = total < self.balance;
        let operation = Operation::ReportPod(report);
        if falls && !is_whole {
            assert_eq!(self.run.refused("prover", operation), "report_pod.Incomplete");
            return;
        }
        if falls && left > 0 && self.is_liable() {
            if self.flagged.is_some() {
                assert_eq!(self.run.refused("prover", operation), "report_pod.Unseen");
                return;
            }
            self.run.must("prover", operation);
            self.flagged = Some((self.slot, self.run.state.epoch().later(2)));
            return;
        }
        if falls && self.is_liable() {
            self.lost += self.balance - total;
        }
        self.run.must("prover", operation);
        (self.balance, self.known, self.flagged) = (total, now, None);
    }

    fn flag(&mut self) {
        let indices: Vec<u64> = self.run.validators.keys().copied().collect();
        let index = indices[usize::try_from(self.below(indices.len() as u64)).unwrap()];
        let operation = Operation::ReportSlashed(ops::report_slashed::ReportSlashed {
            asset: NATIVE,
            account: Some(address("alice")),
            slot: self.slot,
            validators: self.run.blocks[&self.slot].validators(&[index], false),
        });
        let is_news = self.known.get(&index).is_some_and(|known| !known.is_slashed);
        let expected = match (
            self.pod().slot < self.slot,
            self.flagged,
            self.run.blocks[&self.slot].is_slashed(index),
        ) {
            (false, ..) => "report_slashed.NotLater",
            (true, Some(_), _) => "report_slashed.Flagged",
            (true, None, false) => "report_slashed.NotProven",
            (true, None, true) if !is_news => "report_slashed.KnownLoss",
            (true, None, true) => {
                self.run.must("watcher", operation);
                self.flagged = Some((self.slot, self.run.state.epoch().later(2)));
                return;
            }
        };
        assert_eq!(self.run.refused("watcher", operation), expected);
    }

    fn take_out(&mut self) {
        let pod = self.pod();
        let free = pod.free.units();
        let amount = u128::from(self.below(u64::try_from(free).unwrap().max(1)));
        let release =
            ops::release_pod::ReleasePod { validator: pod.validator, amount: Some(Amount::new(amount)) };
        let release = Operation::ReleasePod(release);
        if self.flagged.is_some_and(|(_, due)| due > self.run.state.epoch()) {
            assert_eq!(self.run.refused("alice", release), "release_pod.Flagged");
        } else if amount == 0 {
            assert_eq!(self.run.refused("alice", release), "release_pod.NothingFree");
        } else {
            self.run.must("alice", release);
            let slashed = pod.slashed.units();
            (self.released, self.burned) = (self.released + amount, self.burned + slashed);
            self.balance -= amount + slashed;
        }
    }

    /// Something happens on the ledger. Whether it may is for others to test; that all stands afterwards is checked after each.
    fn act(&mut self) {
        let (operator, asset) = (OPERATOR, NATIVE);
        let operation = match self.below(8) {
            0 | 1 => {
                let free = u64::try_from(self.pod().free.units()).unwrap();
                let amount = u128::from(1 + self.below(free.max(1)));
                slashings::delegation(&self.run, NATIVE, amount)
            }
            2 => {
                let amount = self.chance(50).then(|| Amount::new(5 * u128::from(ETHER)));
                let (validator, follow_up) = (None, FollowUp::Free);
                Operation::Undelegate(ops::undelegate::Undelegate {
                    operator,
                    asset,
                    amount,
                    validator,
                    follow_up,
                })
            }
            3 => Operation::Release(ops::release::Release { account: None, operator, asset }),
            4 => {
                let fraction = Fraction::from_percent(1 + u8::try_from(self.below(30)).unwrap());
                let request = Operation::RequestSlash(ops::request_slash::RequestSlash {
                    set: SET,
                    operator,
                    capture: self.run.state.epoch(),
                    fraction,
                    reason: "a test".to_owned(),
                    victims: Vec::new(),
                });
                if self.run.run("service", request).is_ok() {
                    self.run.advance(1);
                    let request = RequestId::new(self.requests);
                    self.requests += 1;
                    let execute = ops::execute_slash::ExecuteSlash { request };
                    let _beyond_its_time = self.run.run("anyone", Operation::ExecuteSlash(execute)).is_ok();
                }
                return;
            }
            5 => return self.take_out(),
            6 => return self.run.advance(1),
            _ => {
                let validator = ValidatorId::new(0);
                Operation::DeclareStale(ops::declare_stale::DeclareStale { validator })
            }
        };
        let _refused_or_not = self.run.run("alice", operation).is_ok();
    }

    fn check(&self) {
        let (pod, sum) = (self.pod(), invariants::conservation(&self.run.state, NATIVE));
        let what = format!("seed {}, step {}", self.seed, self.steps);
        assert_eq!(pod.balance.units(), self.balance, "{what}");
        assert_eq!((pod.released.units(), pod.burned.units()), (self.released, self.burned), "{what}");
        assert_eq!(pod.flagged, self.flagged.map(|(slot, _)| slot), "{what}");
        assert_eq!(usize::try_from(pod.validators).unwrap(), self.known.len(), "{what}");
        let parts = sum.pooled.units() + sum.held.units() + pod.free.units() + pod.slashed.units();
        assert_eq!(parts, pod.balance.units(), "{what}");
        assert!(self.lost <= self.destroyed, "{what}: {} lost of {} destroyed", self.lost, self.destroyed);
    }
}

/// What happens on Ethereum.
fn place_of(seed: u64, steps: u64) -> u8 {
    fixtures::chance("happens", &[seed, steps])[0] % 17
}

/// However validators, contract, reporters and ledger take turns: the ledger counts what the model says, an honest report is taken, and of stake that is
/// liable never more is lost than Ethereum has destroyed.
#[test]
fn random_lives_of_a_pod_are_what_the_model_says() {
    for seed in 0..6 {
        let mut life = Life::new(seed);
        for _ in 0..60 {
            for _ in 0..life.below(4) {
                life.happen();
            }
            life.finalize();
            if life.chance(30) {
                life.flag();
            }
            if life.chance(80) {
                life.report();
            }
            life.check();
            for _ in 0..life.below(4) {
                life.act();
                life.check();
            }
            if life.chance(10) {
                life.run.state = life.run.restored();
            }
        }
    }
}
