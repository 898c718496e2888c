//! The signature of a delivery: `t=<seconds>,v1=<hex of HMAC-SHA256(secret, "<seconds>.<body>")>`.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The header that carries the signature.
pub(super) const HEADER: &str = "surety-signature";

/// The value of the header for a body at a time.
pub(super) fn signature(secret: &str, seconds: u64, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("an HMAC takes a key of any length");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("t={seconds},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest was computed with `printf '1700000000.{}' | openssl dgst -sha256 -hmac secret-of-the-test`.
    #[test]
    fn a_receiver_can_compute_the_signature_with_any_hmac() {
        let expected = "t=1700000000,v1=27e002772d2ca0920eee1aa822601451571b645df1d1ec6095cf1b124e1511d2";
        assert_eq!(signature("secret-of-the-test", 1_700_000_000, b"{}"), expected);
    }
}
