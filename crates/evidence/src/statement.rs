//! What a registered key says on duty, and for which it can be held to account.

use serde::{Deserialize, Serialize};

use crate::{encoding::hash, signature::Signature};

const TAG: &[u8] = b"surety/statement/v1";

/// One statement of one key: "in slot `slot` of duty `kind`, in epoch `epoch` of set `set`, I say `content`".
///
/// A key makes at most one statement per ledger, set, epoch, kind and slot. All five are signed: a statement that
/// does not name them in the set's own domain is evidence of nothing, and one made for a set can't be used in another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Identity of the ledger, the hash of its genesis.
    #[serde(with = "hash")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{64}$")))]
    pub ledger: [u8; 32],
    /// The operator set on whose duty the key is.
    pub set: u32,
    /// The epoch of the duty: the capture epoch, if this becomes an offence.
    pub epoch: u32,
    /// The kind of duty, numbered by the set's terms.
    pub kind: u16,
    /// The place within the kind (a height, a round, a request), numbered by the service.
    pub slot: u64,
    /// Hash of what is said.
    #[serde(with = "hash")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{64}$")))]
    pub content: [u8; 32],
}

impl Statement {
    /// The 101 bytes that are signed. Integers are big-endian.
    ///
    /// | Offset | Bytes | Field |
    /// |---|---|---|
    /// | 0 | 19 | `surety/statement/v1` |
    /// | 19 | 32 | ledger |
    /// | 51 | 4 | set |
    /// | 55 | 4 | epoch |
    /// | 59 | 2 | kind |
    /// | 61 | 8 | slot |
    /// | 69 | 32 | content |
    pub fn signing_bytes(&self) -> Vec<u8> {
        [
            TAG,
            &self.ledger,
            &self.set.to_be_bytes(),
            &self.epoch.to_be_bytes(),
            &self.kind.to_be_bytes(),
            &self.slot.to_be_bytes(),
            &self.content,
        ]
        .concat()
    }
}

/// The content of a statement and the signature of the whole statement. The rest is said by what contains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Hash of what is said.
    #[serde(with = "hash")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{64}$")))]
    pub content: [u8; 32],
    /// Signature of [`Statement::signing_bytes`].
    pub signature: Signature,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        Statement {
            ledger: [0xaa; 32],
            set: 0x0102_0304,
            epoch: 0x0506_0708,
            kind: 0x090a,
            slot: 0x0b0c_0d0e_0f10_1112,
            content: [0xbb; 32],
        }
    }

    #[test]
    fn the_signing_bytes_are_frozen() {
        assert_eq!(
            hex::encode(statement().signing_bytes()),
            [
                "7375726574792f73746174656d656e742f7631",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "01020304",
                "05060708",
                "090a",
                "0b0c0d0e0f101112",
                "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
            ]
            .concat()
        );
        assert_eq!(statement().signing_bytes().len(), 101);
    }

    #[test]
    fn the_json_is_frozen() {
        let json = format!(
            r#"{{"ledger":"0x{}","set":16909060,"epoch":84281096,"kind":2314,"slot":796025588171149586,"content":"0x{}"}}"#,
            "aa".repeat(32),
            "bb".repeat(32)
        );
        assert_eq!(serde_json::to_string(&statement()).unwrap(), json);
        assert_eq!(serde_json::from_str::<Statement>(&json).unwrap(), statement());
        let extended = json.replacen("\"set\"", "\"note\":1,\"set\"", 1);
        assert!(serde_json::from_str::<Statement>(&extended).unwrap_err().to_string().contains("note"));
        let missing = json.replacen(r#""set":16909060,"#, "", 1);
        assert!(serde_json::from_str::<Statement>(&missing).unwrap_err().to_string().contains("set"));
    }
}
