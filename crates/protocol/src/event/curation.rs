//! Why stake of a vault moved.

use crate::macros::record;

record! {
    /// Why a vault delegated, or asked stake back.
    #[derive(Copy)]
    pub enum MoveReason {
        /// Asked back for who waits to leave.
        Exits,
        /// Asked back: the operator has retired, or promises more than the vault's mandate allows.
        Mandate,
        /// Asked back: a cap was exceeded.
        Cap,
        /// Asked back: it was beyond its band.
        Band,
        /// Delegated: it had less than its band's target.
        Deficit,
        /// The curator planned it.
        Plan,
    }
}
