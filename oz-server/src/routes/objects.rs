//! Saved prompts, runners and model services: named objects that all have the same shape.

use super::access::member;
use crate::{
    ctx::{Ctx, now},
    store::{
        accounts::Caller,
        objects::{Kind, NewObject, Object},
    },
};
use oz_core::{Error, api, inference::EndpointConfig};

/// The routes of one kind of object, in a module of its own.
macro_rules! routes {
    ($module:ident: $Kind:ident, $Object:ident of $Config:path;
     $List:ident => $Listed:ident { $field:ident }, $Create:ident, $Get:ident, $Update:ident, $Delete:ident) => {
        pub(super) mod $module {
            use super::*;

            fn answer(object: Object<$Config>) -> api::$Object {
                api::$Object {
                    uid: object.uid,
                    config: object.body,
                    scope: Some(object.scope),
                    creator: Some(object.creator),
                    last_editor: Some(object.editor),
                    created_at: object.created_at,
                    last_updated: object.updated_at,
                    revision: object.revision,
                }
            }

            pub(in crate::routes) async fn list(
                ctx: Ctx,
                caller: Caller,
                _: api::$List,
            ) -> Result<api::$Listed, Error> {
                let objects = ctx.store.objects(Kind::$Kind, member(caller)?).await?;
                Ok(api::$Listed { $field: objects.into_iter().map(answer).collect() })
            }

            pub(in crate::routes) async fn create(
                ctx: Ctx,
                caller: Caller,
                request: api::$Create,
            ) -> Result<api::$Object, Error> {
                let api::$Create { config, team } = request;
                let new = NewObject::new(Kind::$Kind, config.name.clone(), &config, team)?;
                Ok(answer(ctx.store.create_object(member(caller)?, new, now()).await?))
            }

            pub(in crate::routes) async fn get(
                ctx: Ctx,
                caller: Caller,
                request: api::$Get,
            ) -> Result<api::$Object, Error> {
                Ok(answer(ctx.store.object(Kind::$Kind, member(caller)?, request.uid).await?))
            }

            pub(in crate::routes) async fn update(
                ctx: Ctx,
                caller: Caller,
                request: api::$Update,
            ) -> Result<api::$Object, Error> {
                let api::$Update { uid, config, revision } = request;
                let new = NewObject::new(Kind::$Kind, config.name.clone(), &config, None)?;
                Ok(answer(ctx.store.update_object(member(caller)?, uid, new, revision, now()).await?))
            }

            pub(in crate::routes) async fn delete(
                ctx: Ctx,
                caller: Caller,
                request: api::$Delete,
            ) -> Result<api::Empty, Error> {
                ctx.store.delete_object(Kind::$Kind, member(caller)?, request.uid).await?;
                Ok(api::Empty {})
            }
        }
    };
}

routes! { saved_prompts: SavedPrompt, SavedPrompt of api::SavedPromptConfig;
    ListSavedPrompts => SavedPromptList { saved_prompts },
    CreateSavedPrompt, GetSavedPrompt, UpdateSavedPrompt, DeleteSavedPrompt
}
routes! { runners: Runner, Runner of api::RunnerConfig;
    ListRunners => RunnerList { runners }, CreateRunner, GetRunner, UpdateRunner, DeleteRunner
}
routes! { model_endpoints: ModelEndpoint, ModelEndpoint of EndpointConfig;
    ListModelEndpoints => ModelEndpointList { model_endpoints },
    CreateModelEndpoint, GetModelEndpoint, UpdateModelEndpoint, DeleteModelEndpoint
}
