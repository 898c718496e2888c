//! Changing one byte at a time.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Whether all changes are tried, not only a sample: set `SURETY_EXHAUSTIVE`.
pub(crate) fn is_exhaustive() -> bool {
    std::env::var_os("SURETY_EXHAUSTIVE").is_some()
}

/// Changes each byte of the compact form of `value`, or one in `step` of them, and expects that what is read back is refused.
///
/// # Panics
/// At the first change that is not.
pub(crate) fn refuses_changes<T: Serialize + DeserializeOwned + PartialEq>(
    name: &str,
    value: &T,
    step: usize,
    is_refused: impl Fn(&T) -> bool,
) {
    let bytes = postcard::to_stdvec(value).unwrap();
    assert!(!is_refused(value), "{name} is refused as it is");
    let step = if is_exhaustive() { 1 } else { step };
    let mut tried = 0;
    for place in (0..bytes.len()).step_by(step) {
        for change in [0x01, 0x80] {
            let mut changed = bytes.clone();
            changed[place] ^= change;
            let Ok((read, rest)) = postcard::take_from_bytes::<T>(&changed) else { continue };
            // The same value in a longer form is for whoever decodes operations to refuse.
            if &read == value || !rest.is_empty() {
                continue;
            }
            assert!(is_refused(&read), "{name}: byte {place} changed by {change:#x}");
            tried += 1;
        }
    }
    assert!(tried > bytes.len() / step, "{name}: {tried} changes of {} bytes were tried", bytes.len());
}
