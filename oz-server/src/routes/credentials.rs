//! What a run may show and use: its secrets, what logs it in, and tokens that prove which run it is.

use super::harness_support::current;
use crate::{
    ctx::{Ctx, now},
    error::ApiError,
    store::{accounts::Caller, credentials::StoredSecret},
    vault::{Claims, Sealed},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use oz_core::{
    Error,
    api::{
        GetRunCredentials, GitLogin, IdentityToken, IssueIdentityToken, RunCredentials, RunModelEndpoint,
        RunSecret,
    },
    secret::{self, SecretKind},
};
use serde_json::json;
use zeroize::Zeroizing;

/// How long an identity token is good unless its run asks for another time.
const GOOD_FOR: i64 = 3600;
/// How long others may keep the public keys; a new key is used at once, and whoever does not know it asks again.
const KEYS_KEPT: &str = "public, max-age=300";

pub(super) async fn get(ctx: Ctx, caller: Caller, _: GetRunCredentials) -> Result<RunCredentials, Error> {
    let who = current(caller)?;
    ctx.leases.renew(who.execution_id, who.run_no, ctx.lease);
    let given = ctx.store.run_credentials(who, now()).await?;
    let mut answer =
        RunCredentials { missing: given.missing.into_iter().collect(), ..RunCredentials::default() };
    for secret in given.secrets {
        answer.secrets.push(run_secret(&ctx, secret).await?);
    }
    for secret in given.reserved {
        answer.reserved.push(run_secret(&ctx, secret).await?);
    }
    for (credential, secret) in given.git {
        let password = value(&ctx, &secret).await?.to_string();
        let username = credential.user().to_owned();
        answer.git.push(GitLogin { host: credential.host, username, password });
    }
    for (config, secret) in given.endpoints {
        let api_key = match secret {
            Some(secret) => key_of(run_secret(&ctx, secret).await?),
            None => None,
        };
        answer.model_endpoints.push(RunModelEndpoint { config, api_key });
    }
    Ok(answer)
}

async fn value(ctx: &Ctx, secret: &StoredSecret) -> Result<Zeroizing<String>, Error> {
    let sealed = Sealed {
        key_id: &secret.key_id,
        owner_uid: &secret.owner_uid,
        name: &secret.name,
        kind: &secret.kind,
        value: &secret.value,
    };
    Ok(ctx.vault.reveal(sealed).await?)
}

async fn run_secret(ctx: &Ctx, secret: StoredSecret) -> Result<RunSecret, Error> {
    let variables = secret::variables(&secret.name, &secret.kind, &*value(ctx, &secret).await?)?;
    Ok(RunSecret { name: secret.name, kind: secret.kind, variables })
}

/// The key among the variables of a secret.
fn key_of(mut secret: RunSecret) -> Option<String> {
    let variable = match secret.kind {
        SecretKind::AnthropicApiKey => "ANTHROPIC_API_KEY",
        SecretKind::OpenAiApiKey => "OPENAI_API_KEY",
        _ => &secret.name,
    };
    secret.variables.remove(variable)
}

pub(super) async fn identity_token(
    ctx: Ctx,
    caller: Caller,
    request: IssueIdentityToken,
) -> Result<IdentityToken, Error> {
    let who = current(caller)?;
    ctx.leases.renew(who.execution_id, who.run_no, ctx.lease);
    let run = ctx.store.get_run(who.run_no).await?;
    let claims = Claims::of(&run, &who.team_id.0)?;
    let subject = claims.subject(&request.subject_template)?;
    let seconds = request.requested_duration_seconds.unwrap_or(GOOD_FOR);
    let now = now();
    let expires_at = oz_core::Timestamp::from_second(now.as_second() + seconds)
        .map_err(|e| Error::internal(e.to_string()))?;
    let (issuer, token_id) = (ctx.url(""), uuid::Uuid::now_v7().to_string());
    let mut all = claims.all();
    all.extend([
        ("iss".to_owned(), json!(issuer)),
        ("aud".to_owned(), json!([request.audience])),
        ("sub".to_owned(), json!(subject)),
        ("iat".to_owned(), json!(now.as_second())),
        ("nbf".to_owned(), json!(now.as_second())),
        ("exp".to_owned(), json!(expires_at.as_second())),
        ("jti".to_owned(), json!(token_id)),
    ]);
    let token = ctx.vault.sign(&all.into()).await?;
    tracing::info!(run_id = %who.run_id, audience = request.audience, subject, jti = token_id, "identity token");
    Ok(IdentityToken { token, expires_at, issuer })
}

/// The same for a request from outside the table, by its `Host` header.
fn reached(ctx: Ctx, headers: &HeaderMap) -> Ctx {
    ctx.reached_as(headers.get(header::HOST).and_then(|host| host.to_str().ok()))
}

pub(super) async fn discovery(State(ctx): State<Ctx>, headers: HeaderMap) -> Response {
    let ctx = reached(ctx, &headers);
    let document = json!({
        "issuer": ctx.url(""),
        "jwks_uri": ctx.url("/.well-known/jwks.json"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": ["openid"],
        "claims_supported": Claims::NAMES,
    });
    ([(header::CACHE_CONTROL, KEYS_KEPT)], Json(document)).into_response()
}

pub(super) async fn web_keys(State(ctx): State<Ctx>) -> Response {
    match ctx.vault.web_keys().await {
        Ok(keys) => ([(header::CACHE_CONTROL, KEYS_KEPT)], Json(json!({ "keys": keys }))).into_response(),
        Err(e) => ApiError::new(e.into(), "/.well-known/jwks.json").into_response(),
    }
}

#[cfg(test)]
mod tests;
