//! Operators on duty: keys, jail, performance.

use evidence::Scheme;
use protocol::ops::jail::Jail;
use protocol::ops::register_key::RegisterKey;
use protocol::ops::report_performance::ReportPerformance;
use protocol::ops::unjail::Unjail;
use protocol::units::{Address, Epoch, Fraction, OperatorId, SetId};

use super::{Model, Verdict, ensure, exact};

impl Model {
    pub(crate) fn jail(&mut self, op: &Jail, sender: Address) -> Verdict {
        let now = self.epoch;
        let set = self.own_set(op.set, sender)?;
        let member = set.active_member(op.operator).ok_or("NotAMember")?;
        ensure!(member.jailed.is_none(), "AlreadyJailed");
        ensure!(set.is_on_duty(op.operator, now), "NotOnDuty");
        let rules = self.rules();
        let since = now.next().earlier(rules.slash_window + rules.veto + rules.execution);
        let recent =
            set.jailings.iter().filter(|(epoch, operator, _)| *epoch >= since && *operator != op.operator);
        let jailed = exact::sum_up_to_one(recent.map(|(_, _, share)| *share));
        let share = set.tables.get(&now).map_or(Fraction::ZERO, |table| table.share(op.operator));
        let third = (Fraction::STEPS - 1) / 3;
        ensure!(exact::sum_up_to_one([share, jailed].into_iter()).steps() <= third, "TooMuchWeight");
        self.put_in_jail(op.set, op.operator);
        self.set_mut(op.set).jailings.push((now, op.operator, share));
        Ok(())
    }

    /// Off the table from the next epoch on, until the operator returns after the period.
    pub(crate) fn put_in_jail(&mut self, set: SetId, operator: OperatorId) {
        let now = self.epoch;
        let record = self.set_mut(set);
        let until = now.next().later(record.terms_in(now).jail.period);
        let weight =
            record.tables.get(&now).and_then(|table| table.row(operator)).map_or(0, |row| row.weight);
        if let Some(member) = record.members.get_mut(&operator)
            && member.jailed.replace(until).is_none()
        {
            record.leaving = (record.leaving.0 + weight, record.leaving.1 + weight);
        }
    }

    pub(crate) fn unjail(&mut self, op: &Unjail, sender: Address) -> Verdict {
        let operator = self.operator_of(sender).ok_or("NotAnOperator")?;
        let member = self.set(op.set).and_then(|set| set.active_member(operator)).ok_or("NotAMember")?;
        ensure!(member.jailed.ok_or("NotJailed")? <= self.epoch, "TooEarly");
        if let Some(member) = self.set_mut(op.set).members.get_mut(&operator) {
            member.jailed = None;
        }
        Ok(())
    }

    pub(crate) fn report_performance(&mut self, op: &ReportPerformance, sender: Address) -> Verdict {
        let set = self.own_set(op.set, sender)?;
        ensure!(set.is_on_duty(op.operator, self.epoch), "NotOnDuty");
        self.set_mut(op.set).performance.insert(op.operator, op.factor);
        Ok(())
    }

    /// The workload registers no BLS12-381 keys, which have a refusal of their own.
    pub(crate) fn register_key(&mut self, op: &RegisterKey, sender: Address) -> Verdict {
        let now = self.epoch;
        let operator = self.operator_of(sender).ok_or("NotAnOperator")?;
        let member = self.set(op.set).and_then(|set| set.active_member(operator)).ok_or("NotAMember")?;
        ensure!(!self.keys.contains_key(&op.key), "KeyTaken");
        let scheme: Scheme = op.key.scheme();
        let own = member.keys.iter().filter(|(key, ..)| key.scheme() == scheme);
        // A key that does not count yet, and one that is still punishable, hold the next rotation.
        let held = own.map(|(_, from, to)| match *to {
            Epoch::NEVER => *from,
            to => self.last_execution(to).next().max(*from),
        });
        ensure!(held.max().is_none_or(|until| until <= now), "RotationHeld");
        let ledger = &self.genesis.ledger.0;
        let proof =
            evidence::verify_possession(&op.key, ledger, op.set.number(), operator.number(), &op.possession);
        ensure!(proof.is_ok(), "NotPossessed");
        self.keys.insert(op.key.clone(), (op.set, operator));
        if let Some(member) = self.set_mut(op.set).members.get_mut(&operator) {
            let current = |(key, _, to): &&mut (evidence::PublicKey, Epoch, Epoch)| {
                key.scheme() == scheme && *to == Epoch::NEVER
            };
            for (_, _, to) in member.keys.iter_mut().filter(current) {
                *to = now;
            }
            member.keys.push((op.key.clone(), now.next(), Epoch::NEVER));
        }
        Ok(())
    }
}
