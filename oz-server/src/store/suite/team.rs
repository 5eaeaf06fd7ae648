//! People, agents, keys and what is done in whose name.

use super::Bed;
use crate::{
    auth,
    ctx::now,
    store::{
        accounts::{Caller, Member},
        idempotency::Known,
        runs::NewRun,
    },
};
use oz_core::{
    ConversationId, Error, RunId,
    api::{CreateIdentity, IdentityProfile, Role, UpdateIdentity},
    principal::PrincipalType,
};
use std::time::Duration;

fn key() -> (String, String) {
    let raw = auth::new_key();
    let hash = auth::digest(&raw);
    (raw, hash)
}

async fn who(bed: &Bed, raw: &str) -> Option<Member> {
    match bed.store.caller(&auth::digest(raw), now()).await.unwrap() {
        Some(Caller::Key(member)) => Some(member),
        _ => None,
    }
}

async fn identity(bed: &Bed, name: &str, on_behalf_of: bool) -> oz_core::api::Identity {
    let profile = IdentityProfile {
        description: Some("d".into()),
        base_model: Some("m".into()),
        on_behalf_of_enabled: Some(on_behalf_of),
        ..IdentityProfile::default()
    };
    let new = CreateIdentity { name: name.into(), profile, ..CreateIdentity::default() };
    bed.store.create_identity(bed.member.clone(), new, now()).await.unwrap()
}

async fn agent(bed: &Bed, uid: &str) -> Member {
    let (raw, hash) = key();
    let agent = Some(uid.to_owned());
    bed.store
        .create_key(bed.member.clone(), "k".into(), agent, None, (raw.clone(), hash), now())
        .await
        .unwrap();
    who(bed, &raw).await.unwrap()
}

pub(super) async fn join(bed: &Bed, email: &str) -> Member {
    let code = auth::random_hex();
    let hash = auth::digest(&code);
    bed.store.invite(bed.member.clone(), email.into(), Role::Member, hash.clone(), now()).await.unwrap();
    let (raw, key_hash) = key();
    bed.store.accept_invitation(hash, None, (raw.clone(), key_hash), now()).await.unwrap();
    who(bed, &raw).await.unwrap()
}

on_both! {
    async fn a_key_works_until_it_expires_or_is_deleted(bed: Bed) {
        let (raw, hash) = key();
        let soon = now() + Duration::from_millis(400);
        let made = bed
            .store
            .create_key(bed.member.clone(), "short".into(), None, Some(soon), (raw.clone(), hash), now())
            .await
            .unwrap();
        assert!(who(&bed, &raw).await.is_some());
        bed.store.keys_used(vec![(made.uid.clone(), now().as_microsecond())]).await.unwrap();
        let listed = bed.store.keys(bed.member.clone()).await.unwrap();
        let listed = listed.iter().find(|k| k.uid == made.uid).unwrap();
        assert!(listed.last_used_at.is_some());
        assert_eq!(listed.key_suffix, raw[raw.len() - 4..]);
        tokio::time::sleep(Duration::from_millis(450)).await;
        assert!(who(&bed, &raw).await.is_none(), "it has expired");
        bed.store.delete_key(bed.member.clone(), made.uid.clone()).await.unwrap();
        let twice = bed.store.delete_key(bed.member.clone(), made.uid).await.unwrap_err();
        assert_eq!(Error::from(twice).http_status(), 404);
    }

    async fn an_invitation_is_good_once_and_makes_a_member(bed: Bed) {
        let member = join(&bed, "new@example.com").await;
        assert!(!member.admin && member.is_person());
        let again = bed
            .store
            .invite(bed.member.clone(), "NEW@example.com".into(), Role::Admin, "h".into(), now())
            .await
            .unwrap_err();
        assert_eq!(Error::from(again).http_status(), 409, "she is in the team already");
        let spent = bed.store.accept_invitation("h".into(), None, key(), now()).await.unwrap_err();
        assert_eq!(Error::from(spent).http_status(), 403);
        let uid = member.principal.uid.clone();
        assert_eq!(bed.store.set_role(&bed.member, uid.clone(), Role::Admin).await.unwrap().role, Role::Admin);
        bed.store.remove_person(&bed.member, uid.clone()).await.unwrap();
        assert_eq!(bed.store.people(&bed.member).await.unwrap().len(), 1);
        let last = bed.store.remove_person(&bed.member, bed.member.principal.uid.clone()).await.unwrap_err();
        assert_eq!(Error::from(last).http_status(), 409);
    }

    async fn an_identity_is_changed_where_the_change_says_so(bed: Bed) {
        let made = identity(&bed, "robot", false).await;
        assert!(made.memory.auto_memory.enabled && made.memory.auto_memory.store.is_some());
        let change = UpdateIdentity {
            uid: made.uid.clone(),
            description: Some(String::new()),
            prompt: Some("be kind".into()),
            skills: Some(vec!["a/b:c".into()]),
            ..UpdateIdentity::default()
        };
        let changed = bed.store.update_identity(bed.member.clone(), change, now()).await.unwrap();
        assert_eq!(changed.profile.description, None);
        assert_eq!(changed.profile.base_model.as_deref(), Some("m"), "what is absent stays");
        assert_eq!(changed.profile.prompt.as_deref(), Some("be kind"));
        assert_eq!(changed.skills, ["a/b:c"]);
        assert!(changed.updated_at >= made.updated_at);
        let taken = CreateIdentity { name: "robot".into(), ..CreateIdentity::default() };
        let error = bed.store.create_identity(bed.member.clone(), taken, now()).await.unwrap_err();
        assert_eq!(Error::from(error).http_status(), 409);
        let agent = agent(&bed, &made.uid).await;
        assert_eq!(agent.principal.kind, PrincipalType::ServiceAccount);
        bed.store.delete_identity(bed.member.clone(), made.uid.clone(), now()).await.unwrap();
        assert!(bed.store.identity(&bed.member, made.uid).await.is_err());
        assert!(bed.store.keys(bed.member.clone()).await.unwrap().iter().all(|k| k.owner.uid != agent.principal.uid));
    }

    async fn an_agent_makes_runs_in_the_name_of_people_only_where_it_may(bed: Bed) {
        let person = join(&bed, "boss@example.com").await;
        for allowed in [false, true] {
            let identity = identity(&bed, &format!("agent-{allowed}"), allowed).await;
            let agent = agent(&bed, &identity.uid).await;
            let new = NewRun {
                prompt: "x".into(),
                on_behalf_of: Some("BOSS@example.com".into()),
                ..NewRun::by(agent.clone(), RunId::mint(now()), ConversationId::mint(now()))
            };
            match bed.store.create_run(new.clone(), now()).await {
                Ok(run_no) => {
                    let run = bed.store.get_run(run_no).await.unwrap();
                    assert!(allowed);
                    assert_eq!(run.creator.unwrap().uid, person.principal.uid);
                    assert_eq!(run.executor.unwrap().uid, identity.uid);
                    assert_eq!(run.agent_config.unwrap().model_id.as_deref(), Some("m"), "the agent's default");
                }
                Err(e) => {
                    assert!(!allowed);
                    assert_eq!(Error::from(e).http_status(), 403);
                }
            }
            let nobody = NewRun { on_behalf_of: Some("nobody@example.com".into()), ..new };
            assert!(bed.store.create_run(nobody, now()).await.is_err());
        }
        let person_for_another = NewRun {
            on_behalf_of: Some(person.principal.uid.clone()),
            ..NewRun::by(bed.member.clone(), RunId::mint(now()), ConversationId::mint(now()))
        };
        let error = bed.store.create_run(person_for_another, now()).await.unwrap_err();
        assert_eq!(Error::from(error).http_status(), 403);
    }

    async fn what_is_personal_is_its_owners_alone(bed: Bed) {
        let other = join(&bed, "other@example.com").await;
        let run_id = RunId::mint(now());
        let new = NewRun {
            personal: true,
            prompt: "mine".into(),
            ..NewRun::by(bed.member.clone(), run_id, ConversationId::mint(now()))
        };
        bed.store.create_run(new, now()).await.unwrap();
        assert!(bed.store.find_run(&bed.caller(), run_id).await.is_ok());
        assert!(bed.store.find_run(&Caller::Key(other), run_id).await.is_err());
    }

    async fn a_named_call_is_answered_once(bed: Bed) {
        let begin = |print: &str| bed.store.begin_call("o".into(), "k".into(), print.into(), now());
        assert_eq!(begin("p").await.unwrap(), Known::Nothing);
        assert_eq!(begin("p").await.unwrap(), Known::UnderWay);
        bed.store.end_call("o".into(), "k".into(), Some((201, "{}".into()))).await.unwrap();
        assert_eq!(begin("p").await.unwrap(), Known::Answer { status: 201, body: "{}".into() });
        assert_eq!(begin("other").await.unwrap(), Known::Another);
        let other = bed.store.begin_call("o2".into(), "k".into(), "p".into(), now()).await.unwrap();
        assert_eq!(other, Known::Nothing, "names belong to their callers");
        bed.store.end_call("o2".into(), "k".into(), None).await.unwrap();
        let again = bed.store.begin_call("o2".into(), "k".into(), "p".into(), now()).await.unwrap();
        assert_eq!(again, Known::Nothing, "a refused call may be tried again");
    }
}
