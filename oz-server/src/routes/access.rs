//! Who may come in: the caller of a request, held against what its endpoint demands, and calls that name themselves so
//! that repeating them does nothing twice.

use crate::{
    auth,
    ctx::{Ctx, now},
    error::{self, ApiError},
    store::{
        accounts::{Caller, Member, Workload},
        idempotency::Known,
    },
};
use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use oz_core::{
    Error, ErrorCode,
    api::{Auth, IDEMPOTENCY_HEADER, Info},
};
use sha2::{Digest as _, Sha256};

/// Endpoints whose answer holds a secret that must not be kept.
const SECRET_ANSWERS: &[&str] =
    &["CreateApiKey", "CreateTeam", "CreateInvitation", "AcceptInvitation", "CreateLocalRun"];
/// Endpoints that read a secret and change nothing: each call is answered afresh, whatever it is named.
const SECRET_READS: &[&str] = &["GetRunCredentials", "IssueIdentityToken"];
const MAX_KEY: usize = 255;

fn refused(text: &str) -> Error {
    Error::new(ErrorCode::NotAuthorized, text)
}

/// The member behind a key; runs may not do what only people and agents may.
pub(super) fn member(caller: Caller) -> Result<Member, Error> {
    match caller {
        Caller::Key(member) => Ok(member),
        Caller::Run(_) | Caller::Nobody => {
            Err(refused("the token of a run can't do this; it needs an API key"))
        }
    }
}

/// The run behind a token.
pub(super) fn workload(caller: Caller) -> Result<Workload, Error> {
    match caller {
        Caller::Run(workload) => Ok(workload),
        Caller::Key(_) | Caller::Nobody => {
            Err(refused("only the agent process of a run may call this, with the token of its run"))
        }
    }
}

/// Who calls, if the endpoint lets it in.
pub(super) async fn admit(ctx: &Ctx, auth: Auth, headers: &HeaderMap) -> Result<Caller, Error> {
    if auth == Auth::Open {
        return Ok(Caller::Nobody);
    }
    let caller = auth::authenticate(ctx, headers).await?;
    match (auth, &caller) {
        (Auth::Workload, Caller::Key(_)) => workload(caller).map(Caller::Run),
        (Auth::Key | Auth::User | Auth::Admin, Caller::Run(_)) => member(caller).map(Caller::Key),
        (Auth::User | Auth::Admin, Caller::Key(who)) if !who.is_person() => {
            Err(refused("only a person may do this; this is the key of an agent"))
        }
        (Auth::Admin, Caller::Key(who)) if !who.admin => {
            Err(refused("only an admin of the team may do this"))
        }
        _ => Ok(caller),
    }
}

/// A call that named itself.
pub(super) struct Named {
    owner: String,
    key: String,
    keep: bool,
}

/// What to do with a request.
pub(super) enum Turn {
    /// Serve it, and give the answer to [`Named::answered`].
    Serve(Box<Request<Body>>, Option<Named>),
    /// It was served before.
    Answer(Box<Response>),
}

/// Looks up whether a request is the repetition of an earlier one.
pub(super) async fn turn(
    ctx: &Ctx,
    info: &Info,
    caller: &Caller,
    request: Request<Body>,
    most: usize,
) -> Result<Turn, Error> {
    let Some(key) = request
        .headers()
        .get(IDEMPOTENCY_HEADER)
        .filter(|_| info.method == http::Method::POST && !SECRET_READS.contains(&info.id))
    else {
        return Ok(Turn::Serve(Box::new(request), None));
    };
    let owner = match caller {
        Caller::Key(who) => who.key_uid.clone(),
        Caller::Run(who) => who.execution_id.to_string(),
        Caller::Nobody => return Ok(Turn::Serve(Box::new(request), None)),
    };
    let key = key.to_str().unwrap_or_default().to_owned();
    if key.is_empty() || key.len() > MAX_KEY {
        let text = format!("1 to {MAX_KEY} printable ASCII characters");
        return Err(Error::invalid_field("Idempotency-Key", &key, &text));
    }
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, most).await.map_err(|_| crate::extract::too_large())?;
    let mut hash = Sha256::new();
    hash.update(format!("{}\n{}\n", parts.method, parts.uri));
    hash.update(&bytes);
    let print = hash.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let request = Request::from_parts(parts, Body::from(bytes));
    let named = Named { owner, key, keep: !SECRET_ANSWERS.contains(&info.id) };
    match ctx.store.begin_call(named.owner.clone(), named.key.clone(), print, now()).await? {
        Known::Nothing => Ok(Turn::Serve(Box::new(request), Some(named))),
        Known::UnderWay => Err(Error::conflict("Idempotency-Key: the first call with it is still under way")),
        Known::Another => Err(Error::unsupported(
            "Idempotency-Key: it was used for another request; use a new one for each",
        )),
        Known::Answer { body, .. } if body.is_empty() && !named.keep => Err(Error::settled(
            "Idempotency-Key: this was done already; its answer holds a secret and is not kept",
        )),
        Known::Answer { status, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
            response.headers_mut().insert("idempotency-replayed", http::HeaderValue::from_static("true"));
            Ok(Turn::Answer(Box::new(response)))
        }
    }
}

impl Named {
    /// Keeps the answer. A refused call changed nothing, so that its name may be used again.
    pub(super) async fn answered(self, ctx: &Ctx, answer: Result<(StatusCode, &str), ()>) {
        let answer = answer
            .ok()
            .map(|(status, body)| (status.as_u16(), if self.keep { body.to_owned() } else { String::new() }));
        if let Err(e) = ctx.store.end_call(self.owner, self.key, answer).await {
            error::log("the answer to a named call was not kept", &e.into());
        }
    }
}

/// An error as an answer to a request at `path`.
pub(super) fn problem(error: Error, path: &str) -> Response {
    ApiError::new(error, path).into_response()
}
