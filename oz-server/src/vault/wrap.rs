//! Wrapping: private keys of the vault are kept encrypted under the master key, each bound to its id and purpose, so
//! that none can stand in for another.

use super::master::MasterKey;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

/// What a wrapped key belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binding<'a> {
    pub(super) key_id: &'a str,
    pub(super) purpose: &'a str,
}

impl Binding<'_> {
    fn aad(self) -> Aad<String> {
        Aad::from(format!("oz-vault:1:{}:{}", self.purpose, self.key_id))
    }
}

impl MasterKey {
    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &*self.0).ok().map(LessSafeKey::new)
    }

    /// Encrypts a private key: nonce, ciphertext and tag in base64.
    pub(super) fn wrap(&self, of: Binding<'_>, private: &[u8]) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let mut sealed = Zeroizing::new(private.to_vec());
        // Made large enough at once: a growing vector would leave a copy behind.
        sealed.reserve_exact(AES_256_GCM.tag_len());
        let unique = Nonce::assume_unique_for_key(nonce);
        self.cipher()?.seal_in_place_append_tag(unique, of.aad(), &mut *sealed).ok()?;
        Some(BASE64_STANDARD.encode([&nonce[..], &sealed].concat()))
    }

    /// Decrypts a private key; `None` when it was wrapped under another master key, for something else, or is damaged.
    pub(super) fn unwrap(&self, of: Binding<'_>, wrapped: &str) -> Option<Zeroizing<Vec<u8>>> {
        let bytes = BASE64_STANDARD.decode(wrapped).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut opened = Zeroizing::new(sealed.to_vec());
        let length = self.cipher()?.open_in_place(nonce, of.aad(), &mut opened).ok()?.len();
        opened.truncate(length);
        Some(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_master_key_opens_it_and_only_as_what_it_is() {
        let key = MasterKey::random().unwrap();
        let of = Binding { key_id: "k", purpose: "sealing" };
        let wrapped = key.wrap(of, b"private").unwrap();
        assert_eq!(key.unwrap(of, &wrapped).unwrap().as_slice(), b"private");
        assert_ne!(key.wrap(of, b"private").unwrap(), wrapped, "each wrapping has a nonce of its own");
        assert!(MasterKey::random().unwrap().unwrap(of, &wrapped).is_none(), "another master key");
        assert!(key.unwrap(Binding { key_id: "l", ..of }, &wrapped).is_none(), "another key");
        assert!(key.unwrap(Binding { purpose: "identity", ..of }, &wrapped).is_none(), "another purpose");
    }

    #[test]
    fn no_changed_bit_goes_unnoticed() {
        let key = MasterKey::random().unwrap();
        let of = Binding { key_id: "k", purpose: "sealing" };
        let bytes = BASE64_STANDARD.decode(key.wrap(of, b"private").unwrap()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(key.unwrap(of, &BASE64_STANDARD.encode(changed)).is_none(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(key.unwrap(of, &BASE64_STANDARD.encode(&bytes[..length])).is_none(), "{length} bytes");
        }
        assert!(key.unwrap(of, "not base64").is_none());
    }
}
