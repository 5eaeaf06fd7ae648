//! What there is to choose from: skills and models.

use super::access::member;
use crate::{ctx::Ctx, store::accounts::Caller};
use oz_core::{
    Error,
    api::{ListModels, ListSkills, ModelList, SkillList},
    catalog,
};

pub(super) async fn skills(ctx: Ctx, caller: Caller, request: ListSkills) -> Result<SkillList, Error> {
    Ok(SkillList { agents: ctx.store.skills(member(caller)?, request).await? })
}

pub(super) async fn models(_: Ctx, _: Caller, _: ListModels) -> Result<ModelList, Error> {
    Ok(ModelList { default_model_id: catalog::DEFAULT_MODEL.to_owned(), models: catalog::models() })
}
