//! What there is to choose from: skills, models and images.

use super::access::member;
use crate::{
    ctx::Ctx,
    store::{
        accounts::Caller,
        objects::{Kind, Object},
    },
};
use oz_core::{
    Error,
    api::{
        Image, ImageList, ListImages, ListModels, ListSkills, ModelInfo, ModelList, ModelProvider, SkillList,
    },
    catalog,
    environment::EnvironmentConfig,
    inference::{EndpointApi, EndpointConfig},
};

pub(super) async fn skills(ctx: Ctx, caller: Caller, request: ListSkills) -> Result<SkillList, Error> {
    Ok(SkillList { agents: ctx.store.skills(member(caller)?, request).await? })
}

/// The models that Oz knows by name, then those of the services that the caller may see; a run sees none.
pub(super) async fn models(ctx: Ctx, caller: Caller, _: ListModels) -> Result<ModelList, Error> {
    let mut models = catalog::models();
    if let Caller::Key(who) = caller {
        let services: Vec<Object<EndpointConfig>> = ctx.store.objects(Kind::ModelEndpoint, who).await?;
        models.extend(services.iter().flat_map(|service| models_of(&service.body)));
    }
    Ok(ModelList { default_model_id: catalog::DEFAULT_MODEL.to_owned(), models })
}

fn models_of(service: &EndpointConfig) -> impl Iterator<Item = ModelInfo> {
    let api = match &service.api {
        EndpointApi::OpenAiChat => "Chat Completions",
        EndpointApi::OpenAiResponses => "Responses",
        EndpointApi::Anthropic => "Anthropic Messages",
        EndpointApi::Unknown(api) => api,
    };
    service.models.iter().map(move |model| ModelInfo {
        id: format!("{}/{}", service.name, model.id),
        display_name: model.id.clone(),
        provider: ModelProvider::Other,
        vision_supported: false,
        description: Some(format!("At {} ({api})", service.base_url)),
        reasoning_level: None,
        disable_reason: None,
    })
}

pub(super) async fn images(ctx: Ctx, caller: Caller, _: ListImages) -> Result<ImageList, Error> {
    let environments: Vec<Object<EnvironmentConfig>> =
        ctx.store.objects(Kind::Environment, member(caller)?).await?;
    let used = environments.into_iter().filter_map(|e| e.body.docker_image).filter(|image| !image.is_empty());
    let mut images: Vec<Image> = Vec::new();
    for image in used.map(|image| Image::named(&image)).chain(catalog::images()) {
        if !images.contains(&image) {
            images.push(image);
        }
    }
    Ok(ImageList { images })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        auth,
        ctx::now,
        store::{accounts::Member, objects::NewObject},
    };
    use oz_core::inference::EndpointModel;
    use serde::Serialize;

    async fn admin(ctx: &Ctx) -> Member {
        let key = format!("wk-1.{}", "ab".repeat(32));
        match ctx.store.caller(&auth::digest(&key), now()).await.unwrap() {
            Some(Caller::Key(member)) => member,
            other => panic!("no member: {other:?}"),
        }
    }

    async fn make<T: Serialize>(ctx: &Ctx, kind: Kind, name: &str, config: &T, team: bool) {
        let new = NewObject::new(kind, name.into(), config, Some(team)).unwrap();
        let made = ctx.store.create_object::<serde_json::Value>(admin(ctx).await, new, now());
        made.await.unwrap();
    }

    #[tokio::test]
    async fn models_of_configured_services_come_after_those_that_are_known() {
        let (ctx, _bed) = crate::testing::ctx().await;
        for (name, team) in [("local", true), ("own", false)] {
            let service = EndpointConfig {
                name: name.into(),
                api: EndpointApi::Anthropic,
                base_url: "http://localhost:8000".into(),
                models: vec![EndpointModel { id: "qwen/qwen3".into(), ..EndpointModel::default() }],
                secret: None,
            };
            make(&ctx, Kind::ModelEndpoint, name, &service, team).await;
        }
        let who = admin(&ctx).await;
        let list = models(ctx.clone(), Caller::Key(who), ListModels {}).await.unwrap();
        let ids: Vec<&str> = list.models.iter().map(|m| m.id.as_str()).collect();
        assert_eq!(ids[..4], ["auto", "auto-efficient", "auto-genius", "auto-open"]);
        assert_eq!(ids[ids.len() - 2..], ["local/qwen/qwen3", "own/qwen/qwen3"]);
        let described = list.models.last().unwrap().description.as_deref();
        assert_eq!(described, Some("At http://localhost:8000 (Anthropic Messages)"));
    }

    #[tokio::test]
    async fn images_that_environments_use_come_first_and_once() {
        let (ctx, _bed) = crate::testing::ctx().await;
        for (name, image) in [("a", "node:22"), ("b", "ghcr.io/us/app"), ("c", "node:22"), ("d", "")] {
            let config = EnvironmentConfig {
                name: name.into(),
                docker_image: Some(image.into()),
                ..EnvironmentConfig::default()
            };
            make(&ctx, Kind::Environment, name, &config, true).await;
        }
        let list = images(ctx.clone(), Caller::Key(admin(&ctx).await), ListImages {}).await.unwrap().images;
        let names: Vec<&str> = list.iter().map(|i| i.image.as_str()).collect();
        assert_eq!(names[..2], ["node:22", "ghcr.io/us/app"]);
        assert!(names.len() > 10 && names[2..].iter().all(|name| *name != "node:22"), "{names:?}");
    }
}
