//! Every route against every kind of caller: who gets in, and who learns nothing. The table is written out, so that a
//! change of the rules has to be made twice, once here by hand.

mod scene;

use futures_util::StreamExt as _;
use oz_core::api::{ALL, BASE};
use scene::{Answer, Plane, Scene, call};

/// The columns of the table. The old run's token belongs to an execution that is over.
const CALLERS: [&str; 9] =
    ["nobody", "bad key", "member", "admin", "agent", "stranger", "own run", "other run", "old run"];

/// One row per endpoint. A stranger is the admin of another team; its own things are its own to make and list.
const TABLE: &str = "
                             nobody bad member admin agent stranger own other old
    CreateRun                  401  401   200   200   200    200    200  200  409
    ListRuns                   401  401   200   200   200    200    200  200  200
    GetRun                     401  401   200   200   200    404    200  404  404
    CancelRun                  401  401   200   200   200    404    403  404  404
    SubmitFollowup             401  401   200   200   200    404    200  404  404
    ListRunRequests            401  401   200   200   200    404    200  404  404
    AnswerRunRequest           401  401   409   409   409    404    403  403  403
    GetRunConversation         401  401   200   200   200    404    200  404  404
    ReadLog                    401  401   200   200   200    404    200  404  404
    StoreEventSequence         401  401   200   200   200    404    200  404  404
    ReportClientEvent          401  401   200   200   200    404    200  404  404
    ListHandoffAttachments     401  401   200   200   200    404    200  404  404
    PrepareAttachments         401  401   200   200   200    404    200  404  404
    DownloadAttachments        401  401   200   200   200    404    200  404  404
    UploadHandoff              401  401   200   200   200    200    403  403  403
    GetConversation            401  401   200   200   200    404    200  404  404
    CheckConversationRedirect  200  200   200   200   200    200    200  200  200
    ForkConversation           401  401   200   200   200    404    403  403  403
    RenameConversation         401  401   200   200   200    404    403  403  403
    CheckSessionRedirect       200  200   200   200   200    200    200  200  200
    SendMessage                401  401   200   200   200    400    200  403  403
    ListMessages               401  401   200   200   200    404    200  404  404
    ReadMessage                401  401   200   200   200    404    200  404  404
    MessageDelivered           401  401   204   204   204    404    204  404  404
    ListEvents                 401  401   200   200   200    404    200  404  404
    ReportEvent                401  401   200   200   200    404    200  404  404
    CreateSchedule             401  401   201   201   201    201    403  403  403
    ListSchedules              401  401   200   200   200    200    403  403  403
    GetSchedule                401  401   200   200   200    404    403  403  403
    UpdateSchedule             401  401   200   200   200    404    403  403  403
    DeleteSchedule             401  401   200   200   200    404    403  403  403
    PauseSchedule              401  401   200   200   200    404    403  403  403
    ResumeSchedule             401  401   200   200   200    404    403  403  403
    RunSchedule                401  401   200   200   200    404    403  403  403
    ListScheduleHistory        401  401   200   200   200    404    403  403  403
    ListSkills                 401  401   200   200   200    200    403  403  403
    ListModels                 401  401   200   200   200    200    200  200  200
    ListImages                 401  401   200   200   200    200    403  403  403
    CreateIdentity             401  401   201   201   403    201    403  403  403
    ListIdentities             401  401   200   200   200    200    403  403  403
    GetIdentity                401  401   200   200   200    404    403  403  403
    UpdateIdentity             401  401   200   200   403    404    403  403  403
    DeleteIdentity             401  401   204   204   403    404    403  403  403
    ListEnvironments           401  401   200   200   200    200    403  403  403
    CreateEnvironment          401  401   201   201   201    201    403  403  403
    GetEnvironment             401  401   200   200   200    404    403  403  403
    UpdateEnvironment          401  401   200   200   200    404    403  403  403
    DeleteEnvironment          401  401   204   204   204    404    403  403  403
    ListMcpServers             401  401   200   200   200    200    403  403  403
    CreateMcpServer            401  401   201   201   201    201    403  403  403
    GetMcpServer               401  401   200   200   200    404    403  403  403
    UpdateMcpServer            401  401   200   200   200    404    403  403  403
    DeleteMcpServer            401  401   204   204   204    404    403  403  403
    ListProfiles               401  401   200   200   200    200    403  403  403
    CreateProfile              401  401   201   201   201    201    403  403  403
    GetProfile                 401  401   200   200   200    404    403  403  403
    UpdateProfile              401  401   200   200   200    404    403  403  403
    DeleteProfile              401  401   204   204   204    404    403  403  403
    GetSealingKey              401  401   200   200   200    200    403  403  403
    ListSecretLog              401  401   200   200   200    200    403  403  403
    ListSecrets                401  401   200   200   200    200    403  403  403
    CreateSecret               401  401   201   201   201    400    403  403  403
    UpdateSecret               401  401   200   200   200    404    403  403  403
    DeleteSecret               401  401   204   204   204    404    403  403  403
    ListSavedPrompts           401  401   200   200   200    200    403  403  403
    CreateSavedPrompt          401  401   201   201   201    201    403  403  403
    GetSavedPrompt             401  401   200   200   200    404    403  403  403
    UpdateSavedPrompt          401  401   200   200   200    404    403  403  403
    DeleteSavedPrompt          401  401   204   204   204    404    403  403  403
    ListRunners                401  401   200   200   200    200    403  403  403
    CreateRunner               401  401   201   201   201    201    403  403  403
    GetRunner                  401  401   200   200   200    404    403  403  403
    UpdateRunner               401  401   200   200   200    404    403  403  403
    DeleteRunner               401  401   204   204   204    404    403  403  403
    ListModelEndpoints         401  401   200   200   200    200    403  403  403
    CreateModelEndpoint        401  401   201   201   201    201    403  403  403
    GetModelEndpoint           401  401   200   200   200    404    403  403  403
    UpdateModelEndpoint        401  401   200   200   200    404    403  403  403
    DeleteModelEndpoint        401  401   204   204   204    404    403  403  403
    GetBudget                  401  401   200   200   200    200    403  403  403
    UpdateBudget               401  401   403   200   403    200    403  403  403
    GetUsage                   401  401   200   200   200    200    403  403  403
    ListApiKeys                401  401   200   200   403    200    403  403  403
    CreateApiKey               401  401   201   201   403    404    403  403  403
    DeleteApiKey               401  401   204   204   403    404    403  403  403
    GetTeam                    401  401   200   200   200    200    403  403  403
    UpdateTeam                 401  401   403   200   403    200    403  403  403
    CreateTeam                 401  401   403   201   403    201    403  403  403
    ListUsers                  401  401   200   200   200    200    403  403  403
    UpdateUser                 401  401   403   200   403    404    403  403  403
    RemoveUser                 401  401   403   204   403    404    403  403  403
    CreateInvitation           401  401   403   201   403    201    403  403  403
    ListInvitations            401  401   403   200   403    200    403  403  403
    DeleteInvitation           401  401   403   204   403    404    403  403  403
    AcceptInvitation           201  201   201   201   201    201    201  201  201
    GetArtifact                401  401   200   200   200    404    200  404  404
    CreateArtifact             401  401   201   201   201    404    201  404  409
    ListMemoryStores           401  401   200   200   200    200    403  403  403
    CreateMemoryStore          401  401   201   201   201    201    403  403  403
    GetMemoryStore             401  401   200   200   200    404    403  403  403
    UpdateMemoryStore          401  401   200   200   200    404    403  403  403
    ListStoreAgents            401  401   200   200   200    404    403  403  403
    ListMemories               401  401   200   200   200    404    403  403  403
    CreateMemory               401  401   200   200   200    404    403  403  403
    UpdateMemory               401  401   200   200   200    404    403  403  403
    DeleteMemory               401  401   204   204   204    404    403  403  403
    ListMemoryVersions         401  401   200   200   200    404    403  403  403
    ListWorkers                401  401   200   200   200    200    403  403  403
    WhoAmI                     401  401   200   200   200    200    403  403  403
    CreateLocalRun             401  401   200   200   200    200    403  403  403
    GetOwnRun                  401  401   403   403   403    403    200  200  409
    UpdateRun                  401  401   403   403   403    403    200  200  409
    AppendTranscript           401  401   403   403   403    403    200  200  409
    GetRunStatus               401  401   403   403   403    403    200  200  409
    RaiseRequest               401  401   403   403   403    403    200  200  409
    GetOwnRequest              401  401   403   403   403    403    200  404  409
    GetRunCredentials          401  401   403   403   403    403    200  200  409
    IssueIdentityToken         401  401   403   403   403    403    200  200  409
    ListOwnAttachments         401  401   403   403   403    403    200  200  200
    ReportSkills               401  401   403   403   403    403    200  200  409
    SearchOwnMemories          401  401   403   403   403    403    200  200  409
    WriteOwnMemory             401  401   403   403   403    403    200  404  409
    CreateExternalConversation 401  401   403   403   403    403    200  200  409
    UploadTranscript           401  401   403   403   403    403    200  404  409
    UploadBlocks               401  401   403   403   403    403    200  404  409
    ResolvePrompt              401  401   403   403   403    403    200  200  200
    NotifyUser                 401  401   403   403   403    403    200  200  409
    UploadSnapshot             401  401   403   403   403    403    200  200  200
    CommitSnapshot             401  401   403   403   403    403    409  409  409
    ReportArtifact             401  401   403   403   403    403    200  200  409
    FinishTask                 401  401   403   403   403    403    200  200  409
    ReportShutdown             401  401   403   403   403    403    200  200  200
";

/// The routes outside the endpoint table that ask for a key.
const BY_HAND: &str = "
    GET /api/v1/agent/runs/{run}/transcript                           401 401 302 302 302 404 302 404 404
    GET /api/v1/agent/runs/{run}/transcript?raw=1                     401 401 302 302 302 404 302 404 404
    GET /api/v1/agent/runs/{run}/stream                               401 401 200 200 200 404 200 404 404
    GET /api/v1/agent/events/stream?run_ids[]={run}                   401 401 200 200 200 404 200 404 404
    GET /api/v1/agent/events/stream?ancestor_run_id={run}             401 401 200 200 200 404 200 404 404
    GET /api/v1/agent/conversations/{conversation}/block-snapshot     401 401 307 307 307 404 403 403 403
    GET /api/v1/harness-support/transcript                            401 401 403 403 403 403 307 404 404
";

fn rows(table: &str) -> Vec<(String, Vec<u16>)> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, numbers) = words.split_at(words.len().checked_sub(CALLERS.len())?);
        Some((name.join(" "), numbers.iter().map(|n| n.parse().ok()).collect::<Option<_>>()?))
    };
    table.lines().filter_map(row).collect()
}

async fn every_route_and_caller(ctx: &Plane) {
    let table = rows(TABLE);
    let by_hand = rows(BY_HAND);
    let listed: Vec<&str> = table.iter().map(|(name, _)| name.as_str()).collect();
    let known: Vec<&str> = ALL.iter().map(|info| info.id).collect();
    for id in &known {
        assert!(listed.contains(id), "{id} has no row in the table of callers");
    }
    assert_eq!(listed.len(), known.len(), "a row has no endpoint");
    assert_eq!(by_hand.len(), 7);
    let mut cells = Vec::new();
    for (name, expected) in table.iter().chain(&by_hand) {
        for (caller, expected) in CALLERS.iter().zip(expected) {
            cells.push((name.clone(), *caller, *expected));
        }
    }
    let wrong: Vec<String> = futures_util::stream::iter(cells)
        .map(|(name, caller, expected)| cell(ctx.clone(), name, caller, expected))
        .buffer_unordered(64)
        .filter_map(|wrong| async { wrong })
        .collect()
        .await;
    assert!(wrong.is_empty(), "{} cells differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Tries one cell of the table in a scene of its own. Returns what is wrong.
async fn cell(ctx: Plane, name: String, caller: &str, expected: u16) -> Option<String> {
    let scene = Scene::set(&ctx).await;
    let mut keys = vec![scene.key(caller)];
    if caller == "bad key" {
        keys = scene.bad_keys();
        if expected < 300 {
            // An open endpoint does not look at keys, and an invitation can be accepted once.
            keys.truncate(1);
        }
    }
    for key in keys {
        let (method, path, body) = match name.split_once(' ') {
            Some((method, path)) => (method.to_owned(), scene.fill(path), None),
            None => scene.request(&name),
        };
        let answer = call(&ctx, &method, &path, key.as_deref(), body).await;
        if answer.status != expected {
            return Some(format!(
                "{name} by {caller}: {} instead of {expected}: {}",
                answer.status, answer.text
            ));
        }
        let outsider = matches!(caller, "nobody" | "bad key" | "stranger" | "other run");
        let invited = name == "AcceptInvitation";
        // Every run of the team may use the services of the team.
        let served = name == "GetRunCredentials" && caller == "other run";
        if outsider && !invited && !served && answer.text.contains(&scene.secret) {
            return Some(format!("{name} tells {caller} what it must not know: {}", answer.text));
        }
        if outsider && !invited && expected == 404 {
            return unguessable(&ctx, &scene, &name, key.as_deref(), &answer).await;
        }
    }
    None
}

/// What is not the caller's must look like what is not there at all.
async fn unguessable(
    ctx: &Plane,
    scene: &Scene,
    name: &str,
    key: Option<&str>,
    answer: &Answer,
) -> Option<String> {
    let nowhere = scene.with_other_ids();
    let (method, path, body) = match name.split_once(' ') {
        Some((method, path)) => (method.to_owned(), nowhere.fill(path), None),
        None => nowhere.request(name),
    };
    let missing = call(ctx, &method, &path, key, body).await;
    let shape = |answer: &Answer, scene: &Scene| (answer.status, scene.without_ids(&answer.text));
    let (theirs, nothing) = (shape(answer, scene), shape(&missing, &nowhere));
    (theirs != nothing).then(|| format!("{name} can be told apart: {theirs:?} is not {nothing:?}"))
}

#[tokio::test]
async fn every_route_and_caller_on_sqlite() {
    let (ctx, _bed) = crate::testing::ctx().await;
    every_route_and_caller(&Plane::new(ctx)).await;
}

#[tokio::test]
async fn every_route_and_caller_on_postgres() {
    let Some((ctx, _bed)) = crate::testing::ctx_on_postgres().await else { return };
    every_route_and_caller(&Plane::new(ctx)).await;
}

#[tokio::test]
async fn a_key_ends_at_once_when_it_is_deleted_or_its_owner_leaves() {
    let (ctx, _bed) = crate::testing::ctx().await;
    let ctx = Plane::new(ctx);
    let scene = Scene::set(&ctx).await;
    let admin = scene.key("admin");
    let whoami = format!("{BASE}/agent/whoami");
    for (caller, path) in [
        ("member", format!("{BASE}/agent/users/{}", scene.id("member"))),
        ("agent", format!("{BASE}/agent/identities/{}", scene.id("identity"))),
    ] {
        let key = scene.key(caller);
        assert_eq!(call(&ctx, "GET", &whoami, key.as_deref(), None).await.status, 200);
        assert_eq!(call(&ctx, "DELETE", &path, admin.as_deref(), None).await.status, 204);
        assert_eq!(call(&ctx, "GET", &whoami, key.as_deref(), None).await.status, 401, "{caller}");
    }
    let path = format!("{BASE}/agent/users/{}", scene.id("admin"));
    let last = call(&ctx, "DELETE", &path, admin.as_deref(), None);
    assert_eq!(last.await.status, 409, "the last admin stays");
}
