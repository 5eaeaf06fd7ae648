//! Sealing: key pairs whose public half everybody may have, and the opening of what was sealed with it (RFC 9180).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hpke::{
    Deserializable as _, Kem as _, OpModeR, Serializable as _, aead::AesGcm256, kdf::HkdfSha256,
    kem::X25519HkdfSha256 as X25519,
};
use zeroize::{Zeroize as _, Zeroizing};

/// The cipher suite.
pub(crate) const ALGORITHM: &str = "DHKEM_X25519_HKDF_SHA256, HKDF_SHA256, AES_256_GCM";

/// A new key pair: the private key and the public key.
pub(super) fn new_pair() -> Option<(Zeroizing<Vec<u8>>, Vec<u8>)> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).ok()?;
    let (private, public) = X25519::derive_keypair(&*seed);
    let mut bytes = private.to_bytes();
    let private = Zeroizing::new(bytes.to_vec());
    bytes.as_mut_slice().zeroize();
    Some((private, public.to_bytes().to_vec()))
}

/// Opens a sealed value: base64 of the encapsulated key and the ciphertext. `None` when it was sealed for another key or
/// another context, or is damaged.
pub(super) fn open(private: &[u8], context: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = BASE64_STANDARD.decode(sealed).ok()?;
    let (encapsulated, ciphertext) = bytes.split_at_checked(32)?;
    let private = <X25519 as hpke::Kem>::PrivateKey::from_bytes(private).ok()?;
    let encapsulated = <X25519 as hpke::Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
    hpke::single_shot_open::<AesGcm256, HkdfSha256, X25519>(
        &OpModeR::Base,
        &private,
        &encapsulated,
        context.as_bytes(),
        ciphertext,
        b"",
    )
    .ok()
    .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::seal_with;

    #[test]
    fn a_sealed_value_opens_with_its_key_in_its_context_only() {
        let (private, public) = new_pair().unwrap();
        let public = BASE64_STANDARD.encode(public);
        let sealed = seal_with(&public, "1:t:A:raw_value", "hunter2");
        let opened = |private: &[u8], context: &str, sealed: &str| {
            open(private, context, sealed).map(|value| String::from_utf8(value.to_vec()).unwrap())
        };
        assert_eq!(opened(&private, "1:t:A:raw_value", &sealed).as_deref(), Some("hunter2"));
        for context in ["1:u:A:raw_value", "1:t:B:raw_value", "1:t:A:dotenvx", ""] {
            assert_eq!(opened(&private, context, &sealed), None, "{context}");
        }
        let (other, _) = new_pair().unwrap();
        assert_eq!(opened(&other, "1:t:A:raw_value", &sealed), None);
        let bytes = BASE64_STANDARD.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let changed = BASE64_STANDARD.encode(changed);
            // The highest bit of an X25519 key has no meaning; the lowest of each byte has.
            assert_eq!(opened(&private, "1:t:A:raw_value", &changed), None, "byte {at}");
            let cut = BASE64_STANDARD.encode(&bytes[..at]);
            assert_eq!(opened(&private, "1:t:A:raw_value", &cut), None, "{at} bytes");
        }
    }
}
