//! Values as execution clients write them: quantities and bytes, both in hexadecimal.

use serde::{Deserialize, Deserializer};

/// A number of at most 64 bits: `0x` and hex digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quantity(pub(crate) u64);

/// Bytes: `0x` and two hex digits for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Data(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").filter(|digits| !digits.starts_with('+'));
        let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        number.map(Self).ok_or_else(|| serde::de::Error::custom("not 0x and up to 16 hex digits"))
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("not 0x and pairs of hex digits"))
    }
}

/// Bytes of a quantity of any size, big-endian, an odd digit in front allowed.
pub(crate) fn digits(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() <= 64)?;
    hex::decode(if digits.len() & 1 == 1 { format!("0{digits}") } else { digits.to_owned() }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_or_refused() {
        let quantity = |text: &str| serde_json::from_str::<Quantity>(&format!("{text:?}")).ok();
        assert_eq!(quantity("0x0"), Some(Quantity(0)));
        assert_eq!(quantity("0xffffffffffffffff"), Some(Quantity(u64::MAX)));
        for bad in ["", "0x", "10", "0x10000000000000000", "0x-1", "0x+1", "0xg"] {
            assert_eq!(quantity(bad), None, "{bad}");
        }
        let data = |text: &str| serde_json::from_str::<Data>(&format!("{text:?}")).ok().map(|data| data.0);
        assert_eq!((data("0x"), data("0x0aFf")), (Some(vec![]), Some(vec![10, 255])));
        assert_eq!((data("0x1"), data("0a"), data("0xzz")), (None, None, None));
        assert_eq!((digits("0x5"), digits("0x"), digits("5")), (Some(vec![5]), Some(vec![]), None));
    }
}
