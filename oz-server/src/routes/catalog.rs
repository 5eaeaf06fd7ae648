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
    principal::ScopeType,
};

pub(super) async fn skills(ctx: Ctx, caller: Caller, request: ListSkills) -> Result<SkillList, Error> {
    Ok(SkillList { agents: ctx.store.skills(member(caller)?, request).await? })
}

/// The models that Oz knows by name, then those of the services that the team or the caller has set up. A run sees
/// those of its team.
pub(super) async fn models(ctx: Ctx, caller: Caller, _: ListModels) -> Result<ModelList, Error> {
    let (who, personal) = match caller {
        Caller::Run(who) => (ctx.store.member_of_run(who.run_no).await?.0, false),
        caller => (member(caller)?, true),
    };
    let mut models = catalog::models();
    let services: Vec<Object<EndpointConfig>> = ctx.store.objects(Kind::ModelEndpoint, who).await?;
    for service in services {
        if personal || service.scope.kind == ScopeType::Team {
            models.extend(models_of(&service.body));
        }
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
