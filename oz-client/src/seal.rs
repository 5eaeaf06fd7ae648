//! Sealing: values of secrets are encrypted here for the control plane's vault, by RFC 9180, so that what lies on the
//! way or in a database is of no use to whoever reads it.

use crate::Error;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hpke::{
    Deserializable as _, OpModeS, Serializable as _, aead::AesGcm256, kdf::HkdfSha256, kem::X25519HkdfSha256,
};
use oz_core::{
    api::SealingKey,
    secret::{SecretKind, context},
};

/// The one cipher suite that is understood.
const ALGORITHM: &str = "DHKEM_X25519_HKDF_SHA256, HKDF_SHA256, AES_256_GCM";

/// Seals the value of a secret for `key`. The result fits no other owner, name or kind.
///
/// # Errors
/// `invalid_request` when the key is not one.
pub fn seal(
    key: &SealingKey,
    owner_uid: &str,
    name: &str,
    kind: &SecretKind,
    value: &str,
) -> Result<String, Error> {
    let broken =
        |what: &str| Error::from(oz_core::Error::invalid(format!("the sealing key of the server {what}")));
    if key.algorithm != ALGORITHM {
        return Err(broken(&format!("is for '{}', which this version does not know", key.algorithm)));
    }
    let public = BASE64_STANDARD.decode(&key.public_key).map_err(|_| broken("is not base64"))?;
    let public = <X25519HkdfSha256 as hpke::Kem>::PublicKey::from_bytes(&public)
        .map_err(|_| broken("is not a public key"))?;
    let info = context(owner_uid, name, kind);
    let sealed = hpke::single_shot_seal::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &public,
        info.as_bytes(),
        value.as_bytes(),
        b"",
    );
    let (encapsulated, ciphertext) = sealed.map_err(|_| broken("can't be used"))?;
    let mut bytes = encapsulated.to_bytes().to_vec();
    bytes.extend(ciphertext);
    Ok(BASE64_STANDARD.encode(bytes))
}
