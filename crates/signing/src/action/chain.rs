//! What is told of Ethereum. Proofs speak for themselves, so a sentence says what they are about.

use protocol::ops::attest_header::AttestHeader;
use protocol::ops::begin_chain::BeginChain;
use protocol::ops::govern_chain::GovernChain;
use protocol::ops::open_block::OpenBlock;
use protocol::ops::release_pod::ReleasePod;
use protocol::ops::report_contradiction::ReportContradiction;
use protocol::ops::report_pod::ReportPod;
use protocol::ops::report_slashed::ReportSlashed;
use protocol::ops::submit_false_event::SubmitFalseEvent;
use protocol::ops::take_deposits::TakeDeposits;
use protocol::ops::update_chain::UpdateChain;

use super::words::{list, quoted, whose};

pub(super) fn begin_chain(op: &BeginChain) -> String {
    format!("Begin to follow Ethereum at slot {}", op.bootstrap.header.slot)
}

pub(super) fn update_chain(op: &UpdateChain) -> String {
    let update = &op.update;
    let next = if update.next.is_some() { ", and which sync committee comes next" } else { "" };
    format!("Tell that slot {} of Ethereum is final{next}", update.finalized.slot)
}

pub(super) fn open_block(op: &OpenBlock) -> String {
    format!("Show the execution block that the finalized slot {} of Ethereum names", op.slot)
}

pub(super) fn attest_header(op: &AttestHeader) -> String {
    format!("Bring the certificate of set {} that slot {} of Ethereum is final", op.certificate.set, op.slot)
}

pub(super) fn report_contradiction(op: &ReportContradiction) -> String {
    let slot = op.update.finalized.slot;
    format!(
        "Prove that a sync committee of Ethereum contradicts itself about slot {slot}, and stop what enters and leaves"
    )
}

pub(super) fn govern_chain(op: &GovernChain) -> String {
    let GovernChain { schedule, trusted, resume } = op;
    let mut changes = Vec::new();
    if let Some(schedule) = schedule {
        let forks = schedule.forks().iter().map(|fork| {
            format!(
                "{} from epoch {} with version 0x{}",
                quoted(&fork.name),
                fork.epoch,
                hex::encode(fork.version)
            )
        });
        let until = schedule.until().map(|until| format!(", known until epoch {until}")).unwrap_or_default();
        changes.push(format!("forks {}{until}", list(forks)));
    }
    changes.extend(trusted.map(|root| format!("begin again at the block {root}")));
    if *resume {
        changes.push("go on as it was accepted".to_owned());
    }
    format!("Govern how Ethereum is followed: {}", changes.join("; "))
}

pub(super) fn report_pod(op: &ReportPod) -> String {
    let count = op.validators.validators.as_slice().len();
    format!(
        "Report the pod of {} with {count} validators, of native asset {}, as slot {} of Ethereum shows it",
        whose(op.account),
        op.asset,
        op.slot
    )
}

pub(super) fn report_slashed(op: &ReportSlashed) -> String {
    format!(
        "Prove that Ethereum has slashed a validator of the pod of {}, of native asset {}, as slot {} shows",
        whose(op.account),
        op.asset,
        op.slot
    )
}

pub(super) fn release_pod(op: &ReleasePod) -> String {
    let amount = op.amount.map_or("all that is free".to_owned(), |amount| format!("{amount} base units"));
    format!("Let the contract of pod {} pay {amount} to its owner, and burn what was slashed", op.validator)
}

pub(super) fn take_deposits(op: &TakeDeposits) -> String {
    let deposits = op.deposits.iter().map(|deposit| {
        let hex = |address: &[u8; 20]| format!("0x{}", hex::encode(address));
        format!("{} from {} for {}", deposit.amount, hex(&deposit.from), hex(&deposit.account))
    });
    format!(
        "Credit the next deposits of asset {}, as slot {} of Ethereum shows them: {}",
        op.asset,
        op.slot,
        list(deposits)
    )
}

pub(super) fn submit_false_event(op: &SubmitFalseEvent) -> String {
    let evidence = &op.evidence;
    format!(
        "Prove that key {} stated something false in slot {} of kind {} in epoch {} of set {}, about log {} of transaction {} of block {} \
         of Ethereum, which it stated to be 0x{}, as slot {} shows, and slash its operator",
        evidence.key,
        evidence.slot,
        evidence.kind,
        evidence.epoch,
        evidence.set,
        evidence.claim.log,
        evidence.claim.transaction,
        evidence.claim.number,
        hex::encode(evidence.claim.event),
        op.slot
    )
}
