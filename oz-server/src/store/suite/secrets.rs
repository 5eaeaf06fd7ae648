//! Secrets: who sees and changes them, and what is written down of it.

use super::{Bed, team};
use crate::{
    ctx::now,
    store::{
        accounts::Member,
        secrets::{NewSecret, SealedValue, owner},
    },
    testing::seal_with,
};
use oz_core::{
    Error,
    api::{ListSecretLog, Secret, SecretAction, SecretLogEntry},
    secret::{SecretKind, context},
};

impl Bed {
    /// Seals and stores a secret.
    pub(super) async fn secret(&self, who: &Member, personal: bool, name: &str, value: &str) -> Secret {
        self.secret_of_kind(who, personal, name, SecretKind::RawValue, value).await.unwrap()
    }

    pub(super) async fn secret_of_kind(
        &self,
        who: &Member,
        personal: bool,
        name: &str,
        kind: SecretKind,
        value: &str,
    ) -> Result<Secret, Error> {
        let sealed = self.sealed(who, personal, name, &kind, value).await;
        let description = Some(format!("what {name} is for"));
        let new = NewSecret { name: name.into(), kind, description, personal, sealed };
        Ok(self.store.create_secret(who.clone(), new, now()).await?)
    }

    pub(super) async fn sealed(
        &self,
        who: &Member,
        personal: bool,
        name: &str,
        kind: &SecretKind,
        value: &str,
    ) -> SealedValue {
        let key = self.ctx.vault.sealing_key().await.unwrap();
        let value = seal_with(&key.public_key, &context(owner(who, personal), name, kind), value);
        SealedValue { key_id: key.key_id, value }
    }

    async fn names(&self, who: &Member) -> Vec<String> {
        let secrets = self.store.secrets(who.clone()).await.unwrap();
        secrets.into_iter().map(|s| format!("{}:{}", s.scope.kind, s.name)).collect()
    }

    pub(super) async fn log(&self, who: &Member, query: ListSecretLog) -> Vec<SecretLogEntry> {
        self.store.secret_log(who.clone(), query).await.unwrap().entries
    }
}

on_both! {
    async fn a_personal_secret_is_its_owners_alone(bed: Bed) {
        let bob = team::join(&bed, "bob@example.com").await;
        let alice = bed.member.clone();
        bed.secret(&alice, false, "B", "1").await;
        bed.secret(&bob, false, "A", "2").await;
        let own = bed.secret(&alice, true, "B", "3").await;
        let his = bed.secret(&bob, true, "B", "4").await;
        assert_eq!(own.scope.uid.as_deref(), Some(alice.principal.uid.as_str()));
        assert_eq!(bed.names(&alice).await, ["Team:A", "Team:B", "User:B"]);
        assert_eq!(bed.names(&bob).await, ["Team:A", "Team:B", "User:B"]);
        let identity = oz_core::api::CreateIdentity { name: "robot".into(), ..Default::default() };
        let identity = bed.store.create_identity(alice.clone(), identity, now()).await.unwrap();
        let agent = team::agent(&bed, &identity.uid).await;
        assert_eq!(bed.names(&agent).await, ["Team:A", "Team:B"]);
        for who in [&alice, &agent] {
            let refused = bed.store.secret(who.clone(), his.uid.clone()).await.unwrap_err();
            assert_eq!(Error::from(refused).http_status(), 404);
            let refused = bed.store.update_secret(who.clone(), his.uid.clone(), Some("x".into()), None, now()).await;
            assert_eq!(Error::from(refused.unwrap_err()).http_status(), 404);
            let refused = bed.store.delete_secret(who.clone(), his.uid.clone(), now()).await.unwrap_err();
            assert_eq!(Error::from(refused).http_status(), 404);
        }
        let mut elsewhere = alice.clone();
        elsewhere.team_id = "other".into();
        assert!(bed.names(&elsewhere).await.is_empty(), "the same person in another team");
    }

    async fn a_name_is_there_once_for_each_owner(bed: Bed) {
        let alice = bed.member.clone();
        bed.secret(&alice, false, "A", "1").await;
        bed.secret(&alice, true, "A", "2").await;
        for (personal, expected) in [(false, "the team has a secret 'A' already"), (true, "you have a secret 'A'")] {
            let again = bed.secret_of_kind(&alice, personal, "A", SecretKind::RawValue, "3").await.unwrap_err();
            assert_eq!(again.http_status(), 409);
            assert!(again.detail.contains(expected), "{}", again.detail);
        }
        let first = bed.store.secrets(alice.clone()).await.unwrap().remove(0);
        bed.store.delete_secret(alice.clone(), first.uid, now()).await.unwrap();
        bed.secret(&alice, false, "A", "4").await;
    }

    async fn a_change_replaces_what_it_names(bed: Bed) {
        let bob = team::join(&bed, "bob@example.com").await;
        let made = bed.secret(&bed.member, false, "A", "1").await;
        assert_eq!(made.created_at, made.updated_at);
        let change = |description: Option<&str>, sealed| {
            bed.store.update_secret(bob.clone(), made.uid.clone(), description.map(str::to_owned), sealed, now())
        };
        let same = change(None, None).await.unwrap();
        assert_eq!(same, made, "nothing was asked for");
        let sealed = bed.sealed(&bob, false, "A", &SecretKind::RawValue, "2").await;
        let changed = change(None, Some(sealed)).await.unwrap();
        assert_eq!(changed.description, made.description, "what is absent stays");
        assert_eq!(changed.last_editor.unwrap().uid, bob.principal.uid);
        assert_eq!(changed.creator, made.creator);
        assert!(changed.updated_at > made.updated_at);
        assert_eq!(change(Some(""), None).await.unwrap().description, None);
        let actions: Vec<SecretAction> =
            bed.log(&bed.member, ListSecretLog::default()).await.into_iter().map(|e| e.action).collect();
        assert_eq!(actions, [SecretAction::Updated, SecretAction::Updated, SecretAction::Created]);
    }

    async fn the_log_tells_each_what_concerns_it_a_page_at_a_time(bed: Bed) {
        let bob = team::join(&bed, "bob@example.com").await;
        for i in 0..7 {
            bed.secret(&bed.member, false, &format!("T{i}"), "1").await;
        }
        let own = bed.secret(&bob, true, "OWN", "1").await;
        bed.store.delete_secret(bob.clone(), own.uid, now()).await.unwrap();
        let whole = bed.log(&bob, ListSecretLog::default()).await;
        assert_eq!(whole.len(), 9);
        assert_eq!((whole[0].action.clone(), whole[0].name.as_str()), (SecretAction::Deleted, "OWN"));
        assert_eq!(whole[0].actor.as_ref().unwrap().uid, bob.principal.uid);
        assert_eq!(bed.log(&bed.member, ListSecretLog::default()).await, whole[2..]);
        let mut paged = Vec::new();
        let mut cursor = None;
        loop {
            let query = ListSecretLog { limit: Some(2), cursor, ..ListSecretLog::default() };
            let page = bed.store.secret_log(bob.clone(), query).await.unwrap();
            assert!(page.entries.len() <= 2);
            paged.extend(page.entries);
            cursor = page.page_info.next_cursor;
            assert_eq!(cursor.is_some(), page.page_info.has_next_page);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(paged, whole);
        let one = ListSecretLog { name: Some("T3".into()), ..ListSecretLog::default() };
        assert_eq!(bed.log(&bob, one).await.len(), 1);
        let bad = ListSecretLog { cursor: Some("x".into()), ..ListSecretLog::default() };
        let error = Error::from(bed.store.secret_log(bob, bad).await.unwrap_err());
        assert!(error.detail.starts_with("cursor: 'x' is not valid"), "{}", error.detail);
    }

    async fn who_leaves_takes_its_secrets_along(bed: Bed) {
        let bob = team::join(&bed, "bob@example.com").await;
        bed.secret(&bob, true, "OWN", "1").await;
        bed.secret(&bob, false, "TEAM", "1").await;
        bed.store.remove_person(&bed.member, bob.principal.uid.clone()).await.unwrap();
        assert_eq!(bed.names(&bob).await, ["Team:TEAM"]);
    }
}
