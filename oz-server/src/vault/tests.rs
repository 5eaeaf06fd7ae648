use super::*;
use crate::{auth::random_hex, testing::seal_with};
use std::{path::PathBuf, sync::Arc};

fn store(dir: &Path) -> Store {
    Store::sqlite(dir, Arc::new(|_| {})).unwrap()
}

fn given(key: &str) -> MasterKeys {
    MasterKeys { current: KeySource::parse(key), previous: None }
}

fn changed(from: &str, to: &str) -> MasterKeys {
    MasterKeys { previous: Some(KeySource::parse(from)), ..given(to) }
}

fn made(path: PathBuf) -> MasterKeys {
    MasterKeys { current: KeySource::MadeFile(path), previous: None }
}

/// Seals a value for a vault. Returns the id of the key and the sealed value.
async fn sealed(vault: &Vault, name: &str, value: &str) -> (String, String) {
    let key = vault.sealing_key().await.unwrap();
    let context = secret::context("t", name, &SecretKind::RawValue);
    (key.key_id, seal_with(&key.public_key, &context, value))
}

fn as_named<'a>(name: &'a str, sealed: &'a (String, String)) -> Sealed<'a> {
    Sealed { key_id: &sealed.0, owner_uid: "t", name, kind: &SecretKind::RawValue, value: &sealed.1 }
}

#[tokio::test]
async fn what_was_sealed_opens_after_a_restart_with_the_same_key() {
    let (dir, key) = (tempfile::tempdir().unwrap(), random_hex());
    let vault = Vault::open(store(dir.path()), given(&key)).await.unwrap();
    let secret = sealed(&vault, "A", "hunter2").await;
    assert_eq!(vault.sealing_key().await.unwrap().key_id, secret.0, "there is one key");
    drop(vault);
    let vault = Vault::open(store(dir.path()), given(&key)).await.unwrap();
    assert_eq!(vault.reveal(as_named("A", &secret)).await.unwrap().as_str(), "hunter2");
    let error = vault.reveal(as_named("B", &secret)).await.unwrap_err().to_string();
    assert!(error.contains("'B' can't be opened"), "{error}");
}

#[tokio::test]
async fn a_value_that_is_not_what_it_says_is_refused_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open(store(dir.path()), given(&random_hex())).await.unwrap();
    let good = sealed(&vault, "A", "hunter2").await;
    vault.check(as_named("A", &good)).await.unwrap();
    let kind = SecretKind::AnthropicApiKey;
    let key = vault.sealing_key().await.unwrap();
    let typed = seal_with(&key.public_key, &secret::context("t", "A", &kind), "hunter2");
    let typed = Sealed { key_id: &key.key_id, owner_uid: "t", name: "A", kind: &kind, value: &typed };
    let elsewhere = Sealed { owner_uid: "u", ..as_named("A", &good) };
    let garbage = (good.0.clone(), "hunter2!".to_owned());
    let nul = sealed(&vault, "A", "hunter2\0").await;
    let strange = (String::from("k9"), good.1.clone());
    for (sealed, expected) in [
        (as_named("B", &good), "sealed_value: it does not open"),
        (elsewhere, "with the info '1:u:A:raw_value'"),
        (as_named("A", &garbage), "sealed_value: it does not open"),
        (typed, "sealed_value: value of 'A': it is not the JSON of its type"),
        (as_named("A", &nul), "sealed_value: value of 'A': it has a NUL"),
        (as_named("A", &strange), "key_id: 'k9' is not valid"),
    ] {
        let error = vault.check(sealed).await.unwrap_err();
        assert_eq!(error.http_status(), 400, "{}", error.detail);
        assert!(error.detail.contains(expected) && !error.detail.contains("hunter2"), "{}", error.detail);
    }
}

#[tokio::test]
async fn another_master_key_opens_nothing_and_is_refused_at_the_start() {
    let (dir, key) = (tempfile::tempdir().unwrap(), random_hex());
    let vault = Vault::open(store(dir.path()), given(&key)).await.unwrap();
    vault.sealing_key().await.unwrap();
    drop(vault);
    for wrong in [given(&random_hex()), changed(&random_hex(), &random_hex())] {
        let error = Vault::open(store(dir.path()), wrong).await.err().unwrap().to_string();
        assert!(error.contains("does not open the vault") && !error.contains(&key), "{error}");
    }
    let path = dir.path().join("elsewhere").join("master.key");
    let error = Vault::open(store(dir.path()), made(path.clone())).await.err().unwrap().to_string();
    assert!(error.contains("master.key is not there"), "{error}");
    assert!(!path.exists(), "a key that opens nothing must not be made");
}

#[tokio::test]
async fn the_master_key_changes_and_the_old_one_ends() {
    let (dir, old, new) = (tempfile::tempdir().unwrap(), random_hex(), random_hex());
    let vault = Vault::open(store(dir.path()), given(&old)).await.unwrap();
    let secret = sealed(&vault, "A", "hunter2").await;
    let before = vault.sign(&serde_json::json!({})).await.unwrap();
    let keys = vault.web_keys().await.unwrap();
    let wrapped = vault.store.vault_keys().await.unwrap();
    drop(vault);
    let vault = Vault::open(store(dir.path()), changed(&old, &new)).await.unwrap();
    let rewrapped = vault.store.vault_keys().await.unwrap();
    assert_eq!(rewrapped.len(), 2);
    for (old, new) in wrapped.iter().zip(&rewrapped) {
        assert_eq!((&old.key_id, &old.public_key), (&new.key_id, &new.public_key));
        assert_ne!(old.wrapped_key, new.wrapped_key);
    }
    drop(vault);
    let error = Vault::open(store(dir.path()), given(&old)).await.err().unwrap().to_string();
    assert!(error.contains("does not open the vault"), "{error}");
    let vault = Vault::open(store(dir.path()), given(&new)).await.unwrap();
    assert_eq!(vault.reveal(as_named("A", &secret)).await.unwrap().as_str(), "hunter2");
    assert_eq!(vault.web_keys().await.unwrap(), keys, "tokens of before stay good");
    let after = vault.sign(&serde_json::json!({})).await.unwrap();
    assert_eq!(before.split('.').next(), after.split('.').next(), "the same key signs");
}

#[tokio::test]
async fn a_server_that_still_has_the_old_key_reads_on_when_it_knows_the_new_one() {
    let (dir, old, new) = (tempfile::tempdir().unwrap(), random_hex(), random_hex());
    let first = Vault::open(store(dir.path()), given(&old)).await.unwrap();
    let secret = sealed(&first, "A", "hunter2").await;
    let second = Vault::open(store(dir.path()), changed(&new, &old)).await.unwrap();
    Vault::open(store(dir.path()), changed(&old, &new)).await.unwrap();
    assert_eq!(second.reveal(as_named("A", &secret)).await.unwrap().as_str(), "hunter2");
    let error = Error::from(first.reveal(as_named("A", &secret)).await.unwrap_err());
    assert_eq!(error.http_status(), 500);
    assert!(!error.detail.contains("master key"), "callers are told less: {}", error.detail);
}

#[tokio::test]
async fn a_key_file_is_made_when_it_is_needed_and_not_before() {
    let (dir, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = home.path().join("oz").join("master.key");
    let vault = Vault::open(store(dir.path()), made(path.clone())).await.unwrap();
    assert!(vault.web_keys().await.unwrap().is_empty() && !path.exists());
    let secret = sealed(&vault, "A", "hunter2").await;
    let key = std::fs::read(&path).unwrap();
    drop(vault);
    let vault = Vault::open(store(dir.path()), made(path.clone())).await.unwrap();
    assert_eq!(vault.reveal(as_named("A", &secret)).await.unwrap().as_str(), "hunter2");
    assert_eq!(std::fs::read(&path).unwrap(), key);
}

#[tokio::test]
async fn a_key_that_can_not_be_used_is_refused_before_there_is_a_vault() {
    let dir = tempfile::tempdir().unwrap();
    for wrong in [given("hunter2"), given("file:/no/such/file"), changed("hunter2", &random_hex())] {
        let error = Vault::open(store(dir.path()), wrong).await.err().unwrap().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn many_who_need_a_key_at_once_get_the_same() {
    let (dir, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let vault = Vault::open(store(dir.path()), made(home.path().join("k"))).await.unwrap();
    let keys = futures_util::future::join_all((0..20).map(|_| vault.sealing_key())).await;
    let ids: std::collections::BTreeSet<String> = keys.into_iter().map(|key| key.unwrap().key_id).collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn an_identity_token_verifies_with_the_published_key() {
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open(store(dir.path()), given(&random_hex())).await.unwrap();
    let token = vault.sign(&serde_json::json!({ "sub": "user:u" })).await.unwrap();
    let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    let keys = vault.web_keys().await.unwrap();
    assert_eq!(header, serde_json::json!({ "typ": "JWT", "alg": "ES256", "kid": keys[0]["kid"] }));
    let coordinate = |name: &str| decode(keys[0][name].as_str().unwrap());
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let said = format!("{}.{}", parts[0], parts[1]);
    key.verify(said.as_bytes(), &decode(parts[2])).unwrap();
    let forged = format!("{}.{}", parts[0], BASE64_URL_SAFE_NO_PAD.encode(r#"{"sub":"user:v"}"#));
    assert!(key.verify(forged.as_bytes(), &decode(parts[2])).is_err());
}
