//! How values are written for people and programs: as the interfaces of Ethereum do.

use serde::Serializer;

/// A number as decimal text.
///
/// # Errors
/// What the serializer says.
pub(crate) fn decimal<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// Bytes as 0x and hex digits.
///
/// # Errors
/// What the serializer says.
pub(crate) fn bytes<const N: usize, S: Serializer>(
    bytes: &[u8; N],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("0x{}", hex::encode(bytes)))
}
