//! What a run gets of secrets, what each serves, and what is written down of it.

mod scope;

use super::{Bed, team};
use crate::{
    auth,
    ctx::now,
    store::{
        accounts::{Caller, Member, Workload},
        credentials::{Given, StoredSecret},
        executions::Report,
        objects::{Kind, NewObject},
        runs::NewRun,
    },
    vault::Sealed,
};
use oz_core::{
    ConversationId, Error, RunId,
    api::{
        CreateIdentity, CreateSchedule, IdentityProfile, ListRuns, ListSecretLog, SecretAction,
        SubmitFollowup,
    },
    config::{
        AgentConfig, GitCredential, HarnessAuthSecrets, HarnessConfig, HarnessType, McpServerConfig,
        SecretRef,
    },
    environment::EnvironmentConfig,
    inference::{EndpointApi, EndpointConfig},
    run::{RunSource, StatusMessage},
    secret::SecretKind,
};

fn list(text: &str) -> Option<Vec<SecretRef>> {
    let name = |name: &str| SecretRef { name: name.to_owned() };
    match text {
        "." => None,
        "-" => Some(Vec::new()),
        names => Some(names.split(',').map(name).collect()),
    }
}

fn by(member: &Member) -> NewRun {
    NewRun {
        prompt: "x".into(),
        ..NewRun::by(member.clone(), RunId::mint(now()), ConversationId::mint(now()))
    }
}

impl Bed {
    async fn object<T: serde::Serialize>(&self, kind: Kind, name: &str, body: &T, team: bool) -> String {
        let new = NewObject::new(kind, name.into(), body, Some(team)).unwrap();
        self.store.create_object::<serde_json::Value>(self.member.clone(), new, now()).await.unwrap().uid
    }

    async fn environment(&self, secrets: Option<Vec<SecretRef>>) -> String {
        let config = EnvironmentConfig { name: "e".into(), secrets, ..EnvironmentConfig::default() };
        self.object(Kind::Environment, "e", &config, true).await
    }

    async fn agent_with(&self, secrets: Option<Vec<SecretRef>>) -> String {
        let profile = IdentityProfile { on_behalf_of_enabled: Some(true), ..IdentityProfile::default() };
        let name = auth::random_hex();
        let new = CreateIdentity { name, secrets, profile, ..CreateIdentity::default() };
        self.store.create_identity(self.member.clone(), new, now()).await.unwrap().uid
    }

    /// Makes a run and lets it begin.
    async fn begin(&self, new: NewRun) -> Workload {
        let local = new.local.clone();
        let run_no = self.store.create_run(new, now()).await.unwrap();
        match local {
            Some((_, hash)) => self.workload(&hash).await,
            None => self.offer(run_no).await,
        }
    }

    /// The run that a schedule makes with this configuration.
    async fn scheduled(&self, config: AgentConfig, agent_uid: Option<String>) -> Workload {
        let new = CreateSchedule {
            name: "s".into(),
            cron_schedule: "* * * * *".into(),
            prompt: Some("x".into()),
            agent_config: Some(config),
            agent_uid,
            ..CreateSchedule::default()
        };
        let made = self.store.create_schedule(self.member.clone(), new, now()).await.unwrap();
        assert_eq!(self.store.fire_schedules(made.history.next_run.unwrap()).await.unwrap(), 1);
        self.store.delete_schedule(self.member.clone(), made.id.clone()).await.unwrap();
        let query = ListRuns { schedule_id: Some(made.id), ..ListRuns::default() };
        let run_id = self.store.list_runs(self.caller(), query).await.unwrap().runs[0].run_id;
        self.offer(self.store.run_no(run_id).await.unwrap().unwrap()).await
    }

    /// Ends an execution, gives its run more to do, and lets it begin again.
    async fn asked(&self, who: Workload, by: &Caller) -> Workload {
        let more =
            SubmitFollowup { run_id: who.run_id, message: Some("more".into()), mode: None, interrupt: None };
        self.store.follow_up(by.clone(), more, now()).await.unwrap();
        self.report(&who, Report::Claimed).await;
        self.report(&who, Report::Completed).await;
        self.offer(who.run_no).await
    }

    async fn given(&self, who: &Workload) -> Given {
        self.store.run_credentials(who.clone(), now()).await.unwrap()
    }

    async fn value(&self, secret: &StoredSecret) -> String {
        let sealed = Sealed {
            key_id: &secret.key_id,
            owner_uid: &secret.owner_uid,
            name: &secret.name,
            kind: &secret.kind,
            value: &secret.value,
        };
        self.ctx.vault.reveal(sealed).await.unwrap().to_string()
    }

    async fn values(&self, secrets: &[StoredSecret]) -> Vec<String> {
        futures_util::future::join_all(secrets.iter().map(|secret| self.value(secret))).await
    }
}

fn child(of: &Workload, member: &Member, config: AgentConfig) -> NewRun {
    NewRun { parent: Some(of.run_no), source: RunSource::Orchestration, config, ..by(member) }
}

on_both! {
    async fn what_a_run_got_is_written_down_once_for_each_execution(bed: Bed) {
        let bob = team::join(&bed, "bob@example.com").await;
        bed.secret(&bed.member, false, "TEAM", "1").await;
        bed.secret(&bed.member, true, "OWN", "2").await;
        let config = AgentConfig { secrets: list("TEAM,OWN,X"), ..AgentConfig::default() };
        let who = bed.begin(NewRun { config, ..by(&bed.member) }).await;
        let of_run = ListSecretLog { run_id: Some(who.run_id), ..ListSecretLog::default() };
        assert!(bed.log(&bed.member, of_run.clone()).await.is_empty());
        for _ in 0..3 {
            bed.given(&who).await;
        }
        let seen = bed.log(&bed.member, of_run.clone()).await;
        let mut told: Vec<String> = seen
            .iter()
            .map(|e| format!("{} {} {}", e.action, e.name, e.scope.as_ref().map_or("-", |s| s.kind.as_str())))
            .collect();
        told.sort_unstable();
        assert_eq!(told, ["refused X -", "used OWN User", "used TEAM Team"]);
        assert!(seen.iter().all(|e| e.actor.as_ref().unwrap().uid == bed.member.principal.uid));
        let his = bed.log(&bob, of_run.clone()).await;
        assert!(his.iter().all(|e| e.name != "OWN"), "what is personal is its owner's to read");
        assert_eq!(his.len(), 2);
        let used = bed.store.secrets(bed.member.clone()).await.unwrap();
        assert!(used.iter().all(|secret| secret.last_used_at.is_some()));
        let again = bed.asked(who.clone(), &bed.caller()).await;
        let stale = Error::from(bed.store.run_credentials(who, now()).await.unwrap_err());
        assert_eq!(stale.http_status(), 409, "another execution has taken over");
        bed.given(&again).await;
        let query = ListSecretLog { name: Some("TEAM".into()), ..of_run };
        let used = bed.log(&bed.member, query).await;
        assert_eq!(used.iter().filter(|e| e.action == SecretAction::Used).count(), 2);
        bed.report(&again, Report::Claimed).await;
        bed.store.shut_down(again.clone(), Some(StatusMessage::info("x")), now()).await.unwrap();
        assert!(bed.store.run_credentials(again, now()).await.is_err(), "the run is over");
    }

    async fn what_a_personal_run_is_refused_its_owner_alone_reads(bed: Bed) {
        let bob = team::join(&bed, "bob@example.com").await;
        let config = AgentConfig { secrets: list("X"), ..AgentConfig::default() };
        let who = bed.begin(NewRun { config, personal: true, ..by(&bed.member) }).await;
        bed.given(&who).await;
        assert_eq!(bed.log(&bed.member, ListSecretLog::default()).await.len(), 1);
        assert!(bed.log(&bob, ListSecretLog::default()).await.is_empty());
    }

    async fn a_new_value_and_a_new_list_count_from_the_next_execution_on(bed: Bed) {
        let secret = bed.secret(&bed.member, false, "A", "old").await;
        let uid = bed.environment(list("A")).await;
        let config = AgentConfig { environment_id: Some(uid.clone()), ..AgentConfig::default() };
        let who = bed.begin(NewRun { config, ..by(&bed.member) }).await;
        assert_eq!(bed.values(&bed.given(&who).await.secrets).await, ["old"]);
        let sealed = bed.sealed(&bed.member, false, "A", &SecretKind::RawValue, "new").await;
        bed.store.update_secret(bed.member.clone(), secret.uid, None, Some(sealed), now()).await.unwrap();
        let who = bed.asked(who, &bed.caller()).await;
        assert_eq!(bed.values(&bed.given(&who).await.secrets).await, ["new"]);
        let config = EnvironmentConfig { name: "e".into(), secrets: list("-"), ..EnvironmentConfig::default() };
        let new = NewObject::new(Kind::Environment, "e".into(), &config, None).unwrap();
        let member = bed.member.clone();
        bed.store.update_object::<EnvironmentConfig>(member, uid, new, None, now()).await.unwrap();
        let who = bed.asked(who, &bed.caller()).await;
        assert!(bed.given(&who).await.secrets.is_empty());
    }

    async fn what_is_named_for_one_purpose_serves_it_whatever_the_lists_say(bed: Bed) {
        let typed = SecretKind::AnthropicApiKey;
        bed.secret_of_kind(&bed.member, false, "claude", typed, r#"{"api_key":"k"}"#).await.unwrap();
        for name in ["GIT", "MCP", "SHARED", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "REST"] {
            bed.secret(&bed.member, false, name, &name.to_lowercase()).await;
        }
        let server = |name: &str| McpServerConfig {
            url: Some("https://example.com".into()),
            headers: [("Authorization".to_owned(), format!("Bearer {{{{{name}}}}}"))].into(),
            ..McpServerConfig::default()
        };
        let shared = serde_json::json!({ "server": server("SHARED") });
        let shared = bed.object(Kind::McpServer, "shared", &shared, true).await;
        let git = |host: &str, secret: &str| GitCredential {
            host: host.into(),
            secret: secret.into(),
            username: None,
        };
        let config = AgentConfig {
            secrets: list("GITHUB_TOKEN,GITLAB_TOKEN,GH_TOKEN"),
            harness: Some(HarnessConfig { kind: HarnessType::Claude, ..HarnessConfig::native() }),
            harness_auth_secrets: Some(HarnessAuthSecrets {
                claude_auth_secret_name: Some("claude".into()),
                codex_auth_secret_name: Some("REST".into()),
                ..HarnessAuthSecrets::default()
            }),
            git_credentials: vec![
                git("gitlab.com", "GIT"),
                git("git.example.com", "X"),
                git("bitbucket.org", "claude"),
            ],
            mcp_servers: [
                ("a".to_owned(), server("MCP")),
                ("b".to_owned(), McpServerConfig { warp_id: Some(shared), ..McpServerConfig::default() }),
                ("c".to_owned(), server("Y")),
            ]
            .into(),
            ..AgentConfig::default()
        };
        let who = bed.begin(NewRun { config, ..by(&bed.member) }).await;
        let given = bed.given(&who).await;
        let names = |secrets: &[StoredSecret]| secrets.iter().map(|s| s.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&given.secrets), ["GH_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", "claude"]);
        assert_eq!(names(&given.reserved), ["MCP", "SHARED"]);
        let logins: Vec<String> =
            given.git.iter().map(|(c, s)| format!("{}@{} {}", c.user(), c.host, s.name)).collect();
        let expected = ["oauth2@gitlab.com GIT", "x-access-token@github.com GITHUB_TOKEN"];
        assert_eq!(logins, expected, "each host once; what is said stands before what is known");
        let missing: Vec<&str> = given.missing.iter().map(String::as_str).collect();
        assert_eq!(missing, ["X", "Y", "claude"], "a typed secret is no password");
        let shown = bed.store.get_run(who.run_no).await.unwrap().secrets.unwrap();
        assert_eq!(shown.given, ["GH_TOKEN", "GIT", "GITHUB_TOKEN", "GITLAB_TOKEN", "MCP", "SHARED", "claude"]);
    }

    async fn logins_of_mcp_servers_go_to_runs_that_use_them_and_to_no_command(bed: Bed) {
        let login = r#"{"resource":"https://x","access_token":"t","token_endpoint":"https://x/t","client_id":"c"}"#;
        for name in ["used", "unused"] {
            bed.secret_of_kind(&bed.member, false, name, SecretKind::McpOauth, login).await.unwrap();
        }
        bed.secret(&bed.member, false, "ARG", "arg").await;
        let server = McpServerConfig {
            url: Some("https://x/{{ARG}}".into()),
            oauth_secret: Some("used".into()),
            denied_tools: vec!["a".into()],
            timeout_seconds: Some(5),
            ..McpServerConfig::default()
        };
        let named = |name: &str| McpServerConfig {
            warp_id: Some(name.to_owned()),
            denied_tools: vec!["b".into()],
            timeout_seconds: Some(9),
            ..McpServerConfig::default()
        };
        bed.object(Kind::McpServer, "tickets", &serde_json::json!({ "server": server }), true).await;
        let gone = bed.object(Kind::McpServer, "gone", &serde_json::json!({ "server": server }), true).await;
        let servers = [("t".to_owned(), named("tickets")), ("gone".to_owned(), named("gone"))];
        let config = AgentConfig { mcp_servers: servers.into(), ..AgentConfig::default() };
        let missing = [("x".to_owned(), named("nowhere"))];
        let missing = AgentConfig { mcp_servers: missing.into(), ..AgentConfig::default() };
        let refused = bed.store.create_run(NewRun { config: missing, ..by(&bed.member) }, now()).await;
        let refused = format!("{:?}", refused.map(|_| ()).unwrap_err());
        assert!(refused.contains("config.mcp_servers.x.warp_id") && refused.contains("nowhere"), "{refused}");
        let who = bed.begin(NewRun { config, ..by(&bed.member) }).await;
        let given = bed.given(&who).await;
        let names = |secrets: &[StoredSecret]| secrets.iter().map(|s| s.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&given.secrets), ["ARG"], "a run without lists gets all but logins");
        assert_eq!(names(&given.reserved), ["used"]);
        bed.store.delete_object(Kind::McpServer, bed.member.clone(), gone).await.unwrap();
        let seen = bed.store.get_own_run(who.run_no).await.unwrap().agent_config.unwrap().mcp_servers;
        let denied = vec!["a".to_owned(), "b".to_owned()];
        let expected = McpServerConfig { denied_tools: denied, timeout_seconds: Some(9), ..server };
        assert_eq!((&seen["t"], &seen["gone"]), (&expected, &named("gone")));
        let shown = bed.store.get_run(who.run_no).await.unwrap().agent_config.unwrap().mcp_servers;
        assert_eq!(shown["t"], named("tickets"), "others see what was asked for");
        let listed = AgentConfig { secrets: list("unused"), ..AgentConfig::default() };
        let who = bed.begin(NewRun { config: listed, ..by(&bed.member) }).await;
        assert!(bed.given(&who).await.secrets.is_empty());
    }

    async fn a_model_service_of_the_team_gets_no_persons_own_key(bed: Bed) {
        bed.secret(&bed.member, false, "TEAM", "team").await;
        bed.secret(&bed.member, false, "BOTH", "team").await;
        bed.secret(&bed.member, true, "BOTH", "alice").await;
        bed.secret(&bed.member, true, "OWN", "alice").await;
        for (name, secret, team) in [
            ("a", Some("TEAM"), true),
            ("b", Some("BOTH"), true),
            ("c", Some("OWN"), true),
            ("d", None, true),
            ("mine", Some("BOTH"), false),
        ] {
            let endpoint = EndpointConfig {
                name: name.into(),
                api: EndpointApi::OpenAiChat,
                base_url: "http://localhost:1".into(),
                models: Vec::new(),
                secret: secret.map(|name| SecretRef { name: name.into() }),
            };
            bed.object(Kind::ModelEndpoint, name, &endpoint, team).await;
        }
        let services = async |who: &Workload| {
            let mut all = Vec::new();
            for (endpoint, secret) in bed.given(who).await.endpoints {
                let key = match &secret {
                    Some(secret) => bed.value(secret).await,
                    None => "-".into(),
                };
                all.push(format!("{} {key}", endpoint.name));
            }
            all
        };
        let config = AgentConfig { secrets: list("-"), ..AgentConfig::default() };
        let own = bed.begin(NewRun { config: config.clone(), ..by(&bed.member) }).await;
        assert_eq!(services(&own).await, ["a team", "b team", "c -", "d -", "mine alice"]);
        let missing = bed.store.get_run(own.run_no).await.unwrap().secrets.unwrap().missing;
        assert_eq!(missing, ["OWN"]);
        let scheduled = bed.scheduled(config, None).await;
        assert_eq!(services(&scheduled).await, ["a team", "b team", "c -", "d -"]);
    }
}
