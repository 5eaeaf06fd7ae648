//! Secrets. Their values leave this process only sealed.

use crate::{
    Error,
    method::{self, ChangeSecret, Method},
    seal,
};
use oz_core::{
    api::{CreateSecret, Empty, SealingKey, Secret, SecretList, SecretLog, UpdateSecret},
    principal::ScopeType,
    secret::SecretKind,
};
use serde::Deserialize;

noun! {
    /// Calls about secrets
    Secrets secrets
}

calls! { Secrets + BY_HAND;
    /// Lists secrets: the team's and the caller's own.
    list(ListSecrets {}) -> SecretList;
    /// Gets the public key that values are sealed with.
    sealing_key(GetSealingKey {}) -> SealingKey;
    /// Deletes the secret with this id; no later run gets it.
    delete(DeleteSecret { uid: String }) -> Empty;
    /// Lists what was done with secrets, newest first.
    log(ListSecretLog) -> SecretLog;
}

/// What is written out below.
const BY_HAND: &[Method] = &[
    Method::called::<NewSecret, Secret>(
        (NAME, "create"),
        "Makes a secret. Its value is checked and sealed here.",
        |client, request| {
            method::answering(&request, |new: NewSecret| async move { client.secrets().create(&new).await })
        },
    )
    .on::<CreateSecret>(),
    Method::called::<ChangeSecret, Secret>(
        (NAME, "update"),
        "Changes the value or the description of a secret; what is absent stays. A value is checked and sealed here.",
        |client, request| {
            method::answering(&request, |to: ChangeSecret| async move {
                client.secrets().update(&to.secret, to.value.as_deref(), to.description.as_deref()).await
            })
        },
    )
    .on::<UpdateSecret>(),
];

/// A secret to be made.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewSecret {
    /// Its name.
    pub name: String,
    /// What it holds; a raw value when absent.
    #[serde(default, rename = "type")]
    pub kind: SecretKind,
    /// Its value: as it is for a raw value, the JSON of its type otherwise.
    pub value: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it is the caller's own rather than the team's.
    #[serde(default)]
    pub personal: bool,
}

impl Secrets<'_> {
    /// Makes a secret. Its value is checked and sealed here.
    ///
    /// # Errors
    /// See [`Client::send`](crate::Client::send); `invalid_request` when the value does not fit the type.
    pub async fn create(&self, new: &NewSecret) -> Result<Secret, Error> {
        oz_core::secret::check_name("name", &new.name, &new.kind).map_err(Error::from)?;
        oz_core::secret::variables(&new.name, &new.kind, &new.value).map_err(Error::from)?;
        let key = self.sealing_key().await?;
        let owner = if new.personal { &key.user_uid } else { &key.team_uid };
        let sealed_value = seal::seal(&key, owner, &new.name, &new.kind, &new.value)?;
        let request = CreateSecret {
            name: new.name.clone(),
            kind: new.kind.clone(),
            description: new.description.clone(),
            team: Some(!new.personal),
            key_id: key.key_id,
            sealed_value,
        };
        self.0.send(&request).await
    }

    /// Changes the value or the description of a secret; what is absent stays.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    pub async fn update(
        &self,
        secret: &Secret,
        value: Option<&str>,
        description: Option<&str>,
    ) -> Result<Secret, Error> {
        let mut request = UpdateSecret {
            uid: secret.uid.clone(),
            description: description.map(str::to_owned),
            ..UpdateSecret::default()
        };
        if let Some(value) = value {
            oz_core::secret::variables(&secret.name, &secret.kind, value).map_err(Error::from)?;
            let key = self.sealing_key().await?;
            let owner = if secret.scope.kind == ScopeType::User { &key.user_uid } else { &key.team_uid };
            request.sealed_value = Some(seal::seal(&key, owner, &secret.name, &secret.kind, value)?);
            request.key_id = Some(key.key_id);
        }
        self.0.send(&request).await
    }
}
