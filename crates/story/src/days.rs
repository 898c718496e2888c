//! Who asks for what in which epoch, for thirty epochs.

mod opening;
pub(crate) mod vaults;
mod weeks;

use evidence::{Equivocation, Proof, Signed, Statement};
use protocol::ops;
use protocol::units::{Amount, AssetId, Digest, Epoch, OperatorId, SetId, ValidatorId};
use protocol::{Authority, FollowUp, Operation, Signer};

use crate::people::address;
use crate::world::{OPERATORS, bound, duty_key, id_of, mandate};

pub(crate) use opening::VALIDATORS;

/// The epoch in which the story has arrived at the present: it lives on from here.
pub const PRESENT: u32 = 30;

/// Somebody asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// In which epoch.
    pub epoch: u32,
    /// For which account, by its name in [`crate::people`].
    pub account: &'static str,
    /// Who acts for it under a grant, if it does not act itself.
    pub delegate: Option<&'static str>,
    /// What it asks for.
    pub operation: Operation,
    /// What that is, in a few words.
    pub note: &'static str,
}

impl Step {
    /// The same by a plainly named sender, as only a development ledger accepts it.
    pub fn plain_authority(&self) -> Authority {
        let signer = match self.delegate {
            None => Signer::Plain,
            Some(delegate) => Signer::Delegate { address: address(delegate), keys: Vec::new() },
        };
        Authority { account: address(self.account), signer, expires: u64::MAX }
    }
}

/// The story, by epoch, from 0 to [`PRESENT`]. What operators sign on duty names the ledger: `ledger` is that of the genesis.
pub fn steps(ledger: &Digest) -> Vec<Step> {
    let mut days = Days { ledger: *ledger, epoch: 0, steps: Vec::new() };
    opening::tell(&mut days);
    weeks::tell(&mut days);
    let mut beside = Days { ledger: *ledger, epoch: 0, steps: Vec::new() };
    vaults::tell(&mut beside);
    days.steps.extend(beside.steps);
    // Within an epoch the vaults come last: whatever slashes their stake was before.
    days.steps.sort_by_key(|step| step.epoch);
    days.steps
}

/// The story while it is told.
pub(crate) struct Days {
    ledger: Digest,
    epoch: u32,
    steps: Vec<Step>,
}

impl Days {
    /// Goes to an epoch that is not past.
    fn go_to(&mut self, epoch: u32) {
        assert!(epoch >= self.epoch, "the story goes on, not back");
        self.epoch = epoch;
    }

    fn ask(&mut self, account: &'static str, note: &'static str, operation: Operation) {
        self.steps.push(Step { epoch: self.epoch, account, delegate: None, operation, note });
    }

    fn ask_for(
        &mut self,
        account: &'static str,
        delegate: &'static str,
        note: &'static str,
        operation: Operation,
    ) {
        let delegate = Some(delegate);
        self.steps.push(Step { epoch: self.epoch, account, delegate, operation, note });
    }

    fn register_key(&mut self, operator: &'static str, set: SetId) {
        let key = duty_key(operator, set).secret();
        let id = id_of(OPERATORS, operator).number();
        let possession = key.prove_possession(&self.ledger.0, set.number(), id);
        let register = ops::register_key::RegisterKey { set, key: key.public_key(), possession };
        self.ask(operator, "registers its key for duty", Operation::RegisterKey(register));
    }

    /// Two different statements of an operator for one slot, signed with its key in the set.
    fn contradiction(&self, operator: &str, set: SetId, epoch: u32, slot: u64) -> Equivocation {
        let key = duty_key(operator, set).secret();
        let kind = 1;
        let sign = |content: [u8; 32]| {
            let (ledger, set) = (self.ledger.0, set.number());
            let statement = Statement { ledger, set, epoch, kind, slot, content };
            Signed { content, signature: key.sign(&statement.signing_bytes()) }
        };
        let (first, second) = (sign([0x11; 32]), sign([0x22; 32]));
        Equivocation { key: key.public_key(), set: set.number(), epoch, kind, slot, first, second }
    }
}

pub(crate) fn deposit(asset: AssetId, amount: Amount) -> Operation {
    let (account, index, proof) = (None, None, Proof::Development);
    Operation::Deposit(ops::deposit::Deposit { account, asset, amount, index, proof })
}

pub(crate) fn delegate(operator: OperatorId, asset: AssetId, amount: Amount) -> Operation {
    delegate_validator(operator, asset, amount, None)
}

pub(crate) fn delegate_validator(
    operator: OperatorId,
    asset: AssetId,
    amount: Amount,
    validator: Option<ValidatorId>,
) -> Operation {
    let mandate = mandate().digest(operator, asset, None);
    let worst_case = bound();
    Operation::Delegate(ops::delegate::Delegate { operator, asset, amount, validator, mandate, worst_case })
}

pub(crate) fn undelegate(
    operator: OperatorId,
    asset: AssetId,
    amount: Option<Amount>,
    follow_up: FollowUp,
) -> Operation {
    let validator = None;
    Operation::Undelegate(ops::undelegate::Undelegate { operator, asset, amount, validator, follow_up })
}

pub(crate) fn claim(operator: OperatorId) -> Operation {
    let (account, asset, token, to) = (None, None, None, None);
    Operation::Claim(ops::claim::Claim { account, operator: Some(operator), asset, token, to })
}

pub(crate) fn claim_settled() -> Operation {
    let (account, operator, asset, token, to) = (None, None, None, None, None);
    Operation::Claim(ops::claim::Claim { account, operator, asset, token, to })
}

pub(crate) fn release(account: &str, operator: OperatorId, asset: AssetId) -> Operation {
    let account = Some(address(account));
    Operation::Release(ops::release::Release { account, operator, asset })
}

pub(crate) fn stream(set: SetId, token: AssetId, per_epoch: Amount, epochs: u32) -> Operation {
    Operation::OpenStream(ops::open_stream::OpenStream { set, token, per_epoch, epochs })
}

pub(crate) fn pay_work(
    set: SetId,
    token: AssetId,
    epoch: u32,
    payments: &[(OperatorId, Amount)],
) -> Operation {
    let payment = |(operator, amount): &(OperatorId, Amount)| ops::pay_work::Payment {
        operator: *operator,
        amount: *amount,
    };
    let payments = payments.iter().map(payment).collect();
    Operation::PayWork(ops::pay_work::PayWork { set, token, epoch: Epoch::new(epoch), payments })
}

pub(crate) fn report_rate(asset: AssetId, rate: Amount) -> Operation {
    Operation::ReportRate(ops::report_rate::ReportRate { asset, rate, proof: Proof::Development })
}

pub(crate) fn report_validator(account: &str, validator: u64, balance: Amount) -> Operation {
    let (asset, proof) = (crate::world::BEACON, Proof::Development);
    let account = Some(address(account));
    Operation::ReportValidator(ops::report_validator::ReportValidator {
        asset,
        validator,
        account,
        balance,
        proof,
    })
}
