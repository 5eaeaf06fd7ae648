//! The vault: the only room that opens secrets. Its key pairs lie in the database, their private halves encrypted under
//! the master key, which never does; so neither the database nor the data directory alone opens anything. Nothing that is
//! opened is kept: every use reads and decrypts what it needs, and wipes it.

mod claims;
mod identity;
mod master;
mod seal;
mod wrap;

use crate::{
    ctx::now,
    store::{Store, StoreError, accounts::short_id, vault::VaultKey},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
pub(crate) use claims::Claims;
pub use master::KeySource;
use master::MasterKey;
use oz_core::{
    Error,
    secret::{self, SecretKind},
};
pub(crate) use seal::ALGORITHM;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use tokio::sync::OnceCell;
use wrap::Binding;
use zeroize::{Zeroize, Zeroizing};

const SEALING: &str = "sealing";
const IDENTITY: &str = "identity";

/// A new key pair: its private and its public half.
type Pair = (Zeroizing<Vec<u8>>, Vec<u8>);

/// The master keys of a control plane.
#[derive(Debug, Clone)]
pub struct MasterKeys {
    /// The one under which everything is encrypted.
    pub current: KeySource,
    /// The one before it, while keys are changed.
    pub previous: Option<KeySource>,
}

impl MasterKeys {
    /// The master keys that are meant: of this file; or those that the environment names; or one that is made in the file
    /// `made` when it is needed.
    #[must_use]
    pub fn find(file: Option<PathBuf>, made: PathBuf) -> Self {
        let variable = |name| {
            std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| KeySource::parse(&text))
        };
        let named = file.map(KeySource::File).or_else(|| variable(oz_core::env::MASTER_KEY));
        let previous = variable(oz_core::env::PREVIOUS_MASTER_KEY);
        Self { current: named.unwrap_or(KeySource::MadeFile(made)), previous }
    }
}

/// Why the vault could not do something. Its text holds no secret, but is for those who host: callers are told less.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    #[error("{0}")]
    MasterKey(String),
    #[error(
        "{0} does not open the vault: it was encrypted under another one. Give that one as OZ_MASTER_KEY, or as \
         OZ_PREVIOUS_MASTER_KEY to change to the new one"
    )]
    Locked(String),
    #[error(
        "the database has a vault, and {0} is not there. Give the key that the vault was made with as OZ_MASTER_KEY; \
         without it nobody can read the stored secrets"
    )]
    NoKey(String),
    #[error("the vault could not make a key")]
    Crypto,
    #[error("the vault has no key '{0}'")]
    NoSuchKey(String),
    #[error("the value of secret '{0}' can't be opened: the stored data is damaged")]
    Damaged(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<VaultError> for Error {
    fn from(e: VaultError) -> Self {
        match e {
            VaultError::Store(e) => e.into(),
            VaultError::Damaged(_) => Self::internal(format!("{e}; set it again with `oz secret update`")),
            e => {
                tracing::error!(error = %e, "vault");
                Self::internal("the server's vault can't be opened; the server's log says why")
            }
        }
    }
}

type Result<T> = std::result::Result<T, VaultError>;

/// The vault of a control plane.
pub(crate) struct Vault {
    store: Store,
    sources: MasterKeys,
    keys: OnceCell<Masters>,
}

/// The master keys, once they are read.
struct Masters {
    current: MasterKey,
    previous: Option<MasterKey>,
}

/// What a sealed value belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sealed<'a> {
    pub(crate) key_id: &'a str,
    pub(crate) owner_uid: &'a str,
    pub(crate) name: &'a str,
    pub(crate) kind: &'a SecretKind,
    /// The value, in base64.
    pub(crate) value: &'a str,
}

impl Vault {
    /// Opens the vault of a database. What the current master key does not open is encrypted anew under it when the
    /// previous one does. Where there is no vault yet, none is made before it is needed.
    pub(crate) async fn open(store: Store, sources: MasterKeys) -> Result<Self> {
        let vault = Self { store, sources, keys: OnceCell::new() };
        let stored = vault.store.vault_keys().await?;
        if stored.is_empty() && matches!(vault.sources.current, KeySource::MadeFile(_)) {
            return Ok(vault);
        }
        // A key that can't be used is better known now than at the first secret.
        let current = &vault.masters().await?.current;
        let mut changed = Vec::new();
        for key in stored {
            if current.unwrap(binding(&key), &key.wrapped_key).is_some() {
                continue;
            }
            let private = vault.unwrap(&key).await?;
            let wrapped_key = current.wrap(binding(&key), &private).ok_or(VaultError::Crypto)?;
            changed.push(VaultKey { wrapped_key, ..key });
        }
        if !changed.is_empty() {
            let count = changed.len();
            vault.store.rewrap_vault(changed).await?;
            tracing::info!(keys = count, "the vault is encrypted under the new master key");
        }
        Ok(vault)
    }

    /// The master keys, read or made when they are needed for the first time.
    async fn masters(&self) -> Result<&Masters> {
        let read = async |source: &KeySource| MasterKey::read(source).await.map_err(VaultError::MasterKey);
        let load = async || {
            let source = &self.sources.current;
            let current = match (read(source).await?, source) {
                (Some(key), _) => key,
                (None, KeySource::MadeFile(path)) if self.store.vault_keys().await?.is_empty() => {
                    make(path)?;
                    read(source).await?.ok_or_else(|| missing(source))?
                }
                (None, source) => return Err(missing(source)),
            };
            let previous = match &self.sources.previous {
                Some(source) => Some(read(source).await?.ok_or_else(|| missing(source))?),
                None => None,
            };
            Ok(Masters { current, previous })
        };
        self.keys.get_or_try_init(load).await
    }

    /// The private half of a key pair.
    async fn unwrap(&self, key: &VaultKey) -> Result<Zeroizing<Vec<u8>>> {
        let Masters { current, previous } = self.masters().await?;
        [Some(current), previous.as_ref()]
            .into_iter()
            .flatten()
            .find_map(|master| master.unwrap(binding(key), &key.wrapped_key))
            .ok_or_else(|| VaultError::Locked(self.sources.current.to_string()))
    }

    /// The key pair that serves a purpose; made when there is none.
    async fn key_for(&self, purpose: &'static str, new_pair: fn() -> Option<Pair>) -> Result<VaultKey> {
        if let Some(key) = self.store.vault_key_for(purpose).await? {
            return Ok(key);
        }
        let (private, public) = new_pair().ok_or(VaultError::Crypto)?;
        let mut key = VaultKey {
            key_id: short_id(),
            purpose: purpose.to_owned(),
            public_key: BASE64_STANDARD.encode(public),
            wrapped_key: String::new(),
        };
        let master = &self.masters().await?.current;
        key.wrapped_key = master.wrap(binding(&key), &private).ok_or(VaultError::Crypto)?;
        Ok(self.store.keep_vault_key(key, now()).await?)
    }

    /// The key pair that values of secrets are sealed with now.
    pub(crate) async fn sealing_key(&self) -> Result<VaultKey> {
        self.key_for(SEALING, seal::new_pair).await
    }

    /// Opens a sealed value; `None` when it was sealed for another key or for something else.
    async fn try_open(&self, sealed: Sealed<'_>) -> Result<Option<Zeroizing<String>>> {
        let key = self.store.vault_key(sealed.key_id.to_owned()).await?;
        let key = key
            .filter(|key| key.purpose == SEALING)
            .ok_or_else(|| VaultError::NoSuchKey(sealed.key_id.to_owned()))?;
        let private = self.unwrap(&key).await?;
        let context = secret::context(sealed.owner_uid, sealed.name, sealed.kind);
        Ok(seal::open(&private, &context, sealed.value).and_then(text))
    }

    /// Opens the value of a secret.
    pub(crate) async fn reveal(&self, sealed: Sealed<'_>) -> Result<Zeroizing<String>> {
        let value = self.try_open(sealed).await?;
        value.ok_or_else(|| VaultError::Damaged(sealed.name.to_owned()))
    }

    /// Checks a sealed value that a caller sent: it opens, and its kind can hold it. It is not kept.
    ///
    /// # Errors
    /// `invalid_request` that names what is wrong and shows nothing of the value.
    pub(crate) async fn check(&self, sealed: Sealed<'_>) -> std::result::Result<(), Error> {
        let value = match self.try_open(sealed).await {
            Err(VaultError::NoSuchKey(id)) => {
                let expected = "the id of the key from GET /agent/secrets/sealing-key";
                return Err(Error::invalid_field("key_id", &id, expected));
            }
            value => value?,
        };
        let Some(value) = value else {
            let context = secret::context(sealed.owner_uid, sealed.name, sealed.kind);
            let text = format!(
                "sealed_value: it does not open; expected base64 of a UTF-8 value that is sealed with the public key \
                 '{}', with the info '{context}' and no additional data",
                sealed.key_id
            );
            return Err(Error::invalid(text));
        };
        let mut variables = secret::variables(sealed.name, sealed.kind, &value)
            .map_err(|e| Error::invalid(format!("sealed_value: {}", e.detail)))?;
        variables.values_mut().for_each(Zeroize::zeroize);
        Ok(())
    }

    /// Signs the claims of an identity token. The result is a JWT.
    pub(crate) async fn sign(&self, claims: &Value) -> Result<String> {
        let key = self.key_for(IDENTITY, identity::new_pair).await?;
        let private = self.unwrap(&key).await?;
        identity::sign(&private, &key.key_id, claims).ok_or(VaultError::Crypto)
    }

    /// The private halves of all key pairs, for tests that look for them where they must not be.
    #[cfg(test)]
    pub(crate) async fn private_keys(&self) -> Vec<Zeroizing<Vec<u8>>> {
        let keys = self.store.vault_keys().await.unwrap();
        let private = keys.iter().map(|key| async { self.unwrap(key).await.unwrap() });
        futures_util::future::join_all(private).await
    }

    /// The public keys of identity tokens, as JSON Web Keys.
    pub(crate) async fn web_keys(&self) -> Result<Vec<Value>> {
        let keys = self.store.vault_keys().await?;
        let keys = keys.iter().filter(|key| key.purpose == IDENTITY);
        Ok(keys.filter_map(|key| identity::web_key(&key.key_id, &key.public_key)).collect())
    }
}

/// Makes the master key, and says so once.
fn make(path: &Path) -> Result<()> {
    if MasterKey::make(path).map_err(VaultError::MasterKey)? {
        let path = path.display();
        tracing::warn!(
            "made {path}, the master key of the secrets; back it up: without it they can't be read"
        );
    }
    Ok(())
}

fn missing(source: &KeySource) -> VaultError {
    VaultError::NoKey(source.to_string())
}

fn binding(key: &VaultKey) -> Binding<'_> {
    Binding { key_id: &key.key_id, purpose: &key.purpose }
}

fn text(mut bytes: Zeroizing<Vec<u8>>) -> Option<Zeroizing<String>> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(e) => {
            e.into_bytes().zeroize();
            None
        }
    }
}

#[cfg(test)]
mod tests;
