//! From a password to a key, and a secret under it: what both kinds of key file have in common.
//!
//! Source: RFC 7914 (scrypt), RFC 8018 (PBKDF2), SP 800-38A (AES-128-CTR).

use aes::Aes128;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use pbkdf2::sha2::Sha256;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::KeystoreError;
use crate::secret::fill;

/// Bytes of a derived key: 16 to encrypt with, 16 to check with.
const DERIVED: usize = 32;
/// The most `n * r` of scrypt in a file: 1 GiB of memory.
const SCRYPT_BLOCKS_MAX: u64 = 1 << 23;
/// The most `n * r * p`: some ten seconds.
const SCRYPT_WORK_MAX: u64 = 1 << 25;
/// The most rounds of PBKDF2: some ten seconds.
const ROUNDS_MAX: u32 = 10_000_000;
/// The longest salt, in bytes.
const SALT_MAX: usize = 256;

/// How hard a password is to guess from a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// As other tools do it: 256 MiB and about a second for each guess.
    Standard,
    /// 4 MiB and a few milliseconds: for keys worth nothing, as those of demos and tests.
    Light,
}

/// How the password becomes a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kdf {
    Scrypt(Scrypt),
    Pbkdf2(Pbkdf2),
}

/// Parameters of scrypt, with the names of both file formats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scrypt {
    pub(crate) dklen: u32,
    pub(crate) n: u64,
    pub(crate) r: u32,
    pub(crate) p: u32,
    pub(crate) salt: String,
}

/// Parameters of PBKDF2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pbkdf2 {
    pub(crate) dklen: u32,
    pub(crate) c: u32,
    pub(crate) prf: String,
    pub(crate) salt: String,
}

/// A key that came out of a password.
pub(crate) struct Derived(Zeroizing<[u8; DERIVED]>);

impl Derived {
    /// What encrypts.
    fn cipher_key(&self) -> [u8; 16] {
        *self.0.first_chunk().expect("a derived key has 32 bytes")
    }

    /// What is hashed with the encrypted secret, to tell a wrong password.
    pub(crate) fn check_key(&self) -> &[u8; 16] {
        self.0.last_chunk().expect("a derived key has 32 bytes")
    }

    /// Encrypts, and decrypts: the two are the same.
    pub(crate) fn apply(&self, iv: &[u8; 16], bytes: &mut [u8]) {
        let key = Zeroizing::new(self.cipher_key());
        Ctr128BE::<Aes128>::new((&*key).into(), iv.into()).apply_keystream(bytes);
    }
}

impl Kdf {
    /// scrypt with a new salt.
    pub(crate) fn new(work: Work) -> Result<Self, KeystoreError> {
        let mut salt = [0; 32];
        fill(&mut salt)?;
        let n = match work {
            Work::Standard => 1 << 18,
            Work::Light => 1 << 12,
        };
        Ok(Self::Scrypt(Scrypt { dklen: 32, n, r: 8, p: 1, salt: hex::encode(salt) }))
    }

    /// The key of a password.
    ///
    /// A file may come from anybody, so it may not ask for more memory or time than a person would wait for.
    pub(crate) fn derive(&self, password: &[u8]) -> Result<Derived, KeystoreError> {
        let mut derived = Zeroizing::new([0; DERIVED]);
        match self {
            Self::Scrypt(scrypt) => {
                let parameters = scrypt.parameters()?;
                let salt = check_common(scrypt.dklen, &scrypt.salt)?;
                scrypt::scrypt(password, &salt, &parameters, derived.as_mut_slice())
                    .expect("scrypt gives 32 bytes");
            }
            Self::Pbkdf2(pbkdf2) => {
                if pbkdf2.prf != "hmac-sha256" {
                    return Err(unsupported("prf", &pbkdf2.prf, "hmac-sha256"));
                }
                if !(1..=ROUNDS_MAX).contains(&pbkdf2.c) {
                    return Err(unsupported("c", &pbkdf2.c.to_string(), "1 to 10000000"));
                }
                let salt = check_common(pbkdf2.dklen, &pbkdf2.salt)?;
                pbkdf2::pbkdf2_hmac::<Sha256>(password, &salt, pbkdf2.c, derived.as_mut_slice());
            }
        }
        Ok(Derived(derived))
    }
}

impl Scrypt {
    fn parameters(&self) -> Result<scrypt::Params, KeystoreError> {
        let blocks = self.n.saturating_mul(u64::from(self.r));
        let work = blocks.saturating_mul(u64::from(self.p));
        let found = || format!("n {}, r {}, p {}", self.n, self.r, self.p);
        let known = "n a power of two from 2, r and p from 1, n * r up to 2^23, n * r * p up to 2^25";
        let is_sound = self.n.is_power_of_two() && self.n >= 2 && self.r >= 1 && self.p >= 1;
        if !is_sound || blocks > SCRYPT_BLOCKS_MAX || work > SCRYPT_WORK_MAX {
            return Err(unsupported("scrypt with", &found(), known));
        }
        let exponent = u8::try_from(self.n.trailing_zeros()).unwrap_or(u8::MAX);
        scrypt::Params::new(exponent, self.r, self.p).map_err(|_| unsupported("scrypt with", &found(), known))
    }
}

fn check_common(dklen: u32, salt: &str) -> Result<Vec<u8>, KeystoreError> {
    if dklen != 32 {
        return Err(unsupported("dklen", &dklen.to_string(), "32"));
    }
    let salt = bytes("salt", salt)?;
    if salt.is_empty() || salt.len() > SALT_MAX {
        return Err(unsupported("a salt of bytes", &salt.len().to_string(), "1 to 256"));
    }
    Ok(salt)
}

/// The bytes of hex digits in a key file, with or without `0x`.
pub(crate) fn bytes(what: &'static str, text: &str) -> Result<Vec<u8>, KeystoreError> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|error| KeystoreError::Malformed {
        what: "the key file".to_owned(),
        why: format!("its {what} is not hex digits: {error}"),
    })
}

/// As many bytes as there must be.
pub(crate) fn sized<const LENGTH: usize>(
    what: &'static str,
    text: &str,
) -> Result<[u8; LENGTH], KeystoreError> {
    let bytes = bytes(what, text)?;
    <[u8; LENGTH]>::try_from(bytes.as_slice()).map_err(|_| KeystoreError::Malformed {
        what: "the key file".to_owned(),
        why: format!("its {what} has {} bytes instead of {LENGTH}", bytes.len()),
    })
}

pub(crate) fn unsupported(what: &'static str, found: &str, known: &'static str) -> KeystoreError {
    let file = "the key file".to_owned();
    KeystoreError::Unsupported { file, what, found: found.chars().take(80).collect(), known }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrypt(n: u64, r: u32, p: u32) -> Kdf {
        Kdf::Scrypt(Scrypt { dklen: 32, n, r, p, salt: "00".to_owned() })
    }

    #[test]
    fn a_file_can_not_ask_for_endless_work() {
        let pbkdf2 = |c: u32, prf: &str, dklen: u32, salt: &str| {
            Kdf::Pbkdf2(Pbkdf2 { dklen, c, prf: prf.to_owned(), salt: salt.to_owned() })
        };
        let long = "00".repeat(257);
        let cases = [
            (scrypt(3, 8, 1), "n 3"),
            (scrypt(0, 8, 1), "n 0"),
            (scrypt(1, 8, 1), "n 1"),
            (scrypt(16, 0, 1), "r 0"),
            (scrypt(16, 8, 0), "p 0"),
            (scrypt(1 << 21, 8, 1), "n 2097152"),
            (scrypt(1 << 20, 8, 5), "p 5"),
            (scrypt(1 << 63, u32::MAX, u32::MAX), "n 9223372036854775808"),
            (pbkdf2(0, "hmac-sha256", 32, "00"), "c 0"),
            (pbkdf2(10_000_001, "hmac-sha256", 32, "00"), "c 10000001"),
            (pbkdf2(1, "hmac-sha1", 32, "00"), "prf hmac-sha1"),
            (pbkdf2(1, "hmac-sha256", 64, "00"), "dklen 64"),
            (pbkdf2(1, "hmac-sha256", 32, ""), "bytes 0"),
            (pbkdf2(1, "hmac-sha256", 32, &long), "bytes 257"),
            (pbkdf2(1, "hmac-sha256", 32, "zz"), "salt is not hex"),
        ];
        for (kdf, expected) in cases {
            let text = kdf.derive(b"password").map(|_| ()).unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
        }
    }

    /// RFC 7914, 11: "passwd" and "salt", one round. scrypt is checked by the examples of the file formats.
    #[test]
    fn pbkdf2_gives_what_rfc_7914_says() {
        let kdf =
            Kdf::Pbkdf2(Pbkdf2 { dklen: 32, c: 1, prf: "hmac-sha256".to_owned(), salt: hex::encode("salt") });
        let derived = kdf.derive(b"passwd").unwrap();
        assert_eq!(
            hex::encode(derived.0.as_slice()),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        );
    }
}
