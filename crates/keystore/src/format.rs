//! The two kinds of key file: Web3 secret storage, version 3, and EIP-2335, version 4.
//!
//! Source: <https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage>, EIP-2335.

use evidence::{PublicKey, Scheme, address_of};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use sha3::Keccak256;
use zeroize::Zeroizing;

use crate::crypt::{Derived, Kdf, Work, bytes, sized, unsupported};
use crate::error::KeystoreError;
use crate::folder::Role;
use crate::password::Password;
use crate::secret::{Secret, fill};

const CIPHER: &str = "aes-128-ctr";

/// A key file that was read: everything but the secret.
#[derive(Clone, Debug)]
pub(crate) struct KeyFile {
    pub(crate) scheme: Scheme,
    /// What the file says its public key is, if it says anything.
    pub(crate) claim: Claim,
    /// What is ours in the file.
    pub(crate) ours: Option<Ours>,
    container: Container,
    kdf: Kdf,
    iv: [u8; 16],
    ciphertext: [u8; 32],
    check: [u8; 32],
}

/// What a file says about its public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    Nothing,
    Address([u8; 20]),
    Key(PublicKey),
}

/// The field `surety` of a key file: what we know of the key beyond what the formats say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ours {
    pub(crate) role: Role,
    pub(crate) public_key: PublicKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Web3,
    Eip2335,
}

impl Container {
    fn of(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Secp256k1 => Self::Web3,
            Scheme::Bls12381 | Scheme::Ed25519 => Self::Eip2335,
        }
    }

    /// The password as the format takes it.
    fn password(self, password: &Password) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Web3 => Zeroizing::new(password.bytes().to_vec()),
            Self::Eip2335 => password.normalised(),
        }
    }

    /// What tells a wrong password.
    fn check(self, derived: &Derived, ciphertext: &[u8]) -> [u8; 32] {
        fn hash<Hash: sha2::Digest>(derived: &Derived, ciphertext: &[u8]) -> sha2::digest::Output<Hash> {
            Hash::new().chain_update(derived.check_key()).chain_update(ciphertext).finalize()
        }
        match self {
            Self::Web3 => hash::<Keccak256>(derived, ciphertext).into(),
            Self::Eip2335 => hash::<Sha256>(derived, ciphertext).into(),
        }
    }
}

impl KeyFile {
    /// Reads a key file of either kind.
    pub(crate) fn parse(text: &str) -> Result<Self, KeystoreError> {
        let value: Value = serde_json::from_str(text).map_err(malformed)?;
        match value.get("version").and_then(Value::as_u64) {
            Some(3) => Self::from_web3(Web3::deserialize(value).map_err(malformed)?),
            Some(4) => Self::from_eip2335(Eip2335::deserialize(value).map_err(malformed)?),
            _ => {
                let found = value.get("version").map_or("none".to_owned(), Value::to_string);
                Err(unsupported("version", &found, "3 (Web3) and 4 (EIP-2335)"))
            }
        }
    }

    fn from_web3(file: Web3) -> Result<Self, KeystoreError> {
        let Web3Crypto { cipher, cipherparams, ciphertext, kdf, kdfparams, mac } = file.crypto;
        check_cipher(&cipher)?;
        let claim = match &file.address {
            Some(address) if !address.is_empty() => Claim::Address(sized("address", address)?),
            _ => Claim::Nothing,
        };
        Ok(Self {
            scheme: Scheme::Secp256k1,
            claim: file.surety.as_ref().map_or(claim, |ours| Claim::Key(ours.public_key.clone())),
            ours: file.surety,
            container: Container::Web3,
            kdf: parse_kdf(&kdf, kdfparams)?,
            iv: sized("iv", &cipherparams.iv)?,
            ciphertext: sized("ciphertext", &ciphertext)?,
            check: sized("mac", &mac)?,
        })
    }

    fn from_eip2335(file: Eip2335) -> Result<Self, KeystoreError> {
        let Eip2335Crypto { kdf, checksum, cipher } = file.crypto;
        check_cipher(&cipher.function)?;
        if checksum.function != "sha256" {
            return Err(unsupported("checksum", &checksum.function, "sha256"));
        }
        let claim = match file.pubkey.as_deref() {
            None | Some("") => Claim::Nothing,
            Some(digits) => {
                let point = bytes("pubkey", digits)?;
                let scheme = if point.len() == 32 { Scheme::Ed25519 } else { Scheme::Bls12381 };
                Claim::Key(PublicKey::new(scheme, &point).map_err(malformed)?)
            }
        };
        let claim = file.surety.as_ref().map_or(claim, |ours| Claim::Key(ours.public_key.clone()));
        let cipher_params = CipherParams::deserialize(cipher.params).map_err(malformed)?;
        Ok(Self {
            scheme: if let Claim::Key(key) = &claim { key.scheme() } else { Scheme::Bls12381 },
            claim,
            ours: file.surety,
            container: Container::Eip2335,
            kdf: parse_kdf(&kdf.function, kdf.params)?,
            iv: sized("iv", &cipher_params.iv)?,
            ciphertext: sized("cipher message", &cipher.message)?,
            check: sized("checksum", &checksum.message)?,
        })
    }

    /// The secret, if the password is right.
    ///
    /// `name` is for messages.
    pub(crate) fn open(&self, name: &str, password: &Password) -> Result<Secret, KeystoreError> {
        let derived = self.kdf.derive(&self.container.password(password))?;
        if self.container.check(&derived, &self.ciphertext) != self.check {
            return Err(KeystoreError::WrongPassword { name: name.to_owned() });
        }
        let mut bytes = Zeroizing::new(self.ciphertext);
        derived.apply(&self.iv, bytes.as_mut_slice());
        let secret = Secret::new(self.scheme, bytes)?;
        let key = secret.public_key();
        let says = match &self.claim {
            Claim::Key(claimed) if *claimed != key => claimed.to_string(),
            Claim::Address(claimed) if address_of(&key) != Some(*claimed) => {
                format!("0x{}", hex::encode(claimed))
            }
            _ => return Ok(secret),
        };
        Err(KeystoreError::OtherKey { name: name.to_owned(), says, has: key })
    }
}

/// The text of a key file for a secret.
pub(crate) fn write(
    secret: &Secret,
    password: &Password,
    ours: Option<&Ours>,
    work: Work,
) -> Result<String, KeystoreError> {
    let container = Container::of(secret.scheme());
    let kdf = Kdf::new(work)?;
    let derived = kdf.derive(&container.password(password))?;
    let mut iv = [0; 16];
    fill(&mut iv)?;
    let mut ciphertext = *secret.expose();
    derived.apply(&iv, &mut ciphertext);
    let check = hex::encode(container.check(&derived, &ciphertext));
    let Kdf::Scrypt(params) = kdf else { unreachable!("files are written with scrypt") };
    let (iv, ciphertext, id) = (hex::encode(iv), hex::encode(ciphertext), uuid()?);
    let key = secret.public_key();
    let mut file = match container {
        Container::Web3 => json!({
            "version": 3,
            "id": id,
            "address": address_of(&key).map(hex::encode),
            "crypto": {
                "cipher": CIPHER,
                "cipherparams": { "iv": iv },
                "ciphertext": ciphertext,
                "kdf": "scrypt",
                "kdfparams": params,
                "mac": check,
            },
        }),
        Container::Eip2335 => json!({
            "version": 4,
            "uuid": id,
            "path": "",
            "pubkey": hex::encode(key.as_bytes()),
            "crypto": {
                "kdf": { "function": "scrypt", "params": params, "message": "" },
                "checksum": { "function": "sha256", "params": {}, "message": check },
                "cipher": { "function": CIPHER, "params": { "iv": iv }, "message": ciphertext },
            },
        }),
    };
    if let (Some(ours), Some(fields)) = (ours, file.as_object_mut()) {
        fields.insert("surety".to_owned(), serde_json::to_value(ours).expect("a role and a key are text"));
    }
    Ok(format!("{file:#}\n"))
}

/// A random UUID (version 4), as RFC 9562 lays it out.
fn uuid() -> Result<String, KeystoreError> {
    let mut bytes = [0_u8; 16];
    fill(&mut bytes)?;
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    let digits = hex::encode(bytes);
    let (one, rest) = digits.split_at(8);
    let (two, rest) = rest.split_at(4);
    let (three, rest) = rest.split_at(4);
    let (four, five) = rest.split_at(4);
    Ok([one, two, three, four, five].join("-"))
}

fn parse_kdf(function: &str, params: Value) -> Result<Kdf, KeystoreError> {
    match function {
        "scrypt" => serde_json::from_value(params).map(Kdf::Scrypt).map_err(malformed),
        "pbkdf2" => serde_json::from_value(params).map(Kdf::Pbkdf2).map_err(malformed),
        other => Err(unsupported("kdf", other, "scrypt and pbkdf2")),
    }
}

fn check_cipher(cipher: &str) -> Result<(), KeystoreError> {
    if cipher == CIPHER { Ok(()) } else { Err(unsupported("cipher", cipher, CIPHER)) }
}

fn malformed(error: impl std::fmt::Display) -> KeystoreError {
    KeystoreError::Malformed { what: "the key file".to_owned(), why: error.to_string() }
}

#[derive(Deserialize)]
struct Web3 {
    #[serde(alias = "Crypto")]
    crypto: Web3Crypto,
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    surety: Option<Ours>,
}

#[derive(Deserialize)]
struct Web3Crypto {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    kdf: String,
    kdfparams: Value,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

#[derive(Deserialize)]
struct Eip2335 {
    crypto: Eip2335Crypto,
    #[serde(default)]
    pubkey: Option<String>,
    #[serde(default)]
    surety: Option<Ours>,
}

#[derive(Deserialize)]
struct Eip2335Crypto {
    kdf: Module,
    checksum: Module,
    cipher: Module,
}

#[derive(Deserialize)]
struct Module {
    function: String,
    params: Value,
    message: String,
}

#[cfg(test)]
mod tests;
