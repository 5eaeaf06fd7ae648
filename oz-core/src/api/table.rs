//! The rows of the table, and what stands beside it. Columns: who may call, method, status of success, path, request
//! and response.

use super::*;

macro_rules! endpoints {
    ($( $(#[doc = $doc:literal])+ $auth:ident $method:ident $status:literal $path:literal $req:ty => $res:ty; )*) => {
        $( impl Endpoint for $req {
            const INFO: Info = Info {
                id: stringify!($req), doc: concat!($($doc),+), auth: Auth::$auth, method: Method::$method, status: $status,
                path: $path,
                #[cfg(feature = "schema")]
                request: |g| g.subschema_for::<$req>(),
                #[cfg(feature = "schema")]
                response: |g| g.subschema_for::<$res>(),
                check: |value| decode::<$req>(value).map(drop),
            };
            type Response = $res;
        } )*
        /// Every row of the table.
        pub static ALL: &[Info] = &[ $( <$req as Endpoint>::INFO ),* ];
    };
}

endpoints! {
    /// Dispatch a run.
    Any POST 200 "/agent/runs" CreateRun => RunCreated;
    /// List runs, a page at a time.
    Any GET 200 "/agent/runs" ListRuns => RunPage;
    /// Get one run.
    Any GET 200 "/agent/runs/{run_id}" GetRun => crate::Run;
    /// Cancel a run. Answers with the run's id.
    Any POST 200 "/agent/runs/{run_id}/cancel" CancelRun => String;
    /// Give a run more to do: a queued run gets it with its prompt, a working one after its work, an ended one goes on.
    Any POST 200 "/agent/runs/{run_id}/followups" SubmitFollowup => Empty;
    /// (+) List what the agent of a run needs of a human.
    Any GET 200 "/agent/runs/{run_id}/requests" ListRunRequests => RunRequestList;
    /// (+) Answer what the agent of a run needs: approve, deny, or say something.
    Key POST 200 "/agent/runs/{run_id}/requests/{request_id}/answer" AnswerRunRequest => RunRequest;
    /// Get the conversation of a run.
    Any GET 200 "/agent/runs/{run_id}/conversation" GetRunConversation => crate::conversation::Conversation;
    /// (+) Read a run's events and transcript after a cursor.
    Any GET 200 "/agent/runs/{run_id}/log" ReadLog => LogPage;
    /// Store the cursor of a run's event consumer.
    Any PATCH 200 "/agent/runs/{run_id}/event-sequence" StoreEventSequence => Empty;
    /// Tell of something that happened while a run was prepared.
    Any POST 200 "/agent/runs/{run_id}/client-events" ReportClientEvent => Empty;
    /// List the files that the workspace of a run left behind.
    Any GET 200 "/agent/runs/{run_id}/handoff/attachments" ListHandoffAttachments => AttachmentList;
    /// Prepare the upload of attachments to a run.
    Any POST 200 "/agent/runs/{run_id}/attachments/prepare" PrepareAttachments => AttachmentsPrepared;
    /// Get the addresses of some attachments of a run.
    Any POST 200 "/agent/runs/{run_id}/attachments/download" DownloadAttachments => AttachmentList;
    /// Prepare the upload of a workspace for a run that does not exist yet.
    Key POST 200 "/agent/handoff/upload-snapshot" UploadHandoff => HandoffPrepared;
    /// Get a conversation.
    Any GET 200 "/agent/conversations/{conversation_id}" GetConversation => crate::conversation::Conversation;
    /// Which session a conversation went on in, if one is live. Needs no key: it tells nothing but ids.
    Open GET 200 "/agent/conversations/{conversation_id}/redirect" CheckConversationRedirect => ConversationRedirect;
    /// Fork a conversation: a new one that begins as a copy of it.
    Key POST 200 "/agent/conversations/{conversation_id}/fork" ForkConversation => ConversationForked;
    /// Rename a conversation.
    Key POST 200 "/agent/conversations/{conversation_id}/rename" RenameConversation => ConversationTitle;
    /// Which conversation holds what happened in a session that is over. Needs no key: it tells nothing but ids.
    Open GET 200 "/agent/sessions/{session_id}/redirect" CheckSessionRedirect => SessionRedirect;
    /// Send a message from one run to others of the same family.
    Any POST 200 "/agent/messages" SendMessage => MessageSent;
    /// List the messages that a run got, newest first.
    Any GET 200 "/agent/messages/{run_id}" ListMessages => Vec<MessageHeader>;
    /// Read a message; it counts as read from then on.
    Any POST 200 "/agent/messages/{message_id}/read" ReadMessage => Message;
    /// Say that a message reached the agent.
    Any POST 204 "/agent/messages/{message_id}/delivered" MessageDelivered => Empty;
    /// Read the events of some runs after a cursor.
    Any GET 200 "/agent/events" ListEvents => Vec<crate::event::Event>;
    /// Tell of a change in a run.
    Any POST 200 "/agent/events/{run_id}" ReportEvent => EventReported;
    /// Make a schedule.
    Key POST 201 "/agent/schedules" CreateSchedule => Schedule;
    /// List schedules.
    Key GET 200 "/agent/schedules" ListSchedules => ScheduleList;
    /// Get a schedule.
    Key GET 200 "/agent/schedules/{schedule_id}" GetSchedule => Schedule;
    /// Replace a schedule.
    Key PUT 200 "/agent/schedules/{schedule_id}" UpdateSchedule => Schedule;
    /// Delete a schedule.
    Key DELETE 200 "/agent/schedules/{schedule_id}" DeleteSchedule => Done;
    /// Stop a schedule from firing.
    Key POST 200 "/agent/schedules/{schedule_id}/pause" PauseSchedule => Schedule;
    /// Let a schedule fire again.
    Key POST 200 "/agent/schedules/{schedule_id}/resume" ResumeSchedule => Schedule;
    /// (+) Make a run of a schedule now, whether or not it is paused; its times stay as they are.
    Key POST 200 "/agent/schedules/{schedule_id}/run" RunSchedule => RunCreated;
    /// (+) List what became of the times of a schedule.
    Key GET 200 "/agent/schedules/{schedule_id}/history" ListScheduleHistory => ScheduleTickList;
    /// List the skills in the repositories that runs have used.
    Key GET 200 "/agent" ListSkills => SkillList;
    /// List models.
    Any GET 200 "/agent/models" ListModels => ModelList;
    /// Make an agent identity.
    User POST 201 "/agent/identities" CreateIdentity => Identity;
    /// List agent identities.
    Key GET 200 "/agent/identities" ListIdentities => IdentityList;
    /// Get an agent identity.
    Key GET 200 "/agent/identities/{uid}" GetIdentity => Identity;
    /// Change an agent identity.
    User PUT 200 "/agent/identities/{uid}" UpdateIdentity => Identity;
    /// Delete an agent identity and its keys.
    User DELETE 204 "/agent/identities/{uid}" DeleteIdentity => Empty;
    /// List environments.
    Key GET 200 "/agent/environments" ListEnvironments => EnvironmentList;
    /// (+) List images that environments may use: well-known ones, and those that the team uses.
    Key GET 200 "/agent/environment-images" ListImages => ImageList;
    /// (+) Make an environment.
    Key POST 201 "/agent/environments" CreateEnvironment => Environment;
    /// (+) Get an environment.
    Key GET 200 "/agent/environments/{uid}" GetEnvironment => Environment;
    /// (+) Replace what an environment is made of.
    Key PUT 200 "/agent/environments/{uid}" UpdateEnvironment => Environment;
    /// (+) Delete an environment.
    Key DELETE 204 "/agent/environments/{uid}" DeleteEnvironment => Empty;
    /// (+) List shared MCP servers.
    Key GET 200 "/agent/mcp-servers" ListMcpServers => McpServerList;
    /// (+) Share an MCP server.
    Key POST 201 "/agent/mcp-servers" CreateMcpServer => McpServer;
    /// (+) Get a shared MCP server.
    Key GET 200 "/agent/mcp-servers/{uid}" GetMcpServer => McpServer;
    /// (+) Replace a shared MCP server.
    Key PUT 200 "/agent/mcp-servers/{uid}" UpdateMcpServer => McpServer;
    /// (+) Delete a shared MCP server.
    Key DELETE 204 "/agent/mcp-servers/{uid}" DeleteMcpServer => Empty;
    /// (+) List profiles.
    Key GET 200 "/agent/profiles" ListProfiles => ProfileList;
    /// (+) Make a profile.
    Key POST 201 "/agent/profiles" CreateProfile => Profile;
    /// (+) Get a profile.
    Key GET 200 "/agent/profiles/{uid}" GetProfile => Profile;
    /// (+) Replace a profile.
    Key PUT 200 "/agent/profiles/{uid}" UpdateProfile => Profile;
    /// (+) Delete a profile.
    Key DELETE 204 "/agent/profiles/{uid}" DeleteProfile => Empty;
    /// (+) Get the public key that values of secrets are sealed with.
    Key GET 200 "/agent/secrets/sealing-key" GetSealingKey => SealingKey;
    /// (+) List what was done with secrets: who used what when.
    Key GET 200 "/agent/secrets/log" ListSecretLog => SecretLog;
    /// (+) List secrets: the team's and the caller's own. Values can't be read.
    Key GET 200 "/agent/secrets" ListSecrets => SecretList;
    /// (+) Make a secret.
    Key POST 201 "/agent/secrets" CreateSecret => Secret;
    /// (+) Change a secret; its name, type and owner stay.
    Key PUT 200 "/agent/secrets/{uid}" UpdateSecret => Secret;
    /// (+) Delete a secret; no later run gets it.
    Key DELETE 204 "/agent/secrets/{uid}" DeleteSecret => Empty;
    /// (+) List saved prompts.
    Key GET 200 "/agent/saved-prompts" ListSavedPrompts => SavedPromptList;
    /// (+) Save a prompt.
    Key POST 201 "/agent/saved-prompts" CreateSavedPrompt => SavedPrompt;
    /// (+) Get a saved prompt.
    Key GET 200 "/agent/saved-prompts/{uid}" GetSavedPrompt => SavedPrompt;
    /// (+) Replace a saved prompt.
    Key PUT 200 "/agent/saved-prompts/{uid}" UpdateSavedPrompt => SavedPrompt;
    /// (+) Delete a saved prompt.
    Key DELETE 204 "/agent/saved-prompts/{uid}" DeleteSavedPrompt => Empty;
    /// (+) List runners.
    Key GET 200 "/agent/runners" ListRunners => RunnerList;
    /// (+) Make a runner.
    Key POST 201 "/agent/runners" CreateRunner => Runner;
    /// (+) Get a runner.
    Key GET 200 "/agent/runners/{uid}" GetRunner => Runner;
    /// (+) Replace a runner.
    Key PUT 200 "/agent/runners/{uid}" UpdateRunner => Runner;
    /// (+) Delete a runner.
    Key DELETE 204 "/agent/runners/{uid}" DeleteRunner => Empty;
    /// (+) List model services.
    Key GET 200 "/agent/model-endpoints" ListModelEndpoints => ModelEndpointList;
    /// (+) Add a model service, on localhost too.
    Key POST 201 "/agent/model-endpoints" CreateModelEndpoint => ModelEndpoint;
    /// (+) Get a model service.
    Key GET 200 "/agent/model-endpoints/{uid}" GetModelEndpoint => ModelEndpoint;
    /// (+) Replace a model service.
    Key PUT 200 "/agent/model-endpoints/{uid}" UpdateModelEndpoint => ModelEndpoint;
    /// (+) Delete a model service.
    Key DELETE 204 "/agent/model-endpoints/{uid}" DeleteModelEndpoint => Empty;
    /// (+) Get the budget of the caller's team.
    Key GET 200 "/agent/budget" GetBudget => Budget;
    /// (+) Replace the budget of the caller's team.
    Admin PUT 200 "/agent/budget" UpdateBudget => Budget;
    /// (+) Add up what runs used.
    Key GET 200 "/agent/usage" GetUsage => UsageReport;
    /// (+) List keys: the caller's own and those of the team's agents.
    User GET 200 "/agent/api-keys" ListApiKeys => ApiKeyList;
    /// (+) Make a key.
    User POST 201 "/agent/api-keys" CreateApiKey => ApiKeyCreated;
    /// (+) Delete a key; it ends at once.
    User DELETE 204 "/agent/api-keys/{uid}" DeleteApiKey => Empty;
    /// (+) Get the caller's team.
    Key GET 200 "/agent/team" GetTeam => Team;
    /// (+) Rename the caller's team.
    Admin PUT 200 "/agent/team" UpdateTeam => Team;
    /// (+) Make another team on this server, with the caller as its admin.
    Admin POST 201 "/agent/teams" CreateTeam => TeamJoined;
    /// (+) List the people of the caller's team.
    Key GET 200 "/agent/users" ListUsers => UserList;
    /// (+) Change the role of a person.
    Admin PUT 200 "/agent/users/{uid}" UpdateUser => TeamMember;
    /// (+) Remove a person from the team; its keys for the team end at once.
    Admin DELETE 204 "/agent/users/{uid}" RemoveUser => Empty;
    /// (+) Invite a person to the caller's team.
    Admin POST 201 "/agent/invitations" CreateInvitation => InvitationCreated;
    /// (+) List open invitations.
    Admin GET 200 "/agent/invitations" ListInvitations => InvitationList;
    /// (+) Withdraw an invitation.
    Admin DELETE 204 "/agent/invitations/{uid}" DeleteInvitation => Empty;
    /// (+) Accept an invitation: makes the person and its first key.
    Open POST 201 "/agent/invitations/accept" AcceptInvitation => TeamJoined;
    /// Get an artifact: its content, or where to fetch it.
    Any GET 200 "/agent/artifacts/{artifact_uid}" GetArtifact => ArtifactContent;
    /// (+) Make an artifact with bytes.
    Any POST 201 "/agent/artifacts" CreateArtifact => ArtifactCreated;
    /// List memory stores.
    Key GET 200 "/memory_stores" ListMemoryStores => MemoryStoreList;
    /// (+) Make a memory store.
    Key POST 201 "/memory_stores" CreateMemoryStore => MemoryStore;
    /// Get a memory store.
    Key GET 200 "/memory_stores/{uid}" GetMemoryStore => MemoryStore;
    /// Change what a memory store says of itself.
    Key PUT 200 "/memory_stores/{uid}" UpdateMemoryStore => MemoryStore;
    /// List the agents that may use a memory store.
    Key GET 200 "/memory_stores/{uid}/agents" ListStoreAgents => StoreAgentList;
    /// List the memories of a store.
    Key GET 200 "/memory_stores/{uid}/memories" ListMemories => MemoryList;
    /// Add a memory.
    Key POST 200 "/memory_stores/{uid}/memories" CreateMemory => MemoryWritten;
    /// Change a memory.
    Key PUT 200 "/memory_stores/{uid}/memories/{memory_id}" UpdateMemory => MemoryWritten;
    /// Delete a memory; its versions stay.
    Key DELETE 204 "/memory_stores/{uid}/memories/{memory_id}" DeleteMemory => Empty;
    /// List the versions of a memory.
    Key GET 200 "/memory_stores/{uid}/memories/{memory_id}/versions" ListMemoryVersions => MemoryVersionList;
    /// List the workers that are connected.
    Key GET 200 "/agent/connected-self-hosted-workers" ListWorkers => WorkerList;
    /// (+) Who the caller is.
    Key GET 200 "/agent/whoami" WhoAmI => Account;
    /// (+) Record a run that its creator's own machine executes, and get the token for its agent.
    Key POST 200 "/agent/local-runs" CreateLocalRun => LocalRunCreated;
    /// (+) Read what the agent of this run is to do; tells the platform that it lives.
    Workload GET 200 "/harness-support/run" GetOwnRun => crate::Run;
    /// (+) Change the state of this run.
    Workload POST 200 "/harness-support/update-run" UpdateRun => RunStatus;
    /// (+) Append to the transcript of this run; an empty list just tells that the agent lives.
    Workload POST 200 "/harness-support/transcript-entries" AppendTranscript => RunStatus;
    /// (+) Wait for what the agent of this run is to know: follow-ups, or its end.
    Workload GET 200 "/harness-support/status" GetRunStatus => RunStatus;
    /// (+) Ask a human, as the agent of this run.
    Workload POST 200 "/harness-support/requests" RaiseRequest => RunRequest;
    /// (+) Read what came of a request of this run.
    Workload GET 200 "/harness-support/requests/{request_id}" GetOwnRequest => RunRequest;
    /// (+) Get the credentials of this run: its secrets, and what logs it in to git and model services.
    Workload POST 200 "/harness-support/credentials" GetRunCredentials => RunCredentials;
    /// (+) Issue an OpenID Connect token that proves which run this is.
    Workload POST 200 "/harness-support/identity-token" IssueIdentityToken => IdentityToken;
    /// (+) List the files that came with this run.
    Workload GET 200 "/harness-support/attachments" ListOwnAttachments => AttachmentList;
    /// (+) Tell which skills this run found in a repository.
    Workload POST 200 "/harness-support/report-skills" ReportSkills => Empty;
    /// (+) Look for memories in the stores that this run may use.
    Workload POST 200 "/harness-support/memories/search" SearchOwnMemories => MemoryMatchList;
    /// (+) Remember something in a store that this run may write.
    Workload POST 200 "/harness-support/memories" WriteOwnMemory => MemoryWritten;
    /// Name the conversation of a foreign harness.
    Workload POST 200 "/harness-support/external-conversation" CreateExternalConversation => ExternalConversation;
    /// Prepare the upload of the raw transcript of this run's conversation.
    Workload POST 200 "/harness-support/transcript" UploadTranscript => UploadTarget;
    /// Prepare the upload of the blocks of this run's conversation.
    Workload POST 200 "/harness-support/block-snapshot" UploadBlocks => UploadTarget;
    /// Make the prompt of this run.
    Workload POST 200 "/harness-support/resolve-prompt" ResolvePrompt => PromptResolved;
    /// Tell who asked for this run something.
    Workload POST 200 "/harness-support/notify-user" NotifyUser => Empty;
    /// Prepare the upload of this run's workspace.
    Workload POST 200 "/harness-support/upload-snapshot" UploadSnapshot => UploadsPrepared;
    /// Declare a checkpoint of this run's workspace complete.
    Workload POST 200 "/harness-support/commit-snapshot" CommitSnapshot => SnapshotCommitted;
    /// Report an artifact of this run.
    Workload POST 200 "/harness-support/report-artifact" ReportArtifact => ArtifactReported;
    /// End this run.
    Workload POST 200 "/harness-support/finish-task" FinishTask => Empty;
    /// Tell that the agent process of this run ends.
    Workload POST 200 "/harness-support/report-shutdown" ReportShutdown => Empty;
}

/// The routes that can't be rows of the table, because they answer with a stream, a socket or a redirect.
pub const BY_HAND: &[(&str, &str, &str)] = &[
    (
        "GET",
        "/api/v1/agent/runs/{run_id}/transcript",
        "302 to a signed URL of the raw transcript (JSON Lines)",
    ),
    (
        "GET",
        "/api/v1/agent/runs/{run_id}/stream",
        "(+) server-sent events: a run's events and transcript, live",
    ),
    ("GET", "/api/v1/agent/events/stream", "server-sent events: the events of some runs, live"),
    (
        "GET",
        "/api/v1/agent/conversations/{conversation_id}/block-snapshot",
        "307 to a signed URL of the blocks",
    ),
    (
        "GET",
        "/api/v1/harness-support/transcript",
        "307 to a signed URL of the raw transcript of a foreign harness",
    ),
    ("GET", "/api/v1/blobs/transcripts/{run_id}", "bytes behind a signed URL"),
    ("GET", "/api/v1/blobs/{file_id}", "bytes behind a signed URL"),
    ("PUT", "/api/v1/blobs/{file_id}", "takes bytes at a signed URL"),
    ("GET", "/api/v1/selfhosted/worker/ws", "the worker socket"),
    ("GET", "/openapi.json", "the OpenAPI document"),
    ("GET", "/.well-known/openid-configuration", "what others need to check identity tokens of runs"),
    ("GET", "/.well-known/jwks.json", "the public keys of identity tokens of runs"),
    ("GET", "/healthz", "200 while the process lives"),
    ("GET", "/readyz", "200 while the store answers"),
];

/// An older spelling of some paths, answered like the newer one: prefix to replace, replacement, whether the whole
/// path must match.
pub const ALIASES: &[(&str, &str, bool)] = &[
    ("/api/v1/agent/run", "/api/v1/agent/runs", true),
    ("/api/v1/agent/tasks", "/api/v1/agent/runs", true),
    ("/api/v1/agent/tasks/", "/api/v1/agent/runs/", false),
];
