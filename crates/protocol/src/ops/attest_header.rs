//! The ledger's own validators say that a block of Ethereum is final: the second source.

use evidence::Certificate;

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::quorum;
use crate::state::State;
use crate::units::{Address, Digest, Fraction, SetId};

record! {
    /// Brings the certificate of the set that runs nodes of Ethereum itself, over a finalized header.
    pub struct AttestHeader {
        /// The slot of the header.
        pub slot: u64,
        /// What a quorum has signed: the header's attestation.
        pub certificate: Certificate,
    }
}

refusals! {
    /// Why an attestation is refused.
    {
        NoSecondSource => "this ledger asks no second source about Ethereum",
        HeaderNotFound { slot: u64 } => "no finalized header of slot {slot} is remembered",
        Attested { slot: u64 } => "the header of slot {slot} is attested already",
        OtherMessage { signed: Digest, expected: Digest } => "the certificate is of {signed} and not of the header's attestation {expected}",
        OtherSet { set: SetId, expected: SetId } => "the certificate is of set {set}, and set {expected} attests",
        NotProven { refused: quorum::Refused } => "{refused}",
        NoQuorum { share: Fraction, quorum: Fraction } => "signers with {share} of the weight are less than the quorum {quorum}",
    }
}

impl AttestHeader {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let slot = self.slot;
        let config = state.genesis.ethereum.as_ref().and_then(|config| config.second.clone());
        let second = config.ok_or(Refused::NoSecondSource)?;
        let following = state.ethereum.as_ref().ok_or(Refused::NoSecondSource)?;
        let header = following.header(slot).ok_or(Refused::HeaderNotFound { slot })?;
        if following.headers.get(&slot).is_some_and(|opened| opened.is_attested) {
            return Err(Refused::Attested { slot });
        }
        let (signed, expected) =
            (Digest(self.certificate.message), Digest(header.attestation(&following.chain)));
        if signed != expected {
            return Err(Refused::OtherMessage { signed, expected });
        }
        let set = SetId::new(self.certificate.set);
        if set != second.set {
            return Err(Refused::OtherSet { set, expected: second.set });
        }
        let backing =
            state.check_certificate(&self.certificate).map_err(|refused| Refused::NotProven { refused })?;
        let (share, quorum) = (backing.share, second.quorum);
        if share < quorum {
            return Err(Refused::NoQuorum { share, quorum });
        }

        // From here on nothing can fail.
        let opened = state.ethereum.as_mut().and_then(|following| following.headers.get_mut(&slot));
        if let Some(opened) = opened {
            opened.is_attested = true;
        }
        events.push(Event::HeaderAttested { slot, share });
        Ok(())
    }
}
