//! Passwords: a type that no message shows and that is wiped when it is dropped.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::KeystoreError;

/// The fewest characters of a password that a key is encrypted with. Files from elsewhere are opened with any.
pub const PASSWORD_CHARACTERS_MIN: usize = 8;

/// A password.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Takes a new password that was asked for twice.
    ///
    /// # Errors
    /// 1. [`KeystoreError::PasswordsDiffer`]
    /// 2. [`KeystoreError::PasswordTooShort`]
    pub fn confirmed(first: String, second: String) -> Result<Self, KeystoreError> {
        let (first, second) = (Self::new(first), Self::new(second));
        if first.0 != second.0 {
            return Err(KeystoreError::PasswordsDiffer);
        }
        first.check_length()?;
        Ok(first)
    }

    /// Whether a key may be encrypted with it.
    pub(crate) fn check_length(&self) -> Result<(), KeystoreError> {
        let characters = self.0.chars().count();
        if characters < PASSWORD_CHARACTERS_MIN {
            return Err(KeystoreError::PasswordTooShort { characters });
        }
        Ok(())
    }

    /// As Web3 secret storage takes it: the bytes of the text.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// As EIP-2335 takes it: in normal form KD, without control characters (C0, C1 and Delete).
    pub(crate) fn normalised(&self) -> Zeroizing<Vec<u8>> {
        // Room for the largest that can come out, so that no part is left behind in memory that was given back.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.0.len().saturating_mul(MOST_TIMES)));
        let mut buffer = [0; 4];
        for character in self.0.nfkd().filter(|character| !character.is_control()) {
            bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
        }
        buffer.zeroize();
        bytes
    }
}

/// By how much normal form KD lengthens a text at most, in UTF-8.
const MOST_TIMES: usize = 11;

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_normalised_as_eip_2335_says() {
        let cases = [
            ("𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑", "testpassword🔑"),
            ("te\u{0}st\u{1f}pass\u{7f}wo\u{80}rd\u{9f}", "testpassword"),
            ("Å", "A\u{30a}"),
            ("ﷺ", "صلى الله عليه وسلم"),
            (" spaces stay ", " spaces stay "),
        ];
        for (text, expected) in cases {
            assert_eq!(*Password::new(text.to_owned()).normalised(), expected.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn a_new_password_is_typed_twice_and_long_enough() {
        let confirm = |first: &str, second: &str| {
            Password::confirmed(first.to_owned(), second.to_owned()).map(|_| ()).map_err(|e| e.to_string())
        };
        assert_eq!(confirm("long enough", "long enough"), Ok(()));
        assert_eq!(confirm("12345678", "12345678"), Ok(()));
        assert!(confirm("1234567", "1234567").unwrap_err().contains("7 characters"));
        assert!(confirm("ááááááá", "ááááááá").unwrap_err().contains("7 characters"));
        // Two at once: the earlier check speaks.
        assert!(confirm("short", "shore").unwrap_err().contains("differ"));
    }

    #[test]
    fn a_password_is_not_shown() {
        let password = Password::new("hunter2hunter2".to_owned());
        assert!(!format!("{password:?}").contains("hunter2"));
    }
}
