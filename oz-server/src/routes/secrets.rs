//! Secrets. Their values come in sealed and never go out here: runs get them from `credentials`.

use super::access::member;
use crate::{
    ctx::{Ctx, now},
    store::{
        accounts::Caller,
        secrets::{NewSecret, SealedValue, owner},
    },
    vault::{self, Sealed},
};
use oz_core::{
    Error, ErrorCode,
    api::{
        CreateSecret, DeleteSecret, Empty, GetSealingKey, ListSecretLog, ListSecrets, SealingKey, Secret,
        SecretList, SecretLog, UpdateSecret,
    },
    principal::ScopeType,
};

pub(super) async fn sealing_key(ctx: Ctx, caller: Caller, _: GetSealingKey) -> Result<SealingKey, Error> {
    let who = member(caller)?;
    let key = ctx.vault.sealing_key().await?;
    Ok(SealingKey {
        key_id: key.key_id,
        public_key: key.public_key,
        algorithm: vault::ALGORITHM.to_owned(),
        team_uid: who.team_id.0,
        user_uid: who.principal.uid,
    })
}

pub(super) async fn list(ctx: Ctx, caller: Caller, _: ListSecrets) -> Result<SecretList, Error> {
    Ok(SecretList { secrets: ctx.store.secrets(member(caller)?).await? })
}

pub(super) async fn create(ctx: Ctx, caller: Caller, request: CreateSecret) -> Result<Secret, Error> {
    let who = member(caller)?;
    let personal = request.team == Some(false);
    if personal && !who.is_person() {
        let text = "team: only a person has secrets of its own; this is the key of an agent";
        return Err(Error::new(ErrorCode::NotAuthorized, text));
    }
    let sealed = Sealed {
        key_id: &request.key_id,
        owner_uid: owner(&who, personal),
        name: &request.name,
        kind: &request.kind,
        value: &request.sealed_value,
    };
    ctx.vault.check(sealed).await?;
    let new = NewSecret {
        name: request.name,
        kind: request.kind,
        description: request.description,
        personal,
        sealed: SealedValue { key_id: request.key_id, value: request.sealed_value },
    };
    Ok(ctx.store.create_secret(who, new, now()).await?)
}

pub(super) async fn update(ctx: Ctx, caller: Caller, request: UpdateSecret) -> Result<Secret, Error> {
    let who = member(caller)?;
    let sealed = match (request.key_id, request.sealed_value) {
        (Some(key_id), Some(value)) => {
            // What the value is bound to never changes, so that it can't change before the value is stored either.
            let secret = ctx.store.secret(who.clone(), request.uid.clone()).await?;
            let personal = secret.scope.kind == ScopeType::User;
            let sealed = Sealed {
                key_id: &key_id,
                owner_uid: owner(&who, personal),
                name: &secret.name,
                kind: &secret.kind,
                value: &value,
            };
            ctx.vault.check(sealed).await?;
            Some(SealedValue { key_id, value })
        }
        _ => None,
    };
    Ok(ctx.store.update_secret(who, request.uid, request.description, sealed, now()).await?)
}

pub(super) async fn delete(ctx: Ctx, caller: Caller, request: DeleteSecret) -> Result<Empty, Error> {
    ctx.store.delete_secret(member(caller)?, request.uid, now()).await?;
    Ok(Empty {})
}

pub(super) async fn log(ctx: Ctx, caller: Caller, request: ListSecretLog) -> Result<SecretLog, Error> {
    Ok(ctx.store.secret_log(member(caller)?, request).await?)
}
