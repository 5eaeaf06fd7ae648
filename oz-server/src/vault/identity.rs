//! Identity keys: P-256 key pairs that sign what a run says of itself, as JSON Web Tokens with ES256.

use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING as ES256, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// A new key pair: the private key as PKCS #8, and the public key as an uncompressed point.
pub(super) fn new_pair() -> Option<(Zeroizing<Vec<u8>>, Vec<u8>)> {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ES256, &random).ok()?;
    let private = Zeroizing::new(document.as_ref().to_vec());
    let pair = EcdsaKeyPair::from_pkcs8(&ES256, &private, &random).ok()?;
    Some((private, pair.public_key().as_ref().to_vec()))
}

/// Signs claims. The result is a JWT.
pub(super) fn sign(private: &[u8], key_id: &str, claims: &Value) -> Option<String> {
    let random = SystemRandom::new();
    let header = json!({ "typ": "JWT", "alg": "ES256", "kid": key_id });
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let said = format!("{}.{}", part(&header), part(claims));
    let pair = EcdsaKeyPair::from_pkcs8(&ES256, private, &random).ok()?;
    let signature = pair.sign(&random, said.as_bytes()).ok()?;
    Some(format!("{said}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref())))
}

/// A public key as a JSON Web Key.
pub(super) fn web_key(key_id: &str, public: &str) -> Option<Value> {
    let point = BASE64_STANDARD.decode(public).ok()?;
    let (x, y) = (point.get(1..33)?, point.get(33..65)?);
    let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    Some(json!({
        "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y), "use": "sig", "alg": "ES256", "kid": key_id,
    }))
}
