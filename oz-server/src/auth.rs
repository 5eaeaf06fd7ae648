//! Who calls: keys, their digests, and signatures of addresses. Values of keys never reach a log.

use crate::{
    ctx::{Ctx, now},
    store::accounts::Caller,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, header};
use oz_core::{
    Error, ErrorCode, Timestamp,
    api::{SOURCE_HEADER, WORKLOAD_TOKEN_HEADER},
    run::RunSource,
};
use sha2::{Digest as _, Sha256};

/// A secret key for signatures.
pub(crate) struct Key(pub(crate) [u8; 32]);

/// A new random API key or workload token.
pub(crate) fn new_key() -> String {
    format!("wk-1.{}", random_hex())
}

/// 32 random bytes in hex.
pub(crate) fn random_hex() -> String {
    // Two version-4 UUIDs would carry fixed bits; ask the system directly.
    let mut bytes = [0; 32];
    if getrandom::fill(&mut bytes).is_err() {
        // The system has no randomness to give: nothing that we could make here would be a secret.
        std::process::abort();
    }
    hex(&bytes)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes that hex digits stand for.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
}

/// The digest by which a key is stored and found.
pub(crate) fn digest(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

/// The key in the headers.
///
/// # Errors
/// `authentication_required` when there is none.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    let missing = || {
        Error::new(
            ErrorCode::AuthenticationRequired,
            "no API key was sent; send the header 'Authorization: Bearer <key>'",
        )
    };
    let value = headers.get(header::AUTHORIZATION).ok_or_else(missing)?.to_str().map_err(|_| missing())?;
    let (scheme, key) = value.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") || key.trim().is_empty() {
        return Err(missing());
    }
    Ok(key.trim())
}

/// Who sent a request with these headers. A workload token beside another key narrows the caller to its run.
///
/// # Errors
/// `authentication_required`, or 429 when the key is used too often.
pub(crate) async fn authenticate(ctx: &Ctx, headers: &HeaderMap) -> Result<Caller, Error> {
    let key = match headers.get(WORKLOAD_TOKEN_HEADER) {
        Some(token) => token.to_str().unwrap_or_default(),
        None => bearer(headers)?,
    };
    let now = now();
    let mut caller = ctx.store.caller(&digest(key), now).await?.ok_or_else(|| {
        Error::new(
            ErrorCode::AuthenticationRequired,
            "the API key is not valid: it is unknown, expired or deleted",
        )
    })?;
    if let Caller::Key(member) = &mut caller {
        ctx.keys.used(member, now)?;
        if let Some(source) = headers.get(SOURCE_HEADER)
            && let source = RunSource::from(source.to_str().unwrap_or_default())
            && source.is_known()
        {
            member.source = source;
        }
    }
    Ok(caller)
}

impl Key {
    /// The key in hex.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        unhex(text)?.try_into().ok().map(Self)
    }

    fn mac(&self, right: &str, expires: i64) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(format!("{right}:{expires}").as_bytes());
        Some(mac)
    }

    /// Signs a right, such as `GET:file:…`, until `expires` (seconds since 1970).
    pub(crate) fn sign(&self, right: &str, expires: i64) -> String {
        self.mac(right, expires).map(|mac| hex(&mac.finalize().into_bytes())).unwrap_or_default()
    }

    /// Checks such a signature, in constant time, and that it has not run out.
    pub(crate) fn verify(&self, right: &str, expires: i64, signature: &str, now: Timestamp) -> bool {
        let (Some(bytes), Some(mac)) = (unhex(signature), self.mac(right, expires)) else { return false };
        mac.verify_slice(&bytes).is_ok() && now.as_second() <= expires
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_opens_one_thing_until_it_runs_out() {
        let key = Key([7; 32]);
        let now = Timestamp::from_second(1000).unwrap();
        let signature = key.sign("GET:file:a", 1010);
        assert!(key.verify("GET:file:a", 1010, &signature, now));
        assert!(!key.verify("PUT:file:a", 1010, &signature, now));
        assert!(!key.verify("GET:file:b", 1010, &signature, now));
        assert!(!key.verify("GET:file:a", 1011, &signature, now));
        assert!(!key.verify("GET:file:a", 1010, "zz", now));
        assert!(!key.verify("GET:file:a", 1010, &signature, Timestamp::from_second(1011).unwrap()));
    }

    #[test]
    fn keys_have_the_published_shape() {
        let key = new_key();
        assert_eq!(key.len(), 5 + 64);
        assert!(key.starts_with("wk-1.") && key[5..].bytes().all(|b| b.is_ascii_hexdigit()));
        assert_ne!(key, new_key());
    }
}
