//! Runners and model services.

use super::Bed;
use crate::{
    ctx::now,
    store::{
        objects::{Kind, NewObject, Object},
        runs::NewRun,
    },
};
use oz_core::{
    ConversationId, Error, RunId,
    api::{CreateSchedule, RunnerConfig},
    config::AgentConfig,
    environment::EnvironmentConfig,
    inference::{EndpointApi, EndpointConfig},
    worker::InstanceShape,
};

pub(super) async fn runner(bed: &Bed, name: &str, team: bool) -> String {
    let config = RunnerConfig {
        name: name.into(),
        setup_commands: vec!["apt-get update".into()],
        docker_image: Some("runner:1".into()),
        instance_shape: Some(oz_core::api::InstanceShape { vcpus: 8, memory_gb: 32 }),
        ..RunnerConfig::default()
    };
    let new = NewObject::new(Kind::Runner, name.into(), &config, Some(team)).unwrap();
    let made: Object<RunnerConfig> = bed.store.create_object(bed.member.clone(), new, now()).await.unwrap();
    made.uid
}

async fn environment(bed: &Bed, image: Option<&str>) -> String {
    let config = EnvironmentConfig {
        name: "e".into(),
        setup_commands: vec!["npm ci".into()],
        docker_image: image.map(Into::into),
        ..EnvironmentConfig::default()
    };
    let new = NewObject::new(Kind::Environment, "e".into(), &config, None).unwrap();
    let made: Object<EnvironmentConfig> =
        bed.store.create_object(bed.member.clone(), new, now()).await.unwrap();
    made.uid
}

async fn create(bed: &Bed, config: AgentConfig, personal: bool) -> Result<AgentConfig, Error> {
    let new = NewRun {
        prompt: "x".into(),
        config,
        personal,
        ..NewRun::by(bed.member.clone(), RunId::mint(now()), ConversationId::mint(now()))
    };
    let run_no = bed.store.create_run(new, now()).await?;
    Ok(bed.store.get_run(run_no).await.unwrap().agent_config.unwrap())
}

async fn service(bed: &Bed, name: &str, team: bool) -> Result<Object<EndpointConfig>, Error> {
    let new = NewObject::new(Kind::ModelEndpoint, name.into(), &endpoint(name), Some(team)).unwrap();
    Ok(bed.store.create_object(bed.member.clone(), new, now()).await?)
}

fn endpoint(name: &str) -> EndpointConfig {
    EndpointConfig {
        name: name.into(),
        api: EndpointApi::OpenAiChat,
        base_url: "http://localhost:11434/v1".into(),
        models: Vec::new(),
        secret: None,
    }
}

on_both! {
    async fn a_run_gets_its_runners_commands_first_and_its_image_last(bed: Bed) {
        let runner_id = Some(runner(&bed, "big", true).await);
        let plain = AgentConfig { runner_id: runner_id.clone(), ..AgentConfig::default() };
        let config = create(&bed, plain.clone(), false).await.unwrap();
        assert_eq!(config.instance_shape, Some(InstanceShape { vcpus: Some(8), memory_gb: Some(32) }));
        assert_eq!((config.setup_commands, config.docker_image.as_deref()), (vec!["apt-get update".into()], Some("runner:1")));
        for (of_run, of_environment, image) in [
            (None, None, "runner:1"),
            (None, Some("environment:1"), "environment:1"),
            (Some("run:1"), Some("environment:1"), "run:1"),
        ] {
            let config = AgentConfig {
                environment_id: Some(environment(&bed, of_environment).await),
                docker_image: of_run.map(Into::into),
                setup_commands: vec!["make".into()],
                ..plain.clone()
            };
            let config = create(&bed, config, false).await.unwrap();
            assert_eq!(config.setup_commands, ["apt-get update", "npm ci", "make"]);
            assert_eq!((config.docker_image.as_deref(), &config.runner_id), (Some(image), &runner_id));
        }
    }

    async fn a_runner_must_be_one_that_the_run_may_use(bed: Bed) {
        let own = runner(&bed, "own", false).await;
        let with = |uid: &str| AgentConfig { runner_id: Some(uid.into()), ..AgentConfig::default() };
        for (uid, personal, expected) in [
            ("nothing", false, Some("a runner that you can see")),
            (own.as_str(), false, Some("a runner of the team")),
            (own.as_str(), true, None),
            ("", false, None),
        ] {
            let made = create(&bed, with(uid), personal).await;
            match expected {
                None => drop(made.unwrap()),
                Some(text) => {
                    let detail = made.unwrap_err().detail;
                    assert!(detail.starts_with("config.runner_id: '") && detail.contains(text), "{detail}");
                }
            }
        }
        let schedule = CreateSchedule {
            name: "s".into(),
            cron_schedule: "0 0 1 1 *".into(),
            prompt: Some("x".into()),
            agent_config: Some(with("nothing")),
            ..CreateSchedule::default()
        };
        assert!(bed.store.create_schedule(bed.member.clone(), schedule, now()).await.is_err());
        let other = super::team::join(&bed, "other@example.com").await;
        let found = bed.store.object::<RunnerConfig>(Kind::Runner, other, own).await;
        assert!(found.is_err(), "what is personal is nobody else's");
    }

    async fn the_name_of_a_model_service_stands_for_one_of_its_owner(bed: Bed) {
        let first = service(&bed, "local", true).await.unwrap();
        let error = service(&bed, "local", true).await.err().unwrap();
        assert_eq!((error.http_status(), error.retryable), (409, Some(false)));
        assert!(error.detail.contains("config.name") && error.detail.contains("'local'"), "{}", error.detail);
        service(&bed, "local", false).await.unwrap();
        assert!(service(&bed, "local", false).await.is_err());
        let second = service(&bed, "other", true).await.unwrap();
        let rename = |uid: &str, name: &str| {
            let new = NewObject::new(Kind::ModelEndpoint, name.into(), &endpoint(name), None).unwrap();
            bed.store.update_object::<EndpointConfig>(bed.member.clone(), uid.into(), new, None, now())
        };
        assert!(rename(&second.uid, "local").await.is_err());
        assert_eq!(rename(&first.uid, "local").await.unwrap().revision, 2, "it may keep its own");
        bed.store.delete_object(Kind::ModelEndpoint, bed.member.clone(), first.uid).await.unwrap();
        assert_eq!(rename(&second.uid, "local").await.unwrap().name, "local");
    }
}
