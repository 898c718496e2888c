//! Operations in plain words.
use protocol::Operation;
use protocol::ops::pay_work::Payment;

/// What an operation does, in words.
pub fn action(operation: &Operation) -> String {
    operation.kind().to_string()
}

pub(crate) fn total(payments: &[Payment]) -> Option<u128> {
    payments.iter().try_fold(0_u128, |sum, payment| sum.checked_add(payment.amount.units()))
}
