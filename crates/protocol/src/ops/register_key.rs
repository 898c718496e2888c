//! An operator registers, or rotates, a key in a set.

use evidence::{PublicKey, Scheme, Signature, SignatureError, verify_possession};

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::MemberKey;
use crate::units::{Address, Epoch, OperatorId, SetId};

record! {
    /// Registers a key of the operator in a set. It counts from the next epoch on and replaces the one of its scheme.
    pub struct RegisterKey {
        /// The set.
        pub set: SetId,
        /// The key.
        pub key: PublicKey,
        /// The proof of possession over ledger, set and operator.
        pub possession: Signature,
    }
}

refusals! {
    /// Why a key is refused.
    {
        NotAnOperator => "the sender is not an operator",
        NotAMember { set: SetId } => "the operator is not in set {set}",
        KeyTaken { set: SetId, operator: OperatorId } => "the key belongs to operator {operator} of set {set} for ever",
        Negation { set: SetId, operator: OperatorId } => "the key cancels out a key of operator {operator} of set {set} in every aggregate",
        RotationHeld { until: Epoch } => "the key before has not counted yet or stays punishable; the next rotation is possible in epoch {until}",
        NotPossessed { refused: SignatureError } => "the proof of possession fails: {refused}",
    }
}

impl RegisterKey {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let set = self.set;
        let now = state.epoch;
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        let member = state.set(set).and_then(|record| record.active_member(operator));
        let member = member.ok_or(Refused::NotAMember { set })?;
        if let Some((set, operator)) = state.key_owner(&self.key) {
            return Err(Refused::KeyTaken { set, operator });
        }
        if let Some((set, operator)) = negation(&self.key).and_then(|key| state.key_owner(&key)) {
            return Err(Refused::Negation { set, operator });
        }
        let scheme = self.key.scheme();
        let is_retired = |key: &&MemberKey| key.key.scheme() == scheme && key.to != Epoch::NEVER;
        let punishable = member.keys.iter().filter(is_retired).map(|key| state.last_execution(key.to).next());
        let fresh =
            member.keys.iter().filter(|key| key.key.scheme() == scheme && key.from > now).map(|key| key.from);
        let held = punishable.chain(fresh).max();
        if let Some(until) = held.filter(|until| *until > now) {
            return Err(Refused::RotationHeld { until });
        }
        let ledger = &state.genesis.ledger.0;
        verify_possession(&self.key, ledger, set.number(), operator.number(), &self.possession)
            .map_err(|refused| Refused::NotPossessed { refused })?;

        // From here on nothing can fail.
        let from = now.next();
        state.own_key(&self.key, set, operator);
        if let Some(member) = state.set_mut(set).members.get_mut(&operator) {
            for key in
                member.keys.iter_mut().filter(|key| key.key.scheme() == scheme && key.to == Epoch::NEVER)
            {
                key.to = now;
            }
            member.keys.push(MemberKey { key: self.key.clone(), from, to: Epoch::NEVER });
        }
        events.push(Event::KeyRegistered { set, operator, key: self.key.clone(), from });
        Ok(())
    }
}

/// The point with the other sign: 0x20 is the sign bit of a compressed BLS12-381 point.
fn negation(key: &PublicKey) -> Option<PublicKey> {
    if key.scheme() != Scheme::Bls12381 {
        return None;
    }
    let mut bytes = key.as_bytes().to_vec();
    *bytes.first_mut()? ^= 0x20;
    PublicKey::new(Scheme::Bls12381, &bytes).ok()
}
