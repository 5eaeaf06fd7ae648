//! Environments, memories and files.

use super::{Bed, objects::runner};
use crate::{
    ctx::now,
    store::{
        files::NewFile,
        objects::{Kind, NewObject, Object},
        runs::{NewRun, WithFiles},
    },
};
use oz_core::{
    ConversationId, Error, RunId,
    api::{CreateArtifact, CreateMemory, CreateMemoryStore, UpdateMemory, UpdateRun},
    artifact::ArtifactType,
    config::{AgentConfig, GitCredential},
    environment::{AwsProvider, EnvironmentConfig, Providers},
};

pub(super) async fn environment(bed: &Bed, name: &str, personal: bool) -> Object<EnvironmentConfig> {
    let config = EnvironmentConfig {
        name: name.into(),
        setup_commands: vec!["make".into()],
        source_repos: Some(vec![oz_core::config::SourceRepo { url: "/repo".into(), checkout_ref: None }]),
        ..EnvironmentConfig::default()
    };
    let new = NewObject::new(Kind::Environment, name.into(), &config, Some(!personal)).unwrap();
    bed.store.create_object(bed.member.clone(), new, now()).await.unwrap()
}

on_both! {
    async fn a_run_gets_what_its_environment_prepares(bed: Bed) {
        let place = environment(&bed, "here", false).await;
        let config = AgentConfig {
            environment_id: Some(place.uid.clone()),
            setup_commands: vec!["own".into()],
            ..AgentConfig::default()
        };
        let (run_no, _) = bed.create_with("work", config, Default::default()).await;
        let got = bed.store.get_run(run_no).await.unwrap().agent_config.unwrap();
        assert_eq!(got.setup_commands, ["make", "own"]);
        assert_eq!(got.source_repos[0].url, "/repo");
        let last = bed.store.last_of_environment(bed.member.team_id.0.clone(), place.uid).await.unwrap();
        assert_eq!(last.unwrap().task.title, "work");
        let mine = environment(&bed, "mine", true).await;
        let new = NewRun {
            prompt: "x".into(),
            config: AgentConfig { environment_id: Some(mine.uid), ..AgentConfig::default() },
            ..NewRun::by(bed.member.clone(), RunId::mint(now()), ConversationId::mint(now()))
        };
        let error = bed.store.create_run(new.clone(), now()).await.unwrap_err();
        assert_eq!(Error::from(error).http_status(), 400, "a team's run in a personal environment");
        bed.store.create_run(NewRun { personal: true, ..new }, now()).await.unwrap();
    }

    async fn a_run_stands_before_its_environment(bed: Bed) {
        let git = |host: &str, secret: &str| GitCredential {
            host: host.into(),
            secret: secret.into(),
            username: None,
        };
        let variables = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let (its, own) = (runner(&bed, "its", true).await, runner(&bed, "own", true).await);
        let role = AwsProvider { role_arn: "arn:aws:iam::1:role/r".into() };
        let place = EnvironmentConfig {
            name: "e".into(),
            environment_variables: variables(&[("A", "its"), ("B", "its")]),
            git_credentials: vec![git("github.com", "ITS"), git("gitlab.com", "ITS")],
            setup_timeout_seconds: Some(10),
            providers: Some(Providers { gcp: None, aws: Some(role) }),
            default_worker_host: Some("its".into()),
            default_runner_uid: Some(its.clone()),
            ..EnvironmentConfig::default()
        };
        let new = NewObject::new(Kind::Environment, "e".into(), &place, None).unwrap();
        let made: Object<EnvironmentConfig> =
            bed.store.create_object(bed.member.clone(), new, now()).await.unwrap();
        let bare = AgentConfig { environment_id: Some(made.uid.clone()), ..AgentConfig::default() };
        let (run_no, _) = bed.create_with("bare", bare.clone(), Default::default()).await;
        let got = bed.store.get_run(run_no).await.unwrap().agent_config.unwrap();
        assert_eq!(got.environment_variables, place.environment_variables);
        assert_eq!(got.git_credentials, place.git_credentials);
        assert_eq!((got.setup_timeout_seconds, &got.providers), (Some(10), &place.providers));
        assert_eq!((got.host(), got.runner_id.as_deref()), (Some("its"), Some(its.as_str())));
        let chosen = AgentConfig {
            environment_variables: variables(&[("B", "own"), ("C", "own")]),
            git_credentials: vec![git("gitlab.com", "OWN")],
            setup_timeout_seconds: Some(20),
            providers: Some(Providers::default()),
            worker_host: Some("warp".into()),
            runner_id: Some(own.clone()),
            ..bare.clone()
        };
        let (run_no, _) = bed.create_with("own", chosen, Default::default()).await;
        let got = bed.store.get_run(run_no).await.unwrap().agent_config.unwrap();
        assert_eq!(got.environment_variables, variables(&[("A", "its"), ("B", "own"), ("C", "own")]));
        assert_eq!(got.git_credentials, [git("gitlab.com", "OWN"), git("github.com", "ITS")]);
        assert_eq!((got.setup_timeout_seconds, got.providers.clone()), (Some(20), Some(Providers::default())));
        assert_eq!((got.host(), got.runner_id.as_deref()), (None, Some(own.as_str())));
        let old = EnvironmentConfig { environment_variables: variables(&[("PATH", "/evil")]), ..place };
        let new = NewObject::new(Kind::Environment, "e".into(), &old, None).unwrap();
        let update = bed.store.update_object::<EnvironmentConfig>(bed.member.clone(), made.uid, new, None, now());
        update.await.unwrap();
        let new = NewRun {
            config: bare,
            ..NewRun::by(bed.member.clone(), RunId::mint(now()), ConversationId::mint(now()))
        };
        let error = Error::from(bed.store.create_run(new, now()).await.unwrap_err());
        assert_eq!(error.http_status(), 400);
        assert!(error.detail.starts_with("config.environment_variables: 'PATH'"), "{}", error.detail);
    }

    async fn an_object_is_changed_only_by_who_has_seen_it(bed: Bed) {
        let first = environment(&bed, "e", false).await;
        let new = || NewObject::new(Kind::Environment, "f".into(), &first.body, None).unwrap();
        let change = |revision| {
            bed.store.update_object::<EnvironmentConfig>(
                bed.member.clone(),
                first.uid.clone(),
                new(),
                revision,
                now(),
            )
        };
        assert_eq!(change(Some(1)).await.unwrap().revision, 2);
        assert_eq!(Error::from(change(Some(1)).await.err().unwrap()).http_status(), 409);
        assert_eq!(change(None).await.unwrap().revision, 3);
    }

    async fn a_memory_keeps_its_versions(bed: Bed) {
        let me = || bed.member.clone();
        let store = bed.store.create_memory_store(me(), CreateMemoryStore::default(), now()).await.unwrap();
        let new = CreateMemory { uid: store.uid.clone(), content: "one".into(), ..CreateMemory::default() };
        let made = bed.store.create_memory(me(), new, now()).await.unwrap();
        let change = |version, content: &str| UpdateMemory {
            uid: store.uid.clone(),
            memory_id: made.memory_id.clone(),
            content: content.into(),
            version,
            reason: Some("because".into()),
        };
        bed.store.update_memory(me(), change(Some(1), "two"), now()).await.unwrap();
        let stale = bed.store.update_memory(me(), change(Some(1), "three"), now()).await.unwrap_err();
        assert_eq!(Error::from(stale).http_status(), 409);
        bed.store.delete_memory(me(), store.uid.clone(), made.memory_id.clone(), now()).await.unwrap();
        let left = bed.store.memories(me(), store.uid.clone()).await.unwrap();
        assert!(left[0].is_tombstoned && left[0].content == "two");
        let versions = bed.store.memory_versions(me(), store.uid, made.memory_id).await.unwrap();
        assert_eq!(versions.iter().map(|v| v.version).collect::<Vec<_>>(), [3, 2, 1]);
    }

    async fn an_artifact_shows_once_its_bytes_are_there(bed: Bed) {
        let who = bed.started("draw").await;
        let new = CreateArtifact {
            artifact_type: ArtifactType::File,
            run_id: Some(who.run_id),
            conversation_id: None,
            filepath: Some("out/a.txt".into()),
            title: None,
            description: None,
            mime_type: None,
            content: None,
        };
        let made = bed.store.create_artifact(bed.caller(), new, now()).await.unwrap();
        let file = made.file.unwrap();
        assert!(bed.store.get_run(who.run_no).await.unwrap().artifacts.is_empty());
        assert!(bed.store.artifact(bed.caller(), made.artifact_uid.clone()).await.is_err());
        bed.store.file_arrived(file.file_id.clone(), 7, now()).await.unwrap();
        let run = bed.store.get_run(who.run_no).await.unwrap();
        assert_eq!(run.artifacts.len(), 1);
        let found = bed.store.artifact(bed.caller(), made.artifact_uid).await.unwrap();
        assert_eq!(found.file.unwrap().size_bytes, Some(7));
    }

    async fn a_workspace_goes_to_one_run_and_is_left_by_its_end(bed: Bed) {
        let file = NewFile::expected("a.patch", "text/plain");
        let team = bed.member.team_id.0.clone();
        bed.store.expect_handoff(team, "token".into(), vec![file.clone()], now()).await.unwrap();
        bed.store.file_arrived(file.file_id, 3, now()).await.unwrap();
        let new = || NewRun {
            prompt: "go on".into(),
            files: WithFiles { attachments: Vec::new(), snapshot_token: Some("token".into()) },
            ..NewRun::by(bed.member.clone(), RunId::mint(now()), ConversationId::mint(now()))
        };
        let run_no = bed.store.create_run(new(), now()).await.unwrap();
        assert!(bed.store.create_run(new(), now()).await.is_err(), "a token is good once");
        assert_eq!(bed.store.handoff(run_no).await.unwrap()[0].filename, "a.patch");
        let who = bed.offer(run_no).await;
        bed.report(&who, crate::store::executions::Report::Claimed).await;
        bed.store.update_run(who.clone(), UpdateRun::started(), now()).await.unwrap();
        let left = vec![NewFile::expected("b.patch", "text/plain"), NewFile::expected("c", "text/plain")];
        let left = bed.store.expect_snapshot(who.clone(), Some("g1".into()), left, now()).await.unwrap();
        bed.store.file_arrived(left[0].file_id.clone(), 3, now()).await.unwrap();
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let missing = bed.store.commit_snapshot(who.clone(), "g1".into(), names(&["b.patch", "c"])).await;
        assert_eq!(Error::from(missing.unwrap_err()).http_status(), 409, "c has not arrived");
        bed.store.file_arrived(left[1].file_id.clone(), 1, now()).await.unwrap();
        bed.store.commit_snapshot(who.clone(), "g1".into(), names(&["c", "b.patch"])).await.unwrap();
        bed.store.cancel_run(run_no, "enough".into(), now()).await.unwrap();
        let files = bed.store.handoff(run_no).await.unwrap();
        assert_eq!(files.len(), 2, "what the last execution left stands in for what it was given");
    }
}
