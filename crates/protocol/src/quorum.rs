//! Certificates of a set checked against its stake tables.

use evidence::{Certificate, CertificateRefused, PublicKey, Scheme, verify_certificate};

use crate::macros::refusals;
use crate::state::State;
use crate::units::{Amount, Epoch, Fraction, OperatorId, SetId};

refusals! {
    /// Why a certificate proves nothing.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        EpochInFuture { epoch: Epoch, now: Epoch } => "epoch {epoch} is later than the present, {now}",
        Expired { epoch: Epoch, last: Epoch } => "a certificate of epoch {epoch} was valid until epoch {last}: later nobody can be punished for it",
        NoTable { epoch: Epoch } => "there is no stake table of epoch {epoch}",
        SignatureRefused { refused: CertificateRefused } => "{refused}",
    }
}

/// Who stands behind a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backing {
    /// The operators that signed.
    pub signers: Vec<OperatorId>,
    /// Their weight.
    pub weight: Amount,
    /// Their share of the table's weight.
    pub share: Fraction,
}

impl State {
    /// The BLS12-381 keys of a table, by operator: the order in which the bitmap of a certificate counts. Operators without such a key
    /// have no place in it.
    pub fn certificate_keys(&self, set: SetId, epoch: Epoch) -> Vec<(OperatorId, PublicKey)> {
        let Some(record) = self.set(set) else { return Vec::new() };
        let Some(table) = record.table_of(epoch) else { return Vec::new() };
        let key =
            |operator: OperatorId| record.members.get(&operator)?.key_in(Scheme::Bls12381, epoch).cloned();
        table.rows.iter().filter_map(|row| Some((row.operator, key(row.operator)?))).collect()
    }

    /// Checks an aggregate signature and bitmap against the stake table of its epoch.
    ///
    /// # Errors
    /// The first refusal of the list that holds.
    pub fn check_certificate(&self, certificate: &Certificate) -> Result<Backing, Refused> {
        let (set, epoch) = (SetId::new(certificate.set), Epoch::new(certificate.epoch));
        let record = self.set(set).ok_or(Refused::SetNotFound { set })?;
        let now = self.epoch;
        if epoch > now {
            return Err(Refused::EpochInFuture { epoch, now });
        }
        let last = epoch.later(self.parameters.at(epoch).slash_window);
        if now > last {
            return Err(Refused::Expired { epoch, last });
        }
        let table = record.table_of(epoch).ok_or(Refused::NoTable { epoch })?;
        let rows = self.certificate_keys(set, epoch);
        let keys: Vec<PublicKey> = rows.iter().map(|(_, key)| key.clone()).collect();
        let verified = verify_certificate(certificate, &self.genesis.ledger.0, &keys)
            .map_err(|refused| Refused::SignatureRefused { refused })?;
        let signers: Vec<OperatorId> =
            verified.signers().filter_map(|index| rows.get(index)).map(|(operator, _)| *operator).collect();
        let mut weight = Amount::ZERO;
        for row in signers.iter().filter_map(|operator| table.row(*operator)) {
            weight.grow(row.weight);
        }
        Ok(Backing { signers, weight, share: Fraction::ratio_down(weight, table.weight) })
    }
}
