//! What a run gets from its profile: a model and permissions, each where it says nothing itself.

use super::super::{Db, Result, StoreError, accounts::Member, objects};
use oz_core::{
    Error,
    api::Profile,
    config::{AgentConfig, HarnessType},
};
use serde_json::{Map, Value};

/// Gives a run what its profile says. What is changed in the profile later does not concern the run.
pub(super) fn inherit(db: &Db<'_>, who: &Member, personal: bool, config: &mut AgentConfig) -> Result<()> {
    let Some(uid) = config.profile_id.as_deref().filter(|uid| !uid.is_empty()) else { return Ok(()) };
    let found: Result<objects::Object<Map<String, Value>>> =
        objects::find(db, objects::Kind::Profile, who, uid);
    let profile = match found {
        Ok(profile) => profile,
        Err(StoreError::Refused(_)) => {
            return Err(Error::invalid_field("config.profile_id", uid, "a profile that you can see").into());
        }
        Err(e) => return Err(e),
    };
    if !personal && profile.scope.kind.as_str() == "User" {
        let text = "a profile of the team, because the run belongs to the team";
        return Err(Error::invalid_field("config.profile_id", uid, text).into());
    }
    if config.model_id.is_none() && config.harness_type() == HarnessType::Oz {
        config.model_id = Profile::base_model(&profile.body).map(str::to_owned);
    }
    config.permissions =
        Some(config.permissions.take().unwrap_or_default().or(&Profile::permissions(&profile.body)?));
    Ok(())
}
